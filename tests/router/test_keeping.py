"""Nothing goes that is open, whatever its time: said by values alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from router.keeping import Held, Kind, Tally, Why, goes, of_one_matter

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

spans = st.none() | st.timedeltas(timedelta(days=7), timedelta(days=4_000))
things = st.builds(
    Held,
    st.tuples(st.uuids()),
    st.timedeltas(timedelta(0), timedelta(days=6_000)).map(lambda age: NOW - age),
    st.lists(st.sampled_from(Why), unique=True, max_size=3).map(tuple),
)


@given(things, spans)
def test_what_anything_keeps_never_goes_nor_what_has_no_time_nor_what_has_time_left(thing: Held, kept_for: timedelta | None):
    if goes(thing, kept_for, NOW):
        assert thing.keeps == ()
        assert kept_for is not None
        assert NOW - thing.since >= kept_for


@given(st.lists(things, min_size=1, max_size=6), spans)
def test_contacts_of_one_matter_go_together_or_not_at_all(some: list[Held], kept_for: timedelta | None):
    gone = [goes(each, kept_for, NOW) for each in of_one_matter(some, kept_for, NOW)]
    assert all(gone) or not any(gone)


@given(st.lists(things, max_size=20), spans)
def test_all_that_is_past_its_time_either_goes_or_has_one_reason_to_stay(some: list[Held], kept_for: timedelta | None):
    tally = Tally(Kind.TASKS, kept_for)
    gone = tally.count(some, NOW)
    assert gone == [each for each in some if goes(each, kept_for, NOW)]
    assert tally.past == tally.goes + sum(tally.stays.values())
    assert tally.goes == len(gone)


def test_a_time_is_over_to_the_moment():
    year = timedelta(days=365)
    assert goes(Held((1,), NOW - year), year, NOW)
    assert not goes(Held((1,), NOW - year + timedelta(microseconds=1)), year, NOW)
