"""Draws how right matching is for how much it decides by itself, and how often it is wrong by scenario: docs/pictures/matching.svg.

``python tests/router/match/plot.py`` makes people anew in three sets and measures them as measure.py does; ``NAME=FOLDER`` measures a
set with its truth instead, as often as it is given. ``--register`` and ``--contacts`` say how many people are made for each.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log10
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import people
from measure import Answered, answered, found_by_register, make, surest, wilson
from sets import Asked, contacts_of, register_of

from router.match import Matched
from router.match.training import statistics_of

PICTURE: Final = Path(__file__).parents[3] / "docs" / "pictures" / "matching.svg"
# Seeds that nothing was trained or settled on.
MADE: Final[Mapping[str, tuple[int, people.Noise, float]]] = {
    "made": (903, people.PLAIN, 0.6), "made, rough": (901, people.ROUGH, 0.6), "made, traps": (902, people.TRAPS, 0.35),
}  # fmt: skip
KINDS: Final = {
    "in": "in the register", "out_household": "another at home", "out_jrsr": "father or son", "out_samename": "namesake",
    "out_stranger": "stranger", "out_twin": "twin",
}  # fmt: skip
COLOURS: Final = ("#1d70b8", "#00703c", "#d4351c", "#4c2c92", "#f47738")
_INK, _FAINT, _GREY = "#0b0c0c", "#f3f2f1", "#505a5f"
_LEFT, _TOP, _WIDE, _HIGH = 90.0, 60.0, 560.0, 320.0
_ROW = 20.0
_STEPS: Final = 60
_LEAST: Final = 1e-5  # of wrong ones: what is drawn at the edge is that or fewer


def measured(folder: Path, asked: Sequence[Asked]) -> list[Answered]:
    """Each contact decided, by the register's own search."""
    return answered(asked, found_by_register(folder, asked), statistics_of(register_of(folder)))


def every_set(folders: Sequence[str], register: int, contacts: int) -> Iterator[tuple[str, list[Answered]]]:
    """Those named, or those made."""
    for each in folders:
        name, _, folder = each.partition("=")
        yield name, measured(Path(folder), contacts_of(Path(folder)))
    for name, (seed, noise, inside) in {} if folders else MADE.items():
        with TemporaryDirectory() as place:
            yield name, measured(Path(place), make(Path(place), seed, noise, register, contacts, inside))


