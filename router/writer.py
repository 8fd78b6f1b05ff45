"""What a contact says of who writes it: in the forms that are compared, and as a new individual of the register would hold it.

Pure. A new individual is made of nothing but what the writer says of themselves. Where that is not plain (no full name, two names, an
office, an address that its own domain disowns, nothing to find them again by) there is none: it would only have to be merged.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from ingest.contract import Contact, DeclaredFacts, Identifier, as_date, canonical_email, canonical_phone, canonical_postcode
from ingest.ids import derived_id
from router.match import Candidate, Query
from router.match.names import Name, written
from router.match.register_view import IndividualView
from router.read import ReadIndividual, Reading

MADE = "made-"
"""What begins the id of an individual whom the router made; no case system's id may."""
_NOT_AUTHENTICATED = "sender-not-authenticated"
# Words that stand in the name of an office and in nobody's.
_OFFICES: Final = frozenset(
    "advice advocacy advocates association bureau care centre charity citizens clinic college council county department desk direct enquiries group helpdesk hospital info lawyers legal limited llp ltd nhs office organisation partners plc practice reception school secretary service services society solicitors support surgery team trust university".split()  # noqa: SIM905 - a list of words reads better as one
)
_DIGIT = re.compile(r"\d")


def query_of(contact: Contact, reading: Reading) -> Query:
    """What a contact says of who writes, in the forms that are compared; never of somebody they write for.

    What they say and declare is claimed. An address that its own domain disowns (DMARC fail) says nothing of anybody.
    """
    said = reading.individual
    identifiers = () if is_disowned(contact) else contact.sender.identifiers
    emails = [each.canonical for each in identifiers if each.kind == "email"]
    phones = [each.canonical for each in identifiers if each.kind == "phone"]
    return Query(
        names=_present((contact.sender.name, said.name)),
        date_of_birth=_day(said.date_of_birth),
        emails=_present((*emails, canonical_email(said.email) if said.email else None)),
        verified_emails=frozenset(each.canonical for each in identifiers if each.kind == "email" and each.verified_by),
        phones=_present((*phones, canonical_phone(said.phone) if said.phone else None)),
        verified_phones=frozenset(each.canonical for each in identifiers if each.kind == "phone" and each.verified_by),
        postcodes=_present((canonical_postcode(said.postcode) if said.postcode else None,)),
        address=_line(contact.declared) if contact.declared else None,
        case_references=reading.case_references,
    )


def _line(declared: DeclaredFacts) -> str | None:
    """The address on one line, another country's postcode with it."""
    abroad = (declared.postcode,) if declared.postcode and declared.postcode.isdecimal() else ()
    return ", ".join((*declared.address, *abroad)) or None


def is_disowned(contact: Contact) -> bool:
    """Whether the domain of the address it came from says that it did not send it."""
    return any(warning.startswith(_NOT_AUTHENTICATED) for warning in contact.warnings)


