"""Rows of several tables, written together or not at all: one statement on PostgreSQL, one for each table on SQLite.

For what every contact writes. SQLAlchemy's insert binds value by value, at more cost than the database's own part; here whole
columns go to the driver, by statements made from the tables' definitions. Whoever writes a page holds the transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from json import dumps
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Dialect, Table
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]
Columns = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that pages write to, and what becomes of a row whose key is there already.

    It leaves the one that is there (``skip``), refuses the page (``fail``), or has its numbers added to the one that is there
    (``sum``). A ``parent``'s key is one id, of which rows of the tables after it may be.
    """

    table: Table
    on_conflict: Literal["skip", "fail", "sum"] = "skip"
    parent: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """The one row that must stand as ``was`` for a page to be written, and stands as ``becomes`` with it."""

    table: Table
    was: Row
    becomes: Row


class Page:
    """Rows to be written, table by table in the order of ``kept``."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._kept = kept
        self._rows: dict[Table, list[Row]] = {each.table: [] for each in kept}
        self._of: dict[Table, list[UUID | None]] = {each.table: [] for each in kept}

    def put(self, table: Table, row: Row, of: UUID | None = None) -> None:
        """A row, of the same columns as the others of its table; where it is ``of`` a parent, only if that one is new with this page."""
        self._rows[table].append(row)
        self._of[table].append(of)

    async def write(self, connection: AsyncConnection, turn: Turn | None = None) -> set[UUID] | None:
        """Write it all, and answer with the ids of the parents that are new; None, and nothing written, where it is not our turn."""
        filled = tuple((each, tuple(rows[0])) for each in self._kept if (rows := self._rows[each.table]))
        if not filled and turn is None:
            return set()
        if connection.dialect.name == "postgresql":
            return await self._at_once(connection, filled, turn)
        return await self._by_table(connection, filled, turn)

    async def _at_once(
        self, connection: AsyncConnection, filled: tuple[tuple[Kept, Columns], ...], turn: Turn | None
    ) -> set[UUID] | None:
        bound: list[Any] = list(_values(turn)) if turn else []
        for each, columns in filled:
            bound.append(self._of[each.table])
            bound += _encoded(connection.dialect, each.table, columns, self._rows[each.table])
        statement = _one_statement(connection.dialect, filled, _shape(turn) if turn else None)
        found = (await connection.exec_driver_sql(statement, tuple(bound))).scalar_one_or_none()
        return None if found is None else set(found)

    async def _by_table(
        self, connection: AsyncConnection, filled: tuple[tuple[Kept, Columns], ...], turn: Turn | None
    ) -> set[UUID] | None:
        dialect = connection.dialect
        if turn:
            moved = await connection.exec_driver_sql(_move(dialect, "?", *_shape(turn)), _values(turn))
            if moved.rowcount != 1:
                return None
        new: set[UUID] = set()
        for each, columns in filled:
            of = self._of[each.table]
            rows = [row for row, parent in zip(self._rows[each.table], of, strict=True) if parent is None or parent in new]
            if not rows:
                continue
            encoded = _encoded(dialect, each.table, columns, rows)
            if each.parent:
                (key,) = _key(each.table)
                ids = dict(zip(encoded[columns.index(key)], (row[key] for row in rows), strict=True))
                there = f"SELECT {key} FROM {_name(dialect, each.table)} WHERE {key} IN (SELECT value FROM json_each(?))"
                for (known,) in await connection.exec_driver_sql(there, (dumps(list(ids)),)):
                    del ids[known]
                new.update(ids.values())
            binds = ", ".join("?" * len(columns))
            insert = f"{_into(dialect, each.table, columns)} VALUES ({binds}) {_on_conflict(dialect, each, columns)}"
            await connection.exec_driver_sql(insert, list(zip(*encoded, strict=True)))
        return new


def _encoded(dialect: Dialect, table: Table, columns: Columns, rows: Sequence[Row]) -> list[Sequence[Any]]:
    """The rows column by column, as the driver takes them."""
    encoders = _encoders(dialect, table, columns)
    return [_through(encoder, [row[name] for row in rows]) for name, encoder in zip(columns, encoders, strict=True)]


def _through(encoder: Callable[[Any], Any] | None, values: Sequence[Any]) -> Sequence[Any]:
    """Each value encoded; one that stands in many rows on end, as a batch's time does, only once."""
    if encoder is None:
        return values
    encoded: list[Any] = []
    last: Any = encoded
    for value in values:
        encoded.append(encoded[-1] if value is last else encoder(value))
        last = value
    return encoded


