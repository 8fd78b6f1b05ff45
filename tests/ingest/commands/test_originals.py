"""``ingest originals verify``: after a restore it is known which bytes are missing, and that the rest are as they came."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from ingest.contract import Attachment
from ingest.originals import Originals


@pytest.fixture
def keep(config: Path):
    """Keep bytes as the originals of the settings; answers with their digest."""
    return lambda content: asyncio.run(Originals(f"file:///{config.parent}/originals").put([content]))[0]


def place(config: Path, digest: str) -> Path:
    return config.parent / "originals" / digest[:2] / digest


@pytest.fixture
def letters(take_in, keep):
    """Two letters that are kept, one of them with a file, whose name is asked for."""
    notes = Attachment(digest=keep(b"notes"), name="notes.txt", content_type="text/plain", size=5)
    return take_in(
        {"text": "One.", "original": keep(b"one"), "attachments": (notes,)}, {"text": "Two.", "original": keep(b"two")}
    )


def test_it_says_that_all_are_there(letters, ingest, config):
    done = ingest("originals", "verify", "--config", config)
    assert (done.status, done.out.strip()) == (0, "3 originals and files are there, as they came.")


def test_each_that_is_missing_or_damaged_is_named_and_nothing_breaks(letters, ingest, config):
    first, second = letters
    place(config, first.attachments[0].digest).unlink()
    place(config, second.original).write_bytes(b"another two")
    done = ingest("originals", "verify", "--json", "--config", config)
    assert (done.status, {(row["what"], row["digest"], row["because"]) for row in done.rows}) == (
        1, {("notes.txt", first.attachments[0].digest, "missing"), ("original", second.original, "damaged")}
    )  # fmt: skip
    assert "2 of 3 are missing or damaged" in done.err
    assert ingest("originals", "verify", "--since", "2026-03-03", "--config", config).status == 0


def test_what_a_publisher_keeps_itself_is_no_loss(take_in, contact, ingest, config, lines):
    take_in()
    assert ingest("publish", lines(contact(id=str(UUID(int=3)))), "--source", "urn:example:crm", "--config", config).status == 0
    take_in()
    done = ingest("originals", "verify", "--config", config)
    assert done.status == 0
    assert "1 more are with the publisher whose they are" in done.out
