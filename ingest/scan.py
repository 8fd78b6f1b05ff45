"""Is there a virus in it? Asks ClamAV's daemon by INSTREAM (clamd(8), "COMMANDS"), and takes no answer for none.

Only ``clean`` may be opened. What the daemon has not looked at, or not at all of, is kept and withheld: over a limit, and in some
versions a limit that an archive's member is over, it says OK all the same (Cisco-Talos/clamav#1832). Each call has a deadline,
a few go at once, and a daemon that does not answer is left alone for a while, so that nobody waits for it.
"""

import asyncio
import re
import socket
import struct
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final

from ingest.clock import Clock
from ingest.contract import Verdict
from ingest.errors import Misconfigured, Unavailable
from ingest.files import members_of, tell
from ingest.settings import ScanSettings
from ingest.telemetry import ERRORS, SCANNED, telemetry

Scan = Callable[[bytes], Awaitable[Verdict]]
"""Says of a file what may be done with it; never raises for what the scanner did, and has a deadline."""

_MOST_TOGETHER: Final = 3  # times the largest that it is given, less than its MaxScanSize, since it counts the archive too
_PIECE_BYTES: Final = 64 * 1024
_MOST_ANSWER_BYTES: Final = 4_096
_AT_ONCE: Final = 4  # of the 10 threads that clamd has, which others use too
_IN_A_ROW: Final = 3
_RESPITE_SECONDS: Final = 30.0
_OLD_SIGNATURES: Final = timedelta(days=7)

_NOT_WHOLLY_SEEN: Final = (
    "Heuristics.Encrypted.",
    "Heuristics.Limits.Exceeded",
    "Heuristics.Broken.",
    "Heuristics.OLE2.ContainsMacros",
    "(null)",  # its name for a limit until 1.2 (Cisco-Talos/clamav#720)
)

_say = telemetry("scan")


def verdict_of(answer: bytes) -> Verdict | None:
    """What an answer to INSTREAM says; None where it is none.

    ``withheld`` where it could not look at all of it, or where it names no virus but what a file has in it, such as macros.
    """
    said = answer.rstrip(b"\0\r\n").decode("utf-8", "replace")
    if said.startswith("INSTREAM size limit exceeded"):
        return Verdict.WITHHELD
    if said == "stream: OK":
        return Verdict.CLEAN
    if found := _FOUND.fullmatch(said):
        return Verdict.WITHHELD if found[1].startswith(_NOT_WHOLLY_SEEN) else Verdict.INFECTED
    return None


_FOUND: Final = re.compile(r"stream: (\S[^\r\n\0]*) FOUND")


async def scan(content: bytes, settings: ScanSettings) -> Verdict:
    """Have a file looked at, within ``settings.within``. ``unscanned`` where there is no scanner, or none that answers."""
    verdict, reason = await _asked(content, settings)
    return _counted(verdict, reason, len(content))


