"""A machine on which a stranger installs the service by the commands of a page, and starts it as its unit says.

All that those commands name (/opt, /etc, /var/lib, /usr/local) lies in a folder. Users are nobody's here and systemd does not run: ``sudo``,
``useradd`` and ``install`` leave users alone, and ``systemctl`` and ``journalctl`` are answered by a stand-in that does with
the unit's own lines what systemd does: ExecStart, Environment, WorkingDirectory, UMask, StateDirectory, Type=notify, WatchdogSec and the statuses
that it does not start again after. What PyPI would give is this project's own environment.
"""

import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HERE: Final = re.compile(
    r"(?<![\w.])/(?:opt/contact-ingest|etc/contact-ingest|var/lib/contact-ingest|etc/systemd/system|usr/local/bin)(?![\w-])"
)
"""The places of a real machine that lie in the folder."""

_ASKING = """\
#!{python} -IS
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
line.sendall("\\0".join([{name!r}, *sys.argv[1:]]).encode())
line.shutdown(socket.SHUT_WR)
status, _, said = b"".join(iter(lambda: line.recv(65536), b"")).decode().partition("\\0")
sys.stdout.write(said)
sys.exit(int(status))
"""
_SUDO = """\
#!/bin/sh
[ "$1" = -u ] && shift 2
exec env "$@"
"""
_INSTALL = """\
#!/bin/bash
words=()
while [ $# -gt 0 ]; do case "$1" in -o | -g) shift 2 ;; *) words+=("$1"); shift ;; esac; done
exec {install} "${{words[@]}}"
"""
_PYTHON = """\
#!/bin/sh
# python3.11 -m venv FOLDER
{python} -m venv --without-pip "$3" && cp {bin}/pip-of-here "$3/bin/pip"
"""
_PIP = """\
#!/bin/sh
# pip install WHEEL: all that it needs is there already
into=$("$(dirname "$0")/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo {packages} > "$into/here.pth"
exec {uv} pip install --quiet --offline --no-deps --python "$(dirname "$0")/python" "$2"
"""


# What the commands of a day import, which is most of what each of them takes.
_PRELOADED: Final = (
    "alembic.command",
    "alembic.op",
    "ingest.commands.run",
    *(
        f"ingest.commands.{each}"
        for each in ("audit", "check", "dead_letters", "ledger", "outgoing", "register", "review", "topic")
    ),
    "ingest.log.sqlite",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)
_COPYING = """\
import json, os, signal, socket, sys
from importlib import import_module
for each in {modules!r}:
    import_module(each)
from ingest.commands.entry import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
with socket.socket(socket.AF_UNIX) as line:
    line.bind({address!r})
    line.listen()
    print("ready", flush=True)
    while True:
        peer, _ = line.accept()
        with peer:
            if os.fork():
                continue
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            said, outputs, *_ = socket.recv_fds(peer, 1_000_000, 3)
            if (copy := os.fork()) == 0:
                sys.argv, environment, folder = json.loads(said)
                os.environ.clear()
                os.environ.update(environment)
                os.chdir(folder)
                for at, output in enumerate(outputs):
                    os.dup2(output, at)
                main()
                sys.exit()
            for output in outputs:
                os.close(output)
            peer.sendall(str(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])).encode())
            os._exit(0)
"""
_COPIED = """\
#!{python} -IS
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
said = [["ingest", *sys.argv[1:]], {{**os.environ, "INGEST_CONFIG": {config!r}}}, os.getcwd()]
socket.send_fds(line, [json.dumps(said).encode()], [0, 1, 2])
sys.exit(int(line.recv(100)))
"""


class Unit:
    """The service as its unit has it, and what systemd would do with it."""

    def __init__(self, path: Path, placed: "Machine") -> None:
        lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"\w+=", line))
        self._said = {key: placed.here(value) for key, _, value in lines}
        self._placed = placed
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(placed.root / "notify"))
        self._line.settimeout(0.2)
        self._process: subprocess.Popen[bytes] | None = None
        self.journal = placed.root / "journal"
        self.journal.touch()
        self.told: list[str] = []

    def start(self) -> int:
        """Until it says that it is ready, or ends: then its status."""
        if self._process is not None and self._process.poll() is None:
            return 0
        assert (self._said["Type"], self._said["NotifyAccess"]) == ("notify", "main")
        state = Path(self._placed.here("/var/lib/")) / self._said["StateDirectory"]
        state.mkdir(int(self._said["StateDirectoryMode"], 8), parents=True, exist_ok=True)
        name, _, value = self._said["Environment"].partition("=")
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            name: value,
            "NOTIFY_SOCKET": self._line.getsockname(),
            "WATCHDOG_USEC": str(int(self._said["WatchdogSec"]) * 1_000_000),
        }
        self._heard()
        with self.journal.open("ab") as lines:
            self._process = subprocess.Popen(
                self._said["ExecStart"].split(),
                env=environment,
                cwd=self._said["WorkingDirectory"],
                umask=int(self._said["UMask"], 8),
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                start_new_session=True,
            )
        while (status := self._process.poll()) is None:
            if "READY=1" in self._heard(wait=True):
                return 0
        return status

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to all that is left of it after the unit's own time."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(int(self._said["TimeoutStopSec"]))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to all of it."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def status(self) -> str:
        """As ``systemctl status`` says it, in fewer words."""
        ended = None if self._process is None else self._process.poll()
        if self._process is None:
            return "     Active: inactive (dead)\n"
        if ended is None:
            return "     Active: active (running)\n"
        left = ended in [int(each) for each in self._said["RestartPreventExitStatus"].split()]
        assert left or ended == 0, f"systemd would have started it again: {self.journal.read_text()[-2000:]}"
        return f"     Active: {'failed (Result: exit-code)' if ended else 'inactive (dead)'}\n   Main PID: status={ended}\n"

    def _heard(self, *, wait: bool = False) -> list[str]:
        """What it has said on the socket since."""
        heard: list[str] = []
        self._line.setblocking(wait)
        self._line.settimeout(0.2 if wait else 0.0)
        try:
            while True:
                heard.append(self._line.recv(100).decode())
                self._line.settimeout(0.0)
        except (TimeoutError, BlockingIOError):
            pass
        self.told += heard
        return heard


