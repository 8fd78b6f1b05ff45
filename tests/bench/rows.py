"""What the router wrote, contact by contact, and the one statement that writes the same rows again.

Whoever writes them pays for the writing alone.
"""

import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

Columns = Mapping[str, str]
"""PostgreSQL's names of the types, by column."""

CONTACTS: Final = "contacts"
"""The topic, and the table."""
BUDGETS: Final = "budgets"


@dataclass(frozen=True, slots=True)
class Written:
    """Rows by contact and table; ``columns`` says of each table what a row of it is made of."""

    columns: Mapping[str, Columns]
    rows: Mapping[UUID, Mapping[str, Sequence[tuple[Any, ...]]]]

    def keep(self, path: Path) -> None:
        """Into a file, for a process of its own."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def kept(path: Path) -> "Written":
        """From ``keep``'s file."""
        return pickle.loads(path.read_bytes())

    def counts(self, contacts: Iterable[UUID]) -> dict[str, int]:
        """How many rows of each table some contacts came to."""
        found: Counter[str] = Counter()
        for each in contacts:
            found.update({name: len(rows) for name, rows in self.rows[each].items()})
        return dict(found)

    def statement(self) -> str:
        """All the rows of a batch and its positions at once; rows of a contact that is there already are left out.

        Takes what ``arguments`` gives.
        """
        number = 0
        parts: list[str] = []
        for name, columns in self.columns.items():
            given = ", ".join(f"${number + each}::{kind}[]" for each, kind in enumerate(("uuid", *columns.values()), 1))
            number += len(columns) + 1
            listed = ", ".join(f'"{column}"' for column in columns)
            source = f'unnest({given}) AS given("of", {listed})'
            into = f"INSERT INTO {name} ({listed})"
            if name == CONTACTS:
                parts.append(f"fresh AS ({into} SELECT {listed} FROM {source} ON CONFLICT DO NOTHING RETURNING id)")
                continue
            chosen = ", ".join(f'given."{column}"' for column in columns)
            joined = f'{source} JOIN fresh ON fresh.id = given."of"'
            if name == BUDGETS:
                more = "ON CONFLICT (recipient, day) DO UPDATE SET spent = budgets.spent + excluded.spent"
                parts.append(
                    f"budgets_spent AS ({into} SELECT recipient, day, sum(spent) FROM {joined} GROUP BY recipient, day {more})"
                )
            else:
                parts.append(
                    f"{name.replace('.', '_')}_written AS ({into} SELECT {chosen} FROM {joined} ON CONFLICT DO NOTHING)"
                )
        return (
            f"WITH {', '.join(parts)} UPDATE positions SET next = given.next "
            f"FROM unnest(${number + 1}::int4[], ${number + 2}::int8[]) AS given(partition, next) "
            f"WHERE positions.topic = '{CONTACTS}' AND positions.partition = given.partition"
        )

    def arguments(self, contacts: Sequence[UUID], following: Mapping[int, int]) -> list[Sequence[Any]]:
        """The columns of those contacts' rows; ``following`` is the next position of each partition."""
        found: list[Sequence[Any]] = []
        for name, columns in self.columns.items():
            rows = [(of, *row) for of in contacts for row in self.rows[of].get(name, ())]
            found += zip(*rows, strict=True) if rows else [()] * (len(columns) + 1)
        return [*found, list(following), list(following.values())]


def same(one: Written, other: Written, contacts: Iterable[UUID]) -> bool:
    """Whether both wrote the very same rows for some contacts, in whatever order."""
    return all(_sorted(one, each) == _sorted(other, each) for each in contacts)


def _sorted(found: Written, of: UUID) -> Mapping[str, list[str]]:
    return {name: sorted(map(repr, rows)) for name, rows in found.rows[of].items()}
