"""Who is who, over time: a link undone, two individuals counted as one, and one taken apart again.

Each act is one transaction under one lock, with its audit entries, in the name of whoever acts. ``rehearse`` does all of it and lets
nothing stand: what would change is told by the very code that changes it. Links keep the individual they were made to, so that whoever
was merged takes their own with them when they are split off.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.contract import Task, TaskKind
from ingest.database import Database, among
from ingest.errors import Refused
from router.asking import note_label
from router.consequences import Consequences, Grade, House, task
from router.decide import Decision, HoldForReview
from router.desk import (
    DECIDED,
    INDIVIDUALS,
    contact_of,
    entry,
    made_of_nothing_else,
    move,
    standing,
    supersede,
)
from router.opening import reading_of
from router.register import intake, search, tables
from router.store import Store
from router.writer import Newcomer, newcomer

MOST_AT_ONCE: Final = 100
"""Contacts that are split off in one go."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, where, and whether it is only to be seen what would come of it."""

    database: Database
    store: Store
    house: House
    clock: Clock
    by: str
    because: str
    rehearse: bool = False


class _Rehearsed(Exception):
    """Nothing is to stand; never leaves this module."""


@asynccontextmanager
async def _acting(desk: Desk) -> AsyncGenerator[AsyncConnection]:
    try:
        async with desk.database.write(INDIVIDUALS) as connection:
            yield connection
            if desk.rehearse:
                raise _Rehearsed  # noqa: TRY301 - only an exception rolls back
    except _Rehearsed:
        return
    desk.store.pending.set()


async def unlink(desk: Desk, contact_id: UUID) -> list[str]:
    """Undo the link of a contact, and hold it for review again; answers with what changed, in sentences.

    Its record and handoffs name nobody until somebody has decided, and what was done in the wrong name is asked about. Raises Refused
    ``no-such-contact``, ``not-linked``.
    """
    async with _acting(desk) as connection:
        now = desk.clock()
        contact, fingerprint = await contact_of(connection, contact_id)
        link = await standing(connection, contact_id)
        if link is None:
            raise Refused("not-linked", f"No link of the contact {contact_id} stands.")
        was = link.individual_id
        reasons = (
            f"{desk.by} has undone its link to {was}: {desk.because}",
            "Who it is from, and what becomes of it, is open again.",
        )
        decision = Decision(HoldForReview(), DECIDED, 1, reasons, None, None, reading_of(contact, desk.house).signs)
        await supersede(connection, Consequences(contact, "", fingerprint, decision), now, desk.by)
        before = await _tasks(connection, contact_id)
        await move(connection, desk.store, desk.house, contact, fingerprint, None, None, now, desk.by, desk.because)
        await note_label(connection, contact_id, was, link.score, link.evidence, now, same=False)
        due = now + desk.house.router.review_within
        held = task(
            contact.id, contact.channel, TaskKind.REVIEW, desk.house.teams.customer_care, now, due, reasons,
            purpose=f"unlinked:{was}:{link.at.isoformat()}",
        )  # fmt: skip
        await desk.store.raise_tasks(connection, (held,), now)
        told = entry(now, desk.by, "held-for-review", contact_id, individual=was, because=desk.because, task=str(held.id))
        await desk.store.audit(connection, [told])
        return [
            f"The contact is no longer linked to {was} ({link.grade}, since {link.at:%d %B %Y}, by {link.by}).",
            "It is held for review: who wrote it, and what becomes of it.",
            *await _changed(connection, contact_id, before),
            *await _left_alone(connection, was),
        ]


