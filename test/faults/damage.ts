// Damaged copies of a safetensors file, and files that other programs would not write.

import type { Random } from "../random-operations/random.js";

type Damaged = readonly [what: string, bytes: Uint8Array];

interface Options {
  readonly random: Random;
  /** Bits of a byte of elements that are flipped; of the header, all are. */
  readonly bits: number;
}

const lengthOf = (file: Buffer) => Number(file.readBigUInt64LE(0));

/** Copies of a file, each with other bytes than the file. */
export function* damagedCopies(file: Buffer, { random, bits }: Options): Generator<Damaged> {
  const data = 8 + lengthOf(file);
  for (let at = 0; at < file.length; at++) {
    const chosen = at < data ? 8 : bits;
    const first = random.int(8);
    for (let i = 0; i < chosen; i++) {
      const bit = (first + i) % 8;
      const copy = Buffer.from(file);
      copy[at] = (copy[at] as number) ^ (1 << bit);
      yield [`bit ${bit} of byte ${at} flipped`, copy];
    }
  }
  for (let length = 0; length < file.length; length++) yield [`cut off at ${length}`, file.subarray(0, length)];
  for (const tail of ["\0", " ", "PK\x05\x06", "}", file.toString("latin1")]) {
    yield [`followed by ${JSON.stringify(tail.slice(0, 8))}`, Buffer.concat([file, Buffer.from(tail, "latin1")])];
  }
  for (const length of lengths(file)) {
    const copy = Buffer.from(file);
    copy.writeBigUInt64LE(length, 0);
    yield [`a header of ${length} bytes`, copy];
  }
}

const lengths = (file: Buffer): readonly bigint[] => {
  const length = BigInt(lengthOf(file));
  const powers = [31n, 32n, 53n, 63n].map((power) => 2n ** power);
  const all = [0n, 1n, 2n, length - 1n, length + 1n, 100_000_000n, 100_000_001n, ...powers, 2n ** 64n - 1n];
  return all.filter((other) => other !== length);
};

/** A copy with some bytes changed, copied, inserted or removed; now and then it is the file. */
export function mutated(file: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(file);
  for (let i = 1 + random.int(4); i > 0; i--) {
    const at = random.int(bytes.length);
    const length = 1 + random.int(16);
    const from = random.int(bytes.length);
    switch (random.int(4)) {
      case 0:
        bytes[at] = random.pick([0, 0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0xff, 0x30 + random.int(10)]);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + length), bytes.subarray(at)]);
        break;
      default:
        bytes.copy(bytes, at, from, from + length);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

const fileOf = (header: string, data = 0): Buffer => {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(data)]);
};

const tensor = (name: string, dtype: unknown, shape: unknown, offsets: unknown) =>
  `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`;

/** Files of other content, none of which is a file of the module that loads them. */
export function* strangeFiles(): Generator<Damaged> {
  const huge = "18446744073709551615";
  const headers: readonly (readonly [what: string, header: string, data: number])[] = [
    ["no tensors", "{}", 0],
    ["an empty header", "", 0],
    ["spaces", " ".repeat(100), 0],
    ["a list", "[]", 0],
    ["a name twice", `{${tensor("x", "U8", [1], [0, 1])},${tensor("x", "U8", [1], [1, 2])}}`, 2],
    ["a name twice, with one range", `{${tensor("x", "U8", [1], [0, 1])},${tensor("x", "U8", [1], [0, 1])}}`, 1],
    ["overlaps", `{${tensor("x", "U8", [2], [0, 2])},${tensor("y", "U8", [2], [1, 3])}}`, 3],
    ["a hole", `{${tensor("x", "U8", [1], [0, 1])},${tensor("y", "U8", [1], [2, 3])}}`, 3],
    ["the end before the start", `{${tensor("x", "U8", [1], [1, 0])}}`, 1],
    ["huge offsets", `{"x":{"dtype":"U8","shape":[1],"data_offsets":[${huge},${huge}]}}`, 0],
    ["a huge shape", `{"x":{"dtype":"U8","shape":[${huge}],"data_offsets":[0,0]}}`, 0],
    ["a product beyond 2^64", `{${tensor("x", "F64", [2 ** 32, 2 ** 32], [0, 0])}}`, 0],
    ["a product that wraps to the size", `{${tensor("x", "U8", [2 ** 32, 2 ** 32, 1], [0, 0])}}`, 0],
    ["sizes beyond 2^64", '{"x":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}}', 0],
    ["negative sizes", `{${tensor("x", "U8", [-1], [0, 1])}}`, 1],
    ["a size with a fraction", `{${tensor("x", "U8", [1.5], [0, 1])}}`, 1],
    ["a text as a shape", `{${tensor("x", "U8", "1", [0, 1])}}`, 1],
    ["an unknown type", `{${tensor("x", "F99", [1], [0, 1])}}`, 1],
    ["a type of no bytes", `{${tensor("x", "F4", [1], [0, 0])}}`, 0],
    ["three offsets", `{${tensor("x", "U8", [1], [0, 1, 2])}}`, 1],
    ["another key", '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"path":"/etc/passwd"}}', 1],
    ["metadata of numbers", '{"__metadata__":{"a":1}}', 0],
    ["metadata twice", '{"__metadata__":{},"__metadata__":{}}', 0],
    ["a description that is empty", '{"__metadata__":{"stepwell":""}}', 0],
    ["a newer description", '{"__metadata__":{"stepwell":"{\\"format\\":\\"stepwell\\",\\"version\\":99}"}}', 0],
    [
      "a description without a checksum",
      '{"__metadata__":{"stepwell":"{\\"format\\":\\"stepwell\\",\\"version\\":1}"}}',
      0,
    ],
    ["deep lists", `{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 0],
    ["deep objects", `${'{"x":'.repeat(100_000)}1${"}".repeat(100_000)}`, 0],
    ["a zero byte in a name", `{${tensor("a\0b", "U8", [1], [0, 1])}}`, 1],
    ["a zero byte in the header", '{"x\0":{}}', 0],
    ["a path as a name", `{${tensor("../../etc/passwd", "U8", [1], [0, 1])}}`, 1],
    ["the name of a prototype", `{${tensor("__proto__", "U8", [1], [0, 1])}}`, 1],
    ["a name of a million bytes", `{${tensor("n".repeat(1_000_000), "U8", [1], [0, 1])}}`, 1],
    ["a name in half a surrogate", '{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1],
    ["a thousand dimensions", `{${tensor("x", "U8", Array(1000).fill(1), [0, 1])}}`, 1],
    ["NaN", '{"x":{"dtype":"U8","shape":[NaN],"data_offsets":[0,1]}}', 1],
  ];
  for (const [what, header, data] of headers) {
    yield [what, fileOf(header, data)];
    yield [`${what}, and more bytes`, fileOf(header, data + 1)];
    yield [`${what}, and less bytes`, fileOf(header, data).subarray(0, -1)];
  }
  const many = Array.from({ length: 10_000 }, (_, i) => tensor(`t${i}`, "U8", [0], [0, 0])).join(",");
  yield ["ten thousand empty tensors", fileOf(`{${many}}`)];
  yield ["bytes that are not UTF-8", Buffer.concat([fileOf('{"x":1}').subarray(0, 8), Buffer.alloc(7, 0xff)])];
  yield [
    "a pickle",
    Buffer.from("80059520000000000000008c05706f736978948c0673797374656d9493948c026964948594529", "hex"),
  ];
  yield ["an archive", Buffer.from("PK\x03\x04\x14\0\0\0\0\0archive/data.pkl", "latin1")];
}
