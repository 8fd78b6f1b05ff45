"""What a portal tells becomes contacts: each ``samples/*.json`` lies beside what it must come to, and no bytes at all are too bad."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.social.translate import MOST_ITEMS, Came, Heard, translate
from ingest.contract import AllocationOutcome, OutgoingState
from ingest.ids import contact_id, digest
from tests.channels.social.conftest import POST, account

SAMPLES = Path(__file__).parent / "samples"
RECEIVED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
EVENT = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


def heard(body: bytes | Any, event: str = EVENT, **settings: Any) -> Heard:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return translate(raw, event=event, name="care", account=account(**settings), now=RECEIVED)


def told(kind: str, data: Any, **settings: Any) -> Heard:
    return heard({"type": kind, "timestamp": "2026-03-02T09:13:00Z", "data": data}, **settings)


def only(found: Heard) -> Came:
    (came,) = found.came
    return came


def written(found: Heard) -> dict[str, Any]:
    """What it comes to, less what is as it would be anyway."""
    kept = {
        "contacts": [json.loads(each.contact.model_dump_json(exclude_defaults=True)) for each in found.came],
        "allocations": [json.loads(each.model_dump_json()) for each in found.allocations],
        "reports": [[str(each.outgoing_id), each.state.value, each.reason] for each in found.reports],
        "passed_over": found.passed_over,
    }
    return {name: value for name, value in kept.items() if value}


@pytest.mark.parametrize(
    "sample", sorted(each for each in SAMPLES.glob("*.json") if each.stem.count(".") == 0), ids=lambda path: path.stem
)
def test_what_is_told_becomes_what_lies_beside_it(sample: Path):
    chosen = sample.with_suffix(".settings.json")
    found = heard(sample.read_bytes(), **(json.loads(chosen.read_text(encoding="utf-8")) if chosen.exists() else {}))
    assert written(found) == json.loads(sample.with_suffix(".becomes.json").read_text(encoding="utf-8"))


def test_one_post_keeps_the_request_as_it_came_and_one_of_a_list_itself_alone():
    raw = json.dumps({"type": "post.created", "data": POST}, indent=3).encode()
    assert only(heard(raw)).original == raw
    found = told("post.created", [POST, {**POST, "id": "2", "text": "Somebody else's."}])
    assert [json.loads(each.original)["id"] for each in found.came] == ["1790001", "2"]
    assert [each.contact.original for each in found.came] == [digest(each.original) for each in found.came]


def test_a_posts_contact_follows_from_the_account_and_the_posts_id_alone():
    one, again = told("post.created", POST), told("post.created", {**POST, "text": "Other words."})
    assert only(one).contact.id == only(again).contact.id == contact_id("social", "care", "1790001")


def test_what_a_retry_may_tell_otherwise_is_the_same_post():
    changed = {**POST, "sender": {"handle": "gwenpryce", "name": "Gwen P 🌻"}, "permalink": None, "allocated_at": 1772442780}
    assert only(told("post.created", POST)).fingerprint == only(told("post.created", changed)).fingerprint


@pytest.mark.parametrize("changed", [{"text": "Other words."}, {"sender": {"handle": "@somebody"}}, {"in_reply_to": "7"}])
def test_other_words_or_another_writer_are_not(changed: dict[str, Any]):
    assert only(told("post.created", POST)).fingerprint != only(told("post.created", {**POST, **changed})).fingerprint


def test_30_one_bad_item_is_kept_for_a_person_and_its_neighbours_are_read():
    good = [{**POST, "id": str(each)} for each in range(40)]
    found = told("post.created", [*good[:20], {"id": "bad"}, *good[20:]])
    assert [each.contact.thread.message_id for each in found.came] == [*map(str, range(20)), None, *map(str, range(20, 40))]
    bad = found.came[20]
    assert bad.contact.warnings[0].startswith("not-read: ")
    assert bad.original == b'{"id":"bad"}'
    assert bad.contact.id == told("post.created", [*good[:20], {"id": "bad"}]).came[20].contact.id


def test_30_signs_of_harm_in_a_bad_item_can_be_read():
    found = told("post.created", [POST, {"text": "I am going to end it tonight."}])
    assert found.came[1].contact.text == "I am going to end it tonight."


def test_31_an_edit_stands_by_itself_whether_or_not_the_post_has_come():
    edit = {**POST, "text": "Nobody rang in FOUR weeks.", "version": "2"}
    found = only(told("post.edited", edit)).contact
    assert found.post is not None
    assert found.id != contact_id("social", "care", "1790001")
    assert (found.post.first, found.post.version) == (contact_id("social", "care", "1790001"), "2")
    assert only(told("post.edited", edit)).contact.id == found.id
    assert only(told("post.edited", {**edit, "version": "3"})).contact.id != found.id
    by_words = only(told("post.edited", {**edit, "version": None})).contact
    assert by_words.post
    assert by_words.post.version == f"sha256:{digest(edit['text'].encode())}"


def test_32_a_deletion_is_told_of_the_post_as_first_written_and_keeps_none_of_its_words():
    found = told("post.deleted", {**POST, "version": "2"})
    assert found.came == []
    ((allocation),) = found.allocations
    assert (allocation.contact_id, allocation.outcome) == (contact_id("social", "care", "1790001"), AllocationOutcome.DELETED)
    assert allocation.at == datetime(2026, 3, 2, 9, 13, tzinfo=UTC)


def test_33_of_a_display_name_no_identifier_is_made_whatever_it_says():
    for name in ("gwen.pryce@example.org", "+44 7700 900123", "C-2034567", "@OmbudsmanCare"):
        contact = only(told("post.created", {**POST, "sender": {"handle": "@impostor", "name": name}})).contact
        assert contact.sender.name == name
        assert [(each.kind, each.canonical, each.verified_by) for each in contact.sender.identifiers] == [
            ("handle", "x:impostor", None)
        ]
        assert contact.declared is None


def test_a_retried_allocation_is_the_same_and_another_event_another():
    once, again = (told("post.allocated", {"id": "1790001"}).allocations for _ in range(2))
    (other,) = heard({"type": "post.allocated", "data": {"id": "1790001"}}, event="msg_other").allocations
    assert once == again
    assert other.id != once[0].id
    assert other.contact_id == once[0].contact_id == contact_id("social", "care", "1790001")


def test_an_allocation_to_others_than_we_know_is_left_to_a_person():
    found = told("post.allocated", {"id": "1790001", "to": "press-office"})
    assert found.allocations == []
    assert only(found).contact.warnings[0].startswith("not-read: ")
    named = told("post.allocated", {"id": "1790001", "to": "press-office"}, teams={"press-office": "nobody"})
    assert [each.outcome for each in named.allocations] == [AllocationOutcome.NOBODY]
    with_the_post = told("post.created", {**POST, "allocated_at": "2026-03-02T09:00:00Z", "to": "press-office"})
    assert with_the_post.allocations == []
    assert only(with_the_post).contact.warnings[-1].startswith("allocation-not-read: ")
    assert only(with_the_post).contact.text == POST["text"]


@pytest.mark.parametrize("own", ["x:OmbudsmanCare", "ombudsmancare", "@OMBUDSMANCARE", "X:@ombudsmancare"])
def test_what_we_wrote_ourselves_is_no_contact_however_our_handle_is_written(own: str):
    ours = {**POST, "sender": {"handle": "@OmbudsmanCare"}}
    assert told("post.created", ours, own_handles=(own,)).passed_over == ["echo"]
    assert told("post.created", ours, own_handles=("facebook:OmbudsmanCare", "somebody")).passed_over == []


def test_a_type_that_nobody_has_named_is_told_to_the_portal_and_one_that_is_to_be_ignored_is_not():
    assert told("post.liked", POST).refused is not None
    assert heard({"data": POST}).refused is not None
    assert told("post.liked", POST, events={"post.liked": "ignore"}).passed_over == ["ignored"]
    assert told("anything", POST, events={"*": "ignore"}).passed_over == ["ignored"]


def test_types_may_stand_with_each_item_and_one_unknown_then_costs_nobody_else():
    found = heard(
        {"data": [{**POST, "type": "post.created"}, {**POST, "type": "post.deleted"}, {**POST, "type": "post.liked"}]}
    )
    assert len(found.came) == 2
    assert len(found.allocations) == 1
    assert "type" in found.came[1].contact.warnings[0]


def test_a_list_is_bounded_and_an_empty_one_is_nothing():
    assert len(told("post.created", [{**POST, "id": str(each)} for each in range(MOST_ITEMS)]).came) == MOST_ITEMS
    refused = told("post.created", [POST] * (MOST_ITEMS + 1))
    assert refused.refused is not None
    assert refused.refused[0] == "too-many-items"
    assert refused.came == []
    assert told("post.created", []) == Heard()


def test_only_the_code_of_a_failure_is_passed_on():
    id_ = UUID(int=7)
    for reason, expected in (
        ("blocked", "portal-failed: blocked"),
        ("Gwen Pryce has blocked you", "portal-failed"),
        (None, "portal-failed"),
    ):
        (report,) = told("reply.failed", {"id": str(id_), "reason": reason}).reports
        assert (report.outgoing_id, report.state, report.reason) == (id_, OutgoingState.FAILED, expected)
    assert told("reply.failed", {"id": "nobody's"}).passed_over == ["unknown-reply"]


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00", b"null", b"[]", b'"post"', b"{", b"[" * 100_000, b'{"data":' * 50_000, b"9" * 5_000,
        b'{"type":"post.created","data":{"id":NaN,"network":"x","text":"a"}} trailing',
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_kept_for_a_person(body: bytes):
    came = only(heard(body))
    assert came.original == body
    assert came.contact.warnings[0].startswith("not-read: ")
    assert came.contact.needs_allocation


def test_a_later_key_of_two_counts_and_a_number_that_is_none_is_a_name_like_any_other():
    found = only(
        heard(b'{"type":"post.created","data":{"id":1,"id":NaN,"network":"x","text":"a","sent_at":1e999,"version":Infinity}}')
    )
    assert (found.contact.thread.message_id, found.contact.sent_at) == ("nan", None)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": ""}, {"id": "9" * 513}, {"id": {"a": 1}}, {"network": None}, {"network": "n" * 65}, {"text": ["a"]}, {"text": 7},
        {"id": True},
    ],
)  # fmt: skip
def test_what_a_post_must_have_and_has_not_makes_it_not_read(changed: dict[str, Any]):
    assert only(told("post.created", {**POST, **changed})).contact.warnings[0].startswith("not-read: ")


@pytest.mark.parametrize(
    "sent_at", ["2026-03-02T09:12:00Z", "2026-03-02T10:12:00+01:00", 1772442720, 1772442720000, "1772442720", 1772442720.0]
)
def test_a_time_may_be_written_in_the_ways_that_portals_write_it(sent_at: Any):
    assert only(told("post.created", {**POST, "sent_at": sent_at})).contact.sent_at == datetime(2026, 3, 2, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent_at", ["2026-03-02T09:12:00", "2026-03-02", "", 1e300, "9" * 400, "²", [], {}, True, "0001-01-01T00:00:00+23:59"]
)
def test_a_time_that_is_none_costs_the_post_nothing_else(sent_at: Any):
    contact = only(told("post.created", {**POST, "sent_at": sent_at})).contact
    assert contact.sent_at is None
    assert contact.text == POST["text"]


def test_lone_surrogates_and_nul_are_taken_out_wherever_they_stand():
    body = (
        json.dumps({"type": "post.created", "data": POST})
        .replace("GwenPryce", "\\ud800\\u0000Gwen")
        .replace("1790001", "17\\udc00")
    )
    contact = only(heard(body.encode())).contact
    assert contact.post
    assert contact.thread.message_id == "17?"
    contact.model_dump_json().encode()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = ["id", "network", "thread_id", "in_reply_to", "sender", "text", "sent_at", "permalink", "private", "own", "media", "version",
         "allocated_at", "allocated_by", "to", "reason"]  # fmt: skip
KINDS = ["post.created", "post.edited", "post.deleted", "post.allocated", "reply.sent", "reply.failed"]


@given(
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6) | st.lists(ANYTHING, max_size=4) | ANYTHING,
)
def test_nothing_that_an_item_says_is_too_bad_and_whatever_is_kept_can_be_written(kind: str, item: Any):
    for data in ({**POST, **item} if isinstance(item, dict) else item, [item, POST]):
        body = json.dumps({"type": kind, "data": data}).encode()
        found = heard(body)
        assert found.refused is None
        for each in found.came:
            each.contact.model_dump_json().encode()
            assert each.contact.needs_allocation
            assert {identifier.kind for identifier in each.contact.sender.identifiers} <= {"handle"}
        for each in found.allocations:
            each.model_dump_json().encode()


@given(st.binary(max_size=200))
def test_no_bytes_are_too_bad(body: bytes):
    found = heard(body)
    assert found.refused or found == Heard() or found.came
