// Functions with a backward of the program's own, and losses that are functions: against finite differences and the engine's own.

import * as k from "@stepwell/sdk";
import { Model, Module, Tensor } from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => {
  k.reset();
  k.seed(7);
});

const X = [
  [0.5, -1.25, 2],
  [3, 0.1, -0.7],
];

/** `x^3 * w` with its gradients. */
const cubed = k.gradient(
  (x, w) => k.mul(k.pow(x, 3), w),
  (g, x, w) => [k.mul(g, k.mul(k.mul(k.square(x), 3), w)), k.mul(g, k.pow(x, 3))],
);
const builtIn = (x: k.AnyTensor, w: k.AnyTensor) => k.mul(k.pow(x, 3), w);

const numbers = (x: k.TensorHandle) => (k.grad(x) as number[][]).flat();

/** A loss with the function at several places of the graph: in a row, with operations on the same tensor, and twice. */
function loss(f: typeof builtIn, x: k.TensorHandle, w: k.TensorHandle): k.TensorHandle {
  const h = k.tanh(k.mul(x, w));
  const a = f(h, w);
  const b = k.add(f(a, x), k.mul(h, a));
  return k.mean(k.square(k.add(b, f(x, x))));
}

describe("gradient", () => {
  it("has the gradients of the engine, wherever it is in a graph", () => {
    const leaves = () => [k.tensor(X, "double", "grad"), k.tensor([[0.3], [-0.8]], "double", "grad")] as const;
    const expanded = (w: k.TensorHandle) => k.expand(w, [2, 3]);
    const [[x, w], [y, v]] = [leaves(), leaves()];
    const own = loss(cubed, x, expanded(w));
    const theirs = loss(builtIn, y, expanded(v));
    expect(k.tensor(own)).toBe(k.tensor(theirs));
    k.backward(own);
    k.backward(theirs);
    for (const [a, b] of [
      [x, y],
      [w, v],
    ] as const) {
      const expected = numbers(b);
      for (const [i, value] of numbers(a).entries()) {
        expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(1e-12 * Math.abs(expected[i] as number));
      }
    }
  });

  it("agrees with finite differences", () => {
    const value = (rows: readonly (readonly number[])[]) => {
      const x = k.tensor(rows, "double", "grad");
      const y = k.sum(cubed(k.sin(x), k.exp(x)));
      return { x, y };
    };
    const { x, y } = value(X);
    k.backward(y);
    const step = 1e-5;
    for (const [i, gradient] of numbers(x).entries()) {
      const [row, column] = [Math.floor(i / 3), i % 3];
      const at = (by: number) =>
        k.tensor(value(X.map((r, j) => r.map((c, l) => (j === row && l === column ? c + by : c)))).y, {
          dimensions: 0,
        });
      const difference = (at(step) - at(-step)) / (2 * step);
      expect(Math.abs(difference - gradient)).toBeLessThan(1e-6 * Math.max(1, Math.abs(gradient)));
    }
  });

  it("takes the place of another gradient, and leaves inputs out", () => {
    const rounded = k.gradient(
      (x) => k.round(x),
      (g) => g,
    );
    const x = k.tensor([0.4, 1.6], "grad");
    const y = rounded(x);
    expect(k.tensor(y)).toEqual([0, 2]);
    k.backward(k.sum(k.mul(y, [3, 5])));
    expect(k.grad(x)).toEqual([3, 5]);
    const first = k.gradient(
      (a, b) => k.add(a, b),
      (g) => [g, null],
    );
    const [a, b] = [k.tensor([1], "grad"), k.tensor([2], "grad")];
    k.backward(first(a, b));
    expect(k.grad(a)).toEqual([1]);
    expect(k.grad(b) ?? undefined).toBe(undefined);
  });

  it("makes a tensor without a graph of inputs without one, and in evaluation", () => {
    expectError("ERR_GRADIENT", () => k.backward(k.sum(cubed(k.tensor([1]), k.tensor([1])))));
    const m = k.callback((x) => cubed(x, k.tensor([1, 1], "grad")));
    expectError("ERR_GRADIENT", () => k.backward(k.sum(k.evaluate(m, [1, 2]))));
    const x = k.tensor([1, 2], "grad");
    k.backward(k.sum(k.forward(m, x)));
    expect(k.grad(x)).toEqual([3, 12]);
  });

  it("is refused a second time, and after a write to an input", () => {
    const x = k.tensor([1, 2], "grad");
    const y = k.sum(cubed(k.mul(x, 2), x));
    k.backward(y);
    expectError("ERR_ENGINE", () => k.backward(y));
    const z = k.sum(cubed(k.mul(x, 2), x));
    k.copyto([3, 4], x);
    const before = k.grad(x);
    expectError("ERR_ENGINE", () => k.backward(z));
    expect(k.grad(x)).toEqual(before);
  });

  /** A loss of another graph. */
  let other: k.TensorHandle;
  const wrong: readonly (readonly [what: string, backward: k.GradientBackward, code: k.ErrorCode])[] = [
    ["too few gradients", (g) => [g], "ERR_GRADIENT"],
    ["a shape that differs", (g) => [g, k.sum(g)], "ERR_SHAPE"],
    ["a type that differs", (g, x) => [g, k.cast(x, "double")], "ERR_DTYPE"],
    ["numbers", () => [1, 2] as never, "ERR_ARGUMENT"],
    ["a promise", (async (g: k.TensorHandle) => g) as never, "ERR_ARGUMENT"],
    ["another backward", (g, x) => [k.backward(other) ?? g, x], "ERR_BUSY"],
    ["everything freed", (g, x) => [k.free() ?? g, x], "ERR_BUSY"],
  ];
  it.each(wrong)("refuses a backward with %s, and changes no gradient", (_, backward, code) => {
    other = k.sum(k.mul(k.tensor([1, 2], "grad"), 2));
    const f = k.gradient((a, b) => k.mul(a, b), backward);
    const [x, w] = [k.tensor([1, 2], "grad"), k.tensor([3, 4], "grad")];
    const y = k.sum(k.add(f(k.mul(x, 2), w), k.mul(x, w)));
    expectError(code, () => k.backward(y));
    expect([k.grad(x) ?? undefined, k.grad(w) ?? undefined]).toEqual([undefined, undefined]);
    k.backward(k.sum(k.mul(x, w)));
    expect(k.grad(x)).toEqual([3, 4]);
  });

  it("has a gradient of its own, to which it may write", () => {
    for (const grows of [false, true]) {
      const f = k.gradient(
        (x) => k.mul(x, 1),
        (g) => {
          k.fill(g, 7);
          return g;
        },
      );
      const [p, q] = [k.tensor([1, 2], "grad"), k.tensor([1, 2], "grad")];
      const y = grows ? k.mul(k.add(f(p), q), [1, 2]) : k.add(f(p), q);
      k.backward(k.sum(y));
      expect(k.grad(p)).toEqual([7, 7]);
      expect(k.grad(q)).toEqual(grows ? [1, 2] : [1, 1]);
    }
  });

  const changes: Readonly<Record<string, (w: k.TensorHandle) => void>> = {
    "writes to a tensor of the graph": (w) => k.fill(w, 1000),
    "steps along a tensor of the graph": (w) => {
      k.grad(w, k.tensor([1]));
      k.step(k.opt("sgd", w, 0.5));
    },
  };
  it.each(Object.keys(changes))("fails if it %s, and changes no gradient", (what) => {
    const [w, p] = [k.tensor([2], "grad"), k.tensor([3], "grad")];
    const f = k.gradient(
      (x) => k.mul(x, 1),
      (g) => {
        changes[what]?.(w);
        return g;
      },
    );
    const y = k.sum(f(k.mul(p, w)));
    expectError("ERR_ENGINE", () => k.backward(y));
    expect(k.grad(p) ?? undefined).toBe(undefined);
  });

  it.each([
    ["an operation has saved", (p: k.TensorHandle) => k.mul(p, p)],
    ["no operation has saved", (p: k.TensorHandle) => k.add(p, 1)],
  ])("fails if it converts a leaf that %s, and changes no gradient", (_, of) => {
    const m = k.module(["linear", 1, 1, false]);
    const p = k.parm(m, "weight");
    const f = k.gradient(
      (x) => k.mul(x, 1),
      (g) => {
        k.to(m, "double");
        return g;
      },
    );
    const y = k.sum(f(of(p)));
    expectError("ERR_ENGINE", () => k.backward(y));
    expect(k.grad(p) ?? undefined).toBe(undefined);
    expect(k.dtype(p)).toBe("double");
  });

  it("passes exceptions on, of both functions", () => {
    const mine = new RangeError("mine");
    const fail = () => {
      throw mine;
    };
    const x = k.tensor([1], "grad");
    expect(() => k.gradient(fail, (g) => g)(x)).toThrow(mine);
    const y = k.gradient((a) => k.mul(a, 2), fail)(x);
    expect(() => k.backward(y)).toThrow(mine);
    expectError("ERR_ARGUMENT", () => k.gradient(((a: unknown) => [a, a]) as never, (g) => g)(x));
    expectError("ERR_DTYPE", () =>
      k.gradient(
        (a) => k.argmax(a),
        (g) => g,
      )(x),
    );
    expectError("ERR_ARGUMENT", () => k.gradient(3 as never, (g) => g));
  });

  it("nests, and leaves nothing behind", () => {
    const outer = k.gradient(
      (x) => cubed(x, k.ones([2])),
      (g, x) => k.mul(cubed(x, k.ones([2])), g),
    );
    const x = k.tensor([1, 2], "grad");
    const before = k.handlecount();
    for (let i = 0; i < 100; i++) {
      k.scoped(() => k.backward(k.sum(outer(x))));
      k.nograd(x);
    }
    expect(k.handlecount()).toBe(before);
    k.backward(k.sum(outer(x)));
    expect(k.grad(x)).toEqual([1, 8]);
  });

  it("trains by run, lbfgs and a closure", () => {
    class Net extends Module {
      readonly w = Tensor.of([[0.5], [0.25]], "double", "grad");
      override forward(x: Tensor): Tensor {
        return new Tensor(cubed(x.matmul(this.w), k.tensor([[2], [2]], "double")));
      }
    }
    const inputs = k.tensor(
      X.map((row) => row.slice(0, 2)),
      "double",
    );
    const targets = k.tensor([[0.1], [0.2]], "double");
    for (const name of ["sgd", "lbfgs"] as const) {
      const m = new Net();
      const model = k.model(m, k.loss("mse"), k.opt(name, m, 0.001));
      k.train(model, inputs, targets);
      const losses = Array.from({ length: 5 }, () => k.run(model) as number);
      expect(losses[4]).toBeLessThan(losses[0] as number);
    }
  });
});

