"""How long is it kept? The kinds of what the service holds, what each thing's time is counted from, and what keeps it whatever its time.

Pure: values in, a value out. Nothing goes that has no time set, whose time has not passed, or that anything keeps; which is why this is
all there is to say so, and the database is only asked for what it knows of each (``router.retention``).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is held, by kind, in the order in which it is looked through: what goes with its contact need not be looked at by itself."""

    CONTACTS = "contacts"
    ORIGINALS = "originals"
    FEEDBACK = "feedback records"
    HANDOFFS = "handoffs"
    TASKS = "tasks"
    MESSAGES = "messages"
    BUDGETS = "messages counted by address"
    CLAIMS = "ids of publishers and providers"
    MAILS = "fingerprints of mails"
    MAIL_LEDGER = "mails seen in mailboxes"
    RECEIPTS = "receipts"
    AUDIT = "audit entries"
    DEAD_LETTERS = "dead letters"
    INDIVIDUALS = "individuals"
    DRAFTS = "drafts of the form"
    UPLOADS = "files sent ahead"


class Why(StrEnum):
    """What keeps a thing past its time, in words that stand after "stays:"."""

    ON_HOLD = "on legal hold"
    URGENT = "its urgent task is not done"
    OPEN_TASK = "a task about it is not done"
    UNSENT = "a message about it has not come to its end"
    UNTAKEN = "no team has taken it"
    UNSETTLED = "its feedback record is not settled"
    CASE_OPEN = "its case is open"
    WAITING = "it waits to be decided on"
    NOT_UNDERSTOOD = "nobody has replayed or discarded it"
    UNSEALED = "its audit entries are not sealed yet"
    SAME_MATTER = "something else of the same matter stays"
    NEEDED = "what they need stands in it, and they are still with us"
    REFERRED_TO = "something that stays refers to it"
    IN_A_MAILBOX = "the mail may still lie in its mailbox, and would be taken in again"


@dataclass(frozen=True, slots=True)
class Held:
    """One thing: when it came to its end or was last acted on, as far as it has, and all that keeps it."""

    id: tuple[Any, ...]  # its key
    since: datetime
    keeps: tuple[Why, ...] = ()


@dataclass(slots=True)
class Tally:
    """What a look through a kind has found. ``kept_for`` is None where it is kept for good, or for as long as its contact."""

    kind: Kind
    kept_for: timedelta | None
    held: int = 0
    oldest: datetime | None = None
    past: int = 0
    goes: int = 0
    size: int = 0
    stays: Counter[Why] = field(default_factory=Counter[Why])

    def count(self, things: Sequence[Held], now: datetime) -> list[Held]:
        """Note some; answers with those that go. What several things keep counts under the first, so that the numbers add up."""
        gone: list[Held] = []
        for each in things:
            if not is_past(each, self.kept_for, now):
                continue
            self.past += 1
            if each.keeps:
                self.stays[each.keeps[0]] += 1
            else:
                self.goes += 1
                gone.append(each)
        return gone


def is_past(held: Held, kept_for: timedelta | None, now: datetime) -> bool:
    """Whether its time is over; never where none is set."""
    return kept_for is not None and held.since <= now - kept_for


def goes(held: Held, kept_for: timedelta | None, now: datetime) -> bool:
    """Whether it is removed."""
    return is_past(held, kept_for, now) and not held.keeps


def of_one_matter(some: Sequence[Held], kept_for: timedelta | None, now: datetime) -> list[Held]:
    """Contacts of one matter, each as it stands with the others: they go together or not at all."""
    if all(goes(each, kept_for, now) for each in some):
        return list(some)
    return [each if each.keeps else Held(each.id, each.since, (Why.SAME_MATTER,)) for each in some]
