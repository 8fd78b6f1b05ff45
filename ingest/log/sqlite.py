"""The embedded log: one SQLite file, one partition a topic, and topics made when they are first named.

One thread writes. What waits for it goes into one transaction (group commit), and every caller is answered once that is on
the disk; where the disk refuses, every caller is told so and the next try begins with a fresh connection. Positions are
dealt out inside ``BEGIN IMMEDIATE``, so that a command beside the service cannot be given the same one, and a topic's row
remembers the next, so that none comes twice when old records are gone.
"""

import asyncio
import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from ingest.clock import Clock
from ingest.contract import Record
from ingest.database import pragmas
from ingest.errors import Misconfigured, Unavailable
from ingest.ids import new_id
from ingest.log import Assigned, Consumption, Delivery, Feature, Lag, Partition, Revoked, refuse_too_large
from ingest.telemetry import REWOUND

_KEY: Final = "log.url"
_MARK: Final = 0x434C4F47  # PRAGMA application_id, "CLOG": the register's file is not taken for the log's
_POLL_SECONDS: Final = 0.5  # how late another process's append may be seen
_PAGE_BYTES: Final = 32_000_000
_ROWS_A_TRANSACTION: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NETWORKED: Final = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs")
)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, log_id TEXT NOT NULL, next INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    topic INTEGER NOT NULL, position INTEGER NOT NULL, appended_at INTEGER NOT NULL,
    key BLOB, headers TEXT NOT NULL, value BLOB, PRIMARY KEY (topic, position)
);
CREATE TABLE IF NOT EXISTS groups (
    topic INTEGER NOT NULL, name TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, name)
) WITHOUT ROWID;
"""

T = TypeVar("T")


class HeldElsewhere(Misconfigured):
    """Another process has the log for itself."""


def filesystem_of(path: Path, mounts: str) -> str | None:
    """The type of filesystem an absolute path is on, by the text of ``/proc/mounts``; None where no line covers it."""
    found, depth = None, -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # A later mount on the same point covers the earlier one.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = fields[2], len(point.parts)
    return found


def _unescaped(field: str) -> str:
    """proc(5): white space and the backslash stand as three octal digits."""
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(code, character)
    return field


@dataclass(frozen=True, slots=True)
class _Work(Generic[T]):
    """Something to do within a transaction, and where its answer goes."""

    do: Callable[[sqlite3.Connection], T]
    answer: asyncio.Future[T]


class _File:
    """A connection that is made when it is wanted, and made anew after a fault."""

    def __init__(self, path: Path, *, shrinks: bool) -> None:
        self._path = path
        self._shrinks = shrinks
        self._connection: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        """The connection; raises sqlite3.Error where there can be none."""
        self._connection = self._connection or _connected(self._path, shrinks=self._shrinks)
        return self._connection

    def forget(self) -> None:
        """Let go of the connection, whatever state it is in; an open transaction is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


