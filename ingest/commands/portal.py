"""A communication portal for the demo: it tells us what was posted and whose it is, and posts our replies.

It speaks Standard Webhooks both ways: base64 of an HMAC-SHA256 over the event's id, the time and the body.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
from starlette.requests import Request
from starlette.responses import Response

from ingest.clock import now
from ingest.web import Route

REPLIES: Final = "/replies"
_SECONDS: Final = 20.0


@dataclass
class Portal:
    """One of an organisation's own, and the replies that it has posted."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    posted: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def secret(self) -> str:
        """The key as people copy it."""
        return f"whsec_{base64.b64encode(self.key).decode()}"

    def routes(self) -> list[Route]:
        """Where it takes replies."""
        return [("POST", REPLIES, self._reply)]

    async def tell(self, url: str, kind: str, data: Mapping[str, Any]) -> None:
        """Tell us that something happened. Raises httpx.HTTPError where it is not taken."""
        at = now()
        body = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()
        event = f"msg_{secrets.token_hex(8)}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signature(event, at, body),
        }
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            answer = await client.post(url, content=body, headers=headers)
        answer.raise_for_status()

    async def _reply(self, request: Request) -> Response:
        body, headers = await request.body(), request.headers
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), now().tzinfo)
        if not hmac.compare_digest(self._signature(headers["webhook-id"], at, body), headers["webhook-signature"]):
            return Response(status_code=401)
        self.posted.append(json.loads(body)["data"])
        return Response(status_code=201)

    def _signature(self, event: str, at: datetime, body: bytes) -> str:
        signed = f"{event}.{int(at.timestamp())}.".encode() + body
        return f"v1,{base64.b64encode(hmac.digest(self.key, signed, 'sha256')).decode()}"
