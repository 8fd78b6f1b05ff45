"""What an operator may choose: one TOML file, each key also in the environment, secrets only from there or from files.

``INGEST_SECTION__KEY`` overrides ``[section] key``. Paths are relative to the file. An unknown key stops the start and is
named. A channel's own section is checked by its folder (``channels.table``), so that this file knows no channel.
"""

import os
import re
import tomllib
import warnings
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from ingest.errors import Misconfigured
from ingest.key import Key

_SPAN = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(ms|s|m|h|d)\s*")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MAILBOX = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
# What stands where a secret should: in our own example, in everybody's first try, or in a row on the keyboard.
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|this|it)|replace|example|placeholder|default|secret|password|1234567890|abcdefghij", re.IGNORECASE
)
# What a name or a reference would be put into: {name}, %s, $name, <name>, [name], __name__.
_BLANK = re.compile(r"[{}<>\[\]]|%[(%\w]|\$\w|_{2,}|XX+|\bCC-", re.IGNORECASE)
_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")
_SHORTEST_KEY = 32
_FEWEST_CHARACTERS = 8  # 32 random hex digits have fewer different ones once in 25 million keys
# ``[register]`` is the settled name of the section; the attribute it shadows is ABCMeta's, which no settings need.
warnings.filterwarnings("ignore", message='Field name "register" in "Settings" shadows')

_KEYS = ("key", "previous_keys")
SECRET_KEYS = frozenset(
    {"password", "key", "previous_keys", "access_key", "secret_key", "token", "secret", "bearer", "api_key", "client_secret"}
)


def _span(given: object) -> object:
    """``48h``, ``30m``, ``90s``, ``250ms`` or ``30d``."""
    if isinstance(given, str) and (found := _SPAN.fullmatch(given)):
        return timedelta(seconds=float(found[1]) * _UNIT[found[2]])
    if isinstance(given, timedelta):
        return given
    raise ValueError("write a length of time as a number and a unit: 250ms, 90s, 30m, 48h or 30d")


