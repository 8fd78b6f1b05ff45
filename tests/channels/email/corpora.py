"""How well mail of other projects is read, held against what those projects say of it: ``python -m tests.channels.email.corpora FOLDER``.

None of that mail is kept here: docs/mail.md says where each corpus comes from, under which licence and how it is read. FOLDER
holds one folder for each, and those that are missing are left out. Nothing of it is run, and no attachment is opened.
"""

import argparse
import ast
import binascii
import html
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from time import process_time
from typing import Any, TypedDict

from rich.console import Console
from rich.table import Table

from channels.email.translate import Reading, read
from ingest.contract import Automatic
from ingest.ids import digest

SLOW = 2.0
"""Seconds of processor time that no mail may take."""


@dataclass
class Truth:
    """What a corpus says of one mail; None where it says nothing. ``texts`` are the visible texts that are all right."""

    name: str
    raw: bytes
    sender: str | None = None
    subject: str | None = None
    texts: tuple[str, ...] | None = None
    letters: bool = False
    """Whether the truth has lost its spaces, so that only letters can be compared."""
    full_text: str | None = None
    files: list[Callable[[bytes], bool]] | None = None
    bounce: bool | None = None


@dataclass
class Tally:
    """Sums over one corpus; each list holds one value a mail that has a truth."""

    mails: int = 0
    failed: int = 0
    slow: int = 0
    sender: list[bool] = field(default_factory=list[bool])
    subject: list[bool] = field(default_factory=list[bool])
    exact: list[bool] = field(default_factory=list[bool])
    likeness: list[float] = field(default_factory=list[float])
    lost: list[bool] = field(default_factory=list[bool])
    full: list[float] = field(default_factory=list[float])
    count: list[bool] = field(default_factory=list[bool])
    content: list[bool] = field(default_factory=list[bool])
    bounces: list[bool] = field(default_factory=list[bool])
    not_bounces: list[bool] = field(default_factory=list[bool])


# What is compared


def pieces(text: str, *, letters: bool = False) -> Counter[str]:
    """A text's words and signs, or its runs of three letters where spaces cannot be compared."""
    if letters:
        shut = re.sub(r"\s", "", text)
        return Counter(shut[at : at + 3] for at in range(max(1, len(shut) - 2)) if shut)
    return Counter(re.findall(r"\w+|[^\w\s]", text))


def likeness(got: Counter[str], wanted: Counter[str]) -> float:
    """F1 of the pieces."""
    both = (got & wanted).total()
    return 1.0 if not got and not wanted else 2 * both / max(1, got.total() + wanted.total())


def same(got: str, wanted: str, *, letters: bool = False) -> bool:
    """Equal but for white space."""
    return got.split() == wanted.split() or (letters and "".join(got.split()) == "".join(wanted.split()))


def weigh(truth: Truth, tally: Tally, told: Callable[[str], None]) -> None:
    """Read one mail and add what it shows to the tally; ``told`` hears of each shortcoming."""
    started = process_time()
    got = read(truth.raw)
    took = process_time() - started
    tally.mails += 1
    if any(re.fullmatch(r"not-read: \w*(?:Error|Exception)", each) for each in got.warnings):
        tally.failed += 1
        told(f"failed: {got.warnings}")
    if took > SLOW:
        tally.slow += 1
        told(f"slow: {took:.1f} s")
    if truth.sender is not None:
        tally.sender.append((got.address or "").casefold() == truth.sender.casefold())
        if not tally.sender[-1]:
            told(f"sender: {got.address!r}, not {truth.sender!r}")
    if truth.subject is not None:
        tally.subject.append(same(got.subject or "", truth.subject))
        if not tally.subject[-1]:
            told(f"subject: {got.subject!r}, not {truth.subject!r}")
    if truth.texts is not None:
        _weigh_text(truth, got, tally, told)
    if truth.full_text is not None:
        tally.full.append(likeness(pieces(got.full_text), pieces(truth.full_text)))
        if tally.full[-1] < 0.97:
            told(f"full text {tally.full[-1]:.2f}: {got.full_text[:300]!r}, not {truth.full_text[:300]!r}")
    if truth.files is not None:
        _weigh_files(truth.files, got, tally, told)
    if truth.bounce is not None:
        found = got.automatic is Automatic.BOUNCE
        (tally.bounces if truth.bounce else tally.not_bounces).append(found)
        if found is not truth.bounce:
            told(f"bounce: {found}, not {truth.bounce}; {got.address} {got.subject!r}")


