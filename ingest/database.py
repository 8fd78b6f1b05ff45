"""The register's database: one way to open it, read it, write it and bring it up to date, whichever of two kinds it is.

SQLite: one connection writes at a time within a process and the others wait their turn; between processes SQLite's own lock
does. WAL only where the linked library has the fix for its reset race (3.51.3, 3.50.7, 3.44.6; sqlite.org/wal.html); else a
truncated rollback journal, whose truncation ``synchronous=FULL`` syncs.

PostgreSQL 15 or later: processes write beside each other under READ COMMITTED, so whoever reads and then writes says so, by a
condition on the row, by ``write(names)`` or by ``alone``. A process that stalls amid a transaction loses it.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import methodcaller
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    CompoundSelect,
    Connection,
    DateTime,
    Dialect,
    Integer,
    Select,
    Table,
    TableValuedAlias,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    column,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as either_insert
from sqlalchemy.dialects.postgresql.dml import Insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from ingest.errors import Misconfigured, Refused, Unavailable

_WAIT_SECONDS = 60.0
_IDLE = timedelta(seconds=30)
_WITH_THE_FIX = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
# SQLSTATE: who we are, which database, what we may do.
_REFUSES_US = ("28", "3D", "42501")
# And: connection, rolled back for another, out of something, operator or deadline, system, lock not had, idle too long. Nothing
# is wrong with what was to be written.
_AWAY = ("08", "40", "53", "57", "58", "55P03", "25P03", *_REFUSES_US)

_ONE_SCHEMA = {"schema_translate_map": {"state": None}}  # SQLite has no others

T = TypeVar("T")

Long = BigInteger().with_variant(Integer, "sqlite")
"""Positions, sizes and UIDs go past 31 bits; SQLite's INTEGER has 64."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond; on SQLite as text that sorts as time does."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, timestamptz elsewhere."""
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To what the driver takes."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"  # %Y does not pad years

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From what the driver gives."""
        if value is None or dialect.name != "sqlite":
            return value
        return datetime.fromisoformat(str(value))


class TextList(TypeDecorator[list[str]]):
    """Pieces of text as one, for a key: PostgreSQL's json cannot be compared."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To what the driver takes."""
        return None if value is None else json.dumps(list(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[str] | None:  # noqa: ARG002
        """From what the driver gives."""
        return None if value is None else json.loads(value)


class _Many(TypeDecorator[Sequence[Any]]):
    """Values of one type as one: an array, or JSON on SQLite, which has none."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, an array elsewhere."""
        return Text() if dialect.name == "sqlite" else ARRAY(self.of)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """To what the driver takes."""
        if value is None or dialect.name != "sqlite":
            return value
        encode = self.of.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps([encode(each) for each in value] if encode else value)


class _Among(FunctionElement[bool]):
    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":  # noqa: ARG002
        """As it is: held against 1, as what is true is on SQLite, it would find by no index."""
        return self


@compiles(_Among)
def _any(element: _Among, compiler: SQLCompiler, **_: Any) -> str:
    column, values = map(compiler.process, element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _in(element: _Among, compiler: SQLCompiler, **_: Any) -> str:
    column, values = map(compiler.process, element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


def among(column: ColumnElement[Any], values: Iterable[Any] | str) -> ColumnElement[bool]:
    """Whether a column has one of the values, or of those given to the statement by a name: however many there are, the statement is
    the same and binds them as one.
    """
    return _Among(column, _many(values, column.type))


def _many(values: Iterable[Any] | str, type_: TypeEngine[Any]) -> BindParameter[Any]:
    if isinstance(values, str):
        return bindparam(values, type_=_Many(type_))
    return bindparam(None, list(values), type_=_Many(type_), unique=True)


class _Each(FunctionElement[Any]):
    name = "each"
    inherit_cache = True


@compiles(_Each)
def _unnested(element: _Each, compiler: SQLCompiler, **_: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses)}) AS value)"


def each_of(values: Iterable[Any] | str, type_: TypeEngine[Any]) -> TableValuedAlias:
    """Values, or those given to the statement by a name, as rows of a table that has one column, ``value``; bound as one."""
    return _Each(_many(values, type_)).table_valued(column("value", type_))


class _EachList(FunctionElement[Any]):
    name = "each_list"
    inherit_cache = True


@compiles(_EachList)
def _json_array_elements(element: _EachList, compiler: SQLCompiler, **_: Any) -> str:
    return f"(SELECT value FROM json_array_elements(CAST({compiler.process(element.clauses)} AS json)))"


@compiles(_Each, "sqlite")
@compiles(_EachList, "sqlite")
def _json_each(element: FunctionElement[Any], compiler: SQLCompiler, **_: Any) -> str:
    return f"json_each({compiler.process(element.clauses)})"


def each_list(lists: Sequence[Sequence[Any]], *types: TypeEngine[Any]) -> Select[Any]:
    """Lists of values of these types as a statement's rows; all of them bound as one."""
    given = bindparam(None, json.dumps(lists), type_=Text(), unique=True)
    value = _EachList(given).table_valued(column("value", JSON())).c.value
    return select(*(cast(value[place].as_string(), type_) for place, type_ in enumerate(types)))


class _Gathered(FunctionElement[Any]):
    """The values of a row, of every row, as lists within a list; an empty list where there is none."""

    name = "gathered"
    type = JSON()
    inherit_cache = True


@compiles(_Gathered)
def _json_agg(element: _Gathered, compiler: SQLCompiler, **_: Any) -> str:
    return f"coalesce(json_agg(json_build_array({compiler.process(element.clauses)})), '[]')"


@compiles(_Gathered, "sqlite")
def _json_group_array(element: _Gathered, compiler: SQLCompiler, **_: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses)}))"


