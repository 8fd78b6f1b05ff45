"""How much a contact sounds as if somebody were at risk, whatever words it says it in.

A linear model (harm.json, learned by tests/router/read/train_harm.py) weighs each sentence and each two neighbours. Most who are
in danger do not name it: they say that the dog has a new home, or that he goes through the phone bill.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log, sqrt
from typing import Final, NamedTuple

from router.read.linear import Linear
from router.read.sentences import Sentence

SHORTEST: Final = 6  # words: what is shorter weighs no more for it
FEWEST: Final = 5  # sentences: a contact of fewer is as one of five
SILENCE: Final = -3.0  # what a sentence that is not there would weigh
OF_BEST: Final = 1.15
OF_THIRD: Final = 0.87  # one sentence may chance to sound like it, three seldom do
OF_LENGTH: Final = -2.7  # of the logarithm of how many sentences there are: among many, one will
AT_REST: Final = 5.35

MODEL: Final = Linear("harm.json")


class Heard(NamedTuple):
    """What sounds most like it."""

    odds: float  # of a risk somewhere in the contact: a natural logarithm
    words: str  # the sentence, or the two neighbours, as written
    of_staff: bool  # whether it is those who work here who are threatened


def hear(lines: Sequence[Sentence]) -> Heard | None:
    """What sounds most like a risk; None where nothing is said."""
    if not lines:
        return None
    weighed = [MODEL.score(line.plain) for line in lines]
    lengths = [line.plain.count(" ") + 1 for line in lines]
    alone = [_evened(sums, length) for sums, length in zip(weighed, lengths, strict=True)]
    together = [
        _evened(list(map(sum, zip(*sums, strict=True))), sum(words))
        for sums, words in zip(pairwise(weighed), pairwise(lengths), strict=True)
    ]
    best = max(range(len(alone)), key=lambda at: alone[at][0])
    (harm, of_staff), words = alone[best], lines[best].text
    for at, (sounds, threatens) in enumerate(together):
        if sounds > harm:
            harm, of_staff, words = sounds, threatens, f"{lines[at].text} {lines[at + 1].text}"
    return Heard(odds(harm, [sounds for sounds, _ in alone]), words, of_staff > 0)


def odds(best: float, sentences: Sequence[float]) -> float:
    """Of a contact in which a sentence or two neighbours weigh ``best``, and its sentences what they do."""
    third = sorted(sentences)[-3] if len(sentences) > 2 else SILENCE
    return AT_REST + OF_BEST * best + OF_THIRD * third + OF_LENGTH * log(max(FEWEST, len(sentences)))


def _evened(sums: Sequence[float], length: int) -> list[float]:
    """Sums of a long sentence and of a short one, so that they compare."""
    by = 1 / sqrt(max(SHORTEST, length))
    return [total * by for total in sums]
