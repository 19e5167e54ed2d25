// Values that JavaScript can pass as data: hostile ones through every function, with equal results on both engines. A refusal
// is a `StepwellError` that says what was given, and changes nothing.

import { createContext, runInContext } from "node:vm";
import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { binding } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const context = createContext({});
const foreign = (code: string): unknown => runInContext(code, context);

/** A function as a program without types calls it. */
type Untyped = (...args: readonly unknown[]) => never;
const untyped = k as unknown as Readonly<Record<string, Untyped>>;
const call = (name: string, ...args: readonly unknown[]): unknown => untyped[name]?.(...args);

class Foo {
  lr = 0.5;
}

/** Values that are not plain data, with their names in messages. */
const strangers: readonly (readonly [what: string, make: () => unknown])[] = [
  ["a Map", () => new Map([["lr", 0.5]])],
  ["a Set", () => new Set(["lr"])],
  ["a WeakMap", () => new WeakMap()],
  ["a Date", () => new Date()],
  ["a RegExp", () => /lr/],
  ["a Promise", () => Promise.resolve({ lr: 0.5 })],
  ["an Error", () => new Error("x")],
  ["an ArrayBuffer", () => new ArrayBuffer(8)],
  ["a SharedArrayBuffer", () => new SharedArrayBuffer(8)],
  ["a DataView", () => new DataView(new ArrayBuffer(8))],
  ["a BigUint64Array", () => new BigUint64Array(2)],
  ["a Number object", () => Object(1)],
  ["a String object", () => Object("grad")],
  ["an instance of Foo", () => new Foo()],
  ["an instance of a class", () => new (class {})()],
  ["an instance of Object", () => Object.create({ lr: 0.5 })],
  ["a Math", () => Math],
  ["a function", () => () => ({ lr: 0.5 })],
  ["a symbol", () => Symbol("lr")],
  ["a Map", () => foreign("new Map([['lr', 0.5]])")],
  ["an instance of Bar", () => foreign("new (class Bar { lr = 0.5 })()")],
  ["an URLSearchParams", () => new URLSearchParams("lr=0.5")],
];

/** Arguments that can be a dictionary of options, parameters or numbers. */
const places: Readonly<Record<string, (x: k.TensorHandle, o: k.OptimizerHandle, given: unknown) => unknown>> = {
  "opt: options": (x, _, given) => call("opt", "adam", x, given),
  "opt: parameters": (_x, _o, given) => call("opt", "adam", given),
  "opt: parameters before options": (_x, _o, given) => call("opt", "adam", given, { lr: 0.5 }),
  "opt: an option": (x, _, given) => call("opt", "adam", x, { lr: given }),
  "opt: edit": (_, o, given) => call("opt", o, given),
  step: (_, o, given) => call("step", o, given),
  "step with a closure": (_, o, given) => call("step", o, () => 1, given),
  zerograd: (_x, _o, given) => call("zerograd", given),
  tensor: (_x, _o, given) => call("tensor", given),
  "tensor: nested": (_x, _o, given) => call("tensor", [[given]]),
  "tensor: options": (_x, _o, given) => call("tensor", [1], given),
  dict: (_x, _o, given) => call("dict", given),
  "dict: numbers": (_x, _o, given) => call("dict", { a: given }),
  module: (_x, _o, given) => call("module", ["linear", 2, 2, given]),
  ce: (x, _o, given) => call("mse", x, [1, 2], given),
  schedule: (_, o, given) => call("schedule", o, given),
  lossscale: (_, o, given) => call("lossscale", o, given),
  lr: (_, o, given) => call("lr", o, given),
  load: (_x, _o, given) => call("load", k.module("relu"), given),
  free: (_x, _o, given) => call("free", given),
};

