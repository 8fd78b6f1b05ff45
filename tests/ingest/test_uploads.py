"""A file sent ahead is kept for whoever sent it, once it is known what it is; what cannot be taken is refused with its reason."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ingest import state
from ingest.contract import Attachment, Verdict
from ingest.database import Database
from ingest.errors import Refused, Unavailable
from ingest.ids import digest
from ingest.originals import Originals
from ingest.scan import scanner
from ingest.settings import ScanSettings, UploadsSettings
from ingest.uploads import Uploads
from tests.conftest import FIXED
from tests.ingest.test_files import SOUND, compound
from tests.servers.clamd import EICAR, MOST_BYTES, VIRUS, Clamd, running_clamd

ANN, BEN = "form:ann", "urn:example:ben"
LETTER = SOUND["pdf"]


class Desk:
    """Uploads, what they lean on, and the hands of the clock."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.originals = Originals(f"file:///{folder}")
        self.database = Database(url)
        self.now = FIXED

    def uploads(self, scan_by: ScanSettings | None = None, **settings: object) -> Uploads:
        return Uploads(
            UploadsSettings.model_validate(settings),
            scanner(scan_by or ScanSettings()),
            originals=self.originals,
            database=self.database,
            clock=lambda: self.now,
        )

    def bytes_kept(self) -> set[str]:
        return {each.name for each in self.folder.rglob("*") if each.is_file()}

    async def rows(self) -> int:
        async with self.database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(state.uploads)) or 0


@pytest.fixture
async def desk(tmp_path: Path, register_url: str) -> AsyncGenerator[Desk]:
    made = Desk(tmp_path / "originals", register_url)
    yield made
    await made.database.close()


@pytest.fixture
def own_clamd() -> Generator[Clamd]:
    yield from running_clamd()


async def refused(uploads: Uploads, content: bytes, owner: str = ANN) -> str:
    with pytest.raises(Refused) as caught:
        await uploads.keep(owner, "letter.pdf", "application/pdf", content)
    return caught.value.reason


async def test_a_file_is_kept_as_the_attachment_it_will_be(desk: Desk):
    uploads = desk.uploads()
    kept = await uploads.keep(ANN, "../decision\u202e.pdf", "text/html", LETTER)
    assert kept == Attachment(
        digest=digest(LETTER), name="decision.pdf", content_type="application/pdf", size=len(LETTER), verdict=Verdict.UNSCANNED
    )
    assert await uploads.kept(ANN) == [kept]
    assert await desk.originals.get(kept.digest) == LETTER


async def test_files_are_told_in_the_order_they_came_and_to_their_owner_alone(desk: Desk):
    uploads = desk.uploads()
    for name in ("txt", "pdf", "png"):
        await uploads.keep(ANN, f"a.{name}", "", SOUND[name])
        desk.now += timedelta(seconds=1)
    await uploads.keep(BEN, "b.gif", "", SOUND["gif"])
    assert [each.name for each in await uploads.kept(ANN)] == ["a.txt", "a.pdf", "a.png"]
    assert [each.name for each in await uploads.kept(BEN)] == ["b.gif"]
    assert await uploads.kept("form:nobody") == []


async def test_the_same_bytes_again_are_the_same_upload_under_its_newest_name(desk: Desk):
    uploads = desk.uploads(most_files=1)
    await uploads.keep(ANN, "first.pdf", "", LETTER)
    await uploads.keep(ANN, "second.pdf", "", LETTER)
    assert [each.name for each in await uploads.kept(ANN)] == ["second.pdf"]


async def test_two_people_may_send_the_same_bytes_and_each_lets_go_of_their_own(desk: Desk):
    uploads = desk.uploads()
    for owner in (ANN, BEN):
        await uploads.keep(owner, f"{owner}.pdf", "", LETTER)
    await uploads.forget(ANN, digest(LETTER))
    assert await uploads.kept(ANN) == []
    (theirs,) = await uploads.kept(BEN)
    assert await desk.originals.get(theirs.digest) == LETTER


async def test_forgetting_what_is_not_there_is_no_error(desk: Desk):
    uploads = desk.uploads()
    await uploads.forget(ANN, "0" * 64)
    await uploads.forget(ANN)


