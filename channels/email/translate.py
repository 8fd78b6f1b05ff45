"""A mail's bytes to a contact.

Pure and total: for any bytes it gives a contact, and what could not be read stands in its warnings, since the bytes are kept
and a person must look. Who sent it is what From says, no more: only your own mail server's word that DMARC passed proves it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from enum import IntEnum
from typing import Any, Final

from channels.email.attached import MOST_FILES, Words, leans_on, words_of
from channels.email.automatic import automatic
from channels.email.mime import (
    MOST_FIELD_BYTES,
    QUOTE_CLOSES,
    QUOTE_OPENS,
    File,
    Mail,
    decode_header,
    eight_bit,
    one_line,
    take_apart,
)
from channels.email.words import language_of, new_words
from ingest.contract import (
    FULL_TEXT_LIMIT,
    Attachment,
    Automatic,
    Contact,
    Identifier,
    Person,
    Thread,
    canonical_email,
    within_limit,
)
from ingest.files import KINDS, Told, label_of, tell
from ingest.ids import contact_id, digest

MOST_REFERENCES: Final = 100
MOST_NAME: Final = 1024
"""Characters of a sender's name."""
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"@\x00-\x20]{1,64}@(?:[\w\-.]{1,255}|\[[0-9A-Fa-f.:IPv]{2,60}\])")
_ACTION = re.compile(rb"(?im)^action:[ \t]*(\w+)")
_RETURNED_ID = re.compile(rb"(?im)^>?[ \t]{0,8}message-id:[ \t]*\r?\n?[ \t]*(<[^<>\s]{3,250}>)")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_HEAD = re.compile(rb"\A[\s\S]{0,65536}?(?:\r?\n\r?\n|\r\r|\Z)")
_ONLY_FILES: Final = "not-read: attachment-only"
_FEW_WORDS: Final = 200
"""Characters of new words up to which a mail may only cover the letter beside it."""
_ENVELOPED: Final = ("enveloped-data", "authenveloped-data", "")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one mail, before it is anybody's contact: what a contact carries, and the sender as written."""

    name: str | None = None
    address: str | None = None
    several_senders: bool = False
    subject: str | None = None
    text: str = ""
    full_text: str = ""
    full_text_cut: bool = False
    language: str | None = None
    files: tuple[File, ...] = ()
    sent_at: datetime | None = None
    thread: Thread = field(default_factory=Thread)
    automatic: Automatic = Automatic.NONE
    results: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Depth(IntEnum):
    """How much of a mail is read."""

    NOTHING = 0
    HEADERS = 1
    MAIL = 2
    """All but the words in its files."""
    ALL = 3


def translate_less(raw: bytes, because: str, *, depth: Depth, **known: Any) -> tuple[Contact, dict[str, bytes]]:
    """The contact of a mail that broke whoever read it deeper, marked as not read for a person to look at the original."""
    contact, contents = translate(raw, depth=depth, **known)
    what = "the words in its files were left out, since" if depth is Depth.MAIL else "it was kept without its words, since"
    return contact.model_copy(update={"warnings": (*contact.warnings, f"not-read: {what} {because}")}), contents


def translate(
    raw: bytes,
    *,
    account: str,
    received_at: datetime,
    backfill: bool,
    authserv_id: str | None,
    whole_size: int | None = None,
    depth: Depth = Depth.ALL,
) -> tuple[Contact, dict[str, bytes]]:
    """The contact a mail is, and its attachments' bytes by their SHA-256.

    ``authserv_id`` is the name your own mail server writes in Authentication-Results; None believes nobody. ``whole_size`` is
    the mail's size in bytes on its server, larger than ``raw`` where it was cut when it was fetched.
    """
    got = _at(depth, raw, whole_size)
    told = [tell(each.content) for each in got.files]
    if depth is Depth.ALL and got.automatic in {Automatic.NONE, Automatic.LIST}:
        got = _with_words_beside(got, told)
    original = digest(raw)
    warnings = list(got.warnings)
    contents = {digest(each.content): each.content for each in got.files}
    identifiers: tuple[Identifier, ...] = ()
    if got.address and not got.several_senders and (canonical := canonical_email(got.address)):
        said = _dmarc(got.results, authserv_id, got.address.rpartition("@")[2])
        if said == "fail":
            warnings.append("sender-not-authenticated: our mail server says that DMARC failed; the address may be forged")
        identifiers = (
            Identifier(kind="email", given=got.address, canonical=canonical, verified_by="dmarc" if said == "pass" else None),
        )
    elif got.address and not got.several_senders:
        warnings.append("sender: the address is none that mail can be sent to")
    contact = Contact(
        id=contact_id("email", account, original),
        source=f"urn:contact-ingest:email:{account}",
        channel="email",
        account=account,
        received_at=received_at,
        sent_at=got.sent_at,
        sender=Person(name=got.name, identifiers=identifiers),
        subject=got.subject,
        text=got.text,
        full_text=got.full_text,
        full_text_cut=got.full_text_cut,
        language=got.language,
        original=original,
        attachments=tuple(map(_attachment, got.files, told)),
        thread=got.thread,
        automatic=got.automatic,
        backfill=backfill,
        warnings=tuple(warnings),
    )
    return contact, contents


