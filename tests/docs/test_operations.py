"""docs/operations.md: its commands and metrics are there, and every alert's entry says where to look by something that can be run or asked."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.key import known
from ingest.settings import load
from ingest.telemetry import catalogue
from tests.deploy.day import Entry, entries, quoted
from tests.deploy.installation import parsed
from tests.deploy.machine import Machine

PAGE = Path("docs/operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
METRICS = {name for name, _, _ in catalogue()}
COUNTED = re.compile(r"_(?:count|sum|bucket)$")
MEASURE = re.compile(r"\b[a-z]+(?:_[a-z]+)*_(?:seconds(?:_count)?|total|bytes|records|stopped|unaccounted|unsettled|in_hand)\b")
OF_THE_SETTINGS = {"most_bytes", "spool_most_bytes", "most_body_bytes", "most_record_bytes"}
SETTINGS = """
key_file = "ingest.key"
previous_keys_file = "previous.keys"

[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care@example.org"
duty = "duty@example.org"
"""
OF_A_MACHINE = re.compile(r"(?:sudo )?(?:systemctl|journalctl) |dmesg|/readyz")


def commands() -> Iterator[str]:
    """What follows ``ingest`` in every line of a shell, and in whatever stands between backticks."""
    for snippet in (*(line for block in BLOCKS for line in block.splitlines()), *quoted(PROSE)):
        for part in re.split(r"\||&&|>|\s#", snippet):
            found = re.match(r"(?:docker compose run --rm email |/opt/contact-ingest/bin/ingest |ingest )(.+)", part.strip())
            if found:
                yield found[1]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_the_command_is_one_that_there_is(command: str, tmp_path: Path):
    (tmp_path / "file").touch()
    filled = {"FILE": str(tmp_path / "file"), "FILE.csv": str(tmp_path / "file"), "TEAM": "intake"}
    words = [filled.get(each, each) for each in shlex.split(command) if each != "..."]
    try:
        parsed(words)
    except Exception as wrong:
        # One that is only named has nothing of what it needs.
        if type(wrong).__name__ not in ("MissingParameter", "NoArgsIsHelpError") or any(each.startswith("-") for each in words):
            raise


@pytest.mark.parametrize("name", sorted(set(MEASURE.findall(" ".join(quoted(PROSE)))) - OF_THE_SETTINGS))
def test_the_metric_is_one_that_there_is(name: str):
    assert name in METRICS or COUNTED.sub("", name) in METRICS


@pytest.mark.parametrize("entry", entries(PAGE).values(), ids=entries(PAGE))
def test_the_entry_says_where_to_look_by_what_can_be_run_or_asked(entry: Entry):
    said = quoted(entry.look)
    assert any(each.startswith("ingest ") or OF_A_MACHINE.match(each) or MEASURE.search(each) for each in said)
    assert len(entry.do) > 20, "and what to do"


def test_the_key_is_rotated_by_the_commands_of_the_page_and_none_before_it_is_forgotten(tmp_path: Path):
    """Twice, on a machine whose places lie in a folder."""
    machine = Machine(tmp_path / "machine")
    settings, key = machine.path("/etc/contact-ingest/ingest.toml"), machine.path("/etc/contact-ingest/ingest.key")
    settings.parent.mkdir()
    settings.write_text(SETTINGS)
    key.write_text(f"{'0f1e2d3c4b5a6978' * 4}\n")
    (rotate,) = re.findall(r"\*\*The service's own `key`\*\*.*?```sh\n(.*?)```", PAGE, re.DOTALL)
    keys = [key.read_text().strip()]
    for _ in range(2):
        assert machine.run(rotate) == (0, "")
        keys.insert(0, key.read_text().strip())
        assert known(load(settings).own_key) == tuple(each.encode() for each in keys)
    assert len(set(keys)) == 3
