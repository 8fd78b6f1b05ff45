"""``ingest match weights``: what matching weighs by, as a table; and a model that Splink trained, made into a file of weights."""

from collections.abc import Iterator
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.commands.terminal import fail, say, table

if TYPE_CHECKING:
    from router.match.weights import Weights


def command(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Weights, or a model that Splink saved.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where weights are written, as JSON.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Show each comparison's levels, and how many bits each speaks for a person; without a file, the weights it comes with.

    A model of Splink's must name its comparisons (output_column_name) and levels (label_for_charts) as the table does; what is
    not known is refused, and nothing is guessed from its SQL.
    """
    weights = _from_splink(file) if file and _is_splink(file) else chosen(file)
    columns = ("Comparison", "Level", "Same person", "Household", "By chance", "Bits", "Bits for household", "By frequency")
    table(f"Weights {weights.version}", columns, _rows(weights), json=json)
    if out:
        from router.match.weights import written

        try:
            out.write_text(written(weights), encoding="utf-8")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}.", 2)
        if not json:
            say(f"Written to {out}. Try it with: ingest match --weights {out}")


def chosen(file: Path | None) -> "Weights":
    """The weights in a file, or those that it comes with; where the file has none, ends with what is wrong."""
    from router.match.weights import Unusable, read, shipped

    if file is None:
        return shipped()
    try:
        return read(_text(file))
    except Unusable as error:
        fail(f"{file}: {error}", 2)


def _from_splink(file: Path) -> "Weights":
    from router.match.splink import UnknownModel, as_weights, parse
    from router.match.weights import shipped

    try:
        return as_weights(parse(_text(file)), shipped())
    except UnknownModel as error:
        fail(f"{file}: {error}", 2)


def _is_splink(file: Path) -> bool:
    return "probability_two_random_records_match" in _text(file)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}.", 2)


def _rows(weights: "Weights") -> Iterator[tuple[Any, ...]]:
    for comparison, levels in weights.comparisons.items():
        for name, level in levels.items():
            chance = f"{level.u:.3g} of the register" if level.each else f"{level.u:.3g}"
            bits = ("", "") if level.each else (f"{log2(level.m / level.u):+.1f}", f"{log2(level.h / level.u):+.1f}")
            yield comparison, name, f"{level.m:.3g}", f"{level.h:.3g}", chance, *bits, level.frequency or ""
