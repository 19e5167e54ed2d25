// Gradients that are not finite in a step, a training and a fit, for every optimizer.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const policies = ["skip", "error"] as const;
const implementations = (name: string) => (name === "lamb" ? [true] : differences.implementations);
const cases = optimizers.flatMap((name) => implementations(name).map((fused) => ({ name, fused })));
const firstOrder = cases.filter(({ name }) => name !== "lbfgs");

/** A layer with statistics and one after it, with gradients everywhere. */
function network(name: k.OptimizerName, fused: boolean, options: object = {}, dtype: k.Dtype = "float") {
  k.seed(5);
  const m = k.module(k.seq("sequential", ["linear", "in", 3, 4], ["batchnorm", "norm", 4], ["linear", "out", 4, 2]));
  k.to(m, dtype);
  const o = k.opt(name as "adam", m, { fused, ...options } as never);
  return { m, o };
}

/** Everything that a step may change. */
const everything = (m: k.ModuleHandle, o: k.OptimizerHandle) => ({ module: k.state(m), state: k.state(o) });

function setGradients(m: k.ModuleHandle, seed: number, place?: string, value?: number) {
  for (const name of k.parmnames(m)) {
    const x = k.parm(m, name);
    const count = k.size(x).reduce((a, b) => a * b, 1);
    const g = Array.from({ length: count }, (_, i) => Math.sin(seed + i));
    if (name === place) g[count - 1] = value as number;
    k.grad(x, k.tensor(g, { shape: k.size(x), dtype: k.dtype(x) }));
  }
}

const gradients = (m: k.ModuleHandle) => k.parmnames(m).map((name) => k.grad(k.parm(m, name)));

describe.each(firstOrder)("$name, fused $fused", ({ name, fused }) => {
  const variants: readonly object[] = name === "lamb" ? [{}, { globalnorm: false }, { max_grad_norm: 1 }] : [{}];

  it.each(variants)("changes nothing, at the first step and later: %o", (options) => {
    for (const clip of [{}, { clipnorm: 1 }, { clipvalue: 1 }]) {
      for (const steps of [0, 2]) {
        const { m, o } = network(name, fused, options);
        for (let i = 0; i < steps; i++) {
          setGradients(m, i);
          k.step(o);
        }
        for (const [i, value] of bad.entries()) {
          setGradients(m, 7, "out.weight", value);
          const before = { ...everything(m, o), gradients: gradients(m) };
          const message = expectError("ERR_GRADIENT", () => k.step(o, { ...clip, zerograd: true, nonfinite: "error" }));
          expect(message).toBe(
            `step: expected finite gradients, given ${String(value).replace("Infinity", "inf")} in the gradient of parameter \`out.weight\``,
          );
          expect({ ...everything(m, o), gradients: gradients(m) }).toEqual(before);
          k.step(o, { ...clip, nonfinite: "skip" });
          expect({ ...everything(m, o), gradients: gradients(m) }).toEqual(before);
          expect(k.skipped(o)).toBe(2 * i + 1);
          k.step(o, { ...clip, zerograd: true, nonfinite: "skip" });
          expect(everything(m, o)).toEqual({ module: before.module, state: before.state });
          expect(
            gradients(m)
              .flat(9)
              .every((g) => g === 0),
          ).toBe(true);
          expect(k.skipped(o)).toBe(2 * i + 2);
        }
      }
    }
  });

  it("goes on afterwards as if nothing had been", () => {
    const { m, o } = network(name, fused);
    const plain = network(name, fused);
    for (const policy of policies) {
      setGradients(m, 1, "norm.bias", Number.NaN);
      if (policy === "error") expectError("ERR_GRADIENT", () => k.step(o, { nonfinite: policy }));
      else k.step(o, { nonfinite: policy });
      for (const x of [{ m, o }, plain]) {
        setGradients(x.m, 2);
        k.step(x.o, { nonfinite: policy });
      }
    }
    expect(k.state(m)).toEqual(k.state(plain.m));
    expect(k.state(o).parms.map((row) => row.buffers)).toEqual(k.state(plain.o).parms.map((row) => row.buffers));
  });

  it("propagates by default, and where it is told to", () => {
    for (const options of [undefined, { nonfinite: "propagate" }] as const) {
      const { m, o } = network(name, fused);
      setGradients(m, 1, "in.bias", Number.NaN);
      k.step(o, options);
      expect((k.tensor(k.parm(m, "in.bias")) as number[])[3]).toBeNaN();
      expect(k.skipped(o)).toBe(0);
    }
  });

  it("sets back what a closure has run", () => {
    const { m, o } = network(name, fused);
    const closure = (value: number) => () => {
      k.zerograd(o);
      const loss = k.mse(
        k.forward(m, [
          [1, 2, value],
          [3, 4, 5],
        ]),
        [
          [1, 1],
          [0, 0],
        ],
      );
      k.backward(loss);
      return loss;
    };
    k.step(o, closure(1), { nonfinite: "error" });
    const before = everything(m, o);
    expectError("ERR_GRADIENT", () => k.step(o, closure(Number.NaN), { nonfinite: "error" }));
    expect(everything(m, o)).toEqual(before);
    expect(k.step(o, closure(Number.NaN), { nonfinite: "skip" })).toBeNaN();
    expect(everything(m, o)).toEqual(before);
    expect(k.skipped(o)).toBe(1);
  });
});