def curve(every: Sequence[Answered]) -> Iterator[tuple[float, int, int]]:
    """From the surest down, rules put aside: the share of those in the register who are matched rightly, how many are, and of how many."""
    scored = surest(every)
    inside, right = sum(bool(each.asked.person) for each in every), 0
    step = max(1, len(scored) // _STEPS)
    for at, (_, good) in enumerate(scored, 1):
        right += good
        if at % step == 0 or at == len(scored):
            yield right / max(1, inside), right, at


def point(every: Sequence[Answered]) -> tuple[float, int, int]:
    """Where it works: as in ``curve``, of those matched by score and rules."""
    matched = [(each.result.individual_id, each.asked.person) for each in every if isinstance(each.result, Matched)]
    right = sum(found == person for found, person in matched)
    return right / max(1, sum(bool(each.asked.person) for each in every)), right, len(matched)


def wrong_by_scenario(every: Sequence[Answered]) -> Iterator[tuple[str, int, int]]:
    """How many of each scenario's contacts are matched with somebody else, and of how many; representatives with their kind."""
    for kind in sorted({each.asked.scenario.removesuffix("_rep") for each in every}):
        theirs = [each for each in every if each.asked.scenario.removesuffix("_rep") == kind]
        wrong = sum(isinstance(each.result, Matched) and each.result.individual_id != each.asked.person for each in theirs)
        yield KINDS.get(kind, kind.replace("_", " ")), wrong, len(theirs)


def picture(sets: Sequence[tuple[str, list[Answered]]]) -> str:
    """Both drawings, one above the other."""
    rows = [
        (name, colour, *row) for (name, every), colour in zip(sets, COLOURS, strict=False) for row in wrong_by_scenario(every)
    ]
    below = _TOP + _HIGH + 110
    height = below + _ROW * len(rows) + 50
    width = _LEFT + _WIDE + 210
    title = "Precision against the share matched by itself, and wrong matches by scenario, with intervals of 95 %"
    drawn = [
        *_axes(),
        *(line for at, (name, every) in enumerate(sets) for line in _set(at, name, every)),
        *_scenarios(rows, below),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img">\n'
        f'<g font-family="sans-serif" font-size="13" fill="{_INK}">\n<title>{title}</title>\n'
        '<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(drawn) + "\n</g></svg>\n"
    )


def _axes() -> Iterator[str]:
    yield _text(_LEFT, 25, "Matches that are right, by how many of those in the register are matched by itself", "start")
    yield _text(
        _LEFT, 43, "Lines: by the score alone. Dots: as it works, by score and rules. Intervals of 95 %.", "start", _GREY
    )
    for share in (1e-1, 1e-2, 1e-3, 1e-4, _LEAST):
        y = _y(share)
        yield _text(_LEFT - 8, y + 4, f"{1 - share:.5f}".rstrip("0") if share > _LEAST else "all", "end")
        yield f'<path d="M{_LEFT:g} {y:.1f}h{_WIDE:g}" stroke="{_FAINT}"/>'
    for tenth in range(0, 11, 2):
        yield _text(_x(tenth / 10), _TOP + _HIGH + 20, f"{tenth / 10:.1f}", "middle")
    yield _text(_LEFT + _WIDE / 2, _TOP + _HIGH + 42, "matched rightly, of those in the register", "middle")


def _set(at: int, name: str, every: Sequence[Answered]) -> Iterator[str]:
    colour, line = COLOURS[at % len(COLOURS)], list(curve(every))
    bounds = [(coverage, *wilson(right, of)) for coverage, right, of in line]
    band = [f"{_x(coverage):.1f} {_y(1 - high):.1f}" for coverage, _, high in bounds]
    band += [f"{_x(coverage):.1f} {_y(1 - low):.1f}" for coverage, low, _ in reversed(bounds)]
    yield f'<path d="M{"L".join(band)}z" fill="{colour}" fill-opacity="0.1"/>'
    path = "L".join(f"{_x(coverage):.1f} {_y(1 - right / of):.1f}" for coverage, right, of in line)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    coverage, right, of = point(every)
    low, high = wilson(right, of)
    x = _x(coverage)
    yield f'<path d="M{x:.1f} {_y(1 - high):.1f}V{_y(1 - low):.1f}" stroke="{colour}" stroke-width="2"/>'
    yield f'<circle cx="{x:.1f}" cy="{_y(1 - right / max(1, of)):.1f}" r="5" fill="{colour}"/>'
    beside, y = _LEFT + _WIDE + 20, _TOP + 20 + 40 * at
    yield f'<circle cx="{beside:g}" cy="{y - 4:g}" r="5" fill="{colour}"/>'
    yield _text(beside + 12, y, name, "start")
    yield _text(beside + 12, y + 16, f"{of - right:,} wrong of {of:,} matched", "start", _GREY)


def _scenarios(rows: Sequence[tuple[str, str, str, int, int]], top: float) -> Iterator[str]:
    yield _text(_LEFT, top - 30, "Contacts matched with somebody else, by scenario", "start")
    for share in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        x = _across(share)
        yield f'<path d="M{x:.1f} {top - 10:g}v{_ROW * len(rows) + 10:g}" stroke="{_FAINT}"/>'
        yield _text(x, top + _ROW * len(rows) + 16, f"{share:g}", "middle")
    for at, (name, colour, kind, wrong, of) in enumerate(rows):
        y = top + _ROW * at + 6
        low, high = wilson(wrong, of)
        yield _text(_LEFT + 170, y + 4, f"{name}: {kind}", "end")
        yield f'<path d="M{_across(low):.1f} {y:g}H{_across(high):.1f}" stroke="{colour}" stroke-width="2"/>'
        if wrong:
            yield f'<circle cx="{_across(wrong / of):.1f}" cy="{y:g}" r="4" fill="{colour}"/>'
        yield _text(_LEFT + _WIDE + 20, y + 4, f"{wrong:,} of {of:,}", "start", _GREY)


def _x(coverage: float) -> float:
    return _LEFT + _WIDE * coverage


def _y(wrong: float) -> float:
    """By the share that is wrong: ten times fewer is as far again up."""
    return _TOP + _HIGH * log10(max(wrong, _LEAST) / _LEAST) / log10(0.3 / _LEAST)


def _across(share: float) -> float:
    return _LEFT + 185 + (_WIDE - 185) * (log10(max(share, _LEAST * 5)) - log10(_LEAST * 5)) / -log10(_LEAST * 5)


def _text(x: float, y: float, words: str, anchor: str, colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--register", type=int, default=20_000)
    parser.add_argument("--contacts", type=int, default=20_000)
    given = parser.parse_args()
    PICTURE.write_text(picture(list(every_set(given.sets, given.register, given.contacts))), encoding="utf-8")
    print(f"{PICTURE} is drawn.")


if __name__ == "__main__":
    main()
