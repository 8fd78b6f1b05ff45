"""``ingest match explain``: for one contact who was found and how, what each comparison weighs, and what left it to a person."""

import json
from collections.abc import Callable
from math import isclose
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.ingest.commands.test_match import CONTACTS, REGISTER

FATHER = "R1003,Peter,Pettifer,1943-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,,01632 960114\n"
HELD = ("Joan", "Pettifer", "Quarry", "DE80", "1944", "joan@", "960114")


@pytest.fixture
def explain(tmp_path: Path, ingest: Callable[..., Any]):
    """One line of a file against a register in another."""

    def run(contact: str, *more: Any, contacts: str = CONTACTS) -> Any:
        (tmp_path / "R.csv").write_text(REGISTER + FATHER)
        (tmp_path / "C.csv").write_text(contacts)
        return ingest("match", "explain", contact, "--register", tmp_path / "R.csv", "--contacts", tmp_path / "C.csv", *more)

    return run


def told(done: Any) -> Any:
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_the_bits_of_the_comparisons_add_up_to_the_posterior(explain) -> None:
    found = told(
        explain("C5", "--json", contacts=f"{CONTACTS}C5,Joan,Pettifer,,14 Quarry Lane,,Alderwick,DE80 4PT,joan@example.org,\n")
    )
    assert len(found["candidates"]) == 2
    for each in found["candidates"]:
        assert isclose(each["bits"], sum(said["bits"] for said in each["comparisons"]))
        assert isclose(each["household_bits"], sum(said["household"] for said in each["comparisons"]))
        assert isclose(each["sum"], found["prior"] + each["bits"])
    every = [each["sum"] for each in found["candidates"]]
    every += [found["household_prior"] + each["household_bits"] for each in found["candidates"]]
    whole = sum(2**bits for bits in (*every, found["stranger"]))
    for each in found["candidates"]:
        assert isclose(each["posterior"], 2 ** each["sum"] / whole, rel_tol=1e-9)


def test_it_answers_as_matching_does(explain, ingest, tmp_path: Path) -> None:
    decisions = {contact: told(explain(contact, "--json"))["decision"] for contact in ("C1", "C2", "C3")}
    files = ("--register", tmp_path / "R.csv", "--contacts", tmp_path / "C.csv", "--out", tmp_path / "O.csv")
    assert ingest("match", *files).status == 0
    answers = (line.split(",") for line in (tmp_path / "O.csv").read_text().splitlines()[1:])
    assert decisions == {contact: decision for contact, _, _, decision in answers}


def test_it_says_by_which_keys_each_was_found_and_which_rules_left_it_to_a_person(explain) -> None:
    shown = explain("C2").out
    assert "forename and surname by sound" in shown
    assert "A person is asked whether it is R1002." in shown
    assert "A name alone proves nothing." in shown
    nobody = explain("C3").out
    assert "Nobody of the register." in nobody
    assert "Who it may be from" not in nobody
    assert "R1001 wrote it." in explain("C1").out
    assert "No rule leaves it to a person." in explain("C1").out


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["tables", "JSON"])
def test_nobodys_name_or_address_is_shown_unless_it_is_asked_for(explain, form) -> None:
    plain, full = explain("C1", *form).out, explain("C1", "--values", *form).out
    assert not [each for each in HELD if each in plain]
    assert not [each for each in HELD if each not in full]


def test_weights_may_be_others_and_a_cell_that_cannot_be_read_is_named(explain, ingest, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    ingest("match", "weights", "--out", own)
    own.write_text(own.read_text().replace('"version": "', '"version": "ours-'))
    contacts = CONTACTS + "C4,Ruth,Abernethy,5.10.89,,,,,ruth@example.com,\n"
    found = told(explain("C4", "--json", "--weights", own, contacts=contacts))
    assert found["weights"].startswith("ours-")
    assert [each["column"] for each in found["not_read"]] == ["date_of_birth"]
    assert "date_of_birth" in explain("C4", contacts=contacts).out


def test_a_contact_that_the_service_has_is_explained_as_if_its_writer_were_not_yet_made_of_it(
    take_in, ingest, config, lines
) -> None:
    words = "I want to complain about your service. Nobody from your office called me back."
    (one,) = take_in({"text": words, "sender": {"name": "Joan Pettifer", "identifiers": [
        {"kind": "email", "given": "joan@example.com", "canonical": "joan@example.com"}]}})  # fmt: skip
    stored = told(ingest("match", "explain", str(one.id), "--json", "--config", config))
    assert (stored["decision"], stored["candidates"]) == ("none", [])
    from_a_file = one.model_copy(update={"source": "urn:example:crm", "id": UUID("0190a3c0-0000-7000-8000-000000000001")})
    (path := config.with_name("one.json")).write_text(from_a_file.model_dump_json())
    found = told(ingest("match", "explain", "--file", path, "--json", "--config", config))
    assert [each["individual"][:5] for each in found["candidates"]] == ["made-"]


@pytest.mark.parametrize("arguments", [[], ["C1", "--register", "R.csv"], ["C1", "--file", "R.csv"]], ids=str)
def test_it_wants_one_contact(ingest, tmp_path: Path, monkeypatch, arguments) -> None:
    (tmp_path / "R.csv").write_text(REGISTER)
    monkeypatch.chdir(tmp_path)
    done = ingest("match", "explain", *arguments)
    assert done.status == 2
    assert "Name one contact" in done.err


def test_a_contact_that_the_file_has_not_is_a_sentence(explain) -> None:
    done = explain("C99")
    assert done.status == 1
    assert "has no contact_id C99" in done.err
