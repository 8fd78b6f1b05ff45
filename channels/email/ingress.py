"""Taking mail in: look into a mailbox over IMAP, hand what is new to ``receive``, and only then flag or move it.

What is new is decided by the ledger of (account, folder, UIDVALIDITY, UID) and never by a flag, since people open mail too.
A contact's id follows from the bytes, so a mailbox that is read again from the start gives the same contacts.

aioimaplib 2.0.3 is used so that its faults cannot reach us. It waits for ever where the connection drops: every call races
with the loss of the connection and a deadline. It handles a burst of lines by recursion: a burst is handed over in slices.
It forgets news that comes between two commands: they are noted beside it. Literals it keeps byte for byte, while quoted
text loses every ``* ``: a body is fetched alone, and believed as a literal or at its full size.
"""

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import groupby
from typing import Any, Final, Protocol, TypeVar, cast
from uuid import UUID

from aioimaplib import AioImapException
from aioimaplib.aioimaplib import IMAP4, SELECTED, Command, IMAP4ClientProtocol, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from channels.email.canary import came_round, send_canaries, sent_when
from channels.email.copies import fingerprint, first_of_each, marked
from channels.email.oauth import Tokens
from channels.email.settings import EmailAccount
from channels.email.signatures import Signatures, of_this_machine
from channels.email.translate import Depth, translate, translate_less
from channels.email.trust import trust
from ingest.clock import Clock
from ingest.contract import Contact, canonical_email
from ingest.database import Database, insert, is_made
from ingest.errors import IngestError, Misconfigured, Unavailable
from ingest.ids import contact_id, digest
from ingest.receive import Arrival, Beside, Translated
from ingest.settings import Settings
from ingest.state import mail_ledger, mailboxes
from ingest.telemetry import ERRORS, MAIL_LAST, MAIL_POLLED, MAIL_UNACCOUNTED, MAIL_WAITING, PASSED_OVER, telemetry

MOST_MAILS: Final = 50
"""Mails of one batch."""
MOST_BYTES: Final = 16_000_000
"""Bytes of one batch, unless a single mail is larger."""

_COUNTED: Final = 2_000  # UIDs of the ledger that are held against the server's at once
_LINES: Final = 200
_SLICE: Final = 4096  # the shortest line a server sends has 13 bytes; aioimaplib's recursion bears some 900 of them
_EXISTS = re.compile(rb"\* (\d{1,10}) EXISTS")
_EXPUNGE = re.compile(rb"\* \d{1,10} EXPUNGE")
_FLAGS = re.compile(rb"\* \d{1,10} FETCH \((?:FLAGS \([^()]*\)|MODSEQ \(\d{1,20}\)| )*\)")
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,19})\b")
_INTERNAL_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,64})"')
_QUOTED_BODY = re.compile(rb'\bBODY\[\](?:<0>)? "((?:[^"\\]|\\.)*)"', re.DOTALL)
_UID_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,10})\]")
_FOR_NOW = re.compile(rb"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA)\]")  # RFC 5530 section 3
_NOT_PRINTED = re.compile(r"[^\x20-\x7e]+")

_say = telemetry("email")
_T = TypeVar("_T")


class Arrive(Protocol):
    """``ingest.receive.receive`` with all it leans on bound."""

    def __call__(self, arrivals: Sequence[Arrival], *, beside: Beside) -> Awaitable[list[Contact]]:
        """Keep, translate, append, note. Raises Unavailable, Refused."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How long we wait, in seconds."""

    call: float = 20.0
    """For an answer, or for more of it."""
    idle: float = 25 * 60.0
    """In one IDLE; RFC 2177 asks for a fresh one within 29 minutes."""
    pause: float = 0.5
    """After a first fault; doubled with each, and some chance added."""
    longest_pause: float = 60.0
    """After many faults; at once after a refused password or token, since servers lock out who hammers."""
    count: float = 3600.0
    """Between two counts of the whole mailbox against the ledger."""
    again: float = 60.0
    """Before a mail that could not be had twice is tried again; doubled each time, to an hour."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands in a mailbox, for ``ingest check``. Nothing was changed by looking."""

    reachable: bool
    folder_found: bool
    messages: int
    waiting: int
    """Not yet taken in."""
    older: int
    """Of these, older than the first start: they will be taken in with sending off."""
    sentence: str


async def run(
    name: str,
    account: EmailAccount,
    *,
    arrive: Arrive,
    database: Database,
    clock: Clock,
    stopping: asyncio.Event,
    settings: Settings,
    pace: Pace | None = None,
    signatures: Signatures | None = None,
    **_: Any,
) -> None:
    """Take in what comes to a mailbox until ``stopping`` is set, the batch in hand is then finished; and send its canaries.

    No fault ends it: each is counted by its reason, and after a pause there is a fresh connection.
    """
    key = settings.own_key
    signatures = (signatures or of_this_machine()) if account.check_dkim else None
    the_round = _Round(name, account, arrive, database, clock, stopping, pace or Pace(), key, signatures)
    async with asyncio.TaskGroup() as group:
        group.create_task(_again_and_again(the_round))
        if account.canary_every is not None:
            every = account.canary_every
            group.create_task(send_canaries(name, account, every, key=key, database=database, clock=clock, stopping=stopping))


