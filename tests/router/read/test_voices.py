"""Names in many forms and review criteria in many voices: those that the rules and the model were made with, and those put by until after."""

import json
from collections import Counter
from collections.abc import Iterable

import pytest

from router.read import feedback, read
from router.read.phrases import find
from router.read.sentences import sentences, tidy
from tests.router.read.measure import CORPUS

CRITERIA = {"inaccurate_facts", "new_information", "overlooked_information"}


def told(name: str) -> list[dict]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def precision_and_recall(pairs: Iterable[tuple[set[str], set[str]]]) -> tuple[float, float]:
    """Of what was found and what there was to find."""
    tally: Counter[str] = Counter()
    for found, wanted in pairs:
        tally.update(hit=len(found & wanted), found=len(found), wanted=len(wanted))
    return tally["hit"] / tally["found"], tally["hit"] / tally["wanted"]


def name_in(row: dict) -> set[str]:
    said = read(row["channel"], row["subject"], row["text"]).individual.name
    return {" ".join(said.lower().replace(".", " ").split())} if said else set()


def criteria_of_feedback(text: str) -> set[str]:
    lines = sentences(tidy(text))
    return {name for name, _ in feedback.review_criteria(feedback.weigh(lines, find(lines)), "decision")[0]}


@pytest.mark.many
# By file the least that is found; docs/reading.md tells the figures.
@pytest.mark.parametrize(("file", "least"), [("names/names.jsonl", (0.95, 0.95)), ("names/unlearned.jsonl", (0.9, 0.8))])
def test_who_writes_is_named_in_many_forms(file, least):
    rows = told(file)
    wanted = [{" ".join(row["name"].lower().replace(".", " ").split())} if row["name"] else set() for row in rows]
    found = precision_and_recall(zip(map(name_in, rows), wanted, strict=True))
    assert min(mine - theirs for mine, theirs in zip(found, least, strict=True)) >= 0, found


@pytest.mark.many
@pytest.mark.parametrize(
    ("file", "least"), [("sentences/criteria.jsonl", (0.95, 0.8)), ("sentences/criteria-unlearned.jsonl", (0.85, 0.4))]
)
def test_review_criteria_are_told_apart_in_many_voices(file, least):
    rows = [row for row in told(file) if row["labels"] and "praise" not in row["labels"]]
    found = precision_and_recall((criteria_of_feedback(row["text"]), CRITERIA & set(row["labels"])) for row in rows)
    assert min(mine - theirs for mine, theirs in zip(found, least, strict=True)) >= 0, found


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("Your final decision says there is no record of my asking. I sent you the record in May.", {"overlooked_information"}),
        ("Your final decision says that he was seen at nine. He was not seen until noon.", {"inaccurate_facts"}),
        ("Since your decision the hospital has written to admit it. I want a review.", {"new_information"}),
        ("I disagree with your decision. It is unfair and I want it changed.", set()),
        ("You promised to ring on Friday and nobody did. I complained about that before.", set()),
        ("The hospital ignored the photographs that I gave it. Can you investigate?", set()),
    ],
)
def test_what_a_decision_has_wrong_is_not_what_it_left_out(text, criteria):
    assert {name for name, _ in read("email", "My case", text).review_criteria} == criteria


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Spoke to Mr Varga, second call today, wants Ms Holloway's manager.", "Mr Varga"),
        ("Incoming: Adanna Nwoye. Re her late mother. Dr Pell is the GP.", "Adanna Nwoye"),
        ("10:40 Tamar Oakes. Says nobody rings. Case is with Ms Holloway.", "Tamar Oakes"),
        ("Anonymous caller. Says Nurse Carla Beech at Sandholt Infirmary is rude.", None),
    ],
)
def test_of_several_people_in_the_note_of_a_call_the_caller_is_named(text, name):
    assert read("telephone", None, text).individual.name == name
