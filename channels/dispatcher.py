"""Reads outgoing messages off the log and hands each to its channel, one at a time, until its end is told on the log.

What the topic holds is first taken into ``sends``, which from then on is the queue: a message waits there, is tried, deferred and
tried again, and ends as accepted, failed or cancelled; an end stays untold until it is on ``outgoing.status``. Only one message
is ``sending`` at any moment, and that is noted before its first byte goes. Where it may have been taken without our being told, since
a process died or a provider fell silent, the provider is asked first; one that cannot tell, as SMTP, gets it once more with the
same id: copies are never more than crashes (DESIGN promise 4). Of several dispatchers one works and the others stand by.

A register that was put back from a copy does not know what was sent since: how far we had come stands in it and on the log, and where it
says less, what became of messages is learned from ``outgoing.status`` before anything goes.

Sending to the public stops by mode, by a person's switch or by the burst limit. What is for the public then waits in
``sends``, in order; notices to our own people go on, and always go first.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_random_exponential

from channels.sending import Accepted, Connection, Deferred, Failed, Outcome, Trouble, Unknown
from ingest import spans, state
from ingest.clock import Clock
from ingest.contract import Audience, Outgoing, OutgoingState, OutgoingStatus, Record, Trace, decode, ids, topic_of
from ingest.database import Alone, Database, insert
from ingest.errors import Halted, Unavailable, Unreadable
from ingest.log import Consumption, Delivery, Log, Partition, pages
from ingest.reports import status_record
from ingest.state import sends
from ingest.telemetry import ERRORS, SENDING_STOPPED, SENDS, telemetry

OUTGOING: Final = topic_of("outgoing")
STATUS: Final = topic_of("outgoing.status")
GROUP: Final = "dispatcher"
SOURCE: Final = "urn:contact-ingest:dispatcher"

_TAKEN_FOR_GOOD: Final = (OutgoingState.ACCEPTED, OutgoingState.DELIVERED, OutgoingState.BOUNCED)
_ENDS: Final = tuple(each.value for each in (OutgoingState.ACCEPTED, OutgoingState.FAILED, OutgoingState.CANCELLED))
_SAID: Final = frozenset((*_TAKEN_FOR_GOOD, OutgoingState.FAILED, OutgoingState.CANCELLED))
_LATER: Final = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60))
_PAST_DUE: Final = timedelta(hours=48)
_IN_ALL: Final = timedelta(days=5)  # RFC 5321 section 4.5.4.1: give up after four to five days
_BURST_WITHIN: Final = timedelta(minutes=10)
_ACCOUNT_RESTS: Final = timedelta(seconds=15)  # so that a server that is away costs one message's tries, not everyone's
_UNREADABLE_IN_A_ROW: Final = 50
_TAKEN: Final = 200
_TAKEN_BYTES: Final = 8_000_000
_LEARNED: Final = 5_000
_RUN: Final = 20  # messages sent between two looks at the topic
_IDLE_SECONDS: Final = 0.5
_SWITCH_SECONDS: Final = 1.0
_AWAY_SECONDS: Final = 2.0
_SILENT: Final = timedelta(minutes=15)  # longer than any one message takes

_telemetry = telemetry("dispatcher")


@dataclass(frozen=True, slots=True)
class _InHand:
    """The message that is ``sending``."""

    outgoing: Outgoing
    attempts: int
    first_at: datetime
    ambiguous: bool


async def run(
    *,
    log: Log,
    database: Database,
    ways: Mapping[tuple[str, str], Connection],
    mode: Literal["off", "review", "on"],
    burst: int,
    clock: Clock,
    stopping: asyncio.Event,
) -> None:
    """Send until ``stopping`` is set; the message in hand is finished and its end told.

    ``ways`` are the ways out that ``channels.table`` makes. ``burst`` is how many messages to the public may be accepted within ten minutes;
    one more stops sending until a person lets it go on. A log or database that is away is waited for. Raises
    Halted(``outgoing-unreadable``) where more than fifty records in a row are none of ours.
    """
    dispatch = _Dispatch(log, database, ways, mode, burst, clock, stopping)
    while not stopping.is_set():
        try:
            async with database.alone("dispatcher", _SILENT) as alone:
                if alone is None:
                    await _or_stopped(stopping, _AWAY_SECONDS)
                    continue
                async with log.consume(
                    OUTGOING.name, GROUP, assigned=_from_where_it_settled, revoked=_nothing_in_flight
                ) as topic:
                    await dispatch.work(topic, alone)
        except Unavailable as error:
            ERRORS.labels("dispatcher", error.reason).inc()
            _telemetry.error("waiting", reason=error.reason)
            await _or_stopped(stopping, _AWAY_SECONDS)
        finally:
            await dispatch.hang_up()


async def _or_stopped(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def _from_where_it_settled(partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
    return dict.fromkeys(partitions)


async def _nothing_in_flight(_: Sequence[Partition]) -> None:
    """What was taken is in ``sends`` before it is settled."""


class _Dispatch:
    """What the dispatcher knows between one message and the next."""

    def __init__(
        self,
        log: Log,
        database: Database,
        ways: Mapping[tuple[str, str], Connection],
        mode: str,
        burst: int,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        self._log = log
        self._database = database
        self._ways = ways
        self._mode = mode
        self._burst = burst
        self._clock = clock
        self._stopping = stopping
        self._alone = Alone()
        self._resting: dict[str, datetime] = {}
        self._unreadable_in_a_row = 0
        self._not_noted: tuple[UUID, dict[str, Any]] | None = None  # what came of a message; outlives a database that is away
        self._switch: state.Sending | None = None
        self._switch_read_at = 0.0

    async def work(self, topic: Consumption, alone: Alone) -> None:
        """Take in, send and tell, until it is time to stop."""
        self._alone = alone
        await self._take_up()
        await self._learn()
        sent = True
        while not self._stopping.is_set():
            deliveries = await topic.take(most=_TAKEN, most_bytes=_TAKEN_BYTES, within=0 if sent else _IDLE_SECONDS)
            if deliveries:
                await self._take_in(deliveries)
                await topic.settle({deliveries[-1].partition: deliveries[-1].position + 1})
            sent = await self._send_a_run()
            await self._tell()
            if not sent:
                await self.hang_up()

    async def hang_up(self) -> None:
        """Let go of every server."""
        for way in self._ways.values():
            await way.close()

    async def _take_up(self) -> None:
        """What is ``sending`` now was so when a process died: nobody knows whether it was taken."""
        async with self._database.write() as connection:
            await self._note(connection)
            again = update(sends).where(sends.c.state == "sending")
            again = again.values(state="deferred", try_after=self._clock(), ambiguous=True)
            found = (await connection.execute(again)).rowcount
        self._not_noted = None
        if found:
            _telemetry.warning("found-sending", messages=found)

    async def _learn(self) -> None:
        """Where the log says that we had come further than the register knows, learn from the log what became of messages.

        What was on the topic by then and has no end may have gone at the very last: it counts as ambiguous should it come again.
        """
        settled = await self._log.settled(OUTGOING.name, GROUP)
        async with self._database.read() as connection:
            known = await state.taken_in(connection)
        before = {each: known.get((each.log_id, each.number), 0) for each in settled}
        if all(before[each] >= at for each, at in settled.items()):
            return
        ERRORS.labels("restore", "register-put-back").inc()
        _telemetry.error("register-put-back", known=sum(before.values()), settled=sum(settled.values()))
        ends = doubtful = 0
        async for page in self._pages(STATUS.name, {}):
            ends += await self._learn_ends(page)
        async for page in self._pages(OUTGOING.name, {each.number: at for each, at in before.items()}):
            doubtful += await self._doubt([each for each in page if each.position < settled.get(each.partition, 0)])
        if self._stopping.is_set():
            return  # and begin again
        async with self._database.write() as connection:
            unsent = (sends.c.state == "waiting") | (sends.c.state == "deferred")
            await connection.execute(update(sends).where(unsent).values(ambiguous=True))
            await self._note_place(connection, settled)
        _telemetry.warning("learned", ends=ends, doubtful=doubtful)

    async def _pages(self, topic: str, after: dict[int, int]) -> AsyncGenerator[Sequence[Delivery]]:
        """A topic from there to its end, or until it is time to stop."""
        async for page in pages(self._log, topic, after, _LEARNED):
            if self._stopping.is_set():
                return
            await self._alone.sure()
            _telemetry.info("learning", topic=topic, records=len(page), up_to=page[-1].appended_at.isoformat())
            yield page

    async def _learn_ends(self, deliveries: Sequence[Delivery]) -> int:
        """Keep what has ended from going again; how many ends there were."""
        rows = [_ended(said) for each in deliveries if (said := _status(each.record)) is not None and said.state in _SAID]
        if rows:
            new = insert(sends)
            end = {
                name: new.excluded[name] for name in ("state", "changed_at", "attempts", "reason", "try_after", "body", "told")
            }
            open_ = (sends.c.state == "waiting") | (sends.c.state == "deferred") | (sends.c.state == "cancelled")
            async with self._database.write() as connection:
                await connection.execute(new.on_conflict_do_update(index_elements=["outgoing_id"], set_=end, where=open_), rows)
        return len(rows)

    async def _doubt(self, deliveries: Sequence[Delivery]) -> int:
        """Remember those of which nobody knows whether they went; they have no words until they come again."""
        now = self._clock()
        wordless = {"state": "deferred", "ambiguous": True, "try_after": None, "body": None, "reason": "register-put-back"}
        rows = [_row(each, now) | wordless for delivery in deliveries if (each := _readable(delivery.record)) is not None]
        if not rows:
            return 0
        async with self._database.write() as connection:
            await connection.execute(insert(sends).on_conflict_do_nothing(), rows)
        return len(rows)

    async def _note_place(self, connection: AsyncConnection, following: Mapping[Partition, int]) -> None:
        """Note how far we have come, in the transaction of what was taken in."""
        for log_id in {each.log_id for each in following}:
            numbers = {each.number: at for each, at in following.items() if each.log_id == log_id}
            await state.take_in(connection, log_id, numbers, self._clock())

    async def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        """Put what is new into ``sends``; what has ended long since is told again."""
        present = (each for each in deliveries if not each.record.is_erased)
        taken = [outgoing for each in present if (outgoing := self._read(each)) is not None]
        now = self._clock()
        # A microsecond apart, so that they wait in the order in which they came.
        rows = [_row(outgoing, now - timedelta(microseconds=len(taken) - place)) for place, outgoing in enumerate(taken)]
        known = sends.c.outgoing_id.in_([each.id for each in taken])
        new = insert(sends)
        words = {name: new.excluded[name] for name in ("account", "audience", "try_after", "body")}
        wordless = (sends.c.state == "deferred") & sends.c.body.is_(None)
        async with self._database.write() as connection:
            if taken:
                await connection.execute(update(sends).where(known, sends.c.state.in_(_ENDS)).values(told=False))
                await connection.execute(
                    new.on_conflict_do_update(index_elements=["outgoing_id"], set_=words, where=wordless), rows
                )
            await self._note_place(connection, {deliveries[-1].partition: deliveries[-1].position + 1})

    def _read(self, delivery: Delivery) -> Outgoing | None:
        """The message in a record. Raises Halted where too many in a row are none."""
        try:
            outgoing = _outgoing(delivery.record)
        except Unreadable as error:
            self._unreadable_in_a_row += 1
            ERRORS.labels("dispatcher", error.reason).inc()
            _telemetry.error("skipped", reason=error.reason, position=delivery.position)
            if self._unreadable_in_a_row > _UNREADABLE_IN_A_ROW:
                raise Halted(
                    "outgoing-unreadable",
                    f"More than {_UNREADABLE_IN_A_ROW} records in a row on {OUTGOING.name} are no outgoing messages, the last at "
                    f"{delivery.position}: {error.sentence} Look at what publishes there with `ingest topic tail`.",
                ) from error
            return None
        self._unreadable_in_a_row = 0
        return outgoing

    async def _send_a_run(self) -> bool:
        """Send some of what is ready; whether there was any."""
        for place in range(_RUN):
            hand = await self._next(another=not self._stopping.is_set())
            if hand is None:
                return place > 0
            outcome = await self._try(hand)
            self._not_noted = hand.outgoing.id, self._settled(hand, outcome)
        await self._next(another=False)
        return True

    def _settled(self, hand: _InHand, outcome: Outcome) -> dict[str, Any]:
        """The row as it is after an attempt."""
        now = self._clock()
        standing, reason, try_after = _verdict(hand, outcome, now)
        kind = hand.outgoing.kind.value
        trace = hand.outgoing.trace
        SENDS.labels(kind, standing).inc()
        waits = isinstance(outcome, Deferred) and outcome.until is not None
        if reason is not None and not waits:
            ERRORS.labels("send", reason.partition(":")[0]).inc()
        _telemetry.info(standing, outgoing=str(hand.outgoing.id), kind=kind, attempt=hand.attempts, reason=reason, **ids(trace))
        ambiguous = hand.ambiguous or isinstance(outcome, Unknown)
        values = {"state": standing, "reason": reason, "try_after": try_after, "changed_at": now, "ambiguous": ambiguous}
        values |= {"attempts": hand.attempts - 1} if waits else {}
        return values if standing == "deferred" else values | {"told": False, "body": trace and trace.model_dump_json()}

    async def _next(self, *, another: bool = True) -> _InHand | None:
        """Note what came of the last message and, in the same transaction, that the next is ``sending``."""
        public = another and await self._public_allowed()
        tripped = False
        async with self._database.write() as connection:
            await self._note(connection)
            if another:
                await self._alone.sure()
            now = self._clock()
            hand = await self._ready(connection, Audience.STAFF, now) if another else None
            if hand is None and public and (hand := await self._ready(connection, Audience.PERSON, now)):
                tripped = await self._accepted_of_late(connection, now) >= self._burst
                hand = None if tripped else hand
            if hand is not None:
                noted = {"state": "sending", "attempts": hand.attempts, "first_at": hand.first_at}
                await connection.execute(
                    update(sends).where(sends.c.outgoing_id == hand.outgoing.id).values(**noted, changed_at=now, try_after=None)
                )
        self._not_noted = None
        if tripped:
            await self._stop_by_burst()
        return hand

    async def _note(self, connection: AsyncConnection) -> None:
        if self._not_noted is not None:
            outgoing_id, values = self._not_noted
            await connection.execute(update(sends).where(sends.c.outgoing_id == outgoing_id).values(values))

    async def _ready(self, connection: AsyncConnection, audience: Audience, now: datetime) -> _InHand | None:
        """The message of an audience that has been ready longest, of an account that does not rest."""
        self._resting = {account: until for account, until in self._resting.items() if until > now}
        ready: list[ColumnElement[bool]] = [sends.c.audience == audience.value, sends.c.try_after <= now]
        if self._resting:
            ready.append(sends.c.account.not_in(list(self._resting)))
        wanted = (sends.c.body, sends.c.attempts, sends.c.first_at, sends.c.ambiguous)
        row = (await connection.execute(select(*wanted).where(*ready).order_by(sends.c.try_after).limit(1))).one_or_none()
        if row is None:
            return None
        first_at = row.first_at if row.attempts else now
        return _InHand(Outgoing.model_validate_json(row.body), row.attempts + 1, first_at, row.ambiguous)

    async def _public_allowed(self) -> bool:
        """Whether anything may go to the public; the switch is looked at once a second at most."""
        now = asyncio.get_running_loop().time()
        if self._switch is None or now - self._switch_read_at >= _SWITCH_SECONDS:
            self._switch = await state.stopped(self._database)
            self._switch_read_at = now
        allowed = self._mode != "off" and not self._switch.stopped
        SENDING_STOPPED.set(not allowed)
        return allowed

    async def _accepted_of_late(self, connection: AsyncConnection, now: datetime) -> int:
        """Messages to the public accepted within ten minutes, or since a person last let sending go on."""
        since = max(now - _BURST_WITHIN, self._switch.at if self._switch else now - _BURST_WITHIN)
        late = (sends.c.state == "accepted", sends.c.audience == Audience.PERSON.value, sends.c.changed_at > since)
        return (await connection.execute(select(func.count()).select_from(sends).where(*late))).scalar_one()

    async def _stop_by_burst(self) -> None:
        await state.stop(self._database, "burst-limit", self._clock)
        self._switch = None
        SENDING_STOPPED.set(1)
        ERRORS.labels("dispatcher", "burst-limit").inc()
        _telemetry.critical("sending-stopped", by="burst-limit", limit=self._burst, release="ingest outgoing release")

    async def _try(self, hand: _InHand) -> Outcome:
        """What comes of handing it over, after a few quick tries where the connection was at fault."""
        at = hand.outgoing.channel, hand.outgoing.account
        if (way := self._ways.get(at)) is None:
            return Failed("no-such-account")
        try:
            with spans.span(
                "send",
                hand.outgoing.trace,
                kind="client",
                outgoing=str(hand.outgoing.id),
                channel=hand.outgoing.channel,
                attempt=hand.attempts,
            ) as span:
                outcome = await self._handed_over(way, replace(hand, outgoing=_in_trace(hand.outgoing, span.trace)))
                span.came_to(type(outcome).__name__.lower(), failed=not isinstance(outcome, Accepted))
        except Exception as error:  # noqa: BLE001 - one message that nobody foresaw must not hold up all others
            _telemetry.error(
                "not-foreseen", outgoing=str(hand.outgoing.id), error=type(error).__name__, **ids(hand.outgoing.trace)
            )
            await way.close()
            outcome = Failed(f"not-foreseen: {type(error).__name__}")
        if isinstance(outcome, Deferred) and outcome.trouble is not Trouble.MESSAGE:
            self._resting[".".join(at)] = outcome.until or self._clock() + _ACCOUNT_RESTS
        return outcome

    async def _handed_over(self, way: Connection, hand: _InHand) -> Outcome:
        """Of one that may be with the provider already, what the provider knows of it; else, and where it cannot tell, it is sent."""
        quickly = AsyncRetrying(
            retry=retry_if_result(_worth_another),
            stop=self._enough,
            wait=wait_random_exponential(multiplier=0.1, max=1),
            retry_error_callback=_as_it_was,
        )
        known: Outcome | None = await quickly(way.asked, hand.outgoing) if hand.ambiguous else None
        if known is not None:
            return known
        outcome: Outcome = await quickly(way.send, hand.outgoing, self._clock())
        return outcome

    def _enough(self, tried: RetryCallState) -> bool:
        return self._stopping.is_set() or stop_after_attempt(3)(tried)

    async def _tell(self) -> None:
        """Put every untold end on ``outgoing.status``."""
        while True:
            told = (sends.c.outgoing_id, sends.c.state, sends.c.changed_at, sends.c.attempts, sends.c.reason, sends.c.body)
            async with self._database.read() as connection:
                rows = (await connection.execute(select(*told).where(sends.c.told.is_(False)).limit(_TAKEN))).all()
            if not rows:
                return
            await self._log.append(
                STATUS.name,
                [
                    status_record(
                        SOURCE,
                        row.outgoing_id,
                        OutgoingState(row.state),
                        row.changed_at,
                        row.attempts,
                        row.reason,
                        row.body and Trace.model_validate_json(row.body),
                    )
                    for row in rows
                ],
            )
            ids = [row.outgoing_id for row in rows]
            async with self._database.write() as connection:
                await connection.execute(update(sends).where(sends.c.outgoing_id.in_(ids)).values(told=True))


def _status(record: Record) -> OutgoingStatus | None:
    """What became of a message; None where the record does not say it, of which the router tells."""
    try:
        return OutgoingStatus.model_validate_json(decode(record).data)
    except (Unreadable, ValidationError):
        return None


def _ended(said: OutgoingStatus) -> dict[str, Any]:
    """A message whose end is on the log already, and whose words nobody needs."""
    end = OutgoingState.ACCEPTED if said.state in _TAKEN_FOR_GOOD else said.state
    return {
        "outgoing_id": said.outgoing_id, "account": "", "audience": Audience.PERSON.value, "state": end.value,
        "attempts": said.attempts, "first_at": said.at, "changed_at": said.at, "try_after": None, "ambiguous": False,
        "reason": None if end is OutgoingState.ACCEPTED else said.reason, "told": True, "body": None,
    }  # fmt: skip


def _readable(record: Record) -> Outgoing | None:
    try:
        return _outgoing(record)
    except Unreadable:
        return None


def _outgoing(record: Record) -> Outgoing:
    event = decode(record)
    if event.type != OUTGOING.ce_type:
        raise Unreadable("unknown-type", f"The record is not a {OUTGOING.ce_type}.")
    try:
        return Outgoing.model_validate_json(event.data)
    except ValidationError as error:
        raise Unreadable("not-valid", f"{error.error_count()} fields are not as the contract has them.") from error


def _in_trace(outgoing: Outgoing, trace: Trace | None) -> Outgoing:
    return outgoing if trace == outgoing.trace else outgoing.model_copy(update={"trace": trace})


def _row(outgoing: Outgoing, now: datetime) -> dict[str, Any]:
    return {
        "outgoing_id": outgoing.id, "account": f"{outgoing.channel}.{outgoing.account}", "audience": outgoing.audience.value,
        "state": "waiting", "attempts": 0, "first_at": now, "changed_at": now, "try_after": now, "ambiguous": False,
        "body": outgoing.model_dump_json(),
    }  # fmt: skip


def _verdict(hand: _InHand, outcome: Outcome, now: datetime) -> tuple[str, str | None, datetime | None]:
    """How a message stands after an attempt, why, and when it is tried again where it is."""
    match outcome:
        case Accepted():
            return "accepted", None, None
        case Failed(reason):
            return "failed", reason, None
        case Unknown(reason) if hand.ambiguous:
            # It may have been taken twice already; a third copy helps nobody, and a person should know.
            return "failed", f"unknown: {reason}", None
        case Deferred(reason, _, until) if until is not None:
            if until > hand.outgoing.due + _PAST_DUE:
                return "failed", f"given-up: {reason}", None
            return "deferred", reason, until
        case Unknown(reason) | Deferred(reason):
            try_after = now + _LATER[min(hand.attempts, len(_LATER)) - 1]
            if try_after > min(max(hand.outgoing.due, hand.first_at) + _PAST_DUE, hand.first_at + _IN_ALL):
                return "failed", f"given-up: {reason}", None
            return "deferred", reason, try_after


def _worth_another(outcome: Outcome | None) -> bool:
    return isinstance(outcome, Deferred) and outcome.trouble is Trouble.CONNECTION and outcome.until is None


def _as_it_was(tried: RetryCallState) -> Outcome:
    assert tried.outcome is not None
    return tried.outcome.result()
