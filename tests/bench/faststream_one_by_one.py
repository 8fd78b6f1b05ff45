"""A FastStream handler for the router's own job: a contact a call, a transaction a contact, settled after it.

It decodes, reads, matches, decides and writes by the router's own code: python -m tests.bench.faststream_one_by_one LOG REGISTER GROUP.
"""

import asyncio
import sys
from typing import Any, cast

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from ingest.clock import now
from ingest.contract import Record
from ingest.database import Database
from ingest.log import Delivery, Partition
from ingest.log.kafka import KafkaLog
from ingest.settings import LogSettings
from ingest.telemetry import write_lines
from router.readers import Readers
from router.store import Store
from router.worker import Worker
from tests.bench.embedded import KEY, house
from tests.bench.rows import CONTACTS


async def run(log_url: str, register_url: str, group: str) -> None:
    """Until it is ended."""
    log, database, ours = KafkaLog(LogSettings(url=log_url)), Database(register_url), house()
    store = Store(database, ours, now)
    worker = Worker(log, database, store, ours, {}, now, asyncio.Event(), KEY, Readers(0))
    topic = await log.describe(CONTACTS)
    places = {number: Partition(topic.log_id, CONTACTS, number) for number in topic.numbers}
    worker.expected.update({each: position or 0 for each, position in (await store.assume(list(places.values()))).items()})
    broker = KafkaBroker(log_url.partition("://")[2], logger=None)

    @broker.subscriber(CONTACTS, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL)
    async def one(_: bytes, message: KafkaMessage) -> None:  # pyright: ignore[reportUnusedFunction]
        found = cast(Any, message.raw_message)
        record = Record(found.key.decode(), found.value, tuple(found.headers))
        await worker._commit(await worker._open([Delivery(places[found.partition], found.offset, now(), record)]))
        await message.ack()

    await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    write_lines()
    asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3]))
