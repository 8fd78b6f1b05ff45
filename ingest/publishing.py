"""Other systems' way in by HTTP: ``POST /contacts`` by publishers that the settings name, ``POST /attachments`` before it.

A publisher is known by its key or its certificate. A contact is known by its publisher and its Idempotency-Key, as one on the topic is by
``ce_source`` and ``ce_id``. What a key stands for is noted before anything is kept, so that other words under the same key are
told so, whichever process they come to and whatever has crashed in between.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingest.claims import Claim, claim, stands
from ingest.clock import Clock
from ingest.contract import Attachment, Contact, Trace
from ingest.contract.openapi import FILE, KEY_PATTERN
from ingest.contract.publication import (
    MOST_BYTES,
    NotAContact,
    Publication,
    contact_of,
    files_named,
    read,
    vouches,
)
from ingest.database import Database
from ingest.errors import Unavailable
from ingest.ids import digest, published_contact_id, reference
from ingest.receive import Arrival, record_of
from ingest.settings import Publisher, Settings
from ingest.together import Together
from ingest.uploads import Uploads
from ingest.web import Declined, Fault, Route, body_of, trace_in

_KEY: Final = re.compile(KEY_PATTERN, re.ASCII)
_FEWEST_CHARACTERS: Final = 32  # of a publisher's key, whose digest may be known to whoever reads the settings
_ROOM_BYTES: Final = 65_536  # what we put into a record beside what was sent, at most

Arrive = Callable[[Sequence[Arrival]], Awaitable[list[Contact]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One contact, as it was sent and as it was read."""

    id: UUID
    source: str
    key: str
    raw: bytes
    fingerprint: str
    told: Publication
    files: Mapping[str, Attachment]
    trace: Trace | None

    def contact(self, received_at: datetime) -> Contact:
        """What it comes to, once it is settled when we had it."""
        return contact_of(
            self.told,
            id_=self.id,
            source=self.source,
            received_at=received_at,
            original=self.fingerprint,
            files=self.files,
        )


def routes(*, arrive: Arrive, database: Database, uploads: Uploads, clock: Clock, settings: Settings, **_: Any) -> list[Route]:
    """``POST /contacts``, ``POST /attachments``, and ``GET /openapi.json``, which describes them."""
    doors = Doors(settings, arrive, database, uploads, clock)
    described = FILE.read_bytes()

    async def openapi(_: Request) -> Response:
        return Response(described, media_type="application/json")

    return [
        ("POST", "/contacts", doors.contacts),
        ("POST", "/attachments", doors.attachments),
        ("GET", "/openapi.json", openapi),
    ]


