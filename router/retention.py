"""What is past its time goes: looked for kind by kind, counted, and removed in small transactions of their own.

A look changes nothing. A turn removes what the look would show: each transaction looks once more at what it removes, so that nothing goes
that somebody has opened meanwhile, and notes how many went. Stopped at any moment, the next turn goes on with what is left. What may go is
said by ``router.keeping``; how contacts go, and originals after them, by ``router.removal``.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import loads
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.database import Database, among
from ingest.errors import Unavailable
from ingest.ids import new_id
from ingest.log import Log
from ingest.originals import Originals
from ingest.telemetry import ERRORS, RETENTION_DUE, RETENTION_LAST, RETENTION_REMOVED, telemetry
from router.desk import entry
from router.keeping import Held, Kind, Tally
from router.register import tables
from router.removal import Word, let_go, removing
from router.shelves import OF_RETENTION, Key, Shelf, Times, shelves
from router.store import Store

BEGUN, ENDED, REMOVED = OF_RETENTION
_PAGE: Final = 500
_SIZES_AT_ONCE: Final = 16
_EVERY: Final = timedelta(days=1)
_LOOK_SECONDS: Final = 600.0
_GIVEN_UP: Final = timedelta(minutes=10)
_ALONE_WITHIN: Final = timedelta(hours=1)

Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows how far a look or a turn is: of what, out of how many; what it gives is told how many more are done."""

_say = telemetry("retention")


@dataclass(frozen=True, slots=True)
class Holding:
    """What is looked through: everything that the service keeps."""

    database: Database
    store: Store
    log: Log
    originals: Originals
    times: Times
    spool: Path | None = None


@dataclass(slots=True)
class Turn:
    """A turn of removing: by whom, from when to when, whether it came to its end, and how much of each kind went."""

    id: UUID
    by: str
    begun_at: datetime
    ended_at: datetime | None = None
    whole: bool = False
    removed: Counter[str] = field(default_factory=Counter[str])
    freed_bytes: int = 0


def _unwatched(_: str, __: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda _: None)


async def look(it: Holding, now: datetime, bar: Bar = _unwatched) -> list[Tally]:
    """Every kind: how much there is, and what of it would go. Nothing is changed. Raises Unavailable."""
    return [await _look_through(it, shelf, now, bar) for shelf in shelves(it.times, now)]


async def _look_through(it: Holding, shelf: Shelf, now: datetime, bar: Bar) -> Tally:
    tally = Tally(shelf.kind, shelf.kept_for)
    async with it.database.read() as connection:
        tally.held, tally.oldest = await shelf.number(connection)
    if shelf.kept_for is None or not tally.held:
        return tally
    after: Key | None = None
    counted: set[str] = set()
    with bar(f"Looking at {shelf.kind}", tally.held) as progress:
        while True:
            async with it.database.read() as connection:
                keys = await shelf.page(connection, after, now - shelf.kept_for, _PAGE)
                groups = await shelf.look(connection, keys) if keys else []
            if not keys:
                return tally
            wanted = set(keys)
            gone = tally.count([each for group in groups for each in group if each.id in wanted], now)
            if shelf.kind in (Kind.CONTACTS, Kind.ORIGINALS):
                tally.size += await _size(it, [each.id for each in gone], counted)
            after = keys[-1]
            progress(len(keys))


async def _size(it: Holding, keys: Sequence[Any], counted: set[str]) -> int:
    """How many bytes of originals these contacts have, of those not counted yet; what others have as well is among them, and stays."""
    contacts = tables.contacts
    bodies = select(contacts.c.body).where(among(contacts.c.id, [each for (each,) in keys]), contacts.c.stripped_at.is_(None))
    async with it.database.read() as connection:
        named = {each for body in (await connection.execute(bodies)).scalars() for each in _named(body)} - counted
    counted |= named
    wanted, total = sorted(named), 0
    for at in range(0, len(wanted), _SIZES_AT_ONCE):
        found = await asyncio.gather(*map(it.originals.look, wanted[at : at + _SIZES_AT_ONCE]))
        total += sum(each.size for each in found if each)
    return total


def _named(body: str) -> Iterator[str]:
    contact = loads(body)
    yield contact["original"]
    yield from (each["digest"] for each in contact.get("attachments", ()))


async def remove(it: Holding, by: str, clock: Clock, stopping: asyncio.Event | None = None, bar: Bar = _unwatched) -> Turn:
    """Remove what is past its time; told to stop, it ends after the transaction it is in. Raises Unavailable: the next turn goes on."""
    turn = await _begin(it, by, clock())
    for shelf in shelves(it.times, turn.begun_at):
        if shelf.kept_for is not None:
            await _clear(it, shelf, turn, clock, stopping or asyncio.Event(), bar)
    if stopping is not None and stopping.is_set():
        return turn
    gone = await let_go(it.database, it.log, it.originals, it.spool)
    turn.freed_bytes = gone.freed_bytes
    await _end(it, turn, clock())
    return turn


async def _clear(it: Holding, shelf: Shelf, turn: Turn, clock: Clock, stopping: asyncio.Event, bar: Bar) -> None:
    assert shelf.kept_for is not None
    now, after = turn.begun_at, None
    async with it.database.read() as connection:
        number, _ = await shelf.number(connection)
    with bar(f"Removing {shelf.kind}", number) as progress:
        while not stopping.is_set():
            async with it.database.read() as connection:
                keys = await shelf.page(connection, after, now - shelf.kept_for, _PAGE)
                groups = _that_go(await shelf.look(connection, keys), shelf, now) if keys else []
            if not keys:
                return
            for batch in _in_batches(groups, shelf.at_once):
                if stopping.is_set():
                    return
                await _remove(it, shelf, batch, turn, clock())
            after = keys[-1]
            progress(len(keys))


