"""``ingest ledger``: a table that adds up, and an exit status that says so."""

import asyncio

from sqlalchemy import delete

from ingest import state
from ingest.contract import Record
from ingest.database import Database, insert
from ingest.settings import load
from router.register import tables
from tests.ingest.commands.conftest import FIXED


def test_it_balances_and_says_so(take_in, ingest, config):
    take_in("Hello. It is about the thing.", "I am going to kill myself tonight.", Record("k", b"no event"))
    done = ingest("ledger", "--config", config)
    assert done.status == 0
    assert "The ledger balances: 3 received" in done.err
    assert "Total" in done.out
    rows = ingest("ledger", "--json", "--config", config).rows
    assert sum(row["received"] for row in rows) == 3
    assert sum(row["dead-lettered"] for row in rows) == 1
    assert sum(row["holdforreview"] for row in rows) == 2
    assert [(row["acknowledged"], row["owed"], row["earliest_due"]) for row in rows if row["owed"]] == [
        (0, 2, "2026-03-04T09:30:00+00:00")
    ]


def test_a_loss_is_exit_status_1_and_what_to_do(take_in, ingest, config):
    take_in("Hello. It is about the thing.")

    async def lose() -> None:
        database = Database(load(config).register.url)
        async with database.write() as connection:
            await connection.execute(delete(tables.dispositions))
        await database.close()

    asyncio.run(lose())
    done = ingest("ledger", "--config", config)
    assert done.status == 1
    assert "does not balance: 1 received" in done.err
    assert "ingest ledger --missing" in done.err
    assert ingest("ledger", "--json", "--config", config).rows[0]["unaccounted"] == 1


def test_what_is_lost_is_named_with_where_its_original_lies(take_in, ingest, config):
    kept, lost = take_in("Hello. It is about the thing.", "And this is about another.")

    async def lose() -> None:
        database = Database(load(config).register.url)
        async with database.write() as connection:
            await connection.execute(delete(tables.dispositions).where(tables.dispositions.c.contact_id == lost.id))
            rows = [
                {"contact_id": each.id, "channel": "email", "account": "care", "received_at": FIXED, "original": each.original}
                for each in (kept, lost)
            ]
            await connection.execute(insert(state.receipts).on_conflict_do_nothing(), rows)
        await database.close()

    asyncio.run(lose())
    told = ingest("ledger", "--missing", "--json", "--config", config)
    (row,) = told.rows
    assert (row["contact"], row["channel"], row["account"]) == (str(lost.id), "email", "care")
    assert row["original"] == f"{lost.original[:2]}/{lost.original}"
    assert (told.status, "Have a person read each" in told.err) == (1, True)


def test_where_nothing_is_lost_nothing_is_named(take_in, ingest, config):
    take_in("Hello. It is about the thing.")
    told = ingest("ledger", "--missing", "--config", config)
    assert (told.status, told.out) == (0, "")
    assert "there are none" in told.err


def test_it_is_narrowed_by_time(take_in, ingest, config):
    take_in("Hello. It is about the thing.")
    assert ingest("ledger", "--until", "2026-03-02", "--json", "--config", config).rows == []
    assert len(ingest("ledger", "--since", "2026-03-02T09:45", "--json", "--config", config).rows) == 1


def test_an_empty_ledger_balances(take_in, ingest, config):
    take_in()
    assert ingest("ledger", "--config", config).status == 0
