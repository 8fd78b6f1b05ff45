"""Who wrote a mail: the person behind lists, forms and programs, and nobody where that is not told."""

import pytest

from channels.email.senders import Given, takes_no_answers
from channels.email.translate import read

WORDS = "\n\nNobody rang.\n"


@pytest.mark.parametrize(
    "address",
    [
        "noreply@x.example", "no-reply@x.example", "No_Reply@x.example", "do-not-reply@x.example", "donotreply@x.example", "complaints-noreply@x.example",
        "noreply+123@x.example", "no.reply.forms@x.example", "keine-antwort@x.example", "ne-pas-repondre@x.example", "nepasrepondre@x.example",
        "wordpress@x.example", "www-data@x.example", "reply+0f3a77c2d1be45aa@x.example", "bounces-4711abcdef01@x.example",
    ],
)  # fmt: skip
def test_an_address_that_no_person_reads_is_answered_by_nobody(address: str):
    assert takes_no_answers(address)


@pytest.mark.parametrize(
    "address",
    [
        "noel.reply@x.example", "norah@x.example", "donna@x.example", "gwen.pryce@x.example", "info@x.example", "complaints@x.example", "rep.lyon@x.example",
        "r.pritchard@x.example", "replytogwen@x.example", "nobodyhome@x.example", "neil@x.example",
    ],
)  # fmt: skip
def test_a_persons_address_is_not_taken_for_a_programs(address: str):
    assert not takes_no_answers(address)


@pytest.mark.parametrize(
    ("headers", "words", "name", "address", "given"),
    [
        (
            "From: noreply@x.example\nReply-To: Gwen Pryce <gwen@example.org>", "", "Gwen Pryce", "gwen@example.org", Given.REPLY_TO,
        ),
        ("From: noreply@x.example\nReply-To: gwen@example.org, ann@example.org", "", None, None, Given.WORDS),
        ("From: noreply@x.example\nReply-To: donotreply@x.example", "", None, None, Given.WORDS),
        ("From: noreply@x.example\nReply-To: noreply@x.example", "", None, None, Given.WORDS),
        (
            "From: noreply@x.example\nReply-To: gwen@example.org", "Name: Gwen Pryce\nEmail: GWEN@example.org",
            "Gwen Pryce", "gwen@example.org", Given.REPLY_TO,
        ),
        ("From: forms@x.example", "Nobody rang.", None, "forms@x.example", Given.FROM),
        ("From: Gwen <website@x.example>", "Nobody rang.", "Gwen", "website@x.example", Given.FROM),
        ("From: noreply@x.example", "> Name: Ann\n> Email: ann@example.org\nNobody rang.", None, None, Given.WORDS),
        ("From: noreply@x.example", "Email: gwen@example.org\nConfirm email: gwen@example.org", None, "gwen@example.org", Given.WORDS),
        ("From: noreply@x.example", "Email: gwen@example.org\nE-mail: ann@example.org", None, None, Given.WORDS),
        ("From: noreply@x.example", "*Vorname:* Gwen\n*Nachname:* Pryce\n*E-Mail-Adresse:* gwen@example.org", "Gwen Pryce", "gwen@example.org", Given.WORDS),
        ("From: noreply@x.example", "Nom et prénom : Gwen Pryce\nAdresse e-mail : gwen@example.org", "Gwen Pryce", "gwen@example.org", Given.WORDS),
        ("From: noreply@x.example", "Nombre: Gwen Pryce\nCorreo electrónico: gwen@example.org", "Gwen Pryce", "gwen@example.org", Given.WORDS),
        ("From: noreply@x.example", "Imię i nazwisko: Gwen Pryce\nAdres e-mail: gwen@example.org", "Gwen Pryce", "gwen@example.org", Given.WORDS),
        ("From: noreply@x.example", "Name of organisation: Ludford Surgery\nEmail: gwen@example.org", None, "gwen@example.org", Given.WORDS),
        ("From: Gwen <gwen@example.org>\nReply-To: ann@example.org", "Email: ann@example.org", "Gwen", "gwen@example.org", Given.FROM),
        (
            "From: info@x.example\nX-Mailer: PHPMailer 6.9.1\nReply-To: Gwen <gwen@example.org>", "", "Gwen", "gwen@example.org", Given.REPLY_TO,
        ),
        ("From: Ann <info@x.example>\nX-Mailer: PHPMailer 6.9.1", "", "Ann", "info@x.example", Given.FROM),
        (
            "From: care@example.net\nIn-Reply-To: <a@example.org>", "Dear Gwen\n\nName: Gwen\nEmail: gwen@example.org",
            None, "care@example.net", Given.FROM,
        ),
        ("From: Gwen Pryce via Sending <send@x.example>\nReply-To: gwen@example.org", "", "Gwen Pryce", "gwen@example.org", Given.LIST),
        ("From: Gwen Pryce via Sending <send@x.example>", "", "Gwen Pryce via Sending", "send@x.example", Given.FROM),
        ("From: Gwen <gwen@example.org>\nX-Original-From: Ann <ann@example.org>", "", "Gwen", "gwen@example.org", Given.FROM),
        ("From: Gwen <gwen@example.org>\nX-Original-From: Ann <ann@example.org>\nList-Id: <l.x.example>", "", "Gwen", "gwen@example.org", Given.FROM),
        (
            "From: =?utf-8?q?Gwen_Pryce_=C3=BCber_Liste?= <l@x.example>\nList-Post: <mailto:l@x.example>\nReply-To: gwen@example.org",
            "", "Gwen Pryce", "gwen@example.org", Given.LIST,
        ),
    ],
)  # fmt: skip
def test_who_wrote_it_is_told_by_what_can_know(headers: str, words: str, name: str | None, address: str | None, given: Given):
    writer = read(f"{headers}\n\n{words or WORDS}\n".encode(), own=("care@example.net",)).writer
    assert (writer.name, writer.address, writer.given) == (name, address, given)


