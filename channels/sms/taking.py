"""Texts are taken in: at once where they are whole, and where they are not, kept first and taken in once their pictures and parts are here.

A webhook is answered as soon as its text is kept. Pictures are fetched from the provider alone, again and again for some minutes, and parts
are waited for; what then is missing is named in the contact's warnings, so that a person looks. Whoever completes a text first puts its
name down for it, by moving its next try: of several processes one does it, and where that one dies another does, a little later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urljoin
from uuid import UUID

import httpx
from pydantic import TypeAdapter
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.sms.asking import login, trusted
from channels.sms.inbound import InboundText, Media, Part, Picture, joined
from channels.sms.providers import PROVIDERS
from channels.sms.settings import SmsAccount
from channels.sms.translate import translate
from ingest import state
from ingest.claims import Claim, Stands, claim
from ingest.clock import Clock
from ingest.contract import Contact, Trace
from ingest.database import Database, among, insert
from ingest.errors import IngestError
from ingest.ids import contact_id, digest
from ingest.receive import Arrival
from ingest.scan import scanner
from ingest.settings import Settings
from ingest.telemetry import ERRORS, telemetry

Arrive = Callable[..., Awaitable[list[Contact]]]
"""``receive``, with all that it leans on."""

_MOST_WAITING: Final = 1_000  # looked at, at a time
_AT_ONCE: Final = 100
_MOST_HOPS: Final = 2
_IN_HAND: Final = timedelta(minutes=2)  # longer than it takes anybody who has begun
_REMEMBERED: Final = timedelta(days=2)  # a text is sent again for a day at most (Vonage)
_TEXTS: Final = TypeAdapter(InboundText)
_PARTS: Final = TypeAdapter(Part)

_say = telemetry("sms")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited, and for what."""

    look: float = 5.0
    """Seconds between looks at what waits, where nothing has come meanwhile."""
    picture: float = 10.0
    """Seconds for one picture."""
    again: timedelta = timedelta(seconds=5)
    """Before a picture is tried again; doubled each time."""
    pictures_for: timedelta = timedelta(minutes=5)
    """From when the text came; then it is taken in with those there are."""
    parts_for: timedelta = timedelta(minutes=10)
    """From when the last part came; then it is taken in with those there are."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a provider: the bytes, what was read of them (None where it is no text that we know), and the trace of the request."""

    raw: bytes
    told: InboundText | Part | None
    trace: Trace | None = None


