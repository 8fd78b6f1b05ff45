"""Learns what the facts of feedback are weighed by: python -m tests.router.read.train_feedback, with the dependency group ``train``.

It prints how well the facts are read on writers left out one after another, given the outcome, and writes router/read/feedback.json.
The same corpus gives the same file.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from router.read import feedback
from router.read.linear import Linear
from router.read.phrases import find
from router.read.sentences import fields, sentences, tidy
from tests.router.read.learner import write
from tests.router.read.lessons import CONTACTS, digest, feedback_files, feedback_sentences
from tests.router.read.lessons import told as rows_of
from tests.router.read.measure import contacts

# Only whoever trains has these, so that no other check asks for them.
numpy: Any = import_module("numpy")
sparse: Any = import_module("scipy.sparse")
linear_model: Any = import_module("sklearn.linear_model")

MODEL = Path("router/read/feedback.json")
UNIT = 0.05  # what weights are rounded to
LEAST = 0.1  # of weights, the heaviest of a trait that is kept
_CRITERIA = ("inaccurate_facts", "new_information", "overlooked_information")
_BEFORE = ("contacted_before_true", "contacted_before_false")
_KINDS = ("service", "decision", "praise", "suggestion")
LABELS = (*_CRITERIA, *_BEFORE, *_KINDS, "promise_broken", "remedy")

Traits = Sequence[str]


@dataclass(slots=True)
class Told:
    """A text of the corpus: the traits of each of its sentences, what it shows and of what its silence tells."""

    sentences: Sequence[Traits]
    shows: frozenset[str]
    tells_of: frozenset[str]
    whole: bool = False  # a contact, of which any one sentence may be what shows it


def _traits(subject: str | None, text: str) -> Sequence[Traits]:
    lines = sentences(tidy(subject or ""), from_subject=True) + sentences(tidy(text))
    return feedback.traits(lines, find(lines))


def sentences_of() -> list[Told]:
    """The labelled sentences. Those of ``criteria*.jsonl`` are labelled for the criteria and the type of feedback only."""
    told: list[Told] = []
    for file in feedback_sentences():
        tells_of = {*_CRITERIA, *_KINDS} if file.stem.startswith("criteria") else set(LABELS) - {"remedy"}
        for row in rows_of(file):
            shows = frozenset(row["labels"])
            # Whoever shows a criterion speaks of a decision, also where the label does not say so.
            about = shows | {"decision"} if shows & set(_CRITERIA) else shows
            told.append(Told(_traits(None, row["text"]), about, frozenset(tells_of)))
    return told


def contact_of(row: dict[str, Any]) -> Told:
    """A labelled contact: what its labels say of the whole of it."""
    labels = row["labels"]
    shows = set(labels["review_criteria"])
    tells_of = {*_BEFORE, "remedy"}
    if labels["outcome"] == "feedback_record":
        kind = labels["feedback_type"]
        shows |= {"service", "decision"} if kind == "mixed" else {kind}
        tells_of |= {*_CRITERIA, *_KINDS}
        if kind in ("praise", "suggestion"):
            tells_of.add("promise_broken")
    elif labels["outcome"] in ("query_answer", "no_action"):
        tells_of |= set(LABELS)
    if labels["remedy_sought"]:
        shows.add("remedy")
    if labels["contacted_before"] is not None:
        shows.add(f"contacted_before_{str(labels['contacted_before']).lower()}")
    return Told(_traits(row["subject"], row["text"]), frozenset(shows), frozenset(tells_of), whole=True)


def learn_feedback(told: Sequence[Told], *, rounds: int = 3, strength: float = 1.0, least: int = 3) -> dict[str, Any]:
    """Weights by trait and label. Of a contact only its whole is labelled: the sentences that show it best are chosen anew each round."""
    counts = Counter(trait for each in told for trait in {trait for traits in each.sentences for trait in traits})
    known = {trait: at for at, trait in enumerate(sorted(trait for trait, times in counts.items() if times >= least))}
    weights, bias = numpy.zeros((len(LABELS), len(known))), numpy.zeros(len(LABELS))
    single = [_matrix(each.sentences, known) for each in told]
    paired = [_matrix([*each.sentences, *feedback.pairs(each.sentences)], known) for each in told]
    unions = [_matrix([sorted({trait for traits in each.sentences for trait in traits})], known) for each in told]
    for at, label in enumerate(LABELS):
        matrices = paired if label in _CRITERIA else single
        for turn in range(rounds):
            rows, answers, scales = [], [], []
            for each, matrix, union in zip(told, matrices, unions, strict=True):
                if not matrix.shape[0]:
                    continue
                if label not in each.tells_of and label not in each.shows:
                    continue
                if not each.whole or (not turn and label == "remedy"):
                    rows.append(union)
                    answers.append(label in each.shows)
                    scales.append(1.0)
                elif turn and label in each.shows:
                    scores = matrix @ weights[at] + bias[at]
                    best = [int(numpy.argmax(scores))]
                    rows.append(matrix[best])
                    answers += [True] * len(best)
                    scales += [1.0] * len(best)
                elif turn and label in each.tells_of:
                    rows.append(matrix)
                    answers += [False] * matrix.shape[0]
                    scales += [min(1.0, 3.0 / matrix.shape[0])] * matrix.shape[0]
            model = linear_model.LogisticRegression(C=strength, max_iter=100, tol=1e-2, solver="liblinear")
            model.fit(_stack(rows), answers, sample_weight=scales)
            weights[at], bias[at] = model.coef_[0], model.intercept_[0]
    return _written(LABELS, known, weights, bias)


def _matrix(rows: Sequence[Traits], known: dict[str, int]) -> Any:
    places, begins = [], [0]
    for traits in rows:
        places += [known[trait] for trait in traits if trait in known]
        begins.append(len(places))
    return sparse.csr_matrix((numpy.ones(len(places)), places, begins), shape=(len(rows), len(known)))


def _stack(rows: Sequence[Any]) -> Any:
    return sparse.csr_matrix(sparse.vstack(rows))


def _written(labels: Iterable[str], known: dict[str, int], weights: Any, bias: Any) -> dict[str, Any]:
    """The file's form: weights as whole numbers of a unit, without the traits that hardly weigh."""
    kept = {trait: [round(float(each) / UNIT) for each in weights[:, at]] for trait, at in known.items()}
    return {
        "version": digest(feedback_files()),
        "labels": list(labels),
        "bias": [round(float(each), 2) for each in bias],
        "unit": UNIT,
        "weights": {trait: each for trait, each in kept.items() if max(map(abs, each)) * UNIT >= LEAST},
    }


