"""``ingest database``: the register's tables."""

import typer

from ingest.commands.terminal import Config, open_database, run_async, say, settings

app = typer.Typer(help="The register's tables.", no_args_is_help=True)


@app.callback()
def tables() -> None:
    """The register's tables."""


@app.command()
def upgrade(config: Config = None) -> None:
    """Bring the register's tables up to date with this release. The service does so itself when it starts."""
    chosen = settings(config)

    async def bring() -> None:
        await open_database(chosen).close()

    run_async(bring())
    say("The register's tables are up to date.")
