"""What only PostgreSQL brings: several processes writing at once, a server that restarts, and transactions that give way."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from ingest import database as module
from ingest import state
from ingest.database import Database, standing, upgrade
from ingest.errors import Misconfigured, Unavailable
from ingest.log import Partition
from router import duties, erasure, outbox
from router.read import Outcome, Reading, Sign
from router.register import MIGRATIONS, tables
from router.removal import ERASED, Word
from router.store import Batch, Fenced, Store
from tests.router.conftest import KEY
from tests.servers.postgres import Postgres

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.parametrize("register_url", ["postgres"], indirect=True),
]
URGENT = Reading(Outcome.REVIEW, 0.5, signs=(Sign("harm", "suicide", "words"),))
OURS = Partition("log", "contacts", 0)


@pytest.fixture
async def beside(register_url: str) -> AsyncGenerator[Database]:
    """The same register as another process has it open."""
    opened = Database(register_url)
    yield opened
    await opened.close()


@pytest.fixture
async def letters(database: Database) -> Database:
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE letters (number INTEGER PRIMARY KEY, words TEXT)"))
        await connection.execute(text("INSERT INTO letters VALUES (1, 'one'), (2, 'two')"))
    return database


async def change(database: Database, number: int) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE letters SET words = 'changed' WHERE number = :number"), {"number": number})


# Who has what.


async def test_of_many_who_assume_a_partition_at_once_the_last_has_it_and_no_two_have_one_epoch(
    register_url, house, clock, decided, rows
):
    databases = [Database(register_url) for _ in range(6)]
    stores = [Store(each, house, clock) for each in databases]
    await asyncio.gather(*(each.assume([OURS]) for each in stores))
    (position,) = await rows(tables.positions)
    assert position.epoch == 6
    tried = await asyncio.gather(*(each.commit(Batch(OURS, 0, 1, (decided(),))) for each in stores), return_exceptions=True)
    assert [type(each) for each in tried if each is not None] == [Fenced] * 5
    assert len(await rows(tables.contacts)) == 1
    for each in databases:
        await each.close()


async def test_who_stalls_amid_a_batch_loses_it_to_whoever_assumes_the_partition(
    database, beside, register_url, house, clock, decided, rows, monkeypatch
):
    monkeypatch.setattr(module, "_IDLE", timedelta(seconds=0.5))
    zombie, stalled = Database(register_url), asyncio.Event()
    first = Store(zombie, house, clock)
    await first.assume([OURS])
    go_on = asyncio.Event()

    async def stalling() -> None:
        async with zombie.write() as connection:
            await connection.execute(tables.positions.update().values(next=5))
            stalled.set()
            await go_on.wait()

    task = asyncio.create_task(stalling())
    await stalled.wait()
    second = Store(beside, house, clock)
    assert await second.assume([OURS]) == {OURS: 0}
    go_on.set()
    with pytest.raises(Unavailable):
        await task
    await second.commit(Batch(OURS, 0, 1, (decided(),)))
    with pytest.raises(Fenced):
        await first.commit(Batch(OURS, 1, 2, (decided(),)))
    assert len(await rows(tables.contacts)) == 1
    await zombie.close()


@pytest.mark.parametrize("first", ["the router", "whoever erases"])
async def test_a_contact_that_is_written_while_its_writer_is_erased_goes_too_or_is_nobodys(
    database, beside, contact, append, route, rows, person, worker, clock, first, monkeypatch
):
    await person()
    await append(contact("I want to complain.", "joan@example.com", name="Joan Pettifer", verified_by="dmarc"))
    word, reached = Word(ERASED, "Sam", "she asked", clock()), asyncio.Event()

    async def other_waits() -> bool:
        async with database.read() as connection:
            held_up = await connection.execute(text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
            return held_up.first() is not None

    async def pause(*_: object, **__: object) -> None:
        reached.set()
        async with asyncio.timeout(30):
            while not await other_waits():
                pass

    if first == "the router":
        monkeypatch.setattr(worker.store, "_reach_out", pause)
    else:
        monkeypatch.setattr(erasure, "leave_marks", pause)
    acts = [route, lambda: erasure.erase(beside, KEY, "R1", word, even_if_open=True)]
    one, two = acts if first == "the router" else reversed(acts)
    begun = asyncio.create_task(one())
    await reached.wait()
    await two()
    await begun
    assert not await rows(tables.individuals)
    assert not await rows(tables.links, tables.links.c.individual_id == "R1")
    assert len(await rows(tables.contacts)) == (0 if first == "the router" else 1)


async def test_two_who_seal_at_once_grow_one_tree(database, beside, store, clock, decided):
    await store.assume([OURS])
    for number in range(8):
        await store.commit(Batch(OURS, number, number + 1, (decided(),)))
        await asyncio.gather(*(duties.seal(each, clock) for each in (database, beside, database, beside)))
    verdict = await duties.verify_audit(database)
    assert verdict.holds
    assert verdict.unsealed == 0


async def test_the_morning_digest_is_written_once_by_two_who_write_it(database, beside, house, clock, decided, rows):
    stores = [Store(each, house, clock) for each in (database, beside)]
    await stores[0].assume([OURS])
    await stores[0].commit(Batch(OURS, 0, 1, (decided(URGENT),)))
    eight = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
    told = await asyncio.gather(
        *(
            duties.send_digest(each, store, house, eight, eight - timedelta(days=9))
            for each, store in zip((database, beside), stores, strict=True)
        )
    )
    assert min(told) == 0 < max(told)
    assert len(await rows(tables.outgoing, tables.outgoing.c.kind == "digest")) == max(told)


async def test_what_one_process_at_a_time_may_do_passes_on_when_it_ends_or_stalls(database, beside):
    async with database.alone("outbox") as first, beside.alone("outbox") as second, beside.alone("another") as other:
        assert first is not None
        assert (second is None, other is None) == (True, False)
        await first.sure()
    async with beside.alone("outbox", timedelta(seconds=0.2)) as next_:
        assert next_ is not None
        await asyncio.sleep(0.6)
        async with database.alone("outbox") as third:
            assert third is not None
            with pytest.raises(Unavailable):
                await next_.sure()


async def test_of_two_outboxes_one_publishes_and_each_record_once(database, beside, log, store, decided):
    await store.assume([OURS])
    await store.commit(Batch(OURS, 0, 20, tuple(decided() for _ in range(20))))
    async with beside.read() as connection:
        waiting = len((await connection.execute(tables.outbox.select())).all())
    told = await asyncio.gather(*(outbox.publish(log, each) for each in (database, beside)))
    assert sorted(told) == [0, waiting]


# What gives way, and what is away.


async def test_of_two_that_wait_for_each_other_one_gives_way_and_may_try_again(letters, beside):
    both = asyncio.Barrier(2)

    async def crosswise(mine: Database, first: int, second: int) -> None:
        async with mine.write() as connection:
            await connection.execute(text("UPDATE letters SET words = 'mine' WHERE number = :n"), {"n": first})
            await both.wait()
            await connection.execute(text("UPDATE letters SET words = 'mine' WHERE number = :n"), {"n": second})

    came = await asyncio.gather(crosswise(letters, 1, 2), crosswise(beside, 2, 1), return_exceptions=True)
    (gave_way,) = (each for each in came if each is not None)
    assert isinstance(gave_way, Unavailable)
    assert "deadlock" in gave_way.sentence
    await change(letters, 1)


async def test_a_write_that_could_not_be_put_in_order_with_another_may_be_tried_again(letters, beside):
    async def out_of_order() -> None:
        async with letters.write() as connection:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            await connection.execute(text("SELECT * FROM letters"))
            await change(beside, 1)
            await connection.execute(text("UPDATE letters SET words = 'mine' WHERE number = 1"))

    with pytest.raises(Unavailable, match="could not serialize"):
        await out_of_order()


async def test_a_row_that_is_never_let_go_of_is_waited_for_no_longer_than_allowed(letters, register_url, monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.4)
    impatient = Database(register_url)
    async with letters.write() as connection:
        await connection.execute(text("UPDATE letters SET words = 'held'"))
        with pytest.raises(Unavailable):
            await change(impatient, 1)
    await change(impatient, 1)
    await impatient.close()


async def test_a_batch_that_had_to_give_way_leaves_nothing_and_is_written_by_trying_it_again(
    database, beside, register_url, house, clock, decided, rows, monkeypatch
):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.4)
    impatient = Database(register_url)
    store, batch = Store(impatient, house, clock), Batch(OURS, 0, 1, (decided(),))
    await store.assume([OURS])
    async with beside.write() as connection:
        await connection.execute(tables.budgets.insert().values(recipient="jo@example.com", day=clock().date(), spent=1))
        with pytest.raises(Unavailable):
            await store.commit(batch)
        assert await rows(tables.contacts) == await rows(tables.outbox) == []
    await store.commit(batch)
    assert [row.spent for row in await rows(tables.budgets)] == [2]
    await impatient.close()


async def test_a_server_that_answers_nothing_is_away(letters, register_url, postgres: Postgres, monkeypatch):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.4)
    impatient = Database(register_url)
    await change(impatient, 1)
    postgres.pause()
    try:
        async with asyncio.timeout(20):
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await change(impatient, 1)
    finally:
        postgres.resume()
    await change(impatient, 1)
    await impatient.close()


async def test_a_server_that_restarts_midway_is_waited_for_and_nothing_is_lost_or_twice(
    postgres: Postgres, contact, append, route, rows, log
):
    letters = [contact(f"Letter {number}") for number in range(300)]
    await append(*letters)
    routing = asyncio.create_task(route())
    while not await rows(tables.contacts):
        await asyncio.sleep(0.01)
    await asyncio.to_thread(postgres.restart)
    await routing
    assert {row.id for row in await rows(tables.contacts)} == {each.id for each in letters}
    assert len(await rows(tables.dispositions)) == len(letters)
    replies = await rows(tables.outgoing, tables.outgoing.c.kind == "acknowledgement", tables.outgoing.c.body.is_not(None))
    assert len({row.contact_id for row in replies}) == len(replies)


async def test_a_commit_whose_answer_was_lost_is_not_written_twice(
    register_url, contact, append, route, rows, log, house, clock, worker
):
    """The transaction stands and the router is told that it does not know: it reads its position anew and goes on."""
    letters = [contact(f"Letter {number}") for number in range(30)]
    await append(*letters)
    real, lost = worker.store.commit, []

    async def commit(batch: Batch) -> None:
        await real(batch)
        if not lost:
            lost.append(batch.following)
            raise Unavailable("register-unavailable", "The connection was lost.")

    worker.store.commit = commit
    await route()
    assert lost
    assert len(await rows(tables.contacts)) == len(await rows(tables.dispositions)) == len(letters)
    (position,) = await rows(tables.positions)
    assert (position.next, position.epoch) == (30, 2)


# How it is opened.


def test_a_database_that_is_not_there_stops_the_start_and_a_server_that_is_not_there_is_away(postgres: Postgres, register_url):
    with pytest.raises(Misconfigured) as refused:
        upgrade(postgres.url("nowhere"), [MIGRATIONS])
    assert refused.value.reason == "register.url"
    with pytest.raises(Unavailable):
        upgrade("postgresql://ingest@127.0.0.1:1/register", [MIGRATIONS])


async def test_several_that_start_at_once_bring_the_tables_up_to_date_once(postgres: Postgres, register_url):
    name = postgres.create()
    await asyncio.gather(*(asyncio.to_thread(upgrade, postgres.url(name), [MIGRATIONS]) for _ in range(4)))
    (made,) = standing(postgres.url(name), [MIGRATIONS])
    assert made.stands == made.head
    postgres.drop(name)


def test_long_columns_are_compressed_with_lz4_and_what_the_edge_remembers_has_a_schema_of_its_own(
    postgres: Postgres, register_url
):
    database = register_url.rpartition("/")[2]
    found = postgres.execute(
        "SELECT attrelid::regclass || '.' || attname FROM pg_attribute WHERE attcompression = 'l'", database=database
    )
    assert {"contacts.body", "outbox.value", "audit.evidence", "state.sends.body"} <= {row[0] for row in found}
    kept = postgres.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'state'::regnamespace AND relkind = 'r'", database=database
    )
    assert {row[0] for row in kept} == {each.name for each in state.metadata.tables.values()}