def _weigh_text(truth: Truth, got: Reading, tally: Tally, told: Callable[[str], None]) -> None:
    texts = truth.texts or ("",)
    # HTML has no marks at its lines, and we write some
    text = re.sub(r"(?m)^> ?", "", got.text) if truth.letters else got.text
    given = pieces(text, letters=truth.letters)
    right = any(same(text, each, letters=truth.letters) for each in texts)
    near, wanted = max(
        ((likeness(given, each), each) for each in (pieces(text, letters=truth.letters) for text in texts)),
        key=lambda each: each[0],
    )
    missing = min(
        (pieces(text, letters=truth.letters) - given).total() / max(1, pieces(text, letters=truth.letters).total())
        for text in texts
    )
    tally.exact.append(right)
    tally.likeness.append(1.0 if right else near)
    tally.lost.append(not right and missing > 0.1)
    if not right:
        told(
            f"text {near:.2f}{' LOST' if tally.lost[-1] else ''}: more {sorted((given - wanted).elements())[:30]}, less {sorted((wanted - given).elements())[:30]}"
        )


def _weigh_files(wanted: list[Callable[[bytes], bool]], got: Reading, tally: Tally, told: Callable[[str], None]) -> None:
    tally.count.append(len(got.files) == len(wanted))
    if not tally.count[-1]:
        told(f"files: {[(each.name, each.content_type, len(each.content)) for each in got.files]}, not {len(wanted)}")
    left = [each.content for each in got.files]
    found = 0
    for fits in wanted:
        match = next((each for each in left if fits(each)), None)
        if match is not None:
            left.remove(match)
            found += 1
    if wanted:
        tally.content.append(found == len(wanted))
        if not tally.content[-1]:
            told(f"bytes: {found} of {len(wanted)}; {[each[:60] for each in left]}")


# The corpora


class _Told(TypedDict, total=False):
    sender: str
    subject: str


def _headers(raw: bytes) -> _Told:
    """Sender and subject as the standard library's newer parser has them, where it finds no fault in the headers and they are ASCII."""
    if not re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].isascii():
        return {}
    try:
        mail = message_from_bytes(raw, policy=default)
        given, subject = mail.get_all("from", []), mail.get_all("subject", [])
        found: _Told = {}
        if len(given) == 1 and not given[0].defects and len(given[0].addresses) == 1 and given[0].addresses[0].domain:
            found["sender"] = given[0].addresses[0].addr_spec
        if len(subject) == 1 and not subject[0].defects and not re.search(r"[\x00-\x1f\ufffd\ud800-\udfff]", str(subject[0])):
            found["subject"] = str(subject[0])
    except Exception:  # noqa: BLE001 - then it is no judge of this mail
        return {}
    return found


def _plain(text: str) -> bytes:
    return b"From: a@example.org\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text.encode()


def trimmer(folder: Path) -> Iterator[Truth]:
    """discourse/email_reply_trimmer."""
    for file in sorted((folder / "test/emails").glob("*.txt")):
        # as its own test reads them: bodies without headers
        trimmed = (folder / "test/trimmed" / file.name).read_text(encoding="utf-8")
        yield Truth(file.name, _plain(file.read_text(encoding="utf-8")), texts=(trimmed.strip(),))


