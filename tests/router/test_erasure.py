"""Somebody erased: whatever is searched afterwards, nothing of them is found but the mark, and the audit trail verifies.

The search knows no table, file or topic by name: it reflects the database's tables, walks the service's folder, and reads every topic.
"""

import asyncio
import json
import re
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import MetaData, inspect, select, update

from ingest import state
from ingest.contract import TOPIC_NAMES, Attachment, Contact, Identifier, Person
from ingest.database import Database
from ingest.errors import Refused
from ingest.ids import digest, reference
from ingest.key import Key
from ingest.log import Log
from ingest.originals import Originals
from router import duties, outbox
from router.erasure import again, back, erase, erased_before, finish, mentions, readmit, recall, remaining
from router.individuals import Desk, unlink
from router.register import tables
from router.register.intake import OPTIONAL, REQUIRED, opened, take_in
from router.removal import ERASED, NOBODY, Word
from tests.router.conftest import KEY, written

JOAN: Final = "joan.pettifer@canary.example"
PHONE: Final = "+447700900987"
RUDE: Final = (
    "I want to complain about your service. Nobody called me back and your staff were rude to me on the telephone. "
    "My zebra keeper wept. I use large print. Do not call me, he answers my telephone. My name is Joan Pettifer, 14 Quarry Lane, DE80 4PT."
)
WORDS: Final = (
    JOAN,
    PHONE,
    "07700900987",
    "Pettifer",
    "Quarry Lane",
    "DE80 4PT",
    "zebra keeper",
    "tell-tale.pdf",
    "a tell-tale file",
    "R4815162J",
)
"""What no search may find; ``R4815162J`` is how the case system calls her."""
ANN: Final = "ann@example.com"


def person_of(email: str, name: str | None = None, *more: Identifier) -> Person:
    return Person(name=name, identifiers=(Identifier(kind="email", given=email, canonical=email, verified_by="dmarc"), *more))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The service's own."""
    return tmp_path


@pytest.fixture
def originals(folder: Path) -> Originals:
    return Originals(f"file:///{folder}/originals")


@pytest.fixture
def kept(folder: Path) -> tuple[Originals, ...]:
    return (Originals(f"file:///{folder}/originals/erased"),)


@pytest.fixture
def word(clock) -> Word:
    return Word(ERASED, "Sam", "she asked for it", clock())


@pytest.fixture
def everything(database, log, originals, kept, clock, word):
    """Erase R4815162J, and see to all that is outside the register."""

    async def all_of_it(individual: str = "R4815162J", on: Word = word, **given: Any):
        done = await erase(database, KEY, individual, on, even_if_open=True, **given)
        return done, await finish(database, log, originals, kept, KEY, clock, also=done.gone)

    return all_of_it


_REFLECTED: dict[str | None, MetaData] = {}  # how the tables are takes longer to ask than what is in them


async def tables_of(database: Database) -> dict[str, list[str]]:
    """Every row of every table there is, as text."""
    found: dict[str, list[str]] = {}
    schemas = [None] if database.url.startswith("sqlite") else ["public", "state"]
    async with database.read() as connection:
        for schema in schemas:
            names = await connection.run_sync(lambda it, schema=schema: inspect(it).get_table_names(schema=schema))
            reflected = _REFLECTED.setdefault(schema, MetaData())
            if not reflected.tables:
                await connection.run_sync(
                    lambda it, schema=schema, reflected=reflected: reflected.reflect(it, schema=schema, resolve_fks=False)
                )
            assert sorted(names) == sorted(each.name for each in reflected.tables.values())
            for table in reflected.tables.values():
                found[table.name] = [plain(tuple(row)) for row in await connection.execute(select(table))]
    return found


def plain(row: Sequence[Any]) -> str:
    return " ".join(each.decode("latin-1") if isinstance(each, bytes) else str(each) for each in row)


async def topics_of(log: Log) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for topic in TOPIC_NAMES:
        records = await log.read(topic, after={}, most=10_000)
        found[topic] = [plain((r.record.key, *(plain(each) for each in r.record.headers), r.record.value)) for r in records]
    return found


def files_of(folder: Path) -> dict[str, str]:
    return {str(each.relative_to(folder)): each.read_bytes().decode("latin-1") for each in folder.rglob("*") if each.is_file()}


