"""Raw messages and attachments, each under its SHA-256, kept before anything is parsed.

They lie at ``ab/<digest>``, in a folder or in a bucket. In a folder obstore writes beside and renames, and syncs nothing, so
that is done here: the file, then each folder on the way to it. One that a crash left torn does not have the bytes of its name,
and is written again. A bucket has an object whole or not at all, and has it for good once it says so (S3, PutObject).
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from ingest.durable import make_folder, sync
from ingest.errors import Misconfigured, Unavailable, Unreadable
from ingest.ids import digest as digest_of
from ingest.ids import new_id
from ingest.settings import OriginalsSettings, path_of

if TYPE_CHECKING:  # a type that obstore has only for checkers
    from obstore.store import S3Config

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PLACE: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # S3, "General purpose bucket naming rules"
_SYNCS_AT_ONCE: Final = 4  # the disk settles several in one go
_AT_ONCE: Final = 16
_CALL_SECONDS: Final = 60.0  # for one object, its repeats and all
_TRY_SECONDS: Final = 15
_TRIES_AGAIN: Final = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an original without reading it."""

    size: int
    at: datetime
    """When it was last put, though it was there already."""


class _Kind(Protocol):
    """Where the bytes lie, and what makes them last there."""

    store: ObjectStore
    where: str
    mend: str

    async def keep(self, wanted: Mapping[str, bytes]) -> None:
        """Write what is not there yet; returns once all of it would survive a loss of power."""
        ...

    async def last(self, name: str) -> None:
        """Make sure that what was just written by that name would survive too."""
        ...


class Originals:
    """A store of bytes by digest: ``put`` returns once they would survive a loss of power; what is there is never changed."""

    def __init__(self, url: str, bucket: OriginalsSettings | None = None, *, setting: str = "originals.url") -> None:
        """Open the store at ``file:///folder``, which is made where there is none, or at ``s3://bucket/prefix``.

        ``bucket`` says how a bucket is reached: its endpoint, region and keys. Raises Misconfigured, naming the ``setting``.
        """
        scheme = url.partition("://")[0]
        if url.startswith("file:///"):
            self._kind: _Kind = _Folder(path_of(url).absolute(), setting)
        elif url.startswith("s3://"):
            self._kind = _Bucket(url, bucket or OriginalsSettings(url=url), setting)
        else:
            raise Misconfigured(
                setting, f"{setting} is {scheme}://…; this release knows file:///folder and s3://bucket/prefix."
            )

    async def put(self, contents: list[bytes]) -> list[str]:
        """Keep each, and answer with their digests (SHA-256, lower-case hex). A repeat is no error. Raises Unavailable."""
        digests = await asyncio.to_thread(lambda: [digest_of(each) for each in contents])
        try:
            await self._kind.keep(dict(zip(digests, contents, strict=True)))
        except (OSError, BaseError) as error:
            raise self._away(error) from error
        return digests

    async def get(self, digest: str) -> bytes:
        """The bytes, whose digest is checked.

        Raises KeyError where there are none of that digest, Unreadable(``original-damaged``) where they are no longer what was
        kept, and Unavailable.
        """
        if not _DIGEST.fullmatch(digest):
            raise KeyError(digest)
        try:
            found = await _in_time(_read(self._kind.store, _place(digest)))
        except (OSError, BaseError) as error:
            # A bucket that is not there has lost nothing yet.
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
                raise KeyError(digest) from error
            raise self._away(error) from error
        if digest_of(found) != digest:
            raise Unreadable(
                "original-damaged",
                f"The original {digest} is not what was kept. Put it back from a copy of {self._kind.where}.",
            )
        return found

    async def look(self, digest: str) -> "Kept | None":
        """How large one is and when it was last put; None where there is none. Raises Unavailable."""
        try:
            found = await _in_time(obstore.head_async(self._kind.store, _place(digest)))
        except FileNotFoundError:
            return None
        except (OSError, BaseError) as error:
            raise self._away(error) from error
        return Kept(found["size"], found["last_modified"])

    async def remove(self, digest: str) -> None:
        """Let go of the bytes for good; where there are none, that is no error. Raises Unavailable.

        A bucket that keeps versions has them still: its own lifecycle must end those.
        """
        try:
            await _in_time(obstore.delete_async(self._kind.store, _place(digest)))
        except FileNotFoundError:
            return
        except (OSError, BaseError) as error:
            raise self._away(error) from error

    async def every(self) -> AsyncIterator[tuple[str, bytes]]:
        """Where each lies, and its bytes, in no order; for small stores. Raises Unavailable."""
        store = self._kind.store
        try:
            async for some in obstore.list(store):
                for each in some:
                    if _PLACE.fullmatch(each["path"]):
                        yield each["path"], await _in_time(_read(store, each["path"]))
        except (OSError, BaseError) as error:
            raise self._away(error) from error

    async def check(self) -> None:
        """Write, read and remove a small object. Raises Unavailable, saying what to do."""
        trial, content, store = f"check-{new_id()}", b"contact-ingest", self._kind.store
        try:
            await _in_time(obstore.put_async(store, trial, content))
            await self._kind.last(trial)
            found = await _in_time(_read(store, trial))
            await _in_time(obstore.delete_async(store, trial))
        except (OSError, BaseError) as error:
            raise self._away(error) from error
        if found != content:
            raise Unavailable(
                "originals-unavailable", f"{self._kind.where} does not give back what is written to it. Have it looked at."
            )

    def _away(self, error: Exception) -> Unavailable:
        # S3's errors carry the whole answer: the first line says what, the rest is XML and what was tried.
        said = str(error).strip().partition("\n")[0][:300] or "it does not answer"
        return Unavailable(
            "originals-unavailable", f"Originals cannot be kept in {self._kind.where}: {said}. {self._kind.mend}"
        )


