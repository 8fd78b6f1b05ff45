"""A weights file says all that matching knows and nothing else, and has a version."""

import json
from importlib.resources import files

import pytest

from router.match.weights import COMPARISONS, Unusable, read, scale, shipped

TEXT = (files("router.match") / "weights.json").read_text(encoding="utf-8")


def test_the_shipped_weights_name_every_level_of_every_comparison() -> None:
    assert {name: tuple(levels) for name, levels in shipped().comparisons.items()} == dict(COMPARISONS)
    assert shipped().version


def test_a_level_that_agrees_more_speaks_no_less() -> None:
    bits = scale(shipped(), 100_000).bits
    for comparison in ("birth date", "address", "email"):
        order = [bits[comparison][level] for level in COMPARISONS[comparison]]
        assert [m for m, _ in order] == sorted((m for m, _ in order), reverse=True)
        apart = [round(m - h, 2) for m, h in order]
        assert apart == sorted(apart, reverse=True)


def test_an_identifier_says_more_in_a_bigger_register_and_less_the_more_share_it() -> None:
    small, big = scale(shipped(), 10_000), scale(shipped(), 1_000_000)
    assert big.held_by("email", "exact", 1)[0] > small.held_by("email", "exact", 1)[0]
    assert small.held_by("email", "exact", 1)[0] > small.held_by("email", "exact", 2)[0] > small.held_by("email", "exact", 4)[0]


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (lambda said: said["comparisons"].pop("phone"), "phone"),
        (lambda said: said["comparisons"]["email"].pop("exact"), "exact"),
        (lambda said: said["comparisons"].update(horoscope={}), "horoscope"),
        (lambda said: said["comparisons"]["email"]["exact"].update(m=0), "not above 0"),
        (lambda said: said["comparisons"]["email"]["exact"].update(colour="red"), "no weights file"),
        (lambda said: said.update(automatic=1.5), "thresholds"),
        (lambda said: said.pop("version"), "version"),
    ],
)
def test_what_it_does_not_know_is_refused_and_named(change, because) -> None:
    said = json.loads(TEXT)
    change(said)
    with pytest.raises(Unusable, match=because):
        read(json.dumps(said))


def test_what_is_no_json_is_refused() -> None:
    for text in ("", "[]", "null", "{", "{}"):
        with pytest.raises(Unusable):
            read(text)
