"""The router's worker in a process of its own, without outbox, duties or pages: python -m tests.bench.alone CONFIG [PROFILE]."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from ingest.clock import now
from ingest.commands.run import service
from ingest.settings import load
from ingest.telemetry import write_lines
from router.worker import Worker
from tests.bench.sampling import Sampler


async def run(config: Path, profile: Path | None) -> None:
    """Until it is told to stop; a profile of it is left where one is wanted."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with service(load(config), now, stopping) as it:
        sampler = Sampler()
        if profile:
            sampler.start()
        await Worker(it.log, it.database, it.store, it.house, it.settings.publishers, it.clock, it.stopping).run()
        if profile:
            sampler.stop()
            profile.write_text(json.dumps(sampler.found()), encoding="utf-8")


if __name__ == "__main__":
    write_lines()
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
