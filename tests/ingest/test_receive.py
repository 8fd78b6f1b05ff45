"""An arrival is kept before it is read, on the log before it is counted, and never lost for its size."""

import time
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import now
from ingest.contract import Attachment, Contact, Identifier, Person, Thread, Verdict, decode
from ingest.database import Database
from ingest.errors import Unavailable
from ingest.ids import contact_id, digest, erasure_mark
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.receive import CONTACTS, Arrival, Beside, receive
from ingest.scan import Scan, scanner
from ingest.telemetry import RECEIVED
from tests.servers.clamd import EICAR, MOST_BYTES, Clamd, running_clamd

KEY = b"a key that nobody can guess, of 32 bytes or more"
RECEIVED_AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
SMALLEST_LIMIT = 65_536


def translated(original: bytes, **more: object) -> Contact:
    sender = Person(identifiers=(Identifier(kind="email", given="Ann@example.org", canonical="ann@example.org"),))
    words = original.decode()
    return Contact(
        **{
            "id": contact_id("email", "care", digest(original)),
            "source": "urn:contact-ingest:email:care",
            "channel": "email",
            "account": "care",
            "received_at": RECEIVED_AT,
            "sender": sender,
            "text": words,
            "full_text": words,
            "original": digest(original),
            **more,
        }  # type: ignore[arg-type]
    )


def arrival(text: str, **more: object) -> Arrival:
    return Arrival(text.encode(), lambda original: (translated(original, **more), {}))


@dataclass
class Edge:
    """Everything an arrival meets."""

    folder: Path
    originals: Originals
    log: SqliteLog
    database: Database

    async def take_in(self, *arrivals: Arrival, beside: Beside | None = None, scan: Scan | None = None) -> list[Contact]:
        return await receive(
            arrivals,
            originals=self.originals,
            log=self.log,
            database=self.database,
            key=KEY,
            scan=scan,
            beside=beside,
        )

    async def on_the_log(self) -> list[Contact]:
        found = await self.log.read(CONTACTS.name, after={}, most=1_000)
        return [Contact.model_validate_json(decode(each.record).data) for each in found]

    async def receipts(self) -> list[tuple[object, ...]]:
        async with self.database.read() as connection:
            return [tuple(row) for row in await connection.execute(select(state.receipts))]


@pytest.fixture
def own_clamd() -> Generator[Clamd]:
    """One that may be stopped and frozen."""
    yield from running_clamd()


@pytest.fixture
async def edge(tmp_path: Path, register_url: str) -> AsyncGenerator[Edge]:
    log = await SqliteLog.open(
        tmp_path / "log.db", exclusive=True, clock=now, retention=timedelta(days=30), most_record_bytes=SMALLEST_LIMIT
    )
    database = Database(register_url)
    folder = tmp_path / "originals"
    yield Edge(folder, Originals(f"file:///{folder}"), log, database)
    await database.close()
    await log.close()


async def test_an_arrival_is_kept_appended_and_noted(edge: Edge):
    (contact,) = await edge.take_in(arrival("Dear Sir"))
    assert await edge.originals.get(contact.original) == b"Dear Sir"
    assert await edge.on_the_log() == [contact]
    assert await edge.receipts() == [(contact.id, "email", "care", RECEIVED_AT, contact.original)]


async def test_the_record_names_the_contact_and_not_the_sender(edge: Edge):
    (contact,) = await edge.take_in(arrival("Dear Sir"))
    (found,) = await edge.log.read(CONTACTS.name, after={}, most=10)
    event = decode(found.record)
    assert (event.id, event.source, event.type) == (str(contact.id), contact.source, CONTACTS.ce_type)
    assert found.record.key
    assert "ann" not in found.record.key


async def test_the_original_is_kept_before_anything_reads_it(edge: Edge):
    kept: list[bytes] = []

    def translate(original: bytes) -> tuple[Contact, dict[str, bytes]]:
        name = digest(original)
        kept.append((edge.folder / name[:2] / name).read_bytes())
        return translated(original), {}

    await edge.take_in(Arrival(b"Dear Sir", translate))
    assert kept == [b"Dear Sir"]


async def test_a_translation_that_breaks_loses_nothing_and_says_nothing(edge: Edge):
    def translate(original: bytes) -> tuple[Contact, dict[str, bytes]]:
        raise RecursionError("a thousand parts within each other")

    with pytest.raises(RecursionError):
        await edge.take_in(Arrival(b"Dear Sir", translate))
    assert await edge.originals.get(digest(b"Dear Sir")) == b"Dear Sir"
    assert await edge.on_the_log() == []
    assert await edge.receipts() == []


