import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

beforeEach(() => k.seed(3));
afterEach(() => {
  k.setting("alloptions", true);
  k.free();
});

/** Options that use every buffer that an optimizer has. */
const busy: { readonly [name: string]: object } = {
  adam: { amsgrad: true },
  adamw: { amsgrad: true, decay: 0.1 },
  lamb: { decay: 0.1 },
  lbfgs: { iter: 3, history: 4, search: "strong_wolfe" },
  rmsprop: { momentum: 0.5, centered: true },
  sgd: { momentum: 0.9, dampening: 0.1 },
};

interface Job {
  readonly first: k.ModuleHandle;
  readonly second: k.ModuleHandle;
  readonly loose: k.TensorHandle;
  readonly optimizer: k.OptimizerHandle;
}

/** Two modules in two groups and a loose tensor, which L-BFGS has in one. */
function start(name: k.OptimizerName): Job {
  const first = k.module(k.seq(["sequential", "A"], ["linear", "fc", 3, 4], "tanh"));
  const second = k.module(k.seq(["sequential", "B"], ["linear", "fc", 4, 2], ["batchnorm", 2]));
  const loose = k.tensor([0.5, -1], "grad");
  const optimizer = k.opt(name, [], { lr: 0.05, ...busy[name] } as never);
  const group = name === "lbfgs" ? 0 : 1;
  k.opt(optimizer, 0, first);
  k.opt(optimizer, group, second, { lr: 0.03 } as never);
  k.opt(optimizer, group, loose);
  return { first, second, loose, optimizer };
}

/** Some steps on data that depend on the number of the step only. */
function train({ first, second, loose, optimizer }: Job, from: number, to: number) {
  for (let i = from; i < to; i++) {
    const inputs = [0, 1, 2, 3].map((row) => [0, 1, 2].map((column) => Math.sin(i + 3 * row + column)));
    const closure = () => {
      k.zerograd(optimizer);
      const hidden = k.forward(first, inputs);
      const output = k.forward(second, hidden);
      const loss = k.mse(
        output,
        [0, 1, 2, 3].map((row) => [Math.cos(i + row), 1]),
      );
      const other = k.mse(loose, [1, 2]);
      k.backward(loss);
      k.backward(other);
      const value = (k.tensor(loss) as number) + (k.tensor(other) as number);
      k.free(hidden, output, loss, other);
      return value;
    };
    k.step(optimizer, closure);
  }
}

/** The result of a run, without addresses. */
function result(optimizer: k.OptimizerHandle) {
  const state = k.state(optimizer);
  return {
    ...state,
    parms: state.parms.map(({ pointer, ...row }) => row),
    module: k.state(k.module(optimizer)),
  };
}

/** The objects of a job, found in a container that was made from plain data. */
function resumed(container: k.ModuleHandle, optimizer: k.OptimizerHandle): Job {
  const child = (name: string) => k.child(container, name);
  return { first: child("A"), second: child("B"), loose: k.parm(container, "parms.0"), optimizer };
}

/** As in a program that ends and starts again. */
function throughText<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