describe.each(Object.entries(places))("%s", (name, place) => {
  let x: k.TensorHandle;
  let o: k.OptimizerHandle;
  let before: unknown;
  const facts = () => [k.handlecount(), k.tensor(x), k.state(o), k.schedule(o), k.lossscale(o)];
  beforeEach(() => {
    x = k.tensor([1, 2], "grad");
    k.grad(x, [1, 1]);
    o = k.opt("adam", x, 0.125);
  });

  it.each(strangers)("refuses %s", (what, make) => {
    // A step with a closure for its options is a step with a closure.
    if (name === "step" && what === "a function") return;
    before = facts();
    const message = expectError("ERR_ARGUMENT", () => place(x, o, make()));
    expect(message).toContain(`given ${what}`);
    if (name !== "load") expect(facts()).toEqual(before);
  });

  it("passes on what a getter or a proxy throws, and nothing is changed", () => {
    before = facts();
    const thrown = new Error("mine");
    const bag = {
      get lr(): number {
        throw thrown;
      },
    };
    const keys = new Proxy({}, { ownKeys: () => expect.fail("mine") });
    const { proxy, revoke } = Proxy.revocable([1, 2], {});
    revoke();
    const list = [bag];
    for (const given of [bag, list, keys, proxy]) {
      const error = (() => {
        try {
          return place(x, o, given);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error, name).toBeInstanceOf(Error);
      if (given === bag || given === list) expect(error, name).toBe(thrown);
    }
    if (name !== "load") expect(facts()).toEqual(before);
  });
});

it.each([undefined, null])("%s is no parameters", (nothing) => {
  const m = k.module(["linear", 2, 2]);
  const o = k.opt("adam", m);
  const before = [k.handlecount(), k.state(o)];
  for (const args of [[nothing], [nothing, 0.5], [nothing, { lr: 0.5 }], [0, nothing], [0, nothing, 0.5]]) {
    expectError("ERR_ARGUMENT", () => call("opt", "adam", ...args));
    expectError("ERR_ARGUMENT", () => call("opt", o, ...args));
  }
  for (const command of ["zerograd", "nograd", "step", "gradflag", "clip", "free", "size", "state"]) {
    expectError("ERR_ARGUMENT", () => call(command, nothing));
  }
  expect([k.handlecount(), k.state(o)]).toEqual(before);
  // Documented: an empty list.
  expect(k.size(k.opt("adam", []))).toBe(0);
  expect(k.size(k.opt("adam"))).toBe(0);
});

it("undefined where an argument turns reading into setting is an error", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("sgd", x);
  k.lossscale(o, { init: 4 });
  k.grad(x, [3, 4]);
  k.schedule(o, { schedule: "step", every: 2 } as never);
  const before = [k.state(o), k.grad(x), k.gradflag(x)];
  for (const [command, ...args] of [
    ["lr", o],
    ["lossscale", o],
    ["schedule", o],
    ["gradflag", x],
    ["grad", x],
    ["setting", "alloptions"],
  ] as const) {
    expectError("ERR_ARGUMENT", () => call(command, ...args, undefined));
  }
  expectError("ERR_ARGUMENT", () => call("grad", x, null));
  expect([k.state(o), k.grad(x), k.gradflag(x)]).toEqual(before);
});

describe("options", () => {
  const row = (o: k.OptimizerHandle) => k.opt(o).options[0];
  const make = (...args: readonly unknown[]) => row(call("opt", "adam", ...args) as k.OptimizerHandle);
  const defaults = () => make([]);

  it("that are undefined are left out", () => {
    expect(make([], { lr: undefined, beta1: 0.5 })).toEqual({ ...defaults(), beta1: 0.5 });
    expect(make([], undefined, 0.5)).toEqual({ ...defaults(), beta1: 0.5 });
    expect(make([], 0.25, undefined, 0.5, { eps: 1 })).toEqual({ ...defaults(), lr: 0.25, beta2: 0.5, eps: 1 });
    expect(make([], undefined)).toEqual(defaults());
    expect(make([], ["lr", undefined], { eps: 1 })).toEqual({ ...defaults(), eps: 1 });
    expectError("ERR_ARGUMENT", () => make([], ...Array(20).fill(undefined)));
    expectError("ERR_OPTION_UNKNOWN", () => make([], { nonsense: 1, lr: undefined }));
    const m = k.module(["linear", 2, 3, undefined, { bias: undefined }] as never);
    expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  });

  it("come as pairs, in one argument or several", () => {
    const expected = { ...defaults(), lr: 0.5, decay: 0.25 };
    for (const args of [
      [["lr", 0.5, "decay", 0.25]],
      [
        [
          ["lr", 0.5],
          ["decay", 0.25],
        ],
      ],
      [
        ["lr", 0.5],
        ["decay", 0.25],
      ],
      [0.5, ["decay", 0.25]],
      [["lr", 0.5], { decay: 0.25 }],
      [{ decay: 0.25 }, ["lr", 0.5]],
      [0.5, [["decay", 0.25]], undefined],
    ]) {
      expect(make([], ...args)).toEqual(expected);
    }
    expectError("ERR_ARGUMENT", () => make([], { decay: 0.25 }, 0.5));
    expectError("ERR_ARGUMENT", () => make([], ["lr"]));
    expectError("ERR_ARGUMENT", () => make([], ["lr", 0.5, "decay"]));
  });

  it("are given once", () => {
    const o = k.opt("adam");
    const before = k.state(o);
    for (const args of [
      [0.1, { lr: 0.2 }],
      [0.1, ["lr", 0.1]],
      [{ decay: 0.1, weight_decay: 0.2 }],
      [{ betas: [0.5, 0.6], beta1: 0.7 }],
      [{ beta2: 0.6, betas: [0.5, 0.6] }],
      [["lr", 0.1, "lr", 0.1]],
      [["lr", 0.1], { lr: 0.1 }],
    ]) {
      const message = expectError("ERR_ARGUMENT", () => call("opt", "adam", [], ...args));
      expect(message).toContain("given twice");
      expectError("ERR_ARGUMENT", () => call("opt", o, [], ...args));
    }
    expect(k.state(o)).toEqual(before);
    expectError("ERR_ARGUMENT", () => k.step(k.opt("sgd"), { zerograd: true, zero_grad: false } as never));
    expectError("ERR_ARGUMENT", () => k.tensor([1], "double", "float"));
    expectError("ERR_ARGUMENT", () => k.tensor([1], "grad", { grad: false }));
    expectError("ERR_ARGUMENT", () => k.module(["linear", 2, 3, { inputs: 2 }] as never));
    expectError("ERR_ARGUMENT", () => k.to(k.module(["linear", 2, 3]), "double", "float"));
  });

  it("are plain: of no prototype, of any realm, proxies, with getters", () => {
    const expected = { ...defaults(), lr: 0.5 };
    const bare = Object.assign(Object.create(null), { lr: 0.5 });
    const hidden = Object.defineProperty({ lr: 0.5 }, "beta1", { value: 0.1, enumerable: false });
    const getter = {
      get lr() {
        return 0.5;
      },
    };
    for (const bag of [bare, hidden, getter, new Proxy({ lr: 0.5 }, {}), foreign("({ lr: 0.5 })")]) {
      expect(make([], bag)).toEqual(expected);
    }
    expectError("ERR_ARGUMENT", () => make([], { lr: 0.5, [Symbol("beta1")]: 0.1 }));
  });

  it("are not what Object.prototype has", () => {
    const polluted = Object.prototype as Record<string, unknown>;
    polluted.grad = true;
    polluted.lr = 0.5;
    try {
      const x = k.tensor([1], {});
      expect(k.gradflag(x)).toBe(false);
      expect(make([], {})?.lr).toBe(0.001);
      expect(k.size(k.dict({ a: 1 }))).toBe(1);
      // Without the SDK around it.
      const id = binding.call("opt", ["adam", [], {}]);
      expect((binding.call("opt", [id]) as k.Definition).options[0]?.lr).toBe(0.001);
    } finally {
      delete polluted.grad;
      delete polluted.lr;
    }
  });
});

it("takes objects of the fluent layer wherever their handles are taken", () => {
  const m = k.Module.of(["linear", 2, 2]) as never;
  const x = k.Tensor.of([[1, 2]]) as never;
  const o = k.opt("sgd", m, 0.5);
  expect(k.size(o)).toBe(2);
  expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  expect(k.size(k.opt("sgd", [m, ["weight"]]))).toBe(1);
  const loss = k.mse(k.forward(m, x), [[0, 0]]);
  k.backward(loss);
  const before = k.tensor(k.parm(m, "bias"));
  k.step(new k.Optimizer(o) as never);
  expect(k.tensor(k.parm(m, "bias"))).not.toEqual(before);
  k.step(o, () => new k.Tensor(k.mse(k.forward(m, x), [[0, 0]])) as never);
  k.zerograd(m);
  expect(k.size(k.vector(x, x))).toBe(2);
  expect(k.size(k.dict({ handle: x }))).toBe(1);
  k.free(x);
  expectError("ERR_HANDLE_FREED", () => k.size(x));

  const module = k.Module.of(["linear", 2, 2]);
  const before2 = k.handlecount();
  const model = new k.Model(module, "mse", k.optimizer("sgd").lr(0.05).build(module));
  k.train(model as never, [[1, 2]], [[0, 0]]);
  const loss2 = k.run(model as never) as number;
  expect(k.run(model as never)).toBeLessThan(loss2);
  expect(k.size(k.opt("adam", model as never))).toBe(2);
  expect(k.classof(model as never)).toBe("model");
  k.step(model as never);
  model[Symbol.dispose]();
  // The module is gone, and the optimizer of two parameters that was made during the call is there.
  expect(k.handlecount()).toBe(before2 - 1 + 1);
});

describe("typed arrays", () => {
  const resizable = (bytes: number, most: number) =>
    new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer & { resize(n: number): void })(
      bytes,
      { maxByteLength: most },
    );
  const detached = (array: Float32Array | BigInt64Array | Uint8Array) => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    return array;
  };
  const without: Readonly<Record<string, () => unknown>> = {
    "a transferred Float32Array": () => detached(new Float32Array(8)),
    "a transferred Float32Array of no elements": () => detached(new Float32Array(new ArrayBuffer(8), 8)),
    "a transferred Uint8Array": () => detached(new Uint8Array(8)),
    "a transferred BigInt64Array": () => detached(new BigInt64Array(8)),
    "a view that lies outside after a resize": () => {
      const buffer = resizable(32, 64);
      const view = new Float32Array(buffer, 16);
      buffer.resize(8);
      return view;
    },
    "a view of fixed length that lies outside after a resize": () => {
      const buffer = resizable(32, 64);
      const view = new Float32Array(buffer, 16, 2);
      buffer.resize(20);
      return view;
    },
  };

  it.each(Object.entries(without))("%s is refused, and nothing is changed", (_, make) => {
    const x = k.tensor([1, 2], "grad");
    const o = k.opt("adam", x);
    const calls: readonly (() => unknown)[] = [
      () => call("tensor", make()),
      () => call("vector", [1], make()),
      () => call("dict", { a: make() }),
      () => call("copyto", make(), x),
      () => call("grad", x, make()),
      () => call("forward", k.module("relu"), make()),
      () => call("mse", x, make()),
      () => call("lr", o, make()),
      () => call("opt", o, [], { lr: make() }),
      () => call("full", make(), 1),
    ];
    for (const refused of calls) expectError("ERR_ARGUMENT", refused);
    expect(k.tensor(x)).toEqual([1, 2]);
    // Without the SDK around it no engine stops.
    try {
      binding.call("tensor", [make()]);
    } catch {}
    expect(k.tensor(x)).toEqual([1, 2]);
  });

  it("are what the language says, whatever their properties say", () => {
    const own = Object.defineProperty(new Float32Array([1, 2]), "length", { value: 1e6 });
    const short = Object.defineProperties(new Float64Array([1, 2]), {
      length: { value: 0 },
      byteLength: { value: 0 },
      buffer: { value: new ArrayBuffer(0) },
      byteOffset: { value: 4096 },
    });
    const lying = Object.defineProperty(new Float32Array([1, 2]), Symbol.toStringTag, { value: "BigInt64Array" });
    const throwing = Object.defineProperty(new Int16Array([1, 2]), "length", {
      get() {
        throw new Error("mine");
      },
    });
    class Sub extends Float32Array {
      override get length(): never {
        return "many" as never;
      }
    }
    const bare = Object.setPrototypeOf(new Uint8Array([1, 2]), null);
    const tracking = new Float32Array(resizable(8, 64));
    tracking.set([1, 2]);
    const shared = new Int32Array(new SharedArrayBuffer(16), 4, 2);
    shared.set([1, 2]);
    const grown = resizable(4, 8);
    const growing = new Float32Array(grown);
    grown.resize(8);
    growing.set([1, 2]);
    const arrays: readonly unknown[] = [
      ...[own, short, lying, throwing, new Sub([1, 2]), bare, tracking, shared, growing],
      ...[foreign("new Float32Array([1, 2])"), foreign("new Uint8ClampedArray([1, 2])"), Buffer.from([1, 2])],
    ];
    for (const array of arrays) {
      expect(k.tensor(call("tensor", array) as k.TensorHandle)).toEqual([1, 2]);
      const id = binding.call("tensor", [array]);
      expect(Array.from((binding.call("data", [id]) as k.TypedTensor).data, Number)).toEqual([1, 2]);
    }
    expect(k.dtype(call("tensor", lying) as k.TensorHandle)).toBe("float");
  });
});