async def _again_and_again(the_round: "_Round") -> None:
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(Exception),
        wait=the_round.pause_after,
        before_sleep=the_round.count,
        sleep=the_round.sleep,
    ):
        with attempt:
            await the_round.walk(attempt.retry_state)


async def survey(name: str, account: EmailAccount, *, database: Database, clock: Clock, pace: Pace | None = None) -> Survey:
    """Look into a mailbox and change nothing. Raises nothing: what is wrong is a sentence that says what to do."""
    reachable = folder_found = False
    try:
        async with _connected(account, pace or Pace(), _tokens(account)) as box:
            reachable = True
            await box.enter(account.folder, looking=True)
            folder_found = True
            first_seen_at, waiting = await _waiting(name, account.folder, box, database)
            older = len(waiting) if first_seen_at is None else await _older(box, waiting, first_seen_at)
    except Exception as error:  # noqa: BLE001 - a command that looks says what is wrong, whatever it is
        return Survey(reachable, folder_found, 0, 0, 0, _sentence(error))
    since = clock() if first_seen_at is None else first_seen_at
    return Survey(
        reachable,
        folder_found,
        box.messages,
        len(waiting),
        older,
        f"{box.messages} messages, {len(waiting)} of them not yet taken in. {older} are older than the first start "
        f"({since:%Y-%m-%d %H:%M} UTC): they are taken in and nothing is sent about them.",
    )


async def _waiting(name: str, folder: str, box: "_Box", database: Database) -> tuple[datetime | None, list[int]]:
    """When the mailbox was first seen, None for never, and the UIDs in it that are not taken in."""
    uids = await box.uids(1)
    async with database.read() as connection:
        if not await is_made(connection, mailboxes):
            return None, uids
        row = (await connection.execute(select(mailboxes).where(*_of(mailboxes, name, folder)))).one_or_none()
        if row is None:
            return None, uids
        taken = await _taken(connection, name, folder, box.uid_validity, 0)
    return row.first_seen_at, [each for each in uids if each not in taken]


async def _older(box: "_Box", uids: Sequence[int], first_seen_at: datetime) -> int:
    older = 0
    for some in _by(MOST_MAILS, uids):
        older += sum(_is_older(each.internal_date, first_seen_at) for each in await box.describe(some))
    return older


@dataclass(slots=True)
class _Trouble:
    tries: int = 0
    not_before: float = 0.0


