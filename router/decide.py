"""What becomes of a contact: what it says, who it is and which case, through rules tried in order; the first that applies decides.

Pure. ``RULES``, at the end, is the table of DESIGN section 1 in the words of the service model; docs/deciding.md shows it. Urgent is a
mark beside any disposition, never one.
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


MOST_CANDIDATES: Final = 5
"""Whom a person is asked about; of more nobody would look at the last."""


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
        """The one case it is about; None where that is not certain."""
        return _one_case(self.named, self.unknown_references, self.theirs)

    @property
    def proven(self) -> bool:
        """Whether the writer is matched and a party to the case whose authority has been seen."""
        return self.case is not None and isinstance(self.match, Matched) and _has_party(self.case, self.match, self.today)


def _one_case(named: tuple[CaseView, ...], unknown: tuple[str, ...], theirs: tuple[CaseView, ...]) -> CaseView | None:
    """The one it names, else the matched individual's only open one.

    A reference that the register does not have may be a slip of the pen for any case, so then it is about none for certain.
    """
    if unknown:
        return None
    found = named or tuple(case for case in theirs if case.is_open)
    return found[0] if len(found) == 1 else None


def _has_party(case: CaseView, match: Matched, today: date) -> bool:
    return any(
        party.individual_id == match.individual_id
        and (party.role == "complainant" or party.authority == "seen")
        and (party.until is None or party.until >= today)
        for party in case.parties
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


def _nothing(_: Situation) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``when`` says in a sentence what ``applies`` asks, and is the reason given where it does, with what ``adds`` adds;
    ``looks_at`` are the facts it asks about, each as a sentence that says how they are in a situation. Of ``source`` what stands
    in quotation marks is word for word.
    """

    name: str
    version: int
    source: str
    when: str
    applies: Callable[[Situation], bool]
    looks_at: tuple[Callable[[Situation], str], ...]
    becomes: Callable[[Situation], Disposition]
    adds: Callable[[Situation], tuple[str, ...]] = _nothing


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule that was tried on a situation, whether it applied, and how the facts were that it looked at."""

    rule: Rule
    applied: bool
    saw: tuple[str, ...]


def decide(situation: Situation) -> Decision:
    """What the first rule that applies makes of it, with the evidence it used. Every situation meets the last rule."""
    rule = next(rule for rule in RULES if rule.applies(situation))
    disposition = rule.becomes(situation)
    case, match = situation.case, situation.match
    return Decision(
        disposition=disposition,
        rule=rule.name,
        version=rule.version,
        because=(rule.when, *rule.adds(situation), *(f"{fact.name}: {fact.rule}" for fact in situation.reading.evidence[:6])),
        case_reference=case.reference if case and (situation.proven or _links_nothing(disposition)) else None,
        individual_id=match.individual_id if isinstance(match, Matched) else None,
        urgent=() if situation.contact.automatic in (Automatic.BOUNCE, Automatic.LIST) else situation.reading.signs,
    )


def trials(situation: Situation) -> tuple[Trial, ...]:
    """The rules as ``decide`` tries them, the last of them the one that decides; those behind it are not tried."""
    tried: list[Trial] = []
    for rule in RULES:
        applied = rule.applies(situation)
        tried.append(Trial(rule, applied, tuple(fact(situation) for fact in rule.looks_at)))
        if applied:
            break
    return tuple(tried)


def _links_nothing(disposition: Disposition) -> bool:
    """A review task may name the case it is unsure about; a record or a handoff names only a proven one."""
    return isinstance(disposition, HoldForReview)


# The facts that rules look at, as sentences. None holds a sentence of theirs.


def _sender(s: Situation) -> str:
    return f"It was {'' if s.ours else 'not '}sent from an address of our own."


def _headers(s: Situation) -> str:
    automatic = s.contact.automatic
    return "No header says that a program wrote it." if automatic is Automatic.NONE else f"Its headers say: {automatic.value}."


def _allocation(s: Situation) -> str:
    if not s.allocation:
        waits = "a post that nobody has allocated" if s.contact.to_be_allocated else "no post that is to be allocated"
        return f"It is {waits}."
    earlier = ", and another version of it before" if s.allocation.settled else ""
    return f"It is a post that {s.allocation.by} has allocated ({s.allocation.outcome.value}){earlier}."


def _arrival(s: Situation) -> str:
    return "; ".join(_suspected(s)) or "Nothing about its arrival suggests a program."


def _legible(s: Situation) -> str:
    return "; ".join(not_read(s)) or "All of it could be read."


def _asks_for(s: Situation) -> str:
    spam = ", and like spam" if s.reading.seems_spam else ""
    return f"It reads as {s.reading.outcome.value}, {s.reading.confidence:.0%} sure{spam}."


def _writer(s: Situation) -> str:
    match s.match:
        case Matched():
            return f"It is from {s.match.individual_id}."
        case Ambiguous():
            return f"It may be from {' or '.join(s.match.candidates) or 'somebody in the register'}."
        case _:
            return "Nobody in the register comes near."


def _names(s: Situation) -> str:
    known = tuple(f"{case.reference} ({case.status})" for case in s.named)
    unknown = tuple(f"{each} (not in the register)" for each in s.unknown_references)
    return f"It names {' and '.join((*known, *unknown)) or 'no case'}."


def _about(s: Situation) -> str:
    if s.case is None:
        return "Which case it is about is not certain."
    proof = "its writer is a proven party to it" if s.proven else "nothing proves that its writer is a party to it"
    return f"It is about {s.case.reference} ({s.case.status}), and {proof}."


def _suspected(s: Situation) -> tuple[str, ...]:
    return tuple(warning for warning in s.contact.warnings if warning.startswith("suspected-robot:"))


def _whose(s: Situation) -> str:
    return "; ".join(_sender_untold(s)) or "It tells who sent it."


def _sender_untold(s: Situation) -> tuple[str, ...]:
    return tuple(warning for warning in s.contact.warnings if warning.startswith("sender:"))


def not_read(situation: Situation) -> tuple[str, ...]:
    """What of it nobody has read for risk."""
    warned = tuple(warning for warning in situation.contact.warnings if warning.startswith(("not-read", "cut")))
    return (*warned, *(f"not-read: {why}" for why in situation.reading.unread))


# When a rule applies.


def _is_our_own(s: Situation) -> bool:
    return s.ours


def _is_automatic(s: Situation) -> bool:
    return s.contact.automatic is not Automatic.NONE


def _is_unallocated(s: Situation) -> bool:
    return s.contact.to_be_allocated and s.allocation is None


def _follows_a_version(s: Situation) -> bool:
    return s.allocation is not None and s.allocation.settled


def _is_deleted(s: Situation) -> bool:
    return s.allocation is not None and s.allocation.outcome is AllocationOutcome.DELETED


def _is_nobodys(s: Situation) -> bool:
    return s.allocation is not None and s.allocation.outcome is AllocationOutcome.NOBODY


def _is_customer_cares(s: Situation) -> bool:
    return s.allocation is not None and s.allocation.outcome is AllocationOutcome.CUSTOMER_CARE


def _is_suspected(s: Situation) -> bool:
    return bool(_suspected(s))


def _is_not_read(s: Situation) -> bool:
    return bool(not_read(s))


def _reads_like_spam(s: Situation) -> bool:
    return s.reading.seems_spam or s.reading.outcome is Outcome.NO_ACTION


def _is_untold(s: Situation) -> bool:
    return bool(_sender_untold(s))


def _says_nothing_clear(s: Situation) -> bool:
    return s.reading.outcome is Outcome.REVIEW


def _is_of_one_of_several(s: Situation) -> bool:
    return isinstance(s.match, Ambiguous) and s.reading.outcome is not Outcome.QUERY_ANSWER


def _is_a_query(s: Situation) -> bool:
    return s.reading.outcome is Outcome.QUERY_ANSWER


def _names_several(s: Situation) -> bool:
    return len(s.named) + len(s.unknown_references) > 1


def _is_for_an_open_case(s: Situation) -> bool:
    return _is_for_a_case(s) and s.case is not None and s.case.is_open


def _is_for_a_case(s: Situation) -> bool:
    return s.reading.outcome is Outcome.INVESTIGATORS and s.proven


def _names_without_proof(s: Situation) -> bool:
    return bool(s.named) and not s.proven


def _names_an_unknown(s: Situation) -> bool:
    return bool(s.unknown_references) and s.reading.outcome is not Outcome.INTAKE


def _is_for_no_certain_case(s: Situation) -> bool:
    return s.reading.outcome is Outcome.INVESTIGATORS


def _is_feedback(s: Situation) -> bool:
    return s.reading.outcome is Outcome.FEEDBACK_RECORD


def _is_new_and_names_a_case(s: Situation) -> bool:
    return s.reading.outcome is Outcome.INTAKE and bool(s.named)


def _is_new(s: Situation) -> bool:
    return s.reading.outcome is Outcome.INTAKE


def _always(_: Situation) -> bool:
    return True


# What it makes of the contact.


def _leave(_: Situation) -> NoAction:
    return NoAction()


def _wait(_: Situation) -> HoldForReview:
    return HoldForReview(TaskKind.ALLOCATION)


def _invite(_: Situation) -> InviteToContact:
    return InviteToContact()


def _hold(s: Situation) -> HoldForReview:
    match s.match:
        case Ambiguous():
            candidates = s.match.candidates[:MOST_CANDIDATES]
        case Matched(individual_id=individual):
            candidates = (individual,)
        case _:
            candidates = ()
    return HoldForReview(TaskKind.NOT_READ_FOR_RISK if not_read(s) else TaskKind.REVIEW, candidates)


def _hold_on_the_list(s: Situation) -> HoldForReview:
    return replace(_hold(s), seems_spam=True)


def _list(_: Situation) -> HoldForReview:
    return HoldForReview(seems_spam=True)


def _answer(s: Situation) -> AnswerQuery:
    return AnswerQuery(s.reading.query)


def _record(s: Situation) -> RecordFeedback:
    return RecordFeedback(_added_to(s, None))


def _to_intake(_: Situation) -> HandOff:
    """Always by itself: what is new may be about another body than what they wrote of before."""
    return HandOff(Team.INTAKE)


def _to_investigators(s: Situation) -> HandOff:
    return HandOff(Team.INVESTIGATORS, _added_to(s, Team.INVESTIGATORS))


def _to_case_owner(s: Situation) -> HandOff:
    return HandOff(Team.CASE_OWNER, _added_to(s, Team.CASE_OWNER))


def _added_to(s: Situation, team: Team | None) -> UUID | None:
    """The unsettled record or handoff of a proven party about the same case."""
    case = s.case if s.proven else None
    if case is None:
        return None
    return next((each.id for each in s.unsettled if each.team == team and each.case_reference == case.reference), None)


# What else it gives as a reason.


def _which_robot(s: Situation) -> tuple[str, ...]:
    return (_headers(s),)


def _reads_otherwise(s: Situation) -> tuple[str, ...]:
    return ("It reads as something else than the version before it.",) if s.allocation and s.allocation.differs else ()


def _who_said_so(s: Situation) -> tuple[str, ...]:
    return (_allocation(s),)


def _why_suspected(s: Situation) -> tuple[str, ...]:
    return (*_suspected(s), *not_read(s))


def _why_ambiguous(s: Situation) -> tuple[str, ...]:
    return s.match.reasons if isinstance(s.match, Ambiguous) else ()


RULES: Final = (
    Rule(
        "our-own-mail", 1, "faults-and-bad-input 14: our own acknowledgement looped",
        "It was sent from an address of our own.",
        _is_our_own, (_sender,), _leave,
    ),
    Rule(
        "robot", 1, "DESIGN section 1: “automatic replies, bounces, lists, by header or bounce evidence”; RFC 3834 section 2",
        "Its headers say that no person wrote it.",
        _is_automatic, (_headers,), _leave, _which_robot,
    ),
    Rule(
        "waits-for-allocation", 2, "service model: “Once communication has been allocated by External Affairs & Strategy”",
        "External Affairs & Strategy has not allocated it yet.",
        _is_unallocated, (_allocation,), _wait,
    ),
    Rule(
        "later-version", 1, "faults-and-bad-input 31: edited posts are kept, version by version",
        "Its post was allocated before this version of it came, and nobody is answered twice.",
        _follows_a_version, (_allocation,), _leave, _reads_otherwise,
    ),
    Rule(
        "post-deleted", 1, "faults-and-bad-input 32: a post that its writer deletes",
        "Whoever wrote it has deleted it, and nothing more is sent.",
        _is_deleted, (_allocation,), _leave, _who_said_so,
    ),
    Rule(
        "allocated-to-nobody", 1, "service model: “Once communication has been allocated by External Affairs & Strategy”",
        "It is allocated to nobody: nothing is to be done about it.",
        _is_nobodys, (_allocation,), _leave, _who_said_so,
    ),
    Rule(
        "allocated", 1, "service model: “respond to individual through communication portal to ask them to contact PHSO”",
        "It is allocated to Customer Care.",
        _is_customer_cares, (_allocation,), _invite, _who_said_so,
    ),
    Rule(
        "suspected-robot", 1, "channel facts section 4: to review, never dropped",
        "It came as a program would send it. A person clears the list.",
        _is_suspected, (_arrival,), _hold_on_the_list, _why_suspected,
    ),
    Rule(
        "not-read", 1, "DESIGN promise 7: “looked at by a person before ordinary tasks”",
        "It could not be read in full, so nobody has looked for risk.",
        _is_not_read, (_legible,), _hold, not_read,
    ),
    Rule(
        "reads-like-spam", 1, "DESIGN section 1: “what only reads like spam goes to a daily list that a person clears”",
        "It reads like spam, and no header proves it. A person clears the list.",
        _reads_like_spam, (_asks_for,), _list,
    ),
    Rule(
        "sender-not-told", 1, "faults-and-bad-input 1 to 3: no From, one that is not closed, and several go to a person",
        "It does not tell as it should who sent it.",
        _is_untold, (_whose,), _hold, _sender_untold,
    ),
    Rule(
        "unsure-what", 1, "labelling guide, review: “a person at the desk must decide”",
        "The reading is not sure what it asks for.",
        _says_nothing_clear, (_asks_for,), _hold, _why_ambiguous,
    ),
    Rule(
        "unsure-who", 1,
        "service model: “search for individual to determine how to action the contact”; DESIGN promise 3: “What falls short is a review task”",
        "It may be from somebody in the register, and not enough agrees to say so.",
        _is_of_one_of_several, (_writer, _asks_for), _hold, _why_ambiguous,
    ),
    Rule(
        "query", 1, "service model: “Answering query not relating to a specific feedback (e.g. why do I need an MP referral?)”",
        "It asks one general question.",
        _is_a_query, (_asks_for,), _answer,
    ),
    Rule(
        "several-cases", 1, "DESIGN section 1, HoldForReview: “two requests”",
        "It names more than one case.",
        _names_several, (_names,), _hold,
    ),
    Rule(
        "draft-comments", 1, "service model: “draft report comments to Investigators”",
        "It is for an open case, from a proven party to it.",
        _is_for_an_open_case, (_asks_for, _about), _to_investigators,
    ),
    Rule(
        "closed-case", 1, "service model: “if the contact relates to a previous case, either open or closed”",
        "It is about a closed case and no feedback, from a proven party to it.",
        _is_for_a_case, (_asks_for, _about), _to_case_owner,
    ),
    Rule(
        "reference-without-proof", 1, "DESIGN section 1, HoldForReview: “a case reference without proof”",
        "It names a case, and nothing proves that the writer is a party to it.",
        _names_without_proof, (_names, _about), _hold,
    ),
    Rule(
        "reference-unknown", 1, "DESIGN section 1, HoldForReview: “a case reference without proof”",
        "It names a case that the register does not have.",
        _names_an_unknown, (_names, _asks_for), _hold,
    ),
    Rule(
        "no-case-found", 1, "DESIGN section 1, HandOff: “from a proven party to it”",
        "It speaks of a running case, and none of theirs could be told for certain.",
        _is_for_no_certain_case, (_asks_for, _about), _hold,
    ),
    Rule(
        "feedback", 1, "service model: “Creating a feedback record”",
        "It is feedback on our own service or on a decision of ours.",
        _is_feedback, (_asks_for,), _record,
    ),
    Rule(
        "intake-names-a-case", 1, "DESIGN section 1, HoldForReview: “two requests”",
        "It reads as a new enquiry and names a case we have.",
        _is_new_and_names_a_case, (_asks_for, _names), _hold,
    ),
    Rule(
        "new-enquiry", 2, "service model: “new enquiries to Intake”",
        "It is a new enquiry or a complaint about another body.",
        _is_new, (_asks_for,), _to_intake,
    ),
    Rule(
        "nothing-fits", 1, "DESIGN section 1, HoldForReview: “unsure what”",
        "No rule fits it.",
        _always, (_asks_for,), _hold,
    ),
)  # fmt: skip
