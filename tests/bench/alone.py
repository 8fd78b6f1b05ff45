"""The router's worker in a process of its own, without outbox, duties or pages: python -m tests.bench.alone LOG REGISTER [PROFILE]."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from ingest.clock import now
from ingest.database import Database
from ingest.log.kafka import KafkaLog
from ingest.settings import LogSettings
from ingest.telemetry import write_lines
from router.readers import Readers
from router.store import Store
from router.worker import Worker
from tests.bench.embedded import KEY, house
from tests.bench.sampling import BEGIN, OnTheMainThread, Sampler


async def run(log_url: str, register_url: str, profile: Path | None) -> None:
    """Until it is told to stop; a profile of it is left where one is wanted."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    log, database, ours, sampler = KafkaLog(LogSettings(url=log_url)), Database(register_url), house(), Sampler()
    readers = Readers(0) if profile else Readers.for_this_machine()
    if profile:
        asyncio.get_running_loop().set_default_executor(OnTheMainThread())
        signal.signal(BEGIN, lambda *_: sampler.start())
    await Worker(log, database, Store(database, ours, now), ours, {}, now, stopping, KEY, readers).run()
    if profile:
        sampler.stop()
        profile.write_text(json.dumps(sampler.found()), encoding="utf-8")
    readers.close()
    await database.close()
    await log.close()


if __name__ == "__main__":
    write_lines()
    asyncio.run(run(sys.argv[1], sys.argv[2], Path(sys.argv[3]) if len(sys.argv) > 3 else None))
