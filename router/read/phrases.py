"""The small language that the tables of this room are written in, and how its rows are looked for in a sentence.

A phrase is words in order. ``a|b`` is either, ``word*`` any word that begins so, ``word?`` may be missing, ``two_words`` belong
together, ``..`` is up to four words and ``...`` up to ten, ``{name}`` one of a named set. Every phrase is found in time linear
in the sentence: gaps are counted, and a phrase is tried only where its first word stands and all it needs is in the sentence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        _INDEX.add(self)


Found = Mapping[Table, Sequence[Hit]]


def find(lines: Iterable[Sentence]) -> Found:
    """What each table finds: each row that applies to a sentence, once, in the order of the sentences and of their words."""
    found: dict[Table, list[Hit]] = {table: [] for table in _INDEX.tables}
    for line in lines:
        for table, hit in _INDEX.hits(line):
            found[table].append(hit)
    return found


_Phrase = tuple[int, Table, Row, str]  # the elements that it cannot do without, as bits; where it stands; and its words


class _Index:
    """What every word of every table begins, so that a sentence is gone through once for all of them.

    Each element that a phrase needs has a bit. Most phrases of a table want a word that a sentence has not, and a look at
    their bits is enough to pass them over.
    """

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self._bits: dict[tuple[str, ...], int] = {}
        self._has: dict[str, int] = {}  # by a word, or by the beginning of one with its star, the bits of its elements
        self._begun: dict[str, list[_Phrase]] = {}
        self._unless: dict[Row, list[tuple[int, str]]] = {}
        self._lengths: tuple[int, ...] = ()
        self._known = lru_cache(maxsize=16_384)(self._look_up)

    def add(self, table: Table) -> None:
        self.tables.append(table)
        for row in table.rows:
            self._unless[row] = [(self._needs(phrase), phrase) for phrase in row.unless]
            for phrase in row.phrases:
                entry = (self._needs(phrase), table, row, phrase)
                for start in _starts(phrase):
                    self._begun.setdefault(start, []).append(entry)
        starred = {start for start in (*self._begun, *self._has) if start.endswith("*")}
        self._lengths = tuple(sorted({len(start) - 1 for start in starred}))
        self._known.cache_clear()

    def _needs(self, phrase: str) -> int:
        """The bits of each element that must stand in a sentence for the phrase to."""
        needs = 0
        for element in phrase.split(" "):
            if set(element) == {"."} or element.endswith("?"):
                continue
            starts = _starts(element)
            if starts not in self._bits:
                self._bits[starts] = 1 << len(self._bits)
                for start in starts:
                    self._has[start] = self._has.get(start, 0) | self._bits[starts]
            needs |= self._bits[starts]
        return needs

    def _look_up(self, word: str) -> tuple[int, tuple[_Phrase, ...]]:
        """The bits of the elements that the word may stand for, and the phrases that it may begin."""
        starts = (word, *(f"{word[:length]}*" for length in self._lengths if length <= len(word)))
        bits = 0
        for start in starts:
            bits |= self._has.get(start, 0)
        return bits, tuple(each for start in starts for each in self._begun.get(start, ()))

    def hits(self, sentence: Sentence) -> Iterator[tuple[Table, Hit]]:
        text = sentence.plain
        has = start = 0
        begun: list[tuple[int, tuple[_Phrase, ...]]] = []
        for word in text.split(" "):
            bits, phrases = self._known(word)
            has |= bits
            if phrases:
                begun.append((start, phrases))
            start += len(word) + 1
        missing = ((1 << len(self._bits)) - 1) ^ has
        found: dict[Row, tuple[Table, Hit]] = {}
        for at, phrases in begun:
            for needs, table, row, phrase in phrases:
                if (
                    not needs & missing
                    and row not in found
                    and (match := _pattern(phrase).match(text, at))
                    and (row.where == "any" or _stands(row, sentence))
                ):
                    found[row] = (table, Hit(row, sentence, match[0]))
        return (
            hit
            for row, hit in found.items()
            if not any(not needs & missing and _anywhere(phrase).search(text) for needs, phrase in self._unless[row])
        )


_INDEX: Final = _Index()


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
