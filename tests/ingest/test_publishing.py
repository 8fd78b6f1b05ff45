"""Other systems hand over contacts by HTTP: who may, what is refused and how it is told, and that accepted means kept, once."""

import asyncio
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ingest import state
from ingest.clock import now
from ingest.contract import FULL_TEXT_LIMIT, Contact, Trace, Verdict, decode, trace_of
from ingest.contract.openapi import FILE, document, written
from ingest.contract.publication import MOST_BYTES, NotAContact, Publication, contact_of, read
from ingest.database import Database
from ingest.errors import Unavailable
from ingest.ids import digest, published_contact_id, reference
from ingest.log.sqlite import SqliteLog
from ingest.originals import Originals
from ingest.publishing import routes
from ingest.receive import CONTACTS, receive
from ingest.scan import scanner
from ingest.settings import Publisher, ScanSettings, Settings, UploadsSettings, WebSettings
from ingest.uploads import Uploads
from ingest.web import Door, problem, serve_public
from router.opening import contact_of as contact_of_record
from tests.servers.loopback import free_ports, listens

CRM, PHONES, BATCH = "urn:example:crm", "urn:example:phones", "urn:example:batch"
CRM_KEY, PHONES_KEY, NEW_KEY = "0d7fa1b2c3e4958677a8b9c0d1e2f3a4", "9b8c7d6e5f40312233445566778899aa", "1" + "c0ffee" * 6
BATCH_KEY = "77e6d5c4b3a291807f6e5d4c3b2a1908"
OURS = b"a key that nobody can guess, of 32 bytes or more"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ADDRESS = {"kind": "email", "given": "Ann@example.org", "canonical": "ann@example.org"}
CALL: dict[str, Any] = {
    "channel": "telephone",
    "account": "0300 123 4567",
    "received_at": "2026-03-02T09:30:00Z",
    "text": "Nobody rang.",
}
CLIENTS = ThreadPoolExecutor(64)
"""Clients have threads of their own: the server works in the loop's."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return self.told["type"].removeprefix("urn:contact-ingest:problem:")

    @property
    def pointers(self) -> list[str]:
        return [each["pointer"] for each in self.told.get("errors", [])]


@dataclass
class Open:
    """A server of the public port, and what lies behind it."""

    port: int
    originals: Originals
    log: Any
    database: Database
    settings: Settings
    context: Any = None
    fails: list[Exception] = field(default_factory=list[Exception])

    async def send(
        self, path: str, body: bytes, key: str | None = CRM_KEY, method: str = "POST", **headers: str | None
    ) -> Answer:
        given = {"Content-Type": "application/json", "Idempotency-Key": "call-1"}
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        for name, value in headers.items():
            given.pop(name.replace("_", "-"), None)
            if value is not None:
                given[name.replace("_", "-")] = value

        def ask() -> Answer:
            kind = http.client.HTTPSConnection if self.context else http.client.HTTPConnection
            more = {"context": self.context} if self.context else {}
            connection = kind("localhost" if self.context else "127.0.0.1", self.port, timeout=20, **more)
            try:
                connection.request(method, path, body, given)
                answer = connection.getresponse()
                return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(CLIENTS, ask)

    async def publish(self, told: dict[str, Any] | bytes | None = None, **headers: Any) -> Answer:
        """POST /contacts; by CRM with its own key where nothing else is said."""
        body = told if isinstance(told, bytes) else json.dumps(CALL if told is None else told).encode()
        return await self.send("/contacts", body, **headers)

    async def upload(self, content: bytes = PDF, name: str = "letter.pdf", **headers: Any) -> Answer:
        return await self.send(f"/attachments?name={name}", content, **{"Content_Type": "application/pdf", **headers})

    async def on_the_log(self) -> list[Contact]:
        """As the router reads them, held to what their publishers may say."""
        found = await self.log.read(CONTACTS.name, after={}, most=10_000)
        return [contact_of_record(each.record, self.settings.publishers, OURS)[0] for each in found]

    async def rows(self, table: Any) -> list[Any]:
        async with self.database.read() as connection:
            return list(await connection.execute(select(table)))


@asynccontextmanager
async def opened(folder: Path, register_url: str, **web: Any) -> AsyncGenerator[Open]:
    """A real server on a log of SQLite's."""
    log = await SqliteLog.open(
        folder / "log.db", exclusive=True, clock=now, retention=timedelta(days=30), most_record_bytes=8_000_000
    )
    database = Database(register_url)
    originals = Originals(f"file:///{folder}/originals")
    (port,) = free_ports(1)
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    settings = Settings(
        key=OURS.decode(),  # type: ignore[arg-type]
        teams=team,  # type: ignore[arg-type]
        web=WebSettings(public=f"127.0.0.1:{port}", **web),
        publishers={
            CRM: Publisher(keys=(digest(CRM_KEY.encode()), digest(NEW_KEY.encode()))),
            PHONES: Publisher(keys=(digest(PHONES_KEY.encode()),), certificate="phones.example.org"),
            BATCH: Publisher(keys=(digest(BATCH_KEY.encode()),), may_vouch=True, may_acknowledge=True, may_backfill=True),
        },
    )
    it = Open(port, originals, log, database, settings)

    async def arrive(arrivals: Sequence[Any]) -> list[Contact]:
        if it.fails:
            raise it.fails.pop()
        return await receive(arrivals, originals=originals, log=it.log, database=database, key=OURS)

    uploads = Uploads(UploadsSettings(), scanner(ScanSettings()), originals=originals, database=database, clock=now)
    stopping = asyncio.Event()
    made = routes(arrive=arrive, database=database, uploads=uploads, clock=now, settings=settings)
    running = asyncio.create_task(serve_public(settings.web, [Door(made, problem)], stopping))
    while not running.done() and not listens(port):
        await asyncio.sleep(0.01)
    try:
        yield it
    finally:
        stopping.set()
        await running
        await database.close()
        await log.close()


