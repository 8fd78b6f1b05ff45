"""How far two names agree: forename, surname and middle names, each at a level, likest first.

A name of the register has known parts; a written one is held against it by each of its readings, those with forename and
surname in each other's place among them. Words come canonical (``router.match.names``). Edit distances are asked last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import jellyfish

from router.match.names import Generation, Name, forms, held, is_short, metaphone, parts, skeleton

# The levels of each comparison, likest first; each agrees no less than the next.
FORENAME: Final = ("exact", "nickname", "close", "phonetic", "skeleton", "near", "middle", "initial", "different")
SURNAME: Final = ("exact", "part", "close", "phonetic", "near", "initial", "different")
MIDDLE: Final = ("exact", "initial", "different")
GENERATION: Final = ("exact", "one side", "different")

_CACHE: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Held:
    """A name of the register, ready to be compared."""

    given: tuple[str, ...]
    surname: str  # without spaces and hyphens
    parts: tuple[str, ...]
    generation: Generation | None

    @property
    def family(self) -> str:
        """The surname as frequencies are counted."""
        return " ".join(self.parts)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to take a written name apart."""

    given: tuple[str, ...]
    surname: str
    parts: tuple[str, ...]
    reversed: bool = False

    @property
    def family(self) -> str:
        """The surname as frequencies are counted."""
        return " ".join(self.parts)


@lru_cache(maxsize=_CACHE)
def known(given_name: str | None, surname: str | None) -> Held:
    """A name as the register holds it."""
    name = held(given_name, surname)
    family = parts(name.surname or ())
    return Held(parts(name.words), "".join(family), family, name.generation)


def readings(name: Name) -> tuple[Reading, ...]:
    """Every way to read a written name, the natural ones first."""
    return tuple(dict.fromkeys(_readings(name)))


def _readings(name: Name) -> Iterator[Reading]:
    for given, family in name.readings():
        yield _reading(given, family)
    if name.surname:
        yield _reading(name.surname, name.words, turned=True)
    elif len(name.words) > 1:
        yield _reading(name.words[1:], name.words[:1], turned=True)


def _reading(given: tuple[str, ...], family: tuple[str, ...], *, turned: bool = False) -> Reading:
    surname = parts(family)
    return Reading(parts(given), "".join(surname), surname, turned)


def forenames(one: tuple[str, ...], other: tuple[str, ...]) -> str | None:
    """The level of two people's forenames; None where either is missing."""
    if not one or not other:
        return None
    first, second = one[0], other[0]
    if len(one) == 1 and len(other) == 1:
        return forename(first, second)
    if len(first) > 1 and "".join(one) == "".join(other):
        return "exact"
    level = forename(first, second)
    if level == "exact":
        return level
    if any(forename("".join(left), right[0]) == "exact" for left, right in ((one[:2], other), (other[:2], one))):
        return "exact"
    if level in {"initial", "different", "near"} and (_is_among(first, other[1:]) or _is_among(second, one[1:])):
        return "middle"
    return level


def _is_among(forename: str, others: tuple[str, ...]) -> bool:
    return len(forename) > 1 and not forms(forename).isdisjoint(others)


@lru_cache(maxsize=_CACHE)
def forename(one: str, other: str) -> str:
    """The level of two forenames of one word each."""
    if len(one) == 1 or len(other) == 1:
        return "initial" if one[:1] == other[:1] else "different"  # an initial is never exact
    if one == other:
        return "exact"
    if is_short(one, other):
        return "nickname"
    alike = jellyfish.jaro_winkler_similarity(one, other)
    if alike >= 0.92:
        return "close"
    if one[0] == other[0] and metaphone(one) == metaphone(other):
        return "phonetic"
    if _same_skeleton(one, other):
        return "skeleton"
    return "near" if alike >= 0.82 else "different"


def surnames(one: Reading, other: Held) -> str | None:
    """The level of two surnames; None where either is missing."""
    if not one.surname or not other.surname:
        return None
    if one.surname == other.surname:
        return "exact"
    if (len(one.parts) > 1 or len(other.parts) > 1) and _share_an_end(one.parts, other.parts):
        return "part"
    return surname(one.surname, other.surname)


def _share_an_end(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    ends = {part for part in (one[0], one[-1]) if len(part) > 2} & {other[0], other[-1]}
    return bool(ends) and min(len(one), len(other)) == 1


@lru_cache(maxsize=_CACHE)
def surname(one: str, other: str) -> str:
    """The level of two surnames that differ."""
    if len(one) == 1 or len(other) == 1:
        return "initial" if one[:1] == other[:1] else "different"
    alike = jellyfish.jaro_winkler_similarity(one, other)
    if alike >= 0.93:
        return "close"
    if (one[0] == other[0] and metaphone(one) == metaphone(other)) or _same_skeleton(one, other):
        return "phonetic"
    return "near" if alike >= 0.85 else "different"


def _same_skeleton(one: str, other: str) -> bool:
    bones = skeleton(one)
    return len(bones) > 2 and bones == skeleton(other)


def middles(one: tuple[str, ...], other: tuple[str, ...]) -> str | None:
    """The level of what stands after the first forenames; None where either has nothing there."""
    if len(one) < 2 or len(other) < 2:
        return None
    levels = {forename(left, right) for left in one[1:] for right in other[1:]}
    if levels & {"exact", "nickname", "close"}:
        return "exact"
    return "initial" if "initial" in levels else "different"


def generations(one: frozenset[Generation], other: Generation | None) -> str | None:
    """Whether both are called junior or both senior; None where neither is called anything."""
    if other is None:
        return "one side" if one else None
    if not one:
        return "one side"
    return "exact" if one == frozenset([other]) else "different"