describe.each(optimizers)("%s", (name) => {
  it("restored goes on to the bit, and not as from a cold start", () => {
    const whole = start(name);
    train(whole, 0, 20);
    const told = k.state(whole.optimizer);
    const saved = throughText({ module: k.state(k.module(whole.optimizer)), optimizer: k.state(whole.optimizer) });
    const coldModule = throughText(saved.module);
    train(whole, 20, 40);
    const uninterrupted = result(whole.optimizer);

    k.free();
    const container = k.module(saved.module);
    const optimizer = k.opt(saved.optimizer, container);
    const before = k.state(optimizer);
    expect({ ...before, parms: before.parms.map(({ pointer, ...row }) => row) }).toEqual({
      ...told,
      parms: told.parms.map(({ pointer, ...row }) => row),
    });
    const job = resumed(container, optimizer);
    train(job, 20, 40);
    expect(result(optimizer)).toEqual(uninterrupted);

    if (name === "sgd" || Object.keys(before.parms[0]?.buffers ?? {}).length > 0) {
      const coldContainer = k.module(coldModule);
      const cold = k.opt(
        { ...saved.optimizer, parms: saved.optimizer.parms.map((row) => ({ ...row, buffers: {} })) },
        coldContainer,
      );
      train(resumed(coldContainer, cold), 20, 40);
      expect(result(cold)).not.toEqual(uninterrupted);
    }
  });

  it("refuses every wrong state and leaves nothing behind", () => {
    const job = start(name);
    train(job, 0, 2);
    const container = k.module(job.optimizer);
    const good = k.state(job.optimizer);
    const handles = k.handlecount();
    const [row, ...others] = good.parms as [k.StateRow, ...k.StateRow[]];
    const withRow = (changed: object) => ({ ...good, parms: [{ ...row, ...changed }, ...others] });
    const wrong: readonly (readonly [code: k.ErrorCode, state: unknown])[] = [
      ["ERR_FORMAT", {}],
      ["ERR_FORMAT", { ...good, optimizer: 7 }],
      ["ERR_UNKNOWN_NAME", { ...good, optimizer: "none" }],
      ["ERR_FORMAT", { ...good, options: [] }],
      ["ERR_FORMAT", { ...good, options: 7 }],
      ["ERR_OPTION_UNKNOWN", { ...good, options: [{ lr: 1, nonsense: 1 }] }],
      ["ERR_FORMAT", { ...good, options: good.options.map(({ lr, ...options }) => options) }],
      ["ERR_FORMAT", { ...good, lossscale: null }],
      ["ERR_FORMAT", { ...good, averaged: null }],
      ["ERR_OPTION_RANGE", { ...good, options: good.options.map((options) => ({ ...options, lr: -1 })) }],
      ["ERR_FORMAT", { ...good, parms: 7 }],
      ["ERR_FORMAT", { ...good, parms: [7] }],
      ["ERR_FORMAT", withRow({ name: 7 })],
      ["ERR_PARAMETER", withRow({ name: "A.fc.nonsense" })],
      ["ERR_PARAMETER", { ...good, parms: [row, row, ...others] }],
      ["ERR_GROUP", withRow({ parmgroup: 9 })],
      ["ERR_FORMAT", withRow({ parmgroup: -1 })],
      ["ERR_SHAPE", withRow({ size: [1, 2, 3] })],
      ["ERR_FORMAT", withRow({ buffers: 7 })],
      ["ERR_FORMAT", withRow({ buffers: { nonsense: 1 } })],
    ];
    for (const [code, state] of wrong) expectError(code, () => k.opt(state as k.State, container));
    const buffer = Object.entries(row.buffers).find(
      ([, value]) => typeof value === "object" && value !== null && "data" in value,
    );
    if (buffer) {
      const [key] = buffer;
      const bad = { data: new Float32Array(2), shape: [2] };
      expectError("ERR_SHAPE", () => k.opt(withRow({ buffers: { ...row.buffers, [key]: bad } }) as k.State, container));
    }
    expectError("ERR_HANDLE_KIND", () => k.opt(good, job.optimizer as never));
    expect(k.handlecount()).toBe(handles);
  });
});

it("restores from the options that differ from the defaults", () => {
  k.setting("alloptions", false);
  const m = k.module(["linear", 2, 1]);
  const o = k.opt("adamw", m, 0.5);
  k.opt(o, 1, [], { lr: 0.25, beta1: 0.5 });
  const saved = k.state(o);
  expect(saved.options).toEqual([
    { lr: 0.5, beta1: 0.9 },
    { lr: 0.25, beta1: 0.5 },
  ]);
  const restored = k.opt(saved, m);
  expect(k.opt(restored, true)).toEqual(k.opt(o, true));
});

it("names parameters by their modules, and loose tensors under parms", () => {
  const o = k.opt("sgd", k.module(["linear", 2, 1]));
  expect(k.opt(o).parms.map((row) => row.name)).toEqual(["weight", "bias"]);
  k.opt(o, 0, k.module(["linear", 2, 1]));
  k.opt(o, 0, k.dict({ a: k.tensor([1], "grad") }));
  expect(k.opt(o).parms.map((row) => row.name)).toEqual(["0.weight", "0.bias", "1.weight", "1.bias", "parms.a"]);
  expect(k.childnames(k.module(o))).toEqual(["0", "1", "parms"]);
  expectError("ERR_PARAMETER", () => k.module(k.opt("sgd")));
});

