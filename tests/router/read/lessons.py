"""What the reading of outcomes is learned from: the corpus, message by message, and the version of a model that has learned it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from router.read import outcome
from router.read.kinds import KIND
from tests.router.read.measure import CORPUS, SAMPLES


class Message(NamedTuple):
    """A labelled contact, and who wrote it."""

    writer: str
    channel: str
    subject: str | None
    text: str
    label: str


def files() -> list[Path]:
    """What is learned from."""
    return [SAMPLES, *sorted(CORPUS.glob("*.jsonl")), *sorted((CORPUS / "sentences").glob("intents*.jsonl"))]


def messages() -> Iterator[Message]:
    """All of it."""
    for file in files():
        for line in file.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            label = told["labels"]["outcome"] if isinstance(told["labels"], dict) else told["labels"][0]
            yield Message(file.stem, told["channel"], told.get("subject"), told["text"], label)


def version() -> str:
    """Of a model that is learned from these files, kinds of words and rows."""
    said = hashlib.sha256()
    for file in files():
        said.update(file.read_bytes().replace(b"\r\n", b"\n"))
    rows = [(row.name, row.phrases, row.unless, row.where) for row in outcome.CLUES]
    said.update(json.dumps([sorted(KIND.items()), rows]).encode())
    return said.hexdigest()[:12]
