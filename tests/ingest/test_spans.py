"""Spans are told where they are wanted, in the trace that came, without anything of a person; and where not, a trace goes on as it came."""

from collections.abc import Generator, Sequence
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ingest import spans
from ingest.contract import Trace
from ingest.errors import Misconfigured, Unavailable
from ingest.settings import TelemetrySettings

TRACE = Trace(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate="congo=t61rcWkgMzE")
NOT_SAMPLED = Trace(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
CONTACT = UUID("6a8a6a34-7f26-5b6e-9f9e-1d2f6a5a3c11")


@pytest.fixture
def told() -> Generator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    spans.begin(TelemetrySettings(spans="contacts"), exporter)
    yield exporter
    spans.end()


def finished(told: InMemorySpanExporter) -> Sequence[Any]:
    spans.end()
    return told.get_finished_spans()


def test_where_no_spans_are_wanted_a_trace_goes_on_as_it_came() -> None:
    spans.begin(TelemetrySettings())
    with spans.span("accept", TRACE, begins=CONTACT) as span:
        span.came_to("kept")
    assert span.trace == TRACE
    assert spans.start("accept", begins=CONTACT).trace is None
    assert not spans.of_each()


def test_a_span_is_of_the_trace_that_came_and_is_what_the_next_comes_from(told: InMemorySpanExporter) -> None:
    with spans.span("accept", TRACE, kind="server", begins=CONTACT, contact=str(CONTACT)) as span:
        span.came_to("kept")
    (one,) = finished(told)
    assert f"{one.context.trace_id:032x}" == TRACE.id
    assert f"{one.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.trace == Trace(traceparent=f"00-{TRACE.id}-{one.context.span_id:016x}-01", tracestate=TRACE.tracestate)
    assert dict(one.attributes) == {"contact": str(CONTACT), "outcome": "kept"}


def test_a_trace_that_begins_with_a_contact_has_its_id(told: InMemorySpanExporter) -> None:
    with spans.span("accept", begins=CONTACT) as accepted, spans.span("send", accepted.trace):
        pass
    sent, one = finished(told)
    assert accepted.trace is not None
    assert f"{one.context.trace_id:032x}" == CONTACT.hex == accepted.trace.id
    assert one.parent is None
    assert sent.parent.span_id == one.context.span_id


def test_what_whoever_began_the_trace_does_not_want_to_see_is_not_told(told: InMemorySpanExporter) -> None:
    with spans.span("accept", NOT_SAMPLED) as span:
        pass
    assert finished(told) == ()
    assert span.trace is not None
    assert span.trace.id == NOT_SAMPLED.id
    assert span.trace.traceparent.endswith("-00")


def test_what_is_raised_within_is_told_by_its_reason_or_kind_and_not_by_its_words(told: InMemorySpanExporter) -> None:
    with pytest.raises(Unavailable), spans.span("commit"):
        raise Unavailable("register-unavailable", "Jane Pargeter is in the way")
    with pytest.raises(ValueError), spans.span("decide"):
        raise ValueError("Jane Pargeter")
    away, broken = finished(told)
    assert [each.attributes["outcome"] for each in (away, broken)] == ["register-unavailable", "ValueError"]
    assert "Jane" not in away.to_json() + broken.to_json()
    assert not away.events
    assert not away.status.is_ok


def test_a_batch_is_linked_to_the_traces_in_it_as_many_as_there_may_be(told: InMemorySpanExporter) -> None:
    with spans.span("route", links=[TRACE, None] * 200, records=400):
        pass
    (one,) = finished(told)
    assert {f"{each.context.trace_id:032x}" for each in one.links} == {TRACE.id}
    assert len(one.links) == 128


def test_without_the_library_the_start_is_refused_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(Misconfigured, match=r"contact-ingest\[spans\]"):
        spans.begin(TelemetrySettings(spans="batches"))


@pytest.mark.parametrize("wrong", ["collector:4318", "http://collector.example:4318", "https://user@collector.example", ""])
def test_a_collector_elsewhere_is_reached_by_tls(wrong: str) -> None:
    with pytest.raises(ValueError, match="collector"):
        TelemetrySettings(collector=wrong)
