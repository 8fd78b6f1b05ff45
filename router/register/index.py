"""The index of keys: kept true in the transaction of whatever changes an individual, and made anew, in the order of keys, for all.

While it is not whole, as amid the first import or after a release whose keys are others, ``key_versions`` has no row of this
release's version, and nobody is looked for: the router waits rather than take everybody for a stranger.
"""

import asyncio
import multiprocessing
import os
from array import array
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Final

from sqlalchemy import ColumnElement, Text, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.database import Database, Long, each_list, put
from ingest.errors import Unavailable
from router.match.keys import VERSION, individual_keys, of_this_version
from router.register.held import Row, as_candidates, following, held
from router.register.tables import individual_keys as table
from router.register.tables import individuals, key_versions

_PAGE: Final = 1_000  # people read at once
_ROWS: Final = 20_000  # keys at a time: in their order they take no longer than a thousand rows of another table
_WORTH_PROCESSES: Final = 20_000  # people: for fewer, starting one takes longer than it spares
_KEYS_EACH: Final = 16  # about so many

Held = tuple[int, str]
"""A key, and who has it."""
Bar = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""What shows how far something is: told what it is and of how much, it gives what is told how much more is done."""


@contextmanager
def unwatched(about: str, total: int) -> Generator[Callable[[int], None]]:  # noqa: ARG001
    """A bar that nobody sees."""
    yield lambda _: None


@asynccontextmanager
async def kept_true(connection: AsyncConnection, ids: Collection[str]) -> AsyncGenerator[None]:
    """While these individuals are changed, taken in or deleted: their keys change with them, and those that stay are not touched.

    Two processes that change one individual at once may leave a key too many. It finds a candidate in vain, until ``build``.
    """
    before = await _keys_of(connection, ids)
    yield
    after = await _keys_of(connection, ids)
    await _remove(connection, before - after)
    await _add(connection, sorted(after - before))


async def keyed(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Give individuals their keys who have just been made, so that there is nothing of before to look for."""
    await _add(connection, sorted(await _keys_of(connection, ids)))


async def is_whole(connection: AsyncConnection) -> bool:
    """Whether everybody's keys are there, and of this release's version."""
    return await connection.scalar(select(key_versions.c.version).where(key_versions.c.version == VERSION)) is not None


async def require_whole(connection: AsyncConnection) -> None:
    """Raises Unavailable(``register-not-indexed``) where it is not."""
    if not await is_whole(connection):
        raise not_whole()


def not_whole() -> Unavailable:
    """What whoever looks for somebody is told, rather than that there is nobody."""
    return Unavailable(
        "register-not-indexed",
        "The keys by which people are found are not whole. Run ingest register index; nobody is looked for until then.",
    )


async def begin(connection: AsyncConnection) -> bool:
    """Whether the keys of those who are to be taken in are best made when all are in, by ``build``: it is a first import, or the index
    is not whole. Until then it is not.
    """
    if await connection.scalar(select(individuals.c.id).limit(1)) is None:
        await connection.execute(delete(key_versions))
    return not await is_whole(connection)


async def build(database: Database, bar: Bar = unwatched) -> int:
    """Make everybody's keys, remove all others, and say that the index is whole; answers with how many individuals there are.

    The service may run, and routes meanwhile where the index was whole before. Stopped midway, it is simply run again.
    """
    async with database.read() as connection:
        people = await connection.scalar(select(func.count()).select_from(individuals)) or 0
    with bar("Making keys", people) as progress:
        made = await _made(database, people, progress)
    with bar("Writing keys", made.parts) as progress:
        for part, (first, stop) in enumerate(_bounds(made.parts)):
            await _write(database, first, stop, made.taken(part))
            progress(1)
    ours = of_this_version()
    for strangers in (table.c.key < ours.start, table.c.key >= ours.stop):
        while rows := await _first_of(database, strangers):
            async with database.write() as connection:
                await _remove(connection, rows)
    async with database.write() as connection:
        await connection.execute(delete(key_versions))
        await connection.execute(key_versions.insert().values(version=VERSION))
    return len(made.ids)


