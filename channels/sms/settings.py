"""One number of ours for text messages, and the provider that has it."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from ingest.settings import Section, Span, on_this_machine

APIS: Final = {
    "twilio": "https://api.twilio.com",
    "notify": "https://api.notifications.service.gov.uk",
    "vonage": "https://rest.nexmo.com",
}
"""Where each provider is asked, unless an account says otherwise."""

_NEEDS: Final = {"twilio": ("account_sid", "token"), "notify": ("bearer", "api_key"), "vonage": ("token",)}
_FEWEST_CHARACTERS: Final = 16  # of a bearer token, which is ours to choose and all that Notify proves itself by
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_API_KEY = re.compile(f"(?:.*-)?({_UUID})-({_UUID})")


def _api(given: str) -> str:
    found = urlsplit(given)
    if not found.hostname or found.username or found.query or found.fragment:
        raise ValueError("write it as https://api.example.org")
    if found.scheme != "https" and not (found.scheme == "http" and on_this_machine(found.hostname)):
        raise ValueError("it is not encrypted and not on this machine; texts would cross the network in the clear. Use https")
    return given.rstrip("/")


class SmsAccount(Section):
    """``[channels.sms.NAME]``: as many as there are numbers. What people write comes to [web] public_url, under /sms/NAME."""

    provider: Literal["twilio", "notify", "vonage"]
    """Who has the number. vonage only takes in."""
    number: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$")
    """Ours, as people write it abroad: +447700900123."""
    account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    """Twilio's name for the account; it begins with AC."""
    messaging_service: str | None = Field(default=None, pattern=r"^MG[0-9a-fA-F]{32}$")
    """Twilio's name for the messaging service that sends, where it and not ``number`` is to choose what a text is from."""
    token: SecretStr | None = Field(default=None, min_length=1)
    """Twilio's auth token, or Vonage's signature secret; from the environment or a file."""
    secret: SecretStr | None = Field(default=None, min_length=1)
    """Of Twilio's shared key, where its webhooks are signed with one and not with the auth token."""
    signature: Literal["md5-hash", "md5", "sha1", "sha256", "sha512"] = "md5-hash"
    """How Vonage signs, as its dashboard says; all but the first are HMACs."""
    bearer: SecretStr | None = None
    """What Notify proves itself with when it calls us: made by you, and entered there with each callback URL."""
    api_key: SecretStr | None = None
    """Notify's, by which we ask it and send; a live one, or a team one to try things out."""
    template: str | None = Field(default=None, pattern=f"^{_UUID}$")
    """The id of the template at Notify that what we send is put in; its text is ((message)) and nothing else."""
    api: Annotated[str, AfterValidator(_api)] | None = None
    """Where the provider is asked, such as https://api.dublin.ie1.twilio.com; its own address where unsaid."""
    quiet: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")
    """When nothing is sent to people, as 21:00-08:00 in ``time_zone`` of [outgoing]."""
    reconcile_every: Span = timedelta(minutes=10)
    """How often the provider is asked for what it could not tell us; vonage cannot be asked."""
    silent_after: Span | None = None
    """After how long without any text an alarm rings; how long is usual only you know, so never where unsaid."""
    price_per_part: Decimal | None = Field(default=None, ge=0)
    """What one part of a text costs, so that what is sent can be summed."""
    currency: str = Field(default="GBP", pattern="^[A-Z]{3}$")
    """Of that price."""

    @model_validator(mode="after")
    def _whole(self) -> "SmsAccount":
        for each in _NEEDS[self.provider]:
            if not getattr(self, each):
                raise ValueError(f"{each}: {self.provider} needs it")
        if self.bearer and len(self.bearer.get_secret_value()) < _FEWEST_CHARACTERS:
            raise ValueError(f"bearer: it has fewer than {_FEWEST_CHARACTERS} characters. Make one by `openssl rand -hex 32`")
        return self

    @property
    def base(self) -> str:
        """Where the provider is asked, without a slash at the end."""
        return self.api or APIS[self.provider]

    @property
    def notify_key(self) -> tuple[str, str] | None:
        """Notify's service id and the secret that goes with it; None where ``api_key`` is none of Notify's.

        A key is a name that was given to it, the two as UUIDs, and hyphens between them (Notify, "API keys").
        """
        found = _API_KEY.fullmatch(self.api_key.get_secret_value()) if self.api_key else None
        return (found[1], found[2]) if found else None
