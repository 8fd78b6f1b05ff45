"""Committed rows to the log: in order, at least once, and never held up by one that cannot go."""

import asyncio

import pytest

from ingest.contract import Record
from router import outbox
from router.register import tables


@pytest.fixture
async def put(database, store):
    """Rows into the outbox."""

    async def write(*records: tuple[str, Record]) -> None:
        async with database.write() as connection:
            await store.out(connection, records)
        store.pending.set()

    return write


def record(number: int, size: int = 0) -> Record:
    return Record(f"key-{number}", b"x" * size, (("ce_id", str(number).encode()), ("raw", b"\xe9\xff")))


async def on_the_log(log, topic: str) -> list[str | None]:
    return [each.record.header("ce_id") for each in await log.read(topic, after={}, most=1000)]


async def test_rows_reach_their_topics_in_the_order_they_were_written_and_leave_the_outbox(put, log, database, rows):
    await put(*((("tasks", "ledger")[number % 2], record(number)) for number in range(8)))
    assert await outbox.publish(log, database) == 8
    assert await on_the_log(log, "tasks") == ["0", "2", "4", "6"]
    assert await on_the_log(log, "ledger") == ["1", "3", "5", "7"]
    assert await rows(tables.outbox) == []
    assert await outbox.publish(log, database) == 0


async def test_bytes_and_headers_arrive_untouched(put, log, database):
    await put(("tasks", Record(None, None, (("raw", b"\x00\xe9\xff"),))))
    await outbox.publish(log, database)
    (delivery,) = await log.read("tasks", after={}, most=10)
    assert delivery.record == Record(None, None, (("raw", b"\x00\xe9\xff"),))


async def test_a_crash_between_append_and_delete_appends_again_with_the_same_ce_id(put, log, database, rows):
    await put(("tasks", record(1)))
    waiting = await rows(tables.outbox)
    await outbox.publish(log, database)
    async with database.write() as connection:  # as if the deletion had never been committed
        await connection.execute(tables.outbox.insert(), [dict(row._mapping) for row in waiting])
    await outbox.publish(log, database)
    assert await on_the_log(log, "tasks") == ["1", "1"]


async def test_49_one_that_the_log_refuses_for_its_size_is_put_aside_and_audited_and_the_rest_go_on(put, log, database, rows):
    await put(*(("tasks", record(number, 3_000_000 if number in (2, 5) else 0)) for number in range(7)))
    await outbox.publish(log, database)
    assert await on_the_log(log, "tasks") == ["0", "1", "3", "4", "6"]
    assert await rows(tables.outbox) == []
    entries = await rows(tables.audit)
    assert [(row.action, row.evidence["key"], row.evidence["reason"]) for row in entries] == [
        ("not-published", "key-2", "record-too-large"),
        ("not-published", "key-5", "record-too-large"),
    ]


async def test_it_runs_until_told_to_stop_and_then_empties_what_is_left(put, log, database, store):
    stopping = asyncio.Event()
    running = asyncio.create_task(outbox.run(log, database, store.pending, stopping))
    await put(("tasks", record(1)))
    async with asyncio.timeout(30):
        while await on_the_log(log, "tasks") != ["1"]:
            await asyncio.sleep(0.01)
    await put(("tasks", record(2)))
    stopping.set()
    await running
    assert await on_the_log(log, "tasks") == ["1", "2"]
