"""``ingest validate``: contacts as JSON lines against the contract, and nothing else is touched."""

import json as json_of
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer
from pydantic import ValidationError

from ingest.commands.terminal import Json, fail, say, warn
from ingest.contract import Contact

_MOST_LINE_BYTES: Final = 64_000_000  # the largest record a log may be set to take

Lines = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True, help="JSON lines, a contact each.")
]


class Fault(NamedTuple):
    """What is wrong with a field of a line; the reason never repeats what the field holds."""

    field: str
    reason: str


class Line(NamedTuple):
    """A line that is not empty, by its number from 1: a contact, or what keeps it from being one."""

    number: int
    contact: Contact | None
    faults: list[Fault]


def command(file: Lines, json: Json = False) -> None:
    """Check contacts, one JSON object a line, against the contract. Each fault is a line: number, field and reason."""
    good = bad = 0
    for line in read_lines(file):
        good += line.contact is not None
        bad += line.contact is None
        tell(line, json=json)
    if bad:
        fail(f"{bad} of {good + bad} lines are no contacts.", 1)
    warn(f"{good} lines, and each is a contact." if good else "There are no lines in it.")


def read_lines(file: Path) -> Iterator[Line]:
    """The lines of a file, one in memory at a time."""
    with file.open("rb") as lines:
        number = 0
        while raw := lines.readline(_MOST_LINE_BYTES + 1):
            number += 1
            if len(raw) > _MOST_LINE_BYTES:
                yield Line(number, None, [Fault("", f"The line is longer than {_MOST_LINE_BYTES} bytes; no more was read.")])
                return
            if content := raw.removeprefix(b"\xef\xbb\xbf").strip():
                yield line_of(number, content)


def tell(line: Line, *, json: bool) -> None:
    """Each fault of a line on standard output."""
    for fault in line.faults:
        if json:
            say(json_of.dumps({"line": line.number, **fault._asdict()}))
        else:
            say(f"line {line.number}: {fault.field}{': ' if fault.field else ''}{fault.reason}")


def line_of(number: int, content: bytes) -> Line:
    """What stands on a line, held against the contract."""
    try:
        return Line(number, Contact.model_validate_json(content), [])
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return Line(number, None, [Fault(".".join(map(str, each["loc"])), f"{each['msg']}.") for each in found])
