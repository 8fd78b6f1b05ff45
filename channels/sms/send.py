"""Sends text messages by Twilio or GOV.UK Notify, and asks either what it knows of one.

What surely was not taken is ``Deferred``; once a request may have reached the provider, a silence is ``Unknown``. Notify sends
templates only: ours has one placeholder, ``message``, and nothing else.

Of an answer only status and codes are looked at: Notify asks that nobody lean on the wording of its errors, and what Twilio says of
a number names it.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from channels.sending import Accepted, Deferred, Failed, Outcome, Trouble, Unknown, fault, trace_headers
from channels.sms.asking import login, read_json
from channels.sms.quiet import quiet_until
from channels.sms.settings import SmsAccount
from ingest.clock import now
from ingest.contract import Outgoing
from ingest.segments import length
from ingest.settings import Settings
from ingest.telemetry import TEXT_PARTS

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
_MOST_ANSWER_BYTES: Final = 1_048_576
_PAGE: Final = 500  # of Twilio's list, the newest first: more than go in the minutes until it is asked

# https://www.twilio.com/docs/api/errors: what is about the number we send to, and about what we send from.
_NOT_THIS_NUMBER: Final = frozenset({21211, 21214, 21217, 21219, 21265, 21408, 21610, 21612, 21614, 21635})
_NOT_FROM_US: Final = frozenset({21212, 21603, 21606, 21609, 21659, 21660, 21701, 21703, 21704, 21705})
_QUEUE_FULL: Final = 21611
_TWILIO_FAILED: Final = frozenset({"failed", "undelivered", "canceled"})
_NOTIFY_FAILED: Final = frozenset({"permanent-failure", "temporary-failure", "technical-failure"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any  # JSON, or None where it is none


def way_out(name: str, account: SmsAccount, *, settings: Settings, **_: Any) -> "Connection | None":
    """The account's way to its provider; None where that only takes in."""
    provider = _provider(account, f"{settings.web.public_url}/sms/{quote(name)}/receipts")
    return Connection(name, account, provider, ZoneInfo(settings.outgoing.time_zone)) if provider else None


def _provider(account: SmsAccount, receipts: str) -> "Twilio | Notify | None":
    match account.provider:
        case "twilio":
            return Twilio(account, receipts)
        case "notify" if account.template:
            return Notify(account)
        case _:
            return None