describe("a loss that is a function", () => {
  const inputs = [
    [1, 2],
    [3, -1],
    [0, 1],
  ];
  const targets = [[1], [0], [2]];
  const net = () => {
    k.seed(1);
    return k.module(k.seq("sequential", ["linear", 2, 3], "tanh", ["linear", 3, 1]));
  };
  const squared = (y: k.AnyTensor, target: k.AnyTensor) => k.mean(k.square(k.sub(y, target)));

  it.each(["adam", "lbfgs"] as const)("trains as the engine's own does, by %s", (name) => {
    const losses = [k.loss("mse"), squared].map((loss) => {
      const m = net();
      const model = k.model(m, loss as typeof squared, k.opt(name, m, 0.1));
      k.train(model, { batchsize: 2, accumulate: 2 });
      k.train(model, inputs, targets);
      k.test(model, inputs, targets);
      return [...Array.from({ length: 5 }, () => k.run(model) as number), k.testrun(model) as number];
    });
    for (const [i, value] of (losses[0] as number[]).entries()) expect(losses[1]?.[i]).toBeCloseTo(value, 5);
  });

  it("trains by fit", async () => {
    const m = new Module(net());
    const model = new Model(m, (y, target) => y.sub(target).square().mean(), new k.Optimizer(k.opt("adam", m, 0.1)));
    expect(model.loss).toBe("callback");
    const { epochs } = await model.fit({ inputs, targets }, { epochs: 5 });
    expect(epochs[4]?.loss).toBeLessThan(epochs[0]?.loss as number);
    expect(model.measure({ inputs, targets }).loss).toBeLessThan(epochs[0]?.loss as number);
    expect(String(model)).toContain("callback");
  });

  it("is refused unless it returns one number", () => {
    const rows: readonly (readonly [loss: (y: k.TensorHandle) => unknown, code: k.ErrorCode])[] = [
      [(y) => y, "ERR_SHAPE"],
      [(y) => [y, y], "ERR_ARGUMENT"],
      [() => 1, "ERR_ARGUMENT"],
      [(y) => k.argmax(y), "ERR_DTYPE"],
      [(y) => k.sum(k.detach(y)), "ERR_GRADIENT"],
    ];
    for (const [loss, code] of rows) {
      const m = net();
      const model = k.model(m, loss as never, k.opt("sgd", m, 0.1));
      k.train(model, inputs, targets);
      const before = k.state(m);
      expectError(code, () => k.run(model));
      expect(k.state(m)).toEqual(before);
    }
    const m = net();
    const model = k.model(m, squared, k.opt("sgd", m, 0.1));
    expectError("ERR_ARGUMENT", () => k.loss(model));
  });
});