def _present(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _day(text: str | None) -> date | None:
    return as_date(text) if text else None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom the register does not know yet, as they present themselves."""

    individual_id: str
    given_name: str
    surname: str
    date_of_birth: date | None
    identifiers: tuple[Identifier, ...]  # emails and phones
    lines: tuple[str, ...]
    postcode: str | None
    language: str | None

    @property
    def name(self) -> str:
        """Both parts of it."""
        return f"{self.given_name} {self.surname}"

    @property
    def address(self) -> str | None:
        """On one line."""
        return ", ".join((*self.lines, *((self.postcode,) if self.postcode else ()))) or None

    def points(self, kind: str) -> tuple[str, ...]:
        """Their canonical emails or phones."""
        return tuple(each.canonical for each in self.identifiers if each.kind == kind)

    def as_candidate(self) -> Candidate:
        """As the contacts behind theirs in a batch are compared with them."""
        postcode = canonical_postcode(self.postcode) if self.postcode else None
        return Candidate(
            self.individual_id, self.given_name, self.surname, self.date_of_birth, self.points("email"), self.points("phone"),
            (postcode,) if postcode else (), (self.address,) if self.address else (),
        )  # fmt: skip

    def as_view(self) -> IndividualView:
        """As the contacts behind theirs in a batch see them."""
        return IndividualView(
            self.individual_id, self.name, self.address, self.points("email"), self.language, written_before=True
        )


def newcomer(contact: Contact, reading: Reading, key: bytes, *, apart: UUID | None = None) -> Newcomer | None:
    """Who writes, where they say so plainly enough to be known again; None where they do not.

    The id follows from their first address and their name, with ``key``, so that two letters of one unknown person which are decided on
    at once make one; ``apart`` gives them one of their own, where a person has said that they are nobody of the register.
    """
    said, names = _said(contact, reading)
    parts = _parts(names)
    if parts is None or is_disowned(contact):
        return None
    given_name, surname = parts
    identifiers = tuple(_identifiers(contact, said))
    declared = contact.declared
    lines = tuple(each.strip() for each in (declared.address if declared else ()) if each.strip())
    lines = lines or ((said.address,) if said.address else ())
    postcode = said.postcode if said.postcode and canonical_postcode(said.postcode) else None
    if not identifiers and not postcode:
        return None
    born = _day(said.date_of_birth)
    known_by = identifiers[0].canonical if identifiers else f"{canonical_postcode(postcode or '')} {' '.join(lines).casefold()}"
    told = "\x1f".join((known_by, " ".join(written(f"{given_name} {surname}").words), f"{born or ''}"))
    id_ = derived_id(apart, "individual") if apart else UUID(bytes=_mark(key, told), version=5)
    return Newcomer(
        f"{MADE}{id_}", given_name, surname, born, identifiers, lines, postcode, contact.language or reading.language
    )


def _mark(key: bytes, told: str) -> bytes:
    return hmac.new(key, f"individual\x1f{told}".encode(), hashlib.sha256).digest()[:16]


def _said(contact: Contact, reading: Reading) -> tuple[ReadIndividual, tuple[str, ...]]:
    """What the writer says of themselves, and every name they give. Of who writes for another only what they declare is theirs for certain."""
    declared = contact.declared
    for_another = contact.on_behalf_of is not None or reading.represented is not None or reading.authority is not None
    if for_another:
        said = ReadIndividual(
            declared.name, declared.postcode, declared.phone, declared.email, declared.date_of_birth
        ) if declared else ReadIndividual()  # fmt: skip
    else:
        said = reading.individual
    return said, _present((said.name, contact.sender.name))


def _identifiers(contact: Contact, said: ReadIndividual) -> Iterable[Identifier]:
    """Emails and phones, those they wrote from first, and each once."""
    found = {(each.kind, each.canonical): each for each in contact.sender.identifiers if each.kind in ("email", "phone")}
    if said.email and (email := canonical_email(said.email)):
        found.setdefault(("email", email), Identifier(kind="email", given=said.email, canonical=email))
    if said.phone and (phone := canonical_phone(said.phone)):
        found.setdefault(("phone", phone), Identifier(kind="phone", given=said.phone, canonical=phone))
    return found.values()


def _parts(names: tuple[str, ...]) -> tuple[str, str] | None:
    """Forenames and surname of the one person whom these names name in full; None where they name none, two, or an office."""
    read = [(each, written(each)) for each in names]
    full = next(((each, name) for each, name in read if name.is_full and not _DIGIT.search(each)), None)
    if full is None:
        return None
    text, chosen = full
    if not _OFFICES.isdisjoint(chosen.words) or not all(_alike(name, chosen) for _, name in read if name.words):
        return None
    return _split(text)


def _alike(one: Name, other: Name) -> bool:
    """Whether they may be one person's: nothing more is asked than that they do not name two."""
    mine, theirs = _in_order(one), _in_order(other)
    if one.is_full:
        return mine[-1] == theirs[-1] and mine[0][0] == theirs[0][0]
    return not set(mine).isdisjoint(theirs)


def _in_order(name: Name) -> tuple[str, ...]:
    return (*name.words, *(name.surname or ()))


def _split(text: str) -> tuple[str, str] | None:
    """A name as it was written into forenames and surname: the last word, what is behind it (Jnr) and what leads up to it (van der)."""
    before, comma, after = (part.strip() for part in text.partition(","))
    if comma and after and written(after).words:
        family, given = before.split(), _untitled(after.split())
    else:
        words = _untitled(before.split())
        last = max((number for number, each in enumerate(words) if written(f"x {each}").words != ("x",)), default=0)
        first = last
        while first > 1 and words[first - 1].islower() and not text.islower():
            first -= 1
        given, family = words[:first], words[first:]
    return (" ".join(given), " ".join(family)) if given and family else None


def _untitled(words: list[str]) -> list[str]:
    while words and not written(words[0]).words:
        words = words[1:]
    return words
