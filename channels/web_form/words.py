"""What the form says, in English and Welsh: the tables beside this file, and the ways to write times and spans.

Pure. A key is dotted, as ``pages.name.title``. Both tables have the same keys; a test holds them equal.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, cast

Language = Literal["en", "cy"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "cy")
TABLES: Final[Mapping[Language, Mapping[str, Any]]] = {
    each: tomllib.loads((Path(__file__).parent / f"{each}.toml").read_text(encoding="utf-8")) for each in LANGUAGES
}
_FEW_DAYS: Final = timedelta(days=3)

Block = tuple[Literal["heading", "list", "paragraph"], tuple[str, ...]]


class Words:
    """One language's texts, with what settings say put into them."""

    def __init__(self, language: Language, values: Mapping[str, str]) -> None:
        self.language: Language = language
        self._table = TABLES[language]
        self._values = values

    def __call__(self, key: str, **more: object) -> str:
        """The text of a key; KeyError where there is none."""
        if (found := self.get(key, **more)) is None:
            raise KeyError(key)
        return found

    def get(self, key: str, **more: object) -> str | None:
        """The text of a key, where there is one."""
        found = self._at(key)
        return found.format_map({**self._values, **more}) if isinstance(found, str) else None

    def listed(self, key: str) -> list[str]:
        """The texts of a list."""
        return list(self._at(key) or ())

    def blocks(self, *keys: str, **more: object) -> list[Block]:
        """Long texts, one after the other, in their parts: ``## `` begins a heading, ``- `` an item of a list."""
        found: list[Block] = []
        for line in "\n".join(self(key, **more).strip() for key in keys).splitlines():
            if line.startswith("- ") and found and found[-1][0] == "list":
                found[-1] = ("list", (*found[-1][1], line[2:]))
            elif line.startswith("- "):
                found.append(("list", (line[2:],)))
            elif line.startswith("## "):
                found.append(("heading", (line[3:],)))
            else:
                found.append(("paragraph", (line,)))
        return found

    def fault(self, field: str, fault: str, most: int, *, words: bool) -> str:
        """What is wrong with a field, as the design system would say it."""
        own = self.get(f"fields.{field}.faults.{fault}")
        if own is not None:
            return own
        label = self(f"fields.{field}.label")
        key = "long_words" if fault == "long" and words else fault
        return self(f"faults.{key}", label=label, label_lower=label[:1].lower() + label[1:], most=f"{most:,}")

    def span(self, length: timedelta) -> str:
        """A length of time as people say it."""
        minutes = max(1, round(length.total_seconds() / 60))
        if length >= _FEW_DAYS and not minutes % (24 * 60):
            return self._counted("days", minutes // (24 * 60))
        if not minutes % 60:
            return self._counted("hours", minutes // 60)
        return self._counted("minutes", minutes)

    def by(self, moment: datetime) -> str:
        """A moment in its own zone, as ``9:30am on Wednesday 4 March 2026``."""
        return self("chrome.by", time=self._time(moment), date=self._date(moment))

    def _counted(self, unit: str, count: int) -> str:
        one, more = self.listed(f"chrome.{unit}")
        return (one if count == 1 else more).format(count=count)

    def _time(self, moment: datetime) -> str:
        if (moment.hour, moment.minute) in ((0, 0), (12, 0)):
            return self("chrome.midnight" if moment.hour == 0 else "chrome.midday")
        half = self("chrome.am" if moment.hour < 12 else "chrome.pm")
        hour = moment.hour % 12 or 12
        return self("chrome.time", hour=hour, minute=f"{moment.minute:02}", half=half)

    def _date(self, moment: datetime) -> str:
        weekday, month = self.listed("chrome.weekdays")[moment.weekday()], self.listed("chrome.months")[moment.month - 1]
        return self("chrome.date", weekday=weekday, day=moment.day, month=month, year=moment.year)

    def _at(self, key: str) -> Any:
        found: Any = self._table
        for part in key.split("."):
            found = cast("dict[str, Any]", found).get(part) if isinstance(found, dict) else None
        return found
