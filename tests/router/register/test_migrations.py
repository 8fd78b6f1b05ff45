"""What a register of an earlier release held stands after it is brought up to date."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import Database
from router.match import Query
from router.register import MIGRATIONS, index, tables
from router.register.search import candidates


def brought(to: str):
    def bring(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(MIGRATIONS)))
        config.attributes["connection"] = connection
        command.upgrade(config, to)

    return bring


async def as_of(connection: AsyncConnection, release: str) -> None:
    """A register that has nothing in it, with an earlier release's tables."""
    for table in [*tables.metadata.tables, "register_version"]:
        await connection.execute(text(f"DROP TABLE {table}"))
    await connection.run_sync(brought(release))


async def test_a_handoff_of_before_is_due_48_hours_after_it_was_handed_on(register_url, clock):
    database = Database(register_url)
    async with database.write() as connection:
        await as_of(connection, "0002_allocation")
        old = {"id": UUID(int=1), "contact_id": UUID(int=2), "team": "intake", "mailbox": "intake@example.org", "state": "sent",
               "handed_off_at": clock(), "body": "{}"}  # fmt: skip
        await connection.execute(tables.handoffs.insert().values(**old))
        await connection.run_sync(brought("head"))
        row = (await connection.execute(select(tables.handoffs))).one()
    await database.close()
    assert (row.state, row.due, row.taken_by) == ("sent", clock() + timedelta(hours=48), None)


async def test_of_the_links_of_before_the_last_stands_and_each_has_a_grade(register_url, clock):
    database = Database(register_url)
    async with database.write() as connection:
        await as_of(connection, "0003_handoffs")
        links = tables.links
        for number, (who, by, hours) in enumerate((("R1", "router", 0), ("R2", "Sam", 1), ("R3", "router", 0))):
            row = {"contact_id": UUID(int=7 if number < 2 else 8), "individual_id": who, "evidence": [], "by": by}
            await connection.execute(links.insert().values(**row, at=clock() + timedelta(hours=hours)))
        await connection.run_sync(brought("head"))
        rows = (await connection.execute(select(links).order_by(links.c.individual_id))).all()
    await database.close()
    assert [(row.grade, row.undone_by) for row in rows] == [("probable", "upgrade"), ("chosen", None), ("probable", None)]


async def test_people_of_before_are_found_once_their_keys_are_made(register_url, clock):
    database = Database(register_url)
    async with database.write() as connection:
        await as_of(connection, "0003_handoffs")
        old = {"id": "R1", "given": "Joan", "surname": "Asante Boyd", "canonical": "asante boyd", "key": "asante boyd, joan"}
        columns = "id, given_name, surname, canonical_surname, name_key, agreed_methods, forbidden_methods, imported_at"
        values = ":id, :given, :surname, :canonical, :key, '[]', '[]', '2026-01-01T00:00:00.000000Z'"
        await connection.execute(text(f"INSERT INTO individuals ({columns}) VALUES ({values})"), old)
        await connection.run_sync(brought("head"))
        assert await connection.scalar(select(tables.individuals.c.canonical_forename)) == "joan"
        assert not await index.is_whole(connection)
    await index.build(database)
    async with database.read() as connection:
        ((found,),) = await candidates(connection, [Query(names=("Joan Boyd",))], clock().date())
    await database.close()
    assert found.individual_id == "R1"