it.each(optimizers)("%s refuses a state that lacks a buffer, and takes one that has none yet", (name) => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt(name, k.dict({ x }), { ...busy[name] } as never);
  const m = k.module(o);
  const before = k.state(o);
  k.step(o, () => {
    k.grad(x, [1, -1]);
    return 1;
  });
  const saved = k.state(o);
  const [row] = saved.parms as [k.StateRow];
  for (const key of Object.keys(row.buffers)) {
    const { [key]: _, ...buffers } = row.buffers;
    // Without any buffer it is a state before the first step.
    if (Object.keys(buffers).length === 0) continue;
    const message = expectError("ERR_FORMAT", () => k.opt({ ...saved, parms: [{ ...row, buffers }] }, m));
    expect(message).toContain(key);
  }
  expect(k.state(k.opt(before, m)).parms[0]?.buffers).toEqual({});
});

it.each(optimizers)("%s refuses null for a buffer that every step writes, once there was a step", (name) => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt(name, k.dict({ x }), { lr: 0.5 } as never);
  const m = k.module(o);
  k.step(o, () => {
    k.grad(x, [1, -1]);
    return 1;
  });
  const saved = k.state(o);
  const [row] = saved.parms as [k.StateRow];
  const handles = k.handlecount();
  const written = Object.entries(row.buffers).filter(([, value]) => value !== null && typeof value === "object");
  if (name !== "sgd") expect(written.length).toBeGreaterThan(0);
  for (const [key] of written) {
    const buffers = { ...row.buffers, [key]: null };
    const message = expectError("ERR_FORMAT", () => k.opt({ ...saved, parms: [{ ...row, buffers }] } as never, m));
    expect(message).toContain(key);
    expect(message).toContain("given null");
  }
  expect(k.handlecount()).toBe(handles);
});

it("takes null for a buffer of an option that was set after the last step", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("adam", k.dict({ x }), 0.5);
  k.grad(x, [1, -1]);
  k.step(o);
  k.opt(o, 0, [], { amsgrad: true, average: 0.5 });
  const saved = k.state(o);
  expect(saved.parms[0]?.buffers).toMatchObject({ step: 1, max_exp_avg_sq: null });
  expect(k.state(k.opt(saved, k.module(o))).parms[0]?.buffers).toEqual(saved.parms[0]?.buffers);
});

it("restores on a part of a module, and leaves the rest of it out", () => {
  const m = k.module(k.seq("sequential", ["linear", "a", 2, 1], ["linear", "b", 1, 1]));
  const saved = k.state(k.opt("adam", m, 0.5));
  const parms = saved.parms.filter(({ name }) => name.startsWith("b"));
  expect(k.state(k.opt({ ...saved, parms }, m)).parms.map(({ name }) => name)).toEqual(["b.weight", "b.bias"]);
  expect(k.size(k.opt({ ...saved, parms: [] }, m))).toBe(0);
});

it("refuses a loss scale whose first scale does not fit, in a call and in a state", () => {
  const m = k.module(["linear", 2, 1]);
  const o = k.opt("adam", m);
  k.lossscale(o, { init: 4 });
  const { lossscale, ...saved } = k.state(o);
  for (const init of [1e300, 1e-50]) {
    expectError("ERR_OPTION_RANGE", () => k.lossscale(o, { init }));
    expectError("ERR_OPTION_RANGE", () => k.lossscale(o, { init, scale: 4 } as never));
    expectError("ERR_OPTION_RANGE", () => k.opt({ ...saved, lossscale: { ...lossscale, init } } as never, m));
  }
});

it.each([
  ["conv1d", ["conv1d", 1, 1, 1], "outputs", 1e9],
  ["linear", ["linear", 1, 1], "outputs", 1e9],
  ["embedding", ["embedding", 1, 1], "rows", 1e9],
  ["batchnorm", ["batchnorm", 1, { affine: false }], "channels", 1e9],
  ["gru", ["gru", 1, 1], "layers", 1e3],
] as const)(
  "a state whose options need more than its tensors is refused at once: %s",
  (_, specification, option, size) => {
    const state = structuredClone(k.state(k.module(specification as never))) as unknown as {
      options: Record<string, unknown>;
    }[];
    const options = state[0]?.options as Record<string, unknown>;
    expect(Object.keys(options)).toContain(option);
    options[option] = size;
    expect(expectError("ERR_SHAPE", () => k.module(state as never))).toMatch(/options/);
  },
);
