"""Heads of the audit trail that were signed and kept elsewhere show what those beside it cannot: that it was cut off, or made anew."""

import base64
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from ingest.errors import Misconfigured, Unavailable
from ingest.originals import Originals
from ingest.settings import AuditSettings, OriginalsSettings
from router import duties
from router.audit import root_of
from router.heads import Heads, open_heads, read, signed
from router.register import tables
from tests.router.test_audit import ENTRY

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ROOT = root_of([b"one", b"two"])
ELSEWHERE = OriginalsSettings()


def heads_in(folder: Path) -> Heads:
    return Heads(Originals(f"file:///{folder}"), KEY)


async def trail(database, store, clock, numbers: range) -> None:
    async with database.write() as connection:
        await store.audit(
            connection, [replace(ENTRY, id=UUID(int=(7 << 76) + each), evidence={"number": each}) for each in numbers]
        )
    await duties.seal(database, clock, back=None)


async def verdict(database, heads: Heads) -> tuple[tuple[str, ...], list[str]]:
    kept, unsigned = await heads.every()
    return (await duties.verify_audit(database, kept)).faults, unsigned


def test_a_head_is_a_checkpoint_that_people_can_read_and_anybody_can_check(tmp_path: Path):
    note = signed(2, ROOT, KEY).decode()
    text, _, signature = note.partition("\n— contact-ingest ")
    assert text == f"contact-ingest\n2\n{base64.b64encode(ROOT).decode()}\n"
    name, key_id, algorithm_and_key = heads_in(tmp_path).public_key.split("+", 2)
    raw = base64.b64decode(algorithm_and_key)
    given = base64.b64decode(signature)
    assert (name, given[:4].hex(), raw[:1]) == ("contact-ingest", key_id, b"\x01")
    KEY.public_key().verify(given[4:], text.encode())
    assert raw[1:] == KEY.public_key().public_bytes_raw()
    assert read(note.encode(), KEY) == (2, ROOT)


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (b"", "is none of ours"),
        (signed(2, ROOT, KEY).replace(b"\n2\n", b"\n1\n"), "was not signed as it stands"),
        (signed(2, ROOT, Ed25519PrivateKey.from_private_bytes(bytes(32))), "was signed with another key"),
        (signed(2, ROOT, KEY).replace("— contact-ingest".encode(), "— somebody".encode()), "is none of ours"),
        (signed(2, ROOT, KEY)[:-6] + b"!\n", "was not signed as it stands"),
    ],
)
def test_what_we_did_not_sign_is_no_head(note: bytes, why: str):
    with pytest.raises(ValueError, match=why):
        read(note, KEY)


async def test_a_trail_that_grew_is_held_to_every_head_there_was(database, store, clock, tmp_path):
    heads = heads_in(tmp_path / "heads")
    assert await heads.keep(database) == 0, "of nothing there is no head"
    for number in range(3):
        await trail(database, store, clock, range(number * 4, number * 4 + 4))
        assert await heads.keep(database) == number * 4 + 4
        assert await heads.keep(database) == 0, "and none twice"
    assert [size for size, _ in (await heads_in(tmp_path / "heads").every())[0]] == [4, 8, 12]
    assert await verdict(database, heads) == ((), [])


async def test_a_trail_cut_off_with_its_heads_is_whole_in_itself_and_found_by_those_elsewhere(database, store, clock, tmp_path):
    heads = heads_in(tmp_path / "heads")
    await trail(database, store, clock, range(4))
    await trail(database, store, clock, range(4, 9))
    await heads.keep(database)
    async with database.write() as connection:
        for table, column, most in (
            (tables.audit_leaves, tables.audit_leaves.c.number, 3),
            (tables.audit_heads, tables.audit_heads.c.size, 4),
            (tables.audit, tables.audit.c.id, UUID(int=(7 << 76) + 3)),
        ):
            await connection.execute(delete(table).where(column > most))
    assert (await duties.verify_audit(database)).holds
    assert await verdict(database, heads) == (("The head at 9 entries has lost leaves.",), [])


async def test_a_trail_made_anew_is_found(database, store, clock, tmp_path):
    heads = heads_in(tmp_path / "heads")
    await trail(database, store, clock, range(4))
    await heads.keep(database)
    async with database.write() as connection:
        for table in (tables.audit_leaves, tables.audit_heads, tables.audit):
            await connection.execute(delete(table))
    await trail(database, store, clock, range(10, 14))
    assert (await duties.verify_audit(database)).holds
    assert await verdict(database, heads) == (("The head at 4 entries is not what its leaves give.",), [])


async def test_a_head_that_was_tampered_with_is_named_where_it_lies(database, store, clock, tmp_path):
    heads = heads_in(tmp_path / "heads")
    await trail(database, store, clock, range(4))
    await heads.keep(database)
    (file,) = (each for each in (tmp_path / "heads").rglob("*") if each.is_file())
    file.write_bytes(file.read_bytes().replace(b"\n4\n", b"\n3\n"))
    faults, (unsigned,) = await verdict(database, heads)
    assert faults == ()
    assert unsigned == f"The head kept at {file.relative_to(tmp_path / 'heads')} was not signed as it stands."


async def test_while_their_place_is_away_the_duty_waits_and_keeps_it_later(database, store, clock, tmp_path, monkeypatch):
    heads = heads_in(tmp_path / "heads")
    await trail(database, store, clock, range(4))
    with monkeypatch.context() as away:
        away.setattr("obstore.put_async", _away)
        with pytest.raises(Unavailable):
            await heads.keep(database)
    assert await heads.keep(database) == 4


async def _away(*_: object, **__: object) -> None:
    raise OSError("the disk is away")


def test_without_a_place_there_are_none_and_a_key_that_is_none_stops_the_start(tmp_path):
    assert open_heads(AuditSettings(), ELSEWHERE) is None
    with pytest.raises(ValueError, match="go together"):
        AuditSettings.model_validate({"heads": "file:///heads"})
    chosen = AuditSettings.model_validate({"heads": f"file:///{tmp_path}", "key": "x" * 44})
    with pytest.raises(Misconfigured, match="openssl rand -base64 32"):
        open_heads(chosen, ELSEWHERE)
    with pytest.raises(Misconfigured, match=r"audit\.heads is ftp"):
        open_heads(AuditSettings.model_validate({"heads": "ftp://a/b", "key": base64.b64encode(bytes(32)).decode()}), ELSEWHERE)
