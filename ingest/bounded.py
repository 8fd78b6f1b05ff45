"""Work that what somebody sent may break, done in a process that can be lost: one, kept for the piece that comes next.

Past its processor time the process ends, whatever it is in (setitimer(2)). Past its memory an allocation fails (RLIMIT_AS): Python says so
and goes on, and what cannot do without ends the process. One that is frozen is killed by the clock. Each piece has several ways of being
done, each asking for less than the one before it; the last is done here and must be harmless.

The processor time is the piece's own, so that a busy machine breaks nothing. A process that was lost otherwise may have been ended for
another's sake: the piece is tried once more by a fresh one.
"""

import asyncio
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from ingest.errors import Unavailable
from ingest.telemetry import ERRORS, telemetry

Given = TypeVar("Given")
Made = TypeVar("Made")

TOO_LONG: Final = "it took longer than it may"
OVERDUE: Final = "it came to no end in time"
LOST: Final = "it broke the process that read it"
FAILED: Final = "it could not be read"

_ITS_OWN_FAULT: Final = frozenset({TOO_LONG, FAILED})
_TRIES: Final = 2
_STARTING_SECONDS: Final = 60.0  # on a busy machine; it takes one
_BYTES_TOGETHER: Final = 64 * 1024  # small pieces go together: a journey costs a tenth of what a small mail does
_PIECES_TOGETHER: Final = 8

# A fork of this process would have a copy of every lock that a thread here holds: it is one of a process that does nothing else.
_FRESH: Final = multiprocessing.get_context("forkserver")

_say = telemetry("receive")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one piece of work may take of a machine."""

    cpu_seconds: float = 10.0
    """A million hostile bytes take one at most; 50 MB of mail some three."""
    wall_seconds: float = 30.0
    """For a process that gets no processor time at all, as a frozen one."""
    memory_bytes: int = 1024 * 1024 * 1024
    """Of addresses beyond what the process begins with; 50 MB of mail take half."""
    kept_bytes: int = 256 * 1024 * 1024
    """A process that holds more when it has answered is not kept."""


class Piece(NamedTuple):
    """Some content, and the ways in the order they are tried; ``otherwise`` are told why the one before them failed.

    All but the last must be such as pickle can send: functions of a module, or ``functools.partial`` of them.
    """

    content: bytes
    way: Callable[[bytes], Any]
    otherwise: Sequence[Callable[[bytes, str], Any]]


class _Lost(Exception):
    """The process is gone. Its one argument says why."""


class Bounded:
    """One process, begun when it is first needed. ``close`` ends it.

    ``knowing`` names modules that it need not import itself; the first in a process to begin one has the say.
    """

    def __init__(self, bounds: Bounds | None = None, knowing: Sequence[str] = ()) -> None:
        if knowing:
            _FRESH.set_forkserver_preload([__name__, *knowing])
        self._bounds = bounds or Bounds()
        self._child: _Child | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def each(self, pieces: Sequence[Piece]) -> list[Any]:
        """What each piece comes to, in order. Raises Unavailable(``no-reader``) where no process can be had."""
        made: list[Any] = []
        for some in _together(pieces):
            if len(some) > 1:
                with suppress(_Lost):
                    made += await self._asked([(each.way, (each.content,)) for each in some])
                    continue
            made += [await self._one(each) for each in some]
        return made

    async def _one(self, piece: Piece) -> Any:
        """By the first way that does not break the process; each loss is counted, and what breaks the first way too."""
        way: Callable[..., Any] = piece.way
        given: tuple[Any, ...] = (piece.content,)
        why = ""
        for following in piece.otherwise:
            for _ in range(_TRIES):
                try:
                    return (await self._asked([(way, given)]))[0]
                except _Lost as lost:
                    why = str(lost)
                if why in _ITS_OWN_FAULT:
                    break
            ERRORS.labels("receive", "broke-its-reader").inc()
            _say.error("broke-its-reader", because=why, size=len(piece.content))
            way, given = following, (piece.content, why)
        return way(*given)

    async def _asked(self, work: "list[_Work]") -> list[Any]:
        """What the process answers. Raises _Lost; the process is then gone."""
        async with self._turn:
            child = self._child = self._child or await self._started()
            overdue = asyncio.get_running_loop().call_later(self._bounds.wall_seconds, child.end, OVERDUE)
            try:
                made, worn = await asyncio.to_thread(child.ask, work)
            except _Lost as lost:
                self._drop()
                if not self._closed:
                    ERRORS.labels("receive", "reader-lost").inc()
                    _say.error("reader-lost", because=str(lost), pieces=len(work))
                raise
            except BaseException:  # whoever asked has left, and the next must not get their answer
                self._drop()
                raise
            finally:
                overdue.cancel()
            if worn:
                self._drop()
        return made

    async def _started(self) -> "_Child":
        if self._closed:
            raise Unavailable("no-reader", "The process that reads what came in has ended, as the service does.")
        try:
            return await asyncio.to_thread(_Child, self._bounds)
        except (OSError, EOFError, TimeoutError) as error:
            raise Unavailable("no-reader", "The process that reads what came in cannot be started.") from error

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def close(self) -> None:
        """End it; what it has in hand is not done."""
        self._closed = True
        self._drop()


def _together(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Small pieces in some, large ones alone."""
    found: list[list[Piece]] = []
    size = 0
    for each in pieces:
        if found and len(found[-1]) < _PIECES_TOGETHER and size + len(each.content) <= _BYTES_TOGETHER:
            found[-1].append(each)
        else:
            found.append([each])
            size = 0
        size += len(each.content)
    return found


