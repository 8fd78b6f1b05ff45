"""``ingest demo``: letters arrive in a real mailbox, texts and posts at the public port, and a minute later all stand in the register.

The service is the one that ``run`` runs. Around it stand two servers from PyPI, in place of an organisation's own, pymap as the IMAP
server and aiosmtpd as the one that takes what we send, and two of the demo's own: a provider of text messages and a communication portal.
"""

import asyncio
import csv
import imaplib
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select

from ingest import state, web
from ingest.clock import now
from ingest.commands.portal import REPLIES, Portal
from ingest.commands.provider import Provider
from ingest.commands.run import Service, reading, run_roles, service
from ingest.commands.terminal import fail, plain, run_async
from ingest.commands.visitor import fill_in
from ingest.contract import FeedbackRecord, OutgoingState
from ingest.segments import length
from ingest.settings import load
from ingest.telemetry import write_lines
from router import duties, ledger
from router.readers import Readers
from router.register import intake, tables

SAMPLES = Path(__file__).parent / "samples"
ROLES = ("email", "web", "router", "dispatcher")
_GIVE_UP_SECONDS = 55.0
_USER, _PASSWORD = "care", "care-demo"
_PRICE = Decimal("0.0395")

SETTINGS = """\
# The demo's settings. Every one of them: ingest check --write-example
key_file = "key"

[web]
public = "127.0.0.1:{public}"
public_url = "http://127.0.0.1:{public}"
private = "127.0.0.1:{private}"

[teams]
intake = "intake@ombudsman.example"
investigators = "investigators@ombudsman.example"
customer_care = "customer.care@ombudsman.example"
duty = "duty@ombudsman.example"
duty_second = "duty.second@ombudsman.example"
staff_safety = "staff.safety@ombudsman.example"

[acknowledgement]
organisation = "Customer Care, the Ombudsman (a demonstration)"
organisation_cy = "Gofal Cwsmeriaid, yr Ombwdsmon (arddangosiad)"
telephone = "01632 960000"
text_number = "{number}"
answers = "answers"

[channels.email.care]
host = "127.0.0.1"
port = {imap}
tls = false                          # only a server on this machine may be spoken to in the clear
user = "{user}"
password_file = "password"
poll_every = "2s"
authserv_id = "mx.ombudsman.example"
smtp = "127.0.0.1:{smtp}"
smtp_security = "none"
smtp_login = false
sender = "customer.care@ombudsman.example"

[channels.web_form.care]
contact = "customer.care@ombudsman.example"
quickest = "1ms"                     # the demo's own form is filled in by a program

[channels.sms.care]
provider = "twilio"
number = "{number}"
account_sid = "{account}"
token_file = "sms-token"
api = "{networks}"                   # a provider of the demo's own, on this machine
price_per_part = "{price}"

[channels.social.care]
secret_file = "social-secret"
replies = "{networks}{replies}"      # a portal of the demo's own
own_handles = ["chirper:OmbudsmanCare"]
"""

FORM: Mapping[str, str | tuple[str, ...]] = {
    "purpose": "feedback",
    "about": "mixed",
    "what_happened": "You took nine months over my complaint, and nobody told me why. Then you decided against me.",
    "inaccurate_facts": "Your decision says that I was discharged on 3 May. It was 13 May.",
    "overlooked_information": "You do not mention the letter from my consultant, which I sent with my complaint.",
    "remedy": "I want an apology for the delay, and the decision looked at again.",
    "for_whom": "myself",
    "name": "Jordan Pascoe",
    "date_of_birth-day": "20",
    "date_of_birth-month": "2",
    "date_of_birth-year": "1998",
    "address_1": "Flat 2b",
    "address_2": "Lugger House",
    "town": "Tidewell",
    "postcode": "TR30 2EQ",
    "email": "jpascoe@example.com",
    "telephone": "07700 900860",
    "unsafe_ways": ("telephone",),
    "unsafe_words": "I share my telephone with my flatmates.",
    "reply": "email",
    "contacted_before": "yes",
    "case_reference": "P-0409937",
    "adjustments": ("large_print", "extra_time"),
}
"""What somebody tells us on the online form, by the names of its fields."""

