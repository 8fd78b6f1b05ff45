"""What measures mail against other projects' corpora counts what is right, what is lost and what fell short."""

import json
from pathlib import Path

from tests.channels.email.corpora import measure

HISTORY = "\n\nOn Fri, 27 Feb 2026 at 16:02, Office <help@example.net> wrote:\n\n> We will ring you.\n"


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_what_is_right_and_what_is_lost_is_counted(tmp_path: Path):
    _write(
        tmp_path / "email_reply_trimmer/test",
        {
            "emails/right.txt": f"Nobody rang.{HISTORY}",
            "trimmed/right.txt": "Nobody  rang.",
            "emails/lost.txt": f"Nobody rang.{HISTORY}",
            "trimmed/lost.txt": "Nobody rang, and nobody wrote to me either.",
        },
    )
    told: list[tuple[str, str]] = []
    tally = measure(tmp_path, [], lambda which, short: told.append((which, short)))["trimmer"]
    assert (tally.mails, tally.failed, tally.slow) == (2, 0, 0)
    assert (tally.exact, tally.lost) == ([False, True], [True, False])
    assert tally.likeness[1] == 1.0 > tally.likeness[0] > 0
    assert [which for which, _ in told] == ["trimmer lost.txt"]


def test_tests_of_others_are_read_and_not_run(tmp_path: Path):
    source = f'def test_reply():\n    body = """Nobody rang.{HISTORY}"""\n    eq_("Nobody rang.", quotations.extract_from_plain(body))\n\nraise SystemExit\n'
    _write(tmp_path / "talon/tests", {"text_quotations_test.py": source, "html_quotations_test.py": ""})
    tally = measure(tmp_path, ["talon"], lambda which, short: None)["talon"]
    assert tally.exact == [True]


def test_bounces_found_and_others_called_so_are_counted_apart(tmp_path: Path):
    bounce = "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\nno such user\n"
    _write(
        tmp_path / "mikel/spec/fixtures/emails",
        {"multipart_report_emails/a.eml": bounce, "plain_emails/b.eml": bounce, "plain_emails/c.eml": "From: a@b.cc\n\nhi\n"},
    )
    tally = measure(tmp_path, [], lambda which, short: None)["mikel"]
    assert (tally.bounces, tally.not_bounces) == ([True], [True, False])


def test_mail_that_was_broken_by_hand_is_weighed_apart(tmp_path: Path):
    parts = [{"headers": [], "body": {"Text": "Nobody rang."}, "is_encoding_problem": False}]
    told = json.dumps({"parts": parts, "text_body": [0], "html_body": [0], "attachments": []})
    mail = "From: gwen@example.org\n\nNobody rang."
    _write(
        tmp_path / "stalwart/resources/eml",
        {f"{each}/000.{kind}": text for each in ("rfc", "malformed") for kind, text in (("eml", mail), ("json", told))},
    )
    tallies = measure(tmp_path, [], lambda which, short: None)
    assert {name: (each.mails, each.full, each.count) for name, each in tallies.items()} == {
        "stalwart": (1, [1.0], [True]),
        "malformed": (1, [1.0], [True]),
    }
