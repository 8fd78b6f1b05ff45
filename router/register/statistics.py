"""How many people the register has, and how often each name is borne: counted once, kept in memory, and counted anew now and then.

A count that is an hour old serves as well. It reads one index from end to end, which takes about a second for a million people.
"""

from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Engine, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.match.statistics import Statistics
from router.register.tables import individuals

_kept: Final[WeakKeyDictionary[Engine, Statistics]] = WeakKeyDictionary()


async def statistics(connection: AsyncConnection) -> Statistics:
    """As they were last counted in this process; counted now where they never were."""
    return _kept.get(connection.engine.sync_engine) or await counted(connection)


async def counted(connection: AsyncConnection) -> Statistics:
    """Counted now, and kept."""
    number = await connection.scalar(select(func.count()).select_from(individuals)) or 0
    surnames = await _borne(connection, individuals.c.canonical_surname)
    found = Statistics(number, surnames, await _borne(connection, individuals.c.canonical_forename))
    _kept[connection.engine.sync_engine] = found
    return found


async def _borne(connection: AsyncConnection, name: Column[str]) -> dict[str, int]:
    """Who bears a name alone is not told of: it is what everybody takes of a name that is absent."""
    times = func.count()
    rows = await connection.execute(select(name, times).where(name.is_not(None)).group_by(name).having(times > 1))
    return {row[0]: row[1] for row in rows}
