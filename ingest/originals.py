"""Raw messages and attachments, each under its SHA-256, kept before anything is parsed.

They lie at ``ab/cd/<digest>``. obstore writes beside and renames, and syncs nothing, so that is done here: the file, then each
folder on the way to it. One that a crash left torn does not have the bytes of its name, and is written again.
"""

import asyncio
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from ingest.errors import Misconfigured, Unavailable, Unreadable
from ingest.ids import digest as digest_of
from ingest.ids import new_id
from ingest.settings import path_of

_KEY: Final = "originals.url"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_AT_ONCE: Final = 16


class Originals:
    """A store of bytes by digest: ``put`` returns once they would survive a loss of power; what is there is never changed."""

    def __init__(self, url: str) -> None:
        """Open the store at ``file:///folder``, which is made where there is none. Raises Misconfigured(``originals.url``)."""
        scheme = url.partition("://")[0]
        if not url.startswith("file:///"):
            raise Misconfigured(_KEY, f"originals.url is {scheme}://…; this release knows file:///folder.")
        self._folder = path_of(url).absolute()
        try:
            made = [each for each in (self._folder, *self._folder.parents) if not each.exists()]
            self._folder.mkdir(parents=True, exist_ok=True)
            for each in made:
                _sync(each.parent)
        except OSError as error:
            raise Misconfigured(_KEY, f"The folder {self._folder} cannot be made: {error.strerror}.") from error
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise Misconfigured(_KEY, f"The folder {self._folder} cannot be written. Let the service write there.")
        self._store = LocalStore(self._folder)

    async def put(self, contents: list[bytes]) -> list[str]:
        """Keep each, and answer with their digests (SHA-256, lower-case hex). A repeat is no error. Raises Unavailable."""
        digests = await asyncio.to_thread(lambda: [digest_of(each) for each in contents])
        wanted = dict(zip(digests, contents, strict=True))
        try:
            missing = await asyncio.to_thread(self._missing, wanted)
            await asyncio.gather(*(obstore.put_async(self._store, _place(each), wanted[each]) for each in missing))
            # What was there already as well: whoever wrote it may have been stopped before it was synced.
            await asyncio.to_thread(self._sync, wanted)
        except (OSError, BaseError) as error:
            raise _away(error) from error
        return digests

    async def get(self, digest: str) -> bytes:
        """The bytes, whose digest is checked.

        Raises KeyError where there are none of that digest, Unreadable(``original-damaged``) where they are no longer what was
        kept, and Unavailable.
        """
        if not _DIGEST.fullmatch(digest):
            raise KeyError(digest)
        try:
            found = bytes(await (await obstore.get_async(self._store, _place(digest))).bytes_async())
        except FileNotFoundError as error:
            raise KeyError(digest) from error
        except (OSError, BaseError) as error:
            raise _away(error) from error
        if digest_of(found) != digest:
            raise Unreadable(
                "original-damaged", f"The original {digest} is not what was kept. Put it back from a copy of {self._folder}."
            )
        return found

    async def check(self) -> None:
        """Write, read and remove a small file. Raises Unavailable, saying what to do."""
        trial, content = f"check-{new_id()}", b"contact-ingest"
        try:
            await obstore.put_async(self._store, trial, content)
            await asyncio.to_thread(_sync, self._folder / trial)
            found = bytes(await (await obstore.get_async(self._store, trial)).bytes_async())
            await obstore.delete_async(self._store, trial)
        except (OSError, BaseError) as error:
            raise _away(error) from error
        if found != content:
            raise Unavailable(
                "originals-unavailable", f"{self._folder} does not give back what is written to it. Have its disk looked at."
            )

    def _missing(self, wanted: dict[str, bytes]) -> list[str]:
        """Those of which there is no file with the right bytes."""
        return [each for each, content in wanted.items() if not _holds(self._folder / _place(each), content)]

    def _sync(self, digests: Iterable[str]) -> None:
        files = [self._folder / _place(each) for each in digests]
        folders = {folder for file in files for folder in file.parents if folder.is_relative_to(self._folder)}
        # At once, since the disk then settles many in one go.
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(_sync, files))
            list(threads.map(_sync, folders))


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _away(error: Exception) -> Unavailable:
    return Unavailable(
        "originals-unavailable", f"Originals cannot be kept: {error}. Check the disk's space and who may write there."
    )
