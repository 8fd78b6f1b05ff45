"""``make mailbox``: many mixed mails from a real mailbox to decisions, and a mailbox that holds very many: python -m tests.bench.mailbox.

First, MAILS of many kinds come to the service as it is run on one box; each quarter of them tells its rate, its CPU time and the memory at
its end. At the end the receipt ledger must balance, and it is told what 1,000 of them take on the disk. Then a mailbox that holds HOLDING, of which the last tenth is taken in, with what
comes after a mail's translation left out. Rates are of the machine and of what else it does; trust the ratios between quarters.
"""

import argparse
import asyncio
import os
import re
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import func, select

from channels.email.ingress import Pace, run, survey
from channels.email.settings import EmailAccount
from ingest import state
from ingest.clock import now
from ingest.contract import Contact
from ingest.database import Database, insert, upgrade
from ingest.settings import Settings
from ingest.telemetry import write_lines
from tests.bench.usage import cpu_seconds, resident_bytes
from tests.journeys.house import Installation
from tests.journeys.test_killed_midway import letter
from tests.servers.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.servers.loopback import free_ports
from tests.servers.smtp import smtp_server

_SAMPLES: Final = Path("tests/channels/email/samples")
_QUARTERS: Final = 4
_MESSAGE_ID: Final = re.compile(rb"(?im)^message-id:.*(?:\r?\n[ \t].*)*\r?\n")


@dataclass(frozen=True, slots=True)
class Quarter:
    """How a quarter of the mails went; memory is at its end, with all that the process started."""

    mails: int
    mails_a_second: float
    cpu_ms_a_mail: float
    resident_mb: float


