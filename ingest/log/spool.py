"""The log where records wait on this machine's disk while Kafka is away or slow, and go on to it by themselves in their order.

An append is tried on Kafka for as long as a person at a web form can be kept waiting, then written to a file of this process alone, an
SQLite log. From then on every append goes there at once, and one task takes what waits to Kafka, oldest first. A record is removed
once Kafka has it. The door to Kafka opens again when nothing waits: for that moment, and within a bound, nobody is let in, so that no
append can overtake another. What a try left behind on its way may still arrive: readers drop repeats by ``ce_id``.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count, groupby
from pathlib import Path
from typing import Any, Final, TypeVar

from ingest.clock import Clock
from ingest.contract import Record
from ingest.durable import make_folder
from ingest.errors import IngestError, Misconfigured, Unavailable
from ingest.log import Assigned, Consumption, Delivery, Feature, Lag, Log, Partition, Revoked, refuse_too_large
from ingest.log.sqlite import HeldElsewhere, SqliteLog, is_held
from ingest.settings import LogSettings
from ingest.telemetry import SPOOL_OLDEST, SPOOLED_BYTES, SPOOLED_RECORDS, telemetry

_WAITING: Final = "waiting"
_TRIAL: Final = "trial"
_DRAIN: Final = "drain"
_TOPIC: Final = "topic"  # our own first header of a record that waits: where it goes
_TOPIC_BYTES: Final = 1_000
_ROOM_BYTES: Final = 65_536  # for the next contact, as long as most are
_PAGE: Final = 500
_PAGE_BYTES: Final = 8_000_000
_FEW: Final = 100  # so few left, Kafka has them before anybody who must wait meanwhile notices
_CLOSE_SECONDS: Final = 3.0  # for the try that is under way, which the library may be slow to give up
_REMOVE_SECONDS: Final = 60.0  # between tries to remove what Kafka has, where the disk was too full for that
_PAUSE_SECONDS: Final = (0.2, 2.0)  # between tries: the first, and the longest
_AT_ONCE: Final = timedelta(days=-36_500)  # retention of what Kafka has: none, whatever becomes of the clock

_say = telemetry("spool")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Left:
    """What waits in a file of the spool, and whether a process that runs has it."""

    name: str
    records: int
    oldest: datetime | None
    held: bool


async def left_in(folder: Path, clock: Clock) -> list[Left]:
    """Every file of a spool's folder, looked at beside whoever has it. Raises Misconfigured, Unavailable."""
    found: list[Left] = []
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("*.db"))):
        store = await SqliteLog.open(path, exclusive=False, clock=clock, retention=_AT_ONCE, most_record_bytes=0, shrinks=True)
        try:
            lag = await store.lag(_WAITING, _DRAIN)
        finally:
            await store.close()
        found.append(Left(path.stem, lag.records, lag.oldest, is_held(path)))
    return found


async def waiting_in(folder: Path, clock: Clock) -> AsyncGenerator[Record]:
    """Every record that waits in a spool's folder, beside whoever has it. Raises Misconfigured, Unavailable."""
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("*.db"))):
        store = await SqliteLog.open(path, exclusive=False, clock=clock, retention=_AT_ONCE, most_record_bytes=0, shrinks=True)
        try:
            after = 0
            while page := await store.read(_WAITING, after={0: after}, most=_PAGE):
                after = page[-1].position + 1
                for each in page:
                    yield each.record
        finally:
            await store.close()


