"""How a topic of ours is to be set on Kafka, and what is wrong with one that is set otherwise: pure, for making them and for ``ingest check``."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

_ALTER: Final = "kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {key}={value}"
OVERHEAD_BYTES: Final = 65_536  # bytes of a record and its batch on the wire


class Standing(NamedTuple):
    """A topic as the brokers describe it: its partitions, its settings, and where the brokers differ from them now."""

    name: str
    partitions: int
    replication: int
    """The fewest brokers on which any of its partitions is to lie."""
    without_leader: int
    """Partitions that nobody can write to or read from now."""
    short_of_copies: int
    """Partitions that lie on fewer brokers than they are to now."""
    configured: Mapping[str, str]


def wanted(*, retention: timedelta, min_isr: int, most_record_bytes: int) -> dict[str, str]:
    """A topic's settings. Times are the brokers' own, so that a publisher's clock decides over nobody's retention."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention // timedelta(milliseconds=1)),
        "min.insync.replicas": str(min_isr),
        "max.message.bytes": str(most_record_bytes + OVERHEAD_BYTES),
        "message.timestamp.type": "LogAppendTime",
    }


def faults(found: Standing, *, retention: timedelta, most_record_bytes: int) -> Iterator[str]:
    """A sentence about each thing by which a record could be lost, refused or never come, and what mends it."""
    if found.without_leader:
        yield f"{found.without_leader} of {found.partitions} partitions have no leader: start the brokers that hold them"
    elif found.short_of_copies:
        yield f"{found.short_of_copies} of {found.partitions} partitions lie on fewer brokers than they are to: see which broker is away"
    asked = wanted(retention=retention, min_isr=min(2, found.replication), most_record_bytes=most_record_bytes)
    said = found.configured
    if "compact" in said.get("cleanup.policy", ""):
        yield f"records are removed by their keys: {_mended(found.name, 'cleanup.policy', asked)}"
    kept = int(said.get("retention.ms", asked["retention.ms"]))
    if 0 <= kept < int(asked["retention.ms"]):
        yield (
            f"records go after {timedelta(milliseconds=kept) / timedelta(days=1):g} days, sooner than log.retention says: "
            f"{_mended(found.name, 'retention.ms', asked)}"
        )
    copies = int(said.get("min.insync.replicas", asked["min.insync.replicas"]))
    if copies < int(asked["min.insync.replicas"]):
        yield f"a record is accepted that one broker alone has: {_mended(found.name, 'min.insync.replicas', asked)}"
    if copies > found.replication or copies == found.replication > 1:
        yield (
            f"min.insync.replicas is {copies} and it lies on {found.replication} brokers: nothing is accepted "
            + ("at all" if copies > found.replication else "while one is away")
        )
    if int(said.get("max.message.bytes", asked["max.message.bytes"])) < int(asked["max.message.bytes"]):
        yield f"records are refused that log.most_record_bytes allows: {_mended(found.name, 'max.message.bytes', asked)}"
    if said.get("message.timestamp.type", asked["message.timestamp.type"]) != asked["message.timestamp.type"]:
        yield f"a publisher's clock decides how long a record is kept: {_mended(found.name, 'message.timestamp.type', asked)}"


def _mended(topic: str, key: str, asked: Mapping[str, str]) -> str:
    return f"`{_ALTER.format(topic=topic, key=key, value=asked[key])}`"
