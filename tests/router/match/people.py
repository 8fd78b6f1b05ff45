"""Synthetic British people, a register of some of them, and contacts from these and from others, with the errors people make.

All of it comes from a seed. Names are drawn from ``names.json.gz`` (frequencies from ONS name counts under the Open Government
Licence, Faker under MIT, a list of nicknames under Apache-2.0). Nobody is real, and nothing may be sent to what is in it.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Final

from anyascii import anyascii

COLUMNS: Final = (
    "given_name", "surname", "date_of_birth", "address_1", "address_2", "town", "postcode", "email", "phone",
)  # fmt: skip
Cells = dict[str, str]

_TODAY: Final = date(2026, 6, 1)
_TOWNS: Final = {
    "Aberdeen": "AB", "Bath": "BA", "Birmingham": "B", "Bolton": "BL", "Bradford": "BD", "Brighton": "BN", "Bristol": "BS",
    "Cambridge": "CB", "Cardiff": "CF", "Chester": "CH", "Coventry": "CV", "Derby": "DE", "Dundee": "DD", "Durham": "DH",
    "Exeter": "EX", "Glasgow": "G", "Gloucester": "GL", "Guildford": "GU", "Hull": "HU", "Ipswich": "IP", "Leeds": "LS",
    "Leicester": "LE", "Liverpool": "L", "London": "SE", "Luton": "LU", "Manchester": "M", "Northampton": "NN", "Norwich": "NR",
    "Nottingham": "NG", "Oldham": "OL", "Plymouth": "PL", "Portsmouth": "PO", "Reading": "RG", "Sheffield": "S", "Slough": "SL",
    "Southampton": "SO", "Stockport": "SK", "Swansea": "SA", "Telford": "TF", "Truro": "TR", "Wigan": "WN", "York": "YO",
}  # fmt: skip
_STREETS: Final = (
    "Abbey Acacia Albert Alexandra Ash Beech Birch Bridge Broad Castle Cedar Chapel Cherry Church Cross Duke East Elm Field "
    "Forest Garden George Grange Green Hall Hawthorn High Hill Holly Ivy King Lake Laurel Lime Long Main Manor Maple Market Mill "
    "Moor New North Oak Orchard Park Pine Poplar Priory Queen Ridge River Rose School South Spring Stanley Station Tower Union "
    "Vale Victoria Walnut Water Wellington West Willow Windsor Wood York"
).split()
_KINDS: Final = {
    "Road": "Rd", "Street": "St", "Avenue": "Ave", "Close": "Cl", "Lane": "Ln", "Drive": "Dr", "Gardens": "Gdns", "Court": "Ct",
    "Crescent": "Cres", "Terrace": "Terr", "Way": "Way", "Place": "Pl",
}  # fmt: skip
_HOSTS: Final = (
    "gmail.com",
    "hotmail.com",
    "hotmail.co.uk",
    "outlook.com",
    "yahoo.co.uk",
    "btinternet.com",
    "icloud.com",
    "sky.com",
)
_HOST_WEIGHTS: Final = (40, 12, 10, 12, 12, 6, 5, 3)
_TITLES: Final = ("Mr", "Mrs", "Ms", "Miss", "Dr")
_SCAN: Final = {"rn": "m", "m": "rn", "l": "1", "o": "0", "e": "c", "c": "e", "h": "b", "i": "l", "cl": "d", "u": "v", "g": "q"}
_NEAR: Final = "qwertyuiop asdfghjkl zxcvbnm"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with all that could be known of them."""

    number: int
    household: int
    forename: str
    middle: str
    surname: str
    sex: str
    born: date
    flat: str
    house: str
    street: str
    town: str
    postcode: str
    email: str
    phone: str
    landline: str
    generation: str = ""
    native: tuple[str, str] | None = None  # the name in its own script
    born_as: str = ""
    twin: bool = False


