"""What becomes of a contact: what it says, who it is and which case, through rules tried in order; the first that applies decides.

Pure. The rules are the table of DESIGN section 1 and the service model. Urgent is a mark beside any disposition, never one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from ingest.contract import AllocationOutcome, Automatic, Contact, TaskKind, Team
from router.match import Ambiguous, Matched, MatchResult
from router.match.register_view import CaseView, IndividualView
from router.read import Outcome, Reading, Sign


@dataclass(frozen=True, slots=True)
class RecordFeedback:
    """Write a feedback record, or add to one of theirs that is not settled."""

    added_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class HandOff:
    """Pass the contact to a team, or add it to a handoff of theirs that is not settled."""

    team: Team
    added_to: UUID | None = None


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """Answer one general query, by its name; None where it is a query without a name."""

    query: str | None


@dataclass(frozen=True, slots=True)
class InviteToContact:
    """Ask somebody on social media to reach us by telephone, SMS, email, letter or form."""


@dataclass(frozen=True, slots=True)
class HoldForReview:
    """A person decides. ``seems_spam`` goes to the daily list and is not acknowledged by itself."""

    kind: TaskKind = TaskKind.REVIEW
    candidates: tuple[str, ...] = ()
    seems_spam: bool = False


@dataclass(frozen=True, slots=True)
class NoAction:
    """Kept and counted, nothing sent."""


Disposition = RecordFeedback | HandOff | AnswerQuery | InviteToContact | HoldForReview | NoAction


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A record or handoff of theirs that nobody has settled yet."""

    id: UUID
    team: Team | None  # None: a feedback record
    case_reference: str | None


@dataclass(frozen=True, slots=True)
class Allocated:
    """What External Affairs & Strategy decided about a post, and how this version of it stands to the others."""

    outcome: AllocationOutcome
    by: str
    speaks: bool = True  # the one version of several in whose name its writer is invited
    settled: bool = False  # another version has had what comes of it already
    differs: bool = False  # and read as something else


