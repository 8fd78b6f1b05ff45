"""``ingest parse``: what would become of some mail, without storing any of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from channels.email.translate import Reading, read
from ingest.commands import terminal
from ingest.contract import Automatic
from ingest.ids import digest

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a larger message only the beginning is read, and its warnings say so."""
_MAILBOXES: Final = {".mbox", ".box"}
_MESSAGES: Final = {".eml", *_MAILBOXES}
_ENVELOPE = re.compile(rb"From \S.{0,300}\d{1,2}:\d{2}.{0,60}\d{4}\b|From .{0,300}\d{4}.{0,60}\d{1,2}:\d{2}")


def command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Messages (.eml), mailboxes (.mbox, .box), or folders of them.")
    ],
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON object a message, instead of a table.")] = False,
) -> None:
    """Show what mail becomes: who sent it, the new words apart from the history, and the files. Nothing is stored."""
    raise typer.Exit(parse(paths, jsonl=jsonl))


def parse(paths: list[Path], *, jsonl: bool) -> int:
    """Exit status: 0 all read, 1 some of it could not be, 2 where a path is none, and then nothing is read."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        terminal.warn(f"There is no {', '.join(map(str, missing))}.")
        return 2
    failed = 0
    rows: list[tuple[object, ...]] = []
    for shown in _shown(paths):
        failed += "error" in shown
        if jsonl:
            # ASCII, whatever standard output's encoding is
            typer.echo(json.dumps(shown))
        else:
            rows.append(_row(shown))
    if not jsonl:
        columns = ("File", "Sender", "Subject", "Characters", "Attachments", "Warnings")
        terminal.table("Messages", columns, rows, json=False)
    if failed:
        terminal.warn(f"{failed} could not be read.")
    return 1 if failed else 0


def _shown(paths: list[Path]) -> Iterator[dict[str, Any]]:
    for path in paths:
        for file in _files(path):
            name = str(file).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            try:
                for raw, size in _messages(file):
                    yield {"source_file": name, **_as_json(read(raw, size))}
            except OSError as error:
                yield {"source_file": name, "error": error.strerror or type(error).__name__}


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in _MESSAGES and not each.is_dir())
    if not found:
        terminal.warn(f"{path} holds no .eml, .mbox or .box.")
    yield from found


def _messages(file: Path) -> Iterator[tuple[bytes, int]]:
    """Each message of a file and its whole size in bytes, one at a time however large a mailbox is."""
    with file.open("rb") as opened:
        if file.suffix.lower() not in _MAILBOXES:
            yield opened.read(MOST_BYTES), file.stat().st_size
            return
        lines: list[bytes] = []
        kept = size = 0
        started, after_blank = False, True
        while line := opened.readline(MOST_BYTES):
            if after_blank and line.startswith(b"From ") and _ENVELOPE.match(line):
                if started:
                    yield b"".join(lines), size
                lines, kept, size, started, after_blank = [], 0, 0, True, False
                continue
            after_blank = not line.strip(b"\r\n")
            if not started and after_blank:
                continue
            started = True
            # mboxrd: a line of the message that began with "From " was quoted once more
            line = line[1:] if re.match(rb">+From ", line) else line
            size += len(line)
            if kept + len(line) <= MOST_BYTES:
                lines.append(line)
                kept += len(line)
        if started:
            yield b"".join(lines), size


def _as_json(got: Reading) -> dict[str, Any]:
    return {
        "sender": {"address": got.address, "name": got.name},
        "writer": {"address": got.writer.address, "name": got.writer.name, "given_in": got.writer.given.value},
        "subject": got.subject,
        "text": got.text,
        "full_text": got.full_text,
        "attachments": [
            {
                "filename": each.name,
                "content_type": each.content_type,
                "size": len(each.content),
                "sha256": digest(each.content),
                "inline": each.inline,
            }
            for each in got.files
        ],
        "sent_at": got.sent_at.isoformat() if got.sent_at else None,
        "message_id": got.thread.message_id,
        "in_reply_to": got.thread.in_reply_to,
        "references": list(got.thread.references),
        "auto_submitted": got.automatic is Automatic.REPLY,
        "bounce": got.automatic is Automatic.BOUNCE,
        "language": got.language,
        "warnings": list(got.warnings),
    }


def _row(shown: dict[str, Any]) -> tuple[object, ...]:
    if "error" in shown:
        return shown["source_file"], None, None, None, None, shown["error"]
    sender = shown["writer"] if shown["writer"]["address"] else shown["sender"]
    return (
        shown["source_file"],
        sender["address"] or sender["name"],
        shown["subject"],
        len(shown["text"]),
        [each["filename"] for each in shown["attachments"]],
        shown["warnings"],
    )
