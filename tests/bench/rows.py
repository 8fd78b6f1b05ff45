"""What the router wrote, contact by contact, and the one statement that writes the same rows again.

Read back from a register after a rehearsal, so that whoever writes them pays for the writing alone.
"""

import json
import pickle
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from ingest import state
from ingest.contract import Audience
from router.register import tables

Columns = Mapping[str, str]
"""PostgreSQL's names of the types, by column."""

CONTACTS: Final = tables.contacts.name
_OUTBOX: Final = tables.outbox.name
_BUDGETS: Final = tables.budgets.name
_HOLDERS: Final = (tables.feedback_records.name, tables.handoffs.name, tables.tasks.name, tables.outgoing.name)
"""Tables whose rows have an id under which they are published."""
_OF_A_CONTACT: Final = tuple(
    table.fullname
    for table in (*state.metadata.sorted_tables, *tables.metadata.sorted_tables)
    if "contact_id" in table.columns or table.name in (CONTACTS, _OUTBOX)
)


@dataclass(frozen=True, slots=True)
class Written:
    """Rows by contact and table; ``columns`` says of each table what a row of it is made of."""

    columns: Mapping[str, Columns]
    rows: Mapping[UUID, Mapping[str, Sequence[tuple[Any, ...]]]]

    def keep(self, path: Path) -> None:
        """Into a file, for a process of its own."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def kept(path: Path) -> "Written":
        """From ``keep``'s file."""
        return pickle.loads(path.read_bytes())

    def counts(self, contacts: Iterable[UUID]) -> dict[str, int]:
        """How many rows of each table some contacts came to."""
        found: Counter[str] = Counter()
        for each in contacts:
            found.update({name: len(rows) for name, rows in self.rows[each].items()})
        return dict(found)

    def statement(self) -> str:
        """All the rows of a batch and its positions at once; rows of a contact that is there already are left out.

        Takes what ``arguments`` gives.
        """
        number = 0
        parts: list[str] = []
        for name, columns in self.columns.items():
            given = ", ".join(f"${number + each}::{kind}[]" for each, kind in enumerate(("uuid", *columns.values()), 1))
            number += len(columns) + 1
            listed = ", ".join(f'"{column}"' for column in columns)
            source = f'unnest({given}) AS given("of", {listed})'
            into = f"INSERT INTO {name} ({listed})"
            if name == CONTACTS:
                parts.append(f"fresh AS ({into} SELECT {listed} FROM {source} ON CONFLICT DO NOTHING RETURNING id)")
                continue
            chosen = ", ".join(f'given."{column}"' for column in columns)
            joined = f'{source} JOIN fresh ON fresh.id = given."of"'
            if name == _BUDGETS:
                more = "ON CONFLICT (recipient, day) DO UPDATE SET spent = budgets.spent + excluded.spent"
                parts.append(
                    f"budgets_spent AS ({into} SELECT recipient, day, sum(spent) FROM {joined} GROUP BY recipient, day {more})"
                )
            else:
                parts.append(
                    f"{name.replace('.', '_')}_written AS ({into} SELECT {chosen} FROM {joined} ON CONFLICT DO NOTHING)"
                )
        return (
            f"WITH {', '.join(parts)} UPDATE positions SET next = given.next "
            f"FROM unnest(${number + 1}::int4[], ${number + 2}::int8[]) AS given(partition, next) "
            f"WHERE positions.topic = '{CONTACTS}' AND positions.partition = given.partition"
        )

    def arguments(self, contacts: Sequence[UUID], following: Mapping[int, int]) -> list[Sequence[Any]]:
        """The columns of those contacts' rows; ``following`` is the next position of each partition."""
        found: list[Sequence[Any]] = []
        for name, columns in self.columns.items():
            rows = [(of, *row) for of in contacts for row in self.rows[of].get(name, ())]
            found += zip(*rows, strict=True) if rows else [()] * (len(columns) + 1)
        return [*found, list(following), list(following.values())]


async def written(url: str) -> Written:
    """All that a register holds of contacts. Raises LookupError where a row is nobody's."""
    connection = await asyncpg.connect(url)
    try:
        read = {name: await _read(connection, name) for name in _OF_A_CONTACT}
        spent = await connection.fetchval(f"SELECT coalesce(sum(spent), 0) FROM {_BUDGETS}")
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
            rows[message["contact_id"]][_BUDGETS].append((message["recipient"], message["created_at"].date(), 1))
            budgets += 1
    if budgets != spent:
        raise LookupError(f"{spent} of the budgets was spent, and the messages come to {budgets}.")
    columns = {CONTACTS: read[CONTACTS][0], **{name: columns for name, (columns, some) in read.items() if some}}
    if budgets:
        columns[_BUDGETS] = {"recipient": "text", "day": "date", "spent": "int4"}
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


def same(one: Written, other: Written, contacts: Iterable[UUID]) -> bool:
    """Whether both wrote the very same rows for some contacts, in whatever order."""
    return all(_sorted(one, each) == _sorted(other, each) for each in contacts)


def _sorted(found: Written, of: UUID) -> Mapping[str, list[str]]:
    return {name: sorted(map(repr, rows)) for name, rows in found.rows[of].items()}
