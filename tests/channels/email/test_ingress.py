"""Mail comes in from a real Dovecot: once, whole, and whatever the connection does meanwhile."""

from hashlib import sha256

import pytest

pytestmark = pytest.mark.needs("dovecot")


def mail(subject: str = "A complaint", body: str = "Nobody has answered me.", sender: str = "ann@example.net") -> bytes:
    return f"From: Ann <{sender}>\r\nTo: care@example.org\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


async def test_each_of_two_hundred_mails_comes_in_once_and_byte_for_byte(office, account, dovecot, user):
    delivered = [mail(f"Number {each}", "\r\n".join(["Dear team,"] * each)) for each in range(200)]
    for raw in delivered:
        dovecot.deliver(user, raw)
    async with office.taking_in(account()):
        contacts = await office.until(200)
    assert {each.original for each in contacts} == {sha256(raw).hexdigest() for raw in delivered}
    assert len(contacts) == 200
    assert await office.originals.get(contacts[7].original) in delivered
