"""Processes of the service that begin where its imports end, since a journey starts dozens of them and importing is most of a start.

They are as real as any: a process each, which is killed, frozen and stopped by its signals. That the service starts from
nothing is for the demo's test and for the composed roles', which run commands from nothing too.
"""

import atexit
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_FORKING: Final = get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "alembic.command",
        "alembic.op",
        "govuk_frontend_jinja",
        "ingest.commands.run",
        *(f"ingest.commands.{each}" for each in ("audit", "check", "database", "ledger", "publish", "register", "topic")),
        "ingest.log.kafka",
        "ingest.log.sqlite",
        "sqlalchemy.dialects.sqlite.aiosqlite",
        "sqlalchemy.dialects.postgresql.asyncpg",
        "uvicorn.lifespan.off",
        "uvicorn.loops.asyncio",
        "tests.journeys.prepared",  # the last: it freezes what those before it have loaded
    ]
)


class Forked:
    """``ingest`` with some words, its output in a file, what it complains of in ``errors`` where that is another.

    As much of ``subprocess.Popen`` as is wanted here. With ``core`` it may run on that one alone.
    """

    def __init__(
        self,
        words: Sequence[str],
        lines: Path,
        env: Mapping[str, str],
        *,
        errors: Path | None = None,
        core: int | None = None,
    ) -> None:
        self._process = _FORKING.Process(target=_ingest, args=(list(words), (lines, errors or lines), dict(env), core))
        self._process.start()
        atexit.register(self.kill)  # before multiprocessing waits for what still runs

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, or less than nothing by the signal that ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, within: float) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        self._process.join(within)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired("ingest", within)
        return status

    def kill(self) -> None:
        """SIGKILL, where it still runs."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: signal.Signals) -> None:
        """The signal, where it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


def ran(words: Sequence[str], within: float) -> subprocess.CompletedProcess[str]:
    """``ingest`` with some words, to its end. Raises subprocess.TimeoutExpired."""
    with TemporaryDirectory() as folder:
        lines, errors = Path(folder) / "lines", Path(folder) / "errors"
        process = Forked(words, lines, os.environ, errors=errors)
        try:
            status = process.wait(within)
        finally:
            process.kill()
        return subprocess.CompletedProcess(words, status, lines.read_text(), errors.read_text())


def _ingest(words: Sequence[str], outputs: tuple[Path, Path], env: Mapping[str, str], core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})
    os.environ.clear()
    os.environ.update(env)
    for output, path in enumerate(outputs, start=1):
        with path.open("ab") as kept:
            os.dup2(kept.fileno(), output)
    sys.argv = ["ingest", *words]
    from ingest.commands.entry import main

    main()
