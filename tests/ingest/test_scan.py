"""Only what the scanner has wholly looked at is clean; whatever else happens, nobody waits longer than they must."""

import asyncio
import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.clock import Clock
from ingest.contract import Verdict
from ingest.errors import IngestError, Misconfigured, Unavailable
from ingest.scan import look, scan, scanner, verdict_of, version_of
from ingest.settings import ScanSettings
from ingest.telemetry import ERRORS, SCANNED
from tests.ingest.test_pdf import encrypted
from tests.servers.clamd import EICAR, MOST_BYTES, VIRUS, Clamd, running_clamd
from tests.servers.loopback import free_ports

needs_clamd = pytest.mark.needs("clamd")


@pytest.fixture
def own_clamd() -> Generator[Clamd]:
    """One that may be stopped and frozen."""
    yield from running_clamd()


@pytest.fixture(scope="module")
def silent_clamd() -> Generator[Clamd]:
    """As Debian sets it: it says nothing of what is locked or over a limit."""
    yield from running_clamd(alerts=False)


@asynccontextmanager
async def answering(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncGenerator[ScanSettings]:
    """Something that listens and is no clamd."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ScanSettings(clamd=f"tcp://127.0.0.1:{port}", within=timedelta(seconds=1))
    finally:
        server.close()


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return made.getvalue()


def locked_zip() -> bytes:
    made = bytearray(zipped(a=b"locked"))
    made[6] |= 1
    made[made.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def tarred(content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as opened:
        entry = tarfile.TarInfo("large.txt")
        entry.size = len(content)
        opened.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def nested(depth: int) -> bytes:
    made = b"at the bottom"
    for _ in range(depth):
        made = zipped(inner=made)
    return made


def counted(verdict: Verdict) -> float:
    return SCANNED.labels(verdict.value)._value.get()


def failed(reason: str) -> float:
    return ERRORS.labels("scan", reason)._value.get()


# With the real daemon.


@needs_clamd
@pytest.mark.parametrize("socket", ["tcp", "unix"])
@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        pytest.param(b"A letter.", Verdict.CLEAN, id="clean"),
        pytest.param(EICAR, Verdict.INFECTED, id="eicar"),
        pytest.param(b"x" * 200_000 + VIRUS + b"x" * 200_000, Verdict.INFECTED, id="amid several pieces"),
        pytest.param(zipped(letter=b"A letter.", invoice=VIRUS), Verdict.INFECTED, id="within a zip"),
        pytest.param(b"x" * MOST_BYTES, Verdict.CLEAN, id="at the limit"),
        pytest.param(b"x" * (MOST_BYTES + 1), Verdict.WITHHELD, id="over the limit"),
        pytest.param(locked_zip(), Verdict.WITHHELD, id="locked"),
        pytest.param(nested(25), Verdict.WITHHELD, id="too deep"),
        pytest.param(zipped(letter=b"A letter.")[:-30], Verdict.WITHHELD, id="a zip without its list"),
        pytest.param(b"PK is how she signs.", Verdict.CLEAN, id="no zip"),
    ],
)
async def test_a_file_is_clean_only_where_all_of_it_was_looked_at(clamd: Clamd, socket: str, content: bytes, verdict: Verdict):
    before = counted(verdict)
    assert await scan(content, clamd.settings(clamd=getattr(clamd, socket))) is verdict
    assert counted(verdict) == before + 1


@needs_clamd
@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        pytest.param(locked_zip(), Verdict.WITHHELD, id="zip"),
        pytest.param(encrypted("AES-256", "open sesame"), Verdict.WITHHELD, id="pdf"),
        pytest.param(encrypted("AES-256", ""), Verdict.CLEAN, id="a pdf that only forbids printing"),
        pytest.param(zipped(zeros=bytes(30 * MOST_BYTES)), Verdict.WITHHELD, id="bomb"),
        pytest.param(
            zipped(**{f"zeros{each}": bytes(1_000_000) for each in range(5)}, z=VIRUS),
            Verdict.WITHHELD,
            id="a virus at the end of much",
        ),
        pytest.param(zipped(letter=VIRUS), Verdict.INFECTED, id="virus"),
    ],
)
async def test_what_is_locked_is_withheld_by_a_daemon_set_as_debians_too(silent_clamd: Clamd, content: bytes, verdict: Verdict):
    assert await scan(content, silent_clamd.settings()) is verdict


@needs_clamd
@pytest.mark.parametrize("size", [MOST_BYTES + 1, 2 * MOST_BYTES, 20 * MOST_BYTES])
@pytest.mark.parametrize("socket", ["tcp", "unix"])
async def test_what_is_over_the_daemons_own_limit_is_withheld_though_ours_is_set_higher(clamd: Clamd, size: int, socket: str):
    settings = clamd.settings(most_bytes=100 * MOST_BYTES, clamd=getattr(clamd, socket))
    assert await scan(b"x" * size, settings) is Verdict.WITHHELD


@needs_clamd
@pytest.mark.parametrize(
    "made",
    [
        pytest.param(lambda: zipped(zeros=bytes(300 * MOST_BYTES)), id="one large member"),
        pytest.param(lambda: zipped(**{f"zeros{each}": bytes(MOST_BYTES) for each in range(100)}), id="many members"),
        pytest.param(lambda: zipped(**{f"empty{each}": b"" for each in range(20_000)}), id="a very long list"),
    ],
)
async def test_a_zip_bomb_is_withheld_within_its_time_and_the_daemon_goes_on(clamd: Clamd, made: Callable[[], bytes]):
    bomb = made()
    assert len(bomb) < 4 * MOST_BYTES
    began = time.monotonic()
    assert await scan(bomb, clamd.settings(timedelta(seconds=10), most_bytes=4 * MOST_BYTES)) is Verdict.WITHHELD
    assert time.monotonic() - began < 10
    assert await scan(b"A letter.", clamd.settings()) is Verdict.CLEAN


@needs_clamd
@pytest.mark.parametrize("made", [gzip.compress, tarred], ids=["gzip", "tar"])
async def test_other_bombs_keep_nobody_waiting(clamd: Clamd, made: Callable[[bytes], bytes]):
    bomb = made(bytes(300 * MOST_BYTES))
    began = time.monotonic()
    await scan(bomb, clamd.settings(timedelta(seconds=10)))
    assert time.monotonic() - began < 11


@needs_clamd
async def test_while_the_daemon_is_stopped_files_are_unscanned_and_that_is_counted(own_clamd: Clamd):
    own_clamd.stop()
    before = failed("scanner-away")
    for socket in (own_clamd.tcp, own_clamd.unix):
        assert await scan(EICAR, own_clamd.settings(clamd=socket)) is Verdict.UNSCANNED
    assert failed("scanner-away") == before + 2
    own_clamd.start()
    assert await scan(EICAR, own_clamd.settings()) is Verdict.INFECTED


@needs_clamd
@pytest.mark.parametrize("size", [68, MOST_BYTES])
async def test_while_the_daemon_is_frozen_files_are_unscanned_within_the_time_set(own_clamd: Clamd, size: int):
    own_clamd.pause()
    before, began = failed("scanner-slow"), time.monotonic()
    assert await scan(EICAR.ljust(size), own_clamd.settings(timedelta(milliseconds=300))) is Verdict.UNSCANNED
    assert 0.2 < time.monotonic() - began < 10
    assert failed("scanner-slow") == before + 1
    own_clamd.resume()
    assert await scan(EICAR, own_clamd.settings()) is Verdict.INFECTED


@needs_clamd
async def test_a_daemon_that_is_frozen_is_left_alone_so_that_a_hundred_files_wait_for_it_no_longer_than_a_few(own_clamd: Clamd):
    look_at = scanner(own_clamd.settings(timedelta(milliseconds=500)))
    own_clamd.pause()
    began = time.monotonic()
    assert set(await asyncio.gather(*(look_at(EICAR) for _ in range(100)))) == {Verdict.UNSCANNED}
    assert {await look_at(EICAR) for _ in range(100)} == {Verdict.UNSCANNED}
    assert time.monotonic() - began < 10  # 25 s, if each of four at once waited


@needs_clamd
async def test_a_daemon_that_was_left_alone_is_asked_again_after_a_while(own_clamd: Clamd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.scan._RESPITE_SECONDS", 0.5)
    look_at = scanner(own_clamd.settings())
    own_clamd.stop()
    for _ in range(3):
        assert await look_at(EICAR) is Verdict.UNSCANNED
    own_clamd.start()
    assert await look_at(EICAR) is Verdict.UNSCANNED
    await asyncio.sleep(0.6)
    assert await look_at(EICAR) is Verdict.INFECTED


@needs_clamd
async def test_one_file_without_an_answer_does_not_keep_the_next_from_being_looked_at(own_clamd: Clamd):
    look_at = scanner(own_clamd.settings(timedelta(seconds=1)))
    for _ in range(3):
        own_clamd.pause()
        assert await look_at(b"A letter.") is Verdict.UNSCANNED
        own_clamd.resume()
        assert await look_at(EICAR) is Verdict.INFECTED


@needs_clamd
async def test_many_files_at_once_are_all_looked_at(clamd: Clamd):
    look_at = scanner(clamd.settings())
    verdicts = await asyncio.gather(*(look_at(EICAR if each % 2 else b"A letter.") for each in range(60)))
    assert verdicts == [Verdict.CLEAN, Verdict.INFECTED] * 30


# With what is no daemon.


async def test_without_a_scanner_a_file_is_unscanned_and_nothing_is_amiss():
    before = sum(failed(reason) for reason in ("scanner-away", "scanner-slow", "scanner-unclear"))
    assert await scan(EICAR, ScanSettings()) is Verdict.UNSCANNED
    assert await scanner(ScanSettings())(EICAR) is Verdict.UNSCANNED
    assert sum(failed(reason) for reason in ("scanner-away", "scanner-slow", "scanner-unclear")) == before


async def test_a_place_where_nobody_listens_makes_a_file_unscanned():
    settings = ScanSettings(clamd=f"tcp://localhost:{free_ports(1)[0]}")
    assert await scan(b"A letter.", settings) is Verdict.UNSCANNED


@pytest.mark.parametrize(
    "said", [b"", b"stream: ", b"\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x" * 1_000_000, b"stream: ERROR\0"]
)
async def test_what_answers_otherwise_than_a_daemon_does_makes_a_file_unscanned(said: bytes):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(10)
        writer.write(said)
        writer.close()

    async with answering(answer) as settings:
        assert await scan(b"A letter.", settings) is Verdict.UNSCANNED


async def test_what_answers_a_byte_a_second_does_not_outlast_the_time_set():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in b"stream: OK\0":
            writer.write(bytes([each]))
            await asyncio.sleep(0.5)

    began = time.monotonic()
    async with answering(answer) as settings:
        assert await scan(b"A letter.", settings) is Verdict.UNSCANNED
    assert time.monotonic() - began < 5


# Answers.


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"stream: OK\0", Verdict.CLEAN),
        (b"stream: Eicar-Signature FOUND\0", Verdict.INFECTED),
        (b"stream: Eicar-Signature(44d88612fea8a8f36de82e1278abb02f:68) FOUND\0", Verdict.INFECTED),
        (b"stream: Heuristics.Phishing.Email.SpoofedDomain FOUND\0", Verdict.INFECTED),
        (b"stream: Heuristics.Encrypted.PDF FOUND\0", Verdict.WITHHELD),
        (b"stream: Heuristics.Limits.Exceeded.MaxFiles FOUND\0", Verdict.WITHHELD),
        (b"stream: Heuristics.OLE2.ContainsMacros.VBA FOUND\0", Verdict.WITHHELD),
        (b"stream: (null) FOUND\0", Verdict.WITHHELD),
        (b"INSTREAM size limit exceeded. ERROR\0", Verdict.WITHHELD),
        (b"INSTREAM: Can't write to temporary file. ERROR\0", None),
        (b"stream: lstat() failed: No such file or directory. ERROR\0", None),
        (b"COMMAND READ TIMED OUT\0", None),
        (b"UNKNOWN COMMAND\0", None),
        (b"stream: OK\0stream: Eicar FOUND\0", None),
        (b"stream:  FOUND\0", None),
        (b"", None),
    ],
)
def test_an_answer_means_one_thing_or_nothing(answer: bytes, verdict: Verdict | None):
    assert verdict_of(answer) is verdict


@given(st.binary(max_size=200) | st.builds(lambda name: b"stream: " + name + b"\0", st.binary(max_size=60)))
@example(b"stream: OK FOUND\0")
@example(b"stream: OK\nFOUND\0")
def test_nothing_but_the_very_word_is_clean(answer: bytes):
    assert (verdict_of(answer) is Verdict.CLEAN) == (answer.rstrip(b"\0\r\n") == b"stream: OK")


@given(st.binary(max_size=300))
def test_a_version_is_read_out_of_anything(answer: bytes):
    engine, moment = version_of(answer)
    assert engine is None or answer.startswith(b"ClamAV ")
    assert moment is None or engine is not None


def test_a_version_tells_of_when_the_signatures_are():
    assert version_of(b"ClamAV 1.4.6/27800/Sat Nov 28 08:25:01 2026\0") == (
        "ClamAV 1.4.6",
        datetime(2026, 11, 28, 8, 25, 1, tzinfo=UTC),
    )
    assert version_of(b"ClamAV 1.4.6\0") == ("ClamAV 1.4.6", None)
    assert version_of(b"SSH-2.0-OpenSSH_9.2\r\n") == (None, None)


# What an operator is told.


async def looked(settings: ScanSettings, clock: Clock) -> IngestError:
    with pytest.raises(IngestError) as caught:
        await look(settings, clock)
    return caught.value


@needs_clamd
async def test_a_daemon_that_calls_locked_files_clean_falls_short(silent_clamd: Clamd, clock: Clock):
    said = await looked(silent_clamd.settings(), clock)
    assert isinstance(said, Misconfigured)
    assert "AlertEncrypted yes" in said.sentence


@needs_clamd
async def test_a_limit_above_the_daemons_falls_short(clamd: Clamd, clock: Clock):
    assert "StreamMaxLength" in (await looked(clamd.settings(most_bytes=2 * MOST_BYTES), clock)).sentence


async def test_a_daemon_that_is_away_is_named_with_what_to_check(clock: Clock):
    said = await looked(ScanSettings(clamd="unix:///nowhere/clamd.ctl"), clock)
    assert isinstance(said, Unavailable)
    assert "unix:///nowhere/clamd.ctl cannot be reached" in said.sentence


@pytest.mark.parametrize(
    ("version", "named"),
    [
        (b"ClamAV 1.4.6/27800/Sun Mar  1 08:25:01 2026\0", "signatures of 01 March 2026"),
        (b"ClamAV 1.4.6/27700/Sun Feb  1 08:25:01 2026\0", "29 days old"),
        (b"220 mail.example.org ESMTP\r\n", "no clamd"),
    ],
)
async def test_the_age_of_the_signatures_is_told(clock: Clock, version: bytes, named: str):
    verdicts = iter(
        [
            b"stream: Eicar FOUND\0",
            b"stream: Heuristics.Encrypted.Zip FOUND\0",
            b"stream: Heuristics.Limits.Exceeded FOUND\0",
            b"stream: OK\0",
        ]
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\0")
        if asked == b"zINSTREAM\0":
            while size := int.from_bytes(await reader.readexactly(4)):
                await reader.readexactly(size)
        writer.write(version if asked == b"zVERSION\0" else next(verdicts))
        writer.close()

    async with answering(answer) as settings:
        if "signatures of" in named:
            assert named in await look(settings, clock)
        else:
            assert named in (await looked(settings, clock)).sentence
