"""How fast somebody is found in a register of a size: ``python -m tests.bench.register [PEOPLE]... [--engine sqlite|postgres] [--batches N]``.

Of each register: how long its people take to be taken in and their keys to be made and written, with what memory, and how large it is;
then how long one contact takes from query to match, 500 at once, and the counting of names. On a machine that others use, trust CPU time.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import resource
import statistics as figures
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import select, text

from ingest.contract import canonical_email, canonical_phone
from ingest.database import Database, upgrade
from router.match import Query, match
from router.register import MIGRATIONS
from router.register.index import build
from router.register.intake import OPTIONAL, REQUIRED, opened, take_in
from router.register.search import candidates
from router.register.statistics import counted
from router.register.tables import individuals
from tests.servers.postgres import running_postgres

_SEED: Final = 8
_CONTACTS: Final = 2_000
_BATCH: Final = 500
_TODAY: Final = date(2026, 3, 2)
_STREETS: Final = ("Quarry", "Mill", "Church", "Station", "Canal", "Victoria", "Albert", "Park", "Chapel", "Orchard", "Bridge")
_KINDS: Final = ("Road", "Street", "Lane", "Close", "Avenue", "Drive", "Way")
_TOWNS: Final = ("Alderwick", "Marlbridge", "Harrow Vale", "Wexcombe", "Stonleigh", "Easterby", "Carrow", "Penmoor", "Ashcombe")
_SYLLABLES: Final = ("ba", "ren", "dun", "mor", "ley", "ton", "har", "wick", "cole", "pet", "ash", "field", "gra", "son", "ker")


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the table. Milliseconds and seconds of wall time, and beside them of CPU where it says so."""

    engine: str
    people: int
    taken_in_s: float
    taken_in_cpu_s: float
    keys_s: float
    keys_cpu_s: float
    peak_mb: float
    disk_mb: float
    one_p50_ms: float
    one_p99_ms: float
    one_cpu_ms: float
    batch_ms: float
    batch_cpu_ms: float
    names_ms: float
    candidates: float
    recall: float


def people(number: int) -> Iterator[dict[str, str]]:
    """Invented people, whose names are borne unevenly, as names are."""
    dice = random.Random(_SEED)
    surnames = ["".join(dice.choices(_SYLLABLES, k=dice.choice((2, 2, 3)))).title() for _ in range(20_000)]
    forenames = ["".join(dice.choices(_SYLLABLES, k=2)).title() for _ in range(1_000)]
    for each in range(number):
        surname = surnames[int(len(surnames) * dice.random() ** 4)]
        forename = forenames[int(len(forenames) * dice.random() ** 3)]
        born = date(1930, 1, 1) + timedelta(days=dice.randrange(28_000))
        area = dice.choice("BDEGLMNSW") + dice.choice("ABDELNRSTW")
        postcode = f"{area}{dice.randrange(1, 30)} {dice.randrange(10)}{dice.choice('ABDEFGHJLN')}{dice.choice('ABDEFGHJLN')}"
        yield {
            "person_id": f"P{each:08}",
            "given_name": forename,
            "surname": surname,
            "date_of_birth": born.isoformat() if dice.random() < 0.6 else "",
            "address_1": f"{dice.randrange(1, 180)} {dice.choice(_STREETS)} {dice.choice(_KINDS)}",
            "address_2": "",
            "town": dice.choice(_TOWNS),
            "postcode": postcode,
            "email": f"{forename}.{surname}{dice.randrange(1000)}@example.org".lower() if dice.random() < 0.6 else "",
            "phone": f"07700 {dice.randrange(1_000_000):06}" if dice.random() < 0.7 else "",
        }


def queries(number: int, contacts: int) -> list[tuple[Query, str | None]]:
    """Contacts with some of what is held of somebody, now and then misspelt, and who wrote them; two in five from nobody there."""
    dice = random.Random(_SEED + 1)
    wanted = set(dice.sample(range(number), min(contacts, number)))
    asked: list[tuple[Query, str | None]] = []
    for place, row in enumerate(people(number)):
        if place not in wanted:
            continue
        name = f"{row['given_name']} {row['surname']}"
        if dice.random() < 0.15:
            cut = dice.randrange(1, len(name) - 1)
            name = name[:cut] + name[cut + 1 :]
        known = dice.random() < 0.6
        email, phone = canonical_email(row["email"]), canonical_phone(row["phone"])
        born = date.fromisoformat(row["date_of_birth"]) if row["date_of_birth"] and dice.random() < 0.4 else None
        asked.append(
            (
                Query(
                    names=(name,) if known else (f"{row['surname']} {row['given_name']}",),
                    date_of_birth=born if known else None,
                    emails=(email,) if email and known and dice.random() < 0.5 else (),
                    phones=(phone,) if phone and known and dice.random() < 0.5 else (),
                    postcodes=(row["postcode"],) if known and dice.random() < 0.5 else (),
                    address=f"{row['address_1']}, {row['town']}" if known and dice.random() < 0.5 else None,
                ),
                row["person_id"] if known else None,
            )
        )
    dice.shuffle(asked)
    return asked


