"""How much the public port takes in: forms sent, ``POST /contacts`` and webhooks, each durable before its answer, beside an empty 200.

The role ``web`` runs as it is run, on the embedded log and on Kafka with PostgreSQL. The empty 200 is the same server's, in a process of
its own. So many connections ask at once, each again as soon as it has its answer, which is as much as the server can bear. What was accepted
is looked for on the log afterwards: one that is missing, or there twice, fails the bench.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from channels.web_form.questions import CHECK
from ingest import state
from ingest.clock import now
from ingest.commands.terminal import open_log
from ingest.database import upgrade
from ingest.ids import digest
from ingest.settings import load
from router.register import MIGRATIONS
from tests.bench import scaled
from tests.bench.contacts import contacts
from tests.bench.embedded import KEY
from tests.bench.rows import CONTACTS
from tests.bench.webhooks import accounts, posts, request, texts
from tests.channels.web_form.conftest import Person
from tests.servers.kafka import running_kafka
from tests.servers.loopback import free_ports, listens
from tests.servers.postgres import running_postgres
from tests.servers.providers import Twilio

CONNECTIONS: Final = 64
GOAL: Final = 0.3
_GOAL_SECONDS: Final = 2.0
_READY_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 60.0
_PUBLISHERS_KEY: Final = "4b1d0a6f9c3e7285b6d4f1a09e8c7352"
_DOORS: Final = """
[channels.web_form.care]
contact = "care@ombudsman.example"
most_an_hour = 1_000_000
quickest = "1ms"

[publishers."urn:example:bench"]
keys = ["{publisher}"]
"""
_TWILIO: Final = Twilio()
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: ([0-9]+)\r\n")

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """Answers a second, how long they took (seconds), and how many there were of each status."""

    a_second: float
    p50: float
    p99: float
    statuses: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A service that runs: its public port and its settings."""

    port: int
    config: Path


class Connection:
    """One to the server, kept open; just as much HTTP/1.1 as the answers of ours need."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        async with asyncio.timeout(_ANSWER_SECONDS):
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await self._reader.readexactly(int(length[1])) if length else b""
        return int(head[9:12]), head, body

    def close(self) -> None:
        """End it."""
        self._writer.close()


@asynccontextmanager
async def connected(port: int) -> AsyncGenerator[Connection]:
    """A connection of one's own."""
    one = Connection(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))
    try:
        yield one
    finally:
        one.close()


