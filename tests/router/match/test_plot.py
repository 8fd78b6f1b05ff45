"""The drawing of docs/matching.md says what was measured."""

from xml.etree import ElementTree as ET

from router.match import Matched, Query, Unmatched
from tests.router.match import plot


def test_right_and_wrong_matches_are_drawn_by_set_and_by_scenario() -> None:
    asked = [plot.Asked(f"C{at}", Query(), f"R{at}" if at < 8 else "", "in" if at < 8 else "out_twin_rep") for at in range(10)]
    results = [
        *(Matched(f"R{at}", 1 - at / 100, ()) for at in range(7)),
        Unmatched("nobody"),
        Matched("R1", 0.5, ()),
        Unmatched("nobody"),
    ]
    every = [plot.Answered(each, [], result) for each, result in zip(asked, results, strict=True)]
    assert plot.point(every) == (7 / 8, 7, 8)
    assert list(plot.wrong_by_scenario(every)) == [("in the register", 0, 8), ("twin", 1, 2)]
    assert [(right, of) for _, right, of in plot.curve(every)][-1] == (7, 8)
    drawn = ET.fromstring(plot.picture([("one & all", every)]))
    said = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"one & all", "1 wrong of 8 matched", "one & all: twin", "1 of 2"} <= set(said)
