"""Matched, Ambiguous or Unmatched: a posterior over all candidates, and the rule of DESIGN promise 3 as caps above it.

Each comparison of a contact with a candidate stands at a level, and each level speaks so many bits (log2 m/u, Fellegi and Sunter
1969) for this person rather than a stranger, and so many for another of their household. The posterior shares itself out among
all the candidates, their households and everybody else, so two near-equal candidates lower each other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from math import log2
from typing import Final, NamedTuple

from router.match import addresses, likeness, points
from router.match.addresses import Place
from router.match.likeness import Held, Reading
from router.match.names import Generation, written
from router.match.statistics import Statistics
from router.match.weights import Scale, Weights, scale, shipped


class Group(StrEnum):
    """The independent groups of identity."""

    PERSON = "person"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison: which group, whether it agrees or conflicts, and a sentence without anybody's address in it; which
    comparison it was, at which of its levels, and how many bits that speaks for (or, below 0, against) this person.
    """

    group: Group
    agrees: bool
    verified: bool
    because: str
    comparison: str = ""
    level: str = ""
    bits: float = 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """What a contact says of who writes: everything in canonical form, several values where it gave several."""

    names: tuple[str, ...] = ()
    date_of_birth: date | None = None
    emails: tuple[str, ...] = ()
    verified_emails: frozenset[str] = frozenset()
    phones: tuple[str, ...] = ()
    verified_phones: frozenset[str] = frozenset()
    postcodes: tuple[str, ...] = ()
    address: str | None = None
    case_references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody in the register whom a contact may be from, as found by some key. ``holders`` tells of the contact's canonical
    emails and phones how many individuals have each, where more than one has it.
    """

    individual_id: str
    given_name: str | None
    surname: str | None
    date_of_birth: date | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    holders: Mapping[str, int] = field(default_factory=dict[str, int])
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """Enough agrees to link without a person. ``score`` is the posterior, ``weights`` the version it was weighed with."""

    individual_id: str
    score: float
    evidence: tuple[Evidence, ...]
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Somebody it may be, and not enough to say so: a person decides among the candidates, likeliest first. Each has its score
    and its evidence at the same place.
    """

    candidates: tuple[str, ...]
    reasons: tuple[str, ...]
    scores: tuple[float, ...] = ()
    evidence: tuple[tuple[Evidence, ...], ...] = ()
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody in the register comes near."""

    because: str
    weights: str = ""


MatchResult = Matched | Ambiguous | Unmatched

_UNKNOWN: Final = Statistics()
_MOST_NAMES: Final = 6
_MOST_HOLDERS: Final = 4  # what more have is an office's or a switchboard's, and says nothing of anybody
_CASE: Final = 4.0  # no proof, but it says whom to look at first
_VERIFIED: Final = 1.0
_DOUBT: Final = 0.4  # of the doubt that is let pass elsewhere, where it may be father or son
_LEAST: Final = 1e-3  # of the posterior; a candidate with less is not worth a person's look beside others
_DIGITS: Final = 9
_POINTS: Final = ("email", "phone")

_FULL: Final = frozenset(["exact", "nickname", "close"])
_SOMEWHAT: Final = frozenset(["phonetic", "skeleton", "near", "initial"])
_ALIKE: Final = frozenset(["close", "skeleton", "near"])
_AT_HOME: Final = frozenset(["house", "street", "postcode"])
_COMPARED: Final = {"email": points.emails, "phone": points.phones}
_SAME_POINT: Final = frozenset(["exact", "mobile", "landline"])


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query made ready once for all its candidates."""

    query: Query
    names: tuple[tuple[Reading, ...], ...]
    full: tuple[bool, ...]
    generations: frozenset[Generation]
    places: tuple[Place, ...]
    identity: tuple[str, ...]  # the emails behind which no office sits


class _Seen(NamedTuple):
    """One comparison's outcome. ``counts`` is whether it is an identifier that is this person's alone."""

    comparison: str
    level: str
    bits: float
    household: float
    counts: bool = False
    verified: bool = False
    shared: bool = False


