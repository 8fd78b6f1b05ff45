"""A whole installation for a journey: its settings in a folder, and the service as a process of its own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.dovecot import PASSWORD, Dovecot

SETTINGS = """\
key_file = "key"

[web]
private = "127.0.0.1:{private}"

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


@dataclass
class Installation:
    """Settings, files and at most one running service."""

    folder: Path
    user: str
    private: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @classmethod
    def make(cls, folder: Path, dovecot: Dovecot, user: str, smtp: int, private: int, more: str = "") -> "Installation":
        """Write the settings."""
        folder.mkdir(exist_ok=True)
        (folder / "key").write_text("0123456789abcdef" * 4)
        (folder / "password").write_text(PASSWORD)
        settings = SETTINGS.format(private=private, imap=dovecot.port, ca=dovecot.ca_file, user=user, smtp=smtp, more=more)
        (folder / "ingest.toml").write_text(settings)
        return cls(folder, user, private)

    def start(self) -> None:
        """Start the service, its telemetry in a file."""
        lines = (self.folder / "telemetry.jsonl").open("ab")
        self.process = subprocess.Popen(
            [*INGEST, "run", "--config", str(self.folder / "ingest.toml")], stdout=lines, stderr=lines
        )
        lines.close()

    def kill(self) -> None:
        """As a loss of power to the process: SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """Leave nothing running, whatever the test came to."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def terminate(self, within: float = 30) -> int:
        """SIGTERM, and its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def ready(self, within: float = 30) -> None:
        """Wait until ``/readyz`` says so."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.telemetry()[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.private}/readyz", timeout=2) as answer:
                    if json.load(answer)["ready"]:
                        return
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.05)
        raise AssertionError(f"not ready: {self.telemetry()[-2000:]}")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command beside the service."""
        at = ["--config", str(self.folder / "ingest.toml")]
        return subprocess.run([*INGEST, *words, *at], capture_output=True, text=True, timeout=60)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the register's file holds, asked directly."""
        with closing(sqlite3.connect(f"file:{self.folder / 'register.db'}?mode=ro", uri=True, timeout=20)) as register:
            return register.execute(query).fetchall()

    def number(self, query: str) -> int:
        """The one number a query gives; 0 before there are tables."""
        try:
            return self.rows(query)[0][0]
        except sqlite3.OperationalError:
            return 0

    def wait_for(self, query: str, wanted: int, within: float) -> None:
        """Wait until a query gives a number."""
        deadline = time.monotonic() + within
        while (found := self.number(query)) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(f"{query} gives {found}, not {wanted}: {self.telemetry()[-3000:]}")
            time.sleep(0.1)

    def telemetry(self) -> str:
        """What the service said of itself."""
        return (self.folder / "telemetry.jsonl").read_text(errors="replace")


INGEST = [sys.executable, "-c", "from ingest.commands.entry import main; main()"]
os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[2]))
