"""docs/operations.md: its commands and metrics are there, and every alert's entry says where to look by something that can be run or asked."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.telemetry import catalogue
from tests.deploy.day import Entry, entries, quoted
from tests.deploy.installation import parsed

PAGE = Path("docs/operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
METRICS = {name for name, _, _ in catalogue()}
COUNTED = re.compile(r"_(?:count|sum|bucket)$")
MEASURE = re.compile(r"\b[a-z]+(?:_[a-z]+)*_(?:seconds(?:_count)?|total|bytes|records|stopped|unaccounted|unsettled|in_hand)\b")
OF_THE_SETTINGS = {"most_bytes", "spool_most_bytes", "most_body_bytes", "most_record_bytes"}
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
