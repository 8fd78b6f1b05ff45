"""The index has everybody's keys and no others, whatever becomes of a person, and says when it has not."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, insert, select

from ingest.clock import Clock
from ingest.database import Database
from ingest.errors import Unavailable
from router.match import Query
from router.match.keys import individual_keys, of_this_version
from router.register import index, search
from router.register.held import held
from router.register.intake import Imported, Kind
from router.register.tables import addresses, identifiers, individuals
from router.register.tables import individual_keys as keys

Take = Callable[[Kind, str | bytes], Awaitable[Imported]]

HEADER = "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone"
JOAN = "R1001,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,jp44@example.org,01632 960114"


async def there(database: Database) -> set[tuple[int, str]]:
    async with database.read() as connection:
        return {(key, id_) for key, id_ in await connection.execute(select(keys))}


async def true(database: Database) -> set[tuple[int, str]]:
    """The keys that there should be."""
    async with database.read() as connection:
        everybody = await held(connection, list(await connection.scalars(select(individuals.c.id))))
    return {(key, id_) for id_, each in everybody.items() for key in individual_keys(each)}


async def found(database: Database, query: Query, clock: Clock) -> set[str]:
    async with database.read() as connection:
        (some,) = await search.candidates(connection, [query], clock().date())
    return {each.individual_id for each in some}


@pytest.mark.parametrize(
    ("before", "after", "by", "no_longer_by"),
    [
        ("14 Quarry Lane,,Alderwick,DE80 4PT", "2 Market Street,,Wexcombe,BN60 4TE", Query(names=("Pettifer",), postcodes=("BN60 4TE",)), Query(names=("J",), postcodes=("DE80 4PT",))),
        ("Pettifer", "Marchbank", Query(names=("Joan Marchbank",)), Query(names=("Pettifer",), postcodes=("DE80 4PT",))),
        ("01632 960114", "07700 900001", Query(phones=("+447700900001",)), Query(phones=("+441632960114",))),
        ("jp44@", "elsewhere@", Query(emails=("elsewhere@example.org",)), Query(emails=("jp44@example.org",))),
    ],
    ids=["moved", "married", "phone", "email"],
)  # fmt: skip
async def test_whoever_moves_or_changes_name_phone_or_email_is_found_by_the_new_and_not_by_the_old(
    database: Database, take: Take, clock: Clock, before: str, after: str, by: Query, no_longer_by: Query
) -> None:
    await take("individuals", f"{HEADER}\n{JOAN}\n")
    assert await found(database, no_longer_by, clock) == {"R1001"}
    await take("individuals", f"{HEADER}\n{JOAN.replace(before, after)}\n")
    assert await there(database) == await true(database)
    assert await found(database, by, clock) == {"R1001"}
    assert await found(database, no_longer_by, clock) == set()


async def test_taking_the_same_in_again_writes_no_key(
    filled: Database, take: Take, sheets: dict[Kind, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await there(filled)
    assert before == await true(filled)
    for name in ("_add", "_remove"):
        kept = getattr(index, name)

        async def only_nothing(connection: object, rows: list[object], kept=kept) -> None:
            assert not rows
            await kept(connection, rows)

        monkeypatch.setattr(index, name, only_nothing)
    await take("individuals", sheets["individuals"])
    assert await there(filled) == before


async def test_whoever_is_deleted_leaves_no_key(filled: Database) -> None:
    async with filled.write() as connection, index.kept_true(connection, ["R1001"]):
        for table, id_ in ((individuals, individuals.c.id), (identifiers, identifiers.c.individual_id), (addresses, addresses.c.individual_id)):  # fmt: skip
            await connection.execute(delete(table).where(id_ == "R1001"))
    assert {id_ for _, id_ in await there(filled)} == {"R1002", "R1003", "R1004"}


async def test_what_is_rolled_back_leaves_the_keys_as_they_were(filled: Database) -> None:
    async def undone() -> None:
        async with filled.write() as connection:
            async with index.kept_true(connection, ["R1001"]):
                await connection.execute(delete(identifiers))
            raise ZeroDivisionError

    before = await there(filled)
    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await there(filled) == before == await true(filled)


async def test_made_anew_it_has_what_was_missing_and_loses_what_is_stale_or_of_another_version(
    filled: Database, clock: Clock
) -> None:
    right = await there(filled)
    ours = of_this_version()
    wrong = [(ours.start + 5, "R1001"), (ours.start - 5, "R1001"), (ours.stop + 5, "R1002"), (min(right)[0], "R9999")]
    async with filled.write() as connection:
        await connection.execute(delete(keys).where(keys.c.individual_id == "R1002"))
        await connection.execute(insert(keys), [{"key": key, "individual_id": id_} for key, id_ in wrong])
    assert await index.build(filled) == 4
    assert await there(filled) == right


async def test_made_in_many_parts_and_in_processes_it_is_the_same(
    database: Database, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_ROWS", 50)
    monkeypatch.setattr(index, "_PAGE", 7)
    monkeypatch.setattr(index, "_WORTH_PROCESSES", 0)
    people = (JOAN.replace("R1001", f"R{each}").replace("jp44", f"jp{each}") for each in range(60))
    await take("individuals", "\n".join([HEADER, *people]))
    assert await there(database) == await true(database)
    assert len({id_ for _, id_ in await there(database)}) == 60


async def test_while_it_is_not_whole_nobody_is_taken_for_a_stranger(
    database: Database, take: Take, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(index, "build", killed)
        with pytest.raises(KeyboardInterrupt):
            await take("individuals", f"{HEADER}\n{JOAN}\n")
    with pytest.raises(Unavailable) as refused:
        await found(database, Query(names=("Joan Pettifer",)), clock)
    assert refused.value.reason == "register-not-indexed"
    await take("individuals", f"{HEADER}\n{JOAN}\n")
    assert await found(database, Query(names=("Joan Pettifer",)), clock) == {"R1001"}
