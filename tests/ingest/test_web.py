"""The public port, asked over real sockets: what it lets in, how long it waits, and what stands on every answer."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from structlog.testing import capture_logs

from ingest import web
from ingest.errors import Refused, Unavailable
from ingest.settings import WebSettings
from ingest.web import Declined, Door, Fault, problem, serve_public
from tests.servers.loopback import free_ports, public_port

MOST = 70_000
Asked = Callable[..., Awaitable["Answer"]]


class Answer:
    """What came back over a connection."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)


async def echo(request: Request) -> Response:
    """How much came, and from where."""
    return JSONResponse({"size": len(await request.body()), "client": request.client and request.client.host})


async def fails(_: Request) -> Response:
    raise ValueError("Mrs Pargeter of 4 Wharf Lane")


async def unavailable(_: Request) -> Response:
    raise Unavailable("log-unavailable", "kafka-7.inside did not answer")


async def refused(_: Request) -> Response:
    raise Refused("file-empty", "The file is empty.")


async def declined(_: Request) -> Response:
    raise Declined(Fault(409, "other-words", "Other words.", {"x-more": "1"}, (("/text", "It differs."),)))


ROUTES: list[web.Route] = [
    ("POST", "/echo/{number}", echo),
    ("GET", "/echo/{number}", echo),
    ("GET", "/fails", fails),
    ("GET", "/unavailable", unavailable),
    ("GET", "/refused", refused),
    ("GET", "/declined", declined),
]


@asynccontextmanager
async def serving(*doors: Door, **chosen: Any) -> AsyncGenerator[int]:
    """The port of a server with such settings."""
    (port,) = free_ports(1)
    settings = WebSettings(public=f"127.0.0.1:{port}", most_body_bytes=MOST, **chosen)
    async with public_port(settings, doors or [Door(ROUTES, problem)]):
        yield port