def github(folder: Path) -> Iterator[Truth]:
    """github/email_reply_parser: the words by ``github_visible_text.json`` beside its folder; what begins with ``+`` may be there or not,
    and ``@all`` is the whole mail."""
    wanted: dict[str, list[str]] = json.loads((folder.parent / "github_visible_text.json").read_text(encoding="utf-8"))
    for file in sorted((folder / "test/emails").glob("*.txt")):
        raw = _plain(file.read_text(encoding="utf-8"))
        if file.stem not in wanted:
            yield Truth(file.name, raw)
            continue
        said = [file.read_text(encoding="utf-8")] if wanted[file.stem] == ["@all"] else wanted[file.stem]
        firm = " ".join(each for each in said if not each.startswith("+ "))
        yield Truth(file.name, raw, texts=(firm, " ".join(each.removeprefix("+ ") for each in said)))


def talon(folder: Path) -> Iterator[Truth]:
    """mailgun/talon: plain bodies out of its tests, and replies of real programs."""
    for name, body, wanted in _talon_pairs(folder / "tests/text_quotations_test.py", "extract_from_plain"):
        yield Truth(name, _plain(body), texts=(wanted,))
    for file in sorted((folder / "tests/fixtures/standard_replies").glob("*.eml")):
        beside = file.with_name(f"{file.stem}_reply_text")
        wanted = beside.read_text(encoding="utf-8").strip() if beside.exists() else "Hello"
        yield Truth(file.name, file.read_bytes(), texts=(wanted,), **_headers(file.read_bytes()))


def talon_html(folder: Path) -> Iterator[Truth]:
    """The same of HTML."""
    head = b"From: a@example.org\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    for name, body, wanted in _talon_pairs(folder / "tests/html_quotations_test.py", "extract_from_html"):
        if "<" in body:
            text = html.unescape(re.sub(r"<[^<>]*>", "", wanted))
            yield Truth(name, head + body.encode(), texts=(text,), letters=True)
    for file in sorted((folder / "tests/fixtures/html_replies").glob("*.html")):
        yield Truth(file.name, head + file.read_bytes(), texts=("Hi. I am fine.\n\nThanks,\nAlex",), letters=True)


def _talon_pairs(file: Path, asked: str) -> Iterator[tuple[str, str, str]]:
    """What its tests give and want, read out of their source and not run."""

    def text_of(node: ast.expr, known: dict[str, str]) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.Call) and len(node.args) == 2:  # RE_WHITESPACE.sub("", it)
            return text_of(node.args[1], known)
        return None

    def asks(node: ast.expr) -> ast.expr | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == asked:
                return node.args[0]
            return asks(node.args[1]) if len(node.args) == 2 else None
        return None

    for test in ast.parse(file.read_text(encoding="utf-8")).body:
        if (
            not isinstance(test, ast.FunctionDef)
            or not test.name.startswith("test_")
            or "bad_html" in test.name
            or "CRLF" in test.name
        ):
            continue
        known: dict[str, str] = {}
        for count, line in enumerate(test.body):
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                value = asks(line.value) or line.value
                if (text := text_of(value, known)) is not None:
                    known[line.targets[0].id] = text
            call = line.value if isinstance(line, ast.Expr) else None
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "eq_":
                given, wanted = call.args[1], call.args[0]
                body = text_of(asks(given) or given, known)
                if asks(given) is not None and body is not None and (right := text_of(wanted, known)) is not None:
                    yield f"{test.name}:{count}", body, right


def stalwart(folder: Path) -> Iterator[Truth]:
    """stalwartlabs/mail-parser, all but what its ``malformed`` holds."""
    return (each for each in _stalwart(folder) if not each.name.startswith("malformed/"))


def malformed(folder: Path) -> Iterator[Truth]:
    """Its mails that were broken by hand, of which each program makes something else."""
    return (each for each in _stalwart(folder) if each.name.startswith("malformed/"))


