"""A number of ours on the real public port, with a real log, register and originals behind it, and a provider that has the number."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from channels.sms.ingress import door
from channels.sms.poll import Look
from channels.sms.settings import SmsAccount
from channels.sms.taking import Pace, Texts
from ingest import state
from ingest.clock import now
from ingest.contract import Contact, OutgoingStatus, decode
from ingest.database import Database
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import CONTACTS, Arrival, receive
from ingest.reports import STATUSES
from ingest.settings import Settings
from ingest.web import Door, problem
from tests.clock import Clock
from tests.conftest import FIXED
from tests.servers.loopback import free_ports, plain_client, public_port
from tests.servers.providers import Notify, Twilio, serving

KEY = "7f3a91c04be82d6659d1e07ab34c8f20"
TEAMS = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
PUBLIC_URL = "https://contact.ombudsman.example"
VONAGE_SECRET = "a secret of Vonage's"


@dataclass
class House:
    """A number as it is run, and what came of it."""

    port: int
    account: SmsAccount
    settings: Settings
    clock: Clock
    log: SqliteLog
    database: Database
    originals: Originals
    arrive: Any
    provider: Any = None
    away: list[Exception] = field(default_factory=list)
    """What is wrong while something is taken in, one thing at each try; nothing where none is left."""

    @property
    def at(self) -> str:
        """Where the public port really is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where the provider sends what people write."""
        return f"{PUBLIC_URL}/sms/care"

    async def forward(self, each: Any, **more: Any) -> httpx.Response:
        """The provider's webhook for a text."""
        return await self.provider.forward(each, self.url, self.at, **more)

    async def post(self, body: bytes, headers: Mapping[str, str], where: str = "/sms/care") -> httpx.Response:
        async with plain_client(timeout=20) as client:
            return await client.post(f"{self.at}{where}", content=body, headers=headers)

    async def contacts(self) -> list[Contact]:
        """Every contact on the log, a repeat as often as it is there."""
        found = await self.log.read(CONTACTS.name, after={}, most=10_000)
        return [Contact.model_validate_json(decode(each.record).data) for each in found]

    async def contact(self, count: int = 1) -> Contact:
        """The last of so many, once they are there."""
        found = list[Contact]()
        for _ in range(400):
            if len(found := await self.contacts()) >= count:
                break
            await asyncio.sleep(0.02)
        assert len(found) == count
        return found[-1]

    async def statuses(self) -> list[OutgoingStatus]:
        found = await self.log.read(STATUSES.name, after={}, most=1_000)
        return [OutgoingStatus.model_validate_json(decode(each.record).data) for each in found]

    async def count(self, table: str) -> int:
        async with self.database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(state.metadata.tables[f"state.{table}"])) or 0

    async def sent(self, outgoing_id: Any, attempts: int = 1) -> None:
        """The dispatcher has sent a text of ours."""
        row = {
            "outgoing_id": outgoing_id, "account": "sms.care", "audience": "person", "state": "accepted", "attempts": attempts,
            "first_at": FIXED, "changed_at": FIXED, "ambiguous": False,
        }  # fmt: skip
        async with self.database.write() as connection:
            await connection.execute(state.sends.insert().values(row))

    async def waiting(self) -> int:
        async with self.database.read() as connection:
            return len((await connection.execute(select(state.texts).where(state.texts.c.taken_at.is_(None)))).all())

    def texts(self) -> Texts:
        """The texts as another process has them, which looks as quickly."""
        pace = Pace(look=0.05)
        leaned_on = {"database": self.database, "clock": self.clock, "settings": self.settings}
        return Texts("care", self.account, arrive=self.arrive, pace=pace, **leaned_on)  # type: ignore[arg-type]

    def look(self, **account: Any) -> Look:
        """The role that asks the provider, for one look at a time."""
        chosen = self.account.model_copy(update=account)
        return Look("care", chosen, self.texts(), database=self.database, clock=self.clock)


Serving = Callable[..., AbstractAsyncContextManager[House]]


def account_of(provider: Any, **more: Any) -> SmsAccount:
    """The section of settings that fits a provider of the tests."""
    match provider:
        case Twilio():
            own = {
                "provider": "twilio",
                "number": next(iter(provider.ours)),
                "account_sid": provider.account_sid,
                "token": provider.token,
            }
        case Notify():
            own = {
                "provider": "notify", "number": f"+44{provider.number[1:]}", "bearer": provider.bearer, "api_key": provider.api_key,
            }  # fmt: skip
        case _:
            own = {"provider": "vonage", "number": "+447700900555", "token": VONAGE_SECRET}
    return SmsAccount.model_validate({**own, **({"api": provider.url} if provider else {}), **more})


@pytest.fixture
def house_of(tmp_path: Path, empty_register: Path) -> Serving:
    """Serve a provider's number, on SQLite or on the register that is named."""

    @asynccontextmanager
    async def serve(
        provider: Any = None, *, pace: Pace | None = None, register: str | None = None, **sections: Any
    ) -> AsyncGenerator[House]:
        (port,) = free_ports(1)
        url = register or f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"
        web = {"public": f"127.0.0.1:{port}", "public_url": PUBLIC_URL}
        account = account_of(provider, **sections.pop("account", {}))
        settings = Settings(key=KEY, teams=TEAMS, web=web, **sections)  # type: ignore[arg-type]
        clock = Clock()
        if provider:
            provider.clock = clock
        log = await SqliteLog.open(
            tmp_path / "log.db", clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000, exclusive=True
        )
        database, originals = Database(url), Originals(f"file://{tmp_path}/originals")
        keep = partial(receive, originals=originals, log=log, database=database, key=KEY.encode())

        async def arrive(arrivals: Sequence[Arrival], **more: Any) -> list[Contact]:
            if house.away:
                raise house.away.pop(0)
            return await keep(arrivals, **more)

        house = House(port, account, settings, clock, log, database, originals, arrive, provider)
        stopping = asyncio.Event()
        quick = pace or Pace(look=0.05, picture=1.0, again=timedelta(milliseconds=20))
        webhooks = door(
            "care", account, arrive=arrive, append=log.append, database=database, clock=clock, settings=settings, pace=quick
        )
        assert webhooks.beside
        completing = asyncio.create_task(webhooks.beside(stopping))
        try:
            async with public_port(settings.web, [webhooks, Door([], problem)]):
                yield house
        finally:
            stopping.set()
            with suppress(asyncio.CancelledError):
                await completing
            await database.close()
            await log.close()

    return serve


@pytest.fixture
async def twilios(house_of: Serving) -> AsyncGenerator[House]:
    """A number at Twilio."""
    async with AsyncExitStack() as held:
        yield await held.enter_async_context(house_of(await held.enter_async_context(serving(Twilio()))))


@pytest.fixture
async def notifys(house_of: Serving) -> AsyncGenerator[House]:
    """A number at GOV.UK Notify."""
    async with AsyncExitStack() as held:
        yield await held.enter_async_context(house_of(await held.enter_async_context(serving(Notify()))))


@pytest.fixture
async def vonages(house_of: Serving) -> AsyncGenerator[House]:
    """A number at Vonage."""
    async with house_of() as it:
        yield it
