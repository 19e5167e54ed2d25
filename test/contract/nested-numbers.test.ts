// Rectangular lists of numbers cross the binding as one typed array. They mean what the same lists mean that are copied element by
// element, and so does any list that turns out not to be rectangular.

import { createRequire } from "node:module";
import { runInNewContext } from "node:vm";
import * as k from "@stepwell/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binding } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

const { encodeArguments } = createRequire(import.meta.url)(
  "../../packages/sdk/commonjs/dist/client/encode.js",
) as typeof import("../../packages/sdk/commonjs/dist/client/encode.js");

const owner = {};
const allocate = (_: string, bytes: number) => new ArrayBuffer(bytes);
/** A function of which no argument becomes a tensor, so that its lists are copied element by element. */
const elsewhere = "names";

class Sub extends Array<unknown> {}

/** Changes of the element of a row. Each breaks the rectangle, or gives a number in another way. */
const changes: readonly ((row: unknown[], i: number) => void)[] = [
  () => {},
  ...["x", null, undefined, true, {}, [], [1], Symbol("x"), () => 1, new Map(), new Float32Array(2), 2n ** 60n, 7n].map(
    (value) => (row: unknown[], i: number) => {
      row[i] = value;
    },
  ),
  (row, i) => delete row[i],
  (row) => row.pop(),
  (row) => row.push(1),
  (row) => row.splice(0),
  (row, i) =>
    row.splice(
      i,
      1,
      Array.from({ length: 100 }, () => 1),
    ),
  (row, i) => Object.defineProperty(row, i, { get: () => 5, configurable: true }),
  (row, i) =>
    Object.defineProperty(row, i, {
      get() {
        row.length = Math.min(row.length, i + 1);
        return 5;
      },
      configurable: true,
    }),
  (row, i) => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    row[i] = proxy;
  },
  (row, i) => {
    row[i] = row;
  },
  (row, i) => {
    row.length = 1000 + i;
  },
];

/** Lists that are read as the list itself. */
const wraps: readonly ((list: unknown[]) => unknown[])[] = [
  (list) => list,
  (list) => Sub.from(list) as unknown[],
  (list) => new Proxy(list, {}),
  (list) => Object.freeze(list) as unknown[],
  (list) => runInNewContext("Array.from(list)", { list }),
];

const number = fc.oneof(
  fc.integer({ min: -3, max: 300 }),
  fc.double(),
  fc.constantFrom(Number.NaN, -0, 2 ** 53, 1e300, 1e-320, 1 + 2 ** -24, 0.1),
);
const shape = fc.constantFrom(
  [64],
  [63],
  [65],
  [200],
  [8, 8],
  [2, 40],
  [40, 2],
  [1, 1, 70],
  [3, 5, 5],
  [2, 3, 4, 5],
  [0, 9],
);

interface Plan {
  readonly shape: readonly number[];
  readonly numbers: readonly number[];
  readonly change: number;
  /** Where the change is made: a depth, and a position in each list down to it. */
  readonly depth: number;
  readonly path: readonly number[];
  readonly wrap: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  shape,
  numbers: fc.array(number, { minLength: 1, maxLength: 30 }),
  change: fc.nat(changes.length - 1),
  depth: fc.nat(3),
  path: fc.array(fc.oneof(fc.constant(0), fc.nat(200)), { minLength: 5, maxLength: 5 }),
  wrap: fc.nat(wraps.length - 1),
});

/** A list as planned: a new one each time, since reading may change it. */
function listOf({ shape, numbers, change, depth, path, wrap }: Plan): unknown {
  let next = 0;
  const build = (dimension: number, isOnPath: boolean): unknown => {
    if (dimension === shape.length) return numbers[next++ % numbers.length];
    const length = shape[dimension] as number;
    const at = (path[dimension] as number) % Math.max(length, 1);
    const list: unknown[] = Array.from({ length }, (_, i) => build(dimension + 1, isOnPath && i === at));
    if (!isOnPath || dimension !== Math.min(depth, shape.length - 1)) return list;
    (changes[change] as (row: unknown[], i: number) => void)(list, at);
    return (wraps[wrap] as (list: unknown[]) => unknown[])(list);
  };
  return build(0, true);
}

const [linear, embedding, x, o] = ((): readonly bigint[] => {
  const call = (name: string, ...args: readonly unknown[]) => binding.call(name, args) as bigint;
  const linear = call("module", ["linear", 8, 2]);
  return [linear, call("module", ["embedding", 400, 2]), call("tensor", new Float32Array(64), "grad"), linear];
})() as [bigint, bigint, bigint, bigint];

