"""What a register of an earlier release held stands after it is brought up to date."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

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


async def test_a_handoff_of_before_is_due_48_hours_after_it_was_handed_on(register_url, clock):
    database = Database(register_url)
    async with database.write() as connection:
        for table in [*tables.metadata.tables, "register_version"]:
            await connection.execute(text(f"DROP TABLE {table}"))
        await connection.run_sync(brought("0002_allocation"))
        old = {"id": UUID(int=1), "contact_id": UUID(int=2), "team": "intake", "mailbox": "intake@example.org", "state": "sent",
               "handed_off_at": clock(), "body": "{}"}  # fmt: skip
        await connection.execute(tables.handoffs.insert().values(**old))
        await connection.run_sync(brought("head"))
        row = (await connection.execute(select(tables.handoffs))).one()
    await database.close()
    assert (row.state, row.due, row.taken_by) == ("sent", clock() + timedelta(hours=48), None)


async def test_people_of_before_are_found_once_their_keys_are_made(register_url, clock):
    database = Database(register_url)
    async with database.write() as connection:
        for table in [*tables.metadata.tables, "register_version"]:
            await connection.execute(text(f"DROP TABLE {table}"))
        await connection.run_sync(brought("0003_handoffs"))
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
