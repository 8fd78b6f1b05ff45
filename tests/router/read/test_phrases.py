"""The tables of phrases find what a plain search, word by word, would find."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from router.read import feedback, outcome, signs, wishes
from router.read.phrases import SETS, Row, find
from router.read.sentences import Sentence, plain

ROWS = (
    *outcome.CLUES, *outcome.QUERIES, *feedback.FEEDBACK, *feedback.CRITERIA, *feedback.CONTACT, *signs.ROWS,
    *wishes.ADJUSTMENTS, *wishes.NOT_NEEDED, *wishes.PREFERRED, *wishes.RESTRICTIONS, *wishes.REMEDIES,
)  # fmt: skip
GAPS = {"..": 4, "...": 10}


def alternatives(element: str) -> list[list[str]]:
    named = re.sub(r"\{(\w+)\}", lambda name: SETS[name[1]], element.rstrip("?"))
    spelt = [one.replace("_", " ") for one in named.split("|")]
    return [one.split(" ") if one.endswith("*") else plain(one).split(" ") for one in spelt]


def stands(elements: list[str], words: list[str]) -> bool:
    """Whether the elements stand where the words begin."""
    if not elements:
        return True
    element, *rest = elements
    if element in GAPS:
        return any(stands(rest, words[skipped:]) for skipped in range(min(GAPS[element], len(words)) + 1))
    if element.endswith("?") and stands(rest, words):
        return True
    return any(
        len(words) >= len(each)
        and all(
            word.startswith(part[:-1]) if part.endswith("*") else word == part for part, word in zip(each, words, strict=False)
        )
        and stands(rest, words[len(each) :])
        for each in alternatives(element)
    )


def says(phrase: str, words: list[str]) -> bool:
    first, *rest = phrase.split(" ")
    return any(stands([first.rstrip("?"), *rest], words[start:]) for start in range(len(words)))


def applies(row: Row, words: list[str]) -> bool:
    return any(says(each, words) for each in row.phrases) and not any(says(each, words) for each in row.unless)


@st.composite
def spoken(draw) -> tuple[Row, list[str]]:
    """A row, and words in which phrases of it are said, nearly said or broken up."""
    row = draw(st.sampled_from(ROWS))
    filler = st.sampled_from(["the", "not", "you", "a", "zebra", "hospital", "about", "time"])
    words: list[str] = []
    for phrase in draw(st.lists(st.sampled_from((*row.phrases, *row.unless)), min_size=1, max_size=3)):
        for element in phrase.split(" "):
            if element in GAPS:
                words += draw(st.lists(filler, max_size=GAPS[element] + 1))
            elif draw(st.integers(0, 9)):
                words += [
                    part.replace("*", draw(st.sampled_from(["", "ed"])))
                    for part in draw(st.sampled_from(alternatives(element)))
                ]
        words += draw(st.lists(filler, max_size=2))
    return row, [word for word in words if word]


@settings(max_examples=400, deadline=None)
@given(spoken())
def test_a_row_is_found_where_its_words_stand_and_nowhere_else(said):
    row, words = said
    sentence = Sentence("as written", " ".join(words), question=True, from_subject=True)
    found = {hit.row for hits in find([sentence]).values() for hit in hits}
    if row.where != "ours":
        assert (row in found) == applies(row, words)
