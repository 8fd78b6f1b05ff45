"""A register and contacts as matching takes them, from rows of cells; and candidates found by many keys in memory.

The finding stands in for the register's own search where a set is to be weighed many times; ``measure.py`` uses the real one.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from ingest.contract import canonical_email, canonical_phone, canonical_postcode
from router.match import Candidate, Query
from router.match.likeness import known, readings
from router.match.names import forms, metaphone, skeleton, written
from router.match.statistics import Statistics

_MOST_HOLDERS: Final = 400
_MOST: Final = 25


@dataclass(frozen=True, slots=True)
class Asked:
    """One contact with the truth of it; ``person`` is blank where nobody of the register wrote."""

    contact: str
    query: Query
    person: str
    scenario: str


def query_of(cells: Mapping[str, str]) -> Query:
    """As ``ingest match`` reads a row."""
    name = " ".join(filter(None, (cells["given_name"], cells["surname"])))
    return Query(
        names=(name,) if name else (),
        date_of_birth=_day(cells["date_of_birth"]),
        emails=tuple(filter(None, [canonical_email(cells["email"])])),
        phones=tuple(filter(None, [canonical_phone(cells["phone"])])),
        postcodes=tuple(filter(None, [canonical_postcode(cells["postcode"])])),
        address=_line(cells) or None,
    )


def candidate_of(person: str, cells: Mapping[str, str]) -> Candidate:
    """As the register holds a row."""
    line = ", ".join(filter(None, (_line(cells), cells["postcode"])))
    return Candidate(
        person,
        cells["given_name"] or None,
        cells["surname"] or None,
        _day(cells["date_of_birth"]),
        tuple(filter(None, [canonical_email(cells["email"])])),
        tuple(filter(None, [canonical_phone(cells["phone"])])),
        tuple(filter(None, [canonical_postcode(cells["postcode"])])),
        (line,) if line else (),
    )


def _line(cells: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (cells["address_1"], cells["address_2"], cells["town"])))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def loaded(folder: Path) -> tuple[dict[str, Candidate], list[Asked]]:
    """A folder of register.csv, contacts.csv and truth.csv."""

    def rows(name: str) -> Iterator[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as sheet:
            yield from csv.DictReader(sheet)

    register = {row["person_id"]: candidate_of(row["person_id"], row) for row in rows("register.csv")}
    truth = {row["contact_id"]: row for row in rows("truth.csv")}
    asked: list[Asked] = []
    for row in rows("contacts.csv"):
        said = truth[row["contact_id"]]
        asked.append(Asked(row["contact_id"], query_of(row), said["person_id"], said["scenario"]))
    return register, asked


def statistics_of(register: Iterable[Candidate]) -> Statistics:
    """What the register would count of its people."""
    names = [known(each.given_name, each.surname) for each in register]
    return Statistics(
        len(names),
        Counter(name.family for name in names if name.family),
        Counter(name.given[0] for name in names if name.given),
    )


class Index:
    """Those of a register who share a key with a query, most keys first."""

    def __init__(self, register: Mapping[str, Candidate]) -> None:
        self.register = register
        self.holders: dict[str, list[str]] = defaultdict(list)
        for person, each in register.items():
            for key in _held_keys(each):
                self.holders[key].append(person)

    def candidates(self, query: Query) -> list[Candidate]:
        """At most 25, each with the holders of what the query gives."""
        said: Counter[str] = Counter()
        for key, rank in _asked_keys(query).items():
            found = self.holders.get(key, ())
            if len(found) <= _MOST_HOLDERS:
                for person in found:
                    said[person] += rank
        shared = {
            value: len(self.holders[f"point {value}"])
            for value in query.emails + query.phones
            if len(self.holders.get(f"point {value}", ())) > 1
        }
        best = sorted(said.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
        return [replace(self.register[person], holders=shared) for person, _ in best]


def _held_keys(one: Candidate) -> set[str]:
    name = known(one.given_name, one.surname)
    keys = {f"point {each}" for each in one.emails + one.phones} | {f"local {each.partition('@')[0]}" for each in one.emails}
    keys |= _keys(name.given, name.surname, name.parts, one.postcodes, one.date_of_birth)
    return keys


def _asked_keys(query: Query) -> dict[str, int]:
    keys = {f"point {each}": 8 for each in query.emails + query.phones} | {
        f"local {each.partition('@')[0]}": 4 for each in query.emails
    }
    for name in map(written, query.names):
        for reading in readings(name):
            given = reading.given or ("",)
            found = {
                key for form in forms(given[0])
                for key in _keys((form, *given[1:]), reading.surname, reading.parts, query.postcodes, query.date_of_birth)
            }  # fmt: skip
            keys.update({key: 4 if key.startswith(("full", "home")) else 3 for key in found})
    return keys


def _keys(given: Sequence[str], surname: str, parts: Sequence[str], postcodes: Sequence[str], born: date | None) -> set[str]:
    first = given[0] if given else ""
    keys: set[str] = set()
    for each in {surname, *parts} - {""}:
        sound, bones = metaphone(each), skeleton(each)
        if len(first) > 1:
            keys |= {
                f"full {metaphone(first)} {sound}",
                f"bones {skeleton(first)} {bones}",
                f"letters {''.join(sorted(first + each))}",
            }
        elif first:
            keys.add(f"initial {first} {each}")
        if first:
            keys.add(f"initial {first[0]} {each}")
        for postcode in postcodes:
            keys |= {f"home {postcode} {sound}", f"area {postcode.partition(' ')[0]} {sound}"}
        if born:
            keys.add(f"born {born.isoformat()} {sound}")
    if first:
        keys |= {f"home {postcode} {first[0]}" for postcode in postcodes}
        if born:
            keys.add(f"born {born.isoformat()} {first[0]}")
    return keys
