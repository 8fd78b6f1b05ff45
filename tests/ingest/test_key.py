"""The service's key is rotated: all that was made with the one before is still known for ours, until that one is taken out."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from channels.email.canary import compose_canary, sent_when
from channels.email.settings import EmailAccount
from channels.web_form.drafts import Drafts, begin
from channels.web_form.seal import Seals, Session
from ingest.contract import Event
from ingest.database import Database
from ingest.ids import MARK, bounce_token, bounced_by, mark, partition_key, replies_to, reply_token
from ingest.key import Key, known
from router.opening import is_ours

OLD, NEW, OTHER = b"0d7fa1b2c3e4958677a8b9c0d1e2f3a4", b"5b0e4c6f9d8a7312e0f4b6c8d1a29375", b"c2b1f0e9d8c7b6a5948372615049382f"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ID = UUID("0199e0a4-7c11-7000-8000-000000000001")
SESSION = Session("s" * 43, NOW)
ACCOUNT = EmailAccount.model_validate(
    {
        "host": "localhost",
        "user": "care",
        "password": "secret",
        "smtp": "localhost:25",
        "smtp_security": "none",
        "sender": "care@example.org",
    }
)

Made = Callable[[bytes], object]
Believed = Callable[[bytes, object], bool]


def event_of(key: bytes) -> Event:
    bare = Event(id=str(ID), source="urn:contact-ingest:email:care", type="t", data=b"{}", time=NOW)
    return replace(bare, extensions={MARK: mark(key, bare.id, bare.source, bare.type, bare.data)})


MARKS: dict[str, tuple[Made, Believed]] = {
    "the token of a reply": (
        lambda key: reply_token(key, ID, NOW + timedelta(days=1)),
        lambda key, made: replies_to(key, str(made), NOW) == ID,
    ),
    "the envelope's sender of a mail": (lambda key: bounce_token(key, ID), lambda key, made: bounced_by(key, str(made)) == ID),
    "the mark of what we put on a topic": (event_of, lambda key, made: isinstance(made, Event) and is_ours(made, key)),
    "a mail to ourselves": (
        lambda key: bytes(compose_canary("care", ACCOUNT, key, NOW)),
        lambda key, made: isinstance(made, bytes) and sent_when(made, "care", key) == NOW,
    ),
    "the cookie of somebody amid the form": (
        lambda key: Seals(key).cookie(SESSION),
        lambda key, made: Seals(key).session(str(made), NOW, timedelta(hours=1)) is not None,
    ),
    "a page of the form": (
        lambda key: Seals(key).token(SESSION, NOW),
        lambda key, made: Seals(key).opened(str(made)) is not None,
    ),
}


@pytest.mark.parametrize("what", MARKS)
def test_what_the_key_before_made_is_ours_until_that_key_is_taken_out(what: str):
    make, believed = MARKS[what]
    made = make(OLD)
    assert believed(OLD, made)
    assert believed(Key(NEW, [OTHER, OLD]), made)
    assert not believed(Key(NEW, [OTHER]), made)
    assert not believed(NEW, made)


@pytest.mark.parametrize("what", MARKS)
def test_what_is_made_from_then_on_is_the_new_keys(what: str):
    make, believed = MARKS[what]
    made = make(Key(NEW, [OLD]))
    assert believed(NEW, made)
    assert not believed(OLD, made)


async def test_who_is_amid_the_form_finds_their_answers_again(register_url: str):
    database = Database(register_url)
    try:
        before, after, without = (Drafts(database, key, timedelta(hours=1), lambda: NOW) for key in (OLD, Key(NEW, [OLD]), NEW))
        draft = begin(NOW)
        await before.change(SESSION, lambda _: draft)
        assert await without.get(SESSION) is None
        assert await after.get(SESSION) == draft
        await after.change(SESSION, lambda found: found or begin(NOW))
        assert await without.get(SESSION) == draft, "written anew, it is sealed with the new key"
    finally:
        await database.close()


def test_a_senders_contacts_keep_their_order_from_the_change_on():
    """Which is why the topic is let run dry first: those before it lie in another partition."""
    changed = Key(NEW, [OLD])
    assert partition_key(changed, "email", "ann@example.net", ID) == partition_key(NEW, "email", "ann@example.net", ID)
    assert partition_key(changed, "email", "ann@example.net", ID) != partition_key(OLD, "email", "ann@example.net", ID)


def test_a_key_that_stands_among_those_before_it_is_one_key():
    assert known(Key(NEW, [NEW, OLD, OLD])) == (NEW, OLD)
    assert known(NEW) == (NEW,)


def test_a_process_that_reads_is_given_all_of_them():
    assert known(pickle.loads(pickle.dumps(Key(NEW, [OLD])))) == (NEW, OLD)
