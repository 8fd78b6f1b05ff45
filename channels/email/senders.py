"""Who wrote a mail, and where an answer reaches them: not always whoever stands in From.

Pure. A list, a form on somebody's website or a service for sending things puts an address of its own in From; the person stands in
another header or in the words, and is only claimed there. Whoever stands in To or Cc wrote nothing. docs/mail.md has the rules.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from channels.email.mime import MOST_FIELD_BYTES, Mail, decode_header, eight_bit, one_line
from ingest.contract import canonical_email

MOST_NAME: Final = 1024
"""Characters of a sender's name."""
MOST_FORM_CHARACTERS: Final = 16_384
"""Of a form's words that are looked at for who filled it in."""


class Given(StrEnum):
    """Where a mail tells who wrote it. Only From has a domain that can vouch for it."""

    FROM = "from"
    LIST = "list"
    REPLY_TO = "reply-to"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Writer:
    """Whoever wrote it, as far as the mail tells. Without an address nobody is answered by itself."""

    name: str | None = None
    address: str | None = None
    given: Given = Given.FROM
    for_whom: str | None = None
    filled_in: bool = False
    """A form's own fields name them."""
    own_list: bool = False
    """It came by a list whose address is our own, as a mailbox that a group reads."""


_Mailbox = tuple[str | None, str | None]


def written_by(mail: Mail, name: str | None, address: str, own: Collection[str] = ()) -> Writer:
    """Who wrote a mail with that one name and address in From; ``own`` are our addresses, canonical."""
    name, for_whom = _on_behalf_of(name)
    lists = _lists(mail, address)
    writer = _through_a_list(mail, name, address, own, lists) or _through_a_form(mail, address, own)
    if writer is None:
        _note_others(mail, address, own)
        writer = Writer(name, address)
    return replace(writer, for_whom=for_whom, own_list=not lists.isdisjoint(own))


def sent_from(mail: Mail) -> tuple[str | None, str | None, bool]:
    """Name and address in From as they were written, and whether several are named, of whom none is believed then."""
    given = mail.all("from")
    if not given:
        mail.warn("sender: there is no From header")
        return None, None, False
    found = [each for value in given for each in addresses(mail, value)]
    if len(given) > 1:
        mail.warn("sender: there are several From headers; none is believed")
    valid = [each for each in found if each[1]]
    if not valid:
        mail.warn("sender: From holds no address")
        return (found[0][0] if found else None), None, len(given) > 1
    several = len({each[1] for each in valid}) > 1
    if several and len(given) == 1:
        mail.warn("sender: From names several people; none is believed")
    name, address = valid[0]
    if given[0].count("<") > given[0].count(">"):
        mail.warn("sender: the address in From is not closed")
    return name, address, several or len(given) > 1


def _has(mail: Mail, names: frozenset[str]) -> bool:
    return any(name in names for name, _ in mail.headers)


# A list that puts its own address in From (RFC 7960 section 4.1.3.1)

_VIA = re.compile(
    r"(?i)^['‘\"]?(.{1,200}?)['’\"]?\s+(?:via|über|mediante|por\s+medio\s+de|za\s+pośrednictwem|trwy)\s+(\S.{0,200})$"
)
_AUTHOR_HEADERS: Final = ("x-original-from", "x-google-original-from", "x-original-sender")
_LIST_HEADERS: Final = frozenset({"list-id", "list-post", "mailing-list", "x-mailing-list", "x-beenthere", "x-google-group-id"})


def _lists(mail: Mail, address: str) -> frozenset[str]:
    """The addresses of the list it came by, canonical, as its headers have them; From's where List-Id is it with a dot for the @."""
    if not _has(mail, _LIST_HEADERS):
        return frozenset()
    posted = " ".join(
        value for each in ("list-post", "mailing-list", "x-mailing-list", "x-beenthere") for value in mail.all(each)
    )
    named = _ADDRESS.findall(one_line(posted[:MOST_FIELD_BYTES]).replace("mailto:", " "))
    if address.replace("@", ".").casefold() in (mail.first("list-id") or "").casefold():
        named.append(address)
    return frozenset(canonical for each in named if (canonical := canonical_email(each)))