def _that_go(groups: Sequence[Sequence[Held]], shelf: Shelf, now: datetime) -> list[list[Key]]:
    tally = Tally(shelf.kind, shelf.kept_for)
    gone = [tally.count(group, now) for group in groups]
    return [[each.id for each in some] for some in gone if some]


def _in_batches(groups: Sequence[list[Key]], most: int) -> Iterator[list[Key]]:
    """Groups one after another, each whole."""
    batch: list[Key] = []
    for group in groups:
        if batch and len(batch) + len(group) > most:
            yield batch
            batch = []
        batch = batch + group
    if batch:
        yield batch


async def _remove(it: Holding, shelf: Shelf, keys: list[Key], turn: Turn, now: datetime) -> None:
    """One transaction's worth, looked at once more; what somebody has opened meanwhile stays."""
    word = Word(REMOVED, turn.by, f"{shelf.kind} past their time", now)
    async with removing(it.database) as connection:
        going = [key for group in _that_go(await shelf.look(connection, keys), shelf, turn.begun_at) for key in group]
        if not going:
            return
        await shelf.remove(connection, going, word)
        name = shelf.kind.name.lower()
        becomes = turn.removed + Counter({name: len(going)})
        turns = tables.retention_turns
        await connection.execute(update(turns).where(turns.c.id == turn.id).values(removed=dict(becomes), seen_at=now))
    turn.removed = becomes
    RETENTION_REMOVED.labels(name).inc(len(going))


async def _begin(it: Holding, by: str, now: datetime) -> Turn:
    turns, turn = tables.retention_turns, Turn(new_id(), by, now)
    row: dict[str, Any] = {
        "id": turn.id,
        "by": by,
        "begun_at": now,
        "seen_at": now,
        "ended_at": None,
        "whole": False,
        "removed": {},
        "freed_bytes": 0,
    }
    kept = {kind.name.lower(): str(each) for kind in Kind if (each := it.times.of(kind))}
    async with it.database.write() as connection:
        lost = turns.c.ended_at.is_(None) & (turns.c.seen_at < now - _GIVEN_UP)
        for each in (await connection.execute(select(turns).where(lost))).all():
            await connection.execute(update(turns).where(turns.c.id == each.id).values(ended_at=each.seen_at))
            told = entry(now, each.by, ENDED, None, turn=str(each.id), removed=each.removed, cut_short=True)
            await it.store.audit(connection, [told])
        await connection.execute(turns.insert().values(row))
        await it.store.audit(connection, [entry(now, by, BEGUN, None, turn=str(turn.id), kept_for=kept)])
    return turn


async def _end(it: Holding, turn: Turn, now: datetime) -> None:
    turns = tables.retention_turns
    turn.ended_at, turn.whole = now, True
    ends = {"ended_at": now, "whole": True, "seen_at": now, "freed_bytes": turn.freed_bytes}
    async with it.database.write() as connection:
        await connection.execute(update(turns).where(turns.c.id == turn.id).values(ends))
        told = entry(now, turn.by, ENDED, None, turn=str(turn.id), removed=dict(turn.removed), freed_bytes=turn.freed_bytes)
        await it.store.audit(connection, [told])
    RETENTION_LAST.set(now.timestamp())
    _say.info("turn-ended", removed=dict(turn.removed), freed_bytes=turn.freed_bytes)


async def last_turn(connection: AsyncConnection, *, whole: bool = False) -> Turn | None:
    """The latest, or the latest that came to its end."""
    turns = tables.retention_turns
    query = select(turns).order_by(turns.c.begun_at.desc()).limit(1)
    row: Any = (await connection.execute(query.where(turns.c.whole) if whole else query)).one_or_none()
    if row is None:
        return None
    return Turn(row.id, row.by, row.begun_at, row.ended_at, row.whole, Counter(row.removed), row.freed_bytes)


async def daily(it: Holding, clock: Clock, stopping: asyncio.Event) -> None:
    """Once a day count what is due, and where the settings say so remove it first; of several routers one does. Until told to stop."""
    looked: datetime | None = None
    while not stopping.is_set():
        try:
            looked = await _day(it, looked, clock, stopping)
        except Unavailable as error:
            ERRORS.labels("retention", error.reason).inc()
            _say.warning("waiting", reason=error.reason)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await stopping.wait()


async def _day(it: Holding, looked: datetime | None, clock: Clock, stopping: asyncio.Event) -> datetime | None:
    """What is to be done now, if anything; answers with when it last looked."""
    async with it.database.read() as connection:
        last = await last_turn(connection, whole=True)
    if last is not None and last.ended_at is not None:
        RETENTION_LAST.set(last.ended_at.timestamp())
    async with it.database.alone("retention", _ALONE_WITHIN) as alone:
        if alone is None:
            return looked
        if it.times.chosen.apply and (last is None or clock() - last.begun_at >= _EVERY):
            await remove(it, "router", clock, stopping)
        if stopping.is_set() or (looked is not None and clock() - looked < _EVERY):
            return looked
        for tally in await look(it, clock()):
            RETENTION_DUE.labels(tally.kind.name.lower()).set(tally.goes)
        return clock()
