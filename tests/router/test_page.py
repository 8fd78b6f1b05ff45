"""Pages: rows of many tables as one statement on PostgreSQL and by table on SQLite, and the same rows on both."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, LargeBinary, Text, Uuid
from sqlalchemy.exc import IntegrityError

from ingest.database import Json, UtcDateTime
from ingest.page import Kept, Page, Turn
from router import store
from router.register import tables

NINE = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
# A kind of column, and what stands in the first row and in the second; in the third there is nothing, where that may be.
VALUES: list[tuple[Any, Any, Any]] = [
    (Uuid, UUID("0190163d-8694-739b-aea5-966c26f8ad91"), UUID(int=0)),
    (UtcDateTime, datetime(1, 1, 2, tzinfo=UTC), NINE.astimezone(timezone(timedelta(hours=5)))),
    (JSON, {"words": "Siân 😀 '\"\\", "numbers": [1, 0.125, None, True]}, [["h", "é"]]),
    (Boolean, True, False),
    (Integer, -1, 2**31 - 1),
    (Float, 0.1, -1e-300),
    (Date, date(1944, 2, 29), date(2026, 3, 2)),
    (LargeBinary, b"\xff\x00\\x", b""),
    (Text, 'O\'Brien \\ "quoted" {1,2} NULL', "Diolch, Siân — 😀\n"),
]


def rows_of(columns: list[Column[Any]]) -> list[dict[str, Any]]:
    found = [next((one, two) for kind, one, two in VALUES if isinstance(each.type, kind)) for each in columns]
    filled = [dict(zip((each.name for each in columns), row, strict=True)) for row in zip(*found, strict=True)]
    empty = {each.name: None if each.nullable else filled[0][each.name] for each in columns}
    keys = {each.name: uuid4() if isinstance(each.type, Uuid) else "another" for each in columns if each.primary_key}
    return [*filled, {**empty, **{name: key for name, key in keys.items() if not isinstance(empty[name], int | date)}}]


@pytest.mark.parametrize("table", [each.table for each in store._KEPT], ids=lambda table: table.name)
async def test_a_page_writes_what_an_insert_would(table, database, rows):
    columns = [each for each in table.columns if each.autoincrement is not True]
    given = rows_of(columns)
    async with database.write() as connection:
        await connection.execute(table.insert(), given)
    inserted = await rows(table)
    async with database.write() as connection:
        await connection.execute(table.delete())
        page = Page((Kept(table, on_conflict="fail"),))
        for row in given:
            page.put(table, row)
        await page.write(connection)
    written = await rows(table)
    assert len(written) == 3
    for each in columns:
        assert [getattr(row, each.name) for row in written] == [getattr(row, each.name) for row in inserted]


@pytest.fixture
def write(database):
    """A page of these, written in a transaction of its own."""

    async def put(kept, *given, turn=None):
        page = Page(kept)
        for each in given:
            page.put(*each)
        async with database.write() as connection:
            return await page.write(connection, turn)

    return put


def addition(of: UUID) -> tuple[Any, dict[str, Any], UUID]:
    return tables.additions, {"contact_id": of, "added_to": UUID(int=1), "at": NINE}, of


def task(id_: UUID, body: str = "{}") -> tuple[Any, dict[str, Any]]:
    row = {"id": id_, "contact_id": None, "kind": "review", "mailbox": "care", "state": "open", "created_at": NINE, "due": NINE}
    return tables.tasks, {**row, "body": body}


def record(id_: UUID, of: UUID) -> tuple[Any, dict[str, Any], UUID]:
    row = {"reference": "CC-1", "contact_id": of, "settled": False, "recorded_at": NINE, "body": "{}"}
    return tables.feedback_records, {"id": id_, **row}, of


async def test_what_is_of_a_parent_is_written_only_with_a_parent_that_is_new(write, rows):
    kept = (Kept(tables.tasks, parent=True), Kept(tables.additions))
    old, new, nobody = uuid4(), uuid4(), uuid4()
    assert await write(kept, task(old)) == {old}
    assert await write(kept, task(old), task(new), task(new), addition(old), addition(new), addition(nobody)) == {new}
    assert [row.contact_id for row in await rows(tables.additions)] == [new]


async def test_a_parent_is_not_new_where_its_own_parent_was_there(write, rows):
    kept = (Kept(tables.tasks, parent=True), Kept(tables.feedback_records, parent=True), Kept(tables.additions))
    old, child = uuid4(), uuid4()
    await write(kept, task(old))
    assert await write(kept, task(old), record(child, old), addition(child)) == set()
    assert await rows(tables.feedback_records) == await rows(tables.additions) == []


async def test_a_row_that_is_there_is_left_as_it_is_or_refuses_the_page(write, rows):
    id_ = uuid4()
    await write((Kept(tables.tasks),), task(id_, "first"))
    await write((Kept(tables.tasks),), task(id_, "second"), task(uuid4(), "third"))
    assert {row.body for row in await rows(tables.tasks)} == {"first", "third"}
    with pytest.raises(IntegrityError):
        await write((Kept(tables.tasks, on_conflict="fail"),), task(uuid4(), "fourth"), task(id_, "fifth"))
    assert {row.body for row in await rows(tables.tasks)} == {"first", "third"}


async def test_numbers_are_added_up_within_a_page_and_over_several(write, rows):
    spent = [(tables.budgets, {"recipient": to, "day": NINE.date(), "spent": 1}) for to in ("jo", "al", "jo")]
    for _ in range(2):
        await write((Kept(tables.budgets, on_conflict="sum"),), *spent)
    assert {row.recipient: row.spent for row in await rows(tables.budgets)} == {"jo": 4, "al": 2}


async def test_rows_are_numbered_in_the_order_in_which_they_were_put(write, rows):
    kept = (Kept(tables.tasks, parent=True), Kept(tables.outbox, on_conflict="fail"))
    id_ = uuid4()
    out = [
        (tables.outbox, {"topic": "tasks", "key": str(number), "headers": Json("[]"), "value": b"x" * 9_000}, id_)
        for number in range(2_000)
    ]
    await write(kept, task(id_), *out)
    found = sorted(await rows(tables.outbox), key=lambda row: row.number)
    assert [row.key for row in found] == [row["key"] for _, row, _ in out]
    assert found[0].headers == []


async def test_nothing_is_written_out_of_turn(write, rows):
    def turn(next_: int) -> Turn:
        return Turn(tables.positions, {"log_id": "log", "partition": 0, "next": next_}, {"next": next_ + 1})

    place = (tables.positions, {"log_id": "log", "topic": "contacts", "partition": 0, "epoch": 1, "next": 7})
    await write((Kept(tables.positions),), place)
    assert await write((Kept(tables.tasks, parent=True),), task(uuid4()), turn=turn(6)) is None
    assert await rows(tables.tasks) == []
    id_ = uuid4()
    assert await write((Kept(tables.tasks, parent=True),), task(id_), turn=turn(7)) == {id_}
    assert await write((), turn=turn(8)) == set()
    assert [row.next for row in await rows(tables.positions)] == [9]
