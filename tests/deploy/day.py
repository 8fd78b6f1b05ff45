"""A day of whoever runs the service, as a page: what broke, which alert said so, and what they did by the operating notes alone.

Where to look and what to do are taken from the notes themselves: a command that does not stand there under the alert's name cannot be
run. What differs each time (ids, moments, ports, sizes) is written as one that does not.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.machine import Machine
from tests.servers.prometheus import Prometheus

ROOT: Final = Path(__file__).parents[2]
NOTES: Final = ROOT / "docs" / "operations.md"
RULES: Final = ROOT / "deploy" / "prometheus" / "alerts.yaml"
HURRY: Final = 200
"""How many times sooner a rule fires here, whose own times tests/deploy/test_alerts.py holds."""

_ENTRY = re.compile(
    r"^#### (\w+)\n\*\*What people feel\*\*: (.*?)\n\*\*Where to look\*\*: (.*?)\n\*\*What to do\*\*: (.*?)\n\n",
    re.DOTALL | re.MULTILINE,
)
_SEEN_MILLISECONDS: Final = 25_000
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OF_THEIR_OWN_PACE: Final = ("RouterAbsent", "RouterStuck")
"""Rules on what the service does every few seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the notes say of an alert."""

    feel: str
    look: str
    do: str


def entries(notes: str) -> dict[str, Entry]:
    """By the alert's name."""
    return {name: Entry(*(" ".join(each.split()) for each in said)) for name, *said in _ENTRY.findall(notes)}


def quoted(text: str) -> list[str]:
    """What stands in it between backticks."""
    return re.findall(r"`([^`]+)`", text)


def hurried(rules: str) -> str:
    """The rules, which wait for nothing and count in a two-hundredth of their time."""
    read: Any = yaml.safe_load(rules)
    for rule in (rule for group in read["groups"] for rule in group["rules"]):
        rule.pop("for", None)
        if rule.get("alert") not in _OF_THEIR_OWN_PACE:
            rule["expr"] = _sooner(rule["expr"])
    return yaml.safe_dump(read, width=10_000)


def _sooner(expression: str) -> str:
    # What was counted in a while is seen as long as a slow machine may take to look.
    least = _SEEN_MILLISECONDS if " offset " in expression else 0

    def span(found: re.Match[str]) -> str:
        return f"{found[1]}{max(least, int(found[2]) * _SECONDS[found[3]] * 1000 // HURRY)}ms"

    def limit(found: re.Match[str]) -> str:
        return f"> {prod(int(each) for each in found[1].split('*')) / HURRY}"

    expression = re.sub(r"(\[|offset )(\d+)([smhd])\b", span, expression)
    return re.sub(r"> (\d[\d *]{2,})(?=$| and)", limit, expression) if "time()" in expression else expression


