"""What people need rules what they are sent: no plain message that breaks it, and a task that keeps it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import Audience, DeclaredFacts, Identifier, Person, TaskKind
from router.adjustments import NEEDS, broken_by, by_hand, ruled_out
from router.match import Matched
from router.match.register_view import IndividualView
from router.read import Outcome, Reading

OPERATING = Path(__file__).parents[2] / "docs" / "operations.md"
THEIRS, OURS = "+447700900123", "+441632960111"
PHONE = Identifier(kind="phone", given="07700 900123", canonical=THEIRS)
JOAN = IndividualView("R1", "Joan Pettifer", address="14 Quarry Lane, DE80 4PT")

# By need: whether a plain mail goes, whether a plain text does, and whether either does where they asked for that way.
TABLE = {
    "large_print": (False, False, True),
    "braille": (False, False, True),
    "audio": (False, False, True),
    "easy_read": (False, False, False),
    "phone_only": (False, False, False),
    "post_only": (False, False, False),
    "email_only": (True, False, None),
    "no_phone": (True, True, True),
    "text_relay": (True, True, True),
    "bsl_interpreter": (True, True, True),
    "spoken_interpreter": (True, True, True),
    "welsh": (True, True, True),
    "screen_reader": (True, True, True),
    "extra_time": (True, True, True),
    "advocate_or_representative": (True, True, True),
}


@pytest.fixture
def texting(house: Any) -> Any:
    return replace(house, accounts={"email": ("care",), "sms": ("first",)}, numbers=frozenset({OURS}))


def feedback(*needs: str, **fields: Any) -> Reading:
    return Reading(Outcome.FEEDBACK_RECORD, 0.9, feedback_type="service", reasonable_adjustments=needs, **fields)


def sent(written: Any) -> list[str]:
    return [each.body.channel for each in written.messages if each.audience is Audience.PERSON and each.body]


def letters(written: Any) -> list[Any]:
    return [each for each in written.tasks if each.kind is TaskKind.LETTER]


def by_text(contact: Any) -> Any:
    return contact(channel="sms", account="first").model_copy(update={"sender": Person(identifiers=(PHONE,)), "subject": None})


def test_every_need_of_the_guide_has_its_row():
    assert set(TABLE) == set(NEEDS)


@pytest.mark.parametrize("where", ["said", "held"])
@pytest.mark.parametrize(("need", "goes"), TABLE.items(), ids=TABLE)
@pytest.mark.parametrize("method", ["email", "sms"])
def test_whether_a_plain_message_goes_to_whoever_needs(
    decided: Any, contact: Any, texting: Any, need: str, goes: tuple[bool, bool, bool | None], method: str, where: str
):
    about = contact() if method == "email" else by_text(contact)
    held = replace(JOAN, adjustments=(need,) if where == "held" else ())
    reading = feedback(need) if where == "said" else feedback()
    written = decided(reading, of=about, in_house=texting, match=Matched("R1", 0.99, ()), individual=held)
    if goes[method == "sms"]:
        assert (sent(written), letters(written)) == ([method], [])
        return
    assert sent(written) == []
    (letter,) = letters(written)
    assert by_hand([need]) in letter.reasons


@pytest.mark.parametrize(("need", "goes"), [(need, goes[2]) for need, goes in TABLE.items() if goes[2] is not None])
def test_whether_mail_goes_where_they_ask_for_mail_as_well(decided: Any, contact: Any, need: str, goes: bool):
    written = decided(feedback(need, preferred_method="email"), of=contact())
    assert bool(sent(written)) is goes


def test_a_form_that_chooses_mail_is_answered_by_mail_though_letters_must_be_in_large_print(decided: Any, contact: Any):
    said = DeclaredFacts(asks_for="feedback", email="jo@example.com", preferred_method="email")
    assert sent(decided(feedback("large_print"), of=contact(channel="web_form", declared=said))) == ["email"]


@pytest.mark.parametrize("where", ["said", "held"])
@pytest.mark.parametrize("method", ["email", "sms"])
def test_large_print_and_no_phone_is_a_letter_in_large_print_and_nobody_rings(
    decided: Any, contact: Any, texting: Any, where: str, method: str
):
    needs = ("large_print", "no_phone")
    held = replace(JOAN, adjustments=needs if where == "held" else ())
    written = decided(
        feedback(*(needs if where == "said" else ())), of=contact() if method == "email" else by_text(contact), in_house=texting,
        match=Matched("R1", 0.99, ()), individual=held,
    )  # fmt: skip
    assert sent(written) == []
    (letter,) = letters(written)
    assert "they need large print" in letter.reasons[0]
    assert "A person writes in large print and does not ring them." in letter.reasons


def test_where_only_a_mail_address_is_known_a_person_still_reaches_them_as_they_need(decided: Any, contact: Any):
    written = decided(feedback("braille"), of=contact())
    assert [each.state for each in written.messages if each.audience is Audience.PERSON] == []
    assert len(letters(written)) == 1


def test_what_they_asked_for_in_words_of_their_own_is_in_no_task(decided: Any, contact: Any):
    written = decided(feedback("large_print", "yellow paper because of my eyes"), of=contact())
    assert not any("yellow" in each for letter in letters(written) for each in letter.reasons)
    assert "A person writes in large print and sees what else they ask for." in letters(written)[0].reasons


AGREED: dict[str, tuple[tuple[str, ...], str, list[str]]] = {
    "mail goes where mail is agreed": (("email",), "email", ["email"]),
    "mail goes where mail is one of those agreed": (("letter", "email"), "email", ["email"]),
    "no mail goes where letters are agreed": (("letter",), "email", []),
    "no mail goes where calls are agreed": (("telephone",), "email", []),
    "a text goes where texts are agreed": (("sms",), "sms", ["sms"]),
    "no text goes where mail is agreed": (("email",), "sms", []),
    "mail goes where nothing is agreed": ((), "email", ["email"]),
}


@pytest.mark.parametrize(("agreed", "method", "goes"), AGREED.values(), ids=AGREED)
def test_the_method_that_the_register_has_agreed_is_kept(
    decided: Any, contact: Any, texting: Any, agreed: tuple[str, ...], method: str, goes: list[str]
):
    written = decided(
        feedback(), of=contact() if method == "email" else by_text(contact), in_house=texting,
        match=Matched("R1", 0.99, ()), individual=replace(JOAN, agreed_methods=agreed),
    )  # fmt: skip
    assert sent(written) == goes
    assert [f"it is agreed to reach them by {' or '.join(agreed)}" in each.reasons[0] for each in letters(written)] == (
        [] if goes else [True]
    )


def test_whoever_needs_welsh_is_answered_in_welsh_first(decided: Any, contact: Any, texting: Any):
    assert "Diolch" in decided(feedback("welsh"), of=contact()).messages[0].body.body.split("\n")[0]
    assert decided(feedback("welsh"), of=by_text(contact), in_house=texting).messages[0].body.language == "cy"


def test_one_need_that_leaves_one_way_and_another_that_leaves_another_leave_both():
    assert ruled_out(("post_only", "email_only")) == {"sms", "telephone"}
    assert ruled_out(("large_print",)) == set()


def test_what_was_agreed_is_no_wish_for_another_way():
    assert broken_by("sms", ("large_print",), {"email"}) == "large_print"


def test_the_table_for_people_says_the_same():
    told = OPERATING.read_text("utf-8").partition("## What people need")[2].partition("\n## ")[0]
    rows = {
        need.strip("`"): (mail, text, wished)
        for need, mail, text, wished in re.findall(r"^\| (`\w+`) \| (\w+) \| (\w+) \| ([\w ]+) \|", told, re.MULTILINE)
    }
    said = {True: "goes", False: "no", None: "goes"}
    assert rows == {need: (said[mail], said[text], said[wished]) for need, (mail, text, wished) in TABLE.items()}
