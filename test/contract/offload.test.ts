// `offload: true` gives the results of a step in the memory of the parameters, to the bit.

import { deserialize, serialize } from "node:v8";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

const dtypes = supported("float", "double", "half", "bfloat16");
type Dtype = (typeof dtypes)[number];
const firstOrder = optimizers.filter((name) => name !== "lbfgs");

/** Calls as JavaScript makes them, without types in the way. */
const untyped = k.opt as (...args: unknown[]) => k.OptimizerHandle;

/** Options that use every buffer that an optimizer has. */
const busy: { readonly [name: string]: object } = {
  adagrad: { lrdecay: 0.1, init: 0.1 },
  adam: { amsgrad: true },
  adamw: { amsgrad: true, decay: 0.1 },
  lamb: { decay: 0.1 },
  rmsprop: { momentum: 0.5, centered: true },
  sgd: { momentum: 0.9, dampening: 0.1 },
};

/** More than a block, a size that is not a multiple of it, one element, and none at all. */
const shapes = [[601, 2], [7], [1], [0, 3]];

const make = (dtype: Dtype) =>
  shapes.map((shape, p) => {
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(i + 3 * p));
    return k.tensor({ data, shape } as never, "grad", dtype);
  });

/** Gradients that depend on the step only. Every third step leaves a parameter out. */
const setGradients = (tensors: readonly k.TensorHandle[], step: number, scale = 1) => {
  for (const [p, x] of tensors.entries()) {
    const data = Float64Array.from({ length: k.elements(x) }, (_, i) => scale * Math.sin(i + 7 * p + 11 * step));
    if (p === 1 && step % 3 === 0) k.nograd(x);
    else k.grad(x, { data, shape: shapes[p] } as never);
  }
};

/** A state without the addresses of tensors, and without the mode. */
const stateOf = (o: k.OptimizerHandle) => {
  const { parms, offload: _, ...rest } = k.state(o);
  return { ...rest, parms: parms.map(({ pointer: _, ...row }) => row) };
};

/** All that a step may change. */
const seen = (tensors: readonly k.TensorHandle[], o: k.OptimizerHandle) => ({
  parameters: tensors.map((x) => k.data(x)),
  gradients: tensors.map((x) => k.grad(x)),
  state: stateOf(o),
  skipped: k.skipped(o),
});

/** Runs a program with parameters in two groups, offloaded and not, and compares all that it sees. */
function same(
  name: k.OptimizerName,
  dtype: Dtype,
  options: object,
  program: (tensors: k.TensorHandle[], o: k.OptimizerHandle, look: () => void) => void,
) {
  const run = (offload: boolean) => {
    const tensors = make(dtype);
    const o = untyped(name, k.vector(...tensors.slice(0, 2)), { lr: 0.05, ...options, offload });
    untyped(o, 1, k.vector(...tensors.slice(2)), { lr: 0.02 });
    const shots: unknown[] = [];
    program(tensors, o, () => shots.push(seen(tensors, o)));
    return shots;
  };
  const plain = run(false);
  expect(plain.length).toBeGreaterThan(0);
  expect(run(true)).toEqual(plain);
}

const cases = firstOrder.flatMap((name) => dtypes.map((dtype) => ({ name, dtype })));

describe.each(cases)("$name of $dtype, offloaded", ({ name, dtype }) => {
  const moments = name !== "adagrad" && dtype !== "double" ? ["full", "bfloat16"] : ["full"];

  it.each(moments)("steps to the bit, with moments %s", (moments) => {
    same(name, dtype, { ...busy[name], moments, average: 0.9 }, (tensors, o, look) => {
      for (let step = 1; step < 7; step++) {
        setGradients(tensors, step);
        k.step(o, { zerograd: step % 2 === 0 });
        look();
      }
      k.average(o);
      look();
    });
  });

  it("clips, and tells gradients that are not finite", () => {
    same(name, dtype, busy[name] ?? {}, (tensors, o, look) => {
      setGradients(tensors, 1);
      k.step(o, { clipnorm: 0.5 });
      look();
      k.step(o, { clipvalue: 0.25, zerograd: true });
      look();
      setGradients(tensors, 2);
      k.clip(o, 0.125);
      look();
      k.clipv(o, 0.0625);
      look();
      setGradients(tensors, 3, Number.POSITIVE_INFINITY);
      const message = expectError("ERR_GRADIENT", () => k.step(o, { nonfinite: "error", zerograd: true }));
      expect(message).toContain("expected");
      look();
      k.step(o, { nonfinite: "skip" });
      look();
      k.step(o, { nonfinite: "skip", zerograd: true });
      look();
    });
  });

  it("scales losses", () => {
    same(name, dtype, busy[name] ?? {}, (tensors, o, look) => {
      k.lossscale(o, { init: 8, interval: 2 });
      for (let step = 1; step < 6; step++) {
        setGradients(tensors, step, step === 3 ? Number.NaN : 8);
        k.step(o, { clipnorm: 1 });
        look();
      }
    });
  });

  it("sees parameters that changed since the step before", () => {
    same(name, dtype, busy[name] ?? {}, (tensors, o, look) => {
      const [first, second] = tensors as [k.TensorHandle, k.TensorHandle];
      setGradients(tensors, 1);
      k.step(o);
      k.copyto(Array.from({ length: 7 }, (_, i) => i) as never, second);
      k.step(o);
      look();
      k.gradflag(first, false);
      k.step(o, { zerograd: true });
      look();
      k.gradflag(first, true);
      setGradients(tensors, 2);
      k.step(o);
      look();
    });
  });
});

