"""What would settle who wrote a contact: which question to ask of them, or what to look up, so that one candidate is left.

Pure. It says what is held and for whom, and never holds it: whoever asks must not read out to one person what is known of another.
"""

from collections.abc import Iterator, Sequence

from router.match.decision import Candidate, Query
from router.match.names import written


def settles(query: Query, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Each as a sentence, the most telling first; none where there is nobody to tell apart."""
    return tuple(_settles(query, candidates)) if candidates else ()


def _settles(query: Query, candidates: Sequence[Candidate]) -> Iterator[str]:
    if not any(written(each).is_full for each in query.names):
        yield "Their full name: nothing they give has both a forename and a surname."
    born = [each for each in candidates if each.date_of_birth]
    if born and query.date_of_birth is None:
        yield f"A birth date: one is held for {_all(born)}."
    elif others := [each for each in born if each.date_of_birth != query.date_of_birth]:
        yield f"Their birth date once more: what they give is not what is held for {_all(others)}."
    housed = [each for each in candidates if each.postcodes]
    if housed and not query.postcodes:
        yield f"Their address: one is held for {_all(housed)}."
    elif moved := [each for each in housed if set(query.postcodes).isdisjoint(each.postcodes)]:
        yield f"Whether they have moved: the address held for {_all(moved)} is another."
    given = {*query.emails, *query.phones}
    if unknown := [
        each for each in candidates if given.isdisjoint((*each.emails, *each.phones)) and (each.emails or each.phones)
    ]:
        yield f"An email or a phone that they used before: others are held for {_all(unknown)}."
    for one, other in _twice(candidates):
        yield f"Whether {one} and {other} are one person who is held twice; then `ingest register merge {one} {other}`."


def _twice(candidates: Sequence[Candidate]) -> Iterator[tuple[str, str]]:
    """Two of one name who share something else, and nothing tells them apart."""
    for place, one in enumerate(candidates):
        for other in candidates[place + 1 :]:
            apart = one.date_of_birth and other.date_of_birth and one.date_of_birth != other.date_of_birth
            shared = {*one.emails, *one.phones, *one.postcodes} & {*other.emails, *other.phones, *other.postcodes}
            if shared and not apart and _name(one) == _name(other):
                yield one.individual_id, other.individual_id


def _name(candidate: Candidate) -> tuple[str, ...]:
    return written(f"{candidate.given_name or ''} {candidate.surname or ''}").words


def _all(candidates: Sequence[Candidate]) -> str:
    return " and ".join(each.individual_id for each in candidates)
