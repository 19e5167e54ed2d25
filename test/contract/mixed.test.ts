import { deserialize, serialize } from "node:v8";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

const dtypes = supported("float", "double", "half", "bfloat16");
type Dtype = (typeof dtypes)[number];
const firstOrder = optimizers.filter((name) => name !== "lbfgs");

/** Options that use every buffer that an optimizer has. */
const busy: { readonly [name: string]: object } = {
  adagrad: { lrdecay: 0.1, init: 0.1 },
  adam: { amsgrad: true },
  adamw: { amsgrad: true, decay: 0.1 },
  lamb: { decay: 0.1 },
  rmsprop: { momentum: 0.5, centered: true },
  sgd: { momentum: 0.9, dampening: 0.1 },
};

/** More than a block, and not a multiple of it. */
const shapes = [[601, 2], [3]] as const;
const specification = k.seq("sequential", ["linear", "a", 2, 601, false], ["layernorm", "b", 3]);

const make = (dtype: Dtype) => {
  k.seed(5);
  const m = k.module(specification);
  k.to(m, dtype);
  return m;
};
const parameters = (m: k.ModuleHandle) => k.parmnames(m).map((name) => k.parm(m, name));
const contents = (m: k.ModuleHandle) => parameters(m).map((x) => k.data(x));

/** Gradients that depend on the step only; every third step leaves the last parameter out. */
const setGradients = (m: k.ModuleHandle, step: number, scale = 1) => {
  for (const [p, x] of parameters(m).entries()) {
    const size = k.size(x);
    const data = Float64Array.from({ length: k.elements(x) }, (_, i) => scale * Math.sin(i + 7 * p + 11 * step));
    if (p === 2 && step % 3 === 0) k.nograd(x);
    else k.grad(x, { data, shape: size } as never);
  }
};
const train = (m: k.ModuleHandle, o: k.OptimizerHandle, from: number, to: number) => {
  for (let step = from; step < to; step++) {
    setGradients(m, step);
    k.step(o);
  }
};
/** A state without the addresses of tensors. */
const stateOf = (o: k.OptimizerHandle) => {
  const { parms, ...rest } = k.state(o);
  return { ...rest, parms: parms.map(({ pointer: _, ...row }) => row) };
};
const copy = <Data>(data: Data): Data => deserialize(serialize(data));

it("the parameters of these tests are larger than a block", () => {
  const m = make("float");
  expect(parameters(m).map((x) => k.size(x))).toEqual([[601, 2], [3], [3]]);
  expect(shapes[0]).toEqual(k.size(k.parm(m, "a.weight")));
});

/** Buffers that an optimizer may keep in 16 bits; adagrad has none. */
const averages: readonly string[] = ["exp_avg", "momentum_buffer"];
const reducible: readonly string[] = firstOrder.filter((name) => name !== "adagrad");

const cases = firstOrder.flatMap((name) =>
  dtypes.flatMap((dtype) =>
    (reducible.includes(name) ? (["full", "bfloat16"] as const) : (["full"] as const)).flatMap((moments) =>
      [null, 0.9].map((average) => ({ name, dtype, moments, average })),
    ),
  ),
);

describe.each(cases)("$name, $dtype, moments $moments, average $average", ({ name, dtype, moments, average }) => {
  const options = { lr: 0.05, ...busy[name], moments, average };

  if (dtype === "double" && moments === "bfloat16") {
    it("are refused", () => {
      const m = make(dtype);
      const o = k.opt(name, m, options as never);
      setGradients(m, 1);
      const before = [contents(m), stateOf(o)];
      const message = expectError("ERR_OPTION_RANGE", () => k.step(o));
      expect(message).toBe('step: moments: expected "full" for parameters of dtype double, given "bfloat16"');
      expect([contents(m), stateOf(o)]).toEqual(before);
    });
    return;
  }

  it("resume to the bit", () => {
    const m = make(dtype);
    const o = k.opt(name, m, options as never);
    k.lossscale(o, { init: 2, interval: 2 });
    train(m, o, 1, 4);
    const saved = copy({ module: k.state(m), optimizer: k.state(o) });
    const other = k.module(saved.module);
    const resumed = k.opt(saved.optimizer, other);
    expect(stateOf(resumed)).toEqual(stateOf(o));
    train(m, o, 4, 9);
    train(other, resumed, 4, 9);
    expect(contents(other)).toEqual(contents(m));
    expect(stateOf(resumed)).toEqual(stateOf(o));
    const keys = stateOf(o).parms.map(({ buffers }) => Object.keys(buffers));
    for (const row of keys) {
      expect(row.includes("master_param")).toBe(dtype === "half" || dtype === "bfloat16");
      expect(row.includes("param_average")).toBe(average !== null);
    }
  });
});

