"""``ingest review``: what is urgent first, a stranger's words shown safely, and decisions in somebody's name."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.contract import Attachment, DeclaredFacts, Person, Record, UnsafeWay
from ingest.ids import reference
from ingest.originals import Originals
from ingest.settings import load

UNSURE = "Hello. It is about the thing."
SUICIDE = "I am going to kill myself tonight."
BY = ("--by", "Sam")


@pytest.fixture
def review(ingest, config):
    return lambda *arguments: ingest("review", *arguments, "--config", config)


@pytest.fixture
def tasks(review):
    def of(contact, kind="review"):
        return next(
            row["id"]
            for row in review("list", "--json").rows
            if row["reference"] == reference(contact.id) and row["kind"] == kind
        )

    return of


def test_tasks_are_listed_in_the_order_to_look_at_them(take_in, review):
    take_in(UNSURE, Record("k", b"no event"), SUICIDE, {"text": "Thank you for your rude service.", "sender": {"identifiers": [
        {"kind": "phone", "given": "07700 900322", "canonical": "+447700900322"}]}})  # fmt: skip
    kinds = [row["kind"] for row in review("list", "--json").rows]
    order = ["urgent", "not-read-for-risk", "review", "letter"]
    assert kinds == sorted(kinds, key=order.index)
    assert kinds[:2] == ["urgent", "not-read-for-risk"]
    assert {row["kind"] for row in review("list", "--kind", "urgent", "--json").rows} == {"urgent"}


def test_what_is_past_its_time_is_marked_late(take_in, review):
    take_in(UNSURE)
    assert "LATE" in review("list").out
    assert review("list", "--json").rows[0]["late"] is True


def test_a_task_is_shown_with_reasons_and_the_words_and_what_could_steer_a_terminal_is_taken_out(take_in, review, tasks):
    evil = "Hello.\x1b]0;owned\x07 It is about \u202ethe thing.\nTask        00000000"
    attached = Attachment(digest="1" * 64, name="scan.pdf", content_type="application/pdf", size=12_345)
    (one,) = take_in({"text": evil, "subject": "S\x1b[2J", "attachments": (attached,), "warnings": ("odd: a header",)})
    shown = review("show", tasks(one)[:8])
    assert shown.status == 0
    assert not any(each in shown.out for each in "\x1b\x07\u202e")
    for said in ("Why a person is asked:", "jo@example.com (claimed)", "scan.pdf", "12,345 bytes", "unscanned", "odd: a header",
                 "What they say:", "  | Hello.", "  | Task        00000000", "What was decided on it:", "1. HoldForReview"):  # fmt: skip
        assert said in shown.out


def test_a_task_shows_what_was_declared_behind_a_bar_and_for_whom_they_write(take_in, review, tasks):
    declared = DeclaredFacts(
        case_reference="C-12345", contacted_before=False, address=("1 Heol Fawr\nTask  00000000",),
        unsafe_ways=(UnsafeWay(method="telephone", words="Somebody else answers it."),),
    )  # fmt: skip
    (one,) = take_in({"text": UNSURE, "declared": declared, "on_behalf_of": Person(name="Gwen Prosser")})
    shown = review("show", tasks(one)).out
    for said in ("They must not be reached by telephone.", "Writes for  Gwen Prosser (claimed)", "What they declare:",
                 "  | case reference: C-12345", "  | contacted before: no", "  | Task  00000000",
                 "  | unsafe ways: telephone: Somebody else answers it."):  # fmt: skip
        assert said in shown
    assert "remedy sought" not in shown


def test_a_task_about_a_dead_letter_says_where_its_bytes_are(take_in, review):
    take_in(Record("k", b"no event"))
    (row,) = review("list", "--json").rows
    assert "ingest dead-letters show" in review("show", row["reference"]).out


def test_what_a_task_is_about_is_written_to_a_file_to_the_byte_as_it_came(take_in, review, tasks, config, tmp_path):
    raw = b"From: a@b.cc\r\n\r\n\x00\xff not to be read"
    kept = asyncio.run(Originals(load(config).originals.url).put([raw]))[0]
    one, two = take_in({"text": "", "original": kept, "warnings": ("not-read: it took longer than it may",)}, UNSURE)
    written = review("original", tasks(one, "not-read-for-risk"), "--out", tmp_path / "mail.eml")
    assert (written.status, (tmp_path / "mail.eml").read_bytes()) == (0, raw)
    missing = review("original", tasks(two), "--out", tmp_path / "none.eml")
    assert (missing.status, (tmp_path / "none.eml").exists()) == (1, False)
    assert "is not in file://" in missing.err


def test_a_dead_letter_has_no_original_to_write(take_in, review, tmp_path):
    take_in(Record("k", b"no event"))
    (row,) = review("list", "--json").rows
    assert "ingest dead-letters show" in review("original", row["reference"], "--out", tmp_path / "none.eml").err


def test_a_task_is_claimed_once(take_in, review, tasks):
    (one,) = take_in(UNSURE)
    assert review("claim", tasks(one), *BY).status == 0
    second = review("claim", tasks(one), "--by", "Alex")
    assert second.status == 1
    assert "Sam has claimed it" in second.err
    assert review("list", "--json").rows[0]["claimed_by"] == "Sam"


def test_a_decision_makes_a_record_and_ends_the_task(take_in, review, tasks, ingest, config):
    (one,) = take_in(UNSURE)
    task = tasks(one)
    decided = review("decide", task, *BY, "--because", "she says so", "--as", "feedback", "--as", "intake")
    assert decided.status == 0
    assert "Decided: RecordFeedback, HandOff." in decided.err
    (left,) = review("list", "--json").rows
    assert "Ask them." in review("show", left["id"]).out, "what the record lacks is to be asked for"
    assert {row["state"] for row in review("list", "--all", "--json").rows if row["id"] == task} == {"done"}
    assert ingest("feedback", "show", reference(one.id), "--config", config).status == 0
    shown = review("show", task).out
    assert "2. RecordFeedback" in shown
    assert "Sam: she says so" in shown


def test_of_two_commands_that_decide_at_once_one_decides_and_the_other_says_who_has(take_in, review, tasks, config):
    (one,) = take_in(UNSURE)
    task = tasks(one)
    command = [Path(sys.executable).parent / "ingest", "review", "decide", task, "--because", "plain", "--config", config]
    both = {
        by: subprocess.Popen([*command, "--as", becomes, "--by", by], stderr=subprocess.PIPE, text=True)
        for by, becomes in (("Sam", "feedback"), ("Alex", "no-action"))
    }
    said = {by: (each.communicate(timeout=60)[1], each.returncode) for by, each in both.items()}
    assert sorted(status for _, status in said.values()) == [0, 1], said
    (winner,) = [by for by, (_, status) in said.items() if status == 0]
    (told,) = [words for words, status in said.values() if status == 1]
    assert f"{winner} has done it already" in told
    shown = review("show", task).out
    assert f"done by {winner}" in shown
    assert "3. " not in shown


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as", "no-action", "--as", "feedback"], "stands alone"),
        (["--as", "investigators"], "name it with --case"),
        (["--as", "case-owner"], "name it with --case"),
        (["--as", "feedback", "--case", "nonsense"], "not written like a case reference"),
    ],
    ids=str,
)
def test_a_decision_that_says_too_little_or_too_much_is_wrong_use(take_in, review, tasks, options, says):
    (one,) = take_in(UNSURE)
    done = review("decide", tasks(one), *BY, "--because", "x", *options)
    assert done.status == 2
    assert says in done.err


@pytest.mark.parametrize("missing", ["--by", "--because", "--as"])
def test_a_decision_wants_a_name_a_reason_and_an_end(take_in, review, missing):
    take_in()
    given = {"--by": "Sam", "--because": "x", "--as": "feedback"}
    rest = [part for name, value in given.items() if name != missing for part in (name, value)]
    assert review("decide", "abcdef", *rest).status == 2


def test_a_case_or_person_that_is_not_there_is_a_sentence(take_in, review, tasks):
    (one,) = take_in(UNSURE)
    done = review("decide", tasks(one), *BY, "--because", "x", "--as", "investigators", "--case", "c-2034655")
    assert (done.status, "no case C-2034655" in done.err) == (1, True)
    done = review("decide", tasks(one), *BY, "--because", "x", "--as", "feedback", "--individual", "R404")
    assert (done.status, "nobody with the id R404" in done.err) == (1, True)


def test_an_urgent_task_is_done_with_its_outcome(take_in, review, tasks):
    (one,) = take_in(SUICIDE)
    task = tasks(one, "urgent")
    assert review("done", task, *BY, "--outcome", "rang her; she is safe").status == 0
    assert "done by Sam: rang her; she is safe" in review("show", task).out


@pytest.mark.parametrize("given", ["abcdef", "CC-00000-00000", "x"])
def test_a_task_that_is_not_there_is_a_sentence_and_exit_status_1(take_in, review, given):
    take_in()
    gone = review("show", given)
    assert (gone.status, gone.out) == (1, "")
    assert given in gone.err


ASKED = "General question: why do I need an MP referral to complain about the DWP?"
ANSWERED = """+++
query = "mp-referral"
language = "en"
title = "Why you need an MP"
approved_by = "A. Morgan"
approved_on = 2026-01-05
valid_until = 2099-12-31
+++
Some bodies need **one**.
"""


@pytest.fixture
def answers(config):
    """A folder of approved answers, which the settings name."""
    folder = config.with_name("answers")
    folder.mkdir()
    (folder / "mp-referral.en.md").write_text(ANSWERED, encoding="utf-8")
    with config.open("a", encoding="utf-8") as written:
        written.write('\n[acknowledgement]\nanswers = "answers"\n')
    return folder


def test_a_task_shows_the_approved_answer_that_it_suggests_and_deciding_so_sends_it(
    take_in, answers, review, tasks, ingest, config
):
    (one,) = take_in(ASKED)
    shown = review("show", tasks(one)).out
    for said in ("Leans to    answer: mp-referral", "“Why you need an MP” (en), approved by A. Morgan until 31 December 2099:",
                 "  | Some bodies need one."):  # fmt: skip
        assert said in shown
    done = review("decide", tasks(one), *BY, "--because", "just that", "--as", "answer")
    assert done.status == 0
    assert "The approved answer goes to jo@example.com." in done.err
    sent = {row["kind"]: row["state"] for row in ingest("outgoing", "list", "--all", "--json", "--config", config).rows}
    assert sent["answer"] == "due"


def test_another_approved_answer_may_be_sent_by_its_name(take_in, answers, review, tasks):
    (one,) = take_in(UNSURE)
    done = review("decide", tasks(one), *BY, "--because", "she rang", "--as", "answer", "--query", "mp-referral")
    assert "The approved answer goes to jo@example.com." in done.err


def test_without_an_approved_answer_nothing_is_sent_and_it_says_so(take_in, review, tasks):
    (one,) = take_in(ASKED)
    assert "approved by" not in review("show", tasks(one)).out
    done = review("decide", tasks(one), *BY, "--because", "just that", "--as", "answer")
    assert done.status == 0
    assert "Nothing is sent" in done.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--as", "feedback", "--query", "mp-referral"], "names the answer that `--as answer` sends"),
        (["--as", "answer", "--query", "cost"], "There is no approved answer cost. There are: mp-referral."),
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_wrong_use(take_in, answers, review, tasks, options, says):
    (one,) = take_in(UNSURE)
    done = review("decide", tasks(one), *BY, "--because", "x", *options)
    assert done.status == 2
    assert says in done.err


def test_an_answer_that_is_held_says_how_it_is_released(take_in, answers, review, tasks):
    (one,) = take_in({"text": SUICIDE})
    done = review("decide", tasks(one, "review"), *BY, "--because", "x", "--as", "answer", "--query", "mp-referral")
    assert "The approved answer is held: urgent." in done.err


PEOPLE = """\
person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone
R1,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,joan@example.org,01632 960114
R2,Joan,Pettifer,1990-10-05,Flat 6,Canal Wharf,Marlbridge,LE50 1QN,,07700 900322
"""


@pytest.fixture
def joans(ingest, config, take_in, tmp_path):
    """Two of one name in the register, and a letter that may be from either."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    assert ingest("register", "import", "--individuals", tmp_path / "people.csv", "--config", config).status == 0
    return "Your staff were rude to me on the telephone and nobody has called me back. I want to complain about your service."


