"""Mail that breaks whoever reads it comes in all the same, marked for a person; the mailbox goes on, and so does every other mail."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from channels.email.settings import EmailAccount
from ingest.bounded import Bounded, Bounds
from ingest.contract import Contact
from ingest.ids import digest
from tests.channels.email.conftest import Office, until
from tests.channels.email.test_attached import pdf
from tests.channels.email.test_translate import HOSTILE, letter
from tests.journeys import forked
from tests.servers.dovecot import Dovecot

MIB = 1024 * 1024
SLOW = HOSTILE["colons"]
"""Half a second of processor time, where an ordinary mail takes a thousandth."""

AccountOf = Callable[..., EmailAccount]
pytestmark = pytest.mark.needs("dovecot")
assert forked._FORKING  # what processes here are copied from knows all of the service: one is not begun for each kind of test


@pytest.fixture(autouse=True)
def _no_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process would import pytest, which it has no use for, to know what the program was that began it."""
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)


@pytest.fixture
async def bounds() -> Bounds:
    return Bounds()


@pytest.fixture
async def bounded(bounds: Bounds) -> AsyncGenerator[Bounded]:
    with closing(Bounded(bounds)) as it:
        yield it


@pytest.fixture
def careful(office: Office, bounded: Bounded) -> Office:
    """An office that reads its mail in a process of its own."""
    return replace(office, arrive=partial(cast("Any", office.arrive), bounded=bounded))


def on_the_wire(raw: bytes) -> bytes:
    """As a mail server holds it."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def broken() -> float:
    labels = {"stage": "receive", "reason": "broke-its-reader"}
    return REGISTRY.get_sample_value("contact_errors_total", labels) or 0.0


def with_a_slow_file() -> bytes:
    """Some kilobytes that take half a second."""
    content = pdf(*[b"BT /F1 12 Tf 72 720 Td " + b"(a) Tj 0 -1 Td " * 20_000 + b"ET"] * 2)
    mail = EmailMessage()
    mail["From"] = "Gwen Pryce <gwen.pryce@example.org>"
    mail["Subject"] = "My complaint"
    mail.set_content("The council cut down our tree in May, and nobody has answered my three letters about it. " * 3)
    mail.add_attachment(content, maintype="application", subtype="pdf", filename="tree.pdf")
    return mail.as_bytes()


def large() -> bytes:
    """Twelve megabytes, which take ten times as much to read."""
    mail = EmailMessage()
    mail["From"] = "Gwen Pryce <gwen.pryce@example.org>"
    mail["Subject"] = "My complaint"
    mail.set_content("See the file.")
    mail.add_attachment(b"\x00" * 12 * MIB, maintype="application", subtype="octet-stream", filename="a")
    return mail.as_bytes()


async def settled(dovecot: Dovecot, user: str, mails: int) -> None:
    async def look() -> list[str]:
        return dovecot.flags(user)

    await until(look, lambda flags: flags == ["S"] * mails, seconds=30)


@pytest.mark.parametrize(
    ("bounds", "make", "warned", "ways_broken"),
    [
        (
            Bounds(cpu_seconds=0.1),
            lambda: SLOW,
            "not-read: it was kept without its words, since it took longer than it may",
            2,
        ),
        (Bounds(memory_bytes=110 * MIB), large, "not-read: MemoryError", 0),
        (
            Bounds(cpu_seconds=0.2),
            with_a_slow_file,
            "not-read: the words in its files were left out, since it took longer than it may",
            1,
        ),
    ],
    ids=["time", "memory", "a file's time"],
)
async def test_a_mail_past_a_limit_is_kept_and_known_by_its_sender_and_its_neighbours_are_read(
    careful: Office, account: AccountOf, dovecot: Dovecot, user: str, make: Callable[[], bytes], warned: str, ways_broken: int
):
    before, raw = broken(), on_the_wire(make())
    for each in (letter(b"One."), raw, letter(b"Two.")):
        dovecot.deliver(user, each)
    async with careful.taking_in(account()):
        contacts = await until(careful.contacts, lambda found: len(found) >= 3, seconds=60)
        await settled(dovecot, user, 3)
    by_digest: dict[str, Contact] = {each.original: each for each in contacts}
    assert sorted(each.text for each in contacts if each.original != digest(raw)) == ["One.", "Two."]
    kept = by_digest[digest(raw)]
    assert warned in kept.warnings
    assert [each.canonical for each in kept.sender.identifiers] == ["gwen.pryce@example.org"]
    assert kept.subject == "My complaint"
    assert (kept.text != "", len(kept.attachments)) == ((True, 1) if ways_broken == 1 else (False, 0))
    assert await careful.originals.get(kept.original) == raw
    assert broken() == before + ways_broken


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("bounds", [Bounds(wall_seconds=2.0)])
async def test_the_process_killed_or_frozen_over_and_over_loses_no_mail_and_doubles_none(
    careful: Office, account: AccountOf, dovecot: Dovecot, user: str, bounded: Bounded, sent: signal.Signals
):
    delivered = [on_the_wire(letter(f"Number {each}.".encode())) for each in range(120)]
    for each in delivered:
        dovecot.deliver(user, each)

    async def harm() -> None:
        for _ in range(2):
            child: Any = None
            while child is None or child is bounded._child:
                await asyncio.sleep(0.01)
                if child is None and bounded._child is not None:
                    child = bounded._child
                    os.kill(child._process.pid, sent)

    async with careful.taking_in(account()):
        harming = asyncio.create_task(harm())
        contacts = await until(careful.contacts, lambda found: len(found) >= len(delivered), seconds=60)
        await settled(dovecot, user, len(delivered))
        harming.cancel()
    assert sorted(each.original for each in contacts) == sorted(map(digest, delivered))
    assert not any(each.warnings for each in contacts)
    assert bounded._child is not None