@pytest.fixture
async def door(tmp_path: Path, register_url: str) -> AsyncGenerator[Open]:
    async with opened(tmp_path, register_url) as it:
        yield it


@pytest.fixture
async def on_sqlite(tmp_path: Path, empty_register: Path) -> AsyncGenerator[Open]:
    """Where it makes no difference which register it is."""
    async with opened(tmp_path, f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}") as it:
        yield it


# What is accepted.


async def test_an_accepted_contact_is_on_the_log_with_its_original_and_its_receipt(door: Open):
    answer = await door.publish()
    id_ = published_contact_id(CRM, "call-1")
    assert (answer.status, answer.told) == (202, {"id": str(id_), "reference": reference(id_)})
    ((contact,), (receipt,)) = await door.on_the_log(), await door.rows(state.receipts)
    assert (contact.id, contact.source, contact.text, contact.full_text) == (id_, CRM, "Nobody rang.", "Nobody rang.")
    assert await door.originals.get(contact.original) == json.dumps(CALL).encode()
    assert (receipt.contact_id, receipt.channel, receipt.original) == (id_, "telephone", contact.original)
    ((record,),) = [[each.record for each in await door.log.read(CONTACTS.name, after={}, most=10)]]
    event = decode(record)
    assert (event.source, event.id, event.extensions) == (CRM, "call-1", {})


async def test_a_contact_is_of_the_trace_that_it_came_in_and_the_same_in_another_is_no_other(on_sqlite: Open):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for each in (parent, "00-11111111111111111111111111111111-2222222222222222-01", "Nobody rang."):
        assert (await on_sqlite.publish(traceparent=each)).status == 202
    (found,) = await on_sqlite.log.read(CONTACTS.name, after={}, most=10)
    assert trace_of(found.record) == Trace(traceparent=parent)
    ((contact,), again) = await on_sqlite.on_the_log(), replace(found.record, headers=found.record.headers[:-2])
    assert contact.trace == Trace(traceparent=parent)
    fingerprints = [contact_of_record(each, on_sqlite.settings.publishers, OURS)[1] for each in (found.record, again)]
    assert fingerprints[0] == fingerprints[1]
    assert (await on_sqlite.publish(key=CRM_KEY, Idempotency_Key="call-2", traceparent="none")).status == 202
    assert [each.trace for each in await on_sqlite.on_the_log()] == [Trace(traceparent=parent), None]


