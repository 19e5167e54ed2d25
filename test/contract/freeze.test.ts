import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

/** Every optimizer in every implementation that the engine has of it. */
const made = differences.implementations.flatMap((fused) =>
  optimizers.filter((name) => fused || name !== "lamb").map((name) => ({ name, fused })),
);

const decays: Partial<Record<k.OptimizerName, object>> = {
  adam: { decay: 0.1 },
  adamw: { decay: 0.1 },
  adagrad: { decay: 0.1 },
  rmsprop: { decay: 0.1, momentum: 0.9, centered: true },
  sgd: { decay: 0.1, momentum: 0.9, nesterov: true },
  lamb: { decay: 0.1 },
  lbfgs: { iter: 3, eval: 20 },
};

const X = [
  [1, 2],
  [3, -1],
  [0, 1],
  [2, 2],
];
const Y = [[1], [0], [-1], [2]];

function layers() {
  k.seed(1);
  return k.module(k.seq("sequential", ["linear", "a", 2, 3], "tanh", ["linear", "b", 3, 1]));
}

const flat = (x: k.TensorHandle) => k.data(x).data;
const read = (m: k.ModuleHandle) => Object.fromEntries(k.parmnames(m).map((name) => [name, flat(k.parm(m, name))]));

/** Differences between two readings, by the layer that they are in. */
function moved(before: ReturnType<typeof read>, after: ReturnType<typeof read>) {
  const largest = (layer: string) =>
    Math.max(
      ...Object.entries(after)
        .filter(([name]) => name.startsWith(layer))
        .flatMap(([name, data]) => [...data].map((x, i) => Math.abs(Number(x) - Number(before[name]?.[i])))),
    );
  return { a: largest("a"), b: largest("b") };
}

/** Buffers of the parameters of a layer, step counts included. */
const buffers = (o: k.OptimizerHandle, layer: string) =>
  k.state(o).parms.flatMap(({ name, buffers }) => (name.startsWith(layer) ? [buffers] : []));

function lossAndGradients(m: k.ModuleHandle): k.TensorHandle {
  const output = k.forward(m, X);
  const loss = k.mse(output, Y);
  k.backward(loss);
  k.free(output);
  return loss;
}

/** The ways to make a step that leave a gradient where it is. */
const ways: Readonly<Record<string, (m: k.ModuleHandle, o: k.OptimizerHandle, closed: boolean) => void>> = {
  "step with zerograd": (m, o, closed) => {
    if (closed) return closure(m, o, {}, () => k.zerograd(o));
    k.free(lossAndGradients(m));
    k.step(o, { zerograd: true });
  },
  "step on a gradient that lies there": (m, o, closed) => {
    const lie = () => {
      for (const name of k.parmnames(m)) {
        const x = k.parm(m, name);
        k.grad(x, k.full(k.size(x), 0.5));
        k.free(x);
      }
    };
    if (closed) {
      // Flags do not change: a frozen parameter has its gradient at each evaluation.
      closure(m, o, {}, () => {
        lie();
        k.zerograd(k.child(m, "b"));
      });
      return;
    }
    lie();
    k.step(o);
  },
  "step with a closure": (m, o, closed) =>
    closure(m, o, closed ? {} : { zerograd: true, clipnorm: 0.5 }, () => k.zerograd(o)),
};

function closure(m: k.ModuleHandle, o: k.OptimizerHandle, options: k.StepOptions, before: () => void) {
  k.step(
    o,
    () => {
      before();
      return lossAndGradients(m);
    },
    options,
  );
}

