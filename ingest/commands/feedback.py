"""``ingest feedback``: the records that Customer Care's feedback is kept in; listed, shown in full, and taken away as a file."""

import csv
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import typer
from pydantic import BaseModel

from ingest.commands.terminal import Config, Json, fail, open_database, run_async, say, settings, table, warn
from ingest.contract import FeedbackRecord
from ingest.database import Database

app = typer.Typer(help="Feedback records: what people said of our service and our decisions.", no_args_is_help=True)

Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Recorded on or after; UTC."),
]
_Some = tuple[object, ...]
_PAGE: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\x00", "\r")

LABELS: Final = {
    "reference": "Reference",
    "id": "Id",
    "received_at": "Received",
    "channel": "Came by",
    "recorded_at": "Recorded",
    "name_given": "Name as given",
    "name_held": "Name as held",
    "address_given": "Address as given",
    "address_held": "Address as held",
    "phone_given": "Telephone as given",
    "email_given": "Mail address as given",
    "date_of_birth_given": "Birth date as given",
    "individual_id": "Individual in the register",
    "under_18": "UNDER 18, in their words",
    "legal_clock": "The law wants an answer by",
    "reasonable_adjustments": "Reasonable adjustments",
    "agreed_method": "How to reach them",
    "unsafe_ways": "NEVER reach them by",
    "on_behalf_of": "Writes for, as they declare",
    "represented": "Writes for, in their words",
    "authority": "By what right, a claim",
    "type": "Type of feedback",
    "contacted_before_said": "Contacted us before, as they say",
    "contacted_before_held": "Contacted us before, as held",
    "case_reference": "Case",
    "organisation_complained_of": "Organisation complained of",
    "key_points": "Key points in their words",
    "review_criteria": "Review criteria",
    "remedy_sought": "Remedy sought",
    "promises_broken": "Promises they say we broke",
    "missing": "Still to ask for",
    "contact_ids": "Made from",
}
"""Every field of the record in the order it is read, with the words for it."""