@dataclass(frozen=True, slots=True)
class Situation:
    """All that deciding looks at. ``named`` are the cases the contact names and the register has, ``theirs`` the cases of the
    matched individual, ``unknown_references`` what it names and the register has not.
    """

    contact: Contact
    reading: Reading
    match: MatchResult
    today: date
    individual: IndividualView | None = None
    named: tuple[CaseView, ...] = ()
    theirs: tuple[CaseView, ...] = ()
    unknown_references: tuple[str, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()
    ours: bool = False  # sent from an address of our own
    allocation: Allocated | None = None

    @property
    def case(self) -> CaseView | None:
        """The one case it is about: the one it names, else the matched individual's only open one.

        A reference that the register does not have may be a slip of the pen for any case, so then it is about none for certain.
        """
        if self.named or self.unknown_references:
            return self.named[0] if len(self.named) == 1 and not self.unknown_references else None
        running = [case for case in self.theirs if case.is_open]
        return running[0] if len(running) == 1 else None

    @property
    def proven(self) -> bool:
        """Whether the writer is matched and a party to the case whose authority has been seen."""
        if self.case is None or not isinstance(self.match, Matched):
            return False
        return any(
            party.individual_id == self.match.individual_id
            and (party.role == "complainant" or party.authority == "seen")
            and (party.until is None or party.until >= self.today)
            for party in self.case.parties
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A disposition, the rule that made it, and what it stood on."""

    disposition: Disposition
    rule: str
    version: int
    because: tuple[str, ...]
    case_reference: str | None
    individual_id: str | None
    urgent: tuple[Sign, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: when it applies, what it makes of it, and where it comes from."""

    name: str
    version: int
    source: str
    applies: Callable[[Situation], bool]
    disposition: Callable[[Situation], Disposition]
    because: Callable[[Situation], tuple[str, ...]]


def decide(situation: Situation) -> Decision:
    """The first rule that applies, with the evidence it used. Every situation meets the last rule."""
    rule = next(rule for rule in RULES if rule.applies(situation))
    disposition = rule.disposition(situation)
    linked = situation.match.individual_id if isinstance(situation.match, Matched) else None
    about = situation.case.reference if situation.case and (situation.proven or _links_nothing(disposition)) else None
    return Decision(
        disposition=disposition,
        rule=rule.name,
        version=rule.version,
        because=(*rule.because(situation), *(f"{fact.name}: {fact.rule}" for fact in situation.reading.evidence[:6])),
        case_reference=about,
        individual_id=linked,
        urgent=() if situation.contact.automatic in (Automatic.BOUNCE, Automatic.LIST) else situation.reading.signs,
    )


def _links_nothing(disposition: Disposition) -> bool:
    """A review task may name the case it is unsure about; a record or a handoff names only a proven one."""
    return isinstance(disposition, HoldForReview)


def _says(*outcomes: Outcome) -> Callable[[Situation], bool]:
    return lambda situation: situation.reading.outcome in outcomes


def _because(*sentences: str) -> Callable[[Situation], tuple[str, ...]]:
    return lambda _: sentences


def _reasons_of_match(situation: Situation) -> tuple[str, ...]:
    match = situation.match
    return match.reasons if isinstance(match, Ambiguous) else ()


def not_read(situation: Situation) -> tuple[str, ...]:
    """What of it nobody has read for risk."""
    warned = tuple(warning for warning in situation.contact.warnings if warning.startswith(("not-read", "cut")))
    return (*warned, *(f"not-read: {why}" for why in situation.reading.unread))


def _hold(situation: Situation) -> HoldForReview:
    match = situation.match
    candidates = match.candidates if isinstance(match, Ambiguous) else ()
    if isinstance(match, Matched):
        candidates = (match.individual_id,)
    return HoldForReview(TaskKind.NOT_READ_FOR_RISK if not_read(situation) else TaskKind.REVIEW, candidates)


def _added_to(situation: Situation, team: Team | None) -> UUID | None:
    """The unsettled record or handoff of a proven party about the same case."""
    if not situation.proven or situation.case is None:
        return None
    about = situation.case.reference
    return next((each.id for each in situation.unsettled if each.team == team and each.case_reference == about), None)


def _hand_off(team: Team) -> Callable[[Situation], Disposition]:
    return lambda situation: HandOff(team, _added_to(situation, team))


def _is_theirs(situation: Situation) -> bool:
    """Investigators' matter from somebody who has proved to be a party."""
    return situation.reading.outcome is Outcome.INVESTIGATORS and situation.proven


def _allocated(applies: Callable[[Allocated], bool]) -> Callable[[Situation], bool]:
    return lambda situation: situation.allocation is not None and applies(situation.allocation)


def _who_allocated(situation: Situation) -> str:
    return situation.allocation.by if situation.allocation else "nobody"


def _suspected(situation: Situation) -> tuple[str, ...]:
    return tuple(warning for warning in situation.contact.warnings if warning.startswith("suspected-robot:"))


def _spam_list(situation: Situation) -> Disposition:
    return replace(_hold(situation), seems_spam=True)


RULES: Final = (
    Rule(
        "our-own-mail", 1, "faults-and-bad-input 14: our own acknowledgement looped",
        lambda s: s.ours, lambda _: NoAction(), _because("It was sent from an address of our own."),
    ),
    Rule(
        "robot", 1, "RFC 3834 section 2",
        lambda s: s.contact.automatic is not Automatic.NONE, lambda _: NoAction(),
        lambda s: (f"Its headers say that no person wrote it: {s.contact.automatic.value}.",),
    ),
    Rule(
        "waits-for-allocation", 2, "service model: once allocated by External Affairs & Strategy",
        lambda s: s.contact.to_be_allocated and s.allocation is None, lambda _: HoldForReview(TaskKind.ALLOCATION),
        _because("External Affairs & Strategy has not allocated it yet."),
    ),
    Rule(
        "later-version", 1, "faults-and-bad-input 31: edited posts are kept, version by version",
        _allocated(lambda a: a.settled), lambda _: NoAction(),
        lambda s: ("Its post was allocated before this version of it came, and nobody is answered twice.",
                   *(("It reads as something else than the version before it.",) if s.allocation and s.allocation.differs else ())),
    ),
    Rule(
        "post-deleted", 1, "faults-and-bad-input 32",
        _allocated(lambda a: a.outcome is AllocationOutcome.DELETED), lambda _: NoAction(),
        _because("Whoever wrote it has deleted it, and nothing more is sent."),
    ),
    Rule(
        "allocated-to-nobody", 1, "DESIGN section 1: NoAction",
        _allocated(lambda a: a.outcome is AllocationOutcome.NOBODY), lambda _: NoAction(),
        lambda s: (f"Nothing is to be done about it, {_who_allocated(s)} has decided.",),
    ),
    Rule(
        "allocated", 1, "DESIGN section 1: InviteToContact",
        _allocated(lambda a: a.outcome is AllocationOutcome.CUSTOMER_CARE), lambda _: InviteToContact(),
        lambda s: (f"It is Customer Care's, {_who_allocated(s)} has decided.",),
    ),
    Rule(
        "suspected-robot", 1, "channel facts section 4: to review, never dropped",
        lambda s: bool(_suspected(s)), _spam_list,
        lambda s: ("It came as a program would send it. A person clears the list.", *_suspected(s), *not_read(s)),
    ),
    Rule(
        "not-read", 1, "DESIGN promise 7",
        lambda s: bool(not_read(s)), _hold, lambda s: ("It could not be read in full, so nobody has looked for risk.", *not_read(s)),
    ),
    Rule(
        "reads-like-spam", 1, "DESIGN section 1: NoAction",
        lambda s: s.reading.seems_spam or s.reading.outcome is Outcome.NO_ACTION,
        lambda _: HoldForReview(seems_spam=True),
        _because("It reads like spam, and no header proves it. A person clears the list."),
    ),
    Rule(
        "unsure-what", 1, "labelling guide: review",
        _says(Outcome.REVIEW), _hold, lambda s: ("The reading is not sure what it asks for.", *_reasons_of_match(s)),
    ),
    Rule(
        "unsure-who", 1, "DESIGN promise 3",
        lambda s: isinstance(s.match, Ambiguous) and s.reading.outcome is not Outcome.QUERY_ANSWER,
        _hold, lambda s: ("It may be from somebody in the register, and not enough agrees to say so.", *_reasons_of_match(s)),
    ),
    Rule(
        "query", 1, "service model: answering query not relating to a specific feedback",
        _says(Outcome.QUERY_ANSWER), lambda s: AnswerQuery(s.reading.query), _because("One general question, about no case."),
    ),
    Rule(
        "several-cases", 1, "DESIGN section 1: two requests",
        lambda s: len(s.named) + len(s.unknown_references) > 1, _hold, _because("It names more than one case."),
    ),
    Rule(
        "draft-comments", 1, "service model: draft report comments to Investigators",
        lambda s: _is_theirs(s) and s.case is not None and s.case.is_open, _hand_off(Team.INVESTIGATORS),
        _because("For an open case, from a proven party to it."),
    ),
    Rule(
        "closed-case", 1, "service model: a previous case, open or closed",
        _is_theirs, _hand_off(Team.CASE_OWNER), _because("About a closed case and no feedback, from a proven party to it."),
    ),
    Rule(
        "reference-without-proof", 1, "DESIGN promise 3",
        lambda s: bool(s.named) and not s.proven, _hold,
        _because("It names a case, and nothing proves that the writer is a party to it."),
    ),
    Rule(
        "reference-unknown", 1, "DESIGN section 1: a case reference without proof",
        lambda s: bool(s.unknown_references) and s.reading.outcome is not Outcome.INTAKE, _hold,
        _because("It names a case that the register does not have."),
    ),
    Rule(
        "no-case-found", 1, "DESIGN section 1: a proven party to it",
        _says(Outcome.INVESTIGATORS), _hold, _because("It speaks of a running case, and none of theirs could be told for certain."),
    ),
    Rule(
        "feedback", 1, "service model: creating a feedback record",
        _says(Outcome.FEEDBACK_RECORD), lambda s: RecordFeedback(_added_to(s, None)),
        _because("Feedback on our own service or on a decision of ours."),
    ),
    Rule(
        "intake-names-a-case", 1, "DESIGN section 1: two requests",
        lambda s: s.reading.outcome is Outcome.INTAKE and bool(s.named), _hold,
        _because("It reads as a new enquiry and names a case we have."),
    ),
    Rule(
        "new-enquiry", 1, "service model: new enquiries to Intake",
        _says(Outcome.INTAKE), _hand_off(Team.INTAKE), _because("A new enquiry or complaint about another body."),
    ),
    Rule("nothing-fits", 1, "DESIGN section 1: unsure what", lambda _: True, _hold, _because("No rule fits it.")),
)  # fmt: skip
