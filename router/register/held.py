"""Individuals as they are compared: one row each with all that says who they are, in one statement however many they are."""

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Date, Table, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import among, gathered
from router.match import Candidate
from router.register.tables import addresses, identifiers, individuals, parties


def standing(today: date | ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a part in a case has not ended by a day."""
    return or_(parties.c.until.is_(None), parties.c.until >= today)


def _theirs(table: Table, *columns: ColumnElement[Any], where: ColumnElement[bool] | None = None) -> ColumnElement[Any]:
    rows = select(gathered(*columns)).where(table.c.individual_id == individuals.c.id)
    return (rows if where is None else rows.where(where)).correlate(individuals).scalar_subquery()


_POINTS: Final = _theirs(identifiers, identifiers.c.kind, identifiers.c.canonical)
_PLACES: Final = _theirs(addresses, addresses.c.lines, addresses.c.postcode, addresses.c.canonical_postcode)
_CASES: Final = _theirs(parties, parties.c.case_reference, where=standing(bindparam("today", type_=Date())))
_PERSON: Final = select(
    individuals.c.id,
    individuals.c.given_name,
    individuals.c.surname,
    individuals.c.date_of_birth,
    _POINTS.label("points"),
    _PLACES.label("places"),
)
# Made once: a statement's making costs more than it takes to find somebody.
_THESE: Final = _PERSON.add_columns(_CASES.label("cases")).where(among(individuals.c.id, "ids"))
_TOGETHER: Final = _PERSON.add_columns(_CASES.label("cases"), individuals.c.merged_into).where(
    or_(among(individuals.c.id, "ids"), among(individuals.c.merged_into, "ids"))
)


async def held(connection: AsyncConnection, ids: Collection[str], today: date = date.min) -> dict[str, Candidate]:
    """Each of these individuals by themselves, with the cases in which their part had not ended by a day."""
    if not ids:
        return {}
    rows = await connection.execute(_THESE, {"ids": list(ids), "today": today})
    return {each.individual_id: each for each in map(_candidate, rows)}


async def together(
    connection: AsyncConnection, ids: Collection[str], today: date = date.min
) -> tuple[dict[str, Candidate], dict[str, str]]:
    """These individuals as they are compared, each with whoever was merged into them: their own name, and everybody's addresses. Then,
    of each who is there, whom they count as.
    """
    rows: dict[str, Any] = {}
    wanted = set(ids)
    while wanted:
        rows |= {row.id: row for row in await connection.execute(_TOGETHER, {"ids": list(wanted), "today": today})}
        wanted = {row.merged_into for row in rows.values() if row.merged_into} - set(rows)
    counts_as = {id_: row.merged_into or id_ for id_, row in rows.items()}
    known: dict[str, Candidate] = {}
    for id_ in sorted(rows, key=lambda id_: (counts_as[id_] != id_, id_)):
        one = _candidate(rows[id_][:-1])
        known[counts_as[id_]] = _joined(known[counts_as[id_]], one) if counts_as[id_] != id_ else one
    return known, counts_as


def _joined(one: Candidate, other: Candidate) -> Candidate:
    return replace(
        one,
        date_of_birth=one.date_of_birth or other.date_of_birth,
        emails=tuple(dict.fromkeys(one.emails + other.emails)),
        phones=tuple(dict.fromkeys(one.phones + other.phones)),
        postcodes=tuple(dict.fromkeys(one.postcodes + other.postcodes)),
        addresses=tuple(dict.fromkeys(one.addresses + other.addresses)),
        cases=tuple(dict.fromkeys(one.cases + other.cases)),
    )


def following(connection: Connection, after: str, number: int) -> list[Candidate]:
    """So many individuals after an id, in the order of ids and without their cases."""
    page = _PERSON.where(individuals.c.id > after).order_by(individuals.c.id).limit(number)
    return list(map(_candidate, connection.execute(page)))


def _candidate(row: Any) -> Candidate:
    id_, given_name, surname, born, points, places, *cases = row
    return Candidate(
        id_,
        given_name,
        surname,
        born,
        tuple(canonical for kind, canonical in points or () if kind == "email"),
        tuple(canonical for kind, canonical in points or () if kind == "phone"),
        tuple(canonical for _, _, canonical in places or () if canonical),
        tuple(", ".join([*json.loads(lines), *([postcode] if postcode else [])]) for lines, postcode, _ in places or ()),
        cases=tuple(reference for some in cases for (reference,) in some or ()),
    )
