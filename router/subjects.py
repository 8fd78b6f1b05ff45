"""Of whom a record on a topic tells, or a row of the register, so that what was erased is found there and taken out.

Pure. A contact is known by its id and its reference, an individual by their id in the register. What is about a contact that was erased goes
whole; what only names them, such as a list of those whom another's letter may be from, goes on without them.
"""

import json
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from ingest.contract import ERASED, Record, decode
from ingest.errors import Unreadable
from router.opening import identity_of

_REFERENCE: Final = re.compile(r"\bCC-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b")
_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]|[A-Za-z0-9]")
_OF_PEOPLE: Final = frozenset({"individual_id", "individual", "candidates", "merged", "of", "unseen"})
_SENTENCES: Final = frozenset({"reasons", "because", "subject", "body"})
_OF_CONTACTS: Final = frozenset({"contact_id", "contact_ids"})
TAKEN_OUT: Final = "(erased)"


class Subject(NamedTuple):
    """Whom something may tell of: ``kind`` is contact, reference or individual."""

    kind: str
    id: str


def named_in(value: Any, within: str = "") -> Iterator[Subject]:
    """Whomever a JSON value may name; most of these are nobody."""
    match value:
        case str():
            if within in _OF_CONTACTS:
                yield Subject("contact", value)
            if within in _OF_PEOPLE:
                yield Subject("individual", value)
            if within in _SENTENCES:
                yield from (Subject("reference", each) for each in _REFERENCE.findall(value))
                yield from (Subject("individual", each) for each in _tokens(value))
        case dict():
            for name, item in cast("dict[str, Any]", value).items():
                yield from named_in(item, name)
        case list():
            for item in cast("list[Any]", value):
                yield from named_in(item, within)
        case _:
            return


def without(value: Any, gone: Collection[Subject], within: str = "") -> Any:
    """A JSON value that does not name them."""
    match value:
        case str():
            if (within in _OF_PEOPLE and Subject("individual", value) in gone) or (
                within in _OF_CONTACTS and Subject("contact", value) in gone
            ):
                return None
            if within in _SENTENCES:
                return unnamed(value, gone)
            return value
        case dict():
            return {name: without(item, gone, name) for name, item in cast("dict[str, Any]", value).items()}
        case list():
            items = cast("list[Any]", value)
            kept = [(item, without(item, gone, within)) for item in items]
            return [left for was, left in kept if left is not None or was is None]
        case _:
            return value


def unnamed(text: str, gone: Collection[Subject]) -> str:
    """A sentence of ours without their ids and references."""
    ids = {each.id for each in gone}
    text = _REFERENCE.sub(lambda found: TAKEN_OUT if found[0] in ids else found[0], text)
    return _TOKEN.sub(lambda found: TAKEN_OUT if found[0] in ids else found[0], text)


def _tokens(text: str) -> Iterator[str]:
    """Words that may be an individual's id; none does without a digit or a mark in it, and so it is no word of ours."""
    return (each for each in _TOKEN.findall(text) if not each.isalpha())


def told_of(record: Record) -> set[Subject]:
    """Whomever a record may tell of."""
    if record.is_erased:
        return set()
    return {*_about(record), *named_in(_data(record))}


def left_of(record: Record, gone: Collection[Subject], at: datetime) -> Record:
    """What is to stand in the place of a record that tells of these: nothing of it where it is about them."""
    if any(each in gone for each in _about(record)):
        return erased_record(at)
    left = without(_data(record), gone)
    return Record(record.key, json.dumps(left, ensure_ascii=False).encode(), record.headers)


def erased_record(at: datetime) -> Record:
    """What stands on a topic in the place of something that was erased, and says only that and when."""
    return Record(None, None, ((ERASED, at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()),))


def _about(record: Record) -> Iterator[Subject]:
    """The contacts that a record is about, by its envelope or by what it holds."""
    told = (record.header("dead_letter_id"), record.header("ce_subject"), str(identity_of(record) or ""))
    yield from (Subject("contact", each) for each in told if each and _is_id(each))
    match _data(record):
        case {"contact_id": str(one)}:
            yield Subject("contact", one)
        case {"contact_ids": [*several]}:
            yield from (Subject("contact", str(each)) for each in several)
        case _:
            return


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _data(record: Record) -> Any:
    """The data of an event; None where it cannot be had."""
    try:
        return json.loads(decode(record).data)
    except (Unreadable, ValueError, RecursionError):
        return None
