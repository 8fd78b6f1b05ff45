"""A settings file and what it names, and the command line run over it as an operator would."""

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest import state
from ingest.commands.entry import app
from ingest.commands.run import service
from ingest.contract import Contact, Identifier, Person, Record
from ingest.database import upgrade
from ingest.ids import contact_id, digest
from ingest.receive import record_of
from ingest.settings import load
from router import register
from router.readers import Readers
from router.worker import Worker

KEY = "5b0e4c6f9d8a7312e0f4b6c8d1a29375"
SETTINGS = """
key_file = "ingest.key"

[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care@example.org"
duty = "duty@example.org"

[publishers."urn:example:crm"]
"""
FIXED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parents[1] / "contract" / "golden"


class Ran:
    """What a command printed and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        return [json.loads(line) for line in self.out.splitlines()]


Ingest = Callable[..., Ran]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Sound settings without a mailbox, in a folder of their own."""
    (tmp_path / "ingest.key").write_text(KEY, encoding="utf-8")
    path = tmp_path / "ingest.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


@pytest.fixture
def ingest() -> Ingest:
    """``ingest`` with some arguments."""

    def run(*arguments: object) -> Ran:
        done = CliRunner().invoke(app, [str(each) for each in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def contact() -> Callable[..., dict[str, Any]]:
    """The least contact of the golden file, changed as told."""
    least = json.loads((GOLDEN / "contact.v1.least.binary.json").read_text(encoding="utf-8"))["value"]
    return lambda **changed: {**least, **changed}


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., Path]:
    """A file of JSON lines; what is text stands in it as it is."""

    def write(*each: dict[str, Any] | str) -> Path:
        path = tmp_path / "contacts.jsonl"
        path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in each), encoding="utf-8")
        return path

    return write


MAILBOX = """
[channels.email.care]
host = "imap.example.org"
user = "care"
password_file = "ingest.key"
smtp = "smtp.example.org:587"
sender = "care@ombudsman.example"
"""


@pytest.fixture(scope="session")
def empty_register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: every table takes longer to make than to copy."""
    path = tmp_path_factory.mktemp("register") / "register.db"
    upgrade(f"sqlite:///{path}", [register.MIGRATIONS, state.MIGRATIONS])
    return path


@pytest.fixture
def take_in(config: Path, empty_register: Path) -> Callable[..., list[Contact]]:
    """Let the router work through contacts, given as text or as what differs from the least one; answers with them."""
    with config.open("a", encoding="utf-8") as written:
        written.write(MAILBOX)
    shutil.copy(empty_register, config.with_name("register.db"))
    numbers = count()

    def made(given: str | dict[str, Any] | Record) -> Contact | Record:
        if isinstance(given, Record):
            return given
        fields: dict[str, Any] = {"text": given} if isinstance(given, str) else given
        original = digest(f"{next(numbers)}".encode())
        email = Identifier(kind="email", given="jo@example.com", canonical="jo@example.com")
        least: dict[str, Any] = {
            "id": contact_id("email", "care", original), "source": "urn:contact-ingest:email:care", "channel": "email",
            "account": "care", "received_at": FIXED, "sender": Person(name="Jo", identifiers=(email,)), "original": original,
            "full_text": fields["text"],
        }  # fmt: skip
        return Contact(**{**least, **fields})

    async def route(items: list[Contact | Record]) -> None:
        stopping = asyncio.Event()
        async with service(load(config), lambda: FIXED, stopping) as it:
            records = [record_of(each, KEY.encode()) if isinstance(each, Contact) else each for each in items]
            await it.log.append("contacts", records)
            router = Worker(
                it.log,
                it.database,
                it.store,
                it.house,
                it.settings.publishers,
                it.clock,
                stopping,
                it.settings.own_key,
                Readers(0),
            )
            routing = asyncio.create_task(router.run())
            while not routing.done() and (not router.expected or (await it.log.lag("contacts", "router")).records):
                await asyncio.sleep(0.01)
            stopping.set()
            await routing

    def run(*given: str | dict[str, Any] | Record) -> list[Contact]:
        items = [made(each) for each in given]
        asyncio.run(route(items))
        return [each for each in items if isinstance(each, Contact)]

    return run
