"""The small language that the tables of this room are written in, and how its rows are looked for in a sentence.

A phrase is words in order. ``a|b`` is either, ``word*`` any word that begins so, ``word?`` may be missing, ``two_words`` belong
together, ``..`` is up to four words and ``...`` up to ten, ``{name}`` one of a named set. Every phrase is found in time linear
in the sentence: gaps are counted, and a phrase is tried only where its first word stands and all it needs is in the sentence.
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


_Phrase = tuple[Row, str, int]  # a phrase of a row, and the elements it cannot do without, as bits of the index
_Begun = tuple[tuple[int, tuple[_Phrase, ...]], ...]  # where a word stands that begins phrases, and those


class _Index:
    """What every word of every table begins, so that a sentence is gone through once for all of them.

    Each element that a phrase needs has a bit. Most phrases of a table want a word that a sentence has not, and a look at
    their bits is enough to pass them over.
    """

    def __init__(self) -> None:
        self._bits: dict[tuple[str, ...], int] = {}
        self._whole: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        self._lengths: tuple[int, ...] = ()
        self._tables: list[Table] = []
        self._known = lru_cache(maxsize=16_384)(self._look_up)
        self.scan = lru_cache(maxsize=4_096)(self._scan)

    def needs(self, phrase: str) -> int:
        """The bits of each element that must stand in a sentence for the phrase to."""
        needs = 0
        for element in phrase.split(" "):
            if set(element) == {"."} or element.endswith("?"):
                continue
            starts = _starts(element)
            if starts not in self._bits:
                self._bits[starts] = 1 << len(self._bits)
                for start in starts:
                    kept = self._begun if start.endswith("*") else self._whole
                    kept[start.rstrip("*")] = kept.get(start.rstrip("*"), 0) | self._bits[starts]
            needs |= self._bits[starts]
        return needs

    def add(self, table: "Table") -> None:
        """Take in a table whose phrases have their bits."""
        self._tables.append(table)
        self._lengths = tuple(sorted({len(start) for start in self._begun}))
        self._known.cache_clear()
        self.scan.cache_clear()

    def _scan(self, text: str) -> tuple[int, Mapping["Table", _Begun]]:
        """The bits that no word of the plain text has, and what its words begin of each table."""
        has = start = 0
        begun: dict[Table, list[tuple[int, tuple[_Phrase, ...]]]] = {}
        for word in text.split(" "):
            bits, of_tables = self._known(word)
            has |= bits
            for table, phrases in of_tables:
                begun.setdefault(table, []).append((start, phrases))
            start += len(word) + 1
        missing = ((1 << len(self._bits)) - 1) & ~has
        possible = {
            table: tuple(
                (start, left) for start, phrases in some if (left := tuple(each for each in phrases if not each[2] & missing))
            )
            for table, some in begun.items()
        }
        return missing, possible

    def _look_up(self, word: str) -> tuple[int, tuple[tuple["Table", tuple[_Phrase, ...]], ...]]:
        bits = self._whole.get(word, 0)
        for length in self._lengths:
            bits |= self._begun.get(word[:length], 0)
        return bits, tuple((table, phrases) for table in self._tables if (phrases := table.beginning_with(word)))


_INDEX: Final = _Index()


class Table:
    """Rows, ready to be looked for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._whole: dict[str, list[_Phrase]] = {}
        self._begun: dict[str, list[_Phrase]] = {}
        self._unless: dict[str, list[_Phrase]] = {}
        for row in self.rows:
            for phrase in row.phrases:
                for start in _starts(phrase):
                    kept = self._begun if start.endswith("*") else self._whole
                    kept.setdefault(start.rstrip("*"), []).append((row, phrase, _INDEX.needs(phrase)))
            self._unless[row.name] = [(row, phrase, _INDEX.needs(phrase)) for phrase in row.unless]
        self._lengths = tuple(sorted({len(start) for start in self._begun}))
        _INDEX.add(self)

    def hits(self, sentence: Sentence) -> list[Hit]:
        """Each row that applies to the sentence, once, in the order of its words."""
        text = sentence.plain
        missing, begun = _INDEX.scan(text)
        found: dict[str, Hit] = {}
        for start, phrases in begun.get(self, ()):
            for row, phrase, _ in phrases:
                if row.name not in found and (match := _pattern(phrase).match(text, start)) and _stands(row, sentence):
                    found[row.name] = Hit(row, sentence, match[0])
        return [hit for name, hit in found.items() if not self._taken_back(name, text, missing)] if found else []

    def _taken_back(self, name: str, text: str, missing: int) -> bool:
        return any(not needs & missing and _anywhere(phrase).search(text) for _, phrase, needs in self._unless[name])

    def beginning_with(self, word: str) -> tuple[_Phrase, ...]:
        """The phrases that the word may begin."""
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
