"""``ingest match``: a register and contacts as CSV, and for each contact whom it would be matched to."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
    def matched(register: str = REGISTER, contacts: str = CONTACTS) -> tuple[Any, list[dict[str, str]]]:
        (tmp_path / "R.csv").write_text(register)
        (tmp_path / "C.csv").write_text(contacts)
        files = {"register": "R.csv", "contacts": "C.csv", "out": "O.csv"}
        done = ingest("match", *(part for name, file in files.items() for part in (f"--{name}", tmp_path / file)))
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
    done, answers = run(REGISTER + "R1001,Jean,Pettifer,,,,,,,\n", CONTACTS + bad)
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
