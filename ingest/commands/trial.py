"""A register made of a CSV file for as long as a command takes, and contacts of another file to try on it; nothing is kept."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from ingest.clock import now
from ingest.commands.terminal import bar, table, warn

if TYPE_CHECKING:
    from ingest.database import Database
    from router.match import Query
    from router.register.intake import RefusedRow, Row, Source

BATCH: Final = 500


@dataclass(slots=True)
class LeftOut:
    """What of the files could not be read, as it is found."""

    today: date
    listed: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def rows(self, source: "Source", refused: "Iterator[RefusedRow]") -> None:
        """Note rows that were refused."""
        self.listed.extend((source.path.name, row.line, row.column, row.because) for row in refused)

    def cells(self, source: "Source") -> "Callable[[Row], Row]":
        """What empties a row's unreadable cells."""
        from router.register.intake import unreadable

        def emptied(row: "Row") -> "Row":
            wrong = dict(unreadable(row.cells, self.today))
            self.listed.extend((source.path.name, row.line, column, because) for column, because in wrong.items())
            return replace(row, cells={**row.cells, **dict.fromkeys(wrong, "")}) if wrong else row

        return emptied

    def tell(self) -> None:
        """List it."""
        if self.listed:
            table("Left out", ("File", "Line", "Column", "What is wrong"), self.listed, json=False)
            warn(f"{len(self.listed)} rows or cells could not be read and were left out.")


def contacts_in(file: Path) -> "Source":
    """A file of contacts: a register's columns, with contact_id in the place of person_id. Raises Refused."""
    from router.register.intake import REQUIRED, opened

    return opened(file, ("contact_id", *REQUIRED["individuals"][1:]))


def people_in(file: Path) -> "Source":
    """A file of people, as ``ingest register import`` takes one. Raises Refused."""
    from router.register.intake import OPTIONAL, REQUIRED, opened

    return opened(file, REQUIRED["individuals"], OPTIONAL["individuals"])


@asynccontextmanager
async def register_of(people: "Source", left_out: LeftOut) -> "AsyncGenerator[Database]":
    """A register of the people in a file, in a folder that is gone afterwards."""
    from ingest.database import Database, upgrade
    from router.register import MIGRATIONS
    from router.register.intake import take_in

    with TemporaryDirectory(prefix="ingest-match-") as folder:
        url = f"sqlite:///{folder}/register.db"
        upgrade(url, [MIGRATIONS])
        database = Database(url)
        try:
            done = await take_in(database, "individuals", replace(people, mend=left_out.cells(people)), now, bar)
            left_out.rows(people, iter(done.refused))
            yield database
        finally:
            await database.close()


def batches(asked: "Source", left_out: LeftOut) -> "Iterator[list[Row]]":
    """The contacts of a file, so many at a time; one without an id, or with one that stood before, is left out."""
    from router.register.intake import RefusedRow

    seen: dict[str, int] = {}
    batch: list[Row] = []
    for row in replace(asked, mend=left_out.cells(asked)).rows():
        if isinstance(row, RefusedRow):
            left_out.rows(asked, iter([row]))
            continue
        contact = row.cells["contact_id"]
        if not contact or contact in seen:
            because = f"It stands on line {seen[contact]} already." if contact else "It is blank."
            left_out.rows(asked, iter([RefusedRow(row.line, "contact_id", because)]))
            continue
        seen[contact] = row.line
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def query_of(cells: Mapping[str, str]) -> "Query":
    """What a row's cells say of who writes, in the forms that are compared."""
    from ingest.contract import as_date, canonical_email, canonical_phone, canonical_postcode
    from router.match import Query

    name = " ".join(filter(None, (cells["given_name"], cells["surname"])))
    # Another country's postcode counts as a part of the address.
    abroad = cells["postcode"] if cells["postcode"].isdecimal() else None
    address = ", ".join(filter(None, (cells["address_1"], cells["address_2"], cells["town"], abroad)))
    return Query(
        names=(name,) if name else (),
        date_of_birth=as_date(cells["date_of_birth"]),
        emails=tuple(filter(None, [canonical_email(cells["email"])])),
        phones=tuple(filter(None, [canonical_phone(cells["phone"])])),
        postcodes=tuple(filter(None, [canonical_postcode(cells["postcode"])])),
        address=address or None,
    )
