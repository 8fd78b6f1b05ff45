"""Answers that are not sent yet: encrypted under what only the person's own cookie tells, and forgotten after a time.

Whoever has the database and the service's key still cannot read a draft without its cookie. Where the same draft is changed twice at
once, as by two windows, each change is made to what the other has left.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
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
from ingest.database import Database, among, insert
from ingest.expiry import expire_often
from ingest.key import known
from ingest.telemetry import telemetry
from ingest.together import Together

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
    reply: str | None = None
    """The token of the link of ours that they came by."""


def begin(begun: datetime) -> Draft:
    """A draft without answers."""
    return Draft(token=secrets.token_hex(16), begun=begun)


Change = Callable[[Draft | None], Draft]
"""What becomes of a draft, or of none; it may be asked twice, and only the last counts."""


class Drafts:
    """The drafts, by whose session they are of. Methods raise Unavailable."""

    def __init__(self, database: Database, key: bytes, kept_for: timedelta, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._kept_for = kept_for
        self._clock = clock
        self._gets = Together(self._get)
        self._changes = Together(self._change)

    async def get(self, session: Session) -> Draft | None:
        """The draft, where there is one and its time has not come."""
        return await self._gets(session)

    async def _get(self, batch: Sequence[Session]) -> list[Draft | Exception | None]:
        async with self._database.read() as connection:
            found = await self._read(connection, {session.name: session for session in batch})
        return [found.get(session.name) for session in batch]

    async def change(self, session: Session, change: Change) -> Draft:
        """Put what ``change`` makes of the draft in its place; those that come at once are written in one transaction."""
        return await self._changes((session, change))

    async def _change(self, batch: Sequence[tuple[Session, Change]]) -> list[Draft | Exception]:
        async with self._database.write(*(f"draft {session.name}" for session, _ in batch)) as connection:
            return list(await self.change_within(connection, batch))

    async def change_within(self, connection: AsyncConnection, batch: Sequence[tuple[Session, Change]]) -> list[Draft]:
        """The same for several in turn, within a transaction that may write something else; the drafts, in order.

        Where a draft is not there yet, only a transaction of its session's name keeps another from making it as well.
        """
        drafts = await self._read(connection, {session.name: session for session, _ in batch}, to_write=True)
        made = list[Draft]()
        for session, change in batch:
            drafts[session.name] = change(drafts.get(session.name))
            made.append(drafts[session.name])
        sessions = {session.name: session for session, _ in batch}
        rows = [{"session": each, "sealed": self._seal(sessions[each], drafts[each]), "at": self._clock()} for each in sessions]
        put = insert(state.drafts)
        new = {"sealed": put.excluded.sealed, "at": put.excluded.at}
        await connection.execute(put.on_conflict_do_update(index_elements=["session"], set_=new), rows)
        return made

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
        await expire_often(_say, "drafts", self.expire, stopping)

    async def _read(
        self, connection: AsyncConnection, sessions: Mapping[str, Session], *, to_write: bool = False
    ) -> dict[str, Draft]:
        """Those that are there and whose time has not come, by their sessions' names."""
        theirs = select(state.drafts).where(among(state.drafts.c.session, sessions)).order_by(state.drafts.c.session)
        rows = await connection.execute(theirs.with_for_update() if to_write else theirs)
        oldest = self._clock() - self._kept_for
        opened = {row.session: self._open(sessions[row.session], row.sealed) for row in rows if row.at >= oldest}
        return {name: draft for name, draft in opened.items() if draft is not None}

    def _seal(self, session: Session, draft: Draft) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + _cipher(self._key, session).encrypt(nonce, json.dumps(_as_json(draft)).encode(), session.name.encode())

    def _open(self, session: Session, sealed: bytes) -> Draft | None:
        for key in known(self._key):
            with suppress(InvalidTag):
                opened = _cipher(key, session).decrypt(sealed[:_NONCE], sealed[_NONCE:], session.name.encode())
                return _from_json(json.loads(opened))
        return None  # the key it was sealed with is not ours any more


def _cipher(key: bytes, session: Session) -> AESGCM:
    return AESGCM(derived(key, f"draft {session.secret}"))


def _as_json(draft: Draft) -> dict[str, Any]:
    sent = draft.sent
    return {
        "token": draft.token,
        "begun": draft.begun.isoformat(),
        "answers": draft.answers,
        "trapped": draft.trapped,
        "reply": draft.reply,
        "sent": sent and [str(sent.contact), sent.at.isoformat(), sent.answers, sent.purpose, sent.can_reply],
    }


def _from_json(told: dict[str, Any]) -> Draft:
    draft = Draft(
        token=told["token"],
        begun=datetime.fromisoformat(told["begun"]),
        answers=answers_from(told["answers"]),
        trapped=told["trapped"],
        reply=told.get("reply"),  # which a draft of an earlier release has not
    )
    if told["sent"]:
        contact, at, answers, purpose, can_reply = told["sent"]
        draft = replace(draft, sent=Sent(UUID(contact), datetime.fromisoformat(at), answers, purpose, can_reply))
    return draft
