"""Fixtures every test may use: a fixed clock, a real Kafka and PostgreSQL, and no socket but the loopback's."""

import socket
from collections.abc import Generator
from datetime import UTC, datetime

import pytest

from ingest.clock import Clock
from tests.servers.kafka import Kafka, running_kafka
from tests.servers.postgres import Postgres, running_postgres

FIXED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


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


@pytest.fixture(autouse=True)
def fenced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection off the loopback: a test that reaches out is a fault."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect)
