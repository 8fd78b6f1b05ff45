"""A FastStream handler for the writing alone: a contact a call, a transaction a contact, settled after it.

Writes rows that it has already, by the plain pipeline's statement: python -m tests.bench.faststream_writing BOOTSTRAP URL ROWS GROUP.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, cast

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from ingest.contract import Contact
from tests.bench.rows import CONTACTS, Written


async def run(bootstrap: str, url: str, rows: Written, group: str) -> None:
    """Until it is ended."""
    connection = await asyncpg.connect(url)
    broker = KafkaBroker(bootstrap, logger=None)
    statement = rows.statement()

    @broker.subscriber(CONTACTS, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL)
    async def one(contact: Contact, message: KafkaMessage) -> None:  # pyright: ignore[reportUnusedFunction]
        found = cast(Any, message.raw_message)
        await connection.execute(statement, *rows.arguments([contact.id], {found.partition: found.offset + 1}))
        await message.ack()

    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], Written.kept(Path(sys.argv[3])), sys.argv[4]))