describe.each(made)("$name, fused $fused", ({ name, fused }) => {
  const closed = name === "lbfgs";
  const make = (m: k.ModuleHandle) => k.opt(name, m, { lr: 0.01, ...decays[name], fused } as never);

  it.each(Object.keys(ways))("moves no parameter whose flag is off: %s", (way) => {
    const once = (m: k.ModuleHandle, o: k.OptimizerHandle) => ways[way]?.(m, o, closed);
    const m = layers();
    const o = make(m);
    for (let i = 0; i < 5; i++) once(m, o);
    const a = k.child(m, "a");
    k.gradflag(a, false);
    const [start, state] = [read(m), closed ? [] : buffers(o, "a")];
    for (let i = 0; i < 20; i++) once(m, o);
    const still = moved(start, read(m));
    expect(still.a).toBe(0);
    expect(still.b).toBeGreaterThan(1e-3);
    if (!closed) expect(buffers(o, "a")).toEqual(state);
    k.gradflag(a, true);
    const [before, steps] = [read(m), closed ? [] : buffers(o, "a").map(({ step }) => step)];
    once(m, o);
    once(m, o);
    expect(moved(before, read(m)).a).toBeGreaterThan(0);
    // It goes on from the step that it was at.
    const counted = steps.map((step) => (step === undefined ? undefined : Number(step) + 2));
    if (!closed) expect(buffers(o, "a").map(({ step }) => step)).toEqual(counted);
  });

  it("does with a frozen layer as if the optimizer had none", () => {
    const [m, alone] = [layers(), layers()];
    const o = make(m);
    const other = k.opt(name, k.child(alone, "b"), { lr: 0.01, ...decays[name], fused } as never);
    k.gradflag(k.child(m, "a"), false);
    k.gradflag(k.child(alone, "a"), false);
    // Gradients that are excluded from norms and clipping.
    for (const x of [k.parm(m, "a.weight"), k.parm(m, "a.bias")]) k.grad(x, k.full(k.size(x), 1e9));
    const options = closed ? {} : { clipnorm: 0.1 };
    for (let i = 0; i < 5; i++) {
      closure(m, o, options, () => k.zerograd(k.child(m, "b")));
      closure(alone, other, options, () => k.zerograd(k.child(alone, "b")));
    }
    expect(read(m)).toEqual(read(alone));
  });

  it("leaves an infinite parameter and one that is no number as they are", () => {
    const x = k.tensor([Number.POSITIVE_INFINITY, Number.NaN, -0]);
    const y = k.tensor([1, 2, 3], "grad");
    const o = k.opt(name, k.vector(x, y), { lr: 0.01, ...decays[name], fused } as never);
    for (let i = 0; i < 3; i++) {
      k.step(o, () => {
        k.zerograd(o);
        k.grad(x, [1, 1, 1]);
        const loss = k.mse(y, [0, 0, 0]);
        k.backward(loss);
        return loss;
      });
    }
    expect(k.tensor(x)).toEqual([Number.POSITIVE_INFINITY, Number.NaN, -0]);
    expect(k.tensor(y)).not.toEqual([1, 2, 3]);
  });

  it("does not move under run, batch and fit", async () => {
    const m = layers();
    const o = make(m);
    const model = k.model(m, k.loss("mse"), o);
    k.train(model, { batchsize: 2 });
    k.train(model, X, Y);
    const fluent = new k.Model(new k.Module(m), "mse", new k.Optimizer(o));
    const fit = async () => {
      for await (const _ of fluent.fit({ inputs: X, targets: Y }, { epochs: 2 }));
    };
    k.run(model);
    await fit();
    k.gradflag(k.child(m, "a"), false);
    const start = read(m);
    k.run(model);
    k.batch(model);
    await fit();
    const still = moved(start, read(m));
    expect(still.a).toBe(0);
    expect(still.b).toBeGreaterThan(0);
  });
});

describe("a step that zeroes gradients", () => {
  it.each(made.filter(({ name }) => name !== "lbfgs"))(
    "zeroes those that are frozen too: $name, fused $fused",
    ({ name, fused }) => {
      const [x, y] = [k.tensor([1, 2], "grad"), k.tensor([3], "grad")];
      const o = k.opt(name, k.vector(x, y), { fused } as never);
      for (let i = 0; i < 3; i++) {
        k.gradflag(x, true);
        k.grad(x, [5, 6]);
        k.grad(y, [7]);
        k.step(o);
        k.gradflag(x, false);
        k.step(o, { zerograd: true });
        expect([k.grad(x), k.grad(y)]).toEqual([[0, 0], [0]]);
      }
      // Nothing else has changed: the flag may be switched on, and no step had to be made for that to be noticed.
      k.grad(x, [5, 6]);
      const before = k.tensor(x);
      k.step(o);
      expect(k.tensor(x)).toEqual(before);
      k.gradflag(x, true);
      k.step(o);
      expect(k.tensor(x)).not.toEqual(before);
    },
  );
});

