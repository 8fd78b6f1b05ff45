"""Which way an acknowledgement goes: the person's own, as they wish it, and never one that is not safe."""

from dataclasses import replace
from typing import Any

import pytest

from ingest.contract import (
    Audience,
    Automatic,
    Contact,
    DeclaredFacts,
    Identifier,
    OutgoingKind,
    OutgoingState,
    Person,
    TaskKind,
    UnsafeWay,
)
from ingest.segments import length
from ingest.settings import AcknowledgementSettings, OutgoingSettings
from router import wording
from router.consequences import House, Standing
from router.gather import Known
from router.match import Matched
from router.match.register_view import IndividualView
from router.opening import reading_of
from router.read import Outcome, Reading, Sign

THEIRS, OURS = "+447700900123", "+441632960111"
PHONE = Identifier(kind="phone", given="07700 900123", canonical=THEIRS)
JOAN = IndividualView("R1", "Joan Pettifer", address="14 Quarry Lane, DE80 4PT")
AS_JOAN: dict[str, Any] = {"match": Matched("R1", 0.99, ()), "individual": JOAN}


@pytest.fixture
def texting(house: House) -> House:
    """Two numbers of ours that send."""
    return replace(house, accounts={"email": ("care",), "sms": ("first", "second")}, numbers=frozenset({OURS}))


@pytest.fixture
def text(contact):
    """A contact by text to our second number, from a phone."""

    def make(words: str = "You never rang me back.", identifiers=(PHONE,), account: str = "second", **fields: Any) -> Contact:
        sender = Person(identifiers=tuple(identifiers))
        return contact(words, channel="sms", account=account, **fields).model_copy(update={"sender": sender, "subject": None})

    return make


@pytest.fixture
def form(contact):
    """A form, with what they declare in it."""

    def make(**facts: Any) -> Contact:
        declared: dict[str, Any] = {"asks_for": "feedback", "email": "jo@example.com", "phone": "07700 900123", **facts}
        said = DeclaredFacts(**declared)
        return contact(channel="web_form", account="form", declared=said)

    return make


def replies(written):
    return [each for each in written.messages if each.audience is Audience.PERSON]


def way_of(written):
    """``channel, account, recipient`` of what is sent; ``letter`` or ``impossible`` and why, where nothing is."""
    for each in replies(written):
        return (each.body.channel, each.body.account, each.body.recipient) if each.body else ("impossible", each.reason or "")
    (letter,) = [each for each in written.tasks if each.kind is TaskKind.LETTER]
    return "letter", letter.reasons[0].rpartition(": ")[2].rstrip(".")


def forbidding(*methods: str) -> Reading:
    return Reading(Outcome.FEEDBACK_RECORD, 0.9, restrictions=tuple((each, "Their words.") for each in methods))


BY_TEXT = ("sms", "second", THEIRS)
BY_MAIL = ("email", "care", "jo@example.com")
NO_TEXTS = "a wish not to be reached by text"
MAIL = Identifier(kind="email", given="jo@example.com", canonical="jo@example.com")

