"""A linear model over the words of a text: how much each word and pair of words speaks for each label, learned by tests/router/read/train.py."""

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files


class Linear:
    """Weights (natural logarithms of odds) by n-gram or another trait, from a file beside this one."""

    def __init__(self, name: str) -> None:
        told = json.loads(files("router.read").joinpath(name).read_text(encoding="utf-8"))
        self.version: str = told["version"]
        self.labels: Sequence[str] = tuple(told["labels"])
        self._bias: Sequence[float] = tuple(told["bias"])
        self._weights: dict[str, Sequence[float]] = {each: tuple(weights) for each, weights in told["weights"].items()}

    def score(self, plain: str) -> list[float]:
        """By label, in the order of ``labels``: the bias and the weight of each n-gram of one or two words that stands in it, once."""
        words = ["^", *plain.split(), "$"]
        return self.weigh(dict.fromkeys((*words, *map(" ".join, zip(words, words[1:], strict=False)))))

    def weigh(self, traits: Iterable[str]) -> list[float]:
        """The same of traits that are found already, each of them once."""
        known = self._weights
        return list(map(sum, zip(self._bias, *(known[each] for each in traits if each in known), strict=True)))

    def strongest(self, traits: Iterable[str], label: str, most: int) -> list[str]:
        """The traits that speak most for the label, of those that do."""
        at, known = self.labels.index(label), self._weights
        for_it = {each: known[each][at] for each in traits if each in known and known[each][at] > 0}
        return sorted(for_it, key=lambda each: -for_it[each])[:most]