def _stalwart(folder: Path) -> Iterator[Truth]:
    """Its JSON beside each mail has RFC 8621's parts."""
    for file in sorted((folder / "resources/eml").rglob("*.eml")):
        raw = file.read_bytes()
        told: dict[str, Any] = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        parts: list[dict[str, Any]] = told["parts"]
        sender = subject = None
        for each in parts[0]["headers"]:
            if each["name"] == "from" and "Address" in each["value"] and sender is None:
                listed = each["value"]["Address"].get("List") or []
                sender = listed[0]["address"] if len(listed) == 1 and "@" in (listed[0]["address"] or "") else None
            if each["name"] == "subject" and "Text" in each["value"]:
                subject = each["value"]["Text"]
        bodies = [_body_of(parts[place]) for place in told["text_body"]]
        files = [_fits(parts[place], raw) for place in told["attachments"]]
        # a picture among the words is a part of RFC 8621's body; we keep every picture as a file
        files += [
            _fits(parts[place], raw)
            for place in told["text_body"]
            if place not in told["attachments"] and not {"Text", "Html"} & set(parts[place]["body"])
        ]
        words = "\n".join(each for each in bodies if each)
        unread = "\ufffd" in words or "\ufffd" in (subject or "")  # it gave up where we need not
        uuencoded = re.search(r"(?m)^begin [0-7]{3} ", words) is not None  # files in the text are text to it
        yield Truth(
            f"{file.parent.name}/{file.name}",
            raw,
            sender,
            None if unread else subject,
            full_text=None if unread or uuencoded or not words else words,
            files=None if uuencoded else files,
            bounce=False,
        )


def _body_of(part: dict[str, Any]) -> str:
    body: dict[str, Any] = part["body"]
    return _Words.of(body["Html"]) if "Html" in body else body.get("Text", "")


