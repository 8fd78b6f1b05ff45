"""Kafka is stopped for some minutes while contacts go on coming, twenty a second, each at its time whatever became of those before it.

Then it is counted: were all answered and how soon, does the log have every one that was answered and how soon after the broker's return,
and what the register makes of it, by a router of its own. Another door is measured by another ``Door``: all it must do is take bytes and
say yes.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from channels.email.translate import translate
from ingest import state
from ingest.clock import now
from ingest.commands.topic import NAMES
from ingest.database import Database, upgrade
from ingest.errors import IngestError, Unavailable
from ingest.log.kafka import KafkaLog
from ingest.log.spool import SpooledLog
from ingest.originals import Originals
from ingest.receive import CONTACTS, Arrival, receive
from ingest.settings import LogSettings
from router.register import MIGRATIONS
from tests.bench import scaled
from tests.journeys.test_killed_midway import letter
from tests.servers.kafka import running_kafka
from tests.servers.postgres import running_postgres

KEY: Final = b"0123456789abcdef" * 4
A_SECOND: Final = 20
_AROUND_SECONDS: Final = 5  # before the outage and after it
_GOAL_SECONDS: Final = 60  # within which the log has all once Kafka is back
_PATIENCE_SECONDS: Final = 300.0
_PARTITIONS: Final = 6
_PAGE: Final = 2_000

Send = Callable[[bytes], Awaitable[None]]
"""Hands in the bytes of one letter; returns once it is accepted, and raises where it is not."""

Door = Callable[[scaled.Ground, str], AbstractAsyncContextManager[Send]]
"""Opens a door that takes in for a register, by its address."""


@asynccontextmanager
async def by_receive(place: scaled.Ground, register: str) -> AsyncGenerator[Send]:
    """What every door does, without one: ``receive``, as a channel's role calls it."""
    chosen = LogSettings(url=place.kafka.url, spool=place.folder / "spool")
    log = await SpooledLog.open(KafkaLog(chosen), "email", chosen, now)
    originals, database = Originals(f"file://{place.folder}/originals"), Database(register)

    async def send(original: bytes) -> None:
        how: dict[str, Any] = {"account": "care", "received_at": datetime.now(UTC), "backfill": False, "authserv_id": None}
        arrival = Arrival(original, partial(translate, **how))
        await receive([arrival], originals=originals, log=log, database=database, key=KEY)

    try:
        yield send
    finally:
        await log.close()
        await database.close()


