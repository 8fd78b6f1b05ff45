"""Originals are kept as they came, survive a crash, and are never given back changed."""

import asyncio
import os
from collections.abc import Generator
from itertools import count
from pathlib import Path

import pytest

from ingest import originals as room
from ingest.errors import Misconfigured, Unavailable, Unreadable
from ingest.ids import digest
from ingest.originals import Originals
from ingest.settings import OriginalsSettings
from tests.servers.s3 import S3, running_s3

LETTER = b"Dear Sir or Madam,\r\n\r\nI write about my case.\r\n"


def at(folder: Path) -> Originals:
    return Originals(f"file:///{folder}")


def place(folder: Path, content: bytes) -> Path:
    name = digest(content)
    return folder / name[:2] / name


@pytest.fixture(scope="module")
def s3() -> Generator[S3]:
    yield from running_s3()


_numbers = count(1)


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.needs("versitygw"))])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Originals, Path]:
    """A store of either kind, and the folder in which its bytes really lie."""
    if request.param == "folder":
        return at(tmp_path), tmp_path
    server: S3 = request.getfixturevalue("s3")
    name = f"bucket-{next(_numbers)}"
    folder = server.bucket(name) / "kept" / "here"
    url = f"s3://{name}/kept/here"
    return Originals(url, server.settings(url)), folder


async def test_what_is_kept_lies_under_its_digest_and_comes_back_as_it_was(kept: tuple[Originals, Path]):
    originals, tmp_path = kept
    assert await originals.put([LETTER, b""]) == [digest(LETTER), digest(b"")]
    assert place(tmp_path, LETTER).read_bytes() == LETTER
    assert await originals.get(digest(LETTER)) == LETTER
    assert await originals.get(digest(b"")) == b""


async def test_keeping_nothing_is_no_fault(kept: tuple[Originals, Path]):
    assert await kept[0].put([]) == []


async def test_a_long_original_is_kept_whole(kept: tuple[Originals, Path]):
    originals, folder = kept
    letter = bytes(range(256)) * 80_000
    assert await originals.put([letter]) == [digest(letter)]
    assert await originals.get(digest(letter)) == letter
    assert place(folder, letter).stat().st_size == len(letter)


async def test_in_a_folder_what_is_there_is_not_written_again(tmp_path: Path):
    originals = at(tmp_path)
    await originals.put([LETTER])
    written = place(tmp_path, LETTER).stat()
    await originals.put([LETTER])
    assert place(tmp_path, LETTER).stat().st_ino == written.st_ino


async def test_the_same_bytes_twice_are_kept_once(kept: tuple[Originals, Path]):
    originals, tmp_path = kept
    assert await originals.put([LETTER, LETTER]) == [digest(LETTER)] * 2
    assert await originals.put([LETTER]) == [digest(LETTER)]
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [place(tmp_path, LETTER)]


@pytest.mark.parametrize("left", [b"", LETTER[:10], b"x" * len(LETTER)], ids=["empty", "short", "other bytes"])
async def test_what_a_crash_left_torn_is_written_again(kept: tuple[Originals, Path], left: bytes):
    originals, tmp_path = kept
    place(tmp_path, LETTER).parent.mkdir(parents=True)
    place(tmp_path, LETTER).write_bytes(left)
    await originals.put([LETTER])
    assert place(tmp_path, LETTER).read_bytes() == LETTER


async def test_file_and_every_folder_on_the_way_are_synced_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    folder = tmp_path / "new" / "originals"
    originals = at(folder)
    assert {str(tmp_path), str(tmp_path / "new")} <= set(synced)
    file = place(folder, LETTER)
    for _ in range(2):  # a repeat as well: the first time may have been cut short
        synced.clear()
        await originals.put([LETTER])
        assert set(synced) == {str(file), str(file.parent), str(folder)}


async def test_many_at_once_are_all_kept(kept: tuple[Originals, Path]):
    originals, _ = kept
    contents = [f"letter {number}".encode() for number in range(300)]
    told = await asyncio.gather(originals.put(contents[:200]), originals.put(contents[100:]))
    assert {each for some in told for each in some} == {digest(each) for each in contents}
    assert [await originals.get(digest(each)) for each in contents] == contents


