"""What a journey needs: a mailbox on a real server, and a port for the service."""

import socket
from collections.abc import Generator
from contextlib import closing

import pytest

from tests.servers.dovecot import Dovecot, running_dovecot


@pytest.fixture(scope="session")
def dovecot() -> Generator[Dovecot]:
    """A mail server for the session."""
    yield from running_dovecot()


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
