"""``ingest replay --dry-run``: what today's rules would change about stored contacts, told and not done."""

import sqlite3

import pytest

from ingest.commands import replay as command
from ingest.ids import reference
from router import decide as deciding
from router.decide import RULES

FEEDBACK = "I waited nine months for your decision and nobody told me why."
UNCLEAR = "Hello. It is about the thing."


@pytest.fixture
def replay(ingest, config):
    return lambda *arguments: ingest("replay", *arguments, "--config", config)


@pytest.fixture
def without_feedback(monkeypatch: pytest.MonkeyPatch):
    """Rules of another release: none for feedback."""
    return lambda: monkeypatch.setattr(deciding, "RULES", tuple(each for each in RULES if each.name != "feedback"))


def test_it_shows_how_many_go_from_what_to_what_and_which(take_in, replay, without_feedback, config):
    about, other, _ = take_in(FEEDBACK, FEEDBACK, UNCLEAR)
    without_feedback()
    with sqlite3.connect(config.with_name("register.db")) as register:
        before = list(register.iterdump())
    done = replay("--dry-run")
    assert done.status == 0
    assert "What would change" in done.out
    assert reference(about.id) in done.out
    assert reference(other.id) in done.out
    assert (
        "Decided anew: 3, of which 2 would come to something else. Left out, since a person has decided on them: 0." in done.err
    )
    with sqlite3.connect(config.with_name("register.db")) as register:
        assert list(register.iterdump()) == before


def test_as_json_it_is_a_line_for_each_that_would_change(take_in, replay, without_feedback):
    about, _ = take_in(FEEDBACK, UNCLEAR)
    without_feedback()
    (row,) = replay("--dry-run", "--json").rows
    assert row == {
        "reference": reference(about.id),
        "came_by": "email",
        "received": "2026-03-02T09:30:00+00:00",
        "from": "RecordFeedback",
        "from_rule": "feedback",
        "to": "HoldForReview",
        "to_rule": "nothing-fits",
        "differs_in": ["disposition", "rule"],
    }


def test_where_nothing_would_change_it_says_so(take_in, replay):
    take_in(FEEDBACK, UNCLEAR)
    done = replay("--dry-run")
    assert (done.status, done.out) == (0, "")
    assert "Decided anew: 2, of which 0 would" in done.err
    assert replay("--dry-run", "--json").rows == []


def test_it_is_narrowed_by_time_channel_and_number(take_in, replay):
    take_in(FEEDBACK, UNCLEAR, {"text": FEEDBACK, "channel": "letter", "account": "post"})
    assert "Decided anew: 0," in replay("--dry-run", "--since", "2026-03-03").err
    assert "Decided anew: 3," in replay("--dry-run", "--since", "2026-03-02").err
    assert "Decided anew: 1," in replay("--dry-run", "--channel", "letter").err
    assert "Decided anew: 2," in replay("--dry-run", "--most", "2").err


def test_many_are_cut_and_it_says_so(take_in, replay, without_feedback, monkeypatch: pytest.MonkeyPatch):
    take_in(FEEDBACK, FEEDBACK)
    without_feedback()
    monkeypatch.setattr(command, "_MOST_SHOWN", 1)
    done = replay("--dry-run")
    assert "latest 1; --json prints all" in done.err
    assert len(replay("--dry-run", "--json").rows) == 2


def test_one_that_can_be_read_no_more_is_exit_status_1(take_in, replay, config):
    about, _ = take_in(FEEDBACK, UNCLEAR)
    with sqlite3.connect(config.with_name("register.db")) as register:
        register.execute("UPDATE contacts SET body = '{}' WHERE id = ?", (about.id.hex,))
    done = replay("--dry-run", "--json")
    assert done.status == 1
    assert (done.rows[0]["to"], done.rows[0]["to_rule"]) == ("dead letter", "ValidationError")
    assert "1 could not be decided on any more" in done.err


def test_whom_it_would_be_from_is_told(take_in, replay, config):
    (about,) = take_in(FEEDBACK)
    with sqlite3.connect(config.with_name("register.db")) as register:
        register.execute("UPDATE dispositions SET individual_id = 'R9' WHERE contact_id = ?", (about.id.hex,))
    (row,) = replay("--dry-run", "--json").rows
    assert row["differs_in"] == ["individual R9 → none"]


def test_without_dry_run_it_does_nothing_and_says_who_may(take_in, replay):
    take_in(FEEDBACK)
    done = replay()
    assert (done.status, done.out) == (2, "")
    assert "a person decides otherwise" in done.err
