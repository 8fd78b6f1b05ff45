"""The register's database: one writer at a time, all or nothing, and tables that are what the code says they are."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from textwrap import dedent
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, Table, Text, Uuid, create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

import router.register
from ingest import database as module
from ingest import state
from ingest.database import Database, among, upgrade, wal_is_safe
from ingest.errors import Misconfigured, Unavailable
from router.register import tables
from tests.servers.postgres import Postgres

HISTORIES = [Path(*router.register.__path__) / "migrations", state.MIGRATIONS]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'register.db'}"


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    opened = Database(url)
    async with opened.write() as connection:
        await connection.execute(text("CREATE TABLE letters (words TEXT PRIMARY KEY)"))
    yield opened
    await opened.close()


async def write(database: Database, words: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO letters VALUES (:words)"), {"words": words})


async def read(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(text("SELECT words FROM letters ORDER BY words")))


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_the_write_ahead_log_is_used_only_where_sqlite_has_the_fix_for_its_race(version: tuple[int, ...], safe: bool):
    assert wal_is_safe(version) is safe


async def test_every_connection_is_durable(database: Database):
    wanted = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "truncate"
    async with database.read() as one, database.read() as other:
        for connection in (one, other):
            assert await connection.scalar(text("PRAGMA synchronous")) == 2
            assert await connection.scalar(text("PRAGMA journal_mode")) == wanted
            assert await connection.scalar(text("PRAGMA busy_timeout")) == 60_000


async def test_a_write_that_fails_midway_leaves_nothing(database: Database):
    await write(database, "kept")

    async def failing() -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO letters VALUES ('half')"))
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        await failing()
    assert await read(database) == ["kept"]


async def test_a_write_that_is_cancelled_leaves_nothing_and_lets_the_next_one_in(database: Database):
    begun = asyncio.Event()

    async def stalling() -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO letters VALUES ('half')"))
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(stalling())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write(database, "next")
    assert await read(database) == ["next"]


async def test_a_refusal_of_the_data_comes_as_it_is(database: Database):
    await write(database, "once")
    with pytest.raises(IntegrityError):
        await write(database, "once")


async def test_writers_of_one_process_take_turns(database: Database):
    await asyncio.gather(*(write(database, f"letter {number:02}") for number in range(20)))
    assert await read(database) == [f"letter {number:02}" for number in range(20)]


async def test_a_reader_sees_nothing_that_is_not_committed(database: Database):
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO letters VALUES ('soon')"))
        assert await read(database) == []
    assert await read(database) == ["soon"]


HOLDING = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO letters VALUES ('theirs')")
    print("held", flush=True)
    sys.stdin.readline()
    connection.execute("COMMIT")
"""