async def drive(port: int, requests: Iterable[bytes]) -> Taken:
    """All of them, by so many connections at once."""
    waiting, took, statuses = iter(requests), list[float](), Counter[int]()

    async def one() -> None:
        async with connected(port) as connection:
            for request in waiting:
                began = time.perf_counter()
                status, _, _ = await connection.ask(request)
                took.append(time.perf_counter() - began)
                statuses[status] += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(one())
    rate = len(took) / (time.perf_counter() - began)
    took.sort()
    return Taken(rate, took[len(took) // 2], took[len(took) * 99 // 100], dict(statuses))


def publications(number: int) -> Iterator[bytes]:
    """Requests with a contact each, under a key of its own."""
    for each in contacts(number):
        told: dict[str, Any] = {
            "channel": "telephone",
            "account": "0300 123 4567",
            "received_at": now().isoformat(),
            "sender": each.sender.model_dump(mode="json", exclude={"identifiers": {"__all__": {"verified_by"}}}),
            "text": each.text,
        }
        yield request(
            "POST",
            "/contacts",
            json.dumps(told).encode(),
            authorization=f"Bearer {_PUBLISHERS_KEY}",
            content_type="application/json",
            idempotency_key=f"bench-{next(_numbers)}",
        )


async def forms(port: int, number: int) -> list[bytes]:
    """Requests that send a form each, which has been filled in page by page up to its last."""
    made, left = list[bytes](), iter(range(number))

    async def people() -> None:
        for _ in left:
            person = Person(f"http://127.0.0.1:{port}")
            await person.fill_in()
            cookie = "; ".join(f"{each.name}={each.value}" for each in person.client.cookies.jar)
            await person.client.aclose()
            kind = "application/x-www-form-urlencoded"
            made.append(request("POST", f"/{CHECK}", urlencode(person.hidden()).encode(), cookie=cookie, content_type=kind))

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(people())
    return made


@contextmanager
def running(command: Sequence[str], port: int) -> Generator[subprocess.Popen[bytes]]:
    """A process that listens on that port."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + _READY_SECONDS
        while not listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{' '.join(command)} does not listen")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service(folder: Path, log: str, register: str) -> Generator[Place]:
    """The role ``web``."""
    folder.mkdir(exist_ok=True)
    (public,) = free_ports(1)
    (folder / "key").write_bytes(digest(KEY).encode())
    path = folder / "ingest.toml"
    shared = scaled.SETTINGS.format(log=log, register=register, public=public)
    path.write_text(shared + _DOORS.format(publisher=digest(_PUBLISHERS_KEY.encode())) + accounts(folder, _TWILIO))
    with running([*scaled.INGEST, "run", "web", "--config", str(path)], public):
        yield Place(public, path)


@contextmanager
def embedded(folder: Path) -> Generator[Place]:
    """On one machine alone."""
    folder.mkdir(exist_ok=True)
    register = f"sqlite:///{folder / 'register.db'}"
    upgrade(register, [MIGRATIONS, state.MIGRATIONS])
    with service(folder, f"sqlite:///{folder / 'log.db'}", register) as place:
        yield place


@contextmanager
def scaled_out(folder: Path) -> Generator[Place]:
    """On Kafka and PostgreSQL, each commit synced. Skipped, as a test is, where a server is not installed."""
    with contextmanager(running_kafka)() as kafka, contextmanager(running_postgres)(durable=True) as postgres:
        asyncio.run(scaled.make_topics(kafka.url))
        register = postgres.url(postgres.create())
        upgrade(register, [MIGRATIONS, state.MIGRATIONS])
        with service(folder, kafka.url, register) as place:
            yield place


def empty(number: int) -> Taken:
    """The same server's empty 200."""
    (port,) = free_ports(1)
    with running([sys.executable, "-m", "tests.bench.empty_door", f"127.0.0.1:{port}"], port):
        asyncio.run(drive(port, [request("GET", "/empty")] * CONNECTIONS))
        return asyncio.run(drive(port, [request("GET", "/empty")] * number))


async def on_the_log(place: Place) -> dict[str, list[bytes]]:
    """What stands there under each contact's source and id, in order."""
    log, after, found = await open_log(load(place.config), exclusive=False), dict[int, int](), dict[str, list[bytes]]()
    while page := await log.read(CONTACTS, after=after, most=1_000):
        after.update({each.partition.number: each.position + 1 for each in page})
        for each in page:
            key = f"{each.record.header('ce_source')} {each.record.header('ce_id')}"
            found.setdefault(key, []).append(each.record.value or b"")
    await log.close()
    return found


def measured(folder: Path, number: int, turns: int) -> tuple[dict[str, list[Taken]], list[str]]:
    """Each side's rounds by its name, and what was lost or doubled, as sentences."""
    sides: dict[str, list[Taken]] = {}
    wrong = list[str]()
    for kind, ground in (("embedded", embedded), ("kafka", scaled_out)):
        accepted = 0
        with ground(folder / kind) as place:
            asyncio.run(drive(place.port, publications(CONNECTIONS)))
            accepted += CONNECTIONS
            for _ in range(turns):
                sides.setdefault(f"empty_beside_{kind}", []).append(empty(number))
                filled = asyncio.run(forms(place.port, number // 10))
                turn = (
                    ("contacts", publications(number), 202),
                    ("forms", filled, 303),
                    ("texts", list(texts(_TWILIO, number)), 200),
                    ("posts", list(posts(number)), 200),
                )
                for side, requests, good in turn:
                    taken = asyncio.run(drive(place.port, requests))
                    accepted += taken.statuses.get(good, 0)
                    sides.setdefault(f"{side}_{kind}", []).append(taken)
                    if set(taken.statuses) != {good}:
                        wrong.append(f"{side} on {kind} were answered {dict(taken.statuses)}")
            found = asyncio.run(on_the_log(place))
        if len(found) != accepted:
            wrong.append(f"{accepted} were accepted on {kind}, and the log has {len(found)}")
        if doubled := sum(len(each) > 1 for each in found.values()):
            wrong.append(f"{doubled} are on the log of {kind} more than once")
    return sides, wrong


def verdict(sides: Mapping[str, Sequence[Taken]]) -> dict[str, Any]:
    """Ratios to the empty 200 of the same turn, and the medians of the rounds."""
    found: dict[str, Any] = {"sides": {}}
    for side, rounds in sides.items():
        found["sides"][side] = {
            "a_second": median(each.a_second for each in rounds),
            "p50_ms": median(each.p50 for each in rounds) * 1e3,
            "p99_ms": max(each.p99 for each in rounds) * 1e3,
        }
        what, _, kind = side.partition("_")
        if what != "empty":
            beside = sides[f"empty_beside_{kind}"]
            found[f"{side}_vs_empty"] = median(each.a_second / none.a_second for each, none in zip(rounds, beside, strict=True))
    found["p99_under_two_seconds"] = all(each.p99 < _GOAL_SECONDS for rounds in sides.values() for each in rounds)
    return found
