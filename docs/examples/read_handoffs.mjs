// SPDX-License-Identifier: CC0-1.0
// Read handoffs to Intake with kafkajs, each once. BROKERS is host:port,host:port; GROUP a name that all your processes share.
// Usage: node read_handoffs.mjs

import kafkajs from 'kafkajs';
import { lz4 } from './lz4.mjs';

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => lz4;

const kafka = new kafkajs.Kafka({
  clientId: 'intake',
  brokers: process.env.BROKERS.split(','),
  logLevel: kafkajs.logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: process.env.GROUP });

// Delivered at least once: what has been had is dropped. Keep these beside what you make of the handoffs, in one transaction.
const had = new Set();

async function take({ message }) {
  const header = (name) => message.headers[name]?.toString('utf8');
  if (header('ce_type') !== 'contact-ingest.handoff.v1') return; // of a version that this program does not know
  const identity = `${header('ce_source')} ${header('ce_id')}`;
  if (had.has(identity)) return;
  const handoff = JSON.parse(message.value.toString('utf8'));
  console.log(JSON.stringify({ id: handoff.id, reference: handoff.reference, contact: handoff.contact_id }));
  had.add(identity);
}

await consumer.connect();
await consumer.subscribe({ topics: ['handoffs.intake'], fromBeginning: true });
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => consumer.disconnect().then(() => process.exit(0)));
}
await consumer.run({ eachMessage: take }); // goes on only once a handoff is taken: an exception brings it again
