"""What channels and dispatcher must remember between one process and the next, in tables of their own.

The mail ledger and the receipts are what the edge knows by itself: nothing here is derived from the log or the register, so
that the receipt ledger can hold one against the other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, MetaData, Row, Table, Text, Uuid, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.database import Database, Long, UtcDateTime, among, insert
from ingest.ids import erasure_marks

MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData(schema="state")  # on SQLite, which has none, the tables stand beside the register's

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("account", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("first_seen_at", UtcDateTime, nullable=False),  # mail older than this is taken in with sending off
    Column("uid_validity", Long, nullable=False),
    Column("next_uid", Long, nullable=False),  # every UID below it is taken in
)

mail_ledger = Table(
    "mail_ledger",
    metadata,
    Column("account", Text, primary_key=True),
    Column("folder", Text, primary_key=True),
    Column("uid_validity", Long, primary_key=True),
    Column("uid", Long, primary_key=True),
    Column("contact_id", Uuid, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("settled", Boolean, nullable=False),  # flagged or moved on the server
    Index("mail_ledger_by_contact", "contact_id"),
)

canaries = Table(
    "canaries",  # mails to ourselves that show that mail comes in
    metadata,
    Column("account", Text, primary_key=True),
    Column("sent_at", UtcDateTime, nullable=False),  # of the last
    Column("came_round", UtcDateTime),  # when the newest that came back was sent; null before the first
)

mails = Table(
    "mails",  # which contact the first copy of a mail is
    metadata,
    Column("fingerprint", Text, primary_key=True),  # SHA-256 of what its sender wrote
    Column("contact_id", Uuid, nullable=False),
    Index("mails_by_contact", "contact_id"),
)

receipts = Table(
    "receipts",  # what our edge accepted
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("original", Text, nullable=False),
    Index("receipts_by_time", "received_at"),
)

claims = Table(
    "claims",  # which words an id that a sender gave stands for, from before they are on the log
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("fingerprint", Text, nullable=False),  # SHA-256 of what a repeat may not change
    Column("received_at", UtcDateTime, nullable=False),
)

sends = Table(
    "sends",
    metadata,
    Column("outgoing_id", Uuid, primary_key=True),
    Column(
        "account", Text, nullable=False
    ),  # channel and name: email.care; empty where it was cancelled, or its end learned, unseen
    Column("audience", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, sending, deferred; accepted, failed, cancelled are its ends
    Column("attempts", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),  # when it was first tried; before that, when it was taken in
    Column("changed_at", UtcDateTime, nullable=False),
    Column("try_after", UtcDateTime),  # null where nothing is to be sent
    Column("ambiguous", Boolean, nullable=False),  # a copy may have been taken without our being told
    Column("reason", Text),
    Column("told", Boolean),  # whether its end is on outgoing.status; null before its end
    Column("body", Text),  # the Outgoing; after its end no more than its trace, and null where it had none
    Index("sends_ready", "audience", "try_after"),
    Index("sends_accepted", "state", "audience", "changed_at"),
    Index("sends_untold", "told"),
)

drafts = Table(
    "drafts",  # what somebody has begun to tell us on the online form
    metadata,
    Column("session", Text, primary_key=True),  # a name that follows from the secret in their cookie, and it not from the name
    Column("sealed", LargeBinary, nullable=False),  # encrypted under that secret
    Column("at", UtcDateTime, nullable=False),  # of the last answer
    Index("drafts_by_time", "at"),
)

uploads = Table(
    "uploads",  # files that are here before there is a contact that they came with
    metadata,
    Column("owner", Text, primary_key=True),  # an opaque key of whoever sent it
    Column("digest", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Long, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("uploads_by_time", "at"),
)

texts = Table(
    "texts",  # text messages that wait for their pictures, or for their other parts, before they are contacts
    metadata,
    Column("id", Uuid, primary_key=True),  # follows from the provider's own id of it
    Column("fingerprint", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("told", LargeBinary, nullable=False),  # what was read of it; empty once it is taken in
    Column("raw", LargeBinary, nullable=False),  # the bytes as they came; likewise
    Column("whole", Text),  # the same for parts of one text; null where it waits for pictures
    Column("received_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("try_after", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime),  # null while it waits; kept for a while after, for what comes twice
    Index("texts_by_account", "account", "taken_at"),
)

reconciled = Table(
    "reconciled",  # up to when a provider was asked for what it could not tell us
    metadata,
    Column("account", Text, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)

switches = Table(
    "switches",  # what is turned while the service runs, mostly by hand
    metadata,
    Column("name", Text, primary_key=True),  # 'outgoing': whether it goes; 'taken-in': how far the dispatcher has come on it
    Column("value", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

erased = Table(
    "erased",  # of what was erased, a mark that names nobody (ingest.ids.erasure_mark): it is not filed anew
    metadata,
    Column("mark", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # contact, shared, reference, individual, made; or what else than an erasure it was
    Column("at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),  # on whose word
)

unwanted = Table(
    "unwanted",  # originals of what was erased: each goes once nothing else refers to it
    metadata,
    Column("digest", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
)


async def cancel(connection: AsyncConnection, outgoing_ids: Sequence[UUID], at: datetime) -> None:
    """Keep messages from being sent that the dispatcher has not begun with, even where they are on the topic already."""
    if not outgoing_ids:
        return
    end = {"state": "cancelled", "changed_at": at, "try_after": None, "told": False, "body": None}
    row = {"account": "", "audience": "person", "attempts": 0, "first_at": at, "ambiguous": False, **end}
    waits = (sends.c.state == "waiting") | (sends.c.state == "deferred")  # no IN where many rows are put at once
    new = insert(sends).on_conflict_do_update(index_elements=["outgoing_id"], set_=end, where=waits)
    await connection.execute(new, [{"outgoing_id": each, **row} for each in outgoing_ids])


async def allow(connection: AsyncConnection, outgoing_id: UUID) -> None:
    """Undo ``cancel``: a person has released the message, and it is published again."""
    await connection.execute(sends.delete().where(sends.c.outgoing_id == outgoing_id, sends.c.state == "cancelled"))


async def marks_of(connection: AsyncConnection, key: bytes, whom: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    """The marks there are of some things, each told by its kind and id; of one that was erased twice the later."""
    marks = {mark: each for each in whom for mark in erasure_marks(key, *each)}
    if not marks:
        return {}
    found = await connection.execute(select(erased).where(among(erased.c.mark, marks)).order_by(erased.c.at))
    return {marks[row.mark]: row for row in found}


async def erased_among(connection: AsyncConnection, key: bytes, ids: Collection[UUID]) -> set[UUID]:
    """Those of these contacts that were erased, and are not to be filed anew."""
    return {UUID(id_) for _, id_ in await marks_of(connection, key, (("contact", str(each)) for each in ids))}


async def let_go_of(connection: AsyncConnection, digests: Collection[str], at: datetime) -> None:
    """Note originals that may go, once it is seen that nothing else refers to them."""
    if digests:
        rows = [{"digest": each, "since": at} for each in sorted(digests)]
        await connection.execute(insert(unwanted).on_conflict_do_nothing(), rows)


async def taken_in(connection: AsyncConnection) -> dict[tuple[str, int], int]:
    """How far the dispatcher has come on its topic: by making and number of the partition, the position it goes on from."""
    noted = (await connection.execute(select(switches.c.value).where(switches.c.name == "taken-in"))).scalar_one_or_none()
    return {(noted["log"], int(number)): at for number, at in noted["next"].items()} if noted else {}


async def take_in(connection: AsyncConnection, log_id: str, following: Mapping[int, int], at: datetime) -> None:
    """Note how far it has come, beside what it has taken in; what it knew of another making of the topic is forgotten."""
    before = {str(number): next_ for (log, number), next_ in (await taken_in(connection)).items() if log == log_id}
    value = {"log": log_id, "next": before | {str(number): next_ for number, next_ in following.items()}}
    values = {"value": value, "by": "dispatcher", "at": at}
    noted = insert(switches).values(name="taken-in", **values)
    await connection.execute(noted.on_conflict_do_update(index_elements=["name"], set_=values))


@dataclass(frozen=True, slots=True)
class Sending:
    """Whether a person, or the burst limit, has stopped sending to the public; by whom and when it was last turned."""

    stopped: bool
    by: str
    at: datetime


async def stop(database: Database, by: str, clock: Clock) -> None:
    """Send nothing more to the public, within seconds; notices to our own people go on. Raises Unavailable."""
    async with database.write() as connection:
        await turn(connection, stopped=True, by=by, at=clock())


async def stopped(database: Database) -> Sending:
    """How the switch stands; never turned is not stopped. Raises Unavailable."""
    async with database.read() as connection:
        row = (await connection.execute(select(switches).where(switches.c.name == "outgoing"))).one_or_none()
    if row is None:
        return Sending(stopped=False, by="", at=datetime(1970, 1, 1, tzinfo=UTC))
    return Sending(stopped=bool(row.value["stopped"]), by=row.by, at=row.at)


async def turn(connection: AsyncConnection, *, stopped: bool, by: str, at: datetime) -> None:
    """Stop sending to the public, or let it go on: what has waited first, and the burst limit counts anew from now."""
    values = {"value": {"stopped": stopped}, "by": by, "at": at}
    turned = insert(switches).values(name="outgoing", **values)
    await connection.execute(turned.on_conflict_do_update(index_elements=["name"], set_=values))
