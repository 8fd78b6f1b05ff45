"""Which numbers are ours, which look alike, and which other body is complained of: each with the rule and the words that show it."""

import json
import re
from pathlib import Path

import pytest

from router.read import Fact, read
from router.read.references import _begun, bodies, case_references, organisation

# Of each: its text, and the facts that are read of references and bodies.
TEXTS = [json.loads(line) for line in Path(__file__).with_name("references.jsonl").read_text(encoding="utf-8").splitlines()]
OURS = ("case_reference", "not-a-case-reference", "organisation_complained_of")


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row["text"][:40])
def test_a_reference_or_a_body_is_known_by_its_form_and_by_the_words_around_it(row):
    reading = read("email", None, row["text"])
    facts = [Fact(*each) for each in row["facts"]]
    assert [fact for fact in reading.evidence if fact.name in OURS] == facts
    assert list(reading.case_references) == [fact.value for fact in facts if fact.name == "case_reference"]


def test_of_many_references_the_first_twenty_are_kept():
    given = [f"C-20312{number}" for number in range(10, 40)]
    assert list(case_references(" ".join(given))[0]) == given[:20]


@pytest.mark.parametrize(("between", "is_theirs"), [(16, True), (17, False)])
def test_a_word_that_makes_a_number_another_bodys_stands_near_it(between, is_theirs):
    """``with the`` and two words of it, however long: past them it is a sentence that speaks of something else."""
    text = f"My account number with the {'a' * between} {'b' * between}: C-2031234"
    assert case_references(f"{'x' * 40} {text}")[0] == (() if is_theirs else ("C-2031234",))


@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("organisation name", "Elm Road Surgery"),
        ("who is your complaint about", "Elm Road Surgery"),
        ("body", "B" * 130),
    ],
)
def test_the_field_of_a_form_names_the_body_before_all_words(label, body):
    text = "I complain about the DWP."
    assert organisation(text, bodies(text), {label: body}) == (
        body[:120],
        (Fact("organisation_complained_of", body[:120], "form field", label),),
    )


def test_a_body_is_named_early_or_not_at_all():
    far = 16 * 1024
    for guessed in ("DWP", "the hospital is Larkfield"):
        before, beyond = f"{'z ' * 8000}{guessed} ok", f"{'z ' * (far // 2)}{guessed} ok"
        assert organisation(before, bodies(before), {})[0] == guessed.split()[-1]
        assert organisation(beyond, bodies(beyond), {}) == (None, ())


def test_every_body_is_told_with_the_place_where_its_name_begins():
    text = "The Elm Road Surgery and the DWP, then at elm road surgery in the Home Office"
    assert bodies(text) == [(4, "Elm Road Surgery"), (29, "DWP"), (42, "elm road surgery"), (66, "Home Office")]
    assert all(text[start:].startswith(name) for start, name in bodies(text))


def test_a_body_that_is_known_by_name_is_one_where_its_name_stands_as_a_word_of_its_own():
    known = re.compile(_begun(("DWP", "DVLA", "UC")))
    assert [found[0] for found in known.finditer("DWP, then DVLA, xDWP, @UC, DLA and UC")] == ["DWP", "DVLA", "UC"]
