"""A linear model over the words of a text: how much each word and pair of words speaks for each label, learned by tests/router/read/train.py."""

import json
from collections.abc import Iterable, Sequence
from heapq import nlargest
from importlib.resources import files
from itertools import pairwise, zip_longest


class Linear:
    """Weights (natural logarithms of odds) by n-gram or another trait, from a file beside this one."""

    def __init__(self, name: str) -> None:
        told = json.loads(files("router.read").joinpath(name).read_text(encoding="utf-8"))
        self.version: str = told["version"]
        self.labels: Sequence[str] = tuple(told["labels"])
        self._bias: Sequence[float] = tuple(told["bias"])
        self._unit: float = told.get("unit", 1.0)  # of weights that are kept as whole numbers
        self.sureness: Sequence[float] = tuple(told.get("sureness", (1.0, 0.0)))  # slope and shift of log odds that are true
        self._weights: dict[str, Sequence[float]] = {each: tuple(weights) for each, weights in told["weights"].items()}

    def score(self, plain: str) -> list[float]:
        """By label, in the order of ``labels``: the bias and the weight of each n-gram of one or two words that stands in it, once."""
        words = ["^", *plain.split(), "$"]
        return self.weigh(dict.fromkeys((*words, *map(" ".join, pairwise(words)))))

    def weigh(self, traits: Iterable[str], share: float = 1.0) -> list[float]:
        """The same of traits that are found already, each of them once and for ``share`` of its weight."""
        sums = map(sum, zip(*filter(None, map(self._weights.get, traits)), strict=True))
        return [bias + share * self._unit * total for bias, total in zip_longest(self._bias, sums, fillvalue=0.0)]

    def strongest(self, traits: Iterable[str], at: int, most: int) -> list[str]:
        """The traits that speak most for a label, by its place among them."""
        known = self._weights.get
        for_it = [(weights[at], each) for each in traits if (weights := known(each)) and weights[at] > 0]
        return [each for _, each in nlargest(most, for_it)]
