"""The processes that open records, so that the next batch is read while the one before it is decided on and committed.

Reading is most of what a contact costs, and Python does it on one core at a time. What breaks the process that reads it, or
keeps it for too long, is found by halving and is a dead letter: its neighbours are read by the next process.

They are copies of one process, the stem, which does nothing else and has one thread: a copy of the router itself would have a
copy of every lock that a thread of it holds, and one that begins from nothing imports for a second. The stem is a copy too, where
``begin`` is called before there are threads. Each is on a line of its own to the router, and ends where that is cut: the router's
end cuts them all, however it ends.
"""

import asyncio
import atexit
import gc
import multiprocessing
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final, NoReturn, Self

from ingest.contract import Record
from ingest.errors import Unavailable
from ingest.telemetry import ERRORS, telemetry
from router.opening import Opened, Terms, Unopened, opened, prepare

Opening = Callable[[Sequence[Record], Terms], list[Opened]]

_CPU_SECONDS: Final = 30.0  # a batch takes one, and a letter as long as any that is read some hundredths
_say = telemetry("router")


class Readers:
    """So many processes; none of them where this one should do it in a thread, as on a single core or where it must be seen."""

    def __init__(self, processes: int, cpu_seconds: float = _CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._stem: socket.socket | None = None
        self._starting = asyncio.Lock()
        self._lines: list[Connection | None] = [None] * processes

    @classmethod
    def for_this_machine(cls) -> Self:
        """Two, on two cores as well, where one would leave the router without work: to read costs more than all that comes after it. More
        would wait for the router; on a single core there is none.

        Of cores those count that the process may run on, which a container or an operator may have limited.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cls(2 if cores > 1 else 0)

    def begin(self) -> None:
        """Start what they are copied from, before the first thread, at a fraction of the cost. Else it starts when it is first wanted."""
        if self._lines:
            with suppress(Unavailable):
                self._stem = _stem()

    async def open(self, records: Sequence[Record], terms: Terms) -> list[Opened]:
        """Each record opened, in order. Raises Unavailable(``no-reader``) where no process can be had."""
        if not self._lines:
            return await asyncio.to_thread(opened, records, terms)
        share = -(-len(records) // len(self._lines)) or 1
        parts = [records[at : at + share] for at in range(0, len(records), share)]
        asked = (self._opened(number, part, terms) for number, part in enumerate(parts))
        # To the end of each, even where one fails: the next batch must find no line in use.
        told = await asyncio.gather(*asked, return_exceptions=True)
        found: list[Opened] = []
        for part in told:
            if isinstance(part, BaseException):
                raise part
            found += part
        return found

    async def _opened(self, number: int, records: Sequence[Record], terms: Terms) -> list[Opened]:
        """By the reader of that number, or by those that come after it."""
        if (found := await self._attempt(number, records, terms)) is not None:
            return found
        if (half := len(records) // 2) > 0:
            return [*await self._opened(number, records[:half], terms), *await self._opened(number, records[half:], terms)]
        again = await self._attempt(number, records, terms)  # it may have been ended for another's sake
        return [Unopened("poison", "It ends the process that reads it.")] if again is None else again

    async def _attempt(self, number: int, records: Sequence[Record], terms: Terms) -> list[Opened] | None:
        """None where the reader is lost."""
        line = self._lines[number] = self._lines[number] or await self._started()
        try:
            return await asyncio.to_thread(_asked, line, records, terms)
        except BaseException as error:
            self._lines[number] = None
            _cut(line)
            if not isinstance(error, (EOFError, OSError)):
                raise
        ERRORS.labels("router", "reader-lost").inc()
        _say.error("reader-lost", records=len(records))
        return None

    async def _started(self) -> Connection:
        """The router's end of the line to a new one."""
        async with self._starting:
            if self._stem is None:
                self._stem = await asyncio.to_thread(_stem)
            ours, theirs = multiprocessing.Pipe()
            try:
                with theirs:
                    socket.send_fds(self._stem, [repr(self._cpu_seconds).encode()], [theirs.fileno()])
                await asyncio.to_thread(ours.recv)
            except (EOFError, OSError) as error:
                self._stem.close()
                self._stem = None
                raise _none() from error
            return ours

    def close(self) -> None:
        """End them."""
        for line in filter(None, self._lines):
            _cut(line)
        self._lines = [None] * len(self._lines)
        if self._stem is not None:
            self._stem.close()
            self._stem = None


def _none() -> Unavailable:
    return Unavailable("no-reader", "The process that reads what came in cannot be started.")


def _asked(line: Connection, records: Sequence[Record], terms: Terms) -> list[Opened]:
    line.send((records, terms))
    return line.recv()


def _cut(line: Connection) -> None:
    """So that who waits at either end learns of it, also a thread here: closing would not wake it."""
    with suppress(OSError), socket.socket(fileno=os.dup(line.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def _stem() -> socket.socket:
    """The router's end of the line to a new one. Raises Unavailable."""
    ours, theirs = socket.socketpair()
    alone = threading.active_count() == 1
    context = multiprocessing.get_context("fork") if alone else multiprocessing.get_context("spawn")
    with theirs:
        try:
            context.Process(target=_grow, args=(theirs, ours if alone else None, opened), daemon=True).start()
        except OSError as error:
            ours.close()
            raise _none() from error
    atexit.register(ours.close)  # before multiprocessing waits for it
    return ours


def _grow(line: socket.socket, routers: socket.socket | None, opening: Opening) -> None:
    """The stem: a copy of it for each line that the router hands it, until its own is cut."""
    for each in (signal.SIGINT, signal.SIGTERM):  # the router's to answer: it has a batch to finish first
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how one ended
    if routers is not None:
        routers.close()
    prepared = False
    while True:
        told, handles, _, _ = socket.recv_fds(line, 32, 1)
        if not told:
            return
        if not prepared:
            prepare()
            gc.freeze()  # what is never collected is never written to, and so is shared
            prepared = True
        with suppress(OSError):  # no process to be had: the router finds the line cut
            if os.fork() == 0:
                line.close()
                _read(Connection(handles[0]), float(told), opening)
        os.close(handles[0])


def _read(line: Connection, cpu_seconds: float, opening: Opening) -> NoReturn:
    """A reader: it opens what it is handed until its line is cut."""
    try:
        threading.Thread(target=_end_with_the_router, args=(line.fileno(),), daemon=True).start()
        line.send(os.getpid())
        while True:
            records, terms = line.recv()
            # Past this CPU time it ends, whatever it is in (setitimer(2)). On a busy machine it may take longer.
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
            found = opening(records, terms)
            signal.setitimer(signal.ITIMER_PROF, 0)
            line.send(found)
    finally:
        os._exit(1)  # and not a word: what it stumbled on would be somebody's


def _end_with_the_router(line: int) -> None:
    """The router's end may be cut while this one reads, and what it reads may have no end."""
    waiting = select.poll()
    waiting.register(line, 0)  # for nothing but a cut, which is always told
    waiting.poll()
    os._exit(0)
