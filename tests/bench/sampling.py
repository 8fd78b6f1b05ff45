"""Where a process's CPU time goes, room by room: by the timer signal that counts it.

Python answers a signal on the main thread alone, and there only when another lets it run: so whatever a profiled process would do in
threads it does on the main one.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any, Final

BEGIN: Final = signal.SIGUSR1
"""Tells a process whose profile is wanted to begin."""
_EVERY_SECONDS: Final = 0.002  # the kernel's own tick is the least there is
ROOMS: Final[Mapping[str, str]] = {
    "router/read/": "reading",
    "router/match/": "matching",
    "router/gather.py": "matching",
    "router/register/": "matching",
    "router/decide.py": "deciding",
    "router/consequences.py": "deciding",
    "router/audit.py": "deciding",
    "router/wording.py": "deciding",
    "router/store.py": "encoding",
    "ingest/database.py": "database",
    "/sqlalchemy/": "database",
    "/asyncpg/": "database",
    "/aiokafka/": "log",
    "ingest/log/": "log",
}
"""Whose time it is, by a piece of a file's path: the innermost frame that has one counts."""

_BY_NAME: Final = {"model_dump_json": "encoding", "encode": "encoding", "model_validate_json": "decode", "decode": "decode"}
"""Whose it is that pydantic and the contract do, by the function; else their caller's."""


class Sampler:
    """Counts until it is stopped."""

    def __init__(self) -> None:
        self._rooms: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()

    def start(self) -> None:
        """Count from now on; on the main thread."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)

    def stop(self) -> None:
        """Count no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def found(self) -> dict[str, dict[str, float]]:
        """Shares of all CPU time: ``rooms``, and ``functions`` of ours, callees of other people's code counted to their callers."""
        total = max(1, self._rooms.total())
        return {
            "rooms": {name: count / total for name, count in self._rooms.most_common()},
            "functions": {name: count / total for name, count in self._lines.most_common(15)},
        }

    def _sample(self, _: int, frame: FrameType | None) -> None:
        self._rooms[_room(frame)] += 1
        self._lines[_function(frame)] += 1


class OnTheMainThread(ThreadPoolExecutor):
    """No pool: each call is made where it is asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - for whoever awaits it
            done.set_exception(error)
        return done


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _room(frame: FrameType | None) -> str:
    for each in _stack(frame):
        path, name = each.f_code.co_filename, each.f_code.co_name
        if name in _BY_NAME and ("/pydantic/" in path or "ingest/contract/" in path):
            return _BY_NAME[name]
        for piece, room in ROOMS.items():
            if piece in path:
                return room
    return "other"


def _function(frame: FrameType | None) -> str:
    for each in _stack(frame):
        path = each.f_code.co_filename
        for room in ("router", "ingest"):
            _, mark, rest = path.rpartition(f"/{room}/")
            if mark and "site-packages" not in path:
                return f"{room}/{rest}:{each.f_code.co_name}"
    return "none of ours"
