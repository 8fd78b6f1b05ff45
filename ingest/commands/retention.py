"""``ingest retention``: what is held and for how long, what is past its time, removing that, and legal holds."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.clock import now
from ingest.commands.terminal import By, Config, Json, bar, fail, open_database, open_log, run_async, say, settings, table, warn
from ingest.settings import Settings

if TYPE_CHECKING:
    from router.keeping import Tally
    from router.retention import Holding, Turn

app = typer.Typer(invoke_without_command=True, add_completion=False)


@app.callback()
def retention(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what would go, instead of showing it.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Show what was removed the last time.")] = False,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who has it removed; it stands on the audit trail.")
    ] = "operations",
    json: Json = False,
    config: Config = None,
) -> None:
    """Show by kind what is held, how much of it is past the time that the settings give it, what of that would go, and why the rest stays.

    Nothing is changed without --yes. With it what would go is removed for good, in small transactions beside the running service; stopped
    at any moment, the next time goes on. Whatever its time, nothing goes that is open, untaken, unsent, urgent or on legal hold.
    """
    if context.invoked_subcommand is not None:
        return
    if yes and report:
        fail("--yes removes and --report shows what was removed: say one of them.", 2)
    chosen = settings(config)
    if report:
        _show_turn(run_async(_last(chosen)), json=json)
    elif yes:
        turn = run_async(_remove(chosen, by))
        _show_turn(turn, json=json)
    else:
        _show_look(chosen, run_async(_look(chosen)), json=json)


# Looking.


async def _look(chosen: Settings) -> tuple[list["Tally"], list[tuple[object, ...]]]:
    from router.retention import look

    async with holding(chosen) as it:
        return await look(it, now(), bar), await _elsewhere(chosen)


async def _elsewhere(chosen: Settings) -> list[tuple[object, ...]]:
    """What is kept where no setting of ours removes it from: the log by itself, a spool by Kafka's having it."""
    from ingest.log.spool import left_in

    rows: list[tuple[object, ...]] = [
        ("records on the log", _days(chosen.log.retention), "log.retention", *[None] * 6, "the log removes them itself")
    ]
    if chosen.log.spooled is not None:
        left = await left_in(chosen.log.spooled, now)
        number = sum(each.records for each in left)
        oldest = min((each.oldest for each in left if each.oldest), default=None)
        stays = "until Kafka has them" if number else ""
        rows.append(("contacts in the spool here", None, None, number, oldest, _age(oldest), None, 0, None, stays))
    return rows


def _show_look(chosen: Settings, found: tuple[list["Tally"], list[tuple[object, ...]]], *, json: bool) -> None:
    from router.keeping import Kind
    from router.shelves import SETTINGS

    tallies, elsewhere = found
    columns = ("Kind", "Kept for", "Setting", "Held", "Oldest", "Days old", "Past its time", "Would go", "Bytes", "Stays")
    rows: list[Sequence[object]] = []
    for each in tallies:
        stays = {why.value: number for why, number in each.stays.most_common()}
        sized = each.kind in (Kind.CONTACTS, Kind.ORIGINALS) and each.kept_for is not None
        rows.append(
            (
                each.kind.value,
                _days(each.kept_for) if each.kept_for else (None if json else "no time set"),
                SETTINGS[each.kind],
                each.held,
                each.oldest,
                _age(each.oldest),
                each.past,
                each.goes,
                each.size if sized else None,
                stays if json else "; ".join(f"{number}: {why}" for why, number in stays.items()),
            )
        )
    table("What is held, and for how long", columns, [*rows, *elsewhere], json=json)
    if not any(chosen.retention.model_dump(exclude={"apply"}).values()):
        warn(
            "[retention] sets no time, so everything is kept but what was never sent. `ingest check --write-example` shows how it is written."
        )
    goes = sum(each.goes for each in tallies)
    if goes:
        warn(
            f"Nothing was removed. `ingest retention --yes` removes {goes} of these; what is a part of a contact that goes is counted twice."
        )
    else:
        warn("Nothing would go.")


def _days(span: timedelta) -> str:
    """As the settings have it."""
    return f"{span.days}d" if not span % timedelta(days=1) else f"{span // timedelta(hours=1)}h"


def _age(moment: datetime | None) -> int | None:
    return None if moment is None else (now() - moment).days


# Removing.


async def _remove(chosen: Settings, by: str) -> "Turn":
    from router.retention import remove

    async with holding(chosen) as it:
        return await remove(it, by, now, bar=bar)


