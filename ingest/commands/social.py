"""``ingest social``: posts that wait until External Affairs & Strategy has said whose they are; seen, and allocated."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, Json, open_database, run_async, settings, table, warn
from ingest.contract import AllocationOutcome, Contact, Task

app = typer.Typer(
    help="Posts on social media that wait until External Affairs & Strategy has said whose they are. Nothing is sent meanwhile.",
    no_args_is_help=True,
)


class Whose(StrEnum):
    """What a post can be allocated to."""

    CUSTOMER_CARE = "customer-care"
    NOBODY = "nobody"


@app.command("list")
def show_list(json: Json = False, config: Config = None) -> None:
    """List what waits, the soonest due first. Its words are shown by `ingest review show REFERENCE`.

    `Leans to` is what the words read like: a suggestion to whoever allocates, and no more.
    """

    async def found() -> list[Any]:
        from router import allocation

        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                return list(await allocation.waiting(connection))
        finally:
            await database.close()

    columns = ("ID", "Reference", "Network", "Since", "Due", "Late", "Leans to", "Urgent")
    moment = now()
    rows: list[tuple[object, ...]] = []
    for row in run_async(found()):
        contact = Contact.model_validate_json(row.body)
        late = row.due < moment
        rows.append(
            (
                str(row.contact_id) if json else str(row.contact_id)[:8],
                row.reference,
                contact.post.network if contact.post else None,
                contact.received_at,
                row.due,
                late if json else ("LATE" if late else ""),
                Task.model_validate_json(row.task).suggestion if row.task else None,
                row.urgent if json else ("URGENT" if row.urgent else ""),
            )
        )
    table("Posts that wait to be allocated", columns, rows, json=json)


@app.command()
def allocate(
    contact_id: Annotated[str, typer.Argument(metavar="ID", help="The post's id, its beginning, or its reference.")],
    to: Annotated[
        Whose, typer.Option("--to", help="customer-care: its writer is invited to contact us. nobody: nothing is sent.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are; it stands on the audit trail.")],
    because: Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")] = None,
    config: Config = None,
) -> None:
    """Say whose a post is, with every version of it that waits.

    Allocated to customer-care, its writer is invited once to ring, text, mail or write to us, or to use the form: in private where the
    network has a way, else by the one approved reply, and never under another person's post. What shows signs of harm is held
    until a person releases it.
    """

    async def act() -> list[str]:
        from ingest.commands.run import desk_of
        from router import allocation, desk
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, house):
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.contacts, contact_id)
            outcome = AllocationOutcome(to.value)
            return await allocation.allocate(database, store, house, found, outcome, by, because, now)

    became = run_async(act())
    warn(f"Allocated to {to.value}, in {len(became)} version{'s' * (len(became) != 1)}: {', '.join(dict.fromkeys(became))}.")