async def merge(desk: Desk, keep: str, other: str) -> list[str]:
    """Have ``other`` count as ``keep``, and whoever was merged into ``other`` too; answers with what changed, in sentences.

    Nothing is rewritten: the records that name ``other`` name somebody who counts as ``keep``. Raises Refused ``no-such-individual``,
    ``merged``, ``the-same``, ``keep-the-case-systems``.
    """
    async with _acting(desk) as connection:
        now = desk.clock()
        people = tables.individuals
        kept, gone = await _individual(connection, keep), await _individual(connection, other)
        if keep == other:
            raise Refused("the-same", "Nobody can be merged into themselves.")
        if kept.made_from is not None and gone.made_from is None:
            raise Refused(
                "keep-the-case-systems",
                f"{other} is the case system's own and {keep} is not: merge {keep} into {other} instead.",
            )
        brought = list(
            (await connection.execute(select(people.c.id).where(people.c.merged_into == other).order_by(people.c.id))).scalars()
        )
        moving = [other, *brought]
        await connection.execute(update(people).where(among(people.c.id, moving)).values(merged_into=keep, merged_at=now))
        evidence = {"individual": keep, "because": desk.because}
        await desk.store.audit(
            connection, [entry(now, desk.by, "individuals-merged", None, **evidence, merged=each) for each in moving]
        )
        theirs = await _contacts(connection, moving)
        return [
            *(
                f"{each} counts as {keep} now{'' if each == other else f', as it counted as {other} before'}."
                for each in moving
            ),
            f"{len(theirs)} contacts that are linked to {' or '.join(moving)} count as theirs too, with cases, adjustments and addresses.",
            *_at_odds(kept, gone),
            f"`ingest register split {other}` undoes it.",
        ]


async def split(desk: Desk, individual_id: str, contact_ids: Sequence[UUID] = ()) -> list[str]:
    """Take an individual apart; answers with what changed, in sentences.

    Without contacts it must be somebody who was merged: they stand by themselves again, and of each contact that came meanwhile and was
    linked to the other a person is asked which of the two wrote it. With contacts, those are somebody else's: a new individual is made
    out of them. Raises Refused ``no-such-individual``, ``merged``, ``not-merged``, ``not-theirs``, ``too-many``, ``not-plain``,
    ``all-of-it``.
    """
    async with _acting(desk) as connection:
        now = desk.clock()
        if not contact_ids:
            return await _apart(connection, desk, individual_id, now)
        await _individual(connection, individual_id)
        return await _taken_out(connection, desk, individual_id, list(dict.fromkeys(contact_ids)), now)


async def withdraw(desk: Desk, individual_id: str, kind: str) -> list[str]:
    """Have an adjustment that their contacts ask for hold no longer; answers with what changed, in sentences.

    One asked for in a later contact holds again. Raises Refused ``no-such-individual``, ``merged``, ``not-held``,
    ``case-systems-own`` where the case system holds it.
    """
    async with _acting(desk) as connection:
        now = desk.clock()
        await _individual(connection, individual_id)
        held = [each for each in await search.adjustments_of(connection, individual_id) if each.kind == kind]
        if not held:
            raise Refused("not-held", f"{kind} is not held on {individual_id}. `ingest register adjustments` lists what is.")
        if any(each.contact_id is None for each in held):
            raise Refused(
                "case-systems-own", f"{kind} comes from the case system: take it off there, and import {individual_id} again."
            )
        needs, asked_in = tables.needs, [each.contact_id for each in held if each.contact_id]
        mine = among(needs.c.contact_id, asked_in) & (needs.c.kind == kind)
        await connection.execute(update(needs).where(mine).values(withdrawn_at=now, withdrawn_by=desk.by))
        told = {"individual": individual_id, "kind": kind, "because": desk.because}
        await desk.store.audit(connection, [entry(now, desk.by, "adjustment-withdrawn", each, **told) for each in asked_in])
        return [f"{kind}, asked for in {each.reference}, is no longer held on {individual_id}." for each in held]


