"""Contacts to measure with, and the people of the register: the samples, each time a little otherwise, so that no cache helps."""

import csv
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ingest.contract import Contact, Identifier, Person
from ingest.ids import contact_id, digest

SAMPLES = Path("ingest/commands/samples")
_START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


_OFTEN: Final = 10


def people(number: int, folder: Path, at_least: int = 0) -> Path:
    """A file of the register's people, so many that each of them writes some ten of so many contacts; none is another's namesake.

    Of more, where a larger register is wanted, the rest write nothing.
    """
    rows = _sample_people()
    path = folder / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for again in range(max(_copies(number), -(-at_least // len(rows)))):
            writer.writerows(_copy(row, again) for row in rows)
    return path


def _sample_people() -> list[dict[str, str]]:
    with (SAMPLES / "register.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _copies(number: int) -> int:
    return 1 + number // (3 * _OFTEN * len(_sample_people()))


def _copy(row: dict[str, str], again: int) -> dict[str, str]:
    """Another person each time but the first: a phone is left out, since what several share says nothing."""
    if again == 0:
        return row
    letters = "".join(chr(ord("a") + int(digit)) for digit in str(again))
    local, mark, domain = row["email"].partition("@")
    return row | {
        "person_id": f"{row['person_id']}-{again}",
        "surname": f"{row['surname']}{letters}",
        "email": f"{local}.{again}@{domain}" if mark else "",
        "phone": "",
    }


def contacts(number: int) -> Iterator[Contact]:
    """So many contacts by mail, the same ones each time; one in three is from somebody whom the register has."""
    dice = random.Random(4)
    rows = [json.loads(line) for line in (SAMPLES / "contacts.jsonl").read_text(encoding="utf-8").splitlines() if line]
    known = [_copy(row, again)["email"] for again in range(_copies(number)) for row in _sample_people() if row["email"]]
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
