"""How much may come from one network in a while: past it whoever is next has to wait, and is never shut out for good.

For one process, and in memory, where the addresses of people who fill in a form are soon forgotten.
"""

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

_MOST_NETWORKS: Final = 50_000


class Limit:
    """So many in an hour from each network, a share of which comes back with every moment that passes."""

    def __init__(self, most_an_hour: int) -> None:
        self._most = most_an_hour
        self._every = timedelta(hours=1) / most_an_hour
        self._free_at: OrderedDict[bytes, datetime] = OrderedDict()

    def wait(self, address: str, now: datetime) -> timedelta | None:
        """Count one more; where it is too many, it does not count, and this is how long to wait."""
        network = _network(address)
        free_at = max(self._free_at.get(network, now), now) + self._every
        if free_at - now > self._every * self._most:
            return free_at - now - self._every * self._most
        self._free_at[network] = free_at
        self._free_at.move_to_end(network)
        if len(self._free_at) > _MOST_NETWORKS:
            self._free_at.popitem(last=False)
        return None


def _network(address: str) -> bytes:
    """An IPv4 address, or the /64 of an IPv6 one, which is one household's; not in plain."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return b""
    packed = parsed.packed if parsed.version == 4 else parsed.packed[:8]
    return hashlib.blake2b(packed, digest_size=8).digest()
