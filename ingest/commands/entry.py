"""``ingest``: every verb in one place."""

import typer

from ingest.commands import (
    audit,
    check,
    database,
    dead_letters,
    demo,
    feedback,
    ledger,
    match,
    outgoing,
    parse,
    publish,
    read,
    register,
    review,
    run,
    schema,
    topic,
    validate,
)

app = typer.Typer(
    name="ingest",
    help="Turns every approach to Customer Care into a contact, and every contact into a record, a handoff or a person's decision.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

SERVICE, LOOK, TRY = "The service", "What it has made, and acting on it", "One step by itself, nothing stored"

app.command("run", rich_help_panel=SERVICE)(run.command)
app.command("demo", rich_help_panel=SERVICE)(demo.command)
app.command("check", rich_help_panel=SERVICE)(check.command)
app.add_typer(database.app, name="database", rich_help_panel=SERVICE)
app.add_typer(topic.app, name="topic", rich_help_panel=SERVICE)
app.command("publish", rich_help_panel=SERVICE)(publish.command)

app.add_typer(feedback.app, name="feedback", rich_help_panel=LOOK)
app.add_typer(review.app, name="review", rich_help_panel=LOOK)
app.add_typer(outgoing.app, name="outgoing", rich_help_panel=LOOK)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=LOOK)
app.add_typer(register.app, name="register", rich_help_panel=LOOK)
app.command("ledger", rich_help_panel=LOOK)(ledger.command)
app.add_typer(audit.app, name="audit", rich_help_panel=LOOK)

app.command("parse", rich_help_panel=TRY)(parse.command)
app.command("read", rich_help_panel=TRY)(read.command)
app.command("match", rich_help_panel=TRY)(match.command)
app.command("validate", rich_help_panel=TRY)(validate.command)
app.command("schema", rich_help_panel=TRY)(schema.command)


def main() -> None:
    """Run the command line."""
    app()
