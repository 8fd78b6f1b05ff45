"""GOV.UK Notify's callbacks: a bearer token that is ours to choose stands in each, and no signature (Notify, "Callbacks")."""

import hmac
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from channels.sms.inbound import InboundText, Receipt, json_object, moment, needed, word_of
from channels.sms.settings import SmsAccount
from ingest.contract import OutgoingState
from ingest.errors import Refused, Unreadable

_ENDS: Final = {
    "delivered": OutgoingState.DELIVERED,
    "permanent-failure": OutgoingState.FAILED,
    "temporary-failure": OutgoingState.FAILED,
    "technical-failure": OutgoingState.FAILED,
}


def verify(raw: bytes, headers: Mapping[str, str], url: str, account: SmsAccount) -> bool:  # noqa: ARG001 - as every provider's
    """Whether it has our token."""
    if account.bearer is None:
        return False
    scheme, _, given = headers.get("authorization", "").partition(" ")
    wanted = account.bearer.get_secret_value().encode()
    return hmac.compare_digest(wanted, given.strip().encode("utf-8", "replace")) and scheme.lower() == "bearer"


def parse(raw: bytes, headers: Mapping[str, str]) -> InboundText:  # noqa: ARG001 - as every provider's
    """The text that a callback tells of. Raises Unreadable, and Refused where it tells of something else."""
    told = json_object(raw)
    if "notification_type" in told and "message" not in told:
        raise Refused("not-a-text", "It says what became of a text. Send such to /receipts.")
    return InboundText(
        reference=needed(told, "id"),
        sender=word_of(told, "source_number")[:255],
        to=word_of(told, "destination_number")[:255],
        text=word_of(told, "message"),
        sent_at=moment(word_of(told, "date_received")),
    )


def receipt(raw: bytes, headers: Mapping[str, str], url: str) -> Receipt:  # noqa: ARG001 - as every provider's
    """What became of a text of ours, whose id is its ``reference``. Raises Unreadable."""
    told = json_object(raw)
    status = needed(told, "status")
    try:
        ours = UUID(word_of(told, "reference"))
    except ValueError as error:
        raise Unreadable("unknown-outgoing", "Its reference is no text of ours.") from error
    state = _ENDS.get(status)
    return Receipt(ours, state, status if state is OutgoingState.FAILED else None)


def listed(item: Mapping[str, Any]) -> InboundText:
    """A text as GET /v2/received-text-messages has it. Raises Unreadable."""
    told = dict(item)
    return InboundText(
        reference=needed(told, "id"),
        sender=word_of(told, "user_number")[:255],
        to=word_of(told, "notify_number")[:255],
        text=word_of(told, "content"),
        sent_at=moment(word_of(told, "created_at")),
    )