async def test_an_original_that_was_changed_on_the_disk_is_not_given_out(kept: tuple[Originals, Path]):
    originals, tmp_path = kept
    await originals.put([LETTER])
    place(tmp_path, LETTER).write_bytes(LETTER.replace(b"my case", b"no case"))
    with pytest.raises(Unreadable) as damaged:
        await originals.get(digest(LETTER))
    assert damaged.value.reason == "original-damaged"


@pytest.mark.parametrize("name", [digest(b"never kept"), "", "../../etc/passwd", "AB" * 32])
async def test_what_was_never_kept_is_a_key_error(kept: tuple[Originals, Path], name: str):
    with pytest.raises(KeyError):
        await kept[0].get(name)


async def test_where_the_folder_is_gone_originals_are_away(tmp_path: Path):
    folder = tmp_path / "originals"
    originals = at(folder)
    folder.rmdir()
    folder.write_bytes(b"no folder any more")
    with pytest.raises(Unavailable) as away:
        await originals.put([LETTER])
    assert away.value.reason == "originals-unavailable"
    with pytest.raises(Unavailable):
        await originals.check()


async def test_a_check_leaves_nothing_behind(kept: tuple[Originals, Path]):
    originals, folder = kept
    await originals.check()
    assert [each for each in folder.rglob("*") if each.is_file()] == []


# A bucket.


@pytest.mark.needs("versitygw")
async def test_a_bucket_that_is_not_there_is_away_and_has_lost_nothing(s3: S3):
    originals = Originals("s3://no-such-bucket", s3.settings("s3://no-such-bucket"))
    for asking in (originals.put([LETTER]), originals.get(digest(LETTER)), originals.check()):
        with pytest.raises(Unavailable) as away:
            await asking
        assert away.value.reason == "originals-unavailable"
        assert "s3://no-such-bucket" in away.value.sentence


@pytest.mark.needs("versitygw")
async def test_a_wrong_key_is_told_without_telling_the_key(s3: S3):
    s3.bucket("locked")
    originals = Originals("s3://locked", s3.settings("s3://locked", secret_key="not-the-one-at-all"))
    with pytest.raises(Unavailable) as away:
        await originals.check()
    assert "not-the-one-at-all" not in away.value.sentence
    assert "keys" in away.value.sentence


@pytest.mark.needs("versitygw")
async def test_a_bucket_that_does_not_answer_is_given_up_on_and_then_serves_again(s3: S3, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "_CALL_SECONDS", 0.5)
    s3.bucket("slow")
    originals = Originals("s3://slow", s3.settings("s3://slow"))
    s3.pause()
    try:
        for asking in (originals.put([LETTER]), originals.get(digest(LETTER)), originals.check()):
            with pytest.raises(Unavailable):
                await asking
    finally:
        s3.resume()
    monkeypatch.setattr(room, "_CALL_SECONDS", 30.0)
    assert await originals.put([LETTER]) == [digest(LETTER)]
    assert await originals.get(digest(LETTER)) == LETTER


async def test_where_no_bucket_answers_originals_are_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "_CALL_SECONDS", 2.0)
    nobody = OriginalsSettings.model_validate({"endpoint": "http://127.0.0.1:1", "access_key": "a", "secret_key": "b"})
    with pytest.raises(Unavailable):
        await Originals("s3://bucket", nobody).put([LETTER])


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"access_key": "alone"}, "originals.secret_key"),
        ({"secret_key": "alone"}, "originals.access_key"),
        ({"endpoint": "s3.example.org"}, "originals.endpoint"),
        ({"url": "s3://"}, "originals.url"),
        ({"url": "s3://No_Bucket/prefix"}, "originals.url"),
    ],
)
def test_a_bucket_that_cannot_be_reached_as_it_is_written_stops_the_start(changed: dict[str, str], key: str):
    chosen = OriginalsSettings.model_validate({"url": "s3://bucket/prefix", **changed})
    with pytest.raises(Misconfigured) as refused:
        Originals(chosen.url, chosen)
    assert refused.value.reason == key


@pytest.mark.parametrize("url", ["gs://bucket/prefix", "originals", "file://originals"])
def test_another_kind_of_store_stops_the_start(url: str):
    with pytest.raises(Misconfigured) as refused:
        Originals(url)
    assert refused.value.reason == "originals.url"


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "originals"):
        with pytest.raises(Misconfigured) as refused:
            at(folder)
        assert refused.value.reason == "originals.url"
