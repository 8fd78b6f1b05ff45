"""What a portal tells, to the contacts, allocations and reports that it is.

Pure and total: bytes that cannot be read become a contact that says so, since they are kept and a person must look; of a list, each
item for itself. Only of nothing at all, of too much, and of a type that nobody has named is the portal told instead. An event is
``{"type", "timestamp", "data"}`` as Standard Webhooks has it ("Payload structure"), with ``data`` one item or a list, unless the settings
say where a portal writes things instead.

A post's contact follows from the portal's id of it, a later version's from that and the version; the allocation of any version is of the
post as it was first written. A display name is what its owner likes it to be: it is never made an identifier.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit
from uuid import UUID

from channels.social.settings import SocialAccount
from ingest.contract import (
    Allocation,
    AllocationOutcome,
    Contact,
    Identifier,
    OutgoingState,
    Person,
    Post,
    Thread,
    within_limit,
)
from ingest.ids import contact_id, derived_id, digest

MOST_ITEMS: Final = 1_000

_FIELDS: Final[Mapping[str, str]] = {"handle": "sender.handle", "name": "sender.name"}
_REPLIES: Final = {
    "reply.sent": OutgoingState.ACCEPTED,
    "reply.delivered": OutgoingState.DELIVERED,
    "reply.failed": OutgoingState.FAILED,
}
_NAMED: Final = frozenset({"post.created", "post.edited", "post.deleted", "post.allocated", "ignore", *_REPLIES})
_TEAMS: Final = {"customer-care": AllocationOutcome.CUSTOMER_CARE, "nobody": AllocationOutcome.NOBODY}
_UNKNOWN: Final = "The event's type is none that the settings name. Send no such events, or have it named in `events`."
_MOST_ID: Final = 512
_MOST_HANDLE: Final = 900  # an identifier has room for the network before it
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MILLISECONDS: Final = 100_000_000_000  # seconds past the year 5000


@dataclass(frozen=True, slots=True)
class Came:
    """One post to take in: the bytes that are kept of it, and the contact but for when we had it.

    ``fingerprint`` is of who wrote what in answer to what: not of a name, a link or a time that a later delivery may tell otherwise.
    """

    contact: Contact
    fingerprint: str
    original: bytes

    def received(self, at: datetime) -> Contact:
        """The contact, once it is settled when we had it."""
        return self.contact.model_copy(update={"received_at": at})


@dataclass(frozen=True, slots=True)
class Report:
    """What the portal says became of a reply of ours; ``reason`` is a code, and never its words."""

    outgoing_id: UUID
    state: OutgoingState
    at: datetime
    reason: str | None = None


@dataclass(slots=True)
class Heard:
    """All that one request comes to."""

    came: list[Came] = field(default_factory=list[Came])
    allocations: list[Allocation] = field(default_factory=list[Allocation])
    reports: list[Report] = field(default_factory=list[Report])
    passed_over: list[str] = field(default_factory=list[str])
    """Why nothing becomes of an item: ``echo`` of ourselves, ``ignored`` type, ``unknown-reply``."""
    refused: tuple[str, str] | None = None
    """A stable word and a sentence, where the portal must send it otherwise; there is then nothing else."""


class _Bad(Exception):
    """What is wrong with one item, in words without any of its own."""


@dataclass(frozen=True, slots=True)
class _Request:
    """One request: its bytes, what it is known by, and whose it is."""

    body: bytes
    event: str
    name: str
    account: SocialAccount
    now: datetime


def translate(body: bytes, *, event: str, name: str, account: SocialAccount, now: datetime) -> Heard:
    """All that a request's body comes to; ``event`` is what ``verify`` has it known by, ``now`` stands where no time is told."""
    request = _Request(body, event, name, account, now)
    try:
        return _translate(request)
    except Exception as error:  # noqa: BLE001 - total by promise: a person looks at the bytes
        return Heard(came=[_unread(request, body, "", type(error).__name__)])


