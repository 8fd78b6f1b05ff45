"""The keys by which somebody is found: what two records of one person are likely to have in common, whatever else went wrong.

A key is a signed 64-bit number, which both kinds of register hold, so that one narrow index answers for all of them. Names enter as
they sound and as they are spelt, in either order, by their formal forms; addresses with and without their postcode; birth dates in
parts. Two people who share one are no more than candidates. An individual and a query have their keys from the same function,
so that whoever gives everything the register holds finds themself.

``VERSION`` is noted in the register beside the keys. Whoever changes what a key is made of raises it: the register then says that
it must be indexed anew.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from anyascii import anyascii
from jellyfish import metaphone

from router.match.decision import Query
from router.match.names import Name, formal_forms, held, surname_parts, written

VERSION: Final = 1

_MOST_NAMES: Final = 6
_MOST_VALUES: Final = 8
_LONGEST: Final = 500
_POSTCODE: Final = re.compile(r"\b[a-z]{1,2}[0-9][a-z0-9]? ?[0-9][a-z]{2}\b")
_HOUSE: Final = re.compile(r"\b([0-9]{1,5})[a-z]?\b[\s,]+([a-z']{2,})")
_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")
_VOWELS: Final = str.maketrans("", "", "aeiouyhw")


@dataclass(frozen=True, slots=True)
class Person:
    """What keys are made of. Emails, phones and postcodes are canonical; an address is a line, its town last or before its postcode."""

    names: tuple[Name, ...] = ()
    date_of_birth: date | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def individual_keys(
    given_name: str | None,
    surname: str | None,
    date_of_birth: date | None,
    emails: tuple[str, ...],
    phones: tuple[str, ...],
    postcodes: tuple[str, ...],
    addresses: tuple[str, ...],
) -> frozenset[int]:
    """The keys under which somebody of the register is held."""
    return keys(Person((held(given_name, surname),), date_of_birth, emails, phones, postcodes, addresses))


def query_keys(query: Query) -> frozenset[int]:
    """The keys by which whoever wrote a contact is looked for."""
    names = tuple(written(each) for each in query.names[:_MOST_NAMES])
    addresses = (query.address,) if query.address else ()
    return keys(Person(names, query.date_of_birth, query.emails, query.phones, query.postcodes, addresses))


def keys(person: Person) -> frozenset[int]:
    """Every key of somebody, as far as what they are made of is known."""
    return frozenset(map(_number, _keys(person)))


def _keys(person: Person) -> Iterator[str]:
    names = tuple(dict.fromkeys(reading for name in person.names for reading in _readings(name)))
    postcodes = person.postcodes[:_MOST_VALUES]
    yield from _of_names(names)
    for email in person.emails[:_MOST_VALUES]:
        yield f"email {email}"
        yield from _of_local_part(email)
    for phone in person.phones[:_MOST_VALUES]:
        yield f"phone {phone[-10:]}"
    for place in _places(postcodes, person.addresses):
        yield from _of_place(place, names)
    if person.date_of_birth:
        yield from _of_birth(person.date_of_birth, names, postcodes)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A forename and a surname, either of which may be empty."""

    forename: str
    surname: str


def _readings(name: Name) -> Iterator[_Reading]:
    """The first forename with each part of the surname; of a name on one line, with the last word for a surname, and the first."""
    given, family = surname_parts(name.words), surname_parts(name.surname or ())
    if name.surname is None and len(given) > 1:
        last = surname_parts(name.words[-1:])
        given, family = given[: -len(last)] or given[:1], last
    for part in (*family, "".join(family)) if family else ("",):
        yield _Reading(given[0] if given else "", part)
        if len(given) > 1 and part:
            yield _Reading(given[1], part)


def _of_names(names: Iterable[_Reading]) -> Iterator[str]:
    for name in names:
        if not name.forename or not name.surname:
            continue
        for form in formal_forms(name.forename):
            yield f"sound {_pair(_sound(form), _sound(name.surname))}"
            yield f"begun {_sound(form)} {_plain(name.surname)[:3]}"
        yield f"first {_plain(name.forename)[:1]} {_sound(name.surname)}"
        yield f"bones {_pair(_bones(name.forename), _bones(name.surname))}"
        yield _letters(name.forename + name.surname)


def _of_local_part(email: str) -> Iterator[str]:
    local = email.partition("@")[0]
    yield f"local {_NOT_LETTERS.sub('', local)}"
    words = re.findall("[a-z]+", local)
    yield _letters("".join(words))
    if len(words) == 2 and min(map(len, words)) > 1:
        for form in formal_forms(words[0]):
            yield f"sound {_pair(_sound(form), _sound(words[1]))}"
        for form in formal_forms(words[1]):
            yield f"sound {_pair(_sound(words[0]), _sound(form))}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where somebody lives, as far as it is said."""

    postcode: str = ""
    number: str = ""
    street: str = ""
    town: str = ""


def _places(postcodes: tuple[str, ...], addresses: tuple[str, ...]) -> Iterator[_Place]:
    yield from (_Place(postcode=each) for each in postcodes)
    for address in addresses[:_MOST_VALUES]:
        line = _POSTCODE.sub(" ", address[:_LONGEST].casefold()).rstrip(", ")
        house = _HOUSE.search(line)
        number, street = (house[1], house[2]) if house else ("", "")
        town = line.rpartition(",")[2].strip()
        yield _Place("", number, street, town if town.replace(" ", "").isalpha() else "")
        if number:
            yield from (_Place(postcode=each, number=number) for each in postcodes)


def _of_place(place: _Place, names: Iterable[_Reading]) -> Iterator[str]:
    if place.postcode and place.number:
        yield f"house {place.postcode} {place.number}"
        return
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


@lru_cache(maxsize=65_536)
def _plain(word: str) -> str:
    return _NOT_LETTERS.sub("", anyascii(word).casefold())


@lru_cache(maxsize=65_536)
def _sound(word: str) -> str:
    plain = _plain(word)
    return metaphone(plain) or plain


@lru_cache(maxsize=65_536)
def _bones(word: str) -> str:
    """Its first letter and its consonants, none twice in a row."""
    plain = _plain(word)
    return plain[:1] + re.sub(r"(.)\1+", r"\1", plain[1:].translate(_VOWELS))


def _number(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
