"""The questions, and the way through them: which page comes next, what is wrong with an answer, what is to be checked before sending.

Pure. The questions are data, and without words: those are in ``words`` by the names that stand here. Answers are one flat mapping, of
a field's name to what was written in it, or to the choices that were ticked. A page is answered once each of its fields has a value,
and a field that was left empty has an empty one. What the service model has Customer Care record is what is asked
("Accurately record the following", and "Feedback Process").
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, cast

from ingest.contract import Method, canonical_email

Answer = str | tuple[str, ...]
Answers = Mapping[str, Answer]
Kind = Literal["line", "words", "choice", "choices", "date"]
Asked = Callable[[Answers], bool]

FILES: Final = "files"
"""The page of uploads, which are kept apart from the answers: its only field says that it was passed."""
CHECK: Final = "check"
"""Where the way ends."""
WAYS: Final[tuple[Method, ...]] = ("email", "telephone", "sms", "letter")
CRITERIA: Final[tuple[Literal["inaccurate_facts", "new_information", "overlooked_information"], ...]] = (
    "inaccurate_facts",
    "new_information",
    "overlooked_information",
)

_LINE: Final = 200
_MOST_LETTERS_A_WORD: Final = 20
_POSTCODE: Final = 20
# RFC 5321 section 4.5.3.1.3 has a path of 256 octets with its two brackets.
_EMAIL: Final = 254
_FEWEST_DIGITS: Final = 7
_LONGEST_PHONE: Final = 100
_OLDEST: Final = 130


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. ``most`` is words where the kind is ``words``, else characters."""

    name: str
    kind: Kind = "line"
    optional: bool = False
    most: int = _LINE
    choices: tuple[str, ...] = ()
    purpose: str | None = None
    """What a browser may fill it in with (HTML's autocomplete; WCAG 2.2, 1.3.5)."""
    looks: Literal["text", "email", "tel"] = "text"
    width: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: what is asked on it, and of whom."""

    name: str
    fields: tuple[Field, ...]
    asked: Asked = lambda _: True


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a field: ``fault`` is a key of ``words``, and ``part`` which box of a date it is in."""

    field: str
    fault: str
    most: int = 0
    part: str = ""


def purpose(answers: Answers) -> str:
    """What they came for. Whoever finds on the way that they want another body looked into has a new complaint."""
    if answers.get("purpose") == "feedback" and answers.get("about") == "another_body":
        return "new_complaint"
    return str(answers.get("purpose", ""))


def ways(answers: Answers) -> tuple[Method, ...]:
    """How they may be reached: by what they gave, less what is not safe."""
    unsafe = answers.get("unsafe_ways", ())
    has = {
        "email": bool(answers.get("email")),
        "telephone": bool(answers.get("telephone")),
        "sms": bool(answers.get("telephone")),
        "letter": bool(answers.get("address_1")),
    }
    return tuple(each for each in WAYS if has[each] and each not in unsafe)


def _wants(*purposes: str) -> Asked:
    return lambda answers: purpose(answers) in purposes


def _on_a_decision(answers: Answers) -> bool:
    return purpose(answers) == "feedback" and answers.get("about") in ("decision", "mixed")


def _given(answers: Answers) -> bool:
    return bool(answers.get("email") or answers.get("telephone") or answers.get("address_1"))