@app.command("list")
def show_list(
    since: Since = None,
    kind: Annotated[
        Literal["service", "decision", "mixed", "praise", "suggestion"] | None,
        typer.Option("--type", help="Only this type of feedback."),
    ] = None,
    settled: Annotated[bool | None, typer.Option("--settled/--open", help="Only what is settled, or only what is not.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """List feedback records, oldest first. `ingest feedback show REFERENCE` prints one in full."""
    columns = ("Reference", "Received", "Type", "Individual", "Case", "Settled", "Missing")

    async def rows() -> list[tuple[object, ...]]:
        database = open_database(settings(config))
        try:
            return [
                (r.reference, r.received_at, r.type, r.individual_id, r.case_reference, done, r.missing)
                async for r, done in _records(database, since, kind, settled)
            ]
        finally:
            await database.close()

    table("Feedback records", columns, run_async(rows()), json=json)


@app.command()
def show(
    record: Annotated[str, typer.Argument(metavar="REFERENCE_OR_ID", help="CC-7F3KQ-92QXA, or the beginning of an id.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Print a record in full: what the service model asks for, as given and as held, and what is not said."""
    found = run_async(_shown(record, config))
    if not found:
        fail(f"No feedback record is {record}. `ingest feedback list` shows what there is.")
    for number, (each, settled, additions, tied) in enumerate(found):
        if json:
            say(each.model_dump_json())
            continue
        say("\n" * bool(number) + f"Feedback record {each.reference}{' (settled)' if settled else ''}\n")
        for name, label in LABELS.items():
            say(f"  {label + ':':<34}{_words(getattr(each, name))}")
        if additions:
            say(f"  {'Added to it since:':<34}{_words(additions)}")
        if tied:
            say(f"  {'Tied to, by what we sent:':<34}{_words(tied)}")


async def _shown(given: str, config: Path | None) -> list[tuple[FeedbackRecord, bool, tuple[str, ...], tuple[str, ...]]]:
    from sqlalchemy import select

    from router.desk import ids_of, tied_to
    from router.register import tables

    records, added, contacts = tables.feedback_records, tables.additions, tables.contacts
    database = open_database(settings(config))
    try:
        async with database.read() as connection:
            ids = await ids_of(connection, records, given)
            rows = (await connection.execute(select(records).where(records.c.id.in_(ids)).order_by(records.c.id))).all()
            since = (
                select(added.c.added_to, contacts.c.reference, contacts.c.channel, contacts.c.received_at)
                .join(contacts, contacts.c.id == added.c.contact_id)
                .where(added.c.added_to.in_(ids))
                .order_by(contacts.c.received_at)
            )
            further = (await connection.execute(since)).all()
            of = {row.id: FeedbackRecord.model_validate_json(row.body).contact_ids for row in rows}
            tied = {id_: [each for about in ids for each in await tied_to(connection, about)] for id_, ids in of.items()}
    finally:
        await database.close()
    return [
        (
            FeedbackRecord.model_validate_json(row.body),
            row.settled,
            tuple(
                f"{each.reference} by {each.channel.replace('_', ' ')}, {_words(each.received_at)}"
                for each in further
                if each.added_to == row.id
            ),
            tuple(what for _, what in tied[row.id]),
        )
        for row in rows
    ]


@app.command()
def settle(
    given: Annotated[str, typer.Argument(metavar="REFERENCE_OR_ID", help="Which record.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are; it stands on the audit trail.")],
    config: Config = None,
) -> None:
    """Say that nothing more is to be done about a record: what the person writes next becomes a record of its own."""
    run_async(_settle(given, by, config))
    warn("Settled.")


async def _settle(given: str, by: str, config: Path | None) -> None:
    from ingest.clock import now
    from ingest.commands.run import desk_of
    from router import desk
    from router.register import tables

    async with desk_of(settings(config)) as (database, store, _):
        async with database.read() as connection:
            found = await desk.id_of(connection, tables.feedback_records, given)
        await desk.settle(database, store, found, by, now)


@app.command()
def export(
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="For a spreadsheet: a row each, no cell read as a formula.")
    ] = None,
    jsonl_file: Annotated[
        Path | None, typer.Option("--jsonl", metavar="FILE", help="The records as published, one JSON object a line.")
    ] = None,
    since: Since = None,
    config: Config = None,
) -> None:
    """Write feedback records to a file, oldest first. It holds people's words and names: keep it as you keep the register."""
    path = csv_file or jsonl_file
    if path is None or (csv_file and jsonl_file):
        fail("Name one of --csv FILE and --jsonl FILE.", 2)
    try:
        written = run_async(_export(path, since, config, as_csv=csv_file is not None))
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")
    warn(f"{written} feedback records written to {path}.")


async def _export(path: Path, since: datetime | None, config: Path | None, *, as_csv: bool) -> int:
    database, written = open_database(settings(config)), 0
    try:
        # Excel takes a file for UTF-8 only by its mark, and Welsh names would suffer.
        with path.open("w", encoding="utf-8-sig" if as_csv else "utf-8", newline="") as file:
            sheet = csv.writer(file)
            if as_csv:
                sheet.writerow([*LABELS, "settled"])
            async for record, settled in _records(database, since, None, None):
                if as_csv:
                    cells = record.model_dump(mode="json")
                    sheet.writerow([_cell(each) for each in (*(cells[name] for name in LABELS), settled)])
                else:
                    file.write(record.model_dump_json() + "\n")
                written += 1
    finally:
        await database.close()
    return written


async def _records(
    database: Database, since: datetime | None, kind: str | None, settled: bool | None
) -> AsyncGenerator[tuple[FeedbackRecord, bool]]:
    """Records and whether each is settled, a page at a time so that the service may write in between."""
    from sqlalchemy import select, tuple_

    from router.register import tables

    kept = tables.feedback_records
    query = select(kept.c.id, kept.c.recorded_at, kept.c.settled, kept.c.body).order_by(kept.c.recorded_at, kept.c.id)
    if since is not None:
        query = query.where(kept.c.recorded_at >= since.replace(tzinfo=UTC))
    if kind is not None:
        query = query.where(kept.c.type == kind)
    if settled is not None:
        query = query.where(kept.c.settled.is_(settled))
    page = query
    while True:
        async with database.read() as connection:
            rows = (await connection.execute(page.limit(_PAGE))).all()
        for row in rows:
            yield FeedbackRecord.model_validate_json(row.body), row.settled
        if len(rows) < _PAGE:
            return
        last = tuple_(rows[-1].recorded_at, rows[-1].id, types=[kept.c.recorded_at.type, kept.c.id.type])
        page = query.where(tuple_(kept.c.recorded_at, kept.c.id) > last)


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP ASVS 1.2.10)."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case list():
            text = " | ".join(_item(each) for each in cast(list[Any], value))
        case dict():
            text = _item(value)
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _item(value: Any) -> str:
    """One thing in a few words: a person with how to reach them, a criterion or an unsafe way with what they said of it."""
    match value:
        case {"identifiers": [*identifiers], "name": name}:
            return ", ".join(str(each) for each in (name, *(each["given"] for each in identifiers)) if each)
        case {"date_of_birth": _, "postcode": _}:
            return ", ".join(str(each) for each in cast(dict[str, Any], value).values() if each) or "somebody they do not name"
        case {"kind": kind, "due": due}:
            return f"{due}: {kind}"
        case {"evidence": words, "name": name} | {"words": words, "method": name}:
            return f"{name}: {words}" if words else str(name)
        case _:
            return str(value)


def _words(value: object) -> str:
    """A value as it is read on a screen; several below each other."""
    match value:
        case None | () | "":
            return "not said"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%d %B %Y %H:%M UTC")
        case BaseModel():
            return _item(value.model_dump(mode="json")) or "not said"
        case tuple():
            each = (
                _item(every.model_dump(mode="json")) if isinstance(every, BaseModel) else str(every)
                for every in cast(_Some, value)
            )
            return ("\n" + " " * 36).join(each)
        case _:
            return str(value)
