"""The tree of the audit trail: other people's vectors, and every way of tampering that it must show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from router import duties
from router.audit import AuditEntry, Tree, Verification, leaf_hash, root_of
from router.register import tables

# The test tree of the Certificate Transparency reference implementation (google/certificate-transparency, merkle_tree_test.cc).
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert Tree().root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_the_tree_is_that_of_the_reference_implementation(size: int):
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=20), max_size=40))
def test_a_tree_grown_leaf_by_leaf_is_the_tree_that_rfc_6962_defines(contents: list[bytes]):
    def defined(leaves: list[bytes]) -> bytes:
        from hashlib import sha256

        if not leaves:
            return sha256(b"").digest()
        if len(leaves) == 1:
            return sha256(b"\x00" + leaves[0]).digest()
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return sha256(b"\x01" + defined(leaves[:split]) + defined(leaves[split:])).digest()

    assert root_of(contents) == defined(contents)


ENTRY = AuditEntry(UUID(int=1), datetime(2026, 3, 2, tzinfo=UTC), UUID(int=2), "decided", "router", "robot", 1, {"a": [1, "é"]})


@pytest.mark.parametrize(
    "altered",
    [
        {"at": datetime(2026, 3, 2, 0, 0, 0, 1, tzinfo=UTC)},
        {"contact_id": None},
        {"action": "linked"},
        {"actor": "somebody"},
        {"rule": None},
        {"rule_version": 2},
        {"evidence": {"a": [1, "e"]}},
    ],
    ids=lambda each: next(iter(each)),
)
def test_whatever_is_altered_in_an_entry_alters_its_hash(altered: dict[str, object]):
    assert leaf_hash(replace(ENTRY, **altered)) != leaf_hash(ENTRY)  # type: ignore[arg-type]


def test_a_head_that_its_leaves_do_not_give_is_named():
    verification = Verification([(1, b"another root")])
    verification.add(0, ENTRY.id, leaf_hash(ENTRY), ENTRY)
    assert verification.verdict(0).faults == ("The head at 1 entries is not what its leaves give.",)


@pytest.fixture
async def sealed(database, store, clock):
    """Nine entries in three seals, and one that waits."""
    entries = [replace(ENTRY, id=UUID(int=(7 << 76) + number), evidence={"number": number}) for number in range(10)]
    for some in (entries[:4], entries[4:5], entries[5:9]):
        async with database.write() as connection:
            await store.audit(connection, some)
        await duties.seal(database, clock)
    async with database.write() as connection:
        await store.audit(connection, entries[9:])
    return entries


async def test_what_was_sealed_in_several_goes_verifies_and_says_what_waits(database, sealed):
    verdict = await duties.verify_audit(database)
    assert (verdict.holds, verdict.sealed, verdict.unsealed, verdict.heads) == (True, 9, 1, 3)


async def test_sealing_twice_changes_nothing(database, clock, sealed):
    assert await duties.seal(database, clock) == 1
    assert await duties.seal(database, clock) == 0
    assert (await duties.verify_audit(database)).sealed == 10


async def test_what_was_committed_late_is_sealed_by_a_look_further_back(database, store, clock):
    # UUIDv7: the latter was begun five minutes before, and took its time.
    minute = 60_000 << 80
    for number in (20 * minute, 15 * minute):
        async with database.write() as connection:
            await store.audit(connection, [replace(ENTRY, id=UUID(int=(1 << 120) + number))])
        found = await duties.seal(database, clock, back=timedelta(seconds=10))
        assert found == (1 if number == 20 * minute else 0)
    assert await duties.seal(database, clock, back=timedelta(minutes=10)) == 1
    assert (await duties.verify_audit(database)).unsealed == 0


async def test_an_empty_trail_verifies(database):
    verdict = await duties.verify_audit(database)
    assert (verdict.holds, verdict.sealed) == (True, 0)


async def test_an_altered_entry_is_found(database, sealed):
    async with database.write() as connection:
        await connection.execute(update(tables.audit).where(tables.audit.c.id == sealed[5].id).values(actor="nobody"))
    (fault,) = (await duties.verify_audit(database)).faults
    assert "was altered" in fault
    assert str(sealed[5].id) in fault


async def test_a_deleted_entry_is_found(database, sealed):
    async with database.write() as connection:
        await connection.execute(delete(tables.audit).where(tables.audit.c.id == sealed[2].id))
    (fault,) = (await duties.verify_audit(database)).faults
    assert "is gone" in fault


async def test_an_entry_deleted_with_its_leaf_is_found(database, sealed):
    async with database.write() as connection:
        await connection.execute(delete(tables.audit).where(tables.audit.c.id == sealed[2].id))
        await connection.execute(delete(tables.audit_leaves).where(tables.audit_leaves.c.number == 2))
    assert (await duties.verify_audit(database)).faults == ("Leaf 2 is missing.",)


async def test_a_trail_cut_at_its_end_is_found(database, sealed):
    async with database.write() as connection:
        await connection.execute(delete(tables.audit_leaves).where(tables.audit_leaves.c.number >= 7))
        await connection.execute(delete(tables.audit).where(tables.audit.c.id >= sealed[7].id))
    assert (await duties.verify_audit(database)).faults == ("The head at 9 entries has lost leaves.",)


async def test_an_entry_altered_with_its_leaf_is_found_by_the_heads(database, sealed):
    forged = replace(sealed[5], actor="nobody")
    async with database.write() as connection:
        await connection.execute(update(tables.audit).where(tables.audit.c.id == forged.id).values(actor="nobody"))
        await connection.execute(
            update(tables.audit_leaves).where(tables.audit_leaves.c.number == 5).values(hash=leaf_hash(forged), salt=None)
        )
    assert (await duties.verify_audit(database)).faults == ("The head at 9 entries is not what its leaves give.",)


async def test_a_trail_longer_than_a_page_is_sealed_and_verified_whole(database, store, clock, monkeypatch):
    monkeypatch.setattr(duties, "_SEAL_MOST", 4)
    async with database.write() as connection:
        await store.audit(connection, [replace(ENTRY, id=UUID(int=(7 << 76) + number)) for number in range(11)])
    assert await duties.seal(database, clock) == 11
    async with database.read() as connection:
        heads = (await connection.execute(select(func.count()).select_from(tables.audit_heads))).scalar_one()
    verdict = await duties.verify_audit(database)
    assert (verdict.holds, verdict.sealed, verdict.heads, heads) == (True, 11, 3, 3)
