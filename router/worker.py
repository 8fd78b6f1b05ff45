"""The router's work: take contacts off the log in batches, decide on each, commit, settle.

A contact that cannot be decoded or decided on is dead-lettered in its batch's own transaction while its neighbours proceed;
past a limit of them in a row the worker stops, since the fault is then not in the letters. What is of an unknown major
version is parked, and so is whatever comes after it from the same sender, until a release that knows it.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from ingest.clock import Clock
from ingest.contract import Contact, Event, OutgoingStatus, Record, decode, major_version, topic_of
from ingest.database import Database
from ingest.errors import Halted, IngestError, Unavailable, Unreadable
from ingest.ids import derived_id, digest, mark, published_contact_id, reference
from ingest.log import Delivery, Log, Partition
from ingest.receive import MARK
from ingest.settings import Publisher
from ingest.telemetry import ACKNOWLEDGED, ERRORS, LAST_BATCH, PROCESSED, PROCESSING, SENDS, telemetry
from router.consequences import Consequences, House, consequences, kind_of
from router.decide import decide
from router.gather import gather, reading_of, seen
from router.ledger import OWN_SOURCE, identity_of
from router.read import Reading
from router.register import tables
from router.store import Batch, Dead, Fenced, Parked, Store, Variant

CONTACTS: Final = topic_of("contacts")
STATUSES: Final = topic_of("outgoing.status")
_STEM, _MAJOR = major_version(CONTACTS.ce_type) or ("", 0)
_NOT_OURS: Final = "not-ours"
_IDLE_SECONDS = 0.5

_say = telemetry("router")


@dataclass(frozen=True, slots=True)
class Readable:
    """A contact off the log, read for what it says."""

    delivery: Delivery
    contact: Contact
    fingerprint: str
    reading: Reading


class UnknownVersion(Exception):
    """The record is of a major version that this release does not know."""

    def __init__(self, ce_type: str, contact_id: UUID | None) -> None:
        super().__init__(ce_type)
        self.ce_type = ce_type
        self.contact_id = contact_id


def contact_of(record: Record, publishers: Mapping[str, Publisher], key: bytes) -> tuple[Contact, str]:
    """The contact in a record, with its publisher held to what it may say, and the fingerprint by which a repeat is told from another.

    Raises UnknownVersion, and Unreadable: those of ``decode``, ``unknown-type``, ``unknown-publisher``, ``not-ours``,
    ``breaks-the-contract`` (naming the field), ``claims-another-source``.
    """
    event = decode(record)
    publisher = publishers.get(event.source)
    if publisher is None and not event.source.startswith(OWN_SOURCE):
        raise Unreadable("unknown-publisher", f"The settings name no publisher {event.source}.")
    if publisher is None and not _is_ours(event, key):
        raise Unreadable(_NOT_OURS, f"It says that it is from {event.source}, and has not the mark that only we can make.")
    version = major_version(event.type)
    if version is None or version[0] != _STEM:
        raise Unreadable("unknown-type", f"The type is {event.type}; this topic carries {CONTACTS.ce_type}.")
    if version[1] != _MAJOR:
        raise UnknownVersion(event.type, identity_of(record))
    try:
        contact = Contact.model_validate_json(event.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise Unreadable("breaks-the-contract", f"{where}: {first['msg']}") from error
    if contact.source != event.source:
        raise Unreadable("claims-another-source", "The contact's source is not the event's.")
    if publisher is None:
        # Our ids follow from the original: the same letter translated again, by another release or as back-fill, is no other letter.
        return contact, contact.original
    return _held_to(contact, event.id, publisher), digest(event.data)


def _is_ours(event: Event, key: bytes) -> bool:
    wanted = mark(key, event.id, event.source, event.type, event.data)
    return hmac.compare_digest(event.extensions.get(MARK, "").encode(), wanted.encode())


def _held_to(contact: Contact, ce_id: str, publisher: Publisher) -> Contact:
    """A publisher's contact, less what the settings do not let it say; its id is derived, so that it can take nobody else's."""
    sender = contact.sender
    if not publisher.may_vouch:
        sender = sender.model_copy(
            update={"identifiers": tuple(each.model_copy(update={"verified_by": None}) for each in sender.identifiers)}
        )
    return contact.model_copy(
        update={
            "id": published_contact_id(contact.source, ce_id),
            "sender": sender,
            "acknowledged": contact.acknowledged and publisher.may_acknowledge,
            "backfill": contact.backfill and publisher.may_backfill,
        }
    )


def _channel_of(record: Record) -> str:
    """Which channel of ours a record came by; ``published`` where it is another system's, or does not say."""
    source = record.header("ce_source") or ""
    return source.removeprefix(OWN_SOURCE).partition(":")[0] if source.startswith(OWN_SOURCE) else "published"


