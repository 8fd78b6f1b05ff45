"""A mail's bytes to a contact.

Pure and total: for any bytes it gives a contact, and what could not be read stands in its warnings, since the bytes are kept
and a person must look. Who wrote it is a claim: only your own mail server's word that DMARC passed proves the address in From, or where it
has none an aligned signature that we checked ourselves.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from enum import IntEnum
from typing import Any, Final

from channels.email.attached import MOST_FILES, Words, leans_on, words_of
from channels.email.automatic import automatic
from channels.email.calendar import Calendar, calendar, is_bare
from channels.email.mime import MOST_HEADER_BYTES, QUOTE_CLOSES, QUOTE_OPENS, File, Mail, end_of_headers, one_line, take_apart
from channels.email.opaque import enclosed, kind_of
from channels.email.returned import returned
from channels.email.senders import Given, Writer, sent_from, written_by
from channels.email.words import language_of, new_words
from ingest.contract import (
    FULL_TEXT_LIMIT,
    Attachment,
    Automatic,
    Contact,
    Identifier,
    Person,
    Returned,
    Thread,
    canonical_email,
    within_limit,
)
from ingest.files import KINDS, Told, label_of, tell
from ingest.ids import contact_id, digest

MOST_REFERENCES: Final = 100
MOST_WRAPPINGS: Final = 3
"""Signatures around signatures that are opened."""
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
_TOKEN = re.compile(r"\+(?=[\w-]{0,49}[A-Z])([A-Za-z0-9_-]{50})@")
_TOKEN_IN_SUBJECT = re.compile(r"\[(?=[\w-]{0,49}[A-Z])([A-Za-z0-9_-]{50})\]")
"""A capital letter tells one from what a server has put in small letters, which is none any more."""
_REACHED_US_AT: Final = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc")
_SMIME: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_ONLY_FILES: Final = "not-read: attachment-only"
_FEW_WORDS: Final = 200
"""Characters of new words up to which a mail may only cover the letter beside it."""
_ENVELOPED: Final = ("enveloped-data", "authenveloped-data", "")
_ENCRYPTED_TYPES: Final = frozenset({"application/pgp-encrypted", "application/x-microsoft-rpmsg-message"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one mail, before it is anybody's contact: what a contact carries, From as it was written, and who wrote it."""

    name: str | None = None
    address: str | None = None
    writer: Writer = field(default_factory=Writer)
    subject: str | None = None
    text: str = ""
    full_text: str = ""
    full_text_cut: bool = False
    language: str | None = None
    files: tuple[File, ...] = ()
    sent_at: datetime | None = None
    thread: Thread = field(default_factory=Thread)
    automatic: Automatic = Automatic.NONE
    returned: Returned | None = None
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
    own: Collection[str] = (),
    signed_for: str | None = None,
    depth: Depth = Depth.ALL,
) -> tuple[Contact, dict[str, bytes]]:
    """The contact a mail is, and its attachments' bytes by their SHA-256.

    ``authserv_id`` is the name your own mail server writes in Authentication-Results; None believes nobody. ``whole_size`` is
    the mail's size in bytes on its server, larger than ``raw`` where it was cut when it was fetched. ``own`` are our addresses,
    canonical: a group or a form of ours sends from one what a person wrote. ``signed_for`` is the address in From where a signature
    aligned with it holds, as ``signatures`` has it; it counts where your own mail server says nothing of it.
    """
    got = _at(depth, raw, whole_size, own)
    told = [tell(each.content) for each in got.files]
    if depth is Depth.ALL and got.automatic in {Automatic.NONE, Automatic.LIST}:
        got = _with_words_beside(got, told)
    original = digest(raw)
    warnings = list(got.warnings)
    contents = {digest(each.content): each.content for each in got.files}
    writer, identifiers = got.writer, ()
    if writer.address and (canonical := canonical_email(writer.address)):
        said = _dmarc(got.results, authserv_id, (got.address or "").rpartition("@")[2])
        if said == "fail":
            warnings.append("sender-not-authenticated: our mail server says that DMARC failed; the address may be forged")
        signed = said is None and signed_for is not None and signed_for == (got.address or "").lower()
        proved = "dmarc" if said == "pass" else "dkim" if signed else None
        verified_by = proved if writer.given is Given.FROM else None
        identifiers = (Identifier(kind="email", given=writer.address, canonical=canonical, verified_by=verified_by),)
    elif writer.address:
        warnings.append("sender: the address is none that mail can be sent to")
    contact = Contact(
        id=contact_id("email", account, original),
        source=f"urn:contact-ingest:email:{account}",
        channel="email",
        account=account,
        received_at=received_at,
        sent_at=got.sent_at,
        sender=Person(name=writer.name, identifiers=identifiers),
        on_behalf_of=Person(name=writer.for_whom) if writer.for_whom else None,
        subject=got.subject,
        text=got.text,
        full_text=got.full_text,
        full_text_cut=got.full_text_cut,
        language=got.language,
        original=original,
        attachments=tuple(map(_attachment, got.files, told)),
        thread=got.thread,
        automatic=got.automatic,
        returned=got.returned,
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
    told_already = any(each.startswith("not-read:") for each in warnings)
    if unread and not alone and not told_already and len(got.text) <= _FEW_WORDS:
        warnings = (*warnings, "not-read: it has few words, and a file beside them that could not be read in full")
    elif found and not unread:
        warnings = tuple(each for each in warnings if each != _ONLY_FILES)
    return replace(
        got, full_text=full_text, full_text_cut=cut, language=got.language or language_of(full_text), warnings=warnings
    )


def _at(depth: Depth, raw: bytes, whole_size: int | None, own: Collection[str]) -> Reading:
    if depth is Depth.NOTHING:
        return Reading()
    return read(_headers_of(raw), own=own) if depth is Depth.HEADERS else read(raw, whole_size, own)


def _headers_of(raw: bytes) -> bytes:
    found = end_of_headers(raw)
    return raw[: found[1] if found else MOST_HEADER_BYTES]


def read(raw: bytes, whole_size: int | None = None, own: Collection[str] = ()) -> Reading:
    """What a mail says, for any bytes; what went wrong is told in ``warnings``."""
    cut = (
        (f"cut: {len(raw)} of {whole_size} bytes were fetched; the rest is on the mail server",)
        if whole_size is not None and whole_size > len(raw)
        else ()
    )
    try:
        return _read(raw, cut, own)
    except Exception as error:  # noqa: BLE001 - total by promise: a person looks at the bytes, the mailbox goes on
        why = f"not-read: {type(error).__name__}"
    try:  # whose it is may still be told by its headers
        told = _read(_headers_of(raw), cut, own)
        return replace(told, warnings=(*told.warnings, why))
    except Exception:  # noqa: BLE001
        return Reading(warnings=(*cut, why))


def _read(raw: bytes, cut: tuple[str, ...], own: Collection[str]) -> Reading:
    mail = take_apart(raw)
    _open_signed(mail)
    entry = _calendar(mail)
    bare = entry is not None and entry.accepts and not entry.comment and is_bare(mail.words)
    if entry is not None:
        _add_calendar(mail, entry)
    name, address, several = sent_from(mail)
    writer = Writer(name) if several or not address else written_by(mail, name, address, own)
    full_text, full_text_cut = within_limit(_without_marks(mail.words))
    subject = mail.decoded("subject") or None
    text = new_words(_with_quote_marks(within_limit(mail.words)[0]), subject or "")
    _warn_unread(mail, full_text)
    kind = _kind(mail, address, writer)
    if bare and kind is Automatic.NONE:
        kind = Automatic.REPLY  # a calendar wrote all of it
    back = returned(raw, mail) if kind is Automatic.BOUNCE else None
    answered = _message_id(mail.first("in-reply-to"))
    return Reading(
        name=name,
        address=address,
        writer=writer,
        subject=subject,
        text=text,
        full_text=full_text,
        full_text_cut=full_text_cut,
        language=language_of(text or full_text),
        files=tuple(mail.files),
        sent_at=_sent_at(mail.first("date")),
        thread=Thread(
            reply_token=_token(mail, subject or ""),
            message_id=_message_id(mail.first("message-id")),
            in_reply_to=(back.message_id if back and back.outcome == "failed" else None) or answered,
            references=tuple(_MESSAGE_ID.findall(_plain(mail.first("references"))))[-MOST_REFERENCES:],
        ),
        automatic=kind,
        returned=back,
        results=tuple(mail.all("authentication-results")),
        warnings=(*cut, *mail.warnings),
    )


def _without_marks(words: str) -> str:
    """An empty line where HTML opened or closed a quotation. Splitting, since a pattern would try each of a million spaces."""
    first, *others = re.split(f"[{QUOTE_OPENS}{QUOTE_CLOSES}]", words)
    if others:
        *between, last = others
        first = "\n\n".join((first.rstrip(), *(each.strip() for each in between), last.lstrip()))
    return first.strip("\n")


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


def _kind(mail: Mail, address: str | None, writer: Writer) -> Automatic:
    """Who wrote it, where a list of ours passed it on, or a form whose program says truly that a program sent what a person filled in."""
    kind = automatic(mail, address)
    if kind is Automatic.LIST and writer.own_list:
        return Automatic.NONE
    if kind is Automatic.REPLY and writer.filled_in and writer.address:
        without = [each for each in mail.headers if each[0] not in {"auto-submitted", "precedence"}]
        submitted = (mail.first("auto-submitted") or "").strip().lower()
        return kind if submitted.startswith("auto-replied") else automatic(replace(mail, headers=without), address)
    return kind


def _token(mail: Mail, subject: str) -> str | None:
    """What looks like a token of ours, where it came back to: in the address it was sent to, else in the subject."""
    for name in _REACHED_US_AT:
        for value in mail.all(name):
            if found := _TOKEN.search(value[:65536]):
                return found[1]
    found = _TOKEN_IN_SUBJECT.search(subject)
    return found[1] if found else None


def _open_signed(mail: Mail) -> None:
    """Put what an opaque signature encloses in its place: no key is needed to read it."""
    for _ in range(MOST_WRAPPINGS):
        signed = next(((each, content) for each in mail.files if (content := _within(each)) is not None), None)
        if signed is None:
            return
        file, content = signed
        inner, place = take_apart(content), mail.files.index(file)
        if mail.content_type == file.content_type:
            mail.content_type, mail.parameters = inner.content_type, inner.parameters
        mail.types = [each for each in mail.types if each != file.content_type] + inner.types
        mail.files[place : place + 1] = inner.files
        mail.words = "\n\n".join(words for words in (mail.words, inner.words) if words.strip())
        mail.charset = mail.charset or inner.charset
        for warning in inner.warnings:
            mail.warn(warning)


_ENTITY = re.compile(
    rb"(?is)\s{0,10}(?:[!-9;-~]{1,70}:[^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,50}){0,50}?content-type[ \t]{0,5}:"
)
"""A signed file may hold a document, which is no mail."""


def _within(file: File) -> bytes | None:
    content = enclosed(file.content) if _is_smime(file) else None
    return content if content is not None and _ENTITY.match(content) else None


def _is_smime(file: File) -> bool:
    return file.content_type in _SMIME or file.name.lower() == "smime.p7m"


def _calendar(mail: Mail) -> Calendar | None:
    if mail.content_type == "text/calendar":
        entry = calendar(mail.words.encode())
        mail.words = "" if entry else mail.words
        return entry
    part = next((each for each in mail.files if each.content_type == "text/calendar"), None)
    return calendar(part.content) if part else None


def _add_calendar(mail: Mail, entry: Calendar) -> None:
    """What a calendar says, where the mail's own words do not say it."""
    said = mail.words.strip()
    if not said:
        mail.words = "\n\n".join(each for each in (entry.words, entry.comment) if each)
    elif entry.comment and entry.comment not in said:
        mail.words = f"{entry.comment}\n\n{mail.words}"


def _warn_unread(mail: Mail, full_text: str) -> None:
    if _is_encrypted(mail) or "-----BEGIN PGP MESSAGE-----" in full_text:
        mail.warn("not-read: encrypted")
    elif not full_text.strip() and mail.files:
        mail.warn(_ONLY_FILES)


def _is_encrypted(mail: Mail) -> bool:
    if "multipart/encrypted" in mail.types:
        return True
    if mail.content_type in _SMIME and mail.parameters.get("smime-type", "").lower() in _ENVELOPED:
        return True
    return any(
        each.content_type in _ENCRYPTED_TYPES
        or (_is_smime(each) and kind_of(each.content) == "encrypted")
        or b"-----BEGIN PGP MESSAGE-----" in each.content[:1000]
        for each in mail.files
    )


# The sender's domain


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
