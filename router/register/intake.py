"""People, cases and parties into the register, from the CSV files that a case system exports.

Taken in again, a row replaces what the register held of that person, case or party; nobody is deleted for being absent from a
file, and an optional column that a file has not leaves what is held as it is. A bad row is refused with its line, its column
and what is wrong, and the others are taken. The service may be running: no transaction writes more than a thousand rows.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Column, Select, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest import state
from ingest.clock import Clock
from ingest.contract import as_date, canonical_case_reference, canonical_email, canonical_phone, canonical_postcode
from ingest.database import Database, insert
from ingest.errors import Refused
from ingest.ids import new_id
from router.match.names import canonical_forename, canonical_surname
from router.register import index
from router.register.tables import addresses, adjustments, audit, cases, identifiers, individuals, parties
from router.writer import MADE, Newcomer

Kind = Literal["individuals", "cases", "parties"]

# Asked for twice of each row, and the slowest of it.
_email, _phone = lru_cache(maxsize=1024)(canonical_email), lru_cache(maxsize=1024)(canonical_phone)

_LONGEST_CELL: Final = 2_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NO_DATE: Final = "It is not a date: write it as YYYY-MM-DD or DD/MM/YYYY."
_LANGUAGE = re.compile(r"^[a-z]{2}$")
_METHODS: Final = frozenset({"telephone", "sms", "email", "letter"})
_ROLES: Final = frozenset({"complainant", "representative", "aggrieved"})
_AUTHORITIES: Final = frozenset({"none", "claimed", "seen"})

REQUIRED: Final[Mapping[Kind, tuple[str, ...]]] = {
    "individuals": (
        *("person_id", "given_name", "surname", "date_of_birth"),
        *("address_1", "address_2", "town", "postcode", "email", "phone"),
    ),
    "cases": ("case_reference", "person_id", "status", "stage", "owner_email", "organisation"),
    "parties": ("person_id", "case_reference", "role", "authority", "may_be_told", "until"),
}
OPTIONAL: Final[Mapping[Kind, tuple[str, ...]]] = {
    "individuals": (
        *("language", "reasonable_adjustments", "agreed_methods", "forbidden_methods", "safe_contact_note"),
        *("arrangement", "died_on", "email_verified_by", "phone_verified_by"),
    ),
    "cases": ("owner_active", "team_mailbox", "decided_on", "comments_due"),
    "parties": (),
}
# The most rows of the register that one row of a file becomes decides how many of them go into one transaction.
_BATCH: Final[Mapping[Kind, int]] = {"individuals": 30, "cases": 400, "parties": 900}
_TOGETHER: Final = 80  # individuals whose keys are made later


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file: where it stands, and its cells by column, without white space at the ends."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken. ``column`` is empty where it is the row as a whole."""

    line: int
    column: str
    because: str


@dataclass(frozen=True, slots=True)
class Source:
    """A CSV file whose header is as it should be. ``lines`` is about how many rows it has, for a progress bar."""

    path: Path
    sha256: str
    encoding: str
    lines: int
    columns: tuple[str, ...]
    mend: Callable[["Row"], "Row"] = lambda row: row  # what each row is put through before anything is made of it

    def rows(self) -> Iterator[Row | RefusedRow]:
        """Every row that is not blank; one of another width than the header, or unreadable, as refused."""
        with self.path.open(encoding=self.encoding, newline="") as text:
            reader = csv.reader(text)
            next(reader)
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield RefusedRow(reader.line_num, "", f"The row cannot be read as CSV: {error}.")
                    continue
                if any(cell.strip() for cell in cells):
                    yield self._row(reader.line_num, cells)

    def _row(self, line: int, cells: Sequence[str]) -> Row | RefusedRow:
        if len(cells) != len(self.columns):
            return RefusedRow(line, "", f"The row has {len(cells)} cells and the header has {len(self.columns)}.")
        for column, cell in zip(self.columns, cells, strict=True):
            if len(cell) > _LONGEST_CELL:
                return RefusedRow(line, column, f"It is longer than {_LONGEST_CELL} characters.")
            if _CONTROL.search(cell):
                return RefusedRow(line, column, "It holds a control character.")
        return self.mend(Row(line, {column: cell.strip() for column, cell in zip(self.columns, cells, strict=True)}))


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    taken: int
    refused: tuple[RefusedRow, ...]


