import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";

/** A configuration of PyTorch's test/cpp/api/optim_baseline.h: numbers that PyTorch's Python computed, every 100 steps. */
interface Baseline {
  readonly name: string;
  readonly optimizer: k.OptimizerName;
  readonly options: Record<string, unknown>;
  readonly expected: readonly (readonly (readonly number[])[])[];
}

const baselines: readonly Baseline[] = JSON.parse(readFileSync(new URL("./baseline.json", import.meta.url), "utf8"));

const start = {
  "0.weight": [
    [-0.2109, -0.4976],
    [-0.1413, -0.342],
    [-0.2524, 0.6976],
  ],
  "0.bias": [-0.1085, -0.2979, 0.6892],
  "2.weight": [[-0.0508, -0.3941, -0.2843]],
  "2.bias": [-0.0711],
};
const inputs = [
  [0.1, 0.2],
  [0.3, 0.4],
  [0.5, 0.6],
];
/** As in PyTorch's own test. */
const tolerance = { rtol: 1e-3, atol: 5e-4 };

afterEach(() => k.free());

describe("the numbers of PyTorch's optim_baseline.h are met", () => {
  it("holds all 19 configurations", () => expect(baselines).toHaveLength(19));

  it.each(baselines)("$name", ({ optimizer, options, expected }) => {
    const m = k.module(k.seq("sequential", ["linear", 2, 3], "sigmoid", ["linear", 3, 1], "sigmoid"));
    k.to(m, "double");
    const parameters = Object.entries(start).map(([name, values]) => {
      const parameter = k.parm(m, name);
      k.copyto(values, parameter);
      return parameter;
    });
    const o = k.opt(optimizer, m, options);
    const x = k.tensor(inputs, "double");
    for (let i = 0; i <= 1000; i++) {
      k.zerograd(o);
      const y = k.forward(m, x);
      // The outputs are positive, so this is their sum.
      const sum = k.l1(y, [[0], [0], [0]], { reduce: "sum" });
      k.backward(sum);
      k.free(y, sum);
      // The loss of PyTorch's test is a constant, and its closure computes no gradients.
      k.step(o, () => 10);
      if (i % 100 !== 0) continue;
      for (const [p, wanted] of (expected[i / 100] ?? []).entries()) {
        const { data } = k.data(parameters[p] as k.TensorHandle);
        for (const [j, value] of wanted.entries()) {
          const distance = Math.abs(Number(data[j]) - value);
          expect(distance, `step ${i} [${p}][${j}]`).toBeLessThanOrEqual(
            tolerance.atol + tolerance.rtol * Math.abs(value),
          );
        }
      }
    }
  });
});
