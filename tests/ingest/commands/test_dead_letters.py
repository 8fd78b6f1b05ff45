"""``ingest dead-letters``: seen safely, put back, set aside."""

import pytest

from ingest.contract import Record
from tests.ingest.commands.conftest import KEY

BY = ("--by", "Sam")
NO_EVENT = Record("k", b"\x1b[2Jno event \xff", (("h", b"\x1b[1m\xe9"),))


@pytest.fixture
def dead(ingest, config):
    return lambda *arguments: ingest("dead-letters", *arguments, "--config", config)


@pytest.fixture
def letter(take_in, dead):
    take_in(NO_EVENT)
    (row,) = dead("list", "--json").rows
    return row["id"]


def test_it_is_listed_with_what_is_wrong(letter, dead):
    (row,) = dead("list", "--json").rows
    assert (row["reason"], row["state"], row["bytes"]) == ("missing-attribute", "open", len(NO_EVENT.value or b""))
    assert "missing-attribute" in dead("list").out


def test_it_is_shown_without_what_could_steer_a_terminal_and_its_bytes_are_written_untouched(letter, dead, tmp_path):
    shown = dead("show", letter[:8])
    assert shown.status == 0
    assert "no event \\xff" in shown.out
    assert "\x1b" not in shown.out
    out = tmp_path / "bytes"
    assert dead("show", letter, "--out", out).status == 0
    assert out.read_bytes() == NO_EVENT.value


def test_a_long_one_is_cut_and_says_so(take_in, dead):
    take_in(Record("k", b"x" * 100_000))
    shown = dead("show", dead("list", "--json").rows[0]["id"])
    assert len(shown.out) < 30_000
    assert "100,000 bytes" in shown.err


def test_50_a_tombstone_is_said_to_be_one(take_in, dead):
    take_in(Record("k", None))
    assert "tombstone" in dead("show", dead("list", "--json").rows[0]["id"]).out


def test_one_put_back_is_no_longer_open(letter, dead):
    assert dead("replay", letter, *BY).status == 0
    assert dead("list", "--json").rows == []
    assert dead("list", "--all", "--json").rows[0]["state"] == "replayed"
    again = dead("replay", letter, *BY)
    assert (again.status, "Sam has replayed it already" in again.err) == (1, True)


def test_one_set_aside_wants_a_reason(letter, dead):
    assert dead("discard", letter, *BY).status == 2
    assert dead("discard", letter, *BY, "--because", "a test of theirs").status == 0
    assert dead("list", "--all", "--json").rows[0]["state"] == "discarded"


def test_what_lies_on_the_log_is_ours_after_the_key_was_rotated_unless_the_one_before_is_forgotten(take_in, dead, config):
    """``take_in`` marks with the first key, as the process did that took it in before the rotation."""
    config.with_name("previous.keys").write_text(KEY)
    config.with_name("ingest.key").write_text(KEY[::-1])
    forgotten = config.read_text()
    config.write_text(f'previous_keys_file = "previous.keys"\n{forgotten}')
    take_in("It was taken in before.")
    assert dead("list", "--json").rows == []
    config.write_text(forgotten)
    take_in("So was this.")
    assert [row["reason"] for row in dead("list", "--json").rows] == ["not-ours"]
