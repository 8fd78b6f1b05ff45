"""What a channel tells the router besides contacts, as records: what became of a message, and what was decided about a post."""

from datetime import datetime
from uuid import UUID

from ingest.contract import Allocation, Event, OutgoingState, OutgoingStatus, Record, Trace, encode, in_trace, topic_of
from ingest.ids import MARK, derived_id, mark

STATUSES = topic_of("outgoing.status")
ALLOCATIONS = topic_of("allocations")


def status_record(
    source: str,
    outgoing_id: UUID,
    its_state: OutgoingState,
    at: datetime,
    attempts: int,
    reason: str | None = None,
    trace: Trace | None = None,
) -> Record:
    """What became of an outgoing message; the same end told again has the same id. ``source`` is a URN of ours."""
    status = OutgoingStatus(outgoing_id=outgoing_id, state=its_state, at=at, attempts=attempts, reason=reason)
    event = Event(
        id=str(derived_id(outgoing_id, f"status:{its_state.value}")),
        source=source,
        type=STATUSES.ce_type,
        data=status.model_dump_json().encode(),
        time=at,
        subject=str(outgoing_id),
    )
    return in_trace(encode(event, str(outgoing_id)), trace)


def allocation_record(source: str, allocation: Allocation, key: bytes, trace: Trace | None = None) -> Record:
    """What External Affairs & Strategy decided about a post, marked as ours: it lets something be sent to a person."""
    ce_id, body = str(allocation.id), allocation.model_dump_json().encode()
    event = Event(
        id=ce_id,
        source=source,
        type=ALLOCATIONS.ce_type,
        data=body,
        time=allocation.at,
        subject=str(allocation.contact_id),
        extensions={MARK: mark(key, ce_id, source, ALLOCATIONS.ce_type, body)},
    )
    return in_trace(encode(event, str(allocation.contact_id)), trace)
