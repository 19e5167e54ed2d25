// Every number of a state is restored exactly or refused: none is truncated, rounded or ignored.

import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

beforeEach(() => k.seed(4));
afterEach(() => k.free());

/** Values of wrong types, and numbers that are too large for 32 bits, or for a double. */
const values: readonly unknown[] = [
  ...[
    2.9,
    -1,
    -0.5,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    5e9,
    2 ** 52,
    2 ** 52 + 1,
    2 ** 53 - 1,
    2 ** 53,
    1e300,
  ],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "1", "", true, null, [], [1], {}],
];

type Path = readonly (string | number)[];
type Tree = { [key: string]: Tree };

/** The paths of all numbers, without elements and addresses of tensors. */
function numbers(value: unknown, path: Path = []): Path[] {
  if (typeof value === "number") return path.at(-1) === "pointer" ? [] : [path];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => numbers(item, [...path, key]));
}

const at = (value: unknown, path: Path): unknown => path.reduce((tree, key) => (tree as Tree)?.[key] as unknown, value);

function changed<T>(value: T, path: Path, to: unknown): T {
  const copy = structuredClone(value);
  (at(copy, path.slice(0, -1)) as Record<string, unknown>)[path.at(-1) as string] = to;
  return copy;
}

/** A scale has 32 bits, as PyTorch's; null is the first one. */
const scaleOf = (value: unknown) => (value === null ? 2 : Math.fround(value as number));

/** Restores each changed state, which must be refused, or be equal to the state of the result. */
function law<T>(state: T, restored: (state: T) => unknown) {
  const known: readonly string[] = k.errorCodes;
  const handles = k.handlecount();
  let refused = 0;
  for (const path of numbers(state)) {
    for (const value of values) {
      let told: unknown;
      try {
        told = at(restored(changed(state, path, value)), path);
      } catch (error) {
        expect(error).toBeInstanceOf(k.StepwellError);
        expect(known).toContain((error as k.StepwellError).code);
        expect(k.handlecount()).toBe(handles);
        refused += 1;
        continue;
      }
      expect([path, told]).toEqual([path, path.at(-1) === "scale" ? scaleOf(value) : value]);
    }
  }
  expect(refused).toBeGreaterThan(0);
}

const network = () => k.module(k.seq("sequential", ["linear", 2, 3], ["batchnorm", 3], ["linear", 3, 1]));

function trained(name: k.OptimizerName): { readonly m: k.ModuleHandle; readonly o: k.OptimizerHandle } {
  const m = network();
  const o = k.opt(name, m);
  const closure = () => {
    k.zerograd(o);
    const output = k.forward(m, [
      [1, 2],
      [-1, 0.5],
      [0.25, 3],
    ]);
    const loss = k.mse(output, [[1], [0], [2]]);
    k.free(output);
    k.backward(loss);
    return loss;
  };
  if (name === "lbfgs") k.step(o, closure);
  else {
    k.schedule(o, k.schedules.warmup({ steps: 2 }, k.schedules.plateau({ patience: 1 })));
    k.lossscale(o, { init: 2 });
    k.free(closure());
    k.step(o);
    k.advance(o, 1);
  }
  return { m, o };
}

describe.each(optimizers)("the numbers of the state of %s", (name) => {
  it("are restored or refused", () => {
    const { m, o } = trained(name);
    law(k.state(o), (state) => {
      const restored = k.opt(state, m);
      const told = k.state(restored);
      k.free(restored);
      return told;
    });
  });

  it("count steps up to 2^52, and go on from there", () => {
    const { m, o } = trained(name);
    const state = k.state(o);
    const [row] = state.parms;
    const key = name === "lbfgs" ? "n_iter" : "step";
    if (!row || !(key in row.buffers)) return;
    for (const step of [0, 1, 2 ** 32 - 1, 2 ** 32, 5e9, 2 ** 52 - 1, 2 ** 52]) {
      const restored = k.opt(changed(state, ["parms", 0, "buffers", key], step), m);
      expect(k.state(restored).parms[0]?.buffers[key]).toBe(step);
      if (name === "lbfgs") continue;
      k.grad(k.parm(m, row.name), k.full(row.size, 1));
      k.step(restored);
      const told = k.state(restored);
      expect(told.parms[0]?.buffers[key]).toBe(Math.min(step + 1, 2 ** 52));
      // Every state can be restored.
      k.free(k.opt(told, m));
      expect(k.data(k.parm(m, row.name)).data.every(Number.isFinite)).toBe(true);
    }
    for (const step of [2 ** 52 + 1, 2 ** 53 - 1, 2 ** 53, 2 ** 64, 1.5, -1, Number.NaN, "1", null, undefined]) {
      const wrong = changed(state, ["parms", 0, "buffers", key], step);
      expect(expectError("ERR_FORMAT", () => k.opt(wrong, m))).toContain(key);
    }
  });
});

it("the numbers of the state of a module are restored or refused", () => {
  // Objects are counted, and forgotten objects of other tests may be freed at any time.
  k.free();
  const m = k.module(
    k.seq(
      "sequential",
      ["conv2d", 1, 2, 2],
      ["maxpool2d", 2],
      "flatten",
      ["layernorm", 2],
      ["dropout", 0.25],
      ["linear", 2, 1],
    ),
  );
  const told = (state: k.ModuleState) => {
    const restored = k.module(state);
    const again = k.state(restored);
    k.free(restored);
    return again;
  };
  for (const module of [m, network(), k.module(["embedding", 3, 2])]) law(k.state(module), told);
});
