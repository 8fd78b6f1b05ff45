"""Files that are sent ahead of what they belong to: by a form's pages one at a time, by other systems before their contact.

An upload's bytes go to the originals, under their digest, and a row says whose it is. Whoever makes a contact of it names it
there as an attachment and forgets the row. A row that nobody claims in time is forgotten as well; its bytes stay, since the
same bytes may have come as an attachment by any channel, and only the register and the log know of those.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.engine import Row

from ingest import state
from ingest.clock import Clock
from ingest.contract import Attachment, Verdict
from ingest.database import Database, among, insert
from ingest.errors import Refused
from ingest.expiry import expire_often
from ingest.files import KINDS, Kind, label_of, tell
from ingest.ids import digest as digest_of
from ingest.originals import Originals
from ingest.scan import Scan
from ingest.settings import UploadsSettings
from ingest.telemetry import telemetry
from ingest.together import Together

_say = telemetry("uploads")


class Uploads:
    """The files of each owner, who is an opaque key: a publisher's URN, a form session's id. Methods raise Unavailable."""

    def __init__(
        self, settings: UploadsSettings, scan: Scan, *, originals: Originals, database: Database, clock: Clock
    ) -> None:
        self._settings = settings
        self._scan = scan
        self._originals = originals
        self._database = database
        self._clock = clock
        self._looks = Together(self._look)

    async def admit(self, owner: str, size: int | None) -> None:
        """Whether a file of so many bytes may come, before it is read; None where its size is not known yet.

        Raises Refused(``too-many-files``, ``file-too-large``, ``file-empty``). A door that reads it stops after ``most_bytes``.
        """
        self._fits(1 if size is None else size)
        self._has_room(await self.kept(owner))

    async def keep(self, owner: str, name: str, content_type: str, content: bytes) -> Attachment:
        """Look at a file and keep it; when this returns it would survive a crash. The same bytes again are the same upload.

        ``name`` and ``content_type`` are what the sender says. The label is made safe; the type is told by the bytes, and the
        sender's word counts where they may be several. Where the scanner is away the file is kept as ``unscanned``.

        Raises Refused, with nothing kept: ``file-empty``, ``file-too-large``, ``file-encrypted``, ``file-type``,
        ``file-infected``, ``too-many-files``.
        """
        self._fits(len(content))
        kind = await asyncio.to_thread(self._kind, content)
        digest = await asyncio.to_thread(digest_of, content)
        kept = await self.kept(owner)
        if all(each.digest != digest for each in kept):
            self._has_room(kept)
        verdict = await self._scan(content)
        if verdict is Verdict.INFECTED:
            raise Refused("file-infected", "The file contains a virus. Send it from another device, or without it.")
        attachment = Attachment(
            digest=digest,
            name=label_of(name, kind),
            content_type=kind.media_type(content_type),
            size=len(content),
            verdict=verdict,
        )
        await self._originals.put([content])
        await self._note(owner, attachment)
        return attachment

    async def kept(self, owner: str) -> list[Attachment]:
        """What an owner has with us, in the order it came."""
        return await self._looks(owner)

    async def _look(self, owners: Sequence[str]) -> list[list[Attachment] | Exception]:
        uploads = state.uploads
        theirs: dict[str, list[Attachment]] = {each: [] for each in owners}
        async with self._database.read() as connection:
            wanted = select(uploads).where(among(uploads.c.owner, theirs)).order_by(uploads.c.at, uploads.c.digest)
            for row in await connection.execute(wanted):
                theirs[row.owner].append(_attachment(row))
        return [theirs[each] for each in owners]

    async def forget(self, owner: str, *digests: str) -> None:
        """Let go of some of an owner's files: they are an attachment of a contact by now, or not wanted. Unknown ones are no error."""
        uploads = state.uploads
        async with self._database.write() as connection:
            for each in digests:
                await connection.execute(delete(uploads).where(uploads.c.owner == owner, uploads.c.digest == each))

    async def touch(self, owner: str) -> None:
        """Begin the time of all an owner's files anew, in the order they have: whoever they are of is still at work."""
        uploads = state.uploads
        mine = uploads.c.owner == owner
        async with self._database.write(f"uploads {owner}") as connection:
            rows = (await connection.execute(select(uploads.c.digest, uploads.c.at).where(mine))).all()
            if not rows:
                return
            passed = self._clock() - max(row.at for row in rows)
            for row in rows:
                moved = update(uploads).where(mine, uploads.c.digest == row.digest).values(at=row.at + passed)
                await connection.execute(moved)

    async def expire(self) -> int:
        """Forget what nobody has claimed within ``kept_for``, and note that its bytes may go; how many those were."""
        uploads, now = state.uploads, self._clock()
        gone = delete(uploads).where(uploads.c.at < now - self._settings.kept_for).returning(uploads.c.digest)
        async with self._database.write() as connection:
            digests = list((await connection.execute(gone)).scalars())
            await state.let_go_of(connection, set(digests), now)
        return len(digests)

    async def run(self, stopping: asyncio.Event) -> None:
        """Forget what nobody claimed, every ten minutes until told to stop."""
        await expire_often(_say, "uploads", self.expire, stopping)

    def _fits(self, size: int) -> None:
        if size == 0:
            raise Refused("file-empty", "The file is empty. Check that it is the right one.")
        if size > self._settings.most_bytes:
            limit = self._settings.most_bytes
            raise Refused("file-too-large", f"The file is larger than {limit} bytes. Send a smaller one.")

    def _has_room(self, kept: Sequence[Attachment]) -> None:
        if len(kept) >= self._settings.most_files:
            raise self._too_many()

    def _kind(self, content: bytes) -> Kind:
        kind, locked = tell(content)
        if kind is None or kind.name not in self._settings.types:
            known = ", ".join(KINDS[each].endings[0] for each in self._settings.types)
            raise Refused("file-type", f"The file is none of these: {known}. Send it as one of them.")
        if locked:
            raise Refused("file-encrypted", "The file is password protected. Take its password away and send it again.")
        return kind

    def _too_many(self) -> Refused:
        return Refused("too-many-files", f"There are {self._settings.most_files} files already. Remove one of them first.")

    async def _note(self, owner: str, attachment: Attachment) -> None:
        uploads = state.uploads
        row = {
            "label": attachment.name,
            "content_type": attachment.content_type,
            "size": attachment.size,
            "verdict": attachment.verdict.value,
            "at": self._clock(),
        }
        keys = {"owner": owner, "digest": attachment.digest}
        put = insert(uploads).values(**keys, **row).on_conflict_do_update(index_elements=["owner", "digest"], set_=row)
        async with self._database.write(f"uploads {owner}") as connection:
            others = (uploads.c.owner == owner) & (uploads.c.digest != attachment.digest)
            if (await connection.scalar(select(func.count()).where(others)) or 0) >= self._settings.most_files:
                raise self._too_many()
            await connection.execute(put)


def _attachment(row: Row[tuple[object, ...]]) -> Attachment:
    return Attachment(
        digest=row.digest,
        name=row.label,
        content_type=row.content_type,
        size=row.size,
        verdict=Verdict(row.verdict),
    )
