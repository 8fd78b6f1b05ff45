"""``ingest match train``: weights for a register of one's own, from labels, from contacts whose writers are known, or by Splink alone."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import log2
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, Json, bar, fail, run_async, table, warn
from ingest.commands.trial import LeftOut, batches, contacts_in, people_in, query_of, register_of
from ingest.commands.weights import weighing_by

if TYPE_CHECKING:
    from ingest.database import Database
    from router.match import Candidate
    from router.match.statistics import Statistics
    from router.match.training import Counts, Trained
    from router.match.weights import Level, Weights
    from router.register.intake import Source

_SEED: Final = 20_061  # the same files make the same weights
_PAGE: Final = 2_000
_MOST_DRAWN: Final = 100_000  # of the register, to count agreement by chance on
# Labels are of those whom a person was asked about, and not of all who were matched by themselves: the weights that there are stand for those.
_TRUST_LABELS: Final = 1_000.0


@dataclass(slots=True)
class _Counted:
    """What was seen: pairs of one person, pairs of two of one household, and pairs of strangers where a register was at hand."""

    same: "Counts"
    beside: "Counts"
    chance: "Counts | None"
    provenance: dict[str, str | int] = field(default_factory=dict[str, str | int])
    trust: float = 0.0


def command(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="Where the weights are written, as JSON.")],
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="What people decided: `ingest review labels` writes it."),
    ] = None,
    register: Annotated[Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="People, as CSV.")] = None,
    contacts: Annotated[
        Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Contacts, as CSV with contact_id.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False,
            help="Whose each contact is, as CSV with contact_id and person_id, which is blank for nobody of the register.",
        ),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="The weights to begin from, else those of the settings."),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Train the weights of matching on a register of your own, and write them to a file that [matching] weights may name.

    Three ways, the surest first. `--register people.csv --contacts contacts.csv --truth truth.csv` counts on contacts whose writers are
    known. `--labels labels.jsonl` counts on what people have decided in review, beside the weights that there are. `--register` and
    `--contacts` without the truth have Splink find out by itself (expectation maximisation), which needs the extra `splink`.

    A comparison with fewer than 100 known pairs stays as it is, and so does the share of a level that is seen fewer than 5 times; the
    table says which. The shares of contacts and the thresholds are not trained. Try what comes of it before the service has it:
    `ingest match --weights FILE`, and `ingest replay --dry-run` with the settings changed.
    """
    files = register is not None and contacts is not None
    if files == (labels is not None) or (truth is not None and not files) or ((register is None) != (contacts is None)):
        fail(
            "Train on --labels, or on --register with --contacts and, where it is known, --truth. See: ingest match train --help",
            2,
        )
    before = weighing_by(base, config)
    if labels is not None:
        counted = _of_labels(labels)
    else:
        assert register
        assert contacts
        counted = run_async(_of_files(register, contacts, truth, before))
    from router.match.training import trained
    from router.match.weights import Unusable, written

    try:
        made = trained(before, "", counted.same, counted.beside, counted.chance, counted.trust)
    except Unusable as error:
        fail(f"{error} Nothing was written.", 1)
    made = replace(made, weights=_named(made.weights, before, counted.provenance))
    table(f"Weights {made.weights.version}", _COLUMNS, _rows(made, before), json=json)
    if made.kept:
        warn(f"{len(made.kept)} levels stay as they were, since too few pairs are known of them.")
    try:
        out.write_text(written(made.weights), encoding="utf-8")
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}.", 2)
    warn(f"Written to {out}. Try it with: ingest match --weights {out}")


_COLUMNS: Final = (
    "Comparison", "Level", "Pairs", "Same person", "Household", "By chance", "Bits", "Bits before", "Bits for household", "Comes from",
)  # fmt: skip


def _rows(made: "Trained", before: "Weights") -> Iterator[tuple[object, ...]]:
    for comparison, levels in made.weights.comparisons.items():
        for name, level in levels.items():
            chance = f"{level.u:.3g} of the register" if level.each else f"{level.u:.3g}"
            kept = (comparison, name) in made.kept
            yield (
                comparison,
                name,
                f"{made.pairs[comparison].get(name, 0):.0f}",
                f"{level.m:.3g}",
                f"{level.h:.3g}",
                chance,
                _bits(level, level.m),
                _bits(before.comparisons[comparison][name], before.comparisons[comparison][name].m),
                _bits(level, level.h),
                "before: too few pairs" if kept else "counted",
            )


