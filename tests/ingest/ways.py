"""Ways of doing a piece of work, for a process that knows them by their names (test_bounded.py), and needs nothing else for them."""

import os
import re
import signal
import time
from typing import Any

MIB = 1024 * 1024


def told(content: bytes, why: str = "") -> tuple[int, bytes, str]:
    return os.getpid(), content, why


def as_asked(content: bytes) -> Any:
    """What is asked for is done."""
    if content == b"kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if content == b"stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if content == b"sleep":
        time.sleep(0.5)
    if content == b"hoard":
        return len(bytearray(4096 * MIB))
    if content == b"hoard by and by":
        hoard: list[bytes] = []
        while True:
            hoard.append(bytes(MIB))
    return re.match(rb"(a+)+$", content) or content.decode()


def in_vain(content: bytes, why: str) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