class _Writer:
    """The one thread that writes."""

    def __init__(self, path: Path, *, shrinks: bool) -> None:
        self._file = _File(path, shrinks=shrinks)
        self._waiting: SimpleQueue[_Work[Any] | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        # A daemon, so that a service that dies without closing does not hang: a half-done transaction is rolled back.
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    async def write(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """What some work gives, once it is on the disk. Raises Unavailable.

        Cancelled before its transaction began it is not done, and after that it is.
        """
        if self._closed:
            raise Unavailable("log-unavailable", "The log is closed.")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put(_Work(do, answer))
        return await answer

    async def close(self) -> None:
        """Finish what waits and end."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        going = True
        while going:
            waiting = [self._waiting.get()]
            with suppress(Empty):
                while True:
                    waiting.append(self._waiting.get_nowait())
            going = None not in waiting
            self._commit([work for work in waiting if work is not None and not work.answer.cancelled()])
        self._file.forget()

    def _commit(self, works: Sequence[_Work[Any]]) -> None:
        if not works:
            return
        try:
            connection = self._file.connection()
            connection.execute("BEGIN IMMEDIATE")
            answers = [work.do(connection) for work in works]
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear of it and the thread live on
            # A fresh connection rolls back what this one may have left, even where it cannot do so itself.
            self._file.forget()
            self._tell(partial(_fail, works, error))
        else:
            self._tell(partial(_answer, works, answers))

    def _tell(self, told: Callable[[], None]) -> None:
        """Once for all: waking the loop for each would cost more than the transaction."""
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(told)


def _answer(works: Sequence[_Work[Any]], answers: Sequence[Any]) -> None:
    for work, answer in zip(works, answers, strict=True):
        if not work.answer.done():
            work.answer.set_result(answer)


def _fail(works: Sequence[_Work[Any]], error: Exception) -> None:
    for work in works:
        if not work.answer.done():
            work.answer.set_exception(_away(error) if isinstance(error, sqlite3.Error) else error)


class _Reader:
    """The one thread that reads."""

    def __init__(self, path: Path, *, shrinks: bool) -> None:
        self._file = _File(path, shrinks=shrinks)
        self._thread = ThreadPoolExecutor(1, "log-reader")
        self._closed = False

    async def read(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """What a look at the file gives. Raises Unavailable."""
        if self._closed:
            raise Unavailable("log-unavailable", "The log is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, look)

    async def close(self) -> None:
        """Finish what is being read and end."""
        self._closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._file.forget()

    def _look(self, look: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return look(self._file.connection())
        except sqlite3.Error as error:
            self._file.forget()
            raise _away(error) from error


class SqliteLog:
    """The embedded kind of log; see ``ingest.log.Log`` for what its calls promise."""

    def __init__(
        self,
        path: Path,
        lock: int | None,
        *,
        clock: Clock,
        retention: timedelta,
        most_record_bytes: int,
        shrinks: bool = False,
    ) -> None:
        self.path = path
        self._lock = lock
        self._clock = clock
        self._retention = retention
        self._most_record_bytes = most_record_bytes
        self._writer = _Writer(path, shrinks=shrinks)
        self._reader = _Reader(path, shrinks=shrinks)
        self._news: dict[str, asyncio.Event] = {}

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        exclusive: bool,
        clock: Clock,
        retention: timedelta,
        most_record_bytes: int,
        shrinks: bool = False,
    ) -> "SqliteLog":
        """The log in that file, which is made where there is none.

        A service opens it ``exclusive``; commands beside it do not. One that ``shrinks`` from its making on gives the disk back
        what records took that are removed. Raises Misconfigured(``log.url``) where another service
        holds it (HeldElsewhere), or the file cannot be a log: a network filesystem, an unwritable folder, no database, somebody else's.
        Raises Unavailable where it may be one later.
        """
        lock = await asyncio.to_thread(_opened, path, exclusive=exclusive, shrinks=shrinks)
        return cls(path, lock, clock=clock, retention=retention, most_record_bytes=most_record_bytes, shrinks=shrinks)

    @property
    def features(self) -> frozenset[Feature]:
        """What this kind has."""
        return frozenset({Feature.EXCLUSIVE, Feature.MAKES_TOPICS, Feature.REWRITES})

    async def append(self, topic: str, records: Sequence[Record]) -> Sequence[int]:
        """Write the records in order, all or none, and answer with their positions once they are on the disk."""
        refuse_too_large(records, self._most_record_bytes)
        if not records:
            return []
        # Made into rows here, so that what cannot be written fails its own caller and nobody beside it.
        rows = [(_bytes(record.key), _headers(record), record.value) for record in records]
        first = await self._writer.write(partial(_append, topic=topic, rows=rows, clock=self._clock))
        self._news.pop(topic, asyncio.Event()).set()
        return range(first, first + len(rows))

    @asynccontextmanager
    async def consume(self, topic: str, group: str, *, assigned: Assigned, revoked: Revoked) -> AsyncGenerator[Consumption]:
        """Read a topic as a member of a group; its one partition is ours from the beginning to the end."""
        row, log_id, _ = await self._writer.write(partial(_topic, name=topic))
        partition = Partition(log_id, topic, 0)
        wanted = (await assigned([partition])).get(partition)
        position, rewound = await self._writer.write(partial(_begin, topic=row, group=group, wanted=wanted))
        if rewound:
            REWOUND.labels(topic).inc()
        try:
            yield _Consumption(
                self._reader,
                self._writer,
                self._news,
                partition,
                row,
                group,
                position,
                frozenset({partition} if rewound else ()),
            )
        finally:
            await revoked([partition])

    async def settled(self, topic: str, group: str) -> Mapping[Partition, int]:
        """Where a group goes on."""
        return await self._reader.read(partial(_settled, topic=topic, group=group))

    async def reconcile(self, seen: Mapping[Partition, int]) -> Sequence[str]:
        """Make the topics anew that end before a position that a reader has come to; they are read again from the earliest."""
        anew = await self._writer.write(partial(_make_anew, seen=seen))
        for topic in anew:
            REWOUND.labels(topic).inc()
        return anew

    async def lag(self, topic: str, group: str) -> Lag:
        """How far a group is behind; nothing on a topic that was never named."""
        return await self._reader.read(partial(_lag, topic=topic, group=group))

    async def read(self, topic: str, *, after: Mapping[int, int], most: int) -> Sequence[Delivery]:
        """Up to ``most`` records from a position on, fewer where they come to more than 32 MB: none is the end."""
        return await self._reader.read(partial(_look, topic=topic, start=after.get(0, 0), most=most))

    async def size(self, topic: str) -> int:
        """How many bytes a topic's records take, near enough. Raises Unavailable."""
        return await self._reader.read(partial(_size, topic=topic))

    async def trim(self) -> int:
        """Remove the records older than the retention that every group has settled, oldest first; how many they were.

        Another writer waits for 1,000 of them at most. Raises Unavailable.
        """
        before = _microseconds(self._clock() - self._retention)
        removed = 0
        for topic in await self._reader.read(_topics):
            while gone := await self._writer.write(partial(_trim, topic=topic, before=before)):
                removed += gone
        return removed

    async def rewrite(self, topic: str, instead: Mapping[int, Record]) -> None:
        """Put records in the place of those at these positions; another writer waits for 1,000 of them at most. Raises Unavailable."""
        rows = [(_bytes(each.key), _headers(each), each.value, topic, position) for position, each in instead.items()]
        for at in range(0, len(rows), _ROWS_A_TRANSACTION):
            await self._writer.write(partial(_rewrite, rows=rows[at : at + _ROWS_A_TRANSACTION]))
        await asyncio.to_thread(_tidy, self.path)

    async def close(self) -> None:
        """Finish what is in flight and let go of the file and its lock."""
        await self._writer.close()
        await self._reader.close()
        lock, self._lock = self._lock, None
        _unlock(lock)


class _Consumption:
    """One reader of a topic; see ``ingest.log.Consumption``."""

    def __init__(
        self,
        reader: _Reader,
        writer: _Writer,
        news: dict[str, asyncio.Event],
        partition: Partition,
        topic: int,
        group: str,
        position: int,
        rewound: frozenset[Partition],
    ) -> None:
        self.rewound = rewound
        self._reader = reader
        self._writer = writer
        self._news = news
        self._partition = partition
        self._topic = topic
        self._group = group
        self._position = position

    async def take(self, *, most: int, most_bytes: int, within: float) -> Sequence[Delivery]:
        """The next records in order; none where none came within so many seconds."""
        page = partial(_page, partition=self._partition, topic=self._topic, most=most, most_bytes=most_bytes)
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        while True:
            # Taken before looking, so that what is appended between the look and the wait ends the wait.
            news = self._news.setdefault(self._partition.topic, asyncio.Event())
            found = await self._reader.read(partial(page, start=self._position))
            if found:
                self._position = found[-1].position + 1
                return found
            left = until - loop.time()
            if left <= 0:
                return []
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL_SECONDS)):
                    await news.wait()

    async def settle(self, following: Mapping[Partition, int]) -> None:
        """Note the position of the next record wanted."""
        if self._partition in following:
            position = following[self._partition]
            await self._writer.write(partial(_settle, topic=self._topic, group=self._group, following=position))


