"""``ingest validate`` tells a publisher what is wrong, line by line, and repeats nothing of what was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.commands.conftest import Ingest

Contact = Callable[..., dict[str, Any]]
Lines = Callable[..., Path]


def test_good_contacts_are_good(ingest: Ingest, contact: Contact, lines: Lines):
    ran = ingest("validate", lines(contact(), "", contact(from_a_later_release=1)))
    assert (ran.status, ran.out) == (0, "")
    assert "2 lines" in ran.err


def test_each_fault_is_named_by_line_field_and_reason(ingest: Ingest, contact: Contact, lines: Lines):
    wrong = contact(channel="pigeon", attachments=[{"digest": "x"}])
    ran = ingest("validate", lines(contact(), "", wrong, "{not json", "[]"))
    assert ran.status == 1
    assert "line 3: channel: Input should be" in ran.out
    assert "line 3: attachments.0.digest: " in ran.out
    assert "line 3: attachments.0.size: Field required." in ran.out
    assert "line 4: Invalid JSON" in ran.out
    assert "line 5: Input should be an object." in ran.out
    assert "3 of 4 lines are no contacts." in ran.err


def test_with_json_each_fault_is_an_object(ingest: Ingest, contact: Contact, lines: Lines):
    ran = ingest("validate", lines(contact(original="short")), "--json")
    assert ran.status == 1
    assert ran.rows == [{"line": 1, "field": "original", "reason": "String should match pattern '^[0-9a-f]{64}$'."}]


@pytest.mark.parametrize("field", ["text", "channel", "received_at", "original", "id"])
def test_no_fault_repeats_what_was_written(ingest: Ingest, contact: Contact, lines: Lines, field: str):
    ran = ingest("validate", lines(contact(**{field: ["my-secret-words"]})))
    assert ran.status == 1
    assert field in ran.out
    assert "my-secret-words" not in ran.out + ran.err


def test_a_byte_order_mark_and_windows_line_ends_are_borne(ingest: Ingest, contact: Contact, lines: Lines):
    path = lines(contact(), contact())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert ingest("validate", path).status == 0


def test_bytes_that_are_no_text_are_a_fault_of_their_line(ingest: Ingest, lines: Lines):
    path = lines()
    path.write_bytes(b"\xff\xfe\x00\n" + b"[" * 1_000_000 + b"\n")
    ran = ingest("validate", path)
    assert ran.status == 1
    assert "line 1: Invalid JSON" in ran.out
    assert "line 2: Invalid JSON" in ran.out


def test_a_file_that_is_not_there_is_wrong_use(ingest: Ingest, tmp_path: Path):
    assert ingest("validate", tmp_path / "none.jsonl").status == 2
    assert ingest("validate").status == 2
