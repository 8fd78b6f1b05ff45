"""Answers that are not sent yet: encrypted under what only the person's own cookie tells, and forgotten after a time.

Whoever has the database and the service's key still cannot read a draft without its cookie. Where the same draft is changed twice at
once, as by two windows, each change is made to what the other has left.
"""

import asyncio
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.web_form.questions import Answer, answers_from
from channels.web_form.seal import Session, derived
from ingest import state
from ingest.clock import Clock
from ingest.database import Database, insert
from ingest.errors import Unavailable
from ingest.telemetry import ERRORS, telemetry

_EXPIRE_SECONDS: Final = 600.0
_NONCE: Final = 12

_say = telemetry("web_form")


@dataclass(frozen=True, slots=True)
class Sent:
    """What is left of a draft once it was sent: what its confirmation says, and by what its answers are known again."""

    contact: UUID
    at: datetime
    answers: str
    purpose: str
    can_reply: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's answers so far. ``token`` is what makes of them one contact, however often they are sent."""

    token: str
    begun: datetime
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    trapped: bool = False
    """Whether a field was filled in that people do not see."""
    sent: Sent | None = None


def begin(begun: datetime) -> Draft:
    """A draft without answers."""
    return Draft(token=secrets.token_hex(16), begun=begun)


class Drafts:
    """The drafts, by whose session they are of. Methods raise Unavailable."""

    def __init__(self, database: Database, key: bytes, kept_for: timedelta, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._kept_for = kept_for
        self._clock = clock

    async def get(self, session: Session) -> Draft | None:
        """The draft, where there is one and its time has not come."""
        async with self._database.read() as connection:
            return await self._read(connection, session)

    async def change(self, session: Session, change: Callable[[Draft | None], Draft]) -> Draft:
        """Put what ``change`` makes of the draft in its place."""
        async with self._database.write(f"draft {session.name}") as connection:
            return await self.change_within(connection, session, change)

    async def change_within(
        self, connection: AsyncConnection, session: Session, change: Callable[[Draft | None], Draft]
    ) -> Draft:
        """The same, of a draft that is there, within a transaction that writes something else as well."""
        draft = change(await self._read(connection, session, to_write=True))
        row = {"sealed": self._seal(session, draft), "at": self._clock()}
        put = insert(state.drafts).values(session=session.name, **row)
        await connection.execute(put.on_conflict_do_update(index_elements=["session"], set_=row))
        return draft

    async def forget(self, session: Session) -> None:
        """Take away what there is."""
        async with self._database.write() as connection:
            await connection.execute(delete(state.drafts).where(state.drafts.c.session == session.name))

    async def expire(self) -> int:
        """Forget what is past its time; how many those were."""
        async with self._database.write() as connection:
            gone = await connection.execute(delete(state.drafts).where(state.drafts.c.at < self._clock() - self._kept_for))
            return gone.rowcount

    async def run(self, stopping: asyncio.Event) -> None:
        """Forget what is past its time, every ten minutes until told to stop."""
        while not stopping.is_set():
            try:
                if forgotten := await self.expire():
                    _say.info("expired", drafts=forgotten)
            except Unavailable as error:
                ERRORS.labels("drafts", error.reason).inc()
                _say.warning("waiting", reason=error.reason)
            with suppress(TimeoutError):
                async with asyncio.timeout(_EXPIRE_SECONDS):
                    await stopping.wait()

    async def _read(self, connection: AsyncConnection, session: Session, *, to_write: bool = False) -> Draft | None:
        mine = select(state.drafts).where(state.drafts.c.session == session.name)
        if to_write:
            mine = mine.with_for_update()
        row = (await connection.execute(mine)).one_or_none()
        if row is None or row.at < self._clock() - self._kept_for:
            return None
        return self._open(session, row.sealed)

    def _cipher(self, session: Session) -> AESGCM:
        return AESGCM(derived(self._key, f"draft {session.secret}"))

    def _seal(self, session: Session, draft: Draft) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher(session).encrypt(nonce, json.dumps(_as_json(draft)).encode(), session.name.encode())

    def _open(self, session: Session, sealed: bytes) -> Draft | None:
        try:
            opened = self._cipher(session).decrypt(sealed[:_NONCE], sealed[_NONCE:], session.name.encode())
        except InvalidTag:  # the service's key was changed since
            return None
        return _from_json(json.loads(opened))


def _as_json(draft: Draft) -> dict[str, Any]:
    sent = draft.sent
    return {
        "token": draft.token,
        "begun": draft.begun.isoformat(),
        "answers": draft.answers,
        "trapped": draft.trapped,
        "sent": sent and [str(sent.contact), sent.at.isoformat(), sent.answers, sent.purpose, sent.can_reply],
    }


def _from_json(told: dict[str, Any]) -> Draft:
    draft = Draft(
        token=told["token"],
        begun=datetime.fromisoformat(told["begun"]),
        answers=answers_from(told["answers"]),
        trapped=told["trapped"],
    )
    if told["sent"]:
        contact, at, answers, purpose, can_reply = told["sent"]
        draft = replace(draft, sent=Sent(UUID(contact), datetime.fromisoformat(at), answers, purpose, can_reply))
    return draft
