"""HTTP: one server a port; routes arrive as data. The private port has health and metrics, and is never public.

The public port is for whoever reaches it. Each request there has a limit on its body, a deadline on its slowness and a share of what
the process may have in hand at once; each answer has the headers that keep a browser from doing what a page never meant. What does not
fit is explained by the door that the path belongs to: the form has pages, the interface for other systems has problem+json.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Routed
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingest.contract import Trace, ids, traced
from ingest.errors import IngestError, Misconfigured, Refused, Unavailable
from ingest.settings import WebSettings
from ingest.telemetry import REQUESTS, REQUESTS_IN_HAND, telemetry, what_broke

Route = tuple[str, str, Callable[[Request], Awaitable[Response]]]
"""Method, path, and what answers. It may raise ``Unavailable`` for "not now", ``Refused`` for "not like this", and ``Declined``."""

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Each thing the service leans on, and why it is not ready; None where it is."""

Borne = Callable[[], Mapping[str, str]]
"""What the service leans on and does without at present, and what it does meanwhile."""

_DEADLINE_SECONDS = 5.0
_HEADERS_SECONDS: Final = 10.0  # from a connection's first byte, or its being made, to the end of a request's headers
_BODY_SECONDS: Final = 20.0  # for a body to come, and so much longer as it takes at the least rate
_LEAST_BYTES_A_SECOND: Final = 2_000  # a telephone at the edge of a cell sends more
_UNREAD_SECONDS: Final = 30.0  # an answer that nobody takes
_LINGER_SECONDS: Final = 5.0  # for the rest of a body that is answered already
_LINGER_BYTES: Final = 64_000_000
_MOST_HEADER_BYTES: Final = 32_768
_MOST_CONNECTIONS: Final = 500  # of the 1,024 files that a process may usually have open, which the stores need as well
_MOST_BYTES_IN_HAND: Final = 256_000_000
_DRAIN_SECONDS: Final = 20
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TITLES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}  # which Python names by the release
_STATUS: Final = {"record-too-large": 413, "file-too-large": 413, "file-type": 415}

_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with less, a browser would send forms without their Origin
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_say = telemetry("web")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request is not answered as it was asked.

    ``reason`` is a stable word, ``sentence`` what to do about it, without anything of what was sent; ``fields`` are JSON pointers
    with a sentence each.
    """

    status: int
    reason: str
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fields: Sequence[tuple[str, str]] = ()


class Declined(HTTPException):
    """A route's way to answer with a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.status, fault.sentence, dict(fault.headers))
        self.fault = fault


Explain = Callable[[Request, Fault], Response]
"""How a door says that something is wrong; the fault's status and headers are put on its answer."""


@dataclass(frozen=True, slots=True)
class Door:
    """Some paths of the public port, how faults there are explained, and what goes on beside them until the service is to stop."""

    routes: Sequence[Route]
    explain: Explain
    beside: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None


def problem(request: Request, fault: Fault) -> Response:  # noqa: ARG001 - what every Explain is given
    """As RFC 9457 has it. ``type`` is ``urn:contact-ingest:problem:<reason>``, and does not change."""
    told: dict[str, Any] = {
        "type": f"urn:contact-ingest:problem:{fault.reason}",
        "title": _TITLES.get(fault.status) or HTTPStatus(fault.status).phrase,
        "status": fault.status,
        "detail": fault.sentence,
    }
    if fault.fields:
        told["errors"] = [{"pointer": pointer, "detail": sentence} for pointer, sentence in fault.fields]
    return JSONResponse(told, fault.status, media_type="application/problem+json")


async def body_of(request: Request, most: int, reason: str = "body-too-large", advice: str = "") -> bytes:
    """A request's body. Raises Declined, with 413, as soon as it is over the limit."""
    too_large = Declined(Fault(413, reason, f"The body is larger than {most} bytes, which is the limit. {advice}".rstrip()))
    if int(request.headers.get("content-length", "0")) > most:
        raise too_large
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def trace_in(request: Request) -> Trace | None:
    """The trace that a request is part of, by its headers."""
    return traced(request.headers.getlist("traceparent"), request.headers.getlist("tracestate"))


