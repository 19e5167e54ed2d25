// The objects that the closure of a step can reach, for each optimizer, and the steps as found by hand.
//
// A parameter is 3 and -2, and the gradient that the closure sets is twice the parameter. Two steps of the optimizers, by hand:
//
// - sgd, lr .05: x - .05 * 2 x = .9 x, and .9 times the result.
// - lbfgs, iter 1: x - t g with t = min(1, 1 / |g|) = 1 / 10, which is .8 x. Then y = 2 s and the inverse Hessian is 1 / 2, from
//   the history of the first step: x - g / 2 = 0.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";

/** The folder of the files that scenes write; a test removes it. */
export const folder = mkdtempSync(join(tmpdir(), "stepwell-closure-"));

export const start = [3, -2];
export const times = (factor: number) => start.map((x) => x * factor);

/** Every object that a closure can reach. */
export interface Scene {
  readonly m: k.ModuleHandle;
  readonly x: k.TensorHandle;
  readonly o: k.OptimizerHandle;
  /** Of the optimizer that is stepping. */
  readonly model: k.ModelHandle;
  /** Of the same module with another optimizer. */
  readonly rival: k.ModelHandle;
  readonly rivals: k.OptimizerHandle;
  /** Not a part of the step. */
  readonly y: k.TensorHandle;
  readonly other: k.OptimizerHandle;
  readonly file: string;
}

export const implementations = [
  { title: "sgd", name: "sgd", fused: true, after: [times(0.9), times(0.81)] },
  { title: "sgd of the tensor library", name: "sgd", fused: false, after: [times(0.9), times(0.81)] },
  { title: "lbfgs", name: "lbfgs", fused: true, after: [times(0.8), [0, 0]] },
  { title: "lbfgs of the tensor library", name: "lbfgs", fused: false, after: [times(0.8), [0, 0]] },
] as const;
export type Name = (typeof implementations)[number]["name"];

export function scene(name: Name, fused: boolean): Scene {
  const m = k.module(["linear", 2, 1, false]);
  k.to(m, "double");
  const x = k.parm(m, "weight");
  k.copyto([start], x);
  const implementation = fused ? {} : { fused };
  const o =
    name === "sgd" ? k.opt("sgd", m, 0.05, implementation) : k.opt("lbfgs", m, 1, { iter: 1, ...implementation });
  const rivals = k.opt("sgd", m, 0.5);
  const [model, rival] = [o, rivals].map((optimizer) => k.model(m, k.loss("mse"), optimizer)) as [
    k.ModelHandle,
    k.ModelHandle,
  ];
  for (const each of [model, rival]) k.train(each, k.tensor([[1, 0]], "double"), k.tensor([[0]], "double"));
  const y = k.tensor([1], "grad", "double");
  k.grad(y, [1]);
  const other = k.opt("sgd", y, 0.25);
  const file = join(folder, "module.safetensors");
  const saved = k.module(["linear", 2, 1, false]);
  k.to(saved, "double");
  k.copyto([[1, 1]], k.parm(saved, "weight"));
  k.save(saved, file);
  return { m, x, o, model, rival, rivals, y, other, file };
}

export const elementsOf = (tensor: k.TensorHandle) => (k.tensor(tensor) as (number | number[])[]).flat();

/** Sets the gradient by hand: of x squared, it is 2 x. Returns the loss. */
export function gradient({ x }: Scene): number {
  const [a = Number.NaN, b = Number.NaN] = elementsOf(x);
  k.grad(x, [[2 * a, 2 * b]]);
  return a * a + b * b;
}
