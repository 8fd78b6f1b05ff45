"""The AsyncAPI 3.1 document of what is published: ``python -m ingest.contract.asyncapi GOLDEN`` writes it anew.

Made of the topics and their types; its examples are recorded events, which a folder of golden files holds. It is JSON, which
is YAML as well. CC0-1.0.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from ingest.contract.schemas import SHAPES, schema
from ingest.contract.topics import DEAD_LETTERS, TOPICS

_DAYS: Final = 30
_ABOUT: Final = (
    "Every record is a CloudEvent 1.0 in its Kafka binding; what we write is in binary mode, and both modes are read. Each is "
    "delivered at least once: drop what repeats by ce_source and ce_id. Order holds within a key, and across keys there is none. "
    f"Topics keep their records for {_DAYS} days and are never compacted. Pass over fields that you do not know."
)
_TEXT: Final = {"type": "string"}
_HEADERS: Final[dict[str, Any]] = {
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {**_TEXT, "description": "with ce_source, the same for every repeat of one event"},
    "ce_source": {**_TEXT, "description": "who published it, as a URN"},
    "ce_time": {"type": "string", "format": "date-time"},
    "ce_subject": _TEXT,
    "content-type": {"type": "string", "const": "application/json"},
    "ce_traceparent": {
        **_TEXT,
        "description": "the trace that the contact came in, where it came in one: W3C Trace Context, by CloudEvents' extension for it",
    },
    "ce_tracestate": {**_TEXT, "description": "what whoever began that trace has taken on with it"},
    "traceparent": {**_TEXT, "description": "the same as ce_traceparent, for what reads Kafka's headers"},
    "tracestate": {**_TEXT, "description": "the same as ce_tracestate"},
}
_DEAD: Final[dict[str, Any]] = {
    "dead_letter_id": {**_TEXT, "description": "by which `ingest dead-letters` knows it"},
    "dead_letter_reason": {**_TEXT, "description": "a stable word, such as breaks-the-contract"},
    "dead_letter_detail": {**_TEXT, "description": "a sentence, naming the field"},
    "dead_letter_origin": {**_TEXT, "description": "topic/partition/position where it lay"},
    "dead_letter_tries": {**_TEXT, "description": "how often it was tried"},
}
_KEYS: Final = {
    "allocations": "the id of the contact of the post as it was first written",
    "handoffs.receipts": "the handoff's id",
    "contacts": "the same for every contact of one sender, a keyed hash of the address: never the address itself",
}
_OWN_KEY: Final = "the id of what the event tells of"
_NEVER_OURS: Final = ("handoffs.receipts",)
"""What only other systems write."""


def document(golden: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The document. ``golden`` is, for each type such as ``contact.v1``, an event's ``headers`` and its ``value``."""
    schemas: dict[str, Any] = {}
    messages = {name: _message(name, golden[name], schemas) for name in SHAPES}
    messages["dead-letter"] = {
        "name": "dead-letter",
        "title": "What could not be read",
        "summary": "Its bytes and headers untouched, with why it could not be read in headers of ours.",
        "headers": {"type": "object", "required": list(_DEAD), "properties": _DEAD},
        "payload": {"description": "the bytes as they came"},
    }
    topics = [(each.name, each.ce_type.partition(".")[2], each.about) for each in TOPICS]
    topics.append((DEAD_LETTERS, "dead-letter", "what could not be read, its bytes untouched, its reason in the headers"))
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "contact-ingest",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "CC0-1.0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, carries, about) for name, carries, about in topics},
        "operations": {
            **{f"{name}.written": _operation("send", name, about) for name, _, about in topics if name not in _NEVER_OURS},
            "contacts.read": _operation("receive", "contacts", "contacts of publishers that the settings name"),
            "handoffs.receipts.read": _operation(
                "receive", "handoffs.receipts", "what teams say, by publishers with `may_take`"
            ),
        },
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def written(golden: Mapping[str, Mapping[str, Any]]) -> str:
    """The document as its file holds it."""
    return json.dumps(document(golden), indent=2, ensure_ascii=False) + "\n"


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """The golden events in binary mode, by their type's name."""
    return {name: json.loads((folder / f"{name}.binary.json").read_text(encoding="utf-8")) for name in SHAPES}


def _channel(name: str, carries: str, about: str) -> dict[str, Any]:
    return {
        "address": name,
        "description": about,
        "messages": {carries: {"$ref": f"#/components/messages/{carries}"}},
        "bindings": {
            "kafka": {
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": _DAYS * 86_400_000},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(action: str, name: str, about: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "summary": about}


def _message(name: str, golden: Mapping[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    shape = schema(name)
    parts = cast(dict[str, Any], shape.pop("$defs", {}))
    for each in ("$schema", "$id", "$comment"):
        del shape[each]
    title = str(shape["title"])
    for part, held in {**parts, title: shape}.items():
        schemas[part] = _moved(held)
    topic = next(each for each in TOPICS if each.ce_type.endswith(name))
    headers = {**_HEADERS, "ce_type": {"type": "string", "const": topic.ce_type}}
    return {
        "name": topic.ce_type,
        "title": title,
        "summary": topic.about,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
            "properties": headers,
        },
        "payload": {"$ref": f"#/components/schemas/{title}"},
        "bindings": {
            "kafka": {"key": {**_TEXT, "description": _KEYS.get(topic.name, _OWN_KEY)}, "bindingVersion": "0.5.0"},
        },
        "examples": [{"name": "recorded", "headers": golden["headers"], "payload": golden["value"]}],
    }


def _moved(held: Any) -> Any:
    """The same, looking for its parts where AsyncAPI keeps them."""
    match held:
        case dict():
            return {
                name: item.replace("#/$defs/", "#/components/schemas/")
                if name == "$ref" and isinstance(item, str)
                else _moved(item)
                for name, item in cast(dict[str, Any], held).items()
            }
        case list():
            return [_moved(each) for each in cast(list[Any], held)]
        case _:
            return held


if __name__ == "__main__":
    (Path(__file__).parent / "asyncapi.yaml").write_text(written(recorded(Path(sys.argv[1]))), encoding="utf-8")
