"""``ingest replay --dry-run``: stored contacts through today's rules and reading, and what would change. Nothing is written."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, Json, bar, fail, run_async, settings, table, warn

if TYPE_CHECKING:
    from router.replay import Replayed

_MOST_SHOWN: Final = 100
_URGENT: Final = ", urgent"
_COLUMNS: Final = ("From", "From rule", "To", "To rule", "Differs in")


def command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; there is no other way to run it.")
    ] = False,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Only those received since; UTC."),
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Only those that came by it, such as email.")
    ] = None,
    most: Annotated[int | None, typer.Option("--most", min=1, help="So many at most, the latest; else all.")] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Decide on stored contacts anew, by today's rules and reading and against today's register, and show what would change.

    Nothing is written, and it may be run beside the service. Contacts on which a person has decided are left out. With --json, a
    line for each contact that would change. Exit status 1 where a contact could not be decided on any more.
    """
    if not dry_run:
        fail(
            "Nothing was done. What is decided stays so until a person decides otherwise, with `ingest review decide`; "
            "`ingest replay --dry-run` shows what today's rules would change.",
            2,
        )
    changed, number, left_out = run_async(_replay(since, channel, most, config))
    if not json:
        numbers = Counter((*_change(each), each.differs_in) for each in changed)
        rows = [(*each, number) for each, number in numbers.most_common()]
        table("What would change", (*_COLUMNS, "Contacts"), rows, json=False)
    shown = changed if json else changed[:_MOST_SHOWN]
    rows = [(each.reference, each.channel, each.received_at, *_change(each), _differences(each)) for each in shown]
    table("Contacts that would change", ("Reference", "Came by", "Received", *_COLUMNS), rows, json=json)
    if len(shown) < len(changed):
        warn(f"These are the latest {len(shown)}; --json prints all.")
    warn(
        f"Decided anew: {number}, of which {len(changed)} would come to something else. Left out, since a person has decided on "
        f"them: {left_out}. Nothing was changed."
    )
    if broken := sum(each.becomes is None for each in changed):
        fail(f"{broken} could not be decided on any more: the router would make dead letters of them.")


def _change(each: "Replayed") -> tuple[object, ...]:
    was, becomes = each.was, each.becomes
    then = (becomes.disposition + _URGENT * becomes.urgent, becomes.rule) if becomes else ("dead letter", each.broken)
    return (was.disposition + _URGENT * was.urgent, was.rule, *then)


def _differences(each: "Replayed") -> list[str]:
    """What differs, and where it is whom it is from or what it is about, from whom to whom."""
    if each.becomes is None:
        return list(each.differs_in)
    both = {name: (getattr(each.was, name), getattr(each.becomes, name)) for name in each.differs_in}
    return [
        f"{name} {was or 'none'} → {becomes or 'none'}" if name in ("individual", "case") else name
        for name, (was, becomes) in both.items()
    ]


async def _replay(
    since: datetime | None, channel: str | None, most: int | None, config: Path | None
) -> "tuple[list[Replayed], int, int]":
    """Those that would change, of how many, and how many were left out."""
    from ingest.commands.run import desk_of
    from router.replay import Which, numbers, replay

    which = Which(since.replace(tzinfo=UTC) if since else None, channel)
    found: list[Replayed] = []
    number = 0
    async with desk_of(settings(config)) as (database, _, house):
        ruled, left_out = await numbers(database, which)
        total = min(ruled, most or ruled)
        with bar("Deciding anew", total) as progress:
            async for page in replay(database, house, now(), which, total):
                found += (each for each in page if each.differs_in)
                number += len(page)
                progress(len(page))
    return found, number, left_out
