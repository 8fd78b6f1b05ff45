"""Forms become contacts: each ``samples/*.json`` lies beside the contact it must become, and no bytes at all are too bad."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.web_form.questions import PAGES
from channels.web_form.translate import fingerprint, original_of, translate
from channels.web_form.words import Language, Words
from ingest.contract import FULL_TEXT_LIMIT, Attachment, Contact, Verdict
from ingest.ids import digest
from router.read import read

SAMPLES = Path(__file__).parent / "samples"
RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LETTER = Attachment(digest=digest(b"x"), name="letter.pdf", content_type="application/pdf", size=1, verdict=Verdict.CLEAN)


def contact_of(raw: bytes, account: str = "care") -> Contact:
    return translate(raw, account=account, received_at=RECEIVED)[0]


def form(
    answers: dict[str, Any],
    *attachments: Attachment,
    token: str = "t",
    language: Language = "en",
    suspicions: Sequence[str] = (),
) -> Contact:
    return contact_of(original_of(token, answers, attachments, language=language, suspicions=suspicions))


@pytest.mark.parametrize(
    "sample",
    [each for each in sorted(SAMPLES.glob("*.json")) if not each.stem.endswith(".contact")],
    ids=lambda path: path.stem,
)
def test_a_form_becomes_the_contact_beside_it(sample: Path) -> None:
    contact = contact_of(sample.read_bytes())
    expected = json.loads(sample.with_suffix(".contact.json").read_text(encoding="utf-8"))
    assert json.loads(contact.model_dump_json(exclude_defaults=True)) == expected


def test_the_same_answers_are_the_same_contact_and_others_are_another() -> None:
    answers = {"what_happened": "Nobody rang.", "adjustments": ("braille", "welsh")}
    assert form(answers).id == form(answers, suspicions=["x"], language="cy").id
    others = [form(answers, token="u"), form({**answers, "what_happened": "Nobody rang"}), form(answers, LETTER)]
    assert len({form(answers).id, *(each.id for each in others)}) == 4


def test_answers_are_told_apart_by_their_words_and_files_alone() -> None:
    assert fingerprint({"a": "1", "b": ("2",)}, [LETTER]) == fingerprint({"b": ("2",), "a": "1"}, [LETTER])
    assert fingerprint({"a": "1"}, [LETTER]) != fingerprint({"a": "1"}, [])


def test_what_is_said_in_their_own_words_anywhere_is_read_for_harm() -> None:
    fields = ("what_happened", "inaccurate_facts", "new_information", "overlooked_information", "remedy", "unsafe_words",
              "adjustments_other", "authority_other")  # fmt: skip
    for name in fields:
        contact = form({"purpose": "feedback", "about": "decision", name: "I cannot go on and want to end my life."})
        assert read("web_form", None, contact.text).signs, name


def test_the_names_of_our_own_questions_and_choices_are_no_sign_of_harm() -> None:
    t = Words("en", {})
    for page in PAGES:
        for field in page.fields:
            said = "\n\n".join(
                f"{t(f'fields.{field.name}.label')}: {t(f'fields.{field.name}.choices.{each}')}" for each in field.choices
            )
            assert not read("web_form", None, said or t(f"fields.{field.name}.label")).signs, field.name


def test_a_text_past_the_limit_is_cut_and_says_so() -> None:
    contact = form({"what_happened": "€" * FULL_TEXT_LIMIT})
    assert contact.full_text_cut
    assert len(contact.full_text.encode()) <= FULL_TEXT_LIMIT


@pytest.mark.parametrize("text", ["nul\x00", "half \ud83d", "pay\u202efdp"])
def test_characters_that_hide_or_turn_words_are_kept_and_a_person_looks(text: str) -> None:
    raw = original_of("t", {"what_happened": text}, [], language="en")
    assert json.loads(raw)["answers"]["what_happened"] == text
    contact = contact_of(raw)
    assert [each.partition(":")[0] for each in contact.warnings] == ["not-read"]
    assert Contact.model_validate_json(contact.model_dump_json()) == contact


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(
    st.sampled_from(["form", "token", "answers", "attachments", "language", "suspicions", "purpose", "date_of_birth"]), each
)).map(lambda each: json.dumps(each).encode()))  # fmt: skip
def test_any_bytes_become_a_contact(raw: bytes) -> None:
    contact = contact_of(raw)
    assert contact.original == digest(raw)
    assert contact.warnings


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from([field.name for page in PAGES for field in page.fields]), st.text() | st.lists(st.text()))
)
def test_any_answers_become_a_contact_that_can_be_published(answers: dict[str, Any]) -> None:
    contact = form(answers)
    assert Contact.model_validate_json(contact.model_dump_json()) == contact
