"""Other people's open sets as matching measures them: ``python tests/router/match/others.py FOLDER OUT`` makes a folder of OUT for each.

FOLDER has what https://github.com/moj-analytical-services/splink_datasets (MIT) keeps under ``data``: fake_1000.csv, febrl/dataset4a.csv
and 4b, historical_figures_with_errors_50k.parquet. Each cluster's first record is held in the register and its others write; of four
clusters in ten, drawn by a seed, none is held. What a register would refuse (an impossible date or email) is left out.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, Final

from people import COLUMNS
from pyarrow import parquet

from ingest.contract import as_date, canonical_email

SEED: Final = 7
ABSENT: Final = 0.4
_TODAY: Final = date(2026, 11, 29)

Record = tuple[str, Mapping[str, Any]]
"""Whose it is, and its cells by our columns."""


def fake_1000(folder: Path) -> Iterator[Record]:
    """Invented people: name, birth date, town, email."""
    for row in _sheet(folder / "fake_1000.csv"):
        cells = {"given_name": row["first_name"], "surname": row["surname"], "town": row["city"], "email": row["email"]}
        yield row["cluster"], cells | {"date_of_birth": row["dob"]}


def febrl4(folder: Path) -> Iterator[Record]:
    """Invented Australians, without their social security numbers."""
    for name in ("dataset4a.csv", "dataset4b.csv"):
        for row in _sheet(folder / "febrl" / name):
            cells = {key.strip(): value.strip() for key, value in row.items()}
            street = f"{cells['street_number']} {cells['address_1']}"
            same = {key: cells[key] for key in ("given_name", "surname", "address_2", "postcode", "date_of_birth")}
            yield cells["rec_id"].split("-")[1], same | {"address_1": street, "town": cells["suburb"]}


def historical_50k(folder: Path) -> Iterator[Record]:
    """People of history with errors made: name, birth date, place, an invented postcode."""
    for row in parquet.read_table(folder / "historical_figures_with_errors_50k.parquet").to_pylist():
        cells = {"given_name": row["first_name"], "surname": row["surname"], "date_of_birth": row["dob"]}
        yield row["cluster"], cells | {"town": row["birth_place"], "postcode": row["postcode_fake"]}


def _sheet(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as sheet:
        yield from csv.DictReader(sheet)


def _taken(cells: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(cells.get(name) or "").strip() for name in COLUMNS}
    born = as_date(found["date_of_birth"])
    found["date_of_birth"] = str(born) if born and born <= _TODAY else ""
    return found if canonical_email(found["email"]) else {**found, "email": ""}


def divide(records: Iterable[Record], out: Path) -> None:
    """Write register.csv, contacts.csv and truth.csv."""
    clusters: dict[str, list[dict[str, str]]] = defaultdict(list)
    for whose, cells in records:
        clusters[whose].append(_taken(cells))
    absent = set(Random(SEED).sample(sorted(clusters), int(ABSENT * len(clusters))))
    out.mkdir(parents=True, exist_ok=True)
    with (
        (out / "register.csv").open("w", encoding="utf-8", newline="") as held,
        (out / "contacts.csv").open("w", encoding="utf-8", newline="") as written,
        (out / "truth.csv").open("w", encoding="utf-8", newline="") as truths,
    ):
        register, contacts, truth = csv.writer(held), csv.writer(written), csv.writer(truths)
        register.writerow(("person_id", *COLUMNS))
        contacts.writerow(("contact_id", *COLUMNS))
        truth.writerow(("contact_id", "person_id", "scenario"))
        for whose, theirs in sorted(clusters.items()):
            known = whose not in absent
            if known:
                register.writerow((whose, *theirs[0].values()))
            for number, cells in enumerate(theirs[known:], int(known)):
                contacts.writerow((f"{whose}-{number}", *cells.values()))
                truth.writerow((f"{whose}-{number}", whose if known else "", "in" if known else "out_stranger"))


def main() -> None:
    """Make all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    for records in (fake_1000, febrl4, historical_50k):
        divide(records(given.folder), given.out / records.__name__)


if __name__ == "__main__":
    main()
