"""``ingest register``: people and cases into the register, finding somebody in it, what is done differently for them, and who is who."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ingest.commands.terminal import By, Config, Json, bar, fail, open_database, run_async, say, settings, table, warn

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from router.individuals import Desk
    from router.register.intake import Kind, Source

_T = TypeVar("_T")

app = typer.Typer(help="Individuals, cases and their parties.", no_args_is_help=True)

_File = typer.Option(metavar="FILE", exists=True, dir_okay=False)
_Because = Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]
_Contact = typer.Argument(metavar="CONTACT", help="The contact: its id, its first characters, or its reference.")


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
    chosen = settings(config)
    database, key = open_database(chosen), chosen.own_key
    refused: list[tuple[object, ...]] = []
    try:
        for kind, source in sources:
            done = await take_in(database, kind, source, now, bar, key=key)
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

        people = await _looked_up(config, lambda connection: find(connection, text))
        return [
            (
                *(each.person_id, each.name, each.date_of_birth, each.address, each.emails, each.phones, each.cases),
                *("router" if each.made else "case system", each.also),
            )
            for each in people
        ]

    columns = ("Person id", "Name", "Date of birth", "Address", "Emails", "Phones", "Cases", "Made by", "Also")
    people = run_async(found())
    table("In the register", columns, people, json=json)
    if not people:
        raise typer.Exit(1)


@app.command()
def unlink(
    contact_id: Annotated[str, _Contact], by: By, because: _Because, dry_run: _DryRun = False, config: Config = None
) -> None:
    """Undo the link between a contact and whoever it was found to be from: it is held for review again.

    Its record and handoffs name nobody until somebody has decided, and a task asks to put right what went out in the wrong name.
    """

    async def undo(desk: "Desk", contacts: "list[UUID]") -> list[str]:
        from router import individuals

        return await individuals.unlink(desk, contacts[0])

    _tell(undo, [contact_id], by, because, config, dry_run=dry_run)


@app.command()
def merge(
    keep: Annotated[
        str, typer.Argument(metavar="KEEP", help="Whom they count as: the case system's own, where one of them is.")
    ],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Who is the same person.")],
    by: By,
    because: _Because,
    dry_run: _DryRun = False,
    config: Config = None,
) -> None:
    """Have two individuals count as one: their contacts, cases, adjustments and addresses together. `split OTHER` undoes it."""

    async def count_as_one(desk: "Desk", _: "list[UUID]") -> list[str]:
        from router import individuals

        return await individuals.merge(desk, keep, other)

    _tell(count_as_one, [], by, because, config, dry_run=dry_run)


@app.command()
def split(
    individual_id: Annotated[
        str, typer.Argument(metavar="INDIVIDUAL", help="Who was merged; with --contacts, whose contacts are not all theirs.")
    ],
    by: By,
    because: _Because,
    contacts: Annotated[
        list[str] | None, typer.Option("--contacts", metavar="CONTACT", help="One that is somebody else's; again for each.")
    ] = None,
    dry_run: _DryRun = False,
    config: Config = None,
) -> None:
    """Take an individual apart: undo that they were merged, or make another out of contacts that are somebody else's."""

    async def take_apart(desk: "Desk", theirs: "list[UUID]") -> list[str]:
        from router import individuals

        return await individuals.split(desk, individual_id, theirs)

    _tell(take_apart, contacts or [], by, because, config, dry_run=dry_run)


@app.command()
def adjustments(
    individual_id: Annotated[str, typer.Argument(metavar="INDIVIDUAL", help="The register's id.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """List what is done differently for somebody, and who said so: the case system, or a contact of theirs."""

    async def found() -> list[tuple[object, ...]]:
        from router.register.search import adjustments_of

        held = await _looked_up(config, lambda connection: adjustments_of(connection, individual_id))
        return [(each.kind, each.since, each.reference or "case system") for each in held]

    held = run_async(found())
    table("Adjustments", ("Adjustment", "Since", "Said by"), held, json=json)
    if not held:
        raise typer.Exit(1)


@app.command()
def withdraw(
    individual_id: Annotated[str, typer.Argument(metavar="INDIVIDUAL", help="The register's id.")],
    kind: Annotated[str, typer.Argument(metavar="ADJUSTMENT", help="As `adjustments` lists it.")],
    by: By,
    because: _Because,
    dry_run: _DryRun = False,
    config: Config = None,
) -> None:
    """Have an adjustment that somebody's contacts asked for hold no longer, as where they need it no more or never said it."""

    async def taken_off(desk: "Desk", _: "list[UUID]") -> list[str]:
        from router import individuals

        return await individuals.withdraw(desk, individual_id, kind)

    _tell(taken_off, [], by, because, config, dry_run=dry_run)


async def _looked_up(config: Path | None, ask: "Callable[[AsyncConnection], Awaitable[list[_T]]]") -> list[_T]:
    """What the register answers."""
    database = open_database(settings(config))
    try:
        async with database.read() as connection:
            return await ask(connection)
    finally:
        await database.close()


def _tell(
    act: "Callable[[Desk, list[UUID]], Awaitable[list[str]]]",
    contacts: list[str],
    by: str,
    because: str,
    config: Path | None,
    *,
    dry_run: bool,
) -> None:
    """Do it to the contacts that are meant, or see what would come of it, and print that."""

    async def done() -> list[str]:
        from ingest.clock import now
        from ingest.commands.run import desk_of
        from router.desk import id_of
        from router.individuals import Desk
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, house):
            async with database.read() as connection:
                meant = [await id_of(connection, tables.contacts, each) for each in contacts]
            return await act(Desk(database, store, house, now, by, because, dry_run), meant)

    changed = run_async(done())
    for each in changed:
        say(each)
    warn("Nothing was changed." if dry_run else "Done.")
