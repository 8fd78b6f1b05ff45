"""A form on the real public port, with a real log, register and originals beside it, and somebody at a browser who fills it in."""

import re
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from channels.web_form.ingress import door
from channels.web_form.questions import CHECK
from channels.web_form.settings import FormAccount
from ingest.clock import now
from ingest.contract import Contact, decode
from ingest.database import Database
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import CONTACTS, Arrival, receive
from ingest.scan import scanner
from ingest.settings import Settings
from ingest.uploads import Uploads
from ingest.web import Door, problem
from tests.clock import Clock
from tests.servers.loopback import free_ports, plain_client, public_port

KEY = "7f3a91c04be82d6659d1e07ab34c8f20"
TEAMS = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")

FILLED_IN: Mapping[str, Mapping[str, Any]] = {
    "purpose": {"purpose": "feedback"},
    "about": {"about": "decision"},
    "organisation": {"organisation": "Wharfside Hospital"},
    "what-happened": {"what_happened": "You took nine months over my case.\r\nNobody told me why."},
    "inaccurate-facts": {"inaccurate_facts": "You say I was seen on 3 May. I was not."},
    "new-information": {"new_information": ""},
    "overlooked-information": {"overlooked_information": "My letter of 4 June is not mentioned."},
    "remedy": {"remedy": "I want an apology."},
    "files": {"go": "on"},
    "for-whom": {"for_whom": "myself"},
    "other-person": {"other_name": "Idris Pargeter"},
    "authority": {"authority": "power_of_attorney"},
    "name": {"name": "Ada Pargeter"},
    "date-of-birth": {"date_of_birth-day": "7", "date_of_birth-month": "2", "date_of_birth-year": "1961"},
    "address": {"address_1": "4 Wharf Lane", "address_2": "", "town": "Derby", "postcode": "DE80 4PT"},
    "email": {"email": "Ada.Pargeter@example.org"},
    "telephone": {"telephone": "(01632) 960-001"},
    "safe": {"unsafe_ways": ["sms"], "unsafe_words": "My neighbour has my mobile."},
    "reply": {"reply": "letter"},
    "contacted-before": {"contacted_before": "yes"},
    "case-reference": {"case_reference": "p-0123456"},
    "adjustments": {"adjustments": ["large_print", "extra_time"], "adjustments_other": "Size 18 please."},
}


@dataclass
class House:
    """The form as it runs, and what came of it."""

    port: int
    settings: Settings
    clock: Clock
    log: SqliteLog
    database: Database
    originals: Originals
    away: list[Exception] = field(default_factory=list)
    """What is wrong while a form is taken in, one thing at each try; nothing where none is left."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def contacts(self) -> list[Contact]:
        """Every contact on the log, a repeat as often as it is there."""
        found = await self.log.read(CONTACTS.name, after={}, most=1_000)
        return [Contact.model_validate_json(decode(each.record).data) for each in found]

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.read() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]


Serving = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def serving(tmp_path: Path, empty_register: Path) -> Serving:
    """Serve a form with such settings of its account, or of a section by its name."""

    @asynccontextmanager
    async def serve(account: Mapping[str, Any] | None = None, **sections: Any) -> AsyncGenerator[House]:
        (port,) = free_ports(1)
        url = f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"
        web = {"public": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port}"} | sections.pop("web", {})
        settings = Settings(key=KEY, teams=TEAMS, web=web, **sections)  # type: ignore[arg-type]
        clock = Clock()
        log = await SqliteLog.open(
            tmp_path / "log.db", clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000, exclusive=True
        )
        house = House(port, settings, clock, log, Database(url), Originals(f"file://{tmp_path}/originals"))

        keep = partial(receive, originals=house.originals, log=log, database=house.database, key=KEY.encode())

        async def arrive(arrivals: Sequence[Arrival], **more: Any) -> list[Contact]:
            if house.away:
                raise house.away.pop(0)
            return await keep(arrivals, **more)

        uploads = Uploads(
            settings.uploads, scanner(settings.scan), originals=house.originals, database=house.database, clock=clock
        )
        form = door(
            "care",
            FormAccount.model_validate({"contact": "care@ombudsman.example", "quickest": "1ms", **(account or {})}),
            arrive=arrive,
            database=house.database,
            clock=clock,
            settings=settings,
            uploads=uploads,
        )
        try:
            async with public_port(settings.web, [form, Door([], problem)]):
                yield house
        finally:
            await house.database.close()
            await log.close()

    return serve


@pytest.fixture
async def house(serving: Serving) -> AsyncGenerator[House]:
    """A form as most people have it."""
    async with serving() as it:
        yield it


class Person:
    """Somebody at a browser without JavaScript: takes pages, fills them in, and posts what stands on them."""

    def __init__(self, house: House | str, language: str = "en", **chosen: Any) -> None:
        self.at = "/cy" if language == "cy" else ""
        url = house if isinstance(house, str) else house.url
        self.client = plain_client(base_url=url, timeout=20, **chosen)
        self.page = httpx.Response(200)

    async def see(self, where: str) -> httpx.Response:
        """A page, through whatever it leads on to."""
        self.page = await self.client.get(f"{self.at}/{where}", follow_redirects=True)
        return self.page

    def hidden(self) -> dict[str, str]:
        """What stands on the page and is not shown."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.page.text)}

    async def post(self, where: str, fields: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Send the page that is seen with what was filled in, and go where it leads."""
        self.page = await self.client.post(
            f"{self.at}/{where}", data={**self.hidden(), **(fields or {})}, follow_redirects=True, **more
        )
        return self.page

    @property
    def where(self) -> str:
        """The path of the page that is seen, without the language."""
        return self.page.url.path.removeprefix(self.at).strip("/")

    async def fill_in(self, answers: Mapping[str, Mapping[str, Any]] | None = None, until: str = CHECK) -> None:
        """From the first page to another, each as in ``FILLED_IN`` but for ``answers``."""
        given = {**FILLED_IN, **(answers or {})}
        await self.see("feedback/purpose")
        while (page := self.where.removeprefix("feedback/")) != until:
            before = self.where
            await self.post(before, given[page])
            assert self.where != before, self.errors()

    async def send(self, **fields: str) -> httpx.Response:
        """Send what stands on the page of answers."""
        return await self.post(CHECK, fields)

    def errors(self) -> list[str]:
        """What the summary says is wrong."""
        return [unescape(each) for each in _ERRORS.findall(self.page.text)]

    def reference(self) -> str:
        """The reference that stands on the page; empty where there is none."""
        found = re.search(r"CC-[0-9A-Z]{5}-[0-9A-Z]{5}", self.page.text)
        return found[0] if found else ""


_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_ERRORS = re.compile(r'<li>\s*<a href="#[^"]*">(.*?)</a>', re.DOTALL)


@pytest.fixture
async def person(house: House) -> AsyncGenerator[Person]:
    """Somebody who writes English."""
    it = Person(house)
    yield it
    await it.client.aclose()
