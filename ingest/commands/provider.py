"""A provider of text messages for the demo: it has our number, tells us what people write to it, and delivers what we send them.

It speaks as much of Twilio's API as the service asks of it, and signs what it tells as Twilio does: base64 of an HMAC-SHA1 over the
address it calls and the fields in their order.
"""

import asyncio
import base64
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingest.web import Route

_SECONDS: Final = 20.0
_ON_ITS_WAY_SECONDS: Final = 0.2


@dataclass
class Provider:
    """One account, and what it has delivered: (to whom, what)."""

    number: str = "+441632960111"
    account_sid: str = f"AC{'0' * 32}"
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    delivered: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _under_way: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def routes(self) -> list[Route]:
        """Its API."""
        messages = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        return [("POST", messages, self._send), ("GET", messages, self._list)]

    async def forward(self, url: str, sender: str, text: str) -> None:
        """Tell us what somebody wrote to our number. Raises httpx.HTTPError where it is not taken."""
        sid = f"SM{secrets.token_hex(16)}"
        told = {"MessageSid": sid, "From": sender, "To": self.number, "Body": text, "NumMedia": "0"}
        await self._tell(url, told)

    async def _send(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        sid = f"SM{secrets.token_hex(16)}"
        self.delivered.append((given["To"], given["Body"]))
        if url := given.get("StatusCallback"):
            task = asyncio.create_task(self._report(url, sid, given["To"]))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return JSONResponse({"sid": sid, "status": "queued"}, 201)

    async def _list(self, _: Request) -> Response:
        return JSONResponse({"messages": [], "next_page_uri": None})

    async def _report(self, url: str, sid: str, to: str) -> None:
        await asyncio.sleep(_ON_ITS_WAY_SECONDS)
        await self._tell(url, {"MessageSid": sid, "MessageStatus": "delivered", "From": self.number, "To": to})

    async def _tell(self, url: str, told: dict[str, Any]) -> None:
        form = {**told, "AccountSid": self.account_sid}
        signed = url + "".join(name + form[name] for name in sorted(form))
        signature = base64.b64encode(hmac.digest(self.token.encode(), signed.encode(), "sha1")).decode()
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            answer = await client.post(url, data=form, headers={"X-Twilio-Signature": signature})
        answer.raise_for_status()