# What a mail server adds to mail that no person wrote.
_ROBOT_HEADERS = {
    "d018": {
        "List-Id": "<bulletin.sallow.example.net>",
        "Precedence": "bulk",
        "List-Unsubscribe": "<https://sallow.example.net/u>",
    },
    "d021": {"Auto-Submitted": "auto-replied"},
    "d024": {
        "List-Id": "<offers.inkwell.example.net>",
        "Precedence": "bulk",
        "List-Unsubscribe": "<https://inkwell.example.net/u>",
    },
    "d075": {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
    "d096": {"Auto-Submitted": "auto-replied", "X-Failed-Recipients": "someone@example.net"},
}


class Sink:
    """The mail server at the other end: it takes everything, and keeps it for the tables."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a message."""
        self.taken.append(BytesParser(_class=EmailMessage, policy=default).parsebytes(envelope.content))
        return "250 taken"


def command(
    folder: Annotated[Path | None, typer.Option(help="Where its files go; a new temporary folder where unsaid.")] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Leave the service running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Letters, texts, posts and a form become records, handoffs and tasks before your eyes, in under a minute.

    Nothing leaves this machine: the mailbox, the mail server, the provider, the portal and the service all listen on 127.0.0.1 alone.
    """
    if find_spec("aiosmtpd") is None or find_spec("pymap") is None:
        fail("The demo needs two small servers from PyPI. Install them with: uv sync --extra demo", 1)
    home = folder or Path(tempfile.mkdtemp(prefix="contact-ingest-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    with reading(ROLES) as readers:
        run_async(_demo(home, readers, stay=stay))


async def _demo(home: Path, readers: Readers, *, stay: bool) -> None:
    console = Console(highlight=False)
    started = asyncio.get_running_loop().time()
    mails, texts, posts = sample_mails(), sample_texts(), sample_posts()
    sink, provider, portal = Sink(), Provider(), Portal()
    async with _mail_servers(sink) as (imap, smtp), _networks(provider, portal) as networks:
        config = _write_settings(home, imap, smtp, networks, provider, portal)
        with (home / "telemetry.jsonl").open("a") as lines:
            write_lines(lines)
            stopping = asyncio.Event()
            async with service(load(config), now, stopping) as it:
                people, cases = await _fill_register(it)
                console.print(
                    f"A register of {people} people and {cases} cases. {len(mails)} letters are on their way to a mailbox, {len(texts)} "
                    f"texts and {len(posts)} posts to the public port, and somebody fills in the online form at "
                    f"{it.settings.web.public_url}/",
                    soft_wrap=True,
                )
                running = asyncio.ensure_future(run_roles(it, ROLES, readers))
                try:
                    await _until(_mailbox_open(it), running)
                    await _until(_listening(it), running)
                    delivering = asyncio.ensure_future(asyncio.to_thread(deliver, imap, mails))
                    telling = asyncio.ensure_future(_told_of(it, provider, portal, texts, posts))
                    reference = await _sent(it)
                    await _until(telling, running)
                    await _watch(it, portal, posts, len(mails) + len(texts) + len(posts) + 1, running, console)
                    await delivering
                    await duties.seal(it.database, now)
                    balanced = await _show(it, sink, provider, portal, console)
                    took = asyncio.get_running_loop().time() - started
                    console.print(
                        f"\nAll of it took {took:.1f} s. Health and metrics were at http://{it.settings.web.private}/metrics"
                    )
                    console.print(f"The online form gave the reference {reference}.")
                    if stay:
                        console.print(
                            f"The service runs on until Ctrl-C. Try the form: {it.settings.web.public_url}/ "
                            f"and in Welsh {it.settings.web.public_url}/cy"
                        )
                        await running
                finally:
                    stopping.set()
                    await asyncio.wait((running,), timeout=20)
    _next_steps(console, config, stayed=stay)
    if not balanced:
        fail("The ledger does not balance or the audit trail does not verify; see above.", 1)


def sample_mails() -> list[tuple[str, bytes]]:
    """The samples that came by mail, as a mail server would hand them over: (id, RFC 5322 bytes)."""
    return [(each["id"], _mail(each, person)) for each, person in _samples("email")]


def sample_texts() -> list[tuple[str, str]]:
    """The samples that came by text: (whose number, what they wrote)."""
    taken = {"".join(row["phone"].split()) for row in _rows("register.csv")}
    nobodys = (f"07700900{at:03}" for at in range(1, 1000) if f"07700900{at:03}" not in taken)  # of Ofcom's numbers for drama
    found: list[tuple[str, str]] = []
    for each, person in _samples("sms"):
        number = "".join((person or {}).get("phone", "").split())
        mobile = number if number.startswith("07") else next(nobodys)
        found.append((f"+44{mobile[1:]}", each["text"]))
    return found


def sample_posts() -> list[dict[str, Any]]:
    """The samples that came by social media, as the portal tells of them; the first line may say where it was."""
    found: list[dict[str, Any]] = []
    for each, _ in _samples("social"):
        where, private, text = "chirper", False, str(each["text"])
        if text.startswith("["):
            first, _, text = text.partition("\n")
            where, private = "faces" if "Facebook" in first else "chirper", "essage" in first
        handle = each["labels"]["individual"].get("name") or f"writer {each['id']}"
        found.append(
            {
                "id": f"post-{each['id']}",
                "network": where,
                "thread_id": f"post-{each['id']}",
                "own_thread": True,
                "private": private,
                "private_way": private or where == "faces",
                "sender": {"handle": "@" + "".join(handle.lower().split())},
                "text": text,
                "sent_at": now().isoformat(),
                "permalink": f"https://{where}.example/{each['id']}",
            }
        )
    return found


def _samples(channel: str) -> list[tuple[dict[str, Any], dict[str, str] | None]]:
    """What came by a channel, and who in the register wrote it."""
    known = {row["person_id"]: row for row in _rows("register.csv")}
    matched = {row["id"]: known.get(row["person_id"]) for row in _rows("matches.csv")}
    lines = [
        json.loads(line)
        for name in ("contacts.jsonl", "more.jsonl")
        for line in (SAMPLES / name).read_text("utf-8").splitlines()
    ]
    return [
        (each, matched.get(each["id"]) or known.get(each.get("person_id", ""))) for each in lines if each["channel"] == channel
    ]


def _rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def _mail(sample: dict[str, Any], person: dict[str, str] | None) -> bytes:
    said = sample.get("labels", {}).get("individual", {})
    address = (person or {}).get("email") or said.get("email") or f"{sample['id']}@example.net"
    name = (f"{person['given_name']} {person['surname']}" if person else None) or said.get("name") or ""
    mail = EmailMessage()
    # The receiving server's own verdict: what the sender's domain signs is theirs.
    mail["Authentication-Results"] = f"mx.ombudsman.example; dmarc=pass header.from={address.rpartition('@')[2]}"
    mail["From"] = f'"{name}" <{address}>' if name else address
    mail["To"] = "customer.care@ombudsman.example"
    mail["Subject"] = sample["subject"] or ""
    mail["Date"] = format_datetime(now())
    mail["Message-ID"] = f"<{sample['id']}.{secrets.token_hex(4)}@{address.rpartition('@')[2]}>"
    for header, value in _ROBOT_HEADERS.get(sample["id"], {}).items():
        mail[header] = value
    mail.set_content(sample["text"])
    return mail.as_bytes()


@asynccontextmanager
async def _mail_servers(sink: Sink) -> AsyncGenerator[tuple[int, int]]:
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(sink, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    port = free_port()
    pymap = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1", "--port", str(port), "--no-tls"),
        *("dict", "--demo-user", _USER, "--demo-password", _PASSWORD),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answering(port, pymap)
        yield port, smtp.sockets[0].getsockname()[1]
    finally:
        if pymap.returncode is None:
            pymap.terminate()
            await pymap.wait()
        smtp.close()


@asynccontextmanager
async def _networks(provider: Provider, portal: Portal) -> AsyncGenerator[str]:
    """The provider and the portal, on one address."""
    stopping, at = asyncio.Event(), f"127.0.0.1:{free_port()}"
    serving = asyncio.ensure_future(web.serve(at, [*provider.routes(), *portal.routes()], stopping))
    try:
        yield f"http://{at}"
    finally:
        stopping.set()
        await serving


async def _answering(port: int, server: asyncio.subprocess.Process) -> None:
    for _ in range(150):
        if server.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    fail("The demo's mailbox (pymap) did not start. Try: pymap --help", 1)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _write_settings(home: Path, imap: int, smtp: int, networks: str, provider: Provider, portal: Portal) -> Path:
    secrets_of = {
        "key": secrets.token_hex(32),
        "password": _PASSWORD,
        "sms-token": provider.token,
        "social-secret": portal.secret,
    }
    for name, secret in secrets_of.items():
        (home / name).write_text(secret)
    shutil.copytree(SAMPLES / "answers", home / "answers", dirs_exist_ok=True)
    config = home / "ingest.toml"
    config.write_text(
        SETTINGS.format(
            public=free_port(), private=free_port(), imap=imap, smtp=smtp, user=_USER, number=provider.number,
            account=provider.account_sid, networks=networks, price=_PRICE, replies=REPLIES,
        )
    )  # fmt: skip
    return config


async def _fill_register(it: Service) -> tuple[int, int]:
    taken: list[int] = []
    kinds: tuple[tuple[intake.Kind, str], ...] = ("individuals", "register.csv"), ("cases", "cases.csv")
    for kind, name in kinds:
        source = intake.opened(SAMPLES / name, intake.REQUIRED[kind], intake.OPTIONAL[kind])
        taken.append((await intake.take_in(it.database, kind, source, now)).taken)
    return taken[0], taken[1]


def deliver(port: int, mails: Sequence[tuple[str, bytes]]) -> None:
    """Put mails into the mailbox over IMAP, as a mail server would: a session of its own, one APPEND each."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=10) as session:
        session.login(_USER, _PASSWORD)
        for _, raw in mails:
            session.append("INBOX", "", "", raw)


async def _mailbox_open(it: Service) -> None:
    while True:
        async with it.database.read() as connection:
            if (await connection.execute(select(func.count()).select_from(state.mailboxes))).scalar_one():
                return
        await asyncio.sleep(0.1)


async def _listening(it: Service) -> None:
    host, _, port = it.settings.web.public.rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return


async def _sent(it: Service) -> str:
    """The reference that the form gave, once somebody has filled it in and sent it."""
    try:
        return await asyncio.to_thread(fill_in, it.settings.web.public_url, FORM)
    except (OSError, ValueError) as error:
        fail(f"The online form was not sent: {error}", 1)


async def _told_of(
    it: Service, provider: Provider, portal: Portal, texts: Sequence[tuple[str, str]], posts: Sequence[Mapping[str, Any]]
) -> None:
    """The provider and the portal have told of everything, and each was answered yes."""
    url = it.settings.web.public_url
    try:
        for sender, text in texts:
            await provider.forward(f"{url}/sms/care", sender, text)
        for post in posts:
            await portal.tell(f"{url}/social/care", "post.created", post)
    except httpx.HTTPError as error:
        fail(f"A text or a post was not taken in: {error}", 1)


async def _until(waiting: Any, running: "asyncio.Future[None]") -> None:
    """Wait for something while the service runs; its fault is ours."""
    wait = asyncio.ensure_future(waiting)
    done, _ = await asyncio.wait((wait, running), timeout=_GIVE_UP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if running in done:
        wait.cancel()
        running.result()
    if wait not in done:
        wait.cancel()
        fail("The demo did not get there in time. Its telemetry.jsonl says where it waits.", 1)


async def _counts(it: Service) -> tuple[int, int, int, int]:
    """How many contacts are decided on, messages due, messages sent, and posts that wait to be allocated."""
    sent, gone = tables.outgoing, (OutgoingState.ACCEPTED.value, OutgoingState.DELIVERED.value)
    async with it.database.read() as connection:

        async def number(query: Any) -> int:
            return (await connection.execute(query)).scalar_one()

        routed = await number(select(func.count()).select_from(tables.contacts))
        due = await number(select(func.count()).select_from(sent).where(sent.c.state == OutgoingState.DUE.value))
        accepted = await number(select(func.count()).select_from(sent).where(sent.c.state.in_(gone)))
        waiting = await number(select(func.count()).select_from(tables.posts).where(tables.posts.c.outcome.is_(None)))
    return routed, due, accepted, waiting


async def _watch(
    it: Service,
    portal: Portal,
    posts: Sequence[Mapping[str, Any]],
    expected: int,
    running: "asyncio.Future[None]",
    console: Console,
) -> None:
    """Two bars, contacts decided on and messages sent; once all are decided on, the portal tells whose each post is."""
    columns = TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console) as progress:
        decided = progress.add_task("Read and decided on", total=expected)
        told = progress.add_task("Acknowledged or handed on", total=None)

        async def settle(most_waiting: int) -> None:
            while True:
                routed, due, accepted, waiting = await _counts(it)
                progress.update(decided, completed=routed)
                progress.update(told, completed=accepted, total=accepted + due)
                if routed >= expected and due == 0 and waiting <= most_waiting:
                    return
                await asyncio.sleep(0.2)

        await _until(settle(len(posts)), running)
        for post in posts:
            whose = "nobody" if "@everyone" in post["text"] else "customer-care"
            told_of = {"id": post["id"], "to": whose, "allocated_at": now().isoformat(), "allocated_by": "external affairs"}
            await portal.tell(f"{it.settings.web.public_url}/social/care", "post.allocated", told_of)
        await _until(settle(0), running)


async def _show(it: Service, sink: Sink, provider: Provider, portal: Portal, console: Console) -> bool:
    await _dispositions(it, console)
    await _feedback(it, console)
    _mail_as_sent(sink, "Handoff ", "A handoff, as the team gets it", console)
    _mail_as_sent(sink, "We have your message", "An acknowledgement, as sent", console)
    _texts(provider, console)
    _invitations(portal, console)
    await _urgent(it, console)
    return await _balance(it, console)


def _texts(provider: Provider, console: Console) -> None:
    """What we sent by text, and what it cost; the shortest of them in full."""
    if not provider.delivered:
        return
    table = Table("parts", "alphabet", "texts", "cost", title="What we sent by text", title_justify="left")
    lengths = [length(text) for _, text in provider.delivered]
    for (parts, alphabet), number in sorted(Counter((each.parts, each.encoding) for each in lengths).items()):
        table.add_row(str(parts), alphabet, str(number), f"{parts * number * _PRICE:.2f} GBP")
    console.print(table)
    to, text = min(provider.delivered, key=lambda each: (len(each[1]), each))
    console.print(Panel(Text(plain(f"To: {to}\n\n{text}")), title="An acknowledgement by text", title_align="left"))


def _invitations(portal: Portal, console: Console) -> None:
    """What the portal posted for us, most of it the same: one in private and one in public."""
    by_way = Counter((bool(each["private"]), str(each["network"])) for each in portal.posted)
    table = Table("network", "where", "invitations", title="What the portal posted for us", title_justify="left")
    for (private, network), number in sorted(by_way.items()):
        table.add_row(network, "in private" if private else "under the post", str(number))
    console.print(table)
    for private in (True, False):
        reply = next((each for each in portal.posted if bool(each["private"]) is private), None)
        if reply:
            title = f"An invitation, {'in private' if private else 'under a post'}"
            console.print(Panel(Text(plain(f"To: {reply['handle']}\n\n{reply['text']}")), title=title, title_align="left"))


async def _dispositions(it: Service, console: Console) -> None:
    current, contacts = tables.dispositions, tables.contacts
    query = (
        select(current.c.kind, current.c.team, current.c.urgent, current.c.rule, contacts.c.reference, current.c.case_reference)
        .join(contacts, contacts.c.id == current.c.contact_id)
        .where(current.c.current.is_(True))
    )
    async with it.database.read() as connection:
        rows = (await connection.execute(query)).all()
    whole = Counter((row.kind, row.team or "") for row in rows)
    rules = Counter((row.kind, row.team or "", row.rule) for row in rows)
    table = Table(
        "what became of it",
        "to",
        "contacts",
        "urgent",
        "by which rules",
        title="What became of each of them",
        title_justify="left",
    )
    for (kind, team), number in whole.most_common():
        why = ", ".join(f"{rule} {times}" for (k, t, rule), times in rules.most_common() if (k, t) == (kind, team))
        urgent = sum(row.urgent for row in rows if (row.kind, row.team or "") == (kind, team))
        table.add_row(kind, team, str(number), str(urgent or ""), why)
    console.print(table)


async def _feedback(it: Service, console: Console) -> None:
    async with it.database.read() as connection:
        bodies = (await connection.execute(select(tables.feedback_records.c.body))).scalars().all()
    records = [FeedbackRecord.model_validate_json(body) for body in bodies]
    if not records:
        return
    fullest = max(records, key=lambda each: sum(bool(value) for value in each.model_dump().values()))
    lines = Text()
    for name, value in fullest.model_dump(mode="json").items():
        lines.append(f"{name.replace('_', ' '):<26}", style="bold")
        lines.append(f"{_told(value)}\n")
    console.print(Panel(lines, title="A feedback record in full", title_align="left"))


def _told(value: Any) -> str:
    match value:
        case None | [] | "":
            return "not said"
        case bool():
            return "yes" if value else "no"
        case list():
            return ("\n" + " " * 26).join(_told(each) for each in value)  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return ": ".join(str(each) for each in value.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return plain(str(value))


def _mail_as_sent(sink: Sink, beginning: str, title: str, console: Console) -> None:
    mail = next((each for each in sink.taken if str(each["Subject"]).removeprefix("URGENT ").startswith(beginning)), None)
    if mail is None:
        return
    headers = "\n".join(
        f"{name}: {value}"
        for name, value in mail.items()
        if name.lower() not in ("content-type", "mime-version", "content-transfer-encoding")
    )
    console.print(Panel(Text(plain(f"{headers}\n\n{mail.get_content()}")), title=title, title_align="left"))


async def _urgent(it: Service, console: Console) -> None:
    sent, contacts = tables.outgoing, tables.contacts
    query = select(contacts.c.reference, sent.c.state, sent.c.reason, sent.c.due).join(
        contacts, contacts.c.id == sent.c.contact_id
    )
    async with it.database.read() as connection:
        rows = (await connection.execute(query.where(sent.c.state == OutgoingState.HELD.value))).all()
    table = Table(
        "reference",
        "why",
        "owed by",
        title="Held until a person releases it",
        title_justify="left",
    )
    for row in rows:
        table.add_row(row.reference, row.reason, f"{row.due:%Y-%m-%d %H:%M}Z")
    console.print(table)


async def _balance(it: Service, console: Console) -> bool:
    table = Table(
        "hour",
        "channel",
        "received",
        "decided",
        "dead",
        "waiting",
        "unaccounted",
        title="The receipt ledger",
        title_justify="left",
    )
    lines = await ledger.entries(it.log, it.database, now())
    for line in lines:
        decided = sum(line.dispositions.values())
        numbers = (line.received, decided, line.dead_lettered, line.waiting, line.unaccounted)
        table.add_row(f"{line.hour:%Y-%m-%d %H}:00Z", line.channel, *(str(each) for each in numbers))
    console.print(table)
    verdict = await duties.verify_audit(it.database)
    unaccounted = sum(line.unaccounted for line in lines)
    console.print(
        f"The ledger {'balances' if not unaccounted else f'is out by {unaccounted}'}.",
        style="green" if not unaccounted else "red",
    )
    says = "verifies" if verdict.holds else "does NOT verify: " + " ".join(verdict.faults)
    console.print(
        f"The audit trail {says}: {verdict.sealed} entries, root {verdict.root[:16]}…",
        style="green" if verdict.holds else "red",
    )
    return not unaccounted and verdict.holds


def _next_steps(console: Console, config: Path, *, stayed: bool) -> None:
    ingest = os.path.relpath(shutil.which(sys.argv[0]) or "ingest")
    console.print("\nLook around in what it made:")
    for verb in ("review list", "feedback list", "outgoing list", "ledger", "audit verify"):
        console.print(f"  {ingest} {verb} --config {config}", soft_wrap=True)
    if not stayed:
        console.print("To fill in the form yourself, run the demo with --stay: it prints the address.")
