"""The wire form: CloudEvents 1.0 in its Kafka protocol binding. Binary mode out, both modes in.

Source: CloudEvents Kafka protocol binding 1.0.2, sections 3.2 (binary) and 3.3 (structured).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from ingest.errors import Unreadable

STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch"
_REQUIRED: Final = ("id", "source", "type", "specversion")


@dataclass(frozen=True, slots=True)
class Record:
    """What lies on a topic: a key, headers in order, and a value. A value of None is a tombstone."""

    key: str | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    def header(self, name: str) -> str | None:
        """The last header of that name as text; None where it is absent or is not UTF-8."""
        for given, raw in reversed(self.headers):
            if given == name:
                try:
                    return raw.decode("utf-8")
                except UnicodeDecodeError:
                    return None
        return None

    @property
    def size(self) -> int:
        """Bytes of key, headers and value together."""
        headers = sum(len(name) + len(raw) for name, raw in self.headers)
        return len(self.key or "") + headers + len(self.value or b"")


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
    attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.time is not None:
        attributes["time"] = _timestamp(event.time)
    if event.subject is not None:
        attributes["subject"] = event.subject
    attributes.update(event.extensions)
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return Record(key, event.data, (*headers, ("content-type", event.content_type.encode())))


def encode_structured(event: Event, key: str | None) -> Record:
    """The event in structured mode, as a publisher without control of its headers would send it."""
    body: dict[str, Any] = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.time is not None:
        body["time"] = _timestamp(event.time)
    if event.subject is not None:
        body["subject"] = event.subject
    body |= {"datacontenttype": event.content_type, **event.extensions, "data": json.loads(event.data)}
    return Record(
        key, json.dumps(body, ensure_ascii=False).encode(), (("content-type", f"{STRUCTURED}; charset=UTF-8".encode()),)
    )


def decode(record: Record) -> Event:
    """The event in a record of either mode.

    Raises Unreadable: ``tombstone``, ``batch-mode``, ``not-json``, ``not-a-cloudevent``, ``missing-attribute``,
    ``unknown-specversion``.
    """
    if record.value is None:
        raise Unreadable("tombstone", "The record has no value. A contact is erased by `ingest erase`, not by a tombstone.")
    content_type = record.header("content-type") or ""
    if content_type.lower().startswith(_BATCH):
        raise Unreadable("batch-mode", "The record is a batch of events. Publish each event as a record of its own.")
    if content_type.lower().startswith(STRUCTURED):
        return _structured(record.value)
    return _binary(record, record.value, content_type)


def _binary(record: Record, value: bytes, content_type: str) -> Event:
    attributes: dict[str, str] = {}
    for name, raw in record.headers:
        if name.startswith("ce_"):
            try:
                attributes[name[3:]] = raw.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Unreadable("not-a-cloudevent", f"The header {name} is not UTF-8.") from error
    return _event(attributes, value, content_type or "application/json")


def _structured(value: bytes) -> Event:
    try:
        body: Any = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not-json", f"The structured event is not JSON: {type(error).__name__}.") from error
    if not isinstance(body, dict):
        raise Unreadable("not-a-cloudevent", "The structured event is JSON, but not an object.")
    members = cast(dict[str, Any], body)
    if "data_base64" in members:
        try:
            data = base64.b64decode(str(members.pop("data_base64")), validate=True)
        except ValueError as error:
            raise Unreadable("not-a-cloudevent", "data_base64 is not base64.") from error
    elif "data" in members:
        data = json.dumps(members.pop("data"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    else:
        raise Unreadable("missing-attribute", "The structured event has no data.")
    content_type = str(members.pop("datacontenttype", "application/json"))
    attributes = {name: item if isinstance(item, str) else json.dumps(item) for name, item in members.items()}
    return _event(attributes, data, content_type)


def _event(attributes: dict[str, str], data: bytes, content_type: str) -> Event:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise Unreadable(
                "missing-attribute", f"The event has no {name}. CloudEvents requires id, source, type and specversion."
            )
    if attributes["specversion"] != "1.0":
        raise Unreadable("unknown-specversion", "The event's specversion is not 1.0.")
    named = {"specversion", "id", "source", "type", "time", "subject"}
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=data,
        time=_moment(attributes.get("time")),
        subject=attributes.get("subject"),
        content_type=content_type,
        extensions={name: value for name, value in attributes.items() if name not in named},
    )


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    """A time that cannot be read is no time: the log's order rules, not the publisher's clock."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
