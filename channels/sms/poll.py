"""Asking the provider for what its webhooks did not bring: they are disabled after faults, or were set wrong, or we were away.

Each look overlaps the one before by a day, since the same text twice is one. What came within the last minutes is left to the webhook. A
text that was missed is taken in like any other, and an alarm rings; another rings where nothing has come for longer than usual.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from channels.sms.api import Api, Item, api_of, oldest
from channels.sms.settings import SmsAccount
from channels.sms.taking import Arrive, Came, Texts
from ingest import state
from ingest.clock import Clock
from ingest.database import Alone, Database, insert
from ingest.errors import IngestError, Unreadable
from ingest.telemetry import ERRORS, SMS_ASKED, SMS_LAST, telemetry

OVERLAP: Final = timedelta(days=1)
LEFT_TO_THE_WEBHOOK: Final = timedelta(minutes=6)  # Notify tries again every five
_AT_ONCE: Final = 100
_MOST_MISSED: Final = 10_000  # of one look; the next goes on

_say = telemetry("sms")


async def run(
    name: str,
    account: SmsAccount,
    *,
    arrive: Arrive,
    database: Database,
    clock: Clock,
    stopping: asyncio.Event,
    **_: Any,
) -> None:
    """Ask every ``reconcile_every`` until told to stop; a fault is counted by its reason, and asked about again then."""
    look = Look(name, account, arrive=arrive, database=database, clock=clock)
    while not stopping.is_set():
        try:
            await look()
        except IngestError as error:
            ERRORS.labels("sms", error.reason).inc()
            _say.warning("waiting", account=name, reason=error.reason, sentence=error.sentence)
        except Exception as error:  # noqa: BLE001 - whatever a provider answers, no other part of the service stops
            ERRORS.labels("sms", "not-reconciled").inc()
            _say.error("not-reconciled", account=name, error=type(error).__name__)
        with suppress(TimeoutError):
            async with asyncio.timeout(account.reconcile_every.total_seconds()):
                await stopping.wait()


class Look:
    """One account's looks. Raises Unavailable."""

    def __init__(self, name: str, account: SmsAccount, *, arrive: Arrive, database: Database, clock: Clock) -> None:
        self._name = name
        self._account = account
        self._database = database
        self._clock = clock
        self._texts = Texts(name, account, arrive=arrive, database=database, clock=clock)

    async def __call__(self) -> int:
        """Take in what was missed, and say how many those were; of several processes one does it, and not more often than is set."""
        async with self._database.alone(f"sms {self._name} asks", within=timedelta(minutes=2)) as alone:
            now = self._clock()
            first_at, until = await self._standing(now)
            missed = 0
            if alone is not None and self._account.provider != "vonage":
                if until is None or now - until >= self._account.reconcile_every * 0.9:
                    missed = await self._reconcile(alone, first_at, until or now, now)
                SMS_ASKED.labels(self._name).set(now.timestamp())
        await self._heed_silence(first_at, now)
        return missed

    async def _reconcile(self, alone: Alone, first_at: datetime, until: datetime, now: datetime) -> int:
        since = max(first_at, until - OVERLAP, oldest(self._account, now))
        async with api_of(self._account, self._clock) as api:
            missed = await self._missed(api, alone, since, now - LEFT_TO_THE_WEBHOOK)
            for at in range(0, len(missed), _AT_ONCE):
                await alone.sure()
                await self._texts.take([await _came(api, each) for each in missed[at : at + _AT_ONCE]])
        if missed:
            ERRORS.labels("sms", "webhook-missed").inc(len(missed))
            _say.error("webhook-missed", account=self._name, texts=len(missed))
        if len(missed) < _MOST_MISSED:
            await self._note(now)
        return len(missed)

    async def _missed(self, api: Api, alone: Alone, since: datetime, before: datetime) -> list[Item]:
        """What nobody has heard of, oldest first."""
        found: dict[str, Item] = {}
        async for page in api.since(since):
            await alone.sure()
            ours = {api.reference(each): each for each in page if since <= api.sent_at(each, since) < before}
            known = await self._texts.known(ours)
            found |= {reference: each for reference, each in ours.items() if reference not in known}
        return list(reversed(found.values()))[:_MOST_MISSED]

    async def _standing(self, now: datetime) -> tuple[datetime, datetime | None]:
        """When this account was first looked at, and up to when its provider has been asked."""
        table = state.reconciled
        async with self._database.write() as connection:
            row = {"account": self._name, "first_at": now, "until": now}
            fresh = insert(table).values(row).on_conflict_do_nothing().returning(table.c.account)
            if await connection.scalar(fresh) is not None:
                return now, None
            found = (await connection.execute(select(table).where(table.c.account == self._name))).one()
        return found.first_at, found.until

    async def _note(self, until: datetime) -> None:
        table = state.reconciled
        async with self._database.write() as connection:
            await connection.execute(table.update().where(table.c.account == self._name).values(until=until))

    async def _heed_silence(self, first_at: datetime, now: datetime) -> None:
        receipts = state.receipts
        ours = (receipts.c.channel == "sms") & (receipts.c.account == self._name)
        newest = select(receipts.c.received_at).where(ours).order_by(receipts.c.received_at.desc()).limit(1)
        async with self._database.read() as connection:
            last: datetime | None = await connection.scalar(newest)
        SMS_LAST.labels(self._name).set(last.timestamp() if last else 0)
        silent_after = self._account.silent_after
        if silent_after is not None and now - max(first_at, last or first_at) > silent_after:
            ERRORS.labels("sms", "silent").inc()
            _say.error("silent", account=self._name, since=str(last or first_at))


async def _came(api: Api, item: Item) -> Came:
    try:
        return Came(*await api.text(item))
    except Unreadable as error:
        ERRORS.labels("sms", error.reason).inc()
        return Came(repr(sorted(item.items())).encode("utf-8", "replace"), None)