def keep(file: Path, learned: dict[str, Any]) -> Path:
    """The file of a model."""
    return write(file, {name: told for name, told in learned.items() if name != "weights"}, learned["weights"])


def unseen(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    """What the facts of these contacts are read as, given their outcome and, for the criteria, their type."""
    tally: Counter[str] = Counter()
    for row in rows:
        labels = row["labels"]
        is_feedback, lines = labels["outcome"] == "feedback_record", sentences(tidy(row["subject"] or ""), from_subject=True)
        lines += sentences(tidy(row["text"]))
        told = feedback.weigh(lines, find(lines))
        kind = feedback.feedback_type(told)[0] if is_feedback else None
        before, _ = feedback.contacted_before(told, fields(tidy(row["text"])), kind or labels["outcome"])
        criteria = feedback.review_criteria(told, kind)[0] if is_feedback else ()
        for fact, found, wanted in (
            ("type", {kind} if is_feedback else set[Any](), {labels["feedback_type"]} if is_feedback else set[Any]()),
            (
                "criteria",
                {name for name, _ in criteria},
                set(labels["review_criteria"]) if is_feedback else set[Any](),
            ),
            ("contacted before", {before} - {None}, {labels["contacted_before"]} - {None}),
            (
                "a remedy",
                {True} if feedback.asks_for_something(told) else set[Any](),
                {True} if labels["remedy_sought"] else set[Any](),
            ),
        ):
            tally.update({f"{fact} hit": len(found & wanted), f"{fact} found": len(found), f"{fact} wanted": len(wanted)})
    return tally


def main() -> None:
    """Learn, say how well, and write."""
    told = sentences_of()
    writers = [contacts((path,)) for path in CONTACTS]
    tally: Counter[str] = Counter()
    for left_out in writers if "--quick" not in sys.argv else []:
        others = [contact_of(row) for rows in writers if rows is not left_out for row in rows]
        with TemporaryDirectory() as folder:
            feedback.MODEL = Linear(str(keep(Path(folder) / "feedback.json", learn_feedback([*told, *others]))))
        tally += unseen(left_out)
    for fact in ("type", "criteria", "contacted before", "a remedy") if tally else ():
        hit, found, wanted = (tally[f"{fact} {each}"] for each in ("hit", "found", "wanted"))
        print(f"{fact:18} precision {hit / found:.3f} recall {hit / wanted:.3f} F1 {2 * hit / (found + wanted):.3f}")
    keep(MODEL, learn_feedback([*told, *(contact_of(row) for rows in writers for row in rows)]))


if __name__ == "__main__":
    main()
