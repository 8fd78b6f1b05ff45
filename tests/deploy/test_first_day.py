"""Whoever has the README and the operating notes alone installs the service, breaks it in ten ways, and is led to each cure.

The commands of the notes are run, on the wheel as it is installed, against real servers and a real Prometheus with the alerts' own rules. What is
seen on the way is docs/first-day.md, word for word. Where that differs for a good reason, ``build/first-day.md`` is what it should be.
"""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading
import urllib.request
from collections.abc import Coroutine, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from ingest.clock import now
from ingest.contract import Record
from ingest.log.sqlite import SqliteLog
from tests.deploy.day import NOTES, ROOT, RULES, Day, hurried, until
from tests.deploy.machine import Machine, uv
from tests.servers.clamd import Clamd, running_clamd
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.loopback import free_ports
from tests.servers.prometheus import running_prometheus
from tests.servers.smtp import SmtpServer

PAGE: Final = ROOT / "docs" / "first-day.md"
FOUND: Final = ROOT / "build" / "first-day.md"
HEAD: Final = """\
# A first day

What the service looks like when it breaks, and what was done about it, by [operations.md](operations.md) alone: it is installed, and then
ten things go wrong, two of them as one incident on a Friday evening. This page is written by a test (`tests/deploy/test_first_day.py`), which did all
of it: every command below was run and printed what stands beneath it, but for what differs each time (moments, ids, ports, sizes) and lines that
are left out (`…`). The alerts are those of `deploy/prometheus/alerts.yaml`, in a two-hundredth of their time."""

USER: Final = "customer.care"
STRANGER: Final = "urn:example:telephones"
FEEDBACK: Final = (
    "I complain about your service. You promised to ring me back by Friday and nobody rang. I would like an apology."
)
BURST: Final = 20
PEOPLE: Final = 2_000


@dataclass
class Servers:
    """What the service leans on, each of which can be broken."""

    dovecot: Dovecot
    clamd: Clamd
    smtp: SmtpServer
    loop: asyncio.AbstractEventLoop

    def wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Have the mail server start or stop."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@pytest.fixture
def servers() -> Generator[Servers]:
    loop = asyncio.new_event_loop()
    turning = threading.Thread(target=loop.run_forever, daemon=True)
    turning.start()
    with contextmanager(running_dovecot)() as dovecot, contextmanager(running_clamd)() as clamd:
        it = Servers(dovecot, clamd, SmtpServer(), loop)
        it.wait(it.smtp.start())
        yield it
        it.wait(it.smtp.stop())
    loop.call_soon_threadsafe(loop.stop)
    turning.join()


@pytest.fixture
def machine() -> Generator[Machine]:
    with TemporaryDirectory(prefix="machine-") as folder:  # whose path is short enough for sockets in it
        it = Machine(Path(folder))
        with it.answering():
            yield it


def put(text: str, section: str, key: str, value: str) -> str:
    """The settings with another line in place of a key's."""
    head, mark, rest = text.partition(f"\n[{section}]\n")
    assert mark, section
    body, *after = re.split(r"(?m)^(?=\[)", rest, maxsplit=1)
    body, found = re.subn(rf"(?m)^(?:# )?{key} =.*$", lambda _: f"{key} = {value}", body, count=1)
    assert found, f"[{section}] {key}"
    return "".join((head, mark, body, *after))


def without(text: str, section: str) -> str:
    """The settings without a section, and without what is said above it."""
    head, mark, rest = text.partition(f"\n[{section}]\n")
    assert mark, section
    return head.rpartition("\n\n")[0] + "\n\n" + "".join(re.split(r"(?m)^(?=#.*\n\[|\[)", rest, maxsplit=1)[1:])


