"""A linear model over what stands in a text: how much each trait of it, such as a pair of words, speaks for each label.

The weights were learned by the trainers under tests/router/read. Those of all labels lie side by side in one whole number, so that
one addition is one for every label, and the order of traits is nothing to the sum.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from struct import Struct

_LANE = 32  # bits of a label: a text of any length that is read stays far within them
_FINEST = 0.001  # of weights in a file that has no unit of its own


class Linear:
    """Weights (natural logarithms of odds) by trait, from a file beside this one."""

    def __init__(self, name: str) -> None:
        told = json.loads(files("router.read").joinpath(name).read_text(encoding="utf-8"))
        self.version: str = told["version"]
        self.labels: Sequence[str] = tuple(told["labels"])
        self.sureness: Sequence[float] = tuple(told.get("sureness", (1.0, 0.0)))  # slope and shift of log odds that are true
        self._bias: Sequence[float] = tuple(told["bias"])
        self._unit: float = told.get("unit", _FINEST)
        whole = 1.0 if "unit" in told else 1 / _FINEST
        self._weights = {
            each: sum(round(weight * whole) << (_LANE * at) for at, weight in enumerate(weights))
            for each, weights in told["weights"].items()
        }
        self._lanes = Struct(f"<{len(self.labels)}i")
        self._middles = sum(1 << (_LANE * at + _LANE - 1) for at in range(len(self.labels)))
        self._speaking_for = cache(self._that_speak_for)

    def weigh(self, traits: Iterable[str], share: float = 1.0) -> list[float]:
        """By label, in the order of ``labels``: the bias, and ``share`` of the weight of each trait, as often as it is there."""
        step = share * self._unit
        return [bias + step * each for bias, each in zip(self._bias, self._by_label(self._sum(traits)), strict=True)]

    def odds(self, traits: Iterable[str]) -> float:
        """The same of a model that has one label."""
        return self._bias[0] + self._unit * self._sum(traits)

    def strongest(self, traits: Iterable[str], at: int, most: int) -> list[str]:
        """The traits that speak most for a label, by its place among them."""
        known = self._speaking_for(at).get
        for_it = sorted([(weight, each) for each in traits if (weight := known(each))], reverse=True)
        return [each for _, each in for_it[:most]]

    def _sum(self, traits: Iterable[str]) -> int:
        return sum(filter(None, map(self._weights.get, traits)))

    def _by_label(self, together: int) -> Sequence[int]:
        # Above the middle each lane has its own sign and none has borrowed from the next.
        return self._lanes.unpack((together + self._middles ^ self._middles).to_bytes(self._lanes.size, "little"))

    def _that_speak_for(self, at: int) -> dict[str, int]:
        return {each: weight for each, weights in self._weights.items() if (weight := self._by_label(weights)[at]) > 0}