class _Round:
    """One mailbox, again and again; what it remembers between connections is which mails could not be had."""

    def __init__(
        self,
        name: str,
        account: EmailAccount,
        arrive: Arrive,
        database: Database,
        clock: Clock,
        stopping: asyncio.Event,
        pace: Pace,
        key: bytes,
        signatures: Signatures | None,
    ) -> None:
        self._name = name
        self._account = account
        self._arrive = arrive
        self._database = database
        self._clock = clock
        self._stopping = stopping
        self._pace = pace
        self._key = key
        self._count_at = 0.0
        self._backoff = wait_exponential_jitter(multiplier=pace.pause, max=pace.longest_pause, jitter=pace.pause)
        self._troubles: dict[tuple[int, int], _Trouble] = {}
        self._signatures = signatures
        self._tokens = _tokens(account)
        self._polled = MAIL_POLLED.labels(name)
        self._newest = MAIL_LAST.labels(name)
        self._newest_known = False
        self._waiting = MAIL_WAITING.labels(name)

    async def walk(self, attempt: RetryCallState) -> None:
        """Sweep, wait for news or the time of the next poll, sweep again, on one connection."""
        if self._stopping.is_set():
            return
        async with _connected(self._account, self._pace, self._tokens) as box:
            await box.enter(self._account.folder)
            while True:
                await self._sweep(box)
                attempt.attempt_number = 1  # it went well, so the next fault is a first one
                if not self._stopping.is_set():
                    await box.news(self._stopping, self._account.poll_every.total_seconds())
                if self._stopping.is_set():
                    return

    def pause_after(self, attempt: RetryCallState) -> float:
        """Seconds until the next connection."""
        error = attempt.outcome and attempt.outcome.exception()
        if isinstance(error, Unavailable) and error.reason in ("imap-login", "oauth-refused"):
            return self._pace.longest_pause
        return self._backoff(attempt)

    def count(self, attempt: RetryCallState) -> None:
        """Note what went wrong."""
        error = attempt.outcome and attempt.outcome.exception()
        reason = _reason(error)
        ERRORS.labels("email", reason).inc()
        _say.warning(
            "mailbox-fault",
            account=self._name,
            reason=reason,
            kind=type(error).__name__,
            faults=attempt.attempt_number,
            again_in_seconds=round(attempt.upcoming_sleep, 1),
        )

    async def sleep(self, seconds: float) -> None:
        """Until then, or until told to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _sweep(self, box: "_Box") -> None:
        await box.look()
        first_seen_at, next_uid = await self._remember(box)
        next_uid = await self._count(box, next_uid)
        unsettled = await self._unsettled(box)
        found = await box.uids(next_uid)
        async with self._database.read() as connection:
            due = set(found) - await _taken(connection, self._name, self._account.folder, box.uid_validity, next_uid)
        self._waiting.set(len(due))
        for some in self._in_turn(box, due):
            if self._stopping.is_set():
                break
            due -= await self._take_in(box, some, first_seen_at)
            self._waiting.set(len(due))
        following = min(due) if due else max(found, default=next_uid - 1) + 1
        if following != next_uid:
            async with self._database.write() as connection:
                await connection.execute(mailboxes.update().where(*self._mine).values(next_uid=following))
        self._polled.set(self._clock().timestamp())
        for some in _by(MOST_MAILS, unsettled):
            if not await self._settle(box, some):
                break

    def _in_turn(self, box: "_Box", due: Iterable[int]) -> Iterator[list[int]]:
        """What may be tried now, some at a time. Mails that made trouble come last and each alone: no other waits for them."""
        now = asyncio.get_running_loop().time()
        troubles = {uid: self._troubles.get((box.uid_validity, uid), _Trouble()) for uid in sorted(due)}
        yield from _by(MOST_MAILS, [uid for uid, trouble in troubles.items() if trouble.tries == 0])
        tried = [(trouble.tries, uid) for uid, trouble in troubles.items() if trouble.tries and trouble.not_before <= now]
        yield from ([uid] for _, uid in sorted(tried))

    async def _remember(self, box: "_Box") -> tuple[datetime, int]:
        """When the mailbox was first seen, and the UID below which all is taken in."""
        if not self._newest_known:
            newest = select(func.max(mail_ledger.c.taken_at)).where(*_of(mail_ledger, self._name, self._account.folder))
            async with self._database.read() as connection:
                last = (await connection.execute(newest)).scalar_one()
            self._newest.set(last.timestamp() if last else 0)
            self._newest_known = True
        async with self._database.write() as connection:
            row = (await connection.execute(select(mailboxes).where(*self._mine))).one_or_none()
            if row is not None and row.uid_validity == box.uid_validity:
                return row.first_seen_at, row.next_uid
            first_seen_at: datetime = self._clock() if row is None else row.first_seen_at
            fresh = {"uid_validity": box.uid_validity, "next_uid": 1}
            new = insert(mailboxes).values(
                account=self._name, folder=self._account.folder, first_seen_at=first_seen_at, **fresh
            )
            await connection.execute(new.on_conflict_do_update(index_elements=["account", "folder"], set_=fresh))
        _say.info("mailbox-new" if row is None else "mailbox-renumbered", account=self._name, messages=box.messages)
        return first_seen_at, 1

    async def _take_in(self, box: "_Box", uids: Sequence[int], first_seen_at: datetime) -> set[int]:
        """Fetch these mails and hand them over, in batches by their size; answers with those that are now taken in."""
        described = await self._describe(box, uids)
        batch: list[tuple[int, Arrival]] = []
        back: dict[int, tuple[bytes, datetime]] = {}
        size, taken = 0, set[int]()
        for uid in uids:
            mail = described.get(uid)
            if mail is None:
                self._note_trouble(box, uid, "not-described")
                continue
            if batch and size + mail.size > MOST_BYTES:
                taken |= await self._hand_over(box, batch)
                batch, size = [], 0
            if self._stopping.is_set():
                break
            raw = await self._fetch(box, mail)
            if raw is not None and (sent_at := sent_when(raw, self._name, self._key)) is not None:
                back[uid] = raw, sent_at
            elif raw is not None:
                signer = await self._signatures.signed_for(raw) if self._signatures is not None else None
                batch.append((uid, self._arrival(mail, raw, first_seen_at, signer)))
                size += len(raw)
        return taken | await self._hand_over(box, batch) | await self._came_round(box, back)

    async def _came_round(self, box: "_Box", back: dict[int, tuple[bytes, datetime]]) -> set[int]:
        """Note our canaries, and take them out of the mailbox: they are no contacts, and a person would have to look past them."""
        if not back:
            return set()
        ids = {uid: contact_id("email", self._name, digest(raw)) for uid, (raw, _) in back.items()}
        async with self._database.write() as connection:
            await connection.execute(insert(mail_ledger).on_conflict_do_nothing(), self._rows(box.uid_validity, ids))
            for _, sent_at in back.values():
                await came_round(connection, self._name, sent_at)
        PASSED_OVER.labels("email", "canary").inc(len(back))
        await self._note_settled(box, list(back), await box.discard(list(back)))
        return set(back)

    async def _describe(self, box: "_Box", uids: Sequence[int]) -> "dict[int, _Mail]":
        try:
            return {each.uid: each for each in await box.describe(uids)}
        except Unavailable as error:
            # To tell a mail's size a server reads it, and one it cannot read may cost the connection: which one is soon seen.
            if len(uids) == 1:
                self._note_trouble(box, uids[0], error.reason)
            for uid in uids:
                self._troubles.setdefault((box.uid_validity, uid), _Trouble(tries=1))
            raise

    async def _fetch(self, box: "_Box", mail: "_Mail") -> bytes | None:
        try:
            raw = await box.fetch(mail, self._account.most_message_bytes)
        except Unavailable as error:
            # The connection is gone, and this mail may be why: next time it comes last.
            self._note_trouble(box, mail.uid, error.reason)
            raise
        if raw is None:
            self._note_trouble(box, mail.uid, "not-fetched")
        return raw

    def _arrival(self, mail: "_Mail", raw: bytes, first_seen_at: datetime, signer: str | None) -> Arrival:
        now, own = self._clock(), canonical_email(self._account.sender)
        cut = len(raw) == self._account.most_message_bytes and mail.size > len(raw)
        known: dict[str, Any] = {
            "account": self._name,
            "received_at": min(mail.internal_date or now, now),
            "backfill": _is_older(mail.internal_date, first_seen_at),
            "authserv_id": self._account.authserv_id,
            "whole_size": mail.size if cut else None,
            "own": (own,) if own else (),
            "signed_for": signer,
        }
        return Arrival(
            original=raw,
            translate=partial(translate, **known),
            otherwise=[partial(translate_less, depth=each, **known) for each in (Depth.MAIL, Depth.HEADERS, Depth.NOTHING)],
        )

    async def _hand_over(self, box: "_Box", batch: Sequence[tuple[int, Arrival]]) -> set[int]:
        """Keep, append and note a batch, and then say so on the server; answers with the UIDs that are taken in."""
        if not batch:
            return set()
        uids = [uid for uid, _ in batch]
        try:
            arrivals = await self._with_copies_marked([arrival for _, arrival in batch])
            await self._arrive(arrivals, beside=self._beside(box.uid_validity, uids))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one mail must not keep its neighbours out, whatever is wrong with it
            if len(batch) > 1:
                alone = [await self._hand_over(box, [each]) for each in batch]
                return set[int]().union(*alone)
            self._note_trouble(box, uids[0], _reason(error), type(error).__name__)
            return set()
        self._newest.set(self._clock().timestamp())
        for uid in uids:
            self._troubles.pop((box.uid_validity, uid), None)
        await self._settle(box, uids)
        return set(uids)

    async def _with_copies_marked(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        def look() -> tuple[list[UUID], list[str | None]]:  # in a thread: of 50 MB it takes a while, and other mailboxes go on
            originals = [each.original for each in arrivals]
            return [contact_id("email", self._name, digest(each)) for each in originals], [
                fingerprint(each) for each in originals
            ]

        own, told = await asyncio.to_thread(look)
        first = await first_of_each(self._database, [(each, id_) for each, id_ in zip(told, own, strict=True) if each])
        return [
            arrival
            if each is None or first[each] == id_
            else replace(arrival, translate=partial(_copy, arrival.translate, first[each]))
            for arrival, each, id_ in zip(arrivals, told, own, strict=True)
        ]

    def _beside(self, uid_validity: int, uids: Sequence[int]) -> Beside:
        async def write(connection: AsyncConnection, contacts: Sequence[Contact]) -> None:
            ids = {uid: contact.id for uid, contact in zip(uids, contacts, strict=True)}
            await connection.execute(insert(mail_ledger).on_conflict_do_nothing(), self._rows(uid_validity, ids))

        return write

    def _rows(self, uid_validity: int, ids: Mapping[int, UUID]) -> list[dict[str, Any]]:
        same = {"account": self._name, "folder": self._account.folder, "uid_validity": uid_validity}
        fresh = {"taken_at": self._clock(), "settled": False}
        return [{**same, "uid": uid, "contact_id": id_, **fresh} for uid, id_ in ids.items()]

    async def _settle(self, box: "_Box", uids: Sequence[int]) -> bool:
        """Flag or move what is taken in. What will not be flagged is lost to nobody, and tried again with every sweep."""
        return await self._note_settled(box, uids, await box.settle(uids, self._account.move_to))

    async def _note_settled(self, box: "_Box", uids: Sequence[int], done: set[int]) -> bool:
        if done:
            mine = _of(mail_ledger, self._name, self._account.folder)
            settled = mail_ledger.update().where(
                *mine, mail_ledger.c.uid_validity == box.uid_validity, mail_ledger.c.uid.in_(done)
            )
            async with self._database.write() as connection:
                await connection.execute(settled.values(settled=True))
        if len(done) < len(uids):
            ERRORS.labels("email", "not-settled").inc()
            _say.warning("not-settled", account=self._name, mails=len(uids) - len(done))
        return len(done) == len(uids)

    async def _count(self, box: "_Box", next_uid: int) -> int:
        """Now and then, hold all that the server has against the ledger; answers with the UID from which this sweep must look.

        Whatever is on the server and neither taken in nor waiting was missed, by us or by a person's mending of the ledger: an alarm, and
        taken in with this sweep.
        """
        now = asyncio.get_running_loop().time()
        if now < self._count_at:
            return next_uid
        missed = await self._missed(box, next_uid)
        MAIL_UNACCOUNTED.labels(self._name).set(len(missed))
        if not missed:
            self._count_at = now + self._pace.count
            return next_uid
        ERRORS.labels("email", "unaccounted").inc(len(missed))
        _say.error("unaccounted", account=self._name, mails=len(missed), first=missed[0])
        return missed[0]

    async def _missed(self, box: "_Box", below: int) -> list[int]:
        """The UIDs below this one that the server has and the ledger has not, some thousands at a time."""
        missed: list[int] = []
        first = 1
        while first < below and not self._stopping.is_set():
            chosen = select(mail_ledger.c.uid).where(
                *_of(mail_ledger, self._name, self._account.folder),
                mail_ledger.c.uid_validity == box.uid_validity,
                mail_ledger.c.uid >= first,
                mail_ledger.c.uid < below,
            )
            async with self._database.read() as connection:
                taken = list((await connection.execute(chosen.order_by(mail_ledger.c.uid).limit(_COUNTED))).scalars())
            last = taken[-1] if len(taken) == _COUNTED else below - 1
            missed += sorted(set(await box.between(first, last)) - set(taken))
            first = last + 1
        return missed

    async def _unsettled(self, box: "_Box") -> list[int]:
        """Taken in before this sweep, and not flagged or moved then."""
        chosen = select(mail_ledger.c.uid).where(
            *_of(mail_ledger, self._name, self._account.folder),
            mail_ledger.c.uid_validity == box.uid_validity,
            mail_ledger.c.settled.is_(False),
        )
        async with self._database.read() as connection:
            return list((await connection.execute(chosen.order_by(mail_ledger.c.uid))).scalars())

    @property
    def _mine(self) -> tuple[Any, Any]:
        return _of(mailboxes, self._name, self._account.folder)

    def _note_trouble(self, box: "_Box", uid: int, reason: str, kind: str = "") -> None:
        """A first trouble may be the connection's own, and is tried again at once; then after longer and longer."""
        trouble = self._troubles.setdefault((box.uid_validity, uid), _Trouble())
        trouble.tries += 1
        pause = 0.0 if trouble.tries == 1 else min(self._pace.again * 2 ** min(trouble.tries - 2, 20), 3600.0)
        trouble.not_before = asyncio.get_running_loop().time() + pause
        ERRORS.labels("email", reason).inc()
        _say.warning(
            "mail-not-taken-in",
            account=self._name,
            uid=uid,
            reason=reason,
            kind=kind,
            tries=trouble.tries,
            again_in_seconds=pause,
        )


