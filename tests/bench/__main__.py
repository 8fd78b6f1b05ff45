"""``make bench``: how fast it is, as ratios to baselines of the same run: python -m tests.bench [CONTACTS].

With ``--drain`` a long backlog instead, with ``--doors`` what the public port takes in, with ``--outage`` what becomes of contacts while Kafka
is away, with ``--profile`` where the router's time goes. All is kept in ``build/bench.json``; each run
replaces its own figures there. On a machine that others use, trust the ratios and the CPU time, not the rates.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from ingest.telemetry import write_lines
from tests.bench import doors, drain, outage, sampling, scaled
from tests.bench.ratios import GOALS, Found, embedded_rounds, scaled_rounds, service_rounds

OUT: Final = Path("build/bench.json")
REGISTER: Final = 100_000


def compare(number: int, turns: int, out: Path = OUT, *, service: bool = True, individuals: int = REGISTER) -> None:
    """Every side in turn, and once the whole service; the ratios first. The register on PostgreSQL has so many people or more."""
    found = Found()
    with _folder() as folder:
        embedded_rounds(found, folder, number, turns)
        with contextlib.suppress(_Missing), _ground(folder, number, individuals) as place:
            scaled_rounds(found, place, turns)
            if service:
                service_rounds(found, place)
    by_cpu = found.by_cpu()
    for name, ratio in found.ratios().items():
        goal = f"goal {GOALS[name]}" if name in GOALS else ""
        print(f"{name:30}{ratio:8.2f}   {goal:10}by CPU time {by_cpu[name]:6.2f}")
    print(f"\n{'':22}{'contacts/s':>12}{'CPU µs a contact: its own':>28}{'PostgreSQL':>12}{'Kafka':>8}")
    for side, each in found.medians().items():
        servers = (f"{each[name]:,.0f}" if name in each else "" for name in ("postgres_us_a_contact", "kafka_us_a_contact"))
        print(
            f"{side:22}{each['contacts_a_second']:12,.0f}{each['cpu_us_a_contact']:28,.0f}{next(servers):>12}{next(servers):>8}"
        )
    _keep(
        {
            **found.ratios(),
            "by_cpu": by_cpu,
            "contacts": number,
            "sides": found.medians(),
            "rounds": {side: [asdict(each) for each in some] for side, some in found.rounds.items()},
            "rows": found.rows,
        },
        out,
    )
    if not found.ratios().keys() >= GOALS.keys():
        sys.exit(1)


def drained(number: int) -> None:
    """The table as it grows, and the verdict."""
    with _folder() as folder, _ground(folder, number) as place:
        print(f"{'settled':>9}{'contacts/s':>12}{'CPU µs':>9}{'PostgreSQL µs':>15}{'resident MB':>13}{'lag':>9}{'outbox':>9}")
        found = drain.verdict(asyncio.run(drain.drain(place, _tell)))
    for what, ratio in (("memory", found["drain_memory_ratio"]), ("rate", found["drain_rate_ratio"])):
        flat = "flat" if found[f"drain_{what}_is_flat"] else "NOT flat"
        print(f"{what} is {flat}: the last quarter is {ratio:.2f} of the second")
    _keep(found)


def _tell(step: drain.Step) -> None:
    print(
        f"{step.settled:9,}{step.contacts_a_second:12,.0f}{step.cpu_us_a_contact:9,.0f}{step.postgres_us_a_contact:15,.0f}{step.resident_mb:13,.0f}"
        f"{step.lag:9,}{step.outbox:9,}",
        flush=True,
    )


def profiled(number: int) -> None:
    """Rooms, and our functions, by their share of the worker's CPU time."""
    with _folder() as folder, _ground(folder, number) as place, place.register() as register:
        left = folder / "profile.json"
        measured = asyncio.run(scaled.measure(place, register, number, place.router(register, left), begin=sampling.BEGIN))
        shares = json.loads(left.read_text(encoding="utf-8"))
    for kind in ("rooms", "functions"):
        for name, share in shares[kind].items():
            print(f"{share:8.1%}{share * measured.cpu_us_a_contact:8,.0f} µs a contact   {name}")
        print()
    _keep({"profile": {**shares, "cpu_us_a_contact": measured.cpu_us_a_contact}})


def away(seconds: int) -> None:
    """What became of contacts while Kafka was away for so long; the end where it fell short."""
    with _folder() as folder, _skipping():
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that nobody listens is no news
        found = outage.outage(folder, seconds)
    for name, figure in found.items():
        print(f"{name:24}{figure}")
    _keep({f"outage_{seconds}": found})
    if short := outage.verdict(found):
        sys.exit("; ".join(short))


def doors_measured(number: int, turns: int) -> None:
    """Ratios to an empty 200 first, then rates and times."""
    with _folder() as folder:
        try:
            sides, wrong = doors.measured(folder, number, turns)
        except pytest.skip.Exception as missing:
            print(missing.msg, file=sys.stderr)
            raise _Missing from missing
    found = doors.verdict(sides)
    for name, ratio in found.items():
        if name.endswith("_vs_empty"):
            print(f"{name:30}{ratio:8.2f}   goal {doors.GOAL}")
    print(f"\n{'':30}{'a second':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for side, each in found["sides"].items():
        print(f"{side:30}{each['a_second']:10,.0f}{each['p50_ms']:10.1f}{each['p99_ms']:10.1f}")
    _keep({"doors": found})
    for each in wrong:
        print(each, file=sys.stderr)
    if wrong:
        sys.exit(1)


class _Missing(Exception):
    """A server is not installed; it has been said which."""


@contextlib.contextmanager
def _ground(folder: Path, number: int, individuals: int = 0) -> Generator[scaled.Ground]:
    with _skipping(), scaled.ground(folder, number, individuals) as place:
        yield place


@contextlib.contextmanager
def _skipping() -> Generator[None]:
    try:
        yield
    except pytest.skip.Exception as missing:
        print(missing.msg, file=sys.stderr)
        raise _Missing from missing


@contextlib.contextmanager
def _folder() -> Generator[Path]:
    """For everything that is written, with our own diagnostics kept quiet."""
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, tempfile.TemporaryDirectory(prefix="bench-") as name:
        write_lines(nowhere)
        yield Path(name)


def _keep(found: Mapping[str, Any], out: Path = OUT) -> None:
    """Beside what other runs have found."""
    out.parent.mkdir(exist_ok=True)
    before = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    out.write_text(json.dumps({**before, **found, "machine": machine}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """By the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="How fast it is.")
    parser.add_argument("contacts", nargs="?", type=int, default=3_000, help="how many, for ratios and profile")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn")
    parser.add_argument("--drain", type=int, metavar="N", help="drain so many, and say whether rate and memory are flat")
    parser.add_argument("--outage", type=int, metavar="SECONDS", help="stop Kafka for so long, and say what became of contacts")
    parser.add_argument(
        "--doors", type=int, metavar="N", help="have the public port take in so many, and a tenth of it as forms"
    )
    parser.add_argument("--profile", action="store_true", help="say where the router's time goes")
    chosen = parser.parse_args()
    try:
        if chosen.drain:
            drained(chosen.drain)
        elif chosen.outage:
            away(chosen.outage)
        elif chosen.doors:
            doors_measured(chosen.doors, chosen.rounds)
        elif chosen.profile:
            profiled(chosen.contacts)
        else:
            compare(chosen.contacts, chosen.rounds)
    except _Missing:
        sys.exit(1)


if __name__ == "__main__":
    main()
