"""Matched, Ambiguous or Unmatched: the rule of DESIGN promise 3 over what agrees and what does not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Group(StrEnum):
    """The independent groups of identity."""

    PERSON = "person"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison: which group, whether it agrees or conflicts, and a sentence without anybody's address in it."""

    group: Group
    agrees: bool
    verified: bool
    because: str


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
    """Somebody it may be, and not enough to say so: a person decides among the candidates, likeliest first."""

    candidates: tuple[str, ...]
    reasons: tuple[str, ...]
    scores: tuple[float, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Nobody in the register comes near."""

    because: str


MatchResult = Matched | Ambiguous | Unmatched


def match(query: Query, candidates: Sequence[Candidate]) -> MatchResult:
    """Who it is, by DESIGN promise 3."""
    raise NotImplementedError
