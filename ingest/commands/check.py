"""``ingest check``: the settings and everything the service leans on, a line each, with what to do about what is wrong."""

import asyncio
import json
from collections.abc import Awaitable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic.fields import FieldInfo
from sqlalchemy import func, select

from channels.table import CHANNELS, accounts
from ingest import certificates, disks, permissions
from ingest.clock import now
from ingest.commands.run import answers_in, house_of
from ingest.commands.terminal import Config, fail, open_database, open_log, run_async, say, settings
from ingest.contract import TOPIC_NAMES
from ingest.database import Database
from ingest.errors import IngestError, Misconfigured
from ingest.finding import Finding
from ingest.log.spool import left_in
from ingest.log.topic_settings import Standing, faults
from ingest.originals import Originals
from ingest.scan import look
from ingest.settings import SECRET_KEYS, MatchingSettings, Publisher, Section, Settings, secret_files
from router.answers import SOON, Answers
from router.heads import open_heads
from router.match.weights import Weights, shipped
from router.register.index import require_whole

_DEADLINE_SECONDS: Final = 60.0
_CLOCKS_APART: Final = timedelta(seconds=5)
_PLACEHOLDER: Final = "REPLACE-ME"
_UNITS: Final = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)


def command(
    write_example: Annotated[
        bool, typer.Option("--write-example", help="Print a settings file with every key, and end.")
    ] = False,
    config: Config = None,
) -> None:
    """Look at the settings and at everything the service leans on. The register's tables are made where there are none yet.

    Exit status 1 if anything falls short, 2 where the settings themselves do.
    """
    if write_example:
        say(example().rstrip())
        return
    chosen = settings(config)
    short = 0
    for finding in (*run_async(findings(chosen)), *permissions.look(secret_files(config), disks.places(chosen))):
        say(f"{'✓' if finding.well else '✗'} {finding.about}: {finding.sentence}")
        short += not finding.well
    if short:
        fail(f"{short} of these must be seen to.", 1)


async def findings(chosen: Settings) -> list[Finding]:
    """Everything, in the order in which the service would need it; one that is slow does not hold up the others."""
    try:
        answers, faults = answers_in(chosen.acknowledgement.answers)
        if faults:
            return [Finding("approved answers", False, str(fault)) for fault in faults]
        house = house_of(chosen)
    except IngestError as error:
        return [Finding("settings", False, error.sentence)]
    second = chosen.teams.duty_second
    found = [
        Finding("settings", True, f"Every key is known. Notices to teams go out from {house.notices_from}."),
        Finding(
            "duty mailbox",
            True,
            f"Urgent tasks go to {chosen.teams.duty} at once, and unclaimed to "
            + (f"{second}." if second else "nobody else: teams.duty_second is not set."),
        ),
        _of_weights(house.weights, chosen.matching),
        *_of_answers(answers, now().date()),
        *certificates.look(chosen.model_dump(), now()),
        *disks.look(disks.places(chosen)),
        await _found("log", _log(chosen)),
        *await _topics(chosen),
        *await _spools(chosen),
        await _found("originals", _originals(chosen)),
        await _found("audit heads", _heads(chosen)),
        await _found("scan", look(chosen.scan, now)),
    ]
    try:
        database = open_database(chosen)
    except IngestError as error:
        return [*found, Finding("register", False, error.sentence)]
    try:
        found.append(await _found("register", _register(database)))
        found.append(await _found("clock", _clock(database)))
        looks = (
            CHANNELS[channel].look(name, account, database=database, clock=now, settings=chosen)
            for (channel, name), account in accounts(chosen).items()
        )
        return [*found, *(each for looked in await asyncio.gather(*looks) for each in looked)]
    finally:
        await database.close()


def _of_weights(weights: Weights | None, matching: MatchingSettings) -> Finding:
    whose = f"in {matching.weights}" if weights else "those it comes with"
    return Finding("weights", True, f"Matching weighs by {(weights or shipped()).version}, {whose}.")


def _of_answers(answers: Answers, today: date) -> Iterator[Finding]:
    """How many there are; and each that has run out, or does soon, so that it is approved again in time."""
    every = [each for of_query in answers.values() for each in of_query.values()]
    if every:
        automatic = sum(each.automatic for each in every)
        yield Finding("approved answers", True, f"There are {len(every)}, {automatic} of which may go by themselves.")
    for each in sorted(every, key=lambda each: each.valid_until):
        if each.valid_until - today > SOON:
            break
        when = f"{'ran' if each.valid_until < today else 'runs'} out on {each.valid_until:%d %B %Y}"
        after = "and is not used any more" if each.valid_until < today else "and is not used after that"
        sentence = f"{each.file} {when} {after}: have it approved again, and change approved_on and valid_until."
        yield Finding("approved answers", False, sentence)


async def _found(about: str, looking: Awaitable[str]) -> Finding:
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            return Finding(about, True, await looking)
    except IngestError as error:
        return Finding(about, False, error.sentence)
    except TimeoutError:
        return Finding(about, False, f"It did not answer within {_DEADLINE_SECONDS:.0f} s.")


async def _log(chosen: Settings) -> str:
    log = await open_log(chosen, exclusive=False)
    try:
        await log.lag("contacts", "router")
    finally:
        await log.close()
    return f"{chosen.log.url} can be written."


