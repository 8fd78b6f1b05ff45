"""A DNS server of the tests' own on this machine: it says what it is told to say, refuses, or keeps silent."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.asyncresolver import Resolver


@dataclass
class DnsServer(asyncio.DatagramProtocol):
    """``texts`` holds the TXT records of each name, which has none where there is no such name; ``asked`` each name that was asked for."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    refuses: bool = False
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        self.asked.append(name)
        if self.silent:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if self.refuses:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.texts:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts := self.texts[name]:
            quoted = (" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in texts)
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", *quoted))
        self.transport.sendto(answer.to_wire(), addr)

    def resolver(self) -> Resolver:
        """What asks this server and nobody else."""
        made = Resolver(configure=False)
        made.nameservers, made.port = ["127.0.0.1"], self.port
        return made


@asynccontextmanager
async def dns_server() -> AsyncGenerator[DnsServer]:
    """One that listens for as long as the test needs it."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(DnsServer, ("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
