"""A contact taken out of the register: all that is about it goes, nothing of another's does, and it does not come back."""

from pathlib import Path

import pytest
from sqlalchemy import Table, func, select, update

from ingest import state
from ingest.contract import Attachment, Contact
from ingest.ids import digest, erasure_mark
from ingest.originals import Originals
from router import duties, removal
from router.audit import EMPTIED
from router.register import tables
from router.removal import ERASED, NOBODY, OF_CONTACTS, LetGo, Word, let_go, remove_contacts, removing
from tests.router.conftest import KEY, written

RUDE = "I want to complain about your service. Nobody called me back and your staff were rude to me on the telephone."


@pytest.fixture
def word(clock) -> Word:
    return Word(ERASED, "Sam", "asked for", clock())


@pytest.fixture
def remove(database, word):
    """Take contacts out, on Sam's word."""

    async def take_out(*contacts: Contact, on: Word = word):
        async with removing(database) as connection:
            return await remove_contacts(connection, KEY, [each.id for each in contacts], on)

    return take_out


@pytest.fixture
def count(database):
    """How many rows of each table that is about contacts are about this one."""

    async def look(contact: Contact) -> dict[str, int]:
        async with database.read() as connection:
            return {
                table.name: number
                for table, column in OF_CONTACTS.items()
                if (number := await connection.scalar(select(func.count()).where(column == contact.id)))
            }

    return look


async def test_all_that_is_about_it_goes_and_nothing_of_anothers(append, route, contact, remove, count, rows):
    gone, stays = contact(RUDE, "jo@example.com"), contact(RUDE, "ann@example.com")
    await append(gone, stays)
    await route()
    before = await count(stays)
    assert {"contacts", "dispositions", "feedback_records", "outgoing", "receipts"} <= set(before)
    removed = await remove(gone)
    assert await count(gone) == {}
    assert await count(stays) == before
    assert removed.rows["contacts"] == 1
    assert gone.original in removed.digests
    assert [row.audience for row in await rows(tables.outgoing)] == ["person"] * before["outgoing"]
    for row in await rows(tables.outbox):
        assert str(gone.id) not in f"{row.key} {row.headers} {row.value}"


async def test_read_again_it_is_settled_and_not_filed_anew(append, route, contact, remove, count, rows, log, database):
    gone, stays = contact(RUDE, "jo@example.com"), contact(RUDE, "ann@example.com")
    await append(gone, stays)
    await route()
    before = await count(stays)
    await remove(gone)
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert (await log.lag("contacts", "router")).records == 0
    assert await count(gone) == {}
    assert await count(stays) == before
    assert {row.next for row in await rows(tables.positions, tables.positions.c.topic == "contacts")} == {2}


async def test_a_dead_letter_that_was_taken_out_is_no_dead_letter_again(append, route, contact, remove, count, database):
    gone = contact(RUDE)
    await append(written(gone, value=b'{"id": 1}'))
    await route()
    assert (await count(gone))["dead_letters"] == 1
    await remove(gone)
    async with database.write() as connection:
        await connection.execute(update(tables.positions).values(next=0))
    await route()
    assert await count(gone) == {}


async def test_the_trail_says_who_did_it_and_nothing_of_whom_and_verifies(
    append, route, contact, remove, rows, database, clock
):
    gone, stays = contact(RUDE, "jo@example.com"), contact(RUDE, "ann@example.com")
    await append(gone, stays)
    await route()
    await duties.seal(database, clock)
    about = [row.id for row in await rows(tables.audit, tables.audit.c.contact_id == gone.id)]
    await remove(gone)
    found = await duties.verify_audit(database)
    assert found.holds
    assert found.unsealed == 1
    emptied = {row.id: row for row in await rows(tables.audit) if row.id in about}
    assert [(row.contact_id, row.evidence) for row in emptied.values()] == [(None, {})] * len(about)
    assert "decided" in {row.action for row in emptied.values()}
    assert {row.entry_id for row in await rows(tables.audit_leaves, tables.audit_leaves.c.salt.is_(None))} == set(about)
    (word,) = await rows(tables.audit, tables.audit.c.action == ERASED)
    assert (word.actor, word.contact_id, word.evidence["because"]) == ("Sam", None, "asked for")
    assert word.evidence[EMPTIED]["entries"] == len(about)
    for one in (str(gone.id), gone.id.hex, "jo@example.com"):
        assert one not in str(word)
    await duties.seal(database, clock)
    assert (await duties.verify_audit(database)).holds


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "nobody"},
        {"evidence": {"because": ["I never did"]}},
        {"action": "invented"},
    ],
    ids=str,
)
async def test_an_emptied_entry_that_is_changed_is_caught(append, route, contact, remove, database, clock, change, rows):
    gone = contact(RUDE)
    await append(gone)
    await route()
    await duties.seal(database, clock)
    await remove(gone)
    (one, *_) = await rows(tables.audit_emptied)
    async with database.write() as connection:
        await connection.execute(update(tables.audit).where(tables.audit.c.id == one.entry_id).values(change))
    (fault,) = (await duties.verify_audit(database)).faults
    assert str(one.entry_id) in fault
    assert "altered" in fault


async def test_an_entry_that_is_emptied_on_nobodys_word_is_caught(append, route, contact, database, clock, rows):
    gone = contact(RUDE)
    await append(gone)
    await route()
    await duties.seal(database, clock)
    (one, *_) = await rows(tables.audit, tables.audit.c.action == "decided")
    nobody = Word(ERASED, "nobody", "", clock())
    async with removing(database) as connection:
        await removal.change_entries(connection, {one.id: removal.emptied(one)}, nobody, removal.Removed())
    (fault,) = (await duties.verify_audit(database)).faults
    assert str(nobody.id) in fault