class Twilio:
    """Twilio's Messages resource, version 2010-04-01."""

    def __init__(self, account: SmsAccount, receipts: str) -> None:
        self._account = account
        self._receipts = receipts
        self._path = f"/2010-04-01/Accounts/{account.account_sid}"

    def sending(self, outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
        """The request that sends it, and tells us what became of it under its id."""
        account = self._account
        sender = {"MessagingServiceSid": account.messaging_service} if account.messaging_service else {"From": account.number}
        form = {
            "To": outgoing.recipient,
            "Body": outgoing.body,
            "StatusCallback": f"{self._receipts}?of={outgoing.id}",
            **sender,
        }
        return f"{self._path}/Messages.json", {"data": form}

    def asking(self, _: Outgoing) -> tuple[str, Mapping[str, str]]:
        """The newest that went from us: not by whom to, since an address is no place for that, nor by date, since one that is still queued
        has none.
        """
        ours = {} if self._account.messaging_service else {"From": self._account.number}
        return f"{self._path}/Messages.json", {**ours, "PageSize": str(_PAGE)}

    def found(self, outgoing: Outgoing, body: Any) -> Outcome | None:
        """Of the texts in an answer, ours is known by its words: each names its own reference."""
        ours = [
            each
            for each in _listed(body, "messages")
            if each.get("body") == outgoing.body and each.get("direction") != "inbound"
        ]
        return _known(ours, _TWILIO_FAILED)

    def checking(self) -> str:
        """Where to see whether the account may send."""
        return f"{self._path}.json"

    def checked(self, body: Any) -> Deferred | None:
        """Why it may not."""
        return None if _object(body).get("status") == "active" else Deferred("account-not-active", Trouble.ACCOUNT)

    def refused(self, answer: _Answer) -> Outcome:
        """What a refusal of one message comes to; it was not taken."""
        code = _object(answer.body).get("code")
        codes = f"{answer.status} {code}" if isinstance(code, int) else str(answer.status)
        if code == _QUEUE_FULL:
            return Deferred(f"queue-full: {codes}", Trouble.MESSAGE)
        if code in _NOT_THIS_NUMBER:
            return Failed(f"recipient-refused: {codes}")
        if code in _NOT_FROM_US or answer.status == 404:
            return Deferred(f"sender-refused: {codes}", Trouble.ACCOUNT)
        return Failed(f"message-refused: {codes}")


class Notify:
    """GOV.UK Notify's REST API, version 2."""

    def __init__(self, account: SmsAccount) -> None:
        self._account = account

    def sending(self, outgoing: Outgoing) -> tuple[str, dict[str, Any]]:
        """The request that sends it; what became of it is told with our reference."""
        return "/v2/notifications/sms", {
            "json": {
                "phone_number": outgoing.recipient,
                "template_id": self._account.template,
                "personalisation": {"message": outgoing.body},
                "reference": str(outgoing.id),
            }
        }

    def asking(self, outgoing: Outgoing) -> tuple[str, Mapping[str, str]]:
        """What it has by our reference."""
        return "/v2/notifications", {"reference": str(outgoing.id)}

    def found(self, outgoing: Outgoing, body: Any) -> Outcome | None:
        """Several of one reference are copies of it."""
        ours = [each for each in _listed(body, "notifications") if each.get("reference") == str(outgoing.id)]
        return _known(ours, _NOTIFY_FAILED)

    def checking(self) -> str:
        """Where to see what our template is."""
        return f"/v2/template/{self._account.template}"

    def checked(self, body: Any) -> Deferred | None:
        """Whether what we write can be put into the template, and nothing else need be."""
        template = _object(body)
        if template.get("type") == "sms" and list(_object(template.get("personalisation"))) == ["message"]:
            return None
        return Deferred("template-wrong", Trouble.ACCOUNT)

    def refused(self, answer: _Answer) -> Outcome:
        """What a refusal of one message comes to; it was not taken."""
        errors = _listed(answer.body, "errors")
        kind = next((str(each["error"]) for each in errors if str(each.get("error", "")).isalpha()), "")
        codes = f"{answer.status} {kind}".rstrip()
        return Failed(f"recipient-refused: {codes}" if kind == "ValidationError" else f"message-refused: {codes}")


class Connection:
    """An account's way to its provider."""

    def __init__(self, name: str, account: SmsAccount, provider: Twilio | Notify, zone: ZoneInfo) -> None:
        self._name = name
        self._account = account
        self._provider = provider
        self._zone = zone
        self._client: httpx.AsyncClient | None = None

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        """Hand one message to the provider, but within quiet hours only where it would be late else."""
        until = quiet_until(now, outgoing.due, self._account.quiet, self._zone)
        if until is not None:
            return Deferred("quiet-hours", Trouble.MESSAGE, until)
        path, content = self._provider.sending(outgoing)
        answer = await self._answer("POST", path, headers=trace_headers(outgoing), **content)
        if not isinstance(answer, _Answer):
            return answer
        if answer.status // 100 == 2:
            TEXT_PARTS.labels(self._name).inc(length(outgoing.body).parts)
            return Accepted()
        if trouble := _not_now(answer):
            # A gateway that fails may do so behind our back, and this is tried again at once.
            known = await self.asked(outgoing) if answer.status // 100 == 5 else None
            return known or trouble
        refused = self._provider.refused(answer)
        # A template that somebody has changed is refused with the same code as a number: then it is not this message's fault.
        wrong = await self.check() if isinstance(self._provider, Notify) and isinstance(refused, Failed) else None
        return wrong or refused

    async def asked(self, outgoing: Outgoing) -> Outcome | None:
        """What the provider has of it: a look changes nothing, so a silence is only a reason to ask again."""
        path, query = self._provider.asking(outgoing)
        body = await self._looked(path, query, trace_headers(outgoing))
        return body if isinstance(body, Deferred) else self._provider.found(outgoing, body.body)

    async def check(self) -> Deferred | None:
        """Whether the provider knows us and would send what we give it."""
        body = await self._looked(self._provider.checking(), {})
        return body if isinstance(body, Deferred) else self._provider.checked(body.body)

    async def close(self) -> None:
        """Let go of the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _looked(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> "_Answer | Deferred":
        answer = await self._answer("GET", path, params=query, headers=headers)
        match answer:
            case Unknown(reason):
                return Deferred(reason, Trouble.CONNECTION)
            case _Answer(status) if status != 200:
                return _not_now(answer) or Deferred(f"not-found: {status}", Trouble.ACCOUNT)
            case _:
                return answer

    async def _answer(self, method: str, path: str, **content: Any) -> "_Answer | Deferred | Unknown":
        auth = login(self._account, now)
        if auth is None:
            return Deferred("api-key-malformed", Trouble.ACCOUNT)
        try:
            async with asyncio.timeout(CONNECT_SECONDS + ANSWER_SECONDS):
                if self._client is None:
                    self._client = httpx.AsyncClient(
                        base_url=self._account.base,
                        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
                        verify=await asyncio.to_thread(ssl.create_default_context),
                        trust_env=False,  # a .netrc's password is none of ours
                    )
                async with self._client.stream(method, path, auth=auth, follow_redirects=False, **content) as answer:
                    return _Answer(answer.status_code, await read_json(answer, _MOST_ANSWER_BYTES))
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            await self.close()
            return fault(error)


def _not_now(answer: _Answer) -> Deferred | None:
    """What any provider says of us or of itself, and not of the message."""
    match answer.status:
        case 401 | 403:
            return Deferred(f"server-refused: {answer.status}", Trouble.ACCOUNT)
        case 429:
            return Deferred("too-many: 429", Trouble.ACCOUNT)
        case status if status // 100 == 3:
            return Deferred(f"redirected: {status}", Trouble.ACCOUNT)
        case status if status // 100 == 5:
            return Deferred(f"server-failed: {status}", Trouble.CONNECTION)
        case _:
            return None


def _known(ours: list[dict[str, Any]], failed: frozenset[str]) -> Outcome | None:
    """Of a message and its copies: taken where one was not refused."""
    if not ours:
        return None
    states = [str(each.get("status")) for each in ours]
    return Failed(f"undelivered: {states[0]}") if all(each in failed for each in states) else Accepted()


def _object(body: Any) -> dict[str, Any]:
    return cast(dict[str, Any], body) if isinstance(body, dict) else {}


def _listed(body: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a list of an answer; none where the answer is not so."""
    found: Any = _object(body).get(name)
    listed = cast(list[Any], found) if isinstance(found, list) else []
    return [cast(dict[str, Any], each) for each in listed if isinstance(each, dict)]
