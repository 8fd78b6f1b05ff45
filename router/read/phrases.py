"""The small language that the tables of this room are written in, and how its rows are looked for in a sentence.

A phrase is words in order. ``a|b`` is either, ``word*`` any word that begins so, ``word?`` may be missing, ``two_words`` belong
together, ``..`` is up to four words and ``...`` up to ten, ``{name}`` one of a named set. Every phrase is found in time linear
in the sentence: gaps are counted, and a phrase is tried only where its first word stands and all it needs is in the sentence.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, product
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

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
    "tongue": (
        "albanian|amharic|arabic|bengali|bulgarian|cantonese|chinese|czech|dari|dutch|farsi|french|german|greek|gujarati|hindi|hungarian|italian|japanese|"
        "korean|kurdish|sorani|latvian|lithuanian|mandarin|nepali|pashto|persian|polish|portuguese|punjabi|romani|romanian|russian|sinhala|slovak|somali|"
        "spanish|swahili|sylheti|tagalog|tamil|thai|tigrinya|turkish|twi|ukrainian|urdu|vietnamese|yoruba"
    ),
    "write": "text|texts|message|email|emails|write|letter|letters|post|in_writing",
    "helper": "support_worker|social_worker|key_worker|keyworker|link_worker|advocate|carer|representative|appointee|guardian|deputy|personal_assistant",
    "minor": "8|9|10|11|12|13|14|15|16|17|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|13yo|14yo|15yo|16yo|17yo",
    "of": (
        "weeks|stone|months|pounds|miles|hours|days|st|lb|kg|per|percent|minutes|times|th|pages|o_clock|floors|point|and_a_half|grand|foot|ft|from|short|of|"
        "out|in|on|deep|down|along|behind|week|month|years_into|years_in|years_on|years_sober|years_clean"
    ),
    "form": "7|8|9|10|11|12|13|seven|eight|nine|ten|eleven|twelve|thirteen",
    "want": "want|would_like|should_like|seek|seeking|ask_for|asking_for|request|expect|demand|hope_for|looking_for|wants|am_after|require",
}


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of a table: the phrases that show it, what it gives, where it comes from.

    ``unless`` are phrases that, in the same sentence, take it back. ``where`` narrows it to sentences that speak of us
    (``ours``), that ask (``question``), or to the subject (``subject``).
    """

    name: str
    gives: str
    source: str
    phrases: tuple[str, ...]
    unless: tuple[str, ...] = ()
    where: str = "any"


class Hit(NamedTuple):
    """A row found in a sentence."""

    row: Row
    sentence: Sentence


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
    look_in = _index().look_in
    for line in lines:
        look_in(line, found)
    return found


_Stretch = tuple[tuple[str, ...], ...]  # elements that follow one another without a gap, each as what it may be
_Begun = tuple[int, int, Table, Row, str]  # the bits that a phrase needs besides, its order, and where it stands


