"""Webhooks as they go over the wire, each of something else: texts by Twilio's signature, posts by a portal's Standard Webhooks.

Signed by the vendors' own code.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

from standardwebhooks import Webhook

from tests.servers.providers import Twilio

PUBLIC_URL: Final = "http://127.0.0.1:8080"  # as [web] public_url is where it is unsaid
_PORTALS_KEY: Final = "whsec_" + base64.b64encode(b"a key that both sides have, and no one").decode()
_ACCOUNTS: Final = """
[channels.sms.care]
provider = "twilio"
number = "{number}"
account_sid = "{account}"
token_file = "sms-token"
api = "http://127.0.0.1:9"                        # nobody listens there
reconcile_every = "24h"

[channels.social.care]
secret_file = "social-secret"
"""

_numbers = count(1)


def accounts(folder: Path, twilio: Twilio) -> str:
    """The settings of a number and of a portal, whose secrets are then in the folder."""
    (folder / "sms-token").write_text(twilio.token)
    (folder / "social-secret").write_text(_PORTALS_KEY)
    return _ACCOUNTS.format(number=next(iter(twilio.ours)), account=twilio.account_sid)


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """As it goes over the wire."""
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{told}content-length: {len(body)}\r\n\r\n".encode() + body


def texts(twilio: Twilio, number: int) -> Iterator[bytes]:
    """What Twilio sends for so many texts, each from somebody else."""
    for each in range(number):
        text = twilio.write(f"+4477009{each:05}", f"Text {each}: nobody rang me back, and I would like an apology.")
        body, headers = twilio.signed(f"{PUBLIC_URL}/sms/care", twilio.form_of(text))
        signature = headers["X-Twilio-Signature"]
        yield request("POST", "/sms/care", body, content_type=headers["Content-Type"], x_twilio_signature=signature)


def posts(number: int) -> Iterator[bytes]:
    """What a portal sends for so many posts, each by somebody else; signed a minute ahead of time, so that they may wait."""
    at = datetime.now(UTC) + timedelta(minutes=1)
    for each in (next(_numbers) for _ in range(number)):
        told = {
            "type": "post.created",
            "timestamp": at.isoformat(),
            "data": {
                "id": f"post-{each}",
                "network": "mastodon",
                "thread_id": f"thread-{each}",
                "sender": {"handle": f"@writer{each}@example.social", "name": f"Writer {each}"},
                "text": f"Post {each}: @ombudsman nobody rang me back, and I would like an apology.",
                "sent_at": at.isoformat(),
                "permalink": f"https://example.social/@writer{each}/{each}",
            },
        }
        body = json.dumps(told)
        signature = Webhook(_PORTALS_KEY).sign(f"event-{each}", at, body)
        yield request(
            "POST",
            "/social/care",
            body.encode(),
            content_type="application/json",
            webhook_id=f"event-{each}",
            webhook_timestamp=str(int(at.timestamp())),
            webhook_signature=signature,
        )
