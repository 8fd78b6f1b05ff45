"""The router's work: take contacts off the log in batches, decide on each, commit, settle.

A contact that cannot be decoded or decided on is dead-lettered in its batch's own transaction while its neighbours proceed;
past a limit of them in a row the worker stops, since the fault is then not in the letters. What is of an unknown major
version is parked, and so is whatever comes after it from the same sender, until a release that knows it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from ingest import spans
from ingest.clock import Clock, now
from ingest.contract import Allocation, Contact, OutgoingStatus, Record, Trace, decode, ids, topic_of, trace_of
from ingest.database import Database, among
from ingest.errors import Halted, IngestError, Unavailable, Unreadable
from ingest.ids import derived_id, reference
from ingest.log import Consumption, Delivery, Log, Partition
from ingest.settings import Publisher
from ingest.state import erased_among
from ingest.telemetry import ACKNOWLEDGED, BOUNCES, ERRORS, LAST_BATCH, PASSED_OVER, PROCESSED, PROCESSING, SENDS, telemetry
from router.consequences import OVER_BUDGET, Consequences, House, consequences, kind_of
from router.decide import decide
from router.gather import gather, seen
from router.opening import (
    NOT_OURS,
    OWN_SOURCE,
    Opened,
    Readable,
    Terms,
    Unknown,
    Unopened,
    allocation_of,
    identity_of,
    poison,
    record_in,
)
from router.readers import Readers
from router.register import tables
from router.store import Batch, Dead, Fenced, Parked, Store, Variant

CONTACTS: Final = topic_of("contacts")
STATUSES: Final = topic_of("outgoing.status")
ALLOCATIONS: Final = topic_of("allocations")
T = TypeVar("T")
TakeIn = Callable[[Batch, Sequence[Delivery]], Awaitable[None]]
_IDLE_SECONDS = 0.5
_BATCHES_IN_HAND: Final = 4
_READ_AHEAD: Final = 2  # batches: while one waits for its turn the readers have another
_LEAST_WORTH_A_BATCH: Final = 100  # of fewer, the transaction itself costs more than reading ahead saves

_say = telemetry("router")


def _channel_of(record: Record) -> str:
    """Which channel of ours a record came by; ``published`` where it is another system's, or does not say."""
    source = record.header("ce_source") or ""
    return source.removeprefix(OWN_SOURCE).partition(":")[0] if source.startswith(OWN_SOURCE) else "published"


