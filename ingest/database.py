"""The register's database: one way to open it, read it, write it and bring it up to date.

SQLite here: one connection writes at a time within a process and the others wait their turn; between processes SQLite's own
lock does. WAL only where the linked library has the fix for its reset race (3.51.3, 3.50.7, 3.44.6; sqlite.org/wal.html);
else a truncated rollback journal, whose truncation ``synchronous=FULL`` syncs.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, DateTime, Dialect, Table, Text, TypeDecorator, create_engine, event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.dml import Insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ingest.errors import Misconfigured, Unavailable

_WAIT_SECONDS = 60.0
_WITH_THE_FIX = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


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


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether that SQLite has the fix for the WAL-reset race."""
    return version >= _WITH_THE_FIX[0] or any(fix <= version < (*fix[:2], 1000) for fix in _WITH_THE_FIX[1:])


def pragmas() -> tuple[str, ...]:
    """What every SQLite connection of ours is told first."""
    return (
        f"PRAGMA busy_timeout={int(_WAIT_SECONDS * 1000)}",
        f"PRAGMA journal_mode={'WAL' if wal_is_safe(sqlite3.sqlite_version_info) else 'TRUNCATE'}",
        "PRAGMA synchronous=FULL",
    )


def _connected(raw: Any, _: Any) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in pragmas():
        cursor.execute(pragma)
    cursor.close()


class Database:
    """Connections to one database. ``write`` is a transaction that nobody else of this process writes beside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _open(url)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that writes: committed at the end, rolled back on any exception.

        Raises Unavailable where the database is away, locked or full; a refusal of the data itself comes as it is.
        """
        async with self._turn:
            try:
                async with self._engine.connect() as connection:
                    await connection.execution_options(immediate=True)
                    async with connection.begin():
                        yield connection
            except OperationalError as error:
                raise _away(error) from error

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A consistent view. Raises Unavailable."""
        try:
            async with self._engine.connect() as connection, connection.begin():
                yield connection
        except OperationalError as error:
            raise _away(error) from error

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()


def insert(table: Table) -> Insert:
    """An insert that can say ``on_conflict_do_nothing``."""
    return sqlite_insert(table)


def upgrade(url: str, histories: Sequence[Path]) -> None:
    """Bring the tables of each history of migrations up to date, in order. Raises Unavailable, Misconfigured."""
    engine = create_engine(_driver(url, "pysqlite"))
    event.listen(engine, "connect", _connected)
    try:
        with engine.begin() as connection:
            for history in histories:
                command.upgrade(_alembic(history, connection), "head")
    except OperationalError as error:
        raise _away(error) from error
    finally:
        engine.dispose()


def _alembic(history: Path, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(history))
    config.attributes["connection"] = connection
    return config


def _driver(url: str, driver: str) -> str:
    scheme, mark, rest = url.partition("://")
    if scheme != "sqlite" or not mark:
        raise Misconfigured("register.url", f"register.url is {scheme}://…; this release knows sqlite:///path.")
    return f"sqlite+{driver}://{rest}"


def _open(url: str) -> AsyncEngine:
    engine = create_async_engine(
        _driver(url, "aiosqlite"), connect_args={"timeout": _WAIT_SECONDS}, pool_size=4, max_overflow=4
    )

    def begun(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    event.listen(engine.sync_engine, "connect", _connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _away(error: DBAPIError) -> Unavailable:
    return Unavailable("register-unavailable", f"The register is away: {error.orig}. The same is tried again.")
