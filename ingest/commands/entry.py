"""``ingest``: every verb in one table. A verb's file is imported when the verb is called, so that help answers at once."""

import logging
import sys
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Verb(NamedTuple):
    """Which file has a verb, and what help says of it."""

    module: str
    panel: str
    help: str


_SERVICE, _LOOK, _TRY = "The service", "What it has made, and acting on it", "One step by itself, nothing stored"

VERBS: Final[dict[str, Verb]] = {
    "run": Verb("run", _SERVICE, "Run the service, all of it or some of its roles."),
    "demo": Verb("demo", _SERVICE, "Letters in a real mailbox become records before your eyes, in under a minute."),
    "check": Verb(
        "check", _SERVICE, "The settings and everything leaned on, a line each, with what to do about what is wrong."
    ),
    "database": Verb("database", _SERVICE, "The register's tables: show their release, upgrade, downgrade by a step."),
    "topic": Verb("topic", _SERVICE, "Look at the log: who is how far behind, and what came last."),
    "publish": Verb("publish", _SERVICE, "Put contacts onto the log as another system would."),
    "review": Verb("review", _LOOK, "Tasks that only a person can decide or do, the urgent first."),
    "social": Verb("social", _LOOK, "Posts on social media that wait to be allocated: list, allocate."),
    "handoffs": Verb("handoffs", _LOOK, "What was handed to other teams: list, show, take, return, settle."),
    "feedback": Verb("feedback", _LOOK, "Feedback records: list, show, export, settle."),
    "outgoing": Verb("outgoing", _LOOK, "What we send: list, show, hold, release, cancel."),
    "dead-letters": Verb("dead_letters", _LOOK, "What could not be understood: list, show, replay, discard."),
    "register": Verb("register", _LOOK, "People and cases: import, search, unlink, merge, split."),
    "export": Verb("export", _LOOK, "All that is held on an individual, in a folder, for whoever asks to see it."),
    "erase": Verb("erase", _LOOK, "All that is held on an individual, erased for good; first only shown."),
    "retention": Verb("retention", _LOOK, "How long things are kept: what is past its time, removing it, legal holds."),
    "originals": Verb("originals", _LOOK, "The bytes as they came: verify that every contact's are there."),
    "ledger": Verb("ledger", _LOOK, "Received against accounted for, by channel and hour."),
    "audit": Verb("audit", _LOOK, "The trail of every action and decision: verify, show."),
    "parse": Verb("parse", _TRY, "Messages to contacts."),
    "read": Verb("read", _TRY, "Texts to what the router would make of them."),
    "match": Verb(
        "match", _TRY, "Contacts against a register, both as CSV; explain one, see and train weights: explain, train, weights."
    ),
    "decide": Verb("decide", _TRY, "A contact to what would become of it, rule by rule."),
    "replay": Verb("replay", _TRY, "Stored contacts to what today's rules would change about them."),
    "validate": Verb("validate", _TRY, "Contacts against the contract."),
    "schema": Verb("schema", _TRY, "The contract's schemas, and the catalogue of metrics."),
}


class Verbs(TyperGroup):
    """The group of all verbs; while help lists them, none is imported."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's signature
        """The verb itself, or its line while help lists them."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=verb.help, rich_help_panel=verb.panel)
        module = import_module(f"ingest.commands.{verb.module}")
        app: typer.Typer = getattr(module, "app", None) or _alone(module.command)
        return get_command(app)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the verbs by what they are for."""
        self._listing = True
        super().format_help(ctx, formatter)


def _alone(command: Any) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    return app


app = typer.Typer(name="ingest", cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _ingest() -> None:
    """Turns every approach to Customer Care into a contact, and every contact into a record, a handoff or a person's decision."""


def main() -> None:
    """Run the command line. What nobody foresaw is told by where it happened: a traceback would have people's words in it.

    So may have what libraries say of themselves: a command passes over it, and the service makes lines of it.
    """
    logging.basicConfig(handlers=[logging.NullHandler()])
    logging.captureWarnings(capture=True)
    try:
        app(prog_name="ingest")
    except Exception as error:  # noqa: BLE001 - whatever it is
        from ingest.telemetry import not_foreseen

        not_foreseen(error)
        sys.exit(1)