describe("lists", () => {
  const numbers = (given: unknown) => k.tensor(call("tensor", given) as k.TensorHandle);

  it("are copied: proxies, subclasses, lists of other realms", () => {
    class Sub extends Array<number> {}
    const list = [1, 2];
    const deep = new Proxy([new Proxy([1, 2], {})], {});
    expect(numbers(new Proxy(list, {}))).toEqual([1, 2]);
    expect(numbers(deep)).toEqual([[1, 2]]);
    expect(numbers(Sub.from(list))).toEqual([1, 2]);
    expect(numbers(foreign("[1, [2][0]]"))).toEqual([1, 2]);
    expect(numbers(foreign("[[1, 2], [3, 4]]"))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const o = call("opt", "sgd", [], new Proxy(["lr", 0.5], {})) as k.OptimizerHandle;
    expect(k.lr(o)).toEqual([0.5]);
    // Each element is read once.
    let reads = 0;
    const counted = Object.defineProperty([0, 2], 0, { get: () => ++reads });
    expect(numbers(counted)).toEqual([1, 2]);
  });

  it("have no holes and no end that they do not have", () => {
    // biome-ignore lint/suspicious/noSparseArray: this is the tested value
    expectError("ERR_ARGUMENT", () => numbers([1, , 3]));
    for (const length of [1, 2 ** 20, 2 ** 26, 2 ** 32 - 1]) {
      const sparse: number[] = [];
      sparse.length = length;
      expectError("ERR_ARGUMENT", () => numbers(sparse));
      expectError("ERR_ARGUMENT", () => numbers([[sparse]]));
    }
    const lying = new Proxy([], { get: (target, key) => (key === "length" ? 2 ** 53 : Reflect.get(target, key)) });
    expectError("ERR_ARGUMENT", () => numbers(lying));
  });

  it("that share their elements are counted as often as they stand there", () => {
    for (const leaf of [1, "x", {}, Number.NaN]) {
      let shared: unknown = [leaf];
      for (let i = 0; i < 30; i++) shared = [shared, shared];
      expectError("ERR_ARGUMENT", () => numbers(shared));
      let keyed: unknown = { a: leaf };
      for (let i = 0; i < 30; i++) keyed = { a: keyed, b: keyed };
      expectError("ERR_ARGUMENT", () => call("dict", keyed));
    }
    const row = Array<number>(1000).fill(1);
    const table = Array<number[]>(1000).fill(row);
    expect(k.size(k.tensor(table))).toEqual([1000, 1000]);
    expectError("ERR_ARGUMENT", () => numbers(Array(20).fill(table)));
  });

  it("that hold themselves are refused", () => {
    const one: unknown[] = [];
    one.push(one);
    const two: unknown[] = [1];
    two.push([two, two], { two });
    const keyed: Record<string, unknown> = { lr: 0.5 };
    keyed.self = keyed;
    for (const endless of [one, two, keyed]) {
      expectError("ERR_ARGUMENT", () => numbers(endless));
      expectError("ERR_ARGUMENT", () => call("opt", "adam", [], endless));
      expectError("ERR_ARGUMENT", () => call("module", endless));
    }
  });
});

describe("tensors", () => {
  it("have at most 64 dimensions, however they are made", () => {
    const most = Array<number>(64).fill(1);
    const more = [...most, 1];
    const nest = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
    const x = k.full(most, 1);
    expect(k.size(x)).toEqual(most);
    expect(k.tensor(x)).toEqual(nest(64));
    expect(k.size(call("tensor", nest(64)) as k.TensorHandle)).toEqual(most);
    expect(k.tensor(k.mse(x, call("tensor", x) as never))).toBe(0);
    for (const shape of [more, Array<number>(40_000).fill(1)]) {
      expectError("ERR_SHAPE", () => k.full(shape, 1));
      expectError("ERR_SHAPE", () => k.full([0, ...shape], 1));
      expectError("ERR_SHAPE", () => k.tensor([1], { shape }));
      expectError("ERR_SHAPE", () => k.module(["layernorm", shape]));
      expectError("ERR_ARGUMENT", () => call("tensor", { data: new Float32Array(1), shape }));
      expectError("ERR_ARGUMENT", () => call("mse", x, { data: new Float32Array(1), shape }));
    }
    expectError("ERR_SHAPE", () => numbersOf(nest(65)));
    const indices = k.full(most, 0, "long");
    expectError("ERR_SHAPE", () => k.forward(k.module(["embedding", 1, 1]), indices));
  });

  const numbersOf = (given: unknown) => call("tensor", given);

  it("are read as lists only where those can be made", () => {
    for (const shape of [
      [2 ** 28, 0],
      [2 ** 14, 2 ** 14, 0],
      [2 ** 26, 1, 0],
      [1, 2 ** 25, 0, 7],
    ]) {
      const x = k.full(shape, 0, "grad");
      expect(k.bytes(x)).toBe(0);
      expectError("ERR_MEMORY", () => k.tensor(x));
      expectError("ERR_MEMORY", () => k.take(x));
      expect(k.data(x)).toEqual({ data: new Float32Array(0), shape });
      k.zerograd(x);
    }
    expect(k.tensor(k.full([3, 0], 0))).toEqual([[], [], []]);
    expect(k.tensor(k.full([0, 2 ** 28], 0))).toEqual([]);
    expect(k.tensor(k.full([0], 0))).toEqual([]);
    expect(k.tensor(k.full([], 7))).toBe(7);
    expect(k.tensor(k.full([2, 1, 2], 7))).toEqual([[[7, 7]], [[7, 7]]]);
  });
});

describe("many of something", () => {
  const count = 100_000;
  const names = Array.from({ length: count }, (_, i) => `p${i}`);

  it("a dictionary of parameters is trained, told of, restored and selected from", () => {
    const d = k.dict(Object.fromEntries(names.map((name) => [name, 1])));
    k.gradflag(d, true);
    const o = k.opt("sgd", [d, names.toReversed?.() ?? [...names].reverse()], 0.5);
    expect(k.opt(o).parms.at(-1)?.name).toBe("p0");
    const m = k.module(o);
    expect(k.parmnames(m).length).toBe(count);
    const saved = k.state(o);
    expect(k.state(k.opt(saved, m)).parms.map((row) => row.name)).toEqual(saved.parms.map((row) => row.name));
    expect(k.size(k.opt("adam", [m, names]))).toBe(count);
    expectError("ERR_PARAMETER", () => k.opt("adam", [d, [...names, "p5"]]));
    expectError("ERR_PARAMETER", () => k.opt("adam", [d, [...names, "q"]]));
    expect(k.size(k.parms(m))).toBe(count);
    expect(k.parmnames(k.module(k.state(m))).length).toBe(count);
  });

  it("a sequential of layers is made, named, run, told of and restored", () => {
    const m = k.module(k.seq("sequential", ...names.map((name) => ["relu", name] as const)));
    expect(k.names(m)).toEqual(names);
    expect(k.childnames(m)).toEqual(names);
    expect(k.tensor(k.evaluate(m, [-1, 2]))).toEqual([0, 2]);
    expect(k.names(k.module(k.state(m)))).toEqual(names);
    expect(k.classof(k.child(m, "p99999"))).toBe("module");
    expectError("ERR_ARGUMENT", () =>
      k.module(k.seq("sequential", ...[...names, "p7"].map((n) => ["relu", n] as const))),
    );
  });

  it("handles are freed together", () => {
    const before = k.handlecount();
    // More arguments do not fit on the stack.
    const handles = names.slice(0, 20_000).map(() => k.loss("mse"));
    expectError("ERR_HANDLE_FREED", () => k.free(...handles, handles[7] as k.LossHandle));
    expect(k.handlecount()).toBe(before + handles.length);
    k.free(...handles);
    expect(k.handlecount()).toBe(before);
  });
});

it("containers that optimizers make are nested and shared no further than modules may be", () => {
  let m = k.module("relu");
  const deeper = () => {
    const o = k.opt("sgd", m);
    k.opt(o, 0, k.module("relu"));
    return k.module(o);
  };
  let depth = 0;
  expectError("ERR_ARGUMENT", () => {
    for (; depth < 200; depth++) m = deeper();
  });
  expect(depth).toBe(128);
  expect(k.names(k.module(k.state(m)))).toEqual(k.names(m));
  expect(k.size(m)).toBe(0);

  // Two containers that hold the same module, in one container, and so on: twice as many modules with each.
  let shared = k.module("relu");
  const holding = (...modules: readonly k.ModuleHandle[]) => {
    const o = k.opt("sgd");
    for (const module of modules) k.opt(o, 0, [module, [] as string[]]);
    return k.module(o);
  };
  let rounds = 0;
  expectError("ERR_ARGUMENT", () => {
    for (; rounds < 60; rounds++) {
      const [a, b] = [k.module("relu"), k.module("relu")].map((other) => holding(shared, other));
      shared = holding(a as k.ModuleHandle, b as k.ModuleHandle);
    }
  });
  expect(rounds).toBeLessThan(30);
});

it("a list whose proxy gives another length is refused, and so is a revoked proxy", () => {
  const list = (length: unknown, target: unknown[] = [1, 2]) =>
    new Proxy(target, { get: (of, key) => (key === "length" ? length : Reflect.get(of, key)) });
  const o = k.opt("sgd", k.tensor([1], "grad"));
  const handles = k.handlecount();
  for (const length of [-1, 1.5, "2", Number.NaN, Infinity, null, undefined, 2 ** 53, {}]) {
    for (const given of [list(length), [list(length)], list(length, [[1], [2]])]) {
      expectError("ERR_ARGUMENT", () => call("tensor", given));
      expectError("ERR_ARGUMENT", () => call("lr", o, given));
    }
  }
  for (const target of [{}, [1], o, new Float32Array(1)]) {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    for (const given of [proxy, [proxy], { data: proxy, shape: [1] }]) {
      for (const [command, ...args] of [["tensor"], ["lr", o], ["size"], ["opt"], ["step", o], ["dict"]] as const) {
        expectError("ERR_ARGUMENT", () => call(command, ...args, given));
      }
    }
  }
  expect(k.handlecount()).toBe(handles);
  expect(k.tensor(call("tensor", list(2)) as k.TensorHandle)).toEqual([1, 2]);
});
