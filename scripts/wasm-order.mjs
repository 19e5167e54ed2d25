// An order of the functions of a module that compresses well: each function follows the ones with which it shares most bytes.

/** In bytes. Functions are compared by their common runs of this length. */
const runLength = 6;
/** In bytes. gzip finds matches within 32 KiB before, less a part for the function itself. */
const reach = 32_000;

/** The module with names of its functions, whose alphabetical order is the wanted order. */
export function named(wasm) {
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(({ kind }) => kind === "function");
  const order = orderOf(bodiesOf(wasm));
  const digits = String(order.length).length;
  const names = order.map((place, index) => {
    const name = String(place).padStart(digits, "0");
    return [...leb128(imported.length + index), name.length, ...Buffer.from(name)];
  });
  const functions = [...leb128(names.length), ...names.flat()];
  const section = [4, ...Buffer.from("name"), 1, ...leb128(functions.length), ...functions];
  return Buffer.concat([wasm, Buffer.from([0, ...leb128(section.length), ...section])]);
}

/**
 * The position of each function. Greedy: starts with the largest, then takes the function that shares most runs with the functions
 * in reach.
 */
function orderOf(bodies) {
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
  let next = bodies.reduce((largest, body, index) => (body.length > bodies[largest].length ? index : largest), 0);
  for (let place = 0, bytes = 0; place < bodies.length; place++) {
    if (place > 0) next = [...left].reduce(best);
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

/** The code of each function of a module. */
function bodiesOf(wasm) {
  const codeSection = 10;
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < wasm.length) {
    const id = wasm[at++];
    const size = number();
    if (id !== codeSection) at += size;
    else
      return Array.from({ length: number() }, () => {
        const length = number();
        at += length;
        return wasm.subarray(at - length, at);
      });
  }
  return [];
}

/** A number in LEB128, the encoding of the binary format. */
function leb128(number) {
  const bytes = [];
  for (; number >= 0x80; number = Math.floor(number / 0x80)) bytes.push((number % 0x80) | 0x80);
  return [...bytes, number];
}
