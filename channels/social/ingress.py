"""A portal's way in: ``POST /social/NAME``, verified over the bytes as they came, and answered once all of it would survive a crash.

All that a request brings is taken in or none of it is answered for: contacts first, then what was decided about them, then what became
of our replies. The same again gets the same answer, and of a post that is here already nothing is written.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from channels.social.settings import SocialAccount
from channels.social.translate import Came, Heard, Report, translate
from channels.social.verify import verify
from ingest.claims import Claim, claim
from ingest.clock import Clock
from ingest.contract import Contact, Record, Trace, ids
from ingest.database import Database, among
from ingest.errors import Refused
from ingest.receive import Arrival
from ingest.reports import ALLOCATIONS, STATUSES, allocation_record, status_record
from ingest.settings import Settings
from ingest.state import sends
from ingest.telemetry import ERRORS, PASSED_OVER, telemetry
from ingest.together import Together
from ingest.web import Declined, Door, Fault, Route, body_of, problem, trace_in

Arrive = Callable[[Sequence[Arrival]], Awaitable[list[Contact]]]
Append = Callable[[str, Sequence[Record]], Awaitable[Any]]

MOST_BYTES: Final = 4_000_000
_MOST_AT_ONCE: Final = 1_000
_READ_AT_ONCE: Final = 65_536  # bytes that are read in no time; others would keep every other request waiting
_MOST_CHALLENGE: Final = 1_000

T = TypeVar("T")

_say = telemetry("social")


def door(name: str, account: SocialAccount, **leaned_on: Any) -> Door:
    """``POST /social/NAME``, and ``GET`` where the portal asks first and the settings have what it shows."""
    ingress = Ingress(name, account, **leaned_on)
    routes: list[Route] = [("POST", f"/social/{name}", ingress.told)]
    if account.token is not None:
        routes.append(("GET", f"/social/{name}", ingress.asked))
    return Door(routes, problem)


class Ingress:
    """One portal, and all that taking in from it leans on. Each route raises Declined and Unavailable."""

    def __init__(
        self,
        name: str,
        account: SocialAccount,
        *,
        arrive: Arrive,
        append: Append,
        database: Database,
        clock: Clock,
        settings: Settings,
        **_: Any,
    ) -> None:
        self._name = name
        self._account = account
        self._arrive = arrive
        self._append = append
        self._database = database
        self._clock = clock
        self._key = settings.own_key
        self._source = f"urn:contact-ingest:social:{name}"
        self._take_in = Together(self._taken_in)

    async def told(self, request: Request) -> Response:
        """What the portal tells: 200 once all of it is kept."""
        body = await body_of(request, MOST_BYTES, advice="Send it in parts.")
        now, trace = self._clock(), trace_in(request)
        try:
            event = verify(body, request.headers.items(), self._account, now)
        except Refused as error:
            ERRORS.labels("social", error.reason).inc()
            raise Declined(Fault(401, error.reason, error.sentence)) from error
        read = partial(translate, body, event=event, name=self._name, account=self._account, now=now)
        heard = await asyncio.to_thread(read) if len(body) > _READ_AT_ONCE else read()
        if heard.refused is not None:
            ERRORS.labels("social", heard.refused[0]).inc()
            _say.warning("refused", account=self._name, reason=heard.refused[0], **ids(trace))
            raise Declined(Fault(422, *heard.refused))
        await self._take_in((heard, trace), body)
        for reason in heard.passed_over:
            PASSED_OVER.labels("social", reason).inc()
        return Response(status_code=200)

    async def asked(self, request: Request) -> Response:
        """Whether this is ours, as Meta asks it: the challenge goes back to whoever shows the token."""
        asked = request.query_params
        token = self._account.token.get_secret_value() if self._account.token else ""
        shown = asked.get("hub.verify_token", "").encode("utf-8", "replace")
        if not token or asked.get("hub.mode") != "subscribe" or not hmac.compare_digest(shown, token.encode()):
            raise Declined(Fault(403, "token-wrong", "What is shown as hub.verify_token is not what the settings have."))
        challenge = asked.get("hub.challenge", "")
        if not challenge.isascii() or not challenge.isprintable() or len(challenge) > _MOST_CHALLENGE:
            raise Declined(Fault(400, "challenge-malformed", "hub.challenge is no short line of ASCII."))
        return PlainTextResponse(challenge)

    async def _taken_in(self, batch: Sequence[tuple[Heard, Trace | None]]) -> list[Exception | None]:
        """All of some requests, in that order: whoever hears of an allocation should have had its post."""
        posts = {(each.contact.id, each.fingerprint): (each, trace) for heard, trace in batch for each in heard.came}
        for came in _some(posts):
            await self._kept(came)
        for allocations in _some({each.id: (each, trace) for heard, trace in batch for each in heard.allocations}):
            records = [allocation_record(self._source, each, self._key, trace) for each, trace in allocations]
            await self._append(ALLOCATIONS.name, records)
        ends = {(each.outgoing_id, each.state): (each, trace) for heard, trace in batch for each in heard.reports}
        for reports in _some(ends):
            await self._reported(reports)
        return [None] * len(batch)

    async def _kept(self, came: Sequence[tuple[Came, Trace | None]]) -> None:
        """What each post's id stands for is noted; then those are taken in that were not before, or that say something else now."""
        now = self._clock()
        standing = await claim(self._database, [Claim(each.contact.id, each.fingerprint, now) for each, _ in came])
        fresh = [
            (each, trace)
            for each, trace in came
            if not standing[each.contact.id].taken_in or standing[each.contact.id].fingerprint != each.fingerprint
        ]
        if fresh:
            await self._arrive([_arrival(each, standing[each.contact.id].received_at, trace) for each, trace in fresh])

    async def _reported(self, reports: Sequence[tuple[Report, Trace | None]]) -> None:
        """What became of replies that went out by this portal; it has no say in any other message."""
        wanted = {each.outgoing_id for each, _ in reports}
        ours = select(sends.c.outgoing_id).where(among(sends.c.outgoing_id, wanted), sends.c.account == f"social.{self._name}")
        async with self._database.read() as connection:
            known = set(await connection.scalars(ours))
        if not_ours := sum(each.outgoing_id not in known for each, _ in reports):
            PASSED_OVER.labels("social", "unknown-reply").inc(not_ours)
        records = [
            status_record(self._source, each.outgoing_id, each.state, each.at, 1, each.reason, trace)
            for each, trace in reports
            if each.outgoing_id in known
        ]
        if records:
            await self._append(STATUSES.name, records)


def _some(each_once: Mapping[Any, T]) -> Iterator[list[T]]:
    """As many at a time as may be in one transaction."""
    every = list(each_once.values())
    return (every[at : at + _MOST_AT_ONCE] for at in range(0, len(every), _MOST_AT_ONCE))


def _arrival(came: Came, received_at: datetime, trace: Trace | None) -> Arrival:
    return Arrival(came.original, lambda _: (came.received(received_at), {}), trace=trace)
