"""A text is charged by the parts a network cuts it into; what we say of its length is what the network does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.segments import Length, length


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", Length("GSM-7", 0, 1, 0)),
        ("a" * 160, Length("GSM-7", 160, 1, 0)),
        ("a" * 161, Length("GSM-7", 161, 2, 1)),
        ("a" * 306, Length("GSM-7", 306, 2, 146)),
        ("a" * 307, Length("GSM-7", 307, 3, 147)),
        ("â", Length("UCS-2", 1, 1, 0)),
        ("£10 à Ø Δ ¿ ü", Length("GSM-7", 13, 1, 0)),
        ("€" * 80, Length("GSM-7", 160, 1, 0)),
        ("€" * 153, Length("GSM-7", 306, 3, 146)),
        ("ŵ" * 70, Length("UCS-2", 70, 1, 0)),
        ("ŵ" * 71, Length("UCS-2", 71, 2, 1)),
        ("ŵ" * 135, Length("UCS-2", 135, 3, 65)),
        ("a" * 100 + "ŵ", Length("UCS-2", 101, 2, 31)),
        ("😀" * 35, Length("UCS-2", 70, 1, 0)),
        ("😀" * 67, Length("UCS-2", 134, 3, 64)),
    ],
    ids=lambda each: each[:10] + f"×{len(each)}" if isinstance(each, str) else "",
)
def test_a_text_is_so_long(text: str, told: Length) -> None:
    assert length(text) == told


@given(st.text(alphabet="a€ŵ😀\n", max_size=400))
def test_a_longer_text_never_has_fewer_parts_and_every_part_is_needed(text: str) -> None:
    told = length(text)
    room = 153 if told.encoding == "GSM-7" else 67
    assert told.parts <= length(text + "a").parts
    assert told.parts == 1 or told.units > (told.parts - 1) * (room - 1)
    assert told.parts == 1 or told.units <= told.parts * room
