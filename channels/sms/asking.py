"""How a provider's API is asked: by which login, trusting whom, and how much of an answer is read."""

import json
import ssl
from collections.abc import Generator
from functools import cache
from typing import Any

import httpx
import jwt

from channels.sms.settings import SmsAccount
from ingest.clock import Clock


def login(account: SmsAccount, clock: Clock) -> httpx.Auth | None:
    """The account's own; None where it has none, or its key is none of its provider's."""
    if account.provider == "twilio" and account.token is not None:
        return httpx.BasicAuth(account.account_sid or "", account.token.get_secret_value())
    return _NotifyToken(*key, clock) if (key := account.notify_key) else None


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: httpx would read all of them for each client, and meanwhile nothing else were done."""
    return httpx.create_ssl_context(trust_env=False)


class _NotifyToken(httpx.Auth):
    """Made anew for each request: Notify takes one for 30 seconds."""

    def __init__(self, service: str, secret: str, clock: Clock) -> None:
        self._service = service
        self._secret = secret
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        claims = {"iss": self._service, "iat": int(self._clock().timestamp())}
        request.headers["Authorization"] = f"Bearer {jwt.encode(claims, self._secret, 'HS256')}"
        yield request


async def read_json(answer: httpx.Response, most: int) -> Any:
    """What an answer says; None where it is no JSON, or has more bytes than ``most``."""
    taken = bytearray()
    async for chunk in answer.aiter_bytes():
        taken += chunk
        if len(taken) > most:
            return None
    try:
        return json.loads(taken)
    except (ValueError, RecursionError):
        return None
