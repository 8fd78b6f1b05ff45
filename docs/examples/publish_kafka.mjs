// SPDX-License-Identifier: CC0-1.0
// Publish a contact on the topic with kafkajs. BROKERS is host:port,host:port; PARTITION_SECRET any 32 characters of your own, kept for good.
// Usage: node publish_kafka.mjs KEY CONTACT.json

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';

const [key, file] = process.argv.slice(2);
const contact = JSON.parse(readFileSync(file, 'utf8'));

// With TLS and a password: ssl: { ca: [...] }, sasl: { mechanism: 'scram-sha-512', username, password }.
const kafka = new kafkajs.Kafka({
  clientId: 'crm',
  brokers: process.env.BROKERS.split(','),
  logLevel: kafkajs.logLevel.ERROR,
});
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });

// One key for each sender, so that theirs stay in order; a hash, since keys are seen by whoever runs the broker.
const known = contact.sender?.identifiers?.[0]?.canonical;
const partitionKey = known
  ? createHmac('sha256', process.env.PARTITION_SECRET).update(known).digest('hex').slice(0, 32)
  : null;

await producer.connect();
try {
  await producer.send({
    topic: 'contacts',
    acks: -1, // every replica in sync
    messages: [
      {
        key: partitionKey,
        value: JSON.stringify(contact),
        headers: {
          ce_specversion: '1.0',
          ce_type: 'contact-ingest.contact.v1',
          ce_source: 'urn:example:crm',
          ce_id: key,
          'content-type': 'application/json',
        },
      },
    ],
  });
  console.log(key);
} finally {
  await producer.disconnect();
}
