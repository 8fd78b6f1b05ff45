"""A topic that is set on Kafka so that a record could be lost, refused or go too early is named, with the command that mends it."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from ingest.log.topic_settings import Standing, faults, wanted

DAYS = timedelta(days=30)
BYTES = 8_000_000


def standing(replication: int = 3, without_leader: int = 0, short: int = 0, **others: str) -> Standing:
    asked = wanted(retention=DAYS, min_isr=min(2, replication), most_record_bytes=BYTES)
    configured: Mapping[str, str] = asked | {key.replace("_", "."): value for key, value in others.items()}
    return Standing("contacts", 6, replication, without_leader, short, configured)


def said(found: Standing) -> list[str]:
    return list(faults(found, retention=DAYS, most_record_bytes=BYTES))


@pytest.mark.parametrize("replication", [1, 3])
def test_a_topic_as_ingest_makes_it_has_no_fault(replication: int):
    assert said(standing(replication)) == []


def test_a_topic_that_keeps_longer_or_for_ever_has_no_fault():
    assert said(standing(retention_ms="-1")) == []
    assert said(standing(retention_ms=str(86_400_000 * 400))) == []


@pytest.mark.parametrize(
    ("found", "what", "mended_by"),
    [
        (standing(retention_ms="604800000"), "go after 7 days, sooner than log.retention", "retention.ms=2592000000"),
        (standing(cleanup_policy="compact,delete"), "removed by their keys", "cleanup.policy=delete"),
        (standing(min_insync_replicas="1"), "one broker alone has", "min.insync.replicas=2"),
        (standing(max_message_bytes="1048588"), "are refused that log.most_record_bytes allows", "max.message.bytes=8065536"),
        (standing(message_timestamp_type="CreateTime"), "a publisher's clock decides", "message.timestamp.type=LogAppendTime"),
        (standing(2, min_insync_replicas="2"), "nothing is accepted while one is away", "min.insync.replicas"),
        (standing(1, min_insync_replicas="2"), "nothing is accepted at all", "min.insync.replicas"),
        (standing(without_leader=2, short=2), "2 of 6 partitions have no leader", "start the brokers"),
        (standing(short=1), "1 of 6 partitions lie on fewer brokers", "which broker is away"),
    ],
)
def test_each_fault_is_told_once_with_what_mends_it(found: Standing, what: str, mended_by: str):
    (sentence,) = said(found)
    assert what in sentence
    assert mended_by in sentence