def on_this_machine(host: str) -> bool:
    """Whether what is sent there never leaves this machine, and so may go in the clear."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _positive(given: timedelta) -> timedelta:
    if given <= timedelta(0):
        raise ValueError("a length of time must be more than nothing")
    return given


def _mailbox(given: str) -> str:
    if not _MAILBOX.fullmatch(given):
        raise ValueError("this is not a mailbox: write it as name@example.org")
    return given


def _endpoint(given: str) -> str:
    host, _, port = given.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise ValueError("this is not an address to listen on: write it as 127.0.0.1:9464")
    return given


def _network(given: str) -> str:
    try:
        ip_network(given)
    except ValueError as error:
        raise ValueError("this is not an address or a network: write it as 192.0.2.7 or 10.1.0.0/16") from error
    return given


def _public_url(given: str) -> str:
    found = urlsplit(given)
    if found.scheme not in ("http", "https") or not found.hostname or found.path.strip("/") or found.query or found.username:
        raise ValueError("write it as https://contact.example.org")
    return given.rstrip("/")


def _collector(given: str) -> str:
    found = urlsplit(given)
    if found.scheme not in ("http", "https") or not found.hostname or found.query or found.username:
        raise ValueError("write it as http://127.0.0.1:4318")
    if found.scheme == "http" and not on_this_machine(found.hostname):
        raise ValueError("write it with https, or name a collector on this machine")
    return given.rstrip("/")


def _scanner(given: str) -> str:
    scheme, _, place = given.partition("://")
    host, _, port = place.rpartition(":")
    is_tcp = scheme == "tcp" and host and port.isascii() and port.isdigit() and int(port[:6]) <= 65535
    if not is_tcp and not (scheme == "unix" and place.startswith("/")):
        raise ValueError(
            "this is not where a scanner listens: write it as tcp://127.0.0.1:3310 or unix:///run/clamav/clamd.ctl"
        )
    return given


def _fixed(given: str) -> str:
    if not given.strip() or _BLANK.search(given):
        raise ValueError(
            "a public reply is the same words for everybody: it must have some, and no place for a name or a reference"
        )
    return given.strip()


def _zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("this is not a time zone; Europe/London is") from error
    return given


def _hours(given: str) -> str:
    found = _HOURS.fullmatch(given)
    if found is None or found[1] >= found[2]:
        raise ValueError("these are not the hours of one day: write them as 09:00-17:00")
    return given


def _guessable(given: SecretStr) -> SecretStr:
    _no_guess(given.get_secret_value())
    return given


def _none_guessable(given: SecretStr) -> SecretStr:
    for each in given.get_secret_value().split():
        _no_guess(each)
    return given


def _no_guess(secret: str) -> None:
    if _PLACEHOLDER.search(secret) or len(secret) < _SHORTEST_KEY or len(set(secret)) < _FEWEST_CHARACTERS:
        raise ValueError("anybody can guess it")


Span = Annotated[timedelta, BeforeValidator(_span), AfterValidator(_positive)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Network = Annotated[str, AfterValidator(_network)]
KeyDigest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PublicUrl = Annotated[str, AfterValidator(_public_url)]


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class LogSettings(Section):
    """Where contacts are written before anything else happens to them."""

    url: str = "sqlite:///log.db"
    """sqlite:///path, one process on one machine; kafka://host:9092,host:9092, as many as are wanted."""
    security: Literal["plain", "tls", "sasl-tls"] = "plain"
    """Of Kafka. plain: none, in a network of our own; tls; sasl-tls: with username and password by SCRAM-SHA-512."""
    ca_file: str | None = None
    """Whose certificates of Kafka's are trusted; the system's where unsaid."""
    username: str | None = None
    """Who we are to Kafka."""
    password: SecretStr | None = Field(default=None, min_length=1)
    """From the environment or a file."""
    group_instance_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,200}$")
    """A name of this process alone, under which it comes back to its partitions of Kafka at once; other members then wait for
    its session to end where it does not."""
    spool: Path = Path("spool")
    """Of Kafka: the folder, on a disk that outlives the process, where what has been accepted waits while Kafka is away or slow. Each
    process that takes contacts in has a file of its own there."""
    spool_after: Span = timedelta(milliseconds=1500)
    """How long Kafka is waited for before that; somebody waits at the door meanwhile."""
    spool_most_bytes: int = Field(default=1_000_000_000, ge=1_000_000)
    """What may wait there, in bytes, past which nothing more is accepted until Kafka is back."""
    retention: Span = timedelta(days=30)
    """How long records are kept after every reader has had them."""
    most_record_bytes: int = Field(default=8_000_000, ge=65_536, le=64_000_000)
    """The largest record, in bytes; a contact's text is cut at 256 KiB, so only a publisher can reach it."""

    @property
    def spooled(self) -> Path | None:
        """``spool`` where contacts may wait there; None where the log is on this machine itself."""
        return self.spool if self.url.startswith("kafka:") else None


class RegisterSettings(Section):
    """The case register and everything decided."""

    url: str = "sqlite:///register.db"
    """sqlite:///path, or postgresql://user@host/name (15 or later)."""
    password: SecretStr | None = None
    """Of PostgreSQL's user; from the environment or ``password_file``."""


class OriginalsSettings(Section):
    """The bytes as they came."""

    url: str = "file:///originals"
    """file:///folder, or s3://bucket/prefix."""
    endpoint: str | None = None
    """Where the bucket is reached, such as https://s3.example.org; Amazon's own where unsaid."""
    region: str = "eu-west-2"
    """The bucket's region."""
    access_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    """The bucket's key, from the environment or a file; without it, the rights that the machine itself has been given."""
    secret_key: Annotated[SecretStr, Field(min_length=1)] | None = None
    """The secret that goes with it."""


class ScanSettings(Section):
    """What looks for viruses in the files that people send."""

    clamd: Annotated[str, AfterValidator(_scanner)] | None = None
    """tcp://host:port or unix:///path of ClamAV's daemon. Without one, files are kept and may not be opened."""
    within: Span = timedelta(seconds=20)
    """How long it may take over one file, which is otherwise kept and may not be opened."""
    most_bytes: int = Field(default=25_000_000, ge=65_536)
    """The largest file it is given, and the largest within an archive, in bytes; what is larger is withheld. No more than its
    StreamMaxLength and MaxFileSize: 25M of Debian's."""


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

