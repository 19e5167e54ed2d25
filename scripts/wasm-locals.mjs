// Numbers of local variables that compress well: for each function the ones of which gzip makes the fewest bytes.

import { deflateRawSync } from "node:zlib";
import { leb128, Reader } from "./wasm-binary.mjs";

/** In bytes: the distance to which gzip looks back. */
const window = 2 ** 15;
/**
 * The most swaps that are tried in a function, for each of its variables. Ten save 4.8 kB after gzip and take some 15 seconds, forty
 * save .4 kB more and take twice as long.
 */
const maxSwaps = 10;

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
    const best = shortest(new Body(body, parametersOf(index)), compressed);
    written.push(Buffer.from(leb128(best.length)), best);
    dictionary = Buffer.concat([dictionary, ...written.slice(-2)]).subarray(-window);
  }
  return Buffer.concat(written);
}

/** The best of several orders of a function's variables, after swaps of two of them that shorten it. */
function shortest(body, compressed) {
  const measured = (order) => {
    const bytes = body.with(order);
    return { order, bytes, length: compressed(bytes) };
  };
  let best = body
    .orders()
    .map(measured)
    .reduce((least, one) => (one.length < least.length ? one : least));
  const pairs = body.pairs(best.order);
  const swaps = Math.min(maxSwaps * best.order.length, 2 * pairs.length);
  for (let swap = 0, last = 0; swap < swaps && swap - last <= pairs.length; swap++) {
    const [a, b] = pairs[swap % pairs.length];
    const next = measured(best.order.with(a, best.order[b]).with(b, best.order[a]));
    if (next.length < best.length) [best, last] = [next, swap];
  }
  return best.bytes;
}

/** A function's code, whose variables can have other numbers. */
class Body {
  constructor(bytes, parameters) {
    const reader = new Reader(bytes);
    this.bytes = bytes;
    this.parameters = parameters;
    this.types = reader.localTypes();
    this.code = reader.at;
    this.uses = reader.uses();
    // In the same order in each function.
    this.kinds = [...new Set(this.types)].sort((a, b) => b - a);
  }

  /** The variables as they are, by number of uses, by first use, and by both. Variables of one type are neighbors. */
  orders() {
    const [first, count] = [[], []];
    for (const [place, { local }] of this.uses.entries()) {
      first[local] ??= place;
      count[local] = (count[local] ?? 0) + 1;
    }
    const locals = this.types.map((_, index) => this.parameters + index);
    const comparisons = [
      () => 0,
      (a, b) => count[b] - count[a],
      (a, b) => first[a] - first[b],
      (a, b) => count[b] - count[a] || first[a] - first[b],
    ];
    return comparisons.map((comparison) =>
      this.kinds.flatMap((kind) => locals.filter((local) => this.typeOf(local) === kind).sort(comparison)),
    );
  }

  /** The places in an order of every two variables of one type, neighbors first. */
  pairs(order) {
    const pairs = [];
    for (let distance = 1; distance < order.length; distance++) {
      for (let a = 0; a + distance < order.length; a++) {
        if (this.typeOf(order[a]) === this.typeOf(order[a + distance])) pairs.push([a, a + distance]);
      }
    }
    return pairs;
  }

  typeOf(local) {
    return this.types[local - this.parameters];
  }

  /** The code with variables that are numbered in an order. */
  with(order) {
    const numbers = new Map(order.map((local, place) => [local, this.parameters + place]));
    const count = (kind) => this.types.filter((type) => type === kind).length;
    const declarations = this.kinds.flatMap((kind) => [...leb128(count(kind)), kind]);
    const parts = [Buffer.from([...leb128(this.kinds.length), ...declarations])];
    let at = this.code;
    for (const { start, end, local } of this.uses) {
      parts.push(this.bytes.subarray(at, start), Buffer.from(leb128(numbers.get(local) ?? local)));
      at = end;
    }
    return Buffer.concat([...parts, this.bytes.subarray(at)]);
  }
}