class _Judged(NamedTuple):
    """One candidate held against the query. ``bits`` speak for this person, ``household`` for another of their household, both
    against a stranger.
    """

    candidate: Candidate
    seen: Mapping[str, _Seen]
    bits: float
    household: float
    unconfirmed: bool  # an email, a phone or a birth date is given, and what is held confirms none of them
    two_names: bool  # the forenames are alike, and are two names as twins may have and no slip
    other_sex: bool  # the forenames differ, and the one is a man's and the other a woman's
    daughter: bool  # the forename is a woman's: hardly one lives with another of the same
    another_name: bool  # a second full name was given, and it is not theirs
    case: bool

    def level(self, comparison: str) -> str | None:
        """None where there was nothing to compare."""
        found = self.seen.get(comparison)
        return found.level if found else None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The comparisons beside the person that agree and are theirs."""
        return tuple(name for name in ("address", "phone", "email") if name in self.seen and self.seen[name].counts)

    @property
    def points(self) -> tuple[str, ...]:
        """The email and the phone that agree and are theirs alone."""
        return tuple(name for name in self.identifiers if name != "address")

    @property
    def may_be_father_or_son(self) -> bool:
        """Whether nothing but name and address agrees, and the forename is no woman's."""
        return self.identifiers == ("address",) and not self.daughter

    @property
    def moved(self) -> bool:
        """Whether another email or phone is held than the one given."""
        return any(self.level(name) == "different" for name in _POINTS)

    @property
    def born(self) -> bool | None:
        """Whether the birth dates agree; None where they are near, or one is missing."""
        level = self.level("birth date")
        return True if level in {"exact", "new year"} else False if level == "different" else None

    @property
    def alike_in_birth(self) -> bool:
        """Whether the birth dates are there, and not in conflict."""
        return self.level("birth date") not in {None, "different"}

    @property
    def another(self) -> bool:
        """Whether the name given is not theirs."""
        return self.another_name or "different" in (self.level("forename"), self.level("surname"))

    def another_at_home(self, of: Candidate) -> bool:
        """Whether this is another of that person's household, by the surname or the postcode."""
        same_surname = self.candidate.surname is not None and self.candidate.surname == of.surname
        return same_surname or not set(self.candidate.postcodes).isdisjoint(of.postcodes)

    @property
    def another_generation(self) -> bool:
        """Whether junior or senior stands on one side only, and no birth date tells that it is the same person."""
        return self.level("generation") in {"one side", "different"} and not self.born


def match(
    query: Query,
    candidates: Sequence[Candidate],
    statistics: Statistics = _UNKNOWN,
    weights: Weights | None = None,
) -> MatchResult:
    """Who it is, by the posterior and DESIGN promise 3.

    Matched needs one candidate whom the posterior makes all but certain and whom no rule leaves to a person. Ambiguous lists
    those whom a person should consider, likeliest first.
    """
    by = scale(weights or shipped(), statistics.individuals)
    version = by.weights.version
    if not candidates:
        return Unmatched("Nobody in the register comes near to what the contact gives.", version)
    asked = _asked(query)
    judged = [_judge(asked, candidate, by, statistics) for candidate in candidates]
    likely, scores, order = _ranked(judged, by)
    first = order[0]
    if not _comes_near(judged, scores, by):
        return Unmatched("Nobody in the register comes near to what the contact gives.", version)
    short = tuple(_shortfalls(judged, first, likely[first], by))
    if not short:
        best = judged[first]
        return Matched(best.candidate.individual_id, round(likely[first], _DIGITS), tuple(_evidence(best)), version)
    shown = [at for at in order if at == first or scores[at] >= _LEAST * scores[first] or judged[at].points or judged[at].case]
    return Ambiguous(
        tuple(judged[at].candidate.individual_id for at in shown),
        tuple(dict.fromkeys((*short, *_besides(judged[first])))),
        tuple(round(scores[at], _DIGITS) for at in shown),
        tuple(tuple(_evidence(judged[at])) for at in shown),
        version,
    )


