"""The providers' way in: what people write, and what became of what we sent them.

A request is believed only where the provider's own scheme says that the provider made it for [web] public_url, over the bytes as they
came; else nothing of it is read or kept. A text is answered once it is kept, within the two seconds that the most impatient provider
gives, and a repeat gets the same answer. What a provider surely sent and we cannot read is kept as well, and a person looks.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from channels.sms.inbound import Receipt
from channels.sms.providers import PROVIDERS
from channels.sms.settings import SmsAccount
from channels.sms.taking import Arrive, Came, Pace, Texts
from ingest import state
from ingest.clock import Clock
from ingest.contract import Record, Trace
from ingest.database import Database
from ingest.errors import Misconfigured, Refused, Unreadable
from ingest.reports import STATUSES, status_record
from ingest.settings import Settings
from ingest.telemetry import ERRORS
from ingest.together import Together
from ingest.web import Declined, Door, Fault, body_of, problem, trace_in

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MOST_BYTES: Final = 65_536  # a text has 1,600 characters and ten pictures' addresses at most

_UNSIGNED: Final = Fault(401, "signature", "Its signature or token is not the provider's for this address.")
_EMPTY: Final = Fault(400, "empty", "There is nothing in it.")

Append = Callable[[str, list[Record]], Awaitable[Any]]


def door(
    name: str,
    account: SmsAccount,
    *,
    arrive: Arrive,
    append: Append,
    database: Database,
    clock: Clock,
    settings: Settings,
    pace: Pace | None = None,
    **_: Any,
) -> Door:
    """``POST /sms/NAME`` for what people write and ``POST /sms/NAME/receipts`` for what became of what we sent.

    Beside them, texts are completed whose pictures or other parts were not there when they came. Raises Misconfigured where the name
    cannot stand in an address.
    """
    if not _NAME.fullmatch(name):
        key = f"channels.sms.{name}"
        raise Misconfigured(key, f"{key}: its name stands in an address. Use letters, figures and hyphens.")
    texts = Texts(name, account, arrive=arrive, database=database, clock=clock, settings=settings, pace=pace)
    webhooks = Webhooks(name, account, texts, append=append, database=database, clock=clock, settings=settings)
    routes = [("POST", path(name), webhooks.text), ("POST", f"{path(name)}/receipts", webhooks.receipt)]
    return Door(routes, problem, beside=texts.run)


def path(name: str) -> str:
    """Where a provider sends what people write."""
    return f"/sms/{name}"


class Webhooks:
    """What the routes lean on. Each raises Declined, Unavailable and Refused."""

    def __init__(
        self,
        name: str,
        account: SmsAccount,
        texts: Texts,
        *,
        append: Append,
        database: Database,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._name = name
        self._account = account
        self._provider = PROVIDERS[account.provider]
        self._append = append
        self._database = database
        self._clock = clock
        self._url = f"{settings.web.public_url}{path(name)}"
        self._take = Together(texts.take)

    async def text(self, request: Request) -> Response:
        """One text: the provider's own yes once it would survive a loss of power."""
        raw, _ = await self._verified(request, self._url)
        if not raw:
            raise Declined(_EMPTY)
        try:
            told = self._provider.parse(raw, request.headers)
        except Unreadable as error:
            ERRORS.labels("sms", error.reason).inc()
            told = None
        await self._take(Came(raw, told, trace_in(request)), raw)
        status, media_type, body = self._provider.answer
        return Response(body, status, media_type=media_type)

    async def receipt(self, request: Request) -> Response:
        """What became of a text of ours: yes once the router will hear of it, and where there is nothing to tell yet."""
        raw, url = await self._verified(request, f"{self._url}/receipts")
        try:
            told = self._provider.receipt(raw, request.headers, url)
            await self._tell(told, trace_in(request))
        except (Unreadable, Refused) as error:
            ERRORS.labels("sms", error.reason).inc()
            status = 404 if error.reason == "unknown-outgoing" else 400
            raise Declined(Fault(status, error.reason, error.sentence)) from error
        return Response(status_code=204)

    async def _tell(self, told: Receipt, trace: Trace | None) -> None:
        sends = state.sends
        wanted = select(sends.c.attempts).where(sends.c.outgoing_id == told.outgoing_id, sends.c.account == f"sms.{self._name}")
        async with self._database.read() as connection:
            attempts = await connection.scalar(wanted)
        if attempts is None:
            raise Refused("unknown-outgoing", "It is about no text that this account has sent.")
        if told.state is None:
            return
        source = f"urn:contact-ingest:sms:{self._name}"
        record = status_record(source, told.outgoing_id, told.state, self._clock(), attempts, told.reason, trace)
        await self._append(STATUSES.name, [record])

    async def _verified(self, request: Request, url: str) -> tuple[bytes, str]:
        """The body, and the public URL with the query that it came to. Raises Declined."""
        raw = await body_of(request, _MOST_BYTES)
        query = request.scope["query_string"].decode("ascii", "surrogateescape")
        whole = f"{url}?{query}" if query else url
        if not self._provider.verify(raw, request.headers, whole, self._account):
            raise Declined(_UNSIGNED)
        return raw, whole
