"""Both languages say everything, and say it with the same settings in it."""

import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.web_form.questions import PAGES
from channels.web_form.words import LANGUAGES, TABLES, Language, Words

FAULTS = {
    "line": ("line", "long"),
    "words": ("long",),
    "choice": (),
    "choices": (),
    "date": (
        "lacks-day", "lacks-month", "lacks-year", "lacks-day-month", "lacks-day-year", "lacks-month-year", "lacks-day-month-year",
        "not-real", "year", "future",
    ),
}  # fmt: skip


def texts(table: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from texts(value, f"{within}{key}.")
        else:
            for number, each in enumerate(value if isinstance(value, list) else [value]):
                yield f"{within}{key}#{number}", each


def test_each_language_has_every_text_with_the_same_values_in_it() -> None:
    english, welsh = (dict(texts(TABLES[each])) for each in LANGUAGES)
    assert english.keys() == welsh.keys()
    same = "fields.telephone.choices", "chrome.time", "chrome.date", "chrome.by"
    for key, text in english.items():
        wanted, found = ({name for _, name, _, _ in string.Formatter().parse(each) if name} for each in (text, welsh[key]))
        assert wanted == found, key
        if text == welsh[key] and not key.startswith(same):
            assert key.partition("#")[0] == "fields.adjustments.choices.braille", f"{key} is the same in both"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_field_choice_and_fault_has_its_words(language: Language) -> None:
    t = Words(language, {})
    for page in PAGES:
        assert t.get(f"pages.{page.name}.title") or page.name == "files"
        for field in page.fields:
            assert t(f"fields.{field.name}.label")
            for choice in field.choices:
                assert t(f"fields.{field.name}.choices.{choice}")
            for fault in (*FAULTS[field.kind], *(() if field.optional else ("missing",))):
                said = t.fault(field.name, fault, field.most, words=field.kind == "words")
                assert said
                assert "{" not in said
                assert not said.endswith(".")


@pytest.mark.parametrize(
    ("moment", "english", "welsh"),
    [
        (datetime(2026, 3, 4, 9, 5, tzinfo=UTC), "9:05am on Wednesday 4 March 2026", "9:05yb, Dydd Mercher 4 Mawrth 2026"),
        (datetime(2026, 12, 6, 12, 0, tzinfo=UTC), "midday on Sunday 6 December 2026", "hanner dydd, Dydd Sul 6 Rhagfyr 2026"),
        (datetime(2026, 12, 6, 0, 0, tzinfo=UTC), "midnight on Sunday 6 December 2026", "hanner nos, Dydd Sul 6 Rhagfyr 2026"),
        (datetime(2026, 8, 1, 23, 59, tzinfo=UTC), "11:59pm on Saturday 1 August 2026", "11:59yh, Dydd Sadwrn 1 Awst 2026"),
    ],
)
def test_a_moment_is_written_as_people_read_it(moment: datetime, english: str, welsh: str) -> None:
    assert [Words(each, {}).by(moment) for each in LANGUAGES] == [english, welsh]


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(hours=48), "48 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=7), "7 days"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=20), "1 minute"),
    ],
)
def test_a_length_of_time_is_said_in_the_unit_people_use(length: timedelta, said: str) -> None:
    assert Words("en", {}).span(length) == said


def test_a_long_text_has_headings_lists_and_paragraphs() -> None:
    blocks = Words("en", {"kept_for": "24 hours", "organisation": "Us", "contact": "a@b.org"}).blocks("privacy.body")
    assert blocks[0] == ("paragraph", ("Us is responsible for what you tell us on this form.",))
    assert ("heading", ("Why",)) in blocks
    assert any(kind == "list" and len(lines) == 2 for kind, lines in blocks)
