"""Twilio and GOV.UK Notify on the loopback: each answers as its API is documented, keeps what it took, sends its own webhooks, and
misbehaves on demand. ``test_providers.py`` holds each to its vendor's own client.

A text that somebody writes is there from ``write`` on, as it is at a provider: whether the service hears of it by ``forward`` or has
to ask is another matter.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID, uuid4

import httpx
import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest.clock import Clock, now
from tests.servers.loopback import plain_client

HANG = "hang"
"""Take it and never answer."""
DROP = "drop"
"""Take it and cut the connection."""

_GSM: Final = frozenset(  # 3GPP TS 23.038 section 6.2.1, the default alphabet
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_OF_TWO: Final = frozenset("\f^{}\\[~]|€")


def parts(text: str) -> int:
    """How many parts a network carries and charges: 160 septets or 70 UTF-16 units in one, else 153 or 67 in each."""
    if set(text) <= _GSM | _GSM_OF_TWO:
        size, one, many = len(text) + sum(each in _GSM_OF_TWO for each in text), 160, 153
    else:
        size, one, many = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if size <= one else -(-size // many)


@dataclass
class Received:
    """A text that somebody wrote: numbers in E.164, or whatever the network said; media are (type, bytes)."""

    id: str
    sender: str
    number: str
    text: str
    at: datetime
    media: Sequence[tuple[str, bytes]] = ()


@dataclass
class Sent:
    """A text that we had sent. ``reference`` is ours, where the provider takes one; ``receipts`` where we want to hear of it."""

    id: str
    number: str
    text: str
    at: datetime
    status: str
    reference: str | None = None
    receipts: str | None = None


_Each = TypeVar("_Each", Sent, Received)


class _Protocol(H11Protocol):
    """Lets an answer cut its own connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return contextlib.nullcontext()


