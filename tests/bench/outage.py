"""Kafka is stopped for some minutes while the public port takes in twenty submissions a second, each at its time whatever became of the last.

Then it is counted: were all answered and how soon, does the log have every one that was answered and how soon after the broker's return,
and what the register makes of it, by a router of its own.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from ingest import state
from ingest.database import upgrade
from ingest.errors import IngestError, Unavailable
from ingest.log.kafka import KafkaLog
from ingest.receive import CONTACTS
from ingest.settings import LogSettings
from router.register import MIGRATIONS
from tests.bench import doors, scaled
from tests.servers.kafka import running_kafka
from tests.servers.postgres import running_postgres

A_SECOND: Final = 20
_AROUND_SECONDS: Final = 5  # before the outage and after it
_GOAL_SECONDS: Final = 60  # within which the log has all once Kafka is back
_PATIENCE_SECONDS: Final = 300.0
_ONE_IS_A_FORM: Final = 20
_SPARE_SECONDS: Final = 90  # for the broker's end and beginning, and the time that the log takes
_PAGE: Final = 2_000

Send = Callable[[int], Awaitable[None]]
"""Hands in the submission of that number; returns once it is accepted, and raises where it is not."""


@contextmanager
def by_http(place: scaled.Ground, register: str, seconds: float) -> Generator[tuple[doors.Place, Send]]:
    """The role ``web``. Of twenty submissions one is a form, filled in before, and the others are another system's contacts."""
    most = int(A_SECOND * (seconds + _SPARE_SECONDS))
    with doors.service(place.folder / "web", place.kafka.url, register) as web:
        forms = iter(asyncio.run(doors.forms(web.port, most // _ONE_IS_A_FORM)))
        published = doors.publications(most)

        async def send(number: int) -> None:
            request, wanted = (next(published), 202) if number % _ONE_IS_A_FORM else (next(forms), 303)
            async with doors.connected(web.port) as connection:
                status, _, _ = await connection.ask(request)
            if status != wanted:
                raise Unavailable(str(status), "It was turned away.")

        yield web, send


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
            await self.send(number)
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


def outage(folder: Path, seconds: float) -> Mapping[str, Any]:
    """The whole story, as figures. Skipped, as a test is, where a server is not installed."""
    with contextmanager(running_kafka)() as kafka, contextmanager(running_postgres)(durable=True) as postgres:
        register = postgres.url(postgres.create())
        upgrade(register, [MIGRATIONS, state.MIGRATIONS])
        asyncio.run(scaled.make_topics(kafka.url))
        place = scaled.Ground(folder, kafka, postgres, 0, "")
        with by_http(place, register, seconds) as (web, send):
            found, accepted = asyncio.run(_outage(place, Stream(send), seconds))
        return {**found, **asyncio.run(_routed(place, register, web.config, accepted))}


async def _outage(place: scaled.Ground, stream: Stream, seconds: float) -> tuple[Mapping[str, Any], int]:
    seen, stopping = OnTheLog(place.kafka.url), asyncio.Event()
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
    }, len(stream.accepted)


async def _routed(place: scaled.Ground, register: str, config: Path, wanted: int) -> Mapping[str, int]:
    """What the register makes of it: contacts, current dispositions, and contacts that came with two contents."""
    query = """SELECT (SELECT count(*) FROM contacts),
        (SELECT count(*) FROM dispositions WHERE current), (SELECT count(*) FROM variants)"""
    count = partial(asyncio.to_thread, place.postgres.execute, query, database=register.rpartition("/")[2])
    async with scaled.side(place, register, [*scaled.INGEST, "run", "router", "--config", str(config)]):
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
