"""Contacts to measure with: the labelled samples, each time with other sentences in another order, so that no cache helps."""

import csv
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.contract import Contact, Identifier, Person
from ingest.ids import contact_id, digest

SAMPLES = Path("ingest/commands/samples")
_START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def contacts(number: int) -> Iterator[Contact]:
    """So many contacts by mail, the same ones each time; one in three is from somebody whom the register has."""
    dice = random.Random(4)
    rows = [json.loads(line) for line in (SAMPLES / "contacts.jsonl").read_text(encoding="utf-8").splitlines() if line]
    with (SAMPLES / "register.csv").open(encoding="utf-8", newline="") as file:
        known = [each["email"] for each in csv.DictReader(file) if each.get("email")]
    for index in range(number):
        row = rows[index % len(rows)]
        said = re.split(r"(?<=[.!?]) ", row["text"])
        dice.shuffle(said)
        text = f"{' '.join(said)}\nMy note number {index} of {dice.randrange(10_000)} words."
        sender = dice.choice(known) if dice.random() < 1 / 3 else f"writer{index}@example.com"
        original = digest(text.encode())
        yield Contact(
            id=contact_id("email", "care", original),
            source="urn:contact-ingest:email:care",
            channel="email",
            account="care",
            received_at=_START + timedelta(milliseconds=index),
            sender=Person(identifiers=(Identifier(kind="email", given=sender, canonical=sender.lower()),)),
            subject=row["subject"],
            text=text,
            full_text=text,
            original=original,
        )
