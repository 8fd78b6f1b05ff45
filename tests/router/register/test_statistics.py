"""How often a name is borne is counted, kept, and counted anew when asked."""

from collections.abc import Awaitable, Callable

from ingest.database import Database
from router.match.statistics import Statistics
from router.register.intake import Imported, Kind
from router.register.statistics import counted, statistics

Take = Callable[[Kind, str | bytes], Awaitable[Imported]]


async def test_names_are_counted_in_canonical_form_and_one_that_is_borne_once_is_left_out(filled: Database) -> None:
    async with filled.read() as connection:
        assert await counted(connection) == Statistics(4, {"pettifer": 2}, {})


async def test_what_was_counted_is_kept_until_it_is_counted_anew(filled: Database, take: Take) -> None:
    async with filled.read() as connection:
        before = await statistics(connection)
    await take(
        "individuals",
        "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone\nR2,Dr RUTH Mary,Pettifer-Cole,,,,,,,\n",
    )
    async with filled.read() as connection:
        assert await statistics(connection) is before
        assert await counted(connection) == Statistics(5, {"pettifer": 2}, {"ruth": 2})
        assert await statistics(connection) == Statistics(5, {"pettifer": 2}, {"ruth": 2})
