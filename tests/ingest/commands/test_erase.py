"""``ingest erase``: shown first, done on somebody's word, and nothing left that any command, page or file would show."""

import asyncio
import base64
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from ingest.contract import Attachment, Contact, Identifier, Person
from ingest.ids import reference
from ingest.originals import Originals
from router import erasure

JOAN = Person(
    name="Joan Pettifer",
    identifiers=(Identifier(kind="email", given="joan@canary.example", canonical="joan@canary.example", verified_by="dmarc"),),
)
RAVI = Person(
    name="Ravi Chatterjee", identifiers=(Identifier(kind="email", given="ravi@example.com", canonical="ravi@example.com"),)
)
RUDE = "I want to complain about your service. Nobody from your office called me back and your staff were rude. My zebra keeper wept."
WORDS = re.compile(r"pettifer|joan@canary|zebra|tell-tale", re.IGNORECASE)
BY = ("--by", "Sam", "--because", "asked for")


@pytest.fixture
def keep(config: Path):
    """Keep bytes as the originals of the settings; answers with their digest."""
    return lambda content: asyncio.run(Originals(f"file:///{config.parent}/originals").put([content]))[0]


@pytest.fixture
def two_people(take_in, keep):
    """Joan and Ravi, each an individual of the router's making, who both sent one and the same picture along."""
    picture = Attachment(digest=keep(b"a picture"), name="logo.png", content_type="image/png", size=9)
    notes = Attachment(digest=keep(b"tell-tale notes"), name="tell-tale.txt", content_type="text/plain", size=15)
    return take_in(
        {"text": RUDE, "sender": JOAN, "original": keep(b"zebra"), "attachments": (notes, picture)},
        {"text": RUDE.partition(" My zebra")[0], "sender": RAVI, "original": keep(b"of Ravi's"), "attachments": (picture,)},
    )


@pytest.fixture
def joan(two_people: list[Contact], ingest, config: Path) -> str:
    return ingest("register", "search", "Pettifer", "--json", "--config", config).rows[0]["person_id"]


def kinds(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["what"], set()).add(row["becomes"])
    return found


def test_without_yes_it_is_shown_and_nothing_changes(joan: str, ingest, config: Path):
    before = (config.parent / "register.db").read_bytes()
    ran = ingest("erase", joan, "--even-if-open", "--json", "--config", config)
    assert ran.status == 0
    assert "Nothing was changed" in ran.err
    found = kinds(ran.rows)
    for what in ("individuals", "identifiers", "contacts", "feedback_records", "originals and files"):
        assert found[what] == {"goes"}, what
    assert found["audit entries"] == found["records of the log"] == {"emptied"}
    assert not WORDS.search(ran.out)
    assert ingest("register", "search", "Pettifer", "--json", "--config", config).rows
    assert (config.parent / "originals").exists()
    assert len(before) == len((config.parent / "register.db").read_bytes())


def test_no_command_page_or_file_shows_anything_of_them_afterwards(joan: str, two_people: list[Contact], ingest, config: Path):
    ran = ingest("erase", joan, "--yes", *BY, "--even-if-open", "--json", "--config", config)
    assert ran.status == 0, ran.err
    assert kinds(ran.rows)["originals and files"] == {"went", "stays"}
    gone = two_people[0]
    words = re.compile(f"{WORDS.pattern}|{gone.id}|{gone.id.hex}|{reference(gone.id)}|{joan}", re.IGNORECASE)
    for verb in (
        ("review", "list"), ("feedback", "list"), ("outgoing", "list"), ("handoffs", "list"), ("dead-letters", "list"), ("audit", "show"),
        ("social", "list"), *(("topic", "tail", each) for each in ("contacts", "records.feedback", "tasks", "outgoing")),
    ):  # fmt: skip
        shown = ingest(*verb, "--json", "--config", config)
        assert not words.search(shown.out + shown.err), verb
    assert not ingest("register", "search", "Pettifer", "--json", "--config", config).rows
    for each in config.parent.rglob("*"):
        assert not words.search(each.name)
        if each.is_file():
            assert not words.search(each.read_bytes().decode("latin-1")), each
    assert not words.search(generate_latest().decode())  # the one page of the private port that tells of contacts
    verified = ingest("audit", "verify", "--config", config)
    assert (verified.status, "verifies" in verified.out) == (0, True)
    assert ingest("register", "search", "Chatterjee", "--json", "--config", config).rows
    assert {each.read_bytes() for each in (config.parent / "originals").glob("??/*")} == {b"a picture", b"of Ravi's"}
    checked = ingest("erase", "--check", "--config", config)
    assert (checked.status, "Nothing is left" in checked.out) == (0, True)


def test_what_is_open_is_in_the_way_and_named(joan: str, ingest, config: Path):
    refused = ingest("erase", joan, "--yes", *BY, "--config", config)
    assert refused.status == 1
    assert "that are not done" in refused.err
    assert "--even-if-open" in refused.err
    assert ingest("register", "search", "Pettifer", "--json", "--config", config).rows