FileType = Literal[
    "pdf", "jpeg", "png", "heic", "tiff", "gif", "webp", "docx", "xlsx", "odt", "ods", "doc", "xls", "msg", "rtf", "eml", "txt",
    "mp3", "mp4", "wav",
]  # fmt: skip
"""A kind of file that can be told by its bytes (``ingest.files``)."""


class UploadsSettings(Section):
    """Files that people and other systems send us ahead of what they belong to."""

    most_bytes: int = Field(default=10_000_000, ge=1, le=100_000_000)
    """The largest file, in bytes."""
    most_files: int = Field(default=10, ge=1)
    """Files that one person, or one system for one contact, may have with us at a time."""
    types: tuple[FileType, ...] = Field(default=get_args(FileType), min_length=1)
    """What may be sent, by what is in a file and not by its name."""
    kept_for: Span = timedelta(hours=24)
    """When a file is forgotten that nothing was sent with."""


class WebSettings(Section):
    """Where the service listens."""

    public: Endpoint = "127.0.0.1:8080"
    """The form, and what other systems publish to us; what may be reached from outside."""
    public_url: PublicUrl = "http://127.0.0.1:8080"
    """How people reach it, as https://host; it stands in links."""
    trusted_proxies: tuple[Network, ...] = ()
    """Addresses or networks of the proxies before it, whose X-Forwarded-For is believed; nobody else's is."""
    certificate_file: str | None = None
    """Its certificate with the chain, in PEM, where no proxy before it has one."""
    certificate_key_file: str | None = None
    """The certificate's key, where it is not in the same file."""
    client_ca_file: str | None = None
    """Whose certificates of publishers are believed; see ``certificate`` in [publishers."URN"]."""
    at_once: int = Field(default=200, ge=1, le=400)
    """Requests in hand at once; what is over it is told to come back later."""
    most_body_bytes: int = Field(default=11_000_000, ge=65_536)
    """The largest request, in bytes: one file and what goes round it."""
    private: Endpoint = "127.0.0.1:9464"
    """Health and metrics; never reachable from outside."""


class Teams(Section):
    """Mailboxes of the people who take over from here."""

    intake: Mailbox
    """New enquiries and complaints about other bodies."""
    investigators: Mailbox
    """Open cases without an owner of their own."""
    customer_care: Mailbox
    """Review and letter tasks, and closed cases whose owner has left."""
    duty: Mailbox
    """Urgent tasks, at once: a mailbox that somebody watches day and night."""
    duty_second: Mailbox | None = None
    """Urgent tasks that nobody has claimed in time."""
    staff_safety: Mailbox | None = None
    """Threats to staff, besides the duty mailbox."""
    external_affairs: Mailbox | None = None
    """Posts on social media that wait to be allocated; customer_care where unsaid."""