@dataclass
class Day:
    """What happens on the machine, and the page that it becomes."""

    machine: Machine
    prometheus: Prometheus
    ports: dict[int, int]
    contacts: Callable[[], int]
    accepted: int = 0
    page: list[str] = field(default_factory=list[str])
    _alert: str = ""
    _fired: set[str] = field(default_factory=set[str])
    _known: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def chapter(self, alert: str, title: str, story: str) -> None:
        """Something breaks that an alert is there for, which does not fire yet."""
        until(lambda: alert not in self.prometheus.firing(), f"{alert} fires before anything broke")
        self._alert = alert
        self.page += ["", f"## {title}", story]

    def alarmed(self) -> None:
        """Wait for the alert."""
        until(lambda: self._alert in self.prometheus.firing(), lambda: f"{self._alert}: {self.prometheus.firing()}")
        said = re.sub(r"\d+ (?=faults)", "some ", _OF_THE_MOMENT.sub("some time", self.prometheus.firing()[self._alert]))
        self.page += ["", f"**{self._alert}** fires: {self._plain(said)}.", "", "Where the notes say to look:"]

    def look(self, command: str, *shows: str, **fills: str) -> str:
        """Run what the entry says under "Where to look", which shows the cause."""
        return self._run(command, "look", shows, fills)

    def acts(self, sentence: str = "What they say to do:") -> None:
        """From here on it is mended."""
        self.page += ["", sentence]

    def do(self, command: str, *shows: str, **fills: str) -> str:
        """Run what the entry says under "What to do"."""
        return self._run(command, "do", shows, fills)

    def over(self, sentence: str) -> None:
        """Everything that was accepted is in the register. The alert ends, now or before the day does."""
        until(lambda: self.contacts() >= self.accepted, lambda: f"{self.contacts()} of {self.accepted} are in the register")
        assert self.contacts() == self.accepted
        self._fired.add(self._alert)
        self.page += ["", sentence]

    def end(self) -> None:
        """No alert of the day fires any more."""
        until(lambda: self._fired.isdisjoint(self.prometheus.firing()), lambda: f"{self.prometheus.firing()} still")

    def show(self, command: str, *shows: str, status: int = 0) -> str:
        """Run a command that is in no entry, and show the lines that match."""
        ended, said = self.machine.run(command)
        assert ended == status, f"{command}: {ended}\n{said}"
        return self._shown(command, said, shows)

    def _run(self, template: str, where: str, shows: Iterable[str], fills: dict[str, str]) -> str:
        entry = entries(NOTES.read_text(encoding="utf-8"))[self._alert]
        assert template in quoted(getattr(entry, where)), f"{self._alert} does not say {template} under {where}"
        command = template
        for name, value in fills.items():
            assert name in template, f"{template} has no {name}"
            command = command.replace(name, value)
        _, said = self.machine.run(command)
        return self._shown(command, said, shows)

    def _shown(self, command: str, said: str, shows: Iterable[str]) -> str:
        lines = said.splitlines()
        first = [next((at for at, line in enumerate(lines) if re.search(each, line)), None) for each in shows]
        assert None not in first, f"{command} does not show all of {shows}:\n{said}"
        kept: list[str] = []
        for before, at in pairwise((None, *sorted(each for each in first if each is not None))):
            assert at is not None
            kept += [*(["…"] if before is not None and at > before + 1 else []), self._plain(lines[at])]
        if self.page[-1] == "```":
            self.page.pop()
        else:
            self.page += ["", "```"]
        self.page += [f"$ {self._plain(command)}", *kept, "```"]
        return said

    def _plain(self, text: str) -> str:
        """As it is written in the page: another run writes the same."""
        for port, usual in self.ports.items():
            text = re.sub(rf"\b{port}\b", str(usual), text)
        for what, written in _DIFFERS:
            text = what.sub(lambda found, written=written: self._as_known(found[0], written), text)
        return re.sub(r" {3,}", "  ", text.translate(_BARS)).strip(" |")

    def _as_known(self, found: str, written: str) -> str:
        """One of several gets a number, by when it was first seen."""
        if "{" not in written:
            return written
        same = self._known.setdefault(written, [])
        if found not in same:
            same.append(found)
        return written.format(same.index(found) + 1)


_BARS: Final = str.maketrans("│┃", "||")
_DIFFERS: Final = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "5e88…"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "{:08}-…"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b"), "{:08}"),
    (re.compile(r"\bCC-[0-9A-Z]{5}-[0-9A-Z]{5}\b"), "CC-{:05}-ABCDE"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\dZ"), "2026-11-27 18:04Z"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+(?:Z|\+00:00)"), "2026-11-27T18:04:00Z"),
    (re.compile(r"\b\d\d [A-Z][a-z]+ 20\d\d(?: \d\d:\d\d)?"), "27 November 2026"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-11-27 18:04 UTC"),
    (re.compile(r"[\d.,]+ GB\b"), "40 GB"),
    (re.compile(r'(?<="faults": )\d+'), "3"),
    (re.compile(r"\d+ entries under \d+ heads, and \d+ more"), "243 entries under 17 heads, and 0 more"),
    (re.compile(r"(?<=[│|] )\d{3,4}(?= +[│|])"), "1351"),
)
_OF_THE_MOMENT: Final = re.compile(r"\b\d[\d.]*(?:ms|s|m|h|d)(?: \d[\d.]*(?:ms|s|m|h))*\b")


def until(true: Callable[[], bool], otherwise: str | Callable[[], str], within: float = 90) -> None:
    """Wait for it."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, otherwise if isinstance(otherwise, str) else otherwise()
        time.sleep(0.1)
