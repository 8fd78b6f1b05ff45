"""The audit trail: what an entry says, and the Merkle tree that shows none was altered or taken out.

Pure. The tree is RFC 6962's (section 2.1): a leaf is SHA-256 of 0x00, salt and the entry, a node of 0x01 and its two halves. A head
of an earlier size is proved to be the beginning of a later one by rebuilding both from the same leaves.

When somebody is erased, the entries about them are emptied and their leaves stand: the tree is what it was. Of an emptied entry neither its
leaf's salt nor what it said is left, so nobody can try out what it may have said. What is left of it is vouched for by a later entry, the
word on which it was emptied, which is sealed as any other: an entry that was changed without such a word, or since, is caught.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action or decision: what, by whom, under which rule, on what evidence."""

    id: UUID
    at: datetime
    contact_id: UUID | None
    action: str
    actor: str
    rule: str | None = None
    rule_version: int | None = None
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])


EMPTIED: Final = "emptied"
"""In the evidence of the word on which entries were emptied: how many they were, and the digest of what is left of them."""
SALT_BYTES: Final = 16


def leaf_hash(entry: AuditEntry, salt: bytes | None = None) -> bytes:
    """The hash of salt and an entry's one canonical form: JSON with sorted keys, no spaces, times in UTC to the microsecond."""
    form = {
        "id": str(entry.id),
        "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "contact_id": str(entry.contact_id) if entry.contact_id else None,
        "action": entry.action,
        "actor": entry.actor,
        "rule": entry.rule,
        "rule_version": entry.rule_version,
        "evidence": entry.evidence,
    }
    return _leaf((salt or b"") + json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode())


@dataclass(frozen=True, slots=True)
class Emptied:
    """What a word vouches for: of each entry that it emptied, in the order of their ids, the hash of what was left of it."""

    word_id: UUID
    remains: Mapping[UUID, bytes]

    def told(self) -> dict[str, Any]:
        """As it stands in the word's evidence."""
        digest = hashlib.sha256()
        for entry_id, left in sorted(self.remains.items()):
            digest.update(entry_id.bytes + left)
        return {"entries": len(self.remains), "digest": digest.hexdigest()}


def _leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A tree grown leaf by leaf, holding only the roots of its full subtrees (``frontier``, largest first)."""

    size: int = 0
    frontier: list[bytes] = field(default_factory=list[bytes])

    def add(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        node, size = leaf, self.size
        while size & 1:
            node = _node(self.frontier.pop(), node)
            size >>= 1
        self.frontier.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The tree head's hash; of an empty tree, SHA-256 of nothing."""
        if not self.frontier:
            return hashlib.sha256(b"").digest()
        *rest, node = self.frontier
        for left in reversed(rest):
            node = _node(left, node)
        return node


def root_of(contents: Iterable[bytes]) -> bytes:
    """The root over leaves' contents, for comparing with other people's trees."""
    tree = Tree()
    for content in contents:
        tree.add(_leaf(content))
    return tree.root


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: how many entries stand as they were sealed, how many wait to be, and what is wrong."""

    sealed: int
    unsealed: int
    heads: int
    root: str
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class Verification:
    """Holds sealed leaves, fed in order, against every head.

    Faults are sentences: an entry that is gone, one that was altered, a gap in the numbers, a head that its leaves do not give.
    """

    def __init__(self, heads: Sequence[tuple[int, bytes]]) -> None:
        self._heads = len(heads)
        self._waiting = list(heads)
        self._tree = Tree()
        self._faults: list[str] = []
        self._gap = False

    def vouch(self, emptied: Emptied, word: AuditEntry | None) -> None:
        """What was emptied on a word; ``word`` is its entry, None where there is none."""
        if word is None or word.evidence.get(EMPTIED) != emptied.told():
            self._faults.append(f"Entries were emptied on the word of entry {emptied.word_id}, which does not vouch for them.")

    def add(
        self,
        number: int,
        entry_id: UUID,
        sealed: bytes,
        entry: AuditEntry | None,
        salt: bytes | None = None,
        remains: Collection[bytes] = (),
    ) -> None:
        """A leaf: its number, its entry's id, hash and salt as sealed, and the entry as it is now; None where it is gone. ``remains`` is
        what the words on which it was emptied say is left of it.
        """
        if self._gap:
            return
        if number != self._tree.size:
            self._gap = True
            self._faults.append(f"Leaf {self._tree.size} is missing.")
            return
        if entry is None:
            self._faults.append(f"Entry {entry_id} (leaf {number}) is gone.")
        elif leaf_hash(entry, salt) != sealed and leaf_hash(entry) not in remains:
            self._faults.append(f"Entry {entry_id} (leaf {number}) was altered after it was sealed.")
        self._tree.add(sealed)
        while self._waiting and self._waiting[0][0] == self._tree.size:
            size, root = self._waiting.pop(0)
            if root != self._tree.root:
                self._faults.append(f"The head at {size} entries is not what its leaves give.")

    def verdict(self, unsealed: int) -> Verdict:
        """What was found; ``unsealed`` entries wait to be sealed."""
        lost = () if self._gap else tuple(f"The head at {size} entries has lost leaves." for size, _ in self._waiting)
        return Verdict(self._tree.size, unsealed, self._heads, self._tree.root.hex(), (*self._faults, *lost))
