"""What all published types share: frozen, tolerant of fields they do not know, times in UTC, text that a database can hold."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


class Shape(BaseModel):
    """A published type. Unknown fields are passed over, so that a newer publisher does not break an older reader."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is before the year 1 or after 9999 in UTC") from error


def _storable(text: str) -> str:
    """PostgreSQL refuses NUL, and neither it nor UTF-8 knows a lone surrogate."""
    if text.isascii() and "\x00" not in text:  # most of it, and looked at in no time
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Text = Annotated[str, AfterValidator(_storable)]
