"""The weights of matching: for each level of each comparison, how often it is seen in one person, in two of one household and in two strangers.

They stand in a file with a version, which every decision records. The shipped file is made by ``tests/router/match/train.py``.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.resources import files
from math import log2
from typing import Any, Final

from router.match import addresses, likeness, points
from router.match.names import metaphone

# Every comparison with its levels, likest first. A file names all of them and no other.
COMPARISONS: Final[Mapping[str, tuple[str, ...]]] = {
    "forename": likeness.FORENAME,
    "surname": likeness.SURNAME,
    "middle name": likeness.MIDDLE,
    "generation": likeness.GENERATION,
    "birth date": points.BIRTH,
    "address": addresses.ADDRESS,
    "email": points.EMAIL,
    "phone": points.PHONE,
}
_SHARES: Final = ("registered", "household", "swapped", "sons", "daughters", "automatic", "near")
_FEWEST: Final = 10_000  # a register of fewer is weighed as one of so many: those who might write are no fewer for it
_PRIOR_COUNT: Final = 20_000  # how many people's names the shipped frequencies count for, beside the register's own
_RAREST: Final = 2e-5


@dataclass(frozen=True, slots=True)
class Level:
    """How often two records stand at this level: of one person, of two of one household, of two strangers.

    ``frequency`` is how far a name's own frequency stands in for ``u``, from 0 to 1. ``each`` says that ``u`` is how many of
    the whole register share this with somebody, and so is divided by its size.
    """

    m: float
    h: float
    u: float
    frequency: float = 0.0
    each: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """All that a decision is weighed with."""

    version: str
    registered: float  # the share of contacts from somebody in the register
    household: float  # of the others, the share from somebody who lives with one who is
    swapped: float  # how often forename and surname are written in each other's place
    sons: float  # how much oftener than people at large men share their forename with another of the household
    daughters: float  # and women
    automatic: float  # the posterior from which nobody need look
    near: float  # the posterior of all candidates together from which somebody should look
    comparisons: Mapping[str, Mapping[str, Level]]
    forenames: Mapping[str, float]  # the frequency of each in people at large
    surnames: Mapping[str, float]
    men: frozenset[str]  # forenames that hardly a woman bears
    women: frozenset[str]
    provenance: Mapping[str, str | int] = field(
        default_factory=dict[str, str | int]
    )  # what they were trained on, when, on how many pairs

    def of_two_sexes(self, one: str, other: str) -> bool:
        """Whether the one forename is a man's and the other a woman's."""
        return (one in self.men and other in self.women) or (one in self.women and other in self.men)


class Unusable(ValueError):
    """A weights file says something that matching does not know, or leaves something out."""


def read(text: str | bytes) -> Weights:
    """The weights of a file; ``Unusable`` names what is wrong with it."""
    try:
        said: Any = json.loads(text)
        comparisons = {
            comparison: {level: Level(**values) for level, values in levels.items()}
            for comparison, levels in said["comparisons"].items()
        }
        weights = Weights(
            version=str(said["version"]),
            **{key: float(said[key]) for key in _SHARES},
            comparisons=comparisons,
            forenames={name: millionths / 1e6 for name, millionths in said["forenames"].items()},
            surnames={name: millionths / 1e6 for name, millionths in said["surnames"].items()},
            men=frozenset(said["men"].split()),
            women=frozenset(said["women"].split()),
            provenance=dict(said.get("provenance", {})),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"It is no weights file: {error!r}.") from error
    _check(weights)
    return weights


def _check(weights: Weights) -> None:
    for comparison, levels in COMPARISONS.items():
        given = weights.comparisons.get(comparison, {})
        if set(given) != set(levels):
            odd = sorted(set(given) ^ set(levels))
            raise Unusable(f"Of the comparison {comparison} it does not name the known levels: {', '.join(odd)}.")
        for name, level in given.items():
            if not all(0 < each <= 1 for each in (level.m, level.h, level.u if not level.each else 1.0)) or level.u <= 0:
                raise Unusable(f"The level {name} of {comparison} has a probability that is not above 0 and at most 1.")
    if odd := sorted(set(weights.comparisons) - set(COMPARISONS)):
        raise Unusable(f"It names comparisons that are not known: {', '.join(odd)}.")
    shares = (weights.registered, weights.household, weights.swapped, weights.automatic, weights.near)
    if not all(0 < each < 1 for each in shares) or weights.sons <= 0 or weights.daughters <= 0:
        raise Unusable("Its shares and thresholds must be above 0 and below 1.")


def written(weights: Weights) -> str:
    """The file of these weights, one level a line; ``read`` takes it back."""
    comparisons = ",\n".join(
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(level)}: {json.dumps(_terse(values))}" for level, values in levels.items())
        + "\n  }"
        for name, levels in weights.comparisons.items()
    )
    shares = ",\n".join(f" {json.dumps(key)}: {json.dumps(getattr(weights, key))}" for key in ("version", *_SHARES))
    frequencies = ",\n".join(
        f" {json.dumps(kind)}: {json.dumps(_millionths(getattr(weights, kind)), separators=(',', ':'))}"
        for kind in ("forenames", "surnames")
    )
    sexes = ",\n".join(
        f" {json.dumps(kind)}: {json.dumps(' '.join(sorted(getattr(weights, kind))))}" for kind in ("men", "women")
    )
    made = f' "provenance": {json.dumps(dict(weights.provenance))},\n' if weights.provenance else ""
    return f'{{\n{shares},\n{made} "comparisons": {{\n{comparisons}\n }},\n{frequencies},\n{sexes}\n}}\n'


def _terse(level: Level) -> dict[str, float | bool]:
    return {key: value for key, value in asdict(level).items() if value or key in {"m", "h", "u"}}


def _millionths(frequencies: Mapping[str, float]) -> dict[str, int]:
    return {name: round(1e6 * share) for name, share in frequencies.items()}


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The weights that come with the product."""
    return read((files("router.match") / "weights.json").read_bytes())