def dead_of(delivery: Delivery, reason: str, detail: str) -> Dead:
    """A dead letter; where the record does not tell its id, or is not to be believed, one derived from where it lay."""
    at, record = delivery.partition, delivery.record
    derived = derived_id(UUID(int=0), f"dead:{at.log_id}:{at.topic}:{at.number}:{delivery.position}")
    told = None if reason == _NOT_OURS else identity_of(record)
    channel = "published" if reason == _NOT_OURS else _channel_of(record)
    return Dead(delivery, reason, detail[:2000], told or derived, channel, delivery.appended_at)


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
            limits = self.house.router
            while not self.stopping.is_set():
                try:
                    batch = await consumption.take(most=limits.batch, most_bytes=limits.batch_bytes, within=_IDLE_SECONDS)
                except Unavailable as error:
                    await self._pause(error)
                    continue
                if self.moved:
                    self.moved = False
                    await self._again(self._unpark)
                if batch:
                    await self._again(lambda batch=batch: self._align(batch[0]))
                    await self._again(lambda batch=batch: self._work(batch))
                    at = batch[0].partition
                    await self._again(lambda at=at: consumption.settle({at: self._next(at)}))

    async def _assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        positions = await self.store.assume(partitions)
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

    async def _again(self, act: Callable[[], Awaitable[None]]) -> None:
        await _until_back(act, self.stopping, self._waits)

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

    async def _work(self, deliveries: Sequence[Delivery]) -> None:
        """Commit all of them, in order; where the database refuses the data, halve until the one it refuses stands alone."""
        at = deliveries[0].partition
        while rest := [each for each in deliveries if each.position >= self._next(at)]:
            try:
                batch = await self._batch(rest)
                await self.store.commit(batch)
            except (IngestError, Fenced):
                raise
            except Exception as error:
                if len(rest) > 1:
                    await self._work(rest[: len(rest) // 2])
                    continue
                if self.dead_in_a_row >= self.house.router.dead_letters_in_a_row:
                    raise self._halted() from error
                batch = Batch(at, rest[0].position, rest[0].position + 1, dead=(_refused(rest[0], error),))
                await self.store.commit(batch)
            self._note(batch)

    def _halted(self) -> Halted:
        return Halted(
            "too-many-dead-letters",
            f"{self.house.router.dead_letters_in_a_row} records in a row could not be read. The rest are left on the log. "
            "Look at `ingest dead-letters list`, mend the publisher or the release, and start again.",
        )

    async def _batch(self, deliveries: Sequence[Delivery]) -> Batch:
        """Decode, read, match and decide: everything but the writing."""
        readable, dead, parked = await asyncio.to_thread(self._open, deliveries)
        decided, variants, poisoned = await self._decide(readable)
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

    def _open(self, deliveries: Sequence[Delivery]) -> tuple[list[Readable], list[Dead], list[Parked]]:
        """Decode and read; runs in a thread, touching nothing but the batch and the parked keys."""
        readable: list[Readable] = []
        dead: list[Dead] = []
        parked: list[Parked] = []
        keys = set(self.parked_keys)
        for delivery in deliveries:
            if delivery.record.key is not None and delivery.record.key in keys:
                parked.append(
                    Parked(delivery, "behind-an-unknown-version", identity_of(delivery.record), _channel_of(delivery.record))
                )
                continue
            try:
                readable.append(self._read(delivery))
            except UnknownVersion as error:
                keys.add(delivery.record.key)
                parked.append(
                    Parked(delivery, f"unknown-version: {error.ce_type}", error.contact_id, _channel_of(delivery.record))
                )
            except Unreadable as error:
                dead.append(dead_of(delivery, error.reason, error.sentence))
            except Exception as error:  # noqa: BLE001 - one poison must not stop its neighbours
                dead.append(dead_of(delivery, "poison", type(error).__name__))
        return readable, dead, parked

    def _read(self, delivery: Delivery) -> Readable:
        contact, fingerprint = contact_of(delivery.record, self.publishers, self.key)
        return Readable(delivery, contact, fingerprint, reading_of(contact, self.house))

    async def _decide(
        self, readable: Sequence[Readable]
    ) -> tuple[list[tuple[Consequences, int]], list[tuple[Variant, int]], list[Dead]]:
        """Decide on each in order, seeing what the ones before it came to."""
        decided: list[tuple[Consequences, int]] = []
        variants: list[tuple[Variant, int]] = []
        dead: list[Dead] = []
        now = self.clock()
        async with self.database.read() as connection:
            have = await seen(connection, [each.contact.id for each in readable])
            # Of two with one id the first counts: what is gathered by id must be its own.
            fresh = {each.contact.id: each for each in reversed(readable) if each.contact.id not in have}
            known = await gather(
                connection, [(each.contact, each.reading) for each in fresh.values()], self.house.own_addresses, now
            )
        for each in readable:
            contact, at = each.contact, each.delivery.position
            if contact.id in have:
                if have[contact.id] != each.fingerprint:
                    variants.append((Variant(contact, reference(contact.id), each.fingerprint), at))
                continue
            try:
                situation = known.situation(contact, each.reading)
                written = consequences(situation, decide(situation), each.fingerprint, self.house, known.standing(contact), now)
            except Exception as error:  # noqa: BLE001 - one poison must not stop its neighbours
                dead.append(dead_of(each.delivery, "poison", type(error).__name__))
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
            _say.error("dead-letter", contact=str(each.contact_id), reason=each.reason)
        for each in batch.parked:
            ERRORS.labels("router", "parked").inc()
            _say.warning("parked", contact=str(each.contact_id), reason=each.reason)
        for each in batch.decided:
            PROCESSED.labels(each.contact.channel, kind_of(each.decision.disposition)).inc()
            PROCESSING.observe(max(0.0, (now - each.contact.received_at).total_seconds()))
            if each.decision.urgent:
                _say.warning("urgent", contact=str(each.contact.id), rule=each.decision.rule)

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
            record = Record(row.key, row.value, tuple((name, raw.encode("latin-1")) for name, raw in row.headers))
            origin = Partition(row.log_id, row.topic, row.partition)
            readable, dead, waits = self._open([Delivery(origin, row.position, row.at, record)])
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
                refused = _refused(Delivery(origin, row.position, row.at, record), error)
                await self.store.commit(Batch(home, at, at, dead=(refused,), unparked=gone))


def _refused(delivery: Delivery, error: Exception) -> Dead:
    """One that could be read and not written, or not decided on."""
    return dead_of(delivery, "register-refuses-it" if isinstance(error, SQLAlchemyError) else "poison", type(error).__name__)


async def _until_back(
    act: Callable[[], Awaitable[None]], stopping: asyncio.Event, waits: Callable[[Unavailable], None]
) -> None:
    """The same act until what it leans on is back: nothing is skipped while the register is away."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Unavailable),
        wait=wait_exponential_jitter(multiplier=0.2, max=15),
        stop=lambda _: stopping.is_set(),
        reraise=True,
    ):
        with attempt:
            try:
                await act()
            except Unavailable as error:
                waits(error)
                raise


async def follow_statuses(log: Log, database: Database, store: Store, stopping: asyncio.Event) -> None:
    """Take what became of messages into the register."""
    while not stopping.is_set():
        try:
            await _follow(log, database, store, stopping)
        except Fenced as error:
            ERRORS.labels("router", "fenced").inc()
            _say.warning("fenced", position=str(error))
        except Unavailable as error:
            _waits(error)
            await asyncio.sleep(_IDLE_SECONDS)


def _waits(error: Unavailable) -> None:
    ERRORS.labels("router", error.reason).inc()
    _say.warning("waiting", reason=error.reason)


async def _follow(log: Log, database: Database, store: Store, stopping: asyncio.Event) -> None:
    expected: dict[Partition, int] = {}

    async def assigned(partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        positions = await store.assume(partitions)
        expected.update({each: position or 0 for each, position in positions.items()})
        return positions

    async with log.consume(STATUSES.name, "router", assigned=assigned, revoked=store.release) as consumption:

        async def take_in(deliveries: Sequence[Delivery]) -> None:
            partition, first, following = deliveries[0].partition, deliveries[0].position, deliveries[-1].position + 1
            if expected[partition] < following:
                if expected[partition] != first:
                    await store.realign(partition, first)
                    expected[partition] = first
                changed = await store.commit_statuses(Batch(partition, first, following), _statuses(deliveries))
                expected[partition] = following
                await _count(database, changed)
            await consumption.settle({partition: following})

        while not stopping.is_set():
            deliveries = await consumption.take(most=500, most_bytes=8_000_000, within=_IDLE_SECONDS)
            if deliveries:
                await _until_back(lambda deliveries=deliveries: take_in(deliveries), stopping, _waits)


def _statuses(deliveries: Sequence[Delivery]) -> Sequence[OutgoingStatus]:
    found: list[OutgoingStatus] = []
    for delivery in deliveries:
        try:
            found.append(OutgoingStatus.model_validate_json(decode(delivery.record).data))
        except (Unreadable, ValidationError) as error:
            ERRORS.labels("router", "status-unreadable").inc()
            _say.error("status-unreadable", position=delivery.position, reason=type(error).__name__)
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


__all__ = ["Fenced", "Worker", "contact_of", "follow_statuses"]