async def measure(engine: str, url: str, number: int, folder: Path, contacts: int) -> Found:
    """Everything about one register."""
    path = folder / f"people-{number}.csv"
    if not path.exists():
        with path.open("w", encoding="utf-8", newline="") as sheet:
            writer = csv.DictWriter(sheet, REQUIRED["individuals"])
            writer.writeheader()
            writer.writerows(people(number))
    upgrade(url, [MIGRATIONS])
    database = Database(url)
    try:
        spent: dict[str, tuple[float, float]] = {}

        @contextmanager
        def bar(about: str, _: int) -> Generator[Callable[[int], None]]:
            began, cpu = time.perf_counter(), _cpu()
            yield lambda _: None
            spent[about] = time.perf_counter() - began, _cpu() - cpu
            print(f"{engine} {number:,}: {about}: {spent[about]}", file=sys.stderr, flush=True)

        source = opened(path, REQUIRED["individuals"], OPTIONAL["individuals"])
        async with database.read() as connection:
            there = await connection.scalar(select(individuals.c.id).limit(1))
        if there is None:
            await take_in(database, "individuals", source, lambda: datetime(2026, 3, 2, tzinfo=UTC), bar)
        else:
            await build(database, bar)
        keys = [name for name in spent if name.endswith("keys")]
        own, theirs = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        peak = own + theirs * (os.cpu_count() or 1)
        asked = queries(number, contacts)
        async with database.read() as connection:
            began = time.perf_counter()
            borne = await counted(connection)
            names = time.perf_counter() - began
        one, found = [], 0
        began_cpu = time.process_time()
        for query, person in asked:
            began = time.perf_counter()
            async with database.read() as connection:
                (some,) = await candidates(connection, [query], _TODAY)
            match(query, some, borne)
            one.append((time.perf_counter() - began) * 1e3)
            found += person is not None and any(each.individual_id == person for each in some)
        one_cpu = (time.process_time() - began_cpu) / len(asked) * 1e3
        many, many_cpu, in_all = list[float](), list[float](), 0
        for at in range(0, len(asked), _BATCH):
            began, cpu = time.perf_counter(), time.process_time()
            async with database.read() as connection:
                some = await candidates(connection, [query for query, _ in asked[at : at + _BATCH]], _TODAY)
            for (query, _), each in zip(asked[at : at + _BATCH], some, strict=True):
                match(query, each, borne)
            many.append((time.perf_counter() - began) * 1e3)
            many_cpu.append((time.process_time() - cpu) * 1e3)
            in_all += sum(map(len, some))
        one.sort()
        known = sum(person is not None for _, person in asked)
        return Found(
            engine,
            number,
            *spent.get("Taking in individuals", (0.0, 0.0)),
            sum(spent[name][0] for name in keys),
            sum(spent[name][1] for name in keys),
            peak,
            await _disk(database, url),
            figures.median(one),
            one[int(len(one) * 0.99)],
            one_cpu,
            figures.median(many),
            min(many_cpu),
            names * 1e3,
            in_all / len(asked),
            found / known,
        )
    finally:
        await database.close()


def _cpu() -> float:
    """Of this process and of those it has ended."""
    own, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


async def _disk(database: Database, url: str) -> float:
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6
    async with database.read() as connection:
        return (await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 1e6


def table(found: Sequence[Found]) -> str:
    """As Markdown."""
    names = list(Found.__dataclass_fields__)
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    for each in found:
        cells = (getattr(each, name) for name in names)
        lines.append(
            " | ".join(
                f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell for cell in cells
            )
        )
    return "\n".join(f"| {line} |" for line in lines)


def main(given: Sequence[str] | None = None) -> list[Found]:
    """By the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.register", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres"])
    parser.add_argument("--contacts", type=int, default=_CONTACTS)
    parser.add_argument(
        "--folder", type=Path, help="where the registers are made, or are; a temporary one where it is not said"
    )
    parser.add_argument("--out", type=Path, help="a JSON file for the figures")
    chosen = parser.parse_args(given)
    found: list[Found] = []
    with ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(TemporaryDirectory(prefix="bench-register-")))
        for engine in chosen.engine or ["sqlite", "postgres"]:
            postgres = stack.enter_context(contextmanager(running_postgres)(durable=True)) if engine == "postgres" else None
            for number in chosen.people:
                url = postgres.url(postgres.create()) if postgres else f"sqlite:///{folder}/register-{number}.db"
                found.append(asyncio.run(measure(engine, url, number, folder, chosen.contacts)))
                print(table(found[-1:]), flush=True)
    print(table(found))
    if chosen.out:
        chosen.out.write_text(
            json.dumps([{name: getattr(each, name) for name in Found.__dataclass_fields__} for each in found], indent=2)
        )
    return found


if __name__ == "__main__":
    main()
