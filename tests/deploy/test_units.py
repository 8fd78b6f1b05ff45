"""The units of systemd are ones that it takes, shut in what they run, and run it as it wants to be run."""

import difflib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from ingest import supervisor
from tests.journeys.house import Installation

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = [DEPLOY / "ingest.service", DEPLOY / "ingest@.service"]


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says; skipped where there is none, failed where CI is set."""
    if (binary := shutil.which("systemd-analyze")) is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "systemd-analyze is missing: install it with: apt-get install systemd"
        )
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[socket.socket]:
    """systemd's end of ``NOTIFY_SOCKET``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield line


@pytest.mark.needs("systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_unit_and_finds_nothing_to_say(unit: Path, tmp_path: Path):
    program = tmp_path / "ingest"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    named = tmp_path / unit.name.replace("@.", "@router.")
    named.write_text(unit.read_text(encoding="utf-8").replace("/opt/contact-ingest/bin/ingest", str(program)))
    ran = analyze("verify", "--man=no", named)
    assert (ran.returncode, ran.stderr.strip()) == (0, "")


@pytest.mark.needs("systemd")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_leaves_what_it_runs_little_to_do_harm_with(unit: Path, tmp_path: Path):
    named = tmp_path / unit.name.replace("@.", "@router.")
    shutil.copy(unit, named)
    ran = analyze("security", "--offline=yes", "--threshold=20", named)
    assert ran.returncode == 0, ran.stdout[-200:]


def test_the_unit_of_one_role_is_the_other_but_for_what_it_runs():
    one, other = (each.read_text(encoding="utf-8").splitlines() for each in UNITS)
    changed = [line for line in difflib.ndiff(one, other) if line[0] in "+-" and not line.startswith(("+ #", "- #"))]
    assert sorted(line[2:].partition("=")[0] for line in changed) == [
        "Description", "Description", "EnvironmentFile", "ExecStart", "ExecStart",
    ]  # fmt: skip


@pytest.mark.journey
def test_systemd_is_told_that_it_is_ready_that_it_turns_and_that_it_stops(
    tmp_path: Path, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WATCHDOG_USEC", "500000")
    home = Installation.without_mail(tmp_path / "home", ["dispatcher"], "")
    try:
        home.start()
        assert listening.recv(100) == b"READY=1"
        started = time.monotonic()
        assert [listening.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
        assert time.monotonic() - started > 0.5, "twice in its time, and not more"
        home.processes["service"].send(signal.SIGTERM)
        assert home.processes["service"].ended() == 0
    finally:
        home.stop()
    listening.setblocking(False)
    left = []
    while True:
        try:
            left.append(listening.recv(100))
        except BlockingIOError:
            break
    assert left[-1] == b"STOPPING=1"


def test_who_listens_in_the_abstract_is_told_as_well(monkeypatch: pytest.MonkeyPatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0contact-ingest-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@contact-ingest-{os.getpid()}")
        supervisor.tell("READY=1")
        line.settimeout(5)
        assert line.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "/nowhere/at/all"])
def test_where_nobody_listens_nothing_comes_of_it(address: str | None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    supervisor.tell("READY=1")
