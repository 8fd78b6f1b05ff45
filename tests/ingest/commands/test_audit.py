"""``ingest audit``: whether the trail is whole, and what it says."""

import asyncio
import base64

import pytest
from sqlalchemy import update

from ingest.clock import now
from ingest.database import Database
from ingest.ids import new_id, reference
from ingest.settings import load
from router import duties
from router.heads import open_heads
from router.register import tables


@pytest.fixture
def within(config):
    """Something done to the register."""

    def run(work):
        async def over() -> None:
            database = Database(load(config).register.url)
            await work(database)
            await database.close()

        asyncio.run(over())

    return run


def test_a_whole_trail_verifies_with_its_root(take_in, ingest, config, within):
    take_in("Hello. It is about the thing.")
    within(lambda database: duties.seal(database, now))
    done = ingest("audit", "verify", "--config", config)
    assert done.status == 0
    assert "verifies" in done.out
    assert "under 1 heads, and 0 more" in done.out
    assert len(done.out.split()[-1]) == 64


def test_a_trail_that_was_altered_is_exit_status_1_with_the_entry(take_in, ingest, config, within):
    take_in("Hello. It is about the thing.")
    within(lambda database: duties.seal(database, now))

    async def alter(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(update(tables.audit).where(tables.audit.c.action == "decided").values(actor="nobody"))

    within(alter)
    done = ingest("audit", "verify", "--config", config)
    assert done.status == 1
    assert "was altered after it was sealed" in done.out
    assert "does not verify" in done.err


def test_after_an_older_register_was_put_back_the_heads_of_its_lost_end_are_named_until_somebody_moves_them_aside(
    take_in, ingest, config, within
):
    (config.parent / "audit.key").write_text(base64.b64encode(bytes(range(32))).decode())
    with config.open("a") as written:
        written.write('[audit]\nheads = "file:///heads"\nkey_file = "audit.key"\n')
    chosen, register = load(config), config.with_name("register.db")

    async def seal_and_keep(database: Database) -> None:
        await duties.seal(database, now, back=None)
        heads = open_heads(chosen.audit, chosen.originals)
        assert heads is not None
        assert await heads.keep(database)

    def told() -> tuple[int, str]:
        done = ingest("audit", "verify", "--config", config)
        return done.status, done.out

    take_in("Hello. It is about the thing.")
    within(seal_and_keep)
    saved = register.read_bytes()
    within(file_another)
    within(seal_and_keep)
    assert told()[0] == 0
    register.write_bytes(saved)
    status, out = told()
    assert (status, "2 heads" in out, "put back from a copy of before" in out) == (1, False, True)
    (place,) = [line.strip() for line in out.splitlines() if line.startswith("  ")]
    (config.parent / "heads" / place).rename(config.parent / "aside")
    within(file_another)
    within(seal_and_keep)
    assert told()[0] == 0


async def file_another(database: Database) -> None:
    async with database.write() as connection:
        row = {"id": new_id(), "at": now(), "action": "decided", "actor": "router", "evidence": {}}
        await connection.execute(tables.audit.insert().values(row))


def test_the_trail_of_a_contact_is_shown_by_its_reference(take_in, ingest, config):
    one, two = take_in("Hello. It is about the thing.", "I am going to kill myself tonight.")
    rows = ingest("audit", "show", reference(one.id), "--json", "--config", config).rows
    assert {row["contact"] for row in rows} == {str(one.id)}
    assert rows[0]["action"] == "decided"
    assert rows[0]["evidence"]["reference"] == reference(one.id)
    assert str(two.id) in ingest("audit", "show", "--json", "--config", config).out
    few = ingest("audit", "show", "--most", "2", "--json", "--config", config)
    assert len(few.rows) == 2
    assert "the latest 2" in few.err


def test_a_contact_that_is_not_there_is_a_sentence(take_in, ingest, config):
    take_in()
    assert ingest("audit", "show", "CC-00000-00000", "--config", config).status == 1
