"""One mailbox of ours: where it is read, and what sends for it."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from ingest.settings import Mailbox, Section, Span, on_this_machine

_PLAIN = "is not encrypted and not on this machine; mail would cross the network in the clear"


def _one_line(given: str) -> str:
    if any(each in given for each in '\r\n\0"\\'):
        raise ValueError("may hold no line end, quote or backslash")
    return given


OneLine = Annotated[str, AfterValidator(_one_line)]


class OAuth(Section):
    """How a mailbox is opened without a password: by an app of the organisation's, with OAuth 2 client credentials."""

    tenant: Annotated[OneLine, Field(pattern=r"^[\w.-]{1,100}$")]
    """The directory's id, or a domain of it."""
    client_id: OneLine
    """The app's id."""
    client_secret: SecretStr | None = Field(default=None, min_length=1)
    """Its secret, from the environment or ``client_secret_file``."""
    certificate_file: str | None = None
    """Instead of a secret: its certificate and private key, as PEM in one file."""
    authority: Annotated[str, Field(pattern=r"^https://[^\s/?#@]+$")] = "https://login.microsoftonline.com"
    """Who gives out the tokens."""
    scope: OneLine = "https://outlook.office365.com/.default"
    """What they are for."""

    @model_validator(mode="after")
    def _known_by_one(self) -> "OAuth":
        if (self.client_secret is None) == (self.certificate_file is None):
            raise ValueError("there must be client_secret_file or certificate_file, and only one of them")
        return self


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
    oauth: OAuth | None = None
    """Instead of a password: { tenant = "example.org", client_id = "the app's", client_secret_file = "care.secret" }; see docs/mail.md."""
    password: SecretStr | None = Field(default=None, min_length=1, validate_default=True)
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
    canary_every: Span | None = None
    """How often a mail to ``sender`` is sent that must come in again by this mailbox, such as 1h; where unsaid, never. See docs/mail.md."""
    smtp: str
    """``host:port`` of the server that sends."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """none only for a server on this machine."""
    smtp_login: bool = True
    """Whether that server wants ``user`` and ``password``, or a token."""
    sender: Mailbox
    """The address it is sent from and answers come to."""
    plus_addresses: bool = False
    """Whether mail to ``sender`` with ``+`` and anything after its name reaches it too: bounces and answers then tell what they are of."""
    sender_name: OneLine = "Customer Care"
    """The name beside it."""

    @field_validator("password")
    @classmethod
    def _one_way_in(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        opened: dict[str, Any] = info.data
        if "oauth" in opened and given is None and opened["oauth"] is None:
            raise ValueError("there is neither a password nor oauth")
        return given

    @model_validator(mode="after")
    def _encrypted(self) -> "EmailAccount":
        if self.password is not None and self.oauth is not None:
            raise ValueError("there are a password and oauth; the mailbox is opened by one of them")
        host, _, port = self.smtp.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("smtp: this is not host:port, such as smtp.example.org:587")
        if not self.tls and not on_this_machine(self.host):
            raise ValueError(f"host: it {_PLAIN}. Leave tls on")
        if self.smtp_security == "none" and not on_this_machine(host):
            raise ValueError(f"smtp: it {_PLAIN}. Use starttls or tls")
        return self
