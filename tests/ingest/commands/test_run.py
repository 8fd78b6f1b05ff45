"""``ingest run``: what becomes of a role that ends otherwise than it should."""

import asyncio

import pytest

from ingest.commands.run import _whole
from ingest.errors import Halted


async def test_a_role_that_a_library_cancels_ends_the_service_in_place_of_going_missing():
    async def role() -> None:
        of_a_library = asyncio.get_running_loop().create_future()
        of_a_library.cancel()
        await of_a_library

    with pytest.raises(Halted) as ended:
        await _whole(role())
    assert ended.value.reason == "role-lost"


async def test_a_role_that_is_told_to_end_by_us_ends_quietly():
    started = asyncio.Event()

    async def role() -> None:
        started.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(_whole(role()))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