class Machine:
    """The folder that stands for a machine, its commands, and the one unit on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unit: Unit | None = None
        self._bin = root / "bin"
        for each in ("bin", "home", "opt", "etc/systemd/system", "var/lib", "usr/local/bin"):
            (root / each).mkdir(parents=True)
        python, packages = sys.executable, sysconfig.get_path("purelib")
        for name, script in {
            "sudo": _SUDO,
            "useradd": "#!/bin/sh\n",
            "install": _INSTALL.format(install=shutil.which("install")),
            "python3.11": _PYTHON.format(python=python, bin=self._bin),
            "pip-of-here": _PIP.format(packages=packages, uv=uv()),
            **{
                each: _ASKING.format(python=python, address=str(root / "asked"), name=each)
                for each in ("systemctl", "journalctl")
            },
        }.items():
            (self._bin / name).write_text(script)
            (self._bin / name).chmod(0o755)

    def here(self, text: str) -> str:
        """A command or a setting with the machine's places where they lie in the folder."""
        return HERE.sub(lambda found: f"{self.root}{found[0]}", text)

    def run(self, command: str, **environment: str) -> tuple[int, str]:
        """A line of a shell: its status, and all that it printed, with the folder left out again."""
        path = f"{self._bin}:{self.root}/usr/local/bin:{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-c", self.here(command)],
            env={"PATH": path, "LANG": "C.UTF-8", "HOME": str(self.root / "home"), **environment},
            cwd=self.root / "home",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        return ran.returncode, ran.stdout.replace(str(self.root), "")

    @contextmanager
    def quickened(self) -> Generator[None]:
        """From here on a command begins where its imports end, which are most of it: a copy of one process of the installation runs it."""
        address, config = str(self.root / "copying"), str(self.path("/etc/contact-ingest/ingest.toml"))
        python, copying = self.path("/opt/contact-ingest/bin/python"), _COPYING.format(modules=_PRELOADED, address=address)
        with subprocess.Popen([python, "-I", "-c", copying], stdout=subprocess.PIPE, cwd=self.root) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            copied = self._bin / "ingest"
            copied.write_text(_COPIED.format(python=sys.executable, address=address, config=config))
            copied.chmod(0o755)
            try:
                yield
            finally:
                server.kill()

    def path(self, name: str) -> Path:
        """Where a file of the machine's lies."""
        return Path(self.here(name))

    def answer(self, words: list[str]) -> tuple[int, str]:
        """What ``systemctl`` and ``journalctl`` say."""
        match words:
            case ["systemctl", "daemon-reload"]:
                self.unit = Unit(self.path("/etc/systemd/system/ingest.service"), self)
                return 0, ""
            case ["systemctl", ("start" | "restart" | "enable") as verb, *_, "ingest"] if self.unit is not None:
                if verb == "restart":
                    self.unit.stop()
                failed = self.unit.start() != 0
                said = "Job for ingest.service failed. See `systemctl status ingest` and `journalctl -u ingest`.\n"
                return (1, said) if failed else (0, "")
            case ["systemctl", "stop", "ingest"] if self.unit is not None:
                self.unit.stop()
                return 0, ""
            case ["systemctl", "status", "ingest"] if self.unit is not None:
                return 0 if "running" in (said := self.unit.status()) else 3, f"● ingest.service\n{said}"
            case ["journalctl", "-u", "ingest"] if self.unit is not None:
                return 0, self.unit.journal.read_text(errors="replace")
            case _:
                return 1, f"{' '.join(words)}: nobody answers to this here\n"

    @contextmanager
    def answering(self) -> Generator[None]:
        """While it is on; at the end nothing of it runs."""
        placed = self

        class Asked(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                status, said = placed.answer(self.rfile.read().decode().split("\0"))
                self.wfile.write(f"{status}\0{said}".encode())

        with socketserver.ThreadingUnixStreamServer(str(self.root / "asked"), Asked) as server:
            answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            answering.start()
            try:
                yield
            finally:
                if self.unit is not None:
                    self.unit.kill()
                server.shutdown()


def uv() -> str:
    """What builds and installs, as the Makefile finds it."""
    found = shutil.which("uv") or str(Path(__file__).parents[2] / ".tools" / "bin" / "uv")
    assert os.access(found, os.X_OK), "make setup puts uv where it is wanted"
    return found
