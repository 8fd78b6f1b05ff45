"""The channel table checks every account and names the key that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from channels.email.settings import EmailAccount
from channels.table import CHANNELS, accounts
from ingest.errors import Misconfigured
from ingest.settings import Settings

MAILBOX: dict[str, Any] = {
    "host": "imap.example.org", "user": "care", "password": "secret", "smtp": "smtp.example.org:587", "sender": "care@example.org",
}  # fmt: skip


def settings(channels: dict[str, Any]) -> Settings:
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    return Settings(key="7f3a91c04be82d6659d1e07ab34c8f20", teams=team, channels=channels)  # type: ignore[arg-type]


def test_each_account_has_its_channels_settings() -> None:
    found = accounts(settings({"email": {"care": MAILBOX, "help": MAILBOX | {"folder": "Help"}}}))
    assert list(found) == [("email", "care"), ("email", "help")]
    assert found["email", "help"] == EmailAccount(**MAILBOX, folder="Help")


def test_no_channels_is_no_accounts() -> None:
    assert accounts(settings({})) == {}


@pytest.mark.parametrize(
    ("channels", "key", "said"),
    [
        ({"pigeon": {"loft": {}}}, "channels.pigeon", "There is: email"),
        ({"email": {"care": MAILBOX | {"foldr": "x"}}}, "channels.email.care.foldr", "no setting channels.email.care.foldr"),
        ({"email": {"care": {"host": "x"}}}, "channels.email.care.user", "missing"),
        ({"email": {"care": MAILBOX | {"sender": "nobody"}}}, "channels.email.care.sender", "is not a mailbox"),
        ({"email": {"care": MAILBOX | {"smtp_security": "none"}}}, "channels.email.care", "not encrypted"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(channels: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        accounts(settings(channels))
    assert wrong.value.reason == key
    assert said in wrong.value.sentence
    assert "secret" not in wrong.value.sentence


def test_every_channel_has_a_room_and_every_room_is_in_the_table() -> None:
    rooms = {each.parent.name for each in Path("channels").glob("*/settings.py")}
    assert rooms == set(CHANNELS)
