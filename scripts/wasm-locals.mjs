// Numbers of local variables that compress well: for each function the order of which gzip makes the fewest bytes.

import { deflateRawSync } from "node:zlib";

/** In bytes: the distance to which gzip looks back. */
const window = 2 ** 15;

/** The binary format's number of the section with types, of functions, and of code. */
const [typeSection, functionSection, codeSection] = [1, 3, 10];

/** The module with other numbers of local variables. Parameters keep theirs. */
export function renumbered(wasm) {
  const reader = new Reader(wasm);
  const parts = [wasm.subarray(0, 8)];
  let parameters = [];
  let types = [];
  reader.at = 8;
  while (reader.at < wasm.length) {
    const start = reader.at;
    const id = reader.byte();
    const end = reader.number() + reader.at;
    if (id === typeSection) parameters = reader.list(() => reader.parameterCount());
    if (id === functionSection) types = reader.list(() => reader.number());
    if (id === codeSection) {
      const bodies = reader.list(() => reader.body());
      const code = renumberedBodies(bodies, (index) => parameters[types[index]]);
      parts.push(Buffer.from([id, ...leb128(code.length)]), code);
    } else parts.push(wasm.subarray(start, end));
    reader.at = end;
  }
  return Buffer.concat(parts);
}

function renumberedBodies(bodies, parametersOf) {
  const written = [Buffer.from(leb128(bodies.length))];
  let dictionary = Buffer.alloc(0);
  for (const [index, body] of bodies.entries()) {
    const compressed = (bytes) => deflateRawSync(bytes, { level: 9, memLevel: 9, dictionary }).length;
    const found = candidates(body, parametersOf(index)).map((bytes) => [compressed(bytes), bytes]);
    const [, best] = found.reduce((least, one) => (one[0] < least[0] ? one : least));
    written.push(Buffer.from(leb128(best.length)), best);
    dictionary = Buffer.concat([dictionary, ...written.slice(-2)]).subarray(-window);
  }
  return Buffer.concat(written);
}

/** A body with its variables as they are, by number of uses, by first use, and by both. Variables of one type are neighbours. */
function candidates(body, parameters) {
  const reader = new Reader(body);
  const types = [];
  reader.list(() => {
    const count = reader.number();
    const type = reader.byte();
    for (let i = 0; i < count; i++) types.push(type);
  });
  const code = reader.at;
  const uses = reader.uses();
  const [first, count] = [[], []];
  for (const [place, { local }] of uses.entries()) {
    first[local] ??= place;
    count[local] = (count[local] ?? 0) + 1;
  }
  const locals = types.map((_, index) => parameters + index);
  const typeOf = (local) => types[local - parameters];
  // In the same order in each function.
  const kinds = [...new Set(types)].sort((a, b) => b - a);
  const declarations = [...leb128(kinds.length)];
  for (const kind of kinds) declarations.push(...leb128(types.filter((type) => type === kind).length), kind);
  const orders = [
    () => 0,
    (a, b) => count[b] - count[a],
    (a, b) => first[a] - first[b],
    (a, b) => count[b] - count[a] || first[a] - first[b],
  ];
  return orders.map((order) => {
    const sorted = kinds.flatMap((kind) => locals.filter((local) => typeOf(local) === kind).sort(order));
    const numbers = new Map(sorted.map((local, place) => [local, parameters + place]));
    const bytes = [...declarations];
    let at = code;
    for (const { start, end, local } of uses) {
      bytes.push(...body.subarray(at, start), ...leb128(numbers.get(local) ?? local));
      at = end;
    }
    return Buffer.from([...bytes, ...body.subarray(at)]);
  });
}

/** Reads the binary format. */
class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  numbers(count) {
    for (let i = 0; i < count; i++) this.number();
  }

  skip(count) {
    this.at += count;
  }

  list(read) {
    return Array.from({ length: this.number() }, read);
  }

  parameterCount() {
    this.at++;
    const count = this.number();
    this.skip(count);
    this.skip(this.number());
    return count;
  }

  body() {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Each `local.get`, `local.set` and `local.tee`: where its number is, and the number. */
  uses() {
    const uses = [];
    while (this.at < this.bytes.length) {
      const code = this.byte();
      const start = this.at;
      if (code >= 0x20 && code <= 0x22) uses.push({ local: this.number(), start, end: this.at });
      else this.skipOperands(code);
    }
    return uses;
  }

  /** Skips the operands of an instruction. Throws for one that it does not know. */
  skipOperands(code) {
    if (code === 0xfc) this.skipBulkOperands(this.number());
    else if (code === 0xfd) this.skipVectorOperands(this.number());
    else if (code === 0x0e) this.numbers(this.number() + 1);
    else if (code === 0x1c) this.skip(this.number());
    else if (code === 0x43) this.at += 4;
    else if (code === 0x44) this.at += 8;
    else if (code === 0x11 || (code >= 0x28 && code <= 0x3e)) this.numbers(2);
    else if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10].includes(code)) this.number();
    else if ((code >= 0x23 && code <= 0x26) || (code >= 0x3f && code <= 0x42)) this.number();
    else if (code === 0xd0 || code === 0xd2) this.number();
    else if (code > 0xc4 && code !== 0xd1) throw new Error(`an instruction of an unknown code: ${code}`);
  }

  skipBulkOperands(code) {
    if (code > 17) throw new Error(`an instruction of an unknown code: 252 ${code}`);
    if (code >= 8) this.numbers([8, 10, 12, 14].includes(code) ? 2 : 1);
  }

  skipVectorOperands(code) {
    if (code <= 11 || code === 92 || code === 93) this.numbers(2);
    else if (code === 12 || code === 13) this.at += 16;
    else if (code >= 21 && code <= 34) this.at++;
    else if (code >= 84 && code <= 91) {
      this.numbers(2);
      this.at++;
    }
  }
}

/** A number in LEB128, the encoding of the binary format. */
function leb128(number) {
  const bytes = [];
  for (; number >= 0x80; number = Math.floor(number / 0x80)) bytes.push((number % 0x80) | 0x80);
  return [...bytes, number];
}
