"""The kinds of log that the conformance suite judges: how each is opened, and what it says of itself."""

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pytest

from ingest.clock import Clock
from ingest.log import Consumption, Feature, Log, Partition
from ingest.log.sqlite import SqliteLog

LIMIT = 100_000
"""The largest record of the logs under test."""

OpenLog = Callable[[], Awaitable[Log]]
_numbers = itertools.count()


def _sqlite(folder: Path, clock: Clock) -> OpenLog:
    return partial(
        SqliteLog.open,
        folder / "log.db",
        exclusive=True,
        clock=clock,
        retention=timedelta(days=30),
        most_record_bytes=LIMIT,
    )


KINDS = {"sqlite": _sqlite}


@pytest.fixture(params=KINDS)
def open_log(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> OpenLog:
    """What opens the log under test; a second call opens the same one, as another start of the service would."""
    return KINDS[request.param](tmp_path, clock)


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncGenerator[Log]:
    """The log under test."""
    opened = await open_log()
    yield opened
    await opened.close()


@pytest.fixture
async def topic(log: Log) -> str:
    """A topic that nobody has written on."""
    assert Feature.MAKES_TOPICS in log.features, "a kind that makes no topics has its fixture make one here"
    return f"letters-{next(_numbers)}"


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
