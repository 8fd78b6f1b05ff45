"""What a bounce returns is told in whatever form a mail system writes it: by our token, by a Message-ID, and by whom it did not reach."""

from uuid import UUID

import pytest

from channels.email.returned import MOST_ADDRESSES
from channels.email.translate import read
from ingest.contract import Automatic, Returned
from ingest.ids import bounce_token

OURS = UUID("03e32d06-ae01-51c1-baae-ed30f7e68acd")
MESSAGE_ID = f"<{OURS}@ombudsman.example>"
KEY = b"a key that only these tests know of"
TOKEN = bounce_token(KEY, OURS)
HEADERS = f"""\
Received: from mail.ombudsman.example by mx.example.org with ESMTPS id 4F2; Mon, 2 Mar 2026 09:12:41 +0000
From: Customer Care <care@ombudsman.example>
To: gwen@example.org
Subject: We have your message
Message-ID: {MESSAGE_ID}
References: <letter@example.org>
"""


def report(action: str, status: str, *, returned: str = HEADERS, kind: str = "text/rfc822-headers", sender: str = "") -> str:
    return f"""\
From: {sender or "MAILER-DAEMON@mx.example.org (Mail Delivery System)"}
To: care@ombudsman.example
Subject: Delivery Status Notification
Message-ID: <d1@mx.example.org>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

This is the mail system at host mx.example.org.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Original-Recipient: rfc822;gwen@example.org
Final-Recipient: rfc822; Gwen@Example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 said so

--b
Content-Type: {kind}

{returned}
--b--
"""


def words(sender: str, subject: str, body: str, headers: str = "") -> str:
    return (
        f"{headers}From: {sender}\nTo: care@ombudsman.example\nSubject: {subject}\nMessage-ID: <d1@mx.example.org>\n\n{body}\n"
    )


def of(mail: str) -> Returned:
    got = read(mail.encode())
    assert got.automatic is Automatic.BOUNCE
    assert got.returned is not None
    return got.returned


EXCHANGE = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org"
FORMS = {
    "postfix": report("failed", "5.1.1"),
    "postfix, with the whole mail": report("failed", "5.1.1", returned=f"{HEADERS}\nThank you.\nAction: delayed", kind="message/rfc822"),
    "sendmail": report("failed", "5.1.1", kind="message/rfc822"),
    "gmail": f"In-Reply-To: {MESSAGE_ID}\nReferences: <letter@example.org> {MESSAGE_ID}\nX-Failed-Recipients: gwen@example.org\n"
    + report("failed", "5.1.1", returned="", sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>"),
    "exim": words(
        "Mail Delivery System <Mailer-Daemon@mx.example.org>", "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\nThis is a permanent error. The following address(es) failed:\n\n"
        f"  gwen@example.org\n    host mx.example.net [192.0.2.1]: 550 5.1.1 no such user\n\n"
        f"------ This is a copy of the message's headers. ------\n\nReturn-path: <care@ombudsman.example>\n{HEADERS}",
        "X-Failed-Recipients: gwen@example.org\nAuto-Submitted: auto-replied\n",
    ),
    "qmail": words(
        "MAILER-DAEMON@mx.example.org", "failure notice",
        "Hi. This is the qmail-send program at mx.example.org.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<gwen@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        f"--- Below this line is a copy of the message.\n\nReturn-Path: <care@ombudsman.example>\n{HEADERS}",
    ),
    "yahoo": words(
        "MAILER-DAEMON@yahoo.com", "Failure Notice",
        "Sorry, we were unable to deliver your message to the following address.\n\n<gwen@example.org>:\n550: 5.1.1 no such mailbox\n\n"
        f"--- Below this line is a copy of the message.\n\n{HEADERS}",
    ),
    "exchange": words(
        EXCHANGE, "Undeliverable: We have your message",
        "mx.example.org rejected your message to the following e-mail addresses:\n\ngwen@example.org\n\nRemote Server returned '550 5.1.1 RESOLVER.ADR'\n\n"
        f"Original message headers:\n\n{HEADERS}",
    ),
    "quoted": words(
        "postmaster@example.org", "Mail delivery failed", "550 5.1.1 unknown\n\n" + "".join(f"> {line}\n" for line in HEADERS.splitlines()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mail", FORMS.values(), ids=FORMS.keys())
def test_a_bounce_tells_which_mail_of_ours_it_returns_and_whom_it_did_not_reach(mail: str):
    told = of(mail)
    assert (told.outcome, told.message_id, told.code) == ("failed", MESSAGE_ID, "5.1.1")
    assert "gwen@example.org" in told.addresses
    assert told.token is None


PLACES = {
    "the address it was sent to": lambda to: words("mailer-daemon@x.org", "failure notice", "550 unknown").replace(
        "care@", f"{to}@"
    ),
    "what the server adds": lambda to: f"Delivered-To: {to}@ombudsman.example\n" + report("failed", "5.1.1", returned=""),
    "the mail that is returned": lambda to: report(
        "failed", "5.1.1", returned=f"Return-Path: <{to}@ombudsman.example>\n{HEADERS}"
    ),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_the_token_of_the_envelope_is_found_wherever_it_stands(place, spelled):
    assert of(place(f"care+b-{spelled(TOKEN)}")).token == TOKEN


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_what_is_on_its_way_has_not_failed(action: str):
    assert of(report(action, "4.4.1")).outcome == ("delayed" if action == "delayed" else "delivered")


LATE = {
    "exim": ("Mailer-Daemon@x.org", "Warning: message 1abc-0002 delayed 24 hours",
             "A message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours.\nNo action is required on your part."),
    "sendmail": ("MAILER-DAEMON@x.org", "Warning: could not send message for past 4 hours", "THIS IS A WARNING MESSAGE ONLY\nYOU DO NOT NEED TO RESEND YOUR MESSAGE"),
    "postfix": ("MAILER-DAEMON@x.org", "Delayed Mail (still being retried)", "It will be retried until it is 5 days old."),
    "google": ("mailer-daemon@googlemail.com", "Delivery Status Notification (Delay)", "There was a temporary problem delivering your message to gwen@example.org."),
    "microsoft": (EXCHANGE, "Delivery delayed: We have your message", "Delivery is delayed to these recipients: gwen@example.org"),
}  # fmt: skip


@pytest.mark.parametrize(("sender", "subject", "body"), LATE.values(), ids=LATE.keys())
def test_what_is_only_late_says_so_in_words_too(sender: str, subject: str, body: str):
    assert of(words(sender, subject, body)).outcome == "delayed"


def test_what_was_late_and_is_given_up_has_failed():
    gone = "There was a temporary problem. Retry timeout exceeded; giving up. 550 gwen@example.org"
    assert of(words("Mailer-Daemon@x.org", "Mail delivery failed", gone)).outcome == "failed"


def test_what_a_person_writes_returns_nothing():
    assert (
        read(f"From: gwen@example.org\nSubject: Re: We have your message\n\nIt came back.\n\n{HEADERS}".encode()).returned
        is None
    )


def test_of_many_addresses_some_are_kept():
    many = " ".join(f"a{number}@example.org" for number in range(500))
    assert len(of(words("mailer-daemon@x.org", "failure notice", f"550 unknown {many}")).addresses) == MOST_ADDRESSES