it.each(supported("double", "half", "bfloat16"))("parameters of %s, too", (dtype) => {
  for (const { name } of firstOrder.filter(({ fused }) => fused)) {
    const { m, o } = network(name, true, {}, dtype);
    setGradients(m, 1);
    k.step(o);
    setGradients(m, 2, "in.weight", Number.POSITIVE_INFINITY);
    const before = everything(m, o);
    expectError("ERR_GRADIENT", () => k.step(o, { nonfinite: "error" }));
    k.step(o, { nonfinite: "skip" });
    expect(everything(m, o)).toEqual(before);
  }
});

it("a gradient of 64 bits whose square is no number is finite", () => {
  const x = k.tensor([1], "double", "grad");
  const o = k.opt("sgd", x, { lr: 1 });
  k.grad(x, k.tensor([1e200], "double"));
  k.step(o, { nonfinite: "error", clipvalue: 1 });
  expect([k.tensor(x), k.skipped(o)]).toEqual([[0], 0]);
});

it.each(cases)("a frozen parameter's gradient is not taken: $name, fused $fused", ({ name, fused }) => {
  const [a, b] = [k.tensor([1], "grad"), k.tensor([1], "grad")];
  const o = k.opt(name as "adam", k.vector(a, b), { fused });
  k.grad(a, [Number.NaN]);
  k.grad(b, [1]);
  k.gradflag(a, false);
  k.step(o, () => 1, { nonfinite: "error" });
  expect(k.tensor(a)).toEqual([1]);
  expect((k.tensor(b) as number[])[0]).toBeLessThan(1);
  expect(k.skipped(o)).toBe(0);
});

it("names a loose parameter as the state does", () => {
  const [a, b] = [k.tensor([1], "grad"), k.tensor([1], "grad")];
  const o = k.opt("sgd", k.dict({ first: a, second: b }));
  k.grad(a, [1]);
  k.grad(b, [Number.NaN]);
  const name = k.state(o).parms[1]?.name;
  expect(expectError("ERR_GRADIENT", () => k.step(o, { nonfinite: "error" }))).toContain(`parameter \`${name}\``);
});

