"""``ingest outgoing``: messages to people and teams; what waits or is held, and stopping or letting go of them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest import state
from ingest.clock import now
from ingest.commands.terminal import By, Config, Json, open_database, run_async, say, settings, table, warn
from ingest.contract import UNSENT, Audience, Outgoing, OutgoingState
from ingest.segments import length
from ingest.settings import Settings

app = typer.Typer(help="Messages to people and to our teams, and stopping them.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id, its beginning, or the contact's reference.")]
SomeId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="One message; where none is named, all that is for the public.")
]


@app.command("list")
def show_list(
    chosen: Annotated[OutgoingState | None, typer.Option("--state", help="Only what stands so.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that have ended, and notices to our teams, as well.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List messages to the public that are not sent yet, the soonest due first, and say whether sending is stopped."""
    sending, found = run_async(_found(chosen, config, every=every))
    moment = now()
    columns = ("ID", "Kind", "To", "State", "Reason", "Due", "Late", "Attempts", "Contact", "Parts", "Cost")
    prices = _prices(settings(config))
    table("Outgoing messages", columns, [_row(each, moment, prices, json=json) for each in found], json=json)
    if sending.stopped:
        warn(f"Sending to the public was stopped by {sending.by}. `ingest outgoing release --by NAME` lets it go on.")


async def _found(chosen: OutgoingState | None, config: Path | None, *, every: bool) -> tuple[state.Sending, list[Any]]:
    from sqlalchemy import select

    from router.register import tables

    sent, contacts = tables.outgoing, tables.contacts
    query = select(sent, contacts.c.reference).join(contacts, contacts.c.id == sent.c.contact_id, isouter=True)
    if chosen is not None:
        query = query.where(sent.c.state == chosen.value)
    elif not every:
        query = query.where(sent.c.state.in_(UNSENT))
    if not every:
        query = query.where(sent.c.audience == Audience.PERSON.value)
    database = open_database(settings(config))
    try:
        async with database.read() as connection:
            rows = list((await connection.execute(query.order_by(sent.c.due, sent.c.id))).all())
        return await state.stopped(database), rows
    finally:
        await database.close()


def _prices(chosen: Settings) -> dict[str, tuple[Decimal, str]]:
    """What a part of a text costs, by account."""
    from channels.sms.settings import SmsAccount
    from channels.table import accounts

    numbers = ((name, each) for (_, name), each in accounts(chosen).items() if isinstance(each, SmsAccount))
    return {name: (each.price_per_part, each.currency) for name, each in numbers if each.price_per_part is not None}


def _charged(outgoing: Outgoing | None, prices: Mapping[str, tuple[Decimal, str]]) -> tuple[int | None, str | None]:
    """In how many parts it goes and what that costs; of what is no text, nothing."""
    if outgoing is None or outgoing.channel != "sms":
        return None, None
    parts = length(outgoing.body).parts
    if outgoing.account not in prices:
        return parts, None
    price, currency = prices[outgoing.account]
    return parts, f"{parts * price} {currency}"


def _row(row: Any, moment: datetime, prices: Mapping[str, tuple[Decimal, str]], *, json: bool) -> tuple[object, ...]:
    late = row.due < moment and row.state in UNSENT
    shown = (str(row.id), late) if json else (str(row.id)[:8], "LATE" if late else "")
    charged = _charged(Outgoing.model_validate_json(row.body) if row.body else None, prices)
    return (
        shown[0], row.kind, row.recipient, row.state, row.reason, row.due, shown[1], row.attempts, row.reference, *charged
    )  # fmt: skip


@app.command()
def show(outgoing_id: Id, config: Config = None) -> None:
    """Print a message as it would be sent: its headers, its words, and why it stands where it stands."""
    say(run_async(_shown(outgoing_id, config)))


async def _shown(given: str, config: Path | None) -> str:
    from sqlalchemy import select

    from channels.email.send import compose
    from channels.email.settings import EmailAccount
    from channels.sms.settings import SmsAccount
    from channels.table import accounts
    from router.desk import id_of
    from router.register import tables

    chosen = settings(config)
    database = open_database(chosen)
    sent = tables.outgoing
    try:
        async with database.read() as connection:
            found = await id_of(connection, sent, given)
            row = (await connection.execute(select(sent).where(sent.c.id == found))).one()
    finally:
        await database.close()
    lines = [f"{row.kind} {row.id}: {row.state}{f' ({row.reason})' if row.reason else ''}, {row.attempts} attempts", ""]
    if row.state == OutgoingState.COVERED:
        return "\n".join(
            [*lines, "There is nothing to send: they have had an earlier acknowledgement of the same matter, named above."]
        )
    if row.body is None:
        return "\n".join([*lines, "There is nothing to send: no address is known."])
    outgoing = Outgoing.model_validate_json(row.body)
    account = accounts(chosen).get((outgoing.channel, outgoing.account))
    if account is None:
        return "\n".join([*lines, f"It cannot be sent: there is no [channels.{outgoing.channel}.{outgoing.account}]."])
    if isinstance(account, SmsAccount):
        long, (_, cost) = length(outgoing.body), _charged(outgoing, _prices(chosen))
        told = f"{long.units} {'septets of GSM-7' if long.encoding == 'GSM-7' else 'characters of UCS-2'}, in {long.parts}"
        told += f" part{'s' * (long.parts > 1)}{f': {long.over} over one' if long.over else ''}"
        headers = {
            "To": outgoing.recipient,
            "From": account.number,
            "Length": told,
            "Cost": cost or "price_per_part is not set",
        }
        return "\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", outgoing.body])
    if not isinstance(account, EmailAccount):
        return "\n".join([*lines, f"To: {outgoing.recipient}", "", outgoing.body])
    message = compose(outgoing, account, now())
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in message.items()), "", str(message.get_content())])


@app.command()
def hold(by: By, outgoing_id: SomeId = None, config: Config = None) -> None:
    """Keep one message from being sent; without an ID, stop all sending to the public within seconds.

    Receiving goes on, and notices to our own teams too. What waits is sent once it is let go, late where it must be.
    """
    run_async(_act("hold", by, outgoing_id, config))
    warn("Held." if outgoing_id else "Stopped: nothing more goes to the public until `ingest outgoing release --by NAME`.")


@app.command()
def release(by: By, outgoing_id: SomeId = None, config: Config = None) -> None:
    """Send one message that was held; without an ID, let sending to the public go on.

    Letting all go on does not send what is held by itself: an urgent contact's reply is released alone, by somebody who has
    seen it.
    """
    run_async(_act("release", by, outgoing_id, config))
    warn("Released." if outgoing_id else "Sending goes on, with what has waited first.")


@app.command()
def cancel(
    outgoing_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id, or its beginning.")],
    by: By,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="How the person was reached instead.")],
    config: Config = None,
) -> None:
    """Say that a held message need not go, since the person was reached another way."""
    run_async(_cancel(outgoing_id, by, because, config))
    warn("Cancelled.")


async def _cancel(given: str, by: str, because: str, config: Path | None) -> None:
    from ingest.commands.run import desk_of
    from router import desk
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, _):
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.outgoing, given)
        await desk.cancel(database, store, found, because, by, now)


async def _act(what: str, by: str, given: str | None, config: Path | None) -> None:
    from ingest.commands.run import desk_of
    from router import desk
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, _):
        if given is None:
            await desk.turn(database, store, by, now, stopped=what == "hold")
            return
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.outgoing, given)
        await (desk.hold if what == "hold" else desk.release)(database, store, found, by, now)
