"""Learns what the reading weighs by: python -m tests.router.read.train outcome, with the dependency group ``train``.

It prints how well what it has learned does on writers that it has not seen, by leaving out one writer after another; draws how
true its confidence is (docs/pictures/confidence.svg); and writes the model. The same corpus gives the same model.
"""

import argparse
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from router.read import Outcome, outcome, read
from router.read.linear import Linear
from router.read.reader import look
from tests.router.read.lessons import Message, messages, version

# Only whoever trains has these, so that no other check asks for them.
numpy: Any = import_module("numpy")
sparse: Any = import_module("scipy.sparse")

MODEL = Path("router/read/outcome.json")
PICTURE = Path("docs/pictures/confidence.svg")
LABELS = tuple(each.value for each in Outcome)
WRITERS = (
    "contacts",
    "letters",
    "texts",
    "professional",
    "calls",
)  # of whole contacts; the others wrote messages of some sentences
SHORT = 0.7  # how much one of those weighs beside a contact
STRENGTH = 0.15  # of what holds weights down: the larger, the nearer to nothing they stay
BIAS = 0.1  # how much any two messages have in common
FEWEST = 2  # messages that must have a trait
UNIT = 0.25  # what weights are rounded to
ROWS = 2.0  # how much more a row says than a word
LEAST = 1.2  # weights that are all nearer to nothing than that are left out
GOAL = 0.975  # of readings that nobody looks at, how many must be right on writers that were not seen


def there(message: Message) -> Mapping[str, int]:
    """What there is to weigh in it."""
    looked = look(message.subject, message.text)
    named = len({name for _, name in looked.named})
    return outcome.traits_of(message.channel, looked.lines, looked.found, references=len(looked.refs), named=named)


class Table(NamedTuple):
    """Messages by trait: how much a message has of each, the traits in order, and how much one of each is."""

    has: Any
    known: Sequence[str]
    much: Any


def table_of(found: Sequence[Mapping[str, int]]) -> Table:
    """Of the traits that several messages have. The rarer a trait the more it is, and of a message with many each is less."""
    often = Counter(each for traits in found for each in traits)
    known = sorted(each for each, times in often.items() if times >= FEWEST)
    place = {each: at for at, each in enumerate(known)}
    much = numpy.array([math.log(len(found) / often[each]) * (ROWS if each.startswith("row ") else 1.0) for each in known])
    cells = [
        (row, place[each], 1 / math.sqrt(len(traits))) for row, traits in enumerate(found) for each in traits if each in place
    ]
    rows, at, share = (numpy.array(each) for each in zip(*cells, strict=True))
    return Table(sparse.csr_matrix((share * much[at], (rows, at)), shape=(len(found), len(known))), known, much)


def learn(has: Any, labels: Any, weighs: Any, chosen: Any) -> tuple[Any, Any]:
    """Ridge regression on which label it is, by way of how much each message has in common with each other one (n of them, not traits)."""
    part = has[chosen]
    common = (part @ part.T).toarray() + BIAS
    wanted = numpy.full((len(chosen), len(LABELS)), -1.0 / (len(LABELS) - 1))
    wanted[numpy.arange(len(chosen)), labels[chosen]] = 1.0
    shares = numpy.linalg.solve(common + STRENGTH * numpy.diag(1 / weighs[chosen]), wanted)
    return part.T @ shares, BIAS * shares.sum(axis=0)


def likely(scores: Any, heat: float) -> Any:
    """Softmax."""
    powers = numpy.exp((scores - scores.max(axis=1, keepdims=True)) / heat)
    return powers / powers.sum(axis=1, keepdims=True)


def heat_of(scores: Any, labels: Any) -> float:
    """By what the scores must be divided so that they are the likelihoods of writers that were not seen."""

    def surprise(heat: float) -> float:
        return -float(numpy.log(likely(scores, heat)[numpy.arange(len(labels)), labels] + 1e-12).mean())

    return min((each / 1000 for each in range(20, 1000, 5)), key=surprise)


