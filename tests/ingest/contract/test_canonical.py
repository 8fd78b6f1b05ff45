"""Identifiers as they are compared: what is one address, one number, one reference, and what is none."""

import pytest

from ingest.contract import canonical_case_reference, canonical_email, canonical_phone, canonical_postcode, major_version
from ingest.contract.shape import Shape, Text


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("  <Sian.PJ@Example.ORG> ", "sian.pj@example.org"),
        ("sian+ombudsman@example.org", "sian@example.org"),
        ("+tag@example.org", "+tag@example.org"),
        ("sian.pj@example.org.", "sian.pj@example.org"),
        ("sia\u0302n@example.org", "si\u00e2n@example.org"),
        ("stra\u00dfe@example.org", "stra\u00dfe@example.org"),
        ("\u017fian@example.org", "\u017fian@example.org"),  # a long s is not an s: another mailbox
        ("nobody", None),
        ("@example.org", None),
        ("sian@localhost", None),
        ("two words@example.org", None),
        ("sian\u202e@example.org", None),
        ("sian\x00@example.org", None),
        ("", None),
    ],
)
def test_an_address_is_compared_without_case_tag_or_white_space(given: str, canonical: str | None):
    assert canonical_email(given) == canonical


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("07700 900123", "+447700900123"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("60777", None),
        ("NHS-App", None),
        ("0" * 10 + "x" * 1_000_000, None),
        ("+999 1234567890", None),
    ],
)
def test_a_number_is_compared_as_it_is_dialled_from_abroad(given: str, canonical: str | None):
    assert canonical_phone(given) == canonical


@pytest.mark.parametrize(
    ("given", "canonical"), [("sy231aa", "SY23 1AA"), ("DE80 4PT", "DE80 4PT"), ("12345", None), ("", None)]
)
def test_a_postcode_has_one_form(given: str, canonical: str | None):
    assert canonical_postcode(given) == canonical


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("c - 2034567", "C-2034567"),
        ("P\u20130123456", "P-0123456"),
        ("en-123456", "EN-123456"),
        ("C-203456", None),
        ("C-20345678", None),
        ("C-\u0662\u0660\u0663\u0664\u0665\u0666\u0667", None),
    ],
)
def test_a_case_reference_is_one_of_three_forms(given: str, canonical: str | None):
    assert canonical_case_reference(given) == canonical


@pytest.mark.parametrize(
    ("ce_type", "version"),
    [
        ("contact-ingest.contact.v2", ("contact-ingest.contact", 2)),
        ("contact-ingest.contact", None),
        ("contact-ingest.contact.v", None),
        ("contact-ingest.contact.v1\n", None),
        ("v1", None),
    ],
)
def test_a_types_major_version_is_its_ending(ce_type: str, version: tuple[str, int] | None):
    assert major_version(ce_type) == version


def test_text_is_what_a_database_can_hold():
    class Held(Shape):
        text: Text

    assert Held(text="a\x00b\ud800c").text == "ab?c"
