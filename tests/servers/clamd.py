"""A real ClamAV daemon on the loopback, with signatures of our own: EICAR's test file, and a sentence that only we call a virus.

Its limits are lower than Debian's, so that a test need not be large to be over one.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.settings import ScanSettings
from tests.servers.loopback import free_ports

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
VIRUS = b"This sentence is a virus of contact-ingest's own."
"""Found wherever it stands in a file."""
MOST_BYTES = 1024 * 1024
"""Its StreamMaxLength and MaxFileSize."""

_BINARY = shutil.which("clamd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

_CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}/signatures
TemporaryDirectory {folder}/scratch
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
MaxThreads 4
StreamMaxLength {most}
MaxFileSize {most}
MaxScanSize {most_unpacked}
MaxScanTime 5000
Bytecode no
AlertEncrypted {alerts}
AlertExceedsMax {alerts}
"""


class Clamd:
    """One private daemon. ``alerts`` are what Debian's has off: what is locked or over a limit is then told."""

    def __init__(self, folder: Path, *, alerts: bool = True) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self.tcp = f"tcp://127.0.0.1:{self.port}"
        self.unix = f"unix://{folder}/clamd.sock"
        self._process: subprocess.Popen[bytes] | None = None
        for each in ("signatures", "scratch"):
            (folder / each).mkdir()
        (folder / "signatures" / "own.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Eicar-Test-Signature\n")
        (folder / "signatures" / "own.ndb").write_text(f"ContactIngest.Test:0:*:{VIRUS.hex()}\n")
        (folder / "clamd.conf").write_text(
            _CONFIGURATION.format(
                folder=folder, port=self.port, most=MOST_BYTES, most_unpacked=4 * MOST_BYTES, alerts="yes" if alerts else "no"
            )
        )

    def settings(self, within: timedelta = timedelta(seconds=10), **more: object) -> ScanSettings:
        """How it is asked; ``clamd`` among ``more`` for its other socket."""
        return ScanSettings.model_validate({"clamd": self.tcp, "within": within, "most_bytes": MOST_BYTES, **more})

    def start(self) -> None:
        """Be ready for files."""
        assert _BINARY is not None
        with (self.folder / "clamd.log").open("ab") as lines:
            self._process = subprocess.Popen([_BINARY, "-c", self.folder / "clamd.conf"], stdout=lines, stderr=lines)
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"clamd did not start: {self.telemetry()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End at once."""
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def pause(self) -> None:
        """Connections are taken and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it paused."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def telemetry(self) -> str:
        """What it said of itself so far."""
        path = self.folder / "clamd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2) as peer:
            peer.sendall(b"zPING\0")
            return peer.recv(5) == b"PONG\0"
        return False


def running_clamd(*, alerts: bool = True) -> Generator[Clamd]:
    """The body of a fixture: a daemon for as long as it is wanted; skipped where there is none, failed where CI is set."""
    if _BINARY is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "ClamAV's daemon is missing: install it with: apt-get install clamav-daemon"
        )
    folder = Path(tempfile.mkdtemp(prefix="clamd-"))
    server = Clamd(folder, alerts=alerts)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
