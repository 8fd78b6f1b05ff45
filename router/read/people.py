"""Who writes: name, postcode, phone, mail address and birth date as their words give them.

Only the writer or caller, never the person represented: "my aunt, born 1931" says nothing of the writer.
"""

import re
from collections.abc import Mapping
from typing import Final

from ingest.contract import canonical_email, canonical_phone, canonical_postcode
from router.read.reading import ReadIndividual

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_NOBODYS: Final = re.compile(
    r"(?:bookings?|info|sales|no-?reply|postmaster|mailer-daemon|newsletter|marketing|offers)@", re.IGNORECASE
)
_POSTCODE: Final = re.compile(r"(?<![\w-])([A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})(?!\w)", re.IGNORECASE)
_PHONE: Final = re.compile(r"[+(0](?<![\w.£-].)(?:(?<=\+)\d|(?<=\()0|(?<=0))[\d() -]{7,17}\d(?!\w)")
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_DATE: Final = rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH},? \d{{2,4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
_BORN: Final = re.compile(
    rf"[BbDd](?<!\w.)(?i:(?:(?<=d)(?:\.?\s?o\.?\s?b\.?|ate of birth|yddiad geni)|(?<=b)(?:orn(?: on)?(?: the)?|irth ?date|irthday))"
    rf"(?: is|:|,|\)| -|=)*\s{{0,3}}(?P<date>{_DATE}))"
)
_SOMEBODY: Final = re.compile(
    r"\b(?:his|her|their|mum['’]?s|dad['’]?s|mother['’]?s|father['’]?s|son['’]?s|daughter['’]?s|patient['’]?s?|client['’]?s?|constituent|my (?:late )?(?:aunt|uncle|mother|mum|mam|father|dad|son|daughter|"
    r"husband|wife|partner|brother|sister|nan|gran|grand\w{3,8}|friend|neighbour|client|baby))\b",
    re.IGNORECASE,
)
_THEIRS: Final = re.compile(
    r"(?:old|your|from your|surgery|hospital|ward|pals|trust|department|helpline|contact (?:the|our)|team on|office|switchboard|fax|(?:his|her|their|dad['’]?s|mum['’]?s) (?:\w+ )?(?:number|phone|mobile|mob|tel|no))\b[^.\n]{0,25}$",
    re.IGNORECASE,
)
_NOT_A_PHONE: Final = re.compile(
    r"(?:nhs|ref|reference|account|application|utr|no\. of|order|invoice|case|claim|policy|hospital)\b[^.\n]{0,15}$",
    re.IGNORECASE,
)

_TITLE: Final = r"(?:Mrs|Mr|Ms|Miss|Mx|Dr|Rev|Prof|Sir|Lady|Cllr|Sgt|Mr and Mrs)\.? "
_GIVEN: Final = r"(?:[A-ZÀ-ÞŁŚŻŹĆŃ]\.|[A-ZÀ-ÞŁŚŻŹĆŃ][\w'’-]{0,25})"
_FULL: Final = rf"(?:{_TITLE})?{_GIVEN}(?:[ \t](?:{_GIVEN}|de|van|von|der|al|bin|el|ap|ab|ferch|la|le|du|da|dos)){{0,4}}"
_SAYS: Final = re.compile(
    rf"\b(?:(?i:my name['’]?s?(?: is)?)|(?i:i am called)|[Ff]y enw i (?:yw|ydi|ydy)|nazywam się|mam na imię|(?i:(?:full |your |contact )?name ?:)|gave name (?:only )?as)\s{{0,3}}(?P<name>{_FULL})"
)
_SAYS_IT: Final = re.compile(
    rf"[FfHhIiMmNnTtYy](?<!\w.)(?:(?<=[Mm])(?:y name['’]?s?(?: is)?|e again)|(?<=[Nn])ame ?:|(?<=[Ii])(?:t['’]?s|t is| ?['’]?a?m)|(?<=[Tt])his is|"
    rf"(?<=[Ff])rom|(?<=[Hh])(?:i|ello|iya)|(?<=[Yy])ma) \(?(?:only )?(?P<name>{_GIVEN}(?:[ \t]{_GIVEN}){{0,3}})(?= here| again| from| yma|,? (?:P|C|EN)-|[,.]? (?:ref|case|i am|i'm)|[\s]*$|[.(!\n]| - )",
    re.MULTILINE,
)
_LOWER_SAYS: Final = re.compile(
    r"[.!?\n] ?(?:hi |hiya |hello )?(?:its |it's |this is |my name is |my names |im |i am |hi |hello )(?P<name>[a-z]{2,15}(?: [a-z'-]{2,20}){0,2}?)(?= here| again|[.!,]? (?:ref|case|p-|c-)|[.,] |\. )",
    re.IGNORECASE,
)
_HERE: Final = re.compile(rf"^(?P<name>{_GIVEN}(?: {_GIVEN}){{0,3}}) here\b", re.MULTILINE)
_TITLED: Final = re.compile(rf"(?<![\w])(?P<name>(?:Mrs|Mr|Ms|Miss|Mx|Dr|Rev)\.? {_GIVEN}(?:[ \t]{_GIVEN}){{0,4}})")
_CLOSING: Final = re.compile(
    r"^(?:(?:with )?(?:kind|best|warm|warmest|kindest|many|thank)?\s?(?:regards|wishes|thanks|you)|yours(?: (?:sincerely|faithfully|truly|etc|in \w+|respectfully|gratefully))?|thanks[\w ]{0,30}|thank you[\w ]{0,40}|many thanks|"
    r"cheers|ta|best|regards|respectfully|sincerely|faithfully|cofion(?: \w+)?|yn gywir|yr eiddoch yn \w+|diolch[\w ]{0,20}|z poważaniem|pozdrawiam|love|from|signed|all the best|god bless)[,.!: ]{0,4}$",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(
    rf"(?:[Tt]hanks|[Tt]hank you|THANKS|[Cc]heers|[Rr]egards|[Dd]iolch|[Tt]a|[Tt]hx|[Yy]ours|[Ll]ove|[Bb]est|[Ff]rom|[Ss]incerely|[Ff]aithfully|[Tt]ruly|[Cc]ofion)[,.! ]{{1,4}}(?P<name>{_FULL})[\s.x!]{{0,4}}$"
)
_LAST: Final = re.compile(
    rf"(?:[.!?,)–—-]|\n)\s{{0,3}}[-–—]{{0,2}}\s?(?P<name>{_FULL})(?: ?\((?:Mrs|Mr|Ms|Miss|Dr)\))?[\s.x!]{{0,4}}$"
)
_LAST_LOWER: Final = re.compile(r"[.!?] (?:its |from |thanks |cheers )?(?P<name>[a-z]{3,12}(?: [a-z]{1,15})?)\s?$")
_NAME_LINE: Final = re.compile(rf"^(?P<name>{_FULL})(?: x{{1,3}})?(?: ?\((?:Mrs|Mr|Ms|Miss|Dr|he|she|they)[\w/ ]*\))?[.!]?$")
_NO_NAMES = """
please thanks thank you regards hello dear yes no the this that sent from my phone it is was they he she we i
complaint complaints ombudsman customer care team sir madam help what where when who why how and but not never
nothing nobody awful disgusting ref reference case draft report hospital surgery trust street road lane house
close yours cheers diolch kind best warm post only mornings afternoons evenings review appeal decision urgent
asap email text call letter there here again enough done end final your our re sorry stop lol x xx ok okay ta
god bless ignore test head department office manager officer director service services monday tuesday wednesday
thursday friday saturday sunday january february march april june july august september october november
december everyone anyone somebody whoever all just mr mrs ms miss dr compensation shame disgrace disgraceful
pathetic useless investigation apology england wales london yma chi ydych prefer in writing an to do now answer
answers needed constituent hi hiya cottage bungalow avenue court terrace drive way row gardens place crescent
farm villas flat too fed up looking still waiting having trying asking calling ringing also so very really being
at on a deaf blind disabled autistic dyslexic going getting sick tired unhappy happy glad afraid worried
"""
_NOT_NAMES: Final = frozenset(_NO_NAMES.split())


# What each search wants at the least, so that most texts and lines are spared it.
_FIGURE: Final = re.compile(r"\d")
_SIX_DIGITS: Final = re.compile(r"\d{6}")
_INWARD: Final = re.compile(r"\d[^\W\d_]{2}")  # how a postcode ends
_SAYS_NAME: Final = ("name", "am called", "enw i", "nazywam", "mam na")
_LEFT_OVER: Final = r"(?:\s|[,;(|]|\b(?:tel|mob|mobile|phone|ref|case|no)\b[.:]?)"
_ENDS_LEFT_OVER: Final = re.compile(rf"{_LEFT_OVER}$", re.IGNORECASE)
_ALL_LEFT_OVER: Final = re.compile(rf"{_LEFT_OVER}{{1,40}}$", re.IGNORECASE)


def individual(channel: str, text: str, form: Mapping[str, str]) -> ReadIndividual:
    """The writer as the text gives them; None for what it does not give."""
    figures = bool(_FIGURE.search(text))
    return ReadIndividual(
        name=_name(channel, text, form),
        postcode=_postcode(text, form) if figures and _INWARD.search(text) else None,
        phone=_phone(text) if figures else None,
        email=_email(text) if "@" in text else None,
        date_of_birth=_born(text) if figures else None,
    )


def _born(text: str) -> str | None:
    for found in _BORN.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        if not _SOMEBODY.search(before.rsplit(".", 1)[-1]):
            return found["date"].strip()
    return None


def _email(text: str) -> str | None:
    given = [found[0].rstrip(".") for found in _EMAIL.finditer(text) if canonical_email(found[0].rstrip("."))]
    return next((each for each in reversed(given) if not _NOBODYS.match(each)), None)


def _phone(text: str) -> str | None:
    given: list[str] = []
    for found in _PHONE.finditer(text):
        before = text[max(0, found.start() - 40) : found.start()]
        if _THEIRS.search(before) or _NOT_A_PHONE.search(before) or canonical_phone(found[0]) is None:
            continue
        given.append(found[0].strip())
        if len(given) > 4:
            break
    return given[-1] if given else None


def _postcode(text: str, form: Mapping[str, str]) -> str | None:
    given: list[str] = []
    for found in _POSTCODE.finditer(f"{text}\n{form.get('postcode', '')}"):
        before = text[max(0, found.start() - 90) : found.start()]
        held = canonical_postcode(found[1])
        if held is None or re.search(r"\b(?:his|her|their|mum['’]?s|dad['’]?s) (?:address|postcode)", before, re.IGNORECASE):
            continue
        if (
            found[1] != found[1].upper()
            and not re.search(r"\b(?:post ?code|address)\b", before, re.IGNORECASE)
            and not text[found.end() :].strip()
        ):
            continue
        given.append(found[1])
        if len(given) > 4:
            break
    return given[0] if given else None


def _name(channel: str, text: str, form: Mapping[str, str]) -> str | None:
    for label in ("name", "your name", "full name", "my name", "enw"):
        if form.get(label):
            return _trim(form[label])
    if channel == "telephone":
        for pattern in (_SAYS, _TITLED):
            for found in pattern.finditer(text):
                after = text[found.end() : found.end() + 12].lower()
                before = text[max(0, found.start() - 18) : found.start()].lower()
                if (
                    not after.startswith((" surgery", "'s "))
                    and not re.search(r"\b(?:for|of|is|investigator|to|with|by|re|about)\s*$", before)
                    and (name := _trim(found["name"]))
                ):
                    return name
    lower = text.lower()
    if any(each in lower for each in _SAYS_NAME) and (found := _SAYS.search(text)):
        return _trim(found["name"])
    return _signature(text) or _introduced(text)


def _introduced(text: str) -> str | None:
    beginning = text[:20_000]
    for pattern, searched in (
        (_HERE, beginning if " here" in beginning else ""),
        (_SAYS_IT, beginning),
        (_LOWER_SAYS, f"\n{beginning}"),
    ):
        for found in pattern.finditer(searched):
            if name := _trim(found["name"], strict=True):
                return name
    return None


def _signature(text: str) -> str | None:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for index in range(len(lines) - 1, max(-1, len(lines) - 12), -1):
        if _CLOSING.match(lines[index]):
            for line in lines[index + 1 : index + 3]:
                if name := _trim(line.removeprefix("pp ").split(",")[0], strict=True):
                    return name
            break
    for line in reversed(lines[-5:] if len(lines) > 1 else []):
        first = _bare(line).split(",")[0].strip(" .-–—")
        if (found := _NAME_LINE.match(first)) and (name := _trim(found["name"], strict=True)):
            return name
    tail = _bare(lines[-1])[-120:] if lines else ""
    for pattern in (_INLINE, _LAST, _LAST_LOWER):
        if (found := pattern.search(tail)) and (name := _trim(found["name"], strict=True)):
            return name
    return None


def _bare(line: str) -> str:
    """A line without phone, postcode, mail address or case reference."""
    if "@" in line:
        line = _EMAIL.sub(" ", line)
    if _FIGURE.search(line):
        line = _PHONE.sub(" ", line)
        if _INWARD.search(line):
            line = _POSTCODE.sub(" ", line)
        if _SIX_DIGITS.search(line):
            line = _CASE.sub(" ", line)
    if _ENDS_LEFT_OVER.search(line, max(0, len(line) - 8)):
        line = _ALL_LEFT_OVER.sub("", line)
    return line.rstrip()


_CASE: Final = re.compile(r"\b(?:P|C|EN)-?\d{6,7}\b", re.IGNORECASE)


def _trim(given: str, *, strict: bool = False) -> str | None:
    """A name without its title (kept where one word is all there is), brackets and closing marks; None where it is no name."""
    name = re.sub(r"\s?\([^)]{0,40}\)?", "", given).strip(" ,;:-–—!\t")
    name = re.sub(r"(?: x{1,3}|\.)$", "", name) if not re.search(r"\b[A-Z]\.$", name) else name
    untitled = re.sub(rf"^{_TITLE}", "", name)
    words = untitled.split()
    if (
        not words
        or len(words) > 5
        or len(name) > 60
        or any(any(mark.isdigit() or mark in "@£/_" for mark in word) for word in words)
    ):
        return None
    if strict and any(word.lower().strip(".,'’") in _NOT_NAMES for word in words):
        return None
    return untitled if len(words) > 1 or name == untitled else name
