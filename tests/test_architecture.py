"""The rooms hold: the tree as it stands passes, and each way of breaking it fails the check that is for it.

Every break is made in a copy of the sources and judged there by the tools of ``make check``.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, get_args

import pytest

from ingest.contract import Contact

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("channels", "ingest", "router")
LINT: Final = Path(sys.executable).parent / "lint-imports"
CHANNELS: Final = frozenset(get_args(Contact.model_fields["channel"].annotation))


def copied(folder: Path) -> Path:
    """The sources and the contracts over them, to be broken."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=lambda _, names: [name for name in names if _uninteresting(name)])
    return folder


def _uninteresting(name: str) -> bool:
    return "." in name and not name.endswith(".py")


def judged(copy: Path) -> str:
    """What import-linter finds broken; empty where all is kept."""
    done = subprocess.run([LINT, "--no-cache"], cwd=copy, capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def imports(module: str, imported: str) -> Callable[[Path], object]:
    """A break: a module imports another, within a function as a hurried hand would do it."""

    def add(copy: Path) -> None:
        path = copy / f"{module.replace('.', '/')}.py"
        path.write_text(f"{path.read_text()}\n\ndef _hurried():\n    import {imported}\n\n    return {imported}\n")

    return add


def rename(copy: Path, old: str, new: str) -> None:
    """A module has another name, and everybody imports it by that."""
    for path in copy.rglob("*.py"):
        path.write_text(path.read_text().replace(old, new))
    (copy / f"{old.replace('.', '/')}.py").rename(copy / f"{new.replace('.', '/')}.py")


def file(path: str) -> Callable[[Path], object]:
    """A break: a file that has no room."""
    return lambda copy: (copy / path).write_text('"""Odds and ends."""\n')


def all_of(*breaks: Callable[[Path], object]) -> Callable[[Path], object]:
    """Breaks that only count together."""
    return lambda copy: [each(copy) for each in breaks]


BREAKS: Final = {
    "there is a drawer for everything": (
        all_of(file("ingest/utils.py"), file("router/helpers.py"), file("channels/email/common.py")),
        ["Rooms of ingest BROKEN", "- ingest.utils", "- router.helpers", "- channels.email.common"],
    ),
    "the router knows a channel": (
        imports("router.worker", "channels.email.settings"),
        ["channels and router meet only on the log BROKEN", "router.worker -> channels.email.settings"],
    ),
    "a channel knows the router": (
        imports("channels.dispatcher", "router.decide"),
        ["channels and router meet only on the log BROKEN", "channels.dispatcher -> router.decide"],
    ),
    "translating waits for something": (
        imports("channels.email.translate", "asyncio"),
        ["the contract are pure BROKEN", "channels.email.translate -> asyncio"],
    ),
    "deciding reads the database": (
        imports("router.decide", "sqlalchemy"),
        ["the contract are pure BROKEN", "router.decide -> sqlalchemy"],
    ),
    "the router has a driver of its own": (
        imports("router.store", "sqlite3"),
        ["Each driver has one room BROKEN", "router.store -> sqlite3"],
    ),
    "two modules lean on each other": (
        all_of(
            imports("channels.email.settings", "channels.email.words"),
            imports("channels.email.words", "channels.email.settings"),
        ),
        ["No cycles BROKEN", "channels.email.words -> channels.email.settings"],
    ),
}


def test_the_tree_as_it_stands_passes(tmp_path: Path):
    assert judged(copied(tmp_path)) == ""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All breaks in one copy, since each is named by itself in what is found."""
    copy = copied(tmp_path_factory.mktemp("broken"))
    for do, _ in BREAKS.values():
        do(copy)
    return judged(copy)


@pytest.mark.xdist_group("broken")
@pytest.mark.parametrize("name", BREAKS)
def test_it_fails_where(name: str, broken: str):
    assert [each for each in BREAKS[name][1] if each not in broken] == []


def test_it_fails_where_a_room_has_another_name(tmp_path: Path):
    copy = copied(tmp_path)
    rename(copy, "router.decide", "router.deciding")
    assert "module router.decide does not exist" in judged(copy)


@pytest.mark.parametrize(
    "line",
    [
        "from datetime import datetime\n\nWHEN = datetime.now()",
        "import os\n\nHOME = os.environ",
        "import uuid\n\nID = uuid.uuid4()",
    ],
)
def test_the_clock_the_environment_and_chance_are_read_in_one_place(tmp_path: Path, line: str):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "router").mkdir()
    path = tmp_path / "router" / "decide.py"
    path.write_text(f'"""A decision."""\n\n{line}\n')
    judge = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", path]
    done = subprocess.run(judge, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "TID251" in done.stdout


# The router does not know the channels: it works on what a contact holds. Words that an identifier's kind or a person's
# wish share with a channel's name are not meant; nor is reading, since what is said depends on where it was said.

_OTHER_THINGS: Final = frozenset({"kind", "method", "forbidden"})


def compared_with_a_channel(source: str) -> Iterator[str]:
    """Every comparison or pattern of a source with the name of a channel in it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=others) if any(_names_a_channel(each) for each in (left, *others)):
                if not any(_called(each) in _OTHER_THINGS for each in (left, *others)):
                    yield ast.unparse(node)
            case ast.Match(subject=subject, cases=cases) if _called(subject) not in _OTHER_THINGS:
                yield from (ast.unparse(case.pattern) for case in cases if _names_a_channel(case.pattern))
            case _:
                pass


def _names_a_channel(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Constant) and each.value in CHANNELS for each in ast.walk(node))


def _called(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Name(id=name)):
            return name
        case _:
            return ""


@pytest.mark.parametrize(
    "source",
    [
        'if contact.channel == "sms": pass',
        'if "email" != channel: pass',
        'if contact.channel in ("sms", "social"): pass',
        'if contact.channel not in {"letter"}: pass',
        'match contact.channel:\n    case "email" | "sms": pass',
        'match contact:\n    case Contact(channel="telephone"): pass',
        'reachable = [each for each in contacts if each.channel == "web_form"]',
    ],
)
def test_a_comparison_with_a_channels_name_is_found(source: str):
    assert list(compared_with_a_channel(source))


def test_an_identifiers_kind_is_no_channel():
    assert not list(compared_with_a_channel('if identifier.kind == "email": pass'))
    assert not list(compared_with_a_channel("if channel == other.channel: pass"))


@pytest.mark.parametrize(
    "path",
    [each for each in sorted((ROOT / "router").rglob("*.py")) if "read" not in each.relative_to(ROOT / "router").parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_router_compares_nothing_with_a_channels_name(path: Path):
    assert list(compared_with_a_channel(path.read_text(encoding="utf-8"))) == []
