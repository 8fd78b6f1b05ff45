"""Individuals as they are compared: one row each with all that says who they are, in one statement however many they are."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Date, Integer, Table, Text, bindparam, cast, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import Ready, among, gathered
from router.match import Candidate
from router.register.tables import addresses, identifiers, individuals, parties


def standing(today: date | ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a part in a case has not ended by a day."""
    return or_(parties.c.until.is_(None), parties.c.until >= today)


def _theirs(table: Table, *columns: ColumnElement[Any], where: ColumnElement[bool] | None = None) -> ColumnElement[Any]:
    rows = select(gathered(*columns)).where(table.c.individual_id == individuals.c.id)
    return cast((rows if where is None else rows.where(where)).correlate(individuals).scalar_subquery(), Text)


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
_WHOLE: Final = _PERSON.add_columns(_CASES.label("cases"), individuals.c.merged_into)
# Made once: a statement's making costs more than it takes to find somebody.
_THESE: Final = Ready(_WHOLE.where(among(individuals.c.id, "ids")))
_TOGETHER: Final = Ready(
    union_all(  # each by its own index, which one OR may keep both kinds of register from
        _WHOLE.where(among(individuals.c.id, "ids")),
        _WHOLE.where(among(individuals.c.merged_into, "ids"), individuals.c.merged_into.is_not(None)),
    )
)
_FOLLOWING: Final = Ready(
    _PERSON.where(individuals.c.id > bindparam("after", type_=Text()))
    .order_by(individuals.c.id)
    .limit(bindparam("number", type_=Integer()))
)

Row = Sequence[Any]
"""An individual's columns, as a statement here has them."""


async def held(connection: AsyncConnection, ids: Collection[str], today: date = date.min) -> dict[str, Candidate]:
    """Each of these individuals by themselves, with the cases in which their part had not ended by a day."""
    rows = await _THESE.rows(connection, ids=list(ids), today=today) if ids else ()
    return {each.individual_id: each for each in as_candidates(rows)}


async def together(
    connection: AsyncConnection, ids: Collection[str], today: date = date.min
) -> tuple[dict[str, Candidate], dict[str, str]]:
    """These individuals as they are compared, each with whoever was merged into them: their own name, and everybody's addresses. Then,
    of each who is there, whom they count as.
    """
    rows: dict[str, Row] = {}
    wanted = set(ids)
    while wanted:
        rows |= {row[0]: row for row in await _TOGETHER.rows(connection, ids=list(wanted), today=today)}
        wanted = {row[-1] for row in rows.values() if row[-1]} - set(rows)
    counts_as: dict[str, str] = {id_: row[-1] or id_ for id_, row in rows.items()}
    known = {each.individual_id: each for each in as_candidates(rows.values())}
    others = sorted(id_ for id_, whom in counts_as.items() if whom != id_)
    for id_ in others:
        known[counts_as[id_]] = _joined(known[counts_as[id_]], known[id_])
    for id_ in others:
        del known[id_]
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


async def following(connection: AsyncConnection, after: str, number: int) -> Sequence[Row]:
    """So many individuals after an id, in the order of ids and without their cases; ``as_candidates`` reads them."""
    return await _FOLLOWING.rows(connection, after=after, number=number)


def as_candidates(rows: Collection[Row]) -> Iterator[Candidate]:
    """The individuals of rows. What is JSON in them is read in few calls, however many they are."""
    points, places = _read(row[4] for row in rows), _read(row[5] for row in rows)
    cases = _read(row[6] if len(row) > 6 else "[]" for row in rows)
    lines = iter(_read(lines for each in places for lines, _, _ in each))
    for row, reached, lives, parts in zip(rows, points, places, cases, strict=True):
        id_, given_name, surname, born, *_ = row
        yield Candidate(
            id_,
            given_name,
            surname,
            born,
            tuple([canonical for kind, canonical in reached if kind == "email"]),
            tuple([canonical for kind, canonical in reached if kind == "phone"]),
            tuple([canonical for _, _, canonical in lives if canonical]),
            tuple([", ".join([*next(lines), *([postcode] if postcode else [])]) for _, postcode, _ in lives]),
            cases=tuple([reference for (reference,) in parts]),
        )


def _read(texts: Iterable[str | None]) -> list[list[Any]]:
    return json.loads(f"[{','.join([each or '[]' for each in texts])}]")