class _Words(HTMLParser):
    """The words of HTML by a parser that is not the product's."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in {"script", "style", "title"}
        self.kept.append("\n" if tag in {"p", "div", "br", "td", "tr", "li", "table", "h1", "h2", "h3"} else "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in {"script", "style", "title"} and self.hidden > 0

    def handle_data(self, data: str) -> None:
        self.kept.append("" if self.hidden else data)

    @classmethod
    def of(cls, page: str) -> str:
        parser = cls()
        parser.feed(page)
        parser.close()
        return "".join(parser.kept)


def _fits(part: dict[str, Any], raw: bytes) -> Callable[[bytes], bool]:
    body: dict[str, Any] = part["body"]
    kind, content = next(iter(body.items()))
    if kind in {"Binary", "InlineBinary"}:
        # what was not encoded keeps its own line ends, and uuencode is undone by us and not by it
        wanted = {digest(each) for each in (bytes(content), bytes(content).replace(b"\n", b"\r\n"), _undone(bytes(content)))}
        return lambda got: digest(got) in wanted
    if kind in {"Text", "Html"}:
        plain = _undone(content.encode()).decode("cp1252", "replace")
        return lambda got: any(
            got.decode(charset, "replace").replace("\r\n", "\n").strip("\n")
            in {content.replace("\r\n", "\n").strip("\n"), plain.replace("\r\n", "\n").strip("\n")}
            for charset in ("utf-8", "cp1252", "utf-16", *(_charsets(part)))
        )
    written = raw[part["offset_body"] : part["offset_end"]]
    return lambda got: got.strip() == written.strip() or (len(got) < len(raw) and b"base64" in raw)


def _undone(content: bytes) -> bytes:
    """A file without its uuencoding, where it has one."""
    lines = content.lstrip(b"\r\n").splitlines()
    if not lines or not lines[0].startswith(b"begin ") or b"end" not in lines:
        return content
    try:
        return b"".join(binascii.a2b_uu(each) for each in lines[1 : lines.index(b"end")] if each)
    except binascii.Error:
        return content


def _charsets(part: dict[str, Any]) -> list[str]:
    found = re.findall(r"'charset', 'value': '([\w-]+)'", str(part["headers"]))
    return [each for each in found if _known(each)]


def _known(charset: str) -> bool:
    try:
        b"".decode(charset)
    except LookupError:
        return False
    return True


def _by_headers(pattern: str, *, bounces: str = r"\Z.", neither: str = r"\Z.") -> Callable[[Path], Iterator[Truth]]:
    def read_all(folder: Path) -> Iterator[Truth]:
        for file in sorted(folder.glob(pattern)):
            name = str(file.relative_to(folder))
            if (
                file.is_file()
                and re.search(r"\.(?:eml|txt|\d\d)$|/mail_[a-z_0-9]+$", name)
                and ".expected" not in name
                and "purpose" not in name
            ):
                bounce = None if re.search(neither, name) else re.search(bounces, name) is not None
                yield Truth(name, file.read_bytes(), bounce=bounce, **_headers(file.read_bytes()))

    return read_all


def flufl(folder: Path) -> Iterator[Truth]:
    """flufl.bounce: a bounce is what its own table says has a failed address, and two more that its notes call so."""
    source = (folder / "tests/test_detectors.py").read_text(encoding="utf-8")
    known = set(re.findall(r"'(\w+\.txt)',\s+\[b'", source)) | {"simple_42.txt", "simple_43.txt"}
    for file in sorted((folder / "tests/data").glob("*.txt")):
        yield Truth(
            file.name,
            file.read_bytes(),
            bounce=True if file.name in known else None if file.name in {"bounce_01.txt", "dumbass_01.txt"} else False,
        )


CORPORA: dict[str, tuple[str, Callable[[Path], Iterator[Truth]]]] = {
    "trimmer": ("email_reply_trimmer", trimmer),
    "github": ("email_reply_parser", github),
    "talon": ("talon", talon),
    "talon_html": ("talon", talon_html),
    "stalwart": ("stalwart", stalwart),
    "malformed": ("stalwart", malformed),
    "mikel": (
        "mikel",
        _by_headers("spec/fixtures/emails/**/*", bounces="multipart_report_emails", neither="mimepart_without_content_type"),
    ),
    "flanker": ("flanker", _by_headers("tests/fixtures/messages/**/*", bounces="/bounce/", neither="/delayed")),
    "freescout": ("freescout", _by_headers("tests/Messages/*")),
    "mail-parser": ("mail-parser", _by_headers("tests/mails/*", neither="malformed_2")),
    "cpython": ("cpython", _by_headers("*.txt", bounces=r"\Z.", neither="msg_(?:05|16|25|43)")),
    "flufl.bounce": ("flufl.bounce", flufl),
}


def measure(folder: Path, wanted: list[str], told: Callable[[str, str], None]) -> dict[str, Tally]:
    """What each corpus shows; ``told`` hears of each shortcoming with the mail it was seen in."""
    tallies: dict[str, Tally] = {}
    for name, (place, truths) in CORPORA.items():
        if (wanted and name not in wanted) or not (folder / place).is_dir():
            continue
        tallies[name] = Tally()
        for truth in truths(folder / place):
            weigh(truth, tallies[name], lambda short, which=f"{name} {truth.name}": told(which, short))
    return tallies


def table(tallies: dict[str, Tally]) -> Table:
    """The goals of docs/mail.md, a corpus a row and all together below."""
    whole = Tally()
    for each in tallies.values():
        for key, value in vars(each).items():
            setattr(whole, key, getattr(whole, key) + value)
    shown = Table(
        "corpus",
        "mails",
        "failed",
        "slow",
        "sender",
        "subject",
        "text exact",
        "F1",
        "lost",
        "full F1",
        "files",
        "bytes",
        "bounces",
        "false",
    )
    for name, each in {**tallies, "all": whole}.items():
        lists = (
            each.sender,
            each.subject,
            each.exact,
            each.likeness,
            each.lost,
            each.full,
            each.count,
            each.content,
            each.bounces,
            each.not_bounces,
        )
        shown.add_row(
            name,
            str(each.mails),
            str(each.failed),
            str(each.slow),
            *(f"{100 * sum(some) / len(some):.1f}" if some else "" for some in lists),
        )
    return shown


def main() -> int:
    """Exit status 0; 2 where FOLDER holds no corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[], choices=list(CORPORA), help="some corpora")
    parser.add_argument("--verbose", action="store_true", help="tell each shortcoming")
    given = parser.parse_args()
    tallies = measure(given.folder, given.only, lambda which, short: print(f"{which}: {short}") if given.verbose else None)
    if not tallies:
        print(
            f"{given.folder} holds none of {', '.join(place for place, _ in CORPORA.values())}; see docs/mail.md.",
            file=sys.stderr,
        )
        return 2
    Console(width=160).print(table(tallies))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
