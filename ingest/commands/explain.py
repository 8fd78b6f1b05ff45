"""``ingest match explain``: who one contact may be from, by which keys each was found, what each comparison weighs, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, fail, run_async, say, settings, table
from ingest.commands.trial import LeftOut, batches, contacts_in, people_in, query_of, register_of
from ingest.commands.unstored import as_published, contact_in
from ingest.commands.weights import chosen, weighing_by

if TYPE_CHECKING:
    from router.match import Candidate, MatchResult, Query
    from router.match.decision import Weighed, Weighing
    from router.match.statistics import Statistics
    from router.match.weights import Weights
    from router.register.search import FoundBy

_AT_MOST: Final = 5  # as many as a review task names
_Register = typer.Option(metavar="FILE", exists=True, dir_okay=False, help="People of a register, as CSV.")
_Contacts = typer.Option(
    metavar="FILE", exists=True, dir_okay=False, help="Contacts, as CSV with the same columns and contact_id."
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One contact with whom the register's search finds for it."""

    name: str
    query: "Query"
    candidates: "Sequence[Candidate]"
    keys: "Sequence[FoundBy]"
    borne: "Statistics"
    weights: "Weights | None"
    left_out: Sequence[tuple[object, ...]] = ()


def command(
    contact: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTACT]",
            help="A stored contact's id, its beginning, or its reference; with --contacts, a contact_id of that file.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", exists=True, dir_okay=False, help="Or a file that holds one contact as JSON."),
    ] = None,
    register: Annotated[Path | None, _Register] = None,
    contacts: Annotated[Path | None, _Contacts] = None,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Other weights than those of the settings."),
    ] = None,
    values: Annotated[
        bool,
        typer.Option("--values", help="Also what the contact gives of its writer and what is held of each: names, addresses."),
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help=f"The comparisons of every candidate, and not of the {_AT_MOST} likeliest alone.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="All of it as one JSON object, instead of tables.")] = False,
    config: Config = None,
) -> None:
    """Show how it is found who wrote one contact: by today's register and weights, whatever was decided before. Nothing is stored.

    Three ways to name the contact. `ingest match explain CC-1A2B3-C4D5E` takes one that the service has. `--file contact.json` takes
    one that it has not. `--register people.csv --contacts contacts.csv C17` tries one line of a file on a register in another, as
    `ingest match` does, and needs no settings.

    The first table has whoever shares a key with the contact, likeliest first. Before anything is compared each starts with the prior,
    in bits (log2); the evidence is added to it. A candidate's posterior is 2 to the power of their sum, as a share of the same of all
    sums: of everybody in the table, of those who live with them, and of everybody else together. So two near-equal candidates lower
    each other. Then each comparison stands with its level and its bits, for this person and for another of their household. Last comes
    the answer, and by which rules it was left to a person: the promise is that nobody's contact is filed under somebody else.

    Nobody's name, address or birth date is shown unless --values asks for it.
    """
    one_way = (contact is not None and not file and not register) or (file and not contact and not register)
    two_files = contact is not None and register and contacts and not file
    if not (one_way and not contacts) and not two_files:
        fail("Name one contact: by its id, by --file, or by its contact_id with --register and --contacts.", 2)
    asked = run_async(
        _of_files(contact or "", register, contacts, weighing_by(weights, config))
        if register and contacts
        else _of_service(contact, file, weights, config)
    )
    from router.match import match
    from router.match.decision import weighed

    weighing = weighed(asked.query, asked.candidates, asked.borne, asked.weights)
    result = match(asked.query, asked.candidates, asked.borne, asked.weights)
    if json:
        say(dumps(_as_json(asked, weighing, result, values=values), default=str))
        return
    _tell(asked, weighing, result, None if every else _AT_MOST, values=values)


