"""What in a contact may speak for an outcome: its words and pairs of words, what kinds of words they are, the rows that hit, and its make-up.

Learning and reading find them by this one function, so that what was weighed is what is found.
"""

from collections.abc import Iterable, Mapping, Sequence

from router.read.kinds import KIND
from router.read.sentences import Sentence

_LENGTHS = (4, 8, 15, 30, 60, 110, 200)  # words
WHOLE = -1  # what no one sentence has


def traits(
    channel: str, lines: Sequence[Sentence], rows: Iterable[str], *, references: int, named: int
) -> Mapping[str, int]:
    """Each once, with the first sentence that has it, in an order that the contact alone decides.

    ``rows`` are the names of those that it hit, ``references`` counts our case references, ``named`` the other bodies named.
    """
    found: dict[str, int] = {}
    note = found.setdefault
    length = asks = said = 0
    for place, line in enumerate(lines):
        words = line.plain.split(" ")
        length += len(words)
        asks += line.question
        said += not line.from_subject
        for each in words:
            note(each, place)
            if len(each) > 5:
                note(each[:5] + "-", place)
        for pair in zip(["^", *words], [*words, "$"], strict=True):
            note(" ".join(pair), place)
        if line.from_subject:
            for each in words:
                note("s " + each, place)
        kinds = ["^", *[KIND.get(each) or "#" for each in words if each in KIND or each[0].isdigit()], "$"]
        for each in kinds:
            note("=" + each, place)
        if line.question:
            for each in kinds:
                note("?" + each, place)
        for pair in zip(kinds, kinds[1:], strict=False):
            note("=" + " ".join(pair), place)
        for three in zip(kinds, kinds[1:], kinds[2:], strict=False):
            note("=" + " ".join(three), place)
    note("channel " + channel, WHOLE)
    note(f"length {sum(length > each for each in _LENGTHS)}", WHOLE)
    note(f"references {min(references, 2)}", WHOLE)
    note(f"bodies {min(named, 3)}", WHOLE)
    note("asks " + ("nothing" if not asks else "only" if asks >= said else "also"), WHOLE)
    for each in rows:
        note("row " + each, WHOLE)
    return found
