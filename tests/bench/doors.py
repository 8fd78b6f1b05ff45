"""How many contacts a second the public port accepts, beside the same server answering an empty 200: python -m tests.bench.doors [kafka].

Server and clients are a process each. An accepted contact is synced in originals and log before it is answered; every one that was
accepted is then looked for on the log. The ratio is told with the latencies, since on a machine that others use rates mean little.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi import Response

from ingest import state
from ingest.clock import now
from ingest.commands.terminal import open_log
from ingest.contract import Contact, decode
from ingest.database import Database, upgrade
from ingest.ids import digest
from ingest.log.kafka import KafkaLog
from ingest.originals import Originals
from ingest.publishing import routes
from ingest.receive import CONTACTS, Arrival, receive
from ingest.scan import scanner
from ingest.settings import LogSettings, Publisher, ScanSettings, Settings, UploadsSettings, WebSettings
from ingest.uploads import Uploads
from ingest.web import Door, problem, serve_public
from tests.servers.kafka import running_kafka
from tests.servers.loopback import free_ports, listens

KEY: Final = "0d7fa1b2c3e4958677a8b9c0d1e2f3a4"
_TEXT: Final = "He was told he would be rung back by Friday. Nobody rang. " * 10
_BODY: Final = json.dumps({"channel": "telephone", "account": "0300", "received_at": "2026-03-02T09:30:00Z", "text": _TEXT})


def settings_of(folder: Path, port: int, log: str) -> Settings:
    """Of the server, whatever its log."""
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    return Settings(
        key="7f3a91c04be82d6659d1e07ab34c8f20",  # type: ignore[arg-type]
        teams=team,  # type: ignore[arg-type]
        log=LogSettings(url=log if log.startswith("kafka") else f"sqlite:///{folder}/log.db"),
        web=WebSettings(public=f"127.0.0.1:{port}"),
        publishers={"urn:example:crm": Publisher(keys=(digest(KEY.encode()),))},
    )


async def serve(folder: Path, port: int, log_url: str) -> None:
    """The public port, with one route more that does nothing."""
    chosen = settings_of(folder, port, log_url)
    log = await open_log(chosen, exclusive=True)
    database, originals = Database(f"sqlite:///{folder}/register.db"), Originals(f"file:///{folder}/originals")
    key = chosen.key.get_secret_value().encode()

    async def arrive(arrivals: list[Arrival]) -> list[Contact]:
        return await receive(arrivals, originals=originals, log=log, database=database, key=key)

    async def empty() -> Response:
        return Response()

    uploads = Uploads(UploadsSettings(), scanner(ScanSettings()), originals=originals, database=database, clock=now)
    made = routes(arrive=arrive, database=database, uploads=uploads, clock=now, settings=chosen)  # type: ignore[arg-type]
    await serve_public(chosen.web, [Door([*made, ("GET", "/empty", empty)], problem)], asyncio.Event())


async def drive(port: int, kind: str, clients: int, each: int) -> dict[str, float]:
    """So many clients, each asking as soon as it was answered."""
    took = list[float]()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in range(each):
            began = time.perf_counter()
            writer.write(_request(kind, f"{kind}-{number}-{one}"))
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            assert head[9:12] == (b"200" if kind == "empty" else b"202"), head
            took.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*map(client, range(clients)))
    rate = len(took) / (time.perf_counter() - began)
    took.sort()
    return {"rate": rate, "p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)]}


def _request(kind: str, key: str) -> bytes:
    if kind == "empty":
        return b"GET /empty HTTP/1.1\r\nhost: here\r\n\r\n"
    headers = f"authorization: Bearer {KEY}\r\nidempotency-key: {key}\r\ncontent-type: application/json"
    return f"POST /contacts HTTP/1.1\r\nhost: here\r\n{headers}\r\ncontent-length: {len(_BODY)}\r\n\r\n{_BODY}".encode()


@contextmanager
def _log(kind: str) -> Generator[str]:
    if kind == "embedded":
        yield "sqlite"
        return
    for server in running_kafka():
        yield server.url


async def measure(folder: Path, log: str, rounds: int, clients: int, each: int) -> None:
    """Both sides in turn, then every accepted contact on the log."""
    upgrade(f"sqlite:///{folder}/register.db", [state.MIGRATIONS])
    (port,) = free_ports(1)
    if log.startswith("kafka"):
        topics = KafkaLog(LogSettings(url=log))
        await topics.create_topics([CONTACTS.name], partitions=6, replication=1, min_isr=1, retention=timedelta(days=30))
        await topics.close()
    words = [sys.executable, "-m", "tests.bench.doors"]
    server = await asyncio.create_subprocess_exec(*words, "--serve", str(folder), str(port), log)
    try:
        while not listens(port):
            await asyncio.sleep(0.05)
        for number in range(rounds):
            found: list[dict[str, float]] = []
            for kind in ("empty", f"contact{number}"):
                asking = await asyncio.create_subprocess_exec(
                    *words, "--drive", str(port), kind, str(clients), str(each), stdout=asyncio.subprocess.PIPE
                )
                found.append(json.loads((await asking.communicate())[0]))
            empty, contacts = found
            print(
                f"{contacts['rate']:6,.0f} contacts/s, p50 {contacts['p50'] * 1000:.0f} ms, p99 {contacts['p99'] * 1000:.0f} ms; "
                f"empty {empty['rate']:6,.0f}/s; ratio {contacts['rate'] / empty['rate']:.2f} (goal 0.3, p99 under 2 s)",
                flush=True,
            )
    finally:
        server.terminate()
        await server.wait()
    opened = await open_log(settings_of(folder, port, log), exclusive=False)
    there = {decode(found.record).id for found in await opened.read(CONTACTS.name, after={}, most=1_000_000)}
    await opened.close()
    wanted = {f"contact{n}-{c}-{e}" for n in range(rounds) for c in range(clients) for e in range(each)}
    print(f"{len(wanted)} accepted, {len(wanted - there)} lost")
    if wanted - there:
        sys.exit(1)


def main() -> None:
    """By the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.doors", description="How fast the public port is.")
    parser.add_argument("kind", nargs="?", choices=["embedded", "kafka"], default="embedded")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--drive", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve(Path(chosen.serve[0]), int(chosen.serve[1]), chosen.serve[2]))
    elif chosen.drive:
        port, kind, clients, each = chosen.drive
        print(json.dumps(asyncio.run(drive(int(port), kind, int(clients), int(each)))))
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, _log(chosen.kind) as log:
            asyncio.run(measure(Path(folder), log, chosen.rounds, 64, 40))


if __name__ == "__main__":
    main()
