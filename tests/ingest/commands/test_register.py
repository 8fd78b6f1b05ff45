"""``ingest register``: what an operator types, and what it prints."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ingest.contract import Contact, Person
from ingest.database import Database
from ingest.ids import new_id, reference
from router.register import tables

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

HEADER = "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone"
JOAN = "R1001,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,joan@example.org,01632 960114"
MAILBOX = """
[channels.email.care]
host = "imap.example.org"
user = "care"
password_file = "ingest.key"
smtp = "smtp.example.org:587"
sender = "care@example.org"
"""


@pytest.fixture
def register(ingest: Callable[..., Any], config: Path, tmp_path: Path) -> Callable[..., Any]:
    """A verb of ``ingest register``, in a folder with settings, a file of individuals and one of cases."""
    with config.open("a", encoding="utf-8") as written:
        written.write(MAILBOX)
    (tmp_path / "individuals.csv").write_text(f"{HEADER}\n{JOAN}\n")
    (tmp_path / "cases.csv").write_text(
        "case_reference,person_id,status,stage,owner_email,organisation\nC-2034590,R1001,open,assessment,,CMS\n"
    )

    def run(*given: str) -> Any:
        words = [str(tmp_path / word) if word.endswith(".csv") else word for word in given]
        return ingest("register", *words, "--config", config)

    return run


def test_people_and_cases_are_taken_in_and_found_again(register) -> None:
    done = register("import", "--cases", "cases.csv", "--individuals", "individuals.csv")
    assert done.status == 0
    assert "1 individuals taken, 0 rows refused." in done.out
    assert "1 cases taken, 0 rows refused." in done.out
    found = register("search", "pettifer", "--json")
    assert found.rows == [
        {
            "person_id": "R1001",
            "name": "Joan Pettifer",
            "date_of_birth": "1944-02-19",
            "address": "14 Quarry Lane, Alderwick, DE80 4PT",
            "emails": ["joan@example.org"],
            "phones": ["+441632960114"],
            "cases": ["C-2034590"],
            "made_by": "case system",
            "also": [],
        }
    ]


def test_a_refused_row_is_listed_and_ends_in_1(register, tmp_path: Path) -> None:
    (tmp_path / "individuals.csv").write_text(f"{HEADER}\n{JOAN}\n{JOAN.replace('R1001', 'R1002').replace('joan@', 'joan ')}\n")
    done = register("import", "--individuals", "individuals.csv")
    assert done.status == 1
    assert "1 individuals taken, 1 rows refused." in done.out
    for said in ("individuals.csv", "3", "email", "It is not an email address."):
        assert said in done.out


def test_a_wrong_header_takes_nothing_in(register, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("reference\nC-2034590\n")
    done = register("import", "--individuals", "individuals.csv", "--cases", "cases.csv")
    assert done.status == 1
    assert "lacks case_reference" in done.err
    assert register("search", "pettifer").status == 1


def test_the_keys_are_made_anew(register) -> None:
    register("import", "--individuals", "individuals.csv")
    done = register("index")
    assert done.status == 0
    assert "1 individuals are indexed." in done.out


def test_what_is_done_differently_for_somebody_is_listed_and_the_case_systems_own_is_not_taken_off_here(
    register, tmp_path: Path
) -> None:
    (tmp_path / "individuals.csv").write_text(f"{HEADER},reasonable_adjustments\n{JOAN},large print; Welsh\n")
    register("import", "--individuals", "individuals.csv")
    found = register("adjustments", "R1001", "--json")
    assert {(each["adjustment"], each["said_by"]) for each in found.rows} == {
        ("large_print", "case system"),
        ("welsh", "case system"),
    }
    assert register("adjustments", "R1").status == 1
    refused = register("withdraw", "R1001", "large_print", "--by", "Sam", "--because", "she sees well")
    assert refused.status == 1
    assert "take it off there" in refused.err


def test_no_file_at_all_is_wrong_use(register) -> None:
    assert register("import").status == 2


async def link(url: str) -> tuple[str, Database]:
    """A routed contact that is linked to R1001."""
    database = Database(url)
    id_ = new_id()
    person = Person(name="Joan Pettifer")
    contact = Contact(
        id=id_,
        source="urn:x",
        channel="letter",
        account="scans",
        received_at=NOW,
        sender=person,
        text="x",
        full_text="x",
        original="0" * 64,
    )
    row = {"channel": "letter", "account": "scans", "received_at": NOW, "fingerprint": "f", "routed_at": NOW}
    decided = {"kind": "RecordFeedback", "urgent": False, "rule": "feedback", "rule_version": 1, "because": [], "by": "router"}
    async with database.write() as connection:
        await connection.execute(
            tables.contacts.insert().values(id=id_, reference=reference(id_), body=contact.model_dump_json(), **row)
        )
        await connection.execute(
            tables.links.insert().values(
                contact_id=id_, individual_id="R1001", grade="probable", evidence=[], at=NOW, by="router"
            )
        )
        await connection.execute(
            tables.dispositions.insert().values(
                contact_id=id_, version=1, current=True, individual_id="R1001", at=NOW, **decided
            )
        )
    return reference(id_), database


def test_a_link_is_undone_once_and_the_contact_held_for_review(register, tmp_path: Path) -> None:
    register("import", "--individuals", "individuals.csv")
    given, database = asyncio.run(link(f"sqlite:///{tmp_path / 'register.db'}"))
    undo = ("unlink", given, "--by", "A. Dunmore", "--because", "the wrong Joan")
    shown = register(*undo, "--dry-run")
    assert shown.status == 0
    assert "no longer linked to R1001 (probable" in shown.out
    assert "Nothing was changed." in shown.err
    assert register(*undo).status == 0

    async def after() -> tuple[Any, Any, Any]:
        async with database.read() as connection:
            undone = (await connection.execute(select(tables.links))).one()
            now_current = select(tables.dispositions).where(tables.dispositions.c.current)
            entry = select(tables.audit).where(tables.audit.c.action == "link-undone")
            found = undone, (await connection.execute(now_current)).one(), (await connection.execute(entry)).one()
        await database.close()
        return found

    link_row, disposition, entry = asyncio.run(after())
    assert (link_row.undone_by, disposition.kind, disposition.version) == ("A. Dunmore", "HoldForReview", 2)
    assert (entry.actor, entry.evidence["because"]) == ("A. Dunmore", "the wrong Joan")
    again = register(*undo)
    assert again.status == 1
    assert "No link of the contact" in again.err


def test_two_who_are_one_are_merged_found_as_one_and_taken_apart_again(register, tmp_path: Path) -> None:
    again = JOAN.replace("R1001", "R1002").replace("joan@example.org", "joan@work.example")
    (tmp_path / "individuals.csv").write_text(f"{HEADER}\n{JOAN}\n{again}\n")
    register("import", "--individuals", "individuals.csv")
    said = ("--by", "A. Dunmore", "--because", "she says so")
    shown = register("merge", "R1001", "R1002", *said, "--dry-run")
    assert "R1002 counts as R1001 now." in shown.out
    assert len(register("search", "pettifer", "--json").rows) == 2
    assert register("merge", "R1001", "R1002", *said).out == shown.out
    (found,) = register("search", "joan@work.example", "--json").rows
    assert (found["person_id"], found["also"]) == ("R1001", ["R1002"])
    assert found["emails"] == ["joan@example.org", "joan@work.example"]
    refused = register("merge", "R1001", "R1002", *said)
    assert refused.status == 1
    assert "counts as R1001" in refused.err
    assert register("split", "R1002", *said).status == 0
    assert len(register("search", "pettifer", "--json").rows) == 2


def test_an_import_brings_nobody_under_an_id_of_the_routers(register, tmp_path: Path) -> None:
    (tmp_path / "individuals.csv").write_text(f"{HEADER}\n{JOAN.replace('R1001', 'made-1')}\n")
    done = register("import", "--individuals", "individuals.csv")
    assert done.status == 1
    assert "the router's own" in done.out
