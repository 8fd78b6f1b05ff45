"""Trains the shipped weights on synthetic people: ``python tests/router/match/train.py`` writes ``router/match/weights.json``.

``m`` and ``h`` are counted on pairs whose truth is known: a contact with its own record, and with the records of others of that home.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import people
from sets import candidate_of

from ingest.commands.trial import query_of
from router.match import Candidate
from router.match.decision import levels
from router.match.statistics import Statistics
from router.match.training import Counts, by_chance, comparisons, guessed, note, nothing, statistics_of
from router.match.weights import Weights, written

SEED: Final = 20261129
VERSION: Final = "2026-11-30.2"
REGISTER: Final = 20_000
CONTACTS: Final = 20_000
SHIPPED: Final = Path(__file__).parents[3] / "router" / "match" / "weights.json"
# The share of contacts from the register, of the others from a household in it, and from where nobody need look or somebody should.
SHARES: Final = {
    "registered": 0.6, "household": 0.15, "swapped": 0.02, "sons": 1.67, "daughters": 0.33, "automatic": 0.998, "near": 0.1,
}  # fmt: skip
_NAMES: Final = 700  # of each kind, whose frequency is shipped


def trained(seed: int = SEED) -> Weights:
    """Weights from worlds that this seed makes, in two rounds: which reading of a name suits best depends on the weights."""
    worlds = [people.world(seed + at, REGISTER, CONTACTS, noise) for at, noise in enumerate((people.PLAIN, people.ROUGH))]
    registers = [{str(number): candidate_of(str(number), cells) for number, cells in each.register.items()} for each in worlds]
    statistics = statistics_of(registers[0].values())
    chance = by_chance(registers[0].values(), statistics, Random(seed).choice)
    weights = _assembled(guessed(), guessed(), chance, statistics)
    for _ in range(2):
        same, beside = _counted(worlds, registers, statistics, weights)
        weights = _assembled(same, beside, chance, statistics)
    return weights


def _counted(
    worlds: Sequence[people.World], registers: Sequence[Mapping[str, Candidate]], statistics: Statistics, weights: Weights
) -> tuple[Counts, Counts]:
    same, beside = nothing(), nothing()
    for world, register in zip(worlds, registers, strict=True):
        homes: dict[int, list[int]] = {}
        for number in world.register:
            homes.setdefault(world.people[number].household, []).append(number)
        for contact in world.contacts:
            numbers = homes.get(contact.author.household, ())
            query, theirs = query_of(contact.cells), [register[str(number)] for number in numbers]
            for number, found in zip(numbers, levels(query, theirs, statistics, weights), strict=True):
                note(same if number == contact.person else beside, found)
    return same, beside


def _assembled(same: Counts, beside: Counts, chance: Counts, statistics: Statistics) -> Weights:
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
        comparisons=comparisons(same, beside, chance),
        forenames=commonest["forenames"],
        surnames=commonest["surnames"],
        men=frozenset(sexes["male"]),
        women=frozenset(sexes["female"]),
    )


def main() -> None:
    """Write the shipped file."""
    weights = trained()
    SHIPPED.write_text(written(weights), encoding="utf-8")
    for name, known in weights.comparisons.items():
        for level, values in known.items():
            print(f"{name:12} {level:10} m {values.m:<9} h {values.h:<9} u {values.u:<9} {'each' if values.each else ''}")


if __name__ == "__main__":
    main()