def gathered(*columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """The columns of all rows of a statement as one JSON value: a list of a list each."""
    return _Gathered(*columns)


class _Joined(FunctionElement[str]):
    """A column's texts of every row as one, with U+001F between them."""

    name = "joined"
    type = Text()
    inherit_cache = True


@compiles(_Joined)
def _string_agg(element: _Joined, compiler: SQLCompiler, **_: Any) -> str:
    return f"string_agg({compiler.process(element.clauses)}, chr(31))"


@compiles(_Joined, "sqlite")
def _group_concat(element: _Joined, compiler: SQLCompiler, **_: Any) -> str:
    return f"group_concat({compiler.process(element.clauses)}, char(31))"


def joined(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column of all rows of a statement as one text, for ``apart``; null where there is none. No value may have a control character."""
    return _Joined(column)


def apart(texts: str) -> list[str]:
    """What ``joined`` made one."""
    return texts.split("\x1f")


class Ready:
    """A statement that is made once and asked often: of SQLite's driver itself and in one turn, as SQLAlchemy's own four take longer
    than to find a few rows. It names no schema, and what its rows have is what its columns' types make of it.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._compiled: SQLCompiler | None = None
        self._read: list[tuple[int, Callable[[Any], Any]]] = []

    async def rows(self, connection: AsyncConnection, **values: Any) -> Sequence[Sequence[Any]]:
        """All of them, with these values for what the statement binds by a name."""
        dialect = connection.dialect
        if dialect.name != "sqlite":
            found: Sequence[Sequence[Any]] = (await connection.execute(self._statement, values)).all()
            return found
        if self._compiled is None:
            compiled = self._statement.compile(dialect=dialect)
            types = enumerate(each.type.dialect_impl(dialect) for each in self._statement.selected_columns)
            self._read = [(at, read) for at, type_ in types if (read := type_.result_processor(dialect, None))]
            self._compiled = compiled
        given = {**self._compiled.params, **{name: self._written(name, value, dialect) for name, value in values.items()}}
        in_order = [given[name] for name in self._compiled.positiontup or ()]
        assert connection.sync_connection is not None  # as a transaction has begun on it
        driver: Any = connection.sync_connection.connection.driver_connection
        rows: list[tuple[Any, ...]] = await driver.execute_fetchall(self._compiled.string, in_order)
        if not self._read:
            return rows
        mended = [list(row) for row in rows]
        for row in mended:
            for at, read in self._read:
                row[at] = read(row[at])
        return mended

    def _written(self, name: str, value: Any, dialect: Dialect) -> Any:
        assert self._compiled is not None
        write = self._compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        return write(value) if write else value


class Json(str):
    """Text that is JSON already, for a JSON column."""

    __slots__ = ()


_ANY = TypeAdapter[Any](Any)


def as_json(value: Any) -> str:
    """A value as a JSON column has it; ``Json`` as it is."""
    return value if isinstance(value, Json) else _ANY.dump_json(value).decode()


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether that SQLite has the fix for the WAL-reset race."""
    return version >= _WITH_THE_FIX[0] or any(fix <= version < (*fix[:2], 1000) for fix in _WITH_THE_FIX[1:])


def pragmas() -> tuple[str, ...]:
    """What every SQLite connection of ours is told first."""
    return (
        f"PRAGMA busy_timeout={int(_WAIT_SECONDS * 1000)}",
        f"PRAGMA journal_mode={'WAL' if wal_is_safe(sqlite3.sqlite_version_info) else 'TRUNCATE'}",
        "PRAGMA synchronous=FULL",
        "PRAGMA secure_delete=ON",  # what is deleted is overwritten, so that nothing of whoever was erased is left in the file
    )


def _connected(raw: Any, _: Any) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in pragmas():
        cursor.execute(pragma)
    cursor.close()


class Alone:
    """That this process, and no other, does something."""

    def __init__(self, connection: AsyncConnection | None = None) -> None:
        self._connection = connection

    async def sure(self) -> None:
        """Make sure that it still does. Raises Unavailable where it may not: the database was away, or we stalled."""
        if self._connection is not None:
            with _told_apart():
                await self._connection.execute(text("SELECT 1"))


class Database:
    """Connections to one database. ``write`` is a transaction that nobody else of this process writes beside."""

    def __init__(self, url: str, password: str | None = None) -> None:
        self.url = url
        self._shared = _kind(url) == "postgresql"
        self._engine = _open_postgresql(url, password) if self._shared else _open_sqlite(url)
        self._turn = asyncio.Lock()
        self._kept: AsyncConnection | None = None  # what was last read by

    @asynccontextmanager
    async def write(self, *names: str) -> AsyncGenerator[AsyncConnection]:
        """A transaction that writes: committed at the end, rolled back on any exception.

        Of those that have one of ``names`` in common one runs at a time, whatever the process. Raises Unavailable where the database is away,
        locked or full, or gave way to another transaction; a refusal of the data itself comes as it is.
        """
        async with self._turn:
            with _told_apart():
                async with self._engine.connect() as connection:
                    await connection.execution_options(immediate=True)
                    async with connection.begin():
                        if names and self._shared:
                            # In the order of what is locked, so that no two wait for each other.
                            each = "SELECT DISTINCT hashtext(name) AS lock FROM unnest(CAST(:names AS text[])) AS name ORDER BY lock"
                            locks = text(f"SELECT pg_advisory_xact_lock(lock) FROM ({each} OFFSET 0) AS locks")
                            await connection.execute(locks, {"names": list(names)})
                        yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A consistent view. Raises Unavailable."""
        with _told_apart():
            # To take a connection from the pool and give it back costs more than to find somebody, so one stays with us.
            kept, self._kept = self._kept, None
            connection = kept or await self._reader()
            async with AsyncExitStack() as stack:
                stack.push_async_exit(connection)  # rolls back, and gives it to the pool
                await connection.begin()
                yield connection
                await connection.rollback()
                if self._kept is None:
                    self._kept = connection
                    stack.pop_all()

    async def _reader(self) -> AsyncConnection:
        connection = await self._engine.connect()
        if self._shared:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return connection

    @asynccontextmanager
    async def alone(self, name: str, within: timedelta = _IDLE) -> AsyncGenerator[Alone | None]:
        """Do something that one process at a time may do; None where another does it.

        Whoever is not ``sure`` of it for longer than ``within`` loses it to the next. Always ours on SQLite, whose service is one
        process. Raises Unavailable.
        """
        if not self._shared:
            yield Alone()
            return
        with _told_apart():
            async with self._engine.connect() as connection:  # ends in a rollback, which no loss of it can spoil
                limit = f"{within.total_seconds() * 1000:.0f}"
                idle = text("SELECT set_config('idle_in_transaction_session_timeout', :limit, true)")
                await connection.execute(idle, {"limit": limit})
                ours = await connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext(:name))"), {"name": name})
                yield Alone(connection) if ours else None

    async def tidy(self) -> None:
        """Leave no earlier state of a page in SQLite's write-ahead log; nothing elsewhere. Raises Unavailable."""
        if self._shared:
            return
        async with self._turn:
            with _told_apart():
                async with self._engine.connect() as connection:
                    raw: Any = (await connection.get_raw_connection()).driver_connection
                    await raw.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Let go of every connection."""
        if self._kept is not None:
            await self._kept.close()
            self._kept = None
        await self._engine.dispose()


def insert(table: Table) -> Insert:
    """An insert that can say ``on_conflict_do_nothing``; both kinds have the clause, word for word."""
    return either_insert(table)


async def put(connection: AsyncConnection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Rows of all columns, those left out whose key is there, in one statement and by the quickest way of either kind; values as the
    driver has them.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        names = ", ".join(column.name for column in table.columns)  # a later release's table may have more
        await connection.exec_driver_sql(
            f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.columns))})",
            list(map(tuple, rows)),
        )
        return
    arrays = [
        bindparam(None, list(some), type_=ARRAY(column.type))
        for column, some in zip(table.columns, zip(*rows, strict=True), strict=True)
    ]
    each = func.unnest(*arrays).table_valued(*(each.name for each in table.columns)).render_derived()
    await connection.execute(insert(table).from_select(list(table.columns), select(each)).on_conflict_do_nothing())


async def is_made(connection: AsyncConnection, table: Table) -> bool:
    """Whether a table is there yet."""
    schema = None if connection.dialect.name == "sqlite" else table.schema
    return await connection.run_sync(lambda it: inspect(it).has_table(table.name, schema))


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the tables of one history of migrations stand, and whether this release runs on them."""

    name: str
    stands: str | None  # None where there are none yet
    head: str  # where this release has them
    fits: bool  # they are its own, or a later release's that says so
    later: bool  # a release made them so that came after this one


@dataclass(frozen=True, slots=True)
class StepBack:
    """What one migration fewer means: from which revision to which, and what the release before has no place for."""

    stood: str
    stands: str
    lost: Mapping[str, int]
    """Rows that a table has, or that have anything in a column, by its name."""


def standing(url: str, histories: Sequence[Path], password: str | None = None) -> list[Tables]:
    """Where the tables of each history stand. Raises Unavailable, Misconfigured."""
    return _within(url, password, lambda connection: [_standing(connection, each) for each in histories])


def prepare(url: str, histories: Sequence[Path], password: str | None = None) -> None:
    """Make the tables where there are none at all; what another release made is left as it is.

    Raises Misconfigured where this release does not run on it, and Unavailable.
    """
    found = standing(url, histories, password)
    if all(each.stands is None for each in found):
        upgrade(url, histories, password)
        return
    _refuse_later(found)
    if earlier := [each for each in found if not each.fits]:
        raise Misconfigured(
            "register.url",
            f"The register's tables are an earlier release's ({_stand(earlier)}). Save the register, then bring them up to date: "
            "ingest database upgrade",
        )


def upgrade(url: str, histories: Sequence[Path], password: str | None = None) -> None:
    """Bring the tables of each history of migrations up to date, in order, all or none; of several processes one does it.

    Raises Misconfigured where they are of a later release, and Unavailable.
    """
    from alembic import command  # late: most starts make no tables

    def bring(connection: Connection) -> None:
        _refuse_later([_standing(connection, each) for each in histories])
        for history in histories:
            command.upgrade(_config(connection, history), "head")
            _say_who_may_run(connection, history)

    _within(url, password, bring, "upgrade")


def downgrade(url: str, history: Path, password: str | None = None, *, apply: bool) -> StepBack:
    """Take the newest migration of a history back, or only tell what that would lose.

    Raises Refused(``no-way-back``) where there is no step before it, or it knows none; ``in-use`` where the service is connected.
    """

    def back(connection: Connection) -> StepBack:
        now, before = _step_before(connection, history)
        had = _columns(connection)
        trial = connection.begin_nested()
        _step_back(connection, history, before)
        has = _columns(connection)
        trial.rollback()
        lost = {
            f"{table}.{name}": (table, name) for table in had if table in has for name in had[table] if name not in has[table]
        }
        lost |= {table: (table, None) for table in had if table not in has}
        rows = {name: _rows(connection, *where) for name, where in sorted(lost.items())}
        if apply:
            _alone_here(connection)
            _step_back(connection, history, before)
        return StepBack(now, before, rows)

    return _within(url, password, back, "upgrade")


def _within(url: str, password: str | None, act: Callable[[Connection], T], *names: str) -> T:
    """What an act gives, within one transaction: one that writes where it has a name, and of those of a name one at a time."""
    if _kind(url) == "postgresql":
        with ThreadPoolExecutor(1) as apart:  # whoever calls may have a loop that runs
            return apart.submit(asyncio.run, _within_postgresql(url, password, act, *names)).result()
    engine = create_engine(url, execution_options=_ONE_SCHEMA, hide_parameters=True)

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if names else "BEGIN")

    event.listen(engine, "connect", _connected)
    event.listen(engine, "begin", begun)
    try:
        with _told_apart(), engine.begin() as connection:
            return act(connection)
    finally:
        engine.dispose()


