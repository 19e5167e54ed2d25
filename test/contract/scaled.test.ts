// Functions that read or change gradients between `backward(loss, optimizer)` and `step` while losses are scaled, and functions
// that would change the scale.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

type Three = readonly [k.TensorHandle, k.TensorHandle, k.TensorHandle];

/** Two parameters of an optimizer whose rate is 1, and one of none. Their gradients are 6, 8 and 10, stored times the scale. */
function setup(scale?: k.LossScaleOptions) {
  const [x, y, z] = [3, 4, 5].map((value) => k.tensor([value], "double", "grad")) as unknown as Three;
  const o = k.opt("sgd", k.vector(x, y), { lr: 1 });
  if (scale) k.lossscale(o, scale);
  for (const tensor of [x, y]) k.backward(k.mse(tensor, [0]), o);
  k.backward(k.mse(z, [0]));
  const at = () => [x, y].map((tensor) => (k.tensor(tensor) as number[])[0]);
  const gradients = () => [x, y, z].map((tensor) => (k.grad(tensor) as number[] | undefined)?.[0]);
  return { x, y, z, o, at, gradients };
}

interface Row {
  readonly act: (s: ReturnType<typeof setup>) => unknown;
  readonly returns?: unknown;
  /** The gradients that `grad` then returns. */
  readonly gradients: readonly [number | undefined, number | undefined, number];
  readonly options?: k.StepOptions;
  /** Where the next step goes to from (3, 4). */
  readonly after: readonly [number, number];
}

/** Calls between `backward` and `step`, and their results, with a scale and without. */
const table: Readonly<Record<string, Row>> = {
  nothing: { act: () => undefined, gradients: [6, 8, 10], after: [3 - 6, 4 - 8] },
  "grad that tells": { act: ({ y }) => k.grad(y), returns: [8], gradients: [6, 8, 10], after: [3 - 6, 4 - 8] },
  "grad that sets": { act: ({ x }) => k.grad(x, [1]), gradients: [1, 8, 10], after: [3 - 1, 4 - 8] },
  "grad that sets a tensor": {
    act: ({ x }) => {
      const given = k.tensor([-2], "double");
      k.grad(x, given);
      return k.tensor(given);
    },
    returns: [-2],
    gradients: [-2, 8, 10],
    after: [3 + 2, 4 - 8],
  },
  "grad that takes what it tells": {
    act: ({ x, y }) => k.grad(x, k.grad(y) as number[]),
    gradients: [8, 8, 10],
    after: [3 - 8, 4 - 8],
  },
  "grad where there was none": {
    act: ({ o, x }) => {
      k.nograd(o);
      k.grad(x, [5]);
    },
    gradients: [5, undefined, 10],
    after: [3 - 5, 4],
  },
  "another backward": {
    act: ({ x, o }) => k.backward(k.mse(x, [2]), o),
    gradients: [6 + 2, 8, 10],
    after: [3 - 8, 4 - 8],
  },
  zerograd: { act: ({ x }) => k.zerograd(x), gradients: [0, 8, 10], after: [3, 4 - 8] },
  nograd: { act: ({ y }) => k.nograd(y), gradients: [6, undefined, 10], after: [3 - 6, 4] },
  "clip of the optimizer": { act: ({ o }) => k.clip(o, 5), returns: 10, gradients: [3, 4, 10], after: [3 - 3, 4 - 4] },
  "clip of its parameters": {
    act: ({ x, y }) => k.clip(k.vector(x, y), 5),
    returns: 10,
    gradients: [3, 4, 10],
    after: [3 - 3, 4 - 4],
  },
  "clip of one of them": { act: ({ y }) => k.clip(y, 2), returns: 8, gradients: [6, 2, 10], after: [3 - 6, 4 - 2] },
  "clip of one twice": {
    act: ({ y }) => k.clip(k.vector(y, y), 2),
    returns: 8,
    gradients: [6, 2, 10],
    after: [3 - 6, 4 - 2],
  },
  "clip that changes nothing": {
    act: ({ o }) => k.clip(o, 11),
    returns: 10,
    gradients: [6, 8, 10],
    after: [3 - 6, 4 - 8],
  },
  "clip of another tensor": { act: ({ z }) => k.clip(z, 1), returns: 10, gradients: [6, 8, 1], after: [3 - 6, 4 - 8] },
  "clipv of the optimizer": { act: ({ o }) => k.clipv(o, 7), gradients: [6, 7, 10], after: [3 - 6, 4 - 7] },
  "clipv of one of them": { act: ({ x }) => k.clipv(x, 1), gradients: [1, 8, 10], after: [3 - 1, 4 - 8] },
  "clipnorm of the step": {
    act: () => undefined,
    gradients: [6, 8, 10],
    options: { clipnorm: 5 },
    after: [3 - 3, 4 - 4],
  },
  "clipvalue of the step": {
    act: () => undefined,
    gradients: [6, 8, 10],
    options: { clipvalue: 7, nonfinite: "skip" },
    after: [3 - 6, 4 - 7],
  },
  "grad that sets what is not finite": {
    act: ({ x }) => k.grad(x, [Number.NEGATIVE_INFINITY]),
    gradients: [Number.NEGATIVE_INFINITY, 8, 10],
    options: { nonfinite: "skip" },
    after: [3, 4],
  },
};

