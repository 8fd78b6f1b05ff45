"""Records are opened in processes of their own, and one that breaks them harms nothing but itself."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from ingest.errors import Unavailable
from router import opening
from router.opening import Readable, Terms, Unopened
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
    with closing(Readers(1)) as readers:
        await readers.open(records[:1], terms)
        opening_all = asyncio.create_task(readers.open(records, terms))
        await asyncio.sleep(0.02)
        assert readers._pool is not None
        (process,) = readers._pool._processes.values()
        process.kill()
        assert [type(each) for each in await opening_all] == [Readable] * 400


@pytest.mark.parametrize("words", [LETHAL, ENDLESS])
async def test_one_that_breaks_its_reader_is_a_dead_letter_and_its_neighbours_are_read(contact, terms, words, monkeypatch):
    monkeypatch.setattr("router.readers._alone", broken)
    records = [written(contact(text=text)) for text in (words, "Nobody rang.")]
    with closing(Readers(1, cpu_seconds=1)) as readers:
        assert await readers.open(records, terms) == [
            Unopened("poison", "BrokenProcessPool"),
            *await Readers(0).open(records[1:], terms),
        ]


def broken() -> None:
    """A release with a fault in its reader."""
    reading_of = opening.reading_of

    def breaks(contact, house):
        if LETHAL in contact.text:
            os.kill(os.getpid(), signal.SIGKILL)
        while ENDLESS in contact.text:
            pass
        return reading_of(contact, house)

    opening.reading_of = breaks


async def test_where_no_process_starts_the_router_waits_and_nothing_is_a_dead_letter(contact, terms, monkeypatch):
    monkeypatch.setattr("router.readers._alone", never)
    with closing(Readers(1)) as readers, pytest.raises(Unavailable) as caught:
        await readers.open([written(contact())], terms)
    assert caught.value.reason == "no-reader"


def never() -> None:
    """A machine without memory for one more."""
    os.kill(os.getpid(), signal.SIGKILL)


ROUTER = """
    import asyncio
    from router.readers import Readers

    async def main():
        readers = Readers(1)
        (await readers._started()).submit(print, "reads", flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


def test_when_the_router_is_killed_its_readers_end_too():
    router = subprocess.Popen(
        [sys.executable, "-c", dedent(ROUTER)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    with router:
        assert router.stdout is not None
        assert router.stdout.readline() == "reads\n"
        router.kill()
        # A pipe is at its end when the last process that holds it has ended.
        assert router.stdout.read() == ""


def test_of_a_machine_those_cores_count_that_it_may_run_on() -> None:
    told = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from router.readers import Readers; print(Readers.for_this_machine()._processes)"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout == "0\n"
