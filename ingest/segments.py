"""How long a text message is: which alphabet it needs, and in how many parts a network carries and charges it.

Pure. 3GPP TS 23.038 section 6.2 has the alphabets; TS 23.040 section 9.2.3.24.1 what joining several parts costs in each.
"""

from dataclasses import dataclass
from typing import Final, Literal

_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")  # two septets each, the first of them an escape

_ROOM: Final = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True, slots=True)
class Length:
    """``units`` are septets of GSM-7 or 16-bit units of UCS-2; ``over`` is how many of them one part alone has no room for."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int
    over: int


def length(text: str) -> Length:
    """How long a text is. One character outside GSM-7, such as ŵ or an emoji, makes all of it UCS-2."""
    if all(each in _GSM or each in _GSM_EXTENSION for each in text):
        return _in_parts("GSM-7", [2 if each in _GSM_EXTENSION else 1 for each in text])
    return _in_parts("UCS-2", [2 if ord(each) > 0xFFFF else 1 for each in text])


def _in_parts(encoding: Literal["GSM-7", "UCS-2"], units: list[int]) -> Length:
    """A character of two units is never cut in two, so a part may have one to spare."""
    one, of_several = _ROOM[encoding]
    total = sum(units)
    if total <= one:
        return Length(encoding, total, 1, 0)
    parts, room = 1, of_several
    for each in units:
        if each > room:
            parts, room = parts + 1, of_several
        room -= each
    return Length(encoding, total, parts, total - one)
