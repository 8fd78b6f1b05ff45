"""The certificates that the settings name: whether they can be read, and how long they are good for, for whoever watches and for ``ingest check``."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from cryptography import x509

from ingest.finding import Finding
from ingest.telemetry import CERTIFICATE_END

_KEYS: Final = ("certificate_file", "ca_file", "client_ca_file")
_SOON: Final = timedelta(days=30)
"""To have a new one made, signed and put in place."""


def watch(settings: Mapping[str, Any]) -> None:
    """Have each scrape of the metrics say when the certificates of each file end."""
    for key, path in _named(settings, ()):
        CERTIFICATE_END.labels(key).set_function(partial(_moment, path))


def _moment(path: Path) -> float:
    try:
        return _end(path).timestamp()
    except (OSError, ValueError):
        return 0.0


def _end(path: Path) -> datetime:
    """Of the certificate that ends first. Raises OSError, and ValueError where there is none."""
    return min(each.not_valid_after_utc for each in x509.load_pem_x509_certificates(path.read_bytes()))


def look(settings: Mapping[str, Any], now: datetime) -> list[Finding]:
    """A finding for each file, by its key: the certificate in it that ends first counts."""
    return [_finding(key, path, now) for key, path in _named(settings, ())]


def _named(settings: Mapping[str, Any], within: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _named(cast(Mapping[str, Any], value), (*within, name))
        elif name in _KEYS and value:
            yield ".".join((*within, name)), Path(value)


def _finding(key: str, path: Path, now: datetime) -> Finding:
    try:
        end = _end(path)
    except OSError as error:
        return Finding(key, False, f"{path} cannot be read: {error.strerror}. Check that it is there and who may read it.")
    except ValueError:
        return Finding(key, False, f"{path} holds no certificate: it must be PEM, with BEGIN CERTIFICATE.")
    if end <= now:
        return Finding(key, False, f"{path} ran out on {end:%d %B %Y}: have a new one made, put it there, and start again.")
    if end - now <= _SOON:
        return Finding(key, False, f"{path} runs out on {end:%d %B %Y}: have a new one made before that.")
    return Finding(key, True, f"{path} is good until {end:%d %B %Y}.")
