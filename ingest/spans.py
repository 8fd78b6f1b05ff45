"""Spans of the work while it is done, told to a collector where the settings want it; else a trace is handed on as it came.

A span says what was done, of which contact or message by its id, on which channel, and how it ended. It never holds anything of a person:
neither an address nor words, nor what an exception says.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, Literal
from uuid import UUID

from ingest.contract import Trace
from ingest.errors import IngestError, Misconfigured
from ingest.settings import TelemetrySettings

Kind = Literal["internal", "server", "client", "producer", "consumer"]
_EXPORT_SECONDS: Final = 5.0  # for one request; a stop waits for it
_MOST_LINKS: Final = 128  # OpenTelemetry's own limit


@dataclass(frozen=True, slots=True)
class Span:
    """Something that is being done; ``trace`` is what is handed on to whatever comes of it."""

    trace: Trace | None
    told: Any = None

    def came_to(self, outcome: str, *, failed: bool = False) -> None:
        """How it ends: a stable word."""
        if self.told is not None and _teller is not None:
            self.told.set_attribute("outcome", outcome)
            if failed:
                self.told.set_status(_teller.failed)

    def end(self) -> None:
        """It is done."""
        if self.told is not None:
            self.told.end()


NONE: Final = Span(None)
"""Where nothing is told."""


class _Teller:
    """What the library is asked with, where spans are wanted."""

    def __init__(self, exporter: Any, *, each: bool) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        class Ids(RandomIdGenerator):
            """A trace that begins with a contact has the contact's id."""

            def generate_trace_id(self) -> int:
                return _begins.get() or super().generate_trace_id()

        resource = Resource.create({"service.name": "contact-ingest", "service.version": version("contact-ingest")})
        self.provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self.each = each
        self._tracer = self.provider.get_tracer("contact-ingest")
        self._api = trace
        self._headers = TraceContextTextMapPropagator()
        self.failed = trace.Status(trace.StatusCode.ERROR)

    def start(self, name: str, trace: Trace | None, kind: Kind, links: Iterable[Trace], began: datetime | None) -> Span:
        """Of the trace given; without one, a new one."""
        span = self._tracer.start_span(
            name,
            self._context(trace),
            kind=self._api.SpanKind[kind.upper()],
            links=[self._api.Link(self._api.get_current_span(self._context(each)).get_span_context()) for each in links],
            start_time=None if began is None else int(began.timestamp() * 1e9),
        )
        told: dict[str, str] = {}
        self._headers.inject(told, self._api.set_span_in_context(span))
        return Span(Trace.model_validate(told), span)

    def _context(self, trace: Trace | None) -> Any:
        return self._headers.extract(trace.headers() if trace else {})


_begins: ContextVar[int | None] = ContextVar("begins", default=None)
_teller: _Teller | None = None


def begin(chosen: TelemetrySettings, exporter: Any = None) -> None:
    """Tell of spans from now on, as the settings want it. Raises Misconfigured where what that takes is not installed.

    Where processes are copied from this one it comes after that: it has a thread.
    """
    global _teller  # noqa: PLW0603 - one collector a process, as one standard output
    if chosen.spans == "off":
        return
    try:
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=f"{chosen.collector}/v1/traces", timeout=_EXPORT_SECONDS)
        _teller = _Teller(exporter, each=chosen.spans == "contacts")
    except ImportError as error:
        raise Misconfigured(
            "telemetry.spans",
            f'telemetry.spans is "{chosen.spans}", and OpenTelemetry is not installed. Run `pip install contact-ingest[spans]`.',
        ) from error


def end() -> None:
    """Tell what is not told yet, and no more from now on."""
    global _teller
    teller, _teller = _teller, None
    if teller is not None:
        teller.provider.shutdown()


def wanted() -> bool:
    """Whether anything is told of spans."""
    return _teller is not None


def of_each() -> bool:
    """Whether every contact has a span of its own in the router."""
    return _teller is not None and _teller.each


def start(
    name: str,
    trace: Trace | None = None,
    *,
    begins: UUID | None = None,
    kind: Kind = "internal",
    links: Iterable[Trace | None] = (),
    began: datetime | None = None,
    **about: str | int,
) -> Span:
    """Begin a span: of ``trace``, else of a new one, whose id is that of the contact which ``begins`` it.

    ``links`` are traces that it has to do with, ``began`` is when it began where that was before now, ``about`` ids, names of channels
    and counts.
    """
    if _teller is None:
        return Span(trace)
    chosen = _begins.set(begins.int if begins else None)
    try:
        some = [each for each, _ in zip(filter(None, links), range(_MOST_LINKS), strict=False)]
        span = _teller.start(name, trace, kind, some, began)
    finally:
        _begins.reset(chosen)
    span.told.set_attributes(about)
    return span


@contextmanager
def span(name: str, trace: Trace | None = None, **chosen: Any) -> Generator[Span]:
    """Something that is done within, and failed where it raises; see ``start``."""
    begun = start(name, trace, **chosen)
    try:
        yield begun
    except BaseException as error:
        begun.came_to(error.reason if isinstance(error, IngestError) else type(error).__name__, failed=True)
        raise
    finally:
        begun.end()
