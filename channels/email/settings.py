"""One mailbox of ours: where it is read, and what sends for it."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from ingest.settings import Mailbox, Section, Span, on_this_machine

_PLAIN = "is not encrypted and not on this machine; mail would cross the network in the clear"


def _one_line(given: str) -> str:
    if any(each in given for each in '\r\n\0"\\'):
        raise ValueError("may hold no line end, quote or backslash")
    return given


OneLine = Annotated[str, AfterValidator(_one_line)]


class EmailAccount(Section):
    """``[channels.email.NAME]``: as many as there are mailboxes."""

    host: str
    """IMAP server."""
    port: int = Field(default=993, ge=1, le=65535)
    """Implicit TLS; aioimaplib knows no STARTTLS."""
    tls: bool = True
    """Off only for a server on this machine."""
    ca_file: str | None = None
    """Certificates to trust besides the system's, as PEM."""
    user: OneLine
    """Who reads the mailbox."""
    password: SecretStr = Field(min_length=1)
    """From the environment or ``password_file``."""
    folder: OneLine = "INBOX"
    """The folder that is read."""
    move_to: OneLine | None = None
    """Where what is taken in is moved; where unsaid it is flagged as seen and stays."""
    poll_every: Span = timedelta(seconds=60)
    """A look without being told: IDLE may die silently."""
    most_message_bytes: int = Field(default=52_428_800, ge=65_536)
    """Of a larger message the beginning is kept and a person told."""
    authserv_id: str | None = None
    """Whose Authentication-Results are believed: the name your own mail server signs them with. Where unsaid, nobody's."""
    check_dkim: bool = False
    """Whether we look up signatures ourselves where that server says nothing; each signed mail then costs questions to the DNS."""
    smtp: str
    """``host:port`` of the server that sends."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """none only for a server on this machine."""
    smtp_login: bool = True
    """Whether that server wants ``user`` and ``password``."""
    sender: Mailbox
    """The address it is sent from and answers come to."""
    plus_addresses: bool = False
    """Whether mail to ``sender`` with ``+`` and anything after its name reaches it too: bounces and answers then tell what they are of."""
    sender_name: OneLine = "Customer Care"
    """The name beside it."""

    @model_validator(mode="after")
    def _encrypted(self) -> "EmailAccount":
        host, _, port = self.smtp.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("smtp: this is not host:port, such as smtp.example.org:587")
        if not self.tls and not on_this_machine(self.host):
            raise ValueError(f"host: it {_PLAIN}. Leave tls on")
        if self.smtp_security == "none" and not on_this_machine(host):
            raise ValueError(f"smtp: it {_PLAIN}. Use starttls or tls")
        return self
