"""What every command shares: settings and stores opened for it, sentences, tables, and exit statuses.

Results go to standard output, sentences about how it went to standard error. Exit status 0 is done, 1 something fell short, 2
wrong use or wrong settings, 130 interrupted. Whatever is printed may be a stranger's words: no markup is read in it, and what
could steer a terminal is taken out.
"""

import asyncio
import sys
import unicodedata
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar, cast

import typer
from rich.console import Console
from rich.progress import Progress
from rich.progress import track as rich_track
from rich.table import Table
from rich.text import Text

from ingest.clock import now
from ingest.database import Database, prepare
from ingest.errors import IngestError, Misconfigured
from ingest.log import Log
from ingest.log.spool import SpooledLog
from ingest.settings import Settings, load, path_of

T = TypeVar("T")

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The settings; else INGEST_CONFIG names them, else ingest.toml here."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, instead of a table.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who you are; it stands on the audit trail.")]

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PIPED_WIDTH = 240


def settings(config: Path | None) -> Settings:
    """The settings, or the end: a sentence that names the key, and exit status 2."""
    try:
        return load(config)
    except Misconfigured as error:
        fail(error.sentence, 2)


def open_database(chosen: Settings) -> Database:
    """The register's database, its tables made where there are none.

    Raises Unavailable, and Misconfigured also where the tables are another release's that this one does not run on.
    """
    place, password = chosen.register.url, password_of(chosen)
    prepare(place, histories(), password)
    return Database(place, password)


def histories() -> list[Path]:
    """The migrations that make the register's tables, and those of what channels and dispatcher remember."""
    from ingest import state
    from router import register

    return [register.MIGRATIONS, state.MIGRATIONS]


def password_of(chosen: Settings) -> str | None:
    """By which the register lets us in, where it asks for one."""
    secret = chosen.register.password
    return secret.get_secret_value() if secret else None


async def open_log(chosen: Settings, *, exclusive: bool) -> Log:
    """The log; ``exclusive`` for the service, and not for commands beside it. Raises Misconfigured, Unavailable."""
    scheme = chosen.log.url.partition("://")[0]
    if scheme == "kafka":
        from ingest.log.kafka import KafkaLog

        return KafkaLog(chosen.log)
    if scheme != "sqlite":
        raise Misconfigured("log.url", f"log.url is {scheme}://…; this release knows sqlite:///path and kafka://host:9092.")
    from ingest.log.sqlite import SqliteLog

    return await SqliteLog.open(
        path_of(chosen.log.url),
        exclusive=exclusive,
        clock=now,
        retention=chosen.log.retention,
        most_record_bytes=chosen.log.most_record_bytes,
    )


@asynccontextmanager
async def log_and_register(chosen: Settings) -> AsyncGenerator[tuple[Log, Database]]:
    """Both, beside a running service. Raises Misconfigured, Unavailable."""
    database = open_database(chosen)
    try:
        log = await open_log(chosen, exclusive=False)
        try:
            yield log, database
        finally:
            await log.close()
    finally:
        await database.close()


async def open_spool(chosen: Settings, log: Log, name: str | None) -> SpooledLog | None:
    """What stands before the log where contacts are taken in, by the name of who does; nothing where the log is on this machine
    itself. Raises Misconfigured, Unavailable.
    """
    if name is None or chosen.log.spooled is None:
        return None
    return await SpooledLog.open(log, name, chosen.log, now)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives, or the end: an error's sentence with exit status 1 (2 for settings), or 130 where interrupted."""
    try:
        return asyncio.run(work)
    except IngestError as error:
        fail(error.sentence, 2 if isinstance(error, Misconfigured) else 1)
    except KeyboardInterrupt:
        fail("Interrupted.", 130)


def fail(sentence: str, status: int = 1) -> NoReturn:
    """End with a sentence on standard error and an exit status."""
    warn(sentence)
    raise typer.Exit(status)


def warn(sentence: str) -> None:
    """A sentence on standard error."""
    _console(errors=True).print(Text(plain(sentence)), soft_wrap=True)


def say(text: str) -> None:
    """Text on standard output as it stands, less what could steer a terminal."""
    _console().print(Text(plain(text)), soft_wrap=True)


def quoted(text: str) -> list[str]:
    """With a bar before each line, so that no words of theirs can pass for ours."""
    return [f"  | {line}" for line in text.splitlines()] or ["  | (nothing)"]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, json: bool) -> None:
    """Rows under a title, or each as a JSON object whose names are the columns with ``_`` for a space."""
    if json:
        names = [column.lower().replace(" ", "_") for column in columns]
        for row in rows:
            # ASCII, since JSON leaves DEL and the C1 control characters as they are.
            say(dumps(dict(zip(names, row, strict=True)), default=_json))
        return
    drawn = Table(*columns, highlight=False)
    for row in rows:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    if drawn.row_count:
        say(title)
        _console().print(drawn)
    else:
        warn(f"{title}: there are none.")


def track(items: Sequence[T], about: str) -> Iterable[T]:
    """The items, with a bar on standard error where somebody watches."""
    return rich_track(items, about, console=_console(errors=True), transient=True, disable=not sys.stderr.isatty())


@contextmanager
def bar(about: str, total: int) -> Generator[Callable[[int], None]]:
    """A bar on standard error where somebody watches; what it gives is told how many more are done."""
    with Progress(console=_console(errors=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        drawn = progress.add_task(about, total=total)
        yield lambda more: progress.update(drawn, advance=more)


def plain(text: str) -> str:
    """The text without control characters (other than line ends and tabs), bidirectional overrides and lone surrogates."""
    return "".join(
        each
        for each in text.replace("\r\n", "\n")
        if each in "\n\t" or (unicodedata.category(each) not in ("Cc", "Cs") and each not in _BIDIRECTIONAL)
    )


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
        case list() | tuple():
            return ", ".join(_cell(each) for each in cast(Sequence[object], value))
        case _:
            return plain(str(value))


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _console(*, errors: bool = False) -> Console:
    """Made each time, so that it writes wherever standard output is by then; a pipe is given room for a table."""
    watched = (sys.stderr if errors else sys.stdout).isatty()
    return Console(stderr=errors, highlight=False, markup=False, emoji=False, width=None if watched else _PIPED_WIDTH)
