"""The public port answering an empty 200 and nothing else, in a process of its own: python -m tests.bench.empty_door HOST:PORT."""

import asyncio
import signal
import sys

from starlette.requests import Request
from starlette.responses import Response

from ingest.settings import WebSettings
from ingest.web import Door, problem, serve_public


async def empty(_: Request) -> Response:
    """Nothing, and that it is well."""
    return Response()


async def run(endpoint: str) -> None:
    """Until it is told to stop."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await serve_public(WebSettings(public=endpoint), [Door([("GET", "/empty", empty)], problem)], stopping)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