@dataclass(frozen=True, slots=True)
class _Mail:
    uid: int
    size: int
    internal_date: datetime | None


class _Protocol(IMAP4ClientProtocol):
    """aioimaplib's, which also tells that the connection is lost and that the mailbox has grown."""

    def __init__(self, loop: asyncio.AbstractEventLoop, conn_lost_cb: Callable[[Exception | None], None] | None) -> None:
        super().__init__(loop, conn_lost_cb)  # pyright: ignore[reportArgumentType] - None by default, and not said so
        self.lost: asyncio.Future[None] = loop.create_future()
        self.grown = asyncio.Event()
        self.messages = 0
        self.uid_validity = 0

    def data_received(self, d: bytes) -> None:
        """Hand a burst of lines over in slices that the recursion beneath can bear."""
        step = _SLICE if d.count(b"\n") > _LINES else max(len(d), 1)
        for start in range(0, len(d), step):
            super().data_received(d[start : start + step])

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits for an answer."""
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def _untagged_response(self, line: bytes) -> Command | None:  # pyright: ignore[reportIncompatibleMethodOverride] - nor is its own
        if _FLAGS.fullmatch(line):
            return None  # what somebody else flagged; a FETCH under way would go through all of it again with each further line
        if found := _EXISTS.fullmatch(line):
            if int(found[1]) > self.messages:
                self.grown.set()
            self.messages = int(found[1])
        elif _EXPUNGE.fullmatch(line):
            self.messages -= 1
        elif (validity := _UID_VALIDITY.search(line)) and self.uid_validity not in (0, int(validity[1])):
            # Numbered anew under our hands, which RFC 3501 forbids and a restored backup does: no UID that we know names the same mail.
            cast(asyncio.Transport, self.transport).abort()
        return super()._untagged_response(line)

    def _continuation(self, line: bytes) -> None:
        """A refused token is first told in a challenge, and only an empty line brings the refusal itself (RFC 7628 section 3.2.3)."""
        if self.pending_sync_command is not None and self.pending_sync_command.name == "AUTHENTICATE":
            cast(asyncio.Transport, self.transport).write(b"\r\n")
        else:
            super()._continuation(line)


class _Client(IMAP4):
    protocol: _Protocol

    def __init__(self, account: EmailAccount, seconds: float) -> None:
        self._context = trust(account.ca_file) if account.tls else None
        super().__init__(account.host, account.port, timeout=seconds)

    def create_client(
        self,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: Callable[[Exception | None], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Begin to connect; the host's name is checked against its certificate."""
        running = loop or asyncio.get_running_loop()
        self.protocol = _Protocol(running, conn_lost_cb)
        self._client_task = running.create_task(
            running.create_connection(lambda: self.protocol, host, port, ssl=ssl_context or self._context)
        )

    def drop(self) -> None:
        """Let go of the connection at once, and of every call that waits for it."""
        if self._idle_waiter is not None:
            self._idle_waiter.cancel()
        waiting = cast("list[asyncio.Future[Any]]", [self._client_task, *self.tasks, *self.protocol.tasks])
        for each in waiting:
            each.cancel()
        if self.protocol.transport is not None:
            cast(asyncio.Transport, self.protocol.transport).abort()


