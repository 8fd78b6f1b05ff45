"""The tables of phrases find what a plain search, word by word, would find."""

import re
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.read import feedback, outcome, phrases, signs, wishes
from router.read.phrases import SETS, Row, Table, find
from router.read.sentences import Sentence, plain, sentences

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


@pytest.mark.many
@settings(max_examples=400, deadline=None)
@given(spoken())
def test_a_row_is_found_where_its_words_stand_and_nowhere_else(said):
    row, words = said
    sentence = Sentence("as written", " ".join(words), question=True, from_subject=True)
    found = {hit.row for hits in find([sentence]).values() for hit in hits}
    if row.where != "ours":
        assert (row in found) == applies(row, words)


@pytest.fixture
def found_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The names of rows found in a text, in their order, where there is no table but one of these."""

    def found(text: str, *rows: Row, subject: str = "") -> list[str]:
        monkeypatch.setattr(phrases, "_TABLES", [])
        for built_once in ("_index", "_pattern", "_anywhere"):
            monkeypatch.setattr(phrases, built_once, cache(getattr(phrases, built_once).__wrapped__))
        table, other = Table(rows), Table([Row("other", "", "", ("zebra",))])
        said = find(sentences(subject, from_subject=True) + sentences(text))
        assert [hit.row.name for hit in said[other]] == ["other"] * text.count("zebra")
        assert all(hit.sentence.text in (subject if hit.sentence.from_subject else text) for hit in said[table])
        return [hit.row.name for hit in said[table]]

    return found


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("ring me", "Please ring me today", True),
        ("ring me", "Please ring", False),
        ("ring me", "String me along", False),
        ("ring me", "Please ring merrily", False),
        ("ring|phone me", "Phone me", True),
        ("ring|phone me", "Text me", False),
        ("don't ring", "I said do not ring", True),
        ("put_me_off", "It put me off", True),
        ("put_me_off", "It put us off", False),
        ("complain*", "I am complaining", True),
        ("complain*", "I complain", True),
        ("complain* loudly", "I complained loudly", True),
        ("complain*", "I do not recomplain", False),
        ("long_complain* loudly", "I long complained loudly", True),
        ("ring me? back", "Ring back", True),
        ("ring me? back", "Ring me back", True),
        ("ring me? back", "Ring us back", False),
        ("ring .. back", "Ring back", True),
        ("ring .. back", "Ring a b c d back", True),
        ("ring .. back", "Ring a b c d e back", False),
        ("ring ... back", "Ring a b c d e f g h i j back", True),
        ("ring ... back", "Ring a b c d e f g h i j k back", False),
        ("ring .. me? .. back", "Ring a b c d e f g h back", True),
        ("{time} ago", "Two weeks ago", True),
        ("{time}|ages ago", "Ages ago", True),
        ("{time} ago", "Time ago", False),
        ("a_b|c d", "It is a b d", True),
    ],
)
def test_a_phrase_is_its_words_in_order(found_of, phrase, text, is_found):
    assert found_of(text, Row("it", "", "", (phrase,))) == (["it"] if is_found else [])


@pytest.mark.parametrize(
    ("unless", "text", "is_found"),
    [
        ("not ring", "Do not ring me", False),
        ("not ring", "Ring me and not now", True),
        ("not .. ring", "Do not ever ring me", False),
        ("not .. ring", "Do not ever, ever, and I say it twice, ring me", True),
        ("not .. ring", "Ring me, not now", True),
        ("not ever? ring", "Do not ring me", False),
        ("not ever? ring", "Do not ever ring me", False),
        ("not ever? ring", "Ring me. Not ever.", True),
        ("no* ring", "Nobody ring me", False),
        ("no|not|never ring", "Never ring me", False),
        ("knot ring", "Not ring me", True),
        ("not ever? ring", "Knot ring me", True),
    ],
)
def test_a_row_is_taken_back_by_other_words_of_the_sentence(found_of, unless, text, is_found):
    assert found_of(text, Row("it", "", "", ("ring me",), unless=(unless,))) == (["it"] if is_found else [])
    both = Row("it", "", "", ("ring me",), unless=("zebra", "old .. zebra", unless))
    assert found_of(text, both) == (["it"] if is_found else [])


@pytest.mark.parametrize(
    ("where", "subject", "text", "times"),
    [
        ("any", "Ring me", "Ring me. Will you ring me?", 3),
        ("ours", "Ring me", "Ring me. Will you ring me?", 1),
        ("question", "Ring me", "Ring me. Will you ring me?", 1),
        ("subject", "Ring me", "Ring me. Will you ring me?", 1),
        ("ours", "", "Yours is the one to ring me", 1),
        ("ours", "", "The young ring me", 0),
    ],
)
def test_a_row_may_be_looked_for_in_some_sentences_alone(found_of, where, subject, text, times):
    assert found_of(text, Row("it", "", "", ("ring me",), where=where), subject=subject) == ["it"] * times


def test_rows_are_found_once_a_sentence_in_the_order_of_its_words_and_at_one_place_in_that_of_the_table(found_of):
    rows = (
        Row("last", "", "", ("late", "back")),
        Row("first", "", "", ("ring me", "ring")),
        Row("second", "", "", ("ring .. back",)),
    )
    assert found_of("Ring me back late, zebra. Late.", *rows) == ["first", "second", "last", "last"]
    assert found_of("Ring me back late, zebra. Late.", *reversed(rows)) == ["second", "first", "last", "last"]
