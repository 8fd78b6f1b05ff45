"""docs/coverage.md answers for each thing that is asked of us: by a test, which is there, or by why there is none."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PAGE = Path("docs/coverage.md").read_text(encoding="utf-8")
HEAD = "| it asks | shown by |"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
WORDS = re.compile(r"(not yet|not this service's): \w.{8,}")


def rows() -> list[tuple[str, ...]]:
    """What is asked, and what stands beside it: every row of every table."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and line != HEAD and set(line) - set("| -")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


@cache
def found_in(path: str) -> frozenset[str]:
    """The functions of a file that are tests, whatever they are given as parameters."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAGE))))
def test_each_test_that_is_named_is_there(path: str, name: str):
    assert name in found_in(path)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_all_that_is_asked_is_shown_or_it_is_said_why_not(row: tuple[str, ...]):
    assert len(row) == 2, "a row has two cells"
    asked, shown = row
    assert asked
    assert NAMED.match(shown) or WORDS.fullmatch(shown)


def test_no_test_is_named_in_another_way():
    assert PAGE.count("::") == len(NAMED.findall(PAGE))
