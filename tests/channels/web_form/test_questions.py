"""The way through the questions comes to its end for everybody, and says of each answer what is wrong with it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.web_form.questions import (
    BY_NAME,
    CHECK,
    PAGES,
    Answers,
    Page,
    asked,
    hides_words,
    may_see,
    next_page,
    page_before,
    purpose,
    to_send,
    validate,
    visible,
    ways,
)
from tests.channels.web_form.conftest import FILLED_IN

TODAY = date(2026, 3, 2)
WORDS = {"line": "Something", "words": "Some words"}


def submitted(**fields: Any) -> dict[str, list[str]]:
    return {name.replace("__", "-"): [each] if isinstance(each, str) else list(each) for name, each in fields.items()}


def answered(page: str, answers: Answers | None = None, **fields: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    found, wrong = validate(BY_NAME[page], submitted(**fields), answers or {}, TODAY)
    return found, [(each.field, each.fault) for each in wrong]


def walked(choose: Any) -> dict[str, Any]:
    """Answers from the first page to the last, each chosen by the caller."""
    answers: dict[str, Any] = {}
    for _ in range(3 * len(PAGES)):
        if (name := next_page(answers)) == CHECK:
            return answers
        found, wrong = validate(BY_NAME[name], choose(BY_NAME[name], answers), answers, TODAY)
        assert not wrong, (name, wrong)
        answers |= found
    raise AssertionError(f"no end: {answers}")


def any_answers(data: st.DataObject) -> Any:
    def choose(page: Page, answers: Answers) -> dict[str, list[str]]:
        given: dict[str, list[str]] = {}
        for field in page.fields:
            if field.kind == "choice":
                given[field.name] = [data.draw(st.sampled_from(ways(answers) if page.name == "reply" else field.choices))]
            elif field.kind == "choices" and field.name != "no_address":
                given[field.name] = data.draw(st.lists(st.sampled_from(field.choices), unique=True))
            elif field.kind in WORDS and (not field.optional or data.draw(st.booleans())):
                given[field.name] = [WORDS[field.kind]]
        if page.name == "address":
            return {"no_address": ["none"]} if data.draw(st.booleans()) else submitted(address_1="4 Wharf Lane", town="Derby")
        if page.name in ("email", "telephone"):
            return submitted(email="ada@example.org", telephone="01632 960 001") if data.draw(st.booleans()) else {}
        return given

    return choose


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_is_answered_the_way_ends_and_back_leads_along_it_to_its_beginning(data: st.DataObject) -> None:
    answers = walked(any_answers(data))
    back = [CHECK]
    while (before := page_before(back[-1], answers)) is not None:
        back.append(before)
    assert back[::-1] == [*(page.name for page in asked(answers)), CHECK]
    assert all(next_page(answers, page) == after for page, after in zip(back[:0:-1], back[-2::-1], strict=True))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_an_answer_changed_at_the_end_asks_for_what_is_wanted_then_and_no_more(data: st.DataObject) -> None:
    answers = walked(any_answers(data))
    page = data.draw(st.sampled_from(asked(answers)))
    found, _ = validate(page, any_answers(data)(page, answers), answers, TODAY)
    changed = {**answers, **found}
    wanted = next_page(changed)
    assert wanted == CHECK or (wanted in {each.name for each in asked(changed)} and may_see(wanted, changed))
    assert set(to_send(changed)) <= {field.name for page in asked(changed) for field in page.fields}


def test_whoever_finds_that_they_want_another_body_looked_into_is_asked_its_name_and_types_nothing_again() -> None:
    answers = {"purpose": "feedback", "about": "another_body"}
    assert purpose(answers) == "new_complaint"
    assert next_page(answers, "about") == "organisation"
    kept = {
        **answers,
        "what_happened": "They lost my notes.",
        "remedy": "",
        "files_done": "",
        "for_whom": "myself",
        "name": "Ada",
    }
    assert next_page(kept) == "organisation"
    assert next_page({**kept, "organisation": "Wharfside Hospital"}) == "date-of-birth"


def test_a_way_that_is_not_safe_cannot_be_chosen_and_a_choice_of_it_is_asked_for_again() -> None:
    answers = {"email": "ada@example.org", "telephone": "01632 960 001", "address_1": "", "unsafe_ways": ("telephone",)}
    assert ways(answers) == ("email", "sms")
    assert answered("reply", answers, reply="telephone")[1] == [("reply", "impossible")]
    assert answered("reply", answers, reply="email")[1] == []
    whole = walked(lambda page, _: submitted(**{name.replace("-", "__"): each for name, each in FILLED_IN[page.name].items()}))
    assert next_page(whole) == CHECK
    assert next_page({**whole, "unsafe_ways": ("letter",)}) == "reply"


def test_whoever_can_be_reached_in_no_way_is_not_asked_which() -> None:
    pages = {page.name for page in asked({"email": "", "telephone": "", "address_1": ""})}
    assert not {"reply", "safe"} & pages


def test_what_belongs_to_a_way_not_taken_is_not_sent() -> None:
    answers = {
        "purpose": "question",
        "about": "decision",
        "what_happened": "Why?",
        "inaccurate_facts": "The date",
        "name": "Ada",
    }
    assert to_send(answers) == {"purpose": "question", "what_happened": "Why?", "name": "Ada"}


@pytest.mark.parametrize(
    ("page", "fields", "wrong"),
    [
        ("purpose", {}, [("purpose", "missing")]),
        ("purpose", {"purpose": "something-else"}, [("purpose", "missing")]),
        ("name", {"name": "  "}, [("name", "missing")]),
        ("name", {"name": "Ada\r\nBcc: all@example.org"}, [("name", "line")]),
        ("name", {"name": "Ada\u2028Pargeter"}, [("name", "line")]),
        ("name", {"name": "A" * 201}, [("name", "long")]),
        ("what-happened", {"what_happened": "word " * 2_000}, []),
        ("what-happened", {"what_happened": "word " * 2_001}, [("what_happened", "long")]),
        ("what-happened", {"what_happened": "x" * 40_001}, [("what_happened", "long")]),
        ("email", {}, []),
        ("email", {"email": "ada at example.org"}, [("email", "format")]),
        ("email", {"email": "ada@localhost"}, [("email", "format")]),
        ("email", {"email": "ada@example.org, eve@example.org"}, [("email", "format")]),
        ("email", {"email": "a" * 243 + "@example.org"}, [("email", "long")]),
        ("telephone", {"telephone": "+44 (0)1632 960-001 ext. 7"}, []),
        ("telephone", {"telephone": "call me"}, [("telephone", "format")]),
        ("address", {}, [("address_1", "missing"), ("town", "missing")]),
        ("address", {"no_address": "none"}, []),
        ("address", {"no_address": "none", "town": "Derby"}, [("no_address", "both")]),
        ("date-of-birth", {}, []),
        ("date-of-birth", {"date_of_birth__day": "7"}, [("date_of_birth", "lacks-month-year")]),
        ("date-of-birth", {"date_of_birth__month": "2", "date_of_birth__year": "1961"}, [("date_of_birth", "lacks-day")]),
        (
            "date-of-birth",
            {"date_of_birth__day": "30", "date_of_birth__month": "2", "date_of_birth__year": "1961"},
            [("date_of_birth", "not-real")],
        ),
        (
            "date-of-birth",
            {"date_of_birth__day": "7", "date_of_birth__month": "2", "date_of_birth__year": "61"},
            [("date_of_birth", "year")],
        ),
        (
            "date-of-birth",
            {"date_of_birth__day": "3", "date_of_birth__month": "3", "date_of_birth__year": "2026"},
            [("date_of_birth", "future")],
        ),
        ("date-of-birth", {"date_of_birth__day": "7/7", "date_of_birth__month": "x", "date_of_birth__year": "1961"}, [
            ("date_of_birth", "lacks-day-month-year"),
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_field(page: str, fields: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    assert answered(page, **fields)[1] == wrong


@pytest.mark.parametrize("month", ["2", "02", "Feb", "february", "Chwefror"])
def test_a_month_may_be_a_number_or_a_word_in_either_language(month: str) -> None:
    found, wrong = answered("date-of-birth", date_of_birth__day="7", date_of_birth__month=month, date_of_birth__year="1961")
    assert (found["date_of_birth"], wrong) == ("1961-02-07", [])


def test_a_telephone_number_stays_as_it_was_written() -> None:
    assert answered("telephone", telephone=" (01632) 960-001 ")[0]["telephone"] == "(01632) 960-001"


def test_line_ends_come_in_one_kind_and_count_for_nothing_at_the_ends() -> None:
    assert answered("what-happened", what_happened="\r\nOne\r\n\r\nTwo\r\n")[0]["what_happened"] == "One\n\nTwo"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Cymraeg ŵŷ, عربي", None),
        ("a\u200fb, mark of a right-to-left language", None),
        ("pay\u202efdp.exe", "pay<U+202E>fdp.exe"),
        ("nul\x00", "nul<U+0000>"),
        ("half \ud83d", "half <U+D83D>"),
        ("not UTF-8 \ufffd", "not UTF-8 <U+FFFD>"),
        ("two\nlines\tand a tab", None),
    ],
)
def test_characters_that_hide_or_turn_words_are_written_out(text: str, shown: str | None) -> None:
    assert hides_words(text) is (shown is not None)
    assert visible(text) == (shown or text)
