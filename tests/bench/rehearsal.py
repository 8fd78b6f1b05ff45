"""What the router wrote, read back from a register after a rehearsal: which rows each contact came to."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from ingest import state
from ingest.contract import Audience
from router.register import tables
from tests.bench.rows import BUDGETS, CONTACTS, Columns, Written

_OUTBOX: Final = tables.outbox.name
_HOLDERS: Final = (tables.feedback_records.name, tables.handoffs.name, tables.tasks.name, tables.outgoing.name)
"""Tables whose rows have an id under which they are published."""
_OF_A_CONTACT: Final = tuple(
    table.fullname
    for table in (*state.metadata.sorted_tables, *tables.metadata.sorted_tables)
    if "contact_id" in table.columns or table.name in (CONTACTS, _OUTBOX)
)


async def written(url: str) -> Written:
    """All that a register holds of contacts. Raises LookupError where a row is nobody's."""
    connection = await asyncpg.connect(url)
    try:
        read = {name: await _read(connection, name) for name in _OF_A_CONTACT}
        spent = await connection.fetchval(f"SELECT coalesce(sum(spent), 0) FROM {BUDGETS}")
    finally:
        await connection.close()
    holders = {str(row["id"]): row["contact_id"] for name in _HOLDERS for row in read[name][1]}
    rows: dict[UUID, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for name, (columns, some) in read.items():
        for row in some:
            rows[_owner(name, row, holders)][name].append(tuple(row[column] for column in columns))
    audience = {str(row["id"]): row for row in read[tables.outgoing.name][1]}
    budgets = 0
    for row in read[_OUTBOX][1]:
        message = audience.get(row["key"])
        if row["topic"] == "outgoing" and message and message["audience"] == Audience.PERSON.value and message["recipient"]:
            rows[message["contact_id"]][BUDGETS].append((message["recipient"], message["created_at"].date(), 1))
            budgets += 1
    if budgets != spent:
        raise LookupError(f"{spent} of the budgets was spent, and the messages come to {budgets}.")
    columns = {CONTACTS: read[CONTACTS][0], **{name: columns for name, (columns, some) in read.items() if some}}
    if budgets:
        columns[BUDGETS] = {"recipient": "text", "day": "date", "spent": "int4"}
    return Written(columns, {of: dict(some) for of, some in rows.items()})


async def _read(connection: Any, name: str) -> tuple[Columns, Sequence[Any]]:
    prepared = await connection.prepare(f"SELECT * FROM {name}")
    columns = {each.name: each.type.name for each in prepared.get_attributes()}
    if name == _OUTBOX:
        del columns["number"]  # PostgreSQL's own count
    return columns, await prepared.fetch()


def _owner(name: str, row: Any, holders: Mapping[str, UUID]) -> UUID:
    """The contact that a row was written for."""
    if name == CONTACTS:
        return row["id"]
    if name == _OUTBOX:
        return holders[row["key"]]
    return row["contact_id"] or holders[json.loads(row["evidence"])["outgoing"]]
