"""The demo, as a stranger runs it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.journeys.house import INGEST, Installation

ALL_THERE_IS = {
    ("RecordFeedback", None),
    ("HandOff", "intake"),
    ("HandOff", "investigators"),
    ("HandOff", "case-owner"),
    ("AnswerQuery", None),
    ("HoldForReview", None),
    ("NoAction", None),
    ("InviteToContact", None),
}


@pytest.mark.journey
def test_the_demo_shows_every_disposition_there_is_on_every_channel_and_balances(tmp_path: Path) -> None:
    shown = subprocess.run([*INGEST, "demo", "--folder", str(tmp_path)], capture_output=True, text=True, timeout=110)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    for title in (
        "A feedback record in full",
        "A handoff, as the team gets it",
        "An acknowledgement, as sent",
        "What we sent by text",
        "An acknowledgement by text",
        "What the portal posted for us",
        "An invitation, in private",
        "An invitation, under a post",
    ):
        assert title in shown.stdout
    assert "The ledger balances." in shown.stdout
    assert "The audit trail verifies" in shown.stdout

    it = Installation.on_one_box(tmp_path)
    ((by_form,),) = it.rows(
        "SELECT f.body FROM feedback_records f JOIN contacts c ON c.id = f.contact_id WHERE c.channel = 'web_form'"
    )
    record = json.loads(by_form)
    assert f"The online form gave the reference {record['reference']}." in shown.stdout
    assert "fills in the online form at http://127.0.0.1:" in shown.stdout
    assert (record["name_given"], record["agreed_method"], record["missing"]) == ("Jordan Pascoe", "email", [])
    assert {channel for (channel,) in it.rows("SELECT DISTINCT channel FROM contacts")} == {
        "email",
        "sms",
        "social",
        "web_form",
    }
    assert (
        it.number(
            "SELECT count(*) FROM outgoing WHERE json_extract(body, '$.channel') = 'sms' AND state IN ('accepted', 'delivered')"
        )
        > 5
    )
    assert it.number("SELECT count(*) FROM posts WHERE outcome IS NULL") == 0
    assert set(it.rows("SELECT DISTINCT kind, team FROM dispositions WHERE current")) == ALL_THERE_IS
    urgent = it.rows(
        "SELECT o.state, o.reason FROM outgoing o JOIN dispositions d USING (contact_id) WHERE d.urgent AND o.audience = 'person'"
    )
    assert urgent
    assert set(urgent) == {("held", "urgent")}
    words = [
        json.loads(body)["text"].split("\n")[0]
        for (body,) in it.rows("SELECT body FROM contacts")
        if len(json.loads(body)["text"]) > 40
    ]
    telemetry = it.telemetry()
    assert not [each for each in words if len(each) > 25 and each in telemetry], "a contact's words stand in the telemetry"