def _bits(level: "Level", share: float) -> str:
    """Of an identifier they depend on the register's size, and stand for one of 10,000."""
    return f"{log2(share / (level.u / 10_000 if level.each else level.u)):+.1f}"


def _named(weights: "Weights", before: "Weights", provenance: Mapping[str, str | int]) -> "Weights":
    """With a version that tells the day and, by a digest, the figures; so the same figures never have two, nor two the same."""
    from router.match.weights import written

    at = now()
    told = {**provenance, "from": before.version, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    digest = sha256(written(replace(weights, provenance={})).encode()).hexdigest()[:8]
    return replace(weights, version=f"trained-{at:%Y-%m-%d}-{digest}", provenance=told)


def _of_labels(file: Path) -> _Counted:
    from router.match.training import labels, nothing
    from router.match.weights import Unusable

    try:
        with file.open(encoding="utf-8") as lines:
            same, _, number = labels((at, json.loads(line)) for at, line in enumerate(lines, 1) if line.strip())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        fail(f"{file} cannot be read as JSON lines: {error}.", 2)
    except Unusable as error:
        fail(f"{file}: {error}", 2)
    # Whom people were shown and refused are near misses of every kind, and no measure of how a household agrees.
    return _Counted(same, nothing(), None, {"trained_on": "labels", "labels": number}, _TRUST_LABELS)


async def _of_files(register: Path, contacts: Path, truth: Path | None, weights: "Weights") -> _Counted:
    people, asked, left_out = people_in(register), contacts_in(contacts), LeftOut(now().date())
    known = _truth(truth) if truth else None
    async with register_of(people, left_out) as database:
        held = await _everybody(database, people.lines)
        chance, statistics = _by_chance(held)
        with bar("Comparing", asked.lines) as progress:
            if known is not None:
                same, beside, number = _compared(asked, left_out, held, known, statistics, weights, progress)
            else:
                same, beside, number = await _found_out(database, asked, left_out, statistics, weights, progress)
    left_out.tell()
    how = "contacts whose writers are known" if known is not None else "contacts, by Splink's expectation maximisation"
    return _Counted(same, beside, chance, {"trained_on": how, "individuals": statistics.individuals, "pairs": number})


def _truth(file: Path) -> dict[str, str]:
    from router.register.intake import RefusedRow, opened

    rows = opened(file, ("contact_id", "person_id"), ("scenario",)).rows()
    return {row.cells["contact_id"]: row.cells["person_id"] for row in rows if not isinstance(row, RefusedRow)}


async def _everybody(database: "Database", lines: int) -> "list[Candidate]":
    from router.register.held import as_candidates, following

    found: list[Candidate] = []
    with bar("Reading the register", lines) as progress:
        async with database.read() as connection:
            while page := await following(connection, found[-1].individual_id if found else "", _PAGE):
                found += as_candidates(page)
                progress(len(page))
    return found


def _by_chance(held: "Sequence[Candidate]") -> "tuple[Counts, Statistics]":
    from router.match.training import PAIRS, by_chance, statistics_of

    random, statistics, drawn = Random(_SEED), statistics_of(held), 0
    some = random.sample(held, _MOST_DRAWN) if len(held) > _MOST_DRAWN else held
    with bar("Comparing strangers", 10 * PAIRS) as progress:

        def choose(several: Sequence[Any]) -> Any:
            nonlocal drawn
            drawn += 1
            if drawn % _PAGE == 0:
                progress(_PAGE)
            return random.choice(several)

        return by_chance(some, statistics, choose), statistics


def _compared(
    asked: "Source",
    left_out: LeftOut,
    held: "Sequence[Candidate]",
    known: Mapping[str, str],
    statistics: "Statistics",
    weights: "Weights",
    progress: Callable[[int], None],
) -> "tuple[Counts, Counts, int]":
    """Each contact held against whose it is, and against whoever else lives there."""
    from router.match.decision import levels
    from router.match.training import note, nothing

    people = {each.individual_id: each for each in held}
    at_home: dict[object, list[Candidate]] = defaultdict(list)
    for each in held:
        if home := _home(each):
            at_home[home].append(each)
    same, beside, number, unknown = nothing(), nothing(), 0, 0
    for batch in batches(asked, left_out):
        for row in batch:
            whose = known.get(row.cells["contact_id"])
            person = people.get(whose or "")
            unknown += whose is None or (whose != "" and person is None)
            if person is None:
                continue
            others = [each for each in at_home.get(_home(person), ()) if each is not person]
            found = levels(query_of(row.cells), [person, *others], statistics, weights)
            note(same, next(found))
            for each in found:
                note(beside, each)
            number += 1
        progress(len(batch))
    if unknown:
        warn(f"Of {unknown} contacts it is not known whose they are, or the register has not got them; they count for nothing.")
    return same, beside, number


def _home(person: "Candidate") -> object:
    """Where they live, as far as a postcode and a number say; None where they do not."""
    from router.match.addresses import places

    found = next((each for each in places(person.addresses, person.postcodes) if each.postcode and each.numbers), None)
    return (found.postcode, found.numbers) if found else None


async def _found_out(
    database: "Database",
    asked: "Source",
    left_out: LeftOut,
    statistics: "Statistics",
    weights: "Weights",
    progress: Callable[[int], None],
) -> "tuple[Counts, Counts, int]":
    """Each contact held against whom the search finds for it, and the pairs told apart by Splink. A register has a person once, so that
    hardly any but the likeliest is whose the contact is: the others show how those agree who only share a key.
    """
    from router.match.decision import levels
    from router.match.training import note, nothing
    from router.register.search import candidates

    pairs: list[Mapping[str, str]] = []
    others = nothing()
    for batch in batches(asked, left_out):
        queries = [query_of(row.cells) for row in batch]
        async with database.read() as connection:
            found = await candidates(connection, queries, left_out.today)
        for query, some in zip(queries, found, strict=True):
            for rank, each in enumerate(levels(query, some, statistics, weights)):
                pairs.append(each)
                if rank:
                    note(others, each)
        progress(len(batch))
    same, number = _by_splink(pairs, others, weights)
    return same, nothing(), number


def _by_splink(pairs: Sequence[Mapping[str, str]], others: "Counts", weights: "Weights") -> "tuple[Counts, int]":
    """How many pairs of one person stand at each level, as Splink's expectation maximisation has it."""
    try:
        from splink import Linker, SettingsCreator, block_on
        from splink.backends.duckdb import DuckDBAPI
    except ImportError:
        fail(
            "Without --truth it takes Splink, which is not installed: pip install 'contact-ingest[splink]'. Or train on --labels.",
            2,
        )
    from router.match.splink import parse
    from router.match.training import nothing
    from router.match.weights import COMPARISONS

    columns = {each.replace(" ", "_"): each for each in COMPARISONS if any(each in pair for pair in pairs)}
    if not columns:
        fail("Nobody of the register comes near to any of these contacts: there is nothing to train on.", 1)
    with TemporaryDirectory(prefix="ingest-train-") as folder:
        sides, file = Path(folder) / "pairs.csv", Path(folder) / "model.json"
        with sides.open("w", encoding="utf-8", newline="") as text:
            sheet = csv.writer(text)
            sheet.writerow(("unique_id", "pair", *columns))
            sheet.writerows((at, at, *(pair.get(each) for each in columns.values())) for at, pair in enumerate(pairs))
        api = DuckDBAPI()
        settings = SettingsCreator(
            link_type="link_only",
            comparisons=[_for_splink(column, others[each], weights.comparisons[each]) for column, each in columns.items()],
            blocking_rules_to_generate_predictions=[block_on("pair")],
            probability_two_random_records_match=0.1,
        )
        # What is compared is a level already, so that both sides of a pair have the same.
        linker = Linker([api.register_from_csv(str(sides)), api.register_from_csv(str(sides))], settings, log_level="ERROR")
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on("pair"), fix_u_probabilities=True, fix_probability_two_random_records_match=False
        )
        linker.misc.save_model_to_json(str(file))
        model = parse(file.read_text(encoding="utf-8"))
    same = nothing()
    for comparison in model.comparisons:
        name = columns[comparison.name]
        known = model.prior * sum(name in pair for pair in pairs)
        same[name] = Counter({level.label: round(known * (level.m or 0)) for level in comparison.compared})
    return same, round(model.prior * len(pairs))


def _for_splink(column: str, others: Counter[str], levels: "Mapping[str, Level]") -> dict[str, Any]:
    """A comparison whose values are levels."""
    whole = others.total() + len(levels)
    said: list[dict[str, Any]] = [
        {"sql_condition": f'"{column}_l" IS NULL', "label_for_charts": "absent", "is_null_level": True}
    ]
    for level, each in levels.items():
        chance = (others[level] + 1) / whole
        at = f"\"{column}_l\" = '{level}'" if len(said) < len(levels) else "ELSE"
        said.append({"sql_condition": at, "label_for_charts": level, "m_probability": each.m, "u_probability": chance})
    return {"output_column_name": column, "comparison_levels": said}
