"""Ports of the loopback: some that nobody has, whether somebody listens, what asks there, and our own public port on one."""

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

import httpx

from ingest.settings import WebSettings
from ingest.web import Door, serve_public


def _of_this_process() -> Iterator[int]:
    """Ports that no other test process takes, and that the system gives to nobody who asks for any (ip(7): from 32768)."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = (32768 - 10000) // processes
    return itertools.cycle(range(10000 + number * share, 10000 + (number + 1) * share))


_PORTS = _of_this_process()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each another one."""
    return list(itertools.islice(filter(_is_free, _PORTS), count))


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        return True
    return False


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