async def _apart(connection: AsyncConnection, desk: Desk, individual_id: str, now: datetime) -> list[str]:
    people, links = tables.individuals, tables.links
    row = (await connection.execute(select(people).where(people.c.id == individual_id))).one_or_none()
    if row is None:
        raise _nobody(individual_id)
    if row.merged_into is None:
        raise Refused("not-merged", f"{individual_id} was not merged into anybody. Name the contacts that are somebody else's.")
    whole = row.merged_into
    await connection.execute(update(people).where(people.c.id == individual_id).values(merged_into=None, merged_at=None))
    meanwhile = select(links.c.contact_id).where(
        links.c.individual_id == whole, links.c.undone_at.is_(None), links.c.at >= row.merged_at
    )
    asked: list[str] = []
    for contact_id in (await connection.execute(meanwhile.order_by(links.c.at).limit(MOST_AT_ONCE))).scalars().all():
        contact, _ = await contact_of(connection, contact_id)
        reasons = (
            f"It came while {individual_id} and {whole} counted as one, and is linked to {whole}: see which of them wrote it.",
            f"{desk.by} has taken them apart: {desk.because}",
        )
        which = task(
            contact_id, contact.channel, TaskKind.REVIEW, desk.house.teams.customer_care, now, now + desk.house.router.review_within,
            reasons, candidates=(whole, individual_id), purpose=f"apart:{individual_id}:{row.merged_at.isoformat()}",
        )  # fmt: skip
        await desk.store.raise_tasks(connection, (which,), now)
        asked.append(which.reference)
    told = entry(now, desk.by, "individuals-split", None, individual=individual_id, of=whole, because=desk.because)
    await desk.store.audit(connection, [told])
    theirs = await _contacts(connection, [individual_id])
    return [
        f"{individual_id} stands by themselves again, with {len(theirs)} contacts that were theirs, and no longer counts as {whole}.",
        *(f"{each} came while they counted as one: a task asks which of them wrote it." for each in asked),
    ]


async def _taken_out(
    connection: AsyncConnection, desk: Desk, individual_id: str, contact_ids: Sequence[UUID], now: datetime
) -> list[str]:
    if len(contact_ids) > MOST_AT_ONCE:
        raise Refused("too-many", f"At most {MOST_AT_ONCE} contacts are split off at once.")
    together = await _together(connection, individual_id)
    theirs = set(await _contacts(connection, together))
    if strange := [each for each in contact_ids if each not in theirs]:
        raise Refused("not-theirs", f"{strange[0]} is not linked to {individual_id}.")
    found = [(*await contact_of(connection, each), await standing(connection, each)) for each in contact_ids]
    plain = [
        new
        for contact, _, _ in found
        if (new := newcomer(contact, reading_of(contact, desk.house), desk.house.key, apart=contact_ids[0]))
    ]
    if not plain:
        raise Refused(
            "not-plain",
            "None of these contacts says plainly who wrote it, so nobody can be made out of them. Unlink each instead.",
        )
    if theirs <= set(contact_ids) and await _is_made(connection, individual_id):
        raise Refused("all-of-it", f"These are all the contacts that {individual_id} has: nothing would be left to split.")
    new = _as_one(plain)
    await intake.make(connection, {contact_ids[0]: new}, now)
    told = [entry(now, desk.by, "individual-made", contact_ids[0], individual=new.individual_id)]
    told.append(
        entry(now, desk.by, "individuals-split", None, individual=new.individual_id, of=individual_id, because=desk.because)
    )
    await desk.store.audit(connection, told)
    said = [f"{new.individual_id} is made out of {len(contact_ids)} contacts that were linked to {individual_id}."]
    for contact, fingerprint, link in found:
        before = await _tasks(connection, contact.id)
        row: dict[str, Any] = {
            "contact_id": contact.id, "individual_id": new.individual_id, "grade": Grade.CHOSEN.value, "score": None, "evidence": [],
            "at": now, "by": desk.by, "undone_at": None, "undone_by": None,
        }  # fmt: skip
        await _rename(connection, contact.id, new.individual_id, f"{desk.by}: {desk.because}", now, desk.by)
        await move(connection, desk.store, desk.house, contact, fingerprint, row, None, now, desk.by, desk.because)
        await note_label(connection, contact.id, link.individual_id, link.score, link.evidence, now, same=False)
        linked = entry(now, desk.by, "linked", contact.id, individual=new.individual_id, grade=Grade.CHOSEN, score=None)
        await desk.store.audit(connection, [linked])
        said += await _changed(connection, contact.id, before)
    return said


def _as_one(plain: Sequence[Newcomer]) -> Newcomer:
    """The first of them, with everybody's emails and phones."""
    points = {(each.kind, each.canonical): each for one in reversed(plain) for each in reversed(one.identifiers)}
    return replace(plain[0], identifiers=tuple(points.values()))


