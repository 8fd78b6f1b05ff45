"""What sending on a channel comes to, and what every channel's way out offers to the dispatcher.

What may have been taken is told apart from what surely was not: a provider that fell silent after it had a message may have
sent it. No answer of a provider is passed on but its codes: the words name people.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

import httpx

from ingest.contract import Outgoing


class Trouble(Enum):
    """Whom a deferral concerns."""

    CONNECTION = "connection"
    """The server cannot be reached, or let go of us: the very next try may do."""
    ACCOUNT = "account"
    """The server will not have us: nothing of this account goes until somebody has mended it."""
    MESSAGE = "message"
    """This message, for now."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has said that it is responsible for it."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It was not taken and may be later: at ``until`` where that is known, which is then no failed attempt."""

    reason: str
    trouble: Trouble
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It was sent and nobody said whether it was taken."""

    reason: str


Outcome = Accepted | Deferred | Failed | Unknown
"""Reasons are a stable word, with the server's codes after a colon where it gave any: ``recipient-refused: 550 5.1.1``."""


def fault(error: BaseException) -> Deferred | Unknown:
    """What a fault of a request over HTTP comes to: what was not on its way yet was surely not taken."""
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            if _is_of_a_certificate(error):
                return Deferred("certificate-refused", Trouble.ACCOUNT)
            return Deferred("unreachable", Trouble.CONNECTION)
        case httpx.TimeoutException() | TimeoutError():
            return Unknown("no-answer")
        case _:
            return Unknown("connection-lost")


def trace_headers(outgoing: Outgoing) -> dict[str, str]:
    """What a request that sends a message says of the trace that the message is part of."""
    return outgoing.trace.headers() if outgoing.trace else {}


def _is_of_a_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


class Connection(Protocol):
    """An account's way to its provider: made when it is wanted, kept for a run, made anew after any fault."""

    async def send(self, outgoing: Outgoing, now: datetime) -> Outcome:
        """Hand one message over; it never raises for what a provider or a network does."""
        ...

    async def asked(self, outgoing: Outgoing) -> Outcome | None:
        """What the provider knows of a message that may have been handed over before a crash or a silence: Accepted where it has it,
        Failed where it refused it, None where it cannot tell, and then it is sent once more. Deferred where it cannot be asked now.
        """
        ...

    async def check(self) -> Deferred | None:
        """Reach the provider and log in, sending nothing; None where it would take a message of ours, else why it would not."""
        ...

    async def close(self) -> None:
        """Take leave of the provider, if there is one."""
        ...
