"""Finding people and cases in the register, for a whole batch at once: three statements, whatever its size.

Whoever shares a key with a contact is a candidate (``router.match.keys``), and whoever has a part in a case it names. A key that more
than 400 people hold finds nobody: it is a switchboard, or a name too common to go by.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from heapq import nsmallest
from math import log2
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import canonical_case_reference, canonical_email, canonical_phone, canonical_postcode
from ingest.database import Long, Ready, among, apart, each_of, joined
from router.match import Candidate, Query
from router.match.keys import VERSION, email_key, phone_key, query_keys, query_kinds
from router.match.names import full_names, surname_keys, written
from router.match.register_view import CaseView, IndividualView, PartyView
from router.register.held import standing, together
from router.register.index import not_whole
from router.register.tables import (
    addresses,
    adjustments,
    contacts,
    identifiers,
    individual_keys,
    individuals,
    key_versions,
    links,
    needs,
    parties,
)
from router.register.tables import cases as case_table

_MOST_CANDIDATES: Final = 15
_MOST_HOLDERS: Final = 400
_SOME: Final = 10
_MANY_HOLDERS: Final = 50
_LEAST: Final = 0.15  # of what the likeliest shares: whoever shares less is hardly ever the one, and takes as long to compare


async def candidates(connection: AsyncConnection, queries: Sequence[Query], today: date) -> list[list[Candidate]]:
    """For each query those whom it may be from, at most 15, likeliest first by the keys they share, a rare one saying more; nobody who
    shares far less than the likeliest.

    ``Candidate.holders`` tells of the query's own emails and phones how many people hold each. A party whose part in a case
    had ended by ``today`` is not found by its reference. Raises Unavailable while the index is not whole.
    """
    wanted = [query_keys(query) for query in queries]
    holders = await _holders(connection, {key for keys in wanted for key in keys})
    members = await _members(connection, {each for query in queries for each in query.case_references}, today)
    chosen = [
        _rank([*(holders[key].ids for key in keys if key in holders), *(members[each] for each in query.case_references)])
        for query, keys in zip(queries, wanted, strict=True)
    ]
    known, counts_as = await together(connection, {each for ids in chosen for each in ids}, today)
    found: list[list[Candidate]] = []
    for query, ids in zip(queries, chosen, strict=True):
        counts = _shared(query, holders, counts_as)
        whom = dict.fromkeys(counts_as[each] for each in ids if each in counts_as)
        found.append([replace(known[each], holders=counts) for each in whom])
    return found


@dataclass(frozen=True, slots=True)
class FoundBy:
    """One of a query's keys: its kind, and whom it finds; nobody where so many hold it that it is passed over."""

    kind: str
    whom: frozenset[str]
    too_many: bool


async def found_by(connection: AsyncConnection, query: Query) -> list[FoundBy]:
    """By which keys a query's candidates are found. Raises Unavailable while the index is not whole."""
    kinds = query_kinds(query)
    holders = await _holders(connection, kinds)
    _, counts_as = await together(connection, {each for some in holders.values() for each in some.ids})
    return [
        FoundBy(kind, frozenset(counts_as[each] for each in some.ids if each in counts_as), too_many=not some.ids)
        for key, kind in kinds.items()
        if (some := holders.get(key))
    ]