def _translate(request: _Request) -> Heard:
    if not request.body.strip():
        return Heard(refused=("empty", "The body is empty."))
    try:
        read: Any = json.loads(request.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Heard(came=[_unread(request, request.body, "", "it is no JSON in UTF-8")])
    if not isinstance(read, dict):
        return Heard(came=[_unread(request, request.body, "", "it is no JSON object")])
    told = cast("dict[str, Any]", read)
    path = request.account.items.split(".")
    items = list(_items(told, path))
    if not items and isinstance(_at(told, path), list):
        return Heard()
    if len(items) > MOST_ITEMS:
        return Heard(
            refused=("too-many-items", f"There are {len(items)} in it; {MOST_ITEMS} is the limit. Send them in parts.")
        )
    heard = Heard()
    of_all = _at(told, request.account.type.split("."))
    for place, item in enumerate(items or [told]):
        alone = len(items) < 2
        kind = _type(of_all if isinstance(of_all, str) else _at(item, request.account.type.split(".")), request.account)
        if kind is None and (alone or isinstance(of_all, str)):
            return Heard(refused=("unknown-type", _UNKNOWN))
        try:
            original = request.body if alone else _written(item)
            try:
                _hear(heard, request, kind, item, original, told)
            except _Bad as error:
                heard.came.append(_unread(request, original, f":{place}", str(error), item))
        except Exception as error:  # noqa: BLE001 - one bad item is no reason to lose its neighbours
            heard.came.append(_unread(request, request.body, f":{place}", type(error).__name__))
    return heard


def _hear(heard: Heard, request: _Request, kind: str | None, item: Any, original: bytes, told: dict[str, Any]) -> None:
    """Add what one item comes to. Raises _Bad."""
    if kind == "ignore":
        heard.passed_over.append("ignored")
        return
    if kind is None or not isinstance(item, dict):
        raise _Bad("it is no JSON object" if kind else "its type is none that the settings name in `events`")
    given = _Item(cast("dict[str, Any]", item), request.account.fields)
    at = _moment(given.of("allocated_at")) or _moment(told.get("timestamp")) or request.now
    if kind in _REPLIES:
        _report(heard, _REPLIES[kind], given, at)
    elif kind not in ("post.created", "post.edited"):
        outcome = AllocationOutcome.DELETED if kind == "post.deleted" else _outcome(given, request.account)
        heard.allocations.append(_allocation(request, given, outcome, at))
    elif _is_ours(given, request.account):
        heard.passed_over.append("echo")
    else:
        came = _came(request, kind, given, original)
        if given.of("allocated_at") is not None:
            came = _allocated_already(heard, request, given, at, came)
        heard.came.append(came)


def _type(found: Any, account: SocialAccount) -> str | None:
    """Which of our types it is; None where nobody has said."""
    if isinstance(found, str) and (found in account.events or found in _NAMED):
        return account.events.get(found, found)
    return account.events.get("*")


def _items(told: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path, one by one, through every list on the way."""
    if isinstance(told, list):
        for each in cast("list[Any]", told):
            yield from _items(each, path)
    elif not path:
        yield told
    elif isinstance(told, dict) and path[0] in told:
        yield from _items(cast("dict[str, Any]", told)[path[0]], path[1:])


def _at(told: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(told, list) and name.isascii() and name.isdigit() and int(name[:6]) < len(cast("list[Any]", told)):
            told = cast("list[Any]", told)[int(name[:6])]
        elif isinstance(told, dict):
            told = cast("dict[str, Any]", told).get(name)
        else:
            return None
    return told


def _written(item: Any) -> bytes:
    """An item of a list by itself: what one person wrote is kept, and erased, without what others did."""
    return json.dumps(item, separators=(",", ":")).encode()


class _Item:
    """What a portal says of one post or reply, by our names."""

    def __init__(self, told: dict[str, Any], fields: Mapping[Any, str]) -> None:
        self._told = told
        self._fields = fields

    def of(self, name: str) -> Any:
        """As it stands there; None where it does not."""
        return _at(self._told, (self._fields.get(name) or _FIELDS.get(name) or name).split("."))

    def text(self, name: str) -> str | None:
        """Text that a database can hold, a number as it is written; None for anything else, and for nothing."""
        found = self.of(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            found = str(found)
        return _storable(found) or None if isinstance(found, str) else None

    def flag(self, name: str) -> bool | None:
        """True or false, and None where neither is told."""
        found = self.of(name)
        return found if isinstance(found, bool) else None


def _storable(given: str) -> str:
    return given.replace("\0", "").encode("utf-8", "replace").decode()


def _needed(given: _Item, name: str, most: int) -> str:
    found = given.text(name)
    if found is None or len(found) > most:
        raise _Bad(f"its {name} is not told, or is longer than {most} characters")
    return found


def _handle(network: str, handle: str) -> str:
    return unicodedata.normalize("NFC", f"{network}:{handle.strip().removeprefix('@')}").lower()


def _is_ours(given: _Item, account: SocialAccount) -> bool:
    """Whether we wrote it: the portal says so, or its handle is one of ours."""
    if given.flag("own"):
        return True
    network, handle = given.text("network") or account.network or "", given.text("handle")
    ours = {_handle(*each.split(":", 1)) if ":" in each else _handle(network, each) for each in account.own_handles}
    return handle is not None and _handle(network, handle) in ours


def _came(request: _Request, kind: str, given: _Item, original: bytes) -> Came:
    post_id = _needed(given, "id", _MOST_ID)
    network = given.text("network") or request.account.network
    if network is None or len(network) > 64:
        raise _Bad("its network is not told, or is longer than 64 characters")
    if not isinstance(given.of("text"), str | None):
        raise _Bad("its text is no text")
    text, warnings = given.text("text") or "", list[str]()
    first = contact_id("social", request.name, post_id)
    version = _version(given, text) if kind == "post.edited" else None
    in_reply_to = given.text("in_reply_to")
    thread_id = given.text("thread_id") or in_reply_to or post_id
    handle = given.text("handle")
    identifiers: tuple[Identifier, ...] = ()
    if handle is None or len(handle) > _MOST_HANDLE:
        warnings.append("no-handle: The portal does not say, in any length that could be one, who wrote it.")
    else:
        identifiers = (Identifier(kind="handle", given=handle, canonical=_handle(network, handle)),)
    if (sent_at := _moment(given.of("sent_at"))) is None and given.of("sent_at") is not None:
        warnings.append("time-not-read: What it says of when it was written is no time with a zone.")
    media = _media(given)
    if not text.strip():
        warnings.append(
            f"not-read: It has no words, only pictures, films or files ({media}); see them at the portal."
            if media
            else "not-read: It has no words; see it at the portal."
        )
    elif media:
        warnings.append(f"media-not-fetched: Pictures, films or files came with it ({media}); see them at the portal.")
    full_text, cut = within_limit(text)
    if cut:
        warnings.append("cut: All but the beginning was left out. All of it is in the original.")
    name = given.text("name")
    contact = Contact(
        id=first if version is None else contact_id("social", request.name, f"{post_id}\x1f{version}"),
        source=f"urn:contact-ingest:social:{request.name}",
        channel="social",
        account=request.name,
        received_at=request.now,
        sent_at=sent_at,
        sender=Person(name=name and name[:1024], identifiers=identifiers),
        text=full_text,
        full_text=full_text,
        full_text_cut=cut,
        original=digest(original),
        thread=Thread(message_id=post_id, in_reply_to=in_reply_to and in_reply_to[:1024]),
        post=Post(
            network=network,
            thread_id=thread_id[:1024],
            private=given.flag("private") or False,
            private_way=given.flag("private_way") or False,
            own_thread=_own_thread(given, in_reply_to, thread_id == post_id),
            permalink=_permalink(given),
            first=first if version is not None else None,
            version=version,
        ),
        needs_allocation=True,
        warnings=tuple(warnings),
    )
    meant = [kind, post_id, version, identifiers[0].canonical if identifiers else None, text, in_reply_to, media]
    return Came(contact, digest(json.dumps(meant).encode()), original)


def _version(given: _Item, text: str) -> str:
    """What tells a version from others: as the portal does, else by its words."""
    found = given.text("version")
    return found if found is not None and len(found) <= 255 else f"sha256:{digest(text.encode())}"


def _own_thread(given: _Item, in_reply_to: str | None, is_first: bool) -> bool:
    """Whether nobody else's post stands above it; where it is not told and not plain, there may be one."""
    told = given.flag("own_thread")
    return told if told is not None else in_reply_to is None and is_first


def _permalink(given: _Item) -> str | None:
    """A link that may be shown as one."""
    found = given.text("permalink")
    if found is None or len(found) > 2048 or any(each.isspace() or not each.isprintable() for each in found):
        return None
    try:
        return found if urlsplit(found).scheme in ("http", "https") else None
    except ValueError:
        return None


def _media(given: _Item) -> int:
    found = given.of("media")
    if isinstance(found, list):
        return len(cast("list[Any]", found))
    return int(bool(found))


def _moment(told: Any) -> datetime | None:
    """A time with its zone, as RFC 3339 has it or in seconds or milliseconds since 1970."""
    try:
        if isinstance(told, str) and not told.isdigit():
            found = datetime.fromisoformat(told)
            return found.astimezone(UTC) if found.tzinfo is not None else None
        number = float(told) if isinstance(told, str | int | float) and not isinstance(told, bool) else None
        return None if number is None else datetime.fromtimestamp(number / (1000 if number > _MILLISECONDS else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _outcome(given: _Item, account: SocialAccount) -> AllocationOutcome:
    """Whose it is; ours where the portal only says that it is allocated. Raises _Bad."""
    if given.of("to") is None:
        return AllocationOutcome.CUSTOMER_CARE
    to = given.text("to") or ""
    found = _TEAMS.get(account.teams.get(to, to))
    if found is None:
        raise _Bad("it is allocated to somebody whom the settings do not name in `teams`")
    return found


def _allocation(request: _Request, given: _Item, outcome: AllocationOutcome, at: datetime) -> Allocation:
    first = contact_id("social", request.name, _needed(given, "id", _MOST_ID))
    return Allocation(
        id=derived_id(first, f"allocation:{request.event}:{outcome.value}"),
        contact_id=first,
        outcome=outcome,
        by=(given.text("allocated_by") or f"portal {request.name}")[:255],
        at=at,
    )


def _allocated_already(heard: Heard, request: _Request, given: _Item, at: datetime, came: Came) -> Came:
    """Add the allocation that a post came with; where it is to nobody we know, a person of ours has to allocate it."""
    try:
        heard.allocations.append(_allocation(request, given, _outcome(given, request.account), at))
    except _Bad as error:
        warnings = (*came.contact.warnings, f"allocation-not-read: {error}")
        return Came(came.contact.model_copy(update={"warnings": warnings}), came.fingerprint, came.original)
    return came


def _report(heard: Heard, state: OutgoingState, given: _Item, at: datetime) -> None:
    try:
        outgoing_id = UUID(given.text("id") or "")
    except ValueError:
        heard.passed_over.append("unknown-reply")
        return
    code = given.text("reason") or ""
    reason = f"portal-failed: {code}" if _CODE.fullmatch(code) else "portal-failed"
    heard.reports.append(Report(outgoing_id, state, at, reason if state is OutgoingState.FAILED else None))


def _unread(request: _Request, original: bytes, place: str, why: str, item: Any = None) -> Came:
    """A contact of what could not be read, with its words where it has any: signs of harm wait for nobody."""
    said = _Item(cast("dict[str, Any]", item), request.account.fields).text("text") if isinstance(item, dict) else None
    text, cut = within_limit(said or "")
    contact = Contact(
        id=contact_id("social", request.name, f"{request.event}\x1f{place}"),
        source=f"urn:contact-ingest:social:{request.name}",
        channel="social",
        account=request.name,
        received_at=request.now,
        text=text,
        full_text=text,
        full_text_cut=cut,
        original=digest(original),
        needs_allocation=True,
        warnings=(f"not-read: {why}",),
    )
    return Came(contact, digest(original), original)