async def _made(database: Database, people: int, progress: Callable[[int], None]) -> "_Made":
    made = _Made(1 + people * _KEYS_EACH // _ROWS)
    async for ids, cut in _keyed(database, made.parts):
        made.add(ids, cut)
        progress(len(ids))
    return made


def _bounds(parts: int) -> list[tuple[int, int]]:
    """The range of keys that each part has."""
    ours = of_this_version()
    edges = [ours.start + len(ours) * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


Cut = list[tuple["array[int]", "array[int]"]]
"""Of each part the keys, and at the same place whose they are, as a number of the page."""


@dataclass(slots=True)
class _Made:
    """All keys, sorted by what part of the index they go to; some 250 bytes a person."""

    parts: int
    ids: list[str] = field(default_factory=list[str])
    cut: Cut = field(init=False)

    def __post_init__(self) -> None:
        self.cut = [(array("q"), array("i")) for _ in range(self.parts)]

    def add(self, ids: Sequence[str], cut: Cut) -> None:
        """Those of a page."""
        before = len(self.ids)
        for (keys, whose), (more, theirs) in zip(self.cut, cut, strict=True):
            keys.extend(more)
            whose.extend(array("i", [before + each for each in theirs]))
        self.ids.extend(ids)

    def taken(self, part: int) -> list[Held]:
        """The rows of a part, in order; they are not kept any longer."""
        keys, whose = self.cut[part]
        self.cut[part] = array("q"), array("i")
        return [(key, self.ids[each]) for key, each in sorted(zip(keys, whose, strict=True))]


def cut_keys(page: Sequence[Row], parts: int) -> Cut:
    """The keys of a page, cut into parts."""
    cut: Cut = [(array("q"), array("i")) for _ in range(parts)]
    ours = of_this_version()
    first, whole = ours.start, len(ours)
    for number, each in enumerate(as_candidates(page)):
        for key in individual_keys(each):
            keys, whose = cut[(key - first) * parts // whole]
            keys.append(key)
            whose.append(number)
    return cut


async def _keyed(database: Database, parts: int) -> AsyncGenerator[tuple[list[str], Cut]]:
    """Everybody, page by page, and their keys; made in processes beside this one where there are cores for them."""
    loop = asyncio.get_running_loop()
    fresh = multiprocessing.get_context("spawn")  # a fork would have a copy of every lock that a thread here holds
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    apart = parts * _ROWS >= _WORTH_PROCESSES * _KEYS_EACH
    pool = ProcessPoolExecutor(cores, mp_context=fresh) if apart else ThreadPoolExecutor(1)
    waiting: deque[tuple[list[str], asyncio.Future[Cut]]] = deque()
    after = ""
    try:
        while True:
            async with database.read() as connection:
                page = await following(connection, after, _PAGE)
            if page:
                after = page[-1][0]
                ids = [row[0] for row in page]
                waiting.append((ids, loop.run_in_executor(pool, cut_keys, list(map(tuple, page)), parts)))
            while waiting and (not page or len(waiting) > 2 * cores):
                ids, keys = waiting.popleft()
                yield ids, await keys
            if not page:
                return
    finally:
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)


async def _write(database: Database, first: int, stop: int, rows: list[Held]) -> None:
    """Have the rows, and no others, in a range of keys."""
    within = select(table).where(table.c.key >= first, table.c.key < stop)
    async with database.read() as connection:
        there = {(key, whose) for key, whose in await connection.execute(within)}
    missing = sorted(set(rows) - there) if there else rows
    for at in range(0, len(missing), _ROWS):
        async with database.write() as connection:
            await _add(connection, missing[at : at + _ROWS])
    strange = sorted(there.difference(rows), key=itemgetter(1))
    for at in range(0, len(strange), _PAGE):
        some = strange[at : at + _PAGE]
        async with database.write() as connection:  # whose they are may have changed since it was read
            await _remove(connection, set(some) - await _keys_of(connection, {whose for _, whose in some}))


async def _first_of(database: Database, where: ColumnElement[bool]) -> set[Held]:
    async with database.read() as connection:
        return {(key, whose) for key, whose in await connection.execute(select(table).where(where).limit(_PAGE))}


async def _keys_of(connection: AsyncConnection, ids: Collection[str]) -> set[Held]:
    people = await held(connection, ids)
    return {(key, id_) for id_, each in people.items() for key in individual_keys(each)}


async def _add(connection: AsyncConnection, rows: Sequence[Held]) -> None:
    await put(connection, table, rows)


async def _remove(connection: AsyncConnection, rows: Collection[Held]) -> None:
    if rows:
        gone = each_list(list(rows), Long, Text())
        await connection.execute(delete(table).where(tuple_(table.c.key, table.c.individual_id).in_(gone)))