describe.each(firstOrder)("%s", (name) => {
  type Buffers = { [key: string]: k.TypedTensor };
  const formula = (o: k.OptimizerHandle) =>
    k.help("optimizer").length > 0
      ? Object.entries(k.state(o).parms[0]?.buffers ?? {}).flatMap(([key, value]) =>
          typeof value === "object" && value !== null && key !== "master_param" ? [key] : [],
        )
      : [];

  // The expected values are rounded by the engine's own conversion.
  const rounds = supported("bfloat16").length > 0 && reducible.includes(name);
  const rounding = rounds ? supported("float", "half", "bfloat16") : [];
  it.each(rounding)("of %s converts its moments to bfloat16 and back", (dtype) => {
    const m = make(dtype);
    const o = k.opt(name, m, { lr: 0.05, ...busy[name] } as never);
    train(m, o, 1, 4);
    for (const moments of ["bfloat16", "full"] as const) {
      // The state with its buffers rounded, or widened, by `to`.
      const saved = copy({ module: k.state(m), optimizer: k.state(o) });
      for (const { buffers } of saved.optimizer.parms as unknown as { buffers: Buffers }[]) {
        for (const key of averages) {
          const buffer = buffers[key];
          if (buffer === undefined) continue;
          const x = k.tensor(Float32Array.from(buffer.data as Float32Array), { shape: buffer.shape });
          buffers[key] = moments === "bfloat16" ? k.data(k.to(x, "bfloat16")) : k.data(x);
        }
      }
      const other = k.module(saved.module);
      const resumed = k.opt(saved.optimizer, other);
      for (const each of [o, resumed]) k.opt(each, 0, [], { moments } as never);
      train(m, o, 4, 7);
      train(other, resumed, 4, 7);
      expect(contents(other)).toEqual(contents(m));
      expect(stateOf(resumed)).toEqual(stateOf(o));
      const first = stateOf(o).parms[0]?.buffers as unknown as Buffers;
      for (const key of formula(o)) {
        expect(first[key]?.dtype).toBe(moments === "bfloat16" && averages.includes(key) ? "bfloat16" : undefined);
      }
    }
  });

  it("keeps its state when a module is converted to double", () => {
    const m = make("float");
    const o = k.opt(name, m, { lr: 0.05, ...busy[name] } as never);
    train(m, o, 1, 4);
    k.to(m, "double");
    // A state that was saved in between restores and converts, too.
    const saved = copy({ module: k.state(m), optimizer: k.state(o) });
    const widened = copy(saved.optimizer);
    for (const { buffers } of widened.parms as unknown as { buffers: Buffers }[]) {
      for (const key of formula(o)) {
        const buffer = buffers[key];
        if (buffer) buffers[key] = { data: Float64Array.from(buffer.data as Float32Array), shape: buffer.shape };
      }
    }
    const ways = [saved.optimizer, widened].map((state) => {
      const other = k.module(saved.module);
      return { other, resumed: k.opt(state, other) };
    });
    train(m, o, 4, 7);
    for (const { other, resumed } of ways) {
      train(other, resumed, 4, 7);
      expect(contents(other)).toEqual(contents(m));
      expect(stateOf(resumed)).toEqual(stateOf(o));
    }
  });

  it.each(supported("half", "bfloat16"))("keeps its state when a module is converted to %s and back", (dtype) => {
    const m = make("float");
    const reference = make("float");
    const [o, beside] = [m, reference].map((module) => k.opt(name, module, { lr: 0.05, ...busy[name] } as never));
    if (o === undefined || beside === undefined) throw new Error("two optimizers");
    train(m, o, 1, 4);
    train(reference, beside, 1, 4);
    k.to(m, dtype);
    // The result of a float optimizer on the rounded weights and gradients.
    for (const [i, x] of parameters(reference).entries()) k.copyto(contents(m)[i] as never, x);
    for (let step = 4; step < 7; step++) {
      setGradients(m, step);
      for (const [i, x] of parameters(reference).entries()) {
        const gradient = k.grad(parameters(m)[i] as k.TensorHandle);
        if (gradient === undefined) k.nograd(x);
        else k.grad(x, gradient);
      }
      k.step(o);
      k.step(beside);
    }
    const masters = k.state(o).parms.map(({ buffers }) => buffers.master_param as k.TypedTensor);
    expect(masters.map(({ data, shape }) => ({ data, shape }))).toEqual(contents(reference));
    const rounded = parameters(reference).map((x) => k.data(k.to(x, dtype)));
    expect(contents(m)).toEqual(rounded);
    k.to(m, "float");
    train(m, o, 7, 8);
    expect(k.state(o).parms.flatMap(({ buffers }) => Object.keys(buffers))).not.toContain("master_param");
  });

  it.each(supported("half", "bfloat16"))("goes on from a parameter of %s that was set", (dtype) => {
    const m = make(dtype);
    const o = k.opt(name, m, { lr: 0.05, ...busy[name] } as never);
    train(m, o, 1, 3);
    const weight = k.parm(m, "b.weight");
    k.copyto([2, -3, 4], weight);
    const saved = copy({ module: k.state(m), optimizer: k.state(o) });
    for (const row of saved.optimizer.parms as unknown as { name: string; buffers: Buffers }[]) {
      if (row.name === "b.weight") row.buffers.master_param = { data: Float32Array.of(2, -3, 4), shape: [3] };
    }
    const other = k.module(saved.module);
    const resumed = k.opt(saved.optimizer, other);
    train(m, o, 3, 5);
    train(other, resumed, 3, 5);
    expect(stateOf(resumed)).toEqual(stateOf(o));
    expect(contents(other)).toEqual(contents(m));
  });
});