async def _within_postgresql(url: str, password: str | None, act: Callable[[Connection], T], *names: str) -> T:
    database = Database(url, password)
    try:
        async with database.write(*names) as connection:
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            return await connection.run_sync(act)
    except Unavailable as error:
        if _state(error.__cause__).startswith(_REFUSES_US):
            raise Misconfigured("register.url", f"The register does not let us in: {_said(error.__cause__)}.") from error
        raise
    finally:
        await database.close()


def _config(connection: Connection, history: Path) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(history))
    config.attributes["connection"] = connection
    return config


def _versions(connection: Connection, history: Path) -> tuple[Any, str, str | None]:
    """A history's revisions, the name of the table that says at which one it stands, and that one."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    found: list[tuple[str, str | None]] = []

    def note(heads: Any, context: Any) -> list[Any]:
        found.append((context.version_table, next(iter(heads), None)))
        return []

    config = _config(connection, history)
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=note, dont_mutate=True):
        script.run_env()
    ((table, stands),) = found
    return script, table, stands


def _standing(connection: Connection, history: Path) -> Tables:
    script, table, stands = _versions(connection, history)
    ours = [each.revision for each in script.walk_revisions()]
    later = stands is not None and stands not in ours
    runs_with = None
    if later and "runs_with" in _names(connection, table):
        runs_with = connection.scalar(text(f"SELECT runs_with FROM {table}"))
    return Tables(table.removesuffix("_version"), stands, ours[0], stands == ours[0] or runs_with in ours, later)


def _refuse_later(found: Sequence[Tables]) -> None:
    if later := [each for each in found if each.later and not each.fits]:
        raise Misconfigured(
            "register.url",
            f"The register's tables are a later release's ({_stand(later)}), and this one does not run on them. Start that release; or stop "
            "every process and, with that release, take them back first: ingest database downgrade",
        )


def _stand(found: Sequence[Tables]) -> str:
    return ", ".join(f"{each.name} at {each.stands or 'nothing'}, and this one has {each.head}" for each in found)


def _say_who_may_run(connection: Connection, history: Path) -> None:
    """Beside the revision stands the oldest one whose release runs on these tables: what came later may only have added to them.

    A migration that takes anything from them says so by a ``runs_with``.
    """
    script, table, stands = _versions(connection, history)
    made = list(script.iterate_revisions(stands, "base"))  # the newest first
    oldest = next((said for each in made if (said := getattr(each.module, "runs_with", None))), made[-1].revision)
    if "runs_with" not in _names(connection, table):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN runs_with TEXT"))
    changed = f"UPDATE {table} SET runs_with = :oldest WHERE runs_with IS NULL OR runs_with <> :oldest"
    connection.execute(text(changed), {"oldest": oldest})


def _step_before(connection: Connection, history: Path) -> tuple[str, str]:
    """Where a history stands, and where it stood one migration earlier."""
    script, table, stands = _versions(connection, history)
    name = table.removesuffix("_version")
    if stands is None or stands not in [each.revision for each in script.walk_revisions()]:
        raise Refused(
            "no-way-back", f"{name} stands at {stands or 'nothing'}: only the release that made it knows the way back."
        )
    newest = script.get_revision(stands)
    if newest.down_revision is None or not hasattr(newest.module, "downgrade"):
        raise Refused("no-way-back", f"{name} stands at {stands}, and there is no way back from it.")
    return stands, newest.down_revision


def _step_back(connection: Connection, history: Path, to: str) -> None:
    from alembic import command

    command.downgrade(_config(connection, history), to)
    _say_who_may_run(connection, history)


def _columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every table of ours, by its name."""
    found = inspect(connection)
    schemas = [None] if connection.dialect.name == "sqlite" else [None, "state"]
    of_tables = ((schema, found.get_multi_columns(schema=schema)) for schema in schemas)  # a question a schema, not a table
    return {
        f"{schema}.{table}" if schema else table: [column["name"] for column in columns]
        for schema, tables in of_tables
        for (_, table), columns in tables.items()
    }