class AcknowledgementSettings(Section):
    """What we promise people, and what we tell them."""

    within: Span = timedelta(hours=48)
    """From when our edge had it (service model, "Service Standards")."""
    calendar: Literal["elapsed", "working"] = "elapsed"
    """elapsed: hours as they pass; working: working hours alone, so that 48h are six days of eight."""
    working_hours: Annotated[str, AfterValidator(_hours)] = "09:00-17:00"
    """Of a working day, in ``time_zone``."""
    working_days: tuple[Weekday, ...] = Field(default=("mon", "tue", "wed", "thu", "fri"), min_length=1)
    """Those of the week; bank holidays are none."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    """Of the working hours."""
    country: str = "GB"
    """Whose bank holidays, by its ISO 3166 code."""
    subdivision: str = "ENG"
    """Of which part of it: ENG, WLS, SCT or NIR of GB; nothing where it has none."""
    warn_before: Span = timedelta(hours=6)
    """How long before an acknowledgement is due Customer Care are warned of it, counted by the same calendar."""
    organisation: str = "Customer Care"
    """How we sign, in English."""
    organisation_cy: str = "Gofal Cwsmeriaid"
    """How we sign, in Welsh."""
    telephone: str | None = None
    """What to ring to reach us; also named in the acknowledgement for telling us of a need."""
    text_number: str | None = None
    """Where to send us a text message; named to people on social media who are invited to contact us."""
    postal_address: str | None = None
    """Where to write to us, in one line; named to them as well."""
    public_reply: Annotated[str, AfterValidator(_fixed)] = (
        "Thank you for your message. We would like to help. Please contact us by telephone or text message, by email or letter, "
        "or with the online form on our website. Please do not post personal details here."
    )
    """What is said to somebody on social media where everybody can read it: word for word the same to all, in English."""
    public_reply_cy: Annotated[str, AfterValidator(_fixed)] = (
        "Diolch am eich neges. Hoffem helpu. Cysylltwch â ni dros y ffôn neu drwy neges destun, drwy e-bost neu lythyr, neu gyda'r "
        "ffurflen ar-lein ar ein gwefan. Peidiwch â rhoi manylion personol yma."
    )
    """The same, in Welsh."""
    next_step_within: str = "10 working days"
    """By when the person hears from somebody, in English."""
    next_step_within_cy: str = "10 diwrnod gwaith"
    """The same, in Welsh."""
    answers: Path | None = None
    """A folder of approved answers to general queries, a Markdown file each; a query without one is answered by a person."""
    emergency: str = "999"
    """Whom to ring in an emergency, since we are no emergency service."""
    listening: str = "Samaritans on 116 123"
    """Whom to ring at any hour to talk, in English."""
    listening_cy: str = "y Samariaid ar 116 123"
    """The same, in Welsh."""

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        """That a warning comes after what it warns of; and where working hours are counted, that the country's bank holidays are known."""
        if self.warn_before >= self.within:
            raise ValueError("warn_before must be shorter than within: nobody can be warned of what has not come yet")
        if self.calendar == "working":
            from holidays import country_holidays  # half a second, for those alone who want it

            try:
                country_holidays(self.country, subdiv=self.subdivision or None)
            except NotImplementedError as error:
                raise ValueError(
                    f"nobody knows the bank holidays of country {self.country}, subdivision {self.subdivision or 'none'}"
                ) from error
        return self


