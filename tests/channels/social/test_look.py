"""`ingest check` says of a portal what is set wrong, and where to mend it."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from channels.social.look import look
from ingest.finding import Finding
from ingest.settings import Settings, WebSettings
from tests.channels.social.conftest import OURS, account
from tests.servers.loopback import free_ports
from tests.servers.portal import Portal


async def looked(public_url: str = "https://contact.example.org", **changed: Any) -> tuple[Finding, Finding]:
    settings = Settings(
        key=SecretStr(OURS.decode()),
        teams=dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org"),  # type: ignore[arg-type]
        web=WebSettings(public_url=public_url),
    )
    found_in, found_out = await look("care", account(**changed), settings=settings)
    assert (found_in.about, found_out.about) == ("channels.social.care in", "channels.social.care out")
    return found_in, found_out


async def test_where_all_is_well_it_says_what_to_tell_the_portal_and_what_was_not_tried(portal: Portal):
    found_in, found_out = await looked(replies=portal.replies)
    assert found_in.well
    assert "https://contact.example.org/social/care" in found_in.sentence
    assert found_out.well
    assert "seen with the first reply" in found_out.sentence
    assert portal.posted == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"public_url": "http://contact.example.org"}, "[web] public_url"),
        ({"tolerance": timedelta(seconds=5)}, "tolerance is 5 s"),
        ({"tolerance": timedelta(hours=2)}, "tolerance is 7200 s"),
        ({"own_handles": ()}, "own_handles is empty"),
        ({"secret": SecretStr("a secret of the portal's"), "hmac": {"header": "X-Sig"}}, "no timestamp_header"),
    ],
)
async def test_what_is_set_wrong_is_named_with_where_to_mend_it(changed: dict[str, Any], said: str):
    found, _ = await looked(**changed)
    assert not found.well
    assert said in found.sentence


async def test_a_portal_that_cannot_be_reached_is_told_and_one_without_a_way_to_reply_is_no_fault():
    (port,) = free_ports(1)
    _, away = await looked(replies=f"http://127.0.0.1:{port}/replies")
    assert not away.well
    assert "Check replies" in away.sentence
    _, without = await looked()
    assert without.well
    assert "a task for a person" in without.sentence