async def _of_service(given: str | None, file: Path | None, weights: Path | None, config: Path | None) -> _Asked:
    from ingest.commands.run import desk_of
    from router.desk import contact_of, id_of
    from router.opening import reading_of
    from router.register import tables
    from router.register.search import found_by
    from router.replay import known_before

    unstored, all_settings = contact_in(file) if file else None, settings(config)
    async with desk_of(all_settings) as (database, _, house), database.read() as connection:
        if unstored is not None:
            opened = as_published(unstored, all_settings, house)
            contact, reading = opened.contact, opened.reading
        else:
            contact, _ = await contact_of(connection, await id_of(connection, tables.contacts, given or ""))
            reading = reading_of(contact, house)
        known = await known_before(connection, [(contact, reading)], house, now())
        query = known.queries[contact.id]
        keys = await found_by(connection, query)
        by = chosen(weights) if weights else house.weights
        return _Asked(str(contact.id), query, known.candidates[contact.id], keys, known.borne, by)


async def _of_files(given: str, register: Path, contacts: Path, weights: "Weights") -> _Asked:
    from router.register.search import candidates, found_by
    from router.register.statistics import statistics

    people, asked, left_out = people_in(register), contacts_in(contacts), LeftOut(now().date())
    rows = (row for batch in batches(asked, left_out) for row in batch if row.cells["contact_id"] == given)
    row = next(rows, None)
    if row is None:
        fail(f"{contacts} has no contact_id {given} that can be read.", 1)
    query = query_of(row.cells)
    async with register_of(people, left_out) as database, database.read() as connection:
        (found,) = await candidates(connection, [query], left_out.today)
        keys, borne = await found_by(connection, query), await statistics(connection)
    unread = [each for each in left_out.listed if each[:2] == (contacts.name, row.line)]
    return _Asked(given, query, found, keys, borne, weights, unread)


def _tell(asked: _Asked, weighing: "Weighing", result: "MatchResult", at_most: int | None, *, values: bool) -> None:
    say(f"Contact     {asked.name}")
    say(f"Weighed by  {weighing.weights}, in a register taken to have {weighing.individuals:,} people")
    if over := _not_used(asked):
        say(f"Not used    since too many hold them: {'; '.join(over)}")
    if asked.left_out:
        table(
            "Could not be read and counts for nothing", ("File", "Line", "Column", "What is wrong"), asked.left_out, json=False
        )
    shown = weighing.candidates[:at_most]
    if values:
        _tell_values(asked, shown)
    if weighing.candidates:
        _tell_candidates(asked, weighing)
        of = "" if len(shown) == len(weighing.candidates) else f" of the {len(shown)} likeliest; --all has the others"
        columns = ("Individual", "Compared", "Level", "Bits", "For another at home", "Which says")
        table(f"Comparisons{of}", columns, _comparisons(shown), json=False)
    say("\n".join(_in_words(weighing, result)))


def _tell_candidates(asked: _Asked, weighing: "Weighing") -> None:
    found = _found_by(asked)
    cases = any(each.case for each in weighing.candidates)
    columns = ("Individual", "Found by", "Prior", "Evidence", "Sum", "Another at home", "Posterior", "Left to a person because")
    rows = [
        (
            each.individual_id,
            "; ".join(found.get(each.individual_id, ())),
            f"{weighing.prior:+.1f}",
            f"{each.bits:+.1f}",
            f"{weighing.prior + each.bits:+.1f}",
            f"{weighing.household + each.household:+.1f}",
            f"{each.posterior:.5f}",
            *((f"{each.score:.5f}",) if cases else ()),
            " ".join(each.held_back),
        )
        for each in weighing.candidates
    ]
    table("Who it may be from", (*columns[:7], *(("With the case named",) if cases else ()), columns[7]), rows, json=False)
    say(f"Everybody else together has {weighing.stranger:+.1f} bits.")


def _comparisons(shown: "Sequence[Weighed]") -> "Iterator[tuple[object, ...]]":
    for each in shown:
        for said in each.compared:
            yield (
                each.individual_id, said.comparison, said.level, f"{said.bits:+.2f}", f"{said.household:+.2f}", said.because,
            )  # fmt: skip