@dataclass
class Installed:
    """The service on its machine, and whoever writes to it."""

    machine: Machine
    servers: Servers
    public: int
    private: int
    day: Day

    def write(self, name: str, words: str, *files: bytes) -> None:
        """A mail comes to the mailbox."""
        mail = EmailMessage()
        mail["From"] = f"{name.title()} Writer <{name}@example.net>"
        mail["To"] = "customer.care@ombudsman.example"
        mail["Subject"] = "To you"
        mail["Message-ID"] = f"<{name}@example.net>"
        mail.set_content(f"{words}\n\n{name.title()}\n")
        for each in files:
            mail.add_attachment(each, maintype="application", subtype="pdf", filename="letter.pdf")
        self.servers.dovecot.deliver(USER, mail.as_bytes().replace(b"\n", b"\r\n"))
        self.day.accepted += 1

    def ready(self) -> None:
        """Wait until the service says so, and until its mailbox was looked at."""

        def said() -> bool:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.private}/readyz", timeout=5) as answer:
                    return json.load(answer)["ready"]
            except OSError:
                return False

        until(said, "it is not ready")

    def rows(self, query: str) -> int:
        """A number out of the register."""
        path = self.machine.path("/var/lib/contact-ingest/register.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as register:
            return register.execute(query).fetchone()[0]


@pytest.fixture
def installed(machine: Machine, servers: Servers, tmp_path: Path) -> Generator[Installed]:
    """By the commands of the notes; then the settings are what an operator would put in."""
    private, public = free_ports(2)
    servers.dovecot.mailbox(USER)
    ports = {private: 9464, public: 8080, servers.dovecot.port: 993, servers.smtp.port: 25, servers.clamd.port: 3310}
    by_hand = machine.root / "home"
    build = [uv(), "build", "--quiet", "--wheel", "--out-dir", by_hand, ROOT]
    # What it is built with is in uv's cache, where the project was set up on this machine.
    assert any(subprocess.run([*build, *more], timeout=90, capture_output=True).returncode == 0 for more in (["--offline"], []))
    (by_hand / "deploy").symlink_to(ROOT / "deploy")
    day = Day(machine, None, ports, lambda: it.rows("SELECT count(*) FROM contacts"))  # type: ignore[arg-type]
    it = Installed(machine, servers, public, private, day)
    day.page += [HEAD, "", "## It is installed"]
    (section,) = re.findall(
        r"^## With systemd\n.*?```sh\n(.*?)```", NOTES.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for line in section.splitlines():
        shows = (
            (r"^✓ register", r"^✓ originals", r"^✓ duty mailbox", r"^✓ channels.email.care in", r"^✓ channels.email.care out")
            if line.endswith(" check")
            else ()
        )
        day.show(line.partition("  #")[0].rstrip(), *shows)
        if "--write-example" in line:
            day.page += ["", "What says REPLACE-ME is put in, and what is not there is taken out:"]
            settle(it)
    watching = contextmanager(running_prometheus)([f"127.0.0.1:{private}"], rules(tmp_path))
    with machine.quickened(), watching as day.prometheus:
        it.ready()
        until(lambda: bool(day.prometheus.query("email_last_success_timestamp_seconds > 0")), "nobody looks at the mailbox")
        yield it


def rules(folder: Path) -> Path:
    path = folder / "alerts.yaml"
    path.write_text(hurried(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def settle(it: Installed) -> None:
    """What an operator knows."""
    path = it.machine.path("/etc/contact-ingest/ingest.toml")
    text = path.read_text(encoding="utf-8")
    for section in ("channels.sms.care", "channels.social.care", 'publishers."urn:example:crm"'):
        text = without(text, section)
    servers, secret = it.servers, it.machine.path("/etc/contact-ingest/care.password")
    secret.write_text(servers.dovecot.password)
    secret.chmod(0o640)
    known = {
        "log": {"url": "sqlite:////var/lib/contact-ingest/log.db"},
        "register": {"url": "sqlite:////var/lib/contact-ingest/register.db"},
        "originals": {"url": "file:////var/lib/contact-ingest/originals"},
        "scan": {"clamd": servers.clamd.tcp, "most_bytes": 1_000_000},
        "web": {"public": f"127.0.0.1:{it.public}", "private": f"127.0.0.1:{it.private}"},
        "teams": {each: f"{each}@ombudsman.example" for each in ("intake", "investigators", "customer_care", "duty")},
        "outgoing": {"burst": BURST},
        "channels.email.care": {
            "host": "localhost",
            "port": servers.dovecot.port,
            "ca_file": str(servers.dovecot.ca_file),
            "user": USER,
            "password_file": "care.password",
            "poll_every": "1s",
            "smtp": servers.smtp.address,
            "smtp_security": "none",
            "smtp_login": False,
            "sender": "customer.care@ombudsman.example",
        },
        "channels.web_form.care": {"contact": "customer.care@ombudsman.example"},
    }
    for section, keys in known.items():
        for key, value in keys.items():
            text = put(text, section, key, json.dumps(value))
    path.write_text(it.machine.here(text), encoding="utf-8")


# What breaks.


def the_first_import_is_cut_short(it: Installed) -> None:
    it.day.chapter(
        "ContactsWait",
        "1. The first import is cut short",
        "The register is filled from the case system, and the window in which it runs is closed. Somebody writes meanwhile.",
    )
    rows = "".join(
        f"P{each},Given{each},Surname{each},1970-01-01,{each} High Street,,Ashby,AB1 2CD,p{each}@example.org,\n"
        for each in range(PEOPLE)
    )
    head = "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone\n"
    (it.machine.root / "home" / "people.csv").write_text(head + rows)
    closed = subprocess.Popen(
        [it.machine.path("/usr/local/bin/ingest"), "register", "import", "--individuals", "people.csv"],
        cwd=it.machine.root / "home",
        env={"PATH": f"{it.machine.root}/bin:{os.environ['PATH']}"},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: it.rows("SELECT count(*) FROM individuals") > 0, "nobody is taken in")
    os.killpg(closed.pid, signal.SIGHUP)
    closed.wait(10)
    assert it.rows("SELECT count(*) FROM individuals") < PEOPLE, "it was cut short too late"
    it.write("ann", FEEDBACK)
    it.day.alarmed()
    it.day.look("ingest topic lag", r"contacts .* router .* 1 ")
    it.day.look("ingest check", r"^✗ register")
    it.day.acts()
    it.day.do("ingest register index")
    it.day.do("ingest register import --individuals FILE", f"{PEOPLE} individuals taken", FILE="people.csv")
    it.day.over("The letter is routed as soon as the keys are whole, and the import finds whom it had taken in already.")


def mail_cannot_be_sent(it: Installed) -> None:
    it.day.chapter(
        "SendingFails", "2. The server that sends mail is away", "Somebody writes, and is to be told that we have it."
    )
    it.servers.wait(it.servers.smtp.stop())
    it.write("bob", FEEDBACK)
    it.day.alarmed()
    it.day.look("ingest check", r"^✗ channels.email.care out")
    it.servers.wait(it.servers.smtp.start())
    it.day.acts("The server is brought back.")
    it.day.over(
        "What waited is tried again a minute after the first try, then after five, fifteen and sixty, and nobody need do anything."
    )


def the_mailbox_lets_nobody_in(it: Installed) -> None:
    it.day.chapter(
        "MailboxUnread",
        "3. Friday evening: the mailbox lets us in no more",
        "At six the mail system's own people change the mailbox's password, and tell nobody. In the evening the news has a report on the organisation, and "
        f"{BURST + 5} people write.",
    )
    it.servers.dovecot.password = "another" + it.servers.dovecot.password
    it.servers.dovecot.restart()
    for each in range(BURST + 5):
        it.write(f"viewer{each}", FEEDBACK)
    it.day.alarmed()
    it.day.look("ingest check", r"^✗ channels.email.care in")
    it.day.look("journalctl -u ingest | grep mailbox-fault | tail -n 1", r'"reason": "imap-login"')
    it.day.acts("They are rung, and say the new password. What the notes say to do:")
    it.machine.path("/etc/contact-ingest/care.password").write_text(it.servers.dovecot.password)
    it.day.do("sudo systemctl restart ingest")
    it.day.over(f"All {BURST + 5} letters had lain in the mailbox. They are taken in and decided on within seconds.")


def everybody_is_answered_at_once(it: Installed) -> None:
    it.day.chapter(
        "SendingStopped",
        "4. The same evening: sending stops by its burst limit",
        f"So many are acknowledged at once that `[outgoing] burst` stops it (here {BURST} in ten minutes; 300 unless you say otherwise).",
    )
    it.day.alarmed()
    it.day.look("ingest outgoing list", r"was stopped by burst-limit")
    it.day.look("ingest topic tail contacts", r"Partition", r"urn:contact-ingest:email:care")
    it.day.acts("They are people, each of whom wrote once. What the notes say to do:")
    it.day.do("ingest outgoing release --by NAME", NAME="'R. Adeyemi'")
    viewers = "SELECT count(*) FROM outgoing WHERE recipient LIKE 'viewer%' AND state = 'accepted'"
    until(lambda: it.rows(viewers) == BURST + 5, lambda: f"{it.rows(viewers)} are told")
    it.day.over("The rest go in order. Each was told once.")


def a_slip_in_the_settings(it: Installed) -> None:
    it.day.chapter(
        "ProcessDown", "5. A slip of the pen in the settings", "Somebody wants larger batches, and starts the service again."
    )
    path = it.machine.path("/etc/contact-ingest/ingest.toml")
    well = path.read_text(encoding="utf-8")
    path.write_text(well.replace("\nbatch =", "\nbatches ="), encoding="utf-8")
    it.machine.run("sudo systemctl restart ingest")
    it.write("carol", FEEDBACK)
    it.day.alarmed()
    it.day.look("systemctl status ingest", "Active: failed", "status=2")
    it.day.look("journalctl -u ingest | tail -n 1", "There is no setting router.batches")
    it.day.acts("It is put right.")
    path.write_text(well, encoding="utf-8")
    it.day.do("sudo systemctl start ingest")
    it.day.over("What came meanwhile lay in the mailbox.")


def nobody_claims_what_is_urgent(it: Installed) -> None:
    it.day.chapter(
        "UrgentTaskUnclaimed",
        "6. Nobody takes up what is urgent",
        "Somebody writes that they will not live until the morning. The duty officer's telephone is off.",
    )
    it.write("dora", "I cannot go on. I am going to kill myself tonight.")
    it.day.alarmed()
    task = first_id(it.day.look("ingest review list --kind urgent", r"Kind", r"urgent"))
    it.day.acts()
    it.day.do("ingest review claim TASK --by NAME", TASK=task, NAME="'R. Adeyemi'")
    assert it.rows("SELECT count(*) FROM outgoing WHERE recipient = 'dora@example.net' AND state = 'held'") == 1
    it.day.over("Nothing has gone to the writer by itself, and nothing does until a person releases it.")


def a_stranger_writes_to_the_topic(it: Installed) -> None:
    it.day.chapter(
        "StrangerOnTheTopic",
        "7. Somebody whom the settings do not name writes to the topic",
        "The telephone exchange was set up to publish its calls, and nobody told us.",
    )
    theirs = it.machine.root / "home" / "theirs.toml"
    ours = it.machine.path("/etc/contact-ingest/ingest.toml").read_text(encoding="utf-8")
    theirs.write_text(f'{ours}\n[publishers."{STRANGER}"]\n', encoding="utf-8")
    for each in it.machine.path("/etc/contact-ingest").glob("*.*"):
        if each.name != "ingest.toml":
            (theirs.parent / each.name).write_bytes(each.read_bytes())
    call = {
        "id": "0199e0a4-7c11-7000-8000-0000000000aa",
        "source": STRANGER,
        "channel": "telephone",
        "account": "0300 123 4567",
        "received_at": now().isoformat(),
        "sender": {"name": None, "identifiers": []},
        "text": FEEDBACK,
        "full_text": FEEDBACK,
        "original": "0" * 64,
    }
    (theirs.parent / "calls.jsonl").write_text(json.dumps(call) + "\n")
    ended, said = it.machine.run(f"ingest publish calls.jsonl --source {STRANGER} --config theirs.toml")
    assert ended == 0, said
    it.day.accepted += 1
    it.day.alarmed()
    dead = first_id(it.day.look("ingest dead-letters list", r"Reason", r"unknown-publisher"))
    assert STRANGER in it.day.look("ingest dead-letters show ID", r"Header +ce_source", ID=dead)
    it.day.acts(f'It is one of ours: `[publishers."{STRANGER}"]` is put into the settings. What the notes say to do:')
    path = it.machine.path("/etc/contact-ingest/ingest.toml")
    path.write_text(f'{ours}\n[publishers."{STRANGER}"]\n', encoding="utf-8")
    it.day.do("sudo systemctl restart ingest")
    it.day.do("ingest dead-letters replay ID --by NAME", ID=dead, NAME="'R. Adeyemi'")
    it.day.over("The call is in the register.")


def what_nobody_can_read(it: Installed) -> None:
    it.day.chapter(
        "DeadLetters", "8. What nobody can read lies on the topic", "A new release of that exchange writes half a record."
    )

    async def write() -> None:
        path = it.machine.path("/var/lib/contact-ingest/log.db")
        log = await SqliteLog.open(path, exclusive=False, clock=now, retention=timedelta(days=30), most_record_bytes=1_000_000)
        headers = (("ce_specversion", b"1.0"), ("ce_id", b"call-8"), ("ce_source", STRANGER.encode()))
        await log.append("contacts", [Record(None, b'{"text": "half a rec', headers)])
        await log.close()

    asyncio.run_coroutine_threadsafe(write(), it.servers.loop).result(10)
    # The alert may fire for the one before it, which was counted just before it was replayed.
    until(lambda: it.rows("SELECT count(*) FROM dead_letters WHERE state = 'open'") == 1, "half a record is no dead letter")
    it.day.alarmed()
    dead = first_id(it.day.look("ingest dead-letters list", r"Reason", r"\bopen\b"))
    it.day.acts(
        "The exchange's people mend it and send the call again. What was cut in half holds no more than that. What the notes say to do:"
    )
    it.day.do(
        "ingest dead-letters discard ID --by NAME --because TEXT", ID=dead, NAME="'R. Adeyemi'", TEXT="'sent again whole'"
    )
    it.day.over("Its bytes are kept all the same.")


def the_scanner_is_away(it: Installed) -> None:
    it.day.chapter("FilesUnscanned", "9. Nothing looks for viruses", "ClamAV's daemon has ended. A letter with a file comes.")
    it.servers.clamd.stop()
    it.write("emil", FEEDBACK, b"%PDF-1.4 a decision letter")
    it.day.alarmed()
    it.day.look("ingest check", r"^✗ scan")
    it.servers.clamd.start()
    it.day.acts("It is started again.")
    it.day.over("The letter was dealt with at once; its file stays withheld.")


def originals_cannot_be_kept(it: Installed) -> None:
    it.day.chapter(
        "MailNotTakenIn",
        "10. The originals cannot be kept",
        "Their folder is moved to a larger disk, and the link that is left in its place leads to a file. Somebody writes.",
    )
    folder = it.machine.path("/var/lib/contact-ingest/originals")
    folder.rename(folder.with_name("elsewhere"))
    folder.with_name("moved.txt").write_text("originals: moved on Friday\n")
    folder.symlink_to("moved.txt")
    it.write("fern", FEEDBACK)
    it.day.alarmed()
    it.day.look("ingest check", r"^✗ originals")
    folder.unlink()
    folder.with_name("elsewhere").rename(folder)
    it.day.acts("The link is put right.")
    it.day.over("The letter had stayed in the mailbox, and is taken in with the next look.")


def first_id(said: str) -> str:
    """The id in the first row of a table."""
    return re.findall(r"(?m)^│ ([0-9a-f]{8}) ", said)[0]


@pytest.mark.journey
@pytest.mark.timeout(580)
@pytest.mark.needs("dovecot")
@pytest.mark.needs("clamd")
@pytest.mark.needs("prometheus")
def test_the_notes_lead_from_each_of_ten_breakages_to_its_cure_and_nothing_is_lost(installed: Installed):
    it = installed
    try:
        go_through(it)
    finally:
        FOUND.parent.mkdir(exist_ok=True)
        FOUND.write_text("\n".join(it.day.page) + "\n", encoding="utf-8")
    assert FOUND.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), f"if it is right: cp {FOUND} {PAGE}"


def go_through(it: Installed) -> None:
    for breaks in (
        the_first_import_is_cut_short,
        mail_cannot_be_sent,
        the_mailbox_lets_nobody_in,
        everybody_is_answered_at_once,
        a_slip_in_the_settings,
        nobody_claims_what_is_urgent,
        a_stranger_writes_to_the_topic,
        what_nobody_can_read,
        the_scanner_is_away,
        originals_cannot_be_kept,
    ):
        breaks(it)
    it.day.end()
    it.day.page += ["", "## In the evening", "No alert fires any more, and everything that was accepted is in the register."]
    owed = "SELECT count(*) FROM outgoing WHERE audience = 'person' AND state IN ('due', 'sending')"
    until(lambda: it.rows(owed) == 0, lambda: f"{it.rows(owed)} messages are not sent", within=80)
    it.day.show("ingest ledger", "The ledger balances")
    it.day.show("ingest audit verify", "verifies")
    it.day.show("sudo systemctl stop ingest")
    told = [each.recipient for each in it.servers.smtp.taken if each.recipient.endswith("@example.net")]
    assert len(told) == len(set(told)), "somebody was told twice"
    assert "bob@example.net" in told
    assert "dora@example.net" not in told
    unit = it.machine.unit
    assert unit is not None
    assert "STOPPING=1" in (*unit.told, *unit._heard())