async def test_every_answer_in_the_contract_reaches_the_log_as_it_was_told(on_sqlite: Open):
    told = {
        **CALL,
        "sent_at": "2026-03-02T09:29:00+01:00",
        "sender": {"name": "Siân Prosser-Jones", "identifiers": [ADDRESS]},
        "on_behalf_of": {"name": "Emrys Jones"},
        "subject": "A call",
        "full_text": "Nobody rang. And before: nobody wrote.",
        "language": "en",
        "thread": {"references": ["C-1"]},
        "declared": {"asks_for": "feedback", "address": ["4 Wharf Lane"], "unsafe_ways": [{"method": "sms", "words": "he reads it"}]},
        "warnings": ["recording-cut: The end is missing."],
    }  # fmt: skip
    assert (await on_sqlite.publish(told)).status == 202
    (contact,) = await on_sqlite.on_the_log()
    kept = json.loads(contact.model_dump_json())
    assert kept["sent_at"] == "2026-03-02T08:29:00Z"
    for name in told.keys() - {"sent_at", "sender", "on_behalf_of", "declared", "thread"}:
        assert kept[name] == told[name], name
    assert contact.sender.identifiers[0].canonical == "ann@example.org"
    assert contact.on_behalf_of is not None
    assert contact.declared is not None
    assert contact.declared.unsafe_ways[0].words == "he reads it"


def test_a_publication_is_a_contact_less_what_we_set_ourselves():
    ours = {"id", "full_text_cut", "post", "returned", "trace"}
    assert set(Publication.model_fields) == set(Contact.model_fields) - ours
    for name in set(Publication.model_fields) - {"source", "full_text", "original", "attachments", "received_at", "sent_at"}:
        assert Publication.model_fields[name].annotation == Contact.model_fields[name].annotation, name
        assert Publication.model_fields[name].default == Contact.model_fields[name].default, name


def test_words_over_what_the_topic_carries_are_cut_at_a_character_and_marked():
    told = read(json.dumps({**CALL, "full_text": "é" * FULL_TEXT_LIMIT}, ensure_ascii=False).encode())
    contact = contact_of(told, id_=UUID(int=1), source=CRM, received_at=now(), original="0" * 64, files={})
    assert (contact.full_text, contact.full_text_cut) == ("é" * (FULL_TEXT_LIMIT // 2), True)


# Who may.


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {CRM_KEY}"},
        {"Authorization": CRM_KEY},
        {"Authorization": f"Bearer {CRM_KEY}x"},
        {"Authorization": f"Bearer {CRM_KEY[:-1]}"},
        {"Authorization": f"Bearer {digest(CRM_KEY.encode())}"},
        {"Authorization": "Bearer " + "\xff" * 40},
    ],
)
@pytest.mark.parametrize("path", ["/contacts", "/attachments"])
async def test_without_a_publishers_key_nothing_is_read_and_nothing_written(on_sqlite: Open, given, path):
    answer = await on_sqlite.send(path, b"{", key=None, **given)
    assert (answer.status, answer.reason, answer.headers["www-authenticate"]) == (401, "unknown-key", "Bearer")
    assert await on_sqlite.rows(state.claims) == []


async def test_each_of_a_publishers_keys_does_and_is_that_publishers_alone(on_sqlite: Open):
    assert (await on_sqlite.publish(key=CRM_KEY, Idempotency_Key="a")).status == 202
    assert (await on_sqlite.publish(key=NEW_KEY, Idempotency_Key="b")).status == 202
    assert (await on_sqlite.publish(key=PHONES_KEY, Idempotency_Key="a")).status == 202
    assert [each.source for each in await on_sqlite.on_the_log()] == [CRM, CRM, PHONES]