class _Index:
    """What the phrases of all tables spell out, so that one search of a sentence tells which of them it may have.

    A phrase is some stretches with gaps between, and most are one stretch. Whatever a stretch may be is spelt out and searched
    for with all others (Aho and Corasick 1975). Only a phrase whose every stretch is there is tried where its first one stands.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self._shows: dict[str, int] = {}  # by what is spelt out, the bits of the stretches that it may be
        self._begins: dict[str, list[_Begun]] = {}  # and the phrases that it begins
        self._bits: dict[_Stretch, int] = {}
        self._unless: dict[Row, tuple[int, list[tuple[int, str]]]] = {}  # bits of which one takes it back, and phrases that may
        order = count()
        for table in tables:
            for row in table.rows:
                for phrase in row.phrases:
                    first, *others = _stretches(phrase)
                    needs, place = self._needs(others), next(order)
                    for spelt in _spelt_out(first):
                        self._begins.setdefault(spelt, []).append((needs, place, table, row, phrase))
                stretches = {phrase: _stretches(phrase) for phrase in row.unless}
                whole = [phrase for phrase, parts in stretches.items() if len(parts) == 1 and "?" not in phrase]
                self._unless[row] = (
                    self._needs(stretches[phrase][0] for phrase in whole),
                    [(self._needs(parts), phrase) for phrase, parts in stretches.items() if phrase not in whole],
                )
        self._every = (1 << len(self._bits)) - 1
        spelt_out = list({**self._shows, **self._begins})
        once: dict[tuple[int, tuple[_Begun, ...]], tuple[int, tuple[_Begun, ...]]] = {}  # few things, looked at often
        means = [(self._shows.get(spelt, 0), tuple(self._begins.get(spelt, ()))) for spelt in spelt_out]
        self._means = [once.setdefault(each, each) for each in means]
        self._search = AhoCorasick(spelt_out, implementation=Implementation.ContiguousNFA).find_matches_as_indexes

    def _needs(self, stretches: Iterable[_Stretch]) -> int:
        """Their bits."""
        needs = 0
        for stretch in stretches:
            if stretch not in self._bits:
                self._bits[stretch] = 1 << len(self._bits)
                for spelt in _spelt_out(stretch):
                    self._shows[spelt] = self._shows.get(spelt, 0) | self._bits[stretch]
            needs |= self._bits[stretch]
        return needs

    def look_in(self, sentence: Sentence, found: Mapping[Table, list[Hit]]) -> None:
        """Add each row that applies to what its table has found; those of a table in the order of the words."""
        text, means = sentence.plain, self._means
        has = 0
        begun: list[tuple[int, tuple[_Begun, ...]]] = []
        for number, start, _ in self._search(f" {text} ", overlapping=True):
            bits, phrases = means[number]
            has |= bits
            if phrases:
                begun.append((start, phrases))
        missing = self._every ^ has
        matched: list[tuple[int, int, Table, Row]] = []
        for start, phrases in begun:
            for needs, place, table, row, phrase in phrases:
                if not needs & missing and _pattern(phrase).match(text, start):
                    matched.append((start, place, table, row))
        rows: set[Row] = set()
        for _, _, table, row in sorted(matched):
            if row not in rows and (row.where == "any" or _stands(row, sentence)):
                rows.add(row)
                spelt_out, others = self._unless[row]
                if not has & spelt_out and not (others and self._takes_back(others, missing, text)):
                    found[table].append(Hit(row, sentence))

    def _takes_back(self, phrases: Iterable[tuple[int, str]], missing: int, text: str) -> bool:
        return any(not needs & missing and _anywhere(phrase).search(text) for needs, phrase in phrases)


@cache
def _index() -> _Index:
    return _Index(_TABLES)


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


def _elements(phrase: str) -> Iterator[tuple[str, bool, tuple[str, ...]]]:
    """Each element: the gap before it, whether it may be missing, and what it may be in plain words."""
    gap = ""
    for element in phrase.split(" "):
        if set(element) == {"."}:
            gap = element
        else:
            yield gap, element.endswith("?"), tuple(dict.fromkeys(map(_spelt, _expand(element.rstrip("?")))))
            gap = ""


def _stretches(phrase: str) -> list[_Stretch]:
    """What must stand in a sentence for the phrase to: its elements between gaps, and between those that may be missing.

    Its first element never is: before the next there would be no word's edge.
    """
    stretches: list[list[tuple[str, ...]]] = []
    goes_on = False
    for gap, may_be_missing, either in _elements(phrase):
        if gap or (may_be_missing and stretches):
            goes_on = False
        if may_be_missing and stretches:
            continue
        if goes_on:
            stretches[-1].append(either)
        else:
            stretches.append([either])
        goes_on = not any(each.endswith("*") for each in either)
    return [tuple(stretch) for stretch in stretches]


def _spelt_out(stretch: _Stretch) -> Iterator[str]:
    """All that the stretch may be, with the spaces around it; one that ends in a star goes on as it likes."""
    for words in product(*stretch):
        spelt = f" {' '.join(words)}"
        yield spelt[:-1] if spelt.endswith("*") else f"{spelt} "


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(_source(phrase))


@cache
def _anywhere(phrase: str) -> re.Pattern[str]:
    return re.compile(r"(?<![^ ])" + _source(phrase))


def _source(phrase: str) -> str:
    built: list[str] = []
    for gap, may_be_missing, either in _elements(phrase):
        if gap:
            built.append("(?: [^ ]+){0,4}?" if gap == ".." else "(?: [^ ]+){0,10}?")
        words = "|".join(re.escape(each.rstrip("*")) + ("[^ ]*" if each.endswith("*") else "") for each in either)
        built.append(f"(?:{' ' if built else ''}(?:{words}))" + ("?" if may_be_missing else ""))
    return "".join(built) + r"(?= |$)"
