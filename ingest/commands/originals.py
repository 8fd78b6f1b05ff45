"""``ingest originals``: whether every contact's bytes as they came are there, and are those that came."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ingest.commands.terminal import Config, Json, bar, fail, open_database, run_async, say, settings, table
from ingest.contract import Contact
from ingest.database import Database
from ingest.errors import Unreadable
from ingest.originals import Originals

app = typer.Typer(help="The bytes as they came, and the files with them: verify.", no_args_is_help=True)

_PAGE: Final = 200
_AT_ONCE: Final = 16
_OURS: Final = "urn:contact-ingest:"
_ELSEWHERE: Final = "with its publisher"


@app.callback()
def originals() -> None:
    """The bytes as they came, and the files with them."""


@app.command()
def verify(
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="Only of contacts received from that day on (UTC)."
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Read the original and the files of every contact, and name those that are missing or are no longer what came.

    After a restore, and now and then. What is missing is looked for in other copies of the originals and put back under its digest; the
    register needs nothing changed for it.
    """
    found, number = run_async(_looked(since and since.replace(tzinfo=UTC), config))
    wanting = [each for each in found if each[-1] != _ELSEWHERE]
    if found:
        table("Not here as they came", ("Reference", "Received", "What", "Digest", "Because"), found, json=json)
    if wanting:
        fail(f"{len(wanting)} of {number} are missing or damaged. Put them back from a copy of the originals.")
    elsewhere = f"; {len(found)} more are with the publisher whose they are" if found else ""
    say(f"{number - len(found)} originals and files are there, as they came{elsewhere}.")


async def _looked(since: datetime | None, config: Path | None) -> tuple[list[tuple[object, ...]], int]:
    chosen = settings(config)
    kept, database = Originals(chosen.originals.url, chosen.originals), open_database(chosen)
    turns, found, number = asyncio.Semaphore(_AT_ONCE), list[tuple[object, ...]](), 0

    async def look(digest: str, missing: str, *about: object) -> None:
        async with turns:
            try:
                await kept.get(digest)
            except KeyError:
                found.append((*about, digest, missing))
            except Unreadable:
                found.append((*about, digest, "damaged"))

    try:
        with bar("Contacts", await _number(database, since)) as advance:
            async for page in _pages(database, since):
                files = [each for row in page for each in _files(row)]
                await asyncio.gather(*(look(*each) for each in files))
                number += len(files)
                advance(len(page))
    finally:
        await database.close()
    return sorted(found, key=str), number


def _files(row: Any) -> list[tuple[Any, ...]]:
    """The digests of what came, what it means where there is nothing of that digest, and what it is. Of a contact that is not routed yet
    only the original is known; whoever publishes on the topic themselves keeps it themselves (docs/publishing.md).
    """
    if row.body is None:
        return [(row.original, "missing", str(row.contact_id), row.received_at, "original")] if row.original else []
    contact = Contact.model_validate_json(row.body)
    missing = "missing" if contact.source.startswith(_OURS) else _ELSEWHERE
    about = row.reference, row.received_at
    files = [(each.digest, missing, *about, each.name or "a file") for each in contact.attachments]
    return [(contact.original, missing, *about, "original"), *files]


async def _number(database: Database, since: datetime | None) -> int:
    from sqlalchemy import func, select

    from ingest.state import receipts

    counted = select(func.count()).select_from(receipts)
    if since:
        counted = counted.where(receipts.c.received_at >= since)
    async with database.read() as connection:
        return (await connection.execute(counted)).scalar_one()


async def _pages(database: Database, since: datetime | None) -> AsyncGenerator[list[Any]]:
    """What was received, with what is filed of it, a page at a time so that nobody who writes must wait."""
    from sqlalchemy import select, tuple_

    from ingest.state import receipts
    from router.register.tables import contacts

    order = receipts.c.received_at, receipts.c.contact_id
    query = (
        select(receipts.c.contact_id, receipts.c.received_at, receipts.c.original, contacts.c.reference, contacts.c.body)
        .join(contacts, contacts.c.id == receipts.c.contact_id, isouter=True)
        .order_by(*order)
        .limit(_PAGE)
    )
    if since:
        query = query.where(receipts.c.received_at >= since)
    page = query
    while True:
        async with database.read() as connection:
            rows = list((await connection.execute(page)).all())
        yield rows
        if len(rows) < _PAGE:
            return
        last = tuple_(rows[-1].received_at, rows[-1].contact_id, types=[each.type for each in order])
        page = query.where(tuple_(*order) > last)