async def test_a_publishers_certificate_does_in_place_of_a_key_and_nobody_elses(tmp_path: Path, empty_register: Path):
    import ssl

    authority, stranger = trustme.CA(), trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    register = f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"
    tls = {"certificate_file": str(tmp_path / "server.pem"), "client_ca_file": str(tmp_path / "ca.pem")}
    async with opened(tmp_path, register, **tls) as door:
        for name, issuer, status in (
            ("phones.example.org", authority, 202),
            ("others.example.org", authority, 401),
            (None, authority, 401),
            ("phones.example.org", stranger, 0),
        ):
            door.context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            if name is not None:
                issuer.issue_cert(name, common_name=name).configure_cert(door.context)
            if status:
                assert (await door.publish(key=None)).status == status, name
            else:
                with pytest.raises((OSError, http.client.HTTPException)):
                    await door.publish(key=None)
        assert [each.source for each in await door.on_the_log()] == [PHONES]


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"sender": {"identifiers": [{**ADDRESS, "verified_by": "sign-in"}]}}, "#/sender/identifiers/0/verified_by"),
        ({"on_behalf_of": {"identifiers": [ADDRESS, {**ADDRESS, "verified_by": "x"}]}}, "#/on_behalf_of/identifiers/1/verified_by"),
        ({"acknowledged": True}, "#/acknowledged"),
        ({"backfill": True}, "#/backfill"),
        ({"source": PHONES}, "#/source"),
        ({"source": "urn:contact-ingest:email:care"}, "#/source"),
    ],
)  # fmt: skip
async def test_what_a_publisher_may_not_say_is_refused_and_named_and_never_left_out_in_silence(on_sqlite: Open, told, pointer):
    answer = await on_sqlite.publish({**CALL, **told})
    assert (answer.status, answer.pointers) == (403, [pointer])
    assert await on_sqlite.rows(state.claims) == []
    if pointer != "#/source":
        assert (await on_sqlite.publish({**CALL, **told}, key=BATCH_KEY)).status == 202
        (contact,) = await on_sqlite.on_the_log()
        kept = json.loads(contact.model_dump_json())
        for part in pointer.removeprefix("#/").split("/"):
            kept = kept[int(part)] if part.isdigit() else kept[part]
        assert kept


# Once.


async def test_the_same_again_gets_the_same_answer_and_is_one_contact(door: Open):
    first, second = await door.publish(), await door.publish()
    assert (first.status, first.told) == (second.status, second.told)
    assert len(await door.on_the_log()) == 1
    assert len(await door.rows(state.receipts)) == 1


async def test_other_words_under_the_same_key_are_told_so_and_not_kept(door: Open):
    await door.publish()
    other = await door.publish({**CALL, "text": "Somebody rang."})
    assert (other.status, other.reason) == (409, "other-words")
    assert [each.text for each in await door.on_the_log()] == ["Nobody rang."]
    with pytest.raises(KeyError):
        await door.originals.get(digest(json.dumps({**CALL, "text": "Somebody rang."}).encode()))


async def test_fifty_at_once_under_one_key_are_one_contact_whichever_words_came_first(door: Open):
    answers = await asyncio.gather(*(door.publish({**CALL, "text": f"It rang {n % 2} times."}) for n in range(50)))
    assert sorted({each.status for each in answers}) == [202, 409]
    assert len({contact.text for contact in await door.on_the_log()}) == 1
    assert len(await door.rows(state.receipts)) == 1


async def test_many_at_once_are_each_kept(door: Open):
    answers = await asyncio.gather(*(door.publish(Idempotency_Key=f"call-{n}") for n in range(60)))
    assert {each.status for each in answers} == {202}
    assert {str(each.id) for each in await door.on_the_log()} == {each.told["id"] for each in answers}


async def test_where_it_was_not_taken_in_the_same_again_comes_to_the_same_contact_as_it_would_have(on_sqlite: Open):
    told = {name: value for name, value in CALL.items() if name != "received_at"}
    on_sqlite.fails = [Unavailable("log-unavailable", "It is away.")]
    before = now()
    away = await on_sqlite.publish(told)
    assert (away.status, away.headers["retry-after"]) == (503, "10")
    assert await on_sqlite.on_the_log() == []
    after = now()
    assert (await on_sqlite.publish({**told, "text": "Other."})).status == 409
    assert (await on_sqlite.publish(told)).status == 202
    (contact,) = await on_sqlite.on_the_log()
    assert before <= contact.received_at <= after, "the clock began when it came first"