class Compared(NamedTuple):
    """One comparison: its level, the bits that it speaks for this person and for another of their household, and what it says."""

    comparison: str
    level: str
    bits: float
    household: float
    because: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """One candidate as a decision weighs them: whatever speaks for them adds up to ``bits``, and with ``Weighing.prior`` to what
    their posterior is the share of. ``score`` ranks and has the case named in it, which ``posterior`` has not, by which it is decided.
    """

    individual_id: str
    compared: tuple[Compared, ...]
    bits: float
    household: float
    case: bool
    posterior: float
    score: float
    held_back: tuple[str, ...]  # what would leave them to a person, were they the likeliest


@dataclass(frozen=True, slots=True)
class Weighing:
    """All that a decision weighs against each other, in bits (log2): ``prior`` for each candidate, ``household`` for another who lives
    with them, and ``stranger`` for everybody else together. ``individuals`` is how many the register is taken to have.
    """

    weights: str
    individuals: int
    automatic: float
    prior: float
    household: float
    stranger: float
    candidates: tuple[Weighed, ...]  # likeliest first


def weighed(
    query: Query, candidates: Sequence[Candidate], statistics: Statistics = _UNKNOWN, weights: Weights | None = None
) -> Weighing:
    """What ``match`` comes by its answer with."""
    by = scale(weights or shipped(), statistics.individuals)
    asked = _asked(query)
    judged = [_judge(asked, candidate, by, statistics) for candidate in candidates]
    likely, scores, order = _ranked(judged, by)
    return Weighing(
        by.weights.version,
        by.individuals,
        by.weights.automatic,
        *_priors(by),
        tuple(
            Weighed(
                each.candidate.individual_id,
                tuple(
                    Compared(seen.comparison, seen.level, seen.bits, seen.household, said.because)
                    for seen, said in zip(each.seen.values(), _evidence(each), strict=True)
                ),
                each.bits,
                each.household,
                each.case,
                likely[at],
                scores[at],
                tuple(dict.fromkeys((*_shortfalls(judged, at, likely[at], by), *_besides(each)))),
            )
            for at in order
            for each in (judged[at],)
        ),
    )


def levels(
    query: Query, candidates: Sequence[Candidate], statistics: Statistics, weights: Weights
) -> Iterator[Mapping[str, str]]:
    """For each candidate at which level each comparison stands, of those that there was something to compare for."""
    by, asked = scale(weights, statistics.individuals), _asked(query)
    for candidate in candidates:
        yield {name: seen.level for name, seen in _judge(asked, candidate, by, statistics).seen.items()}


def readings_of(name: str) -> tuple[Reading, ...]:
    """Every way in which a name on one line can be read."""
    return _written(name)[0]


def _asked(query: Query) -> _Asked:
    names = [name for name in map(_written, query.names[:_MOST_NAMES]) if name[0]]
    return _Asked(
        query,
        tuple(each for each, _, _ in names),
        tuple(full for _, full, _ in names),
        frozenset(generation for _, _, generation in names if generation),
        addresses.places([query.address], query.postcodes) if query.address or query.postcodes else (),
        tuple(each for each in query.emails if not points.is_an_offices(each)),
    )


@lru_cache(maxsize=4096)
def _written(text: str) -> tuple[tuple[Reading, ...], bool, Generation | None]:
    name = written(text)
    return (likeness.readings(name) if name.words or name.surname else ()), name.is_full, name.generation


