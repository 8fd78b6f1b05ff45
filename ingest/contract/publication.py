"""A contact as another system hands it over by HTTP: ``contact.v1`` less what we set ourselves, and stricter.

What a publisher may leave out is made up for here, and its files are named by digest alone, since we know the rest of them. CC0-1.0.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationError

from ingest.contract.contact import (
    Attachment,
    Automatic,
    Contact,
    DeclaredFacts,
    Digest,
    Person,
    Thread,
    within_limit,
)
from ingest.contract.shape import Moment, Shape, Text

MOST_BYTES: Final = 2_000_000
"""Of one publication; longer words are a file that is uploaded first."""
MOST_FILES: Final = 10
_MOST_FAULTS: Final = 20
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)

Fault = tuple[str, str]
"""A JSON pointer as a URI fragment (RFC 6901 section 6), and what is wrong there."""


class NotAContact(ValueError):
    """The bytes are not JSON that the contract takes; ``faults`` says where, and is empty where there is no JSON."""

    def __init__(self, sentence: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.faults = faults


def _rfc_3339(given: object) -> object:
    """A moment as JSON has it; pydantic alone would also take numbers, days and times without a zone."""
    if given is None or isinstance(given, datetime):
        return given
    if not isinstance(given, str) or not _RFC_3339.fullmatch(given):
        raise ValueError("write it as 2026-03-02T09:30:00Z")
    return datetime.fromisoformat(given.upper())


Instant = Annotated[Moment, BeforeValidator(_rfc_3339)]


class Enclosure(Shape):
    """A file that was uploaded first, for this contact."""

    digest: Digest
    name: Text | None = Field(default=None, max_length=255, description="a label without any path; as uploaded where unsaid")
    inline: bool = False


class Publication(Shape):
    """One approach by one person, as another system had it. What `contact.v1` says of a field holds here too."""

    source: Text | None = Field(default=None, description="your own URN, or nothing")
    channel: Literal["email", "letter", "web_form", "sms", "social", "telephone"]
    account: Text = Field(max_length=1024, description="which of your mailboxes, numbers or forms it reached")
    received_at: Instant | None = Field(
        default=None, description="when your edge had it: the person must hear from us within 48 hours of it. Now, where unsaid"
    )
    sent_at: Instant | None = None
    sender: Person = Person()
    on_behalf_of: Person | None = None
    subject: Text | None = None
    text: Text = Field(description="the new words, apart from quoted history")
    full_text: Text | None = Field(default=None, description="all of the words, where they are more than `text`")
    language: Text | None = Field(default=None, max_length=35, description="ISO 639-1, where it could be told")
    original: Digest | None = Field(
        default=None, description="the bytes as they came to you, uploaded first; the request itself is kept where unsaid"
    )
    attachments: tuple[Enclosure, ...] = Field(default=(), max_length=MOST_FILES)
    thread: Thread = Thread()
    automatic: Automatic = Automatic.NONE
    declared: DeclaredFacts | None = None
    needs_allocation: bool = Field(default=False, description="social media that waits for External Affairs & Strategy")
    backfill: bool = Field(default=False, description="older than the service: nothing is sent; only where you may")
    acknowledged: bool = Field(default=False, description="you have told the person already; only where you may")
    warnings: tuple[Text, ...] = Field(
        default=(), max_length=100, description="what could not be read, each `reason: sentence`"
    )


def read(raw: bytes) -> Publication:
    """The publication in a request's body. Raises NotAContact."""
    try:
        json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise NotAContact("The body is not UTF-8.") from error
    except RecursionError as error:
        raise NotAContact("The body is JSON that is nested too deeply.") from error
    except _Twice as error:
        raise NotAContact(str(error)) from error
    except ValueError as error:
        raise NotAContact("The body is not JSON (RFC 8259).") from error
    try:
        return Publication.model_validate_json(raw, strict=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        if any(each["type"] == "json_invalid" for each in found):
            raise NotAContact(
                "The body is not JSON (RFC 8259), has half of a surrogate pair, or is nested too deeply."
            ) from error
        faults = tuple((_pointer(each["loc"]), _sentence(each["msg"])) for each in found[:_MOST_FAULTS])
        raise NotAContact(f"{len(found)} of its fields are not as the contract has them.", faults) from error


def contact_of(
    told: Publication,
    *,
    id_: UUID,
    source: str,
    received_at: datetime,
    original: str,
    files: Mapping[str, Attachment],
) -> Contact:
    """The contact that a publication makes. ``files`` are those uploaded for it, by digest; KeyError where one is not among them."""
    full_text, cut = within_limit(told.text if told.full_text is None else told.full_text)
    return Contact(
        id=id_,
        source=source,
        channel=told.channel,
        account=told.account,
        received_at=received_at,
        sent_at=told.sent_at,
        sender=told.sender,
        on_behalf_of=told.on_behalf_of,
        subject=told.subject,
        text=told.text,
        full_text=full_text,
        full_text_cut=cut,
        language=told.language,
        original=original if told.original is None else files[told.original].digest,
        attachments=tuple(
            files[each.digest].model_copy(update={"name": each.name or files[each.digest].name, "inline": each.inline})
            for each in told.attachments
        ),
        thread=told.thread,
        automatic=told.automatic,
        declared=told.declared,
        needs_allocation=told.needs_allocation,
        backfill=told.backfill,
        acknowledged=told.acknowledged,
        warnings=told.warnings,
    )


def files_named(told: Publication) -> Iterator[tuple[str, str]]:
    """Where a publication names a file, and its digest."""
    if told.original is not None:
        yield "#/original", told.original
    for number, each in enumerate(told.attachments):
        yield f"#/attachments/{number}/digest", each.digest


def vouches(told: Publication) -> Iterator[str]:
    """Where a publication says that an identifier is verified."""
    for where, person in (("sender", told.sender), ("on_behalf_of", told.on_behalf_of)):
        for number, each in enumerate(person.identifiers if person else ()):
            if each.verified_by is not None:
                yield f"#/{where}/identifiers/{number}/verified_by"


class _Twice(ValueError):
    """A name stands twice in one object: two readers may take different ones (RFC 8259 section 4)."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice("A name stands twice in one object of the body.")
    return found


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no numbers in JSON")


def _pointer(loc: tuple[int | str, ...]) -> str:
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ") + "."