it("a step that freezes a parameter leaves graphs through it valid, and averages still", () => {
  const x = k.tensor([2], "grad");
  const y = k.tensor([3], "grad");
  const o = k.opt("adam", k.vector(x, y), { average: 0.5 });
  for (let i = 0; i < 2; i++) {
    k.grad(x, [1]);
    k.grad(y, [1]);
    k.step(o);
  }
  k.gradflag(x, false);
  const average = () => k.state(o).parms[0]?.buffers.param_average;
  const [before, loss] = [average(), k.mse(x, [0])];
  expect(k.gradflag(loss)).toBe(false);
  k.gradflag(x, true);
  const graph = k.mse(x, [0]);
  k.gradflag(x, false);
  k.step(o);
  k.step(o);
  expect(average()).toEqual(before);
  k.gradflag(x, true);
  k.nograd(x);
  k.backward(graph);
  const [value = Number.NaN] = k.tensor(x) as number[];
  expect(k.grad(x)).toEqual([2 * value]);
});

it("lbfgs begins anew where a layer is frozen after a state without frozen layers was restored", () => {
  for (const fused of differences.implementations) {
    const train = (m: k.ModuleHandle, o: k.OptimizerHandle) => closure(m, o, {}, () => k.zerograd(o));
    const m = layers();
    const o = k.opt("lbfgs", m, { iter: 3, eval: 20, fused });
    train(m, o);
    const [module, state] = [k.state(m), k.state(o)];
    expect(Object.keys(state.parms[0]?.buffers ?? {})).not.toContain("frozen");
    const copy = k.module(module);
    const restored = k.opt(state, copy);
    for (const [own, optimizer] of [
      [m, o],
      [copy, restored],
    ] as const) {
      k.gradflag(k.child(own, "a"), false);
      train(own, optimizer);
      expect(k.state(optimizer).parms[0]?.buffers.n_iter).toBe(3);
    }
    expect(read(copy)).toEqual(read(m));
    for (const frozen of [[4], [-1], [0.5], ["0"], null]) {
      const [first, ...others] = state.parms;
      const changed = { ...state, parms: [{ ...first, buffers: { ...first?.buffers, frozen } }, ...others] };
      const code = typeof frozen?.[0] === "number" ? "ERR_PARAMETER" : "ERR_ARGUMENT";
      expectError(code, () => k.opt(changed as never, copy));
    }
  }
});

it("lbfgs begins anew once other parameters are trained, and resumes from a state with what is frozen", () => {
  for (const fused of differences.implementations) {
    const train = (m: k.ModuleHandle, o: k.OptimizerHandle) => closure(m, o, {}, () => k.zerograd(o));
    const m = layers();
    const o = k.opt("lbfgs", m, { iter: 3, eval: 20, fused });
    const a = k.child(m, "a");
    train(m, o);
    const iterations = () => Number(k.state(o).parms[0]?.buffers.n_iter);
    expect(iterations()).toBe(3);
    k.gradflag(a, false);
    train(m, o);
    expect(iterations()).toBe(3);
    train(m, o);
    expect(iterations()).toBe(6);
    const [module, state] = [k.state(m), k.state(o)];
    const copy = k.module(module);
    k.gradflag(k.child(copy, "a"), false);
    const resumed = k.opt(state, copy);
    train(copy, resumed);
    train(m, o);
    expect(read(copy)).toEqual(read(m));
    // With the flag on, the restored curvature belongs to other parameters.
    // A state that was learned with a frozen layer is not used once the layer is released, before or after it is restored.
    const rest = [k.state(m), k.state(o)] as const;
    expect(rest[1].parms[0]?.buffers.frozen).toEqual([0, 1]);
    for (const order of ["released before", "released after", "frozen after"] as const) {
      const module = k.module(rest[0]);
      const layer = k.child(module, "a");
      if (order !== "frozen after") k.gradflag(layer, order === "released before");
      const restored = k.opt(rest[1], module);
      k.gradflag(layer, order !== "frozen after");
      train(module, restored);
      expect([order, k.state(restored).parms[0]?.buffers.n_iter]).toEqual([order, order === "frozen after" ? 12 : 3]);
    }
    // With the flag on, what is restored was learned of other parameters.
    k.gradflag(a, true);
    const released = k.module(k.state(m));
    const anew = k.opt(k.state(o), released);
    train(m, o);
    expect(iterations()).toBe(3);
    train(released, anew);
    expect(read(released)).toEqual(read(m));
    train(m, o);
    train(released, anew);
    expect(read(released)).toEqual(read(m));
  }
});