async def merged(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """Those of them who count as somebody else, and as whom."""
    into = individuals.c.merged_into
    rows = await _all(connection, select(individuals.c.id, into).where(into.is_not(None)), individuals.c.id, ids)
    return {row.id: row.merged_into for row in rows if row.merged_into}


async def _together(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """Each of them, then everybody who was merged into one of them, with whom they count as."""
    into = individuals.c.merged_into
    rows = await _all(connection, select(individuals.c.id, into).order_by(individuals.c.id), into, ids)
    return {**{each: each for each in ids}, **{row.id: row.merged_into for row in rows}}


async def cases(connection: AsyncConnection, references: Collection[str]) -> dict[str, CaseView]:
    """The cases of these canonical references that the register has, with their parties."""
    found: dict[str, CaseView] = {}
    members: dict[str, list[PartyView]] = defaultdict(list)
    part = await _all(connection, select(parties), parties.c.case_reference, references)
    counts_as = await merged(connection, {row.individual_id for row in part})
    for row in part:
        who: str = row.individual_id
        members[row.case_reference].append(PartyView(counts_as.get(who, who), row.role, row.authority, row.until))
    for row in await _all(connection, select(case_table), case_table.c.reference, references):
        found[row.reference] = CaseView(
            row.reference,
            row.status,
            row.stage,
            row.organisation,
            row.owner_email,
            row.owner_active,
            row.team_mailbox,
            row.decided_on,
            row.comments_due,
            tuple(members[row.reference]),
        )
    return found


async def people(connection: AsyncConnection, ids: Collection[str]) -> dict[str, IndividualView]:
    """These individuals as the register holds them, together with whoever was merged into them; nobody who is merged themselves.

    ``written_before`` and the adjustments that their contacts ask for look at links that stand. What restricts how one is reached is
    each one's; of the rest what is held of themselves goes before what is held of the others.
    """
    whose = await _together(connection, ids)
    where: dict[str, str] = {}
    for row in _own_first(whose, await _all(connection, select(addresses), addresses.c.individual_id, whose)):
        where.setdefault(whose[row.individual_id], _one_line(row.lines, row.postcode))
    points: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in _own_first(whose, await _all(connection, select(identifiers), identifiers.c.individual_id, whose)):
        points[row.kind, whose[row.individual_id]].append(row.canonical)
    asked: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(adjustments), adjustments.c.individual_id, whose):
        asked[whose[row.individual_id]].append(row.kind)
    for row in await _all(connection, _needs(), links.c.individual_id, whose):
        asked[whose[row.individual_id]].append(row.kind)
    parts: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(parties), parties.c.individual_id, whose):
        parts[whose[row.individual_id]].append(row.case_reference)
    linked = select(links.c.individual_id).where(links.c.undone_at.is_(None)).distinct()
    written_before = {whose[row.individual_id] for row in await _all(connection, linked, links.c.individual_id, whose)}
    together: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await _all(connection, select(individuals), individuals.c.id, whose):
        together[whose[row.id]].append(row)
    found: dict[str, IndividualView] = {}
    for id_, rows in together.items():
        rows.sort(key=lambda row: (row.id != id_, row.id))
        if rows[0].id != id_ or rows[0].merged_into is not None:
            continue
        found[id_] = IndividualView(
            id_,
            _first(map(_full_name, rows)),
            where.get(id_),
            _each(points["email", id_]),
            _first(row.language for row in rows),
            _each(asked[id_]),
            tuple(_first(row.agreed_methods or None for row in rows) or ()),
            _each(method for row in rows for method in row.forbidden_methods),
            _first(row.safe_contact_note for row in rows),
            _first(row.arrangement for row in rows),
            _first(row.died_on for row in rows),
            _each(parts[id_]),
            id_ in written_before,
            tuple(row.id for row in rows[1:]),
            _each(points["phone", id_]),
        )
    return found


