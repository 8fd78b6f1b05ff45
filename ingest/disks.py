"""The disks of this machine that something of ours is kept on: how full they are, for whoever watches and for ``ingest check``."""

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from ingest.finding import Finding
from ingest.settings import Settings, path_of
from ingest.telemetry import DISK_FREE, DISK_SIZE

_ENOUGH: Final = 0.1
"""Of a disk, as a share: SQLite wants room to write beside a file what it changes in it."""


def places(chosen: Settings) -> dict[str, Path]:
    """What lies on a disk of this machine by these settings, and where."""
    urls = {"log": chosen.log.url, "register": chosen.register.url, "originals": chosen.originals.url}
    found = {name: path_of(url) for name, url in urls.items() if url.startswith(("sqlite:", "file:"))}
    return found if "log" in found else {**found, "spool": chosen.log.spool}


def watch(kept: Mapping[str, Path]) -> None:
    """Have each scrape of the metrics say how large the disk under each is, and how much of it is left."""
    for name, path in kept.items():
        DISK_SIZE.labels(name).set_function(partial(_size, path))
        DISK_FREE.labels(name).set_function(partial(_free, path))


def look(kept: Mapping[str, Path]) -> list[Finding]:
    """A line each: how much is left, and whether it can be written to."""
    return [_finding(name, path) for name, path in kept.items()]


def _finding(name: str, path: Path) -> Finding:
    about, folder = f"disk of {name}", _there(path)
    if not os.access(folder, os.W_OK):
        return Finding(about, False, f"{folder} cannot be written by this user: give it to the user that the service runs as.")
    usage = shutil.disk_usage(folder)
    left = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB are left at {folder}"
    if usage.free < _ENOUGH * usage.total:
        return Finding(
            about, False, f"{left}: make room, or a larger disk. Nothing is taken in once it is full, and nothing is lost."
        )
    return Finding(about, True, f"{left}.")


def _there(path: Path) -> Path:
    """It, or the nearest folder above it that is there."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())


def _size(path: Path) -> float:
    return float(shutil.disk_usage(_there(path)).total)


def _free(path: Path) -> float:
    return float(shutil.disk_usage(_there(path)).free)
