"""``ingest read``: one line in, one line out, in the words of the labelling guide."""

import json

import pytest
import typer
from typer.testing import CliRunner

from ingest.commands.read import command

LINE = {
    "id": "x1",
    "channel": "email",
    "subject": "Draft report",
    "text": "Paragraph 4 of your draft report on P-0456123 is wrong.\n\nAnn Carter",
}


@pytest.fixture
def run(tmp_path):
    app = typer.Typer()
    app.command()(command)

    def run(*lines: str | bytes):
        path = tmp_path / "in.jsonl"
        path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
        result = CliRunner().invoke(app, ["--jsonl", str(path)])
        return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr

    return run


def test_each_line_becomes_outcome_facts_confidence_and_evidence(run):
    status, [answer], told = run(json.dumps(LINE))
    assert (status, told) == (0, "")
    assert set(answer) == {"id", "outcome", "facts", "confidence", "evidence"}
    assert (answer["id"], answer["outcome"]) == ("x1", "investigators")
    assert set(answer["facts"]) == {
        "feedback_type", "review_criteria", "remedy_sought", "contacted_before", "case_reference", "organisation_complained_of",
        "reasonable_adjustments", "preferred_method", "safeguarding", "individual",
    }  # fmt: skip
    assert answer["facts"]["case_reference"] == "P-0456123"
    assert answer["facts"]["individual"] == {
        "name": "Ann Carter",
        "postcode": None,
        "phone": None,
        "email": None,
        "date_of_birth": None,
    }
    assert all(set(each) == {"name", "value", "rule", "words"} for each in answer["evidence"])


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("{", None),
        ("[]", None),
        (b"\xff\xfe", None),
        ("[" * 100_000, None),
        (json.dumps({**LINE, "id": None}), None),
        (json.dumps({**LINE, "channel": "pigeon"}), "x1"),
        (json.dumps({**LINE, "text": 7}), "x1"),
    ],
    ids=["broken", "a list", "not UTF-8", "deep", "no id", "unknown channel", "no text"],
)
def test_a_bad_line_is_answered_with_an_error_and_its_neighbours_are_read(run, line, name):
    status, answers, told = run(line, "", json.dumps(LINE))
    assert status == 1
    assert answers[0]["id"] == name
    assert answers[0]["error"]
    assert answers[1]["outcome"] == "investigators"
    assert "1 of the lines could not be read" in told


def test_a_file_that_is_not_there_is_wrong_use(tmp_path):
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, ["--jsonl", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert "cannot be opened" in result.stderr