# What is refused, and how.


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "missing-key"), ("", "malformed-key"), ("two words", "malformed-key"), ("x" * 201, "malformed-key"), ("é", "malformed-key")],
)  # fmt: skip
async def test_a_key_that_is_none_is_refused(on_sqlite: Open, key, reason):
    answer = await on_sqlite.publish(Idempotency_Key=key)
    assert (answer.status, answer.reason) == (400, reason)


@pytest.mark.parametrize(
    "media_type", [None, "", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data"]
)
async def test_another_content_type_is_refused(on_sqlite: Open, media_type):
    assert (await on_sqlite.publish(Content_Type=media_type)).status == 415


async def test_a_body_that_is_packed_is_refused(on_sqlite: Open):
    assert (await on_sqlite.publish(Content_Encoding="gzip")).status == 415


DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        json.dumps(CALL).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(CALL).encode(),
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        json.dumps(CALL)[:-1].encode() + b', "more": ' + b"[" * 900 + b"]" * 900 + b"}",
        json.dumps(CALL)[:-1].encode() + b', "text": "Other words."}',
        json.dumps(CALL)[:-1].encode() + b', "sender": {"name": "a", "name": "b"}}',
        json.dumps(CALL)[:-1].encode() + b', "subject": "\\ud800"}',
        json.dumps(CALL)[:-1].encode() + b', "more": NaN}',
        json.dumps(CALL)[:-1].encode() + b', "more": -Infinity}',
        json.dumps(CALL)[:-1].encode() + b', "more": ' + b"9" * 100_000 + b"}",
        json.dumps(CALL).encode() + b"{}",
    ],
)  # fmt: skip
async def test_what_is_no_json_or_could_be_read_in_two_ways_is_refused(on_sqlite: Open, body):
    answer = await on_sqlite.publish(body)
    assert (answer.status, answer.reason) == (400, "malformed"), answer.body[:300]
    assert await on_sqlite.rows(state.claims) == []


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"text": None}, "#/text"),
        ({"channel": "pigeon"}, "#/channel"),
        ({"received_at": "yesterday"}, "#/received_at"),
        ({"received_at": 1772443800}, "#/received_at"),
        ({"received_at": "1772443800"}, "#/received_at"),
        ({"received_at": "2026-03-02T09:30:00"}, "#/received_at"),
        ({"received_at": "2026-03-02"}, "#/received_at"),
        ({"received_at": "0001-01-01T00:00:00+14:00"}, "#/received_at"),
        ({"received_at": "2026-13-02T09:30:00Z"}, "#/received_at"),
        ({"backfill": "no"}, "#/backfill"),
        ({"original": "E" * 64}, "#/original"),
        ({"original": "../../etc/passwd"}, "#/original"),
        ({"attachments": [{"digest": "0" * 64}] * 11}, "#/attachments"),
        ({"attachments": {}}, "#/attachments"),
        ({"sender": {"identifiers": [{**ADDRESS, "kind": "pigeon"}]}}, "#/sender/identifiers/0/kind"),
        ({"sender": {"name": "x" * 1025}}, "#/sender/name"),
        ({"warnings": ["x: y"] * 101}, "#/warnings"),
        ({"declared": {"unsafe_ways": [{"method": "pigeon"}]}}, "#/declared/unsafe_ways/0/method"),
    ],
)  # fmt: skip
async def test_a_field_that_is_not_as_the_contract_has_it_is_named(on_sqlite: Open, told, pointer):
    answer = await on_sqlite.publish({**CALL, **told})
    assert (answer.status, answer.reason, answer.pointers) == (422, "breaks-the-contract", [pointer])
    assert answer.headers["content-type"] == "application/problem+json"
    assert await on_sqlite.rows(state.claims) == []


