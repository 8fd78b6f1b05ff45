"""The approved answers to general queries: a file each, saying who approved it and until when, and whether it may go by itself.

Pure. A file is Markdown, sent as plain text, under a front matter in TOML between two lines of ``+++``::

    +++
    query = "mp-referral"            # the standing query that it answers, as a reading names it
    language = "en"                  # or "cy", beside one in English
    title = "Why you need an MP"     # for our own people; never sent
    approved_by = "A. Morgan, Head of Customer Care"
    approved_on = 2026-10-01
    valid_until = 2027-09-30         # the last day on which it is used
    use = "suggested"                # a person sends it; "automatic": by itself, where nothing speaks against that
    +++
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal, get_args

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import Field, ValidationError

from ingest.ids import digest
from ingest.settings import Section

Language = Literal["en", "cy"]
NEVER_AUTOMATIC: Final = frozenset({"time-limits", "what-we-look-at", "who-can-complain"})
"""Whether we may look at a complaint at all depends on more than was asked: a person sees it."""
SOON: Final = timedelta(days=30)  # how long before its last day an answer is to be approved again

_FENCE: Final = "+++"
_AT_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class Answer:
    """An approved answer in one language. ``digest`` is the SHA-256 of its file: which version of it was sent."""

    file: str
    query: str
    language: Language
    title: str
    text: str
    approved_by: str
    approved_on: date
    valid_until: date
    automatic: bool
    digest: str

    def holds(self, today: date) -> bool:
        """Whether it may be sent on that day."""
        return self.approved_on <= today <= self.valid_until


Answers = Mapping[str, Mapping[str, Answer]]
"""By query and language."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file, and on which of its lines."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.sentence}"


class _Head(Section):
    """The front matter."""

    query: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    language: Language
    title: _Words
    approved_by: _Words
    approved_on: Annotated[date, Field(strict=True)]
    valid_until: Annotated[date, Field(strict=True)]
    use: Literal["suggested", "automatic"] = "suggested"


def parse(file: str, text: str) -> Answer | tuple[Fault, ...]:
    """The answer in a file's text, or everything that is wrong with it."""
    lines = text.removeprefix("\ufeff").splitlines()
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:
        return (Fault(file, 1, f"it must begin with a front matter between two lines of {_FENCE}."),)
    end = fences[1]
    try:
        head = _Head.model_validate(tomllib.loads("\n".join(lines[1:end])))
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        return (Fault(file, int(at[1]) + 1 if at else end, f"this is not TOML: {_AT_LINE.sub('', str(error))}."),)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return tuple(_of_key(file, lines, str(each["loc"][0]), str(each["type"]), str(each["msg"])) for each in found)
    tokens = MarkdownIt("commonmark").parse("\n".join(lines[end + 1 :]))
    faults = (*_of_head(file, lines, head), *_of_body(file, end + 1, tokens))
    if faults:
        return faults
    return Answer(
        file, head.query, head.language, head.title, _plain(tokens), head.approved_by, head.approved_on, head.valid_until,
        head.use == "automatic", digest(text.encode()),
    )  # fmt: skip


def library(files: Mapping[str, str]) -> tuple[Answers, tuple[Fault, ...]]:
    """The answers in files, given as text by their names, and everything that is wrong with any of them or between them."""
    answers: dict[str, dict[str, Answer]] = {}
    faults: list[Fault] = []
    for file, text in sorted(files.items()):
        found = parse(file, text)
        if isinstance(found, tuple):
            faults += found
        elif (other := answers.setdefault(found.query, {}).setdefault(found.language, found)) is not found:
            at = _line_of(text.splitlines(), "query")
            faults.append(Fault(file, at, f"{other.file} answers {found.query} in that language already."))
    for query, each in answers.items():
        if (welsh := each.get("cy")) and "en" not in each and not faults:
            at = _line_of(files[welsh.file].splitlines(), "language")
            faults.append(Fault(welsh.file, at, f"there is no answer to {query} in English beside it."))
    return answers, tuple(faults)


