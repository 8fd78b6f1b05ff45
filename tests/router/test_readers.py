"""Records are opened in processes of their own, and one that breaks them harms nothing but itself."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from ingest.errors import Unavailable
from router.opening import Readable, Terms, Unopened, opened
from router.readers import Readers
from tests.router.conftest import KEY, written

LETHAL, ENDLESS = "This one ends whoever reads it.", "This one never comes to an end."


@pytest.fixture
def terms(house) -> Terms:
    return Terms({}, KEY, house)


async def test_they_come_to_what_a_thread_of_the_router_comes_to(contact, terms):
    records = [written(contact(sender=f"jo{number}@example.com")) for number in range(7)]
    with closing(Readers(2)) as readers:
        assert await readers.open(records, terms) == await Readers(0).open(records, terms)


async def test_a_process_killed_in_the_middle_loses_nothing(contact, terms):
    records = [written(contact(sender=f"jo{number}@example.com")) for number in range(400)]
    others = readers_of(os.getpid())
    with closing(Readers(1)) as readers:
        await readers.open(records[:1], terms)
        (process,) = set(readers_of(os.getpid())) - set(others)
        opening_all = asyncio.create_task(readers.open(records, terms))
        await asyncio.sleep(0.02)
        os.kill(process, signal.SIGKILL)
        assert [type(each) for each in await opening_all] == [Readable] * 400
        assert process not in readers_of(os.getpid())


async def test_one_that_is_no_longer_waited_for_ends_in_the_middle(contact, terms, monkeypatch):
    monkeypatch.setattr("router.readers.opened", broken)
    others = readers_of(os.getpid())
    with closing(Readers(1)) as readers:
        await readers.open([written(contact())], terms)
        (process,) = set(readers_of(os.getpid())) - set(others)
        endless = asyncio.create_task(readers.open([written(contact(text=ENDLESS))], terms))
        await asyncio.sleep(0.1)
        endless.cancel()
        await asyncio.wait([endless])
        await until(lambda: process not in readers_of(os.getpid()))
        assert [type(each) for each in await readers.open([written(contact())], terms)] == [Readable]


@pytest.mark.parametrize("words", [LETHAL, ENDLESS])
async def test_one_that_breaks_its_reader_is_a_dead_letter_and_its_neighbours_are_read(contact, terms, words, monkeypatch):
    monkeypatch.setattr("router.readers.opened", broken)
    records = [written(contact(text=text)) for text in (words, "Nobody rang.", "Nobody wrote.")]
    with closing(Readers(1, cpu_seconds=0.3)) as readers:
        assert await readers.open(records, terms) == [
            Unopened("poison", "It ends the process that reads it."),
            *await Readers(0).open(records[1:], terms),
        ]


def broken(records, terms):
    """A release with a fault in its reading."""
    for each in records:
        if LETHAL.encode() in each.value:
            os.kill(os.getpid(), signal.SIGKILL)
        while ENDLESS.encode() in each.value:
            pass
    return opened(records, terms)


async def test_where_no_process_starts_the_router_waits_and_nothing_is_a_dead_letter(contact, terms, monkeypatch):
    monkeypatch.setattr("router.readers.threading.active_count", lambda: 2)
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/bin/false")
    with closing(Readers(1)) as readers:
        with pytest.raises(Unavailable) as caught:
            await readers.open([written(contact())], terms)
        assert caught.value.reason == "no-reader"
        monkeypatch.undo()
        assert [type(each) for each in await readers.open([written(contact())], terms)] == [Readable]


ROUTER = """
    import asyncio, multiprocessing, sys, threading
    from router.readers import Readers

    async def main(readers):
        line = await readers._started()
        print("reads", flush=True)
        await asyncio.to_thread(line.recv)

    {before}
    readers = Readers(1)
    readers.begin()
    asyncio.run(main(readers))
"""
BESIDE_A_THREAD = "threading.Thread(target=threading.Event().wait, daemon=True).start()"


@pytest.mark.parametrize("before", ["", BESIDE_A_THREAD], ids=["alone", "beside a thread"])
def test_when_the_router_is_killed_its_readers_end_too(before):
    router = subprocess.Popen(
        [sys.executable, "-c", dedent(ROUTER).format(before=before)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with router:
        try:
            assert router.stdout is not None
            assert router.stdout.readline() == "reads\n"
            (reader,) = readers_of(router.pid)
            for each in (
                *started_by(router.pid),
                reader,
            ):  # what a terminal and a supervisor send to all is the router's to answer
                os.kill(each, signal.SIGINT)
                os.kill(each, signal.SIGTERM)
            assert readers_of(router.pid) == [reader]
        finally:
            router.kill()
        # A pipe is at its end when the last process that holds it has ended.
        assert router.stdout.read() == ""


def readers_of(router: int) -> list[int]:
    """Those that a router's stem has started and that still run."""
    return [reader for stem in started_by(router) for reader in started_by(stem)]


def started_by(process: int) -> list[int]:
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(each) for thread in threads for each in (thread / "children").read_text().split()]


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not told():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("cores", "readers"), [(1, 0), (2, 2)])
def test_of_a_machine_those_cores_count_that_it_may_run_on(cores: int, readers: int) -> None:
    told = f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}]); from router.readers import Readers; print(len(Readers.for_this_machine()._lines))"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout == f"{readers}\n"