@asynccontextmanager
async def _connected(account: EmailAccount, pace: Pace, tokens: Tokens | None) -> AsyncGenerator["_Box"]:
    """A connection that is logged in, with a token where there are any. Raises Unavailable, Misconfigured."""
    token = await tokens.token() if tokens else None
    client = _Client(account, pace.call)
    box = _Box(client, pace)
    try:
        try:
            await box.log_in(account, token)
        except Unavailable as error:
            if tokens is not None and error.reason == "imap-login":
                tokens.forget()
            raise
        yield box
        with suppress(Unavailable):
            await box.log_out()
    finally:
        client.drop()


class _Box:
    """A folder over one connection. Every call has a deadline and raises Unavailable, after which the connection is no use."""

    def __init__(self, client: _Client, pace: Pace) -> None:
        self._client = client
        self._protocol = client.protocol
        self._pace = pace
        self.uid_validity = 0

    @property
    def messages(self) -> int:
        """How many the folder holds."""
        return self._protocol.messages

    async def log_in(self, account: EmailAccount, token: str | None) -> None:
        """By the token, else by the password. Raises Unavailable(``imap-login``) where we are turned away."""
        host = f"{account.host}:{account.port}"
        try:
            await self._within(self._pace.call, self._client.wait_hello_from_server())
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                "imap-certificate",
                f"The certificate of {host} is not to be trusted: {error.verify_message}. Check host, or name its authority in ca_file.",
            ) from error
        except ssl.SSLError as error:
            raise Unavailable("imap-tls", f"{host} does not speak TLS: {error.reason}. Check port; 993 is usual.") from error
        except socket.gaierror as error:
            raise Unavailable("imap-host", f"There is no host {account.host} to be found. Check host.") from error
        except OSError as error:
            raise Unavailable(
                "imap-unreachable", f"{host} cannot be reached: {error.strerror or error}. Check host and port."
            ) from error
        if token is not None:
            asking = self._client.xoauth2(
                account.user, cast(Any, token)
            )  # bytes, says its type, and writes them as Python would
        else:
            assert account.password is not None
            asking = self._client.login(_quoted(account.user), _one_line(account.password.get_secret_value()))
        answer = await self._within(self._pace.call, asking)
        if answer.result != "OK":
            said = _said(answer)
            if _FOR_NOW.search(said) or answer.result == "BAD":
                raise Unavailable("imap-unavailable", f"{host} cannot let anybody in for now. It is tried again.")
            what = "user and password" if token is None else "user, and that the app may open this mailbox by IMAP"
            raise Unavailable("imap-login", f"{host} does not let {account.user} in. Check {what}.")
        # What aioimaplib gathers from the answer to LOGIN has brackets in it.
        await self._within(self._pace.call, self._protocol.capability())

    async def enter(self, folder: str, *, looking: bool = False) -> None:
        """Open a folder, to look or to change. Raises Unavailable(``imap-folder``) where there is none."""
        command = self._client.examine if looking else self._client.select
        answer = await self._within(self._pace.call, command(_wire_name(folder)))
        if answer.result == "BAD" or _FOR_NOW.search(_said(answer)):
            raise Unavailable("imap-unavailable", f"The folder {folder} cannot be opened for now. It is tried again.")
        if answer.result != "OK":
            raise Unavailable("imap-folder", f"There is no folder {folder} that may be read. Check folder, and its rights.")
        self._protocol.state = SELECTED  # aioimaplib forgets that EXAMINE selects too
        found = next((each for each in map(_UID_VALIDITY.search, _texts(answer)) if each), None)
        if found is None:
            raise Unavailable(
                "imap-uidvalidity", f"The folder {folder} has no UIDVALIDITY, without which nothing is taken in once."
            )
        self.uid_validity = self._protocol.uid_validity = int(found[1])

    async def look(self) -> None:
        """Have the server tell what has changed, and count news from here."""
        await self._ok(self._client.noop())
        self._protocol.grown.clear()

    async def between(self, first: int, last: int) -> list[int]:
        """The UIDs that are there of these."""
        return await self._search(f"{first}:{last}")

    async def uids(self, first: int) -> list[int]:
        """Those from ``first`` on, in order. ``n:*`` names the last message even where it is below n (RFC 3501 section 6.4.8)."""
        return [each for each in await self._search(f"{first}:*") if each >= first]

    async def describe(self, uids: Sequence[int]) -> list[_Mail]:
        """Size and date of each of at most ``MOST_MAILS``; one that is gone is left out."""
        answer = await self._ok(self._client.uid("FETCH", _set(uids), "(UID RFC822.SIZE INTERNALDATE)"))
        wanted = set(uids)
        return [each for each in map(_described, _texts(answer)) if each is not None and each.uid in wanted]

    async def fetch(self, mail: _Mail, most: int) -> bytes | None:
        """Its bytes, at most so many; None where the server will not give them or they are in doubt."""
        raw = await self._fetch_once(mail, most)
        if raw is None or len(raw) == min(mail.size, most):
            return raw
        # Some servers only estimate the size, and others send less than they hold: the same bytes twice are believed.
        return raw if raw == await self._fetch_once(mail, most) else None

    async def _fetch_once(self, mail: _Mail, most: int) -> bytes | None:
        part = "BODY.PEEK[]" if mail.size <= most else f"BODY.PEEK[]<0.{most}>"
        # aioimaplib counts the deadline anew with each piece that arrives; this is the limit for all of them, at 20 kB/s.
        seconds = self._pace.call + min(mail.size, most) / 20_000
        answer = await self._within(seconds, self._client.uid("FETCH", str(mail.uid), f"(UID {part})"))
        text = b" ".join(_texts(answer))
        if answer.result != "OK" or mail.uid not in {int(each) for each in _UID.findall(text)}:
            return None
        literals = [bytes(each) for each in _lines(answer) if isinstance(each, bytearray)]
        if not literals and (quoted := _QUOTED_BODY.search(text)):
            body = re.sub(rb"\\(.)", rb"\1", quoted[1])
            return body if len(body) == min(mail.size, most) else None
        return literals[0] if len(literals) == 1 else None

    async def settle(self, uids: Sequence[int], move_to: str | None) -> set[int]:
        """Flag as seen, or move; answers with those that are so now or are no longer there."""
        chosen = _set(uids)
        if move_to is None:
            await self._within(self._pace.call, self._client.uid("STORE", chosen, "+FLAGS.SILENT", r"(\Seen)"))
            # A server that lets nobody flag may say OK all the same, as Dovecot does: the flag itself is looked for.
            return set(uids) - set(await self._search(chosen, "UNSEEN"))
        await self._move(chosen, _wire_name(move_to))
        return set(uids) - set(await self._search(chosen, "UNDELETED"))

    async def discard(self, uids: Sequence[int]) -> set[int]:
        """Delete, where only these can be, or else mark as deleted; answers as ``settle`` does."""
        await self._delete(_set(uids))
        return set(uids) - set(await self._search(_set(uids), "UNDELETED"))

    async def _delete(self, chosen: str) -> None:
        await self._within(self._pace.call, self._client.uid("STORE", chosen, "+FLAGS.SILENT", r"(\Deleted)"))
        # Without UIDPLUS an EXPUNGE would take what other people have marked: ours stay marked.
        if self._client.has_capability("UIDPLUS"):
            await self._within(self._pace.call, self._client.uid("EXPUNGE", chosen))

    async def _move(self, chosen: str, folder: str) -> None:
        command = "MOVE" if self._client.has_capability("MOVE") else "COPY"
        answer = await self._within(self._pace.call, self._client.uid(command, chosen, folder))
        if answer.result != "OK":
            await self._within(self._pace.call, self._client.create(folder))
            answer = await self._within(self._pace.call, self._client.uid(command, chosen, folder))
        if answer.result == "OK" and command == "COPY":
            await self._delete(chosen)

    async def news(self, stopping: asyncio.Event, seconds: float) -> None:
        """Wait until the folder grows, at most so long, or until told to stop."""
        if self._protocol.grown.is_set():
            return
        idling = self._client.has_capability("IDLE")
        waits = [asyncio.ensure_future(self._protocol.grown.wait()), asyncio.ensure_future(stopping.wait())]
        try:
            if idling:
                self._protocol.idle_queue = asyncio.Queue()  # nobody reads it, and it must not grow with the years
                starting = cast("Awaitable[asyncio.Future[Response]]", self._client.idle_start(2 * self._pace.idle))
                idle = await self._within(self._pace.call, starting)
                await asyncio.wait(
                    (*waits, self._protocol.lost), timeout=min(seconds, self._pace.idle), return_when=asyncio.FIRST_COMPLETED
                )
                self._client.idle_done()
                await self._within(self._pace.call, idle)
            else:
                await asyncio.wait((*waits, self._protocol.lost), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def log_out(self) -> None:
        """Say goodbye."""
        await self._within(min(self._pace.call, 2.0), self._client.logout())

    async def _search(self, *criteria: str) -> list[int]:
        answer = await self._ok(self._client.uid_search("UID", *criteria, charset=None))
        found = {int(each) for line in _texts(answer) if re.fullmatch(rb"[\d ]*", line) for each in line.split()}
        return sorted(found)

    async def _ok(self, command: Awaitable[Response]) -> Response:
        answer = await self._within(self._pace.call, command)
        if answer.result != "OK":
            raise Unavailable("imap-refused", "The mail server refused a command. It is tried again.")
        return answer

    async def _within(self, seconds: float, command: Awaitable[_T]) -> _T:
        """Its answer, unless the connection is lost or the time is up first."""
        call = asyncio.ensure_future(command)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait((call, self._protocol.lost), return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise Unavailable("imap-lost", "The mail server closed the connection. It is tried again.")
            return call.result()
        except TimeoutError as error:
            raise Unavailable(
                "imap-deadline", f"The mail server did not answer in {seconds:.0f} s. It is tried again."
            ) from error
        except AioImapException as error:
            raise Unavailable(
                "imap-protocol", "The mail server answered what was not understood. It is tried again."
            ) from error
        finally:
            call.cancel()


def _copy(translate: Callable[[bytes], Translated], first: UUID, raw: bytes) -> Translated:
    contact, files = translate(raw)
    return marked(contact, first), files


def _tokens(account: EmailAccount) -> Tokens | None:
    return Tokens(account.oauth, account.ca_file) if account.oauth else None


def _described(line: bytes) -> _Mail | None:
    uid, size, date = _UID.search(line), _SIZE.search(line), _INTERNAL_DATE.search(line)
    if uid is None or size is None:
        return None
    internal_date = None
    if date is not None:
        with suppress(ValueError, OverflowError):
            internal_date = parsedate_to_datetime(date[1].decode("ascii", "replace")).astimezone(UTC)
    return _Mail(int(uid[1]), int(size[1]), internal_date)


def _is_older(internal_date: datetime | None, first_seen_at: datetime) -> bool:
    """INTERNALDATE has whole seconds: mail of the very second of the first start is not older than it."""
    return internal_date is not None and internal_date < first_seen_at.replace(microsecond=0)


async def _taken(connection: AsyncConnection, name: str, folder: str, uid_validity: int, first: int) -> set[int]:
    chosen = select(mail_ledger.c.uid).where(
        *_of(mail_ledger, name, folder), mail_ledger.c.uid_validity == uid_validity, mail_ledger.c.uid >= first
    )
    return set((await connection.execute(chosen)).scalars())


def _of(table: Any, name: str, folder: str) -> tuple[Any, Any]:
    return table.c.account == name, table.c.folder == folder


def _by(most: int, uids: Sequence[int]) -> Iterable[list[int]]:
    for _, some in groupby(enumerate(uids), key=lambda each: each[0] // most):
        yield [uid for _, uid in some]


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _lines(answer: Response) -> list[bytes | bytearray]:
    """Text as bytes, a literal as a bytearray."""
    return cast("list[bytes | bytearray]", answer.lines)


def _texts(answer: Response) -> list[bytes]:
    """The lines of an answer without its literals and its last, which closes it."""
    return [each for each in _lines(answer)[:-1] if isinstance(each, bytes)]


def _said(answer: Response) -> bytes:
    """The line that closes an answer."""
    return bytes(_lines(answer)[-1])


def _one_line(given: str) -> str:
    """A line end or a NUL would let a name or password carry a command of its own (CVE-2025-15366)."""
    if any(each in given for each in "\r\n\0"):
        raise Misconfigured("channels.email", "A name or password of a mailbox holds a line end or NUL. Remove it.")
    return given


def _quoted(given: str) -> str:
    return '"' + _one_line(given).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _wire_name(folder: str) -> str:
    """A folder's name as IMAP writes it, quoted: modified UTF-7 (RFC 3501 section 5.1.3), so that Cŵynion can be one."""

    def shifted(found: re.Match[str]) -> str:
        return "&" + b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    return _quoted(_NOT_PRINTED.sub(shifted, _one_line(folder).replace("&", "&-")))


def _reason(error: BaseException | None) -> str:
    return error.reason if isinstance(error, IngestError) else "unforeseen"


def _sentence(error: Exception) -> str:
    if isinstance(error, IngestError):
        return error.sentence
    return f"The mailbox could not be looked at: {type(error).__name__}."
