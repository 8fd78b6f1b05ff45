"""How fast mail is read, beside the standard library and programs that do the same: ``python -m tests.bench.mail FOLDER``.

FOLDER holds any mail; docs/mail.md says where 700 of them are. Each side reads all of it in turn, in one process, and the ratios
of its processor time are told. The others are measured where they are installed: ``uv run --with mail-parser --with
fast-mail-parser --with mail-parser-reply python -m tests.bench.mail FOLDER``.
"""

import argparse
import contextlib
import importlib
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from channels.email.translate import read
from ingest.ids import digest

GOAL: Final = 0.7
"""Of what the standard library's parser alone does in the same time."""
MOST_BYTES: Final = 1024 * 1024


def parser_alone(raw: bytes) -> None:
    """The standard library as one first meets it: the tree, three headers, and nothing decoded."""
    mail = message_from_bytes(raw, policy=policy.default)
    for name in ("from", "subject", "date"):
        with contextlib.suppress(Exception):
            str(mail[name])


def parser_of_old(raw: bytes) -> None:
    """The same by its older policy, which leaves headers as they came."""
    mail = message_from_bytes(raw)
    for name in ("from", "subject", "date"):
        str(mail[name])


def standard(raw: bytes) -> None:
    """The standard library with what it can do of the same: body and files decoded."""
    mail = message_from_bytes(raw, policy=policy.default)
    with contextlib.suppress(Exception):
        for name in ("from", "subject", "date"):
            str(mail[name])
        body = mail.get_body(("plain", "html"))
        if body is not None:
            body.get_content()
        for each in mail.iter_attachments():
            digest(bytes(each.get_payload(decode=True) or b""))


def ours(raw: bytes) -> None:
    """Words apart from the history, their language, files and their digests, and who or what wrote it."""
    got = read(raw)
    for each in got.files:
        digest(each.content)


def _others() -> dict[str, Callable[[bytes], object]]:
    found: dict[str, Callable[[bytes], object]] = {}

    def module(name: str) -> Any:
        try:
            return importlib.import_module(name)
        except ImportError:
            return None

    parser, fast, reply, talon = (
        module(each) for each in ("mailparser", "fast_mail_parser", "mailparser_reply", "talon.quotations")
    )
    if parser is not None:
        found["mail-parser"] = lambda raw: _told(parser.parse_from_bytes(raw))
        if reply is not None:
            found["mail-parser and mail-parser-reply"] = lambda raw: reply.EmailReplyParser(
                languages=["en", "de", "fr", "es", "pl"]
            ).parse_reply("\n".join(_told(parser.parse_from_bytes(raw))))
        if talon is not None:
            found["mail-parser and talon"] = lambda raw: talon.extract_from_plain(
                "\n".join(_told(parser.parse_from_bytes(raw)))
            )
    if fast is not None:
        found["fast-mail-parser"] = fast.parse_email
    return found


def _told(parsed: Any) -> list[str]:
    _ = parsed.from_, parsed.subject, parsed.date, parsed.attachments
    return parsed.text_plain or parsed.text_html


def measure(mails: list[bytes], turns: int) -> dict[str, float]:
    """Median seconds of the processor for all mails, by side; each side in turn, so that a slow hour is everybody's."""
    sides = {
        "standard library's parser alone": parser_alone,
        "its older policy": parser_of_old,
        "standard library": standard,
        "ours": ours,
    }
    took: dict[str, list[float]] = {}
    for _ in range(turns):
        for name, side in {**sides, **_others()}.items():
            started = process_time()
            for raw in mails:
                with contextlib.suppress(Exception):  # others fail on some of it
                    side(raw)
            took.setdefault(name, []).append(process_time() - started)
    return {name: median(each) for name, each in took.items()}


def main() -> None:
    """Print the sides, the fastest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    files = sorted(
        each for each in given.folder.rglob("*") if each.suffix in {".eml", ".txt"} and each.stat().st_size <= MOST_BYTES
    )
    mails = [each.read_bytes() for each in files]
    took = measure(mails, given.turns)
    print(f"{len(mails)} mails, {sum(map(len, mails)):,} bytes; goal {GOAL} of the parser alone")
    for name, seconds in sorted(took.items(), key=lambda each: each[1]):
        alone = took["standard library's parser alone"] / seconds
        print(
            f"{name:36}{len(mails) / seconds:10,.0f} mails/s of processor time{alone:8.2f} of the parser alone{took['ours'] / seconds:8.2f} of ours"
        )


if __name__ == "__main__":
    main()
