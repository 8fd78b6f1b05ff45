"""Weights out of pairs whose truth is known: how often one person's two records stand at each level, two of a household, two strangers.

Pure. ``m`` and ``h`` are counted on pairs; ``u`` on pairs of the register drawn at random, or from counts where agreement by chance is
too rare to be drawn. Counts are smoothed, no level speaks louder than a likelier one, and none that agrees speaks louder for the
household than for the person.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from router.match import addresses, decision, likeness, points
from router.match.decision import Candidate
from router.match.likeness import known
from router.match.statistics import Statistics
from router.match.weights import COMPARISONS, Level, Unusable, Weights

Counts = dict[str, Counter[str]]

PAIRS: Final = 400_000  # of strangers, drawn for each comparison
FEWEST_PAIRS: Final = 100  # of a comparison; one that fewer pairs have stays as it was
FEWEST: Final = 5  # of a level; one that is seen seldomer stays as it was
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
LEAST_OF_ONE: Final = {("birth date", "different"): 0.02}  # they are wrong in more ways than those of synthetic people
ORDERED: Final = frozenset(["birth date", "address", "email"])
_SMALLEST: Final = 1e-7
_WHOLE: Final = 10**12

_T = TypeVar("_T")


class Choose(Protocol):
    """Draws one of several at random; whoever calls brings the chance."""

    def __call__(self, some: Sequence[_T], /) -> _T:
        """One of them."""
        ...


def nothing() -> Counts:
    """No pair seen yet."""
    return {name: Counter() for name in COMPARISONS}


def guessed() -> Counts:
    """Each level half as often as the likelier one, to begin with."""
    return {name: Counter({level: 4096 >> (2 * at) for at, level in enumerate(levels)}) for name, levels in COMPARISONS.items()}


def note(into: Counts, levels: Mapping[str, str]) -> None:
    """Count a pair in. What is no comparison of its own, as that the names are in the other order, is passed over."""
    for name, level in levels.items():
        if name in into:
            into[name][level] += 1


def statistics_of(register: Iterable[Candidate]) -> Statistics:
    """What the register would count of its people."""
    names = [known(each.given_name, each.surname) for each in register]
    return Statistics(
        len(names),
        Counter(name.family for name in names if name.family),
        Counter(name.given[0] for name in names if name.given),
    )


def by_chance(register: Iterable[Candidate], statistics: Statistics, choose: Choose) -> Counts:
    """Levels of pairs of strangers, as shares of a million million."""
    every = list(register)
    names = [known(each.given_name, each.surname) for each in every]
    lines = [" ".join(filter(None, (each.given_name, each.surname))) for each in every[:20_000]]
    asked = [each for each in map(decision.readings_of, lines) if each]
    born = [each.date_of_birth for each in every if each.date_of_birth]
    places = [addresses.places(each.addresses, each.postcodes) for each in every if each.addresses]

    def drawn(compare: Callable[[], str | None]) -> Counter[str]:
        found = Counter(level for level in (compare() for _ in range(PAIRS)) if level)
        whole = sum(found.values())
        return Counter({level: round(_WHOLE * number / whole) for level, number in found.items()})

    counts = {
        "forename": drawn(lambda: likeness.forenames(choose(names).given, choose(names).given) if names else None),
        "surname": drawn(lambda: likeness.surnames(choose(asked)[0], choose(names)) if asked else None),
        "middle name": drawn(lambda: likeness.middles(choose(names).given, choose(names).given) if names else None),
        "generation": Counter[str](),
        "birth date": drawn(lambda: points.births(choose(born), choose(born)) if born else None),
        "address": drawn(lambda: addresses.likest(choose(places), choose(places)) if places else None),
        "email": Counter({"different": _WHOLE}),
        "phone": Counter({"different": _WHOLE}),
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
    """How often two have the same, by the counts of each: never one person drawn twice, which in a small register is most of it."""
    whole = size or sum(counts.values())
    return round(_WHOLE * sum(number * (number - 1) for number in counts.values()) / max(whole * (whole - 1), 1))


def comparisons(same: Counts, beside: Counts, chance: Counts) -> dict[str, dict[str, Level]]:
    """Every comparison with its levels, by what was counted."""
    counted = {name: dict(_levels(name, same[name], beside[name], chance[name])) for name in COMPARISONS}
    counted["generation"] = GENERATION
    return counted


def _levels(
    name: str, same: Mapping[str, float], beside: Mapping[str, float], chances: Mapping[str, float]
) -> Iterator[tuple[str, Level]]:
    order = COMPARISONS[name]
    u = {level: LEAST.get((name, level)) or max(chances.get(level, 0) / _WHOLE, _SMALLEST) for level in order}
    same_share, beside_share = _smoothed(same, u, 1), _smoothed(beside, u, 20)
    for shares, floors in ((same_share, LEAST_OF_ONE), (beside_share, LEAST_AT_HOME)):
        shares |= {level: max(shares[level], least) for (comparison, level), least in floors.items() if comparison == name}
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


def _smoothed(counts: Mapping[str, float], by_chance: Mapping[str, float], number: float) -> dict[str, float]:
    """Shares, as if so many more pairs had been seen that agree as strangers do, and one of each level."""
    whole = sum(counts.values()) + number + len(by_chance)
    return {level: (counts.get(level, 0) + 1 + number * chance) / whole for level, chance in by_chance.items()}


def _short(number: float, *, up: bool = False) -> float:
    """In four figures, never smaller where it is ``up``."""
    short = float(f"{number:.4g}")
    return float(f"{number * 1.0005:.4g}") if up and short < number else short


# On a register of one's own, beside the weights that there are.


@dataclass(frozen=True, slots=True)
class Trained:
    """New weights, and of each level how many pairs of one person stood at it; ``kept`` are those that stay as they were, too few pairs
    having been seen.
    """

    weights: Weights
    pairs: Mapping[str, Mapping[str, float]]
    kept: frozenset[tuple[str, str]]


def trained(
    base: Weights, version: str, same: Counts, beside: Counts, chance: Counts | None = None, trust: float = 0.0
) -> Trained:
    """``base`` changed by what was counted: on pairs of one person, of two of a household, and (else as it was) of strangers.

    A comparison with fewer than 100 pairs stays as it is, and a level with fewer than 5 keeps its share. What a household has in common
    follows ``m`` where fewer than 100 of its pairs were seen. ``base`` counts for ``trust`` pairs beside those counted. Raises
    Unusable where nothing would change.
    """
    kept: set[tuple[str, str]] = set()
    counted: dict[str, Mapping[str, Level]] = {}
    for name, before in base.comparisons.items():
        if name == "generation" or same[name].total() < FEWEST_PAIRS:
            kept.update((name, level) for level in before)
            counted[name] = before
            continue
        kept.update((name, level) for level in before if same[name][level] < FEWEST)
        ours = _filled(same[name], {level: each.m for level, each in before.items()}, trust)
        if beside[name].total() >= FEWEST_PAIRS:
            theirs = _filled(beside[name], {level: each.h for level, each in before.items()}, trust)
        else:
            number = sum(ours.values())
            theirs = {level: _WHOLE * each.h * ours[level] / number / each.m for level, each in before.items()}
        drawn = chance[name] if chance else None
        strangers: Mapping[str, float] = drawn or {level: _WHOLE * each.u for level, each in before.items()}
        counted[name] = dict(_levels(name, ours, theirs, strangers))
    pairs = {name: dict(same[name]) for name in base.comparisons}
    if all(counted[name] is before for name, before in base.comparisons.items()):
        most = max((each.total() for each in same.values()), default=0)
        raise Unusable(f"Too few pairs are known to be one person's: {most:.0f} at most, and {FEWEST_PAIRS} are needed.")
    return Trained(replace(base, version=version, comparisons=counted), pairs, frozenset(kept))


def _filled(counts: Counter[str], shares: Mapping[str, float], trust: float) -> dict[str, float]:
    """The counts, those that are too few to go by put at the share that they had, and everything at that for so many pairs more."""
    whole, every = counts.total(), sum(shares.values())
    few = {level: share / every for level, share in shares.items() if counts[level] < FEWEST}
    seen = sum(number for level, number in counts.items() if level not in few)
    left = 1 - sum(few.values())
    filled: dict[str, float] = {}
    for level, share in shares.items():
        number = few[level] * whole if level in few else counts[level] * left * whole / seen
        filled[level] = number + trust * share / every
    return filled


def labels(lines: Iterable[tuple[int, Any]]) -> tuple[Counts, Counts, int]:
    """Pairs that people have judged, as ``ingest review labels`` writes them, each with its line: those of one person, those of two, and how
    many there were. Raises Unusable, naming the line.
    """
    same, other, number = nothing(), nothing(), 0
    for line, said in lines:
        try:
            levels = {str(each["comparison"]): str(each["level"]) for each in said["comparisons"]}
            into = same if bool(said["same"]) else other
        except (KeyError, TypeError) as error:
            raise Unusable(f"Line {line} is no label: {error!r}.") from error
        for comparison, level in levels.items():
            if comparison == "order" or level in {"agrees", "differs"}:  # of a release before there were levels
                continue
            if comparison not in COMPARISONS:
                raise Unusable(f"Line {line}: there is no comparison {comparison}. Known are {', '.join(COMPARISONS)}.")
            if level not in COMPARISONS[comparison]:
                raise Unusable(f"Line {line}: {comparison} has no level {level}. It has {', '.join(COMPARISONS[comparison])}.")
        note(into, {comparison: level for comparison, level in levels.items() if level in COMPARISONS.get(comparison, ())})
        number += 1
    return same, other, number