@pytest.mark.parametrize(
    ("name", "who", "for_whom"),
    [
        ("Ann Vaughan on behalf of Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan (on behalf of Gwen Pryce)", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan ar ran Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan im Auftrag von Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan au nom de Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan en nombre de Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan w imieniu Gwen Pryce", "Ann Vaughan", "Gwen Pryce"),
        ("Ann Vaughan", "Ann Vaughan", None),
        ("On behalf of Ann", "On behalf of Ann", None),
    ],
)
def test_a_name_that_says_for_whom_it_writes_is_two_peoples(name: str, who: str, for_whom: str | None):
    writer = read(f'From: "{name}" <ann@example.org>{WORDS}'.encode()).writer
    assert (writer.name, writer.for_whom, writer.address) == (who, for_whom, "ann@example.org")


def test_outlooks_two_mailboxes_in_one_from_are_a_writer_and_whom_they_write_for():
    writer = read(f"From: Ann Vaughan <ann@example.org> on behalf of Gwen Pryce <gwen@example.org>{WORDS}".encode()).writer
    assert (writer.name, writer.for_whom, writer.address) == ("Ann Vaughan", "Gwen Pryce", "ann@example.org")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Sender: Ann <ann@example.org>", ["delegate"]),
        ("Sender: Gwen <gwen@example.org>", []),
        ("Sender: bounces+gwen=example.org@x.example", []),
        ("Sender: owner-list@x.example", []),
        ("Reply-To: Gwen <gwen+home@example.org>", []),
        ("Reply-To: ann@example.org", ["reply-to"]),
        ("Reply-To: ann@example.org\nList-Id: <l.x.example>", []),
        ("Resent-From: ann@example.org", ["resent"]),
        ("Resent-From: care@example.net", []),
    ],
)
def test_who_else_the_headers_name_is_told_to_a_reader_and_changes_nothing(header: str, told: list[str]):
    got = read(f"From: Gwen <gwen@example.org>\n{header}{WORDS}".encode(), own=("care@example.net",))
    assert (got.writer.name, got.writer.address) == ("Gwen", "gwen@example.org")
    assert [each.partition(":")[0] for each in got.warnings] == told


TOKEN = "mZDmljF_WBaVN4k31-pafwBpxN7gUuQ4C3mYgkP4nUwE2RtLdA"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        (f"To: care+{TOKEN}@example.net", TOKEN),
        (f"To: Ann <ann@example.org>, Care <care+{TOKEN}@example.net>", TOKEN),
        (f"Cc: care+{TOKEN}@example.net", TOKEN),
        (f"Delivered-To: care+{TOKEN}@example.net\nTo: care@example.net", TOKEN),
        (f"X-Original-To: care+{TOKEN}@example.net", TOKEN),
        (f"Delivered-To: care+{TOKEN.lower()}@example.net\nTo: care+{TOKEN}@example.net", TOKEN),
        (f"Subject: Re: We have your message\n [{TOKEN}]", TOKEN),
        (f"Subject: Re: hello [{TOKEN[:-1]}] [{TOKEN}]", TOKEN),
        (f"To: care+{TOKEN}x@example.net", None),
        (f"To: care+{TOKEN.lower()}@example.net", None),
        (f"Reply-To: care+{TOKEN}@example.net", None),
        (f"From: care+{TOKEN}@example.net", None),
        (f"Subject: {TOKEN}", None),
        ("To: care@example.net", None),
    ],
)
def test_a_token_is_taken_from_where_the_mail_was_sent_to_or_from_its_subject(headers: str, token: str | None):
    assert read(f"From: gwen@example.org\n{headers}{WORDS}".encode()).thread.reply_token == token