class OutgoingSettings(Section):
    """What is sent by itself, and how much of it."""

    mode: Literal["off", "review", "on"] = "on"
    """off: nothing to the public; review: a person releases each; on: sent by itself."""
    burst: int = Field(default=300, ge=1)
    """Messages to the public in ten minutes, past which sending stops until a person lets it go on."""
    sender_budget: int = Field(default=5, ge=1)
    """Automatic messages to one address in a day; what is over it is held."""
    account: str | None = None
    """Which email account sends notices to teams; the first one where unsaid."""
    digest_at: str = Field(default="08:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """When the digest of what is unsettled is sent, in ``time_zone``."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    """For the digest and for times in letters."""


class RouterSettings(Section):
    """How contacts are worked through."""

    batch: int = Field(default=500, ge=1, le=5_000)
    """Contacts in one transaction."""
    batch_bytes: int = Field(default=8_000_000, ge=65_536)
    """Bytes in one transaction."""
    dead_letters_in_a_row: int = Field(default=50, ge=1)
    """Past so many with nothing readable between them the router stops: the fault is then ours or a publisher's."""
    stuck_after: Span = timedelta(minutes=5)
    """Where contacts wait for so long and none is routed, for no reason that the router knows, it ends, to be started again."""
    urgent_unclaimed_after: Span = timedelta(minutes=30)
    """When an urgent task that nobody claimed goes to the second duty mailbox."""
    allocate_within: Span = timedelta(hours=24)
    """By when External Affairs & Strategy has said whose a post on social media is; past it, they are told again and it is an alarm."""
    review_within: Span = timedelta(hours=24)
    """When a review task is due; the person's own clock runs on."""
    not_read_within: Span = timedelta(hours=4)
    """By when a person has taken up what could not be read in full for risk; past it the duty mailbox is told, and it is an alarm."""
    handoff_within: Span = timedelta(hours=48)
    """By when a team has said that it has taken a handoff or returns it; past it they and Customer Care are told, and it is an alarm."""
    ledger_gap_after: Span = timedelta(minutes=15)
    """How long the ledger may have something unaccounted for before Customer Care is told of it; what is between two counts is no loss."""


class ReadingSettings(Section):
    """What is done by what a contact says, without a person."""

    automatic_at: float = Field(default=0.81, ge=0.5, le=1.0)
    """How sure the reading must be of what a contact asks for, as a share: of ten contacts read with 0.9, nine are read rightly. What falls
    short of it is for a person to decide, who is told what it most likely is. Higher makes fewer mistakes and more work."""


class MatchingSettings(Section):
    """How it is found whom of the register a contact is from."""

    weights: Path | None = None
    """A file of weights, such as `ingest match train` writes, in place of those it comes with; the version of what a decision was
    weighed with stands on the audit trail. One that matching does not know in full stops the start."""


class AuditSettings(Section):
    """What shows that the audit trail was not cut off or made anew, even by whoever may write the register."""

    heads: str | None = None
    """file:///folder or s3://bucket/prefix where signed heads of the trail are kept, every ten minutes in which it grew: on another machine,
    and where nobody who may write the register can take anything away. A bucket is reached as that of [originals] is."""
    key: SecretStr | None = Field(default=None, min_length=44)
    """What signs them: 32 bytes as `openssl rand -base64 32` prints them, from the environment or ``key_file``."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.heads is None) != (self.key is None):
            raise ValueError("heads and key go together: heads are signed, or there are none")
        return self


_LEAST: Final = timedelta(days=7)
_OF_A_CONTACT: Final = ("feedback", "handoffs", "tasks", "messages", "originals", "receipts", "repeats", "audit")


class RetentionSettings(Section):
    """How long what has come to its end is kept, seven days at least. What has no time here is kept for good, and what was made of a contact
    for as long as the contact. Whatever its time, nothing goes that is open, untaken, unsent, urgent or on legal hold: see `ingest retention`.
    """

    apply: bool = False
    """Whether the router removes once a day what is past its time. Without it `ingest retention --yes` does, and what is due is counted."""
    contacts: Span | None = None
    """A contact with everything made of it, from when it was last acted on. Longer than [log] retention; six years are 2192d."""
    originals: Span | None = None
    """Its bytes as they came and the files with it, from the same moment, where no other contact has the same ones. Longer than the log's too."""
    feedback: Span | None = None
    """A settled feedback record, from when its contact was last acted on."""
    handoffs: Span | None = None
    """A handoff, from when its team took, returned or settled it."""
    tasks: Span | None = None
    """A task, from when it was done."""
    messages: Span | None = None
    """A message of ours, to people or to our own, from its end: accepted, bounced, cancelled and the like."""
    receipts: Span | None = None
    """The ledger's note that our edge had a contact, from when it had it; earlier hours then count less. Longer than the log's too."""
    repeats: Span | None = None
    """By what a repeat is known at the edge: publishers' and providers' ids, and fingerprints of mails. From when it came."""
    audit: Span | None = None
    """What an entry of the audit trail says, from when it was made. That there was one stays, and the trail verifies."""
    dead_letters: Span | None = None
    """A dead letter with its bytes, from when it was replayed or discarded. Longer than [log] retention."""
    individuals: Span | None = None
    """Somebody whom the router made, of whom no contact, record or case is left, from when they were made."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in RetentionSettings.model_fields:
            span = getattr(self, name)
            if isinstance(span, timedelta) and span < _LEAST:
                raise ValueError(
                    f"{name} is shorter than {_LEAST.days}d: bounces, repeats and the ledger's counts come later than that"
                )
            if name in _OF_A_CONTACT and span and self.contacts and span > self.contacts:
                raise ValueError(f"{name} is longer than contacts, and goes with its contact: make contacts at least as long")
        return self


class TelemetrySettings(Section):
    """What is told of the work while it is done, besides diagnostics and metrics."""

    spans: Literal["off", "batches", "contacts"] = "off"
    """Spans for a collector of OpenTelemetry's. off: none, and the trace that a contact came with is handed on as it came; batches: one for
    each contact that a door takes in, for what is done with each batch in the router, and for each message sent; contacts: besides, one
    for each contact in the router, which takes it longer. Wants `pip install contact-ingest[spans]`."""
    collector: Annotated[str, AfterValidator(_collector)] = "http://127.0.0.1:4318"
    """Where it takes them, by OTLP over HTTP."""


class Publisher(Section):
    """``[publishers."URN"]``: another system that may publish contacts, by its CloudEvents source. None but those named may."""

    keys: tuple[KeyDigest, ...] = ()
    """For POST /contacts: the SHA-256 of its key, as `printf %s "$KEY" | sha256sum` prints it; two while one takes the other's place.
    A key has 32 characters or more that nobody can guess, such as `openssl rand -hex 32` prints."""
    certificate: str | None = Field(default=None, min_length=1)
    """Or the common name in its certificate, by one of [web] client_ca_file."""
    may_vouch: bool = False
    """Its word that an identifier is verified is believed."""
    may_acknowledge: bool = False
    """Its word that the person has been told is believed."""
    may_backfill: bool = False
    """It may publish old contacts, to which nothing is sent."""
    may_allocate: bool = False
    """Its word on whose a post on social media is counts as that of External Affairs & Strategy: on the topic ``allocations``, and in
    its own contacts by ``needs_allocation``."""
    may_take: tuple[Literal["intake", "investigators", "case-owner"], ...] = ()
    """The teams for which it may say on ``handoffs.receipts`` that they have taken a handoff, return it or are done with it."""


def _told_apart(given: dict[str, Publisher]) -> dict[str, Publisher]:
    for kind, owned in (
        ("key", [key for each in given.values() for key in set(each.keys)]),
        ("certificate", [each.certificate for each in given.values() if each.certificate]),
    ):
        if len(set(owned)) != len(owned):
            raise ValueError(f"two publishers have the same {kind}: nobody could tell which of them it is")
    return given


class Settings(BaseSettings):
    """All of it, as one frozen value."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="INGEST_",
        env_nested_delimiter="__",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    key: Annotated[SecretStr, AfterValidator(_guessable)]
    """What keeps senders' addresses off the topics, and shows there what came by our own channels: 32 characters or more that nobody
    can guess, from the environment or a file."""
    previous_keys: Annotated[SecretStr, AfterValidator(_none_guessable)] = SecretStr("")
    """Those that it took the place of, one a line, the newest first: what they made is still known for ours. See docs/operations.md."""
    log: LogSettings = LogSettings()
    register: RegisterSettings = RegisterSettings()
    originals: OriginalsSettings = OriginalsSettings()
    scan: ScanSettings = ScanSettings()
    uploads: UploadsSettings = UploadsSettings()
    web: WebSettings = WebSettings()
    teams: Teams
    acknowledgement: AcknowledgementSettings = AcknowledgementSettings()
    outgoing: OutgoingSettings = OutgoingSettings()
    router: RouterSettings = RouterSettings()
    reading: ReadingSettings = ReadingSettings()
    matching: MatchingSettings = MatchingSettings()
    audit: AuditSettings = AuditSettings()
    retention: RetentionSettings = RetentionSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    channels: dict[str, dict[str, dict[str, Any]]] = {}
    publishers: Annotated[dict[str, Publisher], AfterValidator(_told_apart)] = {}

    @field_validator("retention")
    @classmethod
    def _outlasts_the_log(cls, given: RetentionSettings, info: ValidationInfo) -> RetentionSettings:
        """What goes is gone: the log would have it still, and could be read again."""
        log = info.data.get("log")
        for name in ("contacts", "originals", "dead_letters", "receipts"):
            span: timedelta | None = getattr(given, name)
            if span and isinstance(log, LogSettings) and span <= log.retention:
                raise ValueError(f"{name} must be longer than [log] retention, since the log has the same for as long as that")
        return given

    @property
    def own_key(self) -> Key:
        """``key``, with ``previous_keys``."""
        before = self.previous_keys.get_secret_value().split()
        return Key(self.key.get_secret_value().encode(), (each.encode() for each in before))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``load`` has put together: it knows which file the paths are relative to."""
        return (init_settings,)


_TOP_LEVEL_FILES = tuple(f"{each}_file" for each in _KEYS)


class _Environment(EnvSettingsSource):
    """Values as they are written: a password of digits is no number, and one in quotes keeps them."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ARG002 - the library's own
        """Left alone, where JSON would be read."""
        return value


def load(path: Path | None) -> Settings:
    """The settings of a file (else of ``INGEST_CONFIG``, else ``ingest.toml`` here) under the environment's.

    Raises Misconfigured, whose reason is the key to mend.
    """
    merged, folder = _given(path)
    _known_variables()
    try:
        return Settings(**_with_paths(_with_secrets(merged, folder, ()), folder))
    except ValidationError as error:
        raise misconfigured(error) from error


def secret_files(path: Path | None) -> dict[str, Path]:
    """The files that ``load`` reads secrets from, and private keys of certificates, each by its key. Raises Misconfigured."""
    merged, folder = _given(path)
    return dict(_secret_files(merged, folder, ()))


def _secret_files(given: Mapping[str, Any], folder: Path, within: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _secret_files(cast(Mapping[str, Any], value), folder, (*within, name))
        elif value and (
            name == "certificate_key_file" or (name.endswith("_file") and name.removesuffix("_file") in SECRET_KEYS)
        ):
            yield ".".join((*within, name)), folder / str(value)


def load_matching(path: Path | None) -> MatchingSettings:
    """``[matching]`` alone, for whoever matches files where nothing else is set up. Raises Misconfigured."""
    merged, folder = _given(path)
    try:
        return MatchingSettings.model_validate(_with_paths({"matching": merged.get("matching", {})}, folder)["matching"])
    except ValidationError as error:
        raise misconfigured(error, "matching") from error


def _given(path: Path | None) -> tuple[dict[str, Any], Path]:
    """What the file and the environment say, as it stands there, and the folder that paths are relative to."""
    chosen = path or Path(os.environ.get("INGEST_CONFIG", "ingest.toml"))
    given = _file(chosen, wanted=path is not None or "INGEST_CONFIG" in os.environ)
    _no_secrets(given, ())
    files = {each: os.environ[variable] for each in _TOP_LEVEL_FILES if (variable := f"INGEST_{each}".upper()) in os.environ}
    return _over(given, _Environment(Settings)()) | files, chosen.resolve().parent


def misconfigured(error: ValidationError, *within: str) -> Misconfigured:
    """The first thing wrong, as a sentence that names its key and never its value."""
    found = error.errors(include_input=False, include_url=False)
    # A key with a slip of the pen is both unknown and missing, and the first says more.
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    key = ".".join((*within, *(str(part) for part in first["loc"])))
    secret = key.rpartition(".")[2] in SECRET_KEYS
    match first["type"]:
        case "extra_forbidden":
            sentence = f"There is no setting {key}. `ingest check --write-example` prints all there are."
        case "missing" | "value_error" if secret and (key not in _KEYS or first["type"] == "missing"):
            sentence = f"{key} is missing. Put it into the environment as {_variable(key)}, or its file's path into {key}_file."
        case "missing":
            sentence = f"{key} is missing. `ingest check --write-example` shows how it is written."
        case _ if key == "key":
            sentence = "key must be 32 characters or more that nobody can guess, such as `openssl rand -hex 32` prints."
        case _ if key == "previous_keys":
            sentence = "previous_keys are keys that were `key` before, one a line: each has 32 characters or more that nobody can guess."
        case _ if secret:
            sentence = f"{key} is empty. Put it into the environment as {_variable(key)}, or its file's path into {key}_file."
        case _:
            sentence = f"{key}: {first['msg'].removeprefix('Value error, ')}."
    return Misconfigured(key, sentence)


def _file(path: Path, *, wanted: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not wanted:
            return {}
        raise Misconfigured(
            "config", f"There is no file {path}. `ingest check --write-example` prints one to start from."
        ) from error
    except OSError as error:
        raise Misconfigured("config", f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        twice = " A key or section may stand only once." if "overwrite" in str(error) or "twice" in str(error) else ""
        raise Misconfigured("config", f"{path} is not TOML: {error}.{twice}") from error


def _no_secrets(given: dict[str, Any], within: tuple[str, ...]) -> None:
    """A settings file is copied, mailed and committed; a secret in one is a secret no more."""
    for name, value in given.items():
        key = ".".join((*within, name))
        if name in SECRET_KEYS and not isinstance(value, dict):
            raise Misconfigured(
                key,
                f"{key} is a secret and stands in the settings file. Move it to {_variable(key)}, or name its file in {key}_file.",
            )
        if isinstance(value, dict):
            _no_secrets(cast(dict[str, Any], value), (*within, name))


def _over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """The upper's values over the lower's; the environment knows no case, so that a name in the file keeps its own."""
    both = dict(lower)
    names = {name.lower(): name for name in lower}
    for given, value in upper.items():
        name = names.get(given.lower(), given)
        below = both.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            value = _over(cast(dict[str, Any], below), cast(dict[str, Any], value))  # noqa: PLW2901
        both[name] = value
    return both


def _known_variables() -> None:
    known = {f"INGEST_{name}".upper() for name in (*Settings.model_fields, *_TOP_LEVEL_FILES)} | {"INGEST_CONFIG"}
    for variable in os.environ:
        if variable.upper().startswith("INGEST_") and variable.upper().split("__")[0] not in known:
            raise Misconfigured(
                variable, f"There is no setting for {variable}. `ingest check --write-example` prints all there are."
            )


def _with_secrets(given: dict[str, Any], folder: Path, within: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        secret = name.removesuffix("_file")
        if isinstance(value, dict):
            found[name] = _with_secrets(cast(dict[str, Any], value), folder, (*within, name))
        elif name != secret and secret in SECRET_KEYS:
            key = ".".join((*within, name))
            try:
                found.setdefault(secret, (folder / str(value)).read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                raise Misconfigured(
                    key, f"{key} names {value}, which cannot be read. Check that it exists and who may read it."
                ) from error
        else:
            found[name] = str(folder / str(value)) if name.endswith("_file") else value
    return found


def _with_paths(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """``sqlite:///log.db`` is beside the settings file; ``sqlite:////var/lib/log.db`` is where it says."""
    for section in ("log", "register", "originals"):
        if not isinstance(given.setdefault(section, {}), dict):
            continue
        chosen = dict(cast(dict[str, Any], given[section]))
        default = cast(Section, Settings.model_fields[section].default)
        url = str(chosen.get("url", default.model_dump()["url"]))
        scheme, mark, path = url.partition(":///")
        if mark and scheme in ("sqlite", "file"):
            chosen["url"] = f"{scheme}:///{(folder / path).resolve()}"
        if section == "log":
            chosen["spool"] = str(folder / str(chosen.get("spool", LogSettings().spool)))
        given[section] = chosen
    match given.get("audit"):
        case {"heads": str(heads), **said} if heads.startswith("file:///"):
            given["audit"] = {**said, "heads": f"file:///{(folder / heads.removeprefix('file:///')).resolve()}"}
        case _:
            pass
    for section, key in (("acknowledgement", "answers"), ("matching", "weights")):
        match given.get(section):
            case {**said} if key in said:
                given[section] = {**said, key: folder / str(said[key])}
            case _:
                pass
    return given


def _variable(key: str) -> str:
    return "INGEST_" + key.upper().replace(".", "__")


def path_of(url: str) -> Path:
    """The path of a ``sqlite:///`` or ``file:///`` address, as ``load`` has made it absolute."""
    return Path(url.partition(":///")[2])
