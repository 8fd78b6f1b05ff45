"""One HTTP server a port; routes arrive as data. The private port has health and metrics, and is never public."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Route = tuple[str, str, Callable[..., Awaitable[Any]]]
"""Method, path, and what answers."""

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""Each thing the service leans on, and why it is not ready; None where it is."""

Borne = Callable[[], Mapping[str, str]]
"""What the service leans on and does without at present, and what it does meanwhile."""

_DEADLINE_SECONDS = 5.0


def private_routes(ready: Readiness, borne: Borne = dict) -> list[Route]:
    """``/livez`` (the loop turns; nothing else is asked), ``/readyz`` (all that is leaned on answers, or is borne) and ``/metrics``."""

    async def livez() -> Response:
        return Response("live\n", media_type="text/plain")

    async def readyz() -> Response:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                found = dict(await ready())
        except TimeoutError:
            found = {"service": f"no answer within {_DEADLINE_SECONDS:.0f} s"}
        wanting = {name: why for name, why in found.items() if why}
        content = {"ready": not wanting, "wanting": wanting, "borne": dict(borne())}
        return JSONResponse(content, status_code=503 if wanting else 200)

    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [("GET", "/livez", livez), ("GET", "/readyz", readyz), ("GET", "/metrics", metrics)]


async def serve(endpoint: str, routes: Sequence[Route], stopping: asyncio.Event) -> None:
    """Answer on ``host:port`` until told to stop. Raises OSError where the port is taken."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for method, path, answer in routes:
        app.add_api_route(path, answer, methods=[method], response_model=None)
    host, _, port = endpoint.rpartition(":")
    config = uvicorn.Config(
        app, host=host, port=int(port), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
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


class _Server(uvicorn.Server):
    """The service has its own signals: uvicorn's would take them away."""

    def capture_signals(self) -> Any:
        """Leave them alone."""
        from contextlib import nullcontext

        return nullcontext()
