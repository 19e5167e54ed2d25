// The training: a network that separates two spirals.

import {
  backward,
  bcewithlogits,
  evaluate,
  forward,
  type ModuleHandle,
  module,
  type OptimizerHandle,
  opt,
  scoped,
  seed,
  seq,
  sigmoid,
  step,
  tensor,
} from "@stepwell/sdk";
import { side } from "./messages.js";

const each = 100;
/** Half of the width of the plane. */
const edge = 1.1;

/** Points of two spirals, and 0 or 1 for each. */
const points = [0, 1].flatMap((spiral) =>
  Array.from({ length: each }, (_, n) => {
    const [radius, angle] = [0.05 + (0.95 * n) / each, (3.5 * Math.PI * n) / each + spiral * Math.PI];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  }),
);
const labels = points.map((_, n) => [Math.floor(n / each)]);

const grid = Array.from({ length: side * side }, (_, n) => {
  const place = (index: number) => ((2 * index + 1) / side - 1) * edge;
  return [place(n % side), -place(Math.floor(n / side))];
});

/** A training with its objects. */
export interface Training {
  readonly net: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly steps: number;
}

/** A training that has not begun. */
export function begin(): Training {
  seed(1);
  const net = module(seq("sequential", ["linear", 2, 32], "tanh", ["linear", 32, 32], "tanh", ["linear", 32, 1]));
  return { net, optimizer: opt("adamw", net, { lr: 0.01 }), steps: 0 };
}

/** Makes steps, and returns the loss before the last one. */
export function train({ net, optimizer }: Training, count: number): number {
  let last = Number.NaN;
  for (let n = 0; n < count; n++) {
    last = scoped(() => {
      const loss = bcewithlogits(forward(net, points), labels);
      backward(loss);
      step(optimizer, { zerograd: true });
      return tensor(loss, { dimensions: 0 });
    });
  }
  return last;
}

/** Probabilities of the second spiral. */
const probabilities = (net: ModuleHandle, places: readonly (readonly number[])[]): readonly number[][] =>
  scoped(() => tensor(sigmoid(evaluate(net, places)), { dimensions: 2 }));

/** Probabilities on the grid, and the share of points that are classified rightly. */
export function look({ net }: Training): { readonly grid: Float32Array; readonly accuracy: number } {
  const right = probabilities(net, points).filter(([p = 0], n) => (p > 0.5 ? 1 : 0) === labels[n]?.[0]).length;
  return { grid: Float32Array.from(probabilities(net, grid).flat()), accuracy: right / points.length };
}
