"""What in a contact may speak for an outcome: its words and pairs of words, what kinds of words they are, the rows that hit, and its make-up.

Learning and reading find them by this one function, so that what was weighed is what is found.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import add

from router.read.kinds import KIND
from router.read.sentences import Sentence

_LENGTHS = (4, 8, 15, 30, 60, 110, 200)  # words
WHOLE = -1  # what no one sentence has


def traits(channel: str, lines: Sequence[Sentence], rows: Iterable[str], *, references: int, named: int) -> Mapping[str, int]:
    """Each once, with the first sentence that has it, in an order that the contact alone decides.

    ``rows`` are the names of those that it hit, ``references`` counts our case references, ``named`` the other bodies named.
    """
    found: dict[str, int] = {}
    known = KIND.get
    length = asks = said = 0
    for place in range(len(lines) - 1, -1, -1):  # so that of sentences which have it the first is left
        line = lines[place]
        words = line.plain.split(" ")
        kinds = ["^", *[kind for each in words if (kind := known(each) or (each[0].isdigit() and "=#"))], "$"]
        length += len(words)
        asks += line.question
        said += not line.from_subject
        begun = [each + " " for each in kinds]
        twos = list(map(add, begun, kinds[1:]))
        there = [*line.spoken, *kinds, *twos, *map(add, begun, twos[1:])]
        if line.from_subject:
            there += ["s " + each for each in words]
        if line.question:
            there += ["?" + each for each in kinds]
        found.update(dict.fromkeys(there, place))
    whole = [
        "channel " + channel,
        f"length {bisect_left(_LENGTHS, length)}",
        f"references {min(references, 2)}",
        f"bodies {min(named, 3)}",
        "asks " + ("nothing" if not asks else "only" if asks >= said else "also"),
        *["row " + each for each in rows],
    ]
    found.update(dict.fromkeys(whole, WHOLE))
    return found
