"""``ingest match``: a register and contacts as CSV, and for each contact whom it would be matched to."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.match.weights import shipped, written

HEADER = "given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone"
REGISTER = f"""\
person_id,{HEADER}
R1001,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,joan@example.org,01632 960114
R1002,Ruth,Abernethy,1989-10-05,Flat 6,Canal Wharf,Marlbridge,LE50 1QN,ruth@example.com,07700 900322
"""
CONTACTS = f"""\
contact_id,{HEADER}
C1,Mrs Joan,PETTIFER,,,,,,JOAN@example.org,
C2,Ruth,Abernethy,,,,,,,
C3,Helen,Marchbank,1971-01-01,,,,,helen@example.org,
"""


@pytest.fixture
def run(tmp_path: Path, ingest: Callable[..., Any]):
    def matched(*more: Any, register: str = REGISTER, contacts: str = CONTACTS) -> tuple[Any, list[dict[str, str]]]:
        (tmp_path / "R.csv").write_text(register)
        (tmp_path / "C.csv").write_text(contacts)
        files = {"register": "R.csv", "contacts": "C.csv", "out": "O.csv"}
        done = ingest("match", *(part for name, file in files.items() for part in (f"--{name}", tmp_path / file)), *more)
        out = tmp_path / "O.csv"
        return done, list(csv.DictReader(out.open())) if out.exists() else []

    return matched


def test_each_contact_is_answered_match_review_or_none(run) -> None:
    done, answers = run()
    assert done.status == 0
    assert [(each["contact_id"], each["person_id"], each["decision"]) for each in answers] == [
        ("C1", "R1001", "match"),
        ("C2", "R1002", "review"),
        ("C3", "", "none"),
    ]
    assert 1 >= float(answers[0]["score"]) > float(answers[1]["score"]) > float(answers[2]["score"]) == 0
    assert "1 matched, 1 for review, 1 not in the register." in done.out + done.err


def test_what_cannot_be_read_is_listed_left_out_and_ends_in_1(run) -> None:
    bad = "C4,Joan,Pettifer,19.2.44,,,,,joan@example.org,\nC1,Joan,Pettifer,,,,,,,\n,Joan,Pettifer,,,,,,,\nC5,Joan\n"
    done, answers = run(register=REGISTER + "R1001,Jean,Pettifer,,,,,,,\n", contacts=CONTACTS + bad)
    assert done.status == 1
    assert [each["contact_id"] for each in answers] == ["C1", "C2", "C3", "C4"]
    assert answers[3]["decision"] == "match"
    for said in ("It stands on line 2 already.", "It is not a date", "It is blank.", "The row has 2 cells", "5 rows or cells"):
        assert said in done.out + done.err


def test_a_wrong_header_is_named_and_nothing_written(run) -> None:
    done, answers = run(contacts=CONTACTS.replace("contact_id", "id"))
    assert done.status == 1
    assert "lacks contact_id" in done.out + done.err
    assert answers == []


def test_the_weights_it_comes_with_are_shown_by_level_in_bits(ingest) -> None:
    done = ingest("match", "weights", "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    (exact,) = [each for each in rows if (each["comparison"], each["level"]) == ("birth date", "exact")]
    assert float(exact["bits"]) > 10
    assert {"forename", "surname", "address", "email", "phone"} < {each["comparison"] for each in rows}


def test_weights_are_written_changed_and_matched_with(ingest, run, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    assert ingest("match", "weights", "--out", file).status == 0
    told = json.loads(file.read_text())
    told["version"], told["automatic"] = "ours", 0.9999999999
    file.write_text(json.dumps(told))
    assert "Weights ours" in ingest("match", "weights", file).out
    _, answers = run("--weights", file)
    assert [each["decision"] for each in answers] == ["review", "review", "none"]


def test_the_weights_that_the_settings_name_are_matched_with_and_those_of_the_command_before_them(
    run, ingest, tmp_path: Path
) -> None:
    file, settings = tmp_path / "own.json", tmp_path / "ingest.toml"
    told = json.loads(written(shipped()))
    file.write_text(json.dumps({**told, "version": "ours", "automatic": 0.9999999999}))
    settings.write_text('[matching]\nweights = "own.json"\n')
    _, answers = run("--config", settings)
    assert [each["decision"] for each in answers] == ["review", "review", "none"]
    assert ingest("match", "weights", "--out", tmp_path / "shipped.json").status == 0
    _, answers = run("--config", settings, "--weights", tmp_path / "shipped.json")
    assert [each["decision"] for each in answers] == ["match", "review", "none"]
    file.unlink()
    done, _ = run("--config", settings)
    assert done.status == 2
    assert "matching.weights" in done.err


def test_a_model_of_splinks_with_a_level_that_is_not_known_is_refused_by_name(ingest, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    level = {"sql_condition": "?", "label_for_charts": "alike", "m_probability": 0.9, "u_probability": 0.1}
    comparison = {"output_column_name": "surname", "comparison_levels": [level, {**level, "label_for_charts": "else"}]}
    model.write_text(json.dumps({"probability_two_random_records_match": 0.001, "comparisons": [comparison]}))
    done = ingest("match", "weights", model)
    assert done.status == 2
    assert "surname has the levels alike, else" in done.err


def test_what_is_no_weights_file_is_refused(ingest, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text("{}")
    done = ingest("match", "weights", file)
    assert done.status == 2
    assert "no weights file" in done.err
