"""Breaks what decides and reads in every small way, one at a time, and tells how many of them a test noticed: ``make mutants``.

mutmut makes the mutants, those of a function side by side. They are tried here, since to begin pytest anew for each takes a second
and one that nothing notices would run every test that reaches it. Every test runs once with the calls of those functions written
down. A mutant is then asked what its function was asked, in a process of its own, and only tests for which it answers otherwise are
run, the quickest first, until one fails. So whatever is noticed has failed a test; what answers every call as the function does
counts as not noticed, without one.

Exit status 1 where a file has less than 85 in a hundred (or none was tried): its tests hold less than they seem to.
"""
# pyright: reportMissingImports=false
# mutmut is in a group of its own.

import argparse
import contextlib
import gc
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import wraps
from itertools import islice
from math import sqrt
from pathlib import Path
from random import Random
from types import GeneratorType
from typing import Any, Final, Literal, NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from mutmut.configuration import config

_WANTED: Final = 0.85
_PLACE: Final = Path("mutants")
_LONGEST: Final = 5.0  # seconds of CPU that one call or one test may take: none of those that are run takes one
_ROOM: Final = 1 << 30  # bytes that a mutant may ask for: some never stop asking
_SEED: Final = 7  # of a sample

_NOTICED: Final = 0  # exit status of a mutant's process
_UNNOTICED: Final = 1


class Outcome(NamedTuple):
    """What came of a call; what is yielded as a list."""

    how: Literal["returned", "yielded", "raised"]
    what: Any


class Call(NamedTuple):
    """What a function was asked, what came of it, and in which tests."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outcome: Outcome
    tests: list[pytest.Item]


class Function:
    """A function that has mutants, what it is asked, and by which tests; those that take less CPU stand first."""

    def __init__(self, mutants: dict[str, Callable[..., Any]]) -> None:
        self.mutants = mutants
        self.calls: list[Call] = []
        self.not_repeatable: list[pytest.Item] = []  # tests that ask what cannot be asked again

    def write_down(self, running: Callable[[], pytest.Item]) -> Callable[[Mapping[pytest.Item, float]], None]:
        """Every call from now on, until what is returned is called with what each test took."""
        original = self.mutants["_mutmut_orig"]
        calls: dict[object, tuple[Call, set[pytest.Item]]] = {}
        not_repeatable: set[pytest.Item] = set()

        @wraps(original)
        def written(*args: Any, **kwargs: Any) -> Any:
            outcome = _outcome(original, args, kwargs)
            if all(map(_is_a_value, (*args, *kwargs.values()))):
                calls.setdefault(_key(args, kwargs), (Call(args, kwargs, outcome, []), set()))[1].add(running())
            else:
                not_repeatable.add(running())
            if outcome.how == "raised":
                raise outcome.what
            return iter(outcome.what) if outcome.how == "yielded" else outcome.what

        def end(cost: Mapping[pytest.Item, float]) -> None:
            self.mutants["_mutmut_orig"] = original
            if all(call.outcome == Outcome("returned", None) for call, _ in calls.values()):  # it is asked for what it does
                not_repeatable.update(*(tests for _, tests in calls.values()))
                calls.clear()
            self.not_repeatable = sorted(not_repeatable, key=cost.__getitem__)
            known = (call._replace(tests=sorted(tests, key=cost.__getitem__)) for call, tests in calls.values())
            self.calls = sorted(known, key=lambda call: cost[call.tests[0]])

        self.mutants["_mutmut_orig"] = written
        return end

    def tests_that_differ(self, name: str) -> Iterator[pytest.Item]:
        """The tests in which the mutant answers otherwise, and those in which nobody can tell; some of them twice."""
        for call in self.calls:
            _limit()
            if not _same(_outcome(self.mutants[name], call.args, call.kwargs), call.outcome):
                yield from call.tests
        yield from self.not_repeatable


class Trials:
    """What pytest does in place of running its tests."""

    def __init__(self, wanted: Sequence[str], at_once: int, most: int | None) -> None:
        self.wanted = wanted
        self.at_once = at_once
        self.most = most
        self.short = True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every test once, then every mutant against those that it may fail."""
        began = time.process_time()
        functions = {name: Function(mutants) for name, mutants in _with_mutants()}
        _run(session.items, functions.values())
        calls = sum(len(function.calls) for function in functions.values())
        _say(f"{len(session.items)} tests make {calls:,} calls in {time.process_time() - began:.0f} s of CPU.")
        gc.freeze()
        rows: list[Row] = []
        for file, names in _files(self.wanted):
            if not rows:
                print("| " + " | ".join(_HEADS) + " |\n| --- |" + " ---: |" * len(_HEADS[1:]))
            rows.append(self._row(file, names, functions))
            print(rows[-1], flush=True)
        spent = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        _say(f"{sum(each.ru_utime + each.ru_stime for each in spent) / 60:.1f} minutes of CPU.")
        self.short = not rows or any(row.share < _WANTED for row in rows)
        return True

    def _row(self, file: str, names: Sequence[str], functions: Mapping[str, Function]) -> "Row":
        """Try the mutants of a file, and name those that nothing noticed as they are found."""
        unnoticed = without_end = 0
        chosen = names if self.most is None or self.most >= len(names) else Random(_SEED).sample(names, self.most)
        tried = _forked(chosen, lambda name: _is_noticed(name, functions), self.at_once)
        for number, (name, status) in enumerate(tried, 1):
            if status != _NOTICED:
                ended = status == _UNNOTICED
                unnoticed, without_end = unnoticed + ended, without_end + (not ended)
                _say(f"    {name}{'' if ended else ' does not end'}")
            if number % 100 == 0:
                _say(f"{file}: {number:,} of {len(chosen):,}")
        return Row(file, len(names), len(chosen), len(chosen) - unnoticed - without_end, unnoticed, without_end)


