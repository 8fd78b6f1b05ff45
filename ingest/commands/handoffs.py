"""``ingest handoffs``: what was handed to other teams; seen, taken, returned, and done with."""

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from ingest.clock import now
from ingest.commands.terminal import By, Config, Json, open_database, quoted, run_async, say, settings, table, warn
from ingest.contract import Handoff, ReceiptState, Team

app = typer.Typer(
    help="What was handed to other teams. Whoever has a system of their own says on `handoffs.receipts` what becomes of theirs.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The handoff's id, its beginning, or the contact's reference.")]


@app.command("list")
def show_list(
    team: Annotated[Team | None, typer.Option("--team", help="Only to this team.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those returned or settled as well.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List handoffs, the soonest due first. `ingest handoffs show REFERENCE` prints one in full."""

    async def found() -> list[Any]:
        from sqlalchemy import select

        from router.register import tables

        handoffs, contacts = tables.handoffs, tables.contacts
        query = select(handoffs, contacts.c.reference).join(contacts, contacts.c.id == handoffs.c.contact_id)
        query = query.order_by(handoffs.c.due, handoffs.c.id)
        if team is not None:
            query = query.where(handoffs.c.team == team.value)
        if not every:
            query = query.where(handoffs.c.state.not_in(("returned", "settled")))
        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                return list((await connection.execute(query)).all())
        finally:
            await database.close()

    columns = ("ID", "Reference", "Team", "Mailbox", "Case", "Handed on", "Due", "Late", "State", "By")
    moment = now()
    rows: list[tuple[object, ...]] = []
    for row in run_async(found()):
        late = row.state in ("sent", "overdue") and row.due < moment
        rows.append(
            (
                str(row.id) if json else str(row.id)[:8],
                row.reference,
                row.team,
                row.mailbox,
                row.case_reference,
                row.handed_off_at,
                row.due,
                late if json else ("LATE" if late else ""),
                row.state,
                row.ended_by or row.taken_by,
            )
        )
    table("Handoffs", columns, rows, json=json)


@app.command()
def show(handoff_id: Id, json: Json = False, config: Config = None) -> None:
    """Print a handoff as its team was given it, and what has become of it.

    The words are a stranger's. What could steer a terminal is taken out of them.
    """
    row, added = run_async(_row(handoff_id, config))
    handoff = Handoff.model_validate_json(row.body)
    if json:
        say(handoff.model_dump_json())
        return
    from router.wording import handoff_lines, represented_lines

    zone = ZoneInfo(settings(config).outgoing.time_zone)
    because = f": {row.because}" if row.because else ""
    say(
        "\n".join(
            [
                f"Handoff {handoff.id} to {handoff.team.value}, at {handoff.mailbox}",
                f"State:          {row.state}",
                *([f"Taken:          by {row.taken_by}, {row.taken_at:%d %B %Y %H:%M UTC}"] if row.taken_at else []),
                *([f"Ended:          by {row.ended_by}, {row.ended_at:%d %B %Y %H:%M UTC}{because}"] if row.ended_at else []),
                *([f"Added to it:    {', '.join(added)}"] if added else []),
                "",
                *handoff_lines(handoff, zone),
                "",
                *represented_lines(handoff),
                f"Subject: {' '.join((handoff.subject or '(none)').split())}",
                *quoted(handoff.full_text),
            ]
        )
    )


async def _row(given: str, config: Path | None) -> tuple[Any, list[str]]:
    """A handoff's row, and the references of what was added to it since."""
    from sqlalchemy import select

    from router.desk import id_of
    from router.register import tables

    handoffs, added, contacts = tables.handoffs, tables.additions, tables.contacts
    database = open_database(settings(config))
    try:
        async with database.read() as connection:
            found = await id_of(connection, handoffs, given)
            row = (await connection.execute(select(handoffs).where(handoffs.c.id == found))).one()
            further = select(contacts.c.reference).join(added, added.c.contact_id == contacts.c.id)
            further = further.where(added.c.added_to == found).order_by(contacts.c.received_at)
            return row, list((await connection.execute(further)).scalars())
    finally:
        await database.close()


@app.command()
def take(handoff_id: Id, by: By, config: Config = None) -> None:
    """Say that it is your team's and somebody works on it. Of two who take it together one wins, and the other is told by whom."""
    run_async(_say(ReceiptState.TAKEN, handoff_id, by, None, config))
    warn("Taken. `ingest handoffs settle` says that you are done with it.")


@app.command("return")
def give_back(
    handoff_id: Id,
    by: By,
    because: Annotated[
        str, typer.Option("--because", metavar="TEXT", help="Why it is not yours; whoever decides anew reads it.")
    ],
    config: Config = None,
) -> None:
    """Say that it is not your team's: Customer Care decides anew."""
    run_async(_say(ReceiptState.RETURNED, handoff_id, by, because, config))
    warn("Returned. Customer Care has a task to decide anew.")


@app.command()
def settle(handoff_id: Id, by: By, config: Config = None) -> None:
    """Say that your team is done with it: what the person writes next is a handoff of its own."""
    run_async(_say(ReceiptState.SETTLED, handoff_id, by, None, config))
    warn("Settled.")


async def _say(state: ReceiptState, given: str, by: str, because: str | None, config: Path | None) -> None:
    from ingest.commands.run import desk_of
    from router import desk, handoffs
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, house):
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.handoffs, given)
        await handoffs.say(database, store, house, found, state, by, because, now)
