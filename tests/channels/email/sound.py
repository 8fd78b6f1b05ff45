"""What holds of the contact that any bytes become, however bad they are."""

import unicodedata
from datetime import UTC, datetime

from channels.email.translate import translate
from ingest.ids import digest

RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def sound(raw: bytes) -> None:
    """Fail where it does not."""
    contact, contents = translate(raw, account="care", received_at=RECEIVED, backfill=False, authserv_id="mx.example.net")
    assert contact.original == digest(raw)
    for words in (contact.text, contact.full_text):
        assert "\x00" not in words
        assert "\r" not in words
        words.encode()
    for line in (contact.subject, contact.sender.name, *(each.name for each in contact.attachments)):
        assert line is None or not any(unicodedata.category(each) == "Cc" for each in line)
    assert {each.digest for each in contact.attachments} == set(contents)
    assert not any(each.startswith("not-read: ") and each.endswith(("Error", "Exception")) for each in contact.warnings)
