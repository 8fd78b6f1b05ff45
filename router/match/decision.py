"""Matched, Ambiguous or Unmatched: the rule of DESIGN promise 3 over what agrees and what does not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from router.match.addresses import Nearness, nearness
from router.match.names import Likeness, Name, held, likeness, written
from router.match.statistics import Statistics


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
    """Somebody in the register whom a contact may be from, as found by some key. ``shared`` names the canonical emails and
    phones that other individuals have too.
    """

    individual_id: str
    given_name: str | None
    surname: str | None
    date_of_birth: date | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """Enough agrees to link without a person."""

    individual_id: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Somebody it may be, and not enough to say so: a person decides among the candidates, likeliest first. Each has its score
    and its evidence at the same place.
    """

    candidates: tuple[str, ...]
    reasons: tuple[str, ...]
    scores: tuple[float, ...] = ()
    evidence: tuple[tuple[Evidence, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody in the register comes near."""

    because: str


MatchResult = Matched | Ambiguous | Unmatched


# Bits, near enough to log2 of how much likelier agreement is in the same person than in two taken at random from a register
# of a million; they rank candidates, and what is automatic is decided by groups alone.
_PRIOR: Final = -20.0
_NAME: Final = {Likeness.SAME: 14.0, Likeness.WEAK: 8.0, Likeness.HOUSEHOLD: -6.0, Likeness.DIFFERENT: -12.0}
_PLACE: Final = {Nearness.HOUSE: 13.0, Nearness.POSTCODE: 9.0, Nearness.NEIGHBOUR: 1.0, Nearness.ELSEWHERE: -1.0}
_BORN: Final = {True: 12.0, False: -14.0}
_POINT: Final = 13.0
_VERIFIED: Final = 3.0
_GENERATION: Final = -8.0
_CASE: Final = 4.0  # no proof, but it says whom to look at first


@dataclass(frozen=True, slots=True)
class _Judged:
    """One candidate held against the query."""

    candidate: Candidate
    name: Likeness | None  # None where the query or the register has no name
    another_name: bool  # a second full name was given, and it is not theirs
    born: bool | None
    generation_conflict: bool
    place: Nearness | None
    points: tuple[tuple[Group, bool], ...]  # the email and the phone that agree and are theirs alone; whether verified
    only_shared: tuple[Group, ...]  # agree, and are somebody else's too
    unconfirmed: bool  # an email, a phone or a birth date is given, and what is held confirms none of them
    case: bool

    @property
    def groups(self) -> int:
        """How many groups agree beside the person."""
        return len(self.points) + (self.place in {Nearness.HOUSE, Nearness.POSTCODE})

    @property
    def score(self) -> float:
        """From 0 to 1, and never lower for more that agrees."""
        bits = _PRIOR + (_NAME[self.name] if self.name is not None else 0.0)
        bits += _PLACE[self.place] if self.place is not None else 0.0
        bits += _BORN[self.born] if self.born is not None else 0.0
        bits += sum(_POINT + _VERIFIED * verified for _, verified in self.points)
        bits += _GENERATION * self.generation_conflict + _CASE * self.case
        return round(1.0 / (1.0 + 2.0**-bits), 6)

    @property
    def is_enough(self) -> bool:
        """Whether this may be linked without a person looking, were there nobody else."""
        if self.born is False or self.another_name or (self.generation_conflict and not self.born):
            return False
        if self.name is Likeness.SAME:
            return bool(self.points) or (self.groups > 0 and (self.born is True or not self.unconfirmed))
        if self.name is Likeness.WEAK:
            return self.groups >= (1 if self.born else 2)
        return False

    @property
    def comes_near(self) -> bool:
        """Whether a person should see this candidate."""
        if self.points or self.case:
            return True
        if self.name is Likeness.SAME:
            return self.born is not False or self.groups > 0
        if self.name is Likeness.DIFFERENT:
            return False
        return self.groups > 0 or self.born is True

    @property
    def somebody_elses(self) -> tuple[Group, ...]:
        """What is theirs alone although the name given is not."""
        wrong = self.another_name or self.name in {Likeness.DIFFERENT, Likeness.HOUSEHOLD}
        return tuple(group for group, _ in self.points) if wrong else ()


def match(query: Query, candidates: Sequence[Candidate], statistics: Statistics = Statistics()) -> MatchResult:  # noqa: ARG001, B008
    """Who it is, by DESIGN promise 3.

    Matched needs one candidate alone whose name agrees together with an address, phone or email that is theirs only. Ambiguous
    lists everybody whom a person should consider, likeliest first.
    """
    names = [name for name in map(written, query.names) if name.words] if candidates else []
    judged = [_judge(query, names, candidate) for candidate in candidates]
    near = sorted((each for each in judged if each.comes_near), key=lambda each: (-each.score, each.candidate.individual_id))
    if not near:
        return Unmatched("Nobody in the register comes near to what the contact gives.")
    enough = [each for each in near if each.is_enough]
    conflicts = tuple(_conflicts(near))
    namesake = len(enough) == 1 and any(_is_namesake_at_home(each, enough[0]) for each in near)
    if len(enough) == 1 and not conflicts and not namesake:
        return Matched(enough[0].candidate.individual_id, enough[0].score, tuple(_evidence(enough[0])))
    several = ("More than one person fits.",) if len(enough) > 1 or namesake else ()
    reasons = (*conflicts, *several, *(() if enough else _shortfalls(near[0])))
    return Ambiguous(
        tuple(each.candidate.individual_id for each in near),
        tuple(dict.fromkeys(reasons)),
        tuple(each.score for each in near),
        tuple(tuple(_evidence(each)) for each in near),
    )


def _judge(query: Query, names: Sequence[Name], candidate: Candidate) -> _Judged:
    theirs = held(candidate.given_name, candidate.surname)
    known = bool(theirs.words or theirs.surname)
    likenesses = [likeness(name, theirs) for name in names] if known else []
    best = max(likenesses, default=None)
    generations = {name.generation for name in names} - {None}
    points: list[tuple[Group, bool]] = []
    only_shared: list[Group] = []
    for group, given, verified, on_file in (
        (Group.PHONE, query.phones, query.verified_phones, candidate.phones),
        (Group.EMAIL, query.emails, query.verified_emails, candidate.emails),
    ):
        agreeing = set(given) & set(on_file)
        alone = agreeing - candidate.shared
        if alone:
            points.append((group, bool(alone & verified)))
        elif agreeing:
            only_shared.append(group)
    born = query.date_of_birth == candidate.date_of_birth if query.date_of_birth and candidate.date_of_birth else None
    return _Judged(
        candidate,
        best,
        any(
            name.is_full and each < Likeness.WEAK and each < (best or Likeness.DIFFERENT)
            for name, each in zip(names, likenesses, strict=False)
        ),
        born,
        bool(names) and known and generations != ({theirs.generation} - {None}),
        nearness(query.postcodes, query.address, candidate.postcodes, candidate.addresses),
        tuple(points),
        tuple(only_shared),
        not points and not born and bool(query.emails or query.phones or query.date_of_birth),
        bool(set(query.case_references) & set(candidate.cases)),
    )


def _is_namesake_at_home(one: _Judged, fit: _Judged) -> bool:
    """Whether somebody else of the household has the same name and nothing tells them apart, as with father and son."""
    alike = one is not fit and one.name is Likeness.SAME and one.born is not False and not one.generation_conflict
    return alike and not fit.born and bool(set(one.candidate.postcodes) & set(fit.candidate.postcodes))


def _conflicts(near: Sequence[_Judged]) -> Iterator[str]:
    groups = {group for each in near for group in each.somebody_elses}
    for group in sorted(groups):
        yield f"conflict: the {group} is held for one person and the name given is somebody else's."


_AGREES: Final = {
    Likeness.SAME: "The name is the same.",
    Likeness.WEAK: "The name agrees as far as it goes: a part is missing, an initial, a middle name or out of its place.",
    Likeness.HOUSEHOLD: "The surname is the same and the forename is not, as in one household.",
    Likeness.DIFFERENT: "The name is another.",
}
_PLACES: Final = {
    Nearness.HOUSE: "The postcode and the house number are the same.",
    Nearness.POSTCODE: "The postcode is the same.",
    Nearness.NEIGHBOUR: "The postcode is the same and the house number is not.",
    Nearness.ELSEWHERE: "The postcode is another.",
}


def _evidence(judged: _Judged) -> Iterator[Evidence]:
    if judged.name is not None:
        yield Evidence(Group.PERSON, judged.name >= Likeness.WEAK, verified=False, because=_AGREES[judged.name])
    if judged.born is not None:
        same = "The birth date is the same." if judged.born else "The birth date is another."
        yield Evidence(Group.PERSON, judged.born, verified=False, because=same)
    if judged.generation_conflict:
        yield Evidence(Group.PERSON, agrees=False, verified=False, because="Only one of them is called junior or senior.")
    if judged.place is not None:
        yield Evidence(Group.ADDRESS, judged.place >= Nearness.POSTCODE, verified=False, because=_PLACES[judged.place])
    for group, verified in judged.points:
        proved = ", and was proved to be the sender's" if verified else ""
        yield Evidence(group, agrees=True, verified=verified, because=f"The {group} is theirs{proved}.")
    for group in judged.only_shared:
        yield Evidence(group, agrees=False, verified=False, because=f"Several people share the {group}, so it says nothing.")


def _shortfalls(judged: _Judged) -> Iterator[str]:
    """Why the likeliest candidate is not enough."""
    if judged.born is False:
        yield "The birth dates are in conflict."
    if judged.generation_conflict and not judged.born:
        yield "Only one of them is called junior or senior."
    if judged.another_name:
        yield "Another name is given as well."
    for group in judged.only_shared:
        yield f"Several people share the {group}, so it says nothing."
    match judged.name:
        case Likeness.SAME if judged.groups == 0 and judged.born:
            yield "Only the name and the birth date agree."
        case Likeness.SAME if judged.groups == 0:
            yield "A name alone proves nothing."
        case Likeness.SAME if judged.unconfirmed:
            yield "Only the name and the address agree, which father and son may share; the email, phone or birth date given is new."
        case Likeness.WEAK if judged.groups < 2:
            yield "The name agrees only in part, and too little else does."
        case Likeness.HOUSEHOLD:
            yield "The surname agrees and the forename does not: it may be another of the household."
        case Likeness.DIFFERENT if judged.groups:
            yield "The name given is another."
        case None if judged.groups == 1:
            yield f"{_only(judged)} alone proves nothing."
        case None if judged.groups:
            yield "There is no name to compare."
        case None if judged.born:
            yield "A birth date alone proves nothing."
        case _:
            pass
    if judged.case:
        alone = judged.name in {None, Likeness.DIFFERENT} and judged.groups == 0
        yield "A case reference alone proves nothing." if alone else "A case reference is no proof."


def _only(judged: _Judged) -> str:
    group = judged.points[0][0] if judged.points else Group.ADDRESS
    return f"{'A' if group is Group.PHONE else 'An'} {group}"
