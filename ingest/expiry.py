"""What nobody came back for is forgotten, now and then and for as long as the service runs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from ingest.errors import Unavailable
from ingest.telemetry import ERRORS

_EVERY_SECONDS: Final = 600.0


async def expire_often(say: Any, what: str, expire: Callable[[], Awaitable[int]], stopping: asyncio.Event) -> None:
    """Every ten minutes until told to stop; ``expire`` gives how many it forgot, and may raise Unavailable. ``say`` is its telemetry."""
    while not stopping.is_set():
        try:
            if forgotten := await expire():
                say.info("expired", **{what: forgotten})
        except Unavailable as error:
            ERRORS.labels(what, error.reason).inc()
            say.warning("waiting", reason=error.reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await stopping.wait()
