"""What goes wrong is told by its kind and its place, and never by its words: they may be somebody's."""

import gc
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest

from ingest.commands import entry
from ingest.telemetry import guard, not_foreseen, telemetry, write_lines

WORDS = "Jane Pargeter, 4 Wharf Lane"


class Lines(io.StringIO):
    def told(self) -> list[dict[str, Any]]:
        assert WORDS not in self.getvalue()
        return [json.loads(each) for each in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Lines:
    written = Lines()
    write_lines(written)
    return written


def broken(kind: type[Exception]) -> None:
    """What a library does, or we."""
    raise kind(WORDS)


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING, logging.CRITICAL])
def test_a_library_is_told_by_its_name_and_place_whatever_it_says_and_however_loud_it_is_set(lines: Lines, level: int) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    logging.getLogger("some.library").log(level, "cannot read %s", WORDS)
    (line,) = lines.told()
    assert (line["event"], line["library"]) == ("library", "some.library")
    assert line["place"].startswith(__file__)


def test_what_a_library_stumbled_on_is_told_by_its_kind_and_places(lines: Lines) -> None:
    try:
        broken(KeyError)
    except KeyError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved: %s", WORDS)
    (line,) = lines.told()
    assert line["error"] == "KeyError"
    assert line["where"][-1].startswith(__file__)


def test_a_warning_of_pythons_own_is_one_of_a_librarys(lines: Lines) -> None:
    warnings.warn(WORDS, UserWarning, stacklevel=1)
    (line,) = lines.told()
    assert line["library"] == "py.warnings"


def test_an_exception_that_we_pass_along_ourselves_is_told_so_too(lines: Lines) -> None:
    try:
        broken(ValueError)
    except ValueError as error:
        telemetry("web").error("failed", exc_info=error)
        telemetry("web").error("failed", exc_info=True)
    assert [each["error"] for each in lines.told()] == ["ValueError", "ValueError"]


def test_what_nobody_caught_is_a_line_with_all_that_broke(lines: Lines) -> None:
    not_foreseen(ExceptionGroup(WORDS, [ValueError(WORDS), KeyError(WORDS)]))
    (line,) = lines.told()
    assert (line["event"], line["level"], line["error"]) == ("not-foreseen", "critical", "ExceptionGroup")
    assert [each["error"] for each in line["errors"]] == ["ValueError", "KeyError"]


def test_nor_has_a_thread_that_ended_or_what_was_let_go_of_words(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    guard()

    def end() -> None:
        raise ValueError(WORDS)

    class Held:
        def __del__(self) -> None:
            raise ValueError(WORDS)

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    Held()
    gc.collect()
    assert [each["error"] for each in lines.told()] == ["ValueError", "ValueError"]
    assert WORDS not in "".join(capfd.readouterr())


def test_a_command_passes_over_what_libraries_say() -> None:
    speaks = (
        "import logging, warnings\nfrom ingest.commands import entry\n"
        f"def speak(**_):\n    logging.getLogger('a').error({WORDS!r})\n    warnings.warn({WORDS!r})\n"
        "entry.app = speak\nentry.main()"
    )
    ran = subprocess.run([sys.executable, "-W", "always", "-c", speaks], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_command_that_breaks_says_where_and_not_over_what(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(**_: Any) -> None:
        raise LookupError(WORDS)

    monkeypatch.setattr(entry, "app", breaks)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 1
    said = capfd.readouterr().err
    assert "LookupError" in said
    assert __file__ in said
    assert WORDS not in said