def _through_a_list(mail: Mail, name: str | None, address: str, own: Collection[str], lists: Collection[str]) -> Writer | None:
    """The author of what a list passed on under its own address; None where From is the author's."""
    via = _VIA.match(name or "")
    canonical = canonical_email(address)
    rewritten = bool(lists) and canonical in {*lists, *own}
    if not via and not rewritten:
        return None
    author = via[1].strip(" '\"‘’") if via else None
    taken = {canonical, *lists, *own}
    named = [each for header in _AUTHOR_HEADERS for each in _people(mail, header, taken)]
    if not named:
        answers = _people(mail, "reply-to", taken)
        copies = [each for each in _people(mail, "cc", taken) if author and each[0] == author and rewritten]
        named = answers if len(answers) == 1 else copies if len(copies) == 1 else []
    if named:
        return Writer(named[0][0] or author, named[0][1], Given.LIST)
    if rewritten and via:
        mail.warn("sender: the list it came by does not tell who wrote it")
        return Writer(author, None, Given.LIST)
    return None


def _people(mail: Mail, header: str, but: Collection[str | None]) -> list[_Mailbox]:
    """The mailboxes of a header that can be a person's, each once."""
    found: dict[str, _Mailbox] = {}
    for value in mail.all(header):
        for name, address in addresses(mail, value):
            canonical = canonical_email(address) if address else None
            if address and canonical and canonical not in but and not takes_no_answers(address):
                found.setdefault(canonical, (name if name != address else None, address))
    return list(found.values())


# A form on somebody's website

_NOBODY = re.compile(
    r"(?i)(?:.*[-_.+])?(?:no|do[-_.]?no?t|dont|never|ne(?:[-_.]?pas)?|keine?|nicht)[-_.]?(?:reply|respond|response|answer|antwort(?:en)?|r[ée]pon(?:se|dre|dez)|ateb)s?"
    r"(?:[-_.+0-9].*)?|wordpress|drupal|joomla|www-data|apache|nginx|httpd|nobody"
)
_WEBSITE = re.compile(
    r"(?i)(?:web|online|contact|e)?[-_.]?forms?|form[-_.]?(?:mailer|submissions?|responses?|builder)|php(?:mailer)?|website|webserver|web[-_.]?(?:site)?mailer"
)
"""What a website sends from, and a person may too."""
_TOKEN_ADDRESS = re.compile(r"(?i)(?:reply|r|bounces?|unsub(?:scribe)?|comment|ticket)[+=-].*[0-9a-z]{10,}.*|.*[0-9a-f]{16,}.*")
_FORM_HEADERS: Final = frozenset({
    "x-wpcf7-content-type", "x-php-originating-script", "x-php-script", "x-form-id", "x-wpforms-entry-id", "x-source-args",
})  # fmt: skip
_FORM_MAILERS = re.compile(r"(?i)\s*(?:phpmailer|wpmailsmtp|wp\s?mail|drupal|formmail|joomla|php/|gravity)")


def takes_no_answers(address: str) -> bool:
    """Whether a program sends from an address, or an answer to it goes to a program."""
    local = address.rpartition("@")[0]
    return _NOBODY.fullmatch(local) is not None or _TOKEN_ADDRESS.fullmatch(local) is not None


def _through_a_form(mail: Mail, address: str, own: Collection[str]) -> Writer | None:
    """Whoever filled in a form that sends from an address of its website's, or of ours; None where From is the writer's.

    Reply-To and the form's own fields are believed where they do not contradict each other.
    """
    canonical, local = canonical_email(address), address.rpartition("@")[0]
    nobody, ours = _NOBODY.fullmatch(local) is not None, canonical in own and not _answers_something(mail)
    software = _has(mail, _FORM_HEADERS) or _FORM_MAILERS.match(mail.first("x-mailer") or "")
    if not (nobody or ours or software or _WEBSITE.fullmatch(local)):
        return None
    asked = _people(mail, "reply-to", {canonical, *own})
    name, filled_in = _fields(mail.words[:MOST_FORM_CHARACTERS])
    filled_in = [each for each in filled_in if canonical_email(each) not in {canonical, *own}]
    told = {canonical_email(each) for each in (*filled_in, *(address for _, address in asked if address))}
    if len(told) == 1:
        found = asked[0] if asked else (None, filled_in[0])
        given = Given.REPLY_TO if asked else Given.WORDS
        return Writer(found[0] or name, found[1], given, filled_in=bool(filled_in))
    if told:
        mail.warn("sender: the form it came by names several people; none is believed")
    elif nobody:
        mail.warn("sender: the address it came from takes no answers, and nothing tells who wrote it")
    return Writer(name, None, Given.WORDS) if told or nobody else None


def _answers_something(mail: Mail) -> bool:
    """As a letter of our own does that a copy of came back, whatever it quotes; a form answers nothing."""
    return mail.first("in-reply-to") is not None or mail.first("references") is not None


