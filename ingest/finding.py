"""What a look at something that the service leans on came to."""

from typing import NamedTuple


class Finding(NamedTuple):
    """What was looked at, and what is wrong with it and where it is mended, or how it stands where nothing is."""

    about: str
    well: bool
    sentence: str