describe.each(cases.filter(({ name }) => name === "lbfgs"))("lbfgs, fused $fused", ({ fused }) => {
  it.each<{ search?: string }>([{}, { search: "strong_wolfe" }])(
    "%o changes nothing, wherever it meets what is not finite",
    (options) => {
      // The line search needs no third evaluation.
      for (const at of options.search ? [1, 2] : [1, 2, 3]) {
        const x = k.tensor([3, -2], "double", "grad");
        const o = k.opt("lbfgs", x, { lr: 0.1, iter: 4, fused, ...options } as never);
        let calls = 0;
        const closure = (last: number) => () => {
          k.nograd(x);
          const loss = k.mse(x, [0, 0]);
          k.backward(loss);
          if (++calls === last) k.grad(x, k.tensor([Number.NaN, 1], "double"));
          return loss;
        };
        k.step(o, closure(0), { nonfinite: "error" });
        k.copyto(k.tensor([5, 7], "double"), x);
        const before = [k.data(x), k.state(o)];
        calls = 0;
        const message = expectError("ERR_GRADIENT", () => k.step(o, closure(at), { nonfinite: "error" }));
        expect(message).toContain("expected finite gradients, given NaN in the gradient of parameter `0`");
        expect([k.data(x), k.state(o)]).toEqual(before);
        calls = 0;
        const first = k.tensor(k.mse(x, [0, 0]));
        expect(k.step(o, closure(at), { nonfinite: "skip" })).toBe(first);
        expect([k.data(x), k.state(o), k.skipped(o)]).toEqual([...before, 1]);
        expectError("ERR_GRADIENT", () => k.step(o, () => Number.POSITIVE_INFINITY, { nonfinite: "error" }));
        expect([k.data(x), k.state(o)]).toEqual(before);
      }
    },
  );
});