async def test_attachments_are_kept_beside_the_original(edge: Edge):
    scan = b"%PDF-1.7 a decision letter"

    def translate(original: bytes) -> tuple[Contact, dict[str, bytes]]:
        attached = Attachment(digest=digest(scan), name="decision.pdf", content_type="application/pdf", size=len(scan))
        return translated(original, attachments=(attached,)), {digest(scan): scan}

    (contact,) = await edge.take_in(Arrival(b"See the attached letter", translate))
    assert await edge.originals.get(contact.attachments[0].digest) == scan


def with_files(words: str, *contents: bytes, verdict: Verdict = Verdict.UNSCANNED, at_hand: bool = True) -> Arrival:
    attached = tuple(
        Attachment(digest=digest(each), name="letter", content_type="text/plain", size=len(each), verdict=verdict)
        for each in contents
    )
    files = {digest(each): each for each in contents} if at_hand else {}
    return Arrival(words.encode(), lambda original: (translated(original, attachments=attached), files))


def verdicts(contacts: list[Contact]) -> list[list[Verdict]]:
    return [[file.verdict for file in each.attachments] for each in contacts]


@pytest.mark.needs("clamd")
async def test_attachments_of_any_channel_are_looked_at_before_they_are_on_the_log(edge: Edge, clamd: Clamd):
    look_at = scanner(clamd.settings())
    arrivals = (
        with_files("one", b"A letter.", EICAR),
        with_files("two", b"A letter.", b"x" * (MOST_BYTES + 1)),
        arrival("three"),
    )
    wanted = [[Verdict.CLEAN, Verdict.INFECTED], [Verdict.CLEAN, Verdict.WITHHELD], []]
    assert verdicts(await edge.take_in(*arrivals, scan=look_at)) == wanted
    assert verdicts(await edge.on_the_log()) == wanted


@pytest.mark.needs("clamd")
async def test_what_was_sent_ahead_while_the_scanner_was_away_is_looked_at_now(edge: Edge, clamd: Clamd):
    await edge.originals.put([EICAR])
    arrivals = with_files("one", EICAR, at_hand=False), with_files("two", b"kept by nobody", at_hand=False)
    found = await edge.take_in(*arrivals, scan=scanner(clamd.settings()))
    assert verdicts(found) == [[Verdict.INFECTED], [Verdict.UNSCANNED]]


@pytest.mark.needs("clamd")
async def test_a_verdict_that_stands_is_left_as_it_is(edge: Edge, clamd: Clamd):
    arrivals = with_files("one", b"A letter.", verdict=Verdict.WITHHELD), with_files("two", b"A letter.")
    found = await edge.take_in(*arrivals, scan=scanner(clamd.settings()))
    assert verdicts(found) == [[Verdict.WITHHELD], [Verdict.CLEAN]]


@pytest.mark.needs("clamd")
@pytest.mark.parametrize("fault", ["stop", "pause"])
async def test_while_the_scanner_is_away_contacts_are_taken_in_with_their_attachments_unscanned(
    edge: Edge, own_clamd: Clamd, fault: str
):
    look_at = scanner(own_clamd.settings(timedelta(milliseconds=300)))
    getattr(own_clamd, fault)()
    arrivals = [with_files(str(each), EICAR, str(each).encode()) for each in range(20)]
    began = time.monotonic()
    await edge.take_in(*arrivals, scan=look_at)
    assert time.monotonic() - began < 10
    assert verdicts(await edge.on_the_log()) == [[Verdict.UNSCANNED] * 2] * 20


