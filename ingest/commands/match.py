"""``ingest match``: whom each contact of a CSV file would be matched to, by the service's own search and rule, nothing stored."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from ingest.clock import now
from ingest.commands.explain import command as explain_command
from ingest.commands.terminal import Config, bar, fail, run_async, say
from ingest.commands.train import command as train_command
from ingest.commands.trial import LeftOut, batches, contacts_in, people_in, query_of, register_of
from ingest.commands.weights import command as weights_command
from ingest.commands.weights import weighing_by

if TYPE_CHECKING:
    from ingest.database import Database
    from router.match import MatchResult
    from router.match.weights import Weights
    from router.register.intake import Source

_Register = typer.Option(metavar="FILE", exists=True, dir_okay=False, help="People of a register, as CSV.")
_Contacts = typer.Option(
    metavar="FILE", exists=True, dir_okay=False, help="Contacts, as CSV with the same columns and contact_id."
)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command("explain")(explain_command)
app.command("train")(train_command)
app.command("weights")(weights_command)


@app.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    register: Annotated[Path | None, _Register] = None,
    contacts: Annotated[Path | None, _Contacts] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where the answers are written, as CSV.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Other weights than those of the settings."),
    ] = None,
    config: Config = None,
) -> None:
    """Match contacts with a register: contact_id, person_id, score and decision for each, the decision match, review or none.

    It weighs by the weights in --weights, else by those that [matching] weights names, else by those it comes with; of the settings
    nothing else is needed. A review names the likeliest candidate. A cell that cannot be read is left out, as is a row; each is
    listed, and the exit status is then 1.
    """
    if context.invoked_subcommand:
        return
    if register is None or contacts is None or out is None:
        fail("--register, --contacts and --out are all needed. See: ingest match --help", 2)
    if run_async(_match(register, contacts, out, weighing_by(weights, config))):
        raise typer.Exit(1)


async def _match(register: Path, contacts: Path, out: Path, weights: "Weights") -> bool:
    """Whether anything was left out."""
    people, asked, left_out = people_in(register), contacts_in(contacts), LeftOut(now().date())
    with _written(out) as answers:
        async with register_of(people, left_out) as database:
            with bar("Matching", asked.lines) as progress:
                decided = await _answer(database, asked, left_out, answers, progress, weights)
    say(f"{decided['match']} matched, {decided['review']} for review, {decided['none']} not in the register.")
    left_out.tell()
    return bool(left_out.listed)


async def _answer(
    database: "Database",
    asked: "Source",
    left_out: LeftOut,
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
    for batch in batches(asked, left_out):
        queries = [query_of(row.cells) for row in batch]
        async with database.read() as connection:
            found = await candidates(connection, queries, left_out.today)
            borne = await statistics(connection)
        for row, query, some in zip(batch, queries, found, strict=True):
            person, score, decision = _said(match(query, some, borne, weights))
            sheet.writerow((row.cells["contact_id"], person, score, decision))
            decided[decision] += 1
        progress(len(batch))
    return decided


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