it.runIf(differences.implementations.includes(false))(
  "master weights are not given to an optimizer without them",
  () => {
    const m = make("half");
    const o = k.opt("adam", m, 0.05);
    train(m, o, 1, 3);
    const saved = { ...k.state(o), fused: false };
    const before = k.handlecount();
    expect(expectError("ERR_FORMAT", () => k.opt(saved as never, m))).toMatch(/master_param: .* expected fused: true$/);
    expect(k.handlecount()).toBe(before);
  },
);

describe("averages", () => {
  const trained = (dtype: Dtype, steps = 5) => {
    const m = make(dtype);
    const o = k.opt("adam", m, { lr: 0.05, average: 0.8 });
    train(m, o, 1, 1 + steps);
    return { m, o };
  };

  it.each(dtypes)("of %s are swapped and back to the bit", (dtype) => {
    const { m, o } = trained(dtype);
    const [weights, before] = [contents(m), stateOf(o)];
    const averages = k.state(o).parms.map(({ buffers }) => buffers.param_average as k.TypedTensor);
    expect(k.average(o)).toBe(true);
    for (const [i, x] of parameters(m).entries()) {
      const { data, shape } = averages[i] as k.TypedTensor;
      expect(k.data(x)).toEqual(k.data(k.to(k.tensor(data as Float32Array, { shape }), dtype)));
    }
    expect(contents(m)).not.toEqual(weights);
    setGradients(m, 6);
    const during = [contents(m), stateOf(o)];
    expect(expectError("ERR_PARAMETER", () => k.step(o))).toBe(
      "step: parameters and their averages are swapped: swap them back first, by average(optimizer)",
    );
    let calls = 0;
    expectError("ERR_PARAMETER", () => k.step(o, () => ++calls));
    expect([calls, contents(m), stateOf(o)]).toEqual([0, ...during]);
    expect(k.state(o).averaged).toBe(true);
    expect(k.average(o)).toBe(false);
    expect([contents(m), stateOf(o)]).toEqual([weights, before]);
    k.step(o);
  });

  it.each(dtypes)("of %s are swapped in a state that was saved meanwhile, too", (dtype) => {
    const { m, o } = trained(dtype);
    k.average(o);
    const saved = copy({ module: k.state(m), optimizer: k.state(o) });
    const other = k.module(saved.module);
    const resumed = k.opt(saved.optimizer, other);
    setGradients(other, 6);
    expectError("ERR_PARAMETER", () => k.step(resumed));
    k.average(o);
    k.average(resumed);
    train(m, o, 6, 8);
    train(other, resumed, 6, 8);
    expect(contents(other)).toEqual(contents(m));
    expect(stateOf(resumed)).toEqual(stateOf(o));
  });

  it.each(supported("bfloat16"))("do not lose a parameter of %s that was set meanwhile", (dtype) => {
    const { m, o } = trained(dtype);
    k.copyto([2, -3, 4], k.parm(m, "b.weight"));
    k.average(o);
    k.average(o);
    expect(k.tensor(k.parm(m, "b.weight"))).toEqual([2, -3, 4]);
  });

  it("are not there before the first step, nor without the option", () => {
    const { m, o } = trained("float", 0);
    const before = contents(m);
    expect(expectError("ERR_ARGUMENT", () => k.average(o))).toContain("average: no averages yet");
    const plain = k.opt("sgd", make("float"));
    expectError("ERR_ARGUMENT", () => k.average(plain));
    expectError("ERR_ARGUMENT", () => k.average(k.opt("lbfgs", make("float"))));
    expectError("ERR_OPTION_RANGE", () => k.opt("sgd", { average: 1 }));
    expectError("ERR_OPTION_RANGE", () => k.opt("sgd", { average: 0.5, fused: false }));
    expectError("ERR_OPTION_UNKNOWN", () => k.opt("lbfgs", { average: 0.5 } as never));
    expect(contents(m)).toEqual(before);
  });

  it("are used by a model, in both layers", () => {
    const { m, o } = trained("float");
    const averages = k.state(o).parms.map(({ buffers }) => buffers.param_average as k.TypedTensor);
    expect(k.average(k.model(m, k.loss("mse"), o))).toBe(true);
    expect(contents(m)).toEqual(averages);
    expect(new k.Optimizer(o).average()).toBe(false);
    const built = k
      .optimizer("adam")
      .average(0.5)
      .build(new k.Module(make("float")));
    expect(built.definition().options).toMatchObject([{ average: 0.5 }]);
  });
});
