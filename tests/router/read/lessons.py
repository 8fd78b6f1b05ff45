"""What the models of reading are learned from, and the version of one that has learned it: a digest, so that a test can say which has not."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from router.read import outcome
from router.read.kinds import KIND
from tests.router.read.measure import CORPUS, SAMPLES

CONTACTS: Final = (SAMPLES, *sorted(CORPUS.glob("*.jsonl")))
SENTENCES: Final = CORPUS / "sentences"


def told(file: Path) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def digest(files: Iterable[Path], beside: str = "") -> str:
    """The version of a model that is learned from these files, and from rows of our own, told as text."""
    said = hashlib.sha256()
    for file in files:
        said.update(file.read_bytes().replace(b"\r\n", b"\n"))
    said.update(beside.encode())
    return said.hexdigest()[:12]


def adjustment_files() -> list[Path]:
    """What adjustments are learned from."""
    return [*CONTACTS, *adjustment_sentences()]


def adjustment_sentences() -> list[Path]:
    """Those of them that are single sentences: about needs, and others that say much the same words of something else."""
    of_needs = [SENTENCES / "wishes.jsonl", *sorted(SENTENCES.glob("adjustments*.jsonl"))]
    return [*of_needs, SENTENCES / "feedback.jsonl", *sorted(SENTENCES.glob("harm-*.jsonl"))]


def feedback_files() -> list[Path]:
    """What the facts of feedback are learned from."""
    return [*CONTACTS, *feedback_sentences()]


def feedback_sentences() -> list[Path]:
    """Those of them that are a sentence or two. ``criteria-unlearned.jsonl`` is an exam."""
    return [SENTENCES / f"{name}.jsonl" for name in ("feedback", "feedback-further", "criteria", "criteria-further")]


def harm_files() -> list[Path]:
    """What a risk is learned from, and needs too: who writes of the one often writes of the other, and the two must be told apart."""
    return [*CONTACTS, *sentence_files()]


def sentence_files() -> list[Path]:
    """Those of them that are single sentences, labelled for harm, feedback, wishes and adjustments."""
    return [
        *sorted(SENTENCES.glob("harm-*.jsonl")),
        SENTENCES / "feedback.jsonl",
        SENTENCES / "wishes.jsonl",
        *sorted(SENTENCES.glob("adjustments*.jsonl")),
    ]


class Message(NamedTuple):
    """A labelled contact, and who wrote it."""

    writer: str
    channel: str
    subject: str | None
    text: str
    label: str


def files() -> list[Path]:
    """What outcomes are learned from."""
    return [*CONTACTS, *sorted(SENTENCES.glob("intents*.jsonl"))]


def messages() -> Iterator[Message]:
    """All of it."""
    for file in files():
        for row in told(file):
            label = row["labels"]["outcome"] if isinstance(row["labels"], dict) else row["labels"][0]
            yield Message(file.stem, row["channel"], row.get("subject"), row["text"], label)


def version() -> str:
    """Of a model of outcomes, which also hangs on kinds of words and rows."""
    rows = [(row.name, row.phrases, row.unless, row.where) for row in outcome.CLUES]
    return digest(files(), json.dumps([sorted(KIND.items()), rows]))
