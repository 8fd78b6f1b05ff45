"""``ingest schema``: what is published, as JSON Schemas, and what is measured."""

from pathlib import Path
from typing import Annotated

import typer

import ingest.contract
from ingest.commands.terminal import Json, fail, say, table
from ingest.contract import DEAD_LETTERS, TOPICS
from ingest.contract.schemas import SHAPES, written


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Such as contact.v1, `asyncapi`, `openapi` or `metrics`; a list of all where none is named."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Print one JSON Schema of the contract or its AsyncAPI or OpenAPI document (CC0-1.0), the metric catalogue, or the list of topics with their schemas."""
    if name is None:
        rows = [(topic.ce_type.partition(".")[2], topic.name, topic.ce_type, topic.about) for topic in TOPICS]
        unread = ("", DEAD_LETTERS, "", "what could not be read, its bytes untouched, its reason in the headers")
        table("What is published", ("Schema", "Topic", "Type", "About"), [*rows, unread], json=json)
    elif name == "metrics":
        from ingest.telemetry import catalogue

        table("What is measured", ("Metric", "Kind", "Meaning"), catalogue(), json=json)
    elif name == "asyncapi":
        say((Path(ingest.contract.__file__).parent / "asyncapi.yaml").read_text(encoding="utf-8").rstrip())
    elif name == "openapi":
        say((Path(ingest.contract.__file__).parent / "openapi.json").read_text(encoding="utf-8").rstrip())
    else:
        wanted = name.removeprefix("contact-ingest.")
        wanted = wanted if wanted in SHAPES else f"{wanted}.v1"
        if wanted not in SHAPES:
            fail(f"There is no schema {name}. There are {', '.join(SHAPES)}, asyncapi, openapi and metrics.", 2)
        say(written(wanted).rstrip())