@dataclass
class Provider:
    """What both have. What ``to_send`` and ``to_ask`` hold is answered once each, then it is well again: a status, of which nothing
    is taken, or HANG or DROP. ``refusing`` is answered to everything for as long as it stands.
    """

    clock: Clock = now
    sent: list[Sent] = field(default_factory=list[Sent])
    received: list[Received] = field(default_factory=list[Received])
    to_send: list[int | str] = field(default_factory=list[int | str])
    to_ask: list[int | str] = field(default_factory=list[int | str])
    refusing: int | None = None
    asked: list[str] = field(default_factory=list[str])
    """Paths, with their queries, that something was asked at."""
    asked_with: list[tuple[str, Mapping[str, str]]] = field(default_factory=list[tuple[str, Mapping[str, str]]])
    """Their methods and headers."""
    within: dict[str, str] = field(default_factory=dict[str, str])
    """Headers of the trace that what is forwarded is part of."""
    on_taken: Callable[[], None] = lambda: None
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Its API's base URL."""
        return f"http://127.0.0.1:{self.port}"

    def numbers(self) -> list[str]:
        """To whom we sent, in order."""
        return [each.number for each in self.sent]

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same one after."""
        app = Starlette(routes=self._routes())
        config = uvicorn.Config(
            app, "127.0.0.1", self.port, http=_Protocol, ws="none", lifespan="off", log_config=None, log_level="critical"
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0.005)
            if self._serving.done():
                self._serving.result()
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._serving
            for each in list(self._server.server_state.connections):
                each.transport.abort()  # type: ignore[union-attr]
            self._server = self._serving = None

    def _routes(self) -> list[Route]:
        raise NotImplementedError

    def _fault(self, status: int) -> Response:
        raise NotImplementedError

    def _barred(self, request: Request) -> Response | None:
        raise NotImplementedError

    def _sending(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        return self._guarded(answer, self.to_send)

    def _asking(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        return self._guarded(answer, self.to_ask)

    def _guarded(
        self, answer: Callable[[Request], Awaitable[Response]], faults: list[int | str]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            self.asked.append(f"{request.url.path}?{request.url.query}".rstrip("?"))
            self.asked_with.append((request.method, request.headers))
            fault = self.refusing or (faults.pop(0) if faults else None)
            if isinstance(fault, int):
                return self._fault(fault)
            told = self._barred(request) or await answer(request)
            if fault == DROP:
                request.state.transport.abort()
            if fault in (HANG, DROP):
                await asyncio.sleep(3600)
            return told

        return guarded


@dataclass
class Twilio(Provider):
    """One account of Twilio's, with the numbers it has and where each sends what is written to it."""

    account_sid: str = "AC" + "c0ffee" * 5 + "00"
    token: str = "7f3d2a915b6c4e80"
    ours: dict[str, str] = field(default_factory=lambda: {"+441632960111": ""})
    """Number to ``sms_url``."""
    media_at: str = ""
    """Where a picture's address sends whoever asks: the peer's own files where unsaid."""
    stopped: set[str] = field(default_factory=set[str])
    """Numbers that wrote STOP: Twilio sends them nothing."""

    def _routes(self) -> list[Route]:
        account = "/2010-04-01/Accounts/{account}"
        return [
            Route(account + ".json", self._asking(self._account)),
            Route(account + "/Messages.json", self._sending(self._create), methods=["POST"]),
            Route(account + "/Messages.json", self._asking(self._list), methods=["GET"]),
            Route(account + "/Messages/{sid}.json", self._asking(self._fetch)),
            Route(account + "/Messages/{sid}/Media.json", self._asking(self._media_list)),
            Route(account + "/Messages/{sid}/Media/{media}", self._asking(self._media)),
            Route(account + "/IncomingPhoneNumbers.json", self._asking(self._own_numbers)),
            Route("/files/{media}", self._file),
        ]

    def write(
        self, sender: str, text: str, media: Sequence[tuple[str, bytes]] = (), number: str = "", at: datetime | None = None
    ) -> Received:
        """Somebody writes to our number."""
        prefix = "MM" if media else "SM"
        each = Received(
            f"{prefix}{secrets.token_hex(16)}", sender, number or next(iter(self.ours)), text, at or self.clock(), media
        )
        self.received.append(each)
        if text.strip().upper() in {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}:
            self.stopped.add(sender)
        if text.strip().upper() in {"START", "YES", "UNSTOP"}:
            self.stopped.discard(sender)
        return each

    def form_of(self, each: Received, **more: str) -> dict[str, str]:
        """The fields of the request that tells of a text."""
        return {
            "ToCountry": "GB",
            "ToState": "",
            "SmsMessageSid": each.id,
            "NumMedia": str(len(each.media)),
            "ToCity": "",
            "FromZip": "",
            "SmsSid": each.id,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": each.text,
            "FromCountry": "GB",
            "To": each.number,
            "ToZip": "",
            "NumSegments": str(parts(each.text)),
            "MessageSid": each.id,
            "AccountSid": self.account_sid,
            "From": each.sender,
            "ApiVersion": "2010-04-01",
            **{f"MediaUrl{at}": self.url + self._media_path(each, at) for at in range(len(each.media))},
            **{f"MediaContentType{at}": kind for at, (kind, _) in enumerate(each.media)},
            **more,
        }

    def signed(self, url: str, form: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a request to that public URL, signed by the vendor's own code."""
        signature = RequestValidator(self.token).compute_signature(url, form)
        kind = "application/x-www-form-urlencoded; charset=UTF-8"
        return urlencode(form).encode(), {
            "X-Twilio-Signature": signature,
            "Content-Type": kind,
            "User-Agent": "TwilioProxy/1.1",
        }

    async def forward(self, each: Received, url: str, at: str = "", **more: str) -> httpx.Response:
        """Tell of a text at our public URL; ``at`` is the base URL that stands for its host on this machine."""
        body, headers = self.signed(url, self.form_of(each, **more))
        return await _post(_there(url, at), body, headers | self.within)

    async def report(
        self, each: Sent, status: str = "delivered", url: str = "", at: str = "", error: str = ""
    ) -> httpx.Response:
        """Tell what became of a text of ours, where it said that it wanted to hear of it or at ``url``."""
        each.status = status
        form = {
            "SmsSid": each.id,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": each.number,
            "MessageSid": each.id,
            "AccountSid": self.account_sid,
            "From": next(iter(self.ours)),
            "ApiVersion": "2010-04-01",
            **({"ErrorCode": error} if error else {}),
        }
        where = url or each.receipts
        assert where, "nobody said where to report"
        body, headers = self.signed(where, form)
        return await _post(_there(where, at), body, headers)

    def _barred(self, request: Request) -> Response | None:
        given = request.headers.get("authorization", "")
        right = "Basic " + base64.b64encode(f"{self.account_sid}:{self.token}".encode()).decode()
        if given != right or request.path_params["account"] != self.account_sid:
            return self._fault(401)
        return None

    def _fault(self, status: int) -> Response:
        code, message = {
            401: (20003, "Authenticate"),
            403: (20003, "Permission Denied"),
            404: (20404, "The requested resource was not found"),
            429: (20429, "Too Many Requests"),
            500: (20500, "An internal server error has occurred"),
            503: (20503, "Service Unavailable"),
        }[status]
        return _trouble(code, message, status)

    async def _create(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        to, text = form.get("To", ""), form.get("Body", "")
        if not to:
            return _trouble(21604, "A 'To' phone number is required.")
        if "From" not in form and "MessagingServiceSid" not in form:
            return _trouble(21603, "A 'From' phone number is required.")
        if not text and "MediaUrl" not in form:
            return _trouble(21602, "Message body is required.")
        if len(text) > 1600:
            return _trouble(21617, "The concatenated message body exceeds the 1600 character limit")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            return _trouble(21211, f"Invalid 'To' Phone Number: {to[:4]}XXXX")
        if "From" in form and form["From"] not in self.ours:
            return _trouble(21659, "'From' is not a Twilio phone number or Short Code country mismatch")
        if to in self.stopped:
            return _trouble(21610, "Attempt to send to unsubscribed recipient")
        each = Sent(f"SM{secrets.token_hex(16)}", to, text, self.clock(), "queued", receipts=form.get("StatusCallback"))
        self.sent.append(each)
        shown = self._shown(each)
        each.status = "sent"
        self.on_taken()
        return JSONResponse({**shown, "date_sent": None}, 201)

    async def _list(self, request: Request) -> Response:
        asked = request.query_params
        found = [
            each
            for each in sorted([*self.sent, *self.received], key=lambda each: each.at, reverse=True)
            if asked.get("To") in (None, each.number)
            and asked.get("From") in (None, self._from(each))
            and _dated(each.at, asked)
        ]
        size, page = min(int(asked.get("PageSize", 50)), 1000), int(asked.get("Page", 0))
        shown = found[page * size : (page + 1) * size]
        base = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        kept = [(name, value) for name, value in asked.multi_items() if name not in ("Page", "PageToken", "PageSize")]

        def uri(number: int) -> str:
            token = [("PageToken", f"PA{found[number * size - 1].id}")] if number else []
            return f"{base}?{urlencode([*kept, ('PageSize', size), ('Page', number), *token])}"

        return JSONResponse(
            {
                "messages": [self._shown(each) for each in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
                "previous_page_uri": uri(page - 1) if page else None,
            }
        )

    async def _fetch(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        each = next((each for each in (*self.sent, *self.received) if each.id == sid), None)
        return JSONResponse(self._shown(each)) if each else self._fault(404)

    async def _account(self, request: Request) -> Response:
        made = _rfc2822(self.clock() - timedelta(days=400))
        uri = f"/2010-04-01/Accounts/{self.account_sid}"
        return JSONResponse(
            {
                "sid": self.account_sid,
                "friendly_name": "Customer Care",
                "status": "active",
                "type": "Full",
                "owner_account_sid": self.account_sid,
                "date_created": made,
                "date_updated": made,
                "uri": f"{uri}.json",
                "subresource_uris": {"messages": f"{uri}/Messages.json"},
            }
        )

    async def _own_numbers(self, request: Request) -> Response:
        wanted = request.query_params.get("PhoneNumber", "")
        found = [(number, url) for number, url in self.ours.items() if wanted.lstrip("+") in number]
        base = f"/2010-04-01/Accounts/{self.account_sid}/IncomingPhoneNumbers"
        return JSONResponse(
            {
                "incoming_phone_numbers": [
                    {
                        "sid": _sid_of("PN", number),
                        "account_sid": self.account_sid,
                        "friendly_name": number,
                        "phone_number": number,
                        "sms_url": url,
                        "sms_method": "POST",
                        "sms_fallback_url": "",
                        "status_callback": "",
                        "capabilities": {"voice": True, "sms": True, "mms": True},
                        "uri": f"{base}/{_sid_of('PN', number)}.json",
                    }
                    for number, url in found
                ],
                "page": 0,
                "page_size": 50,
                "start": 0,
                "end": max(len(found) - 1, 0),
                "uri": f"{base}.json?PageSize=50&Page=0",
                "first_page_uri": f"{base}.json?PageSize=50&Page=0",
                "next_page_uri": None,
                "previous_page_uri": None,
            }
        )

    async def _media_list(self, request: Request) -> Response:
        each = next((each for each in self.received if each.id == request.path_params["sid"]), None)
        if each is None:
            return self._fault(404)
        made = _rfc2822(each.at)
        return JSONResponse(
            {
                "media_list": [
                    {
                        "sid": _sid_of("ME", f"{each.id}{at}"),
                        "account_sid": self.account_sid,
                        "parent_sid": each.id,
                        "content_type": kind,
                        "date_created": made,
                        "date_updated": made,
                        "uri": f"{self._media_path(each, at)}.json",
                    }
                    for at, (kind, _) in enumerate(each.media)
                ],
                "page": 0,
                "page_size": 50,
                "start": 0,
                "end": max(len(each.media) - 1, 0),
                "uri": str(request.url.path),
                "first_page_uri": str(request.url.path),
                "next_page_uri": None,
                "previous_page_uri": None,
            }
        )

    async def _media(self, request: Request) -> Response:
        sid = request.path_params["media"]
        if self._of_media(sid) is None:
            return self._fault(404)
        return RedirectResponse(self.media_at or f"{self.url}/files/{sid}?temp-token={secrets.token_hex(8)}", 307)

    async def _file(self, request: Request) -> Response:
        found = self._of_media(request.path_params["media"])
        if found is None or "temp-token" not in request.query_params:
            return Response("AccessDenied", 403)
        kind, content = found
        return Response(content, media_type=kind)

    def _of_media(self, sid: str) -> tuple[str, bytes] | None:
        held = {_sid_of("ME", f"{each.id}{at}"): one for each in self.received for at, one in enumerate(each.media)}
        return held.get(sid)

    def _media_path(self, each: Received, at: int) -> str:
        return f"/2010-04-01/Accounts/{self.account_sid}/Messages/{each.id}/Media/{_sid_of('ME', f'{each.id}{at}')}"

    def _from(self, each: Sent | Received) -> str:
        return each.sender if isinstance(each, Received) else next(iter(self.ours))

    def _shown(self, each: Sent | Received) -> dict[str, Any]:
        came = isinstance(each, Received)
        at, uri = _rfc2822(each.at), f"/2010-04-01/Accounts/{self.account_sid}/Messages/{each.id}"
        return {
            "sid": each.id,
            "account_sid": self.account_sid,
            "messaging_service_sid": None,
            "body": each.text,
            "from": self._from(each),
            "to": each.number,
            "direction": "inbound" if came else "outbound-api",
            "status": "received" if came else each.status,
            "num_segments": str(parts(each.text)),
            "num_media": str(len(each.media) if came else 0),
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "error_message": None,
            "date_created": at,
            "date_sent": at,
            "date_updated": at,
            "api_version": "2010-04-01",
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }


@dataclass
class Notify(Provider):
    """One service of GOV.UK Notify's, with its key, its templates and the token it puts on what it tells us."""

    service_id: str = "26785a09-ab16-4eb0-8407-a37497a57506"
    secret: str = "3d844edf-8d35-48ac-975b-e847b4f122b0"
    bearer: str = "a token that the service chose"
    number: str = "07418369170"
    """The number that people write to, as Notify tells it."""
    from_number: str = "GOVUK"
    templates: dict[str, str] = field(default_factory=lambda: {"f33517ff-2a88-4f6e-b855-c550268ce08a": "((message))"})
    """Id to body."""

    @property
    def api_key(self) -> str:
        """As Notify gives it out: a name, the service, the secret."""
        return f"contact_ingest-{self.service_id}-{self.secret}"

    @property
    def template(self) -> str:
        """The id of the first template."""
        return next(iter(self.templates))

    def _routes(self) -> list[Route]:
        return [
            Route("/v2/notifications/sms", self._sending(self._create), methods=["POST"]),
            Route("/v2/notifications", self._asking(self._list)),
            Route("/v2/notifications/{id}", self._asking(self._fetch)),
            Route("/v2/template/{id}", self._asking(self._template)),
            Route("/v2/received-text-messages", self._asking(self._received)),
        ]

    def write(self, sender: str, text: str, at: datetime | None = None) -> Received:
        """Somebody writes to our number; Notify tells the sender's without a plus."""
        each = Received(str(uuid4()), sender.lstrip("+"), self.number, text, at or self.clock())
        self.received.append(each)
        return each

    async def forward(self, each: Received, url: str, at: str = "", **more: Any) -> httpx.Response:
        """Tell of a text at our URL; ``at`` is the base URL that stands for its host on this machine."""
        told = {
            "id": each.id,
            "source_number": each.sender,
            "destination_number": each.number,
            "message": each.text,
            "date_received": _iso(each.at),
            **more,
        }
        return await _post(_there(url, at), json.dumps(told).encode(), self.headers())

    async def report(self, each: Sent, status: str = "delivered", url: str = "", at: str = "") -> httpx.Response:
        """Tell what became of a text of ours."""
        each.status = status
        told = {
            "id": each.id,
            "reference": each.reference,
            "to": each.number,
            "status": status,
            "created_at": _iso(each.at),
            "completed_at": _iso(self.clock()),
            "sent_at": _iso(each.at),
            "notification_type": "sms",
            "template_id": self.template,
            "template_version": 1,
        }
        return await _post(_there(url, at), json.dumps(told).encode(), self.headers())

    def headers(self) -> dict[str, str]:
        """Of its own requests."""
        return {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"}

    def _barred(self, request: Request) -> Response | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return _errors(401, "AuthError", "Unauthorized: authentication token must be provided")
        try:
            claims = jwt.decode(token, options={"verify_signature": False, "verify_iat": False})
            if claims.get("iss") != self.service_id:
                return _errors(403, "AuthError", "Invalid token: service not found")
            skew = abs(self.clock().timestamp() - int(claims["iat"]))
            jwt.decode(token, self.secret, ["HS256"], options={"verify_iat": False})
        except jwt.InvalidSignatureError:
            return _errors(403, "AuthError", "Invalid token: API key not found")
        except jwt.InvalidAlgorithmError:
            return _errors(403, "AuthError", "Invalid token: algorithm used is not HS256")
        except (jwt.InvalidTokenError, KeyError, ValueError):
            return _errors(403, "AuthError", "Invalid token: signature, api token not found")
        if skew > 30:
            return _errors(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
        return None

    def _fault(self, status: int) -> Response:
        return _errors(
            status,
            *{
                400: ("BadRequestError", "Cannot send to this recipient when service is in trial mode"),
                401: ("AuthError", "Unauthorized: authentication token must be provided"),
                403: ("AuthError", "Invalid token: API key not found"),
                404: ("NoResultFound", "No result found"),
                429: ("RateLimitError", "Exceeded rate limit for key type live of 3000 requests per 60 seconds"),
                500: ("Exception", "Internal server error"),
                503: ("Exception", "Internal server error"),
            }[status],
        )

    async def _create(self, request: Request) -> Response:
        given: dict[str, Any] = json.loads(await request.body())
        for needed in ("phone_number", "template_id"):
            if needed not in given:
                return _errors(400, "ValidationError", f"{needed} is a required property")
        known = {"phone_number", "template_id", "personalisation", "reference", "sms_sender_id"}
        if more := sorted(given.keys() - known):
            return _errors(400, "ValidationError", f"Additional properties are not allowed ({more[0]} was unexpected)")
        if not isinstance(given.get("personalisation", {}), dict):
            return _errors(400, "ValidationError", f"personalisation {given['personalisation']} is not of type object")
        if wrong := _number_wrong(str(given["phone_number"])):
            return _errors(400, "ValidationError", f"phone_number {wrong}")
        body = self.templates.get(given["template_id"])
        if body is None:
            return _errors(400, "BadRequestError", "Template not found")
        said: dict[str, Any] = given.get("personalisation", {})
        if missing := [each for each in _placeholders(body) if each not in said]:
            return _errors(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
        text = re.sub(r"\(\((.+?)\)\)", lambda each: str(said[each[1]]), body)
        if len(text) > 918:
            return _errors(
                400, "BadRequestError", "Your message is too long. Text messages cannot be longer than 918 characters."
            )
        each = Sent(str(uuid4()), given["phone_number"], text, self.clock(), "created", given.get("reference"))
        if re.sub(r"\D", "", each.number).removeprefix("44").lstrip("0") not in ("7700900000", "7700900111", "7700900222"):
            self.sent.append(each)  # its smoke test numbers are answered and forgotten
        self.on_taken()
        each.status = "sending"
        return JSONResponse(
            {
                "id": each.id,
                "reference": each.reference,
                "content": {"body": text, "from_number": self.from_number},
                "uri": f"{self.url}/v2/notifications/{each.id}",
                "template": self._which(given["template_id"]),
                "scheduled_for": None,
            },
            201,
        )

    async def _list(self, request: Request) -> Response:
        asked = request.query_params
        found = [
            each
            for each in sorted(self.sent, key=lambda each: each.at, reverse=True)
            if asked.get("reference") in (None, each.reference)
            and (each.status in asked.getlist("status") or "status" not in asked)
            and asked.get("template_type", "sms") == "sms"
        ]
        page, links = self._page(request, found)
        return JSONResponse({"notifications": [self._shown(each) for each in page], "links": links})

    async def _fetch(self, request: Request) -> Response:
        each = next((each for each in self.sent if each.id == request.path_params["id"]), None)
        return JSONResponse(self._shown(each)) if each else self._fault(404)

    async def _template(self, request: Request) -> Response:
        identity = request.path_params["id"]
        try:
            UUID(identity)
        except ValueError:
            return _errors(400, "ValidationError", "id is not a valid UUID")
        if (body := self.templates.get(identity)) is None:
            return _errors(404, "NoResultFound", "No result found")
        return JSONResponse(
            {
                "id": identity,
                "name": "Anything we write",
                "type": "sms",
                "created_at": _iso(self.clock() - timedelta(days=30)),
                "updated_at": None,
                "version": 1,
                "created_by": "care@ombudsman.example",
                "body": body,
                "subject": None,
                "postage": None,
                "letter_contact_block": None,
                "personalisation": {each: {"required": True} for each in _placeholders(body)},
            }
        )

    async def _received(self, request: Request) -> Response:
        week = self.clock() - timedelta(days=7)
        found = [each for each in sorted(self.received, key=lambda each: each.at, reverse=True) if each.at >= week]
        page, links = self._page(request, found)
        shown = [
            {
                "id": each.id,
                "created_at": _iso(each.at),
                "content": each.text,
                "notify_number": each.number,
                "service_id": self.service_id,
                "user_number": each.sender,
            }
            for each in page
        ]
        return JSONResponse({"received_text_messages": shown, "links": links})

    def _page(self, request: Request, found: list[_Each]) -> tuple[list[_Each], dict[str, str]]:
        """250 after the one that is named, and the links to this page and the next."""
        older_than = request.query_params.get("older_than")
        first = 0
        if older_than:
            first = next((at for at, each in enumerate(found, 1) if each.id == older_than), len(found))
        page = found[first : first + 250]
        links = {"current": self.url + str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")}
        if page:
            kept = [(name, value) for name, value in request.query_params.multi_items() if name != "older_than"]
            links["next"] = f"{self.url}{request.url.path}?{urlencode([*kept, ('older_than', page[-1].id)])}"
        return page, links

    def _which(self, identity: str) -> dict[str, Any]:
        return {"id": identity, "version": 1, "uri": f"{self.url}/v2/template/{identity}"}

    def _shown(self, each: Sent) -> dict[str, Any]:
        ended = each.status not in ("created", "sending", "pending")
        return {
            "id": each.id,
            "reference": each.reference,
            "email_address": None,
            "phone_number": each.number,
            "type": "sms",
            "status": each.status,
            "template": self._which(self.template),
            "body": each.text,
            "subject": None,
            "created_at": _iso(each.at),
            "created_by_name": None,
            "sent_at": None if each.status == "created" else _iso(each.at),
            "completed_at": _iso(each.at) if ended else None,
            "scheduled_for": None,
            "one_click_unsubscribe": None,
        }


_Kind = TypeVar("_Kind", bound=Provider)


@asynccontextmanager
async def serving(provider: _Kind) -> AsyncGenerator[_Kind]:
    """The provider, listening for as long as the block lasts."""
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()


def _trouble(code: int, message: str, status: int = 400) -> Response:
    told = {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return JSONResponse(told, status)


def _errors(status: int, error: str, message: str) -> Response:
    return JSONResponse({"status_code": status, "errors": [{"error": error, "message": message}]}, status)


def _dated(at: datetime, asked: Mapping[str, str]) -> bool:
    """Whether it was sent when ``DateSent``, ``DateSent>`` and ``DateSent<`` say: a day, or a moment. Both bounds are inclusive."""
    day = asked.get("DateSent")
    since, until = asked.get("DateSent>"), asked.get("DateSent<")
    return (
        (day is None or at.date() == datetime.fromisoformat(day).date())
        and (since is None or at >= _moment(since))
        and (until is None or at <= _moment(until))
    )


def _moment(given: str) -> datetime:
    read = datetime.fromisoformat(given)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _number_wrong(number: str) -> str | None:
    """Why it is not a British mobile number, in Notify's words."""
    if not re.fullmatch(r"[+\d\s().-]*", number):
        return "Must not contain letters or symbols"
    digits = re.sub(r"\D", "", number).removeprefix("44").removeprefix("0")
    if len(digits) != 10:
        return "Too many digits" if len(digits) > 10 else "Not enough digits"
    return None if digits.startswith("7") else "Not a UK mobile number"


def _placeholders(body: str) -> list[str]:
    return re.findall(r"\(\((.+?)\)\)", body)


def _sid_of(prefix: str, of: str) -> str:
    return prefix + hashlib.sha256(of.encode()).hexdigest()[:32]


def _rfc2822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC)).replace("GMT", "+0000")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _there(url: str, at: str) -> str:
    """The URL at another scheme, host and port, where one is named."""
    if not at:
        return url
    given, other = urlsplit(url), urlsplit(at)
    return urlunsplit((other.scheme, other.netloc, given.path, given.query, ""))


async def _post(url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    async with plain_client(timeout=15) as client:
        return await client.post(url, content=body, headers=headers)
