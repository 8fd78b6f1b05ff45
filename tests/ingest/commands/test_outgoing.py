"""``ingest outgoing``: what waits, a message as it would be sent, and stopping one or all."""

from typing import Any

import pytest

from ingest.contract import Identifier, Person
from ingest.ids import reference

BY = ("--by", "Sam")
SUICIDE = "I am going to kill myself tonight."


@pytest.fixture
def outgoing(ingest, config):
    return lambda *arguments: ingest("outgoing", *arguments, "--config", config)


def test_what_waits_for_the_public_is_listed_and_notices_to_teams_only_with_all(take_in, outgoing):
    (one,) = take_in("Hello. It is about the thing.")
    (row,) = outgoing("list", "--json").rows
    assert (row["state"], row["kind"], row["contact"]) == ("due", "acknowledgement", reference(one.id))
    every = outgoing("list", "--all", "--json").rows
    assert {each["kind"] for each in every} == {"acknowledgement", "task"}
    assert outgoing("list", "--state", "held", "--json").rows == []


def test_an_urgent_contacts_reply_is_held_and_released_by_somebody(take_in, outgoing):
    (one,) = take_in(SUICIDE)
    (row,) = outgoing("list", "--state", "held", "--json").rows
    assert row["reason"] == "urgent"
    assert outgoing("release", row["id"][:8], *BY).status == 0
    assert outgoing("list", "--json").rows[0]["state"] == "due"
    again = outgoing("release", reference(one.id), *BY)
    assert again.status == 1


def test_one_message_is_held_by_hand(take_in, outgoing):
    take_in("Hello. It is about the thing.")
    (row,) = outgoing("list", "--json").rows
    assert outgoing("hold", row["id"], *BY).status == 0
    assert [(each["state"], each["reason"]) for each in outgoing("list", "--json").rows] == [("held", "by-hand")]


def test_all_sending_is_stopped_and_let_go_on(take_in, outgoing):
    take_in("Hello. It is about the thing.")
    assert outgoing("hold", *BY).status == 0
    listed = outgoing("list")
    assert "stopped by Sam" in listed.err
    assert outgoing("release", *BY).status == 0
    assert "stopped" not in outgoing("list").err


def test_a_message_is_printed_as_it_would_be_sent(take_in, outgoing):
    (one,) = take_in("Hello. It is about the thing.")
    shown = outgoing("show", outgoing("list", "--json").rows[0]["id"])
    assert shown.status == 0
    for said in ("To: jo@example.com", "care@ombudsman.example", "Auto-Submitted: auto-replied", f"[{reference(one.id)}]",
                 "We are not an emergency service", "Nid ydym yn wasanaeth brys"):  # fmt: skip
        assert said in shown.out
    assert "about the thing" not in shown.out


TEXTS = """
[channels.sms.text]
provider = "twilio"
number = "+441632960111"
account_sid = "AC00000000000000000000000000000000"
token_file = "ingest.key"
price_per_part = "0.0395"
"""
PHONE = Identifier(kind="phone", given="07700 900123", canonical="+447700900123")
ANOTHER = Identifier(kind="phone", given="07700 900124", canonical="+447700900124")


def a_text(language: str, phone: Identifier = PHONE) -> dict[str, Any]:
    return {
        "text": "Hello. It is about the thing.", "language": language, "sender": Person(identifiers=(phone,)), "channel": "sms",
        "account": "text", "source": "urn:contact-ingest:sms:text",
    }  # fmt: skip


def test_a_text_is_printed_with_its_length_and_its_cost_and_listed_with_them(config, take_in, outgoing):
    with config.open("a", encoding="utf-8") as written:
        written.write(TEXTS + '[acknowledgement]\norganisation_cy = "Ombwdsmon Dŵr"\n')
    take_in(a_text("en"), a_text("cy", ANOTHER), "Hello. It is about the thing.")
    english, welsh, mail = sorted(outgoing("list", "--json").rows, key=lambda each: each["parts"] or 9)
    assert (english["to"], english["parts"], english["cost"]) == ("+447700900123", 1, "0.0395 GBP")
    assert (welsh["parts"], welsh["cost"]) == (3, "0.1185 GBP")
    assert (mail["to"], mail["parts"], mail["cost"]) == ("jo@example.com", None, None)
    shown = outgoing("show", english["id"]).out
    for said in (
        "To: +447700900123",
        "From: +441632960111",
        "septets of GSM-7, in 1 part\n",
        "Cost: 0.0395 GBP",
        "In danger? Ring 999 now.",
    ):
        assert said in shown
    assert "characters of UCS-2, in 3 parts: " in outgoing("show", welsh["id"]).out
    assert "about the thing" not in shown


def test_what_is_impossible_says_so(take_in, outgoing):
    take_in({"text": "Hello. It is about the thing.", "sender": {}})
    (row,) = outgoing("list", "--state", "impossible", "--json").rows
    assert "no address is known" in outgoing("show", row["id"]).out


def test_what_is_covered_says_that_they_have_had_another(take_in, outgoing):
    take_in("Hello. It is about the thing.", "Hello. It is about the thing.")
    (sent,) = outgoing("list", "--state", "due", "--json").rows
    (row,) = outgoing("list", "--state", "covered", "--json").rows
    assert row["reason"] == f"covered-by:{sent['id']}"
    assert "they have had an earlier acknowledgement" in outgoing("show", row["id"]).out


@pytest.mark.parametrize("verb", ["hold", "release"])
def test_whoever_acts_gives_a_name(take_in, outgoing, verb):
    take_in()
    assert outgoing(verb).status == 2


def test_a_reply_that_is_needed_no_more_is_cancelled_and_told_of_no_longer(take_in, outgoing):
    take_in(SUICIDE)
    (row,) = outgoing("list", "--state", "held", "--json").rows
    assert outgoing("cancel", row["id"], *BY, "--because", "rung at noon").status == 0
    assert outgoing("list", "--json").rows == []
    assert outgoing("cancel", row["id"], *BY, "--because", "again").status == 1