def holding(url: str) -> subprocess.Popen[str]:
    held = subprocess.Popen(
        [sys.executable, "-c", dedent(HOLDING), url.removeprefix("sqlite:///")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout
    assert held.stdout.readline() == "held\n"
    return held


async def test_a_write_waits_for_another_process_to_finish(database: Database, url: str):
    command = holding(url)
    mine = asyncio.create_task(write(database, "mine"))
    await asyncio.sleep(0.2)
    assert not mine.done()
    command.communicate("go on\n")
    await mine
    assert await read(database) == ["mine", "theirs"]


async def test_a_database_that_another_process_never_lets_go_of_is_away(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.1)
    impatient = Database(url)
    command = holding(url)
    with pytest.raises(Unavailable) as away:
        await write(impatient, "mine")
    assert away.value.reason == "register-unavailable"
    command.communicate("go on\n")
    await write(impatient, "mine")
    assert await read(impatient) == ["mine", "theirs"]
    await impatient.close()


def test_the_migrations_make_the_tables_that_the_code_says(url: str):
    upgrade(url, HISTORIES)
    engine = create_engine(url).execution_options(schema_translate_map={"state": None})
    with engine.connect() as connection:
        versions = differing(connection, schema=None)
    engine.dispose()
    assert len(versions) == len(HISTORIES)


@pytest.mark.needs("postgres")
async def test_the_same_migrations_make_them_on_postgresql(postgres: Postgres):
    name = postgres.create()
    upgrade(postgres.url(name), HISTORIES)
    database = Database(postgres.url(name))
    async with database.write() as connection:
        versions = await connection.run_sync(differing, "state")
    await database.close()
    postgres.drop(name)
    assert len(versions) == len(HISTORIES)


def differing(connection: Connection, schema: str | None) -> set[str]:
    """The tables of versions, where all others are as the code says; ``schema`` is of what the edge remembers."""
    wanted = MetaData()
    for table in tables.metadata.sorted_tables:
        table.to_metadata(wanted)
    for table in state.metadata.sorted_tables:
        table.to_metadata(wanted, schema=schema)  # pyright: ignore[reportArgumentType]
    versions = {name for name in inspect(connection).get_table_names() if name.endswith("_version")}
    kept = {
        "include_name": lambda name, kind, _: kind != "table" or name not in versions,
        "include_schemas": schema is not None,
    }
    assert compare_metadata(MigrationContext.configure(connection, opts=kept), wanted) == []
    return versions


def test_bringing_a_database_up_to_date_twice_changes_nothing(url: str, tmp_path: Path):
    upgrade(url, HISTORIES)
    before = (tmp_path / "register.db").read_bytes()
    upgrade(url, HISTORIES)
    assert (tmp_path / "register.db").read_bytes() == before


@pytest.mark.parametrize(
    "url",
    ["mysql://ingest@db/register", "register.db", "postgresql://ingest:secret@db/register", "postgresql://db:port/register"],
)
def test_an_address_of_another_kind_or_with_a_password_in_it_stops_the_start(url: str):
    with pytest.raises(Misconfigured) as refused:
        Database(url)
    assert refused.value.reason == "register.url"
    assert "secret" not in refused.value.sentence


@pytest.mark.needs("postgres")
async def test_the_password_from_the_settings_opens_the_register(postgres: Postgres):
    name = postgres.create()
    postgres.execute("CREATE ROLE guarded LOGIN PASSWORD 'correct horse'")
    rule = f"host {name} guarded 127.0.0.1/32 scram-sha-256"
    with postgres.admitting(rule):
        url = postgres.url(name).replace("//ingest@", "//guarded@")
        for wrong in (None, "battery staple"):
            with pytest.raises(Misconfigured, match="does not let us in"):
                upgrade(url, HISTORIES, wrong)
        opened = Database(url, "correct horse")
        async with opened.read() as connection:
            assert await connection.scalar(text("SELECT current_user")) == "guarded"
        await opened.close()
    postgres.drop(name)
    postgres.execute("DROP ROLE guarded")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
async def test_however_many_values_are_looked_for_they_are_bound_as_one(
    kind: str, url: str, request: pytest.FixtureRequest
) -> None:
    server: Postgres | None = request.getfixturevalue("postgres") if kind == "postgres" else None
    name = server.create() if server else ""
    opened = Database(server.url(name) if server else url)
    things = Table("things", MetaData(), Column("id", Uuid, primary_key=True), Column("words", Text))
    ids = [UUID(int=number) for number in range(40_000)]
    async with opened.write() as connection:
        await connection.run_sync(things.metadata.create_all)
        await connection.execute(things.insert(), [{"id": each, "words": f"{each.int}, \"'é"} for each in ids[:3]])
        for column, wanted in ((things.c.id, ids[1:]), (things.c.words, [f"{each.int}, \"'é" for each in ids[1:]])):
            found = select(things.c.id).where(among(column, wanted)).order_by(things.c.id)
            assert list(await connection.scalars(found)) == ids[1:3]
        assert list(await connection.scalars(select(things.c.id).where(among(things.c.id, [])))) == []
        if server is None:
            looked = select(things).where(among(things.c.id, []), things.c.words != "").compile(dialect=connection.dialect)
            (plan, *_) = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {looked}", ("[]", ""))).all()
            assert plan.detail.startswith("SEARCH things USING INDEX")
    await opened.close()
    if server:
        server.drop(name)
