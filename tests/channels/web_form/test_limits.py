"""A limit holds for a network, lets everybody through again, and takes little memory whoever comes."""

from datetime import timedelta

import pytest

from channels.web_form.limits import Limit
from tests.conftest import FIXED


def test_so_many_come_through_at_once_and_the_next_after_its_share_of_the_hour() -> None:
    limit = Limit(4)
    assert [limit.wait("192.0.2.7", FIXED) for _ in range(4)] == [None] * 4
    assert limit.wait("192.0.2.7", FIXED) == timedelta(minutes=15)
    assert limit.wait("192.0.2.7", FIXED + timedelta(minutes=5)) == timedelta(minutes=10), (
        "who asks again waits no longer for it"
    )
    assert limit.wait("192.0.2.7", FIXED + timedelta(minutes=15)) is None
    assert limit.wait("192.0.2.7", FIXED + timedelta(minutes=15)) == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:1:2::7", "2001:db8:1:2:ffff::8", True),
        ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "", True),
    ],
)
def test_a_network_is_an_address_or_one_households(one: str, other: str, same: bool) -> None:
    limit = Limit(1)
    assert limit.wait(one, FIXED) is None
    assert (limit.wait(other, FIXED) is not None) is same


def test_of_many_networks_the_longest_unseen_are_forgotten() -> None:
    limit = Limit(1)
    for number in range(60_000):
        limit.wait(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", FIXED)
    assert len(limit._free_at) == 50_000
    assert limit.wait("10.0.234.95", FIXED) is not None
    assert limit.wait("10.0.0.0", FIXED) is None
