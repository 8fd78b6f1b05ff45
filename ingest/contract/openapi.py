"""The OpenAPI 3.1 document of how other systems publish by HTTP: ``python -m ingest.contract.openapi`` writes it anew. CC0-1.0."""

import json
from pathlib import Path
from typing import Any, Final

from ingest.contract.contact import Attachment
from ingest.contract.publication import MOST_BYTES, Publication

FILE: Final = Path(__file__).parent / "openapi.json"
KEY_PATTERN: Final = r"^[!-~]{1,200}$"
"""Of an Idempotency-Key: visible ASCII."""
_REFERENCE: Final = "#/components/schemas/"
_ABOUT: Final = (
    "How a system that the operator has named hands over contacts. An answer of 202 means that the contact is kept and would survive "
    "a loss of power. Where there is no answer, or 503, send the same again: the same Idempotency-Key with the same body is one "
    "contact, and gets the same answer. Nothing is ever answered with 429. Pass over fields that you do not know."
)
_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "What you know the contact by; with your URN it is the contact's identity, as ce_id is on the topic. "
    "The same for a contact and for the files that are uploaded for it.",
    "schema": {"type": "string", "pattern": KEY_PATTERN},
    "example": "call-2026-000042",
}
_FAULTS: Final = {
    "400": "The key is missing or malformed, or the body is not JSON: see `type`.",
    "401": "No key of a publisher's, and no certificate of one's.",
    "403": "The contact claims what your rights do not allow: see `errors`.",
    "404": "A file that was not uploaded for this contact.",
    "408": "The request came too slowly.",
    "409": "The Idempotency-Key stands for another body already.",
    "413": "The request is larger than the limit.",
    "415": "Another content type, or a content encoding.",
    "422": "Fields that are not as the contract has them: see `errors`.",
    "500": "A fault of ours. Send the same again.",
    "503": "Not now. Send the same again after `Retry-After`.",
}
_EXAMPLE: Final[dict[str, Any]] = {
    "channel": "telephone",
    "account": "0300 123 4567",
    "received_at": "2026-03-02T09:30:00Z",
    "sender": {
        "name": "Siân Prosser-Jones",
        "identifiers": [{"kind": "phone", "given": "07700 900123", "canonical": "+447700900123"}],
    },
    "text": "He was told he would be rung back by Friday. Nobody rang.",
}


def document() -> dict[str, Any]:
    """The document, made of the types."""
    schemas: dict[str, Any] = {}
    for shape, mode in ((Publication, "validation"), (Attachment, "serialization")):
        made = shape.model_json_schema(ref_template=_REFERENCE + "{model}", mode=mode)  # pyright: ignore[reportArgumentType]
        schemas |= made.pop("$defs", {})
        schemas[shape.__name__] = made
    schemas["Accepted"] = {
        "type": "object",
        "description": "The contact is kept.",
        "required": ["id", "reference"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "the contact's, wherever it is told of on a topic"},
            "reference": {"type": "string", "description": "what the person can be told, such as CC-7F3KQ-92QXA"},
        },
    }
    schemas["Problem"] = _problem()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "contact-ingest, for publishers",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "CC0-1.0", "identifier": "CC0-1.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {
            "/contacts": {"post": _contacts()},
            "/attachments": {"post": _attachments()},
            "/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document",
                    "security": [],
                    "responses": {"200": {"description": "OpenAPI 3.1", "content": _json({"type": "object"})}},
                }
            },
        },
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A publisher's key; a client certificate does instead, where the operator has set that up.",
                }
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }


def written() -> str:
    """The document as its file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _contacts() -> dict[str, Any]:
    return {
        "operationId": "publishContact",
        "summary": "Hand over one contact",
        "parameters": [_KEY],
        "requestBody": {
            "required": True,
            "description": f"At most {MOST_BYTES} bytes of UTF-8.",
            "content": {"application/json": {"schema": {"$ref": f"{_REFERENCE}Publication"}, "example": _EXAMPLE}},
        },
        "responses": {
            "202": {
                "description": "Kept, now or when the same was sent before.",
                "content": _json({"$ref": f"{_REFERENCE}Accepted"}),
            },
            **_faults("400", "401", "403", "404", "408", "409", "413", "415", "422", "500", "503"),
        },
    }


def _attachments() -> dict[str, Any]:
    name = {
        "name": "name",
        "in": "query",
        "description": "What the file is called; a label is made of it.",
        "schema": {"type": "string"},
        "example": "letter.pdf",
    }
    return {
        "operationId": "uploadFile",
        "summary": "Upload a file, to be named by its digest in the contact that follows within a day",
        "parameters": [_KEY, name],
        "requestBody": {
            "required": True,
            "description": "The file's bytes as they are. What it is, is told by them and not by its name.",
            "content": {"*/*": {"schema": {}}},
        },
        "responses": {
            "201": {
                "description": "Kept until its contact comes, and for a day at most.",
                "content": _json({"$ref": f"{_REFERENCE}Attachment"}),
            },
            **_faults("400", "401", "408", "413", "415", "422", "500", "503"),
        },
    }


def _faults(*statuses: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": f"{_REFERENCE}Problem"}}}
    found: dict[str, Any] = {each: {"description": _FAULTS[each], "content": content} for each in statuses}
    found["503"]["headers"] = {"Retry-After": {"required": True, "description": "seconds", "schema": {"type": "integer"}}}
    return found


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457. `type` is urn:contact-ingest:problem: and a reason that does not change.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": {**text, "description": "a sentence for people: what to do about it"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": {**text, "description": "a JSON pointer into the body, as a fragment (RFC 6901)"},
                        "detail": text,
                    },
                },
            },
        },
    }


def _json(shape: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": shape}}


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
