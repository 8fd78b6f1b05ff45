"""A legal hold is placed and lifted in somebody's name, stands on the audit trail, and keeps its person from being erased too."""

import pytest

from ingest.errors import Refused
from router import holds
from router.erasure import erase
from router.register import tables
from router.removal import ERASED, Word
from tests.router.conftest import KEY


async def test_a_hold_and_its_lifting_are_on_the_audit_trail_with_who_and_why(database, store, clock, person, rows):
    await person("R1")
    placed = await holds.place(database, store, "judicial review", "Kim", clock, individual="R1")
    async with database.read() as connection:
        (standing,) = await holds.standing(connection)
    assert (standing.id, standing.individual_id, standing.because, standing.by) == (placed, "R1", "judicial review", "Kim")
    clock.forward(days=3)
    await holds.lift(database, store, placed, "it is over", "Lee", clock)
    async with database.read() as connection:
        assert await holds.standing(connection) == []
    on_the_trail = sorted((row.action, row.actor, row.evidence["because"]) for row in await rows(tables.audit))
    assert on_the_trail == [("legal-hold-lifted", "Lee", "it is over"), ("legal-hold-placed", "Kim", "judicial review")]


async def test_nobody_is_held_whom_the_register_has_not_and_no_hold_is_lifted_twice(database, store, clock, person):
    with pytest.raises(Refused, match="ingest register search"):
        await holds.place(database, store, "why", "Kim", clock, individual="R9")
    placed = await holds.place(database, store, "why", "Kim", clock, case="P-0123456")
    await holds.lift(database, store, placed, "over", "Kim", clock)
    with pytest.raises(Refused, match="Kim has lifted it already"):
        await holds.lift(database, store, placed, "over", "Lee", clock)


@pytest.mark.parametrize("on", ["individual", "case"])
async def test_somebody_on_hold_is_not_erased_until_it_is_lifted_and_a_rehearsal_says_so(
    database, store, clock, person, append, route, contact, rows, on
):
    await person("R1", cases=(("P-0123456", "complainant", "none"),))
    await append(written := contact("Hello. It is about the thing.", "joan@example.com", name="Joan Pettifer"))
    await route()
    async with database.write() as connection:
        link = {"contact_id": written.id, "individual_id": "R1", "grade": "chosen", "evidence": [], "at": clock(), "by": "Sam"}
        await connection.execute(tables.links.delete())
        await connection.execute(tables.links.insert().values(link))
        await connection.execute(tables.dispositions.update().values(case_reference="P-0123456"))
    about = {"individual": "R1"} if on == "individual" else {"case": "P-0123456"}
    placed = await holds.place(database, store, "a court asks for it", "Kim", clock, **about)  # type: ignore[arg-type]
    word = Word(ERASED, "Sam", "asked for", clock())
    rehearsed = await erase(database, KEY, "R1", word, rehearse=True)
    assert [each for each in rehearsed.on_hold if "a court asks for it" in each and "ingest retention lift" in each]
    with pytest.raises(Refused) as refused:
        await erase(database, KEY, "R1", word, even_if_open=True)
    assert refused.value.reason == "on-legal-hold"
    assert len(await rows(tables.contacts)) == 1
    await holds.lift(database, store, placed, "over", "Kim", clock)
    await erase(database, KEY, "R1", word, even_if_open=True)
    assert await rows(tables.contacts) == []
