// Faults in the code of ktorch, whose documentation Stepwell follows: each with a test that Stepwell does not have it. In the
// order of its option tables.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** A parameter with a gradient. */
function parameter(values: number[] = [1, -2, 3]): k.TensorHandle {
  const x = k.tensor(values, "grad", "double");
  k.grad(
    x,
    values.map((_, i) => 0.5 - i),
  );
  return x;
}

const values = (x: k.TensorHandle) => k.tensor(x) as number[];
const finite = (x: k.TensorHandle) => values(x).every(Number.isFinite);

it("adagrad steps on parameters that joined after it was made", () => {
  const x = parameter();
  const o = k.opt("adagrad");
  k.opt(o, x);
  k.step(o);
  expect(values(x)).not.toEqual([1, -2, 3]);
});

it.each(["adam", "adamw", "rmsprop", "lbfgs"] as const)("%s keeps its buffers when it is restored", (name) => {
  const options = name === "rmsprop" ? { momentum: 0.9, centered: true } : {};
  const x = k.dict({ x: k.tensor([1, -2, 3], "grad") });
  const o = k.opt(name, x, options as never);
  k.step(o, () => {
    k.zerograd(o);
    const loss = k.mse(k.parm(k.module(o), "x"), [0, 0, 1]);
    k.backward(loss);
    return loss;
  });
  const saved = k.state(o);
  expect(Object.keys(saved.parms[0]?.buffers ?? {}).length).toBeGreaterThan(1);
  expect(k.state(k.opt(saved, k.module(o)))).toEqual(saved);
});

it("lamb keeps globalnorm, trustclip, trustmin and trustmax when it is restored", () => {
  const options = { globalnorm: false, trustclip: false, trustmin: 0.5, trustmax: 2 };
  const m = k.module(["linear", 2, 1]);
  const restored = k.opt(k.state(k.opt("lamb", m, options)), m);
  expect(k.opt(restored).options[0]).toMatchObject(options);
});

it("lamb divides nothing by a global norm of zero", () => {
  const x = parameter([1, 2]);
  k.grad(x, [0, 0]);
  const o = k.opt("lamb", x);
  k.step(o);
  expect(values(x)).toEqual([1, 2]);
});

it("lamb without any gradient does nothing", () => {
  const x = k.tensor([1, 2], "grad");
  k.step(k.opt("lamb", x));
  expect(values(x)).toEqual([1, 2]);
});

it("lamb leaves the gradient as it was, so that it can be accumulated", () => {
  const x = parameter();
  const before = k.grad(x);
  k.step(k.opt("lamb", x));
  expect(k.grad(x)).toEqual(before);
});

it("lamb takes globalnorm from each group, and as it is edited", () => {
  const make = (edit: boolean) => {
    const x = parameter();
    const o = k.opt("lamb", x, { lr: 0.1, globalnorm: !edit, eps: 0.1 });
    if (!edit) k.opt(o, [], { globalnorm: false });
    k.step(o);
    return values(x);
  };
  expect(make(false)).toEqual(make(true));
});

it("lamb takes one norm over parameters of different types", () => {
  const single = k.tensor([3], "grad");
  const double = k.tensor([3], "grad", "double");
  for (const x of [single, double]) k.grad(x, [2]);
  k.step(k.opt("lamb", k.vector(single, double)));
  expect(values(single)[0]).toBeCloseTo(values(double)[0] as number, 6);
  expect(finite(single) && finite(double)).toBe(true);
});

it("lbfgs refuses a second group when it is added, not at every step after", () => {
  const o = k.opt("lbfgs", parameter());
  expectError("ERR_GROUP", () => k.opt(o, 1, parameter()));
});

it("lbfgs without parameters, and a parameter after its first step, are typed errors", () => {
  expectError("ERR_PARAMETER", () => k.step(k.opt("lbfgs"), () => 0));
  const x = parameter();
  const o = k.opt("lbfgs", x);
  k.step(o, () => 1);
  expectError("ERR_PARAMETER", () => k.opt(o, parameter()));
});

it("lbfgs takes eval from iter as it is edited, and checks search when it is set", () => {
  const o = k.opt("lbfgs");
  k.opt(o, [], { iter: 40 });
  expect(k.opt(o).options[0]).toMatchObject({ iter: 40, eval: null });
  expectError("ERR_OPTION_RANGE", () => k.opt(o, [], { search: "strong_wolf" as never }));
});

it.each([
  ["adam", { amsgrad: true }, "max_exp_avg_sq"],
  ["rmsprop", { momentum: 0.9 }, "momentum_buffer"],
  ["rmsprop", { centered: true }, "grad_avg"],
  ["sgd", { momentum: 0.9 }, "momentum_buffer"],
] as const)("%s makes the buffer that %o calls for when it is switched on between steps", (name, edit, buffer) => {
  const x = parameter();
  const o = k.opt(name, x);
  k.step(o);
  k.opt(o, [], edit as never);
  k.step(o);
  expect(k.state(o).parms[0]?.buffers[buffer]).toHaveProperty("data");
  expect(finite(x)).toBe(true);
});

it("zerograd sets gradients of an optimizer to zero, and nograd makes them undefined", () => {
  const x = parameter();
  const o = k.opt("sgd", x);
  k.zerograd(o);
  expect(k.grad(x)).toEqual([0, 0, 0]);
  k.nograd(o);
  expect(k.grad(x)).toBeUndefined();
});

it("checks ranges on every edit, for new groups and in lr", () => {
  const o = k.opt("sgd", parameter());
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    expectError("ERR_OPTION_RANGE", () => k.opt(o, 0, [], bad));
    expectError("ERR_OPTION_RANGE", () => k.opt(o, 1, [], bad));
    expectError("ERR_OPTION_RANGE", () => k.lr(o, bad));
  }
});

it("takes whole numbers as learning rates, as the page says", () => {
  const o = k.opt("sgd");
  k.lr(o, 1);
  expect(k.lr(o)).toEqual([1]);
});

it("gives no two parameters one name, whatever modules are called", () => {
  const o = k.opt("sgd");
  k.opt(o, 0, k.module(["linear", "1", 2, 1]));
  k.opt(o, 0, k.module(["linear", 2, 1]));
  const names = k.opt(o).parms.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  expectError("ERR_PARAMETER", () => k.opt(o, 0, k.module(["linear", "1", 2, 1])));
});

it("says that there is no container instead of following a null pointer", () => {
  expectError("ERR_PARAMETER", () => k.module(k.opt("sgd")));
});

it("clips the parameters of the optimizer and not those of the whole module", () => {
  const m = k.module(k.seq("sequential", ["linear", "a", 1, 1], ["linear", "b", 1, 1]));
  const [a, b] = ["a.weight", "b.weight"].map((name) => k.parm(m, name)) as [k.TensorHandle, k.TensorHandle];
  for (const x of [a, b]) k.grad(x, [[8]]);
  k.clip(k.opt("sgd", [m, "a"]), 1);
  expect((k.grad(a) as number[][])[0]?.[0]).toBeCloseTo(1, 5);
  expect(k.grad(b)).toEqual([[8]]);
});
