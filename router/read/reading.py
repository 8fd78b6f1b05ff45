"""The reading of one contact, as a value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple


class Outcome(StrEnum):
    """What a contact's words ask for."""

    FEEDBACK_RECORD = "feedback_record"
    INTAKE = "intake"
    INVESTIGATORS = "investigators"
    QUERY_ANSWER = "query_answer"
    NO_ACTION = "no_action"
    REVIEW = "review"


class Fact(NamedTuple):
    """Something found, with the rule that found it and the words it stands on."""

    name: str
    value: str
    rule: str
    words: str


class Sign(NamedTuple):
    """A sign of serious harm to somebody, or of a threat to staff."""

    kind: Literal["harm", "threat-to-staff"]
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class ReadIndividual:
    """Who writes, as their words say it."""

    name: str | None = None
    postcode: str | None = None
    phone: str | None = None
    email: str | None = None
    date_of_birth: str | None = None
    address: str | None = None  # the postal address as written, its lines apart by commas


@dataclass(frozen=True, slots=True)
class Reading:
    """All of it. ``restrictions`` are methods that they say must not be used to reach them ('email', 'sms', 'telephone',
    'letter'), with their words; such a wish is obeyed at once. ``evidence`` says why the outcome is what it is.
    """

    outcome: Outcome
    confidence: float  # of ``leaning``: the share of such readings that are right, as measured (docs/reading.md)
    leaning: Outcome | None = None  # what it most likely asks for, where ``outcome`` is review for being unsure
    feedback_type: Literal["service", "decision", "mixed", "praise", "suggestion"] | None = None
    review_criteria: tuple[tuple[str, str], ...] = ()  # criterion, the sentence that shows it
    remedy_sought: str | None = None
    contacted_before: bool | None = None
    case_references: tuple[str, ...] = ()
    organisation_complained_of: str | None = None
    reasonable_adjustments: tuple[str, ...] = ()
    preferred_method: Literal["telephone", "sms", "email", "letter"] | None = None
    restrictions: tuple[tuple[str, str], ...] = ()  # method, words
    signs: tuple[Sign, ...] = ()
    individual: ReadIndividual = ReadIndividual()
    represented: ReadIndividual | None = None  # whom they write for, as they say it; an empty one where nobody is named
    authority: str | None = None  # by what right they say that they do, in their words: a claim
    under_18: str | None = None  # their words that show the writer to be a child
    legal_clock: str | None = None  # 'subject-access', 'freedom-of-information', 'data-protection'
    key_points: tuple[str, ...] = ()  # the person's own sentences
    promises_broken: tuple[str, ...] = ()
    query: str | None = None  # the standing query it asks, such as 'mp-referral'
    queries: tuple[str, ...] = ()  # all that its questions ask, '' for what is no standing query
    seems_spam: bool = False  # reads like spam, without header evidence
    language: str | None = None
    unread: tuple[str, ...] = ()  # why it could not be read in full for risk: 'language', 'garbled', 'empty', …
    evidence: tuple[Fact, ...] = ()

    @property
    def safeguarding(self) -> bool:
        """Whether it shows a risk of serious harm to the writer or somebody else; those who work here count."""
        return bool(self.signs)