def scanner(settings: ScanSettings) -> Scan:
    """``scan`` for a whole process: a few at a time, and none for a while after several in a row went without an answer.

    ``within`` then runs from when it is asked.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    in_a_row, not_before = 0, 0.0

    async def in_turn(content: bytes) -> Verdict:
        nonlocal in_a_row, not_before
        loop = asyncio.get_running_loop()
        verdict, reason = Verdict.UNSCANNED, "scanner-busy"
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.within.total_seconds()), turns:
                reason = "scanner-left-alone"
                if loop.time() >= not_before:
                    reason = "scanner-slow"
                    verdict, reason = await _asked(content, settings)
        if reason in _WITHOUT_ANSWER:
            in_a_row += 1
        elif reason is None:
            in_a_row = 0
        if in_a_row >= _IN_A_ROW:
            in_a_row, not_before = 0, loop.time() + _RESPITE_SECONDS
        return _counted(verdict, reason, len(content))

    return in_turn


_WITHOUT_ANSWER: Final = frozenset({"scanner-slow", "scanner-away", "scanner-unclear"})


def _counted(verdict: Verdict, reason: str | None, size: int) -> Verdict:
    SCANNED.labels(verdict.value).inc()
    if reason is not None:
        ERRORS.labels("scan", reason).inc()
        _say.warning("unscanned", reason=reason, size=size)
    return verdict


async def _asked(content: bytes, settings: ScanSettings) -> tuple[Verdict, str | None]:
    """The verdict and, where there is none for a reason that somebody can mend, the reason."""
    if settings.clamd is None:
        return Verdict.UNSCANNED, None
    if len(content) > settings.most_bytes or await asyncio.to_thread(_unpacks_to_too_much, content, settings.most_bytes):
        return Verdict.WITHHELD, None
    try:
        async with asyncio.timeout(settings.within.total_seconds()):
            answer = await _ask(settings.clamd, _instream(content))
    except TimeoutError:
        return Verdict.UNSCANNED, "scanner-slow"
    except OSError:
        return Verdict.UNSCANNED, "scanner-away"
    verdict = verdict_of(answer)
    if verdict is Verdict.CLEAN and await asyncio.to_thread(_is_locked, content):
        verdict = Verdict.WITHHELD
    return (verdict, None) if verdict else (Verdict.UNSCANNED, "scanner-unclear")


def _is_locked(content: bytes) -> bool:
    """Whether there is a password between the scanner and what is in it, which few daemons are set to say."""
    return tell(content).locked or any(each.flag_bits & 1 for each in members_of(content) or ())


def _unpacks_to_too_much(content: bytes, most: int) -> bool:
    """Whether it is a zip of which the scanner would look at only the beginning, or one whose list cannot be read.

    By one member, or by all together: past MaxScanSize, which is four times MaxFileSize in Debian's, it says OK of what is left.
    """
    members = members_of(content)
    if members is None:
        return content.startswith(b"PK\x03\x04")
    sizes = [each.file_size for each in members]
    return max(sizes, default=0) > most or sum(sizes) > _MOST_TOGETHER * most


def _instream(content: bytes) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    for at in range(0, len(content), _PIECE_BYTES):
        piece = content[at : at + _PIECE_BYTES]
        yield struct.pack("!L", len(piece)) + piece
    yield struct.pack("!L", 0)


async def _ask(clamd: str, pieces: Iterator[bytes]) -> bytes:
    """Send a command and what belongs to it; the answer. Raises OSError; the deadline is the caller's.

    With sockets and not streams: over its limit clamd answers and hangs up while we send, and a stream that was hung up on
    forgets what it was told before.
    """
    loop = asyncio.get_running_loop()
    with await _connected(clamd) as peer:
        try:
            for piece in pieces:
                await loop.sock_sendall(peer, piece)
        except ConnectionError:
            pass  # it may have said why
        answer = b""
        while (
            b"\0" not in answer
            and len(answer) < _MOST_ANSWER_BYTES
            and (more := await loop.sock_recv(peer, _MOST_ANSWER_BYTES))
        ):
            answer += more
        return answer


async def _connected(clamd: str) -> socket.socket:
    loop = asyncio.get_running_loop()
    scheme, _, place = clamd.partition("://")
    if scheme == "unix":
        return await _to(place, socket.AF_UNIX)
    host, _, port = place.rpartition(":")
    found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    for family, _, _, _, address in found[:-1]:
        try:
            return await _to(address, family)
        except OSError:
            continue
    family, _, _, _, address = found[-1]
    return await _to(address, family)


async def _to(address: object, family: int) -> socket.socket:
    peer = socket.socket(family, socket.SOCK_STREAM)
    peer.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(peer, address)  # type: ignore[arg-type]
    except BaseException:
        peer.close()
        raise
    return peer


# What an operator is told.


async def look(settings: ScanSettings, clock: Clock) -> str:
    """How the scanner stands, tried with harmless files. Raises Unavailable or Misconfigured, saying what to mend."""
    if settings.clamd is None:
        return "There is none: files are kept and may not be opened. Name one in scan.clamd."
    try:
        async with asyncio.timeout(settings.within.total_seconds()):
            version = await _ask(settings.clamd, iter([b"zVERSION\0"]))
    except (OSError, TimeoutError) as error:
        why = "does not answer in time" if isinstance(error, TimeoutError) else f"cannot be reached: {error.strerror or error}"
        raise Unavailable(
            "scanner-away", f"{settings.clamd} {why}. Check that clamd runs and listens there, and who may connect to it."
        ) from error
    engine, age = version_of(version)
    if engine is None:
        raise Misconfigured("scan.clamd", f"What listens at {settings.clamd} is no clamd. Check the port.")
    for sample, wanted, what in _trials(settings.most_bytes):
        if await _says(settings.clamd, sample, settings.within) is not wanted:
            raise Misconfigured("scan.clamd", f"{settings.clamd} answers, and {what}")
    if age is None:
        return f"{settings.clamd} answers: {engine}. It does not say of when its signatures are."
    days = (clock() - age) // timedelta(days=1)
    if clock() - age > _OLD_SIGNATURES:
        raise Misconfigured(
            "scan.clamd", f"{settings.clamd} answers, and its signatures are {days} days old. Have freshclam run."
        )
    return f"{settings.clamd} answers: {engine}, signatures of {age:%d %B %Y}."


async def _says(clamd: str, sample: bytes, within: timedelta) -> Verdict | None:
    """What the daemon says by itself; None where it says nothing that is understood."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(within.total_seconds()):
            return verdict_of(await _ask(clamd, _instream(sample)))
    return None


def version_of(answer: bytes) -> tuple[str | None, datetime | None]:
    """The engine and its signatures' moment, out of ``ClamAV 1.4.6/27800/Sat Nov 28 08:25:01 2026``; None what is not there."""
    said = answer.rstrip(b"\0\r\n").decode("ascii", "replace")
    engine, _, signatures = said.partition("/")
    if not re.fullmatch(r"ClamAV [\w.+~-]{1,60}", engine):
        return None, None
    try:
        return engine, datetime.strptime(signatures.partition("/")[2], "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return engine, None


def _trials(most_bytes: int) -> Iterator[tuple[bytes, Verdict, str]]:
    """Harmless files, what is to be said of each, and what is wrong where something else is."""
    # In two, or this file would be found. EICAR is a text that every scanner reports, so that one can try it.
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    yield eicar, Verdict.INFECTED, "it does not find EICAR's test file: it has no signatures. Have freshclam run."
    yield _locked_zip(), Verdict.WITHHELD, "it calls locked archives clean. Set AlertEncrypted yes in clamd.conf."
    yield _deep_zip(), Verdict.WITHHELD, "it calls clean what it looked at in part. Set AlertExceedsMax yes in clamd.conf."
    zeros = bytes(most_bytes)
    too_large = f"it takes less than scan.most_bytes, {most_bytes}. Lower that, or raise StreamMaxLength in clamd.conf."
    yield zeros, Verdict.CLEAN, too_large


def _zipped(name: str, content: bytes) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(name, content)
    return made.getvalue()


def _locked_zip() -> bytes:
    made = bytearray(_zipped("a.txt", b"locked"))
    made[6] |= 1  # general purpose bit 0, in the member's own header and in the list (APPNOTE.TXT section 4.4.4)
    made[made.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def _deep_zip() -> bytes:
    made = b"deep"
    for _ in range(25):  # clamd's MaxRecursion is 17, of Debian's 16
        made = _zipped("a.zip", made)
    return made