def _attachment(file: File, told: Told) -> Attachment:
    """What a file is called follows its bytes where they show what it is; and none is called what they show that it is not."""
    name, content_type = file.name, file.content_type
    if told.kind is not None and told.kind.name not in {"txt", "eml"}:
        name, content_type = label_of(name, told.kind), told.kind.media_type(content_type)
    elif content_type in _TOLD_BY_BYTES:
        content_type = "application/octet-stream"
    return Attachment(
        digest=digest(file.content), name=name, content_type=content_type, size=len(file.content), inline=file.inline
    )


_TOLD_BY_BYTES: Final = frozenset(
    each for kind in KINDS.values() if kind.name not in {"txt", "eml", "rtf"} for each in kind.types
)


def _with_words_beside(got: Reading, told: list[Told]) -> Reading:
    """``full_text`` with the words in the files, each below its name, and a warning where a file that may be the letter has none.

    What the person wrote themselves stays in ``text`` alone: a file may be anybody's letter.
    """
    alone = not got.full_text.strip()
    found: dict[int, Words] = {}
    for place, (file, each) in enumerate(zip(got.files, told, strict=True)):
        if len(found) == MOST_FILES or sum(len(words.text) for words in found.values()) > FULL_TEXT_LIMIT:
            break
        if not (alone and file.content_type == "message/rfc822") and (words := words_of(file, each)):
            found[place] = words
    unread = any(
        leans_on(file, told[place]) and not (place in found and found[place].whole) for place, file in enumerate(got.files)
    )
    full_text, cut = got.full_text, got.full_text_cut
    if found and not cut:
        beside = (f"[Attached: {got.files[place].name}]\n{words.text}" for place, words in found.items())
        full_text, cut = within_limit("\n\n".join(each for each in (full_text, *beside) if each))
    warnings = got.warnings
    if unread and not alone and len(got.text) <= _FEW_WORDS:
        warnings = (*warnings, "not-read: it has few words, and a file beside them that could not be read in full")
    elif found and not unread:
        warnings = tuple(each for each in warnings if each != _ONLY_FILES)
    return replace(
        got, full_text=full_text, full_text_cut=cut, language=got.language or language_of(full_text), warnings=warnings
    )


def _at(depth: Depth, raw: bytes, whole_size: int | None) -> Reading:
    if depth is Depth.NOTHING:
        return Reading()
    return read(_headers_of(raw)) if depth is Depth.HEADERS else read(raw, whole_size)


def _headers_of(raw: bytes) -> bytes:
    found = _HEAD.match(raw)
    return found[0] if found else raw[:MOST_FIELD_BYTES]


def read(raw: bytes, whole_size: int | None = None) -> Reading:
    """What a mail says, for any bytes; what went wrong is told in ``warnings``."""
    cut = (
        (f"cut: {len(raw)} of {whole_size} bytes were fetched; the rest is on the mail server",)
        if whole_size is not None and whole_size > len(raw)
        else ()
    )
    try:
        return _read(raw, cut)
    except Exception as error:  # noqa: BLE001 - total by promise: a person looks at the bytes, the mailbox goes on
        why = f"not-read: {type(error).__name__}"
    try:  # whose it is may still be told by its headers
        told = _read(_headers_of(raw), cut)
        return replace(told, warnings=(*told.warnings, why))
    except Exception:  # noqa: BLE001
        return Reading(warnings=(*cut, why))


def _read(raw: bytes, cut: tuple[str, ...]) -> Reading:
    mail = take_apart(raw)
    name, address, several = _sender(mail)
    plain = re.sub(f"\\s*[{QUOTE_OPENS}{QUOTE_CLOSES}]\\s*", "\n\n", mail.words).strip("\n")
    full_text, full_text_cut = within_limit(plain)
    subject = mail.decoded("subject") or None
    text = new_words(_with_quote_marks(within_limit(mail.words)[0]), subject or "")
    _warn_unread(mail, full_text)
    kind = automatic(mail, address)
    answered = _message_id(mail.first("in-reply-to"))
    return Reading(
        name=name,
        address=address,
        several_senders=several,
        subject=subject,
        text=text,
        full_text=full_text,
        full_text_cut=full_text_cut,
        language=language_of(text or full_text),
        files=tuple(mail.files),
        sent_at=_sent_at(mail.first("date")),
        thread=Thread(
            message_id=_message_id(mail.first("message-id")),
            in_reply_to=_returned(raw) or answered if kind is Automatic.BOUNCE else answered,
            references=tuple(_MESSAGE_ID.findall(_plain(mail.first("references"))))[-MOST_REFERENCES:],
        ),
        automatic=kind,
        results=tuple(mail.all("authentication-results")),
        warnings=(*cut, *mail.warnings),
    )


