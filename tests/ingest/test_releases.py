"""Tables of an earlier release and of a later one: who runs on them, how they are brought up to date, and back by a step."""

from collections.abc import Generator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, create_engine, inspect, text

from ingest import state
from ingest.database import Database, downgrade, prepare, standing, upgrade
from ingest.errors import Misconfigured, Refused
from router.register import MIGRATIONS, tables
from tests.servers.postgres import Postgres

REGISTER, STATE = HISTORIES = (MIGRATIONS, state.MIGRATIONS)
RELEASED: Final = {REGISTER: "0006_needs", STATE: "0007_mail"}
"""Where the release before this one has its tables: it must run on ours. Moved on with each release."""
EVERY: Final = (*tables.metadata.sorted_tables, *state.metadata.sorted_tables)
START: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str]:
    """A database with nothing in it, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'register.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def revisions(history: Path) -> list[str]:
    """The newest first."""
    config = Config()
    config.set_main_option("script_location", str(history))
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]


async def act(url: str, *statements: str) -> None:
    database = Database(url)
    async with database.write() as connection:
        for each in statements:
            await connection.execute(text(each))
    await database.close()


# A step back, and forward again.


def some(column: Column[Any], number: int) -> Any:
    """Something for a column, another for each number."""
    made: dict[str, Any] = {
        "Uuid": UUID(int=number), "Text": f"{column.name} {number}", "Integer": number, "BigInteger": number, "Float": number / 2,
        "Boolean": number % 2 == 0, "LargeBinary": b"%d" % number, "Date": date(2026, 3, number), "JSON": [number],
        "UtcDateTime": START + timedelta(hours=number), "TextList": [f"line {number}"],
    }  # fmt: skip
    return made[type(column.type).__name__]


async def fill(url: str) -> None:
    """Some rows in every table that there is."""
    database = Database(url)
    async with database.write() as connection:
        for table in EVERY:
            await connection.execute(table.delete())
            for number in (1, 2, 3):
                row = {column.name: some(column, number) for column in table.columns}
                await connection.execute(table.insert().values(row))
    await database.close()


async def held(url: str) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """What every table holds: its columns, and their values as the database has them."""

    def look(connection: Connection) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
        found: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        for schema in [None] if connection.dialect.name == "sqlite" else [None, "state"]:
            for (_, name), told in inspect(connection).get_multi_columns(schema=schema).items():
                if name.endswith("_version"):
                    continue
                columns = sorted(each["name"] for each in told)
                table = f"{schema}.{name}" if schema else name
                quoted = ", ".join(f'"{each}"' for each in columns)
                rows = connection.execute(text(f"SELECT {quoted} FROM {table}")).all()
                found[table] = columns, sorted((tuple(row) for row in rows), key=repr)
        return found

    database = Database(url)
    async with database.read() as connection:
        found = await connection.run_sync(look)
    await database.close()
    return found


def told_apart(
    before: Mapping[str, tuple[list[str], list[tuple[Any, ...]]]], after: Mapping[str, tuple[list[str], list[tuple[Any, ...]]]]
) -> tuple[set[str], list[str]]:
    """What of the tables and columns before is there no more, and of those that still are what changed."""
    gone, changed = set(before) - set(after), list[str]()
    for table in set(before) & set(after):
        both = [each for each in before[table][0] if each in after[table][0]]
        gone |= {f"{table}.{each}" for each in before[table][0] if each not in both}
        old, new = (
            sorted((tuple(row[columns.index(each)] for each in both) for row in rows), key=repr)
            for columns, rows in (before[table], after[table])
        )
        changed += [table] if old != new else []
    return gone, changed


@pytest.mark.parametrize("history", [pytest.param(REGISTER, id="register"), pytest.param(STATE, id="state")])
async def test_every_step_back_and_forward_again_keeps_what_both_releases_have(url: str, history: Path) -> None:
    upgrade(url, HISTORIES)
    await fill(url)
    newest = revisions(history)
    for revision, earlier in pairwise(newest):
        before = await held(url)
        told = downgrade(url, history, apply=False)
        assert told_apart(before, await held(url)) == (set(), []), "looking changes nothing"
        assert downgrade(url, history, apply=True) == told
        after = await held(url)
        gone, changed = told_apart(before, after)
        assert (told.stood, told.stands) == (revision, earlier)
        assert (set(told.lost), changed) == (gone, []), revision
        assert set(told.lost.values()) <= {0, 3}
        await by_one(url, history, revision)
        assert told_apart(after, await held(url))[1] == [], revision
        downgrade(url, history, apply=True)
    with pytest.raises(Refused) as refused:
        downgrade(url, history, apply=True)
    assert refused.value.reason == "no-way-back"
    upgrade(url, HISTORIES)
    assert all(each.fits for each in standing(url, HISTORIES))


async def by_one(url: str, history: Path, to: str) -> None:
    database = Database(url)
    async with database.write() as connection:
        await connection.run_sync(migrate, history, to)
    await database.close()


def standing_of(url: str, history: Path) -> str | None:
    (found,) = standing(url, [history])
    return found.stands


# The release before runs on the tables of the next: what is new is only added.


def migrate(connection: Connection, history: Path, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(history))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


Shape = Mapping[str, Mapping[str, tuple[str, bool, bool]]]
"""Of each column of each table its type, and whether a row must have it though nobody gives it; of each unique index its columns."""


def shapes(history: Path, folder: Path) -> dict[str, Shape]:
    """What each revision makes of the tables, by revision, the first first."""
    engine = create_engine(f"sqlite:///{folder / f'{history.parent.name}.db'}").execution_options(
        schema_translate_map={"state": None}
    )
    found: dict[str, Shape] = {}
    for revision in reversed(revisions(history)):
        with engine.begin() as connection:
            migrate(connection, history, revision)
        with engine.connect() as connection:
            look = inspect(connection)
            found[revision] = {
                name: {
                    **{
                        column["name"]: (str(column["type"]), not column["nullable"] and column["default"] is None, False)
                        for column in look.get_columns(name)
                    },
                    **{
                        f"unique {', '.join(map(str, each['column_names']))}": ("", False, True)
                        for each in look.get_indexes(name)
                        if each["unique"]
                    },
                }
                for name in look.get_table_names()
            }
    engine.dispose()
    return found


def narrowed(before: Shape, after: Shape) -> list[str]:
    """What a release that knows the tables as they were could not do any more."""
    found = [f"{table} is gone" for table in before if table not in after]
    for table in set(before) & set(after):
        found += [
            f"{table}.{name} is gone" for name in before[table] if name not in after[table] and not before[table][name][2]
        ]
        for name, (type_, wanted, unique) in after[table].items():
            if name not in before[table]:
                found += [f"{table}.{name} is wanted of every row"] if wanted else []
                found += [f"{table} is {name}"] if unique else []
            elif before[table][name] != (type_, wanted, unique):
                found.append(f"{table}.{name} is of another kind")
    return sorted(found)


def runs_with(history: Path) -> dict[str, str]:
    """By revision, the oldest one whose release is said to run on its tables."""
    config = Config()
    config.set_main_option("script_location", str(history))
    oldest: str | None = None
    found: dict[str, str] = {}
    for each in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
        oldest = str(getattr(each.module, "runs_with", None) or oldest or each.revision)
        found[each.revision] = oldest
    return found


@pytest.mark.parametrize("history", [pytest.param(REGISTER, id="register"), pytest.param(STATE, id="state")])
def test_no_migration_takes_from_a_release_what_it_is_said_to_run_on(history: Path, tmp_path: Path) -> None:
    made = shapes(history, tmp_path)
    for revision, oldest in runs_with(history).items():
        assert narrowed(made[oldest], made[revision]) == [], f"{revision} needs a runs_with, or another release in between"


@pytest.mark.parametrize("history", [pytest.param(REGISTER, id="register"), pytest.param(STATE, id="state")])
def test_the_release_before_this_one_runs_on_its_tables(history: Path) -> None:
    made = revisions(history)
    oldest = runs_with(history)[made[0]]
    assert made.index(oldest) >= made.index(RELEASED[history]), f"the release at {RELEASED[history]} could not go on running"


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("op.drop_column('things', 'words')", ["things.words is gone"]),
        ("op.alter_column('things', 'words', new_column_name='text')", ["things.words is gone"]),
        ("op.drop_table('things')", ["things is gone"]),
        ("op.rename_table('things', 'objects')", ["things is gone"]),
        (
            "with op.batch_alter_table('things', recreate='always') as it: it.add_column(sa.Column('more', sa.Text(), nullable=False))",
            ["things.more is wanted of every row"],
        ),
        (
            "op.create_index('one', 'things', ['words'], unique=True)",
            ["things is unique words"],
        ),
        (
            "with op.batch_alter_table('things') as table: table.alter_column('words', type_=sa.Integer())",
            ["things.words is of another kind"],
        ),
        ("op.add_column('things', sa.Column('more', sa.Text(), nullable=True))", []),
        ("op.create_table('others', sa.Column('id', sa.Text(), primary_key=True))", []),
    ],
)
def test_a_migration_that_the_release_before_could_not_bear_is_noticed(does: str, told: list[str], tmp_path: Path) -> None:
    history = tmp_path / "made-up" / "migrations"
    (history / "versions").mkdir(parents=True)
    (history / "env.py").write_text((REGISTER / "env.py").read_text())
    first = "op.create_table('things', sa.Column('id', sa.Text(), primary_key=True), sa.Column('words', sa.Text()))"
    for name, before, work in (("one", None, first), ("two", "one", does)):
        lines = f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {before!r}\n"
        (history / "versions" / f"{name}.py").write_text(f"{lines}def upgrade():\n    {work}\n")
    made = shapes(history, tmp_path)
    assert narrowed(made["one"], made["two"]) == told


# Which release may start.

LATER: Final = (
    "ALTER TABLE contacts ADD COLUMN of_a_later_release TEXT",
    "ALTER TABLE outgoing ADD COLUMN of_a_later_release TEXT",
    "CREATE TABLE of_a_later_release (id INTEGER PRIMARY KEY)",
)
"""What a later release may do to the tables: it adds to them."""


def made_by_a_later_release(runs_with: str) -> tuple[str, ...]:
    return (*LATER, f"UPDATE register_version SET version_num = '9999_later', runs_with = '{runs_with}'")


async def test_where_there_are_no_tables_they_are_made_and_then_left_as_they_are(url: str) -> None:
    prepare(url, HISTORIES)
    before = await held(url)
    assert before.keys() >= {"contacts", "audit"}
    prepare(url, HISTORIES)
    assert await held(url) == before
    assert [(each.name, each.fits, each.later) for each in standing(url, HISTORIES)] == [
        ("register", True, False), ("state", True, False)
    ]  # fmt: skip


@pytest.mark.parametrize("history", [pytest.param(REGISTER, id="register"), pytest.param(STATE, id="state")])
async def test_an_earlier_release_s_tables_are_left_alone_and_it_is_said_what_to_run(url: str, history: Path) -> None:
    upgrade(url, HISTORIES)
    step = downgrade(url, history, apply=True)
    before = await held(url)
    with pytest.raises(Misconfigured, match=rf"at {step.stands}.*ingest database upgrade") as refused:
        prepare(url, HISTORIES)
    assert refused.value.reason == "register.url"
    assert await held(url) == before
    upgrade(url, HISTORIES)
    prepare(url, HISTORIES)


async def test_a_later_release_s_tables_are_used_where_it_only_added_to_them(url: str) -> None:
    upgrade(url, HISTORIES)
    await act(url, *made_by_a_later_release(revisions(REGISTER)[0]))
    prepare(url, HISTORIES)
    assert [(each.stands, each.fits, each.later) for each in standing(url, [REGISTER])] == [("9999_later", True, True)]


@pytest.mark.parametrize("runs_with", ["9998_between", ""])
async def test_a_later_release_s_tables_that_this_one_cannot_use_stop_it_and_its_upgrade(url: str, runs_with: str) -> None:
    upgrade(url, HISTORIES)
    await act(url, *made_by_a_later_release(runs_with))
    for attempt in (prepare, upgrade):
        with pytest.raises(Misconfigured, match=r"later release.*9999_later.*ingest database downgrade"):
            attempt(url, HISTORIES)
    with pytest.raises(Refused, match="only the release that made it"):
        downgrade(url, REGISTER, apply=True)


async def test_an_upgrade_that_fails_midway_changes_nothing(url: str, tmp_path: Path) -> None:
    upgrade(url, HISTORIES)
    while standing_of(url, REGISTER) != "0005_individuals":
        downgrade(url, REGISTER, apply=True)
    await act(url, "CREATE TABLE needs (id INTEGER PRIMARY KEY)")  # which a later one of the migrations wants to make
    before = await held(url), standing_of(url, REGISTER)
    with pytest.raises(Exception, match="needs"):
        upgrade(url, HISTORIES)
    assert (await held(url), standing_of(url, REGISTER)) == before


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
async def test_no_step_back_is_taken_under_a_service_that_runs(url: str) -> None:
    upgrade(url, HISTORIES)
    database = Database(url)
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))
        with pytest.raises(Refused, match="Stop every process") as refused:
            downgrade(url, STATE, apply=True)
    assert refused.value.reason == "in-use"
    await database.close()
    assert downgrade(url, STATE, apply=True).stood == revisions(STATE)[0]