// A scale that is not a power of two, too.
describe.each([undefined, 8, 0.5, 65536, 1, 3])("with the scale %d", (init) => {
  it.each(Object.entries(table))("%s is as without one", (_, { act, returns, gradients, options, after }) => {
    const s = setup(init === undefined ? undefined : { init });
    expect(act(s)).toEqual(returns);
    // The 1e-6 of PyTorch's clip_grad_norm_ is in the factor.
    const near = (found: readonly (number | undefined)[], wanted: readonly (number | undefined)[]) =>
      expect(found).toEqual(wanted.map((x) => (Number.isFinite(x) ? expect.closeTo(x as number, 5) : x)));
    near(s.gradients(), gradients);
    k.step(s.o, options ?? {});
    near(s.at(), after);
    // The remaining gradients are unchanged, whatever the scale is now.
    near(s.gradients(), gradients);
  });
});

describe.each([8, 0.5, 65536])("with the scale %d", (init) => {
  it("gradients of which some are scaled are refused, and stay as they are", () => {
    const s = setup({ init });
    const before = s.gradients();
    for (const clip of [k.clip, k.clipv]) {
      const message = expectError("ERR_GRADIENT", () => clip(k.vector(s.x, s.z), 1));
      expect(message).toContain("or by clipnorm or clipvalue of its step");
    }
    expect(s.gradients()).toEqual(before);
    // A tensor without a gradient does not count.
    k.nograd(s.z);
    expect(k.clip(k.vector(s.x, s.z), 1)).toBe(6);
  });

  it("a model and its module clip as its optimizer does", () => {
    for (const object of ["model", "module", "optimizer"] as const) {
      const m = k.module(["linear", 1, 1, false]);
      k.copyto([[3]], k.parm(m, "weight"));
      const o = k.opt("sgd", m, { lr: 1 });
      k.lossscale(o, { init });
      const model = k.model(m, k.loss("mse"), o);
      k.free(o);
      k.backward(k.mse(k.forward(m, [[1]]), [[0]]), model);
      expect(k.clip({ model, module: m, optimizer: k.opt(model) }[object], 1)).toBe(6);
      k.step(model);
      expect((k.tensor(k.parm(m, "weight")) as number[][])[0]?.[0]).toBeCloseTo(2, 5);
    }
  });
});

describe("clipping", () => {
  const train = (how: "clip" | "clipnorm") => {
    const m = k.module(["linear", 1, 1, false]);
    k.copyto([[10]], k.parm(m, "weight"));
    const o = k.opt("sgd", m, 0.1);
    k.lossscale(o, {});
    for (let i = 0; i < 100; i++) {
      k.backward(k.mse(k.forward(m, [[1]]), [[0]]), o);
      if (how === "clip") k.clip(o, 1);
      k.step(o, how === "clip" ? { zerograd: true } : { zerograd: true, clipnorm: 1 });
    }
    return (k.tensor(k.parm(m, "weight")) as number[][])[0]?.[0];
  };

  it("between backward and step trains as clipnorm does", () => {
    // Steps of .1 down to .5, where the gradient is 1, and then by a factor of .8: .5 x .8^5.
    expect(train("clip")).toBeCloseTo(0.5 * 0.8 ** 5, 4);
    expect(train("clip")).toBeCloseTo(train("clipnorm") as number, 6);
  });

  it.each(supported("half", "bfloat16"))("works on gradients of %s", (dtype) => {
    const x = k.tensor([3, 4], dtype, "grad");
    const o = k.opt("sgd", x, { lr: 1 });
    k.lossscale(o, { init: 64 });
    k.backward(k.mse(x, [0, 0], { reduce: "sum" }), o);
    expect(k.clip(o, 5)).toBe(10);
    k.step(o);
    for (const value of k.tensor(x) as number[]) expect(Math.abs(value)).toBeLessThan(0.05);
  });
});