def dead_of(delivery: Delivery, reason: str, detail: str) -> Dead:
    """A dead letter; where the record does not tell its id, or is not to be believed, one derived from where it lay."""
    at, record = delivery.partition, delivery.record
    derived = derived_id(UUID(int=0), f"dead:{at.log_id}:{at.topic}:{at.number}:{delivery.position}")
    told = None if reason == NOT_OURS else identity_of(record)
    channel = "published" if reason == NOT_OURS else _channel_of(record)
    return Dead(delivery, reason, detail[:2000], told or derived, channel, delivery.appended_at)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A batch of a page that the log handed over, and whether the page begins or ends with it."""

    deliveries: Sequence[Delivery]
    begins: bool
    ends: bool
    opened: Sequence[tuple[Delivery, Opened]] = ()


@dataclass(slots=True)
class Worker:
    """One router of contacts. ``run`` ends when ``stopping`` is set, or raises Halted."""

    log: Log
    database: Database
    store: Store
    house: House
    publishers: Mapping[str, Publisher]
    clock: Clock
    stopping: asyncio.Event
    key: bytes
    readers: Readers
    dead_in_a_row: int = 0
    parked_keys: set[str | None] = field(default_factory=set[str | None])
    expected: dict[Partition, int] = field(default_factory=dict[Partition, int])
    moved: bool = False  # partitions have become ours, and nobody has looked yet at what is parked of them
    turns: int = 0  # batches committed and waits that said what they wait for: where it stands still, nobody knows why

    async def run(self) -> None:
        """Route until told to stop. Raises Halted past the limit of dead letters."""
        while not self.stopping.is_set():
            try:
                await self._consume()
            except Fenced as error:
                ERRORS.labels("router", "fenced").inc()
                _say.warning("fenced", position=str(error))
            except Unavailable as error:
                await self._pause(error)

    async def watch(self, every: timedelta = timedelta(seconds=30)) -> None:
        """Look now and then whether anything moves. Raises Halted(``stuck``) where contacts have waited for the settings'
        ``stuck_after`` and the router has neither written any nor said what it waits for: only a new start helps then.
        """
        seen, since = (self.turns, await self._oldest()), self.clock()
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), every.total_seconds())
            now = (self.turns, await self._oldest())
            if now != seen or now[1] is None:
                seen, since = now, self.clock()
            elif self.clock() - since > self.house.router.stuck_after:
                raise Halted(
                    "stuck",
                    f"Contacts wait on the log and none was routed for {self.house.router.stuck_after}, for no known reason. "
                    "Nothing is lost: start it again.",
                )

    async def _oldest(self) -> datetime | None:
        """Since when a contact lies before us; before anybody, where nothing is ours."""
        try:
            if not self.expected:
                return (await self.log.lag(CONTACTS.name, "router")).oldest
            after = {each.number: position for each, position in self.expected.items()}
            first = await self.log.read(CONTACTS.name, after=after, most=1)
        except Unavailable:
            return None
        return min((each.appended_at for each in first if each.partition in self.expected), default=None)

    async def _consume(self) -> None:
        async with self.log.consume(CONTACTS.name, "router", assigned=self._assigned, revoked=self._revoked) as consumption:
            turns, reading = self._turns(consumption), asyncio.Lock()
            ahead = deque(asyncio.ensure_future(self._opened(turns, reading)) for _ in range(_READ_AHEAD))
            try:
                while (turn := await ahead.popleft()) is not None:
                    ahead.append(asyncio.ensure_future(self._opened(turns, reading)))
                    await self._work(turn, consumption)
                    if self.stopping.is_set():
                        break
            finally:
                for each in ahead:
                    each.cancel()
                await asyncio.wait(ahead)
                for each in ahead:
                    if not each.cancelled():
                        each.exception()  # the first says enough
                await turns.aclose()

    async def _turns(self, consumption: Consumption) -> AsyncGenerator[_Turn]:
        """What is taken off the log, a batch at a time, until told to stop."""
        limits = self.house.router
        while not self.stopping.is_set():
            try:
                page = await consumption.take(
                    most=_BATCHES_IN_HAND * limits.batch, most_bytes=limits.batch_bytes, within=_IDLE_SECONDS
                )
            except Unavailable as error:
                await self._pause(error)
                continue
            size = min(limits.batch, max(_LEAST_WORTH_A_BATCH, -(-len(page) // _BATCHES_IN_HAND)))
            for at in range(0, len(page), size):
                yield _Turn(page[at : at + size], begins=at == 0, ends=at + size >= len(page))
            if not page and self.moved:
                yield _Turn((), begins=True, ends=True)

    async def _opened(self, turns: AsyncGenerator[_Turn], reading: asyncio.Lock) -> _Turn | None:
        """The next batch, read; it may be of the next page, so that reading never waits for a page's end. None once told to stop."""
        async with reading:
            if (turn := await anext(turns, None)) is None:
                return None
            return replace(turn, opened=await self._again(lambda: self._open(turn.deliveries)))

    async def _work(self, turn: _Turn, consumption: Consumption) -> None:
        """Commit it, and settle the page where it ends, or where nothing more is to be done; the next is read meanwhile."""
        if turn.begins and self.moved:
            self.moved = False
            await self._again(self._unpark)
        if not turn.deliveries:
            return
        first = turn.deliveries[0]
        if turn.begins:
            await self._again(lambda: self._align(first))
        await self._again(lambda: self._commit(turn.opened))
        if turn.ends or self.stopping.is_set():
            await self._again(lambda: consumption.settle({first.partition: self._next(first.partition)}))

    async def _assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        positions = await begin(CONTACTS.name, partitions, self.log, self.store)
        self.expected.update({each: position or 0 for each, position in positions.items()})
        self.moved = True
        return positions

    async def _revoked(self, partitions: Sequence[Partition]) -> None:
        await self.store.release(partitions)
        for each in partitions:
            self.expected.pop(each, None)

    def _next(self, partition: Partition) -> int:
        """The position of the next record wanted. Raises Fenced where the partition has gone meanwhile."""
        if partition not in self.expected:
            raise Fenced(f"{partition.topic}/{partition.number}")
        return self.expected[partition]

    async def _again(self, act: Callable[[], Awaitable[T]]) -> T:
        return await _until_back(act, self.stopping, self._waits)

    def _waits(self, error: Unavailable) -> None:
        self.turns += 1
        _waits(error)

    async def _pause(self, error: Unavailable) -> None:
        if not self.stopping.is_set():
            self._waits(error)
            await asyncio.sleep(_IDLE_SECONDS)

    async def _align(self, first: Delivery) -> None:
        """Where the log goes on elsewhere than the register said, take it up there: it lost records, or was read again."""
        at = first.partition
        if (expected := self.expected.get(at, 0)) != first.position:
            _say.warning("realigned", topic=at.topic, partition=at.number, expected=expected, found=first.position)
            await self.store.realign(at, first.position)
            self.expected[at] = first.position

    async def _open(self, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, Opened]]:
        # Without the weights of matching: no reader needs them, and each batch would carry a copy.
        terms = Terms(self.publishers, self.key, replace(self.house, weights=None))
        with spans.span("read", kind="consumer", records=len(deliveries)):
            return list(zip(deliveries, await self.readers.open([each.record for each in deliveries], terms), strict=True))

    async def _commit(self, opened: Sequence[tuple[Delivery, Opened]]) -> None:
        """One transaction; where the database refuses the data, halve until the one it refuses stands alone."""
        at = opened[0][0].partition
        while rest := [each for each in opened if each[0].position >= self._next(at)]:
            try:
                traces = (found.contact.trace for _, found in rest if isinstance(found, Readable))
                with spans.span("route", kind="consumer", links=traces, records=len(rest)) as routing:
                    with spans.span("decide", routing.trace):
                        batch = await self._batch(rest, routing.trace)
                    with spans.span("commit", routing.trace):
                        await self.store.commit(batch)
            except (IngestError, Fenced):
                raise
            except Exception as error:
                if len(rest) > 1:
                    await self._commit(rest[: len(rest) // 2])
                    continue
                if self.dead_in_a_row >= self.house.router.dead_letters_in_a_row:
                    raise self._halted() from error
                (alone, _), *_ = rest
                batch = Batch(at, alone.position, alone.position + 1, dead=(_refused(alone, error),))
                await self.store.commit(batch)
            self._note(batch)

    def _halted(self) -> Halted:
        return Halted(
            "too-many-dead-letters",
            f"{self.house.router.dead_letters_in_a_row} records in a row could not be read. The rest are left on the log. "
            "Look at `ingest dead-letters list`, mend the publisher or the release, and start again.",
        )

    async def _batch(self, opened: Sequence[tuple[Delivery, Opened]], routing: Trace | None) -> Batch:
        """Match and decide: everything but the writing. ``routing`` is the trace of the batch itself."""
        deliveries = [delivery for delivery, _ in opened]
        await self._not_held_up({each.record.key for each in deliveries})
        readable, dead, parked = await self._not_erased(*self._sorted(opened))
        decided, variants, poisoned = await self._decide(readable, routing)
        dead = sorted((*dead, *poisoned), key=lambda each: each.delivery.position)
        kept = self._within_limit(deliveries, {each.delivery.position for each in dead})
        following = deliveries[kept - 1].position + 1
        return Batch(
            partition=deliveries[0].partition,
            first=self._next(deliveries[0].partition),
            following=following,
            decided=tuple(each for each, at in decided if at < following),
            dead=tuple(each for each in dead if each.delivery.position < following),
            parked=tuple(each for each in parked if each.delivery.position < following),
            variants=tuple(each for each, at in variants if at < following),
        )

    def _within_limit(self, deliveries: Sequence[Delivery], dead: set[int]) -> int:
        """How many of the batch may be written before too many in a row were dead. Raises Halted where none may."""
        in_a_row = self.dead_in_a_row
        for number, each in enumerate(deliveries):
            in_a_row = in_a_row + 1 if each.position in dead else 0
            if in_a_row > self.house.router.dead_letters_in_a_row:
                if number == 0:
                    raise self._halted()
                return number
        return len(deliveries)

    def _sorted(
        self, opened: Sequence[tuple[Delivery, Opened]]
    ) -> tuple[list[tuple[Delivery, Readable]], list[Dead], list[Parked]]:
        """What can be decided on, what is dead, and what waits for a release that knows it, with all that is behind it of its key."""
        readable: list[tuple[Delivery, Readable]] = []
        dead: list[Dead] = []
        parked: list[Parked] = []
        keys = set(self.parked_keys)
        for delivery, found in opened:
            record = delivery.record
            if record.is_erased:
                continue
            if record.key is not None and record.key in keys:
                parked.append(Parked(delivery, "behind-an-unknown-version", identity_of(record), _channel_of(record)))
                continue
            match found:
                case Readable():
                    readable.append((delivery, found))
                case Unknown(ce_type, contact_id):
                    keys.add(record.key)
                    parked.append(Parked(delivery, f"unknown-version: {ce_type}", contact_id, _channel_of(record)))
                case Unopened(reason, sentence):
                    dead.append(dead_of(delivery, reason, sentence))
        return readable, dead, parked

    async def _not_erased(
        self, readable: list[tuple[Delivery, Readable]], dead: list[Dead], parked: list[Parked]
    ) -> tuple[list[tuple[Delivery, Readable]], list[Dead], list[Parked]]:
        """Less what was erased since it came, and is on the log still or again: it is settled, and nothing comes of it."""
        ids = {*(each.contact.id for _, each in readable), *(each.contact_id for each in dead)}
        ids.update(each.contact_id for each in parked if each.contact_id)
        async with self.database.read() as connection:
            gone = await erased_among(connection, self.key, ids)
        if not gone:
            return readable, dead, parked
        for _, each in readable:
            if each.contact.id in gone:
                PASSED_OVER.labels(each.contact.channel, "erased").inc()
        _say.info("erased-before", contacts=len(gone))
        return (
            [(delivery, each) for delivery, each in readable if each.contact.id not in gone],
            [each for each in dead if each.contact_id not in gone],
            [each for each in parked if each.contact_id not in gone],
        )

    async def _not_held_up(self, keys: set[str | None]) -> None:
        """Nobody waits any more behind a parked record that has been erased."""
        waiting = [each for each in self.parked_keys & keys if each is not None]
        if not waiting:
            return
        parked = tables.parked.c.key
        async with self.database.read() as connection:
            there = set((await connection.execute(select(parked).where(among(parked, waiting)).distinct())).scalars())
        self.parked_keys.difference_update(set(waiting) - there)

    async def _decide(
        self, readable: Sequence[tuple[Delivery, Readable]], routing: Trace | None = None
    ) -> tuple[list[tuple[Consequences, int]], list[tuple[Variant, int]], list[Dead]]:
        """Decide on each in order, seeing what the ones before it came to."""
        decided: list[tuple[Consequences, int]] = []
        variants: list[tuple[Variant, int]] = []
        dead: list[Dead] = []
        now = self.clock()
        async with self.database.read() as connection:
            have = await seen(connection, [each.contact.id for _, each in readable])
            # Of two with one id the first counts: what is gathered by id must be its own.
            fresh = {each.contact.id: each for _, each in reversed(readable) if each.contact.id not in have}
            known = await gather(connection, [(each.contact, each.reading) for each in fresh.values()], self.house, now)
        for delivery, each in readable:
            contact, at = each.contact, delivery.position
            if contact.id in have:
                if have[contact.id] != each.fingerprint:
                    variants.append((Variant(contact, reference(contact.id), each.fingerprint), at))
                continue
            try:
                with _its_own(contact, routing) as (contact, span):
                    situation = known.situation(contact, each.reading)
                    decision = decide(situation)
                    span.came_to(kind_of(decision.disposition))
                    written = consequences(situation, decision, each.fingerprint, self.house, known.standing(contact), now)
            except Exception as error:  # noqa: BLE001 - one poison must not stop its neighbours
                dead.append(dead_of(delivery, *poison(error)))
                continue
            have[contact.id] = each.fingerprint
            known.learn(written)
            decided.append((written, at))
        return decided, variants, dead

    def _note(self, batch: Batch) -> None:
        """What was committed, in numbers."""
        now = self.clock()
        self.turns += 1
        if batch.partition in self.expected:
            self.expected[batch.partition] = batch.following
        self.parked_keys.update(each.delivery.record.key for each in batch.parked)
        LAST_BATCH.set(now.timestamp())
        dead = {each.delivery.position for each in batch.dead}
        for position in range(batch.first, batch.following):
            self.dead_in_a_row = self.dead_in_a_row + 1 if position in dead else 0
        for each in batch.dead:
            ERRORS.labels("router", each.reason).inc()
            _say.error("dead-letter", contact=str(each.contact_id), reason=each.reason, **ids(trace_of(each.delivery.record)))
        for each in batch.parked:
            ERRORS.labels("router", "parked").inc()
            _say.warning("parked", contact=str(each.contact_id), reason=each.reason, **ids(trace_of(each.delivery.record)))
        for each in batch.decided:
            PROCESSED.labels(each.contact.channel, kind_of(each.decision.disposition)).inc()
            PROCESSING.observe(max(0.0, (now - each.contact.received_at).total_seconds()))
            if any(message.reason == OVER_BUDGET for message in each.messages):
                ERRORS.labels("router", OVER_BUDGET).inc()
                _say.error(OVER_BUDGET, contact=str(each.contact.id), **ids(each.contact.trace))
            if back := each.contact.returned:
                BOUNCES.labels("unproved" if back.outcome == "failed" and each.bounced is None else back.outcome).inc()
            if each.decision.urgent:
                _say.warning("urgent", contact=str(each.contact.id), rule=each.decision.rule, **ids(each.contact.trace))

    async def _unpark(self) -> None:
        """Route what was parked and can be read now, each key in order until one that still cannot."""
        parked = tables.parked
        async with self.database.read() as connection:
            rows = (await connection.execute(select(parked).order_by(parked.c.at, parked.c.position))).all()
        homes = {each.number: each for each in self.expected}
        self.parked_keys = {row.key for row in rows if row.partition not in homes}
        for row in rows:
            if row.partition not in homes:
                continue
            self.turns += 1
            record = record_in(row)
            origin = Partition(row.log_id, row.topic, row.partition)
            delivery = Delivery(origin, row.position, row.at, record)
            readable, dead, waits = self._sorted(await self._open([delivery]))
            if waits:
                self.parked_keys.add(row.key)
                continue
            decided, variants, poisoned = await self._decide(readable)
            home, gone = homes[row.partition], ((origin, row.position),)
            at = self._next(home)
            batch = Batch(
                home, at, at, tuple(each for each, _ in decided), (*dead, *poisoned), (), tuple(each for each, _ in variants), gone
            )  # fmt: skip
            try:
                await self.store.commit(batch)
            except (IngestError, Fenced):
                raise
            except Exception as error:  # noqa: BLE001 - one poison must not stop its neighbours
                refused = _refused(delivery, error)
                await self.store.commit(Batch(home, at, at, dead=(refused,), unparked=gone))


@contextmanager
def _its_own(contact: Contact, routing: Trace | None) -> Generator[tuple[Contact, spans.Span]]:
    """The contact, as what comes of it is to be traced: in a span of its own where each contact has one."""
    if not spans.of_each():
        yield contact, spans.NONE
        return
    about = {"contact": str(contact.id), "channel": contact.channel}
    with spans.span("decide", contact.trace, begins=contact.id, kind="consumer", links=[routing], **about) as span:
        yield contact.model_copy(update={"trace": span.trace}), span


def _refused(delivery: Delivery, error: Exception) -> Dead:
    """One that could be read and not written, or not decided on."""
    return dead_of(delivery, "register-refuses-it" if isinstance(error, SQLAlchemyError) else "poison", type(error).__name__)


async def begin(topic: str, partitions: Sequence[Partition], log: Log, store: Store) -> Mapping[Partition, int | None]:
    """Make partitions ours, and answer with where to begin in each: where the register stands, None where it has never read it.

    What we have settled is in the register before it is. A register that knows less is an older copy, or a new one beside an old log: it
    goes on where it stands, the new one from the earliest, and that is told.
    """
    settled = await log.settled(topic, "router")
    positions = await store.assume(partitions)
    behind = {each: (at or 0, settled[each]) for each, at in positions.items() if (at or 0) < settled.get(each, 0)}
    if behind:
        ERRORS.labels("restore", "register-put-back").inc()
        _say.error("register-put-back", topic=topic, partitions={each.number: list(at) for each, at in behind.items()})
        await store.put_back(topic, behind)
    return {each: 0 if each in behind and at is None else at for each, at in positions.items()}


async def _until_back(act: Callable[[], Awaitable[T]], stopping: asyncio.Event, waits: Callable[[Unavailable], None]) -> T:
    """What the act gives, the same act until what it leans on is back: nothing is skipped while the register is away."""

    async def attempt() -> T:
        try:
            return await act()
        except Unavailable as error:
            waits(error)
            raise

    again = AsyncRetrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential_jitter(multiplier=0.2, max=15),
        stop=lambda _: stopping.is_set(),
        reraise=True,
    )
    return await again(attempt)


async def follow_statuses(log: Log, database: Database, store: Store, stopping: asyncio.Event) -> None:
    """Take what became of messages into the register."""

    async def take_in(batch: Batch, deliveries: Sequence[Delivery]) -> None:
        changed = await store.commit_statuses(batch, _statuses(deliveries))
        with suppress(Unavailable):  # it is written, and only its numbers are not
            await _count(database, changed)

    await follow(STATUSES.name, take_in, log, store, stopping)


async def follow_allocations(
    log: Log, store: Store, publishers: Mapping[str, Publisher], key: bytes, stopping: asyncio.Event
) -> None:
    """Take what was decided about posts into the register, as far as it is to be believed."""

    async def take_in(batch: Batch, deliveries: Sequence[Delivery]) -> None:
        await store.commit_allocations(batch, _allocations(deliveries, publishers, key))

    await follow(ALLOCATIONS.name, take_in, log, store, stopping)


async def follow(topic: str, take_in: TakeIn, log: Log, store: Store, stopping: asyncio.Event) -> None:
    """A topic whose position stands in the register, in the transaction of what is taken from it."""
    while not stopping.is_set():
        try:
            await _consume(topic, take_in, log, store, stopping)
        except Fenced as error:
            ERRORS.labels("router", "fenced").inc()
            _say.warning("fenced", position=str(error))
        except Unavailable as error:
            _waits(error)
            await asyncio.sleep(_IDLE_SECONDS)


def _waits(error: Unavailable) -> None:
    ERRORS.labels("router", error.reason).inc()
    _say.warning("waiting", reason=error.reason)


async def _consume(topic: str, take_in: TakeIn, log: Log, store: Store, stopping: asyncio.Event) -> None:
    expected: dict[Partition, int] = {}

    async def assigned(partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        positions = await begin(topic, partitions, log, store)
        expected.update({each: position or 0 for each, position in positions.items()})
        return positions

    await _until_routed(log, store, stopping)
    async with log.consume(topic, "router", assigned=assigned, revoked=store.release) as consumption:

        async def settle(deliveries: Sequence[Delivery]) -> None:
            partition, first, following = deliveries[0].partition, deliveries[0].position, deliveries[-1].position + 1
            if expected[partition] < following:
                if expected[partition] != first:
                    await store.realign(partition, first)
                    expected[partition] = first
                told = [each for each in deliveries if not each.record.is_erased]
                await take_in(Batch(partition, first, following), told)
                expected[partition] = following
            await consumption.settle({partition: following})

        while not stopping.is_set():
            deliveries = await consumption.take(most=500, most_bytes=8_000_000, within=_IDLE_SECONDS)
            if deliveries:
                await _until_back(lambda deliveries=deliveries: settle(deliveries), stopping, _waits)


async def _until_routed(log: Log, store: Store, stopping: asyncio.Event) -> None:
    """Wait for the contacts that were there before us: what is said of a message or a handoff that the register has not yet, since it is
    an older copy and its contacts are read again, would be said of nothing.
    """
    since = now()
    while not stopping.is_set():
        positions = await store.positions()
        earliest = await log.read(CONTACTS.name, after={}, most=1)
        after = {each.partition.number: max(each.position, positions.get(each.partition, 0)) for each in earliest}
        waiting = await log.read(CONTACTS.name, after=after, most=1) if earliest else ()
        if all(each.appended_at > since for each in waiting):
            return
        await asyncio.sleep(_IDLE_SECONDS)


def _statuses(deliveries: Sequence[Delivery]) -> Sequence[OutgoingStatus]:
    found: list[OutgoingStatus] = []
    for delivery in deliveries:
        try:
            found.append(OutgoingStatus.model_validate_json(decode(delivery.record).data))
        except (Unreadable, ValidationError) as error:
            ERRORS.labels("router", "status-unreadable").inc()
            _say.error("status-unreadable", position=delivery.position, reason=type(error).__name__)
    return found


def _allocations(deliveries: Sequence[Delivery], publishers: Mapping[str, Publisher], key: bytes) -> Sequence[Allocation]:
    """Those to be believed; of the rest it is told that there were some, and nothing comes of them."""
    found: list[Allocation] = []
    for delivery in deliveries:
        try:
            found.append(allocation_of(delivery.record, publishers, key))
        except Unreadable as error:
            ERRORS.labels("allocations", error.reason).inc()
            _say.error("allocation-not-believed", position=delivery.position, reason=error.reason)
    return found


async def _count(database: Database, changed: Sequence[OutgoingStatus]) -> None:
    if not changed:
        return
    sent, contacts = tables.outgoing, tables.contacts
    async with database.read() as connection:
        rows = await connection.execute(
            select(sent.c.id, sent.c.kind, contacts.c.received_at)
            .join(contacts, contacts.c.id == sent.c.contact_id, isouter=True)
            .where(sent.c.id.in_([each.outgoing_id for each in changed]))
        )
        about = {row.id: row for row in rows}
    for each in changed:
        row = about[each.outgoing_id]
        SENDS.labels(row.kind, each.state.value).inc()
        if each.state.value == "accepted" and row.kind in ("acknowledgement", "answer") and row.received_at:
            ACKNOWLEDGED.observe(max(0.0, (each.at - row.received_at).total_seconds()))


__all__ = ["Fenced", "Worker", "follow", "follow_allocations", "follow_statuses"]
