"""What the browser holds for us and cannot make up: the session's cookie, and the token of each page.

Pure. Both are signed with keys derived from the service's own (HKDF, RFC 5869). A session is a random number and when it began; a token
says which session's page it stood on and when the page was made, so that another site's page is told apart from one of ours.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ingest.key import known


def derived(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"contact-ingest web_form {purpose}".encode()).derive(key)


@dataclass(frozen=True, slots=True)
class Session:
    """One person at one browser. ``secret`` is known to nobody else: it opens their draft."""

    secret: str
    began: datetime

    @property
    def name(self) -> str:
        """What we call the session: its secret does not follow from it."""
        return hashlib.sha256(f"web_form session {self.secret}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """What a page of ours carries: whose it was, and when it was made."""

    session: str
    made: datetime


class Seals:
    """Signs and verifies, with the service's key."""

    def __init__(self, key: bytes) -> None:
        self._sessions = [derived(each, "session") for each in known(key)]
        self._tokens = [derived(each, "token") for each in known(key)]

    def cookie(self, session: Session) -> str:
        """The cookie's value."""
        return self._signed(self._sessions, session.secret, session.began)

    def session(self, cookie: str | None, now: datetime, most: timedelta) -> Session | None:
        """Whose cookie it is; None where it is not one of ours, or older than ``most``."""
        found = self._opened(self._sessions, cookie)
        return Session(*found) if found and now - found[1] < most else None

    def token(self, session: Session, now: datetime) -> str:
        """What a page of this session carries."""
        return self._signed(self._tokens, session.name, now)

    def opened(self, token: str | None) -> Token | None:
        """What a token says; None where it is not one of ours."""
        found = self._opened(self._tokens, token)
        return Token(*found) if found else None

    def _signed(self, keys: Sequence[bytes], value: str, moment: datetime) -> str:
        told = f"{value}.{moment.timestamp():.3f}"
        return f"{told}.{hmac.new(keys[0], told.encode(), hashlib.sha256).hexdigest()}"

    def _opened(self, keys: Sequence[bytes], given: str | None) -> tuple[str, datetime] | None:
        told, _, mark = (given or "")[:300].rpartition(".")
        expected = [hmac.new(each, told.encode("utf-8", "replace"), hashlib.sha256).hexdigest() for each in keys]
        if not any(hmac.compare_digest(mark.encode("utf-8", "replace"), each.encode()) for each in expected):
            return None
        value, _, seconds = told.partition(".")
        return value, datetime.fromtimestamp(float(seconds), UTC)
