"""A database that tests share is, for each of them, as its template is."""

import asyncio

import asyncpg
import pytest

from tests.servers.postgres import Postgres, Renewed

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture
def renewed(postgres: Postgres) -> Renewed:
    template = postgres.create()
    postgres.execute(
        "CREATE SCHEMA state",
        "CREATE TABLE versions (number INTEGER)",
        "INSERT INTO versions VALUES (1)",
        "CREATE TABLE state.letters (number SERIAL PRIMARY KEY, words TEXT)",
        "CREATE TABLE replies (letter INTEGER REFERENCES state.letters)",
        database=template,
    )
    return Renewed(postgres, template)


def test_what_a_test_has_written_is_gone_and_what_was_there_is_there_again(postgres: Postgres, renewed: Renewed) -> None:
    name = renewed.fresh()
    for _ in range(2):
        write = "INSERT INTO state.letters (words) VALUES ('it') RETURNING number"
        assert postgres.execute(write, database=name)[0]["number"] == 1, "the numbers begin anew as well"
        postgres.execute("INSERT INTO replies VALUES (1)", "UPDATE versions SET number = 2", database=name)
        assert renewed.fresh() == name
        found = postgres.execute(
            "SELECT (SELECT count(*) FROM replies), (SELECT array_agg(number) FROM versions)", database=name
        )
        assert tuple(found[0]) == (0, [1])


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (number INTEGER)",
        "DROP TABLE replies",
        "ALTER TABLE state.letters DROP CONSTRAINT letters_pkey CASCADE",
        "CREATE INDEX words ON state.letters (words)",
        "ALTER TABLE state.letters ADD CONSTRAINT refuses CHECK (words <> 'no') NOT VALID",
        "ALTER TABLE state.letters ALTER COLUMN words SET NOT NULL",
        "ALTER TABLE versions ALTER COLUMN number TYPE BIGINT",
        "CREATE VIEW read AS SELECT * FROM state.letters",
        "CREATE SCHEMA more",
    ],
)
def test_a_database_whose_tables_a_test_has_changed_is_used_no_more(postgres: Postgres, renewed: Renewed, change: str) -> None:
    name = renewed.fresh()
    postgres.execute(change, database=name)
    assert renewed.fresh() != name


async def test_whoever_a_test_has_left_connected_is_let_go(postgres: Postgres, renewed: Renewed) -> None:
    left = await asyncpg.connect(postgres.url(renewed.fresh()), timeout=10)
    await left.execute("BEGIN; INSERT INTO versions VALUES (3)")
    name = await asyncio.to_thread(renewed.fresh)
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError)):
        await left.execute("COMMIT")
    assert [tuple(each) for each in postgres.execute("SELECT * FROM versions", database=name)] == [(1,)]