class Doors:
    """What the routes lean on. Each route raises Declined, Unavailable and, for a file, Refused."""

    def __init__(self, settings: Settings, arrive: Arrive, database: Database, uploads: Uploads, clock: Clock) -> None:
        self._publishers = settings.publishers
        self._most_file_bytes = settings.uploads.most_bytes
        self._most_record_bytes = settings.log.most_record_bytes
        self._secret = settings.own_key
        self._arrive = arrive
        self._database = database
        self._uploads = uploads
        self._clock = clock
        self._accept = Together(self._accepted)

    async def contacts(self, request: Request) -> Response:
        """One contact: 202 once it would survive a loss of power."""
        source, publisher = self._publisher(request)
        key = _key_of(request)
        _is_json(request)
        raw = await body_of(request, MOST_BYTES)
        told = _read(raw)
        _may(told, source, publisher)
        asked = Asked(published_contact_id(source, key), source, key, raw, digest(raw), told, {}, trace_in(request))
        if named := list(files_named(told)):
            if await self._is_known(asked):
                return _accepted(asked)
            asked = await self._with_files(asked, named)
        self._fits(asked)
        await self._accept(asked, (asked.id, asked.fingerprint))
        if named:
            with suppress(Unavailable):  # they are forgotten by themselves
                await self._uploads.forget(_owner(source, key), *{each for _, each in named})
        return _accepted(asked)

    async def attachments(self, request: Request) -> Response:
        """One file, for the contact of that key: 201 once it would survive a loss of power."""
        source, _ = self._publisher(request)
        owner = _owner(source, _key_of(request))
        _is_plain(request)
        content = await body_of(request, self._most_file_bytes, "file-too-large")
        given = request.headers.get("content-type", "")
        kept = await self._uploads.keep(owner, request.query_params.get("name", ""), given, content)
        return JSONResponse(kept.model_dump(mode="json"), 201)

    def _publisher(self, request: Request) -> tuple[str, Publisher]:
        """Whose key or certificate it is. Every key is looked at, so that no time tells how near one is."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        name = request.scope.get("state", {}).get("certificate_name")
        found: tuple[str, Publisher] | None = None
        wanted = (
            digest(given.strip().encode()) if scheme.lower() == "bearer" and len(given.strip()) >= _FEWEST_CHARACTERS else ""
        )
        for source, publisher in self._publishers.items():
            for each in publisher.keys:
                if hmac.compare_digest(each, wanted):
                    found = source, publisher
            if name is not None and publisher.certificate == name and found is None and not scheme:
                found = source, publisher
        if found is None:
            raise _declined(401, "unknown-key", "Send your key as `Authorization: Bearer KEY`.", {"www-authenticate": "Bearer"})
        return found

    def _fits(self, asked: Asked) -> None:
        """Raise Declined where the log would not take it, before its key stands for anything."""
        contact = asked.contact(self._clock())  # by itself: what is wrong with one is no trouble of those it is taken in with
        if 2 * len(asked.raw) + _ROOM_BYTES <= self._most_record_bytes:
            return
        size = record_of(contact, self._secret, asked.key).size
        if size > self._most_record_bytes:
            raise _declined(
                413, "record-too-large", f"The contact comes to {size} bytes; {self._most_record_bytes} is the limit."
            )

    async def _with_files(self, asked: Asked, named: Sequence[tuple[str, str]]) -> Asked:
        """Raises Declined where a file was not uploaded by this publisher for this contact; whether anybody else has it is not told."""
        kept = {each.digest: each for each in await self._uploads.kept(_owner(asked.source, asked.key))}
        missing = [(pointer, "It was not uploaded under this Idempotency-Key.") for pointer, each in named if each not in kept]
        if missing:
            raise _declined(
                404, "unknown-file", "Upload each file first, under the contact's own Idempotency-Key.", fields=missing
            )
        return replace(asked, files=kept)

    async def _is_known(self, asked: Asked) -> bool:
        """Whether the same was taken in before; its files are forgotten by then. Raises Declined where the key stands for another."""
        known = await stands(self._database, asked.id)
        if known is not None and known.fingerprint != asked.fingerprint:
            raise _other_words()
        return known is not None and known.taken_in

    async def _accepted(self, batch: Sequence[Asked]) -> list[Exception | None]:
        """Note what each key stands for, then take in those that were not before."""
        now = self._clock()
        standing = await claim(
            self._database, [Claim(each.id, each.fingerprint, each.told.received_at or now) for each in batch]
        )
        ours = [each for each in batch if standing[each.id].fingerprint == each.fingerprint]
        if fresh := {each.id: each for each in ours if not standing[each.id].taken_in}:
            await self._arrive([_arrival(each, standing[each.id].received_at) for each in fresh.values()])
        return [None if standing[each.id].fingerprint == each.fingerprint else _other_words() for each in batch]


def _arrival(asked: Asked, received_at: datetime) -> Arrival:
    return Arrival(asked.raw, lambda _: (asked.contact(received_at), {}), asked.key, trace=asked.trace)


def _accepted(asked: Asked) -> Response:
    return JSONResponse({"id": str(asked.id), "reference": reference(asked.id)}, 202)


def _owner(source: str, key: str) -> str:
    """Whose an upload is until its contact comes. A URN has no spaces (RFC 8141), and neither has a key."""
    return f"{source} {key}"


def _key_of(request: Request) -> str:
    given = request.headers.getlist("idempotency-key")
    if not given:
        raise _declined(400, "missing-key", "Send an Idempotency-Key: what you know the contact by.")
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise _declined(400, "malformed-key", "An Idempotency-Key is 1 to 200 visible characters of ASCII, and stands once.")
    return given[0]


def _is_json(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if media_type.strip() != "application/json" or ("charset" in parameters and "utf-8" not in parameters):
        raise _declined(415, "not-json", "Send it as application/json, in UTF-8.")
    _is_plain(request)


def _is_plain(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _declined(415, "encoded", "Send the body as it is, without a Content-Encoding.")


def _read(raw: bytes) -> Publication:
    try:
        return read(raw)
    except NotAContact as error:
        if error.faults:
            raise _declined(422, "breaks-the-contract", error.sentence, fields=error.faults) from error
        raise _declined(400, "malformed", error.sentence) from error


def _may(told: Publication, source: str, publisher: Publisher) -> None:
    """Raise Declined where a publisher says what it may not: to leave it out in silence would do what nobody meant."""
    if told.source not in (None, source):
        raise _declined(
            403, "claims-another-source", "The contact's source is not your own.", fields=[("#/source", "It is not yours.")]
        )
    wrong = list[tuple[str, str]]()
    if not publisher.may_vouch:
        wrong += [(each, "Your word that it is verified is not taken ([publishers] may_vouch).") for each in vouches(told)]
    if told.acknowledged and not publisher.may_acknowledge:
        wrong.append(("#/acknowledged", "Your word for it is not taken ([publishers] may_acknowledge)."))
    if told.backfill and not publisher.may_backfill:
        wrong.append(("#/backfill", "You may not publish old contacts ([publishers] may_backfill)."))
    if wrong:
        raise _declined(
            403,
            "not-allowed",
            "The contact says what you may not say. Have the operator allow it, or leave it out.",
            fields=wrong,
        )


def _other_words() -> HTTPException:
    return _declined(
        409, "other-words", "This Idempotency-Key stands for another body already. Choose another for another contact."
    )


def _declined(
    status: int, reason: str, sentence: str, headers: Mapping[str, str] | None = None, fields: Sequence[tuple[str, str]] = ()
) -> Declined:
    return Declined(Fault(status, reason, sentence, headers or {}, fields))


__all__: list[Any] = ["Arrive", "Doors", "routes"]
