"""A whole installation for a journey: its settings in a folder, and the service as processes of its own.

On one box that is one process with an SQLite log and register; scaled out it is a process a role, or several of one, on Kafka
and PostgreSQL.
"""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests.journeys.forked import Forked, ran
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.kafka import Kafka
from tests.servers.loopback import free_ports
from tests.servers.postgres import Postgres

SETTINGS = """\
key_file = "key"

{stores}

[web]
private = "127.0.0.1:{private}"
{web}

[teams]
intake = "intake@ombudsman.example"
investigators = "investigators@ombudsman.example"
customer_care = "customer.care.team@ombudsman.example"
duty = "duty@ombudsman.example"

[outgoing]
burst = 1000000

[channels.email.care]
host = "localhost"
port = {imap}
ca_file = "{ca}"
user = "{user}"
password_file = "password"
poll_every = "1s"
smtp = "localhost:{smtp}"
smtp_security = "none"
smtp_login = false
sender = "customer.care@ombudsman.example"
{more}
"""

SCALED_OUT = """\
[log]
url = "{log}"

[register]
url = "{register}"
"""

KEY = "0123456789abcdef" * 4


@dataclass
class Process:
    """One process of the service, which may run or not; its roles, and what it says of itself in a file."""

    config: Path
    lines: Path
    private: int
    public: int = 0
    roles: Sequence[str] = ()
    running: Forked | None = None

    def start(self) -> None:
        """Start it, its telemetry in a file."""
        ports = {"INGEST_WEB__PRIVATE": f"127.0.0.1:{self.private}", "INGEST_WEB__PUBLIC": f"127.0.0.1:{self.public}"}
        words = ["run", *self.roles, "--config", str(self.config)]
        # A router that is nothing else has others beside it: each has a core, and so no process of its own to read in.
        cores = sorted(os.sched_getaffinity(0)) if list(self.roles) == ["router"] else [None]
        self.running = Forked(words, self.lines, {**os.environ, **ports}, core=cores[self.private % len(cores)])

    def kill(self) -> None:
        """As a loss of power to the process: SIGKILL."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(10)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.running is not None
        self.running.send_signal(number)

    def ended(self, within: float = 30) -> int:
        """Wait for its end, and answer with its exit status."""
        assert self.running is not None
        try:
            status = self.running.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {within} s: {self.telemetry()[-3000:]}") from None
        self.running = None
        return status

    @property
    def name(self) -> str:
        """What it is called here."""
        return self.lines.stem

    @property
    def lives(self) -> bool:
        """Whether it was started and has not ended."""
        return self.running is not None and self.running.poll() is None

    def ready(self, within: float = 120) -> None:
        """Wait until ``/readyz`` says so."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            assert self.lives, f"{self.name} has ended: {self.telemetry()[-2000:]}"
            with suppress(urllib.error.URLError, OSError, ValueError):
                if json.loads(self.page("readyz"))["ready"]:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.name} is not ready after {within} s: {self.telemetry()[-2000:]}")

    def page(self, name: str) -> str:
        """A page of its private port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.private}/{name}", timeout=10) as answer:
            return answer.read().decode()

    def telemetry(self) -> str:
        """What it said of itself, every time it ran."""
        return self.lines.read_text(errors="replace") if self.lines.exists() else ""

    def said(self, event: str) -> int:
        """How often it said a thing of itself."""
        return self.telemetry().count(f'"event": "{event}"')


@dataclass
class Installation:
    """Settings, files, the processes of the service, and a way to ask the register's database directly."""

    folder: Path
    user: str
    processes: dict[str, Process]
    ask: Callable[[str], list[tuple[Any, ...]]]
    database: str = ""
    """Its name, where it is one of PostgreSQL's."""

    @classmethod
    def on_one_box(cls, folder: Path, user: str = "", private: int = 0) -> "Installation":
        """One process, and its files in the folder. Settings are there or written later."""

        def ask(query: str) -> list[tuple[Any, ...]]:
            with closing(sqlite3.connect(f"file:{folder / 'register.db'}?mode=ro", uri=True, timeout=20)) as register:
                return register.execute(query).fetchall()

        service = Process(folder / "ingest.toml", folder / "telemetry.jsonl", private)
        return cls(folder, user, {"service": service}, ask)

    @classmethod
    def make(cls, folder: Path, dovecot: Dovecot, user: str, smtp: int, private: int, more: str = "") -> "Installation":
        """Write the settings of one box."""
        _write(folder, stores="", private=private, imap=dovecot.port, ca=dovecot.ca_file, user=user, smtp=smtp, more=more)
        return cls.on_one_box(folder, user, private)

    @classmethod
    def scaled_out(
        cls,
        folder: Path,
        dovecot: Dovecot,
        user: str,
        smtp: int,
        kafka: Kafka,
        postgres: Postgres,
        processes: Iterable[str],
    ) -> "Installation":
        """Write the settings, and make topics and tables as an operator does. A process is called ``router`` or ``router-2``."""
        database = postgres.create()
        stores = SCALED_OUT.format(log=kafka.url, register=postgres.url(database))
        _write(
            folder,
            stores=stores,
            private=free_ports(1)[0],
            imap=dovecot.port,
            ca=dovecot.ca_file,
            user=user,
            smtp=smtp,
            more="",
        )
        return cls._of(folder, user, postgres, database, processes)

    @classmethod
    def without_mail(cls, folder: Path, roles: Sequence[str], more: str, web: str = "") -> "Installation":
        """One process with a public port, whose mailbox nobody answers; ``more`` settings, and ``web`` ones of [web]."""
        public, private, nowhere = free_ports(3)
        _write(
            folder, stores="", private=private, web=web, imap=nowhere, ca="nowhere.pem", user="nobody", smtp=nowhere, more=more
        )
        it = cls.on_one_box(folder, private=private)
        it.processes["service"].public, it.processes["service"].roles = public, roles
        return it

    @classmethod
    def apart_without_mail(
        cls, folder: Path, kafka: Kafka, postgres: Postgres, processes: Iterable[str], more: str, web: str = ""
    ) -> "Installation":
        """The same on Kafka and PostgreSQL, a process a role; one is called ``web`` or ``web-2``."""
        database = postgres.create()
        (nowhere,) = free_ports(1)
        stores = SCALED_OUT.format(log=kafka.url, register=postgres.url(database))
        _write(
            folder,
            stores=stores,
            private=nowhere,
            web=web,
            imap=nowhere,
            ca="nowhere.pem",
            user="nobody",
            smtp=nowhere,
            more=more,
        )
        return cls._of(folder, "", postgres, database, processes)

    @classmethod
    def _of(cls, folder: Path, user: str, postgres: Postgres, database: str, processes: Iterable[str]) -> "Installation":
        """With topics and tables as an operator makes them."""

        def ask(query: str) -> list[tuple[Any, ...]]:
            return [tuple(each) for each in postgres.execute("SET search_path = public, state", query, database=database)]

        made = {
            name: Process(folder / "ingest.toml", folder / f"{name}.jsonl", *free_ports(2), roles=[name.partition("-")[0]])
            for name in processes
        }
        it = cls(folder, user, made, ask, database)
        for words in (("topic", "create", "--replication", "1", "--min-isr", "1"), ("database", "upgrade")):
            done = it.command(*words)
            assert done.returncode == 0, done.stdout + done.stderr
        return it

    @property
    def doors(self) -> list[str]:
        """The base URL of each process that answers the public."""
        return [f"http://127.0.0.1:{each.public}" for each in self.processes.values() if "web" in each.roles]

    def start(self) -> None:
        """Start every process."""
        for each in self.processes.values():
            each.start()

    def ready(self, within: float = 120) -> None:
        """Wait until every process that was started is ready."""
        for each in self.processes.values():
            if each.running is not None:
                each.ready(within)

    def kill(self) -> None:
        """SIGKILL to every process."""
        for each in self.processes.values():
            each.kill()

    def stop(self) -> None:
        """Leave nothing running, whatever the test came to."""
        for each in self.processes.values():
            if each.lives:
                each.kill()

    def terminate(self, within: float = 30) -> int:
        """SIGTERM to every process that runs, and the worst of their exit statuses."""
        living = [each for each in self.processes.values() if each.lives]
        for each in living:
            each.send(signal.SIGTERM)
        return max(abs(each.ended(within)) for each in living)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command beside the service."""
        at = ["--config", str(self.folder / "ingest.toml")]
        return ran([*words, *at], within=60)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the register's database holds, asked directly."""
        return self.ask(query)

    def number(self, query: str) -> int:
        """The one number a query gives."""
        return self.rows(query)[0][0]

    def wait_for(self, query: str, wanted: int, within: float) -> None:
        """Wait until a query gives a number, through times without a database or its tables."""
        deadline = time.monotonic() + within
        found = None
        while True:
            if time.monotonic() > deadline:
                raise AssertionError(f"{query} gives {found}, not {wanted}, after {within} s: {self.telemetry()}")
            with suppress(sqlite3.OperationalError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError, OSError):
                if (found := self.number(query)) == wanted:
                    return
            time.sleep(0.2)  # to ask is work too

    def telemetry(self, most: int = 3000) -> str:
        """The last that each process said of itself, less what it says of each letter."""
        return "\n".join(f"{each.name}: …{_OF_A_LETTER.sub('', each.telemetry())[-most:]}" for each in self.processes.values())


def _write(folder: Path, *, web: str = "", **values: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "key").write_text(KEY)
    (folder / "password").write_text(PASSWORD)
    (folder / "ingest.toml").write_text(SETTINGS.format(web=web, **values))


_OF_A_LETTER = re.compile(r'(?m)^.*"event": "(?:urgent|accepted)".*\n')
INGEST = [sys.executable, "-c", "from ingest.commands.entry import main; main()"]
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[2]))
# Wherever Python is told to keep nothing that it has compiled, each of a hundred starts would compile everything again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