@pytest.mark.needs("clamd")
async def test_scanning_that_takes_too_long_as_a_whole_is_left_off(
    edge: Edge, own_clamd: Clamd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.receive._SCANNING_SECONDS", 0.3)
    own_clamd.pause()
    began = time.monotonic()
    contacts = await edge.take_in(with_files("one", EICAR), scan=scanner(own_clamd.settings(timedelta(seconds=60))))
    assert time.monotonic() - began < 10
    assert verdicts(contacts) == [[Verdict.UNSCANNED]]


async def test_the_channel_s_own_ledger_stands_or_falls_with_the_receipts(edge: Edge):
    async def beside(connection: AsyncConnection, contacts: Sequence[Contact]) -> None:
        rows = [{"name": str(each.id), "value": {}, "by": "the channel", "at": RECEIVED_AT} for each in contacts]
        await connection.execute(state.switches.insert(), rows)

    async def breaking(connection: AsyncConnection, contacts: Sequence[Contact]) -> None:
        await beside(connection, contacts)
        raise Unavailable("mailbox-away", "The mailbox is away.")

    with pytest.raises(Unavailable):
        await edge.take_in(arrival("one"), beside=breaking)
    assert await edge.receipts() == []
    contacts = await edge.take_in(arrival("one"), arrival("two"), beside=beside)
    async with edge.database.read() as connection:
        noted = set(await connection.scalars(select(state.switches.c.name)))
    assert noted == {str(each.id) for each in contacts}
    assert len(await edge.receipts()) == 2


async def test_a_repeat_is_the_same_contact_with_one_receipt_and_is_counted_once(edge: Edge):
    counter = RECEIVED.labels("email")
    before = counter._value.get()
    first = await edge.take_in(arrival("one"), arrival("two"), arrival("one"))
    again = await edge.take_in(arrival("two"), arrival("three"))
    assert [each.text for each in first] == ["one", "two", "one"]
    assert again[0].id == first[1].id
    assert len(await edge.receipts()) == 3
    assert counter._value.get() == before + 3


async def test_taking_in_nothing_is_no_fault(edge: Edge):
    assert await edge.take_in() == []
    assert await edge.on_the_log() == []


async def test_the_receipt_s_time_is_when_our_edge_had_it(edge: Edge):
    assert now() != RECEIVED_AT
    await edge.take_in(arrival("Dear Sir"))
    assert [row[3] for row in await edge.receipts()] == [RECEIVED_AT]


async def test_where_the_log_is_away_nothing_is_noted(edge: Edge):
    await edge.log.close()
    with pytest.raises(Unavailable):
        await edge.take_in(arrival("Dear Sir"))
    assert await edge.receipts() == []
    assert await edge.originals.get(digest(b"Dear Sir")) == b"Dear Sir"


def long_quoted(text: str) -> Arrival:
    return arrival(text, full_text="> " + "quoted " * 20_000)


def long_written(text: str) -> Arrival:
    return arrival(text + " and on" * 20_000)


def many_files(text: str) -> Arrival:
    files = tuple(
        Attachment(digest=digest(str(number).encode()), name=f"{number}.txt", content_type="text/plain", size=1)
        for number in range(1_000)
    )
    return arrival(text, attachments=files)


def everything_at_once(text: str) -> Arrival:
    identifier = Identifier(kind="email", given="\x01" * 1_024, canonical="\x01" * 1_024)
    someone = Person(name="\x01" * 1_024, identifiers=(identifier,) * 50)
    return arrival(
        text + "\x01" * 20_000,
        sender=someone,
        on_behalf_of=someone,
        subject="\x01" * 20_000,
        thread=Thread(references=("<reference@example.org>",) * 5_000),
        warnings=("charset: unknown",) * 5_000,
    )


@pytest.mark.parametrize("large", [long_quoted, long_written, many_files, everything_at_once])
async def test_what_is_too_large_for_the_log_is_cut_and_says_so_while_its_neighbours_stay_whole(edge: Edge, large):
    contacts = await edge.take_in(arrival("before"), large("I am the large one"), arrival("after"))
    assert await edge.on_the_log() == contacts
    before, cut, after = contacts
    assert before == translated(b"before")
    assert after == translated(b"after")
    assert cut.text.startswith("I am the large one")
    assert cut.full_text_cut
    assert cut.warnings[-1].startswith("cut: ")
    assert cut.sender.identifiers
    assert len(await edge.receipts()) == 3


async def test_the_new_words_and_the_files_names_stay_where_leaving_out_the_quoted_history_is_enough(edge: Edge):
    (cut,) = await edge.take_in(long_quoted("All of my words"))
    assert (cut.text, cut.full_text) == ("All of my words", "")
    (written,) = await edge.take_in(long_written("The beginning"))
    assert 1_000 < len(written.text) < 10_000


async def test_what_was_erased_and_comes_again_is_not_taken_in_and_its_neighbours_are(edge: Edge) -> None:
    """As when a mailbox is read anew that has their mail still."""
    gone, stays = arrival("what she wrote"), arrival("what he wrote")
    (erased,) = [translated(gone.original)]
    mark = {"mark": erasure_mark(KEY, "contact", str(erased.id)), "kind": "contact", "at": RECEIVED_AT, "by": "Sam"}
    async with edge.database.write() as connection:
        await connection.execute(state.erased.insert().values(mark))
    beside: list[Contact] = []

    async def note(_: AsyncConnection, contacts: Sequence[Contact]) -> None:
        beside.extend(contacts)

    taken = await edge.take_in(gone, stays, beside=note)
    assert [each.text for each in taken] == ["what she wrote", "what he wrote"]
    assert beside == taken  # a mailbox notes both, and asks for neither again
    assert [each.text for each in await edge.on_the_log()] == ["what he wrote"]
    assert [row[0] for row in await edge.receipts()] == [taken[1].id]
    async with edge.database.read() as connection:
        assert (await connection.execute(select(state.unwanted.c.digest))).scalars().all() == [erased.original]


async def test_where_all_of_it_was_erased_nothing_is_written(edge: Edge) -> None:
    mark = {
        "mark": erasure_mark(KEY, "contact", str(translated(b"hers").id)),
        "kind": "contact",
        "at": RECEIVED_AT,
        "by": "Sam",
    }
    async with edge.database.write() as connection:
        await connection.execute(state.erased.insert().values(mark))
    await edge.take_in(arrival("hers"))
    assert await edge.on_the_log() == []
    assert await edge.receipts() == []
