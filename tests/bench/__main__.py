"""``make bench``: how fast it is, as ratios to a baseline of the same run: python -m tests.bench [CONTACTS].

Both sides take turns, and the median of the rounds counts: on a machine that others use, trust the ratios and not the figures.
"""

import asyncio
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from ingest.telemetry import write_lines
from tests.bench import embedded

OUT = Path("build/bench.json")
_ROUNDS = 3
_GOALS = {"embedded_vs_sqlite": 0.5}


def main(number: int) -> None:
    """Measure, print and write ``build/bench.json``."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        write_lines()
        sides = _measure(number)
    _report(number, sides)


def _measure(number: int) -> dict[str, list[embedded.Measured]]:
    sides: dict[str, list[embedded.Measured]] = {"router": [], "sqlite": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        fresh = Path(name) / "fresh"
        fresh.mkdir()
        asyncio.run(embedded.prepare(fresh, number))
        for turn in range(_ROUNDS):
            routed, ceiling = Path(name) / f"router-{turn}", Path(name) / f"sqlite-{turn}"
            shutil.copytree(fresh, routed)
            shutil.copytree(fresh, ceiling)
            sides["router"].append(asyncio.run(embedded.router(routed, number)))
            rows = embedded.written(fresh / "register.db", routed / "register.db")
            sides["sqlite"].append(embedded.plain(ceiling, number, rows))
            shutil.rmtree(routed)
            shutil.rmtree(ceiling)
    return sides


def _report(number: int, sides: dict[str, list[embedded.Measured]]) -> None:
    ratios = {
        "embedded_vs_sqlite": statistics.median(
            ours.contacts_a_second / theirs.contacts_a_second
            for ours, theirs in zip(sides["router"], sides["sqlite"], strict=True)
        )
    }
    for ratio, found in ratios.items():
        print(f"{ratio:24} {found:8.3f}   goal {_GOALS[ratio]}")
    for side, rounds in sides.items():
        rate = statistics.median(each.contacts_a_second for each in rounds)
        cost = statistics.median(each.cpu_us_a_contact for each in rounds)
        print(f"{side:24} {rate:8,.0f} contacts/s {cost:8,.0f} µs of CPU a contact")
    OUT.parent.mkdir(exist_ok=True)
    held = {**ratios, "contacts": number, "rounds": {side: [asdict(each) for each in some] for side, some in sides.items()}}
    OUT.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
