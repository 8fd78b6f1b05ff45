"""What the embedded log promises beyond any log: one file, one service, commands beside it, and faults of the disk."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from ingest.clock import Clock, now
from ingest.contract import Record
from ingest.errors import Misconfigured, Refused, Unavailable
from ingest.log import Lag
from ingest.log.sqlite import SqliteLog, filesystem_of
from ingest.telemetry import REWOUND

DAY = timedelta(days=1)
NO_LIMIT = 1_000_000_000


async def opened(path: Path, *, exclusive: bool = False, clock: Clock = now) -> SqliteLog:
    return await SqliteLog.open(path, exclusive=exclusive, clock=clock, retention=30 * DAY, most_record_bytes=100_000)


def letters(count: int, size: int = 10) -> list[Record]:
    return [Record(str(number), b"x" * size) for number in range(count)]


async def positions(log: SqliteLog, topic: str = "arrivals") -> list[int]:
    return [each.position for each in await log.read(topic, after={}, most=10_000)]


def started(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", dedent(script), *(str(each) for each in arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


APPENDING = """
    import asyncio, sys
    from datetime import timedelta
    from pathlib import Path
    from ingest.clock import now
    from ingest.contract import Record
    from ingest.log.sqlite import SqliteLog

    async def main(path, callers, exclusive):
        log = await SqliteLog.open(
            Path(path), exclusive=exclusive == "True", clock=now, retention=timedelta(days=30), most_record_bytes=100_000
        )
        print("ready", flush=True)

        async def caller(name):
            for number in range(10_000_000):
                words = f"{name}/{number}"
                for position in await log.append("arrivals", [Record(words, words.encode() * 100)]):
                    print(position, words, flush=True)

        await asyncio.gather(*(caller(name) for name in range(int(callers))))

    asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("after", [1, 200])
async def test_whatever_was_said_to_be_on_the_log_is_there_after_a_kill(tmp_path: Path, after: int):
    writing = started(APPENDING, tmp_path / "log.db", 8, True)
    assert writing.stdout
    assert writing.stdout.readline() == "ready\n"
    said = [writing.stdout.readline() for _ in range(after)]
    writing.send_signal(signal.SIGKILL)
    # Its last line may be half written, but what it says it has said.
    said += [line for line in writing.stdout if line.endswith("\n")]
    writing.wait()
    log = await opened(tmp_path / "log.db", exclusive=True)
    held = await log.read("arrivals", after={}, most=1_000_000)
    by_position = {each.position: each.record for each in held}
    for line in said:
        position, words = line.split()
        assert by_position[int(position)] == Record(words, words.encode() * 100)
    assert [each.position for each in held] == list(range(len(held)))
    await log.close()


async def test_a_command_beside_the_service_is_given_other_positions(tmp_path: Path):
    log = await opened(tmp_path / "log.db", exclusive=True)
    beside = started(APPENDING, tmp_path / "log.db", 1, False)
    assert beside.stdout
    assert beside.stdout.readline() == "ready\n"
    mine = [position for _ in range(50) for position in await log.append("arrivals", letters(2))]
    theirs = [int(beside.stdout.readline().split()[0]) for _ in range(20)]
    beside.kill()
    beside.communicate()
    assert len({*mine, *theirs}) == len(mine) + len(theirs)
    await log.close()


async def test_what_another_process_appends_is_seen(tmp_path: Path, reading):
    service, command = await opened(tmp_path / "log.db", exclusive=True), await opened(tmp_path / "log.db")
    async with reading(service, "arrivals") as consumption:
        waiting = asyncio.create_task(consumption.take(most=10, most_bytes=NO_LIMIT, within=30))
        await asyncio.sleep(0.05)
        await command.append("arrivals", letters(1))
        assert len(await waiting) == 1
    await command.close()
    await service.close()


async def test_a_second_service_is_told_which_process_holds_the_log(tmp_path: Path):
    first = await opened(tmp_path / "log.db", exclusive=True)
    with pytest.raises(Misconfigured, match=f"process {os.getpid()}"):
        await opened(tmp_path / "log.db", exclusive=True)
    await first.close()
    await (await opened(tmp_path / "log.db", exclusive=True)).close()


