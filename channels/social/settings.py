"""One communication portal: how its requests are known to be its own, how it writes what it tells, and where replies go."""

import base64
import binascii
import re
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from ingest.settings import Section, Span, on_this_machine

SHARED: Final = "whsec_"
"""Before a key that both sides have: HMAC-SHA256, ``v1``."""
THEIRS: Final = "whpk_"
"""Before the portal's public key: ed25519, ``v1a``."""

Name = Literal[
    "id", "network", "thread_id", "in_reply_to", "handle", "name", "text", "sent_at", "permalink", "private", "private_way",
    "own_thread", "own", "media", "version", "allocated_at", "allocated_by", "to", "reason",
]  # fmt: skip
"""What we call a thing that a portal says of a post or a reply."""

Type = Literal[
    "post.created", "post.edited", "post.deleted", "post.allocated", "reply.sent", "reply.delivered", "reply.failed", "ignore"
]
"""What a portal tells; ``ignore`` is answered and nothing becomes of it."""

_FEWEST_CHARACTERS: Final = 16
_PATH: Final = re.compile(r"[^.\s]{1,100}(\.[^.\s]{1,100}){0,9}")


def keys_of(secret: str) -> list[tuple[str, bytes]]:
    """The keys of Standard Webhooks that stand in a secret, each with what it begins with. Raises ValueError, without the secret."""
    return [_key(each) for each in secret.split()]


def _key(given: str) -> tuple[str, bytes]:
    kind = next((each for each in (SHARED, THEIRS) if given.startswith(each)), None)
    if kind is None:
        raise ValueError(f"secret: a key of Standard Webhooks begins with {SHARED} or {THEIRS}; copy it whole from the portal")
    encoded = given.removeprefix(kind)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"secret: what follows {kind} is not base64; copy it whole from the portal") from error
    if kind == SHARED and not 24 <= len(key) <= 64:  # the specification's "Signature scheme"
        raise ValueError(
            f"secret: it has {len(key)} bytes after {SHARED}, and 24 to 64 are wanted; have the portal make another"
        )
    if kind == THEIRS and len(key) != 32:
        raise ValueError(f"secret: it has {len(key)} bytes after {THEIRS}, and a key of ed25519 has 32")
    return kind, key


def _path(given: str) -> str:
    if not _PATH.fullmatch(given):
        raise ValueError("write it as names with dots between them, such as sender.handle")
    return given


def _replies(given: str) -> str:
    found = urlsplit(given)
    if found.scheme not in ("http", "https") or not found.hostname or found.username or found.fragment:
        raise ValueError("write it as https://portal.example.org/replies")
    if found.scheme == "http" and not on_this_machine(found.hostname):
        raise ValueError("what we write to people would cross the network in the clear; use https")
    return given


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Dotted = Annotated[str, AfterValidator(_path)]


class Hmac(Section):
    """How a portal signs that does not by Standard Webhooks."""

    header: HeaderName
    """Where the signature stands."""
    prefix: str = Field(default="", max_length=100)
    """What stands before it there, such as sha256= or v0=."""
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    """The hash under the HMAC."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    signed: str = Field(default="{body}", max_length=200)
    """What is signed: {body} and, where there is a timestamp_header, {timestamp}, such as v0:{timestamp}:{body}."""
    timestamp_header: HeaderName | None = None
    """Where the time of sending stands, in seconds or milliseconds since 1970. Without one, an old request sent again cannot be told."""

    @model_validator(mode="after")
    def _covers(self) -> "Hmac":
        if self.signed.count("{body}") != 1:
            raise ValueError("signed: {body} must stand in it once")
        if self.signed.count("{timestamp}") != (self.timestamp_header is not None):
            raise ValueError("signed: {timestamp} must stand in it once where there is a timestamp_header, and else not at all")
        return self


class SocialAccount(Section):
    """``[channels.social.NAME]``: a communication portal, which calls /social/NAME on [web] public. See docs/social.md."""

    secret: SecretStr = Field(min_length=1)
    """From the environment or ``secret_file``: whsec_ and base64, or the portal's whpk_, with spaces between several while one takes the
    other's place. The first whsec_ signs what we send. With hmac, the portal's secret as it is."""
    hmac: Hmac | None = None
    """Where the portal does not sign by Standard Webhooks: { header = "X-Signature-256", prefix = "sha256=" }, and what else Hmac has."""
    tolerance: Span = timedelta(minutes=5)
    """How old a signature may be, or ahead of our clock."""
    token: SecretStr | None = Field(default=None, min_length=1)
    """What a portal shows in GET /social/NAME as hub.verify_token, where it asks before it sends anything; without one, none may ask."""
    replies: Annotated[str, AfterValidator(_replies)] | None = None
    """Where the portal takes replies; without one, each reply becomes a task for a person."""
    ca_file: str | None = None
    """Certificates to trust there besides the system's, as PEM."""
    own_handles: tuple[str, ...] = ()
    """Who we are on the networks, as network:handle, or handle for every network: what we wrote is no contact."""
    network: str | None = Field(default=None, min_length=1, max_length=64)
    """The network of every post, where the portal's items do not name one."""
    type: Dotted = "type"
    """Where in the portal's JSON the type of an event stands."""
    events: dict[str, Type] = Field(default={})
    """What the portal calls its types, and which of ours each is: { "message.new" = "post.created", "message.liked" = "ignore" };
    "*" is every other, and none where the JSON has no types."""
    items: Dotted = "data"
    """Where in it what happened stands, one or a list; lists within lists are gone through."""
    fields: dict[Name, Dotted] = Field(default={})
    """Where in each of those a thing stands that we call by another name: { handle = "from.username" }."""
    teams: dict[str, Literal["customer-care", "nobody"]] = Field(default={})
    """What the portal calls those to whom it allocates, where it is not customer-care and nobody."""

    @model_validator(mode="after")
    def _formed(self) -> "SocialAccount":
        secret = self.secret.get_secret_value()
        if self.hmac is None and not keys_of(secret):
            raise ValueError("secret: there is none")
        if self.hmac is not None and len(secret) < _FEWEST_CHARACTERS:
            raise ValueError(f"secret: it has fewer than {_FEWEST_CHARACTERS} characters, and can be guessed")
        if self.token is not None and len(self.token.get_secret_value()) < _FEWEST_CHARACTERS:
            raise ValueError(f"token: it has fewer than {_FEWEST_CHARACTERS} characters, and can be guessed")
        if self.replies and self.hmac is None and all(kind != SHARED for kind, _ in keys_of(secret)):
            raise ValueError(f"secret: replies are signed with a key that begins with {SHARED}, and there is none")
        return self
