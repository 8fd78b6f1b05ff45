"""Which acknowledgements people are still owed: messages to them that are due or held, and letters or calls that nobody has made."""

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Table, case, func, literal, or_, select, union_all

from ingest.contract import Audience, OutgoingState, TaskKind
from router.register.tables import outgoing as sent
from router.register.tables import tasks

_TO_PEOPLE = sent.c.audience == Audience.PERSON.value
_UNSENT = _TO_PEOPLE & sent.c.state.in_((OutgoingState.DUE.value, OutgoingState.HELD.value))
_HEARD = _TO_PEOPLE & sent.c.state.in_(
    (OutgoingState.ACCEPTED.value, OutgoingState.DELIVERED.value, OutgoingState.COVERED.value)
)
_BY_HAND = tasks.c.kind == TaskKind.LETTER.value
_DONE = _BY_HAND & (tasks.c.state == "done")
_UNDONE = _BY_HAND & tasks.c.state.in_(("open", "claimed"))


def owed() -> CompoundSelect[*tuple[Any, ...]]:
    """Each that is: id, contact's id, due, whether by hand, and why it is held."""
    messages = select(sent.c.id, sent.c.contact_id, sent.c.due, literal(False).label("by_hand"), sent.c.reason).where(_UNSENT)
    letters = select(tasks.c.id, tasks.c.contact_id, tasks.c.due, literal(True), literal(None)).where(_UNDONE)
    return union_all(messages, letters)


def of_contact(contact_id: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    """Of each contact of a query: whether its writer has heard from us, by when a message to them is due, and by when a letter or call.

    All of its rows are looked at, found by its id alone: asked for those that are due, SQLite would look through all that are.
    """

    def of(table: Table, what: ColumnElement[Any]) -> ColumnElement[Any]:
        return select(what).where(table.c.contact_id == contact_id).scalar_subquery()

    heard = of(sent, func.max(case((_HEARD, 1), else_=0))), of(tasks, func.max(case((_DONE, 1), else_=0)))
    message, letter = of(sent, func.min(case((_UNSENT, sent.c.due)))), of(tasks, func.min(case((_UNDONE, tasks.c.due))))
    return (
        or_(*(func.coalesce(each, 0) == 1 for each in heard)).label("heard"),
        message.label("message_due"),
        letter.label("letter_due"),
    )
