"""What would settle who wrote: said for whom, and never what is held."""

from datetime import date

import pytest

from router.match import Candidate, Query, settles

JOAN = Candidate(
    "R1", "Joan", "Pettifer", date(1944, 2, 19), ("joan@example.com",), ("+441632960114",), ("DE80 4PT",), ("14 Quarry Lane",)
)
ARTHUR = Candidate("R2", "Arthur", "Pettifer", None, (), (), ("DE80 4PT",), ("14 Quarry Lane",))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        (Query(names=("J. Pettifer",)), "Their full name"),
        (Query(names=("Joan Pettifer",)), "A birth date: one is held for R1."),
        (Query(names=("Joan Pettifer",), date_of_birth=date(1945, 2, 19)), "is not what is held for R1."),
        (Query(names=("Joan Pettifer",)), "Their address: one is held for R1 and R2."),
        (
            Query(names=("Joan Pettifer",), postcodes=("LE50 1QN",)),
            "Whether they have moved: the address held for R1 and R2 is another.",
        ),
        (
            Query(names=("Joan Pettifer",), emails=("new@example.com",)),
            "An email or a phone that they used before: others are held for R1.",
        ),
    ],
)
def test_the_question_that_would_tell_is_named(query, says):
    assert any(says in each for each in settles(query, [JOAN, ARTHUR]))


def test_one_person_who_is_held_twice_is_to_be_merged():
    again = Candidate("made-1", "Joan", "Pettifer", None, ("joan@example.com",))
    said = settles(Query(names=("Joan Pettifer",), emails=("joan@example.com",)), [JOAN, again])
    assert "Whether R1 and made-1 are one person who is held twice; then `ingest register merge R1 made-1`." in said
    twin = Candidate("R3", "Joan", "Pettifer", date(1990, 1, 1), ("joan@example.com",))
    assert not any("merge" in each for each in settles(Query(), [JOAN, twin]))


def test_nothing_that_is_held_stands_in_it():
    said = " ".join(settles(Query(names=("J",), postcodes=("LE50 1QN",)), [JOAN, ARTHUR]))
    for held in ("1944", "joan@", "960114", "Quarry", "DE80"):
        assert held not in said


def test_of_nobody_nothing_is_said():
    assert settles(Query(), []) == ()
