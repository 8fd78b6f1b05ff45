"""A real PostgreSQL on the loopback: a private cluster in a folder of its own, a database for each test, stopped with the tests."""

import asyncio
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
import pytest

from tests.servers.loopback import free_ports

USER = "ingest"
"""A superuser who needs no password."""

ADVISED = {"max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_compression": "lz4"}
"""What docs/operations.md advises, so that figures are of a server as it should be."""

_OURS: Final = "SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
_SHAPE: Final = f"""
    SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
        SELECT (nspname, nspacl)::text AS part FROM pg_namespace WHERE oid IN ({_OURS})
        UNION ALL SELECT (oid, relname, relkind, relowner, relacl, reloptions)::text FROM pg_class WHERE relnamespace IN ({_OURS})
        UNION ALL SELECT (attrelid, attname, atttypid, atttypmod, attnotnull, attcompression, attidentity, atthasdef)::text
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace IN ({_OURS})
        UNION ALL SELECT (oid, pg_get_constraintdef(oid), convalidated)::text FROM pg_constraint WHERE connamespace IN ({_OURS})
        UNION ALL SELECT (oid, tgname, tgenabled)::text FROM pg_trigger
        UNION ALL SELECT (oid, prosrc)::text FROM pg_proc WHERE pronamespace IN ({_OURS})
        UNION ALL SELECT setconfig::text FROM pg_db_role_setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS parts
"""
_WRITTEN: Final = f"SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace IN ({_OURS}) AND pg_relation_size(c.oid) > 0"
_OTHERS_OUT: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

T = TypeVar("T")
_numbers = itertools.count(1)