def _judge(asked: _Asked, candidate: Candidate, by: Scale, statistics: Statistics) -> _Judged:
    theirs = likeness.known(candidate.given_name, candidate.surname)
    seen: dict[str, _Seen] = {}
    another_name = two_names = other_sex = False
    if asked.names and (theirs.given or theirs.surname):
        heard = [_named(each, theirs, by, statistics) for each in asked.names]
        best, two_names, other_sex = heard[0] if len(heard) == 1 else max(heard, key=lambda each: _total(each[0]))
        seen.update((each.comparison, each) for each in best)
        if len(heard) > 1 and not _is_another(best):
            another_name = any(full and _is_another(each) for full, (each, *_) in zip(asked.full, heard, strict=True))
        _note(seen, by, "generation", likeness.generations(asked.generations, theirs.generation))
    query = asked.query
    if query.date_of_birth and candidate.date_of_birth:
        _note(seen, by, "birth date", points.births(query.date_of_birth, candidate.date_of_birth))
    if asked.places and (candidate.addresses or candidate.postcodes):
        level = addresses.likest(asked.places, _places(candidate.addresses, candidate.postcodes))
        _note(seen, by, "address", level)
    if query.phones and candidate.phones:
        seen["phone"] = _pointed("phone", query.phones, query.verified_phones, candidate.phones, candidate.holders, by)
    if asked.identity and candidate.emails:
        seen["email"] = _pointed("email", asked.identity, query.verified_emails, candidate.emails, candidate.holders, by)
    case = bool(query.case_references and candidate.cases) and not set(query.case_references).isdisjoint(candidate.cases)
    confirmed = any(
        seen[name].level not in {"different", "two parts"} for name in ("birth date", "phone", "email") if name in seen
    )
    given = bool(query.date_of_birth or query.phones or asked.identity)
    daughter = bool(theirs.given) and theirs.given[0] in by.weights.women
    bits = household = 0.0
    for each in seen.values():
        bits += each.bits
        household += each.household
    return _Judged(
        candidate, seen, bits, household, given and not confirmed, two_names, other_sex, daughter, another_name, case
    )


@lru_cache(maxsize=1 << 13)
def _places(held: tuple[str, ...], postcodes: tuple[str, ...]) -> tuple[Place, ...]:
    return addresses.places(held, postcodes)


def _note(seen: dict[str, _Seen], by: Scale, comparison: str, level: str | None) -> None:
    if level is not None:
        seen[comparison] = _plain(by)[comparison, level]


@lru_cache(maxsize=32)
def _plain(by: Scale) -> Mapping[tuple[str, str], _Seen]:
    """Every level whose bits do not depend on what agrees at it."""
    return {
        (comparison, level): _Seen(comparison, level, *bits, counts=comparison == "address" and level in _AT_HOME)
        for comparison, levels in by.bits.items()
        for level, bits in levels.items()
    }


def _total(name: Sequence[_Seen]) -> float:
    total = 0.0
    for each in name:
        total += each.bits
    return total


def _is_another(name: Sequence[_Seen]) -> bool:
    return any(each.level == "different" for each in name if each.comparison in {"forename", "surname"})


def _named(readings: Sequence[Reading], theirs: Held, by: Scale, statistics: Statistics) -> tuple[list[_Seen], bool, bool]:
    """The comparisons of a name by the reading that suits best; whether its forename is another that is merely like theirs, and
    whether it is another of the other sex.
    """
    best: list[_Seen] = []
    two_names = other_sex = False
    most = 0.0
    for reading in readings:
        surname = likeness.surnames(reading, theirs)
        if reading.reversed and surname not in _FULL:
            continue
        forename = likeness.forenames(reading.given, theirs.given)
        if reading.reversed and forename not in _FULL:
            continue
        read: list[_Seen] = []
        if forename is not None:
            one, other = reading.given[0], theirs.given[0]
            read.append(_weighed("forename", forename, one, other, by, statistics.forenames))
        if surname is not None:
            read.append(_weighed("surname", surname, reading.family, theirs.family, by, statistics.surnames))
        if (middle := likeness.middles(reading.given, theirs.given)) is not None and forename in _FULL:
            read.append(_plain(by)["middle name", middle])
        if reading.reversed:
            against = _turned(reading, theirs, by, statistics)
            read.append(_Seen("order", "swapped", against, against))
        total = _total(read)
        if not best or total > most:
            best, most = read, total
            two_names = forename in _ALIKE and by.are_two(reading.given[0], theirs.given[0])
            other_sex = forename == "different" and by.weights.of_two_sexes(reading.given[0], theirs.given[0])
        if forename == surname == "exact":
            break
    return best, two_names, other_sex


