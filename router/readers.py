"""The processes that open records, so that the next batch is read while the one before it is decided on and committed.

Reading is most of what a contact costs, and Python does it on one core at a time. What breaks the process that reads it, or
keeps it for too long, is found by halving and is a dead letter: its neighbours are read by the next process.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from typing import Final, Self

from ingest.contract import Record
from ingest.errors import Unavailable
from ingest.telemetry import ERRORS, telemetry
from router.opening import Opened, Terms, opened, poison

_CPU_SECONDS: Final = 30.0  # a batch takes one, and a letter as long as any that is read some hundredths
_say = telemetry("router")


class Readers:
    """So many processes; none of them where this one should do it in a thread, as on a single core or where it must be seen."""

    def __init__(self, processes: int, cpu_seconds: float = _CPU_SECONDS) -> None:
        self._processes = processes
        self._cpu_seconds = cpu_seconds
        self._pool: ProcessPoolExecutor | None = None

    @classmethod
    def for_this_machine(cls) -> Self:
        """One beside the router's own process, two where there are cores for them: more would wait for the router.

        Of cores those count that the process may run on, which a container or an operator may have limited.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(min(2, cores - 1))

    async def open(self, records: Sequence[Record], terms: Terms) -> list[Opened]:
        """Each record opened, in order. Raises Unavailable(``no-reader``) where no process can be had."""
        if not self._processes:
            return await asyncio.to_thread(opened, records, terms)
        try:
            return await self._attempt(records, terms)
        except BrokenExecutor:
            if (half := len(records) // 2) > 0:
                return [*await self.open(records[:half], terms), *await self.open(records[half:], terms)]
        try:  # it may have been ended for another's sake
            return await self._attempt(records, terms)
        except BrokenExecutor as error:
            return [poison(error)]

    async def _attempt(self, records: Sequence[Record], terms: Terms) -> list[Opened]:
        pool = self._pool = self._pool or await self._started()
        share = -(-len(records) // self._processes)
        parts = [records[at : at + share] for at in range(0, len(records), share)]
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.gather(
                *(loop.run_in_executor(pool, _opened_in_time, part, terms, self._cpu_seconds) for part in parts)
            )
        except BrokenExecutor:
            self._pool = None
            _end(pool)
            ERRORS.labels("router", "reader-lost").inc()
            _say.error("reader-lost", records=len(records))
            raise
        return [each for part in found for each in part]

    async def _started(self) -> ProcessPoolExecutor:
        fresh = multiprocessing.get_context("spawn")  # a fork would have a copy of every lock that a thread here holds
        pool = ProcessPoolExecutor(self._processes, mp_context=fresh, initializer=_alone)
        try:
            await asyncio.get_running_loop().run_in_executor(pool, os.getpid)
        except BrokenExecutor as error:
            raise Unavailable("no-reader", "The process that reads what came in cannot be started.") from error
        return pool

    def close(self) -> None:
        """End them."""
        if self._pool is not None:
            _end(self._pool)


def _end(pool: ProcessPoolExecutor) -> None:
    for each in list((pool._processes or {}).values()):  # noqa: SLF001 - its own kill_workers comes with Python 3.14
        with suppress(OSError):
            each.kill()
    pool.shutdown(wait=False, cancel_futures=True)


def _opened_in_time(records: Sequence[Record], terms: Terms, cpu_seconds: float) -> list[Opened]:
    """In the process that reads: past its CPU time it ends, whatever it is in (setitimer(2)). On a busy machine it may take longer."""
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return opened(records, terms)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _alone() -> None:
    """In each of them: the terminal's Ctrl-C is for the router to answer, and whoever outlives the router ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_router, daemon=True).start()


def _end_with_the_router() -> None:
    router = multiprocessing.parent_process()
    if router is not None:
        router.join()
        os._exit(0)
