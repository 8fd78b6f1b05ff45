"""A small communication portal, which speaks Standard Webhooks both ways: it tells what happened on its networks, and takes replies.

A real HTTP server on a free port of the loopback, in a thread. Its signatures are made and checked by the ``standardwebhooks`` package, so
that nothing of ours judges ours. A reply whose ``webhook-id`` it has had already is the same reply. It misbehaves on demand.
"""

import contextlib
import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The key of Standard Webhooks' own published examples."""

HANG = "hang"
"""Take the reply and never answer."""
DROP = "drop"
"""Take the reply and cut the connection."""


@dataclass
class Portal:
    """What was posted through it, and what it shall answer next: each answer is used once, then it is well again."""

    secret: str = SECRET
    posted: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Replies in the order in which they came, each once."""
    requests: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list[tuple[str, Mapping[str, str], bytes]])
    """Every request: its method, headers and body."""
    answers: list[int | str | tuple[int, Mapping[str, str]]] = field(default_factory=list[Any])
    deleted: set[str] = field(default_factory=set[str])
    """Ids of posts that are gone."""
    refused: int = 0
    """Requests whose signature was none."""
    on_taken: Callable[[], None] = lambda: None
    """Done once a reply is taken, before it is answered."""
    port: int = 0
    _ids: set[str] = field(default_factory=set[str])
    _lock: Any = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def replies(self) -> str:
        """Where it takes replies."""
        return f"http://127.0.0.1:{self.port}/replies"

    def sign(self, body: bytes, event: str, at: datetime | None = None) -> dict[str, str]:
        """The headers with which it shows that a body is its own."""
        at = at or datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": event,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(msg_id=event, timestamp=at, data=body.decode()),
        }

    def tell(self, url: str, kind: str, data: Any, event: str | None = None) -> int:
        """Tell that something happened, once, and answer with the status that came back."""
        body = json.dumps({"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}).encode()
        return post(url, body, self.sign(body, event or f"msg_{uuid4().hex}"))[0]

    def report(self, url: str, reply: Mapping[str, Any], became: str, **more: Any) -> int:
        """Tell what became of a reply: sent, delivered or failed."""
        return self.tell(url, f"reply.{became}", {"id": reply["id"], **more})

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a reply, where it is signed and its post is still there; what it had already it has."""
        try:
            told = Webhook(self.secret).verify(body, dict(headers))
        except (WebhookVerificationError, ValueError):
            with self._lock:
                self.refused += 1
            return 401
        if told["type"] != "reply.create":
            return 400
        with self._lock:
            if told["data"]["post_id"] in self.deleted:
                return 410
            if headers["webhook-id"] not in self._ids:
                self._ids.add(headers["webhook-id"])
                self.posted.append(told["data"])
        self.on_taken()
        return 201

    def next_answer(self) -> tuple[int | str | None, Mapping[str, str]]:
        """What it was told to answer, and None where it is well."""
        with self._lock:
            answer = self.answers.pop(0) if self.answers else None
        return answer if isinstance(answer, tuple) else (answer, {})

    def wait_until_over(self) -> None:
        """As long as anybody could wait."""
        self._over.wait(120)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    portal: Portal

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self.portal.requests.append((self.command, headers, body))
        told, more = self.portal.next_answer()
        if isinstance(told, int):
            self._answer(told, more)
            return
        taken = self.portal.take(headers, body)
        if told == HANG:
            self.portal.wait_until_over()
        if told in (HANG, DROP):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(taken, {})

    def do_HEAD(self) -> None:
        self.portal.requests.append((self.command, dict(self.headers.items()), b""))
        told, more = self.portal.next_answer()
        self._answer(told if isinstance(told, int) else 405, more)

    def _answer(self, status: int, more: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library calls it
        """Say nothing."""


@contextmanager
def running_portal(secret: str = SECRET, port: int = 0) -> Generator[Portal]:
    """A portal that listens, on a free port where none is named, and then does not any more."""
    portal = Portal(secret)
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"portal": portal}))
    server.daemon_threads = True
    portal.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        portal._over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def post(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> tuple[int, dict[str, str], bytes]:
    """One request, and its answer's status, headers and body."""
    found = urllib.parse.urlsplit(url)
    assert found.hostname
    with contextlib.closing(http.client.HTTPConnection(found.hostname, found.port, timeout=30)) as connection:
        target = found.path + (f"?{found.query}" if found.query else "")
        connection.request(method, target, body or None, dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