def is_held(path: Path) -> bool:
    """Whether a process has the log in that file for itself."""
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def _opened(path: Path, *, exclusive: bool, shrinks: bool) -> int | None:
    """Make sure of the file, and hold the lock beside it where it is to be ours alone."""
    folder = path.resolve().parent
    if (kind := _mounted_as(folder)) in _NETWORKED:
        raise Misconfigured(
            _KEY, f"{path} is on a network filesystem ({kind}), where SQLite's locks cannot be relied on. Choose a local disk."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Misconfigured(_KEY, f"The log cannot be written in {folder}. Make the folder, and let the service write there.")
    lock = _locked(path.resolve()) if exclusive else None
    try:
        with closing(_connected(path, shrinks=shrinks)) as connection:
            _prepare(connection, path)
    except sqlite3.Error as error:
        _unlock(lock)
        raise _refusal(path, error) from error
    except Misconfigured:
        _unlock(lock)
        raise
    return lock


def _mounted_as(folder: Path) -> str | None:
    try:
        return filesystem_of(folder, Path("/proc/mounts").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None  # not Linux


def _locked(path: Path) -> int:
    """The kernel lets go of it when the process ends, however it ends, so that a stale file locks nobody out."""
    beside = path.with_name(path.name + ".lock")
    try:
        lock = os.open(beside, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Misconfigured(_KEY, f"{beside} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 32).decode("ascii", "replace").strip()
        os.close(lock)
        process = f" (process {holder})" if holder.isdigit() else ""
        raise HeldElsewhere(
            _KEY, f"Another service{process} holds the log {path}. Stop that one first, or give this one a log of its own."
        ) from error
    with suppress(OSError):  # who holds it is a courtesy, not worth a failed start on a full disk
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _connected(path: Path, *, shrinks: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    if shrinks:
        connection.execute("PRAGMA auto_vacuum=FULL")  # before anything is in it, or it says nothing
    for pragma in pragmas():
        connection.execute(pragma)
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if mark == _MARK:
        return
    if tables:
        raise Misconfigured(_KEY, f"{path} is a database, but not a log of ours. Give the log a file of its own.")
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA application_id={_MARK}; COMMIT;")


def _refusal(path: Path, error: sqlite3.Error) -> Misconfigured | Unavailable:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the primary code; the rest says where it happened
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return Misconfigured(
                _KEY, f"{path} cannot be read as a log: {error}. Move it away and start anew, or put back a copy that is whole."
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Misconfigured(_KEY, f"{path} cannot be opened for writing: {error}. Check who owns it and its folder.")
        case _:
            return _away(error)


def _away(error: sqlite3.Error) -> Unavailable:
    return Unavailable("log-unavailable", f"The log is away: {error}. The same is tried again.")


# What is done within a transaction of the writer.


def _topic(connection: sqlite3.Connection, *, name: str) -> tuple[int, str, int]:
    """Its row, its making and its next position."""
    find = "SELECT id, log_id, next FROM topics WHERE name = ?"
    found = connection.execute(find, (name,)).fetchone()
    if found is None:
        connection.execute("INSERT INTO topics (name, log_id, next) VALUES (?, ?, 0)", (name, str(new_id())))
        found = connection.execute(find, (name,)).fetchone()
    return found


def _append(
    connection: sqlite3.Connection, *, topic: str, rows: Sequence[tuple[bytes | None, str, bytes | None]], clock: Clock
) -> int:
    row, _, first = _topic(connection, name=topic)
    at = _microseconds(clock())
    connection.executemany(
        "INSERT INTO records (topic, position, appended_at, key, headers, value) VALUES (?, ?, ?, ?, ?, ?)",
        ((row, position, at, *rest) for position, rest in enumerate(rows, first)),
    )
    connection.execute("UPDATE topics SET next = ? WHERE id = ?", (first + len(rows), row))
    return first


def _begin(connection: sqlite3.Connection, *, topic: int, group: str, wanted: int | None) -> tuple[int, bool]:
    """Where a group begins, and whether that is another place than it asked for.

    It is noted as settled at once, so that nothing from there on is removed as old.
    """
    earliest, end, settled = connection.execute(
        "SELECT coalesce((SELECT min(position) FROM records WHERE topic = topics.id), next), next,"
        " (SELECT next FROM groups WHERE topic = topics.id AND name = ?) FROM topics WHERE id = ?",
        (group, topic),
    ).fetchone()
    begin: int = next(each for each in (wanted, settled, earliest) if each is not None)
    held = earliest <= begin <= end
    position = begin if held else earliest
    _settle(connection, topic=topic, group=group, following=position)
    return position, not held


def _settle(connection: sqlite3.Connection, *, topic: int, group: str, following: int) -> None:
    connection.execute(
        "INSERT INTO groups (topic, name, next) VALUES (?, ?, ?) ON CONFLICT (topic, name) DO UPDATE SET next = excluded.next",
        (topic, group, following),
    )


def _make_anew(connection: sqlite3.Connection, *, seen: Mapping[Partition, int]) -> list[str]:
    anew: list[str] = []
    for partition, position in seen.items():
        older = "SELECT id FROM topics WHERE name = ? AND log_id = ? AND next < ?"
        found = connection.execute(older, (partition.topic, partition.log_id, position)).fetchone()
        if found is not None:
            connection.execute("UPDATE topics SET log_id = ? WHERE id = ?", (str(new_id()), *found))
            connection.execute("DELETE FROM groups WHERE topic = ?", found)
            anew.append(partition.topic)
    return anew


def _trim(connection: sqlite3.Connection, *, topic: int, before: int) -> int:
    (settled,) = connection.execute(
        "SELECT coalesce((SELECT min(next) FROM groups WHERE topic = topics.id), next) FROM topics WHERE id = ?", (topic,)
    ).fetchone()
    eldest = connection.execute(
        "SELECT position, appended_at FROM records WHERE topic = ? AND position < ? ORDER BY position LIMIT ?",
        (topic, settled, _ROWS_A_TRANSACTION),
    ).fetchall()
    # From the head only, even where the clock once ran backwards: what a topic holds has no gaps.
    gone = list(takewhile(lambda each: each[1] < before, eldest))
    if gone:
        connection.execute("DELETE FROM records WHERE topic = ? AND position <= ?", (topic, gone[-1][0]))
    return len(gone)


def _rewrite(connection: sqlite3.Connection, *, rows: Sequence[tuple[bytes | None, str, bytes | None, str, int]]) -> None:
    connection.executemany(
        "UPDATE records SET key = ?, headers = ?, value = ?"
        " WHERE topic = (SELECT id FROM topics WHERE name = ?) AND position = ?",
        rows,
    )


def _tidy(path: Path) -> None:
    """Leave no earlier state of a page in the write-ahead log, where there is one."""
    try:
        with closing(_connected(path, shrinks=False)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise _away(error) from error


# What the reader looks at.


def _page(
    connection: sqlite3.Connection, *, partition: Partition, topic: int, start: int, most: int, most_bytes: int
) -> list[Delivery]:
    found: list[Delivery] = []
    held = 0
    rows = connection.execute(
        "SELECT position, appended_at, key, headers, value FROM records WHERE topic = ? AND position >= ?"
        " ORDER BY position LIMIT ?",
        (topic, start, most),
    )
    # Closed where it stops early, or its lock on the file would keep the writer waiting.
    with closing(rows):
        for position, at, key, headers, value in rows:
            record = Record(None if key is None else key.decode(), value, _from_headers(headers))
            held += record.size
            if found and held > most_bytes:
                break
            found.append(Delivery(partition, position, _moment(at), record))
    return found


def _look(connection: sqlite3.Connection, *, topic: str, start: int, most: int) -> list[Delivery]:
    row = connection.execute("SELECT id, log_id FROM topics WHERE name = ?", (topic,)).fetchone()
    if row is None:
        return []
    partition = Partition(row[1], topic, 0)
    return _page(connection, partition=partition, topic=row[0], start=start, most=most, most_bytes=_PAGE_BYTES)


def _settled(connection: sqlite3.Connection, *, topic: str, group: str) -> dict[Partition, int]:
    rows = connection.execute(
        "SELECT topics.log_id, groups.next FROM groups JOIN topics ON topics.id = groups.topic WHERE topics.name = ? AND groups.name = ?",
        (topic, group),
    )
    return {Partition(log_id, topic, 0): following for log_id, following in rows.fetchall()}


def _lag(connection: sqlite3.Connection, *, topic: str, group: str) -> Lag:
    row = connection.execute(
        "WITH at AS (SELECT id, next, coalesce("
        " (SELECT groups.next FROM groups WHERE topic = topics.id AND groups.name = ?),"
        " (SELECT min(position) FROM records WHERE topic = topics.id), next) AS settled FROM topics WHERE name = ?)"
        " SELECT next - settled, (SELECT appended_at FROM records WHERE topic = at.id AND position >= settled"
        " ORDER BY position LIMIT 1) FROM at",
        (group, topic),
    ).fetchone()
    records, oldest = row or (0, None)
    return Lag(records, None if oldest is None else _moment(oldest))


def _size(connection: sqlite3.Connection, *, topic: str) -> int:
    (found,) = connection.execute(
        "SELECT coalesce(sum(coalesce(length(key), 0) + length(headers) + coalesce(length(value), 0)), 0)"
        " FROM records JOIN topics ON topics.id = records.topic WHERE topics.name = ?",
        (topic,),
    ).fetchone()
    return found


def _topics(connection: sqlite3.Connection) -> list[int]:
    return [row for (row,) in connection.execute("SELECT id FROM topics").fetchall()]


# How a record lies in its row.


def _bytes(key: str | None) -> bytes | None:
    return None if key is None else key.encode()


def _headers(record: Record) -> str:
    """Latin-1 gives every byte a character and takes it back."""
    return json.dumps([(name, raw.decode("latin-1")) for name, raw in record.headers])


def _from_headers(text: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, raw.encode("latin-1")) for name, raw in json.loads(text))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