describe.each(optimizers)("%s", (name) => {
  const train = (offload: boolean) => {
    k.seed(1);
    const m = k.module(k.seq("sequential", ["linear", "a", 4, 3], "tanh", ["linear", "b", 3, 2]));
    let o = untyped(name, m, { lr: 0.05, offload });
    const [x, y] = [k.tensor([[0.5, -1, 2, 0.25]]), k.tensor([[1, 0]])];
    const losses: unknown[] = [];
    let module = m;
    for (let i = 0; i < 8; i++) {
      if (i === 3) k.gradflag(k.child(module, "a"), false);
      if (i === 5) {
        // All of it goes to plain data and back.
        const saved = deserialize(serialize({ module: k.state(module), optimizer: k.state(o) }));
        module = k.module(saved.module);
        k.gradflag(k.child(module, "a"), true);
        o = k.opt(saved.optimizer, module);
        expect(k.state(o).offload).toBe(offload ? true : undefined);
      }
      const closure = () => {
        k.zerograd(module);
        const loss = k.mse(k.forward(module, x), y);
        k.backward(loss);
        return loss;
      };
      losses.push(k.step(o, closure));
    }
    return { losses, parameters: k.parmnames(module).map((name) => k.data(k.parm(module, name))), state: stateOf(o) };
  };

  it("trains a module, freezes a layer and resumes to the bit", () => {
    expect(train(true)).toEqual(train(false));
  });

  it("makes an older graph an error", () => {
    if (name === "lbfgs") return;
    const x = k.tensor([1, 2], "grad");
    const o = untyped(name, x, { offload: true });
    const old = k.mse(x, [0, 0]);
    k.grad(x, [1, 1]);
    k.step(o);
    expect(expectError("ERR_ENGINE", () => k.backward(old))).toContain("outdated graph");
  });

  it("is chosen by name when it is made, and says so", () => {
    for (const named of [{ offload: true }, [["offload", true]], ["offload", true]]) {
      expect(k.opt(untyped(name, [], named)).offload).toBe(true);
      expect(k.opt(untyped(name, [], 0.5, named)).offload).toBe(true);
    }
    const o = untyped(name, [], { lr: 0.25, fused: true, offload: true });
    expect(k.state(o, false)).toMatchObject({ optimizer: name, offload: true });
    expect(String(o)).toContain(`Optimizer ${name} in host memory`);
    for (const plain of [untyped(name), untyped(name, [], { offload: false })]) {
      expect(Object.keys(k.opt(plain))).toEqual(["optimizer", "options", "parms"]);
    }
    const before = k.state(o);
    for (const offload of [true, false]) {
      const message = expectError("ERR_ARGUMENT", () => untyped(o, [], { lr: 0.5, offload }));
      expect(message).toBe(`opt: ${name} offload: can be given only when the optimizer is made`);
    }
    expect(k.state(o)).toEqual(before);
    expect(expectError("ERR_OPTION_TYPE", () => untyped(name, [], { offload: 1 }))).toBe(
      `opt: ${name} offload: expected a boolean, given 1`,
    );
  });

  it("is given once, as every option", () => {
    const m = k.module(["linear", 1, 1]);
    const made = k.opt as (...args: readonly unknown[]) => unknown;
    for (const name of ["offload", "fused"]) {
      const calls = [
        [{ [name]: true }, { [name]: false }],
        [[name, true, name, false]],
        [[name, true], { [name]: true }],
      ];
      for (const options of calls) {
        const message = expectError("ERR_ARGUMENT", () => made("adam", m, ...options));
        expect(message).toBe(`opt: adam ${name}: given twice`);
      }
    }
  });

  it("contradicts fused false", () => {
    const count = k.handlecount();
    const message = expectError("ERR_OPTION_RANGE", () => untyped(name, [], { fused: false, offload: true }));
    const why = "since only Stepwell's own steps can be offloaded";
    expect(message).toBe(`opt: ${name} offload: expected false with fused false, ${why}, given boolean true`);
    expect(k.handlecount()).toBe(count);
    expect(k.opt(untyped(name, [], { fused: true, offload: false })).offload).toBeUndefined();
  });
});

it("a builder offloads, and its JSON keeps it", () => {
  const m = k.module(["linear", 2, 1]);
  const builder = k.optimizer("adam").offload();
  expect(builder.toJSON()).toMatchObject({ offload: true });
  const again = k.optimizer.fromJSON(JSON.parse(JSON.stringify(builder)));
  for (const made of [builder, again]) expect(String(made.build(m))).toContain("in host memory");
  expect(String(builder.offload(false).build(m))).not.toContain("in host memory");
});
