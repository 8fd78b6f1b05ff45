"""Whether two addresses are one: a postcode holds some fifteen households, so the house within it is looked at too."""

import re
from collections.abc import Collection
from enum import IntEnum

_POSTCODE = re.compile(r"\b[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}\b")
_NUMBER = re.compile(r"\b([0-9]{1,5}[a-z]?)\b")
_LONGEST = 500


class Nearness(IntEnum):
    """How far two addresses agree, likest last."""

    ELSEWHERE = 0
    NEIGHBOUR = 1  # the postcode is the same and the house number is not
    POSTCODE = 2  # the postcode is the same, and one of them gives no house number
    HOUSE = 3


def nearness(
    postcodes: Collection[str], address: str | None, held_postcodes: Collection[str], held_addresses: Collection[str]
) -> Nearness | None:
    """How far a given address and the held ones agree; None where either gives no postcode. Postcodes are canonical."""
    if not postcodes or not held_postcodes:
        return None
    if not set(postcodes) & set(held_postcodes):
        return Nearness.ELSEWHERE
    given = _numbers(address or "")
    held = [numbers for numbers in map(_numbers, held_addresses) if numbers]
    if not given or not held:
        return Nearness.POSTCODE
    return Nearness.HOUSE if any(_same_house(given, numbers) for numbers in held) else Nearness.NEIGHBOUR


def _same_house(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """The last number is the house's, what stands before it the flat's; a flat left out by one of them is no other house."""
    return one[-1] == other[-1] and (len(one) == 1 or len(other) == 1 or one == other)


def _numbers(address: str) -> tuple[str, ...]:
    return tuple(_NUMBER.findall(_POSTCODE.sub(" ", address[:_LONGEST].casefold())))
