"""Our own secret, and those it took the place of: new marks and tokens are made with it, and what an earlier one made is still ours."""

from collections.abc import Iterable
from typing import Self


class Key(bytes):
    """The secret of today, as bytes; ``before`` are the earlier ones that are still believed."""

    before: tuple[bytes, ...]

    def __new__(cls, secret: bytes, before: Iterable[bytes] = ()) -> Self:
        """Of two that are alike one is kept."""
        it = super().__new__(cls, secret)
        it.before = tuple(each for each in dict.fromkeys(before) if each != secret)
        return it


def known(secret: bytes) -> tuple[bytes, ...]:
    """The secret, and then those it took the place of: what one of them made is ours."""
    return (secret, *secret.before) if isinstance(secret, Key) else (secret,)
