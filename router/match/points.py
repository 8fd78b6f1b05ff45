"""How far two birth dates, two emails and two phones agree."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

import jellyfish

# Likest first. The first of January is what is written where nobody knows the day.
BIRTH: Final = ("exact", "new year", "year", "swapped", "one slip", "two parts", "different")
EMAIL: Final = ("exact", "same name", "one slip", "different")
PHONE: Final = ("mobile", "landline", "one slip", "different")

# What stands before the @ where an office reads the mail: no person's.
_ROLES: Final = frozenset(
    "admin advice advocacy casework caseworker complaints contact enquiries enquiry help helpdesk hello info mail mailbox mp office "  # noqa: SIM905 - a list of words reads better as one
    "post reception secretary support team welfare".split()
)
_OFFICES: Final = re.compile(
    r"(^|[.-])parliament\.(uk|scot|wales)$|\.gov\.(uk|scot|wales)$|citizensadvice|advocacy|solicitor|(^|\.)nhs\.(uk|net)$|lawcent|legal"
)
_WORDS: Final = re.compile(r"[a-z]+")
_DIGITS_AT_END: Final = re.compile(r"[0-9]*$")
_LAST: Final = 10
_YEARS: Final = 10


def births(one: date | None, other: date | None) -> str | None:
    """The level of two birth dates; None where either is missing."""
    if one is None or other is None:
        return None
    if one == other:
        return "new year" if _is_a_year(one) else "exact"
    if _is_a_year(one) or _is_a_year(other):  # it says the year, and no more
        return "year" if one.year == other.year else "different"
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return "swapped"
    left, right = f"{one:%Y%m%d}", f"{other:%Y%m%d}"
    if _one_slip(left, right):
        return "one slip"
    same = (one.year == other.year) + (one.month == other.month) + (one.day == other.day)
    # A year that is far off is no slip of one who knows the day and the month.
    return "two parts" if same == 2 and abs(one.year - other.year) <= _YEARS else "different"


def _is_a_year(born: date) -> bool:
    return (born.month, born.day) == (1, 1)


def _one_slip(one: str, other: str) -> bool:
    """Whether two texts of one length differ in one character, or in two neighbours that changed places."""
    differ = [at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right]
    if len(differ) == 1:
        return True
    return (
        len(differ) == 2
        and differ[1] == differ[0] + 1
        and one[differ[0]] == other[differ[1]]
        and one[differ[1]] == other[differ[0]]
    )


@lru_cache(maxsize=1 << 13)
def is_an_offices(email: str) -> bool:
    """Whether it reads as an address behind which an office sits, who may write for anybody."""
    local, _, host = email.partition("@")
    return not _ROLES.isdisjoint(_WORDS.findall(local)) or bool(_OFFICES.search(host))


def emails(one: str, other: str) -> str:
    """The level of two canonical emails. Digits at the end tell people apart, so a slip in them is no slip."""
    if one == other:
        return "exact"
    name, _, host = one.partition("@")
    other_name, _, other_host = other.partition("@")
    if name == other_name and len(name) > 4:
        return (
            "one slip" if host == other_host or jellyfish.damerau_levenshtein_distance(host, other_host) == 1 else "same name"
        )
    if (
        host == other_host
        and name[:1] == other_name[:1]
        and abs(len(name) - len(other_name)) < 2
        and min(len(name), len(other_name)) > 5
    ):
        digits, other_digits = _DIGITS_AT_END.search(name), _DIGITS_AT_END.search(other_name)
        same_digits = digits and other_digits and digits[0] == other_digits[0]
        if same_digits and jellyfish.damerau_levenshtein_distance(name, other_name) == 1:
            return "one slip"
    return "different"


def phones(one: str, other: str) -> str:
    """The level of two phones in E.164. The last ten digits are compared, as a country may be left out or wrong."""
    left, right = one[-_LAST:], other[-_LAST:]
    if left == right:
        return "mobile" if left[0] == "7" else "landline"
    return "one slip" if len(left) == len(right) and left[:3] == right[:3] and _one_slip(left, right) else "different"


def likest(levels: Iterable[str], order: tuple[str, ...]) -> str | None:
    """Of several levels the likest; None of none."""
    return min(levels, key=order.index, default=None)