class Texts:
    """The texts of one account. Methods raise Unavailable."""

    def __init__(
        self,
        name: str,
        account: SmsAccount,
        *,
        arrive: Arrive,
        database: Database,
        clock: Clock,
        settings: Settings,
        pace: Pace | None = None,
    ) -> None:
        self._name = name
        self._account = account
        self._provider = PROVIDERS[account.provider]
        self._arrive = arrive
        self._database = database
        self._clock = clock
        self._most_bytes = settings.uploads.most_bytes
        self._scan = scanner(settings.scan) if settings.scan.clamd else None
        self._pace = pace or Pace()
        self._came = asyncio.Event()

    async def take(self, batch: Sequence[Came]) -> list[Exception | None]:
        """Keep what webhooks brought: when this returns, each would survive a crash. The same again changes nothing; other words under the
        same reference are taken in beside the first, and the router has a person look.
        """
        now = self._clock()
        texts = {self._id(each): each for each in batch if not isinstance(each.told, Part)}
        claims = [Claim(id_, fingerprint, now) for id_, fingerprint in texts]
        stands: Mapping[UUID, Stands] = await claim(self._database, claims) if claims else {}
        again = [key for key in texts if stands[key[0]].fingerprint == key[1] and stands[key[0]].received_at != now]
        held = await self._held([id_ for id_, _ in again if not stands[id_].taken_in])
        arriving, waiting = list[Arrival](), list[dict[str, Any]]()
        for key, each in texts.items():
            known = stands[key[0]]
            ours = known.fingerprint == key[1]
            if ours and (known.taken_in or key in held):
                continue
            received_at = known.received_at if ours else now
            if isinstance(each.told, InboundText) and self._has_pictures(each.told):
                waiting.append(self._row(key, each, received_at, now))
            else:
                arriving.append(self._arrival(each, received_at))
        parts = {self._id(each): each for each in batch if isinstance(each.told, Part)}
        waiting += [self._row(key, each, now, now + self._pace.parts_for) for key, each in parts.items()]
        if waiting:
            async with self._database.write() as connection:
                await connection.execute(insert(state.texts).on_conflict_do_nothing(), waiting)
            self._came.set()
        if arriving:
            await self._arrive(arriving)
        return [None] * len(batch)

    async def leave(self, batch: Sequence[Came]) -> None:
        """Keep what was asked for, to be completed like what has pictures: a webhook that comes meanwhile finds it here, and does not take
        it in as well.
        """
        now = self._clock()
        found = {self._id(each): each for each in batch}
        claims = [{"contact_id": id_, "fingerprint": mark, "received_at": now} for id_, mark in sorted(found)]
        async with self._database.write() as connection:
            await connection.execute(insert(state.claims).on_conflict_do_nothing(), claims)
            wanted = select(state.claims).where(among(state.claims.c.contact_id, {id_ for id_, _ in found}))
            stands = {row.contact_id: row for row in await connection.execute(wanted)}
            rows = [
                self._row(key, each, stands[key[0]].received_at, now)
                for key, each in found.items()
                if not now - _IN_HAND < stands[key[0]].received_at < now  # a webhook is about to
            ]
            if rows:
                await connection.execute(insert(state.texts).on_conflict_do_nothing(), rows)
        self._came.set()

    async def unheard(self, references: Collection[str]) -> set[str]:
        """Of some references of the provider's, those that no webhook has brought and nobody has asked for yet."""
        ids = {contact_id("sms", self._name, each): each for each in references}
        receipts, texts, claims = state.receipts.c.contact_id, state.texts.c.id, state.claims.c
        in_hand = among(claims.contact_id, ids) & (claims.received_at > self._clock() - _IN_HAND)
        async with self._database.read() as connection:
            heard = set(await connection.scalars(select(receipts).where(among(receipts, ids))))
            heard |= set(await connection.scalars(select(texts).where(among(texts, ids))))
            heard |= set(await connection.scalars(select(claims.contact_id).where(in_hand)))
        return {reference for id_, reference in ids.items() if id_ not in heard}

    async def _held(self, ids: Collection[UUID]) -> set[tuple[UUID, str]]:
        """What waits here already, or did."""
        if not ids:
            return set()
        texts = state.texts.c
        async with self._database.read() as connection:
            rows = await connection.execute(select(texts.id, texts.fingerprint).where(among(texts.id, ids)))
            return {(row.id, row.fingerprint) for row in rows}

    async def run(self, stopping: asyncio.Event) -> None:
        """Complete what waits until told to stop."""
        forget_at = self._clock()
        while not stopping.is_set():
            self._came.clear()
            try:
                await self._complete(stopping)
                if self._clock() >= forget_at:
                    await self._forget()
                    forget_at = self._clock() + timedelta(minutes=10)
            except IngestError as error:
                ERRORS.labels("sms", error.reason).inc()
                _say.warning("waiting", account=self._name, reason=error.reason)
            except Exception as error:  # noqa: BLE001 - one text that cannot be completed stops no other part of the service
                ERRORS.labels("sms", "not-completed").inc()
                _say.error("not-completed", account=self._name, error=type(error).__name__)
            await self._pause(stopping)

    async def _pause(self, stopping: asyncio.Event) -> None:
        news = [asyncio.create_task(each.wait()) for each in (self._came, stopping)]
        try:
            await asyncio.wait(news, timeout=self._pace.look, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in news:
                each.cancel()

    async def _complete(self, stopping: asyncio.Event) -> None:
        rows = await self._waiting()
        now = self._clock()
        due = [(row, _TEXTS.validate_json(row.told)) for row in rows if row.whole is None and row.try_after <= now]
        whole = [(row, text) for row, text in due if not self._has_pictures(text)]
        for at in range(0, len(whole), _AT_ONCE):
            await self._take_in_whole(dict(whole[at : at + _AT_ONCE]))
        for row, text in due:
            if self._has_pictures(text) and not stopping.is_set() and await self._ours([row]):
                await self._with_pictures(row, text)
        for some in _wholes(rows):
            parts = [(row, _PARTS.validate_json(row.told)) for row in some]
            all_here = len(parts) >= parts[0][1].total and not any(row.tries for row in some)
            if (all_here or max(row.try_after for row in some) <= now) and len(await self._ours(some)) == len(some):
                await self._join(parts)

    async def _ours(self, rows: Collection[Row[Any]]) -> list[Row[Any]]:
        """Put our name down for some; those that nobody else was first for."""
        until = self._clock() + _IN_HAND
        ours = list[Row[Any]]()
        async with self._database.write() as connection:
            for row in rows:
                mine = update(state.texts).where(*_is(row), state.texts.c.tries == row.tries, state.texts.c.taken_at.is_(None))
                changed = await connection.execute(mine.values(tries=row.tries + 1, try_after=until))
                ours += [row] * changed.rowcount
        return ours

    async def _take_in_whole(self, texts: Mapping[Row[Any], InboundText]) -> None:
        if ours := await self._ours(texts.keys()):
            await self._take_in(
                [self._arrival(Came(row.raw, texts[row], texts[row].trace), row.received_at) for row in ours], ours
            )

    async def _waiting(self) -> Sequence[Row[Any]]:
        texts = state.texts
        mine = (texts.c.account == self._name) & texts.c.taken_at.is_(None)
        async with self._database.read() as connection:
            ordered = select(texts).where(mine).order_by(texts.c.received_at, texts.c.id).limit(_MOST_WAITING)
            return (await connection.execute(ordered)).all()

    async def _with_pictures(self, row: Row[Any], text: InboundText) -> None:
        """Fetch a text's pictures and take it in; or, where one could not be had and there is time, leave it for later."""
        got = await self._fetched([each for each in text.media if self._is_fetchable(each)], text.trace)
        absent, refused = got.count("not-had"), got.count("refused")
        now = self._clock()
        if absent and now < row.received_at + self._pace.pictures_for:
            later = update(state.texts).where(*_is(row)).values(try_after=now + self._pace.again * 2 ** min(row.tries, 10))
            async with self._database.write() as connection:
                await connection.execute(later)
            return
        pictures = [each for each in got if isinstance(each, Picture)]
        came = Came(row.raw, text, text.trace)
        await self._take_in([self._arrival(came, row.received_at, pictures, self._left(text.media, absent, refused))], [row])

    async def _join(self, parts: Sequence[tuple[Row[Any], Part]]) -> None:
        """Take in a text that came in parts, known by the reference of its first."""
        rows = [row for row, _ in parts]
        text = joined([part for _, part in parts])
        in_order = sorted(parts, key=lambda each: each[1].number)
        received_at = min(row.received_at for row in rows)
        await claim(self._database, [Claim(contact_id("sms", self._name, text.reference), text.fingerprint, received_at)])
        came = Came(b"\n".join(row.raw for row, _ in in_order), text, text.trace)
        await self._take_in([self._arrival(came, received_at)], rows)

    async def _take_in(self, arrivals: Sequence[Arrival], rows: Sequence[Row[Any]]) -> None:
        async def settle(connection: AsyncConnection, _: Sequence[Contact]) -> None:
            done = {"taken_at": self._clock(), "told": b"", "raw": b""}
            for row in rows:
                await connection.execute(update(state.texts).where(*_is(row)).values(done))

        await self._arrive(arrivals, beside=settle, scan=self._scan)

    def _arrival(
        self, came: Came, received_at: datetime, pictures: Sequence[Picture] = (), warnings: Sequence[str] | None = None
    ) -> Arrival:
        text = came.told if isinstance(came.told, InboundText) else None
        told = self._left(text.media if text else (), 0, 0) if warnings is None else warnings
        return Arrival(
            came.raw,
            partial(translate, text=text, account=self._name, received_at=received_at, pictures=pictures, warnings=told),
            trace=came.trace,
        )

    async def _forget(self) -> None:
        texts = state.texts
        old = (texts.c.account == self._name) & (texts.c.taken_at < self._clock() - _REMEMBERED)
        async with self._database.write() as connection:
            await connection.execute(delete(texts).where(old))

    async def _fetched(self, wanted: Sequence[Media], trace: Trace | None) -> list["Picture | str"]:
        """Each picture, or why it is not there: ``not-had`` may do later, ``refused`` is too large or lies elsewhere."""
        headers = trace.headers() if trace else None
        async with httpx.AsyncClient(timeout=self._pace.picture, verify=trusted(), trust_env=False, headers=headers) as client:
            return await asyncio.gather(*(self._fetch(client, each) for each in wanted))

    async def _fetch(self, client: httpx.AsyncClient, media: Media) -> "Picture | str":
        url, auth = media.url, login(self._account, self._clock)
        with suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            async with asyncio.timeout(self._pace.picture):
                for _ in range(_MOST_HOPS + 1):
                    async with client.stream("GET", url, auth=auth, follow_redirects=False) as answer:
                        if not answer.is_redirect:
                            return await self._read(answer, media)
                        url, auth = urljoin(url, answer.headers["location"]), None
                    if not self._provider.sent_on(url, self._account):
                        return self._counted("refused", "sent-elsewhere")
        return self._counted("not-had", "picture-not-had")

    async def _read(self, answer: httpx.Response, media: Media) -> "Picture | str":
        if answer.status_code != 200:
            return self._counted("not-had", "picture-not-had")
        content = bytearray()
        async for some in answer.aiter_bytes():
            content += some
            if len(content) > self._most_bytes:
                return self._counted("refused", "picture-too-large")
        return Picture(bytes(content), media.content_type)

    def _counted(self, what: str, reason: str) -> str:
        ERRORS.labels("sms", reason).inc()
        return what

    def _has_pictures(self, text: InboundText) -> bool:
        return any(self._is_fetchable(each) for each in text.media)

    def _is_fetchable(self, media: Media) -> bool:
        return self._provider.fetchable(media.url, self._account)

    def _left(self, media: Sequence[Media], absent: int, refused: int) -> tuple[str, ...]:
        """What is to be said of pictures that are not there."""
        elsewhere = sum(not self._is_fetchable(each) for each in media)
        said = (
            (elsewhere, "do not lie with the provider and were not fetched"),
            (absent, "could not be had from the provider in time"),
            (refused, "are too large, or lead away from the provider, and were not fetched"),
        )
        return tuple(f"not-read: {count} of its {len(media)} pictures {what}" for count, what in said if count)

    def _id(self, came: Came) -> tuple[UUID, str]:
        """The contact it is, and what tells other words apart."""
        told = came.told
        if told is None:
            return contact_id("sms", self._name, digest(came.raw)), digest(came.raw)
        text = told.text if isinstance(told, Part) else told
        return contact_id("sms", self._name, text.reference), text.fingerprint

    def _row(self, key: tuple[UUID, str], came: Came, received_at: datetime, try_after: datetime) -> dict[str, Any]:
        told, is_part = came.told, isinstance(came.told, Part)
        return {
            "id": key[0],
            "fingerprint": key[1],
            "account": self._name,
            "told": (_PARTS if is_part else _TEXTS).dump_json(_in_trace(told, came.trace)),  # type: ignore[arg-type]
            "raw": came.raw,
            "whole": told.whole if isinstance(told, Part) else None,
            "received_at": received_at,
            "tries": 0,
            "try_after": try_after,
        }


def _in_trace(told: InboundText | Part | None, trace: Trace | None) -> InboundText | Part | None:
    """What waits, with the trace of the request that brought it."""
    match told:
        case Part():
            return replace(told, text=replace(told.text, trace=trace))
        case InboundText():
            return replace(told, trace=trace)
        case None:
            return None


def _is(row: Row[Any]) -> tuple[Any, Any]:
    return state.texts.c.id == row.id, state.texts.c.fingerprint == row.fingerprint


def _wholes(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """The parts of each text, those that came first before others; a number that comes twice begins another text."""
    found: dict[str, list[dict[int, Row[Any]]]] = {}
    for row in rows:
        if row.whole is None:
            continue
        number = _PARTS.validate_json(row.told).number
        texts = found.setdefault(row.whole, [])
        place = next((each for each in texts if number not in each), None)
        if place is None:
            texts.append({number: row})
        else:
            place[number] = row
    return [list(each.values()) for texts in found.values() for each in texts]
