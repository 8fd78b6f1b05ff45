"""Folders and files that would survive a loss of power."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """The folder and those above it that are not there yet, each synced into the one that holds it. Raises OSError."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        sync(each.parent)


def sync(path: Path) -> None:
    """What a file holds, or which names a folder has. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
