"""What an id that a sender gave stands for, noted before anything of it is on the log.

Of many deliveries of one thing at once, to whichever process, one is taken in and all get the same answer; a crash in between leaves the
claim, and the next delivery finishes what it stands for. The first that claims an id says when we had it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.database import Database, among, insert

_STANDS: Final = select(state.claims, state.receipts.c.contact_id.label("receipt")).join(
    state.receipts, state.receipts.c.contact_id == state.claims.c.contact_id, isouter=True
)


@dataclass(frozen=True, slots=True)
class Claim:
    """That a contact's id stands for these words. ``fingerprint`` tells other words apart; what a repeat may change is not in it."""

    contact_id: UUID
    fingerprint: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Stands:
    """What an id stands for by the first claim to it, and whether that has been taken in."""

    fingerprint: str
    received_at: datetime
    taken_in: bool


async def claim(database: Database, claims: Sequence[Claim]) -> Mapping[UUID, Stands]:
    """What each id stands for; of two claims to one the first counts. Raises Unavailable."""
    wanted = {each.contact_id: each for each in reversed(claims)}
    rows = [
        {"contact_id": id_, "fingerprint": wanted[id_].fingerprint, "received_at": wanted[id_].received_at}
        for id_ in sorted(wanted)  # in one order, so that no two processes wait for each other
    ]
    new = insert(state.claims).on_conflict_do_nothing().returning(state.claims.c.contact_id)
    async with database.write() as connection:
        fresh = set(await connection.scalars(new, rows))
        known = await _standing(connection, wanted.keys() - fresh)
    return known | {each: Stands(wanted[each].fingerprint, wanted[each].received_at, taken_in=False) for each in fresh}


async def stands(database: Database, contact_id: UUID) -> Stands | None:
    """What an id stands for; None where nobody has claimed it. Raises Unavailable."""
    async with database.read() as connection:
        return (await _standing(connection, {contact_id})).get(contact_id)


async def _standing(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Stands]:
    if not ids:
        return {}
    rows = await connection.execute(_STANDS.where(among(state.claims.c.contact_id, ids)))
    return {row.contact_id: Stands(row.fingerprint, row.received_at, row.receipt is not None) for row in rows}