async def test_a_second_name_for_the_same_file_lets_no_second_service_in(tmp_path: Path):
    first = await opened(tmp_path / "log.db", exclusive=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "log.db").symlink_to(tmp_path / "log.db")
    with pytest.raises(Misconfigured, match="Another service"):
        await opened(tmp_path / "elsewhere" / "log.db", exclusive=True)
    await first.close()


async def test_a_log_left_locked_by_a_killed_service_opens(tmp_path: Path):
    killed = started(APPENDING, tmp_path / "log.db", 1, True)
    assert killed.stdout
    killed.stdout.readline()
    with pytest.raises(Misconfigured, match=f"process {killed.pid}"):
        await opened(tmp_path / "log.db", exclusive=True)
    killed.kill()
    killed.communicate()
    await (await opened(tmp_path / "log.db", exclusive=True)).close()


async def test_a_caller_that_gives_up_hurts_nobody_beside_it(tmp_path: Path):
    log = await opened(tmp_path / "log.db")
    callers = [asyncio.create_task(log.append("arrivals", letters(1))) for _ in range(20)]
    await asyncio.sleep(0)
    for impatient in callers[::2]:
        impatient.cancel()
    answers = await asyncio.gather(*callers, return_exceptions=True)
    kept = [position for each in answers if not isinstance(each, BaseException) for position in each]
    assert len(kept) >= 10
    assert set(kept) <= set(await positions(log))
    assert await log.append("arrivals", letters(1))
    await log.close()


async def test_what_waits_when_the_log_closes_is_still_written(tmp_path: Path):
    log = await opened(tmp_path / "log.db")
    callers = [asyncio.create_task(log.append("arrivals", letters(5))) for _ in range(20)]
    await asyncio.sleep(0)
    await log.close()
    assert sorted(position for each in await asyncio.gather(*callers) for position in each) == list(range(100))


async def test_a_record_that_cannot_be_written_fails_its_own_caller_only(tmp_path: Path):
    log = await opened(tmp_path / "log.db")
    good, large, odd = await asyncio.gather(
        log.append("arrivals", letters(2)),
        log.append("arrivals", letters(1, size=100_001)),
        log.append("arrivals", [Record("\ud800", b"a key that is no text")]),
        return_exceptions=True,
    )
    assert good == range(2)
    assert isinstance(large, Refused)
    assert isinstance(odd, UnicodeEncodeError)
    assert await positions(log) == [0, 1]
    await log.close()


ON_A_FULL_DISK = """
    import asyncio, resource, sys
    from datetime import timedelta
    from pathlib import Path
    from ingest.clock import now
    from ingest.contract import Record
    from ingest.errors import Unavailable
    from ingest.log.sqlite import SqliteLog

    async def main(path):
        log = await SqliteLog.open(
            Path(path), exclusive=True, clock=now, retention=timedelta(days=30), most_record_bytes=100_000
        )
        await log.append("arrivals", [Record("before", b"x")])
        # No file may grow past this, as on a disk that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        fates = await asyncio.gather(
            *(log.append("arrivals", [Record("full", b"x" * 90_000)]) for _ in range(4)), return_exceptions=True
        )
        print(*sorted({f"{type(fate).__name__}:{fate.reason}" for fate in fates}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(*await log.append("arrivals", [Record("after", b"x")]))
        await log.close()

    asyncio.run(main(*sys.argv[1:]))
"""


async def test_on_a_full_disk_every_caller_is_told_and_the_log_is_whole_once_there_is_room(tmp_path: Path):
    said, _ = started(ON_A_FULL_DISK, tmp_path / "log.db").communicate(timeout=60)
    assert said.splitlines() == ["Unavailable:log-unavailable", "1"]
    log = await opened(tmp_path / "log.db")
    assert [each.record.key for each in await log.read("arrivals", after={}, most=10)] == ["before", "after"]
    await log.close()