async def test_a_great_many_faults_are_told_by_the_first_few(on_sqlite: Open):
    answer = await on_sqlite.publish({**CALL, "sender": {"identifiers": [{"kind": "x"}] * 20_000}})
    assert answer.status == 422
    assert len(answer.told["errors"]) == 20


async def test_a_body_over_the_limit_is_refused_and_one_below_it_is_kept(on_sqlite: Open):
    room = MOST_BYTES - len(json.dumps({**CALL, "text": ""}))
    over = await on_sqlite.publish({**CALL, "text": "x" * (room + 1)})
    assert (over.status, over.reason) == (413, "body-too-large")
    assert (await on_sqlite.publish({**CALL, "text": "x" * room})).status == 202
    assert len((await on_sqlite.on_the_log())[0].text) == room


async def test_what_the_log_would_not_take_is_refused_before_its_key_stands_for_it(tmp_path: Path, empty_register: Path):
    register = f"sqlite:///{shutil.copy(empty_register, tmp_path / 'register.db')}"
    async with opened(tmp_path, register) as door:
        smaller = door.settings.log.model_copy(update={"most_record_bytes": 65_536})
        made = door.settings.model_copy(update={"log": smaller})
        nothing: dict[str, Any] = dict.fromkeys(("arrive", "uploads"))
        doors = routes(**nothing, database=door.database, clock=now, settings=made)
        (port,) = free_ports(1)
        stopping = asyncio.Event()
        web = made.web.model_copy(update={"public": f"127.0.0.1:{port}"})
        running = asyncio.create_task(serve_public(web, [Door(doors, problem)], stopping))
        while not listens(port):
            await asyncio.sleep(0.01)
        answer = await replace(door, port=port).publish({**CALL, "text": "x" * 40_000})
        assert (answer.status, answer.reason) == (413, "record-too-large")
        assert await door.rows(state.claims) == []
        stopping.set()
        await running


async def test_a_character_that_a_database_cannot_hold_does_no_harm(door: Open):
    assert (await door.publish({**CALL, "text": "No\x00body \u202erang\u2028."})).status == 202
    assert [each.text for each in await door.on_the_log()] == ["Nobody \u202erang\u2028."]


async def test_nothing_is_ever_told_of_what_was_sent(on_sqlite: Open):
    said = [
        await on_sqlite.publish({**CALL, "sender": {"identifiers": [{**ADDRESS, "kind": "Pargeter"}]}}),
        await on_sqlite.publish(b'{"Pargeter": '),
        await on_sqlite.publish(Idempotency_Key="Mrs Pargeter"),
    ]
    assert all(each.status in (400, 422) for each in said)
    assert not [each for each in said if b"Pargeter" in each.body]


@given(st.binary(max_size=400) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(Publication.model_fields)), inner)).map(lambda each: json.dumps(each).encode()))  # fmt: skip
def test_whatever_is_sent_is_a_publication_or_says_why_it_is_none(raw: bytes):
    with suppress(NotAContact):
        told = read(raw)
        contact_of(told, id_=UUID(int=1), source=CRM, received_at=now(), original="0" * 64, files=_Any())


class _Any(dict[str, Any]):
    def __missing__(self, key: str) -> Any:
        from ingest.contract import Attachment

        return Attachment(digest=key, name="a", content_type="a/b", size=1)


# Files.


async def test_a_file_is_uploaded_first_and_named_in_the_contact_that_follows(door: Open):
    kept = await door.upload()
    assert (kept.status, kept.told["content_type"], kept.told["verdict"]) == (201, "application/pdf", "unscanned")
    told = {**CALL, "attachments": [{"digest": kept.told["digest"], "name": "Her letter.pdf"}]}
    answer = await door.publish(told)
    assert answer.status == 202
    (contact,) = await door.on_the_log()
    (attachment,) = contact.attachments
    assert (attachment.name, attachment.size, attachment.verdict) == ("Her letter.pdf", len(PDF), Verdict.UNSCANNED)
    assert await door.originals.get(attachment.digest) == PDF
    assert await door.rows(state.uploads) == []
    again = await door.publish(told)
    assert (again.status, again.told) == (202, answer.told), "its files are forgotten, and it is known all the same"
    assert len(await door.on_the_log()) == 1


