"""The form in which identifiers are compared. What was given is kept beside it."""

import re
import unicodedata
from datetime import date

import phonenumbers

_BRITISH_DATE = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
_POSTCODE = re.compile(r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})$")
_CASE_REFERENCE = re.compile(r"^(P-[0-9]{7}|C-[0-9]{7}|EN-[0-9]{6})$")


def canonical_email(given: str) -> str | None:
    """Lower case, NFC, without a sub-address's tag or white space; None where it is no address. Dots are kept: only some hosts ignore them."""
    address = unicodedata.normalize("NFC", given).strip().strip("<>").lower()
    local, mark, host = address.rpartition("@")
    if not mark or not local or "." not in host or any(each.isspace() or not each.isprintable() for each in address):
        return None
    untagged = local.partition("+")[0] or local
    return f"{untagged}@{host.rstrip('.')}"


def canonical_phone(given: str, region: str = "GB") -> str | None:
    """E.164 where it is a possible number; None for short codes, names and nonsense.

    Possible, not valid: Ofcom's drama numbers (07700 900xxx) are not valid to phonenumbers, and a short code such as 60777
    would become +4460777 unless it were refused for its length.
    """
    digits = re.sub(r"\D", "", given)
    if not 9 <= len(digits) <= 15:
        return None
    try:
        number = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def canonical_postcode(given: str) -> str | None:
    """A British postcode as ``DE80 4PT``; None where it is none."""
    found = _POSTCODE.match(re.sub(r"[^A-Z0-9]", "", given.upper()))
    return f"{found[1]} {found[2]}" if found else None


def canonical_case_reference(given: str) -> str | None:
    """``P-0123456``, ``C-2034567`` or ``EN-123456``; None where it is none of them."""
    compact = re.sub(r"\s+", "", given.upper()).replace("–", "-").replace("—", "-")
    return compact if _CASE_REFERENCE.match(compact) else None


def as_date(given: str) -> date | None:
    """A day written as ``1944-02-19`` or ``19/02/1944``; None where it is neither."""
    british = _BRITISH_DATE.match(given)
    try:
        return date(int(british[3]), int(british[2]), int(british[1])) if british else date.fromisoformat(given)
    except ValueError:
        return None
