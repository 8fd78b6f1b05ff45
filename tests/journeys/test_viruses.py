"""Letters with attachments through the whole service: what the scanner says of each is in the register, and its silence loses none."""

import asyncio
import json
from collections.abc import Generator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.journeys.house import Installation
from tests.servers.clamd import EICAR, MOST_BYTES, Clamd, running_clamd
from tests.servers.dovecot import Dovecot
from tests.servers.loopback import free_ports
from tests.servers.smtp import SmtpServer


@pytest.fixture
def own_clamd() -> Generator[Clamd]:
    """One that may be frozen."""
    yield from running_clamd()


@pytest.fixture
def scanning(dovecot: Dovecot, smtp: SmtpServer, own_clamd: Clamd, tmp_path: Path) -> Generator[Installation]:
    (port,) = free_ports(1)
    user = f"viruses{port}"
    dovecot.mailbox(user)
    more = f'\n[scan]\nclamd = "{own_clamd.unix}"\nwithin = "3s"\nmost_bytes = {MOST_BYTES}\n'
    it = Installation.make(tmp_path / "home", dovecot, user, smtp.port, port, more)
    yield it
    it.stop()


def letter(subject: str, *files: bytes) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Ann Writer <ann@example.net>"
    mail["Message-ID"] = f"<{subject}@example.net>"
    mail["Subject"] = subject
    mail.set_content("I complain about your service. The decision letter is attached.\n")
    for each in files:
        mail.add_attachment(each, maintype="application", subtype="octet-stream", filename="letter")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def verdicts(it: Installation) -> dict[str, list[str]]:
    bodies = [json.loads(body) for (body,) in it.rows("SELECT body FROM contacts")]
    return {each["subject"]: [file["verdict"] for file in each["attachments"]] for each in bodies}


@pytest.mark.journey
@pytest.mark.needs("dovecot")
@pytest.mark.needs("clamd")
async def test_each_attachment_is_in_the_register_with_its_verdict_and_a_frozen_scanner_keeps_no_letter_out(
    dovecot: Dovecot, scanning: Installation, own_clamd: Clamd
):
    scanning.start()
    await asyncio.to_thread(scanning.ready)
    await asyncio.to_thread(dovecot.deliver, scanning.user, letter("looked at", b"A letter.", EICAR, b"x" * (MOST_BYTES + 1)))
    await asyncio.to_thread(scanning.wait_for, "SELECT count(*) FROM contacts", 1, 30)
    own_clamd.pause()
    await asyncio.to_thread(dovecot.deliver, scanning.user, letter("while frozen", EICAR))
    await asyncio.to_thread(scanning.wait_for, "SELECT count(*) FROM contacts", 2, 30)
    assert verdicts(scanning) == {"looked at": ["clean", "infected", "withheld"], "while frozen": ["unscanned"]}
    metrics = scanning.processes["service"].page("metrics")
    assert 'contact_errors_total{reason="scanner-slow",stage="scan"} 1.0' in metrics
    assert 'files_scanned_total{verdict="infected"} 1.0' in metrics
