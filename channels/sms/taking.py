"""Texts are taken in: at once where they are whole, and where they are not, kept first and taken in once their pictures and parts are here.

A webhook is answered as soon as its text is kept. Pictures are fetched from the provider alone, again and again for some minutes, and parts
are waited for; what then is missing is named in the contact's warnings, so that a person looks. One process at a time does this for an
account.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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

from channels.sms.inbound import InboundText, Media, Part, Picture, joined
from channels.sms.providers import PROVIDERS
from channels.sms.settings import SmsAccount
from channels.sms.translate import translate
from ingest import state
from ingest.claims import Claim, Stands, claim
from ingest.clock import Clock
from ingest.contract import Contact
from ingest.database import Alone, Database, among, insert
from ingest.errors import IngestError
from ingest.ids import contact_id, digest
from ingest.receive import Arrival
from ingest.scan import Scan
from ingest.telemetry import ERRORS, telemetry

Arrive = Callable[..., Awaitable[list[Contact]]]
"""``receive``, with all that it leans on."""

_MOST_AT_ONCE: Final = 1_000
_MOST_HOPS: Final = 2
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
    """From when the first part came; then it is taken in with those there are."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a provider: the bytes, and what was read of them; None where it is no text that we know."""

    raw: bytes
    told: InboundText | Part | None


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
        most_bytes: int = 0,
        scan: Scan | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._name = name
        self._account = account
        self._provider = PROVIDERS[account.provider]
        self._arrive = arrive
        self._database = database
        self._clock = clock
        self._most_bytes = most_bytes
        self._scan = scan
        self._pace = pace or Pace()
        self._came = asyncio.Event()

    async def take(self, batch: Sequence[Came]) -> list[Exception | None]:
        """Keep some: when this returns, each would survive a crash. The same again changes nothing; other words under the same reference
        are taken in beside the first, and the router has a person look.
        """
        now = self._clock()
        texts = {self._id(each): each for each in batch if not isinstance(each.told, Part)}
        claims = [Claim(id_, fingerprint, now) for id_, fingerprint in texts]
        stands: Mapping[UUID, Stands] = await claim(self._database, claims) if claims else {}
        arriving, waiting = list[Arrival](), list[dict[str, Any]]()
        for key, each in texts.items():
            known = stands[key[0]]
            ours = known.fingerprint == key[1]
            if ours and known.taken_in:
                continue
            received_at = known.received_at if ours else now
            told = each.told
            if isinstance(told, InboundText) and any(self._is_fetchable(media) for media in told.media):
                waiting.append(self._row(key, each, received_at, received_at))
                continue
            warnings = self._left(told.media if isinstance(told, InboundText) else (), 0, 0)
            as_contact = partial(translate, text=_no_part(told), account=self._name, received_at=received_at, warnings=warnings)
            arriving.append(Arrival(each.raw, as_contact))
        parts = {self._id(each): each for each in batch if isinstance(each.told, Part)}
        waiting += [self._row(key, each, now, now + self._pace.parts_for) for key, each in parts.items()]
        if waiting:
            async with self._database.write() as connection:
                await connection.execute(insert(state.texts).on_conflict_do_nothing(), waiting)
            self._came.set()
        if arriving:
            await self._arrive(arriving)
        return [None] * len(batch)

    async def known(self, references: Iterable[str]) -> set[str]:
        """Which of some references of the provider's have been heard of."""
        ids = {contact_id("sms", self._name, each): each for each in references}
        async with self._database.read() as connection:
            found = await connection.scalars(select(state.claims.c.contact_id).where(among(state.claims.c.contact_id, ids)))
            return {ids[each] for each in found}

    async def run(self, stopping: asyncio.Event) -> None:
        """Complete what waits until told to stop."""
        forget_at = self._clock()
        while not stopping.is_set():
            self._came.clear()
            try:
                async with self._database.alone(f"sms {self._name} waits", within=timedelta(minutes=2)) as alone:
                    if alone is not None:
                        await self._complete(alone, stopping)
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

    async def _complete(self, alone: Alone, stopping: asyncio.Event) -> None:
        rows = await self._waiting()
        now = self._clock()
        for row in rows:
            if row.whole is None and row.try_after <= now and not stopping.is_set():
                await alone.sure()
                await self._with_pictures(row, alone)
        for some in _wholes(rows):
            parts = [(row, _PARTS.validate_json(row.told)) for row in some]
            if len(parts) >= parts[0][1].total or some[0].try_after <= now:
                await alone.sure()
                await self._join(parts)

    async def _waiting(self) -> Sequence[Row[Any]]:
        texts = state.texts
        mine = (texts.c.account == self._name) & texts.c.taken_at.is_(None)
        async with self._database.read() as connection:
            ordered = select(texts).where(mine).order_by(texts.c.received_at, texts.c.id).limit(_MOST_AT_ONCE)
            return (await connection.execute(ordered)).all()

    async def _with_pictures(self, row: Row[Any], alone: Alone) -> None:
        """Fetch a text's pictures and take it in; or, where one could not be had and there is time, leave it for later."""
        text = _TEXTS.validate_json(row.told)
        wanted = [each for each in text.media if self._is_fetchable(each)]
        got = await self._fetched(wanted)
        absent = [each for each in got if each == "not-had"]
        now = self._clock()
        if absent and now < row.received_at + self._pace.pictures_for:
            later = {"tries": row.tries + 1, "try_after": now + self._pace.again * 2 ** min(row.tries, 10)}
            async with self._database.write() as connection:
                await connection.execute(update(state.texts).where(*_is(row)).values(later))
            return
        await alone.sure()
        refused = [each for each in got if each == "refused"]
        warnings = self._left(text.media, len(absent), len(refused))
        pictures = [each for each in got if isinstance(each, Picture)]
        await self._take_in(row.raw, text, row.received_at, [row], pictures, warnings)

    async def _join(self, parts: Sequence[tuple[Row[Any], Part]]) -> None:
        """Take in a text that came in parts, known by the reference of its first."""
        rows = [row for row, _ in parts]
        text = joined([part for _, part in parts])
        in_order = sorted(parts, key=lambda each: each[1].number)
        received_at = min(row.received_at for row in rows)
        await claim(self._database, [Claim(contact_id("sms", self._name, text.reference), text.fingerprint, received_at)])
        await self._take_in(b"\n".join(row.raw for row, _ in in_order), text, received_at, rows)

    async def _take_in(
        self,
        raw: bytes,
        text: InboundText,
        received_at: datetime,
        rows: Sequence[Row[Any]],
        pictures: Sequence[Picture] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        as_contact = partial(
            translate, text=text, account=self._name, received_at=received_at, pictures=pictures, warnings=warnings
        )

        async def settle(connection: AsyncConnection, _: Sequence[Contact]) -> None:
            done = {"taken_at": self._clock(), "told": b"", "raw": b""}
            for row in rows:
                await connection.execute(update(state.texts).where(*_is(row)).values(done))

        await self._arrive([Arrival(raw, as_contact)], beside=settle, scan=self._scan)

    async def _forget(self) -> None:
        texts = state.texts
        old = (texts.c.account == self._name) & (texts.c.taken_at < self._clock() - _REMEMBERED)
        async with self._database.write() as connection:
            await connection.execute(delete(texts).where(old))

    async def _fetched(self, wanted: Sequence[Media]) -> list["Picture | str"]:
        """Each picture, or why it is not there: ``not-had`` may do later, ``refused`` is too large or lies elsewhere."""
        async with httpx.AsyncClient(timeout=self._pace.picture) as client:
            return await asyncio.gather(*(self._fetch(client, each) for each in wanted))

    async def _fetch(self, client: httpx.AsyncClient, media: Media) -> "Picture | str":
        url, login = media.url, self._login()
        with suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            async with asyncio.timeout(self._pace.picture):
                for _ in range(_MOST_HOPS + 1):
                    async with client.stream("GET", url, auth=login, follow_redirects=False) as answer:
                        if not answer.is_redirect:
                            return await self._read(answer, media)
                        url, login = urljoin(url, answer.headers["location"]), None
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

    def _login(self) -> httpx.BasicAuth | None:
        given = self._account
        if given.account_sid is None or given.token is None:
            return None
        return httpx.BasicAuth(given.account_sid, given.token.get_secret_value())

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
            "told": (_PARTS if is_part else _TEXTS).dump_json(told),  # type: ignore[arg-type]
            "raw": came.raw,
            "whole": told.whole if isinstance(told, Part) else None,
            "received_at": received_at,
            "tries": 0,
            "try_after": try_after,
        }


def _no_part(told: InboundText | Part | None) -> InboundText | None:
    return told if isinstance(told, InboundText) else None


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