async def search(database: Database, log: Log, folder: Path, more: Collection[str] = ()) -> dict[str, str]:
    """Where any of her words is found, and what stands around the first."""
    words = re.compile(
        "|".join(rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])" for each in (*WORDS, *more)), re.IGNORECASE
    )
    places = {f"table {name}": rows for name, rows in (await tables_of(database)).items()}
    places |= {f"topic {name}": records for name, records in (await topics_of(log)).items()}
    places |= {f"file {name}": [text] for name, text in files_of(folder).items()}
    places |= {f"name of {name}": [name] for name in files_of(folder)}
    hits = {place: next((each for text in texts if (each := words.search(text))), None) for place, texts in places.items()}
    return {place: hit.string[max(0, hit.start() - 60) : hit.end() + 20] for place, hit in hits.items() if hit}


@pytest.fixture
def joans(contact, person, append, route, originals, log, database, store, clock):
    """All that there can be of Joan, and some of Ann: what each wrote, by the key of what it is."""

    async def wrote() -> dict[str, Contact]:
        await person(
            "R4815162J", ("Joan", "Pettifer"), JOAN, born=date(1961, 2, 3), cases=[("C-2034567", "complainant", "seen")]
        )
        await person("R2", ("Ann", "Okafor"), ANN, postcode=None)
        async with database.write() as connection:
            case = {"reference": "C-2034567", "status": "closed", "owner_active": False}
            await connection.execute(tables.cases.insert().values(case))
        file = b"a tell-tale file"
        await originals.put([file, b"From Joan Pettifer", b"a picture that both sent"])
        both = Attachment(digest=digest(b"a picture that both sent"), name="logo.png", content_type="image/png", size=5)
        told = Attachment(digest=digest(file), name="tell-tale.pdf", content_type="application/pdf", size=5)
        phone = Identifier(kind="phone", given="07700900987", canonical=PHONE)
        joan, ann = person_of(JOAN, "Joan Pettifer", phone), person_of(ANN, "Ann Okafor")
        made = {
            "feedback": contact(RUDE, sender=joan, original=digest(b"From Joan Pettifer"), attachments=(told, both)),
            "urgent": contact(f"{RUDE} I am going to kill myself tonight.", sender=joan),
            "case": contact(
                "My comments on the draft report in C-2034567: the date on page 2 is wrong. My zebra keeper saw it.",
                sender=joan,
            ),
            "ann": contact(RUDE.partition(" My zebra")[0], sender=ann, attachments=(both,)),
        }
        await append(*made.values())
        dead = contact(RUDE, sender=joan)
        await append(written(dead, value=dead.model_dump_json().replace('"text"', '"txt"').encode()))
        by_phone = Person(name="Joan Pettifer", identifiers=(phone,))  # another key: what is behind it would be parked as well
        await append(written(contact(RUDE, sender=by_phone), ce_type="contact-ingest.contact.v9"))
        await route()
        while await outbox.publish(log, database):
            pass
        await duties.seal(database, clock)
        return made

    return wrote


@pytest.fixture
def contact(contact):
    """As the router's, from a person rather than an address."""

    def make(text: str, *, sender: Person, **fields: Any) -> Contact:
        return contact(text, None).model_copy(update={"sender": sender, **fields})

    return make


async def test_after_an_erasure_nothing_of_them_is_found_but_the_mark_and_the_trail_verifies(
    joans, everything, database, log, folder, clock
):
    made = await joans()
    theirs = [made[each] for each in ("feedback", "urgent", "case")]
    names = [name for each in theirs for name in (str(each.id), each.id.hex, reference(each.id))]
    before = await search(database, log, folder, names)
    for place in (
        "contacts",
        "individuals",
        "identifiers",
        "feedback_records",
        "tasks",
        "outgoing",
        "audit",
        "dead_letters",
        "parked",
    ):
        assert f"table {place}" in before
    for topic in ("contacts", "records.feedback", "tasks", "outgoing", "contacts.dead-letter"):
        assert f"topic {topic}" in before
    assert any(each.startswith("file originals/") for each in before)

    done, found = await everything()
    assert await search(database, log, folder, names) == {}
    assert done.contacts == 5
    assert found.originals.kept == 1
    verdict = await duties.verify_audit(database)
    assert (verdict.holds, verdict.faults) == (True, ())
    assert (await erased_before(database, KEY, "R4815162J")) == (clock(), "Sam")


