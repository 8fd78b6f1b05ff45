"""What the register knows of its people as a whole: how many they are, and how often each name is borne."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of individuals. Names are canonical (``router.match.names``); one that is absent is borne once or not at all."""

    individuals: int = 0
    surnames: Mapping[str, int] = field(default_factory=dict[str, int])
    forenames: Mapping[str, int] = field(default_factory=dict[str, int])
