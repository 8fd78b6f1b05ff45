"""The trace that a contact belongs to, as headers bring it and take it on: W3C Trace Context, and its CloudEvents extension.

What is malformed is as if it were not there (Trace Context section 2.2.2, "traceparent Header Field Values"): no header keeps a
contact from being taken in. None of it is about a person.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from ingest.contract.envelope import Event, Record
from ingest.contract.shape import Shape

PARENT: Final = "traceparent"
STATE: Final = "tracestate"
_EXTENSION: Final = "ce_"
_MOST_CHARACTERS: Final = 512  # of a tracestate, past which it may be left out (section 3.3.1.5)
_MOST_MEMBERS: Final = 32
_PATTERN: Final = r"^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$"
_OURS: Final = re.compile(_PATTERN.removesuffix("$") + r"\Z", re.ASCII)
# Of a version to come, what this one knows of it: the same four fields, and whatever follows a hyphen.
_LATER: Final = re.compile(r"(?!ff)[0-9a-f]{2}(-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?\Z", re.ASCII)
_MEMBER: Final = re.compile(
    r"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]\Z",
    re.ASCII,
)


class Trace(Shape):
    """Where in a trace something stands: what it comes from, and what whoever began the trace wants taken on with it."""

    traceparent: str = Field(pattern=_PATTERN.replace("(?!0{32})", "").replace("(?!0{16})", ""))
    tracestate: str | None = Field(default=None, max_length=_MOST_CHARACTERS)

    @property
    def id(self) -> str:
        """The trace's own id, 32 hex digits."""
        return self.traceparent[3:35]

    def headers(self) -> dict[str, str]:
        """As a request over HTTP has it."""
        return {PARENT: self.traceparent} | ({STATE: self.tracestate} if self.tracestate else {})

    def on_records(self) -> tuple[tuple[str, bytes], ...]:
        """As a record has it: for what reads Kafka's headers, and for what reads events, which of one hop must be the same."""
        told = [(name, value.encode()) for name, value in self.headers().items()]
        return (*told, *((_EXTENSION + name, value) for name, value in told))


def _or_none(given: Any, known: ValidatorFunctionWrapHandler) -> Trace | None:
    try:
        return known(given)
    except ValueError:
        return None


Traced = Annotated[Trace | None, WrapValidator(_or_none)]
"""A trace, or none: what is malformed refuses nothing that it stands in."""


def untraced(trace: Trace | None) -> bool:
    """Whether there is nothing to be written of it: the JSON of what has no trace is as it ever was."""
    return trace is None


def traced(parents: Sequence[str], states: Sequence[str] = ()) -> Trace | None:
    """The trace that headers of a request tell; None where they tell none, or two."""
    if len(parents) != 1 or (parent := _known(parents[0].strip())) is None:
        return None
    return Trace(traceparent=parent, tracestate=_state(",".join(states)))


def trace_of(record: Record, event: Event | None = None) -> Trace | None:
    """The trace of an event: what the event itself says, which is where it began, before what the record's own headers say of its way.

    ``event`` is the one in the record, where that could be told; a structured one says it within.
    """
    if event is None:
        own = traced(_texts(record, _EXTENSION + PARENT), _texts(record, _EXTENSION + STATE))
    else:
        own = traced([each] if (each := event.extensions.get(PARENT)) else [], [event.extensions.get(STATE, "")])
    return own or traced(_texts(record, PARENT), _texts(record, STATE))


def in_trace(record: Record, trace: Trace | None) -> Record:
    """The record, as part of a trace where there is one."""
    return record if trace is None else replace(record, headers=(*record.headers, *trace.on_records()))


def _known(parent: str) -> str | None:
    if _OURS.match(parent):
        return parent
    later = None if parent.startswith("00") else _LATER.match(parent)
    return f"00{later[1]}" if later and _OURS.match(f"00{later[1]}") else None


def _state(given: str) -> str | None:
    """A tracestate as it is handed on; None where there is none, or it is too long or malformed, which loses nobody their trace."""
    members = [each for part in given.split(",") if (each := part.strip(" \t"))]
    written = ",".join(members)
    keys = {each.partition("=")[0] for each in members}
    sound = len(written) <= _MOST_CHARACTERS and len(keys) == len(members) <= _MOST_MEMBERS
    return written if members and sound and all(map(_MEMBER.match, members)) else None


def _texts(record: Record, name: str) -> list[str]:
    return [raw.decode("latin-1") for given, raw in record.headers if given.lower() == name]


def ids(trace: Trace | None) -> dict[str, str]:
    """What a diagnostic line says of a trace: nothing where there is none."""
    return {} if trace is None else {"trace_id": trace.id}
