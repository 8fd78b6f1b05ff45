"""A trace is handed on as it came, and whatever else stands in its headers is as if it were not there."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ingest.contract import Contact, Event, Record, Trace, decode, encode, encode_structured, in_trace, trace_of, traced

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-00"
STATE = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
EVENT = Event("1", "urn:example:crm", "contact-ingest.contact.v1", b"{}")

hexes = st.text("0123456789abcdefABCDEFg-", max_size=34)
nearly = st.builds(
    "-".join,
    st.lists(
        st.one_of(
            hexes,
            st.sampled_from(["00", "01", "ff", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "0" * 32, "0" * 16]),
        ),
        min_size=1,
        max_size=6,
    ),
)


def test_a_trace_is_handed_on_as_it_came() -> None:
    found = traced([PARENT], [STATE])
    assert found is not None
    assert found == Trace(traceparent=PARENT, tracestate=STATE)
    assert found.headers() == {"traceparent": PARENT, "tracestate": STATE}
    assert found.id == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        [PARENT, PARENT],
        [PARENT.upper()],
        [PARENT[:-1]],
        [f"{PARENT}-more"],
        [f"{PARENT}\n"[:-1] + "\x00"],
        ["ff" + PARENT[2:]],
        ["00-00000000000000000000000000000000-00f067aa0ba902b7-01"],
        ["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"],
        ["Jane Pargeter, 4 Wharf Lane"],
        ["٠٠-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ],
)
def test_what_is_malformed_is_no_trace(parents: list[str]) -> None:
    assert traced(parents, [STATE]) is None


@given(parent=st.one_of(nearly, st.text(max_size=80)), state=st.text(max_size=600))
@example(parent=f" {PARENT}\t", state="")
@example(parent="01" + PARENT[2:] + "-what-comes-later", state="")
def test_no_header_whatever_it_holds_breaks_anything_and_opentelemetry_reads_what_we_read(parent: str, state: str) -> None:
    found = traced([parent], [state])
    if found is None:
        return
    assert Trace.model_validate_json(found.model_dump_json()) == found
    theirs = get_current_span(TraceContextTextMapPropagator().extract(found.headers())).get_span_context()
    assert f"{theirs.trace_id:032x}" == found.id
    assert len(theirs.trace_state) == (found.tracestate.count(",") + 1 if found.tracestate else 0)


@given(nearly)
def test_what_opentelemetry_takes_for_a_trace_is_one(parent: str) -> None:
    theirs = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": parent})).get_span_context()
    found = traced([parent])
    assert (found is not None) == theirs.is_valid, (parent, found)


def test_a_version_to_come_is_read_for_what_this_one_knows_of_it() -> None:
    assert traced([f"cc{PARENT[2:]}-and-what-comes-then"]) == Trace(traceparent=PARENT)


@pytest.mark.parametrize(
    "state",
    [
        "no equals",
        "a=1,a=2",
        "A=1",
        "a=" + "x" * 257,
        ",".join(f"k{number}=1" for number in range(33)),
        "k=" + "é",
        "x=1" * 200,
    ],
)
def test_a_malformed_tracestate_loses_nobody_their_trace(state: str) -> None:
    assert traced([PARENT], [state]) == Trace(traceparent=PARENT)


def test_a_tracestate_in_several_headers_is_one() -> None:
    assert traced([PARENT], ["a=1 , b=2", "", "c@d=3"]) == Trace(traceparent=PARENT, tracestate="a=1,b=2,c@d=3")


def test_a_record_carries_it_for_those_who_read_headers_and_for_those_who_read_events() -> None:
    trace = Trace(traceparent=PARENT, tracestate=STATE)
    record = in_trace(encode(EVENT, "key"), trace)
    assert [(name, record.header(name)) for name in ("traceparent", "ce_traceparent", "tracestate", "ce_tracestate")] == [
        ("traceparent", PARENT),
        ("ce_traceparent", PARENT),
        ("tracestate", STATE),
        ("ce_tracestate", STATE),
    ]
    assert trace_of(record, decode(record)) == trace_of(record) == trace


def test_where_an_event_says_where_its_trace_began_that_goes_before_what_the_way_here_says() -> None:
    record = encode(Event("1", "urn:x", "t", b"{}", extensions={"traceparent": PARENT}), None)
    on_its_way = Record(record.key, record.value, (*record.headers, ("TraceParent", OTHER.encode())))
    assert trace_of(on_its_way, decode(on_its_way)) == trace_of(on_its_way) == Trace(traceparent=PARENT)
    malformed = encode(Event("1", "urn:x", "t", b"{}", extensions={"traceparent": "none"}), None)
    mended = Record(malformed.key, malformed.value, (*malformed.headers, ("traceparent", OTHER.encode())))
    assert trace_of(mended, decode(mended)) == trace_of(mended) == Trace(traceparent=OTHER)


def test_a_structured_event_says_it_within() -> None:
    record = encode_structured(Event("1", "urn:x", "t", b"{}", extensions={"traceparent": PARENT, "tracestate": "a=1"}), None)
    assert trace_of(record, decode(record)) == Trace(traceparent=PARENT, tracestate="a=1")


@pytest.mark.parametrize("given_", [{"traceparent": "Jane"}, "Jane", 7, [], {"traceparent": PARENT, "tracestate": "x" * 513}])
def test_no_trace_in_a_contacts_own_json_keeps_it_from_being_read(given_: object) -> None:
    told = {
        "id": "6a8a6a34-7f26-5b6e-9f9e-1d2f6a5a3c11", "source": "urn:x", "channel": "email", "account": "care",
        "received_at": "2026-03-02T09:30:00Z", "text": "a", "full_text": "a", "original": "0" * 64, "trace": given_,
    }  # fmt: skip
    assert Contact.model_validate(told).trace is None


def test_the_json_of_what_has_no_trace_is_as_it_ever_was() -> None:
    told = {
        "id": "6a8a6a34-7f26-5b6e-9f9e-1d2f6a5a3c11", "source": "urn:x", "channel": "email", "account": "care",
        "received_at": "2026-03-02T09:30:00Z", "text": "a", "full_text": "a", "original": "0" * 64,
    }  # fmt: skip
    contact = Contact.model_validate(told)
    assert '"trace"' not in contact.model_dump_json()
    kept = contact.model_copy(update={"trace": Trace(traceparent=PARENT)})
    assert Contact.model_validate_json(kept.model_dump_json()) == kept
