"""``ingest match train``: labels, or contacts whose writers are known, become weights that matching takes; too few become none."""

import csv
import json
import sys
from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any

import pytest

from router.match.weights import COMPARISONS, read, shipped
from tests.router.match import people


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of what the generator would make: a register, contacts, and whose they are."""
    out, world = tmp_path_factory.mktemp("made"), people.world(77, 1_500, 1_500, people.PLAIN)
    tables: dict[str, list[tuple[object, ...]]] = {
        "register": [("person_id", *people.COLUMNS), *((id_, *cells.values()) for id_, cells in world.register.items())],
        "contacts": [("contact_id", *people.COLUMNS), *((f"C{at}", *each.cells.values()) for at, each in enumerate(world.contacts))],
        "truth": [("contact_id", "person_id"), *((f"C{at}", each.person) for at, each in enumerate(world.contacts))],
    }  # fmt: skip
    for name, rows in tables.items():
        with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as sheet:
            csv.writer(sheet).writerows(rows)
    return out


@pytest.fixture
def train(tmp_path: Path, ingest: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    """With a twentieth of the draws."""
    monkeypatch.setattr("router.match.training.PAIRS", 20_000)

    def run(*arguments: Any) -> tuple[Any, Path]:
        out = tmp_path / "own.json"
        return ingest("match", "train", "--out", out, *arguments), out

    return run


def files(folder: Path, *names: str) -> list[Any]:
    return [part for name in names for part in (f"--{name}", folder / f"{name}.csv")]


def bits(levels: Any, level: str) -> float:
    return log2(levels[level].m / levels[level].u)


def test_half_of_the_generators_people_give_weights_near_the_shipped_ones(train, folder, ingest) -> None:
    done, out = train(*files(folder, "register", "contacts", "truth"))
    assert done.status == 0, done.err
    made, before = read(out.read_bytes()), shipped().comparisons
    for comparison, level in (("forename", "exact"), ("surname", "exact"), ("surname", "different"), ("address", "house"),
                              ("email", "different"), ("phone", "different"), ("forename", "different")):  # fmt: skip
        assert abs(bits(made.comparisons[comparison], level) - bits(before[comparison], level)) < 1.5, (comparison, level)
    for comparison, level in (("email", "exact"), ("phone", "mobile")):
        assert abs(made.comparisons[comparison][level].m - before[comparison][level].m) < 0.1
    assert made.provenance["trained_on"] == "contacts whose writers are known"
    assert int(made.provenance["pairs"]) > 800
    assert made.version.startswith("trained-")
    assert "before: too few pairs" in done.out
    matched = ingest("match", *files(folder, "register", "contacts"), "--out", folder / "out.csv", "--weights", out)
    assert matched.status == 0
    shown = ingest("match", "weights", out).out
    assert made.version in shown
    assert "trained on: contacts whose writers are known" in shown


def test_the_same_files_make_the_same_figures_under_the_same_name(train, folder) -> None:
    given = files(folder, "register", "contacts", "truth")
    one, other = (read(train(*given)[1].read_bytes()) for _ in range(2))
    assert one.comparisons == other.comparisons
    assert one.version == other.version


def label(same: bool, **levels: str) -> dict[str, Any]:
    compared = [{"comparison": name.replace("_", " "), "level": level, "bits": 1.0} for name, level in levels.items()]
    return {"contact_id": "c", "candidate_id": "r", "same": same, "comparisons": compared}


def written(path: Path, *labels: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in labels), encoding="utf-8")
    return path


def test_labels_move_the_weights_that_there_are_and_the_rest_stays(train, tmp_path: Path) -> None:
    labels = [label(True, forename="exact", birth_date="different", order="swapped")] * 150
    labels += (
        [label(True, forename="nickname")] * 150 + [label(False, forename="exact")] * 50 + [label(True, phone="mobile")] * 50
    )
    done, out = train("--labels", written(tmp_path / "labels.jsonl", *labels), "--json")
    assert done.status == 0, done.err
    made, before = read(out.read_bytes()).comparisons, shipped().comparisons
    assert bits(made["forename"], "nickname") > bits(before["forename"], "nickname")
    assert made["forename"]["nickname"].m < 0.2, "whoever was matched by themselves is not among the labels"
    assert made["birth date"]["different"].m > before["birth date"]["different"].m
    assert made["phone"] == before["phone"]
    rows = {(each["comparison"], each["level"]): each for each in map(json.loads, done.out.splitlines())}
    assert rows["forename", "nickname"]["comes_from"] == "counted"
    assert rows["forename", "near"]["comes_from"] == rows["phone", "mobile"]["comes_from"] == "before: too few pairs"
    assert read(out.read_bytes()).provenance["labels"] == 400


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (label(True, horoscope="exact"), "Line 1: there is no comparison horoscope"),
        (label(True, phone="nearly"), "Line 1: phone has no level nearly"),
        ({"same": True}, "Line 1 is no label"),
    ],
)
def test_a_label_that_matching_does_not_know_is_refused_by_its_line(train, tmp_path: Path, told, says) -> None:
    done, out = train("--labels", written(tmp_path / "labels.jsonl", told))
    assert done.status == 2
    assert says in done.err
    assert not out.exists()


def test_of_too_few_labels_nothing_is_written(train, tmp_path: Path) -> None:
    done, out = train("--labels", written(tmp_path / "labels.jsonl", *[label(True, forename="exact")] * 99))
    assert done.status == 1
    assert "99 at most, and 100 are needed" in done.err
    assert not out.exists()


def test_without_the_truth_splink_finds_out_by_itself(train, folder) -> None:
    done, out = train(*files(folder, "register", "contacts"))
    assert done.status == 0, done.err
    made, before = read(out.read_bytes()), shipped().comparisons
    assert "Splink" in str(made.provenance["trained_on"])
    assert made.comparisons["surname"]["exact"].m == pytest.approx(before["surname"]["exact"].m, abs=0.15)
    assert bits(made.comparisons["forename"], "different") < -2
    assert {name: tuple(levels) for name, levels in made.comparisons.items()} == dict(COMPARISONS)


def test_without_splink_it_says_what_to_install(train, folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    done, out = train(*files(folder, "register", "contacts"))
    assert done.status == 2
    assert "contact-ingest[splink]" in done.err
    assert not out.exists()


@pytest.mark.parametrize("given", [(), ("register",), ("truth",), ("register", "contacts", "labels")], ids=str)
def test_it_wants_one_way_of_knowing(train, folder, given) -> None:
    (folder / "labels.csv").write_text("")
    done, _ = train(*files(folder, *given))
    assert done.status == 2
    assert "Train on --labels" in done.err