@dataclass(frozen=True, slots=True)
class Noise:
    """How often what is written is not as it is; each a chance from 0 to 1."""

    typo: float = 0.035  # of each name, and half of it of each other field
    scan: float = 0.25  # of each field of a letter
    initial: float = 0.07
    nickname: float = 0.10
    middle: float = 0.03
    swapped: float = 0.018
    no_forename: float = 0.012
    native: float = 0.25  # of those who have one
    maiden: float = 0.035
    moved: float = 0.08
    new_phone: float = 0.14
    new_email: float = 0.14
    others_email: float = 0.08
    representative: float = 0.015
    wrong_birth: float = 0.03
    title: float = 0.12
    shouting: float = 0.07
    held_typo: float = 0.012  # of each name as the register holds it
    households: float = 0.16  # of those who are not in the register: another of a household that is
    twins: float = 0.01
    juniors: float = 0.004
    namesakes: float = 0.012


PLAIN: Final = Noise()
ROUGH: Final = Noise(
    typo=0.08, scan=0.4, initial=0.13, nickname=0.16, middle=0.05, swapped=0.04, no_forename=0.03, native=0.5, maiden=0.06,
    moved=0.16, new_phone=0.22, new_email=0.22, others_email=0.12, representative=0.03, wrong_birth=0.06, held_typo=0.03,
)  # fmt: skip
TRAPS: Final = Noise(households=0.34, twins=0.18, juniors=0.16, namesakes=0.16, representative=0.15)


@dataclass(frozen=True, slots=True)
class Written:
    """One contact: what it says, who wrote it if they are in the register, and of which kind it is."""

    cells: Cells
    person: int | None
    scenario: str
    author: Person


@dataclass(frozen=True, slots=True)
class World:
    """A register and contacts to it."""

    register: dict[int, Cells]
    contacts: list[Written]
    people: dict[int, Person] = field(default_factory=dict[int, Person])


@cache
def names() -> Mapping[str, Any]:
    """The frequencies as they are stored."""
    return json.loads(gzip.decompress((Path(__file__).parent / "names.json.gz").read_bytes()))


