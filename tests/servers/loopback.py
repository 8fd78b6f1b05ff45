"""Ports of the loopback: some that nobody has, whether somebody listens, what asks there, and our own public port on one."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from ingest.settings import WebSettings
from ingest.web import Door, serve_public


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another one."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in probes:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in probes]


def listens(port: int) -> bool:
    """Whether a connection is taken there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def plain_client(**chosen: Any) -> httpx.AsyncClient:
    """Asks without TLS: to read every certificate that is believed would be most of the work of a request."""
    return httpx.AsyncClient(verify=False, trust_env=False, **chosen)


@contextlib.asynccontextmanager
async def public_port(settings: WebSettings, doors: Sequence[Door]) -> AsyncGenerator[None]:
    """The public port with these doors, from when it listens; whatever ends it early is raised."""
    stopping = asyncio.Event()
    running = asyncio.create_task(serve_public(settings, doors, stopping))
    port = int(settings.public.rpartition(":")[2])
    while not running.done() and not listens(port):
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        stopping.set()
        await running
