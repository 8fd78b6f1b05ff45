"""Work that many ask for at once is done in batches, and each gets their own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from ingest.together import Together


async def test_whoever_comes_while_others_are_on_their_way_is_in_the_next_batch_together():
    batches: list[int] = []
    gate = asyncio.Event()

    async def work(batch: Sequence[int]) -> list[int | Exception]:
        batches.append(len(batch))
        await gate.wait()
        return [each * 2 for each in batch]

    together = Together(work)
    first = [asyncio.create_task(together(each)) for each in range(2)]
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(together(each)) for each in range(2, 252)]
    await asyncio.sleep(0.01)
    gate.set()
    assert await asyncio.gather(*first, *rest) == [each * 2 for each in range(252)]
    assert sum(batches) == 252
    assert max(batches) == 100, "no batch is without a limit"
    assert len(batches) <= 6


async def test_one_that_fails_alone_fails_alone_and_what_the_work_raises_all_get():
    async def work(batch: Sequence[str]) -> list[str | Exception]:
        if "all" in batch:
            raise OSError("the disk")
        return [ValueError(each) if each == "alone" else each for each in batch]

    together = Together(work)
    answers = await asyncio.gather(together("alone"), together("well"), return_exceptions=True)
    assert [type(each) for each in answers] == [ValueError, str]
    with pytest.raises(OSError, match="the disk"):
        await together("all")
    assert await together("well") == "well"


async def test_whoever_gives_up_stops_nobody_and_nothing_that_was_asked_for():
    done: list[int] = []

    async def work(batch: Sequence[int]) -> list[int | Exception]:
        await asyncio.sleep(0.05)
        done.extend(batch)
        return list(batch)

    together = Together(work)
    gives_up, stays = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0.01)
    gives_up.cancel()
    assert await stays == 2
    assert done == [1, 2]


async def test_whoever_asks_for_what_is_in_hand_gets_its_answer_and_it_is_done_once():
    done: list[int] = []
    gate = asyncio.Event()

    async def work(batch: Sequence[int]) -> list[int | Exception]:
        done.extend(batch)
        await gate.wait()
        return [ValueError("nobody waits for it") if each == 3 else each * 2 for each in batch]

    together = Together(work)
    asked = [asyncio.create_task(together(number, "a text")) for number in (1, 2, 2)]
    other, given_up = asyncio.create_task(together(5, "another")), asyncio.create_task(together(3, "a third"))
    await asyncio.sleep(0.01)
    asked[0].cancel()
    given_up.cancel()
    gate.set()
    assert await asyncio.gather(*asked[1:], other) == [2, 2, 10]
    assert done == [1, 5, 3]
    assert await together(2, "a text") == 4, "once it is answered, the same is asked for anew"