def _returned(raw: bytes) -> str | None:
    """The Message-ID of the mail that a bounce returns, as its own headers or as words; None where it only says that mail is late.

    Source: RFC 3464 section 2.3.3 (Action) and RFC 3462 (the returned message or its headers is the report's last part).
    """
    actions = {each.lower() for each in _ACTION.findall(raw)}
    if actions and not actions & {b"failed"}:
        return None
    own, *returned = _RETURNED_ID.findall(raw) or [b""]
    last = returned[-1] if returned else b""
    return _message_id(last.decode("ascii", "replace")) if last and last != own else None


def _with_quote_marks(text: str) -> str:
    """Where HTML marked a quotation, ``>`` before each of its lines, as in plain text."""
    if QUOTE_OPENS not in text:
        return text.replace(QUOTE_CLOSES, "")
    lines: list[str] = []
    depth = 0
    for line in text.split("\n"):
        depth += line.count(QUOTE_OPENS)
        words = line.replace(QUOTE_OPENS, "").replace(QUOTE_CLOSES, "")
        if words.strip() or (QUOTE_OPENS not in line and QUOTE_CLOSES not in line):
            lines.append(f"> {words}" if depth > 0 else words)
        depth = max(0, depth - line.count(QUOTE_CLOSES))
    return "\n".join(lines)


def _warn_unread(mail: Mail, full_text: str) -> None:
    smime = next((each for each in mail.types if each in {"application/pkcs7-mime", "application/x-pkcs7-mime"}), None)
    enveloped = smime is not None and (
        mail.content_type != smime or mail.parameters.get("smime-type", "").lower() in _ENVELOPED
    )
    if "multipart/encrypted" in mail.types or enveloped or "-----BEGIN PGP MESSAGE-----" in full_text:
        mail.warn("not-read: encrypted")
    elif not full_text.strip() and mail.files:
        mail.warn(_ONLY_FILES)


# The sender


def _sender(mail: Mail) -> tuple[str | None, str | None, bool]:
    """Name and address in From, and whether several are named; only From counts, neither Sender nor Reply-To."""
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
    name, address = valid[0]
    if given[0].count("<") > given[0].count(">"):
        mail.warn("sender: the address in From is not closed")
    return name, address, len({each[1] for each in valid}) > 1 or len(given) > 1


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
    at = 0
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


def _dmarc(results: tuple[str, ...], authserv_id: str | None, domain: str) -> str | None:
    """What our own mail server says of the domain in From: ``pass``, ``fail`` or None (RFC 8601, RFC 7489).

    Only the topmost header with our own id counts: a server takes away those that came in with its name, and puts its own above.
    """
    if authserv_id is None:
        return None
    for value in results:
        server, *said = _without_comments(value).split(";")
        if server.split()[:1] != [] and server.split()[0].casefold() == authserv_id.casefold():
            break
    else:
        return None
    verdicts: set[str] = set()
    for each in said:
        method = re.match(r"\s*dmarc\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", each, re.IGNORECASE)
        if method is None:
            continue
        about = re.search(r"\bheader\.from\s*=\s*\"?([^\s\";]+)", each, re.IGNORECASE)
        same = about is not None and about[1].rpartition("@")[2].rstrip(".").casefold() == domain.rstrip(".").casefold()
        verdict = method[1].lower()
        verdicts.add(verdict if verdict != "pass" or same else "other")
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else None


def _without_comments(value: str) -> str:
    kept: list[str] = []
    depth, quoted, at = 0, False, 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            kept.append(" " if char == ";" else char)
        elif char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
        at += 1
    return "".join(kept)


# Times and ids


def _sent_at(given: str | None) -> datetime | None:
    """The sender's own date in UTC; None where it is none, or no year a calendar has. Nothing is due by it."""
    if given is None:
        return None
    try:
        parsed = parsedate_tz(one_line(given[:200]))
        if parsed is None:
            return None
        return datetime(*parsed[:6], tzinfo=UTC) - timedelta(seconds=parsed[9] or 0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _plain(given: str | None) -> str:
    return one_line((given or "")[:65536].encode("ascii", "replace").decode())


def _message_id(given: str | None) -> str | None:
    """``<left@right>``; None for ``<>`` and where there is none. Brackets that were left out are put back."""
    plain = _plain(given)
    if found := _MESSAGE_ID.search(plain):
        return found[0]
    bare = plain.strip("<> ")
    return f"<{bare}>" if re.fullmatch(r"[^\s<>]{1,990}", bare) else None