@lru_cache(maxsize=256)
def _encoders(dialect: Dialect, table: Table, columns: Columns) -> list[Callable[[Any], Any] | None]:
    return [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in columns]


def _values(turn: Turn) -> tuple[Any, ...]:
    return (*turn.becomes.values(), *turn.was.values())


def _shape(turn: Turn) -> tuple[Table, Columns, Columns]:
    return turn.table, tuple(turn.becomes), tuple(turn.was)


@lru_cache(maxsize=256)
def _one_statement(
    dialect: Dialect, filled: tuple[tuple[Kept, Columns], ...], turn: tuple[Table, Columns, Columns] | None
) -> str:
    """What writes all of a page, from arrays: for each table one of parents and one of each column."""
    numbers = count(1 + len(turn[1]) + len(turn[2]) if turn else 1)
    parts = [f"turn AS ({_move(dialect, '$', *turn)} RETURNING 1)"] if turn else []
    parents: list[str] = []
    for each, columns in filled:
        names = _quoted(dialect, columns)
        types = ("UUID", *(each.table.c[name].type.compile(dialect) for name in columns))
        arrays = ", ".join(f"${next(numbers)}::{type_}[]" for type_ in types)
        wanted = ["EXISTS (SELECT FROM turn)"] if turn else []
        wanted += [f"(put.parent IS NULL OR put.parent IN ({' UNION ALL '.join(parents)}))"] if parents else []
        given, order = ", ".join(names), "ORDER BY put.place"
        if each.on_conflict == "sum":  # one statement may not come upon one row twice
            key = _quoted(dialect, _key(each.table))
            given = ", ".join(name if name in key else f"sum({name})" for name in names)
            order = f"GROUP BY {', '.join(key)} ORDER BY {', '.join(key)}"
        insert = (
            f"{_into(dialect, each.table, columns)} SELECT {given}"
            f" FROM unnest({arrays}) WITH ORDINALITY AS put (parent, {', '.join(names)}, place)"
            f"{' WHERE ' * bool(wanted)}{' AND '.join(wanted)} {order} {_on_conflict(dialect, each, columns)}"
        )
        if each.parent:
            parents.append(f"SELECT * FROM new_{each.table.name}")
            insert = f"{insert} RETURNING {_key(each.table)[0]}"
        parts.append(f"new_{each.table.name} AS ({insert})")
    new = " UNION ALL ".join(parents) or "SELECT NULL::UUID WHERE false"
    return f"WITH {', '.join(parts)} SELECT ARRAY({new}){' FROM turn' * bool(turn)}"


def _move(dialect: Dialect, sign: str, table: Table, becomes: Columns, was: Columns) -> str:
    sets = [f"{name} = {sign}{number}" for number, name in enumerate(_quoted(dialect, becomes), 1)]
    meets = [f"{name} = {sign}{number}" for number, name in enumerate(_quoted(dialect, was), 1 + len(becomes))]
    return f"UPDATE {_name(dialect, table)} SET {', '.join(sets)} WHERE {' AND '.join(meets)}"


def _into(dialect: Dialect, table: Table, columns: Columns) -> str:
    return f"INSERT INTO {_name(dialect, table)} AS stood ({', '.join(_quoted(dialect, columns))})"


def _on_conflict(dialect: Dialect, kept: Kept, columns: Columns) -> str:
    match kept.on_conflict:
        case "skip":
            return "ON CONFLICT DO NOTHING"
        case "fail":
            return ""
        case "sum":
            key = _key(kept.table)
            sums = [
                f"{name} = stood.{name} + excluded.{name}" for name in _quoted(dialect, [x for x in columns if x not in key])
            ]
            return f"ON CONFLICT ({', '.join(_quoted(dialect, key))}) DO UPDATE SET {', '.join(sums)}"


def _key(table: Table) -> Columns:
    return tuple(column.name for column in table.primary_key)


def _quoted(dialect: Dialect, names: Sequence[str]) -> list[str]:
    return [dialect.identifier_preparer.quote(name) for name in names]


def _name(dialect: Dialect, table: Table) -> str:
    """As the database has it; SQLite has no schemas."""
    return ".".join(
        _quoted(dialect, [table.name] if dialect.name == "sqlite" or not table.schema else [table.schema, table.name])
    )
