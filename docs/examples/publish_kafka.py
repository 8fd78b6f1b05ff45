# SPDX-License-Identifier: CC0-1.0
"""Publish contacts on the topic. Needs aiokafka. BROKERS is host:port,host:port; the standard input, a contact a line.

A line is {"key": "call-2026-000042", "contact": {...}}: the key is what you know the contact by.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys

from aiokafka import AIOKafkaProducer

SOURCE = "urn:example:crm"
SECRET = os.environ["PARTITION_SECRET"].encode()  # any 32 characters of your own, kept for good


def headers_of(key: str) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0, binary mode."""
    attributes = {"specversion": "1.0", "type": "contact-ingest.contact.v1", "source": SOURCE, "id": key}
    return [(f"ce_{name}", value.encode()) for name, value in attributes.items()] + [("content-type", b"application/json")]


def partition_key(contact: dict) -> bytes | None:
    """One for each sender, so that theirs stay in order; a hash, since keys are seen by whoever runs the broker."""
    known = contact.get("sender", {}).get("identifiers", [])
    return hmac.digest(SECRET, known[0]["canonical"].encode(), hashlib.sha256).hex()[:32].encode() if known else None


async def main() -> None:
    """Each line is on the topic, on every replica in sync, before its key is printed."""
    # With TLS and a password: security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_plain_username=…,
    # sasl_plain_password=…, ssl_context=aiokafka.helpers.create_ssl_context(cafile=…).
    producer = AIOKafkaProducer(bootstrap_servers=os.environ["BROKERS"], acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for line in sys.stdin:
            told = json.loads(line)
            value = json.dumps(told["contact"], ensure_ascii=False).encode()
            await producer.send_and_wait("contacts", value, key=partition_key(told["contact"]), headers=headers_of(told["key"]))
            print(told["key"])
    finally:
        await producer.stop()


asyncio.run(main())
