"""The committed JSON Schemas say what the types say, and are open to what they do not name."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

import ingest.contract
from ingest.contract import TOPICS
from ingest.contract.schemas import SHAPES, schema, write, written

COMMITTED = Path(ingest.contract.__file__).parent


@pytest.mark.parametrize("name", SHAPES)
def test_the_committed_schema_is_the_types_own(name: str):
    held = (COMMITTED / f"{name}.schema.json").read_text(encoding="utf-8")
    assert held == written(name), "run `python -m ingest.contract.schemas`, and read what it changes for other people"


def test_no_schema_is_left_over():
    assert {path.name for path in COMMITTED.glob("*.schema.json")} == {f"{name}.schema.json" for name in SHAPES}


def test_writing_makes_the_files_that_are_committed(tmp_path: Path):
    write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in COMMITTED.glob("*.schema.json")
    }


@pytest.mark.parametrize("name", SHAPES)
def test_each_is_a_sound_schema_with_a_name_and_a_licence(name: str):
    made = schema(name)
    Draft202012Validator.check_schema(made)
    assert made["$id"] == f"urn:contact-ingest:{name}"
    assert "CC0-1.0" in made["$comment"]


@pytest.mark.parametrize("name", SHAPES)
def test_each_is_open_to_fields_it_does_not_name(name: str):
    assert 'additionalProperties": false' not in json.dumps(schema(name))


def test_every_topic_has_a_schema_by_the_type_of_its_events():
    for topic in TOPICS:
        assert schema(topic.ce_type)["title"] == topic.shape.__name__
    with pytest.raises(KeyError):
        schema("contact-ingest.contact.v99")


@pytest.mark.parametrize(
    ("field", "wrong"), [("original", "not a digest"), ("channel", "pigeon"), ("text", None), ("attachments", [{"name": "a"}])]
)
def test_a_contact_that_the_type_refuses_the_schema_refuses_too(field: str, wrong: object):
    golden = json.loads((Path(__file__).parent / "golden" / "contact.v1.binary.json").read_text(encoding="utf-8"))["value"]
    with pytest.raises(ValidationError):
        Draft202012Validator(schema("contact.v1")).validate({**golden, field: wrong})
    with pytest.raises(ValueError, match=field):
        SHAPES["contact.v1"].model_validate_json(json.dumps({**golden, field: wrong}))
