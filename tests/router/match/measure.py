"""Measures matching on a labelled set: what is matched, wrong, left to a person and lost, in all and by scenario.

``python tests/router/match/measure.py FOLDER`` reads register.csv, contacts.csv and truth.csv; ``--seed N [--rough|--traps]`` makes
a set instead. Candidates come from the register's own search, on SQLite.
"""

import argparse
import asyncio
import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))

import people
from sets import Asked, contacts_of, register_of

from ingest.commands.trial import query_of
from router.match import Ambiguous, Candidate, Matched, MatchResult, match
from router.match.statistics import Statistics
from router.match.training import statistics_of
from router.match.weights import Weights


@dataclass(frozen=True, slots=True)
class Answered:
    """One contact, whom the search found, and what was made of it."""

    asked: Asked
    found: Sequence[Candidate]
    result: MatchResult


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    share, spread = right / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def make(folder: Path, seed: int, noise: people.Noise, register: int, contacts: int, inside: float) -> list[Asked]:
    """A register of synthetic people, into a folder, and contacts from them and others."""
    world = people.world(seed, register, contacts, noise, inside)
    with (folder / "register.csv").open("w", encoding="utf-8", newline="") as sheet:
        columns: list[str] = ["person_id", *people.COLUMNS]
        rows = csv.DictWriter(sheet, columns)
        rows.writeheader()
        rows.writerows({"person_id": number, **cells} for number, cells in world.register.items())
    return [
        Asked(str(at), query_of(each.cells), "" if each.person is None else str(each.person), each.scenario)
        for at, each in enumerate(world.contacts)
    ]


def found_by_register(folder: Path, asked: Sequence[Asked]) -> list[list[Candidate]]:
    """Candidates by the register's own search, as ``ingest match`` finds them."""
    return asyncio.run(_found(folder, asked))


async def _found(folder: Path, asked: Sequence[Asked]) -> list[list[Candidate]]:
    from ingest.clock import now
    from ingest.database import Database, upgrade
    from router.register import MIGRATIONS
    from router.register.intake import OPTIONAL, REQUIRED, opened, take_in
    from router.register.search import candidates

    found: list[list[Candidate]] = []
    with TemporaryDirectory() as place:
        url = f"sqlite:///{place}/register.db"
        upgrade(url, [MIGRATIONS])
        database = Database(url)
        try:
            source = opened(folder / "register.csv", REQUIRED["individuals"], OPTIONAL["individuals"])
            await take_in(database, "individuals", source, now)
            for at in range(0, len(asked), 500):
                async with database.read() as connection:
                    found += await candidates(connection, [each.query for each in asked[at : at + 500]], date(2026, 11, 29))
        finally:
            await database.close()
    return found


def answered(
    asked: Sequence[Asked], found: Sequence[Sequence[Candidate]], statistics: Statistics, weights: Weights | None = None
) -> list[Answered]:
    """Each contact decided."""
    return [Answered(each, some, match(each.query, some, statistics, weights)) for each, some in zip(asked, found, strict=True)]


def told(every: Sequence[Answered]) -> Iterator[str]:
    """The figures, a line each."""
    inside = [each for each in every if each.asked.person]
    matched = [each for each in every if isinstance(each.result, Matched)]
    wrong = [each for each in matched if each.result.individual_id != each.asked.person]  # type: ignore[union-attr]
    right = len(matched) - len(wrong)
    review = [each for each in every if isinstance(each.result, Ambiguous)]
    known = [each for each in review if each.asked.person]
    first = sum(each.result.candidates[0] == each.asked.person for each in known)  # type: ignore[union-attr]
    among = sum(each.asked.person in each.result.candidates for each in known)  # type: ignore[union-attr]
    lost = [each for each in inside if not isinstance(each.result, Matched | Ambiguous)]
    unfound = sum(all(one.individual_id != each.asked.person for one in each.found) for each in inside)
    low, high = wilson(right, len(matched))
    yield f"matched {len(matched)}, wrong {len(wrong)}: precision {right / max(1, len(matched)):.5f} ({low:.5f} to {high:.5f})"
    yield (
        f"of {len(inside)} in the register: matched {right / len(inside):.3f}, review {len(known) / len(inside):.3f}, "
        f"lost {len(lost) / len(inside):.3f}; the search missed {unfound / len(inside):.3f}"
    )
    yield f"review in all {len(review) / len(every):.3f}; of the others {(len(review) - len(known)) / max(1, len(every) - len(inside)):.3f}"
    yield f"in review the right person is first {first / max(1, len(known)):.3f}, among the candidates {among / max(1, len(known)):.3f}"
    yield "recall at precision " + ", ".join(f"{at}: {recall:.3f}" for at, recall in recalls(every))
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    for each in every:
        kind = each.asked.scenario.removesuffix("_rep")
        numbers[kind]["contacts"] += 1
        numbers[kind][type(each.result).__name__] += 1
    for each in wrong:
        numbers[each.asked.scenario.removesuffix("_rep")]["wrong"] += 1
    for kind, row in sorted(numbers.items()):
        low, high = wilson(row["wrong"], row["contacts"])
        yield (
            f"  {kind:14} {row['contacts']:6} contacts: {row['Matched']:6} matched, {row['wrong']:3} wrong "
            f"({row['wrong'] / row['contacts']:.4f}; {low:.4f} to {high:.4f}), {row['Ambiguous']:6} review"
        )


def surest(every: Sequence[Answered]) -> list[tuple[float, bool]]:
    """The likeliest of each that comes near to somebody, rules put aside: how sure, and whether it is them; the surest first."""
    scored: list[tuple[float, bool]] = []
    for each in every:
        match each.result:
            case Matched(individual_id=person, score=score):
                scored.append((score, person == each.asked.person))
            case Ambiguous(candidates=some, scores=scores):
                scored.append((scores[0], some[0] == each.asked.person))
            case _:
                pass
    return sorted(scored, key=lambda pair: -pair[0])


def recalls(every: Sequence[Answered]) -> Iterator[tuple[float, float]]:
    """How many of those in the register stand above the score from which so many are right."""
    scored = surest(every)
    inside = sum(bool(each.asked.person) for each in every)
    for least in (0.99, 0.999, 0.9999):
        right = best = 0
        for at, (_, good) in enumerate(scored, 1):
            right += good
            if right >= least * at:
                best = right
        yield least, best / inside


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rough", action="store_true")
    parser.add_argument("--traps", action="store_true")
    parser.add_argument("--register", type=int, default=20_000)
    parser.add_argument("--contacts", type=int, default=20_000)
    given = parser.parse_args()
    with TemporaryDirectory() as place:
        folder = given.folder or Path(place)
        if given.folder:
            asked = contacts_of(folder)
        else:
            noise = people.TRAPS if given.traps else people.ROUGH if given.rough else people.PLAIN
            asked = make(folder, given.seed, noise, given.register, given.contacts, 0.35 if given.traps else 0.6)
        register = register_of(folder)
        found = found_by_register(folder, asked)
    started = time.process_time()
    every = answered(asked, found, statistics_of(register))
    spent = time.process_time() - started
    for line in told(every):
        print(line)
    pairs = sum(map(len, found))
    print(f"{1e6 * spent / max(1, len(every)):.0f} µs a contact, {1e6 * spent / max(1, pairs):.1f} µs a candidate")


if __name__ == "__main__":
    main()