class SpooledLog:
    """Kafka, and the spool before it; see ``ingest.log.Log`` for what its calls promise. Only appending differs.

    Either all of an append's records wait in the spool or none do, and then it answers with no positions.
    """

    def __init__(self, log: Log, store: SqliteLog, chosen: LogSettings, held: Lag, held_bytes: int) -> None:
        self.name = store.path.stem
        self._log = log
        self._store = store
        self._after = chosen.spool_after.total_seconds()
        self._most_bytes = chosen.spool_most_bytes
        self._most_record_bytes = chosen.most_record_bytes
        self._bytes = held_bytes  # on the disk, those included that are on their way there
        self._sent_bytes = 0  # of those, what Kafka has
        self._direct = held.records == 0
        self._said = not self._direct
        self._spooled = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._opening: asyncio.TimerHandle | None = None
        self._writing: set[asyncio.Task[Any]] = set()
        self._left: set[asyncio.Task[Any]] = set()
        self._begun = 0
        self._closed = False
        self._count(held.records, held.oldest)
        if self._said:
            _say.warning("spooling", reason="left-by-an-earlier-process", records=held.records)
        self._draining = asyncio.create_task(self._run())

    @classmethod
    async def open(cls, log: Log, name: str, chosen: LogSettings, clock: Clock) -> "SpooledLog":
        """The log with a spool by that name, and whatever an earlier process left there.

        The files are ``web.db``, ``web-2.db`` and so on: of several processes alike each takes the first that is free. Raises
        Misconfigured(``log.spool``) where the folder will not do, and Unavailable.
        """
        try:
            make_folder(chosen.spool)
            store = await _first_free(chosen, name, clock)
        except OSError as error:
            raise Misconfigured("log.spool", f"The folder {chosen.spool} cannot be made: {error.strerror}.") from error
        except Misconfigured as error:
            raise Misconfigured("log.spool", f"The spool is not usable. {error.sentence} ([log] spool)") from error
        try:
            return cls(log, store, chosen, await store.lag(_WAITING, _DRAIN), await store.size(_WAITING))
        except IngestError:
            await store.close()
            raise

    @property
    def features(self) -> frozenset[Feature]:
        """Kafka's."""
        return self._log.features

    @property
    def spooling(self) -> bool:
        """Whether what is appended waits here at present."""
        return not self._direct

    async def append(self, topic: str, records: Sequence[Record]) -> Sequence[int]:
        """Write the records in order, to Kafka or else to the spool; no positions where they wait there.

        Raises Unavailable with ``spool-full`` past the spool's limit, with ``spool-unavailable`` where its disk will not have
        them either, and as Kafka does where it is there and has no such topic for us.
        """
        refuse_too_large(records, self._most_record_bytes)
        self._check_open()
        if not records:
            return []
        until = time.monotonic() + self._after
        if not self._open.is_set():
            await self._open.wait()
            self._check_open()
        why = "behind-others"
        if self._direct:
            try:
                return await self._within(until - time.monotonic(), self._log.append(topic, records))
            except Unavailable as away:
                if away.reason not in ("log-unavailable", "log-slow"):
                    raise
                why = away.reason
        await self._spool(topic, records, why)
        return []

    async def check(self, topic: str, group: str) -> None:
        """Whether an append would be taken now. Raises Unavailable, with the reason that it would have."""
        self._check_open()
        if self._direct:
            try:
                await self._within(self._after, self._log.lag(topic, group))
            except Unavailable as away:
                if away.reason not in ("log-unavailable", "log-slow"):
                    raise
            else:
                return
        self._check_room(_ROOM_BYTES)
        try:
            await self._store.append(_TRIAL, [Record(None, b"")])
            await self._store.trim()
        except Unavailable as away:
            raise _refuses(away) from away

    def consume(
        self, topic: str, group: str, *, assigned: Assigned, revoked: Revoked
    ) -> AbstractAsyncContextManager[Consumption]:
        """From Kafka."""
        return self._log.consume(topic, group, assigned=assigned, revoked=revoked)

    async def settled(self, topic: str, group: str) -> Mapping[Partition, int]:
        """On Kafka."""
        return await self._log.settled(topic, group)

    async def reconcile(self, seen: Mapping[Partition, int]) -> Sequence[str]:
        """As Kafka does."""
        return await self._log.reconcile(seen)

    async def lag(self, topic: str, group: str) -> Lag:
        """On Kafka: what waits here is not on the topic yet."""
        return await self._log.lag(topic, group)

    async def read(self, topic: str, *, after: Mapping[int, int], most: int) -> Sequence[Delivery]:
        """From Kafka."""
        return await self._log.read(topic, after=after, most=most)

    async def trim(self) -> int:
        """Nothing that a reader would miss: what waits is removed as Kafka has it."""
        return await self._log.trim()

    async def rewrite(self, topic: str, instead: Mapping[int, Record]) -> None:
        """As Kafka does."""
        await self._log.rewrite(topic, instead)

    async def close(self) -> None:
        """Finish what is being written, leave on the disk what waits, and close Kafka's log too."""
        self._closed = True
        self._open.set()
        self._draining.cancel()
        if self._writing:
            await asyncio.wait(self._writing)
        await asyncio.wait({self._draining}, timeout=_CLOSE_SECONDS)
        if self._records:
            _say.warning("left-in-the-spool", records=self._records)
        await self._store.close()
        await self._log.close()

    # Taking in.

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("log-unavailable", "The log is closed.")

    def _check_room(self, more: int) -> None:
        if self._bytes + more > self._most_bytes:
            raise Unavailable(
                "spool-full",
                f"Kafka is away, and {self._bytes} bytes wait in the spool; {self._most_bytes} is the limit ([log] spool_most_bytes).",
            )

    async def _within(self, seconds: float, asking: Coroutine[Any, Any, T]) -> T:
        """What Kafka answers in so many seconds; it is then not waited for, however long the library takes to give up."""
        trying = asyncio.create_task(asking)
        try:
            await asyncio.wait({trying}, timeout=max(0, seconds))
            if trying.done():
                return trying.result()
        finally:
            if not trying.done():
                self._left.add(trying)
                trying.add_done_callback(partial(_ended, self._left))
                trying.cancel()
        raise Unavailable("log-slow", f"Kafka did not answer within {self._after:g} s.")

    async def _spool(self, topic: str, records: Sequence[Record], why: str) -> None:
        size = sum(each.size for each in records)
        self._check_room(size)
        # From here to the writer's queue nothing is waited for, so that appends lie there in the order in which they came.
        self._begun += 1
        self._bytes += size
        self._records += len(records)
        self._direct = False
        marked = [Record(each.key, each.value, ((_TOPIC, topic.encode()), *each.headers)) for each in records]
        writing = asyncio.create_task(self._written(marked, size, why))
        self._writing.add(writing)
        writing.add_done_callback(partial(_ended, self._writing))
        self._spooled.set()
        # Whoever gives up waiting does not take it back: it is known whether it is there, and what follows it is in order.
        await asyncio.shield(writing)

    async def _written(self, marked: Sequence[Record], size: int, why: str) -> None:
        there = False
        try:
            await self._store.append(_WAITING, marked)
            there = True
        except Unavailable as away:
            raise _refuses(away) from away
        finally:
            if not there:
                self._bytes -= size
                self._records -= len(marked)
            self._count(self._records)
        if not self._said:
            self._said = True
            _say.warning("spooling", reason=why)

    # Taking on.

    async def _run(self) -> None:
        pause = _PAUSE_SECONDS[0]
        while True:
            try:
                async with self._store.consume(_WAITING, _DRAIN, assigned=_from_where_it_was, revoked=_let_go) as waiting:
                    pause = _PAUSE_SECONDS[0]
                    await self._drain(waiting)
            # Whatever it is, what waits must go on some day; some of Kafka's library's tasks cancel each other, and ours with them.
            except (Exception, asyncio.CancelledError) as error:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                self._open_again()
                _say.error("drain-broken", reason=getattr(error, "reason", type(error).__name__))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_SECONDS[1])

    async def _drain(self, waiting: Consumption) -> None:
        sent: dict[Partition, int] = {}
        while True:
            quiet, begun = not self._writing, self._begun
            page = await waiting.take(most=_PAGE, most_bytes=_PAGE_BYTES, within=0)
            if page:
                SPOOL_OLDEST.set(page[0].appended_at.timestamp())
                took = await self._send(page)
                self._sent_bytes += _size(page)
                self._count(self._records - len(page), page[-1].appended_at)
                sent = {page[-1].partition: page[-1].position + 1}
                await self._remove(waiting, sent)
                if took < self._after / 4 and len(page) < _FEW:
                    self._hold()
            elif quiet and begun == self._begun:
                self._hand_over()
                while self._sent_bytes and not self._spooled.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._spooled.wait(), _REMOVE_SECONDS)
                    await self._remove(waiting, sent)
                await self._spooled.wait()
            elif self._writing:
                await asyncio.wait(self._writing)

    async def _send(self, page: Sequence[Delivery]) -> float:
        """Try until Kafka has all of it, for ever; how many seconds the last try took.

        What failed is halved for its next try, since a part may have arrived: where one partition or one record stays wanting, its
        neighbours are not written again with every try.
        """
        pause, said, took = _PAUSE_SECONDS[0], "", 0.0
        runs = list(_by_topic(page))
        while runs:
            began = time.monotonic()
            topic, records = runs[0]
            try:
                await self._log.append(topic, records)
            except IngestError as error:
                self._open_again()
                if error.reason != said:
                    said = error.reason
                    _say.warning("waiting", reason=error.reason, sentence=error.sentence)
                half = len(records) // 2
                runs[:1] = [(topic, some) for some in (records[:half], records[half:]) if some]
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_SECONDS[1])
            else:
                runs.pop(0)
                took = time.monotonic() - began
        return took

    async def _remove(self, waiting: Consumption, sent: Mapping[Partition, int]) -> None:
        """Take from the disk what Kafka has. Where it is too full even for that, what waits goes on nevertheless, and a later try removes it."""
        try:
            await waiting.settle(sent)
            await self._store.trim()
        except Unavailable as away:
            _say.warning("not-removed", reason=away.reason, bytes=self._sent_bytes)
            return
        self._bytes -= self._sent_bytes
        self._sent_bytes = 0

    def _hold(self) -> None:
        """Let nobody in for now: Kafka is quick, and what is left is little. It ends with that, and in any case in time for the next try."""
        if self._open.is_set():
            self._open.clear()
            self._opening = asyncio.get_running_loop().call_later(self._after / 2, self._open_again)

    def _open_again(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._open.set()

    def _hand_over(self) -> None:
        """Nothing waits and nothing is on its way here: from now on to Kafka itself."""
        self._direct = True
        self._spooled.clear()
        self._bytes = self._sent_bytes
        self._count(0)
        SPOOL_OLDEST.set(0)
        if self._said:
            self._said = False
            _say.info("spool-empty")
        self._open_again()

    def _count(self, records: int, oldest: datetime | None = None) -> None:
        self._records = records
        SPOOLED_RECORDS.set(records)
        SPOOLED_BYTES.set(self._bytes)
        if oldest is not None:
            SPOOL_OLDEST.set(oldest.timestamp())


async def _first_free(chosen: LogSettings, name: str, clock: Clock) -> SqliteLog:
    for number in count(1):
        with suppress(HeldElsewhere):
            return await SqliteLog.open(
                chosen.spool / (f"{name}.db" if number == 1 else f"{name}-{number}.db"),
                exclusive=True,
                clock=clock,
                retention=_AT_ONCE,
                most_record_bytes=chosen.most_record_bytes + _TOPIC_BYTES,
                shrinks=True,
            )
    raise AssertionError


def _ended(among: set[asyncio.Task[Any]], task: asyncio.Task[Any]) -> None:
    """Where its caller has given up, nobody else asks what became of it."""
    among.discard(task)
    if not task.cancelled():
        task.exception()


def _by_topic(page: Sequence[Delivery]) -> Iterator[tuple[str, list[Record]]]:
    """Runs of records that go to one topic, as they came."""
    for topic, run in groupby((each.record for each in page), lambda record: record.headers[0][1].decode()):
        yield topic, [Record(each.key, each.value, each.headers[1:]) for each in run]


def _size(page: Sequence[Delivery]) -> int:
    return sum(each.record.size - len(_TOPIC) - len(each.record.headers[0][1]) for each in page)


def _refuses(away: Unavailable) -> Unavailable:
    return Unavailable("spool-unavailable", f"Kafka is away, and the spool takes nothing. {away.sentence} ([log] spool)")


async def _from_where_it_was(_: Sequence[Partition]) -> Mapping[Partition, int | None]:
    return {}


async def _let_go(_: Sequence[Partition]) -> None:
    """Nothing of it is ever in flight when it ends."""
