"""Finding people and cases in the register, for a whole batch at once: a handful of statements, whatever its size.

A contact finds candidates by email, phone, postcode with surname, full name, birth date with surname, and case reference. A
key that more than 400 people hold finds nobody: it is a switchboard, or a name too common to go by.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, literal, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contract import canonical_case_reference, canonical_email, canonical_phone, canonical_postcode
from ingest.database import among
from router.match import Candidate, Query
from router.match.names import birth_key, name_keys, surname_keys, written
from router.match.register_view import CaseView, IndividualView, PartyView
from router.register.tables import addresses, adjustments, identifiers, individuals, links, parties
from router.register.tables import cases as case_table

_MOST_CANDIDATES: Final = 25
_MOST_HOLDERS: Final = 400
_MOST_NAMES: Final = 6

_Key = tuple[str, str, str]  # kind, value, and the surname beside a postcode
# How much each kind of key says, only to choose the 25 that are compared.
_RANK: Final = {"email": 8, "phone": 8, "name": 4, "postcode": 4, "birth": 4, "case": 2}


async def candidates(connection: AsyncConnection, queries: Sequence[Query], today: date) -> list[list[Candidate]]:
    """For each query those whom it may be from, at most 25, likeliest first by the number of keys they share.

    ``Candidate.holders`` tells of the query's own emails and phones how many people hold each. A party whose part in a case
    had ended by ``today`` is not found by its reference.
    """
    wanted = [_keys(query) for query in queries]
    every = {key for keys in wanted for key in keys}
    holders = await _holders(connection, every, today)
    chosen = [_rank(keys, holders) for keys in wanted]
    held = await _held(connection, {each for ids in chosen for each in ids}, today)
    shared = {value: len(ids) for (kind, value, _), ids in holders.items() if kind in {"email", "phone"} and len(ids) > 1}
    return [
        [
            replace(held[each], holders={value: shared[value] for value in query.emails + query.phones if value in shared})
            for each in ids
            if each in held
        ]
        for query, ids in zip(queries, chosen, strict=True)
    ]


async def cases(connection: AsyncConnection, references: Collection[str]) -> dict[str, CaseView]:
    """The cases of these canonical references that the register has, with their parties."""
    found: dict[str, CaseView] = {}
    members: dict[str, list[PartyView]] = defaultdict(list)
    for row in await _all(connection, select(parties), parties.c.case_reference, references):
        members[row.case_reference].append(PartyView(row.individual_id, row.role, row.authority, row.until))
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
    """These individuals as the register holds them. ``written_before`` looks at links that stand."""
    where: dict[str, str] = {}
    for row in await _all(connection, select(addresses), addresses.c.individual_id, ids):
        where.setdefault(row.individual_id, _one_line(row.lines, row.postcode))
    emails: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(identifiers), identifiers.c.individual_id, ids):
        if row.kind == "email":
            emails[row.individual_id].append(row.canonical)
    needs: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(adjustments), adjustments.c.individual_id, ids):
        needs[row.individual_id].append(row.kind)
    parts: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(parties), parties.c.individual_id, ids):
        parts[row.individual_id].append(row.case_reference)
    linked = select(links.c.individual_id).where(links.c.undone_at.is_(None)).distinct()
    written_before = {row.individual_id for row in await _all(connection, linked, links.c.individual_id, ids)}
    return {
        row.id: IndividualView(
            row.id,
            _full_name(row),
            where.get(row.id),
            tuple(emails[row.id]),
            row.language,
            tuple(needs[row.id]),
            tuple(row.agreed_methods),
            tuple(row.forbidden_methods),
            row.safe_contact_note,
            row.arrangement,
            row.died_on,
            tuple(parts[row.id]),
            row.id in written_before,
        )
        for row in await _all(connection, select(individuals), individuals.c.id, ids)
    }


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


async def find(connection: AsyncConnection, text: str, limit: int = 25) -> list[Found]:
    """Those whom an operator may mean by a name, an email, a phone, a postcode, a case reference or the register's own id."""
    ids = [row[0] for row in await connection.execute(_meant(text.strip()).limit(limit))]
    held = await _held(connection, ids, None)
    return [
        Found(
            each.individual_id,
            " ".join(filter(None, (each.given_name, each.surname))) or None,
            each.date_of_birth,
            each.addresses[0] if each.addresses else None,
            each.emails,
            each.phones,
            each.cases,
        )
        for each in (held[each] for each in ids if each in held)
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
        wanted.append(individuals.c.name_key.in_(name_keys(name)))
    else:
        wanted.append(individuals.c.canonical_surname.in_(surname_keys(name)))
    return select(individuals.c.id).where(or_(*wanted)).order_by(individuals.c.id)


def _keys(query: Query) -> dict[_Key, int]:
    """What this query is looked up by, and how much each says."""
    keys: list[_Key] = [("email", each, "") for each in query.emails]
    keys += [("phone", each, "") for each in query.phones]
    keys += [("case", each, "") for each in query.case_references]
    for name in map(written, query.names[:_MOST_NAMES]):
        surnames = surname_keys(name)
        keys += [("name", each, "") for each in name_keys(name)]
        keys += [("postcode", postcode, surname) for postcode in query.postcodes for surname in surnames]
        births = (birth_key(query.date_of_birth, surname) for surname in surnames)
        keys += [("birth", each, "") for each in births if each]
    return {key: _RANK[key[0]] for key in keys}


def _rank(keys: Mapping[_Key, int], holders: Mapping[_Key, list[str]]) -> list[str]:
    said: Counter[str] = Counter()
    for key, rank in keys.items():
        found = holders.get(key, ())
        if len(found) <= _MOST_HOLDERS:
            said.update(dict.fromkeys(found, rank))
    return [each for each, _ in sorted(said.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CANDIDATES]]


async def _holders(connection: AsyncConnection, every: Collection[_Key], today: date) -> dict[_Key, list[str]]:
    """Who holds each key, counted no further than shows that they are too many."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for kind, value, _ in every:
        wanted[kind].add(value)
    person, point, part, place = individuals.c, identifiers.c, parties.c, addresses.c
    nothing = literal("")
    near = select(place.canonical_postcode, person.id, person.canonical_surname)
    looks = [
        _few(kind, select(value, individual, nothing).where(condition), value, wanted[kind], [value])
        for kind, value, individual, condition in (
            ("email", point.canonical, point.individual_id, point.kind == "email"),
            ("phone", point.canonical, point.individual_id, point.kind == "phone"),
            ("name", person.name_key, person.id, true()),
            ("birth", person.birth_key, person.id, true()),
            ("case", part.case_reference, part.individual_id, _standing(today)),
        )
    ]
    near = near.join_from(addresses, individuals, place.individual_id == person.id)
    within = [place.canonical_postcode, person.canonical_surname]
    looks.append(_few("postcode", near, place.canonical_postcode, wanted["postcode"], within))
    holders: dict[_Key, list[str]] = defaultdict(list)
    for kind, value, individual, surname in await connection.execute(union_all(*looks)):
        holders[kind, value, surname].append(individual)
    return holders


def _few(
    kind: str,
    statement: Select[*tuple[Any, ...]],
    column: ColumnElement[Any],
    values: Collection[str],
    within: Sequence[ColumnElement[Any]],
) -> Select[*tuple[Any, ...]]:
    """Its rows (value, individual, surname) after their kind, of each part at most one too many."""
    number = func.row_number().over(partition_by=within)
    rows = statement.add_columns(number).where(among(column, values)).subquery()
    value, individual, surname, number = rows.c
    return select(literal(kind), value, individual, surname).where(number <= _MOST_HOLDERS + 1)


async def _held(connection: AsyncConnection, ids: Collection[str], today: date | None) -> dict[str, Candidate]:
    points: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await _all(connection, select(identifiers), identifiers.c.individual_id, ids):
        points[row.kind, row.individual_id].append(row.canonical)
    lines: dict[str, list[str]] = defaultdict(list)
    postcodes: dict[str, list[str]] = defaultdict(list)
    for row in await _all(connection, select(addresses), addresses.c.individual_id, ids):
        lines[row.individual_id].append(_one_line(row.lines, row.postcode))
        if row.canonical_postcode:
            postcodes[row.individual_id].append(row.canonical_postcode)
    parts: dict[str, list[str]] = defaultdict(list)
    standing = select(parties) if today is None else select(parties).where(_standing(today))
    for row in await _all(connection, standing, parties.c.individual_id, ids):
        parts[row.individual_id].append(row.case_reference)
    return {
        row.id: Candidate(
            row.id,
            row.given_name,
            row.surname,
            row.date_of_birth,
            tuple(points["email", row.id]),
            tuple(points["phone", row.id]),
            tuple(postcodes[row.id]),
            tuple(lines[row.id]),
            cases=tuple(parts[row.id]),
        )
        for row in await _all(connection, select(individuals), individuals.c.id, ids)
    }


async def _all(
    connection: AsyncConnection, statement: Select[*tuple[Any, ...]], column: ColumnElement[Any], values: Collection[str]
) -> list[Row[Any]]:
    """The rows whose column is one of the values."""
    return list(await connection.execute(statement.where(among(column, values)))) if values else []


def _standing(today: date) -> ColumnElement[bool]:
    return or_(parties.c.until.is_(None), parties.c.until >= today)


def _one_line(lines: Sequence[str], postcode: str | None) -> str:
    return ", ".join([*lines, *([postcode] if postcode else [])])


def _full_name(row: Row[Any]) -> str | None:
    return " ".join(filter(None, (row.given_name, row.surname))) or None
