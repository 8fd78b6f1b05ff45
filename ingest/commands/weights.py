"""``ingest match weights``: what matching weighs by, as a table; and a model that Splink trained, made into a file of weights."""

from collections.abc import Iterator
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ingest.commands.terminal import fail, say, table
from ingest.errors import Misconfigured
from ingest.settings import MatchingSettings, load_matching

if TYPE_CHECKING:
    from router.match.weights import Weights

_SPLINKS: Final = "probability_two_random_records_match"


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
    weights = chosen(file, splinks_too=True)
    columns = ("Comparison", "Level", "Same person", "Household", "By chance", "Bits", "Bits for household", "By frequency")
    table(f"Weights {weights.version}", columns, _rows(weights), json=json)
    if weights.provenance and not json:
        say("\n".join(f"{name.replace('_', ' ')}: {said}" for name, said in weights.provenance.items()))
    if out:
        from router.match.weights import written

        try:
            out.write_text(written(weights), encoding="utf-8")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}.", 2)
        if not json:
            say(f"Written to {out}. Try it with: ingest match --weights {out}")


def chosen(file: Path | None, *, splinks_too: bool = False) -> "Weights":
    """The weights in a file, or those that it comes with; where the file has none, ends with what is wrong."""
    from router.match.weights import shipped

    try:
        return _in(file, splinks_too=splinks_too) if file else shipped()
    except Misconfigured as error:
        fail(error.sentence, 2)


def weighing_by(file: Path | None, config: Path | None) -> "Weights":
    """The weights in a file, else those that the settings name, else those it comes with; or the end, with what is wrong."""
    try:
        return chosen(file) if file else set_by(load_matching(config)) or chosen(None)
    except Misconfigured as error:
        fail(error.sentence, 2)


def set_by(matching: MatchingSettings) -> "Weights | None":
    """The weights that the settings name, if they name any. Raises Misconfigured."""
    if matching.weights is None:
        return None
    try:
        return _in(matching.weights)
    except Misconfigured as error:
        raise Misconfigured("matching.weights", f"matching.weights: {error.sentence}") from error


def _in(file: Path, *, splinks_too: bool = False) -> "Weights":
    """Raises Misconfigured, also of a model of Splink's where those are not wanted."""
    from router.match.splink import UnknownModel, as_weights, parse
    from router.match.weights import Unusable, read, shipped

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("weights", f"{file} cannot be read: {error}.") from error
    try:
        return as_weights(parse(text), shipped()) if splinks_too and _SPLINKS in text else read(text)
    except (Unusable, UnknownModel) as error:
        made = f"It is a model of Splink's. Make weights of it: ingest match weights {file} --out FILE."
        said = made if _SPLINKS in text and not splinks_too else error
        raise Misconfigured("weights", f"{file}: {said}") from error


def _rows(weights: "Weights") -> Iterator[tuple[Any, ...]]:
    for comparison, levels in weights.comparisons.items():
        for name, level in levels.items():
            chance = f"{level.u:.3g} of the register" if level.each else f"{level.u:.3g}"
            bits = ("", "") if level.each else (f"{log2(level.m / level.u):+.1f}", f"{log2(level.h / level.u):+.1f}")
            yield comparison, name, f"{level.m:.3g}", f"{level.h:.3g}", chance, *bits, level.frequency or ""