def sureness_of(odds: Sequence[float], right: Sequence[bool]) -> tuple[float, float]:
    """Slope and shift by which the log odds of the likeliest become those of its being right (Platt 1999)."""
    model = import_module("sklearn.linear_model").LogisticRegression(C=1e6)
    log_odds = numpy.log(numpy.clip(odds, 1e-9, 1 - 1e-9) / (1 - numpy.clip(odds, 1e-9, 1 - 1e-9)))
    model.fit(log_odds.reshape(-1, 1), numpy.array(right))
    return round(float(model.coef_[0][0]), 3), round(float(model.intercept_[0]), 3)


def model_of(table: Table, weights: Any, bias: Any, heat: float, sureness: tuple[float, float], told: str) -> dict[str, Any]:
    """As it is kept in a file: weights ready to be added up, those that say next to nothing left out."""
    exact = table.much[:, None] * weights / heat
    ready = numpy.round(exact / UNIT).astype(int)
    kept = {
        each: row.tolist() for each, row, full in zip(table.known, ready, exact, strict=True) if numpy.abs(full).max() >= LEAST
    }
    return {
        "version": f"{told}.{hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:6]}",
        "labels": LABELS,
        "unit": UNIT,
        "sureness": sureness,
        "bias": [round(float(each), 3) for each in bias / heat],
        "weights": kept,
    }


class Judged(NamedTuple):
    """A reading of somebody who was not seen: how sure it was of which outcome, and which it is."""

    writer: str
    outcome: Outcome
    confidence: float
    label: str


