"""Letters on their way while the service is killed again and again: none is lost, none doubled, each owed receipt goes out."""

import asyncio
import random
from collections import Counter
from email.message import EmailMessage

import pytest

from tests.journeys.house import Installation
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import SmtpServer

LETTERS = 1_000
KILLS = 20

_WORDS = (
    (
        "Your service",
        "I complain about your service. You promised to ring me back by Friday and nobody rang. I would like an apology.",
    ),
    (
        "My hospital",
        "I want to complain about Saltersgate Hospital. They sent my mother home without her tablets. Can you look into this for me?",
    ),
    ("A question", "Why do I need an MP referral before I can complain to you about a government department?"),
    ("Thank you", "I would like to praise Ms Fennimore of your office, who rang when she said she would and was very kind."),
    ("it", "it is about the thing from before"),
)


def letter(number: int) -> bytes:
    """The same for the same number, from a sender of its own; every twentieth is a robot's."""
    subject, words = _WORDS[number % len(_WORDS)]
    mail = EmailMessage()
    mail["From"] = f"Writer {number} <writer.{number}@example.net>"
    mail["To"] = "customer.care@ombudsman.example"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{number}@example.net>"
    mail["Date"] = "Mon, 02 Mar 2026 09:30:00 +0000"
    if number % 20 == 7:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(f"{words}\n\nWriter number {number}\n")
    return mail.as_bytes().replace(b"\n", b"\r\n")


@pytest.mark.journey
@pytest.mark.timeout(580)
@pytest.mark.needs("dovecot")
async def test_a_thousand_letters_survive_twenty_kills(dovecot: Dovecot, smtp: SmtpServer, home: Installation) -> None:
    chance, it = random.Random(20260302), home
    it.start()
    await asyncio.to_thread(it.ready)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mailboxes", 1, 20)

    left = list(range(LETTERS))
    for kill in range(KILLS):
        for _ in range(LETTERS // KILLS):
            await asyncio.to_thread(dovecot.deliver, it.user, letter(left.pop()))
        # From while it starts to long after it has settled: the moment is what is tried.
        await asyncio.sleep(chance.uniform(0.1, 2.2) if kill % 4 else chance.uniform(2.5, 4))
        it.kill()
        it.start()
    assert not left

    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM contacts", LETTERS, 180)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM outbox", 0, 30)
    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM outgoing WHERE state IN ('due', 'sending')", 0, 240)

    assert it.number("SELECT count(*) FROM dispositions WHERE current") == LETTERS
    assert it.number("SELECT count(DISTINCT contact_id) FROM dispositions") == LETTERS
    assert it.number("SELECT count(*) FROM mail_ledger") == LETTERS
    assert it.number("SELECT count(*) FROM dead_letters") == 0

    robots = sum(number % 20 == 7 for number in range(LETTERS))
    # The second kind of letter shows a sign of harm: whoever wrote it hears nothing until a person says so.
    held = {each for (each,) in it.rows("SELECT recipient FROM outgoing WHERE audience = 'person' AND state = 'held'")}
    owed = {each for (each,) in it.rows("SELECT recipient FROM outgoing WHERE audience = 'person' AND state = 'accepted'")}
    assert len(owed) + len(held) == LETTERS - robots
    assert len(held) == it.number(
        "SELECT count(*) FROM tasks WHERE kind = 'urgent' AND contact_id IN (SELECT contact_id FROM outgoing WHERE audience = 'person')"
    )
    sent = Counter(each.message["Message-ID"] for each in smtp.taken)
    told = {each.recipient for each in smtp.taken if each.recipient.startswith("writer.")}
    assert told == owed, "somebody who is owed a receipt has none, or somebody who is not has one"
    assert len({(each.message["Message-ID"], each.recipient) for each in smtp.taken}) == len(sent)
    assert sum(sent.values()) - len(sent) <= KILLS, "more copies than kills"

    ledger = await asyncio.to_thread(it.command, "ledger")
    assert ledger.returncode == 0, ledger.stdout + ledger.stderr
    audit = await asyncio.to_thread(it.command, "audit", "verify")
    assert audit.returncode == 0, audit.stdout + audit.stderr
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()[-2000:]
