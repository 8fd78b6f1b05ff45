"""What a register of an earlier release held stands after it is brought up to date."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from ingest.database import Database
from router.register import MIGRATIONS, tables


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
