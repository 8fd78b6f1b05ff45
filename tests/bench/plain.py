"""The plain pipeline: takes 500 contacts at a time, decodes them, and writes rows that it has already in one statement.

Neither matches nor reads: python -m tests.bench.plain BOOTSTRAP URL ROWS GROUP.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, cast

import asyncpg
from aiokafka import AIOKafkaConsumer

from ingest.contract import Contact
from tests.bench.rows import CONTACTS, Written

_BATCH = 500


async def run(bootstrap: str, url: str, rows: Written, group: str) -> None:
    """Until it is ended."""
    connection = await asyncpg.connect(url)
    consumer: Any = cast(Any, AIOKafkaConsumer)(
        CONTACTS, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    statement = rows.statement()
    while True:
        found = await consumer.getmany(timeout_ms=500, max_records=_BATCH)
        contacts = [Contact.model_validate_json(each.value).id for records in found.values() for each in records]
        if not contacts:
            continue
        following = {place.partition: records[-1].offset + 1 for place, records in found.items()}
        await connection.execute(statement, *rows.arguments(contacts, following))
        await consumer.commit({place: following[place.partition] for place in found})


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], Written.kept(Path(sys.argv[3])), sys.argv[4]))
