"""A linear model over what stands in a text: how much each trait of it, such as a pair of words, speaks for each label.

The weights were learned by the trainers under tests/router/read. Those of all labels of all models lie side by side in one whole
number, so that a trait is looked up once and one addition is one for every label, and the order of traits is nothing to the sum.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from struct import Struct
from typing import Final

_LANE: Final = 32  # bits of a label: a text of any length that is read stays far within them
_MIDDLE: Final = 1 << _LANE - 1
_FINEST: Final = 0.001  # of weights in a file that has no unit of its own

_WEIGHTS: Final[dict[str, int]] = {}  # by trait, in all models
_ENDS: Final[dict[str, int]] = {}  # by model, at which bit its labels end


def known(traits: Iterable[str]) -> dict[str, int]:
    """Of the traits those that a model knows, each once, with what they weigh in all models."""
    weight = _WEIGHTS.get
    return {each: found for each in traits if (found := weight(each))}


def together(traits: Iterable[str]) -> int:
    """What traits weigh in all models, each as often as it is there."""
    return sum(filter(None, map(_WEIGHTS.get, traits)))


class Linear:
    """Weights (natural logarithms of odds) by trait, from a file beside this one."""

    def __init__(self, name: str) -> None:
        told = json.loads(files("router.read").joinpath(name).read_text(encoding="utf-8"))
        self.version: str = told["version"]
        self.labels: Sequence[str] = tuple(told["labels"])
        self.sureness: Sequence[float] = tuple(told.get("sureness", (1.0, 0.0)))  # slope and shift of log odds that are true
        self._bias: Sequence[float] = tuple(told["bias"])
        self._unit: float = told.get("unit", _FINEST)
        self._lanes = Struct(f"<{len(self.labels)}i")
        self._middles = sum(_MIDDLE << (_LANE * at) for at in range(len(self.labels)))
        self._all = (1 << 8 * self._lanes.size) - 1
        if name not in _ENDS:
            weights = told["weights"] if "unit" in told else _in_whole(told["weights"])
            _lay_beside(name, weights, self._lanes, self._middles)
        self._begins = _ENDS[name] - _LANE * len(self.labels)
        # Above the middle each lane has its own sign and none has borrowed from the next, nor the first from the model below.
        self._up = (self._middles << self._begins) + (1 << self._begins >> 1)

    def weigh(self, traits: Iterable[str] | int, share: float = 1.0) -> list[float]:
        """By label, in the order of ``labels``: the bias, and ``share`` of what the traits weigh; a number is what they do together."""
        step = share * self._unit
        return [bias + step * each for bias, each in zip(self._bias, self._by_label(traits), strict=True)]

    def odds(self, traits: Iterable[str] | int) -> float:
        """The same of a model that has one label."""
        return self._bias[0] + self._unit * self._by_label(traits)[0]

    def strongest(self, there: Mapping[str, int], at: int, most: int) -> list[str]:
        """Of known traits those that speak most for a label, by its place among them."""
        lane, up, ones = self._begins + _LANE * at, self._up, (1 << _LANE) - 1
        for_it = sorted(
            [(weight, each) for each, of in there.items() if (weight := (of + up >> lane) & ones) > _MIDDLE], reverse=True
        )
        return [each for _, each in for_it[:most]]

    def _by_label(self, traits: Iterable[str] | int) -> Sequence[int]:
        of_all = traits if isinstance(traits, int) else together(traits)
        mine = (of_all + self._up >> self._begins) & self._all
        return self._lanes.unpack((mine ^ self._middles).to_bytes(self._lanes.size, "little"))


def _in_whole(weights: Mapping[str, Sequence[float]]) -> dict[str, list[int]]:
    return {each: [round(weight / _FINEST) for weight in of] for each, of in weights.items()}


def _lay_beside(name: str, weights: Mapping[str, Sequence[int]], lanes: Struct, middles: int) -> None:
    """Add a model's weights to those of the others, above them."""
    begins = max(_ENDS.values(), default=0)
    _ENDS[name] = begins + 8 * lanes.size
    for each, of in weights.items():
        mine = (int.from_bytes(lanes.pack(*of), "little") ^ middles) - middles  # lanes below zero borrow from those above
        _WEIGHTS[each] = _WEIGHTS.get(each, 0) + (mine << begins)