/** Calls with a list, for the binding: ids stand for handles. */
const calls: readonly (readonly [command: string, arrange: (list: unknown) => readonly unknown[]])[] = [
  ["tensor", (list) => [list]],
  ["tensor", (list) => [list, "double"]],
  ["tensor", (list) => [list, "long"]],
  ["tensor", (list) => [list, "grad", { shape: [8, 8] }]],
  ["vector", (list) => [[1, 2], list]],
  ["dict", (list) => [{ a: list, shape: list }]],
  ["dict", (list) => [{ data: "x", shape: list }]],
  ["dict", (list) => [{ data: list, shape: list }]],
  ["tensor", (list) => [list, undefined, "grad"]],
  ["copyto", (list) => [list, x]],
  ["grad", (list) => [x, list]],
  ["mse", (list) => [x, list]],
  ["forward", (list) => [linear, list]],
  ["evaluate", (list) => [embedding, list]],
  ["lr", (list) => [o, list]],
];

/** The result of a call, or its error, as data; of a new object, its numbers. */
function outcome(command: string, list: unknown, arrange: (list: unknown) => readonly unknown[], as: string): unknown {
  const ids = arrange(0);
  const isId = (i: number) => typeof ids[i] === "bigint";
  try {
    const given = arrange(list).map((argument, i) => (isId(i) ? null : argument));
    const encoded = encodeArguments(owner, as, given, allocate).map((argument, i) => (isId(i) ? ids[i] : argument));
    const result = binding.call(command, encoded);
    if (typeof result !== "bigint") return command === "grad" ? [result, binding.call("grad", [x])] : [result];
    try {
      const kind = binding.call("class", [result]);
      const size = binding.call("size", [result]);
      const read = kind === "tensor" ? binding.call("data", [result]) : binding.call("bytes", [result]);
      return [kind, size, read];
    } finally {
      binding.call("free", [result]);
    }
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return [code, message.replace(new RegExp(`^${as}`), command)];
  }
}

describe.each(calls.map(([command, arrange], i) => [`${command}, ${i}`, command, arrange] as const))(
  "%s",
  (_, command, arrange) => {
    it("takes the list in one pass or element by element with equal results and errors", () => {
      let passed = 0;
      fc.assert(
        fc.property(plan, (plan) => {
          const [once, each] = [command, elsewhere].map((as) => outcome(command, listOf(plan), arrange, as));
          expect(once).toEqual(each);
          passed += 1;
        }),
        { numRuns: 400 },
      );
      expect(passed).toBe(400);
    });
  },
);

/** An encoded argument, in which a list that was read in one pass stands as nested lists again. */
function listsOf(encoded: unknown): unknown {
  if (!(encoded instanceof BigUint64Array)) return encoded;
  const numbers = Array.from(new Float64Array(encoded.buffer, encoded.byteOffset, encoded.length));
  const shape = numbers.splice(-1 - (numbers.at(-1) as number)).slice(0, -1);
  return shape
    .slice(1)
    .reduceRight<unknown[]>(
      (lists, size) => Array.from({ length: lists.length / size }, (_, i) => lists.slice(i * size, (i + 1) * size)),
      numbers,
    );
}

it("encodes the elements of every list, rectangular or not, as if one by one", () => {
  let flat = 0;
  const encode = (as: string, given: Plan) => {
    try {
      const [encoded] = encodeArguments(owner, as, [listOf(given)], allocate);
      if (encoded instanceof BigUint64Array) flat += 1;
      return listsOf(encoded);
    } catch (error) {
      return (error as Error).message.replace(/^\w+/, "");
    }
  };
  fc.assert(
    fc.property(plan, (plan) => {
      expect(encode("copyto", plan)).toEqual(encode(elsewhere, plan));
    }),
    { numRuns: 2000 },
  );
  expect(flat).toBeGreaterThan(100);
});