_OF_MAIL = (
    r"(?:(?:your|my|contact|applicant(?:'?s)?|customer|complainant(?:'?s)?)\s)?(?:e-?mail|email\s?address|e-?mail\s?address|e-?bost|cyfeiriad\se-?bost"
    r"|e-?mail-?adresse|adresse\s(?:e-?mail|électronique)|courriel|correo(?:\selectrónico)?|adres\se-?mail)"
)
_MAIL_FIELD = re.compile(rf"(?i)^\W{{0,4}}{_OF_MAIL}(?:\s\([^()]{{1,40}}\))?\W{{0,6}}(?:$|[\s:*|=>\]-])(.{{0,200}})$")
_WHOLE_NAME = re.compile(
    r"(?i)^\W{0,4}(?:(?:your|my|full|contact|applicant(?:'?s)?|customer|complainant(?:'?s)?)\s){0,2}(?:name|enw(?:\sllawn)?|nom(?:\set\sprénom)?|nombre"
    r"|imię\si\snazwisko)\W{0,3}(?:$|:|\s)\W{0,4}(?!of\b|and\b|or\b)(.{0,100})$"
)
_FORENAME = re.compile(
    r"(?i)^\W{0,4}(?:(?:your|my)\s)?(?:first\s?names?|forenames?|given\s?names?|enw\scyntaf|prénom|vorname|imię)\W{0,3}(?:$|:|\s)\W{0,4}(.{0,100})$"
)
_SURNAME = re.compile(
    r"(?i)^\W{0,4}(?:(?:your|my)\s)?(?:last\s?name|surname|family\s?name|cyfenw|nachname|apellidos?|nazwisko)\W{0,3}(?:$|:|\s)\W{0,4}(.{0,100})$"
)
_FROM_FIELD = re.compile(
    r"(?i)^\W{0,4}(?:from|oddi\swrth|von|od|submitted\sby|sent\sby)\s?:\s?(.{0,80}?)\s?[<(\[]([^\s<>()\[\]]{1,254})[>)\]]"
)


def _fields(words: str) -> tuple[str | None, list[str]]:
    """The name and the mail addresses that a form's answers give, each label on the line of its answer or above it."""
    lines = [each.strip() for each in words.split("\n") if each.strip() and not each.lstrip().startswith(">")][:400]
    name: str | None = None
    parts: dict[str, str] = {}
    found: dict[str, str] = {}
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if (told := _FROM_FIELD.match(line[:400])) and _ADDRESS.fullmatch(told[2]):
            found.setdefault(canonical_email(told[2]) or told[2], told[2])
            name = name or told[1].strip(" '\"") or None
        elif (field := _MAIL_FIELD.match(line[:300])) and (address := _ADDRESS.search(field[1] or following)):
            found.setdefault(canonical_email(address[0].strip(".'")) or address[0], address[0].strip(".'"))
        for part, form in (("whole", _WHOLE_NAME), ("forename", _FORENAME), ("surname", _SURNAME)):
            if part not in parts and (field := form.match(line[:200])) and (answer := _answer(field[1], following)):
                parts[part] = answer
    both = f"{parts['forename']} {parts['surname']}" if {"forename", "surname"} <= parts.keys() else None
    return both or parts.get("whole") or name, list(found.values())


def _answer(beside: str, below: str) -> str | None:
    """A name that was filled in: beside its label, or where nothing stands there on the line below it."""
    answer = (beside.strip() or below).strip(" *|:'\"")
    return answer if answer and "@" not in answer and ":" not in answer and len(answer) <= 100 else None


# Delegates, and what else the headers say

_BEHALF = re.compile(
    r"(?i)^(.{1,200}?)[\s,(–-]+(?:(?:sent\s)?on\sbehalf\sof|obo|ar\sran|im\sauftrag\svon|im\snamen\svon|au\snom\sde|pour\sle\scompte\sde|en\snombre\sde|w\simieniu)\s+"
    r"(\S.{0,200}?)\)?$"
)
_MACHINES_SENDER = re.compile(
    r"(?i)(?:owner-.*|.*-(?:owner|request|bounces?)|bounces?(?:[-+=].*)?|.*bounces.*|mailer.*|postmaster|return.*|srs[01]=.*)"
)


def _on_behalf_of(name: str | None) -> tuple[str | None, str | None]:
    """``Ann Vaughan on behalf of Gwen Pryce`` taken apart: who writes, and for whom."""
    found = _BEHALF.match(name or "")
    return (found[1].strip(" '\""), found[2].strip(" '\"")) if found else (name, None)


