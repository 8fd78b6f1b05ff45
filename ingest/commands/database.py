"""``ingest database``: the register's tables, of which release they are, and bringing them to this one's or a step back."""

from enum import StrEnum
from typing import Annotated

import typer

from ingest.commands.terminal import (
    Config,
    Json,
    fail,
    histories,
    password_of,
    run_async,
    say,
    settings,
    table,
    warn,
)
from ingest.database import StepBack, Tables, standing
from ingest.database import downgrade as step_back
from ingest.database import upgrade as bring
from ingest.errors import Refused
from ingest.log.sqlite import is_held
from ingest.settings import Settings, path_of

app = typer.Typer(
    help="The register's tables: of which release they are, and bringing them to this one's or a step back.",
    no_args_is_help=True,
)


class Which(StrEnum):
    """The two histories of migrations, each of which takes its own steps."""

    REGISTER = "register"
    STATE = "state"


@app.command()
def show(config: Config = None, json: Json = False) -> None:
    """Show where the tables stand, where this release has them, and whether it runs on them as they are.

    `register` is people, cases and all that is decided; `state` is what channels and dispatcher remember.
    """
    found = run_async(_standing(settings(config)))
    rows = [(each.name, each.stands, each.head, each.fits) for each in found]
    table("The register's tables", ("Tables", "Stand at", "This release has", "It runs on them"), rows, json=json)
    if not all(each.fits for each in found):
        fail(
            "Start the release that made them, or take them back with it: ingest database downgrade"
            if any(each.later and not each.fits for each in found)
            else "Save the register, then: ingest database upgrade"
        )


async def _standing(chosen: Settings) -> list[Tables]:
    return standing(chosen.register.url, histories(), password_of(chosen))


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the register's tables up to date with this release, all of them or none. Save the register first.

    The release before goes on running on them, so that its processes can be replaced one after another. The service makes
    tables only where there are none; those of another release it leaves as they are, and does not start.
    """
    chosen = settings(config)

    async def brought() -> None:
        bring(chosen.register.url, histories(), password_of(chosen))

    run_async(brought())
    say("The register's tables are up to date.")


@app.command()
def downgrade(
    which: Annotated[Which, typer.Argument(help="Whose newest migration is taken back.")],
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else only what it would lose is shown.")] = False,
    config: Config = None,
) -> None:
    """Take the newest migration back, for an earlier release that does not run on the tables as they are.

    Seldom needed: the release before runs on the tables of the next. Shows first what the earlier tables have no place for. Run it by
    the release that made them, with every process of the service stopped.
    """
    chosen = settings(config)
    step = run_async(_back(chosen, which, apply=apply))
    say(f"{which} goes from {step.stood} to {step.stands}" + ("." if step.lost else ", and nothing is lost by it."))
    if step.lost:
        table("What is lost", ("Table or column", "Rows that have it"), step.lost.items(), json=False)
    warn("Done." if apply else "Nothing was changed. Save the register, stop the service, and say --apply.")


async def _back(chosen: Settings, which: Which, *, apply: bool) -> StepBack:
    embedded = chosen.log.url.startswith("sqlite:")
    if apply and embedded and is_held(path_of(chosen.log.url)):
        raise Refused("in-use", "The service is running. Stop it first.")
    history = dict(zip(Which, histories(), strict=True))[which]
    return step_back(chosen.register.url, history, password_of(chosen), apply=apply)