@dataclass
class Stream:
    """Letters at their times, and what each was told."""

    send: Send
    sent: int = 0
    took: list[float] = field(default_factory=list[float])
    turned_away: Counter[str] = field(default_factory=Counter[str])
    accepted: set[int] = field(default_factory=set[int])

    async def flow(self, stopping: asyncio.Event) -> None:
        """Until told to stop, then until each has its answer."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                group.create_task(self._one(self.sent))
                self.sent += 1
                await asyncio.sleep(max(0, began + self.sent / A_SECOND - time.monotonic()))

    async def _one(self, number: int) -> None:
        began = time.monotonic()
        try:
            await self.send(letter(number))
        except (IngestError, OSError) as error:
            self.turned_away[getattr(error, "reason", type(error).__name__)] += 1
        else:
            self.accepted.add(number)
        self.took.append(time.monotonic() - began)


class OnTheLog:
    """How many contacts the log has, and how many repeats."""

    def __init__(self, url: str) -> None:
        self._log = KafkaLog(LogSettings(url=url))
        self._after: dict[int, int] = {}
        self.found: Counter[str] = Counter()

    async def look(self) -> int:
        """As far as it went when asked: more comes all the time."""
        with suppress(Unavailable):  # it is not back yet
            more = True
            while more:
                page = await self._log.read(CONTACTS.name, after=self._after, most=_PAGE)
                self._after.update({each.partition.number: each.position + 1 for each in page})
                self.found.update(each.record.header("ce_id") or "" for each in page)
                more = len(page) >= _PAGE
        return len(self.found)

    async def until(self, wanted: int, since: float) -> float:
        """In how many seconds it has so many."""
        while await self.look() < wanted and time.monotonic() - since < _PATIENCE_SECONDS:
            await asyncio.sleep(1)
        return time.monotonic() - since

    async def close(self) -> None:
        """Let go of the log."""
        await self._log.close()


def outage(folder: Path, seconds: float, door: Door = by_receive) -> Mapping[str, Any]:
    """The whole story, as figures. Skipped, as a test is, where a server is not installed."""
    with contextmanager(running_kafka)() as kafka, contextmanager(running_postgres)(durable=True) as postgres:
        (folder / "key").write_bytes(KEY)
        register = postgres.url(postgres.create())
        upgrade(register, [MIGRATIONS, state.MIGRATIONS])
        return asyncio.run(_outage(scaled.Ground(folder, kafka, postgres, 0, ""), register, door, seconds))


async def _outage(place: scaled.Ground, register: str, door: Door, seconds: float) -> Mapping[str, Any]:
    log = KafkaLog(LogSettings(url=place.kafka.url))
    await log.create_topics(NAMES, partitions=_PARTITIONS, replication=1, min_isr=1, retention=timedelta(days=30))
    await log.close()
    seen, stopping = OnTheLog(place.kafka.url), asyncio.Event()
    async with door(place, register) as send:
        stream = Stream(send)
        flowing = asyncio.create_task(stream.flow(stopping))
        await asyncio.sleep(_AROUND_SECONDS)
        await asyncio.to_thread(place.kafka.stop)
        before = len(stream.accepted)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(place.kafka.start)
        back, by_then = time.monotonic(), len(stream.accepted)
        had_all_in = await seen.until(by_then, back)
        await asyncio.sleep(_AROUND_SECONDS)
        stopping.set()
        await flowing
        await seen.until(len(stream.accepted), time.monotonic())
    await seen.close()
    contacts = await _routed(place, register, len(stream.accepted))
    quick = sorted(stream.took)
    return {
        "seconds": seconds,
        "sent": stream.sent,
        "answered": len(quick),
        "turned_away": dict(stream.turned_away),
        "accepted": len(stream.accepted),
        "p50_ms": round(statistics.median(quick) * 1000, 1),
        "p99_ms": round(quick[int(len(quick) * 0.99)] * 1000, 1),
        "slowest_ms": round(quick[-1] * 1000, 1),
        "accepted_without_kafka": by_then - before,
        "on_the_log": len(seen.found),
        "repeats_on_the_log": seen.found.total() - len(seen.found),
        "had_all_in_seconds": round(had_all_in, 1),
        **contacts,
    }


async def _routed(place: scaled.Ground, register: str, wanted: int) -> Mapping[str, int]:
    """What the register makes of it: contacts, current dispositions, and contacts that came with two contents."""
    query = """SELECT (SELECT count(*) FROM contacts),
        (SELECT count(*) FROM dispositions WHERE current), (SELECT count(*) FROM variants)"""
    count = partial(asyncio.to_thread, place.postgres.execute, query, database=register.rpartition("/")[2])
    async with scaled.side(place, register, place.service(register)):
        since = time.monotonic()
        while True:
            ((contacts, _, _),) = await count()
            if contacts >= wanted or time.monotonic() - since > _PATIENCE_SECONDS:
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)  # were one doubled, it would come now
        ((contacts, decided, variants),) = await count()
    return {"register_contacts": contacts, "register_decided": decided, "register_variants": variants}


def verdict(found: Mapping[str, Any]) -> list[str]:
    """What falls short."""
    short: list[str] = []
    if found["answered"] != found["sent"] or found["turned_away"]:
        short.append(f"not all were accepted: {found['turned_away']}")
    if found["on_the_log"] != found["accepted"]:
        short.append(f"the log has {found['on_the_log']} of {found['accepted']}")
    if found["had_all_in_seconds"] > _GOAL_SECONDS:
        short.append(f"the log had all only after {found['had_all_in_seconds']} s")
    if not found["register_contacts"] == found["register_decided"] == found["accepted"] or found["register_variants"]:
        short.append("the register has another number of them")
    return short
