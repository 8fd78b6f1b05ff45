"""The wire form, judged by the CloudEvents SDK, by made-up events, and by everything a publisher can get wrong."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_binary_event,
    from_structured_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.contract import Event, Record, decode, encode, encode_structured
from ingest.errors import Unreadable

MOMENT = datetime(2026, 3, 2, 9, 30, 0, 250000, tzinfo=UTC)
STRUCTURED = (("content-type", b"application/cloudevents+json"),)

words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(words, json_values, max_size=5)
reserved = {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "partitionkey"}
extension_names = st.from_regex(r"[a-z][a-z0-9]{0,15}", fullmatch=True).filter(lambda name: name not in reserved)
events = st.builds(
    Event,
    id=words,
    source=words,
    type=words,
    data=json_objects.map(lambda value: json.dumps(value, ensure_ascii=False).encode()),
    time=st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    subject=st.none() | words,
    extensions=st.dictionaries(extension_names, words, max_size=3),
)


def as_kafka(record: Record) -> KafkaMessage:
    assert record.value is not None
    return KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)


def as_record(sent: KafkaMessage) -> Record:
    assert not isinstance(sent.key, bytes)
    return Record(sent.key, sent.value, tuple(sent.headers.items()))


def by_the_sdk(event: Event) -> CloudEvent:
    attributes: dict[str, Any] = {"id": event.id, "source": event.source, "type": event.type, **event.extensions}
    attributes["time"] = event.time or MOMENT  # the SDK gives every event a time
    attributes["datacontenttype"] = event.content_type
    if event.subject is not None:
        attributes["subject"] = event.subject
    return CloudEvent(attributes, json.loads(event.data))


def outcome(record: Record) -> str:
    try:
        decode(record)
    except Unreadable as error:
        return error.reason
    return "an event"


def same(ours: Event, theirs: Any, key: str | None) -> bool:
    attributes = dict(theirs.get_attributes())
    given = attributes.pop("time") if ours.time is not None else None
    attributes.pop("time", None)
    expected = {"specversion": "1.0", "id": ours.id, "source": ours.source, "type": ours.type, **ours.extensions}
    expected["datacontenttype"] = ours.content_type
    expected |= {} if ours.subject is None else {"subject": ours.subject}
    expected |= {} if key is None else {"partitionkey": key}  # the SDK tells of the key that way
    return attributes == expected and given == ours.time and (theirs.get_data() or {}) == json.loads(ours.data)


@given(events, st.none() | words)
@settings(max_examples=60, deadline=None)
def test_what_we_write_the_sdk_reads(event: Event, key: str | None):
    assert same(event, from_binary_event(as_kafka(encode(event, key))), key)
    assert same(event, from_structured_event(as_kafka(encode_structured(event, key))), key)


@given(events)
@settings(max_examples=60, deadline=None)
def test_what_the_sdk_writes_we_read(event: Event):
    expected = (
        event.id,
        event.source,
        event.type,
        event.subject,
        event.time or MOMENT,
        event.extensions,
        json.loads(event.data),
    )
    for sent in (to_binary_event(by_the_sdk(event)), to_structured_event(by_the_sdk(event))):
        read = decode(as_record(sent))
        assert (read.id, read.source, read.type, read.subject, read.time, read.extensions, json.loads(read.data)) == expected
        assert read.content_type == "application/json"


def test_the_sdks_bytes_in_base64_are_read_as_the_bytes_they_were():
    sent = to_structured_event(CloudEvent({"id": "1", "source": "urn:x", "type": "t"}, b'{"caf\xc3\xa9": 1}'))
    assert b"data_base64" in sent.value
    assert decode(as_record(sent)).data == b'{"caf\xc3\xa9": 1}'


@given(events, st.none() | words)
@settings(max_examples=60, deadline=None)
def test_an_event_comes_back_as_it_went(event: Event, key: str | None):
    binary, structured = encode(event, key), encode_structured(event, key)
    assert decode(binary) == event
    again = decode(structured)
    assert (again.id, again.source, again.type, again.time, again.subject, again.extensions) == (
        event.id, event.source, event.type, event.time, event.subject, event.extensions,
    )  # fmt: skip
    assert json.loads(again.data) == json.loads(event.data)
    assert binary.key == structured.key == key


@given(
    st.none() | st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "CE_Subject", "content-type", "x"]),
            st.binary(max_size=20) | st.sampled_from([b"1.0", b"application/cloudevents+json", b"2026-03-02T09:30:00Z"]),
        ),
        max_size=8,
    ),
)
@example(b"[" * 200_000, [("content-type", b"application/cloudevents+json")])
@example(b'{"data":' * 100_000, [("content-type", b"application/cloudevents+json")])
@example(b'{"id": ' + b"9" * 10_000 + b"}", [("content-type", b"application/cloudevents+json")])
@example(b"\xff\xfe{\x00}\x00", [("content-type", b"application/cloudevents+json")])
@settings(max_examples=150, deadline=None)
def test_whatever_lies_on_a_topic_is_an_event_or_unreadable_with_a_reason(
    value: bytes | None, headers: list[tuple[str, bytes]]
):
    assert outcome(Record(None, value, tuple(headers))) in {
        "an event",
        "tombstone",
        "batch-mode",
        "unknown-format",
        "not-json",
        "not-a-cloudevent",
        "missing-attribute",
        "unknown-specversion",
    }


@pytest.mark.parametrize("depth", range(900, 1_100, 5))
def test_nesting_at_the_edge_of_what_can_be_read_is_read_or_unreadable(depth: int):
    nested = b"[" * depth + b"]" * depth
    body = b'{"id":"1","source":"s","type":"t","specversion":"1.0","data":' + nested + b"}"
    assert outcome(Record(None, body, STRUCTURED)) in {"an event", "not-json"}


def binary(*, value: bytes | None = b"{}", **changed: bytes | None) -> Record:
    attributes: dict[str, bytes | None] = {"id": b"1", "source": b"urn:x", "type": b"t", "specversion": b"1.0", **changed}
    headers = [(f"ce_{name}", raw) for name, raw in attributes.items() if raw is not None]
    return Record(None, value, (*headers, ("content-type", b"application/json")))


def structured(**changed: object) -> Record:
    body = {"id": "1", "source": "urn:x", "type": "t", "specversion": "1.0", "data": {}, **changed}
    return Record(None, json.dumps({name: item for name, item in body.items() if item is not ...}).encode(), STRUCTURED)


def typed(content_type: bytes, value: bytes = b"{}") -> Record:
    return Record(None, value, (*binary().headers[:-1], ("content-type", content_type)))


UNREADABLE = [
    ("no value", "tombstone", binary(value=None)),
    ("a batch", "batch-mode", typed(b"application/cloudevents-batch+json; charset=UTF-8", b"[]")),
    ("a batch in capitals", "batch-mode", typed(b"Application/CloudEvents-Batch+JSON", b"[]")),
    ("structured as Avro", "unknown-format", typed(b"application/cloudevents+avro", b"\x00")),
    ("structured, not JSON", "not-json", Record(None, b"<xml/>", STRUCTURED)),
    ("structured, cut short", "not-json", Record(None, b'{"id": "1"', STRUCTURED)),
    ("structured, not UTF-8", "not-json", Record(None, b'{"id": "\xff"}', STRUCTURED)),
    ("structured, an array", "not-a-cloudevent", Record(None, b"[]", STRUCTURED)),
    ("bytes that are not base64", "not-a-cloudevent", structured(data=..., data_base64="***")),
    ("base64 that is a number", "not-a-cloudevent", structured(data=..., data_base64=7)),
    ("a header that is not UTF-8", "not-a-cloudevent", binary(id=b"\xff\xfe")),
    ("half a surrogate pair in an identity", "not-a-cloudevent", structured(id="a\ud800")),
    ("half a surrogate pair in an extension", "not-a-cloudevent", structured(traceparent="\udfff")),
    ("NUL in an identity", "not-a-cloudevent", binary(id=b"a\x00b")),
    ("a line end in a source", "not-a-cloudevent", structured(source="urn:x\r\nurn:y")),
    ("an identity that is an object", "not-a-cloudevent", structured(id={"a": 1})),
    ("an identity that is a fraction", "not-a-cloudevent", structured(id=1.5)),
    ("no identity", "missing-attribute", binary(id=None)),
    ("an empty identity", "missing-attribute", binary(id=b"")),
    ("an identity that is null", "missing-attribute", structured(id=None)),
    ("no source", "missing-attribute", structured(source=...)),
    ("no type", "missing-attribute", binary(type=None)),
    ("no specversion", "missing-attribute", binary(specversion=None)),
    ("no data", "missing-attribute", structured(data=...)),
    ("data_base64 that is null", "missing-attribute", structured(data=..., data_base64=None)),
    ("no headers at all", "missing-attribute", Record(None, b"{}")),
    ("an older specversion", "unknown-specversion", binary(specversion=b"0.3")),
    ("a later specversion", "unknown-specversion", structured(specversion="2.0")),
]


@pytest.mark.parametrize(("reason", "record"), [pytest.param(reason, record, id=name) for name, reason, record in UNREADABLE])
def test_what_cannot_be_read_says_why(reason: str, record: Record):
    with pytest.raises(Unreadable) as caught:
        decode(record)
    assert caught.value.reason == reason
    assert "urn:x" not in caught.value.sentence


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=UTF-8",
        b"application/cloudevents+json;charset=utf-8",
        b"APPLICATION/CloudEvents+JSON ; charset=utf-8",
        b"  application/cloudevents+json",
    ],
)
def test_the_mode_is_told_by_the_content_type_whatever_its_case_and_parameters(content_type: bytes):
    assert decode(Record(None, structured().value, (("Content-Type", content_type),))).id == "1"


@pytest.mark.parametrize("content_type", [b"application/json; charset=utf-8", b"APPLICATION/JSON", b"\xff\xfe", b""])
def test_any_other_content_type_is_binary_mode(content_type: bytes):
    assert decode(typed(content_type, b'{"a":1}')).data == b'{"a":1}'


def test_headers_are_known_whatever_their_case_as_the_sdk_does_it():
    record = Record(None, b"{}", (("CE_ID", b"1"), ("Ce_Source", b"s"), ("ce_TYPE", b"t"), ("ce_specVersion", b"1.0")))
    assert (decode(record).id, decode(record).source) == ("1", "s")


def test_what_the_specification_does_not_name_is_kept_and_what_is_null_is_not_there():
    event = decode(structured(traceparent="00-a", count=5, urgent=True, subject=None, other=None))
    assert event.extensions == {"traceparent": "00-a", "count": "5", "urgent": "true"}
    assert event.subject is None


def test_a_hop_header_without_the_prefix_is_not_taken_for_the_origins():
    record = Record(None, b"{}", (*binary(traceparent=b"origin").headers, ("traceparent", b"hop")))
    assert decode(record).extensions == {"traceparent": "origin"}


def test_data_that_is_null_is_data():
    assert decode(structured(data=None)).data == b"null"


def test_the_data_of_a_structured_event_keeps_its_letters():
    assert decode(structured(data={"text": "Siân 📞"})).data == '{"text": "Siân 📞"}'.encode()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-03-02T09:30:00.25Z", MOMENT),
        ("2026-03-02t09:30:00.250z", MOMENT),
        ("2026-03-02T11:30:00.250000999+02:00", MOMENT),
        ("2026-03-02T09:30:00", None),
        ("yesterday", None),
        ("2026-13-45T99:99:99Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2100-01-01T00:00:00Z", datetime(2100, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_or_passed_over_since_the_logs_order_rules(given: str, read: datetime | None):
    assert decode(binary(time=given.encode())).time == read


def test_an_extension_cannot_stand_in_for_an_attribute():
    event = Event("1", "urn:x", "t", b"{}", extensions={"id": "2", "specversion": "0.3"})
    assert decode(encode(event, None)).id == decode(encode_structured(event, None)).id == "1"


def test_a_records_size_counts_key_headers_and_value():
    assert Record("key", b"value", (("name", b"\xff"),)).size == 3 + 5 + 4 + 1
    assert Record(None, None).size == 0


def test_a_header_given_twice_counts_as_its_last():
    record = Record(None, b"", (("a", b"1"), ("a", b"2"), ("b", b"\xff")))
    assert (record.header("a"), record.header("b"), record.header("c")) == ("2", None, None)
