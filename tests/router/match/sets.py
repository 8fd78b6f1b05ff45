"""A register and contacts as matching takes them, from rows of cells."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.commands.trial import query_of
from ingest.contract import as_date, canonical_email, canonical_phone, canonical_postcode
from router.match import Candidate, Query


@dataclass(frozen=True, slots=True)
class Asked:
    """One contact with the truth of it; ``person`` is blank where nobody of the register wrote."""

    contact: str
    query: Query
    person: str
    scenario: str


def candidate_of(person: str, cells: Mapping[str, str]) -> Candidate:
    """As the register holds a row."""
    line = ", ".join(filter(None, (_line(cells), cells["postcode"])))
    return Candidate(
        person,
        cells["given_name"] or None,
        cells["surname"] or None,
        as_date(cells["date_of_birth"]),
        tuple(filter(None, [canonical_email(cells["email"])])),
        tuple(filter(None, [canonical_phone(cells["phone"])])),
        tuple(filter(None, [canonical_postcode(cells["postcode"])])),
        (line,) if line else (),
    )


def _line(cells: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (cells["address_1"], cells["address_2"], cells["town"])))


def register_of(folder: Path) -> list[Candidate]:
    """A folder's register.csv."""
    return [candidate_of(row["person_id"], row) for row in _rows(folder / "register.csv")]


def contacts_of(folder: Path) -> list[Asked]:
    """A folder's contacts.csv with its truth.csv."""
    truth = {row["contact_id"]: row for row in _rows(folder / "truth.csv")}
    asked: list[Asked] = []
    for row in _rows(folder / "contacts.csv"):
        said = truth[row["contact_id"]]
        asked.append(Asked(row["contact_id"], query_of(row), said["person_id"], said["scenario"]))
    return asked


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as sheet:
        yield from csv.DictReader(sheet)
