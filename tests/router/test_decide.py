"""Every rule of the table, as situations: what a contact says, who it is and which case, and what becomes of it."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ingest.contract import AllocationOutcome, Automatic, Contact, TaskKind, Team
from router.decide import (
    RULES,
    Allocated,
    AnswerQuery,
    Disposition,
    HandOff,
    HoldForReview,
    InviteToContact,
    NoAction,
    RecordFeedback,
    Situation,
    Unsettled,
    decide,
)
from router.match import Ambiguous, Matched, Unmatched
from router.match.register_view import CaseView, IndividualView, PartyView
from router.read import Outcome, Reading, Sign

TODAY = date(2026, 3, 2)
CONTACT = Contact(
    id=UUID(int=1),
    source="urn:contact-ingest:email:care",
    channel="email",
    account="care",
    received_at="2026-03-02T09:30:00Z",  # type: ignore[arg-type]
    text="words",
    full_text="words",
    original="0" * 64,
)
JOAN = IndividualView("R1", "Joan Pettifer", cases=("C-2034655",))
IS_JOAN = Matched("R1", 0.99, ())
MAYBE_JOAN = Ambiguous(("R1", "R2"), ("More than one person fits.",))
OPEN = CaseView("C-2034655", "open", parties=(PartyView("R1", "complainant", "none"),))
CLOSED = replace(OPEN, reference="C-2000001", status="closed")
SOMEBODY_ELSES = CaseView("C-2034590", "open", parties=(PartyView("R27", "complainant", "none"),))
ADDED = UUID(int=99)


CUSTOMER_CARE = AllocationOutcome.CUSTOMER_CARE


def to(outcome: AllocationOutcome, **how: bool) -> Allocated:
    return Allocated(outcome, "the portal", **how)


def party(role: str, authority: str, until: date | None = None) -> CaseView:
    return replace(OPEN, parties=(PartyView("R1", role, authority, until),))


@dataclass(frozen=True)
class Row:
    """A sentence, the situation it tells, the rule that must decide, and the disposition."""

    sentence: str
    rule: str
    becomes: Disposition
    says: Outcome = Outcome.FEEDBACK_RECORD
    who: Any = field(default_factory=lambda: Unmatched("nobody"))
    contact: dict[str, Any] = field(default_factory=dict[str, Any])
    reading: dict[str, Any] = field(default_factory=dict[str, Any])
    situation: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_situation(self) -> Situation:
        return Situation(
            CONTACT.model_copy(update=self.contact),
            Reading(self.says, 0.9, **self.reading),
            self.who,
            TODAY,
            JOAN if isinstance(self.who, Matched) else None,
            **self.situation,
        )


REVIEW, INVESTIGATORS, INTAKE = Outcome.REVIEW, Outcome.INVESTIGATORS, Outcome.INTAKE
NOT_READ = HoldForReview(TaskKind.NOT_READ_FOR_RISK)
JOAN_LOOKED_AT = HoldForReview(candidates=("R1",))

TABLE = (
    Row("our own mail come back is left alone", "our-own-mail", NoAction(), situation={"ours": True}),
    Row("a bounce is left alone", "robot", NoAction(), contact={"automatic": Automatic.BOUNCE}),
    Row("an automatic reply is left alone", "robot", NoAction(), contact={"automatic": Automatic.REPLY}),
    Row("a mailing list is left alone", "robot", NoAction(), contact={"automatic": Automatic.LIST}),
    Row(
        "a bounce that looks like feedback from a proven party is left alone", "robot", NoAction(),
        who=IS_JOAN, contact={"automatic": Automatic.BOUNCE}, situation={"named": (OPEN,)},
    ),
    Row(
        "social media that nobody has allocated waits", "waits-for-allocation", HoldForReview(TaskKind.ALLOCATION),
        contact={"needs_allocation": True},
    ),
    Row(
        "a post waits whatever it says and whatever it says of itself", "waits-for-allocation", HoldForReview(TaskKind.ALLOCATION),
        contact={"channel": "social"}, says=Outcome.QUERY_ANSWER,
    ),
    Row(
        "a post that cannot be read waits like any other", "waits-for-allocation", HoldForReview(TaskKind.ALLOCATION),
        contact={"channel": "social", "warnings": ("not-read: it is a picture",)},
    ),
    Row(
        "whoever wrote a post that is ours is invited", "allocated", InviteToContact(),
        who=IS_JOAN, contact={"channel": "social"}, situation={"named": (OPEN,), "allocation": to(CUSTOMER_CARE)},
    ),
    Row(
        "a post that is nobody's has no answer", "allocated-to-nobody", NoAction(), says=INTAKE,
        contact={"channel": "social"}, situation={"allocation": to(AllocationOutcome.NOBODY)},
    ),
    Row(
        "a post that was deleted has no answer", "post-deleted", NoAction(),
        contact={"channel": "social"}, situation={"allocation": to(AllocationOutcome.DELETED)},
    ),
    Row(
        "an edit of a post that was allocated before is kept and not answered again", "later-version", NoAction(),
        contact={"channel": "social"}, situation={"allocation": to(CUSTOMER_CARE, settled=True, differs=True)},
    ),
    Row(
        "what a program seems to have sent through the form goes to the daily list", "suspected-robot",
        HoldForReview(seems_spam=True), contact={"warnings": ("suspected-robot: a field that nobody sees was filled in.",)},
    ),
    Row(
        "whoever it may be from is named there as well", "suspected-robot", HoldForReview(candidates=("R1",), seems_spam=True),
        who=IS_JOAN, contact={"warnings": ("suspected-robot: it was sent within a second.",)},
    ),
    Row(
        "what a program seems to have sent and we cannot read is not read for risk all the same", "suspected-robot",
        HoldForReview(TaskKind.NOT_READ_FOR_RISK, seems_spam=True), reading={"unread": ("language",)},
        contact={"warnings": ("suspected-robot: a field that nobody sees was filled in.",)},
    ),
    Row(
        "an encrypted letter is not read for risk", "not-read", NOT_READ,
        contact={"warnings": ("not-read: it is encrypted",)},
    ),
    Row("a text cut at its limit is not read for risk", "not-read", NOT_READ, contact={"warnings": ("cut: 256 KiB",)}),
    Row("a language we cannot read is not read for risk", "not-read", NOT_READ, reading={"unread": ("language",)}),
    Row(
        "a warning that hides no words holds nothing up", "feedback", RecordFeedback(),
        contact={"warnings": ("sender-not-authenticated: DMARC fails",)},
    ),
    Row(
        "what only reads like spam goes to the daily list", "reads-like-spam", HoldForReview(seems_spam=True),
        reading={"seems_spam": True},
    ),
    Row(
        "what seems to want nothing, without header evidence, goes to the daily list", "reads-like-spam",
        HoldForReview(seems_spam=True), says=Outcome.NO_ACTION,
    ),
    Row("what the reading is unsure of is decided by a person", "unsure-what", HoldForReview(), says=REVIEW),
    Row("unsure what, sure who: the person is named in the task", "unsure-what", JOAN_LOOKED_AT, says=REVIEW, who=IS_JOAN),
    Row(
        "feedback from one of two people is decided by a person", "unsure-who", HoldForReview(candidates=("R1", "R2")),
        who=MAYBE_JOAN,
    ),
    Row(
        "comments on a case from one of two people are decided by a person", "unsure-who",
        HoldForReview(candidates=("R1", "R2")), says=INVESTIGATORS, who=MAYBE_JOAN, situation={"named": (OPEN,)},
    ),
    Row(
        "a general question is answered whoever asks", "query", AnswerQuery("mp-referral"),
        says=Outcome.QUERY_ANSWER, who=MAYBE_JOAN, reading={"query": "mp-referral"},
    ),
    Row(
        "two cases in one letter are two requests", "several-cases", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (OPEN, CLOSED)},
    ),
    Row(
        "draft-report comments from the complainant go to Investigators", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (OPEN,)},
    ),
    Row(
        "the same without a reference, where one case of theirs is open", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN, situation={"theirs": (CLOSED, OPEN)},
    ),
    Row(
        "a representative whose authority was seen is a proven party", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (party("representative", "seen"),)},
    ),
    Row(
        "a representative's authority holds on its last day", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (party("representative", "seen", TODAY),)},
    ),
    Row(
        "a representative whose authority is only claimed is none", "reference-without-proof", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (party("representative", "claimed"),)},
    ),
    Row(
        "a representative whose authority has ended is none", "reference-without-proof", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (party("representative", "seen", date(2026, 3, 1)),)},
    ),
    Row(
        "a further comment is added to the handoff that nobody has settled", "draft-comments",
        HandOff(Team.INVESTIGATORS, ADDED), says=INVESTIGATORS, who=IS_JOAN,
        situation={"named": (OPEN,), "unsettled": (Unsettled(ADDED, Team.INVESTIGATORS, "C-2034655"),)},
    ),
    Row(
        "a handoff about another case is not added to", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN,
        situation={"named": (OPEN,), "unsettled": (Unsettled(ADDED, Team.INVESTIGATORS, "C-2000001"),)},
    ),
    Row(
        "about a closed case goes to its last owner", "closed-case", HandOff(Team.CASE_OWNER),
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (CLOSED,)},
    ),
    Row(
        "quoting somebody else's reference joins nothing", "reference-without-proof", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"named": (SOMEBODY_ELSES,)},
    ),
    Row(
        "a stranger's reference joins nothing", "reference-without-proof", HoldForReview(),
        says=INVESTIGATORS, situation={"named": (OPEN,)},
    ),
    Row(
        "feedback that names a case from nobody proven is looked at", "reference-without-proof", HoldForReview(),
        situation={"named": (OPEN,)},
    ),
    Row(
        "a reference that the register has not is looked at", "reference-unknown", HoldForReview(),
        situation={"unknown_references": ("C-9999999",)},
    ),
    Row(
        "a new enquiry may name somebody else's reference", "new-enquiry", HandOff(Team.INTAKE),
        says=INTAKE, situation={"unknown_references": ("C-9999999",)},
    ),
    Row(
        "about a running case, and none of theirs is open", "no-case-found", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"theirs": (CLOSED,)},
    ),
    Row(
        "about a running case, and two of theirs are open", "no-case-found", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"theirs": (OPEN, replace(OPEN, reference="C-2034656"))},
    ),
    Row("feedback is recorded without a case", "feedback", RecordFeedback()),
    Row("feedback is recorded whether or not a case is open", "feedback", RecordFeedback(), who=IS_JOAN, situation={"theirs": (OPEN,)}),
    Row(
        "a proven party's further feedback is added to the record that nobody has settled", "feedback", RecordFeedback(ADDED),
        who=IS_JOAN, situation={"named": (OPEN,), "unsettled": (Unsettled(ADDED, None, "C-2034655"),)},
    ),
    Row(
        "feedback about no case is never added to another record", "feedback", RecordFeedback(),
        who=IS_JOAN, situation={"unsettled": (Unsettled(ADDED, None, None),)},
    ),
    Row(
        "a new enquiry that names a case of theirs is two requests", "intake-names-a-case", JOAN_LOOKED_AT,
        says=INTAKE, who=IS_JOAN, situation={"named": (OPEN,)},
    ),
    Row("a complaint about another body goes to Intake", "new-enquiry", HandOff(Team.INTAKE), says=INTAKE),
)  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sentence)
def test_a_contact_is_decided_on(row: Row):
    decision = decide(row.as_situation())
    assert (decision.rule, decision.disposition) == (row.rule, row.becomes)
    assert decision.because, "a decision says what it stood on"


def test_every_rule_has_a_situation_here_but_the_last_which_nothing_reaches_yet():
    assert {rule.name for rule in RULES} - {row.rule for row in TABLE} == {"nothing-fits"}


def test_every_situation_meets_the_last_rule():
    assert all(RULES[-1].applies(row.as_situation()) for row in TABLE)


def test_no_two_rules_have_one_name():
    assert len({rule.name for rule in RULES}) == len(RULES)


SIGN = Sign("harm", "suicide", "their words")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sentence)
def test_urgent_is_a_mark_beside_any_disposition(row: Row):
    situation = row.as_situation()
    urgent = decide(replace(situation, reading=replace(situation.reading, signs=(SIGN,))))
    assert urgent.disposition == decide(situation).disposition
    automatic = situation.contact.automatic
    assert urgent.urgent == (() if automatic in (Automatic.BOUNCE, Automatic.LIST) else (SIGN,))


def test_a_record_names_a_case_only_where_the_writer_is_a_proven_party():
    proven = Row("", "", NoAction(), who=IS_JOAN, situation={"named": (OPEN,)}).as_situation()
    assert decide(proven).case_reference == "C-2034655"
    guessed = Row("", "", NoAction(), who=IS_JOAN, situation={"theirs": (party("representative", "claimed"),)}).as_situation()
    assert isinstance(decide(guessed).disposition, RecordFeedback)
    assert decide(guessed).case_reference is None
