"""Whom a person is asked about, where the matching is not sure who wrote; and what they have said of it, to train on.

Nothing of this reaches telemetry or a notice: what is held of people is for whoever looks at the task, and labels hold no words at all.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import Contact, Task
from ingest.database import Database, insert
from router.consequences import House
from router.decide import MOST_CANDIDATES
from router.gather import gather
from router.match import Ambiguous, Candidate, Matched, MatchResult, Query, Unmatched, settles
from router.match.register_view import IndividualView
from router.opening import reading_of
from router.register import search, tables
from router.register.held import together

_A_PAGE: Final = 1_000
_LEVELS: Final = {True: "agrees", False: "differs"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody a person is asked about: as they are compared and as they are reached now, and what spoke for them when it was asked.

    ``asked`` is false for who has come near only since. Where the register has them no more, there is neither.
    """

    id: str
    candidate: Candidate | None
    view: IndividualView | None
    score: float | None
    evidence: Sequence[dict[str, Any]]
    asked: bool


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wrote a contact, as a person is asked: what it gives of its writer, who it may be, and what would settle it."""

    query: Query
    people: tuple[Asked, ...]
    settles: tuple[str, ...]


async def asked_about(connection: AsyncConnection, house: House, task: Task, now: datetime) -> Asking | None:
    """For whoever looks at a task; None where there is no contact to compare with. Those who were merged since stand as whom they count as."""
    contacts, asked = tables.contacts, tables.candidates
    body = (await connection.execute(select(contacts.c.body).where(contacts.c.id == task.contact_id))).scalar_one_or_none()
    if body is None:
        return None
    contact = Contact.model_validate_json(body)
    known = await gather(connection, [(contact, reading_of(contact, house))], house, now)
    stored = (await connection.execute(select(asked).where(asked.c.contact_id == contact.id))).all()
    counts_as = await search.merged(connection, [*task.candidates, *(row.individual_id for row in stored)])
    told: dict[str, Any] = {counts_as.get(who, who): row for row in stored for who in (str(row.individual_id),)}
    ids = list(dict.fromkeys(counts_as.get(each, each) for each in task.candidates))
    new = _come_near(known.matches[contact.id], {*ids, *told}) if stored else ()
    (held, _), views = await together(connection, [*ids, *new], now.date()), await search.people(connection, [*ids, *new])
    people = tuple(
        Asked(
            each,
            held.get(each),
            views.get(each),
            row.score if (row := told.get(each)) else None,
            row.evidence if row else (),
            each in ids,
        )
        for each in (*ids, *new)
    )
    query = known.queries[contact.id]
    return Asking(query, people, settles(query, list(held.values())))


def _come_near(found: MatchResult, asked: Collection[str]) -> tuple[str, ...]:
    """Who comes near now and was not asked about."""
    match found:
        case Ambiguous():
            near = found.candidates[:MOST_CANDIDATES]
        case Matched():
            near = (found.individual_id,)
        case Unmatched():
            near = ()
    return tuple(each for each in near if each not in asked)


async def unseen(
    connection: AsyncConnection, house: House, contact: Contact, chosen: str | None, now: datetime
) -> tuple[str, ...]:
    """Of a contact about which a person was asked who it is: who comes near now, and was not among those they were asked about."""
    asked = select(tables.candidates.c.individual_id).where(tables.candidates.c.contact_id == contact.id)
    seen = set((await connection.execute(asked)).scalars())
    if not seen:
        return ()
    known = await gather(connection, [(contact, reading_of(contact, house))], house, now)
    seen.update((await search.merged(connection, seen)).values())
    return tuple(each for each in _come_near(known.matches[contact.id], seen) if each != chosen)


async def note_choice(
    connection: AsyncConnection, contact_id: UUID, chosen: str | None, evidence: Sequence[Any], now: datetime
) -> None:
    """Of each whom they were asked about, whether it is them: whoever counts as the one they chose is the same, and with None nobody is."""
    asked = tables.candidates
    mine = asked.c.contact_id == contact_id
    ids = list((await connection.execute(select(asked.c.individual_id).where(mine))).scalars())
    counts_as = await search.merged(connection, ids)
    same = [each for each in ids if counts_as.get(each, each) == chosen]
    await connection.execute(update(asked).where(mine).values(same=asked.c.individual_id.in_(same)))
    if chosen and not same and evidence:
        await note_label(connection, contact_id, chosen, None, evidence, now, same=True)


async def note_label(
    connection: AsyncConnection, contact_id: UUID, individual_id: str, score: float | None, evidence: Sequence[Any], now: datetime,
    *, same: bool,
) -> None:  # fmt: skip
    """That a person said whether a contact is somebody's, asked about them or not."""
    asked = tables.candidates
    row = {
        "contact_id": contact_id, "individual_id": individual_id, "rank": MOST_CANDIDATES, "score": score, "evidence": evidence,
        "at": now, "same": same,
    }  # fmt: skip
    new = insert(asked).values(row)
    await connection.execute(new.on_conflict_do_update(index_elements=["contact_id", "individual_id"], set_={"same": same}))


async def labelled(database: Database) -> AsyncGenerator[dict[str, Any]]:
    """What people have said of who wrote, to train on: no words of anybody, a page at a time. Raises Unavailable."""
    asked, last = tables.candidates, None
    key = tuple_(asked.c.contact_id, asked.c.individual_id)
    while True:
        query = (
            select(asked).where(asked.c.same.is_not(None)).order_by(asked.c.contact_id, asked.c.individual_id).limit(_A_PAGE)
        )
        if last is not None:
            query = query.where(key > tuple_(literal(last.contact_id, Uuid), literal(last.individual_id)))
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        for row in rows:
            compared = [
                {
                    "comparison": each["comparison"] or each["group"],
                    "level": each["level"] or _LEVELS[each["agrees"]],
                    "bits": each["bits"],
                }
                for each in row.evidence
                if "comparison" in each
            ]
            yield {
                "contact_id": str(row.contact_id),
                "candidate_id": row.individual_id,
                "same": row.same,
                "comparisons": compared,
            }
        if len(rows) < _A_PAGE:
            return
        last = rows[-1]