async def ask(port: int, *parts: bytes, between: float = 0.0, within: float = 10.0) -> Answer:
    """Send the parts as they are, and read until the other side ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    came = bytearray()

    async def read() -> None:
        with suppress(ConnectionResetError):  # ended while we were still telling it more
            while part := await reader.read(65_536):
                came.extend(part)

    try:
        async with asyncio.timeout(within):
            reading = asyncio.create_task(read())
            with suppress(ConnectionError):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(between)
            await reading
            return Answer(bytes(came))
    finally:
        writer.close()


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: here", "connection: close", *headers]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[int]:
    monkeypatch.setattr(web, "_LINGER_SECONDS", 0.5)
    async with serving() as it:
        yield it


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/echo/1", 405, "method-not-allowed"),
        ("GET", "/fails", 500, "unexpected"),
        ("GET", "/unavailable", 503, "unavailable"),
        ("GET", "/refused", 422, "file-empty"),
        ("GET", "/declined", 409, "other-words"),
    ],
)
async def test_whatever_is_wrong_is_told_in_one_form_with_a_stable_reason(port, method, path, status, reason):
    answer = await ask(port, request(method, path))
    assert (answer.status, answer.told["status"]) == (status, status)
    assert answer.told["type"] == f"urn:contact-ingest:problem:{reason}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert b"kafka-7" not in answer.body


async def test_a_fault_keeps_its_headers_and_names_its_fields(port):
    answer = await ask(port, request("GET", "/declined"))
    assert answer.headers["x-more"] == "1"
    assert answer.told["errors"] == [{"pointer": "/text", "detail": "It differs."}]
    assert "POST" in (await ask(port, request("DELETE", "/echo/1"))).headers["allow"]


@pytest.mark.parametrize("path", ["/echo/1", "/nowhere", "/fails", "/unavailable"])
async def test_every_answer_tells_a_browser_what_it_may_not_do_and_no_one_what_serves_it(port, path):
    headers = (await ask(port, request("GET", path))).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert {"referrer-policy", "permissions-policy", "cache-control"} <= headers.keys()
    assert not {"server", "x-powered-by", "strict-transport-security"} & headers.keys()


async def test_a_browser_that_came_by_tls_comes_by_it_again():
    async with serving(public_url="https://contact.example.org") as port:
        assert "strict-transport-security" in (await ask(port, request("GET", "/echo/1"))).headers


async def test_head_is_answered_as_get_without_the_body(port):
    answer = await ask(port, request("HEAD", "/echo/1"))
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_a_fault_of_ours_tells_nobody_anything_of_whom_it_was_about(port):
    with capture_logs() as said:
        answer = await ask(port, request("GET", "/fails"))
    (line,) = [each for each in said if each["event"] == "failed"]
    assert (line["error"], line["route"]) == ("ValueError", "/fails")
    assert "Pargeter" not in repr(said) + answer.body.decode()


async def test_requests_are_counted_by_the_route_and_never_by_what_stands_in_the_path(port):
    labels = {"route": "/echo/{number}", "method": "GET", "status": "200"}
    before = REGISTRY.get_sample_value("web_request_seconds_count", labels) or 0
    await ask(port, request("GET", "/echo/CC-7F3KQ-92QXA?name=Pargeter"))
    await ask(port, request("BREW", "/CC-7F3KQ-92QXA"))
    assert REGISTRY.get_sample_value("web_request_seconds_count", labels) == before + 1
    told = [sample.labels for family in REGISTRY.collect() for sample in family.samples if family.name == "web_request_seconds"]
    assert not [each for each in told if "7F3KQ" in repr(each) or "BREW" in repr(each) or "Pargeter" in repr(each)]


# How much.


async def test_16_a_body_over_the_limit_is_refused_before_any_of_it_is_read(port):
    head = request("POST", "/echo/1", b"", f"content-length: {10**15}")
    answer = await ask(port, head)
    assert (answer.status, answer.told["type"]) == (413, "urn:contact-ingest:problem:body-too-large")


async def test_16_a_body_that_does_not_say_how_long_it_is_is_refused_once_it_is_over_the_limit(port):
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    head = request("POST", "/echo/1", b"", "transfer-encoding: chunked")
    answer = await ask(port, head, *[chunk] * (MOST // 0x1000 + 2))  # and never its end
    assert answer.status == 413
    within = await ask(port, head, *[chunk] * 4, b"0\r\n\r\n")
    assert (within.status, within.told["size"]) == (200, 4 * 0x1000)


async def test_16_whoever_reads_no_answer_before_all_is_sent_reads_it_then():
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(request("POST", "/echo/1", b"x" * 12_000_000))
        async with asyncio.timeout(10):
            await writer.drain()
            assert Answer(await reader.read()).status == 413
        writer.close()


async def test_16_whoever_waits_to_be_told_to_go_on_is_not(port):
    answer = await ask(port, request("POST", "/echo/1", b"", f"content-length: {10**9}", "expect: 100-continue"), within=0.4)
    assert answer.status == 413


async def test_what_comes_without_end_is_not_read_for_longer_than_it_takes_to_be_heard(monkeypatch, port):
    monkeypatch.setattr(web, "_LINGER_BYTES", 1_000_000)
    head = request("POST", "/echo/1", b"", f"content-length: {10**9}")
    answer = await ask(port, head, *[b"x" * 100_000] * 200)
    assert answer.status in (0, 413)  # the connection's end may overtake it


async def test_headers_without_end_are_refused(port):
    answer = await ask(port, b"GET /echo/1 HTTP/1.1\r\nhost: here\r\n", *[b"x-a: " + b"b" * 4_000 + b"\r\n"] * 9, between=0.02)
    assert answer.status in (400, 431)


@pytest.mark.parametrize("line", [b"x: a\x00b", b"x: a\rb", b"x\x00: b", b"content-length: 1\r\ncontent-length: 2", b"x : b"])
async def test_a_header_with_a_control_character_or_told_twice_differently_is_refused(port, line):
    answer = await ask(port, b"POST /echo/1 HTTP/1.1\r\nhost: here\r\n" + line + b"\r\n\r\n")
    assert answer.status == 400


async def test_a_request_that_says_in_two_ways_where_it_ends_is_refused_and_nothing_behind_it_is_read(port):
    before = REGISTRY.get_sample_value("web_request_seconds_count", SMUGGLED) or 0
    head = b"POST /echo/1 HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    answer = await ask(port, head + request("GET", "/refused"))
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert (REGISTRY.get_sample_value("web_request_seconds_count", SMUGGLED) or 0) == before


SMUGGLED = {"route": "/refused", "method": "GET", "status": "422"}


async def test_over_what_may_be_in_hand_at_once_the_rest_is_told_to_come_back():
    release, inside = asyncio.Event(), asyncio.Semaphore(0)

    async def waits(_: Request) -> Response:
        inside.release()
        await release.wait()
        return Response("done")

    async with serving(Door([("GET", "/waits", waits)], problem), at_once=2) as port:
        first = [asyncio.create_task(ask(port, request("GET", "/waits"))) for _ in range(2)]
        await inside.acquire()
        await inside.acquire()
        third = await ask(port, request("GET", "/waits"))
        assert (third.status, third.headers["retry-after"]) == (503, "5")
        release.set()
        assert [each.status for each in await asyncio.gather(*first)] == [200, 200]
        assert (await ask(port, request("GET", "/waits"))).status == 200


async def test_connections_that_ask_nothing_do_not_take_the_files_that_the_stores_need(monkeypatch, port):
    monkeypatch.setattr(web, "_MOST_CONNECTIONS", 20)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    await asyncio.sleep(0.2)
    ended = sum(reader.at_eof() or reader.exception() is not None for reader, _ in held)
    assert ended == 40
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.2)
    assert (await ask(port, request("GET", "/echo/1"))).status == 200


async def test_bodies_in_hand_have_a_limit_together(monkeypatch):
    monkeypatch.setattr(web, "_MOST_BYTES_IN_HAND", 100_000)
    async with serving() as port:
        head = request("POST", "/echo/1", b"", "content-length: 60000")
        first = asyncio.create_task(ask(port, head + b"x" * 59_999, b"x", between=1.0))
        await asyncio.sleep(0.4)
        assert (await ask(port, head, b"x" * 60_000)).status == 503
        assert (await first).status == 200
        assert (await ask(port, head, b"x" * 60_000)).status == 200


# How long.


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_HEADERS_SECONDS", 0.6)
    monkeypatch.setattr(web, "_BODY_SECONDS", 0.6)
    monkeypatch.setattr(web, "_UNREAD_SECONDS", 0.6)


@pytest.mark.parametrize("parts", [[], [b"GET /ec"], [b"GET /echo/1 HTTP/1.1\r\n", *[b"x-a: b\r\n"] * 20]])
async def test_a_connection_that_asks_nothing_or_asks_slowly_is_ended(hurried, port, parts: Sequence[bytes]):
    answer = await ask(port, *parts, between=0.2, within=5)
    assert answer.status == 0


async def test_a_second_request_that_comes_slowly_on_the_same_connection_is_ended(hurried, port):
    whole = b"GET /echo/1 HTTP/1.1\r\nhost: here\r\n\r\n"
    answer = await ask(port, whole, *[b"GET /"[n : n + 1] for n in range(5)], *[b"e"] * 20, between=0.2, within=8)
    assert answer.status == 200  # the first; then an end


async def test_a_body_that_comes_slowly_is_told_so_and_ended(hurried, port):
    head = request("POST", "/echo/1", b"", "content-length: 1000")
    answer = await ask(port, head, *[b"x"] * 20, between=0.2, within=5)
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_whoever_goes_away_amid_a_body_is_no_fault_of_ours(port):
    gone = {"route": "/echo/{number}", "method": "POST", "status": "499"}
    before = REGISTRY.get_sample_value("web_request_seconds_count", gone) or 0
    with capture_logs() as said:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("POST", "/echo/1", b"", "content-length: 1000") + b"x")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.2)
    assert REGISTRY.get_sample_value("web_request_seconds_count", gone) == before + 1
    assert not said


async def test_a_body_at_the_pace_of_a_poor_line_is_taken(hurried, port):
    head = request("POST", "/echo/1", b"", "content-length: 6000")
    answer = await ask(port, head, *[b"x" * 1_000] * 6, between=0.25)
    assert (answer.status, answer.told["size"]) == (200, 6_000)


async def test_an_answer_that_nobody_takes_is_given_up(hurried):
    async def long(_: Request) -> Response:
        return Response(b"x" * 20_000_000)

    async with serving(Door([("GET", "/long", long)], problem)) as port:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(request("GET", "/long"))
            await asyncio.sleep(1.5)
            silent.settimeout(5)
            taken = 0
            with suppress(ConnectionResetError):
                while part := await asyncio.to_thread(silent.recv, 1 << 20):
                    taken += len(part)
        assert taken < 20_000_000


# Who.


@pytest.mark.parametrize(
    ("trusted", "told", "client"),
    [
        ((), "198.51.100.7", "127.0.0.1"),
        (("127.0.0.1",), "198.51.100.7", "198.51.100.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), "203.0.113.1, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        (("127.0.0.1",), "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (("192.0.2.1",), "198.51.100.7", "127.0.0.1"),
    ],
)
async def test_the_clients_address_is_the_last_that_a_trusted_proxy_saw(trusted, told, client):
    async with serving(trusted_proxies=trusted) as port:
        answer = await ask(port, request("GET", "/echo/1", b"", f"x-forwarded-for: {told}"))
        assert answer.told["client"] == client


async def test_a_path_of_no_door_is_explained_by_the_first_and_one_of_a_door_by_its_own():
    def page(request: Request, fault: Fault) -> Response:
        return Response(f"Sorry: {fault.reason}", media_type="text/html")

    doors = Door([("GET", "/start", fails)], page), Door([("POST", "/contacts", refused)], problem)
    async with serving(*doors) as port:
        assert (await ask(port, request("GET", "/nowhere"))).body == b"Sorry: not-found"
        assert (await ask(port, request("GET", "/start"))).body == b"Sorry: unexpected"
        wrong = await ask(port, request("GET", "/contacts"))
        assert (wrong.status, wrong.headers["content-type"]) == (405, "application/problem+json")


# The end.


async def test_told_to_stop_it_takes_nothing_new_and_answers_what_it_has_in_hand():
    release, inside = asyncio.Event(), asyncio.Event()

    async def waits(_: Request) -> Response:
        inside.set()
        await release.wait()
        return Response("done")

    (port,) = free_ports(1)
    stopping = asyncio.Event()
    settings = WebSettings(public=f"127.0.0.1:{port}")
    running = asyncio.create_task(serve_public(settings, [Door([("GET", "/waits", waits)], problem)], stopping))
    await asyncio.sleep(0.3)
    asking = asyncio.create_task(ask(port, request("GET", "/waits")))
    await inside.wait()
    stopping.set()
    await asyncio.sleep(0.5)
    with pytest.raises(OSError):
        await ask(port, request("GET", "/waits"))
    assert not running.done()
    release.set()
    assert (await asking).body == b"done"
    await running
