"""How fast somebody is found in a register of a size: ``python -m tests.bench.register [PEOPLE]... [--engine sqlite|postgres] [--contacts N]``.

Of each register: how long the keys of its people take to be made and written, with what memory, and how large it is; then how long one
contact takes from query to match, 500 at once, and the counting of names. Up to 100,000 people Splink links the same contacts to them, by
rules and comparisons as near to ours as it comes with. The people are those by which matching is trained and measured, who bear names, share homes
and make mistakes as often as real ones. On a machine that others use, trust CPU time. All is kept in ``build/register.json``.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import pickle
import resource
import statistics as figures
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import Table, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.commands.trial import query_of
from ingest.database import Database, upgrade
from router.match import Query, match
from router.match.names import canonical_forename, canonical_surname
from router.register import MIGRATIONS
from router.register.index import build
from router.register.search import candidates
from router.register.statistics import counted
from router.register.tables import addresses, identifiers, individuals, key_versions
from tests.bench.splink_linking import linked
from tests.router.match import people
from tests.router.match.sets import candidate_of
from tests.servers.postgres import running_postgres

OUT: Final = Path("build/register.json")
_SEED: Final = 8_000
_PART: Final = 10_000  # people made at once
_CONTACTS: Final = 2_000
_BATCH: Final = 500
_TODAY: Final = date(2026, 3, 2)
_NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_SPLINKS: Final = 100_000  # the most people that Splink is given


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the table. Milliseconds and seconds of wall time, and beside them of CPU where it says so."""

    engine: str
    people: int
    keys_s: float
    keys_cpu_s: float
    peak_mb: float
    disk_mb: float
    one_p50_ms: float
    one_p99_ms: float
    one_cpu_ms: float
    batch_s: float
    batch_cpu_s: float
    names_ms: float
    candidates: float
    recall: float
    splink_one_ms: float | None = None
    splink_batch_s: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some people: rows of the register by table, and the cells that they and contacts were made of; who wrote each, if they are there."""

    rows: Mapping[str, list[dict[str, Any]]]
    register: list[people.Cells]
    contacts: list[tuple[people.Cells, str | None]]


def made(folder: Path, size: int, contacts: int, at: int) -> Path:
    """A part of the people, in a file: made where it is not there yet."""
    path = folder / f"people-{size}-{contacts}-{at}.pickle"
    if not path.exists():
        world = people.world(_SEED + at, size, contacts)
        ids = {number: f"P{at:04}{number:05}" for number in world.register}
        register = [{"person_id": ids[number], **cells} for number, cells in world.register.items()]
        written = [(each.cells, None if each.person is None else ids[each.person]) for each in world.contacts]
        path.write_bytes(pickle.dumps(Part(_rows(register), register, written)))
    return path


def _rows(register: Sequence[people.Cells]) -> dict[str, list[dict[str, Any]]]:
    """As an import would write them."""
    who, reached, lives = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for cells in register:
        one = candidate_of(cells["person_id"], cells)
        whose = {"individual_id": one.individual_id, "since": _NOW}
        named = {"given_name": one.given_name, "surname": one.surname, "date_of_birth": one.date_of_birth}
        canonical = {
            "canonical_surname": canonical_surname(one.surname),
            "canonical_forename": canonical_forename(one.given_name),
        }
        methods: dict[str, list[str]] = {"agreed_methods": [], "forbidden_methods": []}
        who.append({"id": one.individual_id, "imported_at": _NOW, **named, **canonical, **methods})
        for kind, points in (("email", one.emails), ("phone", one.phones)):
            reached.extend({**whose, "kind": kind, "canonical": each, "given": cells[kind]} for each in points)
        lines = [cells[column] for column in ("address_1", "address_2", "town") if cells[column]]
        if lines or cells["postcode"]:
            canonical_postcode = one.postcodes[0] if one.postcodes else None
            lives.append(
                {**whose, "lines": lines, "postcode": cells["postcode"] or None, "canonical_postcode": canonical_postcode}
            )
    return {individuals.name: who, identifiers.name: reached, addresses.name: lives}


def parts(folder: Path, number: int, contacts: int) -> Iterator[Part]:
    """So many people and contacts, part by part, made beside whoever asks."""
    size = min(number, _PART)
    many = max(1, number // size)
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        for path in pool.map(partial(made, folder, size, -(-contacts // many)), range(many)):
            yield pickle.loads(path.read_bytes())


async def _copied(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Rows into a table, so quickly that a million people are there in minutes."""
    if connection.dialect.name == "sqlite":
        await connection.execute(table.insert(), rows)
        return
    await connection.execute(text("SELECT 1"))  # so that the transaction has begun
    driver: Any = (await connection.get_raw_connection()).driver_connection
    plain = [[json.dumps(each) if isinstance(each, list) else each for each in row.values()] for row in rows]
    await driver.copy_records_to_table(table.name, records=plain, columns=list(rows[0]))


