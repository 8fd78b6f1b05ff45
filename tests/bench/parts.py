"""What the router's parts take, each alone: the plain pipeline, reading, searching and matching, deciding. Together they are the router.

Reading is alone in one process, as it is nowhere else; what the register is asked for is asked in batches of 500, as the router does.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from ingest.clock import now
from ingest.contract import Contact
from ingest.database import Database
from router.consequences import consequences
from router.decide import decide
from router.gather import gather
from router.opening import reading_of
from tests.bench import scaled
from tests.bench.contacts import contacts
from tests.bench.embedded import BATCH, house
from tests.bench.usage import cpu_seconds

_MOST: Final = 3_000  # contacts are enough


def parts(place: scaled.Ground, register: str, plain: scaled.Measured) -> scaled.Measured:
    """What all of them add up to, beside a plain pipeline that was measured."""
    number = min(place.number, _MOST)
    before = cpu_seconds(place.postgres.pid)
    wall, cpu = asyncio.run(_alone(register, list(contacts(number))))
    asked = cpu_seconds(place.postgres.pid) - before
    return scaled.Measured(
        1 / (1 / plain.contacts_a_second + wall / number),
        plain.cpu_us_a_contact + cpu / number * 1e6,
        plain.postgres_us_a_contact + asked / number * 1e6,
        plain.kafka_us_a_contact,
    )


async def _alone(register: str, some: Sequence[Contact]) -> tuple[float, float]:
    """Seconds, and those of the processor, for reading, matching and deciding all of them; nothing is written."""
    ours, database = house(), Database(register)
    async with database.read() as connection:  # whatever is made once is made
        await gather(connection, [(some[0], reading_of(some[0], ours))], ours, now())
    wall, cpu = time.perf_counter(), time.process_time()
    readings = [reading_of(each, ours) for each in some]
    for at in range(0, len(some), BATCH):
        moment, batch = now(), list(zip(some[at : at + BATCH], readings[at : at + BATCH], strict=True))
        async with database.read() as connection:
            known = await gather(connection, batch, ours, moment)
        for contact, reading in batch:
            situation = known.situation(contact, reading)
            consequences(situation, decide(situation), contact.original, ours, known.standing(contact), moment)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await database.close()
    return wall, cpu
