"""``ingest publish``: contacts as JSON lines onto the topic, as another system's own publishing would put them there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.commands.terminal import Config, bar, fail, open_log, run_async, say, settings
from ingest.commands.validate import Fault, Line, Lines, read_lines, tell
from ingest.contract import Record
from ingest.receive import CONTACTS, record_of
from ingest.settings import Settings

_MOST_RECORDS: Final = 1_000  # DESIGN section 2: commands beside a running service
_MOST_BYTES: Final = 16_000_000


def command(
    file: Lines,
    source: Annotated[
        str, typer.Option(metavar="URN", help="The publisher, as the settings and each contact's source name it.")
    ],
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Publish the good lines where some are bad.")] = False,
    config: Config = None,
) -> None:
    """Publish contacts, one JSON object a line. All are checked first: where one is bad, none is published.

    Publishing a file twice does no harm: a contact is known by its source and id.
    """
    chosen = settings(config)
    if source not in chosen.publishers:
        fail(f'The settings name no publisher {source}: add [publishers."{source}"], or the router would not take it.', 2)
    good = bad = 0
    for line, record in _records(file, source, chosen):
        good += record is not None
        bad += record is None
        tell(line, json=False)
    if bad and not skip_bad:
        fail(f"{bad} of {good + bad} lines are bad; nothing was published. --skip-bad publishes the others.", 1)
    if not good:
        fail("There are no contacts in it.", 1)
    run_async(_publish(file, source, chosen, good))
    say(f"{good} contacts are on the topic {CONTACTS.name}.")
    if bad:
        fail(f"{bad} lines were left out.", 1)


def _records(file: Path, source: str, chosen: Settings) -> Iterator[tuple[Line, Record | None]]:
    """Each line with the record to be published; None where it has faults, which are then in the line."""
    key = chosen.own_key
    limit = chosen.log.most_record_bytes
    for line in read_lines(file):
        if line.contact is None:
            yield line, None
            continue
        record = record_of(line.contact, key)
        if line.contact.source != source:
            yield line._replace(faults=[Fault("source", f"It is not {source}, the publisher named.")]), None
        elif record.size > limit:
            yield line._replace(faults=[Fault("", f"The record has {record.size} bytes; the log takes {limit}.")]), None
        else:
            yield line, record


async def _publish(file: Path, source: str, chosen: Settings, total: int) -> None:
    log = await open_log(chosen, exclusive=False)
    try:
        with bar("Publishing", total) as done:
            for batch in _batches(record for _, record in _records(file, source, chosen) if record is not None):
                await log.append(CONTACTS.name, batch)
                done(len(batch))
    finally:
        await log.close()


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (len(batch) == _MOST_RECORDS or size + record.size > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += record.size
    if batch:
        yield batch
