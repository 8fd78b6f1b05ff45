"""What systemd is told where it started us: that we are ready, that the loop turns, and that we are stopping (sd_notify(3)).

Nothing where nobody listens, as in a container or a terminal.
"""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Final

_DEADLINE_SECONDS: Final = 2.0


def tell(what: str) -> None:
    """``READY=1``, ``STOPPING=1`` or another of sd_notify(3), where ``NOTIFY_SOCKET`` names who listens; a fault is none of ours."""
    address = os.environ.get("NOTIFY_SOCKET", "")  # noqa: TID251 - no setting of ours: systemd says it (sd_notify(3))
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        line.settimeout(_DEADLINE_SECONDS)
        line.sendto(what.encode(), f"\0{address[1:]}" if address.startswith("@") else address)


async def watch(stopping: asyncio.Event) -> None:
    """Say twice in ``WATCHDOG_USEC`` that the loop turns, until told to stop: a loop that does not is started again.

    Draining is not watched: it has a limit of its own.
    """
    microseconds = os.environ.get("WATCHDOG_USEC", "")  # noqa: TID251 - so is this (sd_watchdog_enabled(3))
    whose = os.environ.get("WATCHDOG_PID") or str(os.getpid())  # noqa: TID251 - and this
    if not microseconds.isdigit() or whose != str(os.getpid()):
        return
    while not stopping.is_set():
        tell("WATCHDOG=1")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), int(microseconds) / 2e6)
