import {
  backward,
  bytes,
  elements,
  evaluate,
  forward,
  free,
  grad,
  lr,
  module,
  mse,
  nograd,
  type OptimizerHandle,
  type OptimizerName,
  opt,
  seed,
  seq,
  state,
  step,
  type TensorHandle,
  tensor,
  tensorcount,
  to,
  zerograd,
} from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => free());

/** Calls as JavaScript makes them, without types in the way. */
const untyped = opt as (...args: unknown[]) => OptimizerHandle;

const both = [true, false];
/** The optimizers that libtorch has too; none unless the engine is libtorch. */
const own = optimizers.filter((name) => name !== "lamb" && differences.implementations.includes(false));
const each = own.filter((name) => name !== "lbfgs");

/** Options that need every buffer. */
const full: Partial<Record<OptimizerName, object>> = {
  adagrad: { init: 0.5 },
  adam: { amsgrad: true },
  adamw: { amsgrad: true },
  rmsprop: { momentum: 0.9, centered: true },
  sgd: { momentum: 0.9, dampening: 0.5 },
};

/** Options that need the fewest buffers. */
const bare: Partial<Record<OptimizerName, object>> = {
  adagrad: {},
  adam: { amsgrad: false },
  adamw: { amsgrad: false },
  rmsprop: { momentum: 0, centered: false },
  sgd: { momentum: 0 },
};

/** A state without addresses, with its buffers rounded. */
function shown(o: OptimizerHandle) {
  const { fused: _, ...rest } = state(o);
  const plain = (value: unknown, key = ""): unknown => {
    if (key === "pointer") return 0;
    if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, (x) => x.toPrecision(5));
    // A scalar of L-BFGS is of the parameters' type in libtorch, and a double here.
    if (typeof value === "number") return Number(value.toPrecision(5));
    if (Array.isArray(value)) return value.map((item) => plain(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]));
  };
  return { state: plain(rest), counts: [tensorcount(o), elements(o), bytes(o)] };
}

/** Trains a small network, edits everything on the way, and returns the result. */
function train(name: OptimizerName, fused: boolean, options: object) {
  seed(1);
  const net = module(seq("sequential", ["linear", "a", 4, 3], "tanh", ["linear", "b", 3, 2]));
  to(net, "double");
  // L-BFGS has one group, and it is full after the first step.
  const grows = name !== "lbfgs";
  const o = untyped(name, grows ? [net, "a"] : net, { ...options, lr: 0.05, fused });
  const x = tensor(
    [
      [0.5, -1, 2, 0.25],
      [1, 0.5, -0.5, 0],
    ],
    "double",
  );
  const y = tensor(
    [
      [1, 0],
      [0, 1],
    ],
    "double",
  );
  const closure = () => {
    zerograd(net);
    const loss = mse(forward(net, x), y);
    backward(loss);
    return loss;
  };
  const shots: unknown[] = [shown(o)];
  for (let i = 0; i < 6; i++) {
    if (i === 2 && grows) untyped(o, 1, [net, "b"], { lr: 0.02 });
    if (i === 3) lr(o, 0.01);
    if (i === 4) untyped(o, 0, [], { lr: 0.03 });
    step(o, closure);
    shots.push(shown(o));
  }
  return { shots, output: (tensor(evaluate(net, x)) as number[][]).flat() };
}

describe.each(own)("libtorch's %s", (name) => {
  it.each([{}, full[name] ?? { search: "strong_wolfe" }])("shows the same state as Stepwell's with %o", (options) => {
    const [ours, theirs] = both.map((fused) => train(name, fused, options));
    expect(theirs?.shots).toEqual(ours?.shots);
    for (const [i, value] of (ours?.output ?? []).entries()) expect(theirs?.output[i]).toBeCloseTo(value, 9);
  });

  it("says what it is, and Stepwell's shows what it always did", () => {
    const o = untyped(name, [], { fused: false });
    expect(opt(o).fused).toBe(false);
    expect(state(o, false).fused).toBe(false);
    for (const ours of [untyped(name), untyped(name, [], { fused: true })]) {
      expect(Object.keys(opt(ours))).toEqual(["optimizer", "options", "parms"]);
      expect(opt(ours)).toEqual({ ...opt(o), fused: undefined });
    }
  });

  it("is asked for by name in every form", () => {
    for (const named of [{ fused: false }, [["fused", false]], ["fused", false]]) {
      expect(opt(untyped(name, [], named)).fused).toBe(false);
      expect(opt(untyped(name, [], 0.5, named)).fused).toBe(false);
    }
    expect(opt(untyped(name, [], { lr: 0.25, fused: false })).fused).toBe(false);
    expectError("ERR_OPTION_TYPE", () => untyped(name, [], { fused: 0 }));
    expectError("ERR_OPTION_TYPE", () => untyped(name, [], { fused: null }));
  });

  it.each(both)("stays what it is: %s", (fused) => {
    const o = untyped(name, tensor([1, 2], "grad"), { fused });
    const before = state(o);
    for (const other of both) {
      const message = expectError("ERR_ARGUMENT", () => untyped(o, [], { lr: 0.5, fused: other }));
      expect(message).toBe(`opt: ${name} fused: can be given only when the optimizer is made`);
    }
    expect(state(o)).toEqual(before);
  });
});