@dataclass(slots=True)
class Rows:
    """What one transaction writes, by table, and for whom."""

    keys: list[str] = field(default_factory=list[str])
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def add(self, table: Table, row: dict[str, Any]) -> None:
        """One more row of a table."""
        self.rows.setdefault(table.name, []).append(row)

    def of(self, table: Table) -> list[dict[str, Any]]:
        """A table's rows."""
        return self.rows.get(table.name, [])


class _Wrong(Exception):
    """A cell that cannot be taken; never leaves this module."""

    def __init__(self, column: str, because: str) -> None:
        super().__init__(because)
        self.column = column
        self.because = because


def opened(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Source:
    """A CSV file in UTF-8, or in Windows-1252 where it is not UTF-8, whose header has every required column.

    Raises Refused: ``file-unreadable``, ``header``.
    """
    try:
        sha256, encoding, lines = _surveyed(path)
        with path.open(encoding=encoding, newline="") as text:
            header = next(csv.reader(text), list[str]())
    except OSError as error:
        raise Refused("file-unreadable", f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused("file-unreadable", f"{path} is not CSV in UTF-8 or Windows-1252.") from error
    columns = tuple(name.strip().casefold() for name in header)
    missing = [name for name in required if name not in columns]
    unknown = [name for name in columns if name not in (*required, *optional)]
    twice = [name for name in dict.fromkeys(columns) if columns.count(name) > 1]
    faults = (("lacks", missing), ("has an unknown column", unknown), ("has twice", twice))
    said = "; ".join(f"{fault} {', '.join(name or '(blank)' for name in names)}" for fault, names in faults if names)
    if said:
        known = ", ".join(required) + (f"; besides these {', '.join(optional)}" if optional else "")
        raise Refused("header", f"The header of {path} {said}. It must have {known}.")
    return Source(path, sha256, encoding, lines, columns)


async def take_in(
    database: Database, kind: Kind, source: Source, clock: Clock, bar: index.Bar = index.unwatched, *, key: bytes | None = None
) -> Imported:
    """Every row of the file into the register, batch by batch; with the service's ``key`` none of somebody who was erased.

    Each batch leaves an audit entry with the file's SHA-256. Stopped midway, it is simply run again. Individuals are found from when
    their batch is in; those of a first import, whose keys are made together, when all are.
    """
    taken = 0
    refused: list[RefusedRow] = []
    first_seen: dict[str, int] = {}
    async with database.write() as connection:
        together = kind == "individuals" and await index.begin(connection)
    with bar(f"Taking in {kind}", source.lines) as progress:
        for rows in _in_batches(source.rows(), (_TOGETHER if together else _BATCH[kind])):
            fresh = [_first_time(kind, row, first_seen) for row in rows]
            async with database.write() as connection:
                if key is not None:
                    fresh = await _not_erased(connection, fresh, key)
                good, bad = await _write(connection, kind, source, fresh, clock(), keyed=not together)
            taken += good
            refused.extend(bad)
            progress(len(rows))
    if together:
        await index.build(database, bar)
    return Imported(taken, tuple(refused))


async def _not_erased(connection: AsyncConnection, rows: Sequence[Row | RefusedRow], key: bytes) -> list[Row | RefusedRow]:
    """The rows, with a refusal in place of each that is of somebody who was erased here and is in the case system still."""
    people = (("individual", row.cells["person_id"]) for row in rows if isinstance(row, Row))
    erased = await state.marks_of(connection, key, people)
    if not erased:
        return list(rows)

    def looked_at(row: Row | RefusedRow) -> Row | RefusedRow:
        if isinstance(row, RefusedRow):
            return row
        person = row.cells["person_id"]
        mark = erased.get(("individual", person))
        if mark is None:
            return row
        return RefusedRow(
            row.line, "person_id",
            f"They were erased on {mark.at:%d %B %Y}. Erase them in the case system too; "
            f"where they have come back to you since, ingest erase {person} --readmit lets them in.",
        )  # fmt: skip

    return [looked_at(each) for each in rows]


def unreadable(cells: Mapping[str, str], today: date) -> Iterator[tuple[str, str]]:
    """The cells that say how a person is known and cannot be read: each column, and what is wrong with it."""
    if cells["email"] and not _email(cells["email"]):
        yield "email", "It is not an email address."
    if cells["phone"] and not _phone(cells["phone"]):
        yield "phone", "It is not a telephone number."
    born = as_date(cells["date_of_birth"])
    if cells["date_of_birth"] and not born:
        yield "date_of_birth", _NO_DATE
    elif born and born > today:
        yield "date_of_birth", "It lies in the future."


async def _write(
    connection: AsyncConnection,
    kind: Kind,
    source: Source,
    rows: Sequence[Row | RefusedRow],
    now: datetime,
    *,
    keyed: bool,
) -> tuple[int, list[RefusedRow]]:
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    known = await _known(connection, [row for row in rows if isinstance(row, Row)]) if kind != "individuals" else _Known()
    batch = Rows()
    for row in rows:
        if isinstance(row, RefusedRow):
            continue
        try:
            match kind:
                case "individuals":
                    _individual(batch, row.cells, source, now)
                case "cases":
                    _case(batch, row.cells, source, known)
                case "parties":
                    _party(batch, row.cells, known)
        except _Wrong as wrong:
            refused.append(RefusedRow(row.line, wrong.column, wrong.because))
    async with index.kept_true(connection, [each["id"] for each in batch.of(individuals) if keyed]):
        if kind == "individuals":
            await _replace(connection, batch, source)
            await hold(connection, batch)
        for table in (adjustments, cases, parties):
            await _upsert(connection, table, batch.of(table))
    evidence = {"kind": kind, "file_sha256": source.sha256, "taken": len(batch.keys), "refused": len(refused)}
    entry = {"id": new_id(), "at": now, "action": "register-imported", "actor": "register import", "evidence": evidence}
    await connection.execute(audit.insert().values(entry))
    return len(batch.keys), sorted(refused, key=lambda row: row.line)


def _individual(batch: Rows, cells: Mapping[str, str], source: Source, now: datetime) -> None:
    for column, because in unreadable(cells, now.date()):
        raise _Wrong(column, because)
    person, born = cells["person_id"], as_date(cells["date_of_birth"])
    if person.startswith(MADE):
        raise _Wrong("person_id", f"Ids that begin with {MADE} are the router's own.")
    row = _who(person, cells["given_name"] or None, cells["surname"] or None, born, now)
    for column in ("safe_contact_note", "arrangement"):
        if column in source.columns:
            row[column] = cells[column] or None
    for column in ("agreed_methods", "forbidden_methods"):
        row |= {column: _methods(cells, column)} if column in source.columns else {}
    if "language" in source.columns:
        row["language"] = _language(cells)
    if "died_on" in source.columns:
        row["died_on"] = _day(cells, "died_on")
    needs = _needs(cells) if "reasonable_adjustments" in source.columns else {}
    batch.keys.append(person)
    batch.add(individuals, row)
    for kind, canonical in (("email", _email(cells["email"])), ("phone", _phone(cells["phone"]))):
        if canonical:
            point = {"individual_id": person, "kind": kind, "canonical": canonical, "given": cells[kind], "since": now}
            batch.add(identifiers, point | {"verified_by": cells.get(f"{kind}_verified_by") or None})
    lines = [cells[column] for column in ("address_1", "address_2", "town") if cells[column]]
    _place(batch, person, lines, cells["postcode"] or None, now)
    for kind, words in needs.items():
        need = {"individual_id": person, "kind": kind, "words": words, "since": now, "source": "register"}
        batch.add(adjustments, need)


def _who(id_: str, given_name: str | None, surname: str | None, born: date | None, now: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "given_name": given_name,
        "surname": surname,
        "canonical_surname": canonical_surname(surname),
        "canonical_forename": canonical_forename(given_name),
        "date_of_birth": born,
        "imported_at": now,
    }


def _place(batch: Rows, person: str, lines: Sequence[str], postcode: str | None, now: datetime) -> None:
    if lines or postcode:
        canonical = canonical_postcode(postcode) if postcode else None
        row = {"individual_id": person, "lines": list(lines), "postcode": postcode, "canonical_postcode": canonical}
        batch.add(addresses, row | {"since": now})


async def make(connection: AsyncConnection, newcomers: Mapping[UUID, Newcomer], now: datetime) -> None:
    """Individuals out of what contacts say of their writers, by the contact; whoever is there already stays as they are."""
    rows = Rows()
    first: dict[str, UUID] = {}
    for contact_id, each in newcomers.items():
        first.setdefault(each.individual_id, contact_id)
    for id_, contact_id in sorted(first.items()):
        each = newcomers[contact_id]
        row = _who(id_, each.given_name, each.surname, each.date_of_birth, now)
        none: dict[str, Any] = {"agreed_methods": [], "forbidden_methods": []}
        rows.add(individuals, row | none | {"language": each.language, "made_from": contact_id})
        for point in each.identifiers:
            held = {"individual_id": id_, "kind": point.kind, "canonical": point.canonical, "given": point.given}
            rows.add(identifiers, held | {"since": now, "verified_by": point.verified_by})
        _place(rows, id_, each.lines, each.postcode, now)
    await index.keyed(connection, await hold(connection, rows, only_new=True))


async def hold(connection: AsyncConnection, rows: Rows, *, only_new: bool = False) -> set[str]:
    """Individuals with their identifiers and addresses: nothing else writes these three tables. Their keys are the caller's to keep true.

    What is there is set to what is given; with ``only_new`` an individual who is there already is left as they are, whole. Answers with
    those who were written.
    """
    if only_new:
        put = insert(individuals).on_conflict_do_nothing().returning(individuals.c.id)
        new = set((await connection.execute(put, rows.of(individuals))).scalars()) if rows.of(individuals) else set[str]()
    else:
        await _upsert(connection, individuals, rows.of(individuals))
        new = {row["id"] for row in rows.of(individuals)}
    for table in (identifiers, addresses):
        await _upsert(connection, table, [row for row in rows.of(table) if row["individual_id"] in new])
    return new


def _case(batch: Rows, cells: Mapping[str, str], source: Source, known: "_Known") -> None:
    reference = _reference(cells)
    person = cells["person_id"]
    if person and person not in known.people:
        raise _Wrong("person_id", "The register has nobody of this id: import the individuals first.")
    row: dict[str, Any] = {
        "reference": reference,
        "status": _one_of(cells, "status", frozenset({"open", "closed"})),
        "stage": cells["stage"] or None,
        "organisation": cells["organisation"] or None,
        "owner_email": _mailbox(cells, "owner_email"),
    }
    if "owner_active" in source.columns:
        row["owner_active"] = _one_of(cells, "owner_active", frozenset({"", "true", "false", "yes", "no"})) not in {
            "false",
            "no",
        }
    if "team_mailbox" in source.columns:
        row["team_mailbox"] = _mailbox(cells, "team_mailbox")
    for column in ("decided_on", "comments_due"):
        if column in source.columns:
            row[column] = _day(cells, column)
    batch.keys.append(reference)
    batch.add(cases, row)
    if person:
        part = {"individual_id": person, "case_reference": reference, "role": "complainant", "authority": "seen"}
        batch.add(parties, part)


def _party(batch: Rows, cells: Mapping[str, str], known: "_Known") -> None:
    reference = _reference(cells)
    if cells["person_id"] not in known.people:
        raise _Wrong("person_id", "The register has nobody of this id: import the individuals first.")
    if reference not in known.cases:
        raise _Wrong("case_reference", "The register has no such case: import the cases first.")
    row = {
        "individual_id": cells["person_id"],
        "case_reference": reference,
        "role": _one_of(cells, "role", _ROLES),
        "authority": _one_of(cells, "authority", _AUTHORITIES),
        "may_be_told": cells["may_be_told"] or None,
        "until": _day(cells, "until"),
    }
    batch.keys.append(reference)
    batch.add(parties, row)


@dataclass(frozen=True, slots=True)
class _Known:
    """Which people and cases that rows name are in the register."""

    people: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()


async def _known(connection: AsyncConnection, rows: Sequence[Row]) -> _Known:
    people = select(individuals.c.id).where(individuals.c.id.in_({row.cells["person_id"] for row in rows}))
    references = {canonical_case_reference(row.cells["case_reference"]) for row in rows} - {None}
    held = select(cases.c.reference).where(cases.c.reference.in_(references))
    return _Known(await _column(connection, people), await _column(connection, held))


async def _column(connection: AsyncConnection, statement: Select[str]) -> frozenset[str]:
    return frozenset((await connection.execute(statement)).scalars())


async def _replace(connection: AsyncConnection, batch: Rows, source: Source) -> None:
    """Clear what the file replaces, and carry over since when the same thing has been known, and by what it was proved."""
    before: dict[tuple[str, str, str], tuple[datetime, str | None]] = {}
    for row in await connection.execute(select(identifiers).where(identifiers.c.individual_id.in_(batch.keys))):
        before[row.individual_id, row.kind, row.canonical] = (row.since, row.verified_by)
    for point in batch.of(identifiers):
        held = before.get((point["individual_id"], point["kind"], point["canonical"]))
        if held:
            point["since"] = held[0]
            if f"{point['kind']}_verified_by" not in source.columns:
                point["verified_by"] = held[1]
    housed = {
        (row.individual_id, tuple(row.lines)): row.since
        for row in await connection.execute(select(addresses).where(addresses.c.individual_id.in_(batch.keys)))
    }
    for place in batch.of(addresses):
        place["since"] = housed.get((place["individual_id"], tuple(place["lines"])), place["since"])
    for table in (identifiers, addresses):
        await connection.execute(delete(table).where(table.c.individual_id.in_(batch.keys)))
    if "reasonable_adjustments" in source.columns:
        stale = delete(adjustments).where(adjustments.c.individual_id.in_(batch.keys), adjustments.c.source == "register")
        await connection.execute(stale)


async def _upsert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert, or set every column that the rows name; what a person told us themselves is never overwritten."""
    if not rows:
        return
    into = insert(table)
    keys: list[Column[Any]] = list(table.primary_key.columns)
    changed = {name: into.excluded[name] for name in rows[0] if name not in {key.name for key in keys}}
    if table is adjustments:
        await connection.execute(into.on_conflict_do_nothing(index_elements=keys), rows)
    else:
        await connection.execute(into.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _first_time(kind: Kind, row: Row | RefusedRow, first_seen: dict[str, int]) -> Row | RefusedRow:
    """The row, or a refusal where an earlier row of the file has the same key or it has none."""
    if isinstance(row, RefusedRow):
        return row
    columns = {"individuals": ("person_id",), "cases": ("case_reference",), "parties": ("person_id", "case_reference")}[kind]
    for column in columns:
        if not row.cells[column]:
            return RefusedRow(row.line, column, "It is blank.")
    key = "\x1f".join(canonical_case_reference(row.cells[column]) or row.cells[column] for column in columns)
    earlier = first_seen.setdefault(key, row.line)
    return row if earlier == row.line else RefusedRow(row.line, columns[0], f"It stands on line {earlier} already.")


def _in_batches(rows: Iterator[Row | RefusedRow], size: int) -> Iterator[list[Row | RefusedRow]]:
    batch: list[Row | RefusedRow] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _surveyed(path: Path) -> tuple[str, str, int]:
    """The file's SHA-256, its encoding and its lines, in one pass."""
    sha256 = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    encoding, lines = "utf-8-sig", 0
    with path.open("rb") as raw:
        while chunk := raw.read(1 << 20):
            sha256.update(chunk)
            lines += chunk.count(b"\n")
            encoding = encoding if _decodes(decoder, chunk, last=False) else "cp1252"
    return sha256.hexdigest(), encoding if _decodes(decoder, b"", last=True) else "cp1252", max(lines - 1, 0)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, last: bool) -> bool:
    try:
        decoder.decode(chunk, last)
    except UnicodeDecodeError:
        decoder.reset()
        return False
    return True


def _reference(cells: Mapping[str, str]) -> str:
    reference = canonical_case_reference(cells["case_reference"])
    if not reference:
        raise _Wrong("case_reference", "It is no case reference: they look like C-2034567, P-0123456 or EN-123456.")
    return reference


def _mailbox(cells: Mapping[str, str], column: str) -> str | None:
    if cells[column] and not canonical_email(cells[column]):
        raise _Wrong(column, "It is not an email address.")
    return cells[column] or None


def _one_of(cells: Mapping[str, str], column: str, words: frozenset[str]) -> str:
    word = cells[column].casefold()
    if word not in words:
        raise _Wrong(column, f"It must be one of {', '.join(sorted(filter(None, words)))}.")
    return word


def _several(cells: Mapping[str, str], column: str) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in cells[column].split(";") if word.strip()))


def _methods(cells: Mapping[str, str], column: str) -> list[str]:
    words = [word.casefold() for word in _several(cells, column)]
    if not _METHODS.issuperset(words):
        raise _Wrong(column, f"Between semicolons it may hold {', '.join(sorted(_METHODS))}.")
    return words


def _needs(cells: Mapping[str, str]) -> dict[str, str]:
    """Each adjustment's kind, as ``large_print``, to its words."""
    needs = {re.sub(r"[\s-]+", "_", word.casefold()): word for word in _several(cells, "reasonable_adjustments")}
    if len(needs) > 8:
        raise _Wrong("reasonable_adjustments", "It names more than 8.")
    return needs


def _language(cells: Mapping[str, str]) -> str | None:
    language = cells["language"].casefold()
    if language and not _LANGUAGE.match(language):
        raise _Wrong("language", "It must be two letters of ISO 639-1, such as en or cy.")
    return language or None


def _day(cells: Mapping[str, str], column: str) -> date | None:
    day = as_date(cells[column])
    if cells[column] and not day:
        raise _Wrong(column, _NO_DATE)
    return day
