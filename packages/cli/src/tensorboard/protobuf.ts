// Messages of Protocol Buffers, as bytes: https://protobuf.dev/programming-guides/encoding.

/** A field of a message: its number, and its bytes with the tag. */
export type Field = Uint8Array;

function varint(value: number | bigint): number[] {
  // Negative numbers are 64 bits in two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? byte : byte | 0x80);
  } while (rest !== 0n);
  return bytes;
}

const tag = (field: number, wire: 0 | 1 | 2 | 5) => varint((field << 3) | wire);

/** An integer or an enumeration. */
export const integer = (field: number, value: number): Field => Uint8Array.from([...tag(field, 0), ...varint(value)]);

/** A number of 64 bits. */
export function double(field: number, value: number): Field {
  return join([Uint8Array.from(tag(field, 1)), new Uint8Array(Float64Array.of(value).buffer)]);
}

/** A number of 32 bits. */
export function float(field: number, value: number): Field {
  return join([Uint8Array.from(tag(field, 5)), new Uint8Array(Float32Array.of(value).buffer)]);
}

/** Bytes, or an embedded message. */
export function bytes(field: number, value: Uint8Array): Field {
  return join([Uint8Array.from([...tag(field, 2), ...varint(value.length)]), value]);
}

/** A text. */
export const text = (field: number, value: string): Field => bytes(field, new TextEncoder().encode(value));

/** Numbers of 64 bits, packed. */
export const doubles = (field: number, values: readonly number[]): Field =>
  bytes(field, new Uint8Array(Float64Array.from(values).buffer));

/** A message of fields. */
export const message = (...fields: readonly Field[]): Uint8Array => join(fields);

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