def _names(connection: Connection, table: str) -> list[str]:
    schema, _, name = table.rpartition(".")
    return [column["name"] for column in inspect(connection).get_columns(name, schema or None)]


def _rows(connection: Connection, table: str, name: str | None) -> int:
    some = f' WHERE "{name}" IS NOT NULL' if name else ""
    return connection.scalar(text(f"SELECT count(*) FROM {table}{some}")) or 0


def _alone_here(connection: Connection) -> None:
    """Raises Refused(``in-use``) where a process of the service has the register open; of SQLite its log's lock tells."""
    if connection.dialect.name == "sqlite":
        return
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'contact-ingest'"
        " AND pid <> pg_backend_pid()"
    )
    if number := connection.scalar(text(others)):
        raise Refused("in-use", f"The service has {number} connections to the register. Stop every process first.")


def _kind(url: str) -> str:
    scheme, mark, _ = url.partition("://")
    if scheme not in ("sqlite", "postgresql") or not mark:
        raise Misconfigured(
            "register.url", f"register.url is {scheme}://…; this release knows sqlite:///path and postgresql://user@host/name."
        )
    return scheme


def _open_postgresql(url: str, password: str | None) -> AsyncEngine:
    try:
        parsed = make_url(url).set(drivername="postgresql+asyncpg")
    except (ArgumentError, ValueError) as error:
        raise Misconfigured("register.url", "register.url must look like postgresql://user@host/name.") from error
    if parsed.password is not None:
        raise Misconfigured("register.url", "register.url holds a password. Move it to register.password_file.")
    limits = {
        "statement_timeout": f"{_WAIT_SECONDS * 1000:.0f}",
        "lock_timeout": f"{_WAIT_SECONDS * 750:.0f}",
        "idle_in_transaction_session_timeout": f"{_IDLE.total_seconds() * 1000:.0f}",
        "application_name": "contact-ingest",
        "jit": "off",
    }
    asked = {"timeout": _WAIT_SECONDS / 4, "command_timeout": _WAIT_SECONDS * 1.1, "server_settings": limits}
    return create_async_engine(
        parsed.set(password=password),
        connect_args=asked,
        hide_parameters=True,
        json_serializer=as_json,
        pool_size=4,
        max_overflow=4,
        pool_timeout=_WAIT_SECONDS,
        pool_use_lifo=True,
    )


