"""``ingest schema`` prints what is published and what is measured."""

import json
from pathlib import Path

import pytest

import ingest.contract
import ingest.contract as ingest_contract
from ingest.contract import TOPICS
from tests.ingest.commands.conftest import Ingest


def test_without_a_name_every_topic_is_listed_with_its_schema(ingest: Ingest):
    assert [row["topic"] for row in ingest("schema", "--json").rows] == [
        *(topic.name for topic in TOPICS),
        "contacts.dead-letter",
    ]
    ran = ingest("schema")
    assert ran.status == 0
    assert all(topic.name in ran.out for topic in TOPICS)


@pytest.mark.parametrize("name", ["contact", "contact.v1", "contact-ingest.contact.v1"])
def test_a_schema_is_printed_as_it_is_committed(name: str):
    from typer.testing import CliRunner

    from ingest.commands.entry import app

    committed = Path(ingest.contract.__file__).parent / "contact.v1.schema.json"
    assert CliRunner().invoke(app, ["schema", name]).stdout == committed.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "file"), [("openapi", "openapi.json"), ("asyncapi", "asyncapi.yaml")])
def test_a_document_is_printed_as_it_is_committed(ingest: Ingest, name: str, file: str):
    committed = Path(ingest_contract.__file__).parent / file
    assert json.loads(ingest("schema", name).out) == json.loads(committed.read_text(encoding="utf-8"))


def test_the_metric_catalogue_is_every_metric_with_its_meaning(ingest: Ingest):
    rows = ingest("schema", "metrics", "--json").rows
    assert {"metric", "kind", "meaning"} == set(rows[0])
    assert "contact_ingested_total" in {row["metric"] for row in rows}


def test_a_name_that_there_is_not_is_wrong_use_and_says_what_there_is(ingest: Ingest):
    ran = ingest("schema", "contact.v9")
    assert (ran.status, ran.out) == (2, "")
    assert "contact.v1" in ran.err
    assert "metrics" in ran.err


def test_what_is_printed_is_json(ingest: Ingest):
    assert json.loads(ingest("schema", "ledger-entry").out)["$id"] == "urn:contact-ingest:ledger-entry.v1"