it("lamb has only Stepwell's own", () => {
  const message = expectError("ERR_OPTION_RANGE", () => untyped("lamb", [], { fused: false }));
  expect(message).toBe(
    "opt: lamb fused: expected true, since only Stepwell's own implementation exists, given boolean false",
  );
  expect(opt(untyped("lamb", [], { fused: true })).optimizer).toBe("lamb");
});

describe.each(each)("libtorch's %s", (name) => {
  const make = (x: TensorHandle) => untyped(name, x, { fused: false });

  it("makes the buffers that an edit calls for, as Stepwell's does", () => {
    const run = (fused: boolean) => {
      const x = tensor([1, 2], "grad", "double");
      const o = untyped(name, x, { fused });
      return [{}, full[name], {}, bare[name], full[name]].map((edit) => {
        untyped(o, [], edit);
        grad(x, [0.5, -0.25]);
        step(o);
        return shown(o);
      });
    };
    expect(run(false)).toEqual(run(true));
  });

  it("skips a parameter without a gradient, which gets no state", () => {
    const [x, still] = [tensor([1, 2], "grad"), tensor([3], "grad")];
    const o = make(x);
    untyped(o, still);
    grad(x, [1, 1]);
    step(o);
    expect(tensor(still)).toEqual([3]);
    expect(tensor(x)).not.toEqual([1, 2]);
    expect(state(o).parms.map((row) => Object.keys(row.buffers).length > 0)).toEqual([true, false]);
    nograd(x);
    const before = tensor(x);
    step(o);
    expect(tensor(x)).toEqual(before);
  });

  it("follows its parameter to another type, with a fresh state", () => {
    const net = module(["linear", 2, 1]);
    const o = untyped(name, net, { ...full[name], fused: false });
    for (const dtype of ["float", "double"] as const) {
      to(net, dtype);
      backward(mse(forward(net, tensor([[1, 2]], dtype)), tensor([[1]], dtype)));
      step(o);
    }
    const [buffer] = Object.values(state(o).parms[0]?.buffers ?? {}).filter((value) => typeof value !== "number");
    expect(buffer).toMatchObject({ data: expect.any(Float64Array), shape: [1, 2] });
  });

  it("makes an older graph an error", () => {
    const x = tensor([1, 2], "grad");
    const o = make(x);
    const old = mse(x, tensor([0, 0]));
    grad(x, [1, 1]);
    step(o);
    expect(expectError("ERR_ENGINE", () => backward(old))).toContain("outdated graph");
  });
});

describe.each(optimizers.filter((name) => name !== "lamb" && !own.includes(name)))("%s without libtorch", (name) => {
  it("has only Stepwell's own", () => {
    const why = "since this engine has no optimizers of its own";
    const message = expectError("ERR_OPTION_RANGE", () => untyped(name, [], { fused: false }));
    expect(message).toBe(`opt: ${name} fused: expected true, ${why}, given boolean false`);
    expect(opt(untyped(name, [], { fused: true })).fused).toBeUndefined();
  });
});

describe.runIf(own.includes("lbfgs"))("libtorch's lbfgs", () => {
  const minimum = () => {
    const x = tensor([3, -2], "grad", "double");
    const o = untyped("lbfgs", x, { fused: false, search: "strong_wolfe" });
    let fails = Number.POSITIVE_INFINITY;
    let calls = 0;
    const closure = () => {
      if (++calls >= fails) throw new Error("on purpose");
      zerograd(x);
      const loss = mse(x, tensor([1, 1], "double"));
      backward(loss);
      return loss;
    };
    return { x, o, closure, failAt: (call: number) => (fails = calls + call) };
  };

  it("needs a closure", () => {
    const { o } = minimum();
    expectError("ERR_CLOSURE_REQUIRED", () => step(o));
  });

  it.each([1, 2])("leaves everything as it was when the closure fails at call %d", (call) => {
    const { x, o, closure, failAt } = minimum();
    untyped(o, [], { iter: 1 });
    step(o, closure);
    const before = [tensor(x), state(o)];
    failAt(call);
    expect(() => step(o, closure)).toThrow("on purpose");
    expect([tensor(x), state(o)]).toEqual(before);
    failAt(Number.POSITIVE_INFINITY);
    untyped(o, [], { iter: 20 });
    step(o, closure);
    expect((tensor(x) as number[])[0]).toBeCloseTo(1, 6);
  });

  it("lets the closure use the optimizer, and takes no parameters after its first step", () => {
    const { x, o, closure } = minimum();
    let looked: unknown;
    step(o, () => {
      looked = state(o).parms[0]?.buffers;
      return closure();
    });
    expect(looked).toEqual({});
    expect((tensor(x) as number[])[1]).toBeCloseTo(1, 6);
    expectError("ERR_PARAMETER", () => untyped(o, tensor([1], "grad", "double")));
    expectError("ERR_GROUP", () => untyped(o, 1, []));
  });

  it("refuses parameters of two types, and none", () => {
    expectError("ERR_PARAMETER", () => step(untyped("lbfgs", [], { fused: false }), () => 0));
    const { o, closure } = minimum();
    untyped(o, tensor([1], "grad"));
    expectError("ERR_DTYPE", () => step(o, closure));
  });
});