async def test_several_files_are_forgotten_together(desk: Desk):
    uploads = desk.uploads()
    for name in ("txt", "pdf", "png"):
        await uploads.keep(ANN, f"a.{name}", "", SOUND[name])
    await uploads.forget(ANN, digest(SOUND["txt"]), digest(SOUND["png"]))
    assert [each.name for each in await uploads.kept(ANN)] == ["a.pdf"]


# Refused.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "file-empty", id="empty"),
        pytest.param(b"x" * 1_001, "file-too-large", id="too large"),
        pytest.param(b"MZ\x90\0", "file-type", id="a program called pdf"),
        pytest.param(b"<svg onload=alert(1)>", "file-type", id="svg called pdf"),
        pytest.param(LETTER + b"<</Encrypt 9 0 R>>", "file-encrypted", id="locked pdf"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_with_its_reason_and_leaves_nothing(
    desk: Desk, content: bytes, reason: str
):
    assert await refused(desk.uploads(most_bytes=1_000), content) == reason
    assert await desk.rows() == 0
    assert desk.bytes_kept() == set()


async def test_a_kind_that_settings_do_not_name_is_refused_with_those_they_do(desk: Desk):
    with pytest.raises(Refused, match="none of these: pdf, jpg") as caught:
        await desk.uploads(types=["pdf", "jpeg"]).keep(ANN, "a.png", "image/png", SOUND["png"])
    assert caught.value.reason == "file-type"


async def test_a_locked_word_file_of_today_is_refused_for_its_password(desk: Desk):
    assert await refused(desk.uploads(), compound("EncryptedPackage")) == "file-encrypted"


async def test_one_file_more_than_there_may_be_is_refused(desk: Desk):
    uploads = desk.uploads(most_files=2)
    for name in ("txt", "png"):
        await uploads.keep(ANN, f"a.{name}", "", SOUND[name])
    assert await refused(uploads, LETTER) == "too-many-files"
    assert digest(LETTER) not in desk.bytes_kept()
    await uploads.forget(ANN, digest(SOUND["txt"]))
    await uploads.keep(ANN, "a.pdf", "", LETTER)


async def test_many_sent_at_once_to_two_processes_are_no_more_than_there_may_be(desk: Desk, register_url: str):
    other = Desk(desk.folder, register_url)
    doors = [each.uploads(most_files=3) for each in (desk, other)]
    sent = (doors[each % 2].keep(ANN, f"{each}.txt", "", f"Letter {each}".encode()) for each in range(40))
    answers = await asyncio.gather(*sent, return_exceptions=True)
    await other.database.close()
    assert sum(isinstance(each, Attachment) for each in answers) == 3
    assert {each.reason for each in answers if isinstance(each, Refused)} == {"too-many-files"}
    assert len(await doors[0].kept(ANN)) == 3


@pytest.mark.parametrize(("size", "reason"), [(0, "file-empty"), (1_001, "file-too-large"), (1_000, None), (None, None)])
async def test_a_size_is_judged_before_the_file_is_read(desk: Desk, size: int | None, reason: str | None):
    uploads = desk.uploads(most_bytes=1_000)
    if reason is None:
        await uploads.admit(ANN, size)
        return
    with pytest.raises(Refused) as caught:
        await uploads.admit(ANN, size)
    assert caught.value.reason == reason


async def test_a_file_too_many_is_told_before_it_is_read(desk: Desk):
    uploads = desk.uploads(most_files=1)
    await uploads.keep(ANN, "a.pdf", "", LETTER)
    with pytest.raises(Refused) as caught:
        await uploads.admit(ANN, None)
    assert caught.value.reason == "too-many-files"


# Scanned.


@pytest.mark.needs("clamd")
@pytest.mark.parametrize("content", [EICAR, LETTER + VIRUS], ids=["eicar", "within a pdf"])
async def test_a_virus_is_refused_and_not_kept(desk: Desk, clamd: Clamd, content: bytes):
    assert await refused(desk.uploads(clamd.settings()), content) == "file-infected"
    assert await desk.rows() == 0
    assert desk.bytes_kept() == set()


@pytest.mark.needs("clamd")
async def test_what_was_looked_at_is_clean(desk: Desk, clamd: Clamd):
    kept = await desk.uploads(clamd.settings()).keep(ANN, "a.pdf", "", LETTER)
    assert kept.verdict is Verdict.CLEAN


@pytest.mark.needs("clamd")
async def test_what_the_scanner_would_not_look_at_is_kept_and_withheld(desk: Desk, clamd: Clamd):
    uploads = desk.uploads(clamd.settings())
    kept = await uploads.keep(ANN, "a.txt", "", b"x" * (MOST_BYTES + 1))
    assert kept.verdict is Verdict.WITHHELD
    assert await uploads.kept(ANN) == [kept]


@pytest.mark.needs("clamd")
@pytest.mark.parametrize("fault", ["stop", "pause"])
async def test_while_the_scanner_is_away_nobody_is_turned_away_and_nothing_may_be_opened(
    desk: Desk, own_clamd: Clamd, fault: str
):
    uploads = desk.uploads(own_clamd.settings(timedelta(milliseconds=300)))
    getattr(own_clamd, fault)()
    kept = await uploads.keep(ANN, "a.pdf", "", LETTER)
    assert kept.verdict is Verdict.UNSCANNED
    assert await uploads.kept(ANN) == [kept]


@pytest.mark.needs("clamd")
async def test_sent_again_once_the_scanner_is_back_it_is_clean(desk: Desk, clamd: Clamd):
    await desk.uploads().keep(ANN, "a.pdf", "", LETTER)
    uploads = desk.uploads(clamd.settings())
    await uploads.keep(ANN, "a.pdf", "", LETTER)
    assert [each.verdict for each in await uploads.kept(ANN)] == [Verdict.CLEAN]


# Expiry.


async def test_what_nobody_claims_is_forgotten_in_time_and_what_is_younger_stays(desk: Desk):
    uploads = desk.uploads(kept_for="24h")
    await uploads.keep(ANN, "old.pdf", "", LETTER)
    desk.now += timedelta(hours=1)
    await uploads.keep(ANN, "young.png", "", SOUND["png"])
    desk.now = FIXED + timedelta(hours=24)
    assert await uploads.expire() == 0
    desk.now += timedelta(seconds=1)
    assert await uploads.expire() == 1
    assert [each.name for each in await uploads.kept(ANN)] == ["young.png"]


async def test_whoever_is_still_at_work_keeps_their_files_as_they_were_and_nobody_elses_with_them(desk: Desk):
    uploads = desk.uploads(kept_for="24h")
    await uploads.keep(ANN, "first.pdf", "", LETTER)
    await uploads.keep(BEN, "first.pdf", "", LETTER)
    desk.now += timedelta(hours=1)
    await uploads.keep(ANN, "second.png", "", SOUND["png"])
    desk.now += timedelta(hours=22)
    await uploads.touch(ANN)
    desk.now += timedelta(hours=22)
    await uploads.expire()
    assert [each.name for each in await uploads.kept(ANN)] == ["first.pdf", "second.png"]
    assert await uploads.kept(BEN) == []


async def test_the_bytes_of_what_was_forgotten_stay_for_whoever_else_has_them(desk: Desk):
    uploads = desk.uploads()
    await uploads.keep(ANN, "a.pdf", "", LETTER)
    desk.now += timedelta(days=2)
    await uploads.expire()
    assert await desk.originals.get(digest(LETTER)) == LETTER


async def test_forgetting_goes_on_by_itself_until_told_to_stop(desk: Desk):
    uploads, stopping = desk.uploads(), asyncio.Event()
    await uploads.keep(ANN, "a.pdf", "", LETTER)
    desk.now += timedelta(days=2)
    running = asyncio.create_task(uploads.run(stopping))
    async with asyncio.timeout(10):
        while await desk.rows():
            await asyncio.sleep(0.02)
        stopping.set()
        await running


# What is leaned on is away.


async def test_where_the_bytes_cannot_be_kept_there_is_no_upload(desk: Desk):
    (desk.folder / digest(LETTER)[:2]).write_bytes(b"")  # where its folder would be
    with pytest.raises(Unavailable):
        await desk.uploads().keep(ANN, "a.pdf", "", LETTER)
    assert await desk.rows() == 0