async def test_old_records_go_once_every_group_has_had_them_and_no_position_comes_twice(tmp_path: Path, reading):
    today = datetime(2026, 3, 2, tzinfo=UTC)
    log = await opened(tmp_path / "log.db", clock=lambda: today)
    await log.append("arrivals", letters(4))
    today += 31 * DAY
    await log.append("arrivals", letters(1))
    async with reading(log, "arrivals", "fast") as fast, reading(log, "arrivals", "slow") as slow:
        seen = await fast.take(most=10, most_bytes=NO_LIMIT, within=1)
        assert await log.trim() == 0
        await fast.settle({seen[0].partition: 5})
        await slow.settle({seen[0].partition: 2})
        assert await log.trim() == 2
        assert await positions(log) == [2, 3, 4]
        await slow.settle({seen[0].partition: 5})
        assert await log.trim() == 2
        assert await positions(log) == [4]
        today += 31 * DAY
        assert await log.trim() == 1
        assert await positions(log) == []
        assert await log.lag("arrivals", "slow") == Lag(0, None)
    await log.close()
    log = await opened(tmp_path / "log.db")
    assert list(await log.append("arrivals", letters(1))) == [5]
    await log.close()


async def test_without_a_group_age_alone_decides(tmp_path: Path):
    today = datetime(2026, 3, 2, tzinfo=UTC)
    log = await opened(tmp_path / "log.db", clock=lambda: today)
    await log.append("looked-at-only", letters(2_500))
    today += 29 * DAY
    assert await log.trim() == 0
    today += 2 * DAY
    assert await log.trim() == 2_500
    await log.close()


async def test_a_clock_that_ran_backwards_leaves_no_gap(tmp_path: Path):
    today = datetime(2026, 3, 2, tzinfo=UTC)
    log = await opened(tmp_path / "log.db", clock=lambda: today)
    await log.append("arrivals", letters(1))
    today += 20 * DAY
    await log.append("arrivals", letters(1))
    today -= 20 * DAY
    await log.append("arrivals", letters(1))
    today += 31 * DAY
    assert await log.trim() == 1
    assert await positions(log) == [1, 2]
    await log.close()


async def test_a_position_that_retention_took_is_counted_as_rewound(tmp_path: Path, reading):
    today = datetime(2026, 3, 2, tzinfo=UTC)
    log = await opened(tmp_path / "log.db", clock=lambda: today)
    await log.append("trimmed", letters(3))
    today += 31 * DAY
    await log.append("trimmed", letters(1))
    await log.trim()
    before = REWOUND.labels("trimmed")._value.get()
    async with reading(log, "trimmed", begin={0: 1}) as consumption:
        assert [each.position for each in await consumption.take(most=10, most_bytes=NO_LIMIT, within=1)] == [3]
        assert [each.number for each in consumption.rewound] == [0]
    assert REWOUND.labels("trimmed")._value.get() == before + 1
    await log.close()


async def test_a_topic_that_ends_before_its_readers_is_made_anew_and_no_position_of_it_comes_twice(tmp_path: Path, reading):
    log = await opened(tmp_path / "log.db")
    await log.append("older", letters(3))
    await log.append("whole", letters(3))
    async with reading(log, "older") as consumption:
        seen = await consumption.take(most=10, most_bytes=NO_LIMIT, within=1)
        await consumption.settle({seen[0].partition: 3})
    (whole,) = {each.partition for each in await log.read("whole", after={}, most=10)}
    ahead = {seen[0].partition: 5, whole: 3}
    before = REWOUND.labels("older")._value.get()
    assert await log.reconcile(ahead) == ["older"]
    assert REWOUND.labels("older")._value.get() == before + 1
    assert await log.reconcile(ahead) == [], "the new making is nobody's yet"
    await log.append("older", letters(3))
    async with reading(log, "older") as consumption:
        again = await consumption.take(most=10, most_bytes=NO_LIMIT, within=1)
        assert [each.position for each in again] == [0, 1, 2, 3, 4, 5]
        assert {each.partition.log_id for each in again}.isdisjoint({seen[0].partition.log_id})
    await log.close()


async def test_what_a_group_was_sent_back_to_is_not_removed_under_it(tmp_path: Path, reading):
    today = datetime(2026, 3, 2, tzinfo=UTC)
    log = await opened(tmp_path / "log.db", clock=lambda: today)
    await log.append("arrivals", letters(4))
    async with reading(log, "arrivals") as consumption:
        (partition,) = {each.partition for each in await consumption.take(most=10, most_bytes=NO_LIMIT, within=1)}
        await consumption.settle({partition: 4})
    today += 31 * DAY
    async with reading(log, "arrivals", begin={0: 1}) as consumption:
        await log.trim()
        assert [each.position for each in await consumption.take(most=10, most_bytes=NO_LIMIT, within=1)] == [1, 2, 3]
    await log.close()