async def _topics(chosen: Settings) -> list[Finding]:
    """One for all that stand as they should, and one for each that does not: they may have been made by somebody's own tools."""
    if not chosen.log.url.startswith("kafka:"):
        return []
    from ingest.log.kafka import KafkaLog

    log = KafkaLog(chosen.log)
    well: list[Standing] = []
    wrong: list[Finding] = []
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            for name in TOPIC_NAMES:
                try:
                    found = await log.standing(name)
                except IngestError as error:
                    wrong.append(Finding(f"topic {name}", False, error.sentence))
                    if error.reason == "log-unavailable":
                        break
                    continue
                said = list(faults(found, retention=chosen.log.retention, most_record_bytes=chosen.log.most_record_bytes))
                if said:
                    wrong.append(Finding(f"topic {name}", False, f"{'; '.join(said)}."))
                else:
                    well.append(found)
    except TimeoutError:
        wrong.append(Finding("topics", False, f"Kafka did not answer within {_DEADLINE_SECONDS:.0f} s."))
    finally:
        await log.close()
    if not well:
        return wrong
    fewest = min(each.replication for each in well)
    copies = (
        f"each record lies on {fewest} brokers"
        if fewest > 1
        else "each record lies on one broker alone, and is lost with its disk"
    )
    return [Finding("topics", True, f"{len(well)} of {len(TOPIC_NAMES)} are set as they should be; {copies}."), *wrong]


async def _heads(chosen: Settings) -> str:
    heads = open_heads(chosen.audit, chosen.originals)
    if heads is None:
        return "None are kept: whoever may write to the register could make the audit trail anew. Name a place of its own in audit.heads."
    found, faulty = await heads.every()
    if faulty:
        raise Misconfigured("audit.heads", f"{faulty[0]} `ingest audit verify` tells more.")
    newest = f"the newest of {found[-1][0]} entries" if found else "the first comes when the trail is next sealed"
    return (
        f"{chosen.audit.heads} has {len(found)} signed heads, {newest}; whoever checks them elsewhere needs {heads.public_key}."
    )


async def _spools(chosen: Settings) -> list[Finding]:
    if chosen.log.spooled is None:
        return []
    try:
        waiting = [each for each in await left_in(chosen.log.spooled, now) if each.records]
    except IngestError as error:
        return [Finding("spool", False, error.sentence)]
    if not waiting:
        return [Finding("spool", True, f"Nothing waits in {chosen.log.spool}.")]
    return [
        Finding(
            f"spool {each.name}",
            each.held,
            f"{each.records} contacts wait for Kafka since {each.oldest:%Y-%m-%d %H:%MZ}"
            + ("." if each.held else f", and no process works on them: start `ingest run {each.name.partition('-')[0]}` here."),
        )
        for each in waiting
    ]


async def _originals(chosen: Settings) -> str:
    await Originals(chosen.originals.url, chosen.originals).check()
    return f"{chosen.originals.url} keeps what it is given."


async def _clock(database: Database) -> str:
    """Held against the register's server, where that is another machine: what is owed by when is told by both."""
    before = now()
    async with database.read() as connection:
        said: datetime = (await connection.execute(select(func.current_timestamp()))).scalar_one()
    theirs = said if said.tzinfo else said.replace(tzinfo=UTC)  # SQLite's is UTC and does not say so
    apart = max(before - theirs, theirs - now(), timedelta())
    if apart > _CLOCKS_APART:
        raise Misconfigured(
            "clock", f"This machine's clock and the register's are {apart.total_seconds():.0f} s apart: have both kept by NTP."
        )
    return f"It is {before:%d %B %Y %H:%M} UTC here and at the register."


async def _register(database: Database) -> str:
    async with database.read() as connection:
        await require_whole(connection)
    return f"{database.url} answers, and its tables are up to date."


# The example.


def example() -> str:
    """A settings file with every key, its default and its meaning. What only the operator knows is ``REPLACE-ME``."""
    return "\n".join([*_preamble(), *_sections()]) + "\n"


def _preamble() -> Iterator[str]:
    yield "# The settings of contact-ingest: every key, with its default. Lines that say what is the default may be left out."
    yield f"# {_PLACEHOLDER} stands where only you know; nothing starts until it is replaced."
    yield "# Each key may also stand in the environment, as INGEST_SECTION__KEY, which is above this file. Paths are relative to it."
    yield "# Secrets never stand here: they come from the environment or from files of their own."
    yield ""
    yield from _comment(Settings.model_fields["key"].description)
    yield "# INGEST_KEY in the environment, or:"
    yield 'key_file = "ingest.key"'
    yield from _comment(Settings.model_fields["previous_keys"].description)
    yield "# previous_keys_file ="


def _sections() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _section(name, field.annotation)
    for name, channel in CHANNELS.items():
        yield from _section(f"channels.{name}.care", channel.settings)
    yield from _section('publishers."urn:example:crm"', Publisher)


def _section(name: str, section: type[Section]) -> Iterator[str]:
    yield ""
    yield from _comment(section.__doc__)
    yield f"[{name}]"
    for key, field in section.model_fields.items():
        yield from _comment(field.description)
        yield _line(name, key, field)


def _comment(words: str | None) -> Iterator[str]:
    for line in (words or "").splitlines():
        yield f"# {line.strip().replace('``', '`')}".rstrip()


def _line(section: str, key: str, field: FieldInfo) -> str:
    if key in SECRET_KEYS:
        return f'{key}_file = "{section.rpartition(".")[2]}.{key}"' if field.is_required() else f"# {key}_file ="
    if field.is_required():
        return f"{key} = {json.dumps(_PLACEHOLDER)}"
    if field.default is None:
        return f"# {key} ="
    return f"{key} = {_value(field.default)}"


def _value(value: object) -> str:
    """As TOML writes it, whose strings are JSON's."""
    if isinstance(value, timedelta):
        # As people say it: 48h and 90s, where 2d and 1.5m would do.
        unit, length = next((unit, length) for unit, length in _UNITS if not value % length and value // length > 2)
        return json.dumps(f"{value // length}{unit}")
    if isinstance(value, Path):
        return json.dumps(str(value))
    return json.dumps(value, ensure_ascii=False)
