"""Originals are kept as they came, survive a crash, and are never given back changed."""

import asyncio
import os
from pathlib import Path

import pytest

from ingest.errors import Misconfigured, Unavailable, Unreadable
from ingest.ids import digest
from ingest.originals import Originals

LETTER = b"Dear Sir or Madam,\r\n\r\nI write about my case.\r\n"


def at(folder: Path) -> Originals:
    return Originals(f"file:///{folder}")


def place(folder: Path, content: bytes) -> Path:
    name = digest(content)
    return folder / name[:2] / name[2:4] / name


async def test_what_is_kept_lies_under_its_digest_and_comes_back_as_it_was(tmp_path: Path):
    originals = at(tmp_path)
    assert await originals.put([LETTER, b""]) == [digest(LETTER), digest(b"")]
    assert place(tmp_path, LETTER).read_bytes() == LETTER
    assert await originals.get(digest(LETTER)) == LETTER
    assert await originals.get(digest(b"")) == b""


async def test_keeping_nothing_is_no_fault(tmp_path: Path):
    assert await at(tmp_path).put([]) == []


async def test_the_same_bytes_twice_are_kept_once(tmp_path: Path):
    originals = at(tmp_path)
    assert await originals.put([LETTER, LETTER]) == [digest(LETTER)] * 2
    written = place(tmp_path, LETTER).stat()
    await originals.put([LETTER])
    assert place(tmp_path, LETTER).stat().st_ino == written.st_ino
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [place(tmp_path, LETTER)]


@pytest.mark.parametrize("left", [b"", LETTER[:10], b"x" * len(LETTER)], ids=["empty", "short", "other bytes"])
async def test_what_a_crash_left_torn_is_written_again(tmp_path: Path, left: bytes):
    place(tmp_path, LETTER).parent.mkdir(parents=True)
    place(tmp_path, LETTER).write_bytes(left)
    await at(tmp_path).put([LETTER])
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
        assert synced[0] == str(file)
        assert set(synced[1:]) == {str(file.parent), str(file.parent.parent), str(folder)}


async def test_many_at_once_are_all_kept(tmp_path: Path):
    originals = at(tmp_path)
    contents = [f"letter {number}".encode() for number in range(300)]
    kept = await asyncio.gather(originals.put(contents[:200]), originals.put(contents[100:]))
    assert {each for some in kept for each in some} == {digest(each) for each in contents}
    assert [await originals.get(digest(each)) for each in contents] == contents


async def test_an_original_that_was_changed_on_the_disk_is_not_given_out(tmp_path: Path):
    originals = at(tmp_path)
    await originals.put([LETTER])
    place(tmp_path, LETTER).write_bytes(LETTER.replace(b"my case", b"no case"))
    with pytest.raises(Unreadable) as damaged:
        await originals.get(digest(LETTER))
    assert damaged.value.reason == "original-damaged"


@pytest.mark.parametrize("name", [digest(b"never kept"), "", "../../etc/passwd", "AB" * 32])
async def test_what_was_never_kept_is_a_key_error(tmp_path: Path, name: str):
    with pytest.raises(KeyError):
        await at(tmp_path).get(name)


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


async def test_a_check_leaves_nothing_behind(tmp_path: Path):
    await at(tmp_path).check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "originals", "file://originals"])
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
