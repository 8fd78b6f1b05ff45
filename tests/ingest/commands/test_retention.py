"""``ingest retention``: shows first, removes when told to, keeps a report of it, and holds what a court asks for."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ingest.clock import now
from ingest.database import Database
from ingest.ids import reference
from ingest.originals import Originals
from ingest.settings import load
from router import duties
from router.register import tables

RUDE = "I want to complain about your service. Nobody called me back and your staff were rude on the telephone."
TIMES = '\n[retention]\ncontacts = "31d"\n'


@pytest.fixture
def within(config):
    """Something done to the register."""

    def run(work):
        async def over():
            database = Database(load(config).register.url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(over())

    return run


@pytest.fixture
def two(take_in, config, within):
    """Two contacts of 2 March 2026, one of which is at its end, and the settings' time for contacts long over."""
    (original,) = asyncio.run(Originals(f"file:///{config.parent}/originals").put([b"as it came"]))
    made = take_in({"text": RUDE, "original": original}, "I am going to kill myself tonight.")
    with config.open("a", encoding="utf-8") as written:
        written.write(TIMES)

    async def end(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(update(tables.tasks).where(tables.tasks.c.contact_id == made[0].id).values(state="done"))
            await connection.execute(update(tables.outgoing).values(state="accepted"))
            await connection.execute(update(tables.feedback_records).values(settled=True))
            earlier = now() - timedelta(days=32)
            await connection.execute(update(tables.contacts).values(received_at=earlier, routed_at=earlier))
            await connection.execute(update(tables.audit).values(at=earlier))
        await duties.seal(database, now, back=None)

    within(end)
    return made


def test_without_times_everything_stays_and_that_is_said(take_in, ingest, config):
    take_in(RUDE)
    ran = ingest("retention", "--config", config)
    assert ran.status == 0
    assert "no time set" in ran.out
    assert "everything is kept" in ran.err
    assert "Nothing would go." in ran.err


def test_a_look_shows_by_kind_what_would_go_and_why_the_rest_stays_and_changes_nothing(two, ingest, config, within):
    ran = ingest("retention", "--json", "--config", config)
    assert ran.status == 0
    rows = {row["kind"]: row for row in ran.rows}
    contacts = rows["contacts"]
    assert (contacts["held"], contacts["past_its_time"], contacts["would_go"], contacts["bytes"]) == (
        2,
        2,
        1,
        len(b"as it came"),
    )
    assert contacts["stays"] == {"its urgent task is not done": 1}
    assert (contacts["kept_for"], contacts["setting"], contacts["days_old"]) == ("31d", "retention.contacts", 32)
    assert rows["records on the log"]["kept_for"] == "30d"
    assert rows["drafts of the form"]["kept_for"] is None
    again = ingest("retention", "--config", config)
    assert "1: its urgent task is not done" in again.out
    assert "`ingest retention --yes` removes 1" in again.err

    async def left(database: Database) -> int:
        async with database.read() as connection:
            return len((await connection.execute(select(tables.contacts))).all())

    assert within(left) == 2
    assert (
        ingest("retention", "--report", "--config", config).err.strip() == "Nothing was ever removed because its time was over."
    )


def test_with_yes_it_goes_and_the_report_and_the_trail_say_so(two, ingest, config):
    gone, stays = two
    ran = ingest("retention", "--yes", "--by", "Sam", "--config", config)
    assert ran.status == 0
    assert "Removed by Sam" in ran.out
    assert "10 bytes" in ran.out
    (report,) = ingest("retention", "--report", "--json", "--config", config).rows
    assert (report["by"], report["removed"], report["freed_bytes"]) == ("Sam", {"contacts": 1}, 10)
    on_the_trail = [
        row for row in ingest("audit", "show", "--json", "--config", config).rows if row["action"].startswith("retention")
    ]
    assert [row["action"] for row in on_the_trail] == ["retention-begun", "retention-removed", "retention-ended"]
    assert on_the_trail[0]["evidence"]["kept_for"]["contacts"] == "31 days, 0:00:00"
    assert on_the_trail[-1]["evidence"]["removed"] == {"contacts": 1}
    assert ingest("audit", "verify", "--config", config).status == 0
    assert ingest("ledger", "--config", config).status == 0
    assert ingest("decide", reference(gone.id), "--explain", "--config", config).status != 0
    assert not (config.parent / "originals" / gone.original[:2] / gone.original).exists()
    assert ingest("audit", "show", reference(stays.id), "--json", "--config", config).rows


def test_what_is_on_hold_stays_until_the_hold_is_lifted(two, ingest, config, within):
    one, _ = two
    say = ("--by", "Kim", "--because", "judicial review", "--config", config)
    assert ingest("retention", "hold", *say).status == 2
    placed = ingest("retention", "hold", "--contact", reference(one.id), *say)
    assert placed.status == 0
    (hold,) = ingest("retention", "holds", "--json", "--config", config).rows
    assert (hold["contact"], hold["by"], hold["because"]) == (reference(one.id), "Kim", "judicial review")
    assert hold["id"][:8] in placed.err

    def stays() -> dict[str, int]:
        return next(row["stays"] for row in ingest("retention", "--json", "--config", config).rows if row["kind"] == "contacts")

    assert stays() == {"on legal hold": 1, "its urgent task is not done": 1}
    assert ingest("retention", "lift", hold["id"][:8], "--by", "Kim", "--because", "over", "--config", config).status == 0
    assert ingest("retention", "holds", "--json", "--config", config).rows == []
    assert stays() == {"its audit entries are not sealed yet": 1, "its urgent task is not done": 1}
    within(lambda database: duties.seal(database, now, back=None))
    assert stays() == {"its urgent task is not done": 1}
    assert ingest("retention", "lift", hold["id"][:8], "--by", "Kim", "--because", "over", "--config", config).status == 1
    assert ingest("retention", "hold", "--case", "no such thing", *say).status == 1


def test_yes_and_report_together_are_wrong_use(config, ingest):
    assert ingest("retention", "--yes", "--report", "--config", config).status == 2


def test_an_original_that_was_let_go_of_is_said_to_be_so(two, ingest, config, within):
    async def strip(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(update(tables.contacts).values(stripped_at=now()))

    within(strip)
    task = next(row["id"] for row in ingest("review", "list", "--json", "--config", config).rows)
    ran = ingest("review", "original", task, "--out", config.parent / "out", "--config", config)
    assert ran.status == 1
    assert "its time was over" in ran.err