def judged(rows: Sequence[Message], model: dict[str, Any]) -> list[Judged]:
    """What the whole reading makes of them with this model."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.json"
        file.write_text(json.dumps(model), encoding="utf-8")
        outcome._MODEL = Linear(str(file))
    found: list[Judged] = []
    for row in rows:
        reading = read(row.channel, row.subject, row.text, automatic_at=0.0)
        found.append(Judged(row.writer, reading.outcome, reading.confidence, row.label))
    return found


def unseen(rows: Sequence[Message], table: Table, labels: Any, weighs: Any) -> tuple[float, tuple[float, float], list[Judged]]:
    """What must be known of writers that were not seen: the heat, the sureness, and how each was read by what the others taught."""
    writers = numpy.array([row.writer for row in rows])
    folds = {
        writer: (numpy.flatnonzero(writers == writer), learn(table.has, labels, weighs, numpy.flatnonzero(writers != writer)))
        for writer in WRITERS
    }
    scores = numpy.concatenate([table.has[at] @ weights + bias for at, (weights, bias) in folds.values()])
    heat = heat_of(scores, labels[numpy.concatenate([at for at, _ in folds.values()])])

    def read_by(sureness: tuple[float, float]) -> list[Judged]:
        return [
            each
            for at, (weights, bias) in folds.values()
            for each in judged([rows[one] for one in at], model_of(table, weights, bias, heat, sureness, "of a fold"))
        ]

    automatic = [each for each in read_by((1.0, 0.0)) if each.outcome is not Outcome.REVIEW]
    sureness = sureness_of([each.confidence for each in automatic], [each.outcome == each.label for each in automatic])
    return heat, sureness, read_by(sureness)


def least_sure(found: Iterable[Judged]) -> float:
    """The lowest confidence at and above which readings that nobody looks at are right often enough."""
    automatic = sorted((each for each in found if each.outcome is not Outcome.REVIEW), key=lambda each: -each.confidence)
    right, enough = 0, 1.0
    for number, each in enumerate(automatic, 1):
        right += each.outcome == each.label
        if right >= GOAL * number:
            enough = each.confidence
    return enough


def outcomes() -> None:
    """Learn outcomes, and say how well."""
    rows = list(messages())
    table = table_of([there(row) for row in rows])
    labels = numpy.array([LABELS.index(row.label) for row in rows])
    weighs = numpy.array([1.0 if row.writer in WRITERS else SHORT for row in rows])
    heat, sureness, found = unseen(rows, table, labels, weighs)
    print(f"learned from {len(rows)} messages; heat {heat}, sureness {sureness}")
    print(f"{'writer not seen':16} right  automatic  precision   (automatic at {outcome.AUTOMATIC_AT})")
    for writer in (*WRITERS, "all"):
        theirs = [each for each in found if writer in (each.writer, "all")]
        alone = [each for each in theirs if each.outcome is not Outcome.REVIEW and each.confidence >= outcome.AUTOMATIC_AT]
        right = sum(each.outcome == each.label for each in theirs) / len(theirs)
        precision = sum(each.outcome == each.label for each in alone) / max(1, len(alone))
        print(f"{writer:16} {right:.3f}  {len(alone) / len(theirs):.3f}      {precision:.3f}")
    for at in (0.97, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6):
        alone = [each for each in found if each.outcome is not Outcome.REVIEW and each.confidence >= at]
        right = sum(each.outcome == each.label for each in alone) / len(alone)
        print(f"automatic at {at:4}: {len(alone) / len(found):.3f} of all, precision {right:.3f}")
    print(f"precision of {GOAL} from a confidence of {least_sure(found)}")
    held = [each for each in found if each.outcome is Outcome.REVIEW]
    print(
        f"review, by the model or a rule: {len(held)}, rightly {sum(each.label == Outcome.REVIEW for each in held) / len(held):.3f}"
    )
    nobody = [each for each in found if each.outcome is Outcome.NO_ACTION and each.label != Outcome.NO_ACTION]
    print(f"people read as no_action: {[(each.writer, each.label, each.confidence) for each in nobody]}")
    PICTURE.write_text(picture(found), encoding="utf-8")
    model = model_of(table, *learn(table.has, labels, weighs, numpy.arange(len(rows))), heat, sureness, version())
    MODEL.write_text(json.dumps(model, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{MODEL}: {len(model['weights'])} traits, {MODEL.stat().st_size // 1000} kB, version {model['version']}")


def picture(found: Sequence[Judged]) -> str:
    """How true the confidence is: of readings by how sure they were, how many were right; the larger a dot, the more there are."""
    side, left, top = 360, 70, 50

    def at(x: float, y: float) -> tuple[float, float]:
        return round(left + x * side, 1), round(top + (1 - y) * side, 1)

    drawn: list[str] = []
    for step in range(0, 11, 2):
        (x, low), (_, y) = at(step / 10, 0), at(0, step / 10)
        drawn += [
            f'<text x="{x}" y="{low + 20}" text-anchor="middle">{step / 10}</text>',
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{step / 10}</text>',
            f'<path d="M{left} {y}h{side}" stroke="#f3f2f1"/>',
        ]
    (x1, y1), (x2, y2) = at(0, 0), at(1, 1)
    drawn.append(f'<path d="M{x1} {y1}L{x2} {y2}" stroke="#b1b4b6" stroke-dasharray="4"/>')
    edges = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)
    for low, high in pairwise(edges):
        if theirs := [each for each in found if low <= each.confidence < high and each.outcome is not Outcome.REVIEW]:
            x, y = at(
                sum(each.confidence for each in theirs) / len(theirs),
                sum(each.outcome == each.label for each in theirs) / len(theirs),
            )
            drawn += [
                f'<circle cx="{x}" cy="{y}" r="{3 + math.sqrt(len(theirs)) / 2:.1f}" fill="#1d70b8" fill-opacity="0.7"/>',
                f'<text x="{x - 14}" y="{y - 8}" text-anchor="end" fill="#505a5f">{len(theirs)}</text>',
            ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side + 2 * left} {side + 2 * top + 30}" width="{side + 2 * left}" role="img">',
            '<g font-family="sans-serif" font-size="13" fill="#0b0c0c">',
            "<title>Of readings by how sure they were, the share that was right, on writers that were not seen</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *drawn,
            f'<text x="{left + side / 2}" y="{top + side + 48}" text-anchor="middle">how sure the reading was</text>',
            f'<text transform="translate(20 {top + side / 2}) rotate(-90)" text-anchor="middle">how many were right</text>',
            f'<text x="{left}" y="28">Outcomes other than review; beside each dot, how many</text>',
            "</g></svg>\n",
        )
    )


def main() -> None:
    """Learn one thing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    learners = {"outcome": outcomes}
    parser.add_argument("what", choices=learners)
    learners[parser.parse_args().what]()


if __name__ == "__main__":
    main()
