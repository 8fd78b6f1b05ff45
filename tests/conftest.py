"""Fixtures every test may use: a fixed clock, real servers and a browser, an empty register of each kind, and no socket but the
loopback's.
"""

import gc
import logging
import shutil
import socket
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from playwright.async_api import Browser
from sqlalchemy import Dialect, event
from sqlalchemy.ext.asyncio import AsyncEngine

from ingest import database, state
from ingest.clock import Clock
from ingest.database import upgrade
from router.register import MIGRATIONS
from tests.servers.browser import running_browser
from tests.servers.clamd import Clamd, running_clamd
from tests.servers.kafka import Kafka, running_kafka
from tests.servers.postgres import Postgres, Renewed, running_postgres

FIXED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def pytest_collection_finish() -> None:
    """Seven thousand tests and all that they import stay to the end: who looks for garbage need not look through them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Generator[None]:
    """A statement is compiled once in a run, as in a service that runs for months, though each test opens a register of its own."""
    compiled: dict[Any, Any] = {}
    known: dict[str, Dialect] = {}
    real = database.create_async_engine

    def create(url: Any, **how: Any) -> AsyncEngine:
        engine = real(url, **{**how, "execution_options": {**how.get("execution_options", {}), "compiled_cache": compiled}})
        sync = engine.sync_engine
        if (dialect := known.get(sync.dialect.name)) is not None:
            sync.dialect = dialect  # what is compiled is kept by dialect
        else:
            event.listen(sync, "connect", lambda *_: known.setdefault(sync.dialect.name, sync.dialect))
        return engine

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "create_async_engine", create)
        yield


@pytest.fixture
def clock() -> Clock:
    """Half past nine on a Monday morning in March, and it stays so."""
    return lambda: FIXED


@pytest.fixture(scope="session")
def kafka() -> Generator[Kafka]:
    """A real cluster of one node, started when a test first wants it; each test has topics of its own."""
    yield from running_kafka()


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """A PostgreSQL that all tests of a run share; nobody but a test of restarts may restart it."""
    yield from running_postgres()


@pytest.fixture(scope="session")
def clamd() -> Generator[Clamd]:
    """A ClamAV daemon that all tests of a run share; one that stops it or freezes it has its own."""
    yield from running_clamd()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """A Chromium for a run; a test that uses it runs in the session's loop, and opens pages with ``visiting``."""
    async for each in running_browser():
        yield each


@pytest.fixture(scope="session")
def empty_register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("register") / "register.db"
    upgrade(f"sqlite:///{path}", [MIGRATIONS, state.MIGRATIONS])
    return path


@pytest.fixture(scope="session")
def register_on_postgres(postgres: Postgres) -> Renewed:
    template = postgres.create()
    upgrade(postgres.url(template), [MIGRATIONS, state.MIGRATIONS])
    return Renewed(postgres, template)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def register_url(request: pytest.FixtureRequest, tmp_path: Path, empty_register: Path) -> Generator[str]:
    """An empty register of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    one: Renewed = request.getfixturevalue("register_on_postgres")
    yield server.url(one.fresh())


@pytest.fixture(autouse=True)
def said_here() -> Generator[None]:
    """Telemetry goes where pytest listens at the time: what a command of one test set up is closed in the next."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers, root.level = handlers, level


@pytest.fixture(autouse=True)
def fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection off the loopback: a test that reaches out is a fault."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)
