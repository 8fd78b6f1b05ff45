#!/bin/sh
# SPDX-License-Identifier: CC0-1.0
# Publish a contact on the topic with kcat. BROKERS is host:port,host:port; PARTITION_KEY the same for all contacts of one sender,
# such as a keyed hash of their address, and never the address itself.
# Usage: publish_kafka.sh KEY CONTACT.json
set -eu

kcat -P -b "$BROKERS" -t contacts -k "$PARTITION_KEY" -X acks=all -X enable.idempotence=true \
  -H ce_specversion=1.0 -H ce_type=contact-ingest.contact.v1 -H ce_source=urn:example:crm -H "ce_id=$1" \
  -H content-type=application/json "$2"