Bits = tuple[float, float]  # for this person, and for another of their household, both against a stranger


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Weights as bits (log2), for a register of a size."""

    weights: Weights
    individuals: int
    sons: float
    daughters: float
    bits: Mapping[str, Mapping[str, Bits]]

    def frequency(self, comparison: str, name: str, count: int) -> float:
        """How often a name is borne, as log2: by the register's own count, and where that is small by people's at large."""
        return _rarity(self, comparison, name, count)

    def namesake(self, forename: str) -> float:
        """The bits by which the bearer of this forename is likelier than others to live with somebody of the same one."""
        return self.sons if forename in self.weights.men else self.daughters if forename in self.weights.women else 0.0

    def are_two(self, one: str, other: str) -> bool:
        """Whether both are forenames in use that sound different or are of two sexes, so that neither is a slip for the other."""
        men, women = self.weights.men, self.weights.women
        in_use = (one in men or one in women) and (other in men or other in women)
        return in_use and (self.weights.of_two_sexes(one, other) or metaphone(one) != metaphone(other))

    def held_by(self, comparison: str, level: str, holders: int) -> Bits:
        """The bits of an identifier that so many people of the register have, this one among them."""
        known = self.weights.comparisons[comparison][level]
        seen = log2((holders - 1 + known.u) / self.individuals)
        return log2(known.m) - seen, log2(known.h) - seen


@lru_cache(maxsize=1 << 14)
def _rarity(by: Scale, comparison: str, name: str, count: int) -> float:
    prior = (by.weights.forenames if comparison == "forename" else by.weights.surnames).get(name, 0.0)
    return log2(max(_RAREST, (count + prior * _PRIOR_COUNT) / (by.individuals + _PRIOR_COUNT)))


@lru_cache(maxsize=32)
def scale(weights: Weights, individuals: int) -> Scale:
    """``individuals`` is how many the register has."""
    size = max(individuals, _FEWEST)

    def bits(level: Level) -> Bits:
        by_chance = log2(level.u / size if level.each else level.u)
        return log2(level.m) - by_chance, log2(level.h) - by_chance

    return Scale(
        weights,
        size,
        log2(weights.sons),
        log2(weights.daughters),
        {name: {each: bits(level) for each, level in levels.items()} for name, levels in weights.comparisons.items()},
    )