TEXTS: dict[str, Any] = {
    "by text to the number it came from, from the one it came to": ({}, {}, BY_TEXT),
    "by text where somebody is matched": ({}, AS_JOAN, BY_TEXT),
    "by hand where texts are not safe": ({}, {"reading": forbidding("sms")}, ("letter", NO_TEXTS)),
    "by hand where texts were not safe earlier": ({}, {"standing": Standing(frozenset({"sms"}))}, ("letter", NO_TEXTS)),
    "by hand where the register forbids texts": (
        {}, {**AS_JOAN, "individual": replace(JOAN, forbidden_methods=("sms",))}, ("letter", NO_TEXTS),
    ),
    "by hand to somebody who can only be written to": (
        {}, {**AS_JOAN, "individual": replace(JOAN, adjustments=("post_only",))}, ("letter", NO_TEXTS),
    ),
    "by hand to somebody who can only be rung": (
        {}, {**AS_JOAN, "individual": replace(JOAN, adjustments=("phone_only",))}, ("letter", NO_TEXTS),
    ),
    "by text where only mail is not safe": ({}, {"reading": forbidding("email", "telephone")}, BY_TEXT),
    "by mail where texts are not safe and there is an address": ({"identifiers": (PHONE, MAIL)}, {"reading": forbidding("sms")}, BY_MAIL),
    "by hand where neither is safe": (
        {"identifiers": (PHONE, MAIL)}, {"reading": forbidding("sms", "email")}, ("letter", "a wish not to be reached by mail"),
    ),
    "by nobody where it came from a short code": ({"identifiers": ()}, {}, ("impossible", "no number to answer to")),
    "by hand where it came to a number that sends nothing": (
        {"account": "vonage"}, {}, ("letter", "the number they wrote to sends nothing"),
    ),
    "by hand where it came from a number of ours": (
        {"identifiers": (Identifier(kind="phone", given=OURS, canonical=OURS),)}, {}, ("letter", "no number to answer to"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "given", "way"), TEXTS.values(), ids=TEXTS)
def test_a_text_is_acknowledged(decided, text, texting, of, given, way):
    written = decided(
        given.get("reading"), of=text(**of), in_house=texting, **{k: v for k, v in given.items() if k != "reading"}
    )
    assert way_of(written) == way


SMS_NOT_SAFE = (UnsafeWay(method="sms", words="He reads my phone."),)

FORMS: dict[str, Any] = {
    "by text where they prefer it": ({"preferred_method": "sms"}, ("sms", "first", THEIRS)),
    "by mail where they prefer nothing": ({}, BY_MAIL),
    "by mail where they prefer it": ({"preferred_method": "email"}, BY_MAIL),
    "by hand where they prefer a letter": (
        {"preferred_method": "letter", "address": ("14 Quarry Lane",)}, ("letter", "they ask to be reached by letter"),
    ),
    "by mail where they prefer texts, which are not safe": ({"preferred_method": "sms", "unsafe_ways": SMS_NOT_SAFE}, BY_MAIL),
    "by mail where they prefer texts and give no number": ({"preferred_method": "sms", "phone": None}, BY_MAIL),
    "by text where they prefer it and give no address": ({"preferred_method": "sms", "email": None}, ("sms", "first", THEIRS)),
    "by text where they prefer it and mail is not safe": (
        {"preferred_method": "sms", "unsafe_ways": (UnsafeWay(method="email"),)}, ("sms", "first", THEIRS),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "way"), FORMS.values(), ids=FORMS)
def test_a_form_is_acknowledged(decided, form, texting, facts, way):
    about = form(**facts)
    if facts.get("email", "") is None:
        about = about.model_copy(update={"sender": Person()})
    assert way_of(decided(reading_of(about, texting), of=about, in_house=texting)) == way


def test_where_no_number_of_ours_sends_whoever_prefers_texts_is_reached_by_hand(decided, form, house):
    about = form(preferred_method="sms")
    assert way_of(decided(reading_of(about, house), of=about)) == ("letter", "they ask to be reached by sms")


def test_mail_is_answered_by_mail_whatever_number_stands_in_it(decided, contact, texting):
    about = contact("Please ring 07700 900123.").model_copy(update={"sender": Person(identifiers=(MAIL, PHONE))})
    assert way_of(decided(reading_of(about, texting), of=about, in_house=texting)) == BY_MAIL


HELD: dict[str, Any] = {
    "urgent": {"reading": Reading(Outcome.FEEDBACK_RECORD, 0.9, signs=(Sign("harm", "suicide", "I cannot go on"),))},
    "urgent-earlier": {"standing": Standing(urgent_waits=True)},
    "contact-arrangement": {**AS_JOAN, "individual": replace(JOAN, arrangement="Ms Fennimore")},
    "safe-contact-note": {**AS_JOAN, "individual": replace(JOAN, safe_contact_note="ring first")},
    "reads-like-spam": {"reading": Reading(Outcome.NO_ACTION, 0.9)},
    "over-budget": {"standing": Standing(budget_spent=3)},
    "review-mode": {"mode": "review"},
    "sending-off": {"mode": "off"},
}


@pytest.mark.parametrize(("reason", "given"), HELD.items(), ids=HELD)
def test_a_text_is_held_for_the_same_reasons_as_mail(decided, text, texting, reason, given):
    given = dict(given)
    if mode := given.pop("mode", None):
        texting = replace(texting, outgoing=OutgoingSettings(mode=mode))
    (sent,) = replies(decided(given.pop("reading", None), of=text(), in_house=texting, **given))
    assert (sent.state, sent.reason, sent.body.channel) == (OutgoingState.HELD, reason, "sms")


@pytest.mark.parametrize("fields", [{"backfill": True}, {"acknowledged": True}, {"automatic": Automatic.REPLY}], ids=str)
def test_nothing_is_sent_by_text_either_to(decided, text, texting, fields):
    assert replies(decided(of=text(**fields), in_house=texting)) == []


def test_a_text_says_the_reference_in_one_part_and_nothing_that_they_wrote(decided, text, texting):
    first, second = (decided(of=text(words), in_house=texting) for words in ("You never rang.", "Buy at example.com ŵ"))
    (sent,) = replies(first)
    assert first.reference in sent.body.body
    assert (length(sent.body.body).encoding, length(sent.body.body).parts) == ("GSM-7", 1)
    assert replies(second)[0].body.body == sent.body.body.replace(first.reference, second.reference)
    assert (sent.body.subject, sent.body.message_id, sent.body.language) == ("", str(sent.id), "en")
    assert (sent.recipient, sent.kind) == (THEIRS, OutgoingKind.ACKNOWLEDGEMENT)


@pytest.mark.parametrize("where", ["what they write in", "what they chose before"])
def test_a_text_is_in_welsh_alone_for(decided, text, texting, where):
    if where == "what they write in":
        written = decided(of=text(language="cy"), in_house=texting)
    else:
        written = decided(of=text(), in_house=texting, match=AS_JOAN["match"], individual=replace(JOAN, language="cy"))
    (sent,) = replies(written)
    assert sent.body.language == "cy"
    assert sent.body.body.startswith("Cawsom eich neges.")
    assert "We have" not in sent.body.body


QUERY = Reading(Outcome.QUERY_ANSWER, 0.9, query="mp-referral")
SHORT, LONG = "Some bodies need one.", "Some bodies need one. " * 30


@pytest.mark.parametrize(
    ("kept", "language", "kind", "because"),
    [
        ({"en": SHORT}, "en", "answer", None),
        ({"en": SHORT, "cy": "Mae angen un ar rai."}, "cy", "answer", None),
        ({"en": SHORT}, "cy", "acknowledgement", "no approved answer to it is kept in their language"),
        ({"en": LONG}, "en", "acknowledgement", "the approved answer is too long for a text message"),
        ({}, "en", "acknowledgement", "no approved answer to it is kept"),
    ],
    ids=["a short one", "one in Welsh", "none in Welsh", "one that is too long", "none at all"],
)
def test_a_query_by_text_for_which_there_is(decided, text, texting, approved, kept, language, kind, because):
    house = replace(texting, answers=approved(**kept))
    written = decided(QUERY, of=text(language=language), in_house=house)
    (sent,) = replies(written)
    assert sent.kind == kind
    assert length(sent.body.body).parts <= 3
    assert (kept.get(language, LONG).strip() in sent.body.body) == (because is None)
    tasks = [each for each in written.tasks if each.kind is TaskKind.REVIEW]
    assert [each.reasons[0] for each in tasks] == ([f"A general query, and {because}."] if because else [])
    assert [each.suggestion for each in tasks] == (["answer: mp-referral"] if because else [])


def test_the_same_long_answer_goes_whole_by_mail(decided, contact, texting, approved):
    written = decided(QUERY, of=contact(), in_house=replace(texting, answers=approved(en=LONG)))
    assert LONG.strip() in replies(written)[0].body.body
    assert written.tasks == ()


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("step", ["recorded", "passed", "looked-at", wording.ANSWERED])
@pytest.mark.parametrize("begin", ["", "Ok thanks. "])
def test_our_own_text_quoted_back_raises_no_alarm(text, texting, language, step, begin):
    ours = wording.text_message("CC-7F3KQ-92QXA", step, texting.acknowledgement, language)
    assert reading_of(text(f"{begin}{ours}"), texting).signs == ()


def test_their_own_words_beside_ours_still_raise_one(text, texting):
    ours = wording.text_message("CC-7F3KQ-92QXA", "recorded", texting.acknowledgement, "en")
    assert reading_of(text(f"I am going to kill myself tonight. {ours}"), texting).signs


@pytest.mark.parametrize("step", ["recorded", "passed", "looked-at", wording.ANSWERED])
@pytest.mark.parametrize("language", ["en", "cy"])
def test_with_a_long_name_of_ours_a_text_is_still_no_more_than_three_parts(step, language):
    names: Any = {
        "organisation": "The Ombudsman for Public Services and Health",
        "organisation_cy": "Ombwdsmon Gwasanaethau Cyhoeddus a Dŵr",
    }
    said = wording.text_message("CC-7F3KQ-92QXA", step, AcknowledgementSettings(**names), language)
    assert length(said).parts <= 3
    assert all(each in said for each in ("CC-7F3KQ-92QXA", "999", "10"))


def test_what_is_known_of_any_address_of_theirs_counts_for_all(clock, form):
    about = form(preferred_method="sms")
    known = Known(clock().date(), frozenset(), {}, {}, {}, {})
    known.forbidden[THEIRS] = {"sms"}
    known.urgent_waits.add(THEIRS)
    known.spent.update({"jo@example.com": 1, THEIRS: 4})
    assert known.standing(about) == Standing(frozenset({"sms"}), urgent_waits=True, budget_spent=4)


def test_what_is_sent_in_a_batch_spends_the_budget_of_the_number_it_goes_to(decided, form, texting, clock):
    about = form(preferred_method="sms")
    known = Known(clock().date(), frozenset(), {}, {}, {}, {})
    known.learn(decided(reading_of(about, texting), of=about, in_house=texting))
    assert known.spent == {THEIRS: 1}