def _tell_values(asked: _Asked, shown: "Sequence[Weighed]") -> None:
    query, held = asked.query, {each.individual_id: each for each in asked.candidates}
    people = [held[each.individual_id] for each in shown]
    rows = [
        ("Name", query.names, *(" ".join(filter(None, (each.given_name, each.surname))) for each in people)),
        ("Born", query.date_of_birth, *(each.date_of_birth for each in people)),
        ("Address", query.address, *(each.addresses for each in people)),
        ("Postcodes", query.postcodes, *(each.postcodes for each in people)),
        ("Emails", query.emails, *(each.emails for each in people)),
        ("Phones", query.phones, *(each.phones for each in people)),
        ("Cases", query.case_references, *(each.cases for each in people)),
    ]
    table(
        "What is given and what is held", ("", "The contact gives", *(each.individual_id for each in people)), rows, json=False
    )


def _found_by(asked: _Asked) -> dict[str, list[str]]:
    """By which kinds of key each candidate was found, in words."""
    from router.match.keys import KINDS

    found: dict[str, list[str]] = {}
    for each in asked.candidates:
        kinds = {key.kind for key in asked.keys if each.individual_id in key.whom}
        named = () if set(each.cases).isdisjoint(asked.query.case_references) else ("a case that is named",)
        found[each.individual_id] = [*(words for kind, words in KINDS.items() if kind in kinds), *named]
    return found


def _not_used(asked: _Asked) -> list[str]:
    """The kinds of key that so many hold that nobody is found by them."""
    from router.match.keys import KINDS

    over = {each.kind for each in asked.keys if each.too_many}
    return [words for kind, words in KINDS.items() if kind in over]


def _in_words(weighing: "Weighing", result: "MatchResult") -> Iterator[str]:
    from router.match import Ambiguous, Matched

    match result:
        case Matched():
            yield f"Result      {result.individual_id} wrote it."
            yield f"- The posterior is {result.score:.5f}, and from {weighing.automatic} nobody need look."
            yield "- No rule leaves it to a person."
        case Ambiguous():
            yield f"Result      A person is asked whether it is {' or '.join(result.candidates[:_AT_MOST])}."
            yield from (f"- {each}" for each in result.reasons)
        case unmatched:
            yield "Result      Nobody of the register."
            yield f"- {unmatched.because}"


def _as_json(asked: _Asked, weighing: "Weighing", result: "MatchResult", *, values: bool) -> dict[str, Any]:
    from router.match import Ambiguous, Matched

    found = _found_by(asked)
    decision = "match" if isinstance(result, Matched) else "review" if isinstance(result, Ambiguous) else "none"
    told: dict[str, Any] = {
        "contact": asked.name,
        "weights": weighing.weights,
        "individuals": weighing.individuals,
        "prior": weighing.prior,
        "household_prior": weighing.household,
        "stranger": weighing.stranger,
        "automatic": weighing.automatic,
        "not_used": _not_used(asked),
        "not_read": [{"column": column, "because": because} for _, _, column, because in asked.left_out],
        "candidates": [
            {
                "individual": each.individual_id,
                "found_by": found[each.individual_id],
                "comparisons": [said._asdict() for said in each.compared],
                "bits": each.bits,
                "household_bits": each.household,
                "case_named": each.case,
                "sum": weighing.prior + each.bits,
                "posterior": each.posterior,
                "score": each.score,
                "held_back": each.held_back,
            }
            for each in weighing.candidates
        ],
        "decision": decision,
        "says": list(_in_words(weighing, result)),
    }
    return {**told, **_values(asked)} if values else told


def _values(asked: _Asked) -> Mapping[str, Any]:
    from dataclasses import asdict

    return {"gives": asdict(asked.query), "held": [asdict(each) for each in asked.candidates]}
