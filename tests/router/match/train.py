"""Trains the shipped weights on synthetic people: ``python tests/router/match/train.py`` writes ``router/match/weights.json``.

``m`` and ``h`` are counted on pairs whose truth is known (a contact with its own record, and with the records of others of that
home), ``u`` on pairs drawn at random, or from counts where agreement by chance is too rare to be drawn. Counts are smoothed, no
level speaks louder than a likelier one, and none that agrees speaks louder for the household than for the person.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import people
from sets import candidate_of, query_of, statistics_of

from router.match import Candidate, addresses, decision, likeness, points
from router.match.likeness import known
from router.match.statistics import Statistics
from router.match.weights import COMPARISONS, Level, Weights, scale, written

SEED: Final = 20261129
VERSION: Final = "2026-11-30"
REGISTER: Final = 20_000
CONTACTS: Final = 20_000
PAIRS: Final = 400_000
SHIPPED: Final = Path(__file__).parents[3] / "router" / "match" / "weights.json"
# The share of contacts from the register, of the others from a household in it, and from where nobody need look or somebody should.
SHARES: Final = {
    "registered": 0.6, "household": 0.15, "swapped": 0.02, "sons": 1.67, "daughters": 0.33, "automatic": 0.998, "near": 0.1,
}  # fmt: skip
# Agreement by chance that no synthetic people show: others who lived there, numbers given anew, slips in what somebody else has.
LEAST: Final = {
    ("address", "house"): 2e-6, ("address", "street"): 2e-6, ("address", "postcode"): 6e-6, ("address", "neighbour"): 6e-6,
    ("email", "same name"): 4e-6, ("email", "one slip"): 2e-6, ("phone", "one slip"): 2e-6,
}  # fmt: skip
EACH: Final = {("email", "exact"): 0.04, ("phone", "mobile"): 0.04, ("phone", "landline"): 0.1}
# How far a name's own frequency stands in for u.
FREQUENCY: Final = {
    "forename": {"exact": 1.0, "nickname": 0.8, "close": 0.6, "phonetic": 0.5, "skeleton": 0.4, "middle": 0.6},
    "surname": {"exact": 1.0, "part": 0.7, "close": 0.6, "phonetic": 0.5, "near": 0.3},
}
# What the household shares at least, whatever synthetic homes show: people answer each other's phones and write from each other's mail.
LEAST_AT_HOME: Final = {("phone", "mobile"): 0.02, ("phone", "landline"): 0.06, ("email", "exact"): 0.08}
# Of junior and senior too few write so to be counted. Said on one side only it speaks against the person, and for the other.
GENERATION: Final = {
    "exact": Level(m=0.6, h=0.3, u=0.1), "one side": Level(m=0.15, h=0.6, u=0.3), "different": Level(m=0.01, h=0.5, u=0.3),
}  # fmt: skip
# Synthetic people who tell their town tell their street, and live in towns of one size: as if one in fifteen were of that town.
TOWN: Final = Level(m=0.06, h=0.06, u=0.004)
# Birth dates are wrong in more ways than theirs are.
WRONG_BIRTH: Final = 0.02
ORDERED: Final = frozenset(["birth date", "address", "email"])
_SMALLEST: Final = 1e-7
_NAMES: Final = 700  # of each kind, whose frequency is shipped


Counts = dict[str, Counter[str]]


def trained(seed: int = SEED) -> Weights:
    """Weights from worlds that this seed makes, in two rounds: which reading of a name suits best depends on the weights."""
    worlds = [people.world(seed + at, REGISTER, CONTACTS, noise) for at, noise in enumerate((people.PLAIN, people.ROUGH))]
    registers = [{str(number): candidate_of(str(number), cells) for number, cells in each.register.items()} for each in worlds]
    statistics = statistics_of(registers[0].values())
    by_chance = _by_chance(registers[0], statistics, Random(seed))
    weights = _assembled(_guessed(), _guessed(), by_chance, statistics)
    for _ in range(2):
        same, beside = _counted(worlds, registers, statistics, weights)
        weights = _assembled(same, beside, by_chance, statistics)
    return weights


def _guessed() -> Counts:
    """Each level half as often as the likelier one, to begin with."""
    return {name: Counter({level: 4096 >> (2 * at) for at, level in enumerate(levels)}) for name, levels in COMPARISONS.items()}


def _counted(
    worlds: Sequence[people.World], registers: Sequence[Mapping[str, Candidate]], statistics: Statistics, weights: Weights
) -> tuple[Counts, Counts]:
    same: Counts = {name: Counter() for name in COMPARISONS}
    beside: Counts = {name: Counter() for name in COMPARISONS}
    by = scale(weights, statistics.individuals)
    for world, register in zip(worlds, registers, strict=True):
        homes: dict[int, list[int]] = {}
        for number in world.register:
            homes.setdefault(world.people[number].household, []).append(number)
        for contact in world.contacts:
            asked = decision._asked(query_of(contact.cells))
            for number in homes.get(contact.author.household, ()):
                into = same if number == contact.person else beside
                judged = decision._judge(asked, register[str(number)], by, statistics)
                for name, seen in judged.seen.items():
                    if name in into:
                        into[name][seen.level] += 1
    return same, beside


def _by_chance(register: Mapping[str, Candidate], statistics: Statistics, random: Random) -> Counts:
    """Levels of pairs of strangers, as shares of a million million."""
    every = list(register.values())
    names = [known(each.given_name, each.surname) for each in every]
    asked = [decision._asked(decision.Query(names=(f"{each.given_name} {each.surname}",))) for each in every[:20_000]]
    born = [each.date_of_birth for each in every if each.date_of_birth]
    places = [addresses.places(each.addresses, each.postcodes) for each in every if each.addresses]

    def drawn(compare: Callable[[], str | None]) -> Counter[str]:
        found = Counter(level for level in (compare() for _ in range(PAIRS)) if level)
        whole = sum(found.values())
        return Counter({level: round(1e12 * number / whole) for level, number in found.items()})

    def surname() -> str | None:
        return likeness.surnames(random.choice(asked).names[0][0], random.choice(names))

    counts = {
        "forename": drawn(lambda: likeness.forenames(random.choice(names).given, random.choice(names).given)),
        "surname": drawn(surname),
        "middle name": drawn(lambda: likeness.middles(random.choice(names).given, random.choice(names).given)),
        "generation": Counter[str](),
        "birth date": drawn(lambda: points.births(random.choice(born), random.choice(born))),
        "address": drawn(lambda: addresses.likest(random.choice(places), random.choice(places))),
        "email": Counter({"different": 10**12}),
        "phone": Counter({"different": 10**12}),
    }
    counts["forename"]["exact"] = _collisions(statistics.forenames)
    counts["surname"]["exact"] = _collisions(statistics.surnames)
    dates = Counter(f"{each}" for each in born)
    counts["birth date"]["exact"] = _collisions({day: number for day, number in dates.items() if not day.endswith("-01-01")})
    counts["birth date"]["new year"] = _collisions(
        {day: number for day, number in dates.items() if day.endswith("-01-01")}, len(born)
    )
    return counts


def _collisions(counts: Mapping[str, int], size: int | None = None) -> int:
    whole = size or sum(counts.values())
    return round(1e12 * sum((number / whole) ** 2 for number in counts.values()))


def _assembled(same: Counts, beside: Counts, by_chance: Counts, statistics: Statistics) -> Weights:
    comparisons = {name: dict(_levels(name, same[name], beside[name], by_chance[name])) for name in COMPARISONS}
    comparisons["generation"] = GENERATION
    commonest = {
        kind: {name: number / statistics.individuals for name, number in Counter(counts).most_common(_NAMES)}
        for kind, counts in (("forenames", statistics.forenames), ("surnames", statistics.surnames))
    }
    sexes = people.names_by_sex()
    return Weights(
        version=VERSION,
        registered=SHARES["registered"],
        household=SHARES["household"],
        swapped=SHARES["swapped"],
        sons=SHARES["sons"],
        daughters=SHARES["daughters"],
        automatic=SHARES["automatic"],
        near=SHARES["near"],
        comparisons=comparisons,
        forenames=commonest["forenames"],
        surnames=commonest["surnames"],
        men=frozenset(sexes["male"]),
        women=frozenset(sexes["female"]),
    )


def _levels(name: str, same: Counter[str], beside: Counter[str], by_chance: Counter[str]) -> Iterator[tuple[str, Level]]:
    order = COMPARISONS[name]
    u = {level: LEAST.get((name, level)) or max(by_chance[level] / 1e12, _SMALLEST) for level in order}
    same_share, beside_share = _smoothed(same, u, 1), _smoothed(beside, u, 20)
    beside_share |= {
        level: max(beside_share[level], least) for (comparison, level), least in LEAST_AT_HOME.items() if comparison == name
    }
    if name == "birth date":
        same_share["different"] = max(same_share["different"], WRONG_BIRTH)
    most = apart = float("inf")
    for level in order:
        if (name, level) == ("address", "town"):
            yield level, TOWN
            continue
        each = (name, level) in EACH
        m, h, chance = _short(same_share[level]), _short(beside_share[level]), EACH[name, level] if each else _short(u[level])
        if not each:
            chance = max(chance, _short(m / most, up=True))
            most = m / chance
        household = min(h, m) if each or m > chance else max(h, m)
        if name in ORDERED:  # what agrees more tells the person from the household no less
            household = max(household, _short(m / apart, up=True))
            apart = m / household
        yield level, Level(m, min(1.0, household), min(1.0, chance), FREQUENCY.get(name, {}).get(level, 0.0), each)


def _smoothed(counts: Counter[str], by_chance: Mapping[str, float], number: float) -> dict[str, float]:
    """Shares, as if so many more pairs had been seen that agree as strangers do, and one of each level."""
    whole = counts.total() + number + len(by_chance)
    return {level: (counts[level] + 1 + number * chance) / whole for level, chance in by_chance.items()}


def _short(number: float, *, up: bool = False) -> float:
    """In four figures, never smaller where it is ``up``."""
    short = float(f"{number:.4g}")
    return float(f"{number * 1.0005:.4g}") if up and short < number else short


def main() -> None:
    """Write the shipped file."""
    weights = trained()
    SHIPPED.write_text(written(weights), encoding="utf-8")
    for name, levels in weights.comparisons.items():
        for level, values in levels.items():
            print(f"{name:12} {level:10} m {values.m:<9} h {values.h:<9} u {values.u:<9} {'each' if values.each else ''}")


if __name__ == "__main__":
    main()
