"""What a provider's API is asked: which texts it has for a number of ours, and where it sends them.

Every call has a deadline, no redirect is followed, and a page leads only to another of the same list.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from channels.sms import notify, twilio
from channels.sms.asking import login, read_json, trusted
from channels.sms.inbound import InboundText, Media, moment, word_of
from channels.sms.settings import SmsAccount
from ingest.clock import Clock
from ingest.errors import Unavailable

SECONDS: Final = 20.0
_MOST_PAGES: Final = 1_000
_MOST_ANSWER_BYTES: Final = 16_777_216  # a page has 500 texts
_NOTIFY_KEEPS: Final = timedelta(days=7)

Item = Mapping[str, Any]


class Api:
    """An account's API. Methods raise Unavailable: ``provider-refused`` where it will not have our keys."""

    def __init__(self, account: SmsAccount, clock: Clock, client: httpx.AsyncClient) -> None:
        self._account = account
        self._clock = clock
        self._client = client
        self._of_account = f"/2010-04-01/Accounts/{account.account_sid}"

    async def since(self, since: datetime) -> AsyncGenerator[list[Item]]:
        """What came for our number, newest first, a page at a time; some of it may be older."""
        if self._account.provider == "twilio":
            asked = {"To": self._account.number, "DateSent>": since.date().isoformat(), "PageSize": "500"}
            following, query = f"{self._of_account}/Messages.json", asked
            for _ in range(_MOST_PAGES):
                page = await self._get(following, query)
                yield [each for each in _list(page, "messages") if each.get("direction") == "inbound"]
                following, query = word_of(dict(page), "next_page_uri"), {}
                if not following.startswith(f"{self._of_account}/Messages.json?"):
                    return
        elif self._account.provider == "notify":
            query = {}
            for _ in range(_MOST_PAGES):
                items = _list(await self._get("/v2/received-text-messages", query), "received_text_messages")
                yield items
                if not items or _sent_at("notify", items[-1], since) < since:
                    return
                query = {"older_than": word_of(dict(items[-1]), "id")}

    def reference(self, item: Item) -> str:
        """The provider's id of it."""
        return word_of(dict(item), "sid" if self._account.provider == "twilio" else "id")

    def sent_at(self, item: Item, otherwise: datetime) -> datetime:
        """When the provider had it."""
        return _sent_at(self._account.provider, item, otherwise)

    async def text(self, item: Item) -> tuple[bytes, InboundText]:
        """The bytes that are kept of it, and what it says. Raises Unreadable as well."""
        raw = json.dumps(item, sort_keys=True, separators=(",", ":")).encode()
        if self._account.provider == "notify":
            return raw, notify.listed(item)
        media = ()
        if word_of(dict(item), "num_media") not in ("", "0"):
            listed = await self._get(f"{self._of_account}/Messages/{self.reference(item)}/Media.json", {})
            media = tuple(self._media(each) for each in _list(listed, "media_list"))
        return raw, twilio.listed(item, media)

    async def newest(self) -> list[Item]:
        """What came last, as Notify lists it."""
        return _list(await self._get("/v2/received-text-messages", {}), "received_text_messages")

    async def number(self) -> Item | None:
        """How Twilio has our number set up; None where it is none of this account's."""
        found = await self._get(f"{self._of_account}/IncomingPhoneNumbers.json", {"PhoneNumber": self._account.number})
        return next(iter(_list(found, "incoming_phone_numbers")), None)

    def _media(self, item: Item) -> Media:
        path = word_of(dict(item), "uri").removesuffix(".json")
        return Media(f"{self._account.base}{path}", word_of(dict(item), "content_type")[:255], twilio.media_name(path))

    async def _get(self, path: str, query: Mapping[str, str]) -> Item:
        base = self._account.base
        asked = query or None  # with empty ones, a page's own would be taken away
        auth = login(self._account, self._clock)
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream("GET", f"{base}{path}", params=asked, auth=auth, follow_redirects=False) as answer,
            ):
                status, told = answer.status_code, await read_json(answer, _MOST_ANSWER_BYTES)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise Unavailable("provider-unreachable", f"{base} cannot be reached: {type(error).__name__}.") from error
        if status in (401, 403):
            raise Unavailable("provider-refused", f"{base} refused our keys ({status}).")
        if status != 200:
            raise Unavailable("provider-failed", f"{base} answered {status}.")
        if not isinstance(told, dict):
            raise Unavailable("provider-failed", f"{base} answered with no JSON object, or with more than we read.")
        return told  # pyright: ignore[reportUnknownVariableType]


@asynccontextmanager
async def api_of(account: SmsAccount, clock: Clock) -> AsyncGenerator[Api]:
    """The API of an account, with connections of its own."""
    async with httpx.AsyncClient(timeout=SECONDS, verify=trusted(), trust_env=False) as client:
        yield Api(account, clock, client)


def oldest(account: SmsAccount, now: datetime) -> datetime:
    """Of what time the provider still has something."""
    return now - (_NOTIFY_KEEPS if account.provider == "notify" else timedelta(days=30))


def _sent_at(provider: str, item: Item, otherwise: datetime) -> datetime:
    told = dict(item)
    if provider == "notify":
        return moment(word_of(told, "created_at")) or otherwise
    try:
        found = parsedate_to_datetime(word_of(told, "date_sent") or word_of(told, "date_created"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return otherwise
    return found if found.tzinfo else otherwise


def _list(page: Item, name: str) -> list[Item]:
    found = page.get(name)
    if not isinstance(found, list):
        raise Unavailable("provider-failed", f"The provider's answer has no {name}.")
    return [each for each in found if isinstance(each, dict)]  # pyright: ignore[reportUnknownVariableType]
