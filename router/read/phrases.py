"""The small language that the tables of this room are written in, and how its rows are looked for in a sentence.

A phrase is words in order. ``a|b`` is either, ``word*`` any word that begins so, ``word?`` may be missing, ``two_words`` belong
together, ``..`` is up to four words and ``...`` up to ten, ``{name}`` one of a named set. Every phrase is found in time linear
in the sentence: gaps are counted, and a phrase is tried only where its first word stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from router.read.sentences import Sentence, plain

SETS: Final[Mapping[str, str]] = {
    "you": "you|your|yours|yourselves|ombudsman|ombudsmancare|phso",
    "staff": (
        "investigator|investigators|caseworker|caseworkers|case_worker|case_officer|case_handler|adviser|advisor|staff|team|receptionist|"
        "call_handler|colleague|officer|manager"
    ),
    "ours": "investigator|investigators|caseworker|caseworkers|case_worker|case_officer|case_handler|adviser|advisor|call_handler|customer_care|helpline",
    "decision": (
        "decision|decisions|findings|finding|conclusion|conclusions|ruling|verdict|outcome|determination|judgement|judgment|final_report|"
        "report|final_letter|decision_letter"
    ),
    "final": "decision|decisions|ruling|verdict|determination|final_report|final_decision|decision_letter|outcome",
    "draft": "draft|provisional|proposed|interim",
    "time": "day|days|week|weeks|month|months|year|years|hour|hours|fortnight",
    "nobody": "nobody|no_one|noone|no1|not_one_of_you|not_one_person|none_of_you|never",
    "ring": "ring|phone|call|telephone|rang|phoned|called|telephoned|ringing|phoning|calling",
    "they": "they|hospital|surgery|trust|gp|practice|doctor|doctors|department|council|ward|nurse|nurses|consultant|clinic|jobcentre|board",
    "family": (
        "mum|mam|mom|mother|dad|father|son|daughter|husband|wife|partner|brother|sister|aunt|uncle|nan|gran|grandmother|grandfather|grandad|child|"
        "children|kids|baby|friend|neighbour|client|constituent|patient"
    ),
    "kin": "him|her|them|me|us",
    "medicine": (
        "medication|meds|medicine|medicines|tablets|pills|insulin|inhaler|inhalers|injections|antidepressants|oxygen|treatment|dialysis|"
        "heart_tablets|blood_thinners|epilepsy_tablets|prescription"
    ),
    "want": "want|would_like|should_like|seek|seeking|ask_for|asking_for|request|expect|demand|hope_for|looking_for|wants|am_after|require",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: the phrases that show it, what it gives, how much it weighs, where it comes from.

    ``unless`` are phrases that, in the same sentence, take it back. ``where`` narrows it to sentences that speak of us
    (``ours``), that ask (``question``), or to the subject (``subject``).
    """

    name: str
    gives: str
    source: str
    phrases: tuple[str, ...]
    weight: float = 1.0
    unless: tuple[str, ...] = ()
    where: str = "any"


@dataclass(frozen=True, slots=True)
class Hit:
    """A row found in a sentence, with the plain words it stands on."""

    row: Row
    sentence: Sentence
    words: str


class Table:
    """Rows, ready to be looked for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._whole: dict[str, list[tuple[Row, str]]] = {}
        self._begun: dict[str, list[tuple[Row, str]]] = {}
        for row in self.rows:
            for phrase in row.phrases:
                for start in _starts(phrase):
                    kept = self._begun if start.endswith("*") else self._whole
                    kept.setdefault(start.rstrip("*"), []).append((row, phrase))
        self._lengths = tuple(sorted({len(start) for start in self._begun}))
        self._candidates = lru_cache(maxsize=4096)(self._starting_with)

    def hits(self, sentence: Sentence) -> list[Hit]:
        """Each row that applies to the sentence, once, in the order of its words."""
        found: dict[str, Hit] = {}
        text, start = sentence.plain, 0
        for word in text.split(" "):
            for row, phrase in self._candidates(word):
                if row.name not in found and (match := _pattern(phrase).match(text, start)) and _stands(row, sentence):
                    found[row.name] = Hit(row, sentence, match[0])
            start += len(word) + 1
        return [hit for hit in found.values() if not any(_anywhere(phrase).search(text) for phrase in hit.row.unless)]

    def _starting_with(self, word: str) -> tuple[tuple[Row, str], ...]:
        begun = (self._begun.get(word[:length], ()) for length in self._lengths if length <= len(word))
        return (*self._whole.get(word, ()), *(each for some in begun for each in some))


def speaks_of_us(sentence: Sentence) -> bool:
    """Whether the sentence addresses us or names somebody of ours."""
    return bool(_OURS.search(f" {sentence.plain} "))


_OURS: Final = re.compile(
    r" (?:you|your|yours|yourselves|ombudsman|ombudsmancare|phso|customer care|investigator|caseworker|case worker|case officer"
    r"|eich|chi|chwi) "
)


def _stands(row: Row, sentence: Sentence) -> bool:
    match row.where:
        case "ours":
            return speaks_of_us(sentence)
        case "question":
            return sentence.question
        case "subject":
            return sentence.from_subject
        case _:
            return True


def _expand(element: str) -> Iterator[str]:
    for each in element.split("|"):
        if each.startswith("{"):
            yield from SETS[each.strip("{}")].split("|")
        else:
            yield each


def _spelt(alternative: str) -> str:
    """An alternative in plain words, so that a table may say ``don't``."""
    star = "*" if alternative.endswith("*") else ""
    return (
        plain(alternative.rstrip("*").replace("_", " ")) + star
        if not star
        else alternative.rstrip("*").replace("_", " ") + star
    )


@cache
def _starts(phrase: str) -> tuple[str, ...]:
    first = phrase.split(" ", 1)[0]
    return tuple(dict.fromkeys(_spelt(each).split(" ", 1)[0] for each in _expand(first)))


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(_source(phrase))


@cache
def _anywhere(phrase: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^ ])" + _source(phrase))


def _source(phrase: str) -> str:
    built: list[str] = []
    for element in phrase.split(" "):
        if set(element) == {"."}:
            built.append("(?: [^ ]+){0,4}?" if element == ".." else "(?: [^ ]+){0,10}?")
            continue
        optional = element.endswith("?")
        either = "|".join(
            re.escape(spelt.rstrip("*")) + ("[^ ]*" if spelt.endswith("*") else "")
            for spelt in map(_spelt, _expand(element.rstrip("?")))
        )
        built.append(f"(?:{' ' if built else ''}(?:{either}))" + ("?" if optional else ""))
    return "".join(built) + r"(?= |$)"
