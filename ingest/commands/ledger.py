"""``ingest ledger``: for every hour and channel, what was received against what became of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, Json, fail, log_and_register, run_async, settings, table, warn
from ingest.contract import LedgerEntry

KINDS: Final = ("RecordFeedback", "HandOff", "AnswerQuery", "InviteToContact", "HoldForReview", "NoAction")
_FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


def command(
    since: Annotated[
        datetime | None, typer.Option("--since", formats=_FORMATS, help="Received in or after this hour; UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=_FORMATS, help="Received before; UTC.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only what is unaccounted for, one by one, and where its original lies.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Hold what our edge received against what became of it, by hour and channel.

    received = dispositions + dead-lettered + waiting. Exit status 0 says that it balances, 1 that something is unaccounted for. Beside
    that: whose writers have heard from us, and who is owed it still and by when the first of them.
    """
    if missing:
        _tell_of(run_async(_missing(since, until, config)), json=json)
        return
    lines = run_async(_lines(since, until, config))
    columns = (
        "Hour",
        "Channel",
        "Received",
        *KINDS,
        "Dead-lettered",
        "Waiting",
        "Unaccounted",
        "Acknowledged",
        "Owed",
        "Earliest due",
    )
    rows: list[Sequence[object]] = [(each.hour, each.channel, *_numbers(each), each.earliest_due) for each in lines]
    total = [sum(numbers) for numbers in zip(*map(_numbers, lines), strict=True)]
    if rows and not json:
        rows.append(("Total", "", *total, min((each.earliest_due for each in lines if each.earliest_due), default=None)))
    table("Receipt ledger", columns, rows, json=json)
    lost = sum(each.unaccounted for each in lines)
    if lost:
        fail(
            f"The ledger does not balance: {lost} received and in no disposition, dead letter or queue. Their originals are kept; "
            "run it again in a minute, and if it stays so `ingest ledger --missing` names them."
        )
    warn(f"The ledger balances: {sum(each.received for each in lines)} received, and each has come to an end or waits for one.")


def _numbers(line: LedgerEntry) -> tuple[int, ...]:
    kinds = (line.dispositions.get(each, 0) for each in KINDS)
    return (line.received, *kinds, line.dead_lettered, line.waiting, line.unaccounted, line.acknowledged, line.owed)


def _tell_of(lost: Sequence[Any], *, json: bool) -> None:
    columns = ("Contact", "Channel", "Account", "Received", "Original")
    places = [
        (each.contact_id, each.channel, each.account, each.received_at, f"{each.original[:2]}/{each.original}") for each in lost
    ]
    table("Unaccounted for", columns, places, json=json)
    if lost:
        fail("Have a person read each, in the originals at the place that is named, and deal with it as with any letter.")


async def _lines(since: datetime | None, until: datetime | None, config: Path | None) -> list[LedgerEntry]:
    from router.ledger import entries

    async with log_and_register(settings(config)) as (log, database):
        return await entries(log, database, now(), since=_utc(since), until=_utc(until))


async def _missing(since: datetime | None, until: datetime | None, config: Path | None) -> Sequence[Any]:
    from router.ledger import missing

    async with log_and_register(settings(config)) as (log, database):
        return await missing(log, database, since=_utc(since), until=_utc(until))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None
