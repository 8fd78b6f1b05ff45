"""The model that weighs outcomes, what is done about what it is not sure of, and what it has learned."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ingest.settings import ReadingSettings
from router.opening import reading_of
from router.read import Outcome, outcome, read
from router.read.linear import Linear, known, together
from router.read.reader import look
from router.read.sentences import ngrams
from tests.router.read.lessons import digest, feedback_files, version

CHASER = "I have been waiting for your reply since May. Nobody rings me back. I want an apology from you."


def test_the_model_has_learned_what_there_is_to_learn():
    """Where it has not: ``python -m tests.router.read.train outcome``, and say in docs/reading.md what it prints."""
    assert Linear("outcome.json").version.partition(".")[0] == version()


def test_the_model_of_feedback_has_learned_what_there_is_to_learn():
    """Where it has not: ``python -m tests.router.read.train_feedback``, and say in docs/reading.md what it prints."""
    assert Linear("feedback.json").version == digest(feedback_files())


def test_what_is_not_sure_enough_is_for_a_person_who_is_told_what_it_most_likely_is():
    sure = read("email", "Your service", CHASER)
    held = read("email", "Your service", CHASER, automatic_at=1.0)
    assert (sure.outcome, held.outcome) == (Outcome.FEEDBACK_RECORD, Outcome.REVIEW)
    assert held.leaning is sure.leaning is Outcome.FEEDBACK_RECORD
    assert held.confidence == sure.confidence < 1.0


def test_a_team_can_set_how_sure_the_reading_must_be(contact, house):
    about = contact(CHASER)
    assert reading_of(about, house).outcome is Outcome.FEEDBACK_RECORD
    assert reading_of(about, replace(house, reading=ReadingSettings(automatic_at=1.0))).outcome is Outcome.REVIEW


def test_by_default_it_is_what_it_was_measured_with():
    assert ReadingSettings().automatic_at == outcome.AUTOMATIC_AT


@pytest.mark.parametrize(
    "text",
    [
        "This is a subject access request: please send me all the personal data that you hold on me. And your decision is wrong.",
        ("There are two things. First, the draft report has the wrong date in paragraph 9. Secondly I want to make a complaint about your "
        "investigator, who was rude to me and never rang me back."),
    ],
)  # fmt: skip
def test_what_a_rule_keeps_for_a_person_stays_there_however_sure_the_model_is(text):
    assert read("email", "C-2034411", text, automatic_at=0.0).outcome is Outcome.REVIEW


def test_evidence_names_the_model_or_the_row_and_the_sentence_it_found_them_in():
    evidence = [fact for fact in read("email", None, CHASER).evidence if fact.name == "outcome"]
    rules = {row.name for row in outcome.CLUES} | {f"model outcome {Linear('outcome.json').version}"}
    assert evidence
    assert {fact.rule for fact in evidence} <= rules
    assert all(fact.words and fact.words in CHASER for fact in evidence)


def test_the_likelihoods_of_all_outcomes_are_one_together_also_of_words_that_nobody_has_seen():
    for text in (CHASER, "Xyzzy plugh.", ""):
        looked = look(None, text)
        there = outcome.traits_of("letter", looked.lines, looked.found, references=0, named=0)
        assert sum(outcome.likelihoods(together(there), len(there))) == pytest.approx(1.0)


def test_a_trait_counts_once_however_often_it_is_said():
    model = Linear("outcome.json")
    assert model.weigh(ngrams("wait wait wait")) == model.weigh(ngrams("wait wait wait wait"))


@pytest.mark.parametrize("name", ["outcome.json", "feedback.json", "harm.json", "threat-to-staff.json", "adjustments.json"])
def test_a_text_weighs_for_each_label_what_its_traits_weigh_in_the_file(name):
    model, told = Linear(name), json.loads(files("router.read").joinpath(name).read_text(encoding="utf-8"))
    known = list(told["weights"])
    for traits in (known[:1], known[::97], known, ["nobody has ever said this"], []):
        sums = [
            sum(told["weights"].get(each, [0] * len(told["labels"]))[at] for each in traits)
            for at in range(len(told["labels"]))
        ]
        expected = [bias + told.get("unit", 1.0) * total for bias, total in zip(told["bias"], sums, strict=True)]
        assert model.weigh(traits) == pytest.approx(expected)
        assert model.odds(traits) == pytest.approx(expected[0]) or len(expected) > 1


def test_what_speaks_most_for_a_label_comes_first_and_nothing_that_speaks_against_it():
    model, weights = (
        Linear("outcome.json"),
        json.loads(files("router.read").joinpath("outcome.json").read_text("utf-8"))["weights"],
    )
    for at in range(len(model.labels)):
        told = [weights[each][at] for each in model.strongest(known(weights), at, 50)]
        assert told == sorted((each[at] for each in weights.values()), reverse=True)[:50]
    assert model.strongest(known(each for each, of in weights.items() if of[0] <= 0), 0, 5) == []


def further(file: Path, **told: Any) -> Linear:
    """A model from a file of one's own, beside those that are there."""
    file.write_text(json.dumps({"version": "1", "labels": ["a", "b"], "bias": [0.5, 0.0], **told}), encoding="utf-8")
    return Linear(str(file))


def test_a_further_model_weighs_the_same_words_and_changes_nothing_of_what_the_others_make_of_them(tmp_path):
    said, others = ngrams("i want to complain"), [Linear("outcome.json"), Linear("harm.json")]
    before = [each.weigh(said) for each in others]
    told = further(tmp_path / "a.json", weights={"want": [-2.0, 1.5], "complain": [1.0, -4.0], "praise": [9.0, 9.0]})
    in_whole = further(tmp_path / "b.json", weights={"want": [-20, 15], "zebra": [1, -2]}, unit=0.1, sureness=[1.5, 0.25])
    assert told.weigh(said) == pytest.approx([-0.5, -2.5])
    assert told.weigh(said, 0.5) == pytest.approx([0.0, -1.25])
    assert in_whole.weigh([*said, "zebra"]) == pytest.approx([-1.4, 1.3])
    assert [each.weigh(said) for each in others] == before
    assert (told.sureness, in_whole.sureness) == ((1.0, 0.0), (1.5, 0.25))


def test_what_speaks_most_for_a_label_is_told_in_every_lane_also_beside_what_speaks_against_it(tmp_path):
    model = further(
        tmp_path / "c.json", weights={"lynx": [2.0, -1.0], "ibis": [3.0, -0.001], "emu": [-1.0, 0.001], "yak": [0.0, 5.0]}
    )
    there = known(["lynx", "ibis", "emu", "yak", "nobody has ever said this"])
    assert model.strongest(there, 0, 5) == ["ibis", "lynx"]
    assert model.strongest(there, 1, 5) == ["yak", "emu"]
    assert model.strongest(there, 1, 1) == ["yak"]