describe("a list that is read in one pass", () => {
  const row = (length: number) => Array.from({ length }, (_, i) => i);
  const encoded = (list: unknown) => encodeArguments(owner, "copyto", [list], allocate)[0];

  it("is one typed array from 64 numbers on", () => {
    expect(encoded([row(32), row(32)])).toBeInstanceOf(BigUint64Array);
    expect(encoded([row(31), row(31)])).toEqual([row(31), row(31)]);
    expect(encoded([row(64), row(63)])).toEqual([row(64), row(63)]);
    expect(encoded([row(64), ["x"]])).toEqual([row(64), ["x"]]);
  });

  it("is read once, and getters may call the engine", () => {
    let reads = 0;
    const inner = row(70).reverse();
    const list = row(70);
    Object.defineProperty(list, 33, {
      get() {
        reads += 1;
        // It takes memory of its own.
        expect(k.tensor(k.tensor(inner))).toEqual(inner);
        return 33;
      },
    });
    expect(k.tensor(k.tensor(list))).toEqual(row(70));
    expect(reads).toBe(1);
    const thrown = new Error("mine");
    Object.defineProperty(list, 34, {
      get() {
        throw thrown;
      },
    });
    expect(() => k.tensor(list)).toThrow(thrown);
  });

  it("is read once by an operation, whichever way its arguments cross the binding", () => {
    const x = k.Tensor.of([1, 2, 3, 4, 5, 6]);
    const handle = x.handle;
    let reads: number[] = [];
    /** A list whose elements count how often they are read. */
    const counted = (...items: unknown[]) => {
      const list: unknown[] = [];
      items.forEach((item, i) => {
        const get = () => {
          // A call writes to the memory for arguments.
          k.free(k.add(handle, 100));
          reads[i] = (reads[i] ?? 0) + 1;
          return item;
        };
        Object.defineProperty(list, i, { get });
      });
      return list as number[];
    };
    const calls: readonly (readonly [number, () => unknown])[] = [
      [2, () => expect(k.size(k.reshape(handle, counted(2, 3)))).toEqual([2, 3])],
      [2, () => expect(k.size(k.reshape(x, counted(2, 3)))).toEqual([2, 3])],
      [2, () => expect(k.size(k.reshape([1, 2, 3, 4, 5, 6], counted(2, 3)))).toEqual([2, 3])],
      [2, () => expect(k.size(k.zeros(counted(2, 3), "double"))).toEqual([2, 3])],
      [1, () => expect(k.tensor(k.add(handle, counted(1)))).toEqual([2, 3, 4, 5, 6, 7])],
      [2, () => expect(k.tensor(k.cat(counted(handle, handle)))).toHaveLength(12)],
      [2, () => expectError("ERR_ARGUMENT", () => k.reshape(handle, counted(2, "x")))],
      [2, () => expectError("ERR_SHAPE", () => k.reshape(handle, counted(2, 4)))],
      [2, () => expectError("ERR_MEMORY", () => k.zeros(counted(2 ** 26, 2 ** 24)))],
    ];
    for (const [count, call] of calls) {
      reads = [];
      call();
      expect(reads, String(call)).toEqual(Array(count).fill(1));
    }
    expectError("ERR_ARGUMENT", () => k.reshape(handle, new Array<number>(2)));
    k.free();
  });

  it("leaves no trace of a longer one before it", () => {
    const long = Array.from({ length: 500 }, () => row(100));
    const short = Array.from({ length: 400 }, () => row(100).reverse());
    for (const list of [long, short, long]) expect(k.tensor(k.tensor(list))).toEqual(list);
    k.free();
  });

  it("has no numbers that a binding would read beyond it", () => {
    const of = (...numbers: readonly number[]) => new BigUint64Array(Float64Array.from(numbers).buffer);
    const id = binding.call("tensor", [of(1, 2, 3, 4, 2, 2, 2)]);
    expect(binding.call("size", [id])).toEqual([2, 2]);
    for (const forged of [[], [0], [1], [-1], [Number.NaN], [1, 2, 3], [5, 2], [1, 1, 1, 1, 2, 2], [1e300, 1e300, 2]]) {
      expect(() => binding.call("tensor", [of(...forged)]), String(forged)).toThrow();
    }
    expect(() => binding.call("tensor", [of(...Array<number>(131).fill(1), 65)])).toThrow();
    expectError("ERR_ARGUMENT", () => k.tensor(of(1, 1, 1) as never));
  });

  it("is without memory ERR_MEMORY", () => {
    const none = (command: string): never => {
      throw new k.StepwellError("ERR_MEMORY", `${command}: none`);
    };
    expectError("ERR_MEMORY", () => encodeArguments(owner, "tensor", [row(64)], none));
    expect(encodeArguments(owner, "tensor", [row(63)], none)).toEqual([row(63)]);
  });
});

describe("booleans", () => {
  it("make a tensor of bool, at any depth, or of the type that is given", () => {
    const mask = k.tensor([
      [true, false],
      [false, true],
    ]);
    expect([k.dtype(mask), k.size(mask), k.tensor(mask)]).toEqual([
      "bool",
      [2, 2],
      [
        [1, 0],
        [0, 1],
      ],
    ]);
    expect([k.dtype(k.tensor(true)), k.tensor(k.tensor(true))]).toEqual(["bool", 1]);
    expect(k.tensor(k.Tensor.of([true, false], "double", "grad"))).toEqual([1, 0]);
  });

  it.each([[[true, 1]], [[1, true]], [[true, [true]]], [[[true], [true, false]]]])("%j is refused", (given) => {
    expectError("ERR_SHAPE", () => k.tensor(given as never));
  });
});