describe("with a loss scale", () => {
  it("a step is skipped as before, which is counted, and is no error", () => {
    const { m, o } = network("adam", true);
    k.lossscale(o, { init: 8 });
    const before = everything(m, o).module;
    setGradients(m, 1, "in.weight", Number.NaN);
    for (const nonfinite of ["error", "propagate"] as const) {
      const message = `step: nonfinite: expected skip with a loss scale, which skips such steps, given ${nonfinite}`;
      expect(expectError("ERR_ARGUMENT", () => k.step(o, { nonfinite }))).toBe(message);
      expect(expectError("ERR_ARGUMENT", () => k.step(o, () => 1, { nonfinite }))).toBe(message);
      const closure = () => {
        k.lossscale(o, { init: 8 });
        return 1;
      };
      k.nograd(o);
      k.lossscale(o, null);
      expect(expectError("ERR_ARGUMENT", () => k.step(o, closure, { nonfinite }))).toBe(message);
      setGradients(m, 1, "in.weight", Number.NaN);
    }
    expect([k.lossscale(o)?.scale, k.skipped(o)]).toEqual([8, 0]);
    k.step(o);
    k.step(o, { nonfinite: "skip" });
    expect([k.lossscale(o)?.scale, k.lossscale(o)?.skipped, k.skipped(o)]).toEqual([2, 2, 2]);
    expect(k.state(m)).toEqual(before);
  });

  it("a training takes no other policy, and skips without one", async () => {
    const trained = (policy?: k.NonFinitePolicy) => {
      const m = k.module(["linear", 1, 1]);
      const o = k.opt("adam", m);
      const model = k.model(m, k.loss("mse"), o);
      k.train(model, [[1], [Number.NaN]], [[1], [2]]);
      k.train(model, { batchsize: 1, ...(policy && { nonfinite: policy }) });
      // Another option leaves it as it was given.
      k.train(model, { droplast: true });
      k.lossscale(o, { init: 8 });
      return { m, o, model };
    };
    for (const policy of [undefined, "skip"] as const) {
      const { o, model } = trained(policy);
      k.run(model);
      expect([k.skipped(o), k.lossscale(o)?.scale]).toEqual([1, 4]);
    }
    for (const policy of ["propagate", "error"] as const) {
      const { m, o, model } = trained(policy);
      const before = everything(m, o);
      const message = `nonfinite: expected skip with a loss scale, which skips such steps, given ${policy}`;
      expect(expectError("ERR_ARGUMENT", () => k.run(model))).toBe(`run: ${message}`);
      expect(expectError("ERR_ARGUMENT", () => k.batch(model))).toBe(`batch: ${message}`);
      const fluent = new k.Model(new k.Module(m), "mse", new k.Optimizer(o));
      const fit = async (nonfinite?: k.NonFinitePolicy) => {
        for await (const _ of fluent.fit({ inputs: [[1]], targets: [[1]] }, { ...(nonfinite && { nonfinite }) }));
      };
      await expect(fit(policy)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
      expect(everything(m, o)).toEqual(before);
      k.lossscale(o, null);
      if (policy === "propagate") expect(k.run(model)).toBeNaN();
    }
  });
});

describe.each([...firstOrder.filter(({ fused }) => fused), { name: "lbfgs" as const }])(
  "training with $name",
  ({ name }) => {
    const inputs = [
      [1, 2, 3],
      [4, 5, Number.NaN],
      [2, 1, 0],
      [0, 1, 1],
    ];
    const targets = [
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 0],
    ];
    const model = (nonfinite: k.NonFinitePolicy) => {
      const { m, o } = network(name, true);
      const model = k.model(m, k.loss("mse"), o);
      k.train(model, { batchsize: 2, nonfinite });
      expect(k.train(model)).toMatchObject({ nonfinite });
      k.train(model, inputs, targets);
      return { m, o, model };
    };

    it("leaves the batch out, statistics included", () => {
      const { m, o, model: all } = model("skip");
      k.run(all);
      const { m: other, o: rest, model: good } = model("skip");
      k.train(good, inputs.slice(2), targets.slice(2));
      k.run(good);
      expect(k.state(m)).toEqual(k.state(other));
      expect([k.skipped(o), k.skipped(rest)]).toEqual([1, 0]);
      expect(k.batch(all)).toBeNaN();
      expect(k.state(m)).toEqual(k.state(other));
    });

    it("ends with the name of the parameter", () => {
      const { m, o, model: all } = model("error");
      const before = everything(m, o);
      expectError("ERR_GRADIENT", () => k.batch(all));
      expectError("ERR_GRADIENT", () => k.run(all));
      expect(everything(m, o)).toEqual(before);
    });

    it("by fit, too", async () => {
      const data = { inputs, targets };
      const fitted = async (nonfinite: k.NonFinitePolicy) => {
        const { m, o } = network(name, true);
        const before = everything(m, o);
        const model = new k.Model(new k.Module(m), "mse", new k.Optimizer(o));
        const events = model.fit(data, { batchSize: 2, shuffle: false, nonfinite });
        const run = async () => {
          const told: k.FitEvent[] = [];
          for await (const event of events) told.push(event);
          return told;
        };
        return { m, o, before, model, run };
      };
      const skips = await fitted("skip");
      expect((await skips.run()).filter((event) => event.type === "step").length).toBe(2);
      expect(skips.model.optimizer.skipped).toBe(1);
      expect((k.tensor(k.evaluate(skips.m, [[1, 2, 3]])) as number[][]).flat().every(Number.isFinite)).toBe(true);
      const fails = await fitted("error");
      await expect(fails.run()).rejects.toMatchObject({ code: "ERR_GRADIENT" });
      expect(everything(fails.m, fails.o)).toEqual(fails.before);
    });
  },
);

it("refuses other words, and changes nothing", () => {
  const { m, o } = network("adam", true);
  setGradients(m, 1);
  const before = everything(m, o);
  for (const nonfinite of ["ignore", "Skip", ""]) {
    expectError("ERR_OPTION_RANGE", () => k.step(o, { nonfinite } as never));
  }
  for (const nonfinite of [true, 1, null]) {
    expectError("ERR_OPTION_TYPE", () => k.step(o, { nonfinite } as never));
  }
  expect(everything(m, o)).toEqual(before);
});
