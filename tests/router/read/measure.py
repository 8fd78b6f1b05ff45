"""How well the reading does on labelled contacts, as figures: python -m tests.router.read.measure [PATH...] [--misses FACT].

A PATH is a file, or a folder of files, of one object a line: id, channel, subject, text, labels (the labelling guide's). Without
one it is the corpus that the reading was written against. ``--misses`` lists what was read otherwise than it is labelled.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from router.read import Outcome, Reading, read

SAMPLES = Path("ingest/commands/samples/contacts.jsonl")
CORPUS = Path("tests/router/read/corpus")
PUT_AWAY = Path("tests/router/read/put_away")
"""By writers of whom nothing is learned. Whoever reads them or tunes to them has to write others."""
SET_APART = Path("tests/router/read/set_apart/contacts.jsonl")
"""Labelled for harm and adjustments alone, by one who also wrote sentences to learn from; nothing is learned from them either."""
OWN = ("name", "postcode", "phone", "email", "date_of_birth")


def contacts(paths: Sequence[Path] = (SAMPLES, CORPUS)) -> list[dict[str, Any]]:
    """The labelled contacts of files, and of the files right in folders."""
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def facts_of(reading: Reading) -> dict[str, frozenset[Any]]:
    """What was read, each fact as the set of its values."""
    return {
        "safeguarding": frozenset({True} if reading.safeguarding else ()),
        "feedback_type": _one(reading.feedback_type),
        "review_criteria": frozenset(name for name, _ in reading.review_criteria),
        "remedy_sought (any)": frozenset({True} if reading.remedy_sought else ()),
        "contacted_before": _one(reading.contacted_before),
        "case_reference": _one(next(iter(reading.case_references), None)),
        "organisation": _one(_plain(reading.organisation_complained_of)),
        "adjustments": frozenset(reading.reasonable_adjustments),
        "preferred_method": _one(reading.preferred_method),
        **{f"own {each}": _one(_plain(getattr(reading.individual, each))) for each in OWN},
    }


def labelled(labels: dict[str, Any]) -> dict[str, frozenset[Any]]:
    """What the label says, in the same form."""
    person = labels["individual"] or {}
    return {
        "safeguarding": frozenset({True} if labels["safeguarding"] else ()),
        "feedback_type": _one(labels["feedback_type"]),
        "review_criteria": frozenset(labels["review_criteria"]),
        "remedy_sought (any)": frozenset({True} if labels["remedy_sought"] else ()),
        "contacted_before": _one(labels["contacted_before"]),
        "case_reference": _one(labels["case_reference"]),
        "organisation": _one(_plain(labels["organisation_complained_of"])),
        "adjustments": frozenset(labels["reasonable_adjustments"]),
        "preferred_method": _one(labels["preferred_method"]),
        **{f"own {each}": _one(_plain(person.get(each))) for each in OWN},
    }


def _one(value: Any) -> frozenset[Any]:
    return frozenset(() if value is None else (value,))


def _plain(value: str | None) -> str | None:
    """Less case, dots and doubled spaces; of a postcode or telephone number, that is all that may differ."""
    return " ".join(value.lower().replace(".", " ").split()) if value else None


def measure(rows: Iterable[dict[str, Any]]) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Shares from 0 to 1, and under each name what was read otherwise than labelled.

    ``automatic`` is the share of all that got another answer than review, ``precision`` how many of those were right.
    """
    tally: Counter[str] = Counter()
    misses: dict[str, list[str]] = defaultdict(list)
    times: list[float] = []
    for row in rows:
        began = time.process_time()
        reading = read(row["channel"], row["subject"], row["text"])
        times.append(time.process_time() - began)
        labels = row["labels"]
        right = reading.outcome == labels["outcome"]
        tally.update(("contacts",) if not right else ("contacts", "right"))
        if reading.outcome is not Outcome.REVIEW:
            tally.update(("automatic", "automatic right") if right else ("automatic",))
        if not right:
            misses["outcome"].append(f"{row['id']}: {labels['outcome']} read as {reading.outcome} ({reading.confidence:.2f})")
        mine, theirs = facts_of(reading), labelled(labels)
        for name, found in mine.items():
            wanted = theirs[name]
            tally.update({f"{name} hit": len(found & wanted), f"{name} found": len(found), f"{name} wanted": len(wanted)})
            if found != wanted:
                misses[name].append(f"{row['id']}: {sorted(map(str, wanted))} read as {sorted(map(str, found))}")
    figures = {
        "contacts": float(tally["contacts"]),
        "outcome right": _share(tally["right"], tally["contacts"]),
        "automatic": _share(tally["automatic"], tally["contacts"]),
        "automatic precision": _share(tally["automatic right"], tally["automatic"]),
        "milliseconds at the median": round(1_000 * median(times), 2),
        "milliseconds on average": round(1_000 * mean(times), 2),
        "milliseconds of the slowest 5 %": round(1_000 * sorted(times)[len(times) * 95 // 100], 2),
    }
    for name in facts_of(read("email", None, "")):
        precision = _share(tally[f"{name} hit"], tally[f"{name} found"])
        recall = _share(tally[f"{name} hit"], tally[f"{name} wanted"])
        figures |= {
            f"{name} precision": precision,
            f"{name} recall": recall,
            f"{name} F1": round(2 * precision * recall / (precision + recall), 3) if precision + recall else 0.0,
        }
    return figures, misses


def _share(of: int, whole: int) -> float:
    return round(of / whole, 3) if whole else 1.0


def main() -> None:
    """Print the figures, or the misses of one fact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=[SAMPLES, CORPUS], metavar="PATH")
    parser.add_argument("--misses", metavar="FACT", help="outcome, or a fact as the figures name it")
    chosen = parser.parse_args()
    figures, misses = measure(contacts(chosen.paths))
    if chosen.misses:
        print("\n".join(misses[chosen.misses]))
        return
    for name, value in figures.items():
        if not name.endswith((" precision", " recall", " F1")) or name.startswith("automatic"):
            print(f"{name:28} {value}")
    for name in (each.removesuffix(" F1") for each in figures if each.endswith(" F1")):
        print(
            f"{name:28} precision {figures[name + ' precision']:<6} recall {figures[name + ' recall']:<6} F1 {figures[name + ' F1']}"
        )


if __name__ == "__main__":
    main()
