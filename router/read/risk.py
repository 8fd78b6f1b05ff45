"""How much a contact sounds as if somebody were at risk, whatever words it says it in.

A linear model (harm.json, learned by tests/router/read/train_harm.py) weighs each sentence and each two neighbours. Most who are
in danger do not name it: they say that the dog has a new home, or that he goes through the phone bill.
"""

from collections.abc import Sequence
from math import log, sqrt
from operator import add
from typing import Final, NamedTuple

from router.read.linear import Linear
from router.read.sentences import Sentence

SHORTEST: Final = 6  # words: what is shorter weighs no more for it
FEWEST: Final = 5  # sentences: a contact of fewer is as one of five
SILENCE: Final = -3.0  # what a sentence that is not there weighs, and what one weighs at least
OF_BEST: Final = 1.2
OF_THIRD: Final = 0.9  # one sentence may chance to sound like it, three seldom do
OF_LENGTH: Final = -2.5  # of the logarithm of how many sentences there are: among many, one will
AT_REST: Final = 4.65

MODEL: Final = Linear("harm.json")
_OF_STAFF: Final = Linear("threat-to-staff.json")


class Heard(NamedTuple):
    """What sounds most like it."""

    odds: float  # of a risk somewhere in the contact: a natural logarithm
    words: str  # the sentence, or the two neighbours, as written
    of_staff: bool  # whether it is those who work here who are threatened


def hear(lines: Sequence[Sentence]) -> Heard | None:
    """What sounds most like a risk; None where nothing is said."""
    if not lines:
        return None
    sums = [MODEL.odds(line.weight) for line in lines]
    lengths = [line.plain.count(" ") + 1 for line in lines]
    alone = list(map(evened, sums, lengths))
    together = list(map(evened, map(add, sums, sums[1:]), map(add, lengths, lengths[1:])))
    best = max(alone + together)
    at = (alone + together).index(best)
    said = lines[at : at + 1] if at < len(lines) else lines[at - len(lines) : at - len(lines) + 2]
    return Heard(odds(best, alone), " ".join(line.text for line in said), sum(_OF_STAFF.odds(line.weight) for line in said) > 0)


def odds(best: float, sentences: Sequence[float]) -> float:
    """Of a contact in which a sentence or two neighbours weigh ``best``, and its sentences what they do."""
    third = max(SILENCE, sorted(sentences)[-3]) if len(sentences) > 2 else SILENCE
    return AT_REST + OF_BEST * best + OF_THIRD * third + OF_LENGTH * log(max(FEWEST, len(sentences)))


def evened(total: float, words: int) -> float:
    """The sum of what its words weigh, so that a long sentence compares with a short one."""
    return total / sqrt(max(SHORTEST, words))
