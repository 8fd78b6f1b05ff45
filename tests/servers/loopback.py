"""Ports of the loopback: some that nobody has, and whether somebody listens."""

import contextlib
import socket


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
