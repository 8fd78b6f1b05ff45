"""All sides in turn: round by round, so that what else the machine does falls on each alike. Ratios are medians over the rounds."""

import asyncio
import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.bench import embedded, scaled
from tests.bench.parts import parts
from tests.bench.rehearsal import written
from tests.bench.rows import Written, same

GOALS: Final = {"router_vs_plain": 0.5, "router_vs_faststream": 10.0, "router_vs_parts": 0.8, "embedded_vs_sqlite": 0.5}
_AGAINST: Final = {
    "router_vs_plain": ("router", "plain"),
    "router_vs_faststream": ("router", "faststream"),
    "router_vs_faststream_writing": ("router", "faststream_writing"),
    "router_vs_parts": ("router", "parts"),
    "embedded_vs_sqlite": ("embedded", "sqlite"),
}
_PARTS: Final = {"plain": 1, "faststream": 10, "faststream_writing": 10}
"""What part of the backlog each is given: one by one takes long."""

_SLACK: Final = 0.03

Measured = embedded.Measured | scaled.Measured


@dataclass(slots=True)
class Found:
    """What the rounds came to, by side; ``rows`` has for each other side what it wrote by table, and the router for the same contacts."""

    rounds: dict[str, list[Measured]] = field(default_factory=dict[str, list[Measured]])
    rows: dict[str, dict[str, Mapping[str, int]]] = field(default_factory=dict[str, dict[str, Mapping[str, int]]])

    def add(self, side: str, measured: Measured) -> None:
        """One more round of a side."""
        self.rounds.setdefault(side, []).append(measured)

    def latest(self, side: str) -> Any:
        """Its last round."""
        return self.rounds[side][-1]

    def ratios(self) -> dict[str, float]:
        """Those whose two sides were measured."""
        return {
            name: statistics.median(
                ours.contacts_a_second / theirs.contacts_a_second
                for ours, theirs in zip(self.rounds[one], self.rounds[other], strict=True)
            )
            for name, (one, other) in _AGAINST.items()
            if one in self.rounds and other in self.rounds
        }

    def by_cpu(self) -> dict[str, float]:
        """The same ratios by the CPU time of everything that took part: what others do on the machine spoils these least."""
        return {
            name: statistics.median(
                _cpu(theirs) / max(_cpu(ours), 1) for ours, theirs in zip(self.rounds[one], self.rounds[other], strict=True)
            )
            for name, (one, other) in _AGAINST.items()
            if one in self.rounds and other in self.rounds
        }

    def medians(self) -> dict[str, dict[str, float]]:
        """By side, each figure by its name."""
        return {side: _medians(some) for side, some in self.rounds.items()}


def _cpu(measured: Measured) -> float:
    return sum(value for name, value in asdict(measured).items() if name.endswith("us_a_contact"))


def _medians(some: Sequence[Any]) -> dict[str, float]:
    return {name: statistics.median(getattr(each, name) for each in some) for name in some[0].__dataclass_fields__}


def embedded_rounds(found: Found, folder: Path, number: int, turns: int) -> None:
    """The embedded router and SQLite's own ceiling."""
    fresh = folder / "fresh"
    fresh.mkdir()
    asyncio.run(embedded.prepare(fresh, number))
    for turn in range(turns):
        routed, ceiling = folder / f"embedded-{turn}", folder / f"sqlite-{turn}"
        shutil.copytree(fresh, routed)
        shutil.copytree(fresh, ceiling)
        found.add("embedded", asyncio.run(embedded.router(routed, number)))
        again = embedded.written(fresh / "register.db", routed / "register.db")
        found.add("sqlite", embedded.plain(ceiling, number, again))
        shutil.rmtree(routed)
        shutil.rmtree(ceiling)


def scaled_rounds(found: Found, place: scaled.Ground, turns: int) -> None:
    """The router's worker, its job one by one, and both that only write. Raises ValueError where one did not write what it did."""
    kept = place.folder / "rows"
    theirs: dict[str, Written] = {}
    for turn in range(turns):
        with place.register() as register:
            found.add("router", _measure(place, register, place.number, place.router(register)))
            if turn == 0:
                theirs["router"] = asyncio.run(written(register))
                theirs["router"].keep(kept)
        for side, part in _PARTS.items():
            with place.register() as register:
                one_by_one = side == "faststream"
                command = place.one_by_one(register) if one_by_one else place.writer(f"tests.bench.{side}", register, kept)
                found.add(side, _measure(place, register, max(1, place.number // part), command))
                if turn == 0:
                    theirs[side] = asyncio.run(written(register))
        with place.register() as register:
            found.add("parts", parts(place, register, found.latest("plain")))
    _compare(found, theirs)


def _compare(found: Found, theirs: dict[str, Written]) -> None:
    """Those that only write must have written the very same. Whoever decides for itself, as much: what it makes of a person's second
    contact follows from which of two partitions it takes first, and what contacts after its share held back is not in its register.
    """
    ours = theirs.pop("router")
    for side, each in theirs.items():
        wrote, router = each.counts(each.rows), ours.counts(each.rows)
        found.rows[side] = {"wrote": wrote, "router": router}
        decided = {name for name in router if name != "candidates"}  # of whom there are as many as were made before
        off = abs(sum(wrote.get(name, 0) - router[name] for name in decided))
        most = sum(router[name] for name in decided) * _SLACK
        if off > most if side == "faststream" else not same(each, ours, each.rows):
            raise ValueError(f"{side} did not write what the router wrote: {wrote}, {router}")


def service_rounds(found: Found, place: scaled.Ground) -> None:
    """For comparison, the router as it is run, with outbox, duties and pages: one process, and two."""
    for side, processes in (("service", 1), ("service_twice", 2)):
        with place.register() as register:
            commands = [place.service(register) for _ in range(processes)]
            found.add(side, _measure(place, register, place.number, *commands))


def _measure(place: scaled.Ground, register: str, number: int, *commands: Sequence[str]) -> scaled.Measured:
    return asyncio.run(scaled.measure(place, register, number, *commands))
