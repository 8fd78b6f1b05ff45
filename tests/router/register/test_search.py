"""Candidates for a whole batch in a handful of statements, and people and cases as deciding needs them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, insert

from ingest.clock import Clock
from ingest.database import Database
from router.match import Candidate, Matched, Query, match
from router.match.names import canonical_forename, canonical_surname
from router.match.register_view import CaseView, IndividualView, PartyView
from router.register import search
from router.register.index import kept_true
from router.register.tables import identifiers, individuals, links

TODAY = date(2026, 3, 2)


async def ask(database: Database, *queries: Query, today: date = TODAY) -> list[list[Candidate]]:
    async with database.read() as connection:
        return await search.candidates(connection, queries, today)


def ids(found: Sequence[Candidate]) -> list[str]:
    return [each.individual_id for each in found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(emails=("joan.pettifer@example.org",)), ["R1001"]),
        (Query(phones=("+441632960114",)), ["R1001", "R1004"]),
        (Query(names=("A. Pettifer",), postcodes=("DE80 4PT",)), ["R1004", "R1001"]),
        (Query(names=("Pettifer, J.",), date_of_birth=date(1944, 2, 19)), ["R1001"]),
        (Query(names=("pettifer JOAN",)), ["R1001"]),
        (Query(names=("Artie Pettifer",)), ["R1004"]),
        (Query(case_references=("C-2034590",)), ["R1001"]),
        (Query(names=("Helen Marchbank",), postcodes=("DE80 4PT",)), []),
        (Query(postcodes=("DE80 4PT",)), []),
        (Query(), []),
    ],
)
async def test_each_key_finds_those_who_hold_it(filled: Database, query: Query, found: list[str]) -> None:
    assert [ids(each) for each in await ask(filled, query)] == [found]


async def test_whoever_shares_most_stands_first(filled: Database) -> None:
    query = Query(names=("Arthur Pettifer",), phones=("+441632960114",), postcodes=("DE80 4PT",))
    assert ids((await ask(filled, query))[0]) == ["R1004", "R1001"]


async def test_what_several_people_hold_is_told_with_their_number(filled: Database) -> None:
    query = Query(names=("Ruth Abernethy",), emails=("office@advice.example.org",), phones=("+447700900322",))
    assert (await ask(filled, query))[0][0].holders == {"office@advice.example.org": 2}


async def test_a_candidate_holds_what_matching_compares(filled: Database) -> None:
    ((found,),) = await ask(filled, Query(emails=("joan.pettifer@example.org",)))
    assert found == Candidate(
        "R1001",
        "Joan",
        "Pettifer",
        date(1944, 2, 19),
        ("joan.pettifer@example.org",),
        ("+441632960114",),
        ("DE80 4PT",),
        ("14 Quarry Lane, Alderwick, de804pt",),
        {},
        ("C-2034590",),
    )
    assert isinstance(match(Query(names=("Joan Pettifer",), emails=found.emails), [found]), Matched)


async def test_a_party_whose_part_has_ended_is_not_found_by_the_case(filled: Database) -> None:
    query = Query(case_references=("C-2034590",))
    assert ids((await ask(filled, query, today=date(2026, 2, 28)))[0]) == ["R1001", "R1002"]
    assert ids((await ask(filled, query, today=date(2026, 3, 1)))[0]) == ["R1001"]


async def add_namesakes(database: Database, number: int, clock: Clock) -> None:
    async with database.write() as connection:
        for start in range(0, number, 100):
            some = [f"S{each}" for each in range(start, min(start + 100, number))]
            people = [
                {
                    "id": each,
                    "given_name": "John",
                    "surname": "Smith",
                    "canonical_surname": canonical_surname("Smith"),
                    "canonical_forename": canonical_forename("John"),
                    "date_of_birth": date(1970, 1, 1),
                    "imported_at": clock(),
                }
                for each in some
            ]
            points = [
                {"individual_id": each, "kind": "phone", "canonical": "+442079460000", "given": "x", "since": clock()}
                for each in some
            ]
            async with kept_true(connection, some):
                await connection.execute(insert(individuals), people)
                await connection.execute(insert(identifiers), points)


async def test_no_contact_has_more_than_15_candidates(database: Database, clock: Clock) -> None:
    await add_namesakes(database, 60, clock)
    assert len((await ask(database, Query(names=("John Smith",), phones=("+442079460000",))))[0]) == 15


async def test_a_key_that_more_than_400_people_hold_finds_nobody(database: Database, clock: Clock) -> None:
    await add_namesakes(database, 401, clock)
    query = Query(names=("John Smith",), phones=("+442079460000",), date_of_birth=date(1970, 1, 1))
    assert await ask(database, query) == [[]]


async def test_it_is_told_by_which_keys_somebody_is_found_and_which_find_nobody(filled: Database, clock: Clock) -> None:
    await add_namesakes(filled, 401, clock)
    async with filled.read() as connection:
        found = await search.found_by(connection, Query(names=("John Smith",), emails=("joan.pettifer@example.org",)))
    told = {each.kind: (set(each.whom), each.too_many) for each in found}
    assert told["email"] == ({"R1001"}, False)
    assert told["bones"] == (set(), True)
    assert "phone" not in told


async def test_a_bigger_batch_asks_no_more_questions(filled: Database) -> None:
    asked: list[str] = []

    async def statements(number: int) -> int:
        queries = [
            Query(
                names=("Joan Pettifer", f"Helen Marchbank{each}"),
                date_of_birth=date(1944, 2, 19),
                emails=("joan.pettifer@example.org", f"e{each}@example.org"),
                phones=(f"+4416329{each:05}",),
                postcodes=("DE80 4PT",),
                case_references=("C-2034590",),
            )
            for each in range(number)
        ]
        asked.clear()
        async with filled.read() as connection:
            raw = connection.sync_connection
            assert raw is not None
            driver: Any = raw.connection.driver_connection
            if raw.dialect.name == "sqlite":  # whose driver is asked itself
                await driver.set_trace_callback(asked.append)
                found = await search.candidates(connection, queries, TODAY)
                await driver.set_trace_callback(None)
            else:

                def noted(*given: Any) -> None:
                    asked.append(given[2])

                event.listen(raw, "before_cursor_execute", noted)
                found = await search.candidates(connection, queries, TODAY)
                event.remove(raw, "before_cursor_execute", noted)
        assert all(ids(each)[0] == "R1001" for each in found)
        return len(asked)

    assert await statements(500) == await statements(2) == 3


async def test_ten_thousand_contacts_are_within_what_one_statement_may_bind(filled: Database) -> None:
    queries = [Query(emails=tuple(f"e{each}-{number}@example.org" for number in range(4))) for each in range(10_000)]
    assert await ask(filled, *queries) == [[]] * 10_000


async def test_a_case_is_given_with_its_parties(filled: Database) -> None:
    async with filled.read() as connection:
        found = await search.cases(connection, {"C-2034590", "P-0409937", "C-9999999"})
    assert found.keys() == {"C-2034590", "P-0409937"}
    assert found["C-2034590"] == CaseView(
        "C-2034590",
        "open",
        "investigation",
        "Wexcombe General Hospital",
        "a.dunmore@example.org",
        True,
        "team@example.org",
        None,
        date(2026, 4, 1),
        (PartyView("R1001", "complainant", "seen"), PartyView("R1002", "representative", "claimed", date(2026, 2, 28))),
    )
    assert not found["P-0409937"].owner_active


async def test_a_person_is_given_with_all_that_governs_how_they_are_reached(filled: Database, clock: Clock) -> None:
    from ingest.ids import new_id

    async with filled.write() as connection:
        row = {"individual_id": "R1001", "grade": "probable", "evidence": [], "at": clock(), "by": "router"}
        await connection.execute(insert(links).values(contact_id=new_id(), **row))
        undone = {"individual_id": "R1003", "undone_at": clock(), "undone_by": "A. Dunmore"}
        await connection.execute(insert(links).values(**row | undone, contact_id=new_id()))
    async with filled.read() as connection:
        found = await search.people(connection, {"R1001", "R1003", "R9999"})
    assert found["R1001"] == IndividualView(
        "R1001",
        "Joan Pettifer",
        "14 Quarry Lane, Alderwick, de804pt",
        ("joan.pettifer@example.org",),
        "cy",
        ("large_print", "phone_only"),
        ("letter", "telephone"),
        ("email",),
        "Never leave word",
        "Ms Oyston",
        None,
        ("C-2034590",),
        written_before=True,
        phones=("+441632960114",),
    )
    assert found["R1003"].died_on == date(2025, 3, 1)
    assert not found["R1003"].written_before
    assert "R9999" not in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Joan Pettifer", ["R1001"]),
        ("pettifer", ["R1001", "R1004"]),
        ("JOAN.PETTIFER@example.org", ["R1001"]),
        ("01632 960114", ["R1001", "R1004"]),
        ("de80 4pt", ["R1001", "R1004"]),
        ("c-2034590", ["R1001", "R1002"]),
        ("R1003", ["R1003"]),
        ("nobody at all", []),
        ("", []),
    ],
)
async def test_an_operator_finds_people_by_whatever_they_have(filled: Database, text: str, found: list[str]) -> None:
    async with filled.read() as connection:
        assert [each.person_id for each in await search.find(connection, text)] == found
