"""Events as they were first published, in both modes. They stay readable: a file here is never edited, only added to."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import ingest.contract
import ingest.contract.envelope
from ingest.contract import DeclaredFacts, Record, decode, encode, encode_structured
from ingest.contract.schemas import SHAPES

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(ingest.contract.__file__).parent
FILES = sorted(path.name for path in GOLDEN.glob("*.json"))


def recorded(name: str) -> Record:
    held = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    headers = tuple((header, value.encode()) for header, value in held["headers"].items())
    return Record(held["key"], json.dumps(held["value"], ensure_ascii=False).encode(), headers)


def stands_in(old: Any, new: Any) -> bool:
    """Whether all that the old one said is said by the new one, which may say more."""
    match old:
        case dict():
            return all(name in new and stands_in(value, new[name]) for name, value in old.items())
        case list():
            return len(old) == len(new) and all(map(stands_in, old, new))
        case _:
            return bool(old == new)


def test_every_type_of_event_has_a_golden_file_in_both_modes():
    assert {f"{name}.{mode}.json" for name in SHAPES for mode in ("binary", "structured")} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_todays_code_reads_it_and_loses_nothing_of_it(name: str):
    event = decode(recorded(name))
    held = SHAPES[event.type.removeprefix("contact-ingest.")].model_validate_json(event.data)
    assert stands_in(json.loads(event.data), json.loads(held.model_dump_json()))


@pytest.mark.parametrize("name", FILES)
def test_written_again_in_either_mode_it_is_the_same_event(name: str):
    event = decode(recorded(name))
    assert decode(encode(event, "k")) == event
    assert decode(encode_structured(event, "k")) == event


@pytest.mark.parametrize("name", [name for name in FILES if ".binary." in name])
def test_the_two_modes_hold_one_event(name: str):
    assert decode(recorded(name)) == decode(recorded(name.replace(".binary.", ".structured.")))


@pytest.mark.parametrize("name", FILES)
def test_the_committed_schema_accepts_it_and_what_todays_code_makes_of_it(name: str):
    event = decode(recorded(name))
    stem = event.type.removeprefix("contact-ingest.")
    schema = json.loads((SCHEMAS / f"{stem}.schema.json").read_text(encoding="utf-8"))
    judge = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    judge.validate(json.loads(event.data))
    judge.validate(json.loads(SHAPES[stem].model_validate_json(event.data).model_dump_json()))


@pytest.mark.parametrize("name", [name for name in FILES if ".binary." in name])
def test_a_field_from_a_later_release_is_passed_over(name: str):
    event = decode(recorded(name))
    shape = SHAPES[event.type.removeprefix("contact-ingest.")]
    later = {**json.loads(event.data), "from_a_later_release": {"anything": [1]}}
    assert shape.model_validate_json(json.dumps(later)) == shape.model_validate_json(event.data)


GUIDE = Path(__file__).parents[3] / "docs" / "publishing.md"


def test_the_examples_in_the_publishing_guide_are_what_they_say():
    text = GUIDE.read_text(encoding="utf-8")
    contact, event, declared, receipt = (
        re.findall(rf"```json {kind}\n(.+?)```", text, re.DOTALL) for kind in ("contact", "event", "declared", "receipt")
    )
    assert len(contact) == len(event) == len(declared) == len(receipt) == 1
    assert SHAPES["handoff-receipt.v1"].model_validate_json(receipt[0])
    said = json.loads(declared[0])
    assert DeclaredFacts.model_validate(said).model_dump(mode="json", exclude_unset=True) == said, "no field is misspelt"
    assert SHAPES["contact.v1"].model_validate_json(contact[0])
    read = decode(Record(None, event[0].encode(), (("content-type", b"application/cloudevents+json"),)))
    assert (read.type, read.id) == ("contact-ingest.contact.v1", "call-2026-000042")
    assert SHAPES["contact.v1"].model_validate_json(read.data)


def test_the_publishing_guide_names_every_reason_a_record_is_unreadable():
    text = GUIDE.read_text(encoding="utf-8")
    source = Path(ingest.contract.envelope.__file__).read_text(encoding="utf-8")
    reasons = set(re.findall(r'Unreadable\(\s*"([a-z-]+)"', source))
    assert len(reasons) >= 7
    assert {reason for reason in reasons if f"`{reason}`" not in text} == set()
