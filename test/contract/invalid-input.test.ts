import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { returnsPromise } from "../promises.js";
import { violationOf } from "../random-operations/invariants.js";

// Paths are random too, so files that a save makes go to a folder of their own.
const folder = mkdtempSync(join(tmpdir(), "stepwell-invalid-"));
const before = process.cwd();
beforeAll(() => process.chdir(folder));
afterEach(() => k.free());
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

type Call = (...args: readonly unknown[]) => unknown;

/** Every function of the package that is not a class. */
const all = Object.entries(k).filter(
  // `ready` rejects instead of throwing: see test/wasm/memory.test.ts.
  (entry): entry is [string, Call] =>
    typeof entry[1] === "function" && !/^class\b/.test(String(entry[1])) && entry[1] !== k.ready,
);
const isAsynchronous = ([name]: readonly [string, Call]) => returnsPromise(name);
const functions = all.filter((entry) => !isAsynchronous(entry));

/** Objects of every kind, made anew for each list of arguments. */
const makers: Readonly<Record<string, () => k.AnyHandle>> = {
  scalar: () => k.mse(k.tensor([1, 2], "grad"), [3, 4]),
  row: () => k.tensor([1, 2], "grad"),
  table: () =>
    k.tensor(
      [
        [0.5, 0.25],
        [0.125, 1],
      ],
      "grad",
      "double",
    ),
  long: () => k.tensor([[0, 1]], "long"),
  half: () => k.tensor([1, 2], "grad", "half"),
  image: () => k.full([1, 2, 3, 3], 0.5),
  empty: () => k.full([0, 2], 0),
  vector: () => k.vector([1, 2], [3]),
  dictionary: () => k.dict({ a: [1, 2], b: 3 }),
  linear: () => k.module(["linear", 2, 2]),
  network: () => k.module(k.seq("sequential", ["conv2d", "a", 2, 2, 2], ["batchnorm", 2], "flatten", "dropout")),
  embedding: () => k.module(["embedding", 3, 2]),
  adam: () => k.opt("adam", k.tensor([1], "grad")),
  lbfgs: () => k.opt("lbfgs", k.module(["linear", 2, 2])),
  loss: () => k.loss("ce"),
  model: () => {
    const m = k.module(["linear", 2, 2]);
    const model = k.model(m, k.loss("mse"), k.opt("adam", m));
    for (const samples of [k.train, k.test]) samples(model, [[1, 2]], [[1, 2]]);
    return model;
  },
  freed: () => {
    const handle = k.tensor(1);
    k.free(handle);
    return handle;
  },
};

/** A handle that is made when the call is. */
class Later {
  constructor(readonly maker: string) {}
  [fc.toStringMethod](): string {
    return `<${this.maker}>`;
  }
}

/**
 * The value with a handle for each placeholder in it. A list of arguments gets one handle of a kind, so that arguments can
 * share it.
 */
function made(value: unknown, handles: Map<string, k.AnyHandle>): unknown {
  if (value instanceof Later) {
    const handle = handles.get(value.maker) ?? makers[value.maker]?.();
    if (handle) handles.set(value.maker, handle);
    return handle;
  }
  if (Array.isArray(value)) return value.map((item) => made(item, handles));
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, made(item, handles)]));
  }
  return value;
}

const words = [
  ...[
    "grad",
    "float",
    "double",
    "half",
    "bfloat16",
    "long",
    "cpu",
    "cuda",
    "cuda:1",
    "cuda:-1",
    "mean",
    "none",
    "sum",
    "sequential",
  ],
  ...["linear", "conv2d", "maxpool2d", "flatten", "relu", "gelu", "dropout", "batchnorm", "layernorm", "embedding"],
  ...[
    "adam",
    "sgd",
    "lbfgs",
    "lamb",
    "optimizer",
    "module",
    "weight",
    "a",
    "a.weight",
    "1.running_mean",
    "a.",
    "",
    "\0",
  ],
  ...["batchsize", "shuffle", "metrics", "clipnorm", "accuracy", "mse"],
  ...["lr", "decay", "reduce", "reduction", "beta", "shape", "dtype", "device", "__proto__", "constructor", "\ud800"],
];
const word = fc.constantFrom(...words);
// Sizes are small or absurd: a size in between is valid and fills the machine's memory.
const number = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -3, max: 9 }) },
  fc.double({ min: -2, max: 2 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-320, 1e300),
  fc.constantFrom(2 ** 50, 2 ** 53, 2 ** 63, 2 ** 64, -(2 ** 63)),
);
const handle = fc.constantFrom(...Object.keys(makers).map((name) => new Later(name)));
const typedArray = fc.oneof(
  fc.float32Array({ maxLength: 4 }),
  fc.float64Array({ maxLength: 4 }),
  fc.bigInt64Array({ maxLength: 4 }),
  fc.bigUint64Array({ maxLength: 2 }),
  fc.int8Array({ maxLength: 4 }),
  fc.uint8ClampedArray({ maxLength: 4 }),
  fc.uint32Array({ maxLength: 4 }),
  fc.constantFrom(new DataView(new ArrayBuffer(8)), new ArrayBuffer(8), new Float32Array(new SharedArrayBuffer(8))),
);
const odd = fc
  .constantFrom<readonly unknown[]>(
    [undefined, null, true, false, 7n, -(2n ** 70n), Symbol("x"), Symbol.iterator, () => 0, () => "x"],
    [new Date(), new Map([["a", 1]]), new Set([1]), /x/, new Error("x"), Promise.resolve(1), Object.create(null)],
  )
  .chain((list) => fc.constantFrom(...list));
