"""A certificate that has run out, or soon does, is named before it keeps anybody out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import REGISTRY

from ingest import certificates

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def certificate(end: datetime) -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "contact.example.org")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, end - timedelta(days=365), end).sign(key, None)
    return made.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    ("days", "well", "says"),
    [
        (31, True, "is good until 02 April 2026"),
        (30, False, "runs out on 01 April 2026"),
        (0, False, "ran out on 02 March 2026"),
    ],
)
def test_a_certificate_is_named_from_a_month_before_its_end(tmp_path: Path, days: int, well: bool, says: str):
    path = tmp_path / "site.pem"
    path.write_bytes(certificate(NOW + timedelta(days=days)))
    (found,) = certificates.look({"web": {"certificate_file": str(path), "client_ca_file": None}}, NOW)
    assert (found.about, found.well) == ("web.certificate_file", well)
    assert says in found.sentence


def test_of_several_in_a_file_the_first_to_end_counts_and_each_file_is_looked_at(tmp_path: Path):
    for name, days in (("chain.pem", (400, 5)), ("ca.pem", (400,))):
        (tmp_path / name).write_bytes(b"".join(certificate(NOW + timedelta(days=each)) for each in days))
    named = {
        "log": {"ca_file": str(tmp_path / "ca.pem")},
        "channels": {"email": {"care": {"oauth": {"certificate_file": str(tmp_path / "chain.pem")}}}},
    }
    assert [(each.about, each.well) for each in certificates.look(named, NOW)] == [
        ("log.ca_file", True),
        ("channels.email.care.oauth.certificate_file", False),
    ]


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"])
def test_what_holds_no_certificate_is_named_with_what_to_do(tmp_path: Path, content: bytes | None):
    path = tmp_path / "none.pem"
    if content is not None:
        path.write_bytes(content)
    (found,) = certificates.look({"log": {"ca_file": str(path)}}, NOW)
    assert not found.well
    assert ("PEM" in found.sentence) == (content is not None)


def test_whoever_watches_is_told_by_when_each_ends_as_it_lies_there_at_the_time(tmp_path: Path):
    path = tmp_path / "site.pem"
    certificates.watch({"web": {"certificate_file": str(path)}})

    def told() -> float | None:
        return REGISTRY.get_sample_value("certificate_end_timestamp_seconds", {"key": "web.certificate_file"})

    assert told() == 0
    for days in (5, 400):
        path.write_bytes(certificate(NOW + timedelta(days=days)))
        assert told() == (NOW + timedelta(days=days)).timestamp()
