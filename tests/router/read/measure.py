"""How well the reading does on labelled contacts, as figures: python -m tests.router.read.measure FILE [odd|even].

The file has one object a line: id, channel, subject, text, labels. Odd ids are what the tables were written against.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from router.read import Outcome, Reading, read

SAMPLES = Path("ingest/commands/samples/contacts.jsonl")


def contacts(path: Path = SAMPLES, half: str = "all") -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    parity = {"odd": 1, "even": 0}
    return [row for index, row in enumerate(rows, 1) if half == "all" or index % 2 == parity[half]]


def _share(of: int, whole: int) -> float:
    return round(of / whole, 3) if whole else 1.0


def facts_of(reading: Reading) -> dict[str, Any]:
    return {
        "feedback_type": reading.feedback_type,
        "review_criteria": sorted(name for name, _ in reading.review_criteria),
        "remedy_sought": bool(reading.remedy_sought),
        "contacted_before": reading.contacted_before,
        "case_reference": next(iter(reading.case_references), None),
        "organisation_complained_of": reading.organisation_complained_of,
        "reasonable_adjustments": sorted(reading.reasonable_adjustments),
        "preferred_method": reading.preferred_method,
        **{
            f"individual.{each}": getattr(reading.individual, each)
            for each in ("name", "postcode", "phone", "email", "date_of_birth")
        },
    }


def labelled(labels: dict[str, Any]) -> dict[str, Any]:
    person = labels["individual"] or {}
    return {
        **{
            name: labels[name]
            for name in (
                "feedback_type",
                "contacted_before",
                "case_reference",
                "organisation_complained_of",
                "preferred_method",
            )
        },
        "review_criteria": sorted(labels["review_criteria"]),
        "remedy_sought": bool(labels["remedy_sought"]),
        "reasonable_adjustments": sorted(labels["reasonable_adjustments"]),
        **{f"individual.{each}": person.get(each) for each in ("name", "postcode", "phone", "email", "date_of_birth")},
    }


def measure(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Shares from 0 to 1. ``precision`` and ``coverage`` are of answers other than review."""
    right = answered = answered_right = owed = true_alarms = alarms = at_risk = 0
    facts: Counter[str] = Counter()
    for row in rows:
        reading, labels = read(row["channel"], row["subject"], row["text"]), row["labels"]
        right += reading.outcome == labels["outcome"]
        owed += labels["outcome"] != "review"
        if reading.outcome is not Outcome.REVIEW:
            answered += 1
            answered_right += reading.outcome == labels["outcome"]
        alarms += reading.safeguarding
        at_risk += labels["safeguarding"]
        true_alarms += reading.safeguarding and labels["safeguarding"]
        mine, theirs = facts_of(reading), labelled(labels)
        facts.update(name for name in mine if mine[name] == theirs[name])
    return {
        "contacts": len(rows),
        "accuracy": _share(right, len(rows)),
        "precision": _share(answered_right, answered),
        "coverage": _share(answered_right, owed),
        "safeguarding recall": _share(true_alarms, at_risk),
        "safeguarding precision": _share(true_alarms, alarms),
        **{name: _share(facts[name], len(rows)) for name in facts_of(read("email", None, ""))},
    }


if __name__ == "__main__":
    arguments = [*sys.argv[1:], "all"]
    for figure, value in measure(
        contacts(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES, arguments[1] if len(sys.argv) > 2 else "all")
    ).items():
        print(f"{figure:32} {value}")
