"""What we send: both languages, the promises in each, and nobody's words where they may reach somebody else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from ingest.contract import Task, TaskKind, Team
from ingest.settings import AcknowledgementSettings
from router import wording
from router.decide import AnswerQuery, HandOff, HoldForReview, RecordFeedback

SETTINGS = AcknowledgementSettings(telephone="01632 960000")
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        "CC-7F3KQ-92QXA",
        "within 10 working days",
        "o fewn 10 diwrnod gwaith",
        "If you need us to do something differently",
        "Os oes angen i ni wneud rhywbeth yn wahanol",
        "We are not an emergency service",
        "Nid ydym yn wasanaeth brys",
        "ring 999 now",
        "ffoniwch 999 nawr",
        "01632 960000",
        "You can reply to it",
    ],
)
def test_an_acknowledgement_says(said: str):
    _, body = wording.acknowledgement("CC-7F3KQ-92QXA", "recorded", SETTINGS, welsh_first=False)
    assert said in body


def test_an_acknowledgement_begins_in_welsh_for_who_writes_welsh():
    subject, body = wording.acknowledgement("CC-7F3KQ-92QXA", "recorded", SETTINGS, welsh_first=True)
    assert subject.startswith("Rydym wedi cael eich neges")
    assert body.startswith("Diolch am ysgrifennu atom")
    assert "Thank you for writing to us" in body


def test_an_approved_answer_stands_in_the_half_of_its_own_language():
    answers = {"en": "You may need one.", "cy": "Efallai y bydd angen un."}
    _, body = wording.acknowledgement("CC-7F3KQ-92QXA", wording.ANSWERED, SETTINGS, welsh_first=False, answers=answers)
    english, welsh = body.split("-" * 40)
    assert answers["en"] in english
    assert answers["cy"] in welsh
    assert answers["cy"] not in english


@pytest.mark.parametrize(
    ("disposition", "step"),
    [
        (RecordFeedback(), "recorded"),
        (HandOff(Team.INTAKE), "passed"),
        (HandOff(Team.INVESTIGATORS), "looked-at"),
        (HandOff(Team.CASE_OWNER), "looked-at"),
        (HoldForReview(), "looked-at"),
        (AnswerQuery(None), "looked-at"),
    ],
)
def test_what_happens_next_never_says_that_there_is_a_case(disposition, step: str):
    assert wording.next_step(disposition) == step
    _, body = wording.acknowledgement("CC-7F3KQ-92QXA", step, SETTINGS, welsh_first=False)
    assert "case" not in body.lower()


def test_a_task_notice_says_how_to_see_it_and_when_it_is_due_in_local_time():
    task = Task(
        id=UUID(int=5), contact_id=UUID(int=6), reference="CC-7F3KQ-92QXA", kind=TaskKind.URGENT, mailbox="duty@example.org",
        channel="email", created_at=NOW, due=NOW + timedelta(minutes=30), reasons=("It shows signs of a risk of serious harm.",),
    )  # fmt: skip
    subject, body = wording.task_notice(task, LONDON)
    assert subject == "URGENT [CC-7F3KQ-92QXA]"
    assert "Wed 01 Jul 2026 08:30" in body
    assert f"ingest review show {task.id}" in body
    assert wording.task_notice(task, LONDON, again=True)[0].startswith("UNCLAIMED URGENT")


def test_the_digest_begins_with_what_is_latest():
    lines = [
        wording.Unfinished("CC-1", "review", NOW + timedelta(hours=1), None),
        wording.Unfinished("CC-2", "letter", NOW - timedelta(hours=1), "Sam"),
    ]
    subject, body = wording.digest(lines, 2, 1, NOW, LONDON)
    assert subject == "This morning: 2 not settled, 1 late"
    assert body.index("CC-2") < body.index("CC-1")
    assert "LATE Wed 01 Jul 2026 07:00  CC-2  letter (claimed by Sam)" in body
    assert "more" not in body


def test_the_digest_says_how_much_there_is_beside_what_it_has_room_for():
    subject, body = wording.digest([wording.Unfinished("CC-1", "review", NOW, None)], 1203, 70, NOW, LONDON)
    assert subject == "This morning: 1203 not settled, 70 late"
    assert body.endswith("And 1202 more: ingest review list, ingest handoffs list\n")


WAYS = wording.Ways(
    "01632 960000", "07700 900000", "care@ombudsman.example", "PO Box 1, Derby DE80 4PT", "https://contact.example.org/?reply=T"
)


@pytest.mark.parametrize("welsh", [False, True])
def test_an_invitation_names_every_way_our_reference_and_name_and_whom_to_ring_in_danger(welsh: bool):
    body = wording.invitation("CC-7F3KQ-92QXA", WAYS, SETTINGS, welsh=welsh)
    signed = SETTINGS.organisation_cy if welsh else SETTINGS.organisation
    for said in (*vars_of(WAYS), "CC-7F3KQ-92QXA", "999", "116 123", signed):
        assert said in body
    assert ("Diolch" in body) is welsh
    assert ("Thank you" in body) is not welsh


def vars_of(ways: wording.Ways) -> list[str]:
    return [each for each in (ways.telephone, ways.text_number, ways.email, ways.letter, ways.form) if each]


@pytest.mark.parametrize("welsh", [False, True])
def test_a_way_that_we_have_not_is_not_named(welsh: bool):
    ways = wording.Ways(None, "07700 900000", "care@ombudsman.example", None, None)
    body = wording.invitation("CC-7F3KQ-92QXA", ways, SETTINGS, welsh=welsh)
    assert [line for line in body.splitlines() if line.startswith("-")] == (
        ["- drwy neges destun i 07700 900000", "- drwy e-bost i care@ombudsman.example"]
        if welsh
        else ["- by text message to 07700 900000", "- by email to care@ombudsman.example"]
    )
    assert "None" not in body


@pytest.mark.parametrize("text", [SETTINGS.public_reply, SETTINGS.public_reply_cy], ids=["en", "cy"])
def test_what_everybody_can_read_fits_one_post_and_has_no_name_reference_topic_or_address_in_it(text: str):
    assert len(text) <= 280
    assert not any(each.isdigit() for each in text)
    for never in ("CC-", "http", "case", "complaint", "achos", "cwyn", "again", "eto", "@", SETTINGS.organisation, "records"):
        assert never not in text


def test_both_languages_of_it_name_the_same_five_ways():
    for text, ways in (
        (SETTINGS.public_reply, ("telephone", "text message", "email", "letter", "online form")),
        (SETTINGS.public_reply_cy, ("ffôn", "neges destun", "e-bost", "lythyr", "ffurflen ar-lein")),
    ):
        assert all(each in text for each in ways)


@pytest.mark.parametrize("welsh", [False, True])
def test_an_invitation_that_comes_back_as_a_quotation_raises_no_alarm(welsh: bool):
    quoted = "> " + wording.invitation("CC-7F3KQ-92QXA", WAYS, SETTINGS, welsh=welsh).replace("\n", "\n> ")
    left = wording.own_words(SETTINGS).sub(" ", quoted)  # pyright: ignore[reportArgumentType] - a frozen model is hashable
    assert "999" not in left
    assert "116 123" not in left


def test_who_did_not_allocate_in_time_is_told_so_and_how_to():
    task = Task(
        id=UUID(int=5), contact_id=UUID(int=6), reference="CC-7F3KQ-92QXA", kind=TaskKind.ALLOCATION, mailbox="affairs@example.org",
        channel="social", created_at=NOW, due=NOW + timedelta(hours=24), reasons=("It is not allocated yet.",),
    )  # fmt: skip
    subject, body = wording.task_notice(task, LONDON, again=True)
    assert subject == "NOT ALLOCATED a post on social media waits to be allocated [CC-7F3KQ-92QXA]"
    assert f"ingest social allocate {task.contact_id} --to customer-care|nobody" in body
    assert "Nobody has claimed" not in body
