"""Recorded payloads of each provider, each beside the contact that it becomes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.inbound import InboundText, Picture
from channels.sms.providers import PROVIDERS
from channels.sms.translate import translate
from ingest.contract import Contact

SAMPLES = Path(__file__).parent / "samples"
PAYLOADS = sorted(each for each in SAMPLES.iterdir() if not each.name.endswith(".contact.json"))
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TYPES = {".form": "application/x-www-form-urlencoded", ".json": "application/json"}


def became(payload: Path) -> dict[str, Any]:
    raw = payload.read_bytes()
    told = PROVIDERS[payload.name.partition("-")[0]].parse(raw, {"content-type": TYPES[payload.suffix]})
    assert isinstance(told, InboundText)
    contact, files = translate(raw, told, account="care", received_at=AT)
    assert files == {}
    return json.loads(contact.model_dump_json(exclude_defaults=True))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda each: each.stem)
def test_each_payload_becomes_the_contact_beside_it(payload: Path):
    beside = payload.with_name(f"{payload.stem}.contact.json")
    assert became(payload) == json.loads(beside.read_text(encoding="utf-8"))


@given(
    st.binary(max_size=200),
    st.none() | st.builds(InboundText, st.text(min_size=1), st.text(), st.text(), st.text(), st.none() | st.datetimes()),
    st.lists(st.builds(Picture, st.binary(max_size=50), st.text(max_size=300)), max_size=3),
)
def test_whatever_comes_is_a_contact(raw: bytes, text: InboundText | None, pictures: list[Picture]):
    contact, files = translate(raw, text, account="care", received_at=AT, pictures=pictures)
    assert Contact.model_validate_json(contact.model_dump_json()) == contact
    assert {each.digest for each in contact.attachments} <= files.keys()