async def test_what_is_somebody_elses_is_as_it_was(joans, everything, database, log, originals, rows):
    made = await joans()
    ann = made["ann"]

    async def hers() -> list[Any]:
        found = [
            await rows(table, table.c.contact_id == ann.id)
            for table in (tables.feedback_records, tables.dispositions, tables.audit)
        ]
        found.append(await rows(tables.contacts, tables.contacts.c.id == ann.id))
        return [*found, await rows(tables.identifiers, tables.identifiers.c.individual_id == "R2")]

    before = await hers()
    records = {name: len(each) for name, each in (await topics_of(log)).items()}
    await everything()
    assert await hers() == before
    assert await originals.get(digest(b"a picture that both sent"))
    assert {name: len(each) for name, each in (await topics_of(log)).items()} == records


async def test_read_again_from_the_beginning_nothing_of_them_comes_back(
    joans, everything, database, log, folder, route, worker
):
    await joans()
    await everything()
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert (await log.lag("contacts", "router")).records == 0
    assert await search(database, log, folder) == {}
    assert worker.dead_in_a_row == 0


async def test_the_same_records_on_a_log_that_keeps_them_are_settled_too(joans, database, log, folder, route, word, rows):
    made = await joans()
    await erase(database, KEY, "R4815162J", word, even_if_open=True)
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert {each.id for each in await rows(tables.contacts)} == {made["ann"].id}
    assert await rows(tables.dead_letters) == []
    assert await rows(tables.parked) == []


async def test_what_comes_of_their_address_afterwards_waits_behind_nothing_that_is_gone(
    joans, everything, contact, append, log, worker, rows
):
    await joans()
    worker.stopping.clear()
    worker.parked_keys.clear()
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(30):
        while not worker.parked_keys:
            await asyncio.sleep(0.01)
        await everything()
        phone = Identifier(kind="phone", given="07700900987", canonical=PHONE)
        later = contact("A few words.", sender=Person(name="Joan Pettifer", identifiers=(phone,)))
        await append(later)
        while (await log.lag("contacts", "router")).records:
            await asyncio.sleep(0.01)
    worker.stopping.set()
    await running
    assert later.id in {row.id for row in await rows(tables.contacts)}
    assert await rows(tables.parked) == []


async def test_after_the_key_was_rotated_nothing_of_them_comes_back_either(
    joans, everything, database, log, folder, route, worker, case_systems, kept, clock
):
    await joans()
    await everything()
    rotated = Key(b"a key of later days, of 32 bytes", [KEY])
    worker.key = rotated
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert await search(database, log, folder) == {}
    assert (await case_systems(rotated)).taken == 0
    assert await readmit(database, rotated, "R4815162J", Word(ERASED, "Sam", "is back", clock()), kept)
    assert (await case_systems(rotated)).taken == 1


async def test_what_they_write_from_now_on_is_a_strangers(joans, everything, contact, append, route, rows):
    await joans()
    await everything()
    new = contact(RUDE, sender=person_of(JOAN, "Joan Pettifer"))
    await append(new)
    await route()
    (row,) = await rows(tables.links, tables.links.c.contact_id == new.id)
    assert row.individual_id.startswith("made-")
    assert await rows(tables.feedback_records, tables.feedback_records.c.contact_id == new.id)


async def test_what_is_open_is_in_the_way_and_is_told(joans, database, word, rows):
    await joans()
    async with database.write() as connection:
        await connection.execute(update(tables.cases).values(status="open"))
    before = await tables_of(database)
    with pytest.raises(Refused) as refused:
        await erase(database, KEY, "R4815162J", word)
    assert refused.value.reason == "open"
    assert "The case C-2034567 is open." in refused.value.sentence
    assert "Tasks about them (urgent) that are not done: 1." in refused.value.sentence
    assert await tables_of(database) == before


