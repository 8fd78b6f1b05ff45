"""What the trainers share that learn sentence by sentence: texts as numbers, word vectors, writers left out in turn, the file of a model."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from math import sqrt
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from router.read import risk
from router.read.sentences import ngrams

MODELS: Final = Path("router/read")
STRENGTH: Final = 4.0  # of what weights may grow to
FEWEST: Final = 2  # texts that must have an n-gram
COMMON: Final = 200  # of the commonest words, which are little but grammar, the vectors say nothing
WORDS: Final = 20_000  # that get a weight from their vectors alone


class Text(NamedTuple):
    """Something to weigh: the words of a sentence or of two neighbours."""

    parts: tuple[str, ...]

    def length(self) -> float:
        return sqrt(max(risk.SHORTEST, sum(part.count(" ") + 1 for part in self.parts)))


class Lesson:
    """All texts as numbers: a row each, with a column for each n-gram and for each dimension of the vectors."""

    def __init__(
        self,
        texts: Sequence[Text],
        file_of_vectors: Path | None,
        *,
        of_vectors: float,
        traits: Callable[[str], Iterable[str]] = ngrams,
    ) -> None:
        """``of_vectors`` is how much those weigh beside the words themselves.

        Of two neighbours the traits of both are added up in reading, and nearly so here.
        """
        self._numpy, self._sparse = import_module("numpy"), import_module("scipy.sparse")
        self._regression: Any = import_module("sklearn.linear_model").LogisticRegression
        self.at = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        said = {text: {each for part in text.parts for each in traits(part)} for text in self.at}
        in_how_many = Counter(each for grams in said.values() for each in grams)
        self.columns = {
            each: number for number, each in enumerate(sorted(each for each, times in in_how_many.items() if times >= FEWEST))
        }
        self.said_at_all = in_how_many
        self.vectors = self._centred(_vectors(file_of_vectors, set(in_how_many)), of_vectors) if file_of_vectors else {}
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

    def _centred(self, vectors: Mapping[str, Sequence[float]], share: float) -> dict[str, Any]:
        array = {word: self._numpy.array(vector) for word, vector in list(vectors.items())[COMMON:]}
        middle = sum(list(array.values())[:WORDS]) / WORDS if array else 0
        return {word: share * (each - middle) / self._numpy.linalg.norm(each - middle) for word, each in array.items()}

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

    def by_trait(self, weights: Any) -> dict[str, float]:
        """The weights, those of the vectors among those of the words."""
        of_ngrams, of_vectors = weights[: len(self.columns)], weights[len(self.columns) :]
        known = [word for number, word in enumerate(self.vectors) if number < WORDS or word in self.said_at_all]
        return {
            each: float(of_ngrams[self.columns[each]] if each in self.columns else 0)
            + float(self.vectors[each] @ of_vectors if each in self.vectors else 0)
            for each in dict.fromkeys((*self.columns, *known))
        }


def _vectors(file: Path, said: set[str]) -> dict[str, Sequence[float]]:
    """Of the commonest words and of those said here, the commonest first."""
    told = json.loads(file.read_text(encoding="utf-8"))
    return {
        word: told["vectors"][word][: told["dimensions"]]
        for number, word in enumerate(told["words"])
        if word in told["vectors"] and (number < WORDS or word in said)
    }


def vectors_chosen(told: str | None) -> Path | None:
    """The file of word vectors that a trainer was started with."""
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="word vectors, as JSON")
    return parser.parse_args().vectors


class _Written(Protocol):
    @property
    def writer(self) -> str: ...


_W = TypeVar("_W", bound=_Written)


def left_out(everybody: Sequence[_W]) -> Iterator[tuple[list[_W], list[_W]]]:
    """Each writer in turn: what all others wrote, and what this one did."""
    for writer in dict.fromkeys(each.writer for each in everybody):
        yield (
            [each for each in everybody if each.writer != writer],
            [each for each in everybody if each.writer == writer],
        )


def write(file: Path, head: Mapping[str, Any], weights: Mapping[str, Sequence[float]]) -> Path:
    """One trait a line, so that a change of what is learned from is a readable change of the file."""
    lines = ",\n".join(
        f"{json.dumps(each, ensure_ascii=False)}:{json.dumps(of_each, separators=(',', ':'))}"
        for each, of_each in weights.items()
    )
    told = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    file.write_text(f'{told},"weights":{{\n{lines}\n}}}}\n', encoding="utf-8")
    return file