describe("a step that changes the scale", () => {
  it("makes it grow, and leaves gradients as they are", () => {
    const { x, o, at, gradients } = setup({ init: 8, interval: 1 });
    k.step(o);
    expect([k.lossscale(o)?.scale, at(), gradients()]).toEqual([16, [3 - 6, 4 - 8], [6, 8, 10]]);
    k.backward(k.mse(x, [-3 - 1]), o);
    expect(gradients()).toEqual([6 + 2, 8, 10]);
    k.step(o);
    expect([k.lossscale(o)?.scale, at(), gradients()]).toEqual([32, [-3 - 8, -4 - 8], [8, 8, 10]]);
    k.step(o, { zerograd: true });
    expect([k.lossscale(o)?.scale, gradients()]).toEqual([64, [0, 0, 10]]);
  });

  it("makes it back off, and leaves gradients as they are", () => {
    const { x, y, o, at, gradients } = setup({ init: 8 });
    k.gradflag(x, false);
    k.grad(y, [Number.POSITIVE_INFINITY]);
    k.step(o);
    expect([k.lossscale(o)?.scale, at(), gradients()]).toEqual([4, [3, 4], [6, Number.POSITIVE_INFINITY, 10]]);
    k.grad(y, [1]);
    k.gradflag(x, true);
    k.step(o);
    expect([k.lossscale(o)?.scale, at(), gradients()]).toEqual([4, [3 - 6, 4 - 1], [6, 1, 10]]);
  });
});

describe("gradients that are not 0", () => {
  type Scale = k.LossScaleOptions & { readonly scale?: number };
  const scales: readonly (readonly [string, Scale | undefined, Scale | null, number | undefined])[] = [
    ["added", undefined, { init: 8 }, 8],
    ["removed", { init: 8 }, null, undefined],
    ["changed", { init: 8 }, { init: 4 }, 4],
    ["set back", { init: 8 }, { init: 8, scale: 2 }, 2],
  ];

  it.each(scales)("keep the scale from being %s", (_, before, after, scale) => {
    const s = setup(before);
    const facts = () => [k.lossscale(s.o), s.gradients(), s.at()];
    const known = facts();
    const message = expectError("ERR_GRADIENT", () => k.lossscale(s.o, after));
    expect(message).toContain("step with the present gradients, and then zerograd or nograd");
    expect(facts()).toEqual(known);
    k.grad(s.x, [0]);
    k.grad(s.y, [Number.NaN]);
    expectError("ERR_GRADIENT", () => k.lossscale(s.o, after));
    k.nograd(s.y);
    k.lossscale(s.o, after);
    expect(k.lossscale(s.o)?.scale).toBe(scale);
    k.backward(k.mse(s.x, [0]), s.o);
    expect(s.gradients()).toEqual([6, undefined, 10]);
    k.step(s.o);
    expect(s.at()).toEqual([3 - 6, 4]);
  });

  it("stay beside what does not change it", () => {
    const s = setup({ init: 8 });
    k.lossscale(s.o, { init: 8, interval: 3 });
    k.lossscale(s.o, { init: 4, scale: 8 } as k.LossScaleOptions);
    expect([k.lossscale(s.o)?.scale, s.gradients()]).toEqual([8, [6, 8, 10]]);
    const none = setup();
    k.lossscale(none.o, null);
    k.lossscale(none.o, { init: 1 });
    k.lossscale(none.o, null);
    expect(none.gradients()).toEqual([6, 8, 10]);
  });

  it("are not added to a scaled optimizer", () => {
    const s = setup({ init: 8 });
    expectError("ERR_GRADIENT", () => k.opt(s.o, 0, s.z));
    expect([k.size(s.o), s.gradients()]).toEqual([2, [6, 8, 10]]);
    k.opt(s.o, 0, [], { lr: 0.5 });
    k.zerograd(s.z);
    k.opt(s.o, 0, s.z);
    k.backward(k.mse(s.z, [0]), s.o);
    expect([k.size(s.o), s.gradients()]).toEqual([3, [6, 8, 10]]);
    const none = setup();
    k.opt(none.o, 0, none.z);
    expect(none.gradients()).toEqual([6, 8, 10]);
  });

  it("are not restored to another scale", () => {
    const m = k.module(["linear", 1, 1, false]);
    const o = k.opt("sgd", m, { lr: 1 });
    k.lossscale(o, { init: 8 });
    const weight = k.parm(m, "weight");
    k.copyto([[3]], weight);
    k.backward(k.mse(k.forward(m, [[1]]), [[0]]), o);
    const saved = k.state(o);
    // The scale that they are multiplied by.
    k.free(k.opt(saved, m));
    expect(k.grad(weight)).toEqual([[6]]);
    const other = { ...saved, lossscale: { ...saved.lossscale, scale: 4 } } as k.State;
    const count = k.handlecount();
    expectError("ERR_GRADIENT", () => k.opt(other, m));
    expect([k.handlecount(), k.grad(weight)]).toEqual([count, [[6]]]);
    k.free(o);
    expectError("ERR_GRADIENT", () => k.opt(saved, m));
    k.nograd(m);
    const restored = k.opt(saved, m);
    k.backward(k.mse(k.forward(m, [[1]]), [[0]]), restored);
    expect(k.grad(weight)).toEqual([[6]]);
  });
});

