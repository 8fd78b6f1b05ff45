"""A portal's way in: what is believed and durable before it is answered, what is refused with nothing written, and that once is once."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from channels.social.ingress import MOST_BYTES
from channels.social.settings import Hmac
from channels.social.verify import sign
from ingest import state
from ingest.contract import AllocationOutcome, OutgoingState, Trace, decode, trace_of
from ingest.ids import MARK, contact_id
from ingest.telemetry import PASSED_OVER
from tests.channels.social.conftest import AWAY, POST, Desk, Open, account
from tests.servers.portal import Portal, post

FIRST = contact_id("social", "care", "1790001")
OTHER_KEY = "whsec_b3RoZXIta2V5LW9mLTMyLWJ5dGVzLW9yLXNvLS0="
TOKEN = "a-token-that-nobody-guesses"


def body_of(kind: str = "post.created", data: Any = POST) -> bytes:
    return json.dumps({"type": kind, "timestamp": "2026-03-02T09:13:00Z", "data": data}).encode()


def counted(reason: str) -> float:
    return PASSED_OVER.labels("social", reason)._value.get()


async def test_a_post_is_on_the_log_with_its_original_and_receipt_before_it_is_answered(desk: Desk):
    body = body_of()
    assert await desk.sent(body, desk.portal.sign(body, "msg_1")) == (200, b"")
    (contact,) = await desk.contacts()
    assert (contact.id, contact.channel, contact.account, contact.text) == (FIRST, "social", "care", POST["text"])
    assert contact.needs_allocation
    assert await desk.originals.get(contact.original) == body
    async with desk.database.read() as connection:
        (receipt,) = (await connection.execute(select(state.receipts))).all()
    assert (receipt.contact_id, receipt.original) == (FIRST, contact.original)


async def test_what_a_portal_tells_is_of_the_trace_that_it_came_in(on_sqlite: Desk):
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    for kind, data in (("post.created", POST), ("post.allocated", {"id": POST["id"], "to": "customer-care"})):
        body = body_of(kind, data)
        assert (await on_sqlite.sent(body, on_sqlite.portal.sign(body, kind) | trace))[0] == 200
    for topic in ("contacts", "allocations"):
        (found,) = await on_sqlite.log.read(topic, after={}, most=10)
        assert trace_of(found.record) == Trace(**trace)


# What is refused, with nothing written.


def unsigned(portal: Portal, body: bytes) -> Mapping[str, str]:
    return {}


def by_another_key(portal: Portal, body: bytes) -> Mapping[str, str]:
    return Portal(OTHER_KEY).sign(body, "msg_1")


def of_another_body(portal: Portal, body: bytes) -> Mapping[str, str]:
    return portal.sign(body + b" ", "msg_1")


def of_ten_minutes_ago(portal: Portal, body: bytes) -> Mapping[str, str]:
    return portal.sign(body, "msg_1", datetime.now(UTC) - timedelta(minutes=10))


def of_ten_minutes_hence(portal: Portal, body: bytes) -> Mapping[str, str]:
    return portal.sign(body, "msg_1", datetime.now(UTC) + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (unsigned, "signature-missing"),
        (by_another_key, "signature-wrong"),
        (of_another_body, "signature-wrong"),
        (of_ten_minutes_ago, "signature-stale"),
        (of_ten_minutes_hence, "signature-stale"),
    ],
)
async def test_unsigned_altered_and_stale_are_refused_with_nothing_written(on_sqlite: Desk, headers: Any, reason: str):
    body = body_of()
    assert await on_sqlite.sent(body, headers(on_sqlite.portal, body)) == (401, reason)
    assert await on_sqlite.nothing_is_written()


async def test_29_json_that_was_written_anew_on_the_way_is_refused_with_nothing_written(on_sqlite: Desk):
    body = body_of()
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert await on_sqlite.sent(again, on_sqlite.portal.sign(body, "msg_1")) == (401, "signature-wrong")
    assert await on_sqlite.nothing_is_written()


async def test_29_so_it_is_with_a_portals_own_hmac(opened_on_sqlite: Open):
    scheme = Hmac(header="X-Signature-256", prefix="sha256=")
    async with opened_on_sqlite(secret=SecretStr("a secret of the portal's"), hmac=scheme) as it:
        body = body_of()
        made = hmac.new(b"a secret of the portal's", body, hashlib.sha256).hexdigest()
        signed = {"X-Signature-256": f"sha256={made}"}
        assert await it.sent(json.dumps(json.loads(body), indent=1).encode(), signed) == (401, "signature-wrong")
        assert await it.nothing_is_written()
        assert (await it.sent(body, signed))[0] == 200
        assert len(await it.contacts()) == 1


async def test_too_much_and_a_type_that_nobody_named_are_refused_with_nothing_written(on_sqlite: Desk):
    large = body_of(data={**POST, "text": "a" * MOST_BYTES})
    assert await on_sqlite.sent(large, on_sqlite.portal.sign(large, "msg_1")) == (413, "body-too-large")
    assert await on_sqlite.sent(b"", on_sqlite.portal.sign(b"", "msg_1")) == (422, "empty")
    assert await on_sqlite.told("post.liked", POST) == 422
    assert await on_sqlite.told("post.created", [POST] * 1_001) == 422
    assert await on_sqlite.nothing_is_written()


async def test_while_storage_is_away_the_portal_is_told_to_come_again_and_then_all_is_taken_in(on_sqlite: Desk):
    on_sqlite.away.append(AWAY)
    body = body_of()
    assert await on_sqlite.sent(body, on_sqlite.portal.sign(body, "msg_1")) == (503, "unavailable")
    assert await on_sqlite.contacts() == []
    assert (await on_sqlite.sent(body, on_sqlite.portal.sign(body, "msg_1")))[0] == 200
    assert len(await on_sqlite.contacts()) == 1


# Verification by a token.


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158201444"}, (200, b"1158201444")),
        ({"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1158201444"}, (403, "token-wrong")),
        ({"hub.mode": "subscribe", "hub.challenge": "1158201444"}, (403, "token-wrong")),
        ({"hub.verify_token": TOKEN, "hub.challenge": "1158201444"}, (403, "token-wrong")),
        ({"hub.mode": "subscribe", "hub.verify_token": "é\ud83d".encode("utf-8", "replace"), "hub.challenge": "1"}, (403, "token-wrong")),
        ({"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "a\r\nb"}, (400, "challenge-malformed")),
        ({}, (403, "token-wrong")),
    ],
)  # fmt: skip
async def test_34_only_whoever_shows_the_token_is_given_the_challenge_back(opened_on_sqlite: Open, asked: Any, answer: Any):
    async with opened_on_sqlite(token=SecretStr(TOKEN)) as it:
        assert await it.sent(b"", {}, "GET", "?" + urlencode(asked)) == answer
        assert await it.nothing_is_written()


async def test_34_the_challenge_is_plain_text_whatever_it_is(opened_on_sqlite: Open):
    async with opened_on_sqlite(token=SecretStr(TOKEN)) as it:
        asked = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "<script>alert(1)</script>"}
        status, headers, _ = await asyncio.to_thread(post, f"{it.url}?{urlencode(asked)}", b"", {}, "GET")
        assert (status, headers["content-type"].partition(";")[0]) == (200, "text/plain")
        assert headers["x-content-type-options"] == "nosniff"


async def test_34_where_no_token_is_set_nobody_may_ask(on_sqlite: Desk):
    asked = urlencode({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"})
    assert await on_sqlite.sent(b"", {}, "GET", f"?{asked}") == (405, "method-not-allowed")


# Once.


async def test_the_same_post_again_gets_the_same_answer_and_nothing_more_is_written(desk: Desk):
    assert await desk.told("post.created", POST, "msg_1") == 200
    assert await desk.told("post.created", POST, "msg_1") == 200
    assert await desk.told("post.created", {**POST, "sender": {"handle": "gwenpryce"}, "permalink": None}, "msg_2") == 200
    assert len(await desk.contacts()) == 1
    assert len([each for each in desk.originals_folder.rglob("*") if each.is_file()]) == 1


async def test_fifty_deliveries_at_once_are_one_contact_and_fifty_equal_answers(desk: Desk):
    body = body_of()
    signed = desk.portal.sign(body, "msg_1")
    answers = await asyncio.gather(*(desk.sent(body, signed) for _ in range(50)))
    assert set(answers) == {(200, b"")}
    contacts = await desk.contacts()
    assert {each.id for each in contacts} == {FIRST}
    assert all(each == contacts[0] for each in contacts), "what is repeated on the log must be the same in every field"
    async with desk.database.read() as connection:
        assert len((await connection.execute(select(state.receipts))).all()) == 1


async def test_other_words_under_the_same_id_are_kept_too(desk: Desk):
    await desk.told("post.created", POST)
    await desk.told("post.created", {**POST, "text": "Quite other words."})
    first, second = await desk.contacts()
    assert (first.id, first.received_at) == (second.id, second.received_at)
    assert [first.text, second.text] == [POST["text"], "Quite other words."]
    assert await desk.originals.get(second.original)


async def test_what_was_claimed_before_a_crash_is_taken_in_by_the_retry_as_of_the_first_time(on_sqlite: Desk):
    on_sqlite.away.append(AWAY)
    assert await on_sqlite.told("post.created", POST) == 503
    async with on_sqlite.database.read() as connection:
        (claimed,) = (await connection.execute(select(state.claims))).all()
    assert await on_sqlite.told("post.created", POST) == 200
    (contact,) = await on_sqlite.contacts()
    assert contact.received_at == claimed.received_at


# Batches.


async def test_30_of_a_batch_all_are_taken_in_and_the_bad_one_waits_for_a_person(desk: Desk):
    batch = [{**POST, "id": str(each)} for each in range(120)]
    assert await desk.told("post.created", [*batch[:60], {"text": "no id"}, *batch[60:]], "msg_1") == 200
    contacts = await desk.contacts()
    assert len(contacts) == 121
    (bad,) = (each for each in contacts if each.warnings)
    assert bad.warnings[0].startswith("not-read: ")
    assert await desk.originals.get(bad.original) == b'{"text":"no id"}'
    assert await desk.told("post.created", [*batch[:60], {"text": "no id"}, *batch[60:]], "msg_1") == 200
    assert len(await desk.contacts()) == 121


async def test_30_a_batch_that_cannot_be_taken_in_is_not_said_to_be(on_sqlite: Desk):
    batch = [{**POST, "id": str(each)} for each in range(120)]
    on_sqlite.away.append(AWAY)
    assert await on_sqlite.told("post.created", batch) == 503
    assert await on_sqlite.told("post.created", batch) == 200
    assert len(await on_sqlite.contacts()) == 120


# What is told about posts.


async def test_31_an_edit_before_its_post_is_a_contact_that_names_the_post_to_come(desk: Desk):
    edit = {**POST, "text": "In FOUR weeks.", "version": "2"}
    assert await desk.told("post.edited", edit) == 200
    assert await desk.told("post.created", POST) == 200
    assert await desk.told("post.edited", edit) == 200
    first, second = await desk.contacts()
    assert first.post is not None
    assert (first.post.first, first.post.version, second.id) == (FIRST, "2", FIRST)


async def test_32_a_deletion_is_told_to_the_router_as_an_allocation(desk: Desk):
    await desk.told("post.created", POST)
    assert await desk.told("post.deleted", {"id": "1790001"}) == 200
    ((allocation,), contacts) = await desk.allocations(), await desk.contacts()
    assert (allocation.contact_id, allocation.outcome) == (FIRST, AllocationOutcome.DELETED)
    assert len(contacts) == 1


async def test_an_allocation_comes_after_its_post_and_is_marked_as_ours(desk: Desk):
    allocated = {**POST, "allocated_at": "2026-03-02T09:20:00Z"}
    assert await desk.told("post.created", allocated, "msg_1") == 200
    assert await desk.told("post.created", allocated, "msg_1") == 200
    contacts, allocations = await desk.contacts(), await desk.allocations()
    assert len(contacts) == 1
    assert {each.id for each in allocations} == {allocations[0].id}
    assert (allocations[0].contact_id, allocations[0].outcome, allocations[0].at) == (
        FIRST,
        AllocationOutcome.CUSTOMER_CARE,
        datetime(2026, 3, 2, 9, 20, tzinfo=UTC),
    )
    records = await desk.log.read("allocations", after={}, most=10)
    assert all(MARK in decode(each.record).extensions for each in records)


async def test_no_allocation_is_told_of_a_post_that_could_not_be_taken_in(on_sqlite: Desk):
    on_sqlite.away.append(AWAY)
    assert await on_sqlite.told("post.created", {**POST, "allocated_at": "2026-03-02T09:20:00Z"}) == 503
    assert await on_sqlite.allocations() == []


async def test_33_a_name_that_mimics_a_complainant_is_a_name_and_no_more(on_sqlite: Desk):
    mimic = {**POST, "sender": {"handle": "@impostor", "name": "Gwen Pryce gwen.pryce@example.org"}}
    await on_sqlite.told("post.created", mimic)
    (contact,) = await on_sqlite.contacts()
    assert [(each.kind, each.canonical) for each in contact.sender.identifiers] == [("handle", "x:impostor")]


async def test_echoes_of_ourselves_are_counted_and_nothing_is_kept(on_sqlite: Desk):
    before = counted("echo")
    assert await on_sqlite.told("post.created", {**POST, "sender": {"handle": "OmbudsmanCare"}}) == 200
    assert await on_sqlite.told("post.created", {**POST, "own": True}) == 200
    assert counted("echo") - before == 2
    assert await on_sqlite.nothing_is_written()


# What became of our replies.


async def test_what_became_of_a_reply_is_told_on_its_topic(desk: Desk):
    ids = [UUID(int=each) for each in range(1, 4)]
    for each in ids:
        await desk.sent_before(each)
    assert await desk.told("reply.sent", {"id": str(ids[0])}) == 200
    assert await desk.told("reply.delivered", {"id": str(ids[1])}) == 200
    assert await desk.told("reply.failed", {"id": str(ids[2]), "reason": "blocked"}) == 200
    assert [(each.outgoing_id, each.state, each.reason) for each in await desk.statuses()] == [
        (ids[0], OutgoingState.ACCEPTED, None),
        (ids[1], OutgoingState.DELIVERED, None),
        (ids[2], OutgoingState.FAILED, "portal-failed: blocked"),
    ]


async def test_a_portal_has_no_say_in_what_did_not_go_out_by_it(desk: Desk):
    mail, unheard, before = UUID(int=1), UUID(int=2), counted("unknown-reply")
    await desk.sent_before(mail, "email.care")
    for each in (str(mail), str(unheard), "none"):
        assert await desk.told("reply.failed", {"id": each}) == 200
    assert await desk.statuses() == []
    assert counted("unknown-reply") - before == 3


# Whoever is hostile.

HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-encoding"]


async def test_no_headers_and_no_body_cause_more_than_a_refusal_and_nothing_is_written(on_sqlite: Desk):
    @given(st.dictionaries(st.sampled_from(NAMES), HEADER), st.binary(max_size=200))
    @settings(max_examples=60, deadline=None)
    def try_it(headers: dict[str, str], body: bytes) -> None:
        signed = {**on_sqlite.portal.sign(b"{}", "msg_1"), **{name: value.strip() for name, value in headers.items()}}
        answers.append(asyncio.run_coroutine_threadsafe(on_sqlite.sent(body + b"\n", signed), loop).result(30)[0])

    answers, loop = list[int](), asyncio.get_running_loop()
    await asyncio.to_thread(try_it)
    assert set(answers) <= {400, 401}, set(answers)
    assert await on_sqlite.nothing_is_written()


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"[" * 100_000, b'{"type":"post.created","data":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, b"\xff" * 100,
        b'{"type":"post.created","data":{"id":"\\ud800","network":"x","text":"\\udfff\\u0000"}}',
        b'{"type":"post.created","data":{"id":1,"id":NaN,"network":"x","text":"a","sent_at":1e999}}',
        b'{"type":"post.created","data":[1,null,"x",[],{}]}', b"9" * 10_000,
    ],
    ids=range(8),
)  # fmt: skip
async def test_what_is_signed_and_makes_no_sense_is_kept_for_a_person(on_sqlite: Desk, body: bytes):
    signed = sign(body, "msg_1", account(), datetime.now(UTC))  # the package signs text only
    assert (await on_sqlite.sent(body, signed))[0] == 200
    contacts = await on_sqlite.contacts()
    assert contacts
    for each in contacts:
        assert await on_sqlite.originals.get(each.original)
        assert each.needs_allocation
