"""What `ingest check` says of a portal: whether what it sends could be believed, and whether replies could reach it."""

import asyncio
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from channels.social.send import Connection
from channels.social.settings import SocialAccount
from ingest.finding import Finding
from ingest.settings import Settings, on_this_machine

_DEADLINE_SECONDS: Final = 60.0
_LEAST: Final = timedelta(seconds=30)
_MOST: Final = timedelta(minutes=15)
_TO_MEND: Final = {
    "unreachable": "The portal cannot be reached. Check replies, and that a firewall lets us out to it.",
    "certificate-refused": "Its certificate is not trusted. Check the host in replies, or name its authority in ca_file.",
    "no-answer": "The portal takes the connection and does not answer. Check replies with whoever runs it.",
    "connection-lost": "The portal lets go of the connection without an answer. Check replies with whoever runs it.",
    "portal-redirects": "The portal sends us elsewhere, and no redirect is followed. Set replies to where it leads.",
    "portal-away": "The portal answers that it is out of order. Ask whoever runs it.",
}


async def look(name: str, account: SocialAccount, *, settings: Settings, **_: Any) -> list[Finding]:
    """One finding for what comes in and one for replies. What the secret must be is seen to before anything starts."""
    return [_posts_in(name, account, settings.web.public_url), await _replies_out(name, account)]


def _posts_in(name: str, account: SocialAccount, public_url: str) -> Finding:
    about, at = f"channels.social.{name} in", f"{public_url}/social/{name}"
    wrong: list[str] = []
    if not public_url.startswith("https://") and not on_this_machine(urlsplit(public_url).hostname or ""):
        wrong.append("What people write would reach us in the clear: set [web] public_url to the https address of the proxy.")
    if not _LEAST <= account.tolerance <= _MOST:
        wrong.append(
            f"tolerance is {account.tolerance.total_seconds():.0f} s: less than 30 s refuses a portal whose clock is a little off, and more "
            f"than 15 min lets an old request be sent again. 5m is what Standard Webhooks' own libraries have."
        )
    if not account.own_handles:
        wrong.append(
            "own_handles is empty: what we post ourselves could come back as a contact. Name our handles on each network."
        )
    if account.hmac is not None and account.hmac.timestamp_header is None:
        wrong.append(
            "hmac has no timestamp_header: a request that somebody has seen can be sent again at any time. Name the header, and put "
            "{timestamp} into signed, if the portal has one."
        )
    if wrong:
        return Finding(about, False, " ".join(wrong))
    return Finding(
        about,
        True,
        f"The portal is to call {at}; its signature is looked at, and may be {account.tolerance.total_seconds():.0f} s old.",
    )


async def _replies_out(name: str, account: SocialAccount) -> Finding:
    about = f"channels.social.{name} out"
    if account.replies is None:
        return Finding(about, True, "replies is not set: whatever is to be answered there becomes a task for a person.")
    connection = Connection(account)
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            wrong = await connection.check()
            await connection.close()
    except TimeoutError:
        return Finding(about, False, f"It did not answer within {_DEADLINE_SECONDS:.0f} s. Check replies.")
    if wrong is None:
        sentence = (
            "The portal answers at replies. Whether it takes our signature is seen with the first reply: nothing was sent."
        )
        return Finding(about, True, sentence)
    return Finding(about, False, f"{_TO_MEND[wrong.reason.partition(':')[0]]} ({wrong.reason})")