def _needs(*more: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """What contacts ask for whose link stands, the first first."""
    asked = select(links.c.individual_id, needs.c.kind, *more).join(needs, needs.c.contact_id == links.c.contact_id)
    return asked.where(links.c.undone_at.is_(None), needs.c.withdrawn_at.is_(None)).order_by(needs.c.since, needs.c.kind)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One that is held on an individual: since when, and by whom: the case system, or a contact of theirs."""

    kind: str
    since: datetime
    contact_id: UUID | None = None
    reference: str | None = None


async def adjustments_of(connection: AsyncConnection, individual_id: str) -> list[Adjustment]:
    """All that are held on them and on whoever was merged into them."""
    whose = await _together(connection, [individual_id])
    held = await _all(connection, select(adjustments), adjustments.c.individual_id, whose)
    needed = _needs(needs.c.since, needs.c.contact_id, contacts.c.reference)
    needed = needed.join(contacts, contacts.c.id == links.c.contact_id)
    asked = await _all(connection, needed, links.c.individual_id, whose)
    return [
        *(Adjustment(row.kind, row.since) for row in held),
        *(Adjustment(row.kind, row.since, row.contact_id, row.reference) for row in asked),
    ]


def _own_first(whose: Mapping[str, str], rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    return sorted(rows, key=lambda row: whose[row.individual_id] != row.individual_id)


_T = TypeVar("_T")


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((each for each in values if each is not None), None)


def _each(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


@dataclass(frozen=True, slots=True)
class Found:
    """One line of what an operator searched for."""

    person_id: str
    name: str | None
    date_of_birth: date | None
    address: str | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    cases: tuple[str, ...]
    also: tuple[str, ...]  # who was merged into them
    made: bool  # by the router, and not the case system


async def find(connection: AsyncConnection, text: str, limit: int = 25) -> list[Found]:
    """Those whom an operator may mean by a name, an email, a phone, a postcode, a case reference or the register's own id."""
    ids: list[str] = [row[0] for row in await connection.execute(_meant(text.strip()).limit(limit))]
    known, counts_as = await together(connection, ids)
    ids = list(dict.fromkeys(counts_as[each] for each in ids if each in counts_as))
    made = select(individuals.c.id).where(individuals.c.made_from.is_not(None))
    by_us = {row.id for row in await _all(connection, made, individuals.c.id, ids)}
    return [
        Found(
            each.individual_id,
            " ".join(filter(None, (each.given_name, each.surname))) or None,
            each.date_of_birth,
            each.addresses[0] if each.addresses else None,
            each.emails,
            each.phones,
            each.cases,
            tuple(one for one, whom in counts_as.items() if whom == each.individual_id != one),
            each.individual_id in by_us,
        )
        for each in (known[each] for each in ids)
    ]


def _meant(text: str) -> Select[*tuple[Any, ...]]:
    for kind, known in (("email", canonical_email(text)), ("phone", canonical_phone(text))):
        if known:
            return select(identifiers.c.individual_id).where(identifiers.c.kind == kind, identifiers.c.canonical == known)
    if postcode := canonical_postcode(text):
        return select(addresses.c.individual_id).where(addresses.c.canonical_postcode == postcode)
    if reference := canonical_case_reference(text):
        return select(parties.c.individual_id).where(parties.c.case_reference == reference)
    name = written(text)
    wanted: list[ColumnElement[bool]] = [individuals.c.id == text]
    if name.is_full:
        wanted.append(tuple_(individuals.c.canonical_surname, individuals.c.canonical_forename).in_(full_names(name)))
    else:
        wanted.append(individuals.c.canonical_surname.in_(surname_keys(name)))
    return select(individuals.c.id).where(or_(*wanted)).order_by(individuals.c.id)


@dataclass(frozen=True, slots=True)
class _Holders:
    """How many hold a key, counted no further than shows that they are too many, and who, unless they are."""

    number: int
    ids: Sequence[str]


def _asked() -> Select[*tuple[Any, ...]]:
    each = each_of("keys", Long)
    few = select(individual_keys.c.individual_id).where(individual_keys.c.key == each.c.value)
    few = few.limit(_MOST_HOLDERS + 1).correlate(each).subquery()
    ids = select(case((func.count() <= _MOST_HOLDERS, joined(few.c.individual_id)), else_="")).scalar_subquery()
    whole = select(key_versions.c.version).where(key_versions.c.version == VERSION).scalar_subquery()
    return select(whole, each.c.value, ids)


_ASKED: Final = Ready(_asked())


async def _holders(connection: AsyncConnection, keys: Collection[int]) -> dict[int, _Holders]:
    found: dict[int, _Holders] = {}
    for version, key, ids in await _ASKED.rows(connection, keys=list(keys)) if keys else ():
        if version is None:
            raise not_whole()
        if ids:
            held_by = apart(ids)
            found[key] = _Holders(len(held_by), held_by)
        elif ids is not None:
            found[key] = _Holders(_MOST_HOLDERS + 1, ())
    return found


async def _members(connection: AsyncConnection, references: Collection[str], today: date) -> dict[str, list[str]]:
    """Whose part in each of these cases stands."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(parties).where(standing(today)), parties.c.case_reference, references):
        found[row.case_reference].append(row.individual_id)
    return found


def _rank(shared: Iterable[Sequence[str]]) -> list[str]:
    """The likeliest of those who share keys, each key given by its holders. Once some are found, a key that many hold finds nobody more:
    a rarer one has found whoever it could tell apart.
    """
    said: dict[str, float] = {}
    for ids in sorted(shared, key=len):
        if len(ids) > (_MANY_HOLDERS if len(said) >= _SOME else _MOST_HOLDERS):
            break
        if ids:
            weight = log2(2 * _MOST_HOLDERS / len(ids))
            for each in ids:
                said[each] = said.get(each, 0.0) + weight
    best = nsmallest(_MOST_CANDIDATES, said, key=lambda each: (-said[each], each))
    return [each for each in best if said[each] >= _LEAST * said[best[0]]]


def _shared(query: Query, holders: Mapping[int, _Holders], counts_as: Mapping[str, str]) -> dict[str, int]:
    """How many hold each of the query's own emails and phones, where it is more than one."""
    own = {**{each: email_key(each) for each in query.emails}, **{each: phone_key(each) for each in query.phones}}
    numbers = {each: _number(holders[key], counts_as) for each, key in own.items() if key in holders}
    return {each: number for each, number in numbers.items() if number > 1}


def _number(held_by: _Holders, counts_as: Mapping[str, str]) -> int:
    return len({counts_as.get(each, each) for each in held_by.ids}) or held_by.number


async def _all(
    connection: AsyncConnection, statement: Select[*tuple[Any, ...]], column: ColumnElement[Any], values: Collection[str]
) -> list[Row[Any]]:
    """The rows whose column is one of the values."""
    return list(await connection.execute(statement.where(among(column, values)))) if values else []


def _one_line(lines: Sequence[str], postcode: str | None) -> str:
    return ", ".join([*lines, *([postcode] if postcode else [])])


def _full_name(row: Row[Any]) -> str | None:
    return " ".join(filter(None, (row.given_name, row.surname))) or None
