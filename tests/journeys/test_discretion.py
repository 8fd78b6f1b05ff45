"""Somebody goes through every door, as they should and in every way that makes something fail, and nothing that the service tells of its
work has anything of them: no diagnostic line, metric, notice, span, or URL, key or header of ours.

What they send is marked: every word of it begins alike, and their numbers are nobody else's. That the marks are found wherever they
are kept shows that each came in, and that looking for them finds them.
"""

import asyncio
import base64
import binascii
import http.server
import json
import re
import sqlite3
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import uuid4

import httpx
import pytest

from ingest.clock import now
from ingest.contract import DEAD_LETTERS, TOPICS, Event, Record, encode, encode_structured
from ingest.ids import digest
from ingest.log.sqlite import SqliteLog
from tests.channels.web_form.conftest import Person
from tests.journeys.forked import ran
from tests.journeys.house import Installation
from tests.servers.dovecot import Dovecot
from tests.servers.loopback import free_ports
from tests.servers.portal import Portal, post, running_portal
from tests.servers.providers import Twilio, serving
from tests.servers.smtp import SmtpServer

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

MARK: Final = "zqxjvk"
"""What every word of theirs begins with."""
POSTCODE, BORN, STREET = "DE80 4QX", "1937-11-23", f"7 {MARK.capitalize()} Street"
NUMBERS: Final = (
    re.compile(r"7\W{0,3}7\W{0,3}0\W{0,3}0\W{0,3}9\W{0,3}0\W{0,3}0\W{0,3}9\W{0,3}4"),  # telephones that end in 900 94x
    re.compile(r"DE80\W{0,3}4QX", re.IGNORECASE),
    re.compile(r"1937\W{0,3}11\W{0,3}23|23\W{0,3}(?:11|november)\W{0,3}1937", re.IGNORECASE),
)
_MARKED: Final = re.compile(rf"{MARK}\w*", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_URL: Final = re.compile(r"""https?://[^\s<>"']+""")
_LINKS: Final = re.compile(r"""(?:href|src|action|content)=["']([^"']*)""")

CRM, KEY = "urn:example:crm", "0d7fa1b2c3e4958677a8b9c0d1e2f3a4"
DOORS: Final = ("mail", "form", "http", "topic", "sms", "social", "telephone", "letter")
COMPLAINT = "You took nine months over my case and nobody rang me. I would like an apology. I live in"
ENQUIRY = (
    "I want to make a new complaint about Wexcombe General Hospital. They cancelled my operation three times and lost my notes, "
    "and their complaints team has sent its final response. Please look into this for me. I live in"
)
SETTINGS = """
[channels.web_form.care]
contact = "care@ombudsman.example"
quickest = "1ms"

[channels.sms.care]
provider = "twilio"
number = "{number}"
account_sid = "{account}"
token_file = "sms-token"
api = "{api}"
reconcile_every = "1s"
price_per_part = "0.0395"

[channels.social.portal]
secret_file = "social-secret"
replies = "{replies}"

[publishers."{crm}"]
keys = ["{key}"]
may_allocate = true
may_take = ["intake"]

[telemetry]
spans = "contacts"
collector = "http://127.0.0.1:{collector}"
"""


def marks_in(text: str) -> set[str]:
    """What is theirs in a text, also where it is written as URLs, HTML, JSON or base64 write it."""
    found = set[str]()
    for each in {text, unquote_plus(text), unescape(text), *_decoded(text)}:
        found |= {mark.lower() for mark in _MARKED.findall(each)}
        found |= {told.group() for number in NUMBERS for told in number.finditer(each)}
    return found


def _decoded(text: str) -> Iterator[str]:
    for each in _BASE64.findall(text):
        try:
            yield base64.b64decode(each + "=" * (-len(each) % 4), altchars=b"-_" if set(each) & {"-", "_"} else b"+/").decode()
        except (binascii.Error, ValueError):
            continue


@pytest.mark.parametrize(
    "told",
    [
        f'{{"event": "failed", "sender": "{MARK.upper()}a@example.org"}}',
        f"/feedback/name?name=%7Aqxjvk{'wick'}",
        base64.b64encode(f"From: {MARK}wick".encode()).decode(),
        "[parameters: ('07700 900941',)]",
        "https://api.example/Messages.json?To=%2B447700900942",
        f"contact_errors_total{{reason='{MARK}'}} 1.0",
        "born 23 November 1937",
        "de804qx",
    ],
)
def test_what_is_planted_is_found(told: str) -> None:
    assert marks_in(told)


@dataclass
class Told:
    """What the service told, by where: each text apart."""

    texts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def of(self, where: str, *texts: str) -> None:
        """Something was told there."""
        self.texts.setdefault(where, []).extend(texts)

    def leaks(self) -> dict[str, set[str]]:
        """What is theirs, and where; and the line that it stands in."""
        return {
            f"{where}: {line[:300]}": marks
            for where, texts in self.texts.items()
            for text in texts
            for line in text.splitlines()
            if (marks := marks_in(line))
        }


@contextmanager
def collecting() -> Generator[tuple[int, list[bytes]]]:
    """A collector of spans: where it listens, and what it was told."""
    told: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library calls it
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port, told
    server.shutdown()
    server.server_close()


@dataclass
class House:
    """An installation with every door, and those whom it talks to."""

    it: Installation
    dovecot: Dovecot
    smtp: SmtpServer
    twilio: Twilio
    portal: Portal
    spans: list[bytes]
    url: str
    told: Told = field(default_factory=Told)

    @property
    def ours(self) -> str:
        """Our number."""
        return next(iter(self.twilio.ours))

    def deliver(self, raw: bytes) -> None:
        """A mail comes."""
        self.dovecot.deliver(self.it.user, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> httpx.Response:
        """A request to the public port, from somebody whose browser says where they come from."""
        given = {"Referer": f"https://{MARK}referer.example/{MARK}?{MARK}", "User-Agent": f"{MARK}agent/1.0", **headers}
        async with httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False) as client:
            answer = await client.request(method, path, content=body, headers=given)
        self.told.of("Location", answer.headers.get("location", ""))
        return answer

    async def publish(self, told: Any, key: str, **headers: str) -> httpx.Response:
        """POST /contacts."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        given = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}", "Idempotency-Key": key, **headers}
        return await self.ask("POST", "/contacts", body, **given)

    async def seen(self, query: str, wanted: int, within: float = 60) -> None:
        """Wait until the register's database gives a number."""
        await asyncio.to_thread(self.it.wait_for, query, wanted, within)


@pytest.fixture
async def house(dovecot: Dovecot, smtp: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[House]:
    private, public = free_ports(2)
    folder, user = tmp_path / "house", f"discretion{private}"
    folder.mkdir()
    dovecot.mailbox(user)
    monkeypatch.setenv("INGEST_WEB__PUBLIC_URL", f"http://127.0.0.1:{public}")
    with running_portal() as portal, collecting() as (collector, spans):
        async with serving(Twilio()) as twilio:
            (folder / "sms-token").write_text(twilio.token)
            (folder / "social-secret").write_text(portal.secret)
            more = SETTINGS.format(
                number=next(iter(twilio.ours)), account=twilio.account_sid, api=twilio.url, replies=portal.replies, crm=CRM,
                key=digest(KEY.encode()), collector=collector,
            )  # fmt: skip
            it = Installation.make(folder, dovecot, user, smtp.port, private, more)
            it.processes["service"].public = public
            made = await asyncio.to_thread(it.command, "database", "upgrade")
            assert made.returncode == 0, made.stderr
            with closing(sqlite3.connect(folder / "register.db")) as register:
                refuse = "BEFORE INSERT ON contacts WHEN NEW.body LIKE '%refuse-this-one%' BEGIN SELECT RAISE(ABORT, 'no'); END"
                register.execute(f"CREATE TRIGGER refuses {refuse}")
                register.commit()
            yield House(it, dovecot, smtp, twilio, portal, spans, f"http://127.0.0.1:{public}")
            it.stop()


async def test_nothing_of_anybody_is_in_anything_that_the_service_tells_of_its_work(house: House) -> None:
    it = house.it
    it.start()
    await asyncio.to_thread(it.ready)
    house.smtp.to_recipient = [f"550 5.1.1 <{MARK}gone@example.org>: no such mailbox"] * 2
    house.smtp.to_message = [f"554 5.7.1 {MARK}wick, your words are not wanted here"]
    house.twilio.to_send.append(500)  # and is then asked whether it has it all the same
    for door in (by_mail, by_form, by_http, by_text, by_portal, by_the_topic):
        await door(house)
    await house.seen("SELECT count(*) FROM outbox", 0)
    await house.seen("SELECT count(*) FROM sends WHERE state IN ('waiting', 'sending')", 0)
    with closing(sqlite3.connect(it.folder / "register.db")) as register:
        bodies = " ".join(each for (each,) in register.execute("SELECT body FROM contacts"))
        dead = {reason for (reason,) in register.execute("SELECT reason FROM dead_letters")}
    assert {each for each in DOORS if f"{MARK}{each}" not in bodies.lower()} == set(), "somebody did not come in by these"
    assert Told({"bodies": [bodies]}).leaks(), "what is theirs is not found where it is"
    assert {"register-refuses-it", "breaks-the-contract", "not-json", "unknown-publisher", "not-ours"} <= dead
    await by_desk(house)
    house.told.of("metrics", await asyncio.to_thread(it.processes["service"].page, "metrics"))
    assert await asyncio.to_thread(it.terminate) == 0, it.telemetry()

    await told_by_the_log(house)
    lines = it.processes["service"].telemetry()
    house.told.of("lines", lines)
    assert all(json.loads(each)["event"] for each in lines.splitlines()), "a line is none of ours"
    house.told.of("spans", *(each.decode("latin-1") for each in house.spans))
    assert b"accept" in b"".join(house.spans), "no span was told"
    notices = [each.message for each in house.smtp.taken if each.recipient.endswith("@ombudsman.example")]
    # A handoff is what they wrote itself, for the team that takes over.
    notices = [each for each in notices if not re.match(r"(URGENT )?Handoff ", each["subject"])]
    assert len(notices) > 5
    house.told.of("notices", *(f"{each['subject']}\n{each.get_content()}" for each in notices))
    house.told.of("links in mails", *(url for each in house.smtp.taken for url in _URL.findall(each.message.get_content())))
    house.told.of("requests to providers", *house.twilio.asked)
    assert sum("Messages.json?" in each and "From=" in each for each in house.twilio.asked), "nobody asked Twilio what it has"
    house.told.of("names of originals", *(str(each.relative_to(it.folder)) for each in (it.folder / "originals").rglob("*")))
    assert {"lines", "metrics", "notices", "spans", "Location", "pages", "commands", "headers"} <= house.told.texts.keys()
    assert house.told.leaks() == {}


def somebody(door: str) -> str:
    """Who writes, in their own words."""
    return (
        f"{STREET}, {MARK.capitalize()}town, {POSTCODE}. I was born on 23 November 1937, my number is 07700 900941 and my address is "
        f"{MARK}{door}@{MARK}domain.example. Yours, {MARK.capitalize()}ann {MARK.capitalize()}{door}"
    )


async def by_mail(house: House) -> None:
    """Letters as they should be, and as they should not."""

    def mail(words: str, **headers: str) -> EmailMessage:
        made = EmailMessage(policy=SMTP)
        made["From"] = f'"{MARK.capitalize()}ann {MARK.capitalize()}mail" <{MARK}mail@{MARK}domain.example>'
        made["To"] = "customer.care@ombudsman.example"
        made["Subject"] = f"My case {MARK}subject"
        made["Message-ID"] = f"<{MARK}{uuid4().hex}@{MARK}domain.example>"
        made["Reply-To"] = f"{MARK}replies@{MARK}domain.example"
        for name, value in headers.items():
            del made[name.replace("_", "-")]
            made[name.replace("_", "-")] = value
        made.set_content(words)
        return made

    whole = mail(f"{COMPLAINT} {somebody('mail')}")
    whole.add_attachment(b"%PDF-1.4 nothing", maintype="application", subtype="pdf", filename=f"{MARK}file.pdf")
    house.deliver(whole.as_bytes())
    house.deliver(mail(f"{ENQUIRY} {somebody('mail')}").as_bytes())
    house.deliver(mail(f"I am going to kill myself. {MARK}", From=f"{MARK}urgent@{MARK}domain.example").as_bytes())
    house.deliver(mail(f"refuse-this-one {somebody('mail')}").as_bytes())
    house.deliver(mail(f"I am away. {somebody('mail')}", Auto_Submitted="auto-replied").as_bytes())
    house.deliver(mail(f"{COMPLAINT} {somebody('mail')}", Date=f"{MARK}day, 99 Nov 99999 99:99:99").as_bytes())
    raw = f"From: <{MARK}unclosed@\nSubject: =?{MARK}-8?B?{MARK}?=\nContent-Type: text/plain; charset={MARK}\n\n{MARK}\xff\n"
    house.deliver(raw.encode("latin-1"))
    parts = "".join(f"Content-Type: multipart/mixed; boundary={MARK}{n}\n\n--{MARK}{n}\n" for n in range(400))
    house.deliver(f"From: {MARK}deep@example.org\nMIME-Version: 1.0\n{parts}\n".encode())
    bounce = (
        f"From: MAILER-DAEMON@{MARK}domain.example\nSubject: Undelivered {MARK}\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nIt did not arrive.\n'
        f"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; {MARK}gone@example.org\nAction: failed\n"
        f"Status: 5.1.1\nDiagnostic-Code: smtp; 550 {MARK} is gone\n\n--b--\n"
    )
    house.deliver(bounce.encode())
    await house.seen("SELECT count(*) FROM receipts WHERE channel = 'email'", 9)


async def by_form(house: House) -> None:
    """Somebody fills in every page, makes mistakes on the way, and sends it."""
    pages: list[httpx.Response] = []

    async def note(answer: httpx.Response) -> None:
        await answer.aread()
        pages.append(answer)

    person = Person(
        house.url,
        headers={"Referer": f"https://{MARK}.example/", "User-Agent": f"{MARK}agent"},
        event_hooks={"response": [note]},
    )
    words = {
        "what-happened": {"what_happened": f"{COMPLAINT} {somebody('form')}"},
        "name": {"name": f"{MARK.capitalize()}ann {MARK.capitalize()}form"},
        "date-of-birth": {"date_of_birth-day": "23", "date_of_birth-month": "11", "date_of_birth-year": "1937"},
        "address": {"address_1": STREET, "address_2": "", "town": f"{MARK.capitalize()}town", "postcode": POSTCODE},
        "email": {"email": f"{MARK}form@{MARK}domain.example"},
        "telephone": {"telephone": "07700 900941"},
        # Or none of their texts would be answered.
        "safe": {"unsafe_ways": [], "unsafe_words": ""},
        "adjustments": {"adjustments": ["extra_time"], "adjustments_other": f"{MARK} please."},
        "other-person": {"other_name": f"{MARK.capitalize()}other"},
    }
    await person.fill_in(words)
    for wrong in (f"{MARK} is no address", f"{MARK}@", f"{MARK}\r\nBcc: {MARK}@example.org"):
        await person.see("feedback/email")
        await person.post("feedback/email", {"email": wrong})
        assert person.where == "feedback/email"
    await person.see("feedback/files")
    for name, content in (
        (f"{MARK}file.pdf", b"%PDF-1.4 nothing\n%%EOF"),
        (f"{MARK}file.exe", b"MZ"),
        (f"{MARK}empty.pdf", b""),
    ):
        await person.post("feedback/files", {"go": "add"}, files={"files": (name, content, "application/pdf")})
    await person.see("check")
    await person.send()
    assert person.reference()
    for where in (
        f"feedback/{MARK}",
        f"feedback/name?name={MARK}",
        f"?reply={MARK}",
        f"{MARK}/{POSTCODE}?email={MARK}@example.org",
    ):
        await person.see(where)
        await person.post(where, {"token": MARK, "name": MARK})
    await house.ask(
        "POST",
        "/feedback/name",
        f"name={MARK}".encode(),
        Cookie=f"form={MARK}",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )
    await house.ask("POST", "/check", f"--{MARK}\r\n".encode(), **{"Content-Type": f"multipart/form-data; boundary={MARK}"})
    await house.ask("DELETE", f"/{MARK}")
    asked = {each for each in pages if MARK in str(each.request.url)}  # where they typed it in themselves
    house.told.of("pages", *(str(each.url) for each in pages if each not in asked))
    house.told.of("Location", *(each.headers.get("location", "") for each in pages))
    house.told.of("pages", *(link for each in pages for link in _LINKS.findall(each.text)))
    await person.client.aclose()


async def by_http(house: House) -> None:
    """Another system hands over a letter and a call, and does it wrong in every way there is."""

    def told(channel: str, **more: Any) -> dict[str, Any]:
        return {
            "channel": channel, "account": "0300 123 4567", "text": f"{COMPLAINT} {somebody(channel)}",
            "sender": {
                "name": f"{MARK.capitalize()}ann {MARK.capitalize()}{channel}",
                "identifiers": [{"kind": "phone", "given": "07700 900941", "canonical": "+447700900941"}],
            },
            **more,
        }  # fmt: skip

    assert (await house.publish(told("telephone"), f"{MARK}call")).status_code == 202
    assert (await house.publish(told("telephone", text=f"{MARK} other words"), f"{MARK}call")).status_code == 409
    assert (await house.publish(told("letter"), f"{MARK}letter")).status_code == 202
    assert (
        await house.publish({**told("telephone"), "text": f"{ENQUIRY} {somebody('http')}"}, f"{MARK}http")
    ).status_code == 202
    wrong: list[Any] = [
        f"{MARK}".encode(),
        {MARK: MARK},
        told(MARK),
        told("telephone", received_at=f"{MARK}day"),
        told("telephone", sender={"name": [MARK], "identifiers": [{"kind": MARK, "given": {}, "canonical": "+447700900941"}]}),
        told("telephone", declared={"date_of_birth": 19371123, "email": [MARK], MARK: MARK, "preferred_method": MARK}),
        told("telephone", original=MARK),
        told("telephone", attachments=[{"digest": "0" * 64, "name": f"{MARK}.pdf"}]),
        told("telephone", source=f"urn:{MARK}"),
        told("telephone", acknowledged=True),
        f'{{"{MARK}": 1, "{MARK}": 2}}'.encode(),
        f'"{MARK}\udcff"'.encode("utf-8", "surrogatepass"),
    ]  # fmt: skip
    for number, each in enumerate(wrong):
        assert (await house.publish(each, f"{MARK}{number}")).status_code in (400, 403, 404, 422), each
    for headers in ({"Authorization": f"Bearer {MARK}{'x' * 40}"}, {"Idempotency-Key": f"{MARK} ann"}, {"Content-Type": MARK},
                    {"Content-Encoding": MARK}, {"traceparent": MARK, "tracestate": f"{MARK}=07700900941"}, {"Cookie": MARK}):  # fmt: skip
        await house.publish(told("telephone"), f"{MARK}headers", **headers)
    kept = await house.ask(
        "POST", f"/attachments?name={MARK}file.pdf", b"%PDF-1.4 nothing\n%%EOF", Authorization=f"Bearer {KEY}",
        **{"Idempotency-Key": f"{MARK}file", "Content-Type": "application/pdf"},
    )  # fmt: skip
    assert kept.status_code == 201, kept.text
    assert (
        await house.publish(told("telephone", attachments=[{"digest": kept.json()["digest"]}]), f"{MARK}file")
    ).status_code == 202
    await house.ask("POST", f"/contacts/{MARK}?{MARK}={MARK}", b"{}")
    await house.ask("GET", f"/contacts?email={MARK}@example.org")


async def by_text(house: House) -> None:
    """Texts from their provider, from somebody who only says so, and with a picture that is not to be had."""
    where = f"{house.url}/sms/care"
    for number, words in (("+447700900941", f"{COMPLAINT} {somebody('sms')}"), ("+447700900943", f"{COMPLAINT} {somebody('sms')}"),
                          (MARK, f"{COMPLAINT} {somebody('sms')}")):  # fmt: skip
        answer = await house.twilio.forward(house.twilio.write(number, words), where)
        assert answer.is_success, answer.text
    picture = house.twilio.write("+447700900944", f"See {somebody('sms')}", [("image/png", b"\x89PNG")])
    elsewhere = {"MediaUrl0": f"https://127.0.0.1/{MARK}.png"}
    assert (await house.twilio.forward(picture, where, **elsewhere)).is_success
    house.twilio.write("+447700900945", f"{COMPLAINT} {somebody('sms')} refuse-this-one")  # which no webhook brings
    form = f"From=%2B447700900941&Body={MARK}&To={house.ours}".encode()
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    forged = await house.ask("POST", f"/sms/care?{MARK}={MARK}", form, **urlencoded, **{"X-Twilio-Signature": MARK})
    assert forged.status_code == 401
    for path, told in (("", {MARK: MARK}), ("/receipts", {"MessageSid": MARK, "MessageStatus": MARK, "To": "+447700900941"})):
        body, headers = house.twilio.signed(where + path, told)
        await house.ask("POST", f"/sms/care{path}", body, **headers)
    of = f"{where}/receipts?of={uuid4()}"
    body, headers = house.twilio.signed(of, {"MessageStatus": "failed", "ErrorMessage": MARK, "To": "+447700900941"})
    assert (await house.ask("POST", of.removeprefix(house.url), body, **headers)).status_code == 404


async def by_portal(house: House) -> None:
    """Posts, one of them allocated, one unreadable, and what only says that it is from the portal."""
    where = f"{house.url}/social/portal"

    def post_(id_: str, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{MARK}{id_}", "network": "x", "thread_id": f"{MARK}{id_}", "text": f"{COMPLAINT} {somebody('social')}",
            "sender": {"handle": f"@{MARK}ann", "name": f"{MARK.capitalize()}ann"}, "sent_at": "2026-03-02T09:12:00Z",
            "permalink": f"https://x.example/{MARK}", "private_way": True, **more,
        }  # fmt: skip

    async def tell(kind: str, data: Any) -> int:
        return await asyncio.to_thread(house.portal.tell, where, kind, data)

    assert await tell("post.created", post_("1")) == 200
    assert await tell("post.allocated", {"id": f"{MARK}1", "to": "customer-care", "by": MARK}) == 200
    assert (
        await tell("post.created", [post_("2"), {"network": MARK, "text": [MARK]}, MARK, post_("3", sent_at=MARK, sender=MARK)])
        == 200
    )
    assert await tell("post.allocated", {"id": f"{MARK}2", "to": MARK}) in (200, 422)
    assert await tell("post.deleted", {"id": f"{MARK}3"}) == 200
    assert await tell(f"post.{MARK}", post_("4")) == 422
    assert await tell("reply.failed", {"id": MARK, "reason": f"{MARK} is gone"}) in (200, 422)
    body = json.dumps({"type": "post.created", "data": post_("5")}).encode()
    status, _, _ = await asyncio.to_thread(
        post, where, body, {**house.portal.sign(body, MARK), "webhook-signature": f"v1,{MARK}"}
    )
    assert status == 401
    unreadable = f"{MARK} no JSON".encode()
    status, _, _ = await asyncio.to_thread(post, where, unreadable, house.portal.sign(unreadable, f"msg_{MARK}"))
    assert status == 200
    await house.ask("GET", f"/social/portal?hub.mode=subscribe&hub.verify_token={MARK}&hub.challenge={MARK}")


async def by_the_topic(house: House) -> None:
    """What another system publishes, and garbage, onto every topic that is read."""
    log = await _log(house)
    words = f"{ENQUIRY} {somebody('topic')}"
    contact: dict[str, Any] = {
        "id": str(uuid4()), "source": CRM, "channel": "email", "account": "care", "received_at": now().isoformat(),
        "sender": {"name": f"{MARK.capitalize()}ann", "identifiers": [{"kind": "email", "given": f"{MARK}@example.org", "canonical": f"{MARK}@example.org"}]},
        "subject": f"{MARK}subject", "text": words, "full_text": words, "original": "0" * 64,
    }  # fmt: skip

    def event(data: Any = None, source: str = CRM, kind: str = "contact-ingest.contact.v1", id_: str = "") -> Event:
        body = data if isinstance(data, bytes) else json.dumps(contact if data is None else data).encode()
        return Event(
            id_ or uuid4().hex, source, kind, body, subject=f"{MARK}subject", extensions={"traceparent": MARK, MARK: MARK}
        )

    good, same = event(), uuid4().hex
    garbage = [
        Record(MARK, f"{MARK} no JSON".encode(), (("content-type", b"application/cloudevents+json"), (MARK, MARK.encode()))),
        Record(None, MARK.encode(), ((MARK, MARK.encode()), ("ce_source", MARK.encode()), ("ce_id", MARK.encode()))),
        Record(MARK, None),
        Record(None, MARK.encode(), (("content-type", f"application/cloudevents+{MARK}".encode()),)),
        encode(event(f"{MARK} no JSON".encode()), None),
        encode(event({**contact, "received_at": f"{MARK}day", "sender": {"name": [MARK]}, MARK: MARK}), None),
        encode(event({**contact, "channel": MARK}), None),
        encode(event({**contact, "id": MARK}), None),
        encode(event({**contact, "source": f"urn:{MARK}"}), None),
        encode(event(source=f"urn:{MARK}"), None),
        encode(event(source=f"urn:contact-ingest:{MARK}:{MARK}"), None),
        encode(event(kind=f"{MARK}.v1"), None),
        encode(event(kind="contact-ingest.contact.v7", id_=f"{MARK}later"), f"{MARK}later"),
        encode_structured(event({**contact, "text": {MARK: MARK}}), None),
        encode(event({**contact, "text": f"refuse-this-one {words}", "full_text": words}), None),
        encode(event(id_=same), None),
        encode(event({**contact, "text": f"{MARK} other words"}, id_=same), None),
    ]  # fmt: skip
    try:
        await log.append("contacts", [encode(good, None)])
        for each in garbage:  # each after something that can be read: so many in a row would stop the router
            await log.append("contacts", [each, encode(event({**contact, "text": "Nobody rang."}), None)])
        for topic, kind in (("allocations", "allocation"), ("handoffs.receipts", "handoff-receipt"), ("outgoing.status", "outgoing-status"),
                            ("outgoing", "outgoing")):  # fmt: skip
            type_ = f"contact-ingest.{kind}.v1"
            told = {"id": MARK, "contact_id": MARK, "outcome": MARK, "by": MARK, "at": MARK, "handoff_id": MARK, "state": MARK,
                    "because": MARK, "outgoing_id": MARK, "reason": MARK}  # fmt: skip
            await log.append(
                topic, [Record(MARK, MARK.encode(), ((MARK, MARK.encode()),)), encode(event(told, kind=type_), None)]
            )
            await log.append(topic, [encode(event(told, source=f"urn:{MARK}", kind=type_), MARK)])
    finally:
        await log.close()
    await house.seen("SELECT count(*) FROM dead_letters WHERE topic = 'contacts'", 16)
    await house.seen("SELECT count(*) FROM handoffs", 3)
    handoffs = [str(each) for (each,) in house.it.rows("SELECT id FROM handoffs")]
    log = await _log(house)
    try:
        for handoff in handoffs:
            told = {
                "handoff_id": handoff,
                "state": "returned",
                "by": "Intake",  # a team's own words are for whoever decides anew
                "at": now().isoformat(),
                "because": "not ours",
            }
            await log.append("handoffs.receipts", [encode(event(told, kind="contact-ingest.handoff-receipt.v1"), handoff)])
    finally:
        await log.close()
    await house.seen("SELECT count(*) FROM handoffs WHERE state = 'returned'", 3)


async def by_desk(house: House) -> None:
    """What people do on the machine: what a command complains of is as little theirs as a line is."""
    it, folder = house.it, house.it.folder
    (folder / "bad.jsonl").write_text(f'{{"channel": "{MARK}", "text": ["{somebody("letter")}"]}}\n{MARK}\n')
    (folder / "bad.csv").write_text(
        "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone\n"
        f"R1,{MARK}ann,{MARK}wick,23 November 1937,{STREET},,{MARK}town,{POSTCODE},{MARK}@@,07700 900941\n"
    )
    (folder / "bad.eml").write_bytes(f"From: {MARK}@example.org\nSubject: {MARK}\n\n{somebody('mail')}".encode())
    tasks = [str(each) for (each,) in it.rows("SELECT id FROM tasks WHERE kind = 'review' AND state = 'open'")]
    handoff = str(it.rows("SELECT id FROM handoffs")[0][0])
    dead = str(it.rows("SELECT id FROM dead_letters")[0][0])
    post_ = str(it.rows("SELECT contact_id FROM posts")[0][0])
    by = ("--by", "r.patel")
    side_by_side: tuple[tuple[tuple[str, ...], ...], ...] = (
        (("review", "claim", tasks[0], *by), ("review", "claim", tasks[0], *by), ("review", "decide", tasks[0], "--as", "feedback", *by),
         ("review", "done", tasks[1], *by)),
        (("handoffs", "take", handoff, *by), ("outgoing", "hold", *by), ("outgoing", "release", *by),
         ("social", "allocate", post_, "--to", "nobody", *by, "--because", "spam")),
        (("dead-letters", "replay", dead, *by), ("dead-letters", "discard", dead, *by),
         ("register", "import", "--individuals", str(folder / "bad.csv")), ("check",)),
        (("publish", str(folder / "bad.jsonl"), "--source", CRM), ("validate", str(folder / "bad.jsonl")),
         ("parse", str(folder / "bad.eml")), ("read", "--jsonl", str(folder / "bad.jsonl"))),
    )  # fmt: skip

    async def one_by_one(commands: tuple[tuple[str, ...], ...]) -> None:
        for words in commands:
            said = await asyncio.to_thread(_complained, it, words)
            house.told.of("commands", *(f"{' '.join(words[:2])}: {line}" for line in said.splitlines()))

    await asyncio.gather(*map(one_by_one, side_by_side))


def _complained(it: Installation, words: tuple[str, ...]) -> str:
    """What a command says on standard error. Some take no settings."""
    at = () if words[0] in ("validate", "parse", "read") else ("--config", str(it.folder / "ingest.toml"))
    return ran([*words, *at], within=60).stderr


async def told_by_the_log(house: House) -> None:
    """Keys and headers of what we write; the bodies of tasks, which carry no words. A dead letter has the headers that it came with."""
    log = await _log(house)
    try:
        for topic in (*(each.name for each in TOPICS), DEAD_LETTERS):
            for delivery in await log.read(topic, after={}, most=10_000):
                record = delivery.record
                source = record.header("ce_source") or ""
                ours = source.startswith("urn:contact-ingest:") and MARK not in source
                own = [(name, raw) for name, raw in record.headers if ours or name.startswith("dead_letter_")]
                house.told.of("headers", *(f"{topic} {name}: {raw.decode('latin-1')}" for name, raw in own))
                if ours and topic != DEAD_LETTERS:
                    house.told.of("headers", f"{topic} key: {record.key}")
                if topic == "tasks":
                    house.told.of("tasks", (record.value or b"").decode())
    finally:
        await log.close()


async def _log(house: House) -> SqliteLog:
    return await SqliteLog.open(
        house.it.folder / "log.db", exclusive=False, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000
    )