def _open_sqlite(url: str) -> AsyncEngine:
    engine = create_async_engine(
        url.replace("sqlite:", "sqlite+aiosqlite:", 1),
        connect_args={"timeout": _WAIT_SECONDS},
        hide_parameters=True,
        json_serializer=as_json,
        pool_size=4,
        max_overflow=4,
        execution_options=_ONE_SCHEMA,
    )

    def begun(connection: Connection) -> None:
        begin = "BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate", False) else "BEGIN"
        adapted: Any = connection.connection.dbapi_connection
        adapted.run_async(methodcaller("execute_fetchall", begin))  # one turn to the driver's thread; by a cursor it is four

    event.listen(engine.sync_engine, "connect", _connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


@contextmanager
def _told_apart() -> Generator[None]:
    """A database that is away becomes Unavailable; what it says of the data stays as it is."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated or _state(error).startswith(_AWAY):
            raise _away(error) from error
        raise
    except (
        OSError,
        NoneFree,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        sqlite3.OperationalError,
    ) as error:  # before there was a connection
        raise _away(error) from error


def _state(error: BaseException | None) -> str:
    """The SQLSTATE of an error, or the empty string."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return getattr(told, "sqlstate", None) or ""


def _said(error: BaseException | None) -> str:
    """What the database said, in one line."""
    told = error.orig if isinstance(error, DBAPIError) else error
    return (str(told).partition("\n")[0] or type(told).__name__).rstrip(".")


def _away(error: BaseException) -> Unavailable:
    return Unavailable("register-unavailable", f"The register is away: {_said(error)}. The same is tried again.")