async def test_the_bytes_as_the_publisher_had_them_are_the_original_where_they_were_uploaded(on_sqlite: Open):
    kept = await on_sqlite.upload()
    assert (await on_sqlite.publish({**CALL, "original": kept.told["digest"]})).status == 202
    (contact,) = await on_sqlite.on_the_log()
    assert await on_sqlite.originals.get(contact.original) == PDF


@pytest.mark.parametrize("by", [{"key": PHONES_KEY}, {"Idempotency_Key": "call-2"}])
@pytest.mark.parametrize("where", ["original", "attachments"])
async def test_a_file_of_another_publisher_or_contact_is_as_unknown_as_one_that_nobody_has(on_sqlite: Open, by, where):
    kept = (await on_sqlite.upload()).told["digest"]
    for each in (kept, "0" * 64):
        told = {**CALL, "original": each} if where == "original" else {**CALL, "attachments": [{"digest": each}]}
        answer = await on_sqlite.publish(told, **by)
        assert (answer.status, answer.reason) == (404, "unknown-file")
        assert answer.pointers == ["#/original" if where == "original" else "#/attachments/0/digest"]
    assert await on_sqlite.on_the_log() == []
    assert await on_sqlite.rows(state.claims) == []


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [(b"", 422, "file-empty"), (b"\x00\x01\x02\x03" * 10, 415, "file-type"), (b"MZ" + b"\x00" * 200, 415, "file-type")],
)
async def test_a_file_that_cannot_be_taken_says_why(on_sqlite: Open, content, status, reason):
    answer = await on_sqlite.upload(content)
    assert (answer.status, answer.reason) == (status, reason)
    assert await on_sqlite.rows(state.uploads) == []


async def test_a_file_over_the_limit_is_refused(on_sqlite: Open):
    assert (await on_sqlite.upload(PDF + b"x" * UploadsSettings().most_bytes)).reason == "file-too-large"


async def test_a_files_name_is_a_label_and_never_a_path(on_sqlite: Open):
    kept = await on_sqlite.upload(name="..%2F..%2Fetc%2Fpasswd%00%E2%80%AEfdp.exe")
    assert kept.status == 201
    assert not set("/\x00\u202e") & set(kept.told["name"])


# The document.


def test_the_committed_document_is_the_codes_own():
    assert FILE.read_text(encoding="utf-8") == written(), "run `python -m ingest.contract.openapi`"


async def test_the_document_names_every_route_and_is_what_the_port_gives(on_sqlite: Open):
    answer = await on_sqlite.send("/openapi.json", b"", key=None, method="GET")
    assert (answer.status, answer.told) == (200, document())
    nothing: dict[str, Any] = dict.fromkeys(("arrive", "database", "uploads"))
    there = {(method, path) for method, path, _ in routes(**nothing, clock=now, settings=on_sqlite.settings)}
    assert there == {(method.upper(), path) for path, item in answer.told["paths"].items() for method in item}


@pytest.mark.timeout(110)
async def test_schemathesis_finds_nothing(on_sqlite: Open, tmp_path: Path):
    (tmp_path / "schemathesis.toml").write_text(
        # A file is told by its bytes, of which the document cannot say which are taken.
        '[[operations]]\ninclude-name = "POST /attachments"\n'
        'checks.positive_data_acceptance.expected-statuses = ["2xx", "415", "422"]\n'
    )
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(tmp_path / "schemathesis.toml"), "run",
        f"http://127.0.0.1:{on_sqlite.port}/openapi.json", "-H", f"Authorization: Bearer {BATCH_KEY}",
        "--max-examples", "60", "--seed", "20260302", "--no-color", "--checks", "all",
    ]  # fmt: skip
    ran = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, cwd=tmp_path, timeout=100, env={**os.environ, "NO_COLOR": "1"}
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert await on_sqlite.on_the_log(), "it got nothing accepted, so that it tried nothing"
