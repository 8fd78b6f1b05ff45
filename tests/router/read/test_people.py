"""Who writes, for whom they write and how to reach either: each of many short contacts beside all that is read of its people."""

import json
from pathlib import Path

import pytest

from router.read import ReadIndividual, Reading, read
from router.read.reading import Fact

# Of each: its channel, its text, and by the name of a fact its value, the rule that found it and the words that show it.
CONTACTS = [json.loads(line) for line in Path(__file__).with_name("people.jsonl").read_text(encoding="utf-8").splitlines()]


def of_people(reading: Reading) -> dict[str, list[str]]:
    facts = {fact.name: [fact.value, fact.rule, fact.words] for fact in reading.evidence}
    return {name: told for name, told in facts.items() if name.startswith(("own ", "represented ", "authority"))}


def individual(reading: Reading, whose: str) -> ReadIndividual:
    facts = of_people(reading).items()
    return ReadIndividual(**{name.removeprefix(whose): told[0] for name, told in facts if name.startswith(whose)})


@pytest.mark.parametrize("contact", CONTACTS, ids=lambda contact: contact["text"][:40])
def test_of_each_person_is_read_what_the_words_give_and_which_words_those_are(contact):
    reading = read(contact["channel"], None, contact["text"])
    assert of_people(reading) == contact["facts"]
    assert reading.individual == individual(reading, "own ")
    assert (reading.represented or ReadIndividual()) == individual(reading, "represented ")
    assert bool(reading.represented) == bool(reading.authority or individual(reading, "represented ") != ReadIndividual())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I write on behalf of my mum" + " and of nobody else" * 20, 300),
        ("My name is Ann Sugden. Ring " + "me, please, " * 40 + "07700 900123", 37),
    ],
    ids=["by what right", "a number"],
)
def test_the_words_of_a_fact_are_as_many_as_a_person_reads_at_a_glance(text, words):
    facts: list[Fact] = [fact for fact in read("email", None, text).evidence if fact.name in ("authority", "own phone")]
    assert [len(fact.words) for fact in facts] == [words]