async def test_a_rehearsal_tells_what_would_go_and_changes_nothing(joans, database, word, log):
    await joans()
    before = await tables_of(database)
    told = await erase(database, KEY, "R4815162J", word, rehearse=True)
    assert await tables_of(database) == before
    assert (told.contacts, told.removed.rows["individuals"], told.removed.rows["contacts"]) == (5, 1, 3)
    assert told.holds
    left = {each.topic: each.records for each in await remaining(database, log, KEY, told.gone)}
    assert left["contacts"] == 5
    done = await erase(database, KEY, "R4815162J", word, even_if_open=True)
    assert done.removed.rows == told.removed.rows


async def test_nobody_and_somebody_who_counts_as_another_are_refused(joans, database, word):
    await joans()
    with pytest.raises(Refused, match="ingest register search"):
        await erase(database, KEY, "R9", word)
    async with database.write() as connection:
        await connection.execute(
            update(tables.individuals).where(tables.individuals.c.id == "R2").values(merged_into="R4815162J")
        )
    with pytest.raises(Refused, match="counts as R4815162J"):
        await erase(database, KEY, "R2", word)


@pytest.fixture
def desk(database, store, house, clock) -> Desk:
    return Desk(database, store, house, clock, "Sam", "it is not hers")


async def test_another_persons_letter_that_was_once_taken_for_theirs_does_not_name_them(
    joans, everything, desk, database, log, folder, rows, clock, store
):
    made = await joans()
    await unlink(desk, made["ann"].id)
    async with database.write() as connection:
        row = {"contact_id": made["ann"].id, "individual_id": "R4815162J", "rank": 0, "evidence": [], "at": clock()}
        await connection.execute(tables.candidates.insert().values(**row))
        task = (await connection.execute(select(tables.tasks).where(tables.tasks.c.contact_id == made["ann"].id))).first()
        body = {
            **json.loads(task.body),
            "candidates": ["R4815162J", "R2"],
            "reasons": ["Its link to R4815162J is undone, by Sam."],
        }
        await connection.execute(update(tables.tasks).where(tables.tasks.c.id == task.id).values(body=json.dumps(body)))
    await duties.seal(database, clock)
    await everything()
    assert await search(database, log, folder) == {}
    (left,) = await rows(tables.tasks, tables.tasks.c.id == task.id)
    assert json.loads(left.body)["candidates"] == ["R2"]
    assert json.loads(left.body)["reasons"] == ["Its link to (erased) is undone, by Sam."]
    assert (await duties.verify_audit(database)).holds


async def test_what_they_wrote_for_somebody_else_stays_without_them(
    joans, contact, append, route, everything, database, log, folder, rows, clock
):
    await joans()
    son = Person(name="Dai Morgan")
    shared = contact(
        "My son Dai Morgan was told nothing by your office, and your staff were rude to him. Please ring him. Yours, Joan Pettifer",
        sender=person_of(JOAN, "Joan Pettifer"),
        on_behalf_of=son,
    )
    await append(shared)
    await route()
    await duties.seal(database, clock)
    done, _ = await everything()
    assert done.shared == 1
    assert await search(database, log, folder, [shared.original]) == {}
    (row,) = await rows(tables.contacts, tables.contacts.c.id == shared.id)
    left = Contact.model_validate_json(row.body)
    assert (left.sender, left.on_behalf_of, row.sender) == (Person(), son, None)
    assert "Dai Morgan was told nothing" in left.text
    assert (await duties.verify_audit(database)).holds
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert await search(database, log, folder) == {}


async def test_a_notice_that_names_them_beside_others_goes_on_without_them(
    joans, everything, database, log, folder, house, store, clock
):
    made = await joans()
    clock.forward(days=1)
    assert await duties.send_digest(database, store, house, clock().replace(hour=8), clock() - timedelta(days=2))
    while await outbox.publish(log, database):
        pass
    name = reference(made["urgent"].id)
    assert {"table outgoing", "topic outgoing"} <= set(await search(database, log, folder, [name]))
    await everything()
    assert await search(database, log, folder, [name]) == {}


async def test_stopped_after_the_register_it_is_finished_by_whoever_comes_next(
    joans, database, log, originals, kept, folder, word, clock
):
    made = await joans()
    await erase(database, KEY, "R4815162J", word, even_if_open=True)
    assert "topic contacts" in await search(database, log, folder)
    found = await finish(database, log, originals, kept, KEY, clock)
    assert found.emptied
    assert await search(database, log, folder, [reference(made["urgent"].id)]) == {}
    nothing = await finish(database, log, originals, kept, KEY, clock)
    assert (nothing.emptied, nothing.remain, nothing.originals.removed) == (0, (), 0)


