"""Every rule of the table, as situations: what a contact says, who it is and which case, and what becomes of it."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ingest.contract import AllocationOutcome, Automatic, Contact, TaskKind, Team
from router import decide as deciding
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
    trials,
)
from router.match import Ambiguous, Matched, Unmatched
from router.match.register_view import CaseView, IndividualView, PartyView
from router.read import Fact, Outcome, Reading, Sign

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


REVIEW, INVESTIGATORS, INTAKE, QUERY = Outcome.REVIEW, Outcome.INVESTIGATORS, Outcome.INTAKE, Outcome.QUERY_ANSWER
NOT_READ = HoldForReview(TaskKind.NOT_READ_FOR_RISK)
JOAN_LOOKED_AT = HoldForReview(candidates=("R1",))

TABLE = (
    Row("our own mail come back is left alone", "our-own-mail", NoAction(), situation={"ours": True}),
    Row(
        "a bounce of our own mail is ours, and no letter of anybody's", "our-own-mail", NoAction(),
        contact={"automatic": Automatic.BOUNCE}, situation={"ours": True},
    ),
    Row(
        "a program that posts is a program, and nobody need allocate it", "robot", NoAction(),
        contact={"channel": "social", "automatic": Automatic.REPLY},
    ),
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
        contact={"channel": "social"}, says=QUERY,
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
        "an edit of a post that is deleted since is an edit first", "later-version", NoAction(),
        contact={"channel": "social"}, situation={"allocation": to(AllocationOutcome.DELETED, settled=True)},
    ),
    Row(
        "what is not in words is answered no less once it is ours", "allocated", InviteToContact(),
        contact={"channel": "social", "warnings": ("not-read: a picture", "suspected-robot: many at once")},
        situation={"allocation": to(CUSTOMER_CARE)},
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
    Row("what we cannot read is never taken for spam", "not-read", NOT_READ, reading={"seems_spam": True, "unread": ("garbled",)}),
    Row(
        "spam that leans to nothing is on the daily list and on no other", "reads-like-spam", HoldForReview(seems_spam=True),
        says=REVIEW, who=IS_JOAN, reading={"seems_spam": True},
    ),
    Row(
        "what only reads like spam goes to the daily list", "reads-like-spam", HoldForReview(seems_spam=True),
        reading={"seems_spam": True},
    ),
    Row(
        "what seems to want nothing, without header evidence, goes to the daily list", "reads-like-spam",
        HoldForReview(seems_spam=True), says=Outcome.NO_ACTION,
    ),
    Row(
        "what does not tell who sent it is a person's, however plain it is", "sender-not-told", HoldForReview(),
        contact={"warnings": ("sender: there are several From headers; none is believed",)},
    ),
    Row(
        "unsure what and from whom at all: that nobody is told comes first", "sender-not-told", HoldForReview(), says=REVIEW,
        contact={"warnings": ("sender: there is no From header",)},
    ),
    Row(
        "spam seldom tells who sent it, and stays on the daily list", "reads-like-spam", HoldForReview(seems_spam=True),
        reading={"seems_spam": True}, contact={"warnings": ("sender: there is no From header",)},
    ),
    Row("what the reading is unsure of is decided by a person", "unsure-what", HoldForReview(), says=REVIEW),
    Row("unsure what, sure who: the person is named in the task", "unsure-what", JOAN_LOOKED_AT, says=REVIEW, who=IS_JOAN),
    Row(
        "unsure what and unsure who: both who it may be are named", "unsure-what", HoldForReview(candidates=("R1", "R2")),
        says=REVIEW, who=MAYBE_JOAN,
    ),
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
        says=QUERY, who=MAYBE_JOAN, reading={"query": "mp-referral"},
    ),
    Row(
        "a general question is answered whatever cases it names", "query", AnswerQuery(None),
        says=QUERY, situation={"named": (OPEN,), "unknown_references": ("C-9999999",)},
    ),
    Row(
        "a case of ours and one that we have not are two as well", "several-cases", HoldForReview(),
        situation={"named": (OPEN,), "unknown_references": ("C-9999999",)},
    ),
    Row(
        "two cases that we have not are two requests", "several-cases", HoldForReview(),
        says=INTAKE, situation={"unknown_references": ("C-9999998", "C-9999999")},
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
        "a feedback record is no handoff to add to", "draft-comments", HandOff(Team.INVESTIGATORS),
        says=INVESTIGATORS, who=IS_JOAN,
        situation={"named": (OPEN,), "unsettled": (Unsettled(ADDED, None, "C-2034655"),)},
    ),
    Row(
        "what follows on a closed case is added to what its owner has", "closed-case", HandOff(Team.CASE_OWNER, ADDED),
        says=INVESTIGATORS, who=IS_JOAN,
        situation={"named": (CLOSED,), "unsettled": (Unsettled(ADDED, Team.CASE_OWNER, "C-2000001"),)},
    ),
    Row(
        "another party to the same case is not the writer", "reference-without-proof", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN,
        situation={"named": (replace(OPEN, parties=(PartyView("R27", "representative", "seen"),)),)},
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
        "so is one in what is for an investigator, even where a case of theirs is open", "reference-unknown", JOAN_LOOKED_AT,
        says=INVESTIGATORS, who=IS_JOAN, situation={"theirs": (OPEN,), "unknown_references": ("C-9999999",)},
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
        "further feedback from somebody who is no proven party is recorded by itself", "feedback", RecordFeedback(),
        who=IS_JOAN,
        situation={"theirs": (party("representative", "claimed"),), "unsettled": (Unsettled(ADDED, None, "C-2034655"),)},
    ),
    Row(
        "feedback about no case is never added to another record", "feedback", RecordFeedback(),
        who=IS_JOAN, situation={"unsettled": (Unsettled(ADDED, None, None),)},
    ),
    Row(
        "a new enquiry that names a case of theirs is two requests", "intake-names-a-case", JOAN_LOOKED_AT,
        says=INTAKE, who=IS_JOAN, situation={"named": (OPEN,)},
    ),
    Row(
        "a second one is never added to the first, whatever case of theirs is open: it may be about another body",
        "new-enquiry", HandOff(Team.INTAKE), says=INTAKE, who=IS_JOAN,
        situation={"theirs": (OPEN,), "unsettled": (Unsettled(ADDED, Team.INTAKE, "C-2034655"),)},
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


def test_whatever_comes_that_no_other_rule_knows_is_a_persons_to_decide(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deciding, "RULES", RULES[-1:])
    assert decide(Row("", "", NoAction(), who=IS_JOAN).as_situation()).disposition == JOAN_LOOKED_AT


def test_no_two_rules_have_one_name():
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_rule_says_when_it_applies_in_a_sentence_and_where_it_comes_from():
    assert all(rule.when.endswith(".") and rule.source and rule.version and rule.looks_at for rule in RULES)


# No situation has both in it, or where one has, a rule above them decides it.
NEVER_MEET = {
    ("waits-for-allocation", "later-version"),
    ("post-deleted", "allocated-to-nobody"),
    ("allocated-to-nobody", "allocated"),
    ("unsure-who", "query"),
    ("several-cases", "draft-comments"),
    ("closed-case", "reference-without-proof"),
    ("reference-without-proof", "reference-unknown"),
    ("no-case-found", "feedback"),
    ("feedback", "intake-names-a-case"),
}


@pytest.mark.parametrize("at", range(len(RULES) - 1), ids=lambda at: f"{RULES[at].name} before {RULES[at + 1].name}")
def test_no_rule_can_change_places_with_the_next(at: int, monkeypatch: pytest.MonkeyPatch):
    first, second = RULES[at : at + 2]
    swapped = (*RULES[:at], second, first, *RULES[at + 2 :])
    monkeypatch.setattr(deciding, "RULES", swapped)
    differs = any(decide(row.as_situation()).rule != row.rule for row in TABLE)
    assert differs or (first.name, second.name) in NEVER_MEET


@pytest.mark.parametrize("rule", RULES[:-1], ids=lambda rule: rule.name)
def test_without_any_one_rule_somebodys_contact_would_be_decided_otherwise(rule: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deciding, "RULES", tuple(each for each in RULES if each is not rule))
    assert all(decide(row.as_situation()).rule != rule.name for row in TABLE if row.rule == rule.name)


POST: dict[str, Any] = {"contact": {"channel": "social"}}
ASKS = "It reads as feedback_record, 90% sure."


@pytest.mark.parametrize(
    ("rule", "row", "saw"),
    [
        ("our-own-mail", {}, ["It was not sent from an address of our own."]),
        ("our-own-mail", {"situation": {"ours": True}}, ["It was sent from an address of our own."]),
        ("robot", {}, ["No header says that a program wrote it."]),
        ("robot", {"contact": {"automatic": Automatic.LIST}}, ["Its headers say: list."]),
        ("waits-for-allocation", {}, ["It is no post that is to be allocated."]),
        ("waits-for-allocation", POST, ["It is a post that nobody has allocated."]),
        (
            "later-version",
            {**POST, "situation": {"allocation": to(CUSTOMER_CARE)}},
            ["It is a post that the portal has allocated (customer-care)."],
        ),
        (
            "later-version",
            {**POST, "situation": {"allocation": to(AllocationOutcome.NOBODY, settled=True)}},
            ["It is a post that the portal has allocated (nobody), and another version of it before."],
        ),
        ("suspected-robot", {}, ["Nothing about its arrival suggests a program."]),
        (
            "suspected-robot",
            {"contact": {"warnings": ("cut: 1", "suspected-robot: a", "suspected-robot: b")}},
            ["suspected-robot: a; suspected-robot: b"],
        ),
        ("not-read", {}, ["All of it could be read."]),
        (
            "not-read",
            {"contact": {"warnings": ("x", "cut: 256 KiB", "not-read: a picture")}, "reading": {"unread": ("language",)}},
            ["cut: 256 KiB; not-read: a picture; not-read: language"],
        ),
        ("reads-like-spam", {}, [ASKS]),
        ("sender-not-told", {}, ["It tells who sent it."]),
        ("sender-not-told", {"contact": {"warnings": ("x", "sender: no From")}}, ["sender: no From"]),
        ("sender-not-told", {"contact": {"warnings": ("sender: a", "sender: b")}}, ["sender: a; sender: b"]),
        (
            "reads-like-spam",
            {"says": REVIEW, "reading": {"seems_spam": True}},
            ["It reads as review, 90% sure, and like spam."],
        ),
        ("unsure-who", {}, ["Nobody in the register comes near.", ASKS]),
        ("unsure-who", {"who": MAYBE_JOAN}, ["It may be from R1 or R2.", ASKS]),
        ("unsure-who", {"who": Ambiguous((), ())}, ["It may be from somebody in the register.", ASKS]),
        ("unsure-who", {"who": IS_JOAN}, ["It is from R1.", ASKS]),
        ("several-cases", {}, ["It names no case."]),
        (
            "several-cases",
            {"situation": {"named": (OPEN, CLOSED), "unknown_references": ("C-9999999",)}},
            ["It names C-2034655 (open) and C-2000001 (closed) and C-9999999 (not in the register)."],
        ),
        ("draft-comments", {}, [ASKS, "Which case it is about is not certain."]),
        (
            "draft-comments",
            {"who": IS_JOAN, "situation": {"named": (OPEN,)}},
            [ASKS, "It is about C-2034655 (open), and its writer is a proven party to it."],
        ),
        (
            "draft-comments",
            {"who": IS_JOAN, "situation": {"named": (SOMEBODY_ELSES,)}},
            [ASKS, "It is about C-2034590 (open), and nothing proves that its writer is a party to it."],
        ),
    ],
)
def test_a_rule_tells_in_sentences_how_the_facts_are_that_it_looks_at(
    rule: str, row: dict[str, Any], saw: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deciding, "RULES", tuple(each for each in RULES if each.name == rule))
    assert [list(trial.saw) for trial in trials(Row("", "", NoAction(), **row).as_situation())] == [saw]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.sentence)
def test_rules_are_tried_in_order_until_one_applies(row: Row):
    tried = trials(row.as_situation())
    assert [trial.rule for trial in tried] == list(RULES[: len(tried)])
    assert [trial.rule.name for trial in tried if trial.applied] == [row.rule] == [tried[-1].rule.name]


@pytest.mark.parametrize(
    ("rule", "row", "adds"),
    [
        ("our-own-mail", {"situation": {"ours": True}}, []),
        ("robot", {"contact": {"automatic": Automatic.REPLY}}, ["Its headers say: reply."]),
        ("later-version", {**POST, "situation": {"allocation": to(CUSTOMER_CARE, settled=True)}}, []),
        (
            "later-version",
            {**POST, "situation": {"allocation": to(CUSTOMER_CARE, settled=True, differs=True)}},
            ["It reads as something else than the version before it."],
        ),
        (
            "allocated",
            {**POST, "situation": {"allocation": to(CUSTOMER_CARE)}},
            ["It is a post that the portal has allocated (customer-care)."],
        ),
        (
            "suspected-robot",
            {"contact": {"warnings": ("suspected-robot: a",)}, "reading": {"unread": ("garbled",)}},
            ["suspected-robot: a", "not-read: garbled"],
        ),
        ("not-read", {"contact": {"warnings": ("cut: 256 KiB",)}}, ["cut: 256 KiB"]),
        ("sender-not-told", {"contact": {"warnings": ("x", "sender: no From")}}, ["sender: no From"]),
        ("unsure-what", {"says": REVIEW}, []),
        ("unsure-what", {"says": REVIEW, "who": MAYBE_JOAN}, ["More than one person fits."]),
        ("unsure-who", {"who": MAYBE_JOAN}, ["More than one person fits."]),
        ("feedback", {}, []),
    ],
)
def test_a_decision_gives_the_rules_sentence_for_its_reason_and_what_bears_it_out(rule, row, adds):
    decision = decide(Row("", "", NoAction(), **row).as_situation())
    when = next(each.when for each in RULES if each.name == rule)
    assert (decision.rule, decision.because) == (rule, (when, *adds))


def test_a_decision_names_the_first_six_rows_of_the_reading_that_it_stood_on_and_none_of_the_words():
    evidence = tuple(Fact("outcome", "feedback_record", f"row-{number}", "their words") for number in range(7))
    because = decide(Row("", "", NoAction(), reading={"evidence": evidence}).as_situation()).because
    assert because[1:] == tuple(f"outcome: row-{number}" for number in range(6))


def test_a_decision_names_the_rules_version_and_whom_it_is_from():
    waits = decide(Row("", "", NoAction(), who=IS_JOAN, **POST).as_situation())
    assert (waits.rule, waits.version, waits.individual_id) == ("waits-for-allocation", 2, "R1")
    assert decide(Row("", "", NoAction(), says=REVIEW, who=MAYBE_JOAN).as_situation()).individual_id is None


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


def test_a_review_names_the_case_it_is_unsure_about():
    named = Row("", "", NoAction(), situation={"named": (OPEN,)}).as_situation()
    assert decide(named).case_reference == "C-2034655"
    several = Row("", "", NoAction(), situation={"named": (OPEN, CLOSED)}).as_situation()
    assert decide(several).case_reference is None