def holding(answers: Answers, query: str | None, today: date) -> Mapping[str, Answer]:
    """The answers to a query that may be sent on that day; none where the one in English may not."""
    kept, languages = answers.get(query or "", {}), get_args(Language)
    found: dict[str, Answer] = {each: kept[each] for each in languages if each in kept and kept[each].holds(today)}
    return found if "en" in found else {}


def _line_of(lines: Sequence[str], key: str) -> int:
    """The line on which a key stands; the first, where it is missing."""
    stands = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    return next((number for number, line in enumerate(lines, 1) if stands.match(line)), 1)


def _of_key(file: str, lines: Sequence[str], key: str, kind: str, told: str) -> Fault:
    keys = ", ".join(_Head.model_fields)
    match kind:
        case "extra_forbidden":
            sentence = f"there is no key {key}; there are {keys}."
        case "missing":
            sentence = f"{key} is missing."
        case "date_type":
            sentence = f"{key} must be a day, written without quotes as 2027-09-30."
        case "string_pattern_mismatch" if key == "query":
            sentence = "query must be small letters, figures and hyphens, such as mp-referral."
        case _:
            sentence = f"{key}: {told}."
    return Fault(file, _line_of(lines, key), sentence)


def _of_head(file: str, lines: Sequence[str], head: _Head) -> Iterator[Fault]:
    if head.valid_until < head.approved_on:
        yield Fault(file, _line_of(lines, "valid_until"), "valid_until is before approved_on.")
    if head.use == "automatic" and head.query in NEVER_AUTOMATIC:
        never = 'an answer on time limits or on what we may look at is never sent by itself; write use = "suggested".'
        yield Fault(file, _line_of(lines, "use"), never)


# The body.

_UNSENDABLE: Final = {
    "html_block": "HTML", "html_inline": "HTML", "image": "a picture", "fence": "code", "code_block": "code", "code_inline": "code",
}  # fmt: skip


def _of_body(file: str, above: int, tokens: Sequence[Token]) -> Iterator[Fault]:
    """What cannot be said as plain text; ``above`` is how many lines stand before the body."""
    if not tokens:
        yield Fault(file, above, "there is nothing below the front matter.")
    for token in tokens:
        for each in (token, *(token.children or ())):
            if what := _UNSENDABLE.get(each.type):
                yield Fault(file, above + (token.map[0] if token.map else 0) + 1, f"{what} cannot be sent as plain text.")


def _plain(tokens: Sequence[Token]) -> str:
    """Markdown as it is read in plain mail: a paragraph a line, lists with their marks, links with where they lead."""
    said, mark = "", ""
    lists: list[int | None] = []  # those around it, with how many items each has had; None where they are not numbered
    listed = False  # whether what was said last stands in the same list
    for token in tokens:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                listed = listed and bool(lists)
                lists.append(int(token.attrGet("start") or 1) - 1 if token.type == "ordered_list_open" else None)
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                number = lists[-1]
                lists[-1] = None if number is None else number + 1
                mark = "- " if number is None else f"{number + 1}. "
            case "inline":
                indent = "  " * (len(lists) - 1) + (mark or "  ") if lists else ""
                apart = "\n" if mark and listed else "\n\n"
                words = _words(token.children or ()).replace("\n", "\n" + " " * len(indent))
                said += f"{apart if said else ''}{indent}{words}"
                mark, listed = "", bool(lists)
            case _:
                pass
    return said


def _words(tokens: Sequence[Token]) -> str:
    said: list[str] = []
    links: list[tuple[str, int]] = []  # where each leads, and where its words begin
    for token in tokens:
        match token.type:
            case "softbreak":
                said.append(" ")
            case "hardbreak":
                said.append("\n")
            case "link_open":
                links.append((str(token.attrGet("href")).removeprefix("mailto:"), len(said)))
            case "link_close":
                leads, begins = links.pop()
                said += [] if "".join(said[begins:]) == leads else [f" ({leads})"]
            case _:
                said.append(token.content)
    return "".join(said)