const scalar = fc.oneof({ weight: 4, arbitrary: number }, { weight: 3, arbitrary: word }, odd, typedArray);
const size = fc.integer({ min: 0, max: 3 });
const rectangle = fc
  .tuple(size, size)
  .chain(([rows, columns]) =>
    fc.array(fc.array(number, { minLength: columns, maxLength: columns }), { minLength: rows, maxLength: rows }),
  );
const { argument } = fc.letrec<{ argument: unknown }>((tie) => ({
  argument: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 4, arbitrary: handle },
    { weight: 5, arbitrary: scalar },
    { weight: 2, arbitrary: rectangle },
    { weight: 2, arbitrary: fc.array(tie("argument"), { maxLength: 4 }) },
    fc.dictionary(word, tie("argument"), { maxKeys: 3 }),
    fc.record({ container: tie("argument"), children: tie("argument") }),
    fc.record({ lr: number, shape: fc.array(number, { maxLength: 4 }), reduce: word }, { requiredKeys: [] }),
  ),
}));

const errorOf = (call: () => unknown): unknown => {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
};

it.each(functions)("%s of any arguments succeeds or throws a StepwellError", (name, call) => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 5 }), (args) => {
      const error = errorOf(() => call(...(made(args, new Map()) as unknown[])));
      if (error !== undefined) {
        expect(violationOf(error), name).toBeUndefined();
      }
      k.free();
    }),
    { numRuns: 400 },
  );
});

it.each(all.filter(isAsynchronous))(
  "%s of any arguments resolves, or rejects with a StepwellError",
  async (name, call) => {
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 5 }), async (args) => {
        try {
          await call(...(made(args, new Map()) as unknown[]));
        } catch (error) {
          expect(violationOf(error), name).toBeUndefined();
        }
        k.free();
      }),
      { numRuns: 400 },
    );
  },
);

it("a chain of calls on living objects succeeds or throws StepwellErrors", () => {
  const call = fc.tuple(
    fc.constantFrom(...functions.filter(([name]) => name !== "free")),
    fc.array(argument, { maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(handle, call), { minLength: 3, maxLength: 25 }), (steps) => {
      const handles = new Map<string, k.AnyHandle>();
      for (const [first, [[name, step], rest]] of steps) {
        // Results are dropped; the objects that the calls work on stay.
        const error = errorOf(() => step(...(made([first, ...rest], handles) as unknown[])));
        if (error === undefined) continue;
        expect(violationOf(error), name).toBeUndefined();
      }
      k.free();
    }),
    { numRuns: 1000 },
  );
});

// Most layers can be made and most inputs fit; the others have an odd or absurd size.
const near = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 2 }) },
  number,
  fc.array(size, { maxLength: 3 }),
);
const optionCounts: Readonly<Record<string, number>> = {
  ...{ linear: 2, conv2d: 6, maxpool2d: 4, flatten: 2, batchnorm: 1, layernorm: 1, embedding: 2, dropout: 1 },
};
const layer = fc
  .constantFrom(...k.help("module").map((row) => row.module))
  .chain((kind) => fc.tuple(fc.constant(kind), fc.array(near, { maxLength: optionCounts[kind] ?? 0, size: "max" })));
const shape = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }) },
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }),
);

it("a layer and a loss of any options and sizes succeed or throw StepwellErrors", () => {
  fc.assert(
    fc.property(
      fc.array(layer, { minLength: 1, maxLength: 3 }),
      shape,
      fc.nat(),
      fc.constantFrom("float", "half", "bfloat16", "long"),
      (layers, sizes, pick, dtype) => {
        const error = errorOf(() => {
          const m = k.module(
            k.seq("sequential", ...layers.map(([kind, options]) => k.layers.fromJSON([kind, ...options]))),
          );
          if (dtype !== "long") k.to(m, dtype);
          const x = dtype === "long" ? k.full(sizes, 1, dtype) : k.full(sizes, 0.5, dtype, "grad");
          k.evaluate(m, x);
          const y = k.forward(m, x);
          const loss = [k.mse, k.l1, k.bce, k.ce, k.nll][pick % 5] ?? k.mse;
          const rest = k.size(y).filter((_, i) => i !== 1);
          k.backward(
            loss === k.ce || loss === k.nll
              ? loss(y, k.full(rest, 0, "long"))
              : loss(y, k.full(k.size(y), 1, k.dtype(y))),
          );
        });
        if (error !== undefined) {
          expect(violationOf(error)).toBeUndefined();
        }
        k.free();
      },
    ),
    { numRuns: 600 },
  );
});

it("the session still works", () => {
  const m = k.module(["linear", 2, 1]);
  const o = k.opt("sgd", m, 0.1);
  k.backward(k.mse(k.forward(m, [[1, 2]]), [[1]]));
  k.step(o);
  expect(k.handlecount()).toBeGreaterThan(0);
});
