"""docs/operations.md: every command on it is one that there is, and every alert's entry says where to look by something that can be run or asked."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup

from ingest.commands.check import example
from ingest.telemetry import catalogue
from tests.deploy.day import Entry, entries, quoted
from tests.deploy.installation import parsed

PAGE = Path("docs/operations.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
METRIC = re.compile(r"[a-z]+(?:_[a-z]+)+(?=\{)|[a-z]+(?:_[a-z]+)+_(?:seconds|total|bytes|records|unclaimed|overdue|stopped|unaccounted|unsettled)")
SUFFIX = re.compile(r"_(?:count|sum|bucket)$")
RUN = re.compile(r"(?:sudo )?(?:systemctl|journalctl|kubectl|docker|printf|py-spy|dmesg) |ingest [a-z]")


def commands() -> Iterator[str]:
    """Every line of a shell on the page that runs ``ingest``, from there to its end."""
    for snippet in (*(line for block in BLOCKS for line in block.splitlines()), *quoted(PROSE)):
        for part in re.split(r"\s*(?:\||&&|;|>/dev/null|\s#).*?\s*", snippet):
            if found := re.match(r"(?:docker compose run --rm email |/opt/contact-ingest/bin/ingest |ingest )(.*)", part.strip()):
                yield found[1]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_the_command_is_one_that_there_is(command: str, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    words = [str(file) if each in ("FILE", "FILE.csv") else each for each in shlex.split(command)]
    words = [each for each in words if each not in ("...", "…")]
    try:
        parsed(words)
    except Exception as wrong:
        # A command that is only named has none of the things that it needs.
        if type(wrong).__name__ not in ("MissingParameter", "NoArgsIsHelpError") or any(each[0] in "-" for each in words):
            raise