describe("a parameter of two optimizers", () => {
  it("has the scale that they agree on", () => {
    const s = setup({ init: 8 });
    const other = k.opt("sgd", s.x, { lr: 1 });
    expect(s.gradients()).toEqual([6, 8, 10]);
    // Setting the present scale is not a change.
    k.lossscale(other, { init: 8 });
    expect([k.clip(s.x, 3), s.gradients()]).toEqual([6, [expect.closeTo(3, 5), 8, 10]]);
    k.backward(k.mse(s.x, [0]), other);
    expect(s.gradients()).toEqual([expect.closeTo(9, 5), 8, 10]);
  });

  it("has none while they do not", () => {
    const s = setup({ init: 8 });
    const other = k.opt("sgd", s.x, { lr: 1 });
    k.nograd(s.x);
    k.lossscale(other, { init: 4 });
    const acts = [() => k.grad(s.x), () => k.grad(s.x, [1]), () => k.clip(s.x, 1), () => k.clipv(s.x, 1)];
    for (const act of acts) {
      expect(expectError("ERR_GRADIENT", act)).toContain("a parameter is of two optimizers with different loss scales");
    }
    // Tensors that have a gradient have one scale.
    expect(k.clip(s.o, 4)).toBe(8);
    k.backward(k.mse(s.x, [0]), s.o);
    expectError("ERR_GRADIENT", () => k.clip(s.o, 4));
    expectError("ERR_GRADIENT", () => k.lossscale(other, { init: 8 }));
    k.nograd(s.x);
    k.lossscale(other, { init: 8 });
    k.grad(s.x, [3]);
    expect(s.gradients()).toEqual([3, expect.closeTo(4, 5), 10]);
  });
});

it.each(supported("float", "half", "bfloat16"))(
  "gradients of %s are told and taken where they would vanish in 16 bits",
  (dtype) => {
    const x = k.tensor([0], dtype, "grad");
    const o = k.opt("sgd", x, { lr: 2 ** 30 });
    k.lossscale(o, { init: 65536 });
    k.grad(x, [2 ** -30]);
    expect(k.grad(x)).toEqual([2 ** -30]);
    k.step(o);
    expect(k.tensor(x)).toEqual([-1]);
    expectError("ERR_GRADIENT", () => k.grad(x, x));
  },
);

describe("the smallest scale", () => {
  it("is kept to", () => {
    const { x, o } = setup({ init: 8, min: 2 });
    const scales = Array.from({ length: 4 }, () => {
      k.grad(x, [Number.POSITIVE_INFINITY]);
      k.step(o);
      return k.lossscale(o)?.scale;
    });
    expect(scales).toEqual([4, 2, 2, 2]);
    expect(k.lossscale(o)).toMatchObject({ min: 2, skipped: 4 });
    const other = setup({ init: 8, min_loss_scale: 5 });
    k.grad(other.x, [Number.NaN]);
    k.step(other.o);
    expect(k.lossscale(other.o)).toMatchObject({ scale: 5, min: 5 });
  });

  it("is above 0 and not above the scale", () => {
    const o = k.opt("sgd", k.tensor([1], "grad"));
    for (const min of [0, -1]) expectError("ERR_OPTION_RANGE", () => k.lossscale(o, { min }));
    const message = expectError("ERR_OPTION_RANGE", () => k.lossscale(o, { init: 2, min: 4 }));
    expect(message).toBe("lossscale: expected a scale that is at least min, which is 4, given 2");
    expect(k.lossscale(o)).toBeUndefined();
  });
});