def _weighed(comparison: str, level: str, one: str, other: str, by: Scale, counts: Mapping[str, int]) -> _Seen:
    """A name's level, rare names speaking louder; a likeness never speaks louder than the same name would."""
    bits, household = by.bits[comparison][level]
    if comparison == "forename" and level in _FULL:
        household += by.namesake(other)  # sons are named after their fathers, daughters seldom after their mothers
    known = by.weights.comparisons[comparison]
    share = known[level].frequency
    if not share:
        return _Seen(comparison, level, bits, household)
    usual, rarity = log2(known["exact"].u), by.frequency(comparison, other, counts.get(other, 1))
    most = by.bits[comparison]["exact"][0] + usual - rarity
    if one != other:
        rarity = max(rarity, by.frequency(comparison, one, counts.get(one, 1)))
    shift = share * (usual - rarity)
    over = max(0.0, bits + shift - most)
    return _Seen(comparison, level, bits + shift - over, household + shift - over)


def _turned(reading: Reading, theirs: Held, by: Scale, statistics: Statistics) -> float:
    """What speaks against a name whose parts changed places: how common it is as it stands, beside how often that happens."""

    def log_frequency(given: str, family: str) -> float:
        return by.frequency("forename", given, statistics.forenames.get(given, 0)) + by.frequency(
            "surname", family, statistics.surnames.get(family, 0)
        )

    as_it_stands = 2 ** log_frequency(reading.parts[0], " ".join(reading.given))
    turned = by.weights.swapped * 2 ** log_frequency(theirs.given[0], theirs.family)
    return log2(turned / (as_it_stands + turned))


def _pointed(
    comparison: str, given: Sequence[str], verified: frozenset[str], held: Sequence[str], holders: Mapping[str, int], by: Scale
) -> _Seen:
    """An email or a phone: the likest of all those given and held, what fewest people share before the others."""
    compare = _COMPARED[comparison]
    best: _Seen | None = None
    for one in given:
        for other in held:
            level = compare(one, other)
            number = holders.get(one, 1)
            if level not in _SAME_POINT:
                found = _plain(by)[comparison, level]
            elif number > _MOST_HOLDERS:
                found = _Seen(comparison, level, 0.0, 0.0, shared=True)
            else:
                bits, household = by.held_by(comparison, level, number)
                proved = one in verified
                found = _Seen(comparison, level, bits + _VERIFIED * proved, household, number == 1, proved, number > 1)
            if best is None or (found.counts, found.bits) > (best.counts, best.bits):
                best = found
    assert best is not None
    return best


def _ranked(judged: Sequence[_Judged], by: Scale) -> tuple[list[float], list[float], list[int]]:
    """Each candidate's posterior, that with the case named counted in, and their places, likeliest first."""
    likely = _posteriors(judged, by, [0.0] * len(judged))
    scores = _posteriors(judged, by, [_CASE * each.case for each in judged]) if any(each.case for each in judged) else likely
    order = sorted(range(len(judged)), key=lambda at: (-scores[at], -judged[at].bits, judged[at].candidate.individual_id))
    return likely, scores, order


def _priors(by: Scale) -> tuple[float, float, float]:
    """In bits: of each candidate, of another of each one's household, and of everybody else together."""
    weights = by.weights
    each = log2(weights.registered / by.individuals)
    other = log2((1 - weights.registered) * weights.household / by.individuals)
    return each, other, log2((1 - weights.registered) * (1 - weights.household))


def _posteriors(judged: Sequence[_Judged], by: Scale, more: Sequence[float]) -> list[float]:
    """Of each candidate, over the whole register, their households and everybody else."""
    each, other, stranger = _priors(by)
    theirs = [one.bits + extra + each for one, extra in zip(judged, more, strict=True)]
    beside = [bits + extra + other for bits, extra in zip(_households(judged), more, strict=True)]
    top = max((*theirs, *beside, stranger))
    own = [2 ** (bits - top) for bits in theirs]
    total = sum(sorted(own)) + sum(sorted(2 ** (bits - top) for bits in beside)) + 2 ** (stranger - top)
    return [one / total for one in own]


