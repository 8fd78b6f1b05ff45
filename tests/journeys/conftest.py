"""What a journey needs: a mailbox on a real server, a mail server that takes what is sent, and an installation between them."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from ingest.contract import TOPIC_NAMES
from tests.journeys.house import Installation
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.kafka import Kafka, running_kafka
from tests.servers.loopback import free_ports
from tests.servers.smtp import SmtpServer, smtp_server


@pytest.fixture(scope="session")
def dovecot() -> Generator[Dovecot]:
    """A mail server for the session."""
    yield from running_dovecot()


@pytest.fixture(scope="session")
def cluster() -> Generator[Kafka]:
    """One that journeys share, and nobody else: the service's topics have no other names."""
    yield from running_kafka()


@pytest.fixture
def kafka(cluster: Kafka) -> Generator[Kafka]:
    """The cluster, which is at the end as a new one is."""
    yield cluster
    asyncio.run(without_topics(cluster))


async def without_topics(kafka: Kafka) -> None:
    """Let go of the service's topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.url.removeprefix("kafka://"))
    await admin.start()
    await admin.delete_topics(list(TOPIC_NAMES))
    await admin.close()


@pytest.fixture
async def smtp() -> AsyncGenerator[SmtpServer]:
    """A mail server that takes everything."""
    async with smtp_server() as server:
        yield server


@pytest.fixture
def home(dovecot: Dovecot, smtp: SmtpServer, tmp_path: Path) -> Generator[Installation]:
    """An installation whose mailbox is empty; not started."""
    (port,) = free_ports(1)
    user = f"journey{port}"
    dovecot.mailbox(user)
    it = Installation.make(tmp_path / "home", dovecot, user, smtp.port, port)
    yield it
    it.stop()
