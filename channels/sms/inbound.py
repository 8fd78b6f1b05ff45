"""What a provider tells us, as values: a text, a part of one, what became of a text of ours.

This is the seam where the next provider fits: a module that says of a request whether its provider made it (``verify``), what it is
(``parse`` for a text, ``receipt`` for the other), and of what its API lists what that is (``listed``), with a line in ``providers``.
A text that a webhook brings and the same that the API lists have the same ``reference`` and ``fingerprint``.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from ingest.contract import OutgoingState, Trace, canonical_phone
from ingest.errors import Unreadable
from ingest.ids import digest

MOST_PICTURES: Final = 10  # of one text (Twilio, "Media subresource")
_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]*")

Word = Literal["stop", "help", "start"]


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, or another file, that lies with the provider. ``name`` is the provider's own, whatever the address is."""

    url: str
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class InboundText:
    """One text as its provider has it. ``reference`` is the provider's id of it, ``sender`` and ``to`` are as given."""

    reference: str
    sender: str
    to: str
    text: str
    sent_at: datetime | None = None
    media: tuple[Media, ...] = ()
    word: Word | None = None
    """What the provider took it for, and has answered by itself."""
    flaws: tuple[str, ...] = ()
    """What could not be read, as warnings of a contact."""
    trace: Trace | None = None
    """Of the request that brought it, where it waits."""

    @property
    def fingerprint(self) -> str:
        """What tells other words under the same reference; nothing that only one way of hearing of it has is in it."""
        said = (canonical(self.sender) or self.sender, canonical(self.to) or self.to, self.text, *(m.name for m in self.media))
        return digest(json.dumps(said).encode())


@dataclass(frozen=True, slots=True)
class Part:
    """One of ``total`` parts of a text that the network split; those of one text have the same ``whole``. ``number`` begins at 1."""

    text: InboundText
    whole: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a text of ours; ``state`` is None where it is still on its way. ``reason`` is made of codes alone."""

    outgoing_id: UUID
    state: OutgoingState | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that was fetched."""

    content: bytes
    content_type: str


def canonical(given: str) -> str | None:
    """E.164; None for a name and a short code. Figures alone that do not begin with 0 are a number as it is dialled abroad, as Notify
    and Vonage write it.
    """
    plain = given.strip()
    if len(plain) > 32 or not _NUMBER.fullmatch(plain):
        return None
    abroad = plain.isdigit() and not plain.startswith("0")
    return canonical_phone(f"+{plain}" if abroad else plain)


def joined(parts: Sequence[Part]) -> InboundText:
    """The text that some of its parts come to, in the order of their numbers. Where some are missing it says so, in place and in ``flaws``."""
    in_order = sorted(parts, key=lambda part: part.number)
    first, total = in_order[0].text, in_order[0].total
    words, following = list[str](), 1
    for each in in_order:
        words += ["[…]"] * (each.number > following)
        words.append(each.text.text)
        following = each.number + 1
    words += ["[…]"] * (following <= total)
    missing = total - len(in_order)
    flaws = tuple(flaw for each in in_order for flaw in each.text.flaws)
    if missing:
        flaws = (*flaws, f"not-read: {missing} of its {total} parts did not come")
    times = [each.text.sent_at for each in in_order if each.text.sent_at]
    return InboundText(
        first.reference, first.sender, first.to, "".join(words), min(times, default=None), flaws=flaws, trace=first.trace
    )


def json_object(raw: bytes) -> dict[str, Any]:
    """The object that some bytes are. Raises Unreadable."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not-json", "It is not JSON.") from error
    if not isinstance(told, dict):
        raise Unreadable("not-an-object", "It is no JSON object.")
    return told  # pyright: ignore[reportUnknownVariableType]


def word_of(told: dict[str, Any], name: str) -> str:
    """A field as text that UTF-8 knows; empty where there is none, or it has fields of its own."""
    value = told.get(name)
    return str(value).encode("utf-8", "replace").decode() if isinstance(value, str | int | float) else ""


def needed(told: dict[str, Any], name: str) -> str:
    """A field that a text cannot be without. Raises Unreadable."""
    if not (value := word_of(told, name).strip()) or len(value) > 255:
        raise Unreadable("incomplete", f"It has no {name}.")
    return value


def moment(given: str) -> datetime | None:
    """An ISO 8601 time, in UTC where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat(given.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
