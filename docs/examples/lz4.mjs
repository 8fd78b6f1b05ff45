// SPDX-License-Identifier: CC0-1.0
// LZ4 for kafkajs, which has none of its own: `kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => lz4`.
// Reads only. LZ4 frame format 1.6.4 and block format, github.com/lz4/lz4/tree/dev/doc.

export const lz4 = {
  compress: async () => {
    throw new Error('this codec reads only');
  },
  decompress: async (packed) => unpack(packed),
};

export function unpack(packed) {
  if (packed.readUInt32LE(0) !== 0x184d2204) throw new Error('this is no LZ4 frame');
  const flags = packed[4];
  const checksum = flags & 0x10 ? 4 : 0; // behind each block; Kafka has its own over the whole batch
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let out = Buffer.alloc(65536);
  let end = 0;

  const room = (more) => {
    if (end + more <= out.length) return;
    const larger = Buffer.alloc(Math.max(2 * out.length, end + more));
    out.copy(larger, 0, 0, end);
    out = larger;
  };

  const block = (until) => {
    const length = (nibble) => {
      let sum = nibble;
      if (nibble === 15) {
        let next;
        do sum += next = packed[at++];
        while (next === 255);
      }
      return sum;
    };
    while (at < until) {
      const token = packed[at++];
      const literals = length(token >> 4);
      room(literals);
      packed.copy(out, end, at, at + literals);
      end += literals;
      at += literals;
      if (at >= until) return; // the last sequence has no match
      const from = end - packed.readUInt16LE(at);
      at += 2;
      const match = length(token & 15) + 4;
      if (from < 0 || from === end) throw new Error('this LZ4 frame is damaged');
      room(match);
      for (let n = 0; n < match; n++) out[end + n] = out[from + n]; // it may overlap itself
      end += match;
    }
  };

  for (;;) {
    const size = packed.readUInt32LE(at);
    at += 4;
    if (size === 0) return out.subarray(0, end);
    const until = at + (size & 0x7fffffff);
    if (size >>> 31) {
      room(until - at);
      packed.copy(out, end, at, until);
      end += until - at;
    } else {
      block(until);
    }
    at = until + checksum;
  }
}
