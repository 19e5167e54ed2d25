import { deserialize, serialize } from "node:v8";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";
import { classes, inputs, network, values } from "./small-models.js";

afterEach(() => k.free());

const firstOrder = optimizers.filter((name) => name !== "lbfgs");
const dtypes = supported("float", "double", "half", "bfloat16");
const at = (x: k.TensorHandle) => k.tensor(x) as number[];

/** A parameter of three numbers with a gradient of norm 13. */
const parameter = (dtype: (typeof dtypes)[number] = "float") => {
  const x = k.tensor([1, -2, 0.5], "grad", dtype);
  k.grad(x, [3, -4, 12]);
  return x;
};

describe.each(firstOrder)("a step of %s", (name) => {
  it.each(dtypes)("zeroes gradients of %s after it has used them", (dtype) => {
    const [x, y] = [parameter(dtype), parameter(dtype)];
    const none = k.tensor([1], "grad", dtype);
    const [o, other] = [k.opt(name, k.vector(x, none)), k.opt(name, y)];
    k.step(o, { zerograd: true });
    k.step(other);
    expect(at(x)).toEqual(at(y));
    expect([k.grad(x), k.grad(y), k.grad(none)]).toEqual([[0, 0, 0], [3, -4, 12], undefined]);
  });

  it.each([{ clipnorm: 6.5 }, { clipvalue: 3.5 }, { clipnorm: null }] as const)("clips: %o", (options) => {
    const [x, y] = [parameter(), parameter()];
    const [o, other] = [k.opt(name, x), k.opt(name, y)];
    if (options.clipnorm) k.clip(y, options.clipnorm);
    if (options.clipvalue) k.clipv(y, options.clipvalue);
    k.step(o, options);
    k.step(other);
    expect(at(x)).toEqual(at(y));
    expect(k.grad(x)).toEqual([3, -4, 12]);
  });

  it("takes the same options with a closure", () => {
    const [x, y] = [parameter(), parameter()];
    const [o, other] = [k.opt(name, x), k.opt(name, y)];
    expect(k.step(o, () => 5, { zerograd: true, clipnorm: 6.5 })).toBe(5);
    k.step(other, { clipnorm: 6.5 });
    expect([at(x), k.grad(x)]).toEqual([at(y), [0, 0, 0]]);
  });

  it.each(name === "lamb" ? [true] : differences.implementations)("takes them with fused %s", (fused) => {
    const [x, z] = [parameter(), parameter()];
    k.step(k.opt(name, x), { clipnorm: 6.5 });
    k.step(k.opt(name, z, { fused }), { zerograd: true, clipnorm: 6.5 });
    expect(k.grad(z)).toEqual([0, 0, 0]);
    for (const [i, value] of at(z).entries()) expect(value).toBeCloseTo(at(x)[i] as number, 6);
  });

  it("refuses bad options, and changes nothing", () => {
    const x = parameter();
    const o = k.opt(name, x);
    const bad: readonly (readonly [code: string, options: unknown])[] = [
      ["ERR_OPTION_RANGE", { clipnorm: 1, clipvalue: 1 }],
      ["ERR_OPTION_RANGE", { clipnorm: 0 }],
      ["ERR_OPTION_RANGE", { clipvalue: Number.NaN }],
      ["ERR_OPTION_TYPE", { zerograd: 1 }],
      ["ERR_OPTION_UNKNOWN", { zero: true }],
      ["ERR_ARGUMENT", 1],
      ["ERR_ARGUMENT", "zerograd"],
      ["ERR_ARGUMENT", [true]],
    ];
    let calls = 0;
    for (const [code, options] of bad) {
      expectError(code as never, () => k.step(o, options as never));
      expectError(code as never, () => k.step(o, () => ++calls, options as never));
    }
    expectError("ERR_ARGUMENT", () => (k.step as (...all: unknown[]) => void)(o, {}, {}));
    expect([calls, at(x), k.grad(x), k.state(o).parms[0]?.buffers]).toEqual([0, [1, -2, 0.5], [3, -4, 12], {}]);
  });

  it.each(dtypes)("of %s skips what is not finite whole, and zeroes it if asked to", (dtype) => {
    const x = parameter(dtype);
    const o = k.opt(name, x);
    k.nograd(x);
    k.lossscale(o, { init: 8 });
    for (const [i, bad] of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].entries()) {
      k.grad(x, [3, bad, 12]);
      k.step(o);
      // The first step of all makes no state.
      expect([at(x), k.state(o).parms[0]?.buffers]).toEqual([[1, -2, 0.5], {}]);
      expect(k.grad(x)).toEqual([3, bad, 12]);
      expect(k.lossscale(o)).toMatchObject({ scale: 4 / 2 ** i, skipped: i + 1, growth_tracker: 0 });
    }
    k.step(o, { zerograd: true, clipnorm: 1 });
    expect([at(x), k.grad(x)]).toEqual([
      [1, -2, 0.5],
      [0, 0, 0],
    ]);
    expect(k.lossscale(o)?.scale).toBe(0.5);
    k.grad(x, [3, -4, 12]);
    k.step(o);
    const y = parameter(dtype);
    k.step(k.opt(name, y));
    expect(at(x)).toEqual(at(y));
  });
});

