"""A settings file and what it names, and the command line run over it as an operator would."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.commands.entry import app

KEY = "5b0e4c6f9d8a7312e0f4b6c8d1a29375"
SETTINGS = """
key_file = "ingest.key"

[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care@example.org"
duty = "duty@example.org"

[publishers."urn:example:crm"]
"""
GOLDEN = Path(__file__).parents[1] / "contract" / "golden"


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


Ingest = Callable[..., Ran]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Sound settings without a mailbox, in a folder of their own."""
    (tmp_path / "ingest.key").write_text(KEY, encoding="utf-8")
    path = tmp_path / "ingest.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture
def ingest() -> Ingest:
    """``ingest`` with some arguments."""

    def run(*arguments: object) -> Ran:
        done = CliRunner().invoke(app, [str(each) for each in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def contact() -> Callable[..., dict[str, Any]]:
    """The least contact of the golden file, changed as told."""
    least = json.loads((GOLDEN / "contact.v1.least.binary.json").read_text(encoding="utf-8"))["value"]
    return lambda **changed: {**least, **changed}


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., Path]:
    """A file of JSON lines; what is text stands in it as it is."""

    def write(*each: dict[str, Any] | str) -> Path:
        path = tmp_path / "contacts.jsonl"
        path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in each), encoding="utf-8")
        return path

    return write
