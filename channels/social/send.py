"""Replies by way of a portal: an outgoing message to the portal's own address for them, and what came of it as a value.

A reply is ``{"type": "reply.create", "timestamp", "data"}``, signed as the portal signs to us. Its ``webhook-id`` is the message's id on
every try, so that a portal which has it already takes it for what it is: after a silence it may be sent again. No answer is read beyond
its status, and no redirect followed.
"""

import asyncio
import json
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from channels.sending import Accepted, Deferred, Failed, Outcome, Trouble, Unknown, fault, trace_headers
from channels.social.settings import SocialAccount
from channels.social.verify import sign
from ingest.contract import Outgoing

_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 30.0
_IN_ALL_SECONDS: Final = 45.0
_MOST_WAIT: Final = timedelta(hours=6)  # whatever a portal asks for
_GONE: Final = frozenset({404, 409, 410})
_LATER: Final = frozenset({408, 425, 429})
_AWAY: Final = frozenset({502, 503, 504})


def way_out(_: str, account: SocialAccount, **__: Any) -> "Connection | None":
    """The account's way to its portal; None where that takes no replies."""
    return Connection(account) if account.replies else None


def compose(outgoing: Outgoing, now: datetime) -> bytes | None:
    """What is sent of a message, its words as they are; None where it answers no post."""
    if outgoing.post is None or not outgoing.in_reply_to:
        return None
    told = {
        "type": "reply.create",
        "timestamp": now.astimezone(UTC).isoformat(),
        "data": {
            "id": str(outgoing.id),
            "post_id": outgoing.in_reply_to,
            "thread_id": outgoing.post.thread_id,
            "network": outgoing.post.network,
            "handle": outgoing.recipient,
            "private": outgoing.private,
            "text": outgoing.body,
            "language": outgoing.language,
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


class Connection:
    """A portal's way to reply: made when it is wanted, kept for a run, made anew after any fault."""

    def __init__(self, account: SocialAccount) -> None:
        self._account = account
        self._client: httpx.AsyncClient | None = None

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        """Hand one message to the portal; it never raises for what a portal or a network does."""
        if self._account.replies is None:
            return Failed("no-way-to-reply")
        body = compose(outgoing, now)
        if body is None:
            return Failed("no-post")
        headers = {
            "content-type": "application/json",
            **trace_headers(outgoing),
            **sign(body, str(outgoing.id), self._account, now),
        }
        outcome = await self._asking("POST", self._account.replies, headers, body)
        if isinstance(outcome, httpx.Response):
            outcome = _meant(outcome, now)
        if not isinstance(outcome, Accepted):
            await self.close()
        return outcome

    async def asked(self, outgoing: Outgoing) -> None:
        """There is no asking, and no need: the same id again is the same reply."""

    async def check(self) -> Deferred | None:
        """Reach the portal by HEAD, which sends nothing: that it answers and is trusted, not that it would take our signature."""
        if self._account.replies is None:
            return Deferred("no-way-to-reply", Trouble.ACCOUNT)
        found = await self._asking("HEAD", self._account.replies, {}, b"")
        if isinstance(found, httpx.Response):
            if found.has_redirect_location:
                return Deferred(f"portal-redirects: {found.status_code}", Trouble.ACCOUNT)
            return Deferred(f"portal-away: {found.status_code}", Trouble.CONNECTION) if found.status_code >= 500 else None
        return found if isinstance(found, Deferred) else Deferred(found.reason, Trouble.CONNECTION)

    async def close(self) -> None:
        """Let go of the portal."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(httpx.HTTPError, OSError):
                await client.aclose()

    async def _asking(self, method: str, url: str, headers: dict[str, str], body: bytes) -> httpx.Response | Deferred | Unknown:
        """The answer, whose body nobody reads. Before the request is on its way a fault is Deferred, after it Unknown."""
        try:
            client = self._client = self._client or await asyncio.to_thread(_client, self._account.ca_file)
        except (OSError, ssl.SSLError):
            return Deferred("certificate-refused: ca_file", Trouble.ACCOUNT)
        try:
            async with asyncio.timeout(_IN_ALL_SECONDS), client.stream(method, url, headers=headers, content=body) as answer:
                return answer
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return fault(error)


def _client(ca_file: str | None) -> httpx.AsyncClient:
    trust = ssl.create_default_context()
    if ca_file is not None:
        trust.load_verify_locations(cafile=ca_file)
    deadlines = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
    return httpx.AsyncClient(verify=trust, timeout=deadlines, follow_redirects=False, trust_env=False)


def _meant(answer: httpx.Response, now: datetime) -> Outcome:
    """An answer by its status."""
    status = answer.status_code
    match status:
        case _ if 200 <= status < 300:
            return Accepted()
        case 401 | 403:
            return Deferred(f"portal-refused-us: {status}", Trouble.ACCOUNT)
        case _ if status in _GONE:
            return Failed(f"post-gone: {status}")
        case _ if status in _LATER:
            return Deferred(f"portal-busy: {status}", Trouble.ACCOUNT, _until(answer.headers.get("retry-after"), now))
        case _ if status in _AWAY:
            until = _until(answer.headers.get("retry-after"), now)
            return Deferred(f"portal-away: {status}", Trouble.CONNECTION if until is None else Trouble.ACCOUNT, until)
        case _ if status >= 500:
            return Deferred(f"portal-failed: {status}", Trouble.MESSAGE)
        case _ if status >= 400:
            return Failed(f"reply-refused: {status}")
        case _:
            return Deferred(f"portal-redirects: {status}", Trouble.ACCOUNT)


def _until(told: str | None, now: datetime) -> datetime | None:
    """When the portal would be asked again (RFC 9110 section 10.2.3), within reason."""
    if told is None:
        return None
    try:
        wanted = (
            now + timedelta(seconds=min(float(told), _MOST_WAIT.total_seconds()))
            if told.isascii() and told.isdigit()
            else parsedate_to_datetime(told)
        )
        return max(now, min(wanted.astimezone(UTC), now + _MOST_WAIT))
    except (ValueError, OverflowError, TypeError):
        return None