def _households(judged: Sequence[_Judged]) -> list[float]:
    """The bits for another of each one's household. Of those who live with the likeliest none speaks louder for it than the likeliest
    does: it is the same home, and whoever else wrote from there has the name of the likeliest by the same chance.
    """
    if not judged:
        return []
    likeliest = max(judged, key=lambda each: (each.bits, each.household))
    home = set(likeliest.candidate.postcodes)
    return [
        each.household if home.isdisjoint(each.candidate.postcodes) else min(each.household, likeliest.household)
        for each in judged
    ]


def _comes_near(judged: Sequence[_Judged], scores: Sequence[float], by: Scale) -> bool:
    """Whether a person should look: it may well be one of them, or it gives what is somebody's alone, or their case. A woman who
    writes from a man's address is not him, whatever they share, unless the birth date is his too.
    """
    near = sum(score for each, score in zip(judged, scores, strict=True) if not each.other_sex or each.alike_in_birth)
    return near >= by.weights.near or any(each.points or each.case for each in judged)


_AGREES: Final[Mapping[str, Mapping[str, str]]] = {
    "forename": {
        "exact": "The forename is the same.",
        "nickname": "One forename is a short form of the other.",
        "close": "The forenames differ by a slip.",
        "phonetic": "The forenames sound alike.",
        "skeleton": "The forenames have the same consonants.",
        "near": "The forenames are somewhat alike.",
        "middle": "The forename is a middle name of the other.",
        "initial": "The forenames agree in an initial only.",
        "different": "The forename is another.",
    },
    "surname": {
        "exact": "The surname is the same.",
        "part": "One surname is a part of the other.",
        "close": "The surnames differ by a slip.",
        "phonetic": "The surnames sound alike.",
        "near": "The surnames are somewhat alike.",
        "initial": "The surnames agree in an initial only.",
        "different": "The surname is another.",
    },
    "middle name": {
        "exact": "A middle name is the same.",
        "initial": "The middle names agree in an initial.",
        "different": "The middle name is another.",
    },
    "order": {"swapped": "Forename and surname stand in each other's place."},
    "generation": {
        "exact": "Both are called junior, or both senior.",
        "one side": "Only one of them is called junior or senior.",
        "different": "One is called junior and the other senior.",
    },
    "birth date": {
        "exact": "The birth date is the same.",
        "new year": "The birth date is the same, and a first of January, which may stand for an unknown day.",
        "year": "The year of birth is the same, and one of them is a first of January, which may stand for an unknown day.",
        "swapped": "Day and month of the birth dates stand in each other's place.",
        "one slip": "The birth dates differ by one figure.",
        "two parts": "Two of day, month and year of birth are the same.",
        "different": "The birth date is another.",
    },
    "address": {
        "house": "The postcode and the house number are the same.",
        "street": "The street and the house number are the same.",
        "postcode": "The postcode is the same.",
        "neighbour": "The postcode or the street is the same and the house number is not.",
        "town": "The town is the same, and one of them says no more.",
        "area": "The first half of the postcode is the same.",
        "elsewhere": "The town is the same, and the address is not.",
        "different": "The address is another.",
    },
    "email": {
        "exact": "The email is theirs.",
        "same name": "The email has the same name at another provider.",
        "one slip": "The email differs by a slip.",
        "different": "The email is another.",
    },
    "phone": {
        "mobile": "The phone is theirs.",
        "landline": "The phone is theirs, and a landline.",
        "one slip": "The phone differs by one figure.",
        "different": "The phone is another.",
    },
}
_GROUPS: Final = {"address": Group.ADDRESS, "phone": Group.PHONE, "email": Group.EMAIL}
_AGAINST: Final = frozenset(["different", "one side", "neighbour", "area", "town", "elsewhere"])