def from_joan(take_in, words):
    email = {"kind": "email", "given": "new@example.com", "canonical": "new@example.com"}
    return take_in({"text": words, "sender": {"name": "Joan Pettifer", "identifiers": [email]}})


def test_who_it_may_be_from_stands_side_by_side_with_what_speaks_for_each_and_what_would_settle_it(
    joans, take_in, review, tasks
):
    (one,) = from_joan(take_in, joans)
    shown = review("show", tasks(one)).out
    for said in ("It may be from:", "The contact gives", "R1", "R2", "1944-02-19", "1990-10-05", "14 Quarry Lane", "+447700900322",
                 "new@example.com", "What speaks for and against each:", "What would settle it", "A birth date: one is held for R1 and R2."):  # fmt: skip
        assert said in shown, said


def test_what_is_held_of_people_reaches_no_notice_and_no_label(joans, take_in, review, tasks, tmp_path):
    (one,) = from_joan(take_in, joans)
    decided = review("decide", tasks(one), *BY, "--because", "she gave it", "--as", "feedback", "--individual", "R2")
    assert decided.status == 0
    out = tmp_path / "labels.jsonl"
    done = review("labels", "--out", out)
    assert done.status == 0
    assert "2 labels" in done.out
    labels = [json.loads(line) for line in out.read_text().splitlines()]
    assert {(each["contact_id"], each["candidate_id"], each["same"]) for each in labels} == {
        (str(one.id), "R1", False), (str(one.id), "R2", True),
    }  # fmt: skip
    assert all(set(told) == {"comparison", "level", "bits"} for each in labels for told in each["comparisons"])
    assert not any(held in out.read_text() for held in ("Joan", "example", "Quarry", "DE80", "1944", "rude"))


def test_from_nobody_of_the_register_is_from_somebody_new(joans, take_in, review, tasks, ingest, config):
    (one,) = from_joan(take_in, joans)
    decided = review("decide", tasks(one), *BY, "--because", "a third Joan", "--as", "feedback", "--individual", "nobody")
    assert decided.status == 0
    assert "They are in the register now, as made-" in decided.err
    (found,) = ingest("register", "search", "new@example.com", "--json", "--config", config).rows
    assert (found["name"], found["made_by"]) == ("Joan Pettifer", "router")


def test_that_the_register_has_changed_since_is_said(joans, take_in, review, tasks, ingest, config, tmp_path):
    (one,) = from_joan(take_in, joans)
    task = tasks(one)
    header = PEOPLE.splitlines()[0]
    (tmp_path / "more.csv").write_text(f"{header}\nR3,Joan,Pettifer,,,,,,new@example.com,\n")
    assert ingest("register", "import", "--individuals", tmp_path / "more.csv", "--config", config).status == 0
    assert "R3 (new since)" in review("show", task).out
    decided = review("decide", task, *BY, "--because", "her voice", "--as", "feedback", "--individual", "R1")
    assert "The register has changed since you were asked: R3 may be the writer too." in decided.err
