"""What docs/social.md shows is what the channel takes, and what it says it sends is what it sends."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from channels.social.send import compose
from channels.social.settings import SocialAccount
from channels.social.translate import translate
from tests.channels.social.conftest import account
from tests.channels.social.test_send import NOW, invitation
from tests.channels.social.test_translate import SAMPLES
from tests.servers.portal import SECRET

PAGE = Path("docs/social.md").read_text(encoding="utf-8")


def shown(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def accounts() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in shown("toml account"):
        found |= tomllib.loads(each)["channels"]["social"]
    return found


@pytest.mark.parametrize("name", ["care", "messenger"])
def test_each_account_that_is_shown_is_one(name: str):
    given = {key: value for key, value in accounts()[name].items() if not key.endswith("_file")}
    assert SocialAccount.model_validate({"secret": SECRET, **given}).own_handles


def test_the_event_that_is_shown_becomes_a_post_and_its_allocation():
    (event,) = shown("json event")
    heard = translate(event.encode(), event="msg_1", name="care", account=account(), now=NOW)
    ((came,), (allocation,)) = heard.came, heard.allocations
    assert came.contact.warnings == ()
    assert allocation.contact_id == came.contact.id


def test_what_messenger_sends_is_read_with_the_settings_that_are_shown():
    given = {key: value for key, value in accounts()["messenger"].items() if not key.endswith("_file")}
    chosen = SocialAccount.model_validate({"secret": SECRET, **given})
    heard = translate((SAMPLES / "like-meta.json").read_bytes(), event="1", name="care", account=chosen, now=NOW)
    assert [each.contact.text for each in heard.came] == ["Pam nad oes neb yn ateb?"]
    assert heard.passed_over == ["echo"]


def test_the_reply_that_is_shown_has_every_field_that_is_sent_and_no_other():
    (reply,) = map(json.loads, shown("json reply"))
    sent = json.loads(compose(invitation(), NOW) or b"")
    assert reply.keys() == sent.keys()
    assert {name: type(value) for name, value in reply["data"].items()} == {
        name: type(value) for name, value in sent["data"].items()
    }