async def _rename(
    connection: AsyncConnection, contact_id: UUID, individual_id: str, because: str, now: datetime, by: str
) -> None:
    """Another version of a contact's disposition: the same, as somebody else's, and about no case that it was proved by."""
    versions = tables.dispositions
    mine = versions.c.contact_id == contact_id
    current = select(versions).where(mine, versions.c.current.is_(True)).with_for_update()
    row: Any = (await connection.execute(current)).first()
    reasons = [because, *cast("list[str]", row.because)]
    latest = (await connection.execute(select(func.max(versions.c.version)).where(mine))).scalar_one()
    await connection.execute(update(versions).where(mine).values(current=False))
    await connection.execute(
        versions.insert().values(
            contact_id=contact_id, version=latest + 1, current=True, kind=row.kind, team=row.team, urgent=row.urgent, rule=DECIDED,
            rule_version=1, because=reasons, individual_id=individual_id, case_reference=None, at=now, by=by,
        )
    )  # fmt: skip


async def _individual(connection: AsyncConnection, id_: str) -> Any:
    """Somebody who counts as themselves. Raises Refused ``no-such-individual``, ``merged``."""
    people = tables.individuals
    row = (await connection.execute(select(people).where(people.c.id == id_).with_for_update())).one_or_none()
    if row is None:
        raise _nobody(id_)
    if row.merged_into is not None:
        raise Refused("merged", f"{id_} counts as {row.merged_into} since they were merged: name {row.merged_into}.")
    return row


def _nobody(id_: str) -> Refused:
    return Refused("no-such-individual", f"The register has nobody with the id {id_}. `ingest register search` finds people.")


async def _is_made(connection: AsyncConnection, id_: str) -> bool:
    people = tables.individuals
    made = select(people.c.id).where(people.c.id == id_, people.c.made_from.is_not(None))
    return (await connection.execute(made)).first() is not None


async def _together(connection: AsyncConnection, id_: str) -> list[str]:
    people = tables.individuals
    merged = await connection.execute(select(people.c.id).where(people.c.merged_into == id_).order_by(people.c.id))
    return [id_, *merged.scalars()]


async def _contacts(connection: AsyncConnection, ids: Sequence[str]) -> list[UUID]:
    links = tables.links
    query = select(links.c.contact_id).where(among(links.c.individual_id, ids), links.c.undone_at.is_(None))
    return list((await connection.execute(query)).scalars())


async def _tasks(connection: AsyncConnection, contact_id: UUID) -> set[UUID]:
    tasks = tables.tasks
    return set((await connection.execute(select(tasks.c.id).where(tasks.c.contact_id == contact_id))).scalars())


async def _changed(connection: AsyncConnection, contact_id: UUID, before: set[UUID]) -> list[str]:
    """The reasons of the tasks that an act has raised beside the one to decide anew."""
    tasks = tables.tasks
    query = select(tasks.c.id, tasks.c.body).where(tasks.c.contact_id == contact_id).order_by(tasks.c.id)
    new = [Task.model_validate_json(row.body) for row in await connection.execute(query) if row.id not in before]
    return [reason for each in new if each.reasons[0].startswith("Its link to") for reason in each.reasons[1:]]


async def _left_alone(connection: AsyncConnection, individual_id: str) -> list[str]:
    if not await made_of_nothing_else(connection, individual_id):
        return []
    return [left_alone(individual_id)]


def left_alone(individual_id: str) -> str:
    """That an individual of the router's has no contact any more."""
    return f"{individual_id} was made by the router and has no contact any more: merge them into whoever they are, if they are anybody."


def _at_odds(kept: Any, gone: Any) -> list[str]:
    """What speaks against two being one, for whoever merges them to see."""
    odds = (
        ("birth dates", kept.date_of_birth, gone.date_of_birth),
        ("surnames", kept.canonical_surname, gone.canonical_surname),
    )
    said = [f"Their {what} differ: look again." for what, one, other in odds if one and other and one != other]
    return said + (["Both are the case system's own: have it merge them too."] if gone.made_from is None else [])