class Row(NamedTuple):
    """What became of the mutants of a file."""

    file: str
    mutants: int
    tried: int
    noticed: int
    unnoticed: int
    without_end: int

    @property
    def share(self) -> float:
        """Of what was noticed: what does not end is not."""
        return self.noticed / self.tried

    @property
    def at_least(self) -> float:
        """The share of all of them, as far as those tell that were tried: wrong one time in twenty (Wilson 1927)."""
        if self.tried == self.mutants:
            return self.share
        number, z = self.tried * (self.mutants - 1) / (self.mutants - self.tried), 1.645
        middle, half = (
            self.share + z**2 / (2 * number),
            z * sqrt(self.share * (1 - self.share) / number + (z / number) ** 2 / 4),
        )
        return (middle - half) / (1 + z**2 / number)

    def __str__(self) -> str:
        counts = " | ".join(f"{count:,}" for count in self[1:])
        return f"| {self.file} | {counts} | {self.share:.1%} | {self.at_least:.1%} |"


_HEADS: Final = ("File", "Mutants", "Tried", "Noticed", "Not noticed", "Without end", "Share", "At least")


def _say(line: str) -> None:
    """How far it is, beside the table that is its output."""
    print(line, file=sys.stderr, flush=True)


def _files(wanted: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each file that has mutants of such names, with the names."""
    for meta in sorted(Path().rglob("*.py.meta")):
        names: Iterable[str] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if tried := [name for name in names if not wanted or any(fnmatch(name, each) for each in wanted)]:
            yield str(meta.with_suffix("")), tried


def _with_mutants() -> Iterator[tuple[str, dict[str, Callable[..., Any]]]]:
    """Each function that has some, by its name, with them by theirs."""
    for module in tuple(sys.modules):
        if module.startswith("router."):
            for name, each in vars(sys.modules[module]).items():
                if name.startswith("mutants_x") and "_mutmut_orig" in each:
                    yield f"{module}.{name.removeprefix('mutants_').removesuffix('__mutmut')}", each


def _run(items: Sequence[pytest.Item], functions: Iterable[Function]) -> None:
    """The tests as they are, the calls they make written down."""
    cost: dict[pytest.Item, float] = {}
    running = items[0]
    ends = [function.write_down(lambda: running) for function in functions]
    for running, following in zip(items, (*items[1:], None), strict=True):
        began = time.process_time()
        if _fails(running, following):
            pytest.exit(f"{running.nodeid} fails before anything is broken.", returncode=1)
        cost[running] = time.process_time() - began
    for end in ends:
        end(cost)


def _forked(names: Sequence[str], noticed: Callable[[str], bool], at_once: int) -> Iterator[tuple[str, int]]:
    """Each mutant in a process of its own, and what that said in the end."""
    waiting, running = iter(names), dict[int, str]()
    while True:
        for name in islice(waiting, at_once - len(running)):
            if process := os.fork():
                running[process] = name
                continue
            status = _UNNOTICED
            try:
                status = _NOTICED if noticed(name) else _UNNOTICED
            finally:
                os._exit(status)
        if not running:
            return
        process, ended = os.wait()
        yield running.pop(process), os.waitstatus_to_exitcode(ended)


def _is_noticed(name: str, functions: Mapping[str, Function]) -> bool:
    function = functions.get(name.rpartition("__mutmut_")[0])
    if not function:
        return False
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ROOM, used + _ROOM))
    os.environ["MUTANT_UNDER_TEST"] = name
    done: set[pytest.Item] = set()
    for test in function.tests_that_differ(name.rpartition(".")[2]):
        if test not in done:
            done.add(test)
            _limit()
            if _fails(test):
                return True
    return False


def _limit() -> None:
    """From now on the process has so much CPU, or it ends by a signal."""
    signal.setitimer(signal.ITIMER_PROF, _LONGEST)


def _fails(item: pytest.Item, following: pytest.Item | None = None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Outcome:
    try:
        given = function(*args, **kwargs)
        return Outcome("yielded", list(given)) if isinstance(given, GeneratorType) else Outcome("returned", given)
    except Exception as error:  # noqa: BLE001 - what a mutant raises may be anything
        return Outcome("raised", error)


def _same(one: Outcome, other: Outcome) -> bool:
    if one.how == other.how == "raised":
        return type(one.what) is type(other.what) and one.what.args == other.what.args
    return one == other


def _is_a_value(given: object) -> bool:
    """Whether it is as it was when it is asked for again: a generator is not, nor what methods may change."""
    return type(given).__hash__ is not object.__hash__ or callable(given)


def _key(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
    """By which a call is known from others: its values or, where they have no hash, which things they are."""
    key = (args, tuple(sorted(kwargs.items())))
    try:
        hash(key)
    except TypeError:
        return (*map(id, args), *((name, id(each)) for name, each in key[1]))
    return key


def _make(at_once: int) -> None:
    """The mutants, in a copy of the project."""
    from mutmut import __main__ as mutmut
    from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir

    shutil.rmtree(_PLACE, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()):
        copy_src_dir()
        copy_also_copy_files()
        mutmut.create_mutants(at_once)


def main() -> int:
    """Make the mutants, and try them beside the tests that were copied with them."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wanted", nargs="*", metavar="NAME", help="mutants to try, as router.decide.* (all)")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="how many are tried at a time (%(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="of a file that has more, try N of them, always the same (all)")
    parser.add_argument("--made", action="store_true", help="they are made, and this is run where they are")
    asked = parser.parse_args()
    if not asked.made:
        _make(asked.at_once)
        return subprocess.run([sys.executable, "-m", "tests.mutants", "--made", *sys.argv[1:]], cwd=_PLACE).returncode
    trials = Trials(asked.wanted, asked.at_once, asked.sample)
    chosen = [*config().pytest_add_cli_args, *config().pytest_add_cli_args_test_selection]
    ended = pytest.main(["-q", "--rootdir=.", *chosen], plugins=[trials])
    return int(ended) or int(trials.short)


if __name__ == "__main__":
    sys.exit(main())
