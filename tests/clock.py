"""A time of day for tests of what waits, expires or comes late."""

from datetime import datetime, timedelta

from tests.conftest import FIXED


class Clock:
    """The time of day, which goes on a little whenever it is read, and which a test moves on."""

    def __init__(self) -> None:
        self.now = FIXED

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now

    def pass_by(self, length: timedelta) -> None:
        self.now += length
