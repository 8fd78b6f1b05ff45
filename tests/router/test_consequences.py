"""What a decision gives rise to: who is told, who is not, and what is held for a person."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.contract import (
    Audience,
    Automatic,
    Criterion,
    DeclaredFacts,
    Identifier,
    OutgoingKind,
    OutgoingState,
    Person,
    Returned,
    TaskKind,
    Team,
    Thread,
    UnsafeWay,
)
from ingest.ids import bounce_token
from ingest.settings import OutgoingSettings
from router.consequences import Bounced, Standing, mailbox_of
from router.match import Matched
from router.match.register_view import CaseView, IndividualView, PartyView
from router.opening import reading_of
from router.read import Outcome, ReadIndividual, Reading, Sign

HARM = Sign("harm", "suicide", "I cannot go on")
THREAT = Sign("threat-to-staff", "threat", "I know where you work")
JOAN = IndividualView("R1", "Joan Pettifer", address="14 Quarry Lane, DE80 4PT", cases=("C-2034655",))
OPEN = CaseView("C-2034655", "open", owner_email="owner@example.org", parties=(PartyView("R1", "complainant", "none"),))
AS_JOAN = {"match": Matched("R1", 0.99, ()), "individual": JOAN}


def feedback(**fields):
    return Reading(Outcome.FEEDBACK_RECORD, 0.9, **fields)


def replies(written):
    return [each for each in written.messages if each.audience is Audience.PERSON]


def reply(written):
    (only,) = replies(written)
    return only


def tasks(written, kind):
    return [each for each in written.tasks if each.kind is kind]


def notices(written):
    return {each.recipient for each in written.messages if each.audience is Audience.STAFF}


def test_a_contact_is_acknowledged_within_48_hours_of_reaching_our_edge(decided, clock):
    sent = reply(decided())
    assert (sent.state, sent.kind, sent.recipient) == (OutgoingState.DUE, OutgoingKind.ACKNOWLEDGEMENT, "jo@example.com")
    assert sent.due == clock() + timedelta(hours=48)


def test_the_48_hours_run_from_our_edge_and_not_from_the_senders_clock(decided, contact, clock):
    received = clock() - timedelta(hours=40)
    sent = reply(decided(of=contact(received_at=received, sent_at=clock() + timedelta(days=9000))))
    assert sent.due == received + timedelta(hours=48)


def test_the_reply_threads_by_the_senders_message_id(decided, contact):

    body = reply(decided(of=contact(thread=Thread(message_id="<b@x>", references=("<a@x>",))))).body
    assert (body.in_reply_to, body.references) == ("<b@x>", ("<a@x>", "<b@x>"))


WORDS = st.text(min_size=1, max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(WORDS, WORDS, WORDS)
def test_an_acknowledgement_is_the_same_whatever_the_sender_wrote(decided, contact, subject, text, name):
    """So it can hold neither their words, nor their subject, nor their name, nor anything of a case."""
    plain = contact()
    told = plain.model_copy(
        update={
            "subject": subject,
            "text": text,
            "full_text": text,
            "sender": plain.sender.model_copy(update={"name": name}),
        }
    )
    read = feedback(key_points=(text,), remedy_sought=text, organisation_complained_of=name, promises_broken=(text,))
    first = reply(decided(of=plain))
    second = reply(decided(read, of=told, named=(OPEN,), **AS_JOAN))
    assert (second.body.subject, second.body.body) == (first.body.subject, first.body.body)


@pytest.mark.parametrize("sign", [HARM, THREAT], ids=["a risk of harm", "a threat to staff"])
def test_an_urgent_contact_gets_nothing_automatic_and_the_duty_mailbox_is_told_at_once(decided, clock, sign):
    written = decided(feedback(signs=(sign,)))
    assert (reply(written).state, reply(written).reason) == (OutgoingState.HELD, "urgent")
    (task,) = tasks(written, TaskKind.URGENT)
    assert task.mailbox == "duty@example.org"
    assert "duty@example.org" in notices(written)
    assert task.due == clock() + timedelta(minutes=30)


def test_a_threat_to_staff_is_told_to_those_who_keep_them_safe_as_well(decided):
    assert "safety@example.org" in notices(decided(feedback(signs=(THREAT,))))
    assert "safety@example.org" not in notices(decided(feedback(signs=(HARM,))))


def test_an_urgent_contact_that_is_feedback_is_recorded_too(decided):
    assert decided(feedback(signs=(HARM,))).feedback is not None


def test_what_an_urgent_persons_address_is_owed_next_waits_with_it(decided):
    sent = reply(decided(standing=Standing(urgent_waits=True)))
    assert (sent.state, sent.reason) == (OutgoingState.HELD, "urgent-earlier")


WISH = (("email", "He reads my mail."),)


def test_a_wish_not_to_be_mailed_is_obeyed_at_once_and_becomes_a_letter_task(decided):
    written = decided(feedback(restrictions=WISH), **AS_JOAN)
    assert replies(written) == []
    assert len(tasks(written, TaskKind.LETTER)) == 1
    assert written.restrictions == WISH


def test_a_wish_made_earlier_from_that_address_still_holds(decided):
    written = decided(standing=Standing(forbidden=frozenset({"email"})), **AS_JOAN)
    assert replies(written) == []
    assert len(tasks(written, TaskKind.LETTER)) == 1


def test_a_robots_words_are_no_wish(decided, contact):
    written = decided(feedback(restrictions=WISH), of=contact(automatic=Automatic.REPLY))
    assert written.restrictions == ()


@pytest.mark.parametrize("need", ["post_only", "phone_only"])
def test_somebody_who_can_only_be_reached_otherwise_is_not_mailed(decided, need):
    written = decided(feedback(), match=AS_JOAN["match"], individual=replace(JOAN, adjustments=(need,)))
    assert replies(written) == []
    assert len(tasks(written, TaskKind.LETTER)) == 1


def test_no_mail_address_and_a_postal_one_is_a_letter_task_due_when_the_acknowledgement_is(decided, contact, clock):
    written = decided(of=contact(sender=None), **AS_JOAN)
    (task,) = tasks(written, TaskKind.LETTER)
    assert task.due == clock() + timedelta(hours=48)


@pytest.mark.parametrize(
    ("reading", "declared"),
    [
        (feedback(individual=ReadIndividual(postcode="DE80 4PT")), None),
        (feedback(individual=ReadIndividual(phone="+441632960114")), None),
        (feedback(), DeclaredFacts(address=("14 Quarry Lane",))),
    ],
    ids=["a postcode in the words", "a telephone number in the words", "an address on the form"],
)
def test_any_way_to_reach_a_stranger_is_a_letter_task(decided, contact, reading, declared):
    assert len(tasks(decided(reading, of=contact(sender=None, declared=declared)), TaskKind.LETTER)) == 1


def test_no_address_of_any_kind_is_an_end_called_impossible_with_its_reason(decided, contact):
    sent = reply(decided(of=contact(sender=None)))
    assert (sent.state, sent.reason, sent.body) == (OutgoingState.IMPOSSIBLE, "no mail address to answer to", None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"died_on": date(2025, 1, 1)}, "register-says-died"),
        ({"arrangement": "Ms Fennimore"}, "contact-arrangement"),
        ({"safe_contact_note": "ring first"}, "safe-contact-note"),
    ],
)
def test_what_the_register_warns_of_is_released_by_a_person_first(decided, fields, reason):
    sent = reply(decided(match=AS_JOAN["match"], individual=replace(JOAN, **fields)))
    assert (sent.state, sent.reason) == (OutgoingState.HELD, reason)


def test_what_only_reads_like_spam_is_not_acknowledged_by_itself_and_no_notice_is_sent(decided):
    written = decided(Reading(Outcome.NO_ACTION, 0.9))
    assert (reply(written).state, reply(written).reason) == (OutgoingState.HELD, "reads-like-spam")
    assert notices(written) == set()


@pytest.mark.parametrize(("mode", "reason"), [("off", "sending-off"), ("review", "review-mode")])
def test_a_mode_that_is_not_on_holds_it(decided, house, mode, reason):
    sent = reply(decided(in_house=replace(house, outgoing=OutgoingSettings(mode=mode))))
    assert (sent.state, sent.reason) == (OutgoingState.HELD, reason)


@pytest.mark.parametrize(("spent", "state"), [(2, OutgoingState.DUE), (3, OutgoingState.HELD)])
def test_past_the_senders_budget_it_is_held(decided, spent, state):
    assert reply(decided(standing=Standing(budget_spent=spent))).state is state


@pytest.mark.parametrize(
    "fields",
    [
        {"backfill": True},
        {"acknowledged": True},
        {"automatic": Automatic.REPLY},
        {"automatic": Automatic.BOUNCE},
        {"automatic": Automatic.LIST},
    ],
    ids=lambda each: next(iter(each.items())),
)
def test_nothing_is_sent_to(decided, contact, fields):
    written = decided(of=contact(**fields))
    assert replies(written) == []
    assert tasks(written, TaskKind.LETTER) == []


def test_mail_goes_to_the_writer_and_never_to_the_person_represented(decided, contact):
    aunt = Person(name="Aunt", identifiers=(Identifier(kind="email", given="aunt@example.com", canonical="aunt@example.com"),))
    written = decided(of=contact(on_behalf_of=aunt))
    assert {each.recipient for each in replies(written)} == {"jo@example.com"}


@pytest.mark.parametrize(
    "where",
    ["what they write in", "what they chose before"],
)
def test_welsh_stands_first_for(decided, contact, where):
    if where == "what they write in":
        written = decided(of=contact(language="cy"))
    else:
        written = decided(match=AS_JOAN["match"], individual=replace(JOAN, language="cy"))
    assert reply(written).body.subject.startswith("Rydym")


QUERY = Reading(Outcome.QUERY_ANSWER, 0.9, query="mp-referral")


def test_a_query_with_an_approved_answer_is_answered_in_the_same_message(decided, house, approved):
    written = decided(QUERY, in_house=replace(house, answers=approved(en="Some bodies need one.")))
    assert reply(written).kind is OutgoingKind.ANSWER
    assert "Some bodies need one." in reply(written).body.body
    assert written.tasks == ()


def test_a_query_without_an_approved_answer_is_acknowledged_and_suggested_to_a_person(decided):
    written = decided(QUERY)
    assert reply(written).kind is OutgoingKind.ACKNOWLEDGEMENT
    (task,) = tasks(written, TaskKind.REVIEW)
    assert task.suggestion == "answer: mp-referral"


@pytest.mark.parametrize(
    ("team", "case", "mailbox"),
    [
        (Team.INTAKE, OPEN, "intake@example.org"),
        (Team.INVESTIGATORS, OPEN, "owner@example.org"),
        (Team.INVESTIGATORS, replace(OPEN, owner_active=False), "investigators@example.org"),
        (Team.INVESTIGATORS, replace(OPEN, owner_active=False, team_mailbox="team-3@example.org"), "team-3@example.org"),
        (Team.INVESTIGATORS, replace(OPEN, owner_email=None), "investigators@example.org"),
        (Team.INVESTIGATORS, None, "investigators@example.org"),
        (Team.CASE_OWNER, OPEN, "owner@example.org"),
        (Team.CASE_OWNER, replace(OPEN, owner_active=False, team_mailbox="team-3@example.org"), "care-team@example.org"),
    ],
)
def test_a_handoff_goes_to(house, team, case, mailbox):
    assert mailbox_of(team, case, house.teams) == mailbox


def test_a_handoff_is_whole_enough_to_act_on_and_its_notice_begins_with_needs(decided, contact):
    about = contact("My comments on paragraph 12.", name="Joan Pettifer")
    reading = Reading(Outcome.INVESTIGATORS, 0.9, reasonable_adjustments=("large_print",))
    written = decided(reading, of=about, named=(OPEN,), **AS_JOAN)
    handoff = written.handoff
    assert (handoff.team, handoff.mailbox, handoff.case_reference) == (Team.INVESTIGATORS, "owner@example.org", "C-2034655")
    assert handoff.full_text == "My comments on paragraph 12."
    (notice,) = [each for each in written.messages if each.kind is OutgoingKind.HANDOFF]
    assert notice.body.body.startswith("REASONABLE ADJUSTMENTS: large print")
    assert "My comments on paragraph 12." in notice.body.body


SECRET = "Zyxwvut Qponmlk"


def test_a_task_and_its_notice_hold_no_words_of_the_contact(decided, contact):
    about = contact(f"{SECRET}.", subject=SECRET, name=SECRET)
    signs = (Sign("harm", "suicide", SECRET),)
    written = decided(
        Reading(Outcome.REVIEW, 0.5, signs=signs, key_points=(SECRET,), restrictions=(("email", SECRET),)), of=about
    )
    assert {each.kind for each in written.tasks} == {TaskKind.URGENT, TaskKind.REVIEW}
    assert not any(SECRET in each.model_dump_json() for each in written.tasks)
    assert not any(SECRET in f"{each.body.subject}{each.body.body}" for each in written.messages if each.body)


def test_what_a_record_lacks_is_named_so_that_somebody_asks(decided):
    assert decided(feedback()).feedback.missing == (
        "name",
        "address",
        "type of feedback",
        "whether they have contacted us before",
    )


def missing(written):
    return [each for each in tasks(written, TaskKind.REVIEW) if each.suggestion == "ask-what-is-missing"]


def test_what_a_record_lacks_is_asked_for_by_a_person_in_one_task(decided, clock):
    written = decided(feedback(), standing=Standing(forbidden=frozenset({"sms"})))
    (asked,) = missing(written)
    assert (asked.mailbox, asked.due) == ("care-team@example.org", clock() + timedelta(hours=24))
    assert all(each in asked.reasons[0] for each in written.feedback.missing)
    assert asked.reasons[1] == "They must not be reached by sms."
    assert notices(written) == set(), "the digest tells of it: a mail for each would hide those that matter"


WHOLE: dict[str, Any] = {
    "feedback_type": "service",
    "contacted_before": False,
    "individual": ReadIndividual(name="Jo Brand", address="1 High Street, Leeds", postcode="LS1 1AA"),
}


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        ({}, None),
        ({"feedback_type": None}, "type of feedback"),
        ({"contacted_before": None}, "whether they have contacted us before"),
        ({"individual": ReadIndividual(name="Jo Brand")}, "address"),
        ({"individual": ReadIndividual(address="1 High Street, Leeds")}, "name"),
    ],
    ids=str,
)
def test_only_what_is_missing_is_asked_for(decided, left_out, named):
    asked = missing(decided(feedback(**{**WHOLE, **left_out})))
    assert [each.reasons[0].partition("asks for: ")[2].partition(".")[0] for each in asked] == ([named] if named else [])


@pytest.mark.parametrize(
    "fields",
    [
        {"reading": feedback(feedback_type="praise")},
        {"sender": None},
        {"backfill": True},
        {"match": AS_JOAN["match"], "individual": replace(JOAN, died_on=date(2025, 1, 1))},
    ],
    ids=["who praises us", "who did not say who they are", "who wrote before we began", "the dead"],
)
def test_nobody_is_asked_for_more_of(decided, contact, fields):
    reading, of = (
        fields.pop("reading", feedback()),
        {each: fields.pop(each) for each in ("sender", "backfill") if each in fields},
    )
    written = decided(reading, of=contact(**of), **fields)
    assert written.feedback.missing
    assert missing(written) == []


def test_anonymous_feedback_is_recorded_without_an_individual(decided, contact):
    written = decided(feedback(), of=contact(sender=None))
    assert (written.feedback.individual_id, written.feedback.name_given, written.tasks) == (None, None, ())


ADDRESS = "Flat 2, 14 Quarry Lane, Derby DE80 4PT"
READ: dict[str, Any] = {
    "individual": ReadIndividual("Joan Pettifer", "DE80 4PT", "+441632960114", "joan@example.net", "1950-02-03", ADDRESS),
    "represented": ReadIndividual(name="Arthur Pettifer"),
    "authority": "I have power of attorney for him.",
    "under_18": "I am 15.",
    "legal_clock": "subject-access",
    "key_points": ("Nobody rang me back.",),
    "remedy_sought": "an apology",
    "organisation_complained_of": "St Elsewhere",
    "preferred_method": "letter",
}


def test_a_handoff_has_all_that_was_read(decided, contact):
    about = contact(name="J Pettifer", verified_by="dmarc")
    written = decided(Reading(Outcome.INTAKE, 0.9, reasonable_adjustments=("large_print",), **READ), of=about)
    handoff = written.handoff
    assert handoff.given.model_dump() == {
        "name": "Joan Pettifer", "address": ADDRESS, "postcode": "DE80 4PT", "phone": "+441632960114", "email": "joan@example.net",
        "date_of_birth": "1950-02-03",
    }  # fmt: skip
    assert (handoff.represented.name, handoff.authority) == ("Arthur Pettifer", "I have power of attorney for him.")
    assert (handoff.under_18, handoff.key_points) == ("I am 15.", ("Nobody rang me back.",))
    assert (handoff.legal_clock.kind, handoff.legal_clock.due) == ("subject-access", date(2026, 4, 2))
    assert (handoff.asks_for, handoff.remedy_sought) == ("intake", "an apology")
    assert (handoff.organisation_complained_of, handoff.agreed_method) == ("St Elsewhere", "letter")
    assert handoff.sender_identifiers == about.sender.identifiers


def test_a_teams_notice_has_it_as_well_and_how_to_take_it(decided, contact):
    about = contact("All of the words.", name="J Pettifer")
    written = decided(Reading(Outcome.INTAKE, 0.9, reasonable_adjustments=("large_print",), **READ), of=about)
    (notice,) = [each for each in written.messages if each.kind is OutgoingKind.HANDOFF]
    said = notice.body.body
    for each in ("UNDER 18", "A CLOCK OF THE LAW RUNS (subject access): until 02 April 2026", ADDRESS, "jo@example.com", "- Nobody rang me back.", "an apology", "St Elsewhere", "Reach them by:  letter",
                 f"ingest handoffs take {written.handoff.id}", "Wed 04 Mar 2026 09:30", "All of the words."):  # fmt: skip
        assert each in said
    assert not any(each in said for each in ("Arthur", "power of attorney")), "whom they write for is in no mail"


def test_a_record_has_all_that_was_read(decided, contact):
    record = decided(feedback(feedback_type="service", contacted_before=True, **READ), of=contact()).feedback
    assert (record.address_given, record.phone_given, record.email_given) == (ADDRESS, "+441632960114", "joan@example.net")
    assert (record.date_of_birth_given, record.under_18) == ("1950-02-03", "I am 15.")
    assert (record.represented.name, record.authority) == ("Arthur Pettifer", "I have power of attorney for him.")
    assert record.legal_clock.due == date(2026, 4, 2)
    assert record.missing == ()


def test_what_they_declare_stands_over_what_their_words_say(decided, contact):
    declared = DeclaredFacts(address=("2 Low Road", "York"), authority="I am her solicitor.")
    record = decided(feedback(**READ), of=contact(declared=declared)).feedback
    assert record.address_given.startswith("2 Low Road, York")
    assert record.authority == "I am her solicitor."


def test_whom_they_write_for_is_told_even_where_they_name_nobody(decided):
    written = decided(Reading(Outcome.INTAKE, 0.9, represented=ReadIndividual()))
    assert written.handoff.represented is not None
    assert decided(Reading(Outcome.INTAKE, 0.9)).handoff.represented is None
    (notice,) = [each for each in written.messages if each.kind is OutgoingKind.HANDOFF]
    assert "Answer the writer only" in notice.body.body


def test_a_handoff_tells_no_way_to_reach_them_that_is_not_safe(decided):
    written = decided(Reading(Outcome.INTAKE, 0.9, preferred_method="letter", restrictions=(("letter", "He opens it."),)))
    assert written.handoff.agreed_method is None


def test_the_day_that_the_law_counts_from_is_ours_and_not_greenwichs(decided, contact):
    asks = Reading(Outcome.INTAKE, 0.9, legal_clock="subject-access")
    late = contact(received_at=datetime(2026, 6, 1, 23, 30, tzinfo=UTC))  # half past midnight here
    assert decided(asks, of=late).handoff.legal_clock.due == date(2026, 7, 2)


def test_a_review_of_what_the_law_has_a_clock_for_names_its_last_day(decided):
    (task,) = decided(Reading(Outcome.REVIEW, 0.5, legal_clock="freedom-of-information")).tasks
    assert "A clock of the law runs (freedom of information), until 31 March 2026." in task.reasons


def test_a_record_keeps_what_was_given_beside_what_is_held(decided, contact):
    read = feedback(feedback_type="service", contacted_before=False, individual=ReadIndividual(postcode="M1 1AA"))
    written = decided(read, of=contact(name="Joanie"), match=AS_JOAN["match"], individual=replace(JOAN, written_before=True))
    record = written.feedback
    assert (record.name_given, record.name_held) == ("Joanie", "Joan Pettifer")
    assert (record.address_given, record.address_held) == ("M1 1AA", "14 Quarry Lane, DE80 4PT")
    assert (record.contacted_before_said, record.contacted_before_held) == (False, True)
    assert record.missing == ()


def test_what_the_register_holds_of_somebodys_needs_stands_beside_what_they_say_now(decided):
    held = replace(JOAN, adjustments=("large_print", "extra_time"))
    written = decided(feedback(reasonable_adjustments=("braille", "large_print")), match=AS_JOAN["match"], individual=held)
    assert written.feedback.reasonable_adjustments == ("braille", "large_print", "extra_time")


def test_the_same_decision_made_again_gives_the_same_ids(decided, contact):
    about = contact()
    urgent = Reading(Outcome.REVIEW, 0.5, signs=(HARM, THREAT))
    first, second = decided(urgent, of=about), decided(urgent, of=about)
    assert [each.id for each in first.tasks] == [each.id for each in second.tasks]
    assert [each.id for each in first.messages] == [each.id for each in second.messages]


def test_every_consequence_has_an_entry_on_the_audit_trail_with_rule_and_version(decided):
    written = decided(feedback(signs=(HARM,), restrictions=(("sms", "no texts"),)), **AS_JOAN)
    actions = [each.action for each in written.entries]
    assert actions == ["decided", "linked", "feedback-recorded", "task-raised", "task-raised", "acknowledgement", "wish-obeyed"]
    assert {(each.rule, each.rule_version) for each in written.entries} == {("feedback", 1)}


def test_a_decision_says_with_which_weights_it_was_matched(decided):
    written = decided(feedback(), match=Matched("R1", 0.99, (), weights="2026-11-29"), individual=JOAN)
    assert written.entries[0].evidence["weights"] == "2026-11-29"


OURS = UUID("8f725d5d-327d-5c8b-af77-52e3c8c654eb")
MESSAGE_ID = f"<{OURS}@ombudsman.example>"


@pytest.mark.parametrize(
    ("returned", "bounced"),
    [
        (Returned(token=bounce_token(b"ours", OURS)), Bounced(OURS, None, None)),
        (Returned(token=bounce_token(b"ours", OURS), message_id="<another@example.net>", code="5.1.1"), Bounced(OURS, None, "5.1.1")),
        (Returned(token=bounce_token(b"theirs", OURS)), None),
        (Returned(token=bounce_token(b"ours", OURS), outcome="delayed"), None),
        (Returned(token=bounce_token(b"ours", OURS), outcome="delivered"), None),
        (Returned(message_id=MESSAGE_ID, addresses=("jo@example.com",)), Bounced(OURS, frozenset({"jo@example.com"}), None)),
        (Returned(message_id=MESSAGE_ID.replace(".example", ".EXAMPLE")), Bounced(OURS, frozenset(), None)),
        (Returned(message_id=MESSAGE_ID, outcome="delayed"), None),
        (Returned(message_id=f"<{OURS}@example.net>"), None),
        (Returned(message_id="<something-else@ombudsman.example>"), None),
        (Returned(), None),
        (None, None),
    ],
)  # fmt: skip
def test_a_bounce_names_the_message_of_ours_that_it_returns(contact, decided, house, returned, bounced):
    ours = replace(house, key=b"ours")
    assert decided(of=contact(automatic=Automatic.BOUNCE, returned=returned), in_house=ours).bounced == bounced
    assert decided(of=contact(returned=returned), in_house=ours).bounced is None, "what no mail system wrote is no bounce"


# What people declare, as a form lets them.

MOTHER = Person(name="Gwen Prosser", identifiers=(Identifier(kind="email", given="g@example.com", canonical="g@example.com"),))
EVERYTHING = DeclaredFacts(
    asks_for="feedback",
    feedback_type="decision",
    review_criteria=(Criterion(name="new_information", evidence="The discharge letter."),),
    name="Siân Prosser",
    address=("1 Heol Fawr", "Aberystwyth"),
    postcode="SY23 1AA",
    email="sian@example.com",
    phone="01632 960114",
    contacted_before=True,
    organisation_complained_of="Elm Road Surgery",
    remedy_sought="A new decision",
    preferred_method="email",
    unsafe_ways=(UnsafeWay(method="telephone", words="Somebody else answers it."),),
    reasonable_adjustments=("Large print",),
    authority="I hold a lasting power of attorney.",
)


@pytest.fixture
def form(contact):
    """A contact as the form makes it: answered from no mailbox of ours."""

    def make(text="Your letter is wrong.", *, sender="sian@example.com", **fields):
        given = {
            "channel": "web_form",
            "account": "feedback",
            "source": "urn:contact-ingest:web_form:feedback",
            "subject": None,
        }
        return contact(text, sender=sender, **{**given, "declared": EVERYTHING, **fields})

    return make


@pytest.fixture
def from_form(form, decided, house):
    """What comes of such a contact, read as the router reads it."""

    def make(*, of=None, **fields):
        about = of or form()
        return decided(reading_of(about, house), of=about, **fields)

    return make


def changed(**facts):
    return EVERYTHING.model_copy(update=facts)


def test_a_feedback_record_has_every_answer_in_its_field_and_misses_nothing(from_form, form):
    record = from_form(of=form(on_behalf_of=MOTHER)).feedback
    assert (record.type, record.key_points) == ("decision", ("Your letter is wrong.",))
    assert record.review_criteria == EVERYTHING.review_criteria
    assert (record.name_given, record.address_given) == ("Siân Prosser", "1 Heol Fawr, Aberystwyth, SY23 1AA")
    assert (record.contacted_before_said, record.organisation_complained_of) == (True, "Elm Road Surgery")
    assert (record.remedy_sought, record.agreed_method) == ("A new decision", "email")
    assert (record.reasonable_adjustments, record.unsafe_ways) == (("large_print",), EVERYTHING.unsafe_ways)
    assert (record.on_behalf_of, record.authority) == (MOTHER, "I hold a lasting power of attorney.")
    assert record.missing == ()


def test_a_form_left_half_empty_says_what_is_still_to_be_asked(from_form, form):
    record = from_form(
        of=form("It was all a bit much.", declared=DeclaredFacts(asks_for="feedback", name="", address=(" ",)))
    ).feedback
    assert record.missing == ("name", "address", "type of feedback", "whether they have contacted us before")
    said = from_form(of=form(declared=DeclaredFacts(asks_for="feedback", contacted_before=False))).feedback
    assert "whether they have contacted us before" not in said.missing


def test_a_way_that_is_not_safe_is_never_the_agreed_one(from_form, form):
    person = replace(JOAN, agreed_methods=("telephone", "letter"), forbidden_methods=("sms",))
    unsafe = (UnsafeWay(method="telephone"), UnsafeWay(method="email"))
    about = form(declared=changed(preferred_method="telephone", unsafe_ways=unsafe))
    record = from_form(of=about, match=AS_JOAN["match"], individual=person).feedback
    assert record.agreed_method == "letter"
    assert {each.method for each in record.unsafe_ways} == {"telephone", "email", "sms"}, "what the register holds as well"


def test_what_they_prefer_goes_before_what_the_register_holds(from_form):
    person = replace(JOAN, agreed_methods=("letter",))
    assert from_form(match=AS_JOAN["match"], individual=person).feedback.agreed_method == "email"


def test_a_form_is_acknowledged_by_mail_to_the_address_given_from_a_mailbox_of_ours(from_form, form, house):
    for about in (form(), form(sender=None)):
        sent = reply(from_form(of=about))
        assert (sent.state, sent.recipient, sent.body.account) == (OutgoingState.DUE, "sian@example.com", house.notices_from)
        assert sent.body.message_id.endswith("@ombudsman.example>")


def test_an_address_that_may_not_be_theirs_gets_none_of_their_words(from_form, form):
    about = form()
    declared = changed(name="Buy at example.com", remedy_sought="Buy at example.com", address=("Buy at example.com",))
    other = about.model_copy(update={"text": "Buy at example.com.", "full_text": "Buy at example.com.", "declared": declared})
    first, second = reply(from_form(of=about)), reply(from_form(of=other))
    assert (first.body.subject, first.body.body) == (second.body.subject, second.body.body)


@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ({"unsafe_ways": (UnsafeWay(method="email", words="My son reads it."),)}, "a wish not to be reached by mail"),
        ({"reasonable_adjustments": ("post_only",)}, "a wish not to be reached by mail"),
        ({"preferred_method": "letter"}, "they ask to be reached by letter"),
        ({"preferred_method": "telephone", "unsafe_ways": ()}, "they ask to be reached by telephone"),
    ],
    ids=["mail is not safe", "they can only be written to", "they prefer letters", "they prefer a call"],
)
def test_a_form_is_acknowledged_by_hand_where(from_form, form, facts, because):
    written = from_form(of=form(declared=changed(**facts)))
    (task,) = tasks(written, TaskKind.LETTER)
    assert replies(written) == []
    assert because in task.reasons[0]


@pytest.mark.parametrize(
    "facts",
    [{"preferred_method": "telephone"}, {"preferred_method": "letter", "address": (), "postcode": None, "phone": None}],
    ids=["what they prefer is not safe", "there is nowhere to write to"],
)
def test_mail_goes_all_the_same_where(from_form, form, facts):
    about = form(declared=changed(**facts, reasonable_adjustments=()))
    assert reply(from_form(of=about)).state is OutgoingState.DUE


def test_without_a_mail_address_a_form_is_acknowledged_by_hand(from_form, form):
    written = from_form(of=form(sender=None, declared=changed(email=None)))
    assert len(tasks(written, TaskKind.LETTER)) == 1


def test_an_address_of_our_own_given_on_a_form_is_not_mailed_and_the_contact_is_not_lost(from_form, form, house):
    about = form(sender="care@ombudsman.example")
    assert "care@ombudsman.example" in house.own_addresses
    written = from_form(of=about)
    assert written.feedback is not None
    assert replies(written) == []


def test_mail_goes_to_the_writer_and_never_to_whom_they_write_for(from_form, form):
    assert reply(from_form(of=form(on_behalf_of=MOTHER))).recipient == "sian@example.com"
    written = from_form(of=form(sender=None, on_behalf_of=MOTHER, declared=changed(email=None)))
    assert replies(written) == []


def test_every_task_says_how_they_must_not_be_reached_and_none_has_their_words(from_form, form):
    words = "He reads my phone, and I am going to kill myself tonight."
    about = form(declared=changed(unsafe_ways=(UnsafeWay(method="telephone", words=words),), preferred_method="letter"))
    written = from_form(of=about)
    assert {each.kind for each in written.tasks} == {TaskKind.URGENT, TaskKind.LETTER}
    assert all("They must not be reached by sms or telephone." in each.reasons for each in written.tasks)
    assert not any("reads my phone" in each.model_dump_json() for each in written.tasks)


def test_a_wish_is_kept_under_each_address_they_gave(from_form):
    assert from_form().addresses == ("sian@example.com", "+441632960114")


def test_a_team_that_takes_over_is_told_what_is_not_safe_and_for_whom_they_write(from_form, form):
    written = from_form(of=form(on_behalf_of=MOTHER, declared=changed(asks_for="new_complaint")))
    handoff = written.handoff
    assert (handoff.unsafe_ways, handoff.on_behalf_of) == (EVERYTHING.unsafe_ways, MOTHER)
    assert handoff.authority == "I hold a lasting power of attorney."
    (notice,) = [each for each in written.messages if each.kind is OutgoingKind.HANDOFF]
    assert notice.body.body.startswith("NOT SAFE: never reach them by telephone\n")
    assert "Answer the writer only." in notice.body.body
    assert not any(said in notice.body.body for said in ("Somebody else answers it", "Gwen", "power of attorney"))


ROBOT = ("suspected-robot: a field that nobody sees was filled in.",)


def test_what_a_program_seems_to_have_sent_is_not_acknowledged_until_a_person_says_so(from_form, form):
    written = from_form(of=form(warnings=ROBOT))
    assert (written.decision.rule, written.feedback) == ("suspected-robot", None)
    assert (reply(written).state, reply(written).reason) == (OutgoingState.HELD, "reads-like-spam")
    assert notices(written) == set()
    by_hand = from_form(of=form(warnings=ROBOT, declared=changed(preferred_method="letter")))
    assert (replies(by_hand), tasks(by_hand, TaskKind.LETTER)) == ([], [])


def test_harm_in_what_a_program_seems_to_have_sent_is_raised_all_the_same(from_form, form):
    written = from_form(of=form("I am going to kill myself tonight.", warnings=ROBOT))
    assert written.decision.rule == "suspected-robot"
    assert len(tasks(written, TaskKind.URGENT)) == 1
    assert "duty@example.org" in notices(written)


def test_what_a_program_seems_to_have_sent_and_nobody_could_read_is_looked_at_like_any_other(from_form, form):
    written = from_form(of=form("Nie zgadzam się z tą decyzją, ponieważ to nie jest prawda i proszę o pomoc.", warnings=ROBOT))
    assert len(tasks(written, TaskKind.NOT_READ_FOR_RISK)) == 1
    assert notices(written) == {"care-team@example.org"}
    assert (reply(written).state, reply(written).reason) == (OutgoingState.HELD, "reads-like-spam")
