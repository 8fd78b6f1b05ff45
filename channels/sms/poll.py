"""Asking the provider for what its webhooks did not bring: they are disabled after faults, or were set wrong, or we were away.

Each look overlaps the one before by a day, since the same text twice is one; the first goes back a day. What came within the last minutes
is left to the webhook. A text that was missed is taken in like any other, and an alarm rings; another rings where nothing has come for
longer than usual.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from channels.sms.api import Api, Item, api_of, oldest
from channels.sms.settings import SmsAccount
from channels.sms.taking import Arrive, Came, Pace, Texts
from ingest import state
from ingest.clock import Clock
from ingest.database import Alone, Database, insert
from ingest.errors import IngestError
from ingest.settings import Settings
from ingest.telemetry import ERRORS, SMS_ASKED, SMS_LAST, telemetry

OVERLAP: Final = timedelta(days=1)
LEFT_TO_THE_WEBHOOK: Final = timedelta(minutes=6)  # Notify tries again every five
_AT_ONCE: Final = 100

_say = telemetry("sms")


async def run(
    name: str,
    account: SmsAccount,
    *,
    arrive: Arrive,
    database: Database,
    clock: Clock,
    settings: Settings,
    stopping: asyncio.Event,
    pace: Pace | None = None,
    **_: Any,
) -> None:
    """Ask every ``reconcile_every`` until told to stop, and complete what waits; a fault is counted by its reason, and asked about again."""
    texts = Texts(name, account, arrive=arrive, database=database, clock=clock, settings=settings, pace=pace)
    async with asyncio.TaskGroup() as group:
        group.create_task(texts.run(stopping))
        group.create_task(_ask(Look(name, account, texts, database=database, clock=clock), name, account, stopping))


async def _ask(look: "Look", name: str, account: SmsAccount, stopping: asyncio.Event) -> None:
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

    def __init__(self, name: str, account: SmsAccount, texts: Texts, *, database: Database, clock: Clock) -> None:
        self._name = name
        self._account = account
        self._texts = texts
        self._database = database
        self._clock = clock
        self._began = clock()

    async def __call__(self) -> int:
        """Keep what was missed, and say how many those were; of several processes one does it, and not more often than is set."""
        now = self._clock()
        missed = 0
        if self._account.provider != "vonage":
            async with self._database.alone(f"sms {self._name} asks", within=timedelta(minutes=2)) as alone:
                until = await self._until()
                if alone is not None and (until is None or now - until >= self._account.reconcile_every * 0.9):
                    missed = await self._reconcile(alone, until or now, now)
            SMS_ASKED.labels(self._name).set(now.timestamp())
        await self._heed_silence(now)
        return missed

    async def _reconcile(self, alone: Alone, until: datetime, now: datetime) -> int:
        since = max(until - OVERLAP, oldest(self._account, now))
        before = now - min(LEFT_TO_THE_WEBHOOK, self._account.reconcile_every)
        async with api_of(self._account, self._clock) as api:
            missed = await self._missed(api, alone, since, before)
            for at in range(0, len(missed), _AT_ONCE):
                await alone.sure()
                await self._texts.leave([Came(*await api.text(each)) for each in missed[at : at + _AT_ONCE]])
        if missed:
            ERRORS.labels("sms", "webhook-missed").inc(len(missed))
            _say.error("webhook-missed", account=self._name, texts=len(missed))
        await self._note(now)
        return len(missed)

    async def _missed(self, api: Api, alone: Alone, since: datetime, before: datetime) -> list[Item]:
        """What nobody has heard of, oldest first."""
        found: dict[str, Item] = {}
        async for page in api.since(since):
            await alone.sure()
            ours = {api.reference(each): each for each in page if since <= api.sent_at(each, since) < before}
            unheard = await self._texts.unheard({each for each in ours if each})
            found |= {reference: each for reference, each in ours.items() if reference in unheard}
        return list(reversed(found.values()))

    async def _until(self) -> datetime | None:
        """Up to when the provider has been asked; None for never."""
        async with self._database.read() as connection:
            return await connection.scalar(select(state.reconciled.c.until).where(state.reconciled.c.account == self._name))

    async def _note(self, until: datetime) -> None:
        new = insert(state.reconciled).values(account=self._name, until=until)
        async with self._database.write() as connection:
            await connection.execute(new.on_conflict_do_update(index_elements=["account"], set_={"until": until}))

    async def _heed_silence(self, now: datetime) -> None:
        receipts = state.receipts
        ours = (receipts.c.channel == "sms") & (receipts.c.account == self._name)
        newest = select(receipts.c.received_at).where(ours).order_by(receipts.c.received_at.desc()).limit(1)
        async with self._database.read() as connection:
            last: datetime | None = await connection.scalar(newest)
        SMS_LAST.labels(self._name).set(last.timestamp() if last else 0)
        silent_after = self._account.silent_after
        if silent_after is not None and now - (last or self._began) > silent_after:
            ERRORS.labels("sms", "silent").inc()
            _say.error("silent", account=self._name, since=str(last or self._began))