def _binaries() -> Path | None:
    """Where initdb and postgres are, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


class Postgres:
    """One private cluster. ``durable`` where a test asks what a crash leaves behind."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, binaries: Path, *, durable: bool) -> None:
        self._folder = folder
        self._binaries = binaries
        (self.port,) = free_ports(1)
        # It refuses to be root, as it should.
        self._owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self._owner:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        # What one test has written is gone for the next, and so must be the statistics of it.
        unsafe = "autovacuum = off\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
        advised = "".join(f"{name} = {value}\n" for name, value in ADVISED.items())
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{folder}'\n"
                f"max_connections = 200\nshared_buffers = 256MB\n{advised if durable else unsafe}"
            )

    def url(self, name: str = "postgres") -> str:
        """The address of a database, as settings have it."""
        return f"postgresql://{USER}@{self.host}:{self.port}/{name}"

    @property
    def pid(self) -> int:
        """Of the process that has started all its others."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Be ready for connections."""
        lines = (self._folder / "postgres.log").open("ab")
        self._process = subprocess.Popen(
            [*self._as_owner(), self._binaries / "postgres", "-D", self._folder / "data"],
            stdout=lines,
            stderr=lines,
            cwd=self._folder,
        )
        lines.close()
        deadline = time.monotonic() + 30
        ready = [self._binaries / "pg_isready", "-q", "-h", self.host, "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"postgres did not start: {self.telemetry()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Drop every connection and end in good order."""
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(signal.SIGINT)  # the fast way: transactions under way are rolled back
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)
        self._process = None

    def restart(self) -> None:
        """As after an update of the server: every connection is dropped."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """End at once, as ``pg_ctl stop -m immediate`` does: it recovers when it starts again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)
        self._process = None

    def pause(self) -> None:
        """Connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it paused."""
        self._signal(signal.SIGCONT)

    def create(self, template: str = "template1") -> str:
        """A database of its own, like ``template``; its name."""
        name = f"register_{os.getpid()}_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Make an end of a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def dump(self, name: str) -> bytes:
        """A database as ``pg_dump`` saves it, beside whoever works on it."""
        return self._client("pg_dump", "--format=custom", "--dbname", self.url(name))

    def restore(self, name: str, saved: bytes) -> None:
        """The database as it was saved, in place of the one that is there."""
        self.drop(name)
        self.execute(f"CREATE DATABASE {name}")
        self._client("pg_restore", "--exit-on-error", "--dbname", self.url(name), saved=saved)

    def execute(self, *statements: str, database: str = "postgres") -> Sequence[asyncpg.Record]:
        """Run statements outside of any transaction of ours; the rows of the last."""

        async def run(connection: asyncpg.Connection) -> Sequence[asyncpg.Record]:
            return [await connection.fetch(each) for each in statements][-1]

        return self.over_one(run, database)

    def over_one(self, run: Callable[[asyncpg.Connection], Awaitable[T]], database: str) -> T:
        """What comes of it over a connection of its own."""

        async def connected() -> T:
            connection = await asyncpg.connect(self.url(database), timeout=10, command_timeout=60)
            try:
                return await run(connection)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as apart:  # a test has a loop that runs
            return apart.submit(asyncio.run, connected()).result()

    @contextmanager
    def admitting(self, rule: str) -> Generator[None]:
        """Let in by a line of pg_hba.conf that goes before all others."""
        path = self._folder / "data" / "pg_hba.conf"
        before = path.read_text()
        path.write_text(f"{rule}\n{before}")
        self.execute("SELECT pg_reload_conf()", "SELECT pg_sleep(0.3)")
        try:
            yield
        finally:
            path.write_text(before)
            self.execute("SELECT pg_reload_conf()")

    def telemetry(self) -> str:
        """What it said of itself so far."""
        path = self._folder / "postgres.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _as_owner(self) -> list[str]:
        if self._owner is None:
            return []
        return ["setpriv", f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}", "--clear-groups"]

    def _client(self, program: str, *arguments: str, saved: bytes | None = None) -> bytes:
        done = subprocess.run([self._binaries / program, *arguments], input=saved, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode()}")
        return done.stdout

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [*self._as_owner(), self._binaries / program, *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def _signal(self, number: signal.Signals) -> None:
        """To the postmaster and to everything it has started."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for pid in (self._process.pid, *(int(each) for each in children.read_text().split())):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


class Renewed:
    """A database that each test finds as its template is. It is made anew only where a test has changed more than rows, since to make
    one costs more than most tests.
    """

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self._template = template
        self._name: str | None = None
        self._line: asyncpg.Connection | None = None
        self._apart, self._loop = ThreadPoolExecutor(1), asyncio.Runner()  # a test has a loop that runs
        self._shape, self._rows = server.over_one(self._as_it_is, template)

    def fresh(self) -> str:
        """Its name, for a test that begins."""
        return self._apart.submit(self._loop.run, self._fresh()).result()

    async def _fresh(self) -> str:
        if self._name is not None and not await self._emptied(await self._alone(self._name)):
            self._server.drop(self._name)
            self._name = None
        if self._name is None:
            self._name = self._server.create(self._template)
        return self._name

    async def _alone(self, name: str) -> asyncpg.Connection:
        """The only connection to it. It stays from test to test, since what a new one asks costs more than the rest, unless one ends it."""
        if self._line is not None:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await self._line.execute(_OTHERS_OUT)
                return self._line
        self._line = line = await asyncpg.connect(self._server.url(name), timeout=10, command_timeout=60)
        await line.execute(_OTHERS_OUT)
        return line

    @staticmethod
    async def _as_it_is(connection: asyncpg.Connection) -> tuple[str | None, dict[str, str | None]]:
        """What it is made of, and its rows, as JSON by table."""
        return await connection.fetchval(_SHAPE), await _rows(
            connection, [each for (each,) in await connection.fetch(_WRITTEN)]
        )

    async def _emptied(self, connection: asyncpg.Connection) -> bool:
        """Whether it has the rows of the template and no others again; not where it is made of something else by now."""
        if await connection.fetchval(_SHAPE) != self._shape:
            return False
        if written := {table for (table,) in await connection.fetch(_WRITTEN)} - self._rows.keys():
            await connection.execute(f"TRUNCATE {', '.join(sorted(written))} RESTART IDENTITY CASCADE")
        if await _rows(connection, self._rows) != self._rows:
            await connection.execute(f"TRUNCATE {', '.join(sorted(self._rows))} RESTART IDENTITY CASCADE")
            for table, rows in self._rows.items():
                await connection.execute(f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $1)", rows)
        return True


async def _rows(connection: asyncpg.Connection, tables: Iterable[str]) -> dict[str, str | None]:
    """The rows of each, as JSON."""
    return {each: await connection.fetchval(f"SELECT json_agg(each)::text FROM {each} each") for each in tables}


def running_postgres(*, durable: bool = False) -> Generator[Postgres]:
    """The body of a fixture: a cluster for as long as it is wanted; skipped where there is none, failed where CI is set."""
    binaries = _binaries()
    if binaries is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "PostgreSQL is missing: install it with: apt-get install postgresql"
        )
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server: Postgres | None = None
    try:
        server = Postgres(folder, binaries, durable=durable)
        server.start()
        yield server
    finally:
        if server:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