async def _last(chosen: Settings) -> "Turn | None":
    from router.retention import last_turn

    database = open_database(chosen)
    try:
        async with database.read() as connection:
            return await last_turn(connection)
    finally:
        await database.close()


def _show_turn(turn: "Turn | None", *, json: bool) -> None:
    from router.keeping import Kind

    if turn is None:
        warn("Nothing was ever removed because its time was over.")
        return
    rows = [(kind.value, turn.removed[kind.name.lower()]) for kind in Kind if turn.removed[kind.name.lower()]]
    if json:
        table("Removed", ("Turn", "By", "Begun at", "Ended at", "Whole", "Removed", "Freed bytes"), [
            (str(turn.id), turn.by, turn.begun_at, turn.ended_at, turn.whole, dict(rows), turn.freed_bytes)
        ], json=True)  # fmt: skip
        return
    table(f"Removed by {turn.by}, {turn.begun_at:%d %B %Y %H:%M UTC}", ("Kind", "Removed"), rows, json=False)
    if not turn.whole:
        warn("It was cut short, or goes on still. `ingest retention --yes` goes on with what is left.")
        return
    say(
        f"Originals were let go of that had {turn.freed_bytes:,} bytes. `ingest audit show` has it, and `ingest audit verify` shows that the trail is whole."
    )


@asynccontextmanager
async def holding(chosen: Settings) -> AsyncGenerator["Holding"]:
    """Everything that the service keeps, beside a running one. Raises Misconfigured, Unavailable."""
    from ingest.commands.run import desk_of, times_of
    from ingest.originals import Originals
    from router.retention import Holding

    async with desk_of(chosen) as (database, store, _):
        log = await open_log(chosen, exclusive=False)
        try:
            originals = Originals(chosen.originals.url, chosen.originals)
            yield Holding(database, store, log, originals, times_of(chosen), chosen.log.spooled)
        finally:
            await log.close()


# Legal holds.


@app.command()
def hold(
    by: By,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")],
    contact: Annotated[str | None, typer.Option("--contact", metavar="ID_OR_REFERENCE", help="Keep one contact.")] = None,
    individual: Annotated[str | None, typer.Option("--individual", metavar="ID", help="Keep all that is theirs.")] = None,
    case: Annotated[str | None, typer.Option("--case", metavar="REFERENCE", help="Keep all that is about it.")] = None,
    config: Config = None,
) -> None:
    """Keep something until the hold is lifted, whatever its time: as while a court, an inquiry or a complaint asks for it."""
    if sum(each is not None for each in (contact, individual, case)) != 1:
        fail("Say what is to be kept: --contact, --individual or --case, and one of them.", 2)
    placed = run_async(_hold(contact, individual, case, because, by, config))
    warn(f"Nothing of it goes until the hold is lifted: `ingest retention lift {str(placed)[:8]}`.")


async def _hold(
    contact: str | None, individual: str | None, case: str | None, because: str, by: str, config: Path | None
) -> object:
    from ingest.commands.run import desk_of
    from ingest.contract import canonical_case_reference
    from ingest.errors import Refused
    from router import desk, holds
    from router.register import tables

    reference = canonical_case_reference(case) if case is not None else None
    if case is not None and reference is None:
        raise Refused("no-such-case", f"{case} is not a case's reference.")
    async with desk_of(settings(config)) as (database, store, _):
        found = None
        if contact is not None:
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.contacts, contact)
        return await holds.place(database, store, because, by, now, contact=found, individual=individual, case=reference)


@app.command()
def lift(
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="The hold's id, or its beginning.")],
    by: By,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")],
    config: Config = None,
) -> None:
    """Lift a hold: what it kept goes once its time is over."""
    run_async(_lift(hold_id, because, by, config))
    warn("Lifted.")


async def _lift(given: str, because: str, by: str, config: Path | None) -> None:
    from ingest.commands.run import desk_of
    from router import desk, holds
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, _):
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.legal_holds, given)
        await holds.lift(database, store, found, because, by, now)


@app.command("holds")
def show_holds(json: Json = False, config: Config = None) -> None:
    """List the holds that stand, the oldest first."""

    async def found() -> Sequence[Any]:
        from router.holds import standing

        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                return await standing(connection)
        finally:
            await database.close()

    rows = [
        (
            str(each.id) if json else str(each.id)[:8],
            each.reference,
            each.individual_id,
            each.case_reference,
            each.since,
            each.by,
            each.because,
        )
        for each in run_async(found())
    ]
    table("Legal holds", ("ID", "Contact", "Individual", "Case", "Since", "By", "Because"), rows, json=json)