PAGES: Final = (
    Page("purpose", (Field("purpose", "choice", choices=("feedback", "new_complaint", "open_case", "question")),)),
    Page(
        "about",
        (Field("about", "choice", choices=("service", "decision", "mixed", "praise", "suggestion", "another_body")),),
        asked=lambda answers: answers.get("purpose") == "feedback",
    ),
    Page("organisation", (Field("organisation"),), asked=_wants("new_complaint")),
    Page("what-happened", (Field("what_happened", "words", most=2_000),)),
    Page("inaccurate-facts", (Field("inaccurate_facts", "words", optional=True, most=1_000),), asked=_on_a_decision),
    Page("new-information", (Field("new_information", "words", optional=True, most=1_000),), asked=_on_a_decision),
    Page("overlooked-information", (Field("overlooked_information", "words", optional=True, most=1_000),), asked=_on_a_decision),
    Page("remedy", (Field("remedy", "words", optional=True, most=300),), asked=_wants("feedback", "new_complaint")),
    Page(FILES, (Field("files_done", optional=True),)),
    Page("for-whom", (Field("for_whom", "choice", choices=("myself", "somebody")),)),
    Page("other-person", (Field("other_name"),), asked=lambda answers: answers.get("for_whom") == "somebody"),
    Page(
        "authority",
        (
            Field(
                "authority",
                "choice",
                choices=("asked", "parent", "power_of_attorney", "executor", "solicitor", "advocate", "mp", "none", "other"),
            ),
        ),
        asked=lambda answers: answers.get("for_whom") == "somebody",
    ),
    Page(
        "other-authority",
        (Field("authority_other"),),
        asked=lambda answers: answers.get("for_whom") == "somebody" and answers.get("authority") == "other",
    ),
    Page("name", (Field("name", purpose="name"),)),
    Page(
        "date-of-birth",
        (Field("date_of_birth", "date", optional=True, purpose="bday"),),
        asked=lambda answers: purpose(answers) != "question",
    ),
    Page(
        "address",
        (
            Field("address_1", optional=True, purpose="address-line1"),
            Field("address_2", optional=True, purpose="address-line2"),
            Field("town", optional=True, purpose="address-level2", width="govuk-!-width-two-thirds"),
            Field("postcode", optional=True, most=_POSTCODE, purpose="postal-code", width="govuk-input--width-10"),
            Field("no_address", "choices", optional=True, choices=("none",)),
        ),
    ),
    Page("email", (Field("email", optional=True, most=_EMAIL, purpose="email", looks="email"),)),
    Page(
        "telephone",
        (Field("telephone", optional=True, most=_LONGEST_PHONE, purpose="tel", looks="tel", width="govuk-input--width-20"),),
    ),
    Page(
        "safe",
        (
            Field("unsafe_ways", "choices", optional=True, choices=WAYS),
            Field("unsafe_words", "words", optional=True, most=200),
        ),
        asked=_given,
    ),
    Page("reply", (Field("reply", "choice", choices=WAYS),), asked=lambda answers: bool(ways(answers))),
    Page("contacted-before", (Field("contacted_before", "choice", choices=("yes", "no")),)),
    Page(
        "case-reference",
        (Field("case_reference", optional=True, most=50, width="govuk-input--width-20"),),
        asked=lambda answers: purpose(answers) in ("feedback", "open_case") or answers.get("contacted_before") == "yes",
    ),
    Page(
        "adjustments",
        (
            Field(
                "adjustments",
                "choices",
                optional=True,
                choices=(
                    "large_print", "easy_read", "braille", "audio", "screen_reader", "bsl_interpreter", "spoken_interpreter", "welsh",
                    "text_relay", "phone_only", "no_phone", "email_only", "post_only", "extra_time", "advocate_or_representative",
                ),
            ),
            Field("adjustments_other", "words", optional=True, most=200),
        ),
    ),
)  # fmt: skip
BY_NAME: Final[Mapping[str, Page]] = {page.name: page for page in PAGES}
FIRST: Final = PAGES[0].name


def asked(answers: Answers) -> tuple[Page, ...]:
    """The pages on this person's way, in their order."""
    return tuple(page for page in PAGES if page.asked(answers))


def next_page(answers: Answers, after: str | None = None) -> str:
    """Where to go on: the page that follows ``after``, or where that is unsaid the first that has no answer; at the end ``CHECK``."""
    way = [page.name for page in asked(answers)]
    if after in way:
        return (*way, CHECK)[way.index(after) + 1]
    return next((page.name for page in asked(answers) if not _is_answered(page, answers)), CHECK)


def page_before(page: str, answers: Answers) -> str | None:
    """Where Back leads; None before the first page."""
    way = [each.name for each in asked(answers)]
    if page == CHECK:
        return way[-1]
    at = way.index(page) if page in way else 0
    return way[at - 1] if at else None


def may_see(page: str, answers: Answers) -> bool:
    """Whether all that comes before a page has been answered."""
    way = [each.name for each in asked(answers)]
    first_open = next_page(answers)
    return page in way and (first_open == CHECK or way.index(page) <= way.index(first_open))


def to_send(answers: Answers) -> dict[str, Answer]:
    """What was said on this person's way, without what was left empty or belongs to a way that they did not take."""
    return {
        field.name: answers[field.name]
        for page in asked(answers)
        for field in page.fields
        if field.name != "files_done" and answers.get(field.name)
    }


def answers_from(told: Mapping[str, Any]) -> dict[str, Answer]:
    """Answers that came back from JSON, which has no tuples."""
    return {
        name: tuple(map(str, cast("list[Any]", each))) if isinstance(each, list) else str(each) for name, each in told.items()
    }


def _is_answered(page: Page, answers: Answers) -> bool:
    """Whether it was passed, and what was said there still holds: a way to reply may have been taken away on another page."""
    if any(field.name not in answers for field in page.fields):
        return False
    return page.name != "reply" or answers["reply"] in ways(answers)


# What was submitted


def validate(
    page: Page, submitted: Mapping[str, Sequence[str]], answers: Answers, today: date
) -> tuple[dict[str, Answer], tuple[Wrong, ...]]:
    """The answers of one page as they were written, and what is wrong with them; where nothing is, they may be kept.

    A date comes as ``NAME-day``, ``NAME-month`` and ``NAME-year``, and is kept as YYYY-MM-DD, or as it was written where it is none.
    """
    found: dict[str, Answer] = {field.name: _as_written(field, submitted) for field in page.fields}
    wrong = [fault for field in page.fields for fault in _faults(field, found[field.name], today)]
    wrong += _faults_between(page, found, {**answers, **found}) if not wrong else []
    if not wrong:
        for field in page.fields:
            if field.kind == "date" and found[field.name]:
                found[field.name] = _date(str(found[field.name])).isoformat()
    return found, tuple(wrong)


