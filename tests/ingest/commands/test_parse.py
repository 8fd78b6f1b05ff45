"""``ingest parse`` shows what mail becomes, a JSON object a message or a table."""

import json
import os
from pathlib import Path

import pytest

from ingest.commands.parse import parse

LETTER = b"From: Gwen Pryce <gwen@example.org>\nSubject: My complaint\nDate: Mon, 2 Mar 2026 09:12:44 +0000\nMessage-ID: <a1@example.org>\n\nNobody rang.\n"
FIELDS = {
    "source_file", "sender", "writer", "subject", "text", "full_text", "attachments", "sent_at", "message_id", "in_reply_to", "references",
    "auto_submitted", "bounce", "language", "warnings",
}  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_message_is_one_object_with_every_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "letter.eml"
    file.write_bytes(
        b"In-Reply-To: <c9@example.net>\nReferences: <c1@example.net> <c9@example.net>\n"
        + LETTER.replace(b"\n\n", b"\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n", 1)
        + b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=form.pdf\n\nabc\n--b--\n"
    )
    assert parse([file], jsonl=True) == 0
    (only,) = shown(capsys)
    assert only == {
        "source_file": str(file),
        "sender": {"address": "gwen@example.org", "name": "Gwen Pryce"},
        "writer": {"address": "gwen@example.org", "name": "Gwen Pryce", "given_in": "from"},
        "subject": "My complaint",
        "text": "Nobody rang.",
        "full_text": "Nobody rang.",
        "attachments": [
            {
                "filename": "form.pdf",
                "content_type": "application/pdf",
                "size": 3,
                "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "inline": False,
            }
        ],
        "sent_at": "2026-03-02T09:12:44+00:00",
        "message_id": "<a1@example.org>",
        "in_reply_to": "<c9@example.net>",
        "references": ["<c1@example.net>", "<c9@example.net>"],
        "auto_submitted": False,
        "bounce": False,
        "language": None,
        "warnings": [],
    }


def test_robots_and_bounces_are_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "1.eml").write_bytes(b"Auto-Submitted: auto-replied\n" + LETTER)
    (tmp_path / "2.eml").write_bytes(b"X-Failed-Recipients: x@example.org\n" + LETTER)
    assert parse([tmp_path], jsonl=True) == 0
    assert [(each["auto_submitted"], each["bounce"]) for each in shown(capsys)] == [(True, False), (False, True)]


@pytest.mark.parametrize("ending", ["mbox", "box"])
def test_a_mailbox_is_split_where_an_envelope_stands_and_nowhere_else(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    envelope = b"From gwen@example.org Mon Mar  2 09:12:44 2026\n"
    body = b"\nI waited.\nFrom Monday to Friday at 10:10 in 2026 nobody rang.\n\nFrom then on I stopped.\n\n>From the start it was wrong.\n\n"
    file = tmp_path / f"care.{ending}"
    file.write_bytes(envelope + LETTER + body + envelope + LETTER.replace(b"Nobody", b"Somebody"))
    assert parse([file], jsonl=True) == 0
    first, second = shown(capsys)
    assert first["text"] == (
        "Nobody rang.\n\nI waited.\nFrom Monday to Friday at 10:10 in 2026 nobody rang.\n\nFrom then on I stopped.\n\nFrom the start it was wrong."
    )
    assert second["text"] == "Somebody rang."


def test_a_folder_is_read_in_order_with_what_lies_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "b").mkdir()
    for name in ("c.EML", "a.eml", "b/d.eml", "notes.txt"):
        (tmp_path / name).write_bytes(LETTER)
    assert parse([tmp_path], jsonl=True) == 0
    assert [Path(each["source_file"]).name for each in shown(capsys)] == ["a.eml", "d.eml", "c.EML"]


def test_what_cannot_be_opened_is_told_and_the_rest_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "1.eml").symlink_to(tmp_path / "gone.eml")
    (tmp_path / "2.eml").write_bytes(LETTER)
    assert parse([tmp_path], jsonl=True) == 1
    broken, sound = shown(capsys)
    assert set(broken) == {"source_file", "error"}
    assert set(sound) == FIELDS


def test_no_such_path_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert parse([tmp_path / "none.eml"], jsonl=True) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "none.eml" in said.err


def test_any_bytes_and_any_file_name_give_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, content in ((b"1.eml", b""), (b"2\xff.eml", os.urandom(4096)), (b"3.mbox", b"\x00\n\n")):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(content)
    assert parse([tmp_path], jsonl=True) == 0
    assert all(set(each) == FIELDS for each in shown(capsys))


def test_the_table_shows_a_strangers_words_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.eml").write_bytes(LETTER.replace(b"My complaint", b"[red]My \x1b[2Jcomplaint[/red]"))
    assert parse([tmp_path], jsonl=False) == 0
    printed = capsys.readouterr().out
    assert "gwen@example.org" in printed
    assert "[red]My [2Jcomplaint[/red]" in printed.replace("\n", "").replace("My  ", "My ")
    assert "\x1b" not in printed
