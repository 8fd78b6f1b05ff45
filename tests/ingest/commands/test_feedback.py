"""``ingest feedback``: what an operator sees of the records, and takes away without a formula among them."""

import csv
import json

import pytest

from ingest.commands import feedback
from ingest.contract import Criterion, DeclaredFacts, FeedbackRecord, Identifier, Person, UnsafeWay
from ingest.ids import reference

SENTENCE = "Your service was slow and rude, and my calls were not returned. I want an apology."


@pytest.fixture
def records(take_in, ingest, config):
    """Two contacts that a person has decided to be feedback; answers with their contacts."""

    def make(*texts: str):
        contacts = take_in(*texts)
        for each in contacts:
            for row in ingest("review", "list", "--json", "--config", config).rows:
                if row["reference"] == reference(each.id) and row["kind"] != "urgent":
                    decided = ingest(
                        "review",
                        "decide",
                        row["id"],
                        "--by",
                        "Sam",
                        "--because",
                        "plain",
                        "--as",
                        "feedback",
                        "--config",
                        config,
                    )
                    assert decided.status == 0, decided.err
        return contacts

    return make


def test_records_are_listed_with_what_is_still_missing(records, ingest, config):
    one, two = records(SENTENCE, "Thank you, your service was excellent and Ms Fennimore was very kind and helpful.")
    listed = ingest("feedback", "list", "--json", "--config", config)
    assert {row["reference"] for row in listed.rows} == {reference(one.id), reference(two.id)}
    assert all(row["settled"] is False for row in listed.rows)
    assert reference(one.id) in ingest("feedback", "list", "--config", config).out


@pytest.mark.parametrize(
    ("options", "found"),
    [(["--since", "2026-01-01"], 1), (["--since", "2999-01-01"], 0), (["--settled"], 0), (["--open"], 1)],
    ids=str,
)
def test_the_list_is_narrowed_by(records, ingest, config, options, found):
    records(SENTENCE)
    assert len(ingest("feedback", "list", *options, "--json", "--config", config).rows) == found


def test_a_record_is_printed_in_full_by_reference_or_id(records, ingest, config):
    (one,) = records(SENTENCE)
    shown = ingest("feedback", "show", reference(one.id), "--config", config)
    assert shown.status == 0
    for label in feedback.LABELS.values():
        assert f"{label}:" in shown.out
    assert "not said" in shown.out
    whole = ingest("feedback", "show", reference(one.id), "--json", "--config", config).rows[0]
    by_id = ingest("feedback", "show", whole["id"][:8], "--config", config)
    assert by_id.out == shown.out


def test_every_field_of_the_record_has_words_for_it():
    assert set(feedback.LABELS) == set(FeedbackRecord.model_fields)


def test_a_record_that_is_not_there_is_a_sentence_and_exit_status_1(take_in, ingest, config):
    take_in()
    gone = ingest("feedback", "show", "CC-00000-00000", "--config", config)
    assert (gone.status, gone.out) == (1, "")
    assert "ingest feedback list" in gone.err


def test_export_for_a_spreadsheet_holds_no_formula(records, ingest, config, tmp_path):
    records('=HYPERLINK("http://evil.example") is what your rude service deserves. I want an apology.')
    out = tmp_path / "out.csv"
    done = ingest("feedback", "export", "--csv", out, "--config", config)
    assert done.status == 0
    (row,) = csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())
    assert set(row) == {*FeedbackRecord.model_fields, "settled"}
    assert not any(cell[:1] in tuple("=+-@\t\r\x00") for cell in row.values() if cell)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\x00", "\r"])
def test_a_cell_that_a_spreadsheet_would_take_for_a_formula_begins_with_an_apostrophe(first):
    assert feedback._cell(f"{first}1+1") == f"'{first}1+1"
    assert feedback._cell([f"{first}1+1", "b"]).startswith("'")
    assert feedback._cell(f"1{first}1") == f"1{first}1"


def test_a_criterion_in_a_cell_stands_with_its_sentence():
    criterion = Criterion(name="inaccurate_facts", evidence="The date is wrong.")
    assert feedback._cell([criterion.model_dump()]) == "inaccurate_facts: The date is wrong."


def test_export_as_json_lines_is_the_records_as_published_over_many_pages(records, ingest, config, tmp_path, monkeypatch):
    monkeypatch.setattr(feedback, "_PAGE", 2)
    contacts = records(*(SENTENCE for _ in range(5)))
    out = tmp_path / "out.jsonl"
    assert ingest("feedback", "export", "--jsonl", out, "--config", config).status == 0
    found = [FeedbackRecord.model_validate(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(each.contact_ids[0] for each in found) == sorted(each.id for each in contacts)


@pytest.mark.parametrize("options", [[], ["--csv", "a", "--jsonl", "b"]], ids=["neither", "both"])
def test_export_wants_one_file(take_in, ingest, config, options):
    take_in()
    assert ingest("feedback", "export", *options, "--config", config).status == 2


DECLARED = {
    "text": "Your letter is wrong.",
    "channel": "web_form",
    "on_behalf_of": Person(
        name="Gwen Prosser", identifiers=(Identifier(kind="phone", given="07700 900123", canonical="+447700900123"),)
    ),
    "declared": DeclaredFacts(
        asks_for="feedback",
        feedback_type="decision",
        review_criteria=(Criterion(name="new_information", evidence="The discharge letter."),),
        unsafe_ways=(UnsafeWay(method="telephone", words="Somebody else answers it."), UnsafeWay(method="sms")),
        authority="I hold a lasting power of attorney.",
    ),
}


def test_what_was_declared_on_a_form_is_shown_and_taken_away_in_words(take_in, ingest, config, tmp_path):
    (one,) = take_in(DECLARED)
    shown = ingest("feedback", "show", reference(one.id), "--config", config).out
    for line in ("NEVER reach them by:", "telephone: Somebody else answers it.", "sms\n", "Gwen Prosser, 07700 900123",
                 "I hold a lasting power of attorney.", "new_information: The discharge letter."):  # fmt: skip
        assert line in shown
    assert ingest("feedback", "show", reference(one.id), "--json", "--config", config).rows[0]["authority"]
    out = tmp_path / "out.csv"
    assert ingest("feedback", "export", "--csv", out, "--config", config).status == 0
    (row,) = csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())
    assert row["unsafe_ways"] == "telephone: Somebody else answers it. | sms"
    assert row["on_behalf_of"] == "Gwen Prosser, 07700 900123"


def test_a_person_in_a_cell_whose_name_would_be_a_formula_begins_with_an_apostrophe():
    assert feedback._cell({"name": "=1+1", "identifiers": []}) == "'=1+1"
