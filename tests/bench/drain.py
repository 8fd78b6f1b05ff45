"""A long backlog drained by the router as it is run: is it as quick at the end as near the beginning, and no larger?"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from time import perf_counter
from typing import Any, Final

from tests.bench import scaled
from tests.bench.usage import resident_bytes

_STEP: Final = 10_000
_GROWS: Final = 1.1
_SLOWS: Final = 0.8


@dataclass(frozen=True, slots=True)
class Step:
    """How things stood after so many contacts; rate and cost are of the step."""

    settled: int
    contacts_a_second: float
    cpu_us_a_contact: float
    postgres_us_a_contact: float
    resident_mb: float
    lag: int
    outbox: int


async def drain(place: scaled.Ground, tell: Callable[[Step], None]) -> list[Step]:
    """Every step, told of as it is reached."""
    steps: list[Step] = []
    with place.register() as register:
        async with scaled.side(place, register, place.service(register)) as running:
            size = max(1, min(_STEP, place.number // 8))
            settled = await running.until(1)
            since, spent = perf_counter(), running.cpu()
            while settled < place.number:
                there = await running.until(min(place.number, settled + size))
                at, cost = perf_counter(), running.cpu()
                done = there - settled
                step = Step(
                    there,
                    done / (at - since),
                    (cost[0] - spent[0]) / done * 1e6,
                    (cost[1] - spent[1]) / done * 1e6,
                    sum(resident_bytes(each.pid) for each in running.processes) / 1e6,
                    place.number - there,
                    await running.waiting(),
                )
                steps.append(step)
                tell(step)
                settled, since, spent = there, at, cost
    return steps


def verdict(steps: Sequence[Step]) -> dict[str, Any]:
    """The last quarter against the second: the first is the start's."""
    quarter = max(1, len(steps) // 4)
    early, late = steps[quarter : 2 * quarter], steps[-quarter:]
    memory = mean(each.resident_mb for each in late) / mean(each.resident_mb for each in early)
    rate = mean(each.contacts_a_second for each in late) / mean(each.contacts_a_second for each in early)
    return {
        "drain_contacts": steps[-1].settled,
        "drain_memory_ratio": memory,
        "drain_memory_is_flat": memory <= _GROWS,
        "drain_rate_ratio": rate,
        "drain_rate_is_flat": rate >= _SLOWS,
        "drain_steps": [asdict(each) for each in steps],
    }