def _note_others(mail: Mail, address: str, own: Collection[str]) -> None:
    """Tell a reader who else the headers name where From is the writer's; it changes nothing.

    RFC 5322 has From for the author, Sender for whoever sent it for them (section 3.6.2), and Resent-From for whoever passed it on
    untouched, whom nobody answers by itself (section 3.6.6).
    """
    but = {canonical_email(address), *own}
    listed = _has(mail, _LIST_HEADERS)
    if not listed and _people(mail, "reply-to", but):
        mail.warn("reply-to: answers are asked for at another address; ours go to the one it was sent from")
    sender = [
        each for each in _people(mail, "sender", but) if not _MACHINES_SENDER.fullmatch((each[1] or "").rpartition("@")[0])
    ]
    if not listed and sender:
        mail.warn("delegate: somebody else sent it for whom From names")
    if _people(mail, "resent-from", but):
        mail.warn("resent: somebody else passed it on to us unchanged")


# Addresses

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@\x00-\x20]{1,64}@(?:[\w\-.]{1,255}|\[[0-9A-Fa-f.:IPv]{2,60}\])")


def addresses(mail: Mail, value: str) -> list[tuple[str | None, str | None]]:
    """Each mailbox of an address header as (name, address), either of which may be None. One pass, whatever stands there."""
    value = one_line(eight_bit(value[:MOST_FIELD_BYTES], mail.charset))
    found: list[tuple[str | None, str | None]] = []
    carried = ""
    for words, comment, angle in _mailboxes(value):
        address = _address_in(angle) if angle is not None else None
        bare = words
        if address is None and (loose := _ADDRESS.search(words)) is not None:
            address = loose[0].strip(".'")
            bare = f"{words[: loose.start()]} {words[loose.end() :]}"
        if address is None:
            carried = f"{carried}{words.strip()}, "[:MOST_NAME] if words.strip() else carried
            continue
        name = (
            decode_header(f"{carried}{bare.strip()}".strip(" '\"") or comment, mail.charset)
            .replace(_AT, "@")
            .strip(" '\"")[:MOST_NAME]
            or None
        )
        found.append((name, address))
        carried = ""
    if not found and value:
        found.append((decode_header(value, mail.charset).strip(" '\"<>")[:MOST_NAME] or None, None))
    return found


def _mailboxes(value: str) -> Iterator[tuple[str, str, str | None]]:
    """The words, the comment and what stands in angle brackets of each mailbox of a list."""
    words: list[str] = []
    comment, angle = "", None
    closed = True
    at, last = 0, value.rfind(";")
    while at < len(value):
        char = value[at]
        if char == '"' and closed and (closed := (end := _closing_quote(value, at)) > 0):
            inside = re.sub(r"\\(.)", r"\1", value[at + 1 : end])
            words.append(f'"{inside}"' if value[end + 1 : end + 2] == "@" else inside.replace("@", _AT))
            at = end
        elif char == "(":
            depth, start = 1, at + 1
            while depth and (at := at + 1) < len(value):
                depth += (value[at] == "(") - (value[at] == ")")
                at += value[at] == "\\"
            comment = comment or value[start:at]
        elif char == "<":
            end = value.find(">", at)
            end = end if end >= 0 else len(value)
            angle = angle if angle is not None else value[at + 1 : end]
            at = end
        elif char == ":" and at < last and angle is None:
            words = []  # a group's name (RFC 5322 section 3.4)
        elif char in ",;":
            yield "".join(words), comment, angle
            words, comment, angle = [], "", None
        elif char != ">":
            words.append(char)
        at += 1
    yield "".join(words), comment, angle


_AT: Final = "\ue0f2"
"""Stands for an ``@`` within quotation marks, which is part of a name and of no address."""


def _closing_quote(value: str, at: int) -> int:
    found = _QUOTED_STRING.match(value, at)
    return found.end() - 1 if found else -1


_QUOTED_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def _address_in(angle: str) -> str | None:
    angle = re.sub(r"\([^()]{0,200}\)", "", angle).strip()
    if found := _ADDRESS.fullmatch(angle) or re.fullmatch(r'"[^"<>]{1,64}"@[\w\-.]{1,255}', angle):
        return found[0]
    loose = _ADDRESS.search(re.sub(r"\s+", "", angle).rpartition(":")[2])
    return loose[0] if loose else None