@cache
def _table(key: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    pairs = names()["surnames"] if key == "surnames" else names()["forenames"][key]
    return tuple(name for name, _ in pairs), tuple(accumulate(max(1, weight) for _, weight in pairs))


def _drawn(random: Random, key: str) -> str:
    every, weights = _table(key)
    return random.choices(every, cum_weights=weights)[0]


def world(seed: int, register: int, contacts: int, noise: Noise = PLAIN, inside: float = 0.6) -> World:
    """``register`` people of whom we know, and ``contacts``, of which the share ``inside`` are from them."""
    random = Random(seed)
    people, homes = _population(random, register * 2, noise)
    known = {each.number for home in homes for each in home if random.random() < (0.62 if len(home) > 1 else 0.55)}
    known = set(sorted(known)[:register])
    rows = {number: _held(random, people[number], noise) for number in sorted(known)}
    offices = [_office(random) for _ in range(max(4, register // 400))]
    for number in random.sample(sorted(known), len(known) // 150):
        rows[number]["email"] = random.choice(offices)
    others = [each for home in homes for each in home if each.number not in known and any(one.number in known for one in home)]
    inner = sorted(known)
    outer = [each for home in homes if not any(one.number in known for one in home) for each in home]
    written: list[Written] = []
    for _ in range(contacts):
        if random.random() < inside:
            author, scenario = people[random.choice(inner)], "in"
        else:
            author, scenario = _outsider(random, noise, others, outer, people, inner)
        cells = _contact(random, author, homes[author.household] if author.number >= 0 else (), noise)
        if random.random() < (noise.representative if scenario == "in" else noise.representative * 1.6):
            cells["email"] = random.choice(offices)
            scenario += "_rep"
        written.append(Written(cells, author.number if scenario.startswith("in") else None, scenario, author))
    return World(rows, written, people)


def _outsider(
    random: Random,
    noise: Noise,
    others: Sequence[Person],
    outer: Sequence[Person],
    people: Mapping[int, Person],
    inner: Sequence[int],
) -> tuple[Person, str]:
    at = random.random()
    like = people[random.choice(inner)]
    for chance, scenario, made in (
        (noise.households, "out_household", lambda: random.choice(others)),
        (noise.twins, "out_twin", lambda: _twin_of(random, like)),
        (noise.juniors, "out_jrsr", lambda: _junior_of(random, like)),
        (noise.namesakes, "out_samename", lambda: _namesake_of(random, like, random.choice(outer))),
    ):
        if at < chance:
            return made(), scenario
        at -= chance
    return random.choice(outer), "out_stranger"


def _twin_of(random: Random, like: Person) -> Person:
    """Born on the same day into the same home, with a name of the same ring where there is one."""
    cohort = f"{_cohort(like.born.year)}-{like.sex}"
    drawn = {_drawn(random, cohort) for _ in range(40)} - {like.forename}
    near = [each for each in drawn if each[0] == like.forename[0]] or sorted(drawn)
    forename = random.choice(sorted(near)) if near else "Alex"
    return replace(
        like, number=-1, forename=forename, middle="", native=None,
        email=_mail(random, forename, like.surname, like.born), phone=_mobile(random),
    )  # fmt: skip


def _junior_of(random: Random, like: Person) -> Person:
    years = random.choice((-1, 1)) * random.randint(20, 34)
    middle = _drawn(random, f"{_cohort(like.born.year)}-{like.sex}") if random.random() < 0.5 else like.middle
    return replace(
        like, number=-1, born=_birth(random, like.born.year + years), middle=middle, generation="Jnr" if years > 0 else "Snr",
        email=_mail(random, like.forename, like.surname, like.born), phone=_mobile(random),
    )  # fmt: skip


def _namesake_of(random: Random, like: Person, there: Person) -> Person:
    return replace(
        there, number=-1, forename=like.forename, surname=like.surname, native=like.native, middle=there.middle,
        email=_mail(random, like.forename, like.surname, there.born),
    )  # fmt: skip


def _population(random: Random, size: int, noise: Noise) -> tuple[dict[int, Person], list[list[Person]]]:
    people: dict[int, Person] = {}
    homes: list[list[Person]] = []
    while len(people) < size:
        home = _home(random, len(homes), len(people), noise)
        homes.append(home)
        people.update((each.number, each) for each in home)
    return people, homes


def _home(random: Random, household: int, first: int, noise: Noise) -> list[Person]:
    surname, group = _family(random)
    town = random.choice(sorted(_TOWNS))
    house = f"{random.randint(1, 160)}{'a' if random.random() < 0.03 else ''}"
    place: dict[str, Any] = {
        "flat": str(random.randint(1, 20)) if random.random() < 0.15 else "",
        "house": house,
        "street": f"{random.choice(_STREETS)} {random.choice(sorted(_KINDS))}",
        "town": town,
        "postcode": _postcode(random, town),
        "landline": f"01{random.randint(200, 999)}{random.randint(100000, 999999)}" if random.random() < 0.45 else "",
    }
    year = random.randint(1935, 2001)

    def member(forename: str, middle: str, sex: str, born: date, **other: Any) -> Person:
        family = other.pop("surname", surname[0])
        phone = _mobile(random) if born.year < 2014 and random.random() < 0.85 else ""
        email = _mail(random, forename, family, born) if born.year < 2013 and random.random() < 0.85 else ""
        return Person(
            first + len(home), household, forename, middle, family, sex, born, email=email, phone=phone, **place, **other
        )

    home: list[Person] = []
    sex = random.choice(("male", "female"))
    forename, native = _given(random, group, sex, year)
    home.append(
        member(forename, _middle(random, sex, year), sex, _birth(random, year), native=(native, surname[1]) if native else None)
    )
    if random.random() < 0.6:
        partner = "female" if sex == "male" else "male"
        other_year = year + random.randint(-6, 6)
        forename, native = _given(random, group, partner, other_year)
        own = random.random() < 0.28
        theirs = _family(random)[0][0] if own or random.random() < 0.5 else surname[0]
        home.append(
            member(
                forename, _middle(random, partner, other_year), partner, _birth(random, other_year),
                surname=theirs if own else surname[0], born_as="" if own or theirs == surname[0] else theirs,
                native=(native, surname[1]) if native and not own else None,
            )
        )  # fmt: skip
    for _ in range(random.choices((0, 1, 2, 3, 4), (42, 20, 24, 10, 4))[0] if year < 1998 else 0):
        born_in = min(2020, year + random.randint(20, 38))
        sex = random.choice(("male", "female"))
        forename, native = _given(random, group, sex, born_in)
        generation = ""
        elder = home[0]
        if sex == elder.sex and random.random() < 0.012:
            forename, native, generation = elder.forename, None, random.choice(("Jnr", "", ""))
        if any(each.forename == forename for each in home[1:]):
            continue
        born = _birth(random, born_in)
        home.append(
            member(
                forename,
                _middle(random, sex, born_in),
                sex,
                born,
                generation=generation,
                native=(native, surname[1]) if native else None,
            )
        )
        if random.random() < 0.015:
            twin = _twin_of(random, home[-1])
            home[-1] = replace(home[-1], twin=True)
            home.append(replace(twin, number=first + len(home), twin=True))
    return home


def _family(random: Random) -> tuple[tuple[str, str], str]:
    """A surname, with itself in its own script where that is another, and the group it belongs to."""
    if random.random() < 0.78:
        surname = _drawn(random, "surnames")
        if random.random() < 0.025:
            surname = f"{surname}-{_drawn(random, 'surnames')}"
        return (surname, ""), ""
    groups = names()["group_weights"]
    group = random.choices(list(groups), list(groups.values()))[0]
    return _from_group(random, names()["groups"][group]["s"]), group


def _from_group(random: Random, some: Any) -> tuple[str, str]:
    if isinstance(some, dict):
        native = random.choice(list(some))
        return random.choice(some[native].split()), native
    given = random.choice(some)
    plain = anyascii(given)
    return (given, "") if sum(ord(each) > 0x250 for each in given) == 0 else (plain, given)


def _given(random: Random, group: str, sex: str, year: int) -> tuple[str, str]:
    """A forename, and it in its own script where that is another."""
    if not group or random.random() < 0.25:
        return _drawn(random, f"{_cohort(year)}-{sex}"), ""
    some = names()["groups"][group]
    return _from_group(random, some.get("g") or some["m" if sex == "male" else "f"])


def _cohort(year: int) -> int:
    return min((1925, 1945, 1960, 1975, 1985, 1996, 2002, 2008, 2013), key=lambda each: abs(each - year))


def _middle(random: Random, sex: str, year: int) -> str:
    return _drawn(random, f"{_cohort(year)}-{sex}") if random.random() < 0.65 else ""


def _birth(random: Random, year: int) -> date:
    return date(year, 1, 1) + timedelta(random.randrange(365))


def _postcode(random: Random, town: str) -> str:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    return f"{_TOWNS[town]}{random.randint(1, 22)} {random.randint(0, 9)}{random.choice(letters)}{random.choice(letters)}"


def _mobile(random: Random) -> str:
    return f"07{random.randint(100000000, 999999999)}"


def _mail(random: Random, forename: str, surname: str, born: date) -> str:
    first, last = (_plain(each) for each in (forename, surname))
    digits = random.choice(("", "", f"{born.year % 100:02}", str(born.year), str(random.randint(1, 999))))
    shape = random.choice(
        (f"{first}.{last}", f"{first}{last}", f"{first[:1]}{last}", f"{last}.{first[:1]}", f"{first}_{last}", first)
    )
    if random.random() < 0.06:
        shape = f"{_plain(random.choice(_STREETS))}{_plain(random.choice(_STREETS))}"
    if shape == first and not digits:
        digits = str(random.randint(10, 9999))
    return f"{shape or 'me'}{digits}@{random.choices(_HOSTS, _HOST_WEIGHTS)[0]}"


def _office(random: Random) -> str:
    role = random.choice(("office", "advice", "casework", "enquiries", "info", f"{_plain(_drawn(random, 'surnames'))}.mp"))
    return f"{role}@{_plain(_drawn(random, 'surnames'))}{random.choice(('cab', 'law', 'advice', 'support'))}.example.org"


def _plain(name: str) -> str:
    return "".join(each for each in anyascii(name).lower() if each.isalpha())


def _held(random: Random, person: Person, noise: Noise) -> Cells:
    """The row of the register: seldom all, seldom wrong."""
    given = person.forename
    if person.middle and random.random() < 0.3:
        given += f" {person.middle if random.random() < 0.6 else person.middle[0]}"
    if random.random() < 0.025:
        given = given[0]
    surname = person.surname
    if person.born_as and random.random() < 0.15:
        surname = person.born_as
    if person.generation and random.random() < 0.3:
        surname += f" {person.generation}"
    born = person.born
    if random.random() < 0.03:
        born = date(born.year, 1, 1)
    cells = {
        **dict.fromkeys(COLUMNS, ""),
        "given_name": _slip(random, given, noise.held_typo),
        "surname": _slip(random, surname, noise.held_typo),
        "date_of_birth": born.isoformat() if random.random() < 0.42 else "",
        "email": person.email if random.random() < 0.62 else "",
        "phone": (person.landline if random.random() < 0.3 and person.landline else person.phone)
        if random.random() < 0.68
        else "",
    }
    if random.random() < 0.92:
        cells |= _address(random, person, abbreviate=0.15)
        if random.random() < 0.03:
            cells["postcode"] = ""
    if random.random() < 0.05:
        cells = {key: value.upper() if key in {"given_name", "surname"} else value for key, value in cells.items()}
    return cells


def _address(random: Random, person: Person, abbreviate: float) -> Cells:
    name, _, kind = person.street.rpartition(" ")
    street = f"{person.house} {name} {_KINDS[kind] if random.random() < abbreviate else kind}"
    first, second = street, ""
    if person.flat:
        way = random.random()
        if way < 0.4:
            first, second = f"Flat {person.flat}", street
        elif way < 0.7:
            first = f"Flat {person.flat}, {street}"
        elif way < 0.85:
            first = f"{person.flat}/{street}"
    postcode = person.postcode
    if random.random() < 0.25:
        postcode = random.choice((postcode.replace(" ", ""), postcode.lower()))
    return {"address_1": first, "address_2": second, "town": person.town, "postcode": postcode}


# What each channel gives: the chance of a birth date, an address, an email and a phone.
_CHANNELS: Final = {
    "email": (0.06, 0.22, 1.0, 0.3),
    "webform": (0.38, 0.72, 0.72, 0.62),
    "letter": (0.12, 0.96, 0.06, 0.16),
    "phone": (0.3, 0.45, 0.12, 0.92),
    "social": (0.01, 0.03, 0.03, 0.03),
}
_CHANNEL_WEIGHTS: Final = (30, 32, 22, 11, 5)


def _contact(random: Random, person: Person, home: Sequence[Person], noise: Noise) -> Cells:
    """What they write, on a channel drawn at random."""
    channel = random.choices(list(_CHANNELS), _CHANNEL_WEIGHTS)[0]
    birth, address, email, phone = _CHANNELS[channel]
    slips: Callable[[str, float], str] = lambda text, rate: _slip(random, text, rate)  # noqa: E731 - one line, used six times
    cells = dict.fromkeys(COLUMNS, "")
    cells |= _name(random, person, noise)
    if random.random() < birth:
        cells["date_of_birth"] = _misdated(random, person.born, noise.wrong_birth).isoformat()
    if random.random() < address:
        there = person
        if random.random() < noise.moved:
            there = _home(random, 0, 0, noise)[0]
        cells |= _address(random, there, abbreviate=0.3)
        cells["address_1"], cells["town"] = slips(cells["address_1"], noise.typo / 2), slips(cells["town"], noise.typo / 2)
        if random.random() < 0.06:
            cells["postcode"] = ""
        elif random.random() < 0.1:
            cells |= dict.fromkeys(("address_1", "address_2", "town"), "")
        cells["postcode"] = slips(cells["postcode"], noise.typo / 4)
    if random.random() < email:
        cells["email"] = person.email
        theirs = [each.email for each in home if each.email and each.number != person.number]
        if not person.email or random.random() < noise.new_email:
            cells["email"] = _mail(random, person.forename, person.surname, person.born)
        if theirs and (person.born.year > 2012 or random.random() < noise.others_email):
            cells["email"] = random.choice(theirs)
        if channel != "email" and random.random() < noise.typo:
            local, _, host = cells["email"].partition("@")
            cells["email"] = f"{_slip(random, local, 1).replace(' ', '')}@{host}"
    if random.random() < phone:
        cells["phone"] = person.landline if person.landline and (not person.phone or random.random() < 0.3) else person.phone
        if not cells["phone"] or random.random() < noise.new_phone:
            cells["phone"] = _mobile(random)
        if random.random() < noise.typo / 2:
            at = random.randrange(2, len(cells["phone"]))
            cells["phone"] = cells["phone"][:at] + str(random.randint(0, 9)) + cells["phone"][at + 1 :]
        if random.random() < 0.3:
            cells["phone"] = f"+44 {cells['phone'][1:5]} {cells['phone'][5:]}"
    if channel == "letter":
        for column in ("given_name", "surname", "address_1", "address_2", "town", "postcode"):
            if cells[column] and random.random() < noise.scan / 3:
                cells[column] = _scanned(random, cells[column])
    return cells


def _name(random: Random, person: Person, noise: Noise) -> Cells:
    given, surname = person.forename, person.surname
    if random.random() < noise.nickname and (short := names()["nicknames"].get(given)):
        given = random.choice(short)
    elif person.middle and random.random() < noise.middle:
        given = person.middle
    elif random.random() < noise.initial:
        given = f"{given[0]}{random.choice(('', '.'))}"
    elif person.middle and random.random() < 0.12:
        given += f" {person.middle if random.random() < 0.5 else person.middle[0]}"
    if person.sex == "female" and random.random() < noise.maiden:
        surname = person.born_as or _drawn(random, "surnames")
    elif "-" in surname and random.random() < 0.3:
        surname = random.choice(surname.split("-"))
    elif person.sex == "female" and random.random() < noise.maiden / 4:
        surname = f"{surname}-{_drawn(random, 'surnames')}"
    if person.native and all(person.native) and random.random() < noise.native:
        given, surname = person.native
    given, surname = _slip(random, given, noise.typo), _slip(random, surname, noise.typo)
    if any(ord(each) > 0xBF for each in given + surname) and random.random() < 0.4:
        given, surname = anyascii(given), anyascii(surname)
    if person.generation and random.random() < 0.35:
        surname += f" {person.generation}"
    if random.random() < noise.title:
        given = f"{random.choice(_TITLES)} {given}"
    if random.random() < noise.swapped:
        given, surname = surname, given
    if random.random() < noise.no_forename:
        given = random.choice(("", "Mr", "Mrs"))
    elif random.random() < noise.no_forename / 2:
        surname = ""
    if random.random() < noise.shouting:
        shape = random.choice((str.upper, str.lower))
        given, surname = shape(given), shape(surname)
    return {"given_name": given, "surname": surname}


def _misdated(random: Random, born: date, rate: float) -> date:
    if random.random() >= rate:
        return born
    match random.randrange(4):
        case 0 if born.day <= 12:
            return date(born.year, born.day, born.month)
        case 1:
            return born.replace(year=born.year + random.choice((-10, -1, 1, 10)), day=min(born.day, 28))
        case 2:
            return born.replace(day=random.randint(1, 28))
        case _:
            return born.replace(month=random.randint(1, 12), day=min(born.day, 28))


def _slip(random: Random, text: str, rate: float) -> str:
    """With that chance one letter wrong: left out, doubled, turned with its neighbour, or the key beside it."""
    if len(text) < 4 or random.random() >= rate:
        return text
    at = random.randrange(1, len(text) - 1)
    match random.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + text[at] + text[at:]
        case 2:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case _:
            place = _NEAR.find(text[at].lower())
            return text[:at] + (_NEAR[place - 1] if place > 0 and _NEAR[place - 1] != " " else "e") + text[at + 1 :]


def _scanned(random: Random, text: str) -> str:
    """As a scanner reads it."""
    found = [(at, seen) for seen in _SCAN for at in range(len(text)) if text.lower().startswith(seen, at)]
    if not found:
        return text
    at, seen = random.choice(found)
    return text[:at] + _SCAN[seen] + text[at + len(seen) :]


def frequencies(rows: Mapping[int, Cells], key: Callable[[Cells], str]) -> Counter[str]:
    """How many rows have each value."""
    return Counter(map(key, rows.values()))
