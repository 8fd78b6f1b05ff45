"""A desk that a portal calls: the real public port, log, originals and database in a folder, and the portal's own signatures."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, select

from channels.social.ingress import door
from channels.social.settings import SocialAccount
from ingest import state
from ingest.clock import now
from ingest.contract import Allocation, Contact, OutgoingStatus, decode
from ingest.database import Database
from ingest.errors import Unavailable
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import receive
from ingest.settings import Settings, WebSettings
from tests.servers.loopback import free_ports, public_port
from tests.servers.portal import SECRET, Portal, post, running_portal

T = TypeVar("T")
CLIENTS = ThreadPoolExecutor(64)
"""Clients have threads of their own: the server works in the loop's."""
OURS = b"a key that nobody can guess, of 32 bytes or more"

POST: dict[str, Any] = {
    "id": "1790001",
    "network": "x",
    "thread_id": "1790001",
    "sender": {"handle": "@GwenPryce", "name": "Gwen Pryce"},
    "text": "Nobody at the ombudsman has rung me back in three weeks.",
    "sent_at": "2026-03-02T09:12:00Z",
    "permalink": "https://x.example/GwenPryce/status/1790001",
    "private": False,
    "private_way": True,
}


def account(**changed: Any) -> SocialAccount:
    """A portal's settings, with what a test wants otherwise."""
    return SocialAccount.model_validate({"secret": SECRET, "own_handles": ("x:@OmbudsmanCare",), **changed})


@dataclass
class Desk:
    """What the portal calls, and what lies behind it."""

    url: str
    portal: Portal
    log: SqliteLog
    database: Database
    originals: Originals
    settings: Settings
    away: list[Exception] = field(default_factory=list[Exception])
    """What taking in shall come to next, once each."""

    async def told(self, kind: str, data: Any, event: str | None = None) -> int:
        """What the portal is answered."""
        return await _beside(self.portal.tell, self.url, kind, data, event)

    async def sent(self, body: bytes, headers: Mapping[str, str], method: str = "POST", query: str = "") -> tuple[int, Any]:
        """What anybody is answered: the status, and the problem's reason or the body."""
        status, answered, content = await _beside(post, self.url + query, body, headers, method)
        if answered.get("content-type") == "application/problem+json":
            return status, json.loads(content)["type"].rpartition(":")[2]
        return status, content

    async def contacts(self) -> list[Contact]:
        """Those on the log, in its order."""
        return [Contact.model_validate_json(each) for each in await self._read("contacts")]

    async def allocations(self) -> list[Allocation]:
        """Those on the log."""
        return [Allocation.model_validate_json(each) for each in await self._read("allocations")]

    async def statuses(self) -> list[OutgoingStatus]:
        """Those on the log."""
        return [OutgoingStatus.model_validate_json(each) for each in await self._read("outgoing.status")]

    async def nothing_is_written(self) -> bool:
        """Neither on the log, nor among the originals, nor in the database."""
        async with self.database.read() as connection:
            rows = [len((await connection.execute(select(each))).all()) for each in (state.claims, state.receipts)]
        kept = [each for each in Path(self.originals_folder).rglob("*") if each.is_file()]
        return not any(rows) and not kept and not await self.contacts() and not await self.allocations()

    @property
    def originals_folder(self) -> Path:
        """Where they are."""
        return Path(self.settings.originals.url.removeprefix("file://"))

    async def sent_before(self, outgoing_id: UUID, account: str = "social.care") -> None:
        """A reply of ours that the dispatcher has handed over."""
        row = {
            "outgoing_id": outgoing_id, "account": account, "audience": "person", "state": "accepted", "attempts": 1,
            "first_at": now(), "changed_at": now(), "ambiguous": False, "told": True,
        }  # fmt: skip
        async with self.database.write() as connection:
            await connection.execute(insert(state.sends).values(row))

    async def _read(self, topic: str) -> list[bytes]:
        return [decode(each.record).data for each in await self.log.read(topic, after={}, most=10_000)]


Open = Callable[..., AbstractAsyncContextManager[Desk]]


async def _beside(do: Callable[..., T], *given: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(CLIENTS, do, *given)


@pytest.fixture
def portal() -> Generator[Portal]:
    with running_portal() as it:
        yield it


@pytest.fixture
def opened(tmp_path: Path, register_url: str, portal: Portal) -> Open:
    """A desk with the settings that a test wants, on each kind of register."""
    return partial(_opened, tmp_path, register_url, portal)


@pytest.fixture
def opened_on_sqlite(tmp_path: Path, empty_register: Path, portal: Portal) -> Open:
    """Where it makes no difference which register it is."""
    return partial(_opened, tmp_path, f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}", portal)


@pytest.fixture
async def desk(opened: Open) -> AsyncGenerator[Desk]:
    async with opened() as it:
        yield it


@pytest.fixture
async def on_sqlite(opened_on_sqlite: Open) -> AsyncGenerator[Desk]:
    async with opened_on_sqlite() as it:
        yield it


@asynccontextmanager
async def _opened(folder: Path, register_url: str, portal: Portal, **changed: Any) -> AsyncGenerator[Desk]:
    log = await SqliteLog.open(
        folder / "log.db", exclusive=True, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000
    )
    database = Database(register_url)
    originals = Originals(f"file:///{folder}/originals")
    (port,) = free_ports(1)
    settings = Settings(
        key=SecretStr(OURS.decode()),
        teams=dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org"),  # type: ignore[arg-type]
        web=WebSettings(public=f"127.0.0.1:{port}"),
        originals={"url": f"file://{folder}/originals"},  # type: ignore[arg-type]
    )
    it = Desk(f"http://127.0.0.1:{port}/social/care", portal, log, database, originals, settings)

    async def arrive(arrivals: Sequence[Any]) -> list[Contact]:
        if it.away:
            raise it.away.pop(0)
        return await receive(arrivals, originals=originals, log=log, database=database, key=OURS)

    made = door("care", account(**changed), arrive=arrive, append=log.append, database=database, clock=now, settings=settings)
    try:
        async with public_port(settings.web, [made]):
            yield it
    finally:
        await database.close()
        await log.close()


AWAY = Unavailable("log-away", "The log is away.")
