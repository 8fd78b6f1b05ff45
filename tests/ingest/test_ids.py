"""The same thing twice has one id; two things never share one; what people read out can be read out."""

import re
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.ids import (
    bounce_token,
    bounced_by,
    contact_id,
    derived_id,
    digest,
    mark,
    new_id,
    partition_key,
    published_contact_id,
    reference,
    replies_to,
    reply_token,
)

ONE, TWO = UUID(int=1), UUID(int=2)


def test_an_id_of_a_contact_is_fixed_for_ever():
    """A change here would take every letter in the mailbox in again."""
    assert contact_id("email", "care", "a" * 64) == UUID("369a496e-e9d9-5d1f-8393-194515c5f315")
    assert published_contact_id("urn:example:crm", "42") == UUID("2f651699-0e83-5256-a68f-f037f7d29754")
    assert derived_id(ONE, "acknowledgement") == UUID("0c944c4b-36d8-5b47-8ce2-ca46ac088c22")
    assert reference(ONE) == "CC-FGYCT-45VFV"


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4)), min_size=2, max_size=2, unique=True))
def test_another_channel_account_or_reference_is_another_contact(pair: list[tuple[str, str, str]]):
    one, two = ("\x1f".join(each) for each in pair)
    assert (contact_id(*pair[0]) == contact_id(*pair[1])) is (one == two)


def test_the_same_id_from_two_publishers_is_two_contacts():
    assert published_contact_id("urn:a", "1") != published_contact_id("urn:b", "1")
    assert published_contact_id("urn:a", "1") == published_contact_id("urn:a", "1")


def test_what_a_contact_gives_rise_to_has_an_id_of_its_own_each_time_the_same():
    assert derived_id(ONE, "acknowledgement") == derived_id(ONE, "acknowledgement")
    assert len({derived_id(ONE, "acknowledgement"), derived_id(TWO, "acknowledgement"), derived_id(ONE, "task"), ONE}) == 4


def test_new_ids_sort_as_they_were_made():
    made = []
    for _ in range(5):
        made.append(new_id())
        time.sleep(0.002)
    assert made == sorted(made)
    assert {each.version for each in made} == {7}


def test_a_key_keeps_one_senders_contacts_together_and_names_nobody():
    secret = b"5b0e4c6f9d8a7312e0f4b6c8d1a29375"
    key = partition_key(secret, "email", "sian@example.org", ONE)
    assert key == partition_key(secret, "email", "sian@example.org", TWO)
    assert key != partition_key(secret, "sms", "sian@example.org", ONE)
    assert key != partition_key(secret[::-1], "email", "sian@example.org", ONE)
    assert re.fullmatch("[0-9a-f]{32}", key)


def test_a_contact_whose_sender_is_unknown_is_its_own_key():
    assert partition_key(b"k", "email", None, ONE) == str(ONE)


@settings(deadline=None)
@given(st.uuids())
def test_a_reference_can_be_read_out_on_the_telephone(of: UUID):
    assert re.fullmatch("CC-[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", reference(of))
    assert reference(of) == reference(of)


def test_ten_thousand_references_are_all_different():
    assert len({reference(UUID(int=number)) for number in range(10_000)}) == 10_000


def test_a_digest_is_sha_256_in_lower_case():
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECRET = b"5b0e4c6f9d8a7312e0f4b6c8d1a29375"


@settings(deadline=None)
@given(st.uuids(), st.integers(1, 10**8))
def test_a_links_token_ties_to_its_contact_until_it_ends_and_fits_an_address(of: UUID, lasts: int):
    token = reply_token(SECRET, of, NOW + timedelta(seconds=lasts))
    assert re.fullmatch("[0-9A-Za-z_-]{50}", token)
    assert replies_to(SECRET, token, NOW) == of
    assert replies_to(SECRET, token, NOW + timedelta(seconds=lasts)) is None


@settings(deadline=None)
@given(st.integers(0, 49), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_a_token_with_another_character_anywhere_is_none(at: int, instead: str):
    token = reply_token(SECRET, ONE, NOW + timedelta(days=30))
    altered = token[:at] + instead + token[at + 1 :]
    assert replies_to(SECRET, altered, NOW) == (ONE if altered == token else None)


@settings(deadline=None)
@given(st.text() | st.text(alphabet="Aa0-_=+/ \u00e9", min_size=48, max_size=52))
def test_no_text_that_we_did_not_make_is_a_token(given_text: str):
    assert replies_to(SECRET, given_text, NOW) is None


def test_a_token_of_another_key_or_for_another_purpose_is_none():
    expires = NOW + timedelta(days=30)
    assert replies_to(SECRET, reply_token(SECRET[::-1], ONE, expires), NOW) is None
    assert replies_to(SECRET, mark(SECRET, "1", "2", "3", b"")[:50], NOW) is None
    assert replies_to(SECRET, None, NOW) is None


@settings(deadline=None)
@given(st.uuids(), st.booleans())
def test_a_bounce_token_names_a_message_of_ours_however_a_mail_server_spells_it(of: UUID, upper: bool):
    token = bounce_token(SECRET, of)
    assert re.fullmatch("[a-z2-7]{42}", token)
    assert bounced_by(SECRET, token.upper() if upper else token) == of
    assert bounced_by(SECRET[::-1], token) is None


@settings(deadline=None)
@given(st.integers(0, 41), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_bounce_token_with_one_other_character_is_none_of_ours(at: int, character: str):
    token = bounce_token(SECRET, ONE)
    altered = token[:at] + character + token[at + 1 :]
    assert bounced_by(SECRET, altered) == (ONE if altered == token else None)


@given(st.text(max_size=60))
def test_what_is_no_bounce_token_names_nothing(given_text: str):
    assert bounced_by(SECRET, given_text) is None
    assert bounced_by(SECRET, None) is None