def test_again_it_says_when_and_on_whose_word(joan: str, ingest, config: Path):
    assert ingest("erase", joan, "--yes", *BY, "--even-if-open", "--config", config).status == 0
    ran = ingest("erase", joan, "--yes", *BY, "--config", config)
    assert ran.status == 0
    assert f"{joan} was erased on" in ran.err
    assert "on the word of Sam" in ran.err
    nobody = ingest("erase", "R9", "--config", config)
    assert nobody.status == 1
    assert "ingest register search" in nobody.err


def test_killed_midway_the_next_finishes(joan: str, ingest, config: Path, monkeypatch: pytest.MonkeyPatch):
    """At any point behind the register's one transaction; before it nothing has changed."""
    said = (joan, "--yes", *BY, "--even-if-open", "--config", config)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "keep_marks", killed)
        with pytest.raises(RuntimeError):
            ingest("erase", *said)
    assert WORDS.search((config.parent / "log.db").read_bytes().decode("latin-1"))
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "let_go", killed)
        with pytest.raises(RuntimeError):
            ingest("erase", *said)
    assert ingest("erase", "--check", "--config", config).status == 1
    assert ingest("erase", *said).status == 0
    assert ingest("erase", "--check", "--config", config).status == 0
    for each in config.parent.rglob("*"):
        assert not each.is_file() or not WORDS.search(each.read_bytes().decode("latin-1")), each


async def killed(*_: object) -> None:
    raise RuntimeError("killed")


def test_one_of_the_case_systems_does_not_come_back_with_its_next_file(ingest, config: Path, tmp_path: Path, take_in):
    take_in()
    people = tmp_path / "people.csv"
    columns = "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone"
    people.write_text(f"{columns}\nR1,Joan,Pettifer,,,,,,joan@canary.example,\n", encoding="utf-8")
    take = ("register", "import", "--individuals", people, "--config", config)
    assert ingest(*take).status == 0
    assert ingest("erase", "R1", "--yes", *BY, "--config", config).status == 0
    refused = ingest(*take)
    assert refused.status == 1
    assert "They were erased on" in refused.out
    assert ingest("erase", "R1", "--readmit", "--config", config).status == 2
    let = ingest("erase", "R1", "--readmit", "--by", "Sam", "--because", "is back", "--config", config)
    assert (let.status, "is imported again" in let.out) == (0, True)
    assert ingest(*take).status == 0
    nobody = ingest("erase", "R2", "--readmit", "--by", "Sam", "--because", "is back", "--config", config)
    assert (nobody.status, "was not erased here" in nobody.err) == (1, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "Name an individual"),
        (("R1", "--yes"), "--by NAME --because TEXT"),
        (("R1", "--yes", "--by", "Sam"), "--by NAME --because TEXT"),
        (("--check", "--again"), "different things"),
    ],
    ids=str,
)
def test_wrong_use_is_status_2_with_a_sentence(given: tuple[str, ...], said: str, ingest, config: Path):
    ran = ingest("erase", *given, "--config", config)
    assert ran.status == 2
    assert said in ran.err


def test_a_register_from_before_is_told_of_and_erased_again(joan: str, ingest, config: Path):
    register = config.parent / "register.db"
    copy = register.read_bytes()
    assert ingest("erase", joan, "--yes", *BY, "--even-if-open", "--config", config).status == 0
    register.write_bytes(copy)
    checked = ingest("erase", "--check", "--json", "--config", config)
    assert checked.status == 1
    assert {row["becomes"] for row in checked.rows} == {"is back"}
    shown = ingest("erase", "--again", "--config", config)
    assert "Nothing was changed" in shown.err
    assert ingest("erase", "--again", "--yes", *BY, "--config", config).status == 0
    assert not ingest("register", "search", "Pettifer", "--json", "--config", config).rows
    assert ingest("erase", "--check", "--config", config).status == 0
    assert not WORDS.search(register.read_bytes().decode("latin-1"))


def test_marks_are_kept_with_the_audit_trails_heads_too_and_are_no_heads(
    joan: str, ingest, config: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("INGEST_AUDIT__KEY", base64.b64encode(bytes(32)).decode())
    heads = config.parent / "heads"
    config.write_text(f'{config.read_text(encoding="utf-8")}\n[audit]\nheads = "file:///{heads}"\n', encoding="utf-8")
    assert ingest("erase", joan, "--yes", *BY, "--even-if-open", "--config", config).status == 0
    kept = [each for each in (heads / "erased").rglob("*") if each.is_file()]
    assert len(kept) == 1
    assert not WORDS.search(kept[0].read_text(encoding="utf-8"))
    verified = ingest("audit", "verify", "--config", config)
    assert (verified.status, verified.err) == (0, "")