async def test_a_register_that_was_put_back_from_before_is_erased_again(
    joans, everything, database, log, originals, kept, folder, word, clock, route
):
    await joans()
    copy = await whole(database)
    await everything()
    await put_back(database, copy)
    assert await search(database, log, folder) != {}
    assert await recall(database, kept) > 0
    assert await recall(database, kept) == 0
    people, own, shared = await back(database, KEY)
    assert (people, len(own), shared) == (["R4815162J"], 5, [])
    told = await again(database, KEY, Word(ERASED, "Sam", "again", clock()), rehearse=True)
    assert (await back(database, KEY))[0] == ["R4815162J"]
    done = await again(database, KEY, Word(ERASED, "Sam", "again", clock()))
    assert done.removed.rows == told.removed.rows
    await finish(database, log, originals, kept, KEY, clock, also=done.gone)
    await route()
    assert await search(database, log, folder) == {}
    assert await back(database, KEY) == ([], [], [])
    assert (await duties.verify_audit(database)).holds


async def whole(database: Database) -> dict[Any, list[dict[str, Any]]]:
    """Every row, as a copy of the register has it."""
    async with database.read() as connection:
        every = (*tables.metadata.sorted_tables, *state.metadata.sorted_tables)
        return {table: [dict(row) for row in (await connection.execute(select(table))).mappings()] for table in every}


async def put_back(database: Database, copy: dict[Any, list[dict[str, Any]]]) -> None:
    async with database.write() as connection:
        for table, rows in copy.items():
            await connection.execute(table.delete())
            if rows:
                await connection.execute(table.insert(), rows)


@pytest.fixture
def case_systems(database, clock, tmp_path):
    """What becomes of a file of the case system's that has R4815162J in it still."""

    async def imported(key: bytes = KEY):
        path = tmp_path.parent / f"{tmp_path.name}-people.csv"
        columns = REQUIRED["individuals"]
        cells = {"person_id": "R4815162J", "given_name": "Joan", "surname": "Pettifer"}
        path.write_text(",".join(columns) + "\n" + ",".join(cells.get(each, "") for each in columns) + "\n")
        source = opened(path, columns, OPTIONAL["individuals"])
        return await take_in(database, "individuals", source, clock, key=key)

    return imported


async def test_the_case_systems_next_file_does_not_bring_them_back_until_they_are_let_in(
    joans, everything, database, kept, case_systems, clock, rows
):
    await joans()
    await everything()
    done = await case_systems()
    assert (done.taken, [row.column for row in done.refused]) == (0, ["person_id"])
    assert "erased on 02 March 2026" in done.refused[0].because
    assert "--readmit" in done.refused[0].because
    assert not await readmit(database, KEY, "R7", Word(ERASED, "Sam", "is back", clock()), kept)
    clock.forward(minutes=1)
    assert await readmit(database, KEY, "R4815162J", Word(ERASED, "Sam", "is back", clock()), kept)
    await recall(database, kept)
    assert (await case_systems()).taken == 1
    assert await back(database, KEY) == ([], [], [])
    assert [row.actor for row in await rows(tables.audit, tables.audit.c.action == "readmitted")] == ["Sam"]


async def test_of_a_mail_that_is_still_on_its_server_it_stays_known_that_it_was_taken_in(
    joans, everything, database, rows, clock
):
    made = await joans()
    async with database.write() as connection:
        for uid, each in enumerate((made["feedback"], made["ann"]), 4):
            row = {
                "account": "care",
                "folder": "INBOX",
                "uid_validity": 1,
                "uid": uid,
                "contact_id": each.id,
                "taken_at": clock(),
            }
            await connection.execute(state.mail_ledger.insert().values(**row, settled=True))
    done, _ = await everything()
    assert {row.uid: row.contact_id for row in await rows(state.mail_ledger)} == {4: NOBODY, 5: made["ann"].id}
    (mails,) = [each for each in done.stays if each.what == "mails"]
    assert "mailbox care, folder INBOX, UID 4" in mails.because