async def test_what_was_vouched_for_is_held_to_the_word(append, route, contact, remove, database, clock, rows):
    gone, other = contact(RUDE, "jo@example.com"), contact(RUDE, "ann@example.com")
    await append(gone, other)
    await route()
    await duties.seal(database, clock)
    await remove(gone)
    (word,) = await rows(tables.audit, tables.audit.c.action == ERASED)
    (one, *_) = await rows(tables.audit, tables.audit.c.contact_id == other.id)
    forged = removal.emptied(one)
    async with removing(database) as connection:
        await removal.change_entries(connection, {one.id: forged}, Word(ERASED, "Sam", "", clock(), word.id), removal.Removed())
    (fault,) = (await duties.verify_audit(database)).faults
    assert str(word.id) in fault


async def test_an_entry_that_is_not_sealed_yet_is_sealed_as_it_was_left(append, route, contact, remove, database, clock, rows):
    gone = contact(RUDE)
    await append(gone)
    await route()
    await remove(gone)
    assert await rows(tables.audit_emptied) == []
    assert await duties.seal(database, clock)
    assert (await duties.verify_audit(database)).holds


async def test_what_an_earlier_release_sealed_without_salt_verifies_emptied_too(
    append, route, contact, remove, database, clock, monkeypatch
):
    gone = contact(RUDE)
    await append(gone)
    await route()
    monkeypatch.setattr(duties, "token_bytes", lambda _: None)
    await duties.seal(database, clock)
    monkeypatch.undo()
    await remove(gone)
    assert (await duties.verify_audit(database)).holds


async def test_a_wish_stays_in_force_where_somebody_else_writes_from_that_address(append, route, contact, remove, rows):
    one, other = contact(f"{RUDE} Do not email me, he reads my email."), contact(RUDE)
    await append(one, other)
    await route()
    assert [row.method for row in await rows(tables.restrictions)] == ["email"]
    await remove(one)
    assert [(row.method, row.words, row.contact_id) for row in await rows(tables.restrictions)] == [("email", None, NOBODY)]
    await remove(other, on=Word(ERASED, "Sam", "asked for", one.received_at))
    (row,) = await rows(tables.restrictions)
    assert row.contact_id == NOBODY


@pytest.fixture
def originals(tmp_path: Path) -> Originals:
    return Originals(f"file:///{tmp_path}/originals")


def file_of(content: bytes) -> Attachment:
    return Attachment(digest=digest(content), name="a.txt", content_type="text/plain", size=len(content))


async def kept(originals: Originals) -> set[bytes]:
    return {content async for _, content in originals.every()}


async def test_an_original_goes_when_nothing_else_refers_to_it(append, route, contact, remove, database, log, originals, rows):
    await originals.put([b"mine", b"ours", b"waiting"])
    gone = contact(RUDE, original=digest(b"mine"), attachments=(file_of(b"ours"), file_of(b"waiting")))
    stays = contact(RUDE, "ann@example.com", attachments=(file_of(b"ours"),))
    await append(gone, stays)
    await route()
    await remove(gone)
    await append(contact(RUDE, "bob@example.com", attachments=(file_of(b"waiting"),)))
    assert await kept(originals) == {b"mine", b"ours", b"waiting"}
    assert await let_go(database, log, originals) == LetGo(1, 2, len(b"mine"))
    assert await kept(originals) == {b"ours", b"waiting"}
    assert await rows(state.unwanted) == []
    assert await let_go(database, log, originals) == LetGo(0, 0, 0)


async def test_stopped_between_the_commit_and_the_originals_the_next_one_goes_on(
    append, route, contact, remove, database, log, originals, monkeypatch
):
    await originals.put([b"one", b"two"])
    await append(gone := contact(RUDE, original=digest(b"one"), attachments=(file_of(b"two"),)))
    await route()
    await remove(gone)
    real, calls = Originals.remove, list[str]()

    async def once(self: Originals, name: str) -> None:
        if calls:
            raise OSError("killed")
        calls.append(name)
        await real(self, name)

    monkeypatch.setattr(Originals, "remove", once)
    with pytest.raises(OSError, match="killed"):
        await let_go(database, log, originals)
    monkeypatch.undo()
    assert (await let_go(database, log, originals)).removed == 2
    assert await kept(originals) == set()


async def test_the_mark_names_nobody_and_says_when_and_on_whose_word(append, route, contact, remove, rows, clock):
    await append(gone := contact(RUDE))
    await route()
    await remove(gone)
    (mark,) = await rows(state.erased)
    assert mark == (erasure_mark(KEY, "contact", str(gone.id)), "contact", clock(), "Sam")
    assert str(gone.id) not in str(mark)


async def test_what_goes_on_another_word_is_told_apart_by_its_mark(append, route, contact, remove, rows, clock):
    await append(gone := contact(RUDE))
    await route()
    await remove(gone, on=Word("expired", "router", "older than its retention", clock()))
    assert [row.kind for row in await rows(state.erased)] == ["expired"]
    assert [row.action for row in await rows(tables.audit, tables.audit.c.actor == "router") if row.action == "expired"]


def test_every_table_that_says_which_contact_it_is_about_is_seen_to():
    stay: dict[str, str] = {
        "audit": "emptied", "restrictions": "stays in force for others", "mail_ledger": "names nobody from then on",
    }  # fmt: skip
    theirs: set[Table] = {
        table
        for table in (*tables.metadata.tables.values(), *state.metadata.tables.values())
        if "contact_id" in table.c and table.name not in stay
    }
    assert theirs == {*OF_CONTACTS} - {tables.contacts, state.texts}
