"""The providers' way in: what people write, and what became of what we sent."""

from typing import Any

from channels.sms.settings import SmsAccount
from ingest.finding import Finding
from ingest.web import Door, problem


def door(name: str, account: SmsAccount, **leaned_on: Any) -> Door:  # noqa: ARG001
    """``POST /sms/NAME`` and ``POST /sms/NAME/receipts``."""
    return Door([], problem)


async def look(name: str, account: SmsAccount, **_: Any) -> list[Finding]:
    """What `ingest check` says of an account."""
    return [Finding(f"channels.sms.{name}", True, f"{account.number} is {account.provider}'s.")]
