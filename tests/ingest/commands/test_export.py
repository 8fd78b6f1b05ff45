"""``ingest export``: who asks what we hold on them is given all of it, and nothing of anybody else's."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from ingest import state
from ingest.contract import Attachment, Contact, Identifier, Person
from ingest.ids import reference
from ingest.originals import Originals
from router import holdings
from router.register import tables

JOAN = Person(
    name="Joan Pettifer", identifiers=(Identifier(kind="email", given="joan@example.com", canonical="joan@example.com"),)
)
RAVI = Person(
    name="Ravi Chatterjee", identifiers=(Identifier(kind="email", given="ravi@example.com", canonical="ravi@example.com"),)
)
RUDE = (
    "I want to complain about your service. Nobody from your office called me back and your staff were rude on the telephone."
)
LATE = "I want to complain about your service again. Your staff have still not called me back and I am very unhappy about it."


@pytest.fixture
def keep(config: Path):
    """Keep bytes as the originals of the settings; answers with their digest."""
    return lambda content: asyncio.run(Originals(f"file:///{config.parent}/originals").put([content]))[0]


@pytest.fixture
def two_people(take_in, keep):
    """Joan, who wrote twice and sent a file along, and Ravi, who wrote once; each an individual of the router's making."""
    notes = Attachment(
        digest=keep(b"what I noted down"), name="../notes.txt".replace("/", "_"), content_type="text/plain", size=17
    )
    return take_in(
        {"text": RUDE, "sender": JOAN, "original": keep(b"Subject: rude\r\n\r\nNobody called."), "attachments": (notes,)},
        {"text": RUDE.replace("Nobody from", "No one at"), "sender": RAVI, "original": keep(b"of Ravi's")},
    )


def person_of(ingest: Any, config: Path, name: str) -> str:
    return ingest("register", "search", name, "--json", "--config", config).rows[0]["person_id"]


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "register.jsonl").read_text(encoding="utf-8").splitlines()]


def test_all_that_is_theirs_is_written_down_with_what_they_sent(
    two_people: list[Contact], ingest, config: Path, tmp_path: Path
):
    joan, ravi = two_people
    ran = ingest("export", person_of(ingest, config, "Pettifer"), tmp_path / "joan", "--config", config)
    assert (ran.status, ran.err) == (0, "")
    found = Counter(row["table"] for row in rows_in(tmp_path / "joan"))
    for name in ("individuals", "identifiers", "links", "contacts", "dispositions", "feedback_records", "outgoing", "audit"):
        assert found[name], name
    files = sorted((tmp_path / "joan" / "originals").iterdir())
    assert [each.read_bytes() for each in files] == [b"Subject: rude\r\n\r\nNobody called.", b"what I noted down"]
    assert all(each.name.startswith(reference(joan.id)) for each in files)
    everything = "".join(each.read_text(errors="replace") for each in (tmp_path / "joan").rglob("*") if each.is_file())
    for theirs in ("Chatterjee", "ravi@example.com", str(ravi.id), reference(ravi.id)):
        assert theirs not in everything
    assert "Nothing" not in ran.out
    assert "a person must read it" in (tmp_path / "joan" / "READ-ME.txt").read_text()


def test_what_was_unlinked_is_not_theirs_and_what_counts_as_them_is(
    two_people: list[Contact], ingest, config: Path, tmp_path: Path
):
    joan, ravi = (person_of(ingest, config, name) for name in ("Pettifer", "Chatterjee"))
    say = ("--by", "Sam", "--because", "one person", "--config", config)
    assert ingest("register", "merge", joan, ravi, *say).status == 0
    refused = ingest("export", ravi, tmp_path / "other", "--config", config)
    assert refused.status == 1
    assert joan in refused.err
    assert not (tmp_path / "other").exists()

    assert ingest("export", joan, tmp_path / "both", "--config", config).status == 0
    assert {row["id"] for row in rows_in(tmp_path / "both") if row["table"] == "individuals"} == {joan, ravi}
    assert sum(row["table"] == "contacts" for row in rows_in(tmp_path / "both")) == 2

    assert ingest("register", "unlink", reference(two_people[1].id), *say).status == 0
    assert ingest("export", joan, tmp_path / "one", "--config", config).status == 0
    assert [row["id"] for row in rows_in(tmp_path / "one") if row["table"] == "contacts"] == [str(two_people[0].id)]


def test_an_original_that_is_gone_is_named_and_the_rest_is_there(
    two_people: list[Contact], ingest, config: Path, tmp_path: Path
):
    gone = two_people[0].original
    (config.parent / "originals" / gone[:2] / gone).unlink()
    ran = ingest("export", person_of(ingest, config, "Pettifer"), tmp_path / "joan", "--config", config)
    assert ran.status == 1
    assert "1 originals could not be had" in ran.err
    assert gone in (tmp_path / "joan" / "READ-ME.txt").read_text()
    assert len(list((tmp_path / "joan" / "originals").iterdir())) == 1


def test_a_folder_that_is_there_is_not_written_into_and_nobody_is_nobody(ingest, config: Path, tmp_path: Path, take_in):
    take_in()
    (tmp_path / "there").mkdir()
    assert ingest("export", "R1", tmp_path / "there", "--config", config).status == 2
    ran = ingest("export", "R1", tmp_path / "new", "--config", config)
    assert ran.status == 1
    assert "ingest register search" in ran.err


def test_every_table_that_says_whose_it_is_is_among_what_is_written_down():
    of_no_one = {
        "individual_keys": "hashes of what is written down",
        "audit_leaves": "hashes of entries that are written down",
    }
    theirs: set[Table] = {
        table
        for table in (*tables.metadata.tables.values(), *state.metadata.tables.values())
        if {"contact_id", "individual_id"} & set(table.c.keys()) and table.name not in of_no_one
    }
    assert theirs <= {*holdings._OF_PEOPLE, *holdings._OF_CONTACTS}
