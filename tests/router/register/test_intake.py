"""What a case system exports is taken in whole, again and again, and a bad row is refused with its line and its column."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.clock import Clock
from ingest.database import Database
from ingest.errors import Refused
from ingest.ids import digest
from router.register.intake import OPTIONAL, REQUIRED, Imported, Kind, RefusedRow, opened, take_in
from router.register.tables import addresses, adjustments, audit, cases, identifiers, individuals, parties

Take = Callable[[Kind, str | bytes], Awaitable[Imported]]

HEADER = "person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone"
JOAN = "R1001,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,DE80 4PT,joan@example.org,01632 960114"


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    async with database.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(select(table))]


async def test_people_are_held_as_given_and_as_they_are_compared(filled: Database) -> None:
    joan, ruth, *_ = await rows(filled, individuals)
    assert (joan["canonical_surname"], joan["canonical_forename"]) == ("pettifer", "joan")
    assert joan["agreed_methods"] == ["letter", "telephone"]
    assert ruth["date_of_birth"] == date(1989, 10, 5)
    email = next(each for each in await rows(filled, identifiers) if each["kind"] == "email")
    assert (email["given"], email["canonical"]) == ("Joan.Pettifer@example.org", "joan.pettifer@example.org")
    home = next(each for each in await rows(filled, addresses) if each["individual_id"] == "R1001")
    assert (home["lines"], home["postcode"], home["canonical_postcode"]) == (
        ["14 Quarry Lane", "Alderwick"],
        "de804pt",
        "DE80 4PT",
    )
    assert [(each["kind"], each["words"]) for each in await rows(filled, adjustments)] == [
        ("large_print", "Large print"),
        ("phone_only", "phone only"),
    ]


async def test_the_person_a_case_names_is_its_complainant_with_authority_seen(filled: Database) -> None:
    found = {each["individual_id"]: (each["role"], each["authority"]) for each in await rows(filled, parties)}
    assert found == {
        "R1001": ("complainant", "seen"),
        "R1002": ("representative", "claimed"),
        "R1003": ("aggrieved", "none"),
    }


async def test_taking_the_same_files_in_again_changes_nothing(filled: Database, take: Take, sheets: dict[Kind, str]) -> None:
    tables = (individuals, identifiers, addresses, adjustments, cases, parties)
    before = [await rows(filled, table) for table in tables]
    for kind, sheet in sheets.items():
        await take(kind, sheet)
    assert [await rows(filled, table) for table in tables] == before


async def test_a_row_taken_in_again_replaces_what_the_file_speaks_of_and_nothing_else(
    filled: Database, take: Take, clock: Clock
) -> None:
    need = {"individual_id": "R1001", "kind": "bsl_interpreter", "words": "BSL please", "since": clock(), "source": "a contact"}
    async with filled.write() as connection:
        await connection.execute(insert(adjustments), [need])
    await take("individuals", f"{HEADER}\n{JOAN.replace('joan@', 'new@').replace('14 Quarry', '2 Market')}\n")
    (joan,) = (each for each in await rows(filled, individuals) if each["id"] == "R1001")
    assert joan["safe_contact_note"] == "Never leave word"
    assert len(await rows(filled, individuals)) == 4
    assert len(await rows(filled, adjustments)) == 3
    held = [each["canonical"] for each in await rows(filled, identifiers) if each["individual_id"] == "R1001"]
    assert sorted(held) == ["+441632960114", "new@example.org"]
    homes = [each["lines"] for each in await rows(filled, addresses) if each["individual_id"] == "R1001"]
    assert homes == [["2 Market Lane", "Alderwick"]]


async def test_an_optional_cell_left_blank_clears_what_was_held(filled: Database, take: Take) -> None:
    await take("individuals", f"{HEADER},safe_contact_note,reasonable_adjustments\n{JOAN},,\n")
    (joan,) = (each for each in await rows(filled, individuals) if each["id"] == "R1001")
    assert joan["safe_contact_note"] is None
    assert await rows(filled, adjustments) == []


async def test_how_an_identifier_was_proved_and_since_when_outlasts_another_import(
    database: Database, tmp_path: Path, take: Take, clock: Clock
) -> None:
    await take("individuals", f"{HEADER},email_verified_by\n{JOAN},sign-in\n")
    path = tmp_path / "later.csv"
    path.write_text(f"{HEADER}\n{JOAN}\n")
    later = opened(path, REQUIRED["individuals"], OPTIONAL["individuals"])
    await take_in(database, "individuals", later, lambda: datetime(2027, 1, 1, tzinfo=UTC))
    email = next(each for each in await rows(database, identifiers) if each["kind"] == "email")
    assert (email["verified_by"], email["since"]) == ("sign-in", clock())


@pytest.mark.parametrize(
    ("kind", "row", "column", "because"),
    [
        ("individuals", JOAN.replace("R1001", ""), "person_id", "It is blank."),
        (
            "individuals",
            JOAN.replace("1944-02-19", "19.2.44"),
            "date_of_birth",
            "It is not a date: write it as YYYY-MM-DD or DD/MM/YYYY.",
        ),
        ("individuals", JOAN.replace("1944-02-19", "2044-02-19"), "date_of_birth", "It lies in the future."),
        ("individuals", JOAN.replace("joan@example.org", "joan at home"), "email", "It is not an email address."),
        ("individuals", JOAN.replace("01632 960114", "ask"), "phone", "It is not a telephone number."),
        ("individuals", JOAN.replace("Joan", "Jo\x07an"), "given_name", "It holds a control character."),
        ("individuals", JOAN.replace("Joan", "J" * 3000), "given_name", "It is longer than 2000 characters."),
        ("individuals", JOAN + ",", "", "The row has 11 cells and the header has 10."),
        (
            "cases",
            "X-1,R1001,open,,,",
            "case_reference",
            "It is no case reference: they look like C-2034567, P-0123456 or EN-123456.",
        ),
        ("cases", "C-2034591,R9999,open,,,", "person_id", "The register has nobody of this id: import the individuals first."),
        ("cases", "C-2034591,R1001,pending,,,", "status", "It must be one of closed, open."),
        ("cases", "C-2034591,R1001,open,,nobody,", "owner_email", "It is not an email address."),
        (
            "parties",
            "R9999,C-2034590,complainant,seen,,",
            "person_id",
            "The register has nobody of this id: import the individuals first.",
        ),
        (
            "parties",
            "R1001,C-2039999,complainant,seen,,",
            "case_reference",
            "The register has no such case: import the cases first.",
        ),
        ("parties", "R1001,C-2034590,friend,seen,,", "role", "It must be one of aggrieved, complainant, representative."),
        ("parties", "R1001,C-2034590,complainant,yes,,", "authority", "It must be one of claimed, none, seen."),
        (
            "parties",
            "R1001,C-2034590,complainant,seen,,soon",
            "until",
            "It is not a date: write it as YYYY-MM-DD or DD/MM/YYYY.",
        ),
    ],
)
async def test_a_bad_row_is_refused_with_its_line_its_column_and_what_is_wrong(
    filled: Database, take: Take, kind: Kind, row: str, column: str, because: str
) -> None:
    done = await take(kind, f"{','.join(REQUIRED[kind])}\n\n{row}\n")
    assert done == Imported(0, (RefusedRow(3, column, because),))


@pytest.mark.parametrize(
    ("column", "cell", "because"),
    [
        ("language", "Welsh", "It must be two letters of ISO 639-1, such as en or cy."),
        ("agreed_methods", "letter;pigeon", "Between semicolons it may hold email, letter, sms, telephone."),
        ("reasonable_adjustments", "a;b;c;d;e;f;g;h;i", "It names more than 8."),
        ("died_on", "yes", "It is not a date: write it as YYYY-MM-DD or DD/MM/YYYY."),
    ],
)
async def test_optional_columns_are_held_to_their_form(take: Take, column: str, cell: str, because: str) -> None:
    done = await take("individuals", f"{HEADER},{column}\n{JOAN},{cell}\n")
    assert done.refused == (RefusedRow(2, column, because),)


async def test_the_good_rows_around_a_bad_one_are_taken(database: Database, take: Take) -> None:
    second = JOAN.replace("R1001", "R1002")
    sheet = f"{HEADER}\n{JOAN}\nR1,too,few\n{JOAN.replace('Joan', 'Jean')}\n{second}\n"
    done = await take("individuals", sheet)
    assert done.taken == 2
    assert done.refused == (
        RefusedRow(3, "", "The row has 3 cells and the header has 10."),
        RefusedRow(4, "person_id", "It stands on line 2 already."),
    )
    assert [each["given_name"] for each in await rows(database, individuals)] == ["Joan", "Joan"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_a_file_from_a_spreadsheet_is_read_in_its_encoding(database: Database, take: Take, encoding: str) -> None:
    sheet = f"{HEADER}\r\n{JOAN.replace('Joan', 'Siân')}\r\n".encode(encoding)
    assert (await take("individuals", sheet)).refused == ()
    assert (await rows(database, individuals))[0]["given_name"] == "Siân"


async def test_a_letter_cut_in_two_by_the_reading_is_still_utf_8(database: Database, take: Take) -> None:
    filler = "\n" * ((1 << 20) - len(f"{HEADER}\nR1001,Si"))
    done = await take("individuals", f"{HEADER}\n{filler}{JOAN.replace('Joan', 'Siân')}\n")
    assert done.taken == 1
    assert (await rows(database, individuals))[0]["given_name"] == "Siân"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace(",email", ""), "lacks email"),
        (HEADER + ",favourite_colour", "has an unknown column favourite_colour"),
        (HEADER + ",email", "has twice email"),
        ("", "lacks person_id, given_name"),
    ],
)
def test_a_wrong_header_is_refused_with_what_is_missing(tmp_path: Path, header: str, said: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"{header}\n{JOAN}\n")
    with pytest.raises(Refused) as refused:
        opened(path, REQUIRED["individuals"], OPTIONAL["individuals"])
    assert refused.value.reason == "header"
    assert said in refused.value.sentence


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x81\x8d", b'"' + b"x" * 200_000])
def test_a_file_that_is_no_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(Refused):
        opened(path, REQUIRED["individuals"])


async def test_an_endless_quoted_cell_is_refused_and_the_rest_of_the_file_with_it(take: Take) -> None:
    done = await take("individuals", f'{HEADER}\n{JOAN}\nR1002,"{"x," * 200_000}\n')
    assert done.taken == 1
    assert done.refused[0].because.startswith("The row cannot be read as CSV")


async def test_every_batch_leaves_an_audit_entry_with_the_files_digest(filled: Database, sheets: dict[Kind, str]) -> None:
    entries = await rows(filled, audit)
    assert [each["action"] for each in entries] == ["register-imported"] * 3
    assert entries[0]["evidence"] == {
        "kind": "individuals",
        "file_sha256": digest(sheets["individuals"].encode()),
        "taken": 4,
        "refused": 0,
    }


async def test_no_transaction_writes_more_than_a_thousand_rows(
    database: Database, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = ";".join(f"need {each}" for each in range(8))
    sheet = [f"{HEADER},reasonable_adjustments", *(f"{JOAN.replace('R1001', f'R{each}')},{needs}" for each in range(500))]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(sheet))
    written: list[int] = []

    def begun(_: AsyncConnection) -> None:
        written.append(0)

    def executed(_: object, cursor: Any, statement: str, parameters: Any, __: object, many: bool) -> None:
        if statement.startswith("INSERT") and "INTO individual_keys" not in statement:
            written[-1] += len(parameters) if many else cursor.rowcount

    event.listen(database._engine.sync_engine, "begin", begun)
    event.listen(database._engine.sync_engine, "after_cursor_execute", executed)
    source = opened(path, REQUIRED["individuals"], OPTIONAL["individuals"])
    done = await take_in(database, "individuals", source, clock)
    assert done.taken == 500
    assert sum(written) >= 500 * 12
    assert max(written) <= 1_000
