"""The small language that the tables of this room are written in, and how its rows are looked for in a sentence.

A phrase is words in order. ``a|b`` is either, ``word*`` any word that begins so, ``word?`` may be missing, ``two_words`` belong
together, ``..`` is up to four words and ``...`` up to ten, ``{name}`` one of a named set. Every phrase is found in time linear
in the sentence: gaps are counted, and a phrase is tried only where its first word stands and all it needs is in the sentence.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
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


@dataclass(frozen=True, slots=True, eq=False)
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
    """Rows that are looked for together with those of every other table."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        _TABLES.append(self)
        _index.cache_clear()


_TABLES: Final[list[Table]] = []
Found = Mapping[Table, Sequence[Hit]]


def find(lines: Iterable[Sentence]) -> Found:
    """What each table finds: each row that applies to a sentence, once, in the order of the sentences and of their words."""
    found: dict[Table, list[Hit]] = {table: [] for table in _TABLES}
    index = _index()
    for line in lines:
        for table, hit in index.hits(line):
            found[table].append(hit)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Phrase:
    """A phrase that shows a row, and where it stands among those of all tables."""

    number: int
    table: Table
    row: Row
    text: str
    starts: tuple[str, ...]


class _Index:
    """The phrases of all tables by their rarest words, so that a sentence is gone through once for all of them.

    Each element that a phrase needs has a bit. A phrase is thought of where its rarest element stands, and searched for where
    the bits of the sentence's words cover its own.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        rows = [(table, row) for table in tables for row in table.rows]
        wanted = [_needed(phrase) for _, row in rows for phrase in row.phrases]
        self._common = Counter(start for needed in wanted for element in needed for start in element)
        self._bits: dict[tuple[str, ...], int] = {}
        self._has: dict[str, int] = {}  # by a word, or the beginning of one with its star, the bits of its elements
        self._rarest: dict[str, list[tuple[int, _Phrase]]] = {}  # by the same, what is thought of, with the bits it needs
        self._unless: dict[Row, list[tuple[int, str]]] = {}
        numbers = count()
        for table, row in rows:
            for text in row.phrases:
                self._think_of(_Phrase(next(numbers), table, row, text, _starts(text)))
            self._unless[row] = [(self._needs(_needed(text)), text) for text in row.unless]
        self._every = (1 << len(self._bits)) - 1
        self._lengths = sorted({len(start) - 1 for start in (*self._rarest, *self._has) if start.endswith("*")})
        self._known = lru_cache(maxsize=16_384)(self._look_up)

    def _think_of(self, phrase: _Phrase) -> None:
        needed = sorted(_needed(phrase.text), key=lambda element: sum(self._common[start] for start in element))
        thought = (self._needs(needed[1:]), phrase)
        for start in needed[0]:
            self._rarest.setdefault(start, []).append(thought)

    def _needs(self, needed: Iterable[tuple[str, ...]]) -> int:
        needs = 0
        for element in needed:
            if element not in self._bits:
                self._bits[element] = 1 << len(self._bits)
                for start in element:
                    self._has[start] = self._has.get(start, 0) | self._bits[element]
            needs |= self._bits[element]
        return needs

    def _look_up(self, word: str) -> tuple[int, tuple[tuple[int, _Phrase], ...]]:
        """The bits of the elements that the word may stand for, and the phrases that it makes one think of."""
        starts = (word, *(f"{word[:length]}*" for length in self._lengths if length <= len(word)))
        bits = 0
        for start in starts:
            bits |= self._has.get(start, 0)
        return bits, tuple(each for start in starts for each in self._rarest.get(start, ()))

    def hits(self, sentence: Sentence) -> Iterator[tuple[Table, Hit]]:
        """Each row that applies, with its table; those of a table in the order of the words."""
        has = 0
        thought_of: list[tuple[int, _Phrase]] = []
        for word in sentence.plain.split(" "):
            bits, phrases = self._known(word)
            has |= bits
            thought_of += phrases
        missing = self._every ^ has
        text = f" {sentence.plain}"
        matched = [
            (found.start(), _rank(phrase, text, found), phrase.number, phrase, found[0][1:])
            for needs, phrase in thought_of
            if not needs & missing and (found := _pattern(phrase.text).search(text)) and _stands(phrase.row, sentence)
        ]
        rows: set[Row] = set()
        for *_, phrase, words in sorted(matched):
            if phrase.row not in rows:
                rows.add(phrase.row)
                if not any(not needs & missing and _pattern(unless).search(text) for needs, unless in self._unless[phrase.row]):
                    yield phrase.table, Hit(phrase.row, sentence, words)


@cache
def _index() -> _Index:
    return _Index(_TABLES)


def _rank(phrase: _Phrase, text: str, found: re.Match[str]) -> int:
    """Of phrases that begin with the same word, those that name it come first, then by how little of it they name."""
    if "*" not in phrase.text.split(" ", 1)[0]:
        return 0
    word = text[found.start() + 1 :].split(" ", 1)[0]
    return 0 if word in phrase.starts else min(len(each) for each in phrase.starts if each[-1:] == "*" and word.startswith(each[:-1]))


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
    """The words that its first element begins with."""
    first = phrase.split(" ", 1)[0]
    return tuple(dict.fromkeys(_spelt(each).split(" ", 1)[0] for each in _expand(first)))


def _needed(phrase: str) -> list[tuple[str, ...]]:
    """What each element begins with that must stand in a sentence for the phrase to."""
    return [_starts(element) for element in phrase.split(" ") if set(element) != {"."} and not element.endswith("?")]


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    """It is searched for in plain words with a space before them: a search that begins with a mark is a quick one."""
    return re.compile(" " + _source(phrase))


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
