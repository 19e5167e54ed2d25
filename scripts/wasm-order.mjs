// An order of the functions of a module that compresses well. The ones that are called most come first, so that their index takes
// one byte. Each other function follows the ones with which it shares most bytes.

import { leb128, Reader } from "./wasm-binary.mjs";

/** Functions have one-byte indices below this. The first are the imported ones. */
const oneByteIndices = 128;

/** In bytes. Functions are compared by their common runs of this length. */
const runLength = 7;
/** In bytes. gzip finds matches within 32 KiB before, less a part for the function itself. */
const reach = 32_000;

/** The module with names of its functions, whose alphabetical order is the wanted order. */
export function named(wasm) {
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ kind }) => kind === "function");
  const bodies = bodiesOf(wasm);
  const order = orderOf(bodies.map(withoutVariables), mostCalled(bodies, imported.length));
  const digits = String(order.length).length;
  const names = order.map((place, index) => {
    const name = String(place).padStart(digits, "0");
    return [...leb128(imported.length + index), name.length, ...Buffer.from(name)];
  });
  const functions = [...leb128(names.length), ...names.flat()];
  const section = [4, ...Buffer.from("name"), 1, ...leb128(functions.length), ...functions];
  return Buffer.concat([wasm, Buffer.from([0, ...leb128(section.length), ...section])]);
}

/** The code of each function of a module. */
function bodiesOf(wasm) {
  const codeSection = 10;
  const reader = new Reader(wasm);
  for (reader.at = 8; reader.byte() !== codeSection; ) reader.skip(reader.number());
  reader.number();
  return reader.list(() => reader.body());
}

/** The instructions of a function with 0 for each number of a variable: scripts/wasm-locals.mjs chooses the numbers by the order. */
function withoutVariables(body) {
  const reader = new Reader(Buffer.from(body));
  reader.localTypes();
  const start = reader.at;
  for (const use of reader.uses()) reader.bytes.fill(0, use.start, use.end);
  return reader.bytes.subarray(start);
}

/** The functions with most calls in the code. As many as have an index of one byte after the imported functions. */
function mostCalled(bodies, imported) {
  const counts = new Array(bodies.length).fill(0);
  for (const body of bodies) {
    const reader = new Reader(body);
    reader.localTypes();
    for (const called of reader.calls()) if (called >= imported) counts[called - imported]++;
  }
  const byCalls = [...bodies.keys()].sort((a, b) => counts[b] - counts[a]);
  return byCalls.slice(0, Math.max(0, oneByteIndices - imported));
}

/**
 * The position of each function, after the ones of `first`. Greedy: takes the function that shares most runs with the functions in
 * reach.
 */
function orderOf(bodies, first) {
  const runs = sharedRuns(bodies);
  const found = new Array(bodies.length).fill(0);
  const count = (index, step) => {
    for (const run of runs[index]) {
      const before = run.within > 0;
      run.within += step;
      if (before === run.within > 0) continue;
      for (const holder of run.holders) found[holder] += step * run.weight;
    }
  };
  // Between the sum of shared runs, which prefers large functions, and their share of the function, which prefers tiny ones.
  const weights = bodies.map((body) => (body.length + 16) ** 0.7);
  const best = (a, b) => (found[b] / weights[b] > found[a] / weights[a] ? b : a);

  const places = new Array(bodies.length);
  const left = new Set(bodies.keys());
  const near = [];
  for (let place = 0, bytes = 0; place < bodies.length; place++) {
    const next = first[place] ?? [...left].reduce(best);
    places[next] = place;
    left.delete(next);
    near.push(next);
    count(next, 1);
    for (bytes += bodies[next].length; bytes > reach && near.length > 1; ) {
      const far = near.shift();
      bytes -= bodies[far].length;
      count(far, -1);
    }
  }
  return places;
}

/**
 * For each function, the runs that other functions have too. A run has its holders, the number of holders in reach, and a weight.
 * The weight is small if many functions have the run, which is then in reach anyway.
 */
function sharedRuns(bodies) {
  const holders = new Map();
  for (const [index, body] of bodies.entries()) {
    for (let at = 0; at + runLength <= body.length; at++) {
      const run = body.latin1Slice(at, at + runLength);
      const list = holders.get(run);
      if (!list) holders.set(run, [index]);
      else if (list.at(-1) !== index) list.push(index);
    }
  }
  const runs = bodies.map(() => []);
  for (const list of holders.values()) {
    if (list.length < 2) continue;
    const run = { holders: list, within: 0, weight: 1 / Math.sqrt(list.length) };
    for (const index of list) runs[index].push(run);
  }
  return runs;
}
