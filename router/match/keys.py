"""The keys by which somebody is found: what two records of one person are likely to have in common, whatever else went wrong.

A key is a signed 64-bit number, which both kinds of register hold, so that one narrow index answers for all of them. Names enter as
they sound and as they are spelt, in either order, by their formal forms; addresses with and without their postcode; birth dates in
parts. Two people who share one are no more than candidates. An individual and a query have their keys from the same function,
so that whoever gives everything the register holds finds themself.

``VERSION`` is noted in the register beside the keys. Whoever changes what a key is made of raises it: the register then says that
it must be indexed anew.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from anyascii import anyascii

from router.match.decision import Candidate, Query
from router.match.names import Name, formal_forms, held, metaphone, parts, written

VERSION: Final = 1

# Each kind of key, as people are told of it.
KINDS: Final[Mapping[str, str]] = {
    "email": "email",
    "phone": "phone",
    "local": "the first part of the email",
    "sound": "forename and surname by sound",
    "begun": "forename by sound and the beginning of the surname",
    "first": "initial and surname by sound",
    "bones": "the consonants of the name",
    "letters": "the letters of the name",
    "house": "postcode and house number",
    "door": "house number, street and town",
    "initial": "postcode and an initial",
    "outward": "the first half of the postcode and the surname",
    "street": "house number, street and surname",
    "town": "town and surname",
    "day": "birth date",
    "born": "birth date and surname",
    "birthday": "day and month of birth and the beginning of the surname",
    "named": "birth date and forename",
    "month": "month and year of birth and the beginning of the forename",
    "year": "year of birth and postcode",
}

_BITS: Final = 60  # of a key, below those that tell its version
_MOST_NAMES: Final = 6
_MOST_VALUES: Final = 8
_LONGEST: Final = 500
_POSTCODE: Final = re.compile(r"\b[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}\b")
_HOUSE: Final = re.compile(r"\b([0-9]{1,5})[a-z]?\b[\s,]+([a-z']{2,})")
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")
_VOWELS: Final = str.maketrans("", "", "aeiouyhw")


def individual_keys(individual: Candidate) -> frozenset[int]:
    """The keys under which somebody of the register is held."""
    name = held(individual.given_name, individual.surname)
    return frozenset(map(_number, _texts(individual, (name,), individual.addresses)))


def query_keys(query: Query) -> frozenset[int]:
    """The keys by which whoever wrote a contact is looked for."""
    return frozenset(map(_number, _of_query(query)))


def query_kinds(query: Query) -> dict[int, str]:
    """The same keys, each with what kind it is (``KINDS``)."""
    return {_number(each): each.partition(" ")[0] for each in _of_query(query)}


def email_key(canonical: str) -> int:
    """The key under which all are held who have an email."""
    return _number(f"email {canonical}")


def phone_key(canonical: str) -> int:
    """The key under which all are held who have a phone; its country apart, which is told or not."""
    return _number(f"phone {canonical[-10:]}")


def of_this_version() -> range:
    """Every key that is of this version: its first bits tell it, so that those of another stand apart in the index."""
    first = (VERSION % 16 - 8) << _BITS
    return range(first, first + (1 << _BITS))


def _of_query(query: Query) -> set[str]:
    names = tuple(written(each) for each in query.names[:_MOST_NAMES])
    return _texts(query, names, (query.address,) if query.address else ())


def _texts(one: Candidate | Query, names: tuple[Name, ...], addresses: tuple[str, ...]) -> set[str]:
    """What the keys are hashes of; the first word of each is its kind."""
    readings = tuple(dict.fromkeys(reading for name in names for reading in _readings(name)))
    postcodes = one.postcodes[:_MOST_VALUES]
    found = set(_of_names(readings))
    for email in one.emails[:_MOST_VALUES]:
        found.update(_of_local_part(email))
    for place in _places(postcodes, addresses[:_MOST_VALUES]):
        found.update(_of_place(place, readings))
    if one.date_of_birth:
        found.update(_of_birth(one.date_of_birth, readings, postcodes))
    found.update(f"email {each}" for each in one.emails[:_MOST_VALUES])
    found.update(f"phone {each[-10:]}" for each in one.phones[:_MOST_VALUES])
    return found


class _Reading(NamedTuple):
    """A forename and a surname, either of which may be empty."""

    forename: str
    surname: str


def _readings(name: Name) -> Iterator[_Reading]:
    """The first forename with each part of the surname; of a name on one line with the last word, a single one being either."""
    given, family = parts(name.words), parts(name.surname or ())
    if name.surname is None and len(given) > 1:
        last = parts(name.words[-1:])
        given, family = given[: -len(last)] or given[:1], last
    elif name.surname is None and given:
        yield _Reading("", given[0])
    for part in (*family, "".join(family)) if family else ("",):
        yield _Reading(given[0] if given else "", part)
        if len(given) > 1 and part:
            yield _Reading(given[1], part)


def _of_names(names: Iterable[_Reading]) -> Iterator[str]:
    for name in names:
        if not name.forename or not name.surname:
            continue
        sound = _sound(name.surname)
        for form in formal_forms(name.forename):
            yield f"sound {_pair(_sound(form), sound)}"
            yield f"begun {_sound(form)} {_plain(name.surname)[:3]}"
        yield f"first {_plain(name.forename)[:1]} {sound}"
        yield f"bones {_pair(_bones(name.forename), _bones(name.surname))}"
        yield _letters(name.forename + name.surname)


def _of_local_part(email: str) -> Iterator[str]:
    local = email.partition("@")[0]
    if plain := _NOT_LETTERS.sub("", local):
        yield f"local {plain}"
    words = re.findall("[a-z]+", local)
    if words:
        yield _letters("".join(words))
    if len(words) == 2 and min(map(len, words)) > 1:
        for form in formal_forms(words[0]):
            yield f"sound {_pair(_sound(form), _sound(words[1]))}"
        for form in formal_forms(words[1]):
            yield f"sound {_pair(_sound(words[0]), _sound(form))}"


class _Place(NamedTuple):
    """Where somebody lives, as far as it is said."""

    postcode: str = ""
    number: str = ""
    street: str = ""
    town: str = ""


def _places(postcodes: tuple[str, ...], addresses: tuple[str, ...]) -> Iterator[_Place]:
    yield from (_Place(postcode=each) for each in postcodes)
    for address in addresses:
        line = _POSTCODE.sub(" ", address[:_LONGEST].casefold()).rstrip(", ")
        house = _HOUSE.search(line)
        number, street = (house[1], house[2]) if house else ("", "")
        town = next(
            (part for part in map(str.strip, reversed(line.split(","))) if not part.isdigit()), ""
        )  # another country's postcode
        yield _Place("", number, street, town if town.replace(" ", "").isalpha() else "")
        if number:
            yield from (_Place(postcode=each, number=number) for each in postcodes)


def _of_place(place: _Place, names: Iterable[_Reading]) -> Iterator[str]:
    if place.postcode and place.number:
        yield f"house {place.postcode} {place.number}"
        return
    if place.number and place.street and place.town:
        yield f"door {place.number} {_sound(place.street)} {_sound(place.town)}"
    for name in names:
        sound = _sound(name.surname)
        if place.postcode:
            yield from (f"initial {place.postcode} {each[0]}" for each in (*formal_forms(name.forename), name.surname) if each)
            if sound:
                yield f"outward {place.postcode.partition(' ')[0]} {sound}"
        if place.number and sound:
            yield f"street {place.number} {_sound(place.street)} {sound}"
        if place.town and sound:
            yield f"town {_sound(place.town)} {sound}"


def _of_birth(born: date, names: Iterable[_Reading], postcodes: Iterable[str]) -> Iterator[str]:
    yield f"day {born}"
    for name in names:
        if name.surname:
            yield f"born {born} {_sound(name.surname)}"
            yield f"birthday {born.month} {born.day} {name.surname[:3]}"
        for form in formal_forms(name.forename) if name.forename else ():
            yield f"named {born} {_sound(form)}"
            yield f"month {born.year} {born.month} {form[:3]}"
    yield from (f"year {born.year} {postcode}" for postcode in postcodes)


def _pair(one: str, other: str) -> str:
    """The two of them, whichever stands first."""
    return f"{one} {other}" if one < other else f"{other} {one}"


def _letters(name: str) -> str:
    return f"letters {''.join(sorted(_plain(name)))}"


@lru_cache(maxsize=1 << 14)
def _plain(word: str) -> str:
    return _NOT_LETTERS.sub("", anyascii(word).casefold())


@lru_cache(maxsize=1 << 14)
def _sound(word: str) -> str:
    plain = _plain(word)
    return metaphone(plain) or plain


@lru_cache(maxsize=1 << 14)
def _bones(word: str) -> str:
    """Its first letter and its consonants, none twice in a row."""
    plain = _plain(word)
    return plain[:1] + re.sub(r"(.)\1+", r"\1", plain[1:].translate(_VOWELS))


def _number(key: str) -> int:
    """Signed, as both kinds of register hold it."""
    return _FIRST | int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) >> (64 - _BITS)


_FIRST: Final = of_this_version().start
