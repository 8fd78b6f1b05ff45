"""The kinds of log that the conformance suite judges: how each is opened, and what it says of itself."""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import pytest

from ingest.clock import Clock
from ingest.errors import Unavailable
from ingest.log import Consumption, Log, Partition
from ingest.log.kafka import KafkaLog
from ingest.log.spool import SpooledLog
from ingest.log.sqlite import SqliteLog
from ingest.settings import LogSettings
from tests.servers.kafka import Kafka

LIMIT = 100_000
"""The largest record of the logs under test."""

OpenLog = Callable[[], Awaitable[Log]]
MakeTopic = Callable[[str], Awaitable[None]]
_numbers = itertools.count()


def kafka_settings(kafka: Kafka, **others: Any) -> LogSettings:
    """What an operator would write to use it."""
    return LogSettings.model_validate({"url": kafka.url, "most_record_bytes": LIMIT, **others})


async def answering(log: KafkaLog) -> KafkaLog:
    """The log, once its broker knows which topics there are: after a restart it listens sooner than that."""
    async with asyncio.timeout(60):
        while True:
            try:
                await log.describe("no-such-topic")
            except Unavailable as error:
                if error.reason == "topic-missing":
                    return log
            await asyncio.sleep(0.1)


async def make_topic(kafka: Kafka, name: str, partitions: int = 3) -> None:
    """As ``ingest topic create`` does, on a cluster of one."""
    log = await answering(KafkaLog(kafka_settings(kafka)))
    await log.create_topics([name], partitions=partitions, replication=1, min_isr=1, retention=timedelta(days=30))
    await log.close()


def _sqlite(_: pytest.FixtureRequest, folder: Path, clock: Clock) -> tuple[OpenLog, MakeTopic]:
    async def made_when_it_is_named(_: str) -> None:
        """Nothing to do."""

    opened = partial(
        SqliteLog.open,
        folder / "log.db",
        exclusive=True,
        clock=clock,
        retention=timedelta(days=30),
        most_record_bytes=LIMIT,
    )
    return opened, made_when_it_is_named


def _kafka(request: pytest.FixtureRequest, _: Path, __: Clock) -> tuple[OpenLog, MakeTopic]:
    server: Kafka = request.getfixturevalue("kafka")

    async def opened() -> Log:
        return KafkaLog(kafka_settings(server))

    return opened, partial(make_topic, server)


def _spool(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> tuple[OpenLog, MakeTopic]:
    server: Kafka = request.getfixturevalue("kafka")
    chosen = kafka_settings(server, spool=folder / "spool", spool_after="30s")

    async def opened() -> Log:
        return await SpooledLog.open(KafkaLog(chosen), "web", chosen, clock)

    return opened, partial(make_topic, server)


KINDS = [
    pytest.param(_sqlite, id="sqlite"),
    pytest.param(_kafka, id="kafka", marks=[pytest.mark.needs("kafka"), pytest.mark.xdist_group("kafka")]),
    pytest.param(_spool, id="spool", marks=[pytest.mark.needs("kafka"), pytest.mark.xdist_group("kafka")]),
]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> tuple[OpenLog, MakeTopic]:
    """What opens the log under test, and what makes a topic on it."""
    return request.param(request, tmp_path, clock)


@pytest.fixture
def open_log(kind: tuple[OpenLog, MakeTopic]) -> OpenLog:
    """What opens the log under test; a second call opens the same one, as another start of the service would."""
    return kind[0]


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncGenerator[Log]:
    """The log under test."""
    opened = await open_log()
    yield opened
    await opened.close()


@pytest.fixture
async def topic(kind: tuple[OpenLog, MakeTopic]) -> str:
    """A topic that nobody has written on."""
    name = f"letters-{next(_numbers)}-{os.getpid()}"
    await kind[1](name)
    return name


@pytest.fixture
async def other_topic(kind: tuple[OpenLog, MakeTopic]) -> str:
    """Another one."""
    name = f"others-{next(_numbers)}-{os.getpid()}"
    await kind[1](name)
    return name


class Reading(Protocol):
    """Read a topic from these positions by partition number, else from where the group last settled."""

    def __call__(
        self, log: Log, topic: str, group: str = ..., begin: Mapping[int, int] = ...
    ) -> AbstractAsyncContextManager[Consumption]: ...


@pytest.fixture
def reading() -> Reading:
    """How a group reads a topic when it has nothing to say of its coming and going."""

    def read(
        log: Log, topic: str, group: str = "readers", begin: Mapping[int, int] = MappingProxyType({})
    ) -> AbstractAsyncContextManager[Consumption]:
        async def assigned(partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
            return {each: begin.get(each.number) for each in partitions}

        async def revoked(_: Sequence[Partition]) -> None:
            """Nothing of these readers is ever in flight."""

        return log.consume(topic, group, assigned=assigned, revoked=revoked)

    return read
