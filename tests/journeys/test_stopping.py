"""The service is told to stop, started twice, or started without what it needs."""

import asyncio
import signal
import subprocess

import pytest

from tests.journeys.house import INGEST, Installation
from tests.journeys.test_killed_midway import letter
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer


@pytest.mark.journey
@pytest.mark.needs("dovecot")
async def test_told_to_stop_it_finishes_what_is_in_hand_and_a_new_one_takes_up_the_rest(
    dovecot: Dovecot, smtp: SmtpServer, home: Installation
) -> None:
    home.start()
    await asyncio.to_thread(home.ready)
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM mailboxes", 1, 20)
    for number in range(60):
        await asyncio.to_thread(dovecot.deliver, home.user, letter(number))
    await asyncio.sleep(0.4)
    assert await asyncio.to_thread(home.terminate) == 0, home.telemetry()[-2000:]
    assert home.number("SELECT count(*) FROM outgoing WHERE state = 'sending'") == 0

    home.start()
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM contacts", 60, 60)
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM outgoing WHERE state = 'due'", 0, 60)
    ids = [each.message["Message-ID"] for each in smtp.taken]
    assert len(ids) == len(set(ids)), "an orderly stop sends nothing twice"


@pytest.mark.journey
@pytest.mark.needs("dovecot")
async def test_a_second_signal_ends_it_at_once(home: Installation) -> None:
    home.start()
    await asyncio.to_thread(home.ready)
    service = home.processes["service"]
    service.send(signal.SIGSTOP)  # both signals are waiting when it goes on
    service.send(signal.SIGTERM)
    service.send(signal.SIGINT)
    service.send(signal.SIGCONT)
    assert await asyncio.to_thread(service.ended, 10) == 130


@pytest.mark.journey
@pytest.mark.needs("dovecot")
async def test_a_second_service_on_the_same_log_is_refused(home: Installation) -> None:
    home.start()
    await asyncio.to_thread(home.ready)
    second = await asyncio.to_thread(home.command, "run")
    assert second.returncode == 2
    assert "another" in second.stderr.lower()


@pytest.mark.journey
@pytest.mark.needs("dovecot")
async def test_it_does_not_start_without_a_duty_mailbox(home: Installation) -> None:
    config = home.folder / "ingest.toml"
    config.write_text("".join(line for line in config.read_text().splitlines(keepends=True) if not line.startswith("duty")))
    refused = await asyncio.to_thread(home.command, "run")
    assert refused.returncode == 2
    assert "teams.duty" in refused.stderr


def test_help_answers_without_settings() -> None:
    shown = subprocess.run([*INGEST, "--help"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0
    assert "review" in shown.stdout
