"""A register of a few people and cases, taken in as an operator would."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.clock import Clock
from ingest.database import Database
from router.register.intake import OPTIONAL, REQUIRED, Imported, Kind, opened, take_in

INDIVIDUALS = """\
person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone,language,reasonable_adjustments,agreed_methods,forbidden_methods,safe_contact_note,arrangement,died_on
R1001,Joan,Pettifer,1944-02-19,14 Quarry Lane,,Alderwick,de804pt,Joan.Pettifer@example.org,01632 960114,cy,Large print;phone only,letter;telephone,email,Never leave word,Ms Oyston,
R1002,Ruth,Abernethy,05/10/1989,Flat 6,Canal Wharf,Marlbridge,LE50 1QN,office@advice.example.org,07700 900322,,,,,,,
R1003,Graham,Pellew,,71 Summerhouse Road,,Harrow Vale,BN60 4TE,office@advice.example.org,,,,,,,,2025-03-01
R1004,Arthur,Pettifer,1940-01-01,14 Quarry Lane,,Alderwick,DE80 4PT,,01632 960114,,,,,,,
"""
CASES = """\
case_reference,person_id,status,stage,owner_email,organisation,owner_active,team_mailbox,decided_on,comments_due
C-2034590,R1001,open,investigation,a.dunmore@example.org,Wexcombe General Hospital,yes,team@example.org,,2026-04-01
P-0409937,,closed,closed,f.dean@example.org,St Aldwyn's Infirmary,no,,2025-11-30,
"""
PARTIES = """\
person_id,case_reference,role,authority,may_be_told,until
R1002,C-2034590,representative,claimed,progress only,2026-02-28
R1003,P-0409937,aggrieved,none,,
"""

SHEETS: dict[Kind, str] = {"individuals": INDIVIDUALS, "cases": CASES, "parties": PARTIES}

Take = Callable[[Kind, str | bytes], Awaitable[Imported]]


@pytest.fixture
def sheets() -> dict[Kind, str]:
    """The three files, in the order in which they are taken in."""
    return SHEETS


@pytest.fixture
def take(database: Database, tmp_path: Path, clock: Clock) -> Take:
    """Take a CSV file in, as text or as bytes."""

    async def taken(kind: Kind, sheet: str | bytes) -> Imported:
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(sheet.encode() if isinstance(sheet, str) else sheet)
        return await take_in(database, kind, opened(path, REQUIRED[kind], OPTIONAL[kind]), clock)

    return taken


@pytest.fixture
async def filled(tmp_path: Path, database: Database) -> Database:
    """The register with everybody in it."""
    for kind, sheet in SHEETS.items():
        source = tmp_path / f"filled-{kind}.csv"
        source.write_text(sheet)
        file = opened(source, REQUIRED[kind], OPTIONAL[kind])
        done = await take_in(database, kind, file, lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
        assert done.refused == ()
    return database