_Work = tuple[Callable[..., Any], tuple[Any, ...]]


class _Child:
    """The process, as who asks it sees it."""

    def __init__(self, bounds: Bounds) -> None:
        """Begin it. Raises OSError, EOFError, TimeoutError."""
        self._ours, theirs = _FRESH.Pipe()
        self._because: str | None = None
        self._process = _FRESH.Process(target=_read, args=(theirs, bounds), daemon=True, name="reads-what-came-in")
        try:
            self._process.start()
            theirs.close()
            if not self._ours.poll(_STARTING_SECONDS):
                raise TimeoutError  # noqa: TRY301 - it is ended below, whatever went wrong
            self._ours.recv()
        except BaseException:
            self.end()
            raise

    def ask(self, work: list[_Work]) -> tuple[list[Any], bool]:
        """What it makes of some pieces, and whether it should be asked no more. Raises _Lost."""
        try:
            self._ours.send(work)
            made, worn = self._ours.recv()
        except (OSError, EOFError) as error:
            raise _Lost(self._why()) from error
        if made is None:
            raise _Lost(FAILED)
        return made, worn

    def _why(self) -> str:
        self._process.join(1)
        return self._because or (TOO_LONG if self._process.exitcode == -signal.SIGPROF else LOST)

    def end(self, because: str | None = None) -> None:
        """Kill it; whoever waits for its answer is then told that it is lost."""
        self._because = self._because or because
        if self._process.pid is not None:
            self._process.kill()


# In the process


def _read(asked: Connection, bounds: Bounds) -> None:
    """Answer until nobody asks."""
    for each in (signal.SIGINT, signal.SIGTERM):  # to whom the service answers, and not one part of it alone
        signal.signal(each, signal.SIG_IGN)
    _bound(bounds)
    with suppress(EOFError, OSError):  # whoever asked has ended
        asked.send(os.getpid())
        while True:
            work: list[_Work] = asked.recv()
            made = _made(work, bounds)
            asked.send((made, made is None or _held()[1] > bounds.kept_bytes))


def _made(work: list[_Work], bounds: Bounds) -> list[Any] | None:
    found: list[Any] = []
    try:
        for way, given in work:
            signal.setitimer(signal.ITIMER_PROF, bounds.cpu_seconds)
            found.append(way(*given))
    except Exception:  # noqa: BLE001 - the one who asked tries it alone, and then otherwise
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return found


def _bound(bounds: Bounds) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # people's mail would lie in it
    with suppress(OSError, ValueError):  # where the system has no such limit, or a lower one already
        most = _held()[0] + bounds.memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _held() -> tuple[int, int]:
    """Bytes of addresses, and of memory (proc(5)); none where the system does not tell. getrusage(2) would count what began us too."""
    with suppress(OSError):
        addresses, memory = Path("/proc/self/statm").read_text(encoding="ascii").split()[:2]
        return int(addresses) * resource.getpagesize(), int(memory) * resource.getpagesize()
    return 0, 0
