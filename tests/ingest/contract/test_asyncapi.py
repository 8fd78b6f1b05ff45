"""The committed AsyncAPI document says what the code does, its examples keep its own schemas, and AsyncAPI's parser takes it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import ingest.contract
from ingest.contract import DEAD_LETTERS, TOPICS
from ingest.contract.asyncapi import recorded, written

HERE = Path(__file__).parent
COMMITTED = Path(ingest.contract.__file__).parent / "asyncapi.yaml"
CACHE = Path.home() / ".cache" / "contact-ingest" / "asyncapi"


@pytest.fixture
def document() -> dict[str, Any]:
    return json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_the_committed_document_is_the_codes_own():
    assert COMMITTED.read_text(encoding="utf-8") == written(recorded(HERE / "golden")), (
        "run `python -m ingest.contract.asyncapi tests/ingest/contract/golden`, and read what it changes for other people"
    )


def test_every_topic_is_a_channel_and_there_is_no_other(document: dict[str, Any]):
    addresses = {each["address"] for each in document["channels"].values()}
    assert addresses == {topic.name for topic in TOPICS} | {DEAD_LETTERS}


def test_every_example_keeps_the_schemas_beside_it(document: dict[str, Any]):
    seen = 0
    for message in document["components"]["messages"].values():
        for example in message.get("examples", ()):
            for part in ("headers", "payload"):
                Draft202012Validator({**message[part], "components": document["components"]}).validate(example[part])
            seen += 1
    assert seen == len({topic.ce_type for topic in TOPICS})


def test_the_schemas_that_types_share_are_the_same_in_all_of_them(document: dict[str, Any]):
    for path in COMMITTED.parent.glob("*.schema.json"):
        for name, part in json.loads(path.read_text(encoding="utf-8")).get("$defs", {}).items():
            assert (
                json.loads(json.dumps(part).replace("#/$defs/", "#/components/schemas/"))
                == document["components"]["schemas"][name]
            )


@pytest.mark.needs("node")
def test_asyncapis_own_parser_finds_nothing_wrong_with_it():
    modules = parser()
    judged = subprocess.run(
        ["node", str(HERE / "asyncapi" / "judge.cjs"), str(modules)],
        input=COMMITTED.read_bytes(),
        capture_output=True,
        timeout=100,
    )
    assert (judged.returncode, judged.stdout.decode(), judged.stderr.decode()) == (0, "", "")


def parser() -> Path:
    """The folder that the parser is installed in, as package-lock.json has it."""
    lock = (HERE / "asyncapi" / "package-lock.json").read_bytes()
    if (CACHE / "node_modules").is_dir() and (CACHE / "package-lock.json").read_bytes() == lock:
        return CACHE
    if shutil.which("node") is None or shutil.which("npm") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("Node is missing: install it with: apt-get install nodejs npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "asyncapi" / name, CACHE / name)
    subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CACHE, check=True, capture_output=True, timeout=100
    )
    return CACHE
