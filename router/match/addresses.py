"""How far two addresses agree, in one comparison: street, house and postcode come from one place and so are not four proofs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import jellyfish

from router.match.names import words

# Likest first. "neighbour" has the postcode or the street and another number; "town" has the town and nothing nearer to compare, and
# "elsewhere" the town and another postcode or street.
ADDRESS: Final = ("house", "street", "postcode", "neighbour", "town", "area", "elsewhere", "different")

_POSTCODE = re.compile(r"\b([a-z]{1,2}[0-9][a-z0-9]?) ?([0-9][a-z]{2})\b")
_NUMBER = re.compile(r"[0-9]{1,5}[a-z]?")
_ABROAD = re.compile(r"[0-9]{4,6}")
_FLAT = frozenset(["flat", "apt", "apartment", "unit", "room", "floor"])
_ENDS: Final = {
    "road": "rd", "street": "st", "avenue": "ave", "av": "ave", "close": "cl", "lane": "ln", "drive": "dr", "gardens": "gdns",
    "gdn": "gdns", "garden": "gdns", "court": "ct", "crescent": "cres", "cresc": "cres", "terrace": "terr", "ter": "terr", "place": "pl", "square": "sq",
    "grove": "gr", "saint": "st", "mount": "mt", "park": "pk", "house": "hse", "hill": "hl", "green": "grn", "parade": "pde",
}  # fmt: skip
_LONGEST: Final = 500
_RANKS: Final = {level: at for at, level in enumerate(ADDRESS)}


@dataclass(frozen=True, slots=True)
class Place:
    """An address taken apart. ``numbers`` ends with the house's; what stands before it is the flat's. ``streets`` are the parts
    with a number or before the town, one of which may be the house's name; ``abroad`` is another country's postcode, of a whole town.
    """

    postcode: str | None
    numbers: tuple[str, ...]
    streets: tuple[str, ...]
    town: str
    abroad: str = ""

    @property
    def outward(self) -> str | None:
        """The part of the postcode before the space."""
        return self.postcode.partition(" ")[0] if self.postcode else None


@lru_cache(maxsize=1 << 13)
def place(text: str | None, postcode: str | None = None) -> Place:
    """An address as somebody wrote it, in one line. ``postcode`` is canonical and goes before one in the text."""
    line = (text or "")[:_LONGEST].casefold()
    found = _POSTCODE.search(line)
    if found:
        postcode = postcode or f"{found[1]} {found[2]}".upper()
        line = line[: found.start()] + line[found.end() :]
    numbers: list[str] = []
    streets: list[str] = []
    town = abroad = ""
    for part in line.replace("/", " ").split(","):
        plain, counted = "", list[str]()
        for word in words(part):
            if word[0].isdigit() and _NUMBER.fullmatch(word):
                counted.append(word)
            elif word not in _FLAT:
                plain += _ENDS.get(word, word)
        if plain or not (streets or town):
            numbers += counted
        elif len(counted) == 1 and _ABROAD.fullmatch(counted[0]):
            abroad = counted[0]  # a number by itself, behind the street
        if plain and counted:
            streets.append(plain)
        elif plain:
            streets += [town] if town else []
            town = plain  # the last part without a number
    return Place(postcode, tuple(numbers), tuple(streets), town, abroad)


def places(addresses: Iterable[str | None], postcodes: Sequence[str]) -> tuple[Place, ...]:
    """Every address given, and every postcode that came without one."""
    found = [place(each) for each in addresses if each]
    loose = [each for each in postcodes if all(one.postcode != each for one in found)]
    if loose and len(found) == 1 and found[0].postcode is None:
        one = found[0]
        return tuple(replace(one, postcode=each) for each in loose)
    return (*found, *(Place(each, (), (), "") for each in loose))


def likest(given: Iterable[Place], held: Sequence[Place]) -> str | None:
    """The level of the two that agree best; None where there is nothing to compare."""
    best: str | None = None
    for one in given:
        for other in held:
            level = compared(one, other)
            if level is not None and (best is None or _RANKS[level] < _RANKS[best]):
                best = level
    return best


def compared(one: Place, other: Place) -> str | None:
    """The level of two places; None where nothing of the one stands beside the same of the other."""
    left, right = one.postcode, other.postcode
    both = bool(one.numbers and other.numbers)
    if left and left == right:
        if not both:
            return "postcode"
        return "house" if _same_house(one.numbers, other.numbers) else "neighbour"
    same_town = (bool(one.abroad) and one.abroad == other.abroad) or bool(
        one.town and other.town and _alike(one.town, other.town)
    )
    near = bool(left and right) and (one.outward == other.outward or _one_apart(left, right))
    anywhere = not ((left and right) or (one.town and other.town))
    if (near or same_town or anywhere) and any(_alike(each, theirs) for each in one.streets for theirs in other.streets):
        if both and not anywhere and _same_house(one.numbers, other.numbers):
            return "street"  # the same in a place that nobody names may be in any
        if not (left and right):
            return "neighbour"
    if left and right:
        if near and one.outward == other.outward:
            return "area"
        return "elsewhere" if same_town else "different"
    if same_town:
        return "elsewhere" if one.streets and other.streets else "town"
    return "different" if one.town and other.town else None


def _same_house(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """A flat left out by one of them is no other house."""
    return one[-1] == other[-1] and (len(one) == 1 or len(other) == 1 or one == other)


@lru_cache(maxsize=1 << 13)
def _alike(one: str, other: str) -> bool:
    return one == other or (len(one) > 3 and len(other) > 3 and jellyfish.jaro_winkler_similarity(one, other) >= 0.92)


def _one_apart(one: str | None, other: str | None) -> bool:
    return (
        bool(one and other)
        and abs(len(one or "") - len(other or "")) < 2
        and jellyfish.damerau_levenshtein_distance(one or "", other or "") <= 1
    )