def _as_written(field: Field, submitted: Mapping[str, Sequence[str]]) -> Answer:
    given = submitted.get(field.name, ())
    match field.kind:
        case "choices":
            return tuple(each for each in field.choices if each in given)
        case "choice":
            return given[0] if given and given[0] in field.choices else ""
        case "date":
            parts = [next(iter(submitted.get(f"{field.name}-{part}", ())), "").strip() for part in ("day", "month", "year")]
            return "/".join(parts) if any(parts) else ""
        case "words":
            return _ends_unified(given[0]).strip() if given else ""
        case "line":
            return given[0].strip(" \t") if given else ""


def _ends_unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _faults(field: Field, answer: Answer, today: date) -> Iterator[Wrong]:
    if not answer:
        if not field.optional:
            yield Wrong(field.name, "missing")
        return
    text = answer if isinstance(answer, str) else ""
    if field.kind == "line" and _breaks_a_line(text):
        yield Wrong(field.name, "line")
    elif (field.kind == "words" and (len(text.split()) > field.most or len(text) > field.most * _MOST_LETTERS_A_WORD)) or (
        field.kind == "line" and len(text) > field.most
    ):
        yield Wrong(field.name, "long", field.most)
    elif field.kind == "date":
        yield from _faults_of_a_date(field.name, text, today)
    elif (field.name == "email" and not is_an_email(text)) or (
        field.name == "telephone" and sum(each.isdigit() for each in text) < _FEWEST_DIGITS
    ):
        yield Wrong(field.name, "format")


def _faults_between(page: Page, found: Answers, all_of_it: Answers) -> list[Wrong]:
    if page.name == "address" and not found["no_address"]:
        return [Wrong(each, "missing") for each in ("address_1", "town") if not found[each]]
    if page.name == "address" and any(found[each] for each in ("address_1", "address_2", "town", "postcode")):
        return [Wrong("no_address", "both")]
    if page.name == "reply" and found["reply"] not in ways(all_of_it):
        return [Wrong("reply", "impossible")]
    return []


def _breaks_a_line(text: str) -> bool:
    """Whether it has a line end of any kind: a header or a field of another system could begin there."""
    return any(each in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029" for each in text)


def is_an_email(text: str) -> bool:
    """Whether mail could be sent to it; nothing is known of whose it is."""
    return canonical_email(text) is not None and not re.search(r"[\s<>,;\"]", text) and text.count("@") == 1


def _faults_of_a_date(name: str, text: str, today: date) -> Iterator[Wrong]:
    day, month, year = text.split("/") if text.count("/") == 2 else ("", "", "")
    lacking = [part for part, given in (("day", day), ("month", month), ("year", year)) if not given]
    if lacking:
        yield Wrong(name, "lacks-" + "-".join(lacking), part=lacking[0])
        return
    if len(year) != 4 or not year.isascii() or not year.isdigit():
        yield Wrong(name, "year", part="year")
        return
    try:
        told = _date(text)
    except ValueError:
        yield Wrong(name, "not-real", part="day")
        return
    if told > today:
        yield Wrong(name, "future", part="day")
    elif today.year - told.year > _OLDEST:
        yield Wrong(name, "year", part="year")


_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january ionawr", "feb february chwefror", "mar march mawrth", "apr april ebrill", "may mai", "jun june mehefin",
         "jul july gorffennaf", "aug august awst", "sep sept september medi", "oct october hydref", "nov november tachwedd",
         "dec december rhagfyr"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


def _date(text: str) -> date:
    """Raises ValueError where it is none. A month may be written as a word."""
    day, month, year = text.split("/")
    if not (day.isascii() and day.isdigit() and len(day) <= 2):
        raise ValueError(day)
    return date(int(year), _MONTHS.get(month.lower()) or int(month if month.isascii() and len(month) <= 2 else ""), int(day))


# Characters that hide or turn words


_TURNS: Final = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\ufffd")


def hides_words(text: str) -> bool:
    """Whether it has what a person may not see as it is: controls, halves of characters, and what turns the order of words."""
    return any(_hidden(each) for each in text)


def visible(text: str) -> str:
    """The same with each such character written out, as ``<U+202E>``; the marks of right-to-left languages are left as they are."""
    return "".join(f"<U+{ord(each):04X}>" if _hidden(each) else each for each in text)


def _hidden(each: str) -> bool:
    return each not in "\n\t" and (each in _TURNS or unicodedata.category(each) in ("Cc", "Cs"))