it("lbfgs takes no options of a step, and scales no losses", () => {
  const x = parameter();
  const o = k.opt("lbfgs", x);
  let calls = 0;
  for (const options of [{ zerograd: true }, { clipnorm: 1 }, { clipvalue: 1 }]) {
    expect(expectError("ERR_ARGUMENT", () => k.step(o, () => ++calls, options))).toBe(
      "step: lbfgs takes no options of a step: let its closure clip and zero the gradients",
    );
  }
  expectError("ERR_ARGUMENT", () => k.lossscale(o, {}));
  expect([calls, at(x), k.lossscale(o)]).toEqual([0, [1, -2, 0.5], undefined]);
  k.step(o, () => 0, { zerograd: false });
});

describe("a loss scale", () => {
  const defaults = {
    init: 65536,
    growth: 2,
    backoff: 0.5,
    interval: 2000,
    min: null,
    scale: 65536,
    growth_tracker: 0,
    skipped: 0,
  };

  it("is switched on, told of, and switched off", () => {
    const o = k.opt("adam", k.tensor([1, -2, 0.5], "grad"));
    expect(k.lossscale(o)).toBeUndefined();
    k.lossscale(o, {});
    expect(k.lossscale(o)).toEqual(defaults);
    k.lossscale(o, { init_scale: 4, growth_factor: 3, backoff_factor: 0.25, growth_interval: 7 });
    const other = { ...defaults, init: 4, growth: 3, backoff: 0.25, interval: 7, scale: 4 };
    expect(k.lossscale(o)).toEqual(other);
    expect(k.state(o).lossscale).toEqual(other);
    k.lossscale(o, { ...other, scale: 2, skipped: 3 });
    expect(k.lossscale(o)).toEqual({ ...other, scale: 2, skipped: 3 });
    k.lossscale(o, null);
    expect([k.lossscale(o), k.state(o).lossscale]).toEqual([undefined, undefined]);
    const fluent = new k.Optimizer(o);
    fluent.lossScale = { init: 16 };
    expect(fluent.lossScale).toEqual({ ...defaults, init: 16, scale: 16 });
    fluent.lossScale = undefined;
    expect(fluent.lossScale).toBeUndefined();
  });

  it("refuses bad options, and changes nothing", () => {
    const o = k.opt("adam", k.tensor([1, -2, 0.5], "grad"));
    k.lossscale(o, { init: 2 });
    const before = k.lossscale(o);
    const bad: readonly (readonly [code: string, options: unknown])[] = [
      ["ERR_OPTION_RANGE", { growth: 1 }],
      ["ERR_OPTION_RANGE", { backoff: 1 }],
      ["ERR_OPTION_RANGE", { backoff: 0 }],
      ["ERR_OPTION_RANGE", { interval: 0 }],
      ["ERR_OPTION_TYPE", { interval: 1.5 }],
      ["ERR_OPTION_RANGE", { init: 0 }],
      ["ERR_OPTION_RANGE", { init: 1e39 }],
      ["ERR_OPTION_RANGE", { init: 1e-40 }],
      ["ERR_OPTION_RANGE", { init: Number.POSITIVE_INFINITY }],
      ["ERR_OPTION_UNKNOWN", { enabled: true }],
      ["ERR_ARGUMENT", 1024],
      ["ERR_ARGUMENT", true],
    ];
    for (const [code, options] of bad) expectError(code as never, () => k.lossscale(o, options as never));
    expect(k.lossscale(o)).toEqual(before);
    expectError("ERR_OPTION_RANGE", () => k.lossscale(k.opt("adam", parameter(), { fused: false }), {}));
    const m = network();
    const saved = { ...k.state(k.opt("adam", m)), lossscale: { growth: 0 } } as never;
    expectError("ERR_OPTION_RANGE", () => k.opt(saved, m));
  });

  it("multiplies gradients in backward, of tensors in both layers", () => {
    const x = parameter("double");
    const o = k.opt("sgd", x, { lr: 0.5 });
    k.nograd(x);
    k.lossscale(o, { init: 4 });
    k.backward(k.mse(x, [0, 0, 0], { reduce: "sum" }), o);
    expect(k.grad(x)).toEqual([2, -4, 1]);
    // Without the optimizer it counts as divided by the scale.
    k.backward(k.mse(x, [0, 0, 0], { reduce: "sum" }));
    new k.Optimizer(o).backward(k.mse(x, [0, 0, 0], { reduce: "sum" }));
    expect(k.grad(x)).toEqual([4.5, -9, 2.25]);
    k.grad(x, [2, -4, 1]);
    k.step(o, { zerograd: true });
    expect(at(x)).toEqual([0, 0, 0]);
    k.lossscale(o, null);
    k.backward(k.mse(x, [1, 1, 1], { reduce: "sum" }), o);
    expectError("ERR_HANDLE_KIND", () => k.backward(k.mse(x, [0, 0, 0]), k.loss("mse") as never));
    // A tensor is a gradient, which has the shape of the tensor.
    expectError("ERR_SHAPE", () => k.backward(k.mse(x, [0, 0, 0]), x));
  });

  it.each(supported("half"))("beyond the range of a loss of %s backs off until it fits", (dtype) => {
    const x = k.tensor([0.5, 0.25], dtype, "grad");
    const o = k.opt("sgd", x, { lr: 0.1 });
    k.lossscale(o, { init: 2 ** 20 });
    const scales = [];
    for (let i = 0; i < 6; i++) {
      const loss = k.mse(x, [0, 0]);
      k.backward(loss, o);
      k.step(o, { zerograd: true });
      scales.push(k.lossscale(o)?.scale);
    }
    expect(scales).toEqual([19, 18, 17, 16, 15, 15].map((power) => 2 ** power));
    const y = k.tensor([0.5, 0.25], dtype, "grad");
    k.backward(k.mse(y, [0, 0]));
    k.step(k.opt("sgd", y, { lr: 0.1 }));
    expect(at(x)).toEqual(at(y));
  });

  it("that is a power of two changes nothing of a model's training", async () => {
    const trained = (scale: boolean) => {
      const m = network();
      const o = k.opt("adam", m, { lr: 0.05 });
      if (scale) k.lossscale(o, { init: 1024, interval: 3 });
      const model = k.model(m, k.loss("ce"), o);
      k.train(model, { batchsize: 4, clipnorm: 0.5 });
      k.train(model, inputs, classes);
      const losses = [k.run(model), k.run(model), k.batch(model)];
      return { losses, values: values(m), m, o };
    };
    const [plain, scaled] = [trained(false), trained(true)];
    expect([scaled.losses, scaled.values]).toEqual([plain.losses, plain.values]);
    expect(k.lossscale(scaled.o)).toMatchObject({ scale: 1024 * 2 ** 2, growth_tracker: 1 });
    for (const { m, o } of [plain, scaled]) {
      k.seed(2);
      const model = new k.Model(new k.Module(m), "ce", new k.Optimizer(o));
      for await (const _ of model.fit({ inputs, targets: classes }, { batchSize: 5, shuffle: false }));
    }
    expect(values(scaled.m)).toEqual(values(plain.m));
    expect(k.lossscale(scaled.o)).toMatchObject({ scale: 1024 * 2 ** 3, growth_tracker: 0 });
  });

  it("is restored with the optimizer's state", () => {
    const m = network();
    const o = k.opt("adam", m);
    k.lossscale(o, { init: 1024, interval: 5 });
    for (const bad of [1, Number.POSITIVE_INFINITY, 2]) {
      for (const name of k.parmnames(m)) {
        const x = k.parm(m, name);
        k.grad(x, k.full(k.size(x), bad));
      }
      k.step(o);
    }
    const restored = k.opt(deserialize(serialize(k.state(o))), m);
    expect(k.lossscale(restored)).toEqual(k.lossscale(o));
    expect(k.lossscale(restored)).toMatchObject({ scale: 512, growth_tracker: 1, skipped: 1 });
  });
});