def mixed(number: int) -> Iterator[bytes]:
    """So many mails, no two alike: letters of each kind, and robots', hostile, broken and foreign ones with a Message-ID of their own."""
    samples = [each.read_bytes() for each in sorted(_SAMPLES.glob("*.eml"))]
    for each in range(number):
        if each % 2:
            yield letter(each)
            continue
        raw = _MESSAGE_ID.sub(b"", samples[each // 2 % len(samples)], count=1)
        yield b"Message-ID: <sample.%d@example.net>\r\n" % each + raw


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies on the disk, in bytes as the file system counts them."""

    register: int
    log: int
    originals: int
    files: int

    @classmethod
    def there(cls, home: Path) -> "Kept":
        """In an installation's folder."""
        files = [each for each in (home / "originals").rglob("*") if each.is_file()]
        register, log, originals = (
            sum(each.stat().st_blocks * 512 for each in some)
            for some in (home.glob("register.db*"), home.glob("log.db*"), files)
        )
        return cls(register, log, originals, len(files))

    def of_a_thousand(self, before: "Kept", number: int) -> str:
        """What 1,000 of so many took, in a sentence."""
        mb = [(now - then) / number / 1e3 for now, then in zip(astuple(self)[:3], astuple(before), strict=False)]
        files = (self.files - before.files) / number * 1_000
        return f"1,000 of them take {mb[0]:.1f} MB in the register, {mb[1]:.1f} MB on the log and {mb[2]:.1f} MB in {files:,.0f} originals"


async def journey(number: int, tell: Callable[[Quarter], None], *, sent: bool = False) -> tuple[list[Quarter], str, bool]:
    """Each quarter, told of as it is reached; then what the ledger and the disk say, and whether it balances and every mail is decided.

    With ``sent``, that is said once everything that goes by itself has been sent, and with all the CPU time till then.
    """
    with _dovecot() as dovecot, tempfile.TemporaryDirectory() as folder:
        async with smtp_server() as smtp:
            (private,) = free_ports(1)
            dovecot.mailbox("journey")
            it = Installation.make(Path(folder) / "home", dovecot, "journey", smtp.port, private)
            it.start()
            try:
                await asyncio.to_thread(it.ready)
                # What is older than the first start is not answered: the mails come after it.
                await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM mailboxes", 1, 60)
                running = it.processes["service"].running
                assert running is not None
                before, at_rest = Kept.there(it.folder), cpu_seconds(running.pid)
                delivering = asyncio.create_task(asyncio.to_thread(_deliver, dovecot, "journey", mixed(number)))
                quarters = await _quarters(
                    number,
                    running.pid,
                    lambda: asyncio.to_thread(it.number, "SELECT count(*) FROM dispositions WHERE current"),
                    tell,
                )
                await delivering
                await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM outbox", 0, 600)
                cost = ""
                if sent:
                    await asyncio.to_thread(
                        it.wait_for, "SELECT count(*) FROM outgoing WHERE state IN ('due', 'sending')", 0, 600
                    )
                    await asyncio.to_thread(it.wait_for, "SELECT count(*) FROM outbox", 0, 600)
                    cost = f" and {(cpu_seconds(running.pid) - at_rest) / number * 1e3:.0f} s of CPU time"
                ledger = await asyncio.to_thread(it.command, "ledger")
                audit = await asyncio.to_thread(it.command, "audit", "verify")
                taken = it.number("SELECT count(*) FROM mail_ledger")
                balances = ledger.returncode == audit.returncode == 0 and taken == number
                kept = Kept.there(it.folder).of_a_thousand(before, number)
                return quarters, f"{ledger.stdout}\n{kept}{cost}.", balances
            finally:
                it.stop()


async def holding(number: int, tell: Callable[[Quarter], None]) -> tuple[list[Quarter], dict[str, float]]:
    """A mailbox of so many, the last tenth of which is taken in; and what it takes to find all before, and a new mail after."""
    with _dovecot() as dovecot, tempfile.TemporaryDirectory() as folder:
        _deliver(dovecot, "holding", (letter(each) for each in range(number)))
        url = f"sqlite:///{folder}/register.db"
        await asyncio.to_thread(upgrade, url, [state.MIGRATIONS])
        database = Database(url)
        account = EmailAccount(
            host=dovecot.host,
            port=dovecot.port,
            ca_file=str(dovecot.ca_file),
            user="holding",
            password=SecretStr(PASSWORD),
            poll_every=timedelta(seconds=1),
            smtp="localhost:25",
            sender="care@example.org",
        )

        async def arrive(arrivals: Sequence[Any], *, beside: Any) -> list[Contact]:
            contacts = [each.translate(each.original)[0] for each in arrivals]
            async with database.write() as connection:
                await beside(connection, contacts)
            return contacts

        async def taken() -> int:
            async with database.read() as connection:
                return (await connection.execute(select(func.count()).select_from(state.mail_ledger))).scalar_one()

        took: dict[str, float] = {}
        at = perf_counter()
        found = await survey("care", account, database=database, clock=now)
        assert found.waiting == number, found.sentence
        took["seconds to find all, as ingest check does before the first start"] = perf_counter() - at
        took["MB of memory then"] = resident_bytes(os.getpid()) / 1e6
        known = number - number // 10
        await _note(database, dovecot.uid_validity("holding"), known)
        async with _running(account, arrive, database):
            quarters = await _quarters(number, os.getpid(), taken, tell, known)
        at = perf_counter()
        async with _running(account, arrive, database):
            dovecot.deliver("holding", letter(number))
            while await taken() <= number:
                await asyncio.sleep(0.05)
            took["seconds from a start to a new mail, with all counted against the ledger"] = perf_counter() - at
        took["MB of memory at the end"] = resident_bytes(os.getpid()) / 1e6
        took["unaccounted"] = REGISTRY.get_sample_value("email_unaccounted", {"account": "care"}) or 0.0
        await database.close()
        return quarters, took


class _running:  # noqa: N801 - a block of code, not a thing
    def __init__(self, account: EmailAccount, arrive: Any, database: Database) -> None:
        self._stopping = asyncio.Event()
        settings = Settings.model_construct(key=SecretStr("k" * 32))
        going = run(
            "care",
            account,
            arrive=arrive,
            database=database,
            clock=lambda: datetime.now(UTC),
            stopping=self._stopping,
            settings=settings,
            pace=Pace(call=120.0),
        )
        self._going = asyncio.ensure_future(going)

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self._going


async def _note(database: Database, uid_validity: int, known: int) -> None:
    """As if the first so many had been taken in."""
    box = {"account": "care", "folder": "INBOX", "uid_validity": uid_validity}
    told = {"contact_id": UUID(int=0), "taken_at": now(), "settled": True}
    async with database.write() as connection:
        await connection.execute(insert(state.mailboxes), {**box, "first_seen_at": now(), "next_uid": known + 1})
        await connection.execute(insert(state.mail_ledger), [{**box, **told, "uid": uid} for uid in range(1, known + 1)])


async def _quarters(
    number: int, pid: int, done: Callable[[], Any], tell: Callable[[Quarter], None], before: int = 0
) -> list[Quarter]:
    quarters: list[Quarter] = []
    size = (number - before) // _QUARTERS
    since, spent = perf_counter(), cpu_seconds(pid)
    for quarter in range(_QUARTERS - 1, -1, -1):
        while (there := await done()) < number - quarter * size:
            await asyncio.sleep(0.2)
        at, cost = perf_counter(), cpu_seconds(pid)
        some = max(1, there - before)
        found = Quarter(there, some / (at - since), (cost - spent) / some * 1e3, resident_bytes(pid) / 1e6)
        quarters.append(found)
        tell(found)
        before, since, spent = there, at, cost
    return quarters


def _deliver(dovecot: Dovecot, user: str, mails: Iterator[bytes]) -> None:
    for each in mails:
        dovecot.deliver(user, each)


@contextmanager
def _dovecot() -> Generator[Dovecot]:
    running = running_dovecot()
    with ExitStack() as stack:
        stack.callback(running.close)
        yield next(running)


def _print(each: Quarter) -> None:
    print(f"{each.mails:>9,}{each.mails_a_second:>12,.0f}{each.cpu_ms_a_mail:>16.2f}{each.resident_mb:>14.0f}", flush=True)


def main() -> None:
    """Both, or one where the other's number is 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mailbox")
    parser.add_argument("mails", nargs="?", type=int, default=20_000)
    parser.add_argument("--holding", type=int, default=100_000)
    parser.add_argument("--sent", action="store_true", help="wait until all that goes by itself is sent")
    chosen = parser.parse_args()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        write_lines(nowhere)
        head = f"{'mails':>9}{'mails/s':>12}{'CPU ms a mail':>16}{'MB at its end':>14}"
        if chosen.mails:
            print(f"{chosen.mails:,} mixed mails from a mailbox to decisions\n{head}", flush=True)
            quarters, ledger, balances = asyncio.run(journey(chosen.mails, _print, sent=chosen.sent))
            print(f"{ledger}\nlast quarter to second: {_ratios(quarters)}")
            print(
                "The ledger balances, every mail is decided once, and the audit trail verifies."
                if balances
                else "IT DOES NOT BALANCE."
            )
        if chosen.holding:
            print(f"\na mailbox of {chosen.holding:,}\n{head}", flush=True)
            quarters, took = asyncio.run(holding(chosen.holding, _print))
            print(f"last quarter to second: {_ratios(quarters)}")
            for what, figure in took.items():
                print(f"{figure:9.1f} {what}")


def _ratios(quarters: Sequence[Quarter]) -> str:
    second, last = quarters[1], quarters[-1]
    cpu = last.cpu_ms_a_mail / max(second.cpu_ms_a_mail, 0.01)  # of few mails it is less than the system counts
    return (
        f"CPU {cpu:.2f}, rate {last.mails_a_second / second.mails_a_second:.2f}, "
        f"memory {last.resident_mb / second.resident_mb:.2f}"
    )


if __name__ == "__main__":
    main()
