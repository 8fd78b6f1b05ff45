"""What somebody sent may break the process that reads it, and nothing else."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from prometheus_client import REGISTRY

from ingest.bounded import FAILED, LOST, OVERDUE, TOO_LONG, Bounded, Bounds, Piece
from ingest.errors import Unavailable
from tests.ingest.ways import as_asked, in_vain, told

MIB = 1024 * 1024
BOMB = b"a" * 40 + b"b"


@pytest.fixture(autouse=True)
def _no_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process would import pytest, which it has no use for, to know what the program was that began it."""
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)


def counted(reason: str) -> float:
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "receive", "reason": reason}) or 0.0


def piece(content: bytes, *between: Callable[[bytes, str], Any]) -> Piece:
    return Piece(content, as_asked, [*between, told])


def process(bounded: Bounded) -> Any:
    assert bounded._child is not None
    return bounded._child._process


# --- what it does


async def test_work_is_done_elsewhere_and_answered_in_order():
    contents = [str(each).encode() * (1 + each * 1_000) for each in range(40)]
    with closing(Bounded()) as bounded:
        assert await bounded.each([piece(each) for each in contents]) == [each.decode() for each in contents]
        ((elsewhere, *_),) = await bounded.each([Piece(b"", told, [told])])
    assert elsewhere != os.getpid()


@pytest.mark.parametrize(
    ("content", "bounds", "why", "lost"),
    [
        (BOMB, Bounds(cpu_seconds=0.1), TOO_LONG, 1),
        (b"hoard", Bounds(memory_bytes=64 * MIB), FAILED, 1),
        (b"hoard by and by", Bounds(memory_bytes=64 * MIB), FAILED, 1),
        (b"kill", Bounds(), LOST, 2),
        (b"stop", Bounds(wall_seconds=1.0), OVERDUE, 2),
    ],
    ids=["an endless pattern", "memory at once", "memory by and by", "a crash", "a freeze"],
)
async def test_a_piece_that_breaks_the_process_is_done_with_less_and_its_neighbours_are_done(
    content: bytes, bounds: Bounds, why: str, lost: int
):
    before = counted("reader-lost"), counted("broke-its-reader")
    with closing(Bounded(bounds)) as bounded:
        first, broken, last = await bounded.each([piece(b"one"), piece(content), piece(b"two")])
    assert (first, last) == ("one", "two")
    assert broken == (os.getpid(), content, why)
    assert counted("broke-its-reader") == before[1] + 1
    assert counted("reader-lost") == before[0] + 1 + lost  # with its neighbours, then alone


async def test_a_way_in_between_is_tried_in_the_process_too():
    with closing(Bounded(Bounds(cpu_seconds=0.1))) as bounded:
        (pid, _, why), (here, *_) = await bounded.each([piece(BOMB, told), piece(b"kill", in_vain)])
        assert (pid, why) != (os.getpid(), "")
        assert pid != os.getpid()
        assert here == os.getpid()


async def test_a_process_killed_for_another_s_sake_loses_nothing():
    with closing(Bounded()) as bounded:
        await bounded.each([piece(b"begin")])
        asked = asyncio.create_task(bounded.each([piece(b"sleep"), piece(b"and on")]))
        await asyncio.sleep(0.2)
        process(bounded).kill()
        assert await asked == ["sleep", "and on"]


async def test_a_process_that_ended_while_nobody_asked_is_begun_anew():
    with closing(Bounded()) as bounded:
        await bounded.each([piece(b"one")])
        process(bounded).kill()
        process(bounded).join()
        assert await bounded.each([piece(b"two")]) == ["two"]


async def test_the_process_is_kept_until_it_holds_too_much():
    for kept_bytes, processes in ((Bounds().kept_bytes, 1), (1, 3)):
        with closing(Bounded(Bounds(kept_bytes=kept_bytes))) as bounded:
            found = [await bounded.each([Piece(b"", told, [told])]) for _ in range(3)]
        assert len({pid for ((pid, *_),) in found}) == processes


async def test_several_who_ask_at_once_each_get_their_own():
    with closing(Bounded()) as bounded:
        asked = [bounded.each([piece(f"{who} {number}".encode()) for number in range(20)]) for who in range(5)]
        assert await asyncio.gather(*asked) == [[f"{who} {number}" for number in range(20)] for who in range(5)]


async def test_whoever_gives_up_waiting_leaves_no_answer_to_the_next():
    with closing(Bounded()) as bounded:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await bounded.each([piece(b"sleep")])
        assert await bounded.each([piece(b"next")]) == ["next"]


async def test_once_closed_what_is_in_hand_is_not_done_and_nothing_is_begun():
    bounded = Bounded()
    await bounded.each([piece(b"begin")])
    before = counted("broke-its-reader")
    asked = asyncio.create_task(bounded.each([piece(b"sleep")]))
    await asyncio.sleep(0.1)
    bounded.close()
    with pytest.raises(Unavailable) as caught:
        await asked
    assert caught.value.reason == "no-reader"
    assert counted("broke-its-reader") == before


def never(*_: Any) -> None:
    """A machine without memory for one more."""
    os.kill(os.getpid(), signal.SIGKILL)


async def test_where_no_process_starts_nothing_is_called_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.bounded._read", never)
    with closing(Bounded()) as bounded, pytest.raises(Unavailable) as caught:
        await bounded.each([piece(b"one")])
    assert caught.value.reason == "no-reader"


SERVICE = """
    import asyncio
    from ingest.bounded import Bounded, Piece

    def say(content):
        print("reads", flush=True)

    async def main():
        await Bounded().each([Piece(b"", say, [say])])
        await asyncio.sleep(60)

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_when_the_service_is_killed_the_process_ends_too(tmp_path: Path):
    (tmp_path / "service.py").write_text(dedent(SERVICE))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(tmp_path / "service.py")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "reads\n"
        service.kill()
        # A pipe is at its end when the last process that holds it has ended.
        assert service.stdout.read() == ""
