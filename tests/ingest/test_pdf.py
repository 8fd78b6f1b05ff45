"""A PDF is locked where it asks for a password, and not where it only forbids printing."""

import io
import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from ingest.files import tell
from ingest.pdf import is_locked

ALGORITHMS = ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256")


@cache
def encrypted(algorithm: str, password: str) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt(user_password=password, owner_password="only the owner has this", algorithm=algorithm)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pdf_that_asks_for_a_password_is_locked(algorithm: str):
    content = encrypted(algorithm, "open sesame")
    assert not PdfReader(io.BytesIO(content)).decrypt("")
    assert is_locked(content)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("attempt", range(8))  # a hash may hold any byte, escaped or not
def test_a_pdf_that_only_forbids_printing_opens(algorithm: str, attempt: int):
    encrypted.cache_clear()
    content = encrypted(algorithm, "")
    assert PdfReader(io.BytesIO(content)).decrypt("")
    assert not is_locked(content)
    assert tell(content).locked is False


def test_a_pdf_without_encryption_opens():
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    made = io.BytesIO()
    writer.write(made)
    assert not is_locked(made.getvalue())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_strings_in_parentheses_are_read_as_those_in_hexadecimal_are(algorithm: str):
    content = encrypted(algorithm, "")
    at = content.index(b"/Filter /Standard")
    start, end = content.rindex(b"obj", 0, at), content.index(b"endobj", at)
    dictionary = content[start:end]
    for name in (b"/O <", b"/U <"):
        begin = dictionary.index(name) + len(name)
        letters = dictionary[begin : dictionary.index(b">", begin)]
        octal = b"".join(b"\\%03o" % each for each in bytes.fromhex(letters.decode()))
        dictionary = dictionary.replace(b"<" + letters + b">", b"(" + octal + b")")
    assert not is_locked(content[:start] + dictionary + content[end:])


@given(st.sampled_from(ALGORITHMS), st.integers(0, 3_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_one_is_told_or_taken_for_locked_and_nothing_breaks(algorithm: str, at: int, by: bytes):
    content = encrypted(algorithm, "")
    at %= len(content)
    assert is_locked(content[:at] + by + content[at + len(by) :]) in {True, False}


@pytest.mark.parametrize("piece", [b"/Encrypt 1 0 R ", b"/ID [(", b"/Encrypt << /O (", b"\n1 0 obj ", b"(((("])
def test_ten_megabytes_made_to_keep_it_busy_do_not(piece: bytes):
    content = b"%PDF-1.7 /Encrypt 1 0 R /ID [(a)(b)]\n1 0 obj <</Filter /Standard /R 6 /O (a) /U (b)>> endobj" + piece * (
        10_000_000 // len(piece)
    )
    began = time.monotonic()
    assert is_locked(content)
    assert time.monotonic() - began < 2
