"""``ingest register``: people and cases into the register, finding somebody in it, and undoing a link."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingest.commands.terminal import Config, Json, bar, fail, open_database, run_async, say, settings, table, warn

if TYPE_CHECKING:
    from router.register.intake import Kind, Source

app = typer.Typer(help="Individuals, cases and their parties.", no_args_is_help=True)

_File = typer.Option(metavar="FILE", exists=True, dir_okay=False)


@app.command("import")
def take(
    individuals: Annotated[Path | None, _File] = None,
    cases: Annotated[Path | None, _File] = None,
    parties: Annotated[Path | None, _File] = None,
    config: Config = None,
) -> None:
    """Take in individuals, cases and parties from CSV, in that order.

    A row of somebody known replaces what was held; nobody is deleted. Refused rows are listed and the others taken; the exit
    status is then 1.
    """
    files: dict[Kind, Path | None] = {"individuals": individuals, "cases": cases, "parties": parties}
    if not any(files.values()):
        fail("Name at least one of --individuals, --cases and --parties.", 2)
    if run_async(_take(files, config)):
        raise typer.Exit(1)


async def _take(files: "dict[Kind, Path | None]", config: Path | None) -> bool:
    """Whether any row was refused."""
    from ingest.clock import now
    from router.register.intake import OPTIONAL, REQUIRED, opened, take_in

    sources: list[tuple[Kind, Source]] = [
        (kind, opened(path, REQUIRED[kind], OPTIONAL[kind])) for kind, path in files.items() if path
    ]
    database = open_database(settings(config))
    refused: list[tuple[object, ...]] = []
    try:
        for kind, source in sources:
            done = await take_in(database, kind, source, now, bar)
            say(f"{source.path}: {done.taken} {kind} taken, {len(done.refused)} rows refused.")
            refused += [(source.path.name, row.line, row.column, row.because) for row in done.refused]
    finally:
        await database.close()
    if refused:
        table("Refused rows", ("File", "Line", "Column", "What is wrong"), refused, json=False)
        warn(f"{len(refused)} rows were refused. Mend them and import the file again.")
    return bool(refused)


@app.command()
def index(config: Config = None) -> None:
    """Make the keys by which people are found anew, as after a release that says so. The service may run."""

    async def made() -> int:
        from router.register.index import build

        database = open_database(settings(config))
        try:
            return await build(database, bar)
        finally:
            await database.close()

    say(f"{run_async(made())} individuals are indexed.")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="A name, an email, a phone, a postcode, a case reference or the register's id.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Find people in the register; at most 25."""

    async def found() -> list[tuple[object, ...]]:
        from router.register.search import find

        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                people = await find(connection, text)
        finally:
            await database.close()
        return [
            (each.person_id, each.name, each.date_of_birth, each.address, each.emails, each.phones, each.cases)
            for each in people
        ]

    columns = ("Person id", "Name", "Date of birth", "Address", "Emails", "Phones", "Cases")
    people = run_async(found())
    table("In the register", columns, people, json=json)
    if not people:
        raise typer.Exit(1)


@app.command()
def unlink(
    contact_id: Annotated[str, typer.Argument(help="The contact: its id, its first characters, or its reference.")],
    individual_id: Annotated[str, typer.Argument(help="Whom it is not from, as the register calls them.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who undoes it.")],
    because: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands on the audit trail.")],
    config: Config = None,
) -> None:
    """Undo the link between a contact and an individual: the contact is held for review again."""

    async def undo() -> None:
        from ingest.clock import now
        from ingest.commands.run import desk_of
        from router import desk
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, house):
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.contacts, contact_id)
            await desk.unlink(database, store, house, found, individual_id, because, by, now)

    run_async(undo())
    say(f"{contact_id} is no longer linked to {individual_id}; it is held for review.")
