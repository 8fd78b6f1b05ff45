"""What `ingest check` says of a mailbox: whether it can be read, and whether mail can be sent from it."""

import asyncio
from typing import Any, Final

from channels.email.ingress import survey
from channels.email.send import Connection
from channels.email.settings import EmailAccount
from ingest.clock import Clock
from ingest.database import Database
from ingest.errors import IngestError
from ingest.finding import Finding

_DEADLINE_SECONDS: Final = 60.0
_TO_MEND: Final = {
    "unreachable": "The server cannot be reached. Check smtp, and that a firewall lets us out to it.",
    "certificate-refused": "Its certificate is not trusted. Check smtp's host name, or name its authority in ca_file.",
    "no-starttls-or-login": "It offers no STARTTLS, or no way to log in. Check smtp_security and smtp_login.",
    "oauth-unreachable": "No token can be had. Check oauth.authority, and that a firewall lets us out to it.",
    "oauth-refused": "No token is given. Check oauth.tenant and oauth.client_id, and whether the secret or certificate has run out.",
    "oauth.certificate_file": "The certificate of oauth cannot be read, or has no private key beside it.",
    "server-refused": "It refused us. Check user, password and smtp_login.",
}


async def look(name: str, account: EmailAccount, *, database: Database, clock: Clock, **_: Any) -> list[Finding]:
    """One finding for reading and one for sending, at the same time."""
    return list(await asyncio.gather(_mail_in(name, account, database, clock), _mail_out(name, account)))


async def _mail_in(name: str, account: EmailAccount, database: Database, clock: Clock) -> Finding:
    about = f"channels.email.{name} in"
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            seen = await survey(name, account, database=database, clock=clock)
    except TimeoutError:
        return Finding(about, False, f"It did not answer within {_DEADLINE_SECONDS:.0f} s. Check host and port.")
    return Finding(about, seen.reachable and seen.folder_found, seen.sentence)


async def _mail_out(name: str, account: EmailAccount) -> Finding:
    about = f"channels.email.{name} out"
    connection = Connection(account)
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            wrong = await connection.check()
            await connection.close()
    except IngestError as error:
        return Finding(about, False, error.sentence)
    except TimeoutError:
        return Finding(about, False, f"It did not answer within {_DEADLINE_SECONDS:.0f} s. Check smtp.")
    if wrong is None:
        return Finding(about, True, f"{account.smtp} would take mail from {account.sender}.")
    return Finding(about, False, f"{_TO_MEND[wrong.reason.partition(':')[0]]} ({wrong.reason})")
