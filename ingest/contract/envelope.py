"""The wire form: CloudEvents 1.0 in its Kafka protocol binding. Binary mode out, both modes in.

Source: CloudEvents Kafka protocol binding 1.0.2, sections 3.2 (binary) and 3.3 (structured).
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from ingest.errors import Unreadable

ERASED: Final = "erased"
"""The one header of what stands on a topic in the place of something that was erased: when that was."""
STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch"
_CLOUDEVENTS: Final = "application/cloudevents"
# CloudEvents 1.0, "String": not allowed in an attribute. An identity is refused rather than altered.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAMED: Final = frozenset({"specversion", "id", "source", "type", "time", "subject", "datacontenttype"})
_REQUIRED: Final = ("id", "source", "type", "specversion")


@dataclass(frozen=True, slots=True)
class Record:
    """What lies on a topic: a key, headers in order, and a value. A value of None is a tombstone."""

    key: str | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    def header(self, name: str) -> str | None:
        """The last header of that name, whatever its case, as text; None where it is absent or is not UTF-8."""
        for given, raw in reversed(self.headers):
            if given.lower() == name:
                try:
                    return raw.decode("utf-8")
                except UnicodeDecodeError:
                    return None
        return None

    @property
    def is_erased(self) -> bool:
        """Whether it only says that something was erased: nothing comes of it, and nothing is wrong with it."""
        return self.value is None and [name for name, _ in self.headers] == [ERASED]

    @property
    def size(self) -> int:
        """Bytes of key, headers and value together."""
        headers = sum(len(name.encode()) + len(raw) for name, raw in self.headers)
        return len((self.key or "").encode()) + headers + len(self.value or b"")


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvent whose data is JSON in UTF-8. ``extensions`` holds what the specification does not name."""

    id: str
    source: str
    type: str
    data: bytes
    time: datetime | None = None
    subject: str | None = None
    content_type: str = "application/json"
    extensions: Mapping[str, str] = field(default_factory=dict[str, str])


def encode(event: Event, key: str | None) -> Record:
    """The event in binary mode: attributes as ``ce_`` headers, data as the value."""
    headers = [(f"ce_{name}", value.encode()) for name, value in _attributes(event).items()]
    return Record(key, event.data, (*headers, ("content-type", event.content_type.encode())))


def encode_structured(event: Event, key: str | None) -> Record:
    """The event in structured mode, as a publisher without control of its headers would send it."""
    body = {**_attributes(event), "datacontenttype": event.content_type, "data": json.loads(event.data)}
    return Record(
        key, json.dumps(body, ensure_ascii=False).encode(), (("content-type", f"{STRUCTURED}; charset=UTF-8".encode()),)
    )


def _attributes(event: Event) -> dict[str, str]:
    """What is named stands over an extension of the same name."""
    attributes = {**event.extensions, "specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.time is not None:
        attributes["time"] = event.time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if event.subject is not None:
        attributes["subject"] = event.subject
    return attributes


def decode(record: Record) -> Event:
    """The event in a record of either mode.

    Raises Unreadable: ``tombstone``, ``batch-mode``, ``not-json``, ``not-a-cloudevent``, ``missing-attribute``,
    ``unknown-specversion``, ``unknown-format``.
    """
    if record.value is None:
        raise Unreadable("tombstone", "The record has no value. A tombstone erases nothing here.")
    content_type = (record.header("content-type") or "").strip()
    media_type = content_type.partition(";")[0].rstrip().lower()
    if media_type == STRUCTURED:
        return _structured(record.value)
    if media_type.startswith(_BATCH):
        raise Unreadable("batch-mode", "The record is a batch of events. Publish each event as a record of its own.")
    if media_type.startswith(_CLOUDEVENTS):
        raise Unreadable("unknown-format", f"The event is structured in another format than JSON. Publish it as {STRUCTURED}.")
    return _binary(record, record.value, content_type)


def _binary(record: Record, value: bytes, content_type: str) -> Event:
    attributes: dict[str, str] = {}
    for given, raw in record.headers:
        name = given.lower()
        if name.startswith("ce_"):
            try:
                attributes[name[3:]] = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Unreadable("not-a-cloudevent", "A header's value is not UTF-8.") from error
    return _event(attributes, value, content_type or "application/json")


def _structured(value: bytes) -> Event:
    try:
        body: Any = json.loads(value)
        if not isinstance(body, dict):
            raise Unreadable("not-a-cloudevent", "The structured event is JSON, but not an object.")
        # CloudEvents JSON format 3.1: an attribute that is null is one that is not there; data that is null is data.
        members = {name: item for name, item in cast(dict[str, Any], body).items() if item is not None or name == "data"}
        data = _data(members)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not-json", f"The structured event is not JSON: {type(error).__name__}.") from error
    attributes = {name: _attribute(item) for name, item in members.items()}
    return _event(attributes, data, attributes.get("datacontenttype", "application/json"))


def _data(members: dict[str, Any]) -> bytes:
    if "data_base64" in members:
        encoded = members.pop("data_base64")
        try:
            return base64.b64decode(encoded, validate=True)
        except (ValueError, TypeError) as error:
            raise Unreadable("not-a-cloudevent", "data_base64 is not base64.") from error
    if "data" in members:
        return json.dumps(members.pop("data"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    raise Unreadable("missing-attribute", "The structured event has no data.")


def _attribute(item: object) -> str:
    """CloudEvents' types in their canonical form as text; no attribute is a fraction, an array or an object."""
    match item:
        case str():
            return item
        case bool() | int():
            return json.dumps(item)
        case _:
            raise Unreadable("not-a-cloudevent", "An attribute is neither text, a whole number, true nor false.")


def _event(attributes: dict[str, str], data: bytes, content_type: str) -> Event:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise Unreadable(
                "missing-attribute", f"The event has no {name}. CloudEvents requires id, source, type and specversion."
            )
    if attributes["specversion"] != "1.0":
        raise Unreadable("unknown-specversion", "The event's specversion is not 1.0.")
    if any(_FORBIDDEN.search(name + value) for name, value in attributes.items()):
        raise Unreadable("not-a-cloudevent", "An attribute holds a control character or half of a surrogate pair.")
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=data,
        time=_moment(attributes.get("time")),
        subject=attributes.get("subject"),
        content_type=content_type,
        extensions={name: value for name, value in attributes.items() if name not in _NAMED},
    )


def _moment(text: str | None) -> datetime | None:
    """A time that cannot be read is no time: the log's order rules, not the publisher's clock."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
