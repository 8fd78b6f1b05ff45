"""The bench of mail has every side read the same mail."""

from pathlib import Path

from tests.bench.mail import measure

SAMPLES = Path("tests/channels/email/samples")


def test_ours_is_held_against_the_standard_library() -> None:
    took = measure([each.read_bytes() for each in sorted(SAMPLES.glob("*.eml"))], 1)
    assert {"ours", "standard library", "standard library's parser alone"} <= took.keys()
    assert all(seconds > 0 for seconds in took.values())