class _Folder:
    """A folder of this machine's."""

    mend = "Check the disk's space and who may write there."

    def __init__(self, folder: Path, setting: str) -> None:
        self._folder = folder
        self.where = str(folder)
        try:
            make_folder(folder)
        except OSError as error:
            raise Misconfigured(setting, f"The folder {folder} cannot be made: {error.strerror}.") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Misconfigured(setting, f"The folder {folder} cannot be written. Let the service write there.")
        self.store: ObjectStore = LocalStore(folder)
        self._threads = ThreadPoolExecutor(_SYNCS_AT_ONCE)

    async def keep(self, wanted: Mapping[str, bytes]) -> None:
        missing = await asyncio.to_thread(self._missing, wanted)
        await asyncio.gather(*(obstore.put_async(self.store, _place(each), wanted[each]) for each in missing))
        # What was there already as well: whoever wrote it may have been stopped before it was synced.
        await asyncio.to_thread(self._sync, wanted)

    async def last(self, name: str) -> None:
        await asyncio.to_thread(sync, self._folder / name)

    def _missing(self, wanted: Mapping[str, bytes]) -> list[str]:
        """Those of which there is no file with the right bytes. Of the others it is noted that they are wanted now."""
        missing: list[str] = []
        for each, content in wanted.items():
            path = self._folder / _place(each)
            if _holds(path, content):
                with suppress(FileNotFoundError):
                    os.utime(path)
                    continue
            missing.append(each)
        return missing

    def _sync(self, digests: Iterable[str]) -> None:
        files = [self._folder / _place(each) for each in digests]
        folders = {folder for file in files for folder in file.parents if folder.is_relative_to(self._folder)}
        list(self._threads.map(sync, [*files, *folders]))


class _Bucket:
    """A bucket of S3 or of a store that speaks as S3 does. A repeat is written again, to the same bytes."""

    mend = "Check that the bucket exists, its endpoint and region, and what the keys may do: get, put and delete."

    def __init__(self, url: str, how: OriginalsSettings, setting: str) -> None:
        name, _, prefix = url.removeprefix("s3://").partition("/")
        if not _BUCKET.fullmatch(name):
            raise Misconfigured(setting, f"{setting} is {url}, which names no bucket: write it as s3://bucket/prefix.")
        if (how.access_key is None) != (how.secret_key is None):
            missing = "access_key" if how.access_key is None else "secret_key"
            raise Misconfigured(f"originals.{missing}", f"originals.{missing} is missing: a bucket's two keys go together.")
        if how.endpoint is not None and not how.endpoint.startswith(("http://", "https://")):
            raise Misconfigured("originals.endpoint", f"originals.endpoint is {how.endpoint}: write it as https://host:port.")
        config: S3Config = {"region": how.region}
        if how.endpoint:
            config["endpoint"] = how.endpoint
        if how.access_key and how.secret_key:
            config["access_key_id"] = how.access_key.get_secret_value()
            config["secret_access_key"] = how.secret_key.get_secret_value()
        self.where = url
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.store: ObjectStore = S3Store(
            name,
            prefix=prefix.strip("/") or None,
            config=config,
            client_options={
                "allow_http": bool(how.endpoint and how.endpoint.startswith("http://")),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=_TRY_SECONDS),
            },
            retry_config={"max_retries": _TRIES_AGAIN, "retry_timeout": timedelta(seconds=_CALL_SECONDS / 2)},
        )

    async def keep(self, wanted: Mapping[str, bytes]) -> None:
        async def one(digest: str, content: bytes) -> None:
            async with self._turns:
                # In one request, whatever its size: in parts it would not be there whole or not at all.
                await _in_time(obstore.put_async(self.store, _place(digest), content, use_multipart=False))

        await asyncio.gather(*(one(*each) for each in wanted.items()))

    async def last(self, name: str) -> None:
        """Nothing: what a bucket has answered for it has."""


async def _in_time(asking: Awaitable[T]) -> T:
    """Its answer; TimeoutError, which is an OSError, where there is none in time."""
    async with asyncio.timeout(_CALL_SECONDS):
        return await asking


async def _read(store: ObjectStore, place: str) -> bytes:
    return bytes(await (await obstore.get_async(store, place)).bytes_async())


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False
