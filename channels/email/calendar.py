"""What a calendar's answer or invitation says (RFC 5545, RFC 5546): the words a person sees, and whether a person wrote any.

Pure. Only what stands in the first event is read; the file itself stays beside the mail.
"""

import re
from dataclasses import dataclass
from typing import Final

from channels.email.mime import decode_text, tidy

MOST_LINES: Final = 1_000
MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Calendar:
    """``words`` are what it says in a sentence or two, ``comment`` what the person added; ``accepts`` where it is a plain yes."""

    words: str
    comment: str = ""
    accepts: bool = False


_LINE = re.compile(r"(?i)([a-z0-9-]{1,40})((?:;[a-z0-9-]{1,40}=(?:\"[^\"]{0,4000}\"|[^;:\"]{0,4000}))*):(.*)")
_PARAMETER = re.compile(r"(?i);([a-z0-9-]{1,40})=(?:\"([^\"]*)\"|([^;:\"]*))")
_ANSWERS: Final = {
    "ACCEPTED": "Accepted",
    "DECLINED": "Declined",
    "TENTATIVE": "Perhaps",
    "DELEGATED": "Passed on to somebody else",
}
_METHODS: Final = {
    "REQUEST": "Invitation",
    "PUBLISH": "Invitation",
    "COUNTER": "Asks for another time",
    "DECLINECOUNTER": "Another time is declined",
    "CANCEL": "Cancelled",
    "REFRESH": "Asks for the invitation again",
}


def calendar(content: bytes) -> Calendar | None:
    """What a ``text/calendar`` part says; None where it is none."""
    text = tidy(decode_text(content[:MOST_BYTES], None)[0])
    if "BEGIN:VCALENDAR" not in text[:2000].upper():
        return None
    told: dict[str, str] = {}
    status = comment = ""
    for line in text.replace("\n ", "").replace("\n\t", "").split("\n")[:MOST_LINES]:
        found = _LINE.fullmatch(line[:8000].strip())
        if found is None:
            continue
        name, value = found[1].upper(), _unescaped(found[3])
        if (name, value.upper()) in {("END", "VEVENT"), ("END", "VTODO")}:
            break
        told.setdefault(name, value)
        if name == "ATTENDEE":
            given = {each[1].upper(): each[2] or each[3] or "" for each in _PARAMETER.finditer(found[2])}
            status = status or given.get("PARTSTAT", "").upper()
            comment = comment or _unescaped(given.get("X-RESPONSE-COMMENT", ""))
    comment = (told.get("COMMENT") or comment).strip()
    method = told.get("METHOD", "").upper()
    head = (_ANSWERS.get(status, "Answered") if method == "REPLY" else _METHODS.get(method)) or "An entry for a calendar"
    when = "" if method == "REPLY" else _moment(told.get("DTSTART", ""))
    described = "" if method == "REPLY" else told.get("DESCRIPTION", "")
    words = [
        f"{head}: {told.get('SUMMARY', '').strip()}".rstrip(": "),
        when,
        told.get("LOCATION", "") if when else "",
        described,
    ]
    return Calendar(
        "\n".join(each.strip() for each in words if each.strip()), comment, method == "REPLY" and status == "ACCEPTED"
    )


_PROGRAMS_WORDS = re.compile(
    r"(?i)\A\s*[^\n]{0,200}\bhas accepted (?:this|your|the) (?:invitation|event)\b(?! with)[^\n]{0,200}"
)


def is_bare(words: str) -> bool:
    """Whether no person wrote any of a mail's words beside an answer: there are none, or what Google's and Apple's programs write."""
    if not words.strip():
        return True
    stated = _PROGRAMS_WORDS.match(words)
    return stated is not None and ("calendar.google.com" in words or not words[stated.end() :].strip())


def _unescaped(value: str) -> str:
    return re.sub(r"\\([\\;,nN])", lambda each: "\n" if each[1] in "nN" else each[1], value)


def _moment(given: str) -> str:
    found = re.match(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d))?", given)
    if found is None:
        return ""
    day = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{day} {found[4]}:{found[5]}" if found[4] else day