def _evidence(judged: _Judged) -> Iterator[Evidence]:
    for each in judged.seen.values():
        group = _GROUPS.get(each.comparison, Group.PERSON)
        because = _AGREES[each.comparison][each.level]
        if each.shared:
            because = f"Several people share the {each.comparison}, so it proves nothing."
        elif each.verified:
            because = f"{because[:-1]}, and was proved to be the sender's."
        agrees = each.counts if group is not Group.PERSON else each.level not in _AGAINST
        yield Evidence(group, agrees, each.verified, because, each.comparison, each.level, round(each.bits, 2))


def _shortfalls(judged: Sequence[_Judged], first: int, likely: float, by: Scale) -> Iterator[str]:
    """Why the likeliest candidate is left to a person; nothing where they need not be."""
    best = judged[first]
    others = [each for at, each in enumerate(judged) if at != first]
    yield from _conflicts(best, others)
    if best.born is False:
        yield "The birth dates are in conflict."
    if best.another_generation:
        yield "Only one of them is called junior or senior."
    if best.another_name:
        yield "Another name is given as well."
    yield from _shortfalls_of_the_name(best)
    if best.identifiers == ("address",) and best.unconfirmed and not best.another and (best.moved or not best.daughter):
        yield "Only the name and the address agree, which father and son may share; the email, phone or birth date given is new."
    if any(_is_namesake_at_home(each, best) for each in others):
        yield "More than one person fits."
    elif likely < (1 - _DOUBT * (1 - by.weights.automatic) if best.may_be_father_or_son else by.weights.automatic):
        rival = any(each.bits > best.bits - 12 and not each.another for each in others)
        yield "More than one person fits." if rival else "It is likely, and not certain enough."


def _besides(best: _Judged) -> Iterator[str]:
    """What counts for nothing, told where a person is asked."""
    for name in _POINTS:
        if (found := best.seen.get(name)) and found.shared:
            yield f"Several people share the {name}, so it proves nothing."
    if best.case:
        yield "A case reference is no proof."


def _conflicts(best: _Judged, others: Sequence[_Judged]) -> Iterator[str]:
    """What is one person's alone although the name given is not theirs; apart from what a household has in common, where enough
    beside it says who it is.
    """
    settled = not best.another and len(best.identifiers) > (0 if best.born else 1)
    groups = {
        name
        for each in (best, *others)
        if each.another and not (settled and each.another_at_home(best.candidate))
        for name in each.points
    }
    for name in sorted(groups):
        yield f"conflict: the {name} is held for one person and the name given is somebody else's."


def _shortfalls_of_the_name(best: _Judged) -> Iterator[str]:
    forename, surname = best.level("forename"), best.level("surname")
    number, born = len(best.identifiers), best.born is True
    if forename is None and surname is None:
        if number == 1:
            name = best.identifiers[0]
            yield f"{'A' if name == 'phone' else 'An'} {name} alone proves nothing."
        elif number:
            yield "There is no name to compare."
        elif born:
            yield "A birth date alone proves nothing."
        else:
            yield "A case reference alone proves nothing." if best.case else "There is no name to compare."
    elif forename == "different" and surname == "different":
        yield "The name given is another."
    elif forename == "different":
        yield "The surname agrees and the forename does not: it may be another of the household."
    elif surname == "different" and not (forename in _FULL and born and number > 1):
        yield "The forename agrees and the surname does not."
    elif number == 0:
        yield "Only the name and the birth date agree." if born else "A name alone proves nothing."
    elif best.two_names:
        yield "The forenames are alike, and are two names: it may be a twin or another of the household."
    elif forename not in _FULL and born and not best.points:
        yield "The name agrees only in part, and twins have the birth date and the address in common."
    elif (forename not in _FULL or surname in {None, "initial"}) and not born and number < (2 if forename in _SOMEWHAT else 3):
        yield "The name agrees only in part, and too little else does."


def _is_namesake_at_home(one: _Judged, best: _Judged) -> bool:
    """Whether somebody else of the household has the same name and nothing tells them apart, as with father and son."""
    alike = not one.another and one.born is not False and not one.another_generation and one.level("surname") is not None
    return alike and not best.born and not set(one.candidate.postcodes).isdisjoint(best.candidate.postcodes)