async def measure(engine: str, url: str, number: int, folder: Path, contacts: int) -> Found:
    """Everything about one register."""
    say = partial(print, f"{engine} {number:,}:", file=sys.stderr, flush=True)
    upgrade(url, [MIGRATIONS])
    database = Database(url)
    register, written = list[people.Cells](), list[tuple[people.Cells, str | None]]()
    began = time.perf_counter()
    try:
        async with database.read() as connection:
            there = await connection.scalar(select(individuals.c.id).limit(1)) is not None
        for part in parts(folder, number, contacts):
            written += part.contacts
            if number <= _SPLINKS:
                register += part.register
            if not there:
                async with database.write() as connection:
                    await connection.execute(delete(key_versions))
                    for table in (individuals, identifiers, addresses):
                        await _copied(connection, table, part.rows[table.name])
        say(f"people after {time.perf_counter() - began:.1f} s")
        Random(_SEED).shuffle(written)
        spent: list[float] = []

        @contextmanager
        def bar(about: str, _: int) -> Generator[Callable[[int], None]]:
            began = time.perf_counter()
            yield lambda _: None
            spent.append(time.perf_counter() - began)
            say(f"{about}: {spent[-1]:.1f} s")

        cpu = _cpu()
        await build(database, bar)
        cpu = _cpu() - cpu
        own, theirs = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        if engine == "postgres":
            async with database.read() as connection:
                await connection.execute(text("ANALYZE"))
        asked = [(query_of(cells), person) for cells, person in written[:contacts]]
        found = await _searched(database, asked)
        say(f"searched; one contact {found['one_p50_ms']:.2f} ms, p99 {found['one_p99_ms']:.2f} ms")
        if number <= _SPLINKS:
            one, many = linked(register, [cells for cells, _ in written[:_BATCH]])
            found |= {"splink_one_ms": one * 1e3, "splink_batch_s": many}
        peak = own + theirs * (os.cpu_count() or 1)
        return Found(engine, number, sum(spent), cpu, peak, await _disk(database, url), **found)
    finally:
        await database.close()


async def _searched(database: Database, asked: Sequence[tuple[Query, str | None]]) -> dict[str, float]:
    async with database.read() as connection:
        began = time.perf_counter()
        borne = await counted(connection)
        names = time.perf_counter() - began
    one, found = list[float](), 0
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
        many.append(time.perf_counter() - began)
        many_cpu.append(time.process_time() - cpu)
        in_all += sum(map(len, some))
    one.sort()
    return {
        "one_p50_ms": figures.median(one),
        "one_p99_ms": one[int(len(one) * 0.99)],
        "one_cpu_ms": one_cpu,
        "batch_s": figures.median(many),
        "batch_cpu_s": min(many_cpu),
        "names_ms": names * 1e3,
        "candidates": in_all / len(asked),
        "recall": found / max(1, sum(person is not None for _, person in asked)),
    }


def _cpu() -> float:
    """Of this process and of those it has ended."""
    own, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime


async def _disk(database: Database, url: str) -> float:
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6
    async with database.read() as connection:
        return (await connection.scalar(text("SELECT pg_database_size(current_database())")) or 0) / 1e6


def measured(engine: str, url: str, number: int, folder: Path, contacts: int) -> Found:
    """``measure`` in a process of its own, so that its memory is its own."""
    return asyncio.run(measure(engine, url, number, folder, contacts))


def table(found: Sequence[Found]) -> str:
    """As Markdown."""
    names = list(Found.__dataclass_fields__)
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(_cell(getattr(each, name)) for name in names) for each in found]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(value: str | float | None) -> str:
    match value:
        case float():
            return f"{value:,.2f}"
        case int():
            return f"{value:,}"
        case _:
            return value or ""


def main(given: Sequence[str] | None = None) -> list[Found]:
    """By the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.register", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--engine", action="append", choices=["sqlite", "postgres"])
    parser.add_argument("--contacts", type=int, default=_CONTACTS)
    parser.add_argument(
        "--folder", type=Path, help="where the registers are made, or are; a temporary one where it is not said"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="a JSON file for the figures")
    chosen = parser.parse_args(given)
    found: list[Found] = []
    fresh = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(TemporaryDirectory(prefix="bench-register-")))
        for number in chosen.people:
            for engine in chosen.engine or ["sqlite", "postgres"]:
                postgres = stack.enter_context(contextmanager(running_postgres)(durable=True)) if engine == "postgres" else None
                url = postgres.url(postgres.create()) if postgres else f"sqlite:///{folder}/register-{number}.db"
                with ProcessPoolExecutor(1, mp_context=fresh) as apart:
                    found.append(apart.submit(measured, engine, url, number, folder, chosen.contacts).result())
                print(table(found[-1:]), flush=True)
    print(table(found))
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n")
    return found


if __name__ == "__main__":
    main()