async def test_what_waits_to_be_sent_to_them_is_not_sent_though_it_is_on_the_topic(joans, everything, database, rows):
    await joans()
    held = {
        row.id
        for row in await rows(tables.outgoing, tables.outgoing.c.state == "due", tables.outgoing.c.contact_id.is_not(None))
    }
    await everything()
    left = {row.id for row in await rows(tables.outgoing)}
    ends = await rows(state.sends)
    assert {row.outgoing_id for row in ends} >= held - left
    assert all((row.state, row.body, row.account) == ("cancelled", None, "") for row in ends)


async def test_a_contact_that_is_linked_to_nobody_is_told_and_goes_where_it_is_named(
    joans, contact, append, route, database, word, rows
):
    await joans()
    lost = contact("Hello. It is about the thing.", sender=person_of(JOAN))
    lost = lost.model_copy(update={"sender": Person(identifiers=(Identifier(kind="email", given=JOAN, canonical=JOAN),))})
    await append(lost)
    await route()
    told = await erase(database, KEY, "R4815162J", word, rehearse=True)
    assert any(reference(lost.id) in each.because for each in told.stays if each.what == "contacts")
    await erase(database, KEY, "R4815162J", word, also=[lost.id], even_if_open=True)
    assert await rows(tables.contacts, tables.contacts.c.id == lost.id) == []


async def test_a_contact_that_is_linked_to_another_does_not_go_with_them(joans, database, word):
    made = await joans()
    with pytest.raises(Refused, match=r"linked to .*: unlink it first"):
        await erase(database, KEY, "R4815162J", word, also=[made["ann"].id])


async def test_whoever_names_them_in_their_own_words_is_told_of_and_left_alone(
    joans, contact, append, route, database, word, rows
):
    made = await joans()
    about = contact(
        f"My neighbour Joan Pettifer says that you were rude to her. Write to her at {JOAN}.",
        sender=person_of(ANN, "Ann Okafor"),
    )
    await append(about)
    await route()
    told = await erase(database, KEY, "R4815162J", word, rehearse=True)
    found = (await mentions(database, told)).stays
    assert found is not None
    assert (found.number, reference(about.id) in found.because) == (1, True)
    assert not any(reference(made[each].id) in found.because for each in ("feedback", "urgent", "case", "ann"))
    await erase(database, KEY, "R4815162J", word, even_if_open=True)
    (row,) = await rows(tables.contacts, tables.contacts.c.id == about.id)
    assert "Joan Pettifer says" in row.body


async def test_in_a_letter_that_another_writes_for_them_it_is_not_said_any_more_for_whom(
    joans, contact, append, route, database, word, rows
):
    await joans()
    for_her = Person(name="Joan Pettifer")
    about = contact(
        "I write for her: your staff were rude and nobody called.", sender=person_of(ANN, "Ann Okafor"), on_behalf_of=for_her
    )
    await append(about)
    await route()
    told = await erase(database, KEY, "R4815162J", word, rehearse=True)
    found = await mentions(database, told)
    assert found.represented == (about.id,)
    await erase(database, KEY, "R4815162J", word, represented=found.represented, even_if_open=True)
    (row,) = await rows(tables.contacts, tables.contacts.c.id == about.id)
    left = Contact.model_validate_json(row.body)
    assert left.on_behalf_of == Person(name="(erased)")
    assert left.sender == about.sender
    for table in (tables.feedback_records, tables.handoffs):
        assert not [each for each in await rows(table, table.c.contact_id == about.id) if "Pettifer" in each.body]


async def test_whoever_is_erased_while_contacts_are_decided_on_is_found_by_none_of_them(
    contact, append, route, rows, person, worker, database, word, monkeypatch
):
    await person()
    letters = [contact(RUDE, sender=person_of(each, "Joan Pettifer")) for each in ("joan@example.com", ANN)]
    commit, erased = worker.store.commit, list[Any]()

    async def late(batch: Any) -> None:
        if not erased:
            erased.append(await erase(database, KEY, "R1", word))
        await commit(batch)

    monkeypatch.setattr(worker.store, "commit", late)
    await append(*letters)
    await route()
    assert erased[0].contacts == 0
    assert {row.id for row in await rows(tables.contacts)} == {each.id for each in letters}
    assert not await rows(tables.links, tables.links.c.individual_id == "R1")
    assert not await rows(tables.candidates, tables.candidates.c.individual_id == "R1")
