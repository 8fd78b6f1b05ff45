"""``ingest match``: whom each contact of a CSV file would be matched to, by the service's own search and rule, nothing stored."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from ingest.commands.terminal import bar, fail, run_async, say, table, warn
from ingest.commands.weights import chosen
from ingest.commands.weights import command as weights_command

if TYPE_CHECKING:
    from ingest.database import Database
    from router.match import MatchResult, Query
    from router.match.weights import Weights
    from router.register.intake import RefusedRow, Row, Source

_BATCH: Final = 500
_File = typer.Option(metavar="FILE", exists=True, dir_okay=False)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command("weights")(weights_command)


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    register: Annotated[Path | None, _File] = None,
    contacts: Annotated[Path | None, _File] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where the answers are written, as CSV.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Other weights than those it comes with.")
    ] = None,
) -> None:
    """Match contacts with a register: contact_id, person_id, score and decision for each, the decision match, review or none.

    A review names the likeliest candidate. A cell that cannot be read is left out, as is a row; each is listed, and the exit
    status is then 1.
    """
    if context.invoked_subcommand:
        return
    if register is None or contacts is None or out is None:
        fail("--register, --contacts and --out are all needed. See: ingest match --help", 2)
    if run_async(_match(register, contacts, out, chosen(weights))):
        raise typer.Exit(1)


@dataclass(slots=True)
class _LeftOut:
    """What could not be read, as it is found."""

    today: date
    listed: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def rows(self, source: "Source", refused: "Iterator[RefusedRow]") -> None:
        self.listed.extend((source.path.name, row.line, row.column, row.because) for row in refused)

    def cells(self, source: "Source") -> "Callable[[Row], Row]":
        """What empties a row's unreadable cells."""
        from router.register.intake import unreadable

        def emptied(row: "Row") -> "Row":
            wrong = dict(unreadable(row.cells, self.today))
            self.listed.extend((source.path.name, row.line, column, because) for column, because in wrong.items())
            return replace(row, cells={**row.cells, **dict.fromkeys(wrong, "")}) if wrong else row

        return emptied


async def _match(register: Path, contacts: Path, out: Path, weights: "Weights") -> bool:
    """Whether anything was left out."""
    from ingest.clock import now
    from ingest.database import Database, upgrade
    from router.register import MIGRATIONS
    from router.register.intake import OPTIONAL, REQUIRED, opened, take_in

    required = REQUIRED["individuals"]
    known = opened(register, required, OPTIONAL["individuals"])
    asked = opened(contacts, ("contact_id", *required[1:]))
    left_out = _LeftOut(now().date())
    with TemporaryDirectory(prefix="ingest-match-") as folder, _written(out) as answers:
        url = f"sqlite:///{folder}/register.db"
        upgrade(url, [MIGRATIONS])
        database = Database(url)
        try:
            mended = replace(known, mend=left_out.cells(known))
            done = await take_in(database, "individuals", mended, now, bar)
            left_out.rows(known, iter(done.refused))
            with bar("Matching", asked.lines) as progress:
                decided = await _answer(database, asked, left_out, answers, progress, weights)
        finally:
            await database.close()
    say(f"{decided['match']} matched, {decided['review']} for review, {decided['none']} not in the register.")
    if left_out.listed:
        table("Left out", ("File", "Line", "Column", "What is wrong"), left_out.listed, json=False)
        warn(f"{len(left_out.listed)} rows or cells could not be read and were left out.")
    return bool(left_out.listed)


async def _answer(
    database: "Database",
    asked: "Source",
    left_out: _LeftOut,
    answers: TextIO,
    progress: Callable[[int], None],
    weights: "Weights",
) -> Counter[str]:
    from router.match import match
    from router.register.search import candidates
    from router.register.statistics import statistics

    decided: Counter[str] = Counter()
    sheet = csv.writer(answers, lineterminator="\n")
    sheet.writerow(("contact_id", "person_id", "score", "decision"))
    for batch in _batches(asked, left_out):
        queries = [_query(row) for row in batch]
        async with database.read() as connection:
            found = await candidates(connection, queries, left_out.today)
            borne = await statistics(connection)
        for row, query, some in zip(batch, queries, found, strict=True):
            person, score, decision = _said(match(query, some, borne, weights))
            sheet.writerow((row.cells["contact_id"], person, score, decision))
            decided[decision] += 1
        progress(len(batch))
    return decided


def _batches(asked: "Source", left_out: _LeftOut) -> "Iterator[list[Row]]":
    from router.register.intake import RefusedRow

    seen: dict[str, int] = {}
    batch: list[Row] = []
    for row in replace(asked, mend=left_out.cells(asked)).rows():
        if isinstance(row, RefusedRow):
            left_out.rows(asked, iter([row]))
            continue
        contact = row.cells["contact_id"]
        if not contact or contact in seen:
            because = f"It stands on line {seen[contact]} already." if contact else "It is blank."
            left_out.rows(asked, iter([RefusedRow(row.line, "contact_id", because)]))
            continue
        seen[contact] = row.line
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _query(row: "Row") -> "Query":
    from ingest.contract import as_date, canonical_email, canonical_phone, canonical_postcode
    from router.match import Query

    cells = row.cells
    name = " ".join(filter(None, (cells["given_name"], cells["surname"])))
    abroad = (
        cells["postcode"] if cells["postcode"].isdecimal() else ""
    )  # another country's postcode, which is a part of the address
    address = ", ".join(filter(None, (cells["address_1"], cells["address_2"], cells["town"], abroad)))
    return Query(
        names=(name,) if name else (),
        date_of_birth=as_date(cells["date_of_birth"]),
        emails=tuple(filter(None, [canonical_email(cells["email"])])),
        phones=tuple(filter(None, [canonical_phone(cells["phone"])])),
        postcodes=tuple(filter(None, [canonical_postcode(cells["postcode"])])),
        address=address or None,
    )


def _said(result: "MatchResult") -> tuple[str, float, str]:
    from router.match import Ambiguous, Matched

    match result:
        case Matched():
            return result.individual_id, result.score, "match"
        case Ambiguous():
            return result.candidates[0], result.scores[0], "review"
        case _:
            return "", 0.0, "none"


def _written(out: Path) -> TextIO:
    try:
        return out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.", 2)
