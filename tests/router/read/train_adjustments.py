"""Learns how people ask for adjustments: python -m tests.router.read.train_adjustments --vectors FILE, with the dependency group ``train``.

It prints how well the rows and what it has learned do together on writers that it has not seen, and on what is set apart, and writes
adjustments.json. As with harm, of a contact only the sentence that sounds most like a need is learned from where there is one.
``--vectors`` is that of train_harm. The same files give the same model.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from router.read import needs, wishes
from router.read.phrases import find
from router.read.sentences import Sentence, ngrams, plain, sentences, tidy
from tests.router.read.learner import MODELS, Lesson, Text, left_out, vectors_chosen, write
from tests.router.read.lessons import CONTACTS, adjustment_files, adjustment_sentences, digest, told

SET_APART: Final = (Path("tests/router/read/set_apart/adjustments.jsonl"), Path("tests/router/read/set_apart/contacts.jsonl"))
OF_VECTORS: Final = 0.5  # how much the word vectors weigh beside the words
OF_WISH: Final = 5.0  # how much a sentence that asks for something counts
OF_OTHERS: Final = 0.6  # and one of those that were not written to be about needs
OF_FOUND: Final = 2.0  # and the sentence that stands out in a contact with a need in it
UNIT: Final = 0.1  # what weights are rounded to
LEAST: Final = 0.3  # of weights, the heaviest of a trait that is kept
NOTHING: Final = -20.0  # odds


class Contact(NamedTuple):
    """A labelled contact, and what the rows find in it."""

    writer: str
    lines: tuple[Sentence, ...]
    needs: frozenset[str]
    by_rule: frozenset[str]

    def texts(self) -> list[Text]:
        return [Text((line.plain,)) for line in self.lines]


Said = tuple[Text, frozenset[str], float]
"""A sentence, the needs in it, and how much it counts."""


def contacts(files: Iterable[Path]) -> list[Contact]:
    """Those of the files; a row that is labelled for needs alone has them for its labels."""
    found: list[Contact] = []
    for file in files:
        for row in told(file):
            lines = sentences(tidy(row.get("subject") or ""), from_subject=True) + sentences(tidy(row["text"]))
            labels = row["labels"]
            labelled = labels["reasonable_adjustments"] if isinstance(labels, dict) else labels
            found.append(Contact(file.stem, lines, frozenset(labelled), frozenset(wishes.by_rule(find(lines)))))
    return found


def marked() -> Iterator[Said]:
    """The sentences."""
    for file in adjustment_sentences():
        of_needs = file.stem.startswith(("wishes", "adjustments"))
        for row in told(file):
            asked = frozenset(row["labels"]) & wishes.NEEDS if of_needs else frozenset[str]()
            yield Text((plain(row["text"]),)), asked, 1.0 if of_needs else OF_OTHERS


def learn(lesson: Lesson, taught: Sequence[Contact], said: Sequence[Said]) -> dict[str, Any]:
    """Weights by need."""
    weights: dict[str, Any] = {}
    for need in sorted(wishes.NEEDS):
        rows = [(text, need in asked, OF_WISH if need in asked else counts) for text, asked, counts in said]
        rows += [(text, False, OF_OTHERS) for each in taught if need not in each.needs for text in each.texts()]
        first = lesson.learn(rows)
        for each in taught:
            if need in each.needs and (texts := each.texts()):
                weighed = lesson.weigh(first, texts)
                rows.append((texts[weighed.index(max(weighed))], True, OF_FOUND))
        weights[need] = lesson.learn(rows)
    return weights


def show(lesson: Lesson, everybody: Sequence[Contact], said: Sequence[Said]) -> dict[str, Any]:
    """How well it does, and what is learned from everybody."""
    unseen = [
        (each, _heard(lesson, weights, each))
        for others, theirs in left_out(everybody)
        for weights in [learn(lesson, others, said)]
        for each in theirs
    ]
    weights = learn(lesson, everybody, said)
    for name, rows in (
        ("writers left out", unseen),
        *((file.stem, [(each, _heard(lesson, weights, each)) for each in contacts([file])]) for file in SET_APART),
    ):
        print(f"{name}: the rows alone {_figures((each.by_rule, each.needs) for each, _ in rows)}")
        for least in sorted({needs.ODDS, *(quarter / 4 for quarter in range(-4, 4))}):
            alone = [(frozenset(need for need, odds in heard.items() if odds > least), each) for each, heard in rows]
            both = [
                (mine | {need for need in each.by_rule if heard.get(need, NOTHING) > needs.ODDS_OF_A_ROW}, each)
                for (mine, each), (_, heard) in zip(alone, rows, strict=True)
            ]
            print(
                f"  odds {least:5}: alone {_figures((mine, each.needs) for mine, each in alone)};"
                f" with the rows {_figures((mine, each.needs) for mine, each in both)}"
            )
    return weights


def _heard(lesson: Lesson, weights: dict[str, Any], contact: Contact) -> dict[str, float]:
    """As needs.py works it out."""
    texts = [text for text in contact.texts() if not needs.CUES.isdisjoint(text.parts[0].split(" "))]
    among_many = needs.of_length(len(contact.lines))
    return {need: max(lesson.weigh(column, texts)) + among_many for need, column in weights.items()} if texts else {}


def _figures(pairs: Iterable[tuple[frozenset[str], frozenset[str]]]) -> str:
    tally: Counter[str] = Counter()
    for mine, theirs in pairs:
        tally.update({"both": len(mine & theirs), "mine": len(mine), "theirs": len(theirs)})
    precision, recall = tally["both"] / max(1, tally["mine"]), tally["both"] / max(1, tally["theirs"])
    return f"precision {precision:.3f} recall {recall:.3f} F1 {2 * tally['both'] / max(1, tally['mine'] + tally['theirs']):.3f}"


def keep(lesson: Lesson, weights: dict[str, Any]) -> None:
    """The model, its weights in whole numbers of a unit."""
    by_need = {need: lesson.by_trait(column) for need, column in weights.items()}
    kept: dict[str, list[int]] = {}
    for trait in sorted(next(iter(by_need.values()))):
        heavy = [of_need[trait] for of_need in by_need.values()]
        if max(map(abs, heavy)) >= LEAST:
            kept[trait] = [round(each / UNIT) for each in heavy]
    head = {"version": digest(adjustment_files()), "labels": list(by_need), "bias": [0] * len(by_need), "unit": UNIT}
    file = write(MODELS / "adjustments.json", head, kept)
    print(f"{file}: {len(kept)} traits, {file.stat().st_size // 1000} kB, version {head['version']}")


def main() -> None:
    """Learn, show and write."""
    chosen = vectors_chosen(__doc__)
    everybody, said = contacts(CONTACTS), list(marked())
    texts = [*(text for text, _, _ in said), *(text for each in (*everybody, *contacts(SET_APART)) for text in each.texts())]
    lesson = Lesson(texts, chosen, of_vectors=OF_VECTORS, traits=lambda spelt: [*ngrams(spelt), *needs.kinds(spelt)])
    keep(lesson, show(lesson, everybody, said))


if __name__ == "__main__":
    main()
