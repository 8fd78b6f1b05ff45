"""``ingest dead-letters``: what was accepted and could not be understood; seen, put back, or set aside."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from ingest.clock import now
from ingest.commands.terminal import By, Config, Json, open_database, run_async, say, settings, table, warn

app = typer.Typer(
    help="What was accepted and could not be understood. Its bytes are kept; nobody has looked in it for risk yet.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id, or its beginning.")]
_SHOWN: Final = 20_000


@app.command("list")
def show_list(
    every: Annotated[bool, typer.Option("--all", help="Those put back or set aside as well.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List dead letters, the oldest first."""

    async def found() -> list[Any]:
        from sqlalchemy import func, select

        from router.register import tables

        dead = tables.dead_letters
        columns = (dead.c.id, dead.c.channel, dead.c.received_at, dead.c.reason, dead.c.detail, dead.c.state)
        query = select(*columns, func.length(dead.c.value).label("size")).order_by(dead.c.at, dead.c.id)
        if not every:
            query = query.where(dead.c.state == "open")
        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                return list((await connection.execute(query)).all())
        finally:
            await database.close()

    rows = [
        (
            str(each.id) if json else str(each.id)[:8],
            each.channel,
            each.received_at,
            each.reason,
            each.detail,
            each.size,
            each.state,
        )
        for each in run_async(found())
    ]
    table("Dead letters", ("ID", "Came by", "Received", "Reason", "Detail", "Bytes", "State"), rows, json=json)


@app.command()
def show(
    dead_letter_id: Id,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the bytes, untouched, to a file instead of printing them."),
    ] = None,
    config: Config = None,
) -> None:
    """Print a dead letter: where it came from, what was wrong, its headers and its bytes.

    The bytes are a stranger's. What could steer a terminal is taken out of them, and long ones are cut.
    """
    row = run_async(_row(dead_letter_id, config))
    say(
        "\n".join(
            [
                f"Dead letter  {row.id}",
                f"State        {row.state}{f' by {row.settled_by}' if row.settled_by else ''}",
                f"Reason       {row.reason}",
                f"Detail       {row.detail}",
                f"From         {row.topic}/{row.partition}/{row.position}",
                f"Received     {row.received_at:%d %B %Y %H:%M UTC} by {row.channel}",
                f"Key          {row.key or 'none'}",
                *(f"Header       {name}: {value}" for name, value in row.headers),
                "",
            ]
        )
    )
    value: bytes = row.value or b""
    if out is not None:
        out.write_bytes(value)
        warn(f"{len(value):,} bytes written to {out}.")
        return
    say("There are no bytes: it is a tombstone." if row.value is None else value[:_SHOWN].decode("utf-8", "backslashreplace"))
    if len(value) > _SHOWN:
        warn(f"That is the beginning of {len(value):,} bytes; --out FILE writes them all.")


async def _row(given: str, config: Path | None) -> Any:
    from sqlalchemy import select

    from router.desk import id_of
    from router.register import tables

    dead = tables.dead_letters
    database = open_database(settings(config))
    try:
        async with database.read() as connection:
            found = await id_of(connection, dead, given)
            return (await connection.execute(select(dead).where(dead.c.id == found))).one()
    finally:
        await database.close()


@app.command()
def replay(dead_letter_id: Id, by: By, config: Config = None) -> None:
    """Put a dead letter's bytes back on its topic, once what was wrong is mended: a publisher named, a release that knows it.

    Where nothing is mended it comes back as a dead letter.
    """
    run_async(_settle("replay", dead_letter_id, by, "", config))
    warn("Put back on its topic. `ingest dead-letters list` shows whether it comes back.")


@app.command()
def discard(
    dead_letter_id: Id,
    by: By,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")],
    config: Config = None,
) -> None:
    """Say that nothing more will be done with a dead letter. Its bytes stay; look for signs of harm in them first."""
    run_async(_settle("discard", dead_letter_id, by, because, config))
    warn("Set aside.")


async def _settle(what: Literal["replay", "discard"], given: str, by: str, because: str, config: Path | None) -> None:
    from ingest.commands.run import desk_of
    from router import desk
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, _):
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.dead_letters, given)
        if what == "replay":
            await desk.replay(database, store, found, by, now)
        else:
            await desk.discard(database, store, found, because, by, now)