def private_routes(ready: Readiness, borne: Borne = dict) -> list[Route]:
    """``/livez`` (the loop turns; nothing else is asked), ``/readyz`` (all that is leaned on answers, or is borne) and ``/metrics``."""

    async def livez(_: Request) -> Response:
        return Response("live\n", media_type="text/plain")

    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                found = dict(await ready())
        except TimeoutError:
            found = {"service": f"no answer within {_DEADLINE_SECONDS:.0f} s"}
        wanting = {name: why for name, why in found.items() if why}
        content = {"ready": not wanting, "wanting": wanting, "borne": dict(borne())}
        return JSONResponse(content, status_code=503 if wanting else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [("GET", "/livez", livez), ("GET", "/readyz", readyz), ("GET", "/metrics", metrics)]


async def serve(endpoint: str, routes: Sequence[Route], stopping: asyncio.Event) -> None:
    """Answer our own people on ``host:port`` until told to stop. Raises OSError where the port is taken."""
    await _serve(endpoint, _app(routes), stopping, timeout_graceful_shutdown=2)


async def serve_public(settings: WebSettings, doors: Sequence[Door], stopping: asyncio.Event) -> None:
    """Answer the public on ``[web] public`` until told to stop, and then what is in hand.

    The first door also explains what belongs to none. Raises Misconfigured where the certificate cannot be used, and OSError where
    the port is taken.
    """
    app = _app([route for door in doors for route in door.routes])
    front = _Front(app, settings, doors)
    for kind in (HTTPException, IngestError, Exception):
        app.add_exception_handler(kind, front.explained)
    chosen: dict[str, Any] = {}
    if settings.trusted_proxies:
        chosen |= {"proxy_headers": True, "forwarded_allow_ips": list(settings.trusted_proxies)}
    if settings.certificate_file:
        certified = _certified(settings)
        chosen["ssl_context_factory"] = lambda _config, _default: certified  # pyright: ignore[reportUnknownLambdaType]
    await _serve(
        settings.public,
        front,
        stopping,
        http=_Protocol,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        **chosen,
    )


def _app(routes: Sequence[Route]) -> Starlette:
    app = Starlette(routes=[Routed(path, answer, methods=[method]) for method, path, answer in routes])
    app.router.redirect_slashes = False
    return app


async def _serve(endpoint: str, app: ASGIApp, stopping: asyncio.Event, **chosen: Any) -> None:
    host, _, port = endpoint.rpartition(":")
    settled: dict[str, Any] = {"proxy_headers": False, "http": "h11", **chosen}
    config = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=int(port),
        ws="none",
        log_config=None,
        log_level="critical",  # what it says of requests has addresses and paths in it
        access_log=False,
        server_header=False,
        lifespan="off",
        **settled,
    )
    server = _Server(config)
    ended = asyncio.ensure_future(server.serve())
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((ended, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        server.should_exit = True
        await ended


def _certified(settings: WebSettings) -> ssl.SSLContext:
    """Our certificate, and whose certificates of publishers are believed. Raises Misconfigured."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate_file or "", settings.certificate_key_file)
    except OSError as error:
        raise Misconfigured(
            "web.certificate_file", f"web.certificate_file or its certificate_key_file cannot be used: {error}."
        ) from error
    if settings.client_ca_file:
        try:
            context.load_verify_locations(settings.client_ca_file)
        except OSError as error:
            raise Misconfigured("web.client_ca_file", f"web.client_ca_file cannot be used: {error}.") from error
        context.verify_mode = ssl.CERT_OPTIONAL  # people who fill in a form have none
    return context


class _Server(uvicorn.Server):
    """The service has its own signals: uvicorn's would take them away."""

    def capture_signals(self) -> Any:
        """Leave them alone."""
        return nullcontext()


class _Protocol(H11Protocol):
    """HTTP/1.1, with an end to connections that ask nothing, ask slowly, or do not take their answer."""

    _asking: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin the clock; note the name in the publisher's certificate, where there is one."""
        super().connection_made(transport)
        if (tls := transport.get_extra_info("ssl_object")) is not None:
            self.app_state = {**self.app_state, "certificate_name": _common_name(tls.getpeercert())}
        self._wait_for_a_request()
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Whatever it is, it must become a request in time."""
        if not self._in_hand:
            self._wait_for_a_request()
        super().data_received(data)
        if self._in_hand:
            self._asking = _cancelled(self._asking)

    def pause_writing(self) -> None:
        """The other side takes nothing for now."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(_UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._unread = _cancelled(self._unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._asking, self._unread = _cancelled(self._asking), _cancelled(self._unread)
        super().connection_lost(exc)

    @property
    def _in_hand(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def _wait_for_a_request(self) -> None:
        self._asking = self._asking or self.loop.call_later(_HEADERS_SECONDS, self.transport.abort)


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _common_name(certificate: Mapping[str, Any] | None) -> str | None:
    """The common name of a certificate's subject, once TLS has verified it."""
    subject: Any = (certificate or {}).get("subject", ())
    return next((value for part in subject for name, value in part if name == "commonName"), None)


class _Front:
    """What every request to the public port passes on its way in, and every answer on its way out."""

    def __init__(self, app: ASGIApp, settings: WebSettings, doors: Sequence[Door]) -> None:
        self._app = app
        self._settings = settings
        self._doors = doors
        self._paths = [(compile_path(path)[0], door) for door in doors for _, path, _ in door.routes]
        secure = {"strict-transport-security": "max-age=31536000"} if settings.public_url.startswith("https://") else {}
        self._headers = [(name.encode(), value.encode()) for name, value in (_HEADERS | secure).items()]
        self._in_hand = 0
        self._bytes_in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        clock = asyncio.get_running_loop().time
        method, began, status = str(scope["method"]), clock(), 0
        closing = False
        inner = {**scope, "method": "GET" if method == "HEAD" else method}  # the server leaves out the body
        taken = _Body(self, receive, clock, dict(scope["headers"]))

        async def answer(message: Message) -> None:
            nonlocal status, closing
            if message["type"] == "http.response.start":
                status = int(message["status"])
                told = {name for name, _ in message["headers"]}  # in small letters, as ASGI has them
                closing = b"connection" in told
                more = [each for each in self._headers if each[0] not in told]
                message = {**message, "headers": [*message["headers"], *more]}
            if (
                message["type"] == "http.response.body"
                and not message.get("more_body", False)
                and taken.still_comes
                and not closing
            ):
                await send({**message, "more_body": True})
                await taken.linger()
                message = {"type": "http.response.body"}
            await send(message)

        self._in_hand += 1
        REQUESTS_IN_HAND.set(self._in_hand)
        try:
            if wrong := self._at_the_threshold(scope):
                await self._explain(Request(inner), wrong)(inner, receive, answer)
            else:
                await self._app(inner, taken.receive, answer)
        except ClientDisconnect:
            status = 499  # as proxies count it; nobody is there to be told anything
        except Exception as error:  # noqa: BLE001 - what went wrong is told without what it went wrong over
            _say.error("failed", route=_template(inner), **what_broke(error), **ids(trace_in(Request(inner))))
            if not status:
                await self._explain(Request(inner), _UNEXPECTED)(inner, receive, answer)
        finally:
            self._in_hand -= 1
            self.give_back(taken.size)
            REQUESTS_IN_HAND.set(self._in_hand)
            known = method if method in _METHODS or method == "HEAD" else "other"
            REQUESTS.labels(_template(inner), known, str(status)).observe(clock() - began)

    async def explained(self, request: Request, error: Exception) -> Response:
        """The answer to what a route raised, or to a path that has none."""
        return self._explain(request, _fault_of(error))

    def take(self, size: int, so_far: int) -> None:
        """Account for bytes of a body. Raises Declined."""
        self._bytes_in_hand += size
        if so_far > self._settings.most_body_bytes:
            raise Declined(self._too_large())
        if self._bytes_in_hand > _MOST_BYTES_IN_HAND:
            raise Declined(_BUSY)

    def give_back(self, size: int) -> None:
        """So many bytes are in hand no more."""
        self._bytes_in_hand -= size

    def _at_the_threshold(self, scope: Scope) -> Fault | None:
        """What can be said before anything is read."""
        if self._in_hand > self._settings.at_once:
            return _BUSY
        told = {name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")}
        if len(told) > 1:
            return _TWO_LENGTHS
        declared = told.get(b"content-length", b"0")
        return self._too_large() if int(declared) > self._settings.most_body_bytes else None

    def _too_large(self) -> Fault:
        most = self._settings.most_body_bytes
        return Fault(413, "body-too-large", f"The request's body is larger than {most} bytes, which is the limit.")

    def _explain(self, request: Request, fault: Fault) -> Response:
        path = request.scope["path"]
        door = next((door for pattern, door in self._paths if pattern.match(path)), self._doors[0])
        response = door.explain(request, fault)
        response.status_code = fault.status
        response.headers.update(fault.headers)
        return response


class _Body:
    """A request's body as it comes."""

    def __init__(self, front: _Front, receive: Receive, clock: Callable[[], float], headers: Mapping[bytes, bytes]) -> None:
        self._front = front
        self._receive = receive
        self._began = clock()
        self._whole = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        self._waits = b"expect" in headers
        self.size = 0

    @property
    def still_comes(self) -> bool:
        """Somebody is sending, who may read no answer before the end. Who waits to be told to go on is not."""
        return not (self._whole or (self._waits and not self.size))

    async def linger(self) -> None:
        """Throw away what still comes of it, for so long and so much: a connection closed before would take the answer with it.

        RFC 9112 section 9.6.
        """
        self._front.give_back(self.size)  # none of it is in hand any more
        self.size = thrown = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._whole and thrown < _LINGER_BYTES:
                    message = await self._receive()
                    thrown += len(message.get("body", b""))
                    self._whole = not message.get("more_body", False)

    async def receive(self) -> Message:
        """The next part. Raises Declined where it is slow or too much."""
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._began + _BODY_SECONDS + self.size / _LEAST_BYTES_A_SECOND):
                message = await self._receive()
        except TimeoutError as error:
            raise Declined(_SLOW) from error
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self.size += size
            self._whole = not message.get("more_body", False)
            self._front.take(size, self.size)
        return message


_BUSY: Final = Fault(
    503, "busy", "There is too much to do for the moment. Send the same again a little later.", {"retry-after": "5"}
)
_SLOW: Final = Fault(408, "too-slow", "The request did not come in time. Send it again.", {"connection": "close"})
_TWO_LENGTHS: Final = Fault(  # of which a proxy may have believed the other (RFC 9112 section 6.1)
    400, "malformed", "The request says in two ways where it ends.", {"connection": "close"}
)
_UNEXPECTED: Final = Fault(500, "unexpected", "Something went wrong here. Send the same again a little later.")


def _fault_of(error: Exception) -> Fault:
    match error:
        case Declined():
            return error.fault
        case Unavailable():
            return Fault(503, "unavailable", "It cannot be taken in for now. Send the same again later.", {"retry-after": "10"})
        case Refused():
            return Fault(_STATUS.get(error.reason, 422), error.reason, error.sentence)
        case HTTPException(status_code=404):
            return Fault(404, "not-found", "There is nothing here.")
        case HTTPException(status_code=405):
            return Fault(405, "method-not-allowed", "This cannot be done here.", error.headers or {})
        case HTTPException() if error.status_code < 500:
            return Fault(error.status_code, "malformed", "The request cannot be read.", error.headers or {})
        case _:
            return _UNEXPECTED


def _template(scope: Scope) -> str:
    """The path as the route writes it, so that no reference or token in one is counted."""
    return str(getattr(scope.get("route"), "path", "none"))
