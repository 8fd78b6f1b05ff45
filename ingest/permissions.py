"""Who else on this machine may read secrets, and what people wrote: for ``ingest check``."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ingest.finding import Finding


def look(secrets: Mapping[str, Path], kept: Mapping[str, Path]) -> Iterator[Finding]:
    """A finding for each file of a secret, by its key, and for each place of what is kept, by its name, that others can read or change."""
    for key, path in secrets.items():
        fault = _open_to_others(path) or _open_to_a_group(path)
        yield Finding(
            key,
            fault is None,
            f"{path} is open to no others." if fault is None else f"{fault} Then have a new secret made.",
        )
    for name, path in kept.items():
        if fault := _open_to_others(path):
            yield Finding(f"permissions of {name}", False, fault)


def _open_to_others(path: Path) -> str | None:
    """They come to it only where they may pass every folder above it."""
    place = path.resolve()
    if not place.exists() or not all(each.stat().st_mode & stat.S_IXOTH for each in place.parents):
        return None
    mode = place.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        can = "read" if mode & stat.S_IROTH else "change"
        return f"Everybody on this machine can {can} {path}: `chmod o= {path}`."
    return None


def _open_to_a_group(path: Path) -> str | None:
    if path.exists() and path.stat().st_mode & stat.S_IWGRP:
        return f"A whole group can change {path}: `chmod g-w {path}`."
    return None
