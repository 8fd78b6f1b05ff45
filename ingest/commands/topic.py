"""``ingest topic``: makes the topics on Kafka, and shows what lies on them and how far behind their readers are."""

from collections import deque
from typing import Annotated, Any, Final

import typer

from ingest.commands.terminal import Config, Json, fail, open_log, run_async, settings, table
from ingest.contract import TOPIC_NAMES, Record, decode
from ingest.errors import Unreadable
from ingest.log import Delivery, Log, pages

app = typer.Typer(
    help="The topics: make them, see what lies on them and how far behind their readers are.", no_args_is_help=True
)

READ_BY: Final = (
    ("contacts", "router"),
    ("outgoing", "dispatcher"),
    ("outgoing.status", "router"),
    ("allocations", "router"),
    ("handoffs.receipts", "router"),
)
_PAGE: Final = 500


@app.command()
def create(
    partitions: Annotated[int, typer.Option(min=1, max=1_000, help="How many routers can share a topic's work.")] = 6,
    replication: Annotated[int, typer.Option(min=1, max=10, help="On how many brokers each record lies.")] = 3,
    min_isr: Annotated[int, typer.Option(min=1, max=10, help="How many of them must have it before it is accepted.")] = 2,
    config: Config = None,
    json: Json = False,
) -> None:
    """Make every topic that is not there on Kafka, with the settings' retention; those that are stay as they are.

    More partitions later would break the order of a sender's contacts: choose for the years to come.
    """
    chosen = settings(config)
    if not chosen.log.url.startswith("kafka://"):
        fail("log.url is no kafka://…; the embedded log makes its topics itself.", 2)
    if min_isr > replication:
        fail("--min-isr is more than --replication: nothing could ever be accepted.", 2)

    async def make() -> list[tuple[object, ...]]:
        from ingest.log.kafka import KafkaLog

        log = KafkaLog(chosen.log)
        try:
            made = await log.create_topics(
                TOPIC_NAMES, partitions=partitions, replication=replication, min_isr=min_isr, retention=chosen.log.retention
            )
        finally:
            await log.close()
        return [(name, each.now, each.partitions) for name, each in made.items()]

    table("Topics", ("Topic", "Made now", "Partitions"), run_async(make()), json=json)


@app.command()
def lag(config: Config = None, json: Json = False) -> None:
    """How many records each of our readers has before it, and since when the oldest waits."""
    chosen = settings(config)

    async def look() -> list[tuple[object, ...]]:
        log = await open_log(chosen, exclusive=False)
        try:
            found = [(topic, group, await log.lag(topic, group)) for topic, group in READ_BY]
        finally:
            await log.close()
        return [(topic, group, behind.records, behind.oldest) for topic, group, behind in found]

    table("Not yet settled", ("Topic", "Group", "Records", "Oldest"), run_async(look()), json=json)


@app.command()
def tail(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The topic.")],
    most: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="How many of the last records.")] = 10,
    config: Config = None,
    json: Json = False,
) -> None:
    """The last records of a topic, in order; with --json their headers and values as well."""
    if name not in TOPIC_NAMES:
        fail(f"There is no topic {name}. There are {', '.join(TOPIC_NAMES)}.", 2)
    chosen = settings(config)

    async def look() -> list[Delivery]:
        log = await open_log(chosen, exclusive=False)
        try:
            return await _last(log, name, most)
        finally:
            await log.close()

    columns = ("Partition", "Position", "Appended at", "Type", "Id", "Source", "Bytes")
    found = run_async(look())
    rows = [(each.partition.number, each.position, each.appended_at, *_named(each.record), each.record.size) for each in found]
    if json:
        columns = (*columns, "Key", "Headers", "Value")
        rows = [(*row, *_whole(each.record)) for row, each in zip(rows, found, strict=True)]
    table(name, columns, rows, json=json)


async def _last(log: Log, topic: str, most: int) -> list[Delivery]:
    """Read in pages, where there is one partition from near the end on: what a group that never settles has before it says where
    that is. Of several the last are those appended last.
    """
    first = await log.read(topic, after={}, most=1)
    if not first:
        return []
    everything = (await log.lag(topic, "nobody")).records
    after = {first[0].partition.number: first[0].position + max(0, everything - most)} if len(first) == 1 else {}
    last: dict[int, deque[Delivery]] = {}
    async for page in pages(log, topic, after, _PAGE):
        for each in page:
            last.setdefault(each.partition.number, deque(maxlen=most)).append(each)
    found = sorted((each for partition in last.values() for each in partition), key=lambda each: each.appended_at)
    return found[-most:]


def _named(record: Record) -> tuple[str, str, str]:
    if record.is_erased:
        return "erased", "", ""
    try:
        event = decode(record)
    except Unreadable as error:
        return f"unreadable: {error.reason}", "", ""
    return event.type, event.id, event.source


def _whole(record: Record) -> tuple[Any, Any, Any]:
    headers = {name: raw.decode("utf-8", "replace") for name, raw in record.headers}
    return record.key, headers, None if record.value is None else record.value.decode("utf-8", "replace")