async def test_a_look_at_many_large_records_comes_in_bounded_pages(tmp_path: Path):
    log = await opened(tmp_path / "log.db")
    for _ in range(4):
        await log.append("arrivals", letters(100, size=99_000))
    page = await log.read("arrivals", after={}, most=400)
    assert sum(each.record.size for each in page) <= 32_000_000
    rest = await log.read("arrivals", after={0: page[-1].position + 1}, most=400)
    assert [each.position for each in (*page, *rest)] == list(range(400))
    await log.close()


def letters_to_the_editor(path: Path) -> None:
    path.write_bytes(b"Dear Sir, " * 1_000)


def a_torn_log(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4_080)


def somebody_else_s_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE individuals (id)")
    connection.close()


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("found", [letters_to_the_editor, a_torn_log, somebody_else_s_database, a_folder])
async def test_what_is_no_log_of_ours_stops_the_start_and_is_not_touched(tmp_path: Path, found: Callable[[Path], None]):
    path = tmp_path / "log.db"
    found(path)
    before = path.read_bytes() if path.is_file() else None
    for _ in range(2):  # the lock is let go of when the start fails
        with pytest.raises(Misconfigured) as refused:
            await opened(path, exclusive=True)
        assert refused.value.reason == "log.url"
        assert str(path) in refused.value.sentence
        assert "Another service" not in refused.value.sentence
    assert before == (path.read_bytes() if path.is_file() else None)


async def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path):
    with pytest.raises(Misconfigured, match="Make the folder") as refused:
        await opened(tmp_path / "missing" / "log.db", exclusive=True)
    assert refused.value.reason == "log.url"


async def test_a_log_whose_file_breaks_under_it_is_away_and_not_silent(tmp_path: Path):
    path = tmp_path / "log.db"
    log = await opened(path)
    await log.append("arrivals", letters(3, size=9_000))
    await log.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xa5" * (size - 4_096))
    log = await opened(path)
    with pytest.raises(Unavailable):
        await log.append("arrivals", letters(1))
    with pytest.raises(Unavailable):
        await log.read("arrivals", after={}, most=10)
    await log.close()


MOUNTS = r"""
proc /proc proc rw 0 0
/dev/vda / ext4 rw,relatime 0 0
filer:/export /srv/shared nfs4 rw,vers=4.2 0 0
/dev/vdb /srv/shared/local ext4 rw 0 0
//filer/case\040files /mnt/case\040files cifs rw 0 0
host:/home /srv/remote fuse.sshfs rw 0 0
/dev/vdc /srv/remote xfs rw 0 0
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/contact-ingest", "ext4"),
        ("/srv/shared", "nfs4"),
        ("/srv/shared/ingest", "nfs4"),
        ("/srv/shared-not", "ext4"),
        ("/srv/shared/local/ingest", "ext4"),
        ("/mnt/case files/log", "cifs"),
        ("/srv/remote/log", "xfs"),
    ],
)
def test_the_filesystem_of_a_path_is_that_of_its_nearest_mount(path: str, kind: str):
    assert filesystem_of(Path(path), MOUNTS) == kind


def test_a_path_that_no_mount_covers_has_no_known_filesystem():
    assert filesystem_of(Path("/var"), "") is None


async def test_nothing_of_what_was_rewritten_or_removed_is_left_in_the_file(tmp_path):
    canary, moment = b"zebra keeper " * 2_000, [datetime(2026, 3, 2, tzinfo=UTC)]
    log = await opened(tmp_path / "log.db", exclusive=True, clock=lambda: moment[0])
    await log.append("contacts", [Record("key", b"%d" % number + canary) for number in range(20)])
    await log.rewrite("contacts", dict.fromkeys(range(10), Record(None, None)))
    moment[0] += 40 * DAY
    assert await log.trim() == 20
    await log.close()
    assert not [each.name for each in tmp_path.iterdir() if b"zebra" in each.read_bytes()]
