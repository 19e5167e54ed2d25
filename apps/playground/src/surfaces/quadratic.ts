import type { Surface } from "./surface.js";

export const quadratic: Surface = {
  title: "Ravine",
  formula: "(u² + 100 v²) / 2,  u = 0.6 x + 0.8 y,  v = 0.6 y − 0.8 x",
  about:
    "A quadratic a hundred times steeper across than along, and turned, so that no rate for each coordinate undoes it. Gradient descent without momentum needs a rate below 2/100.",
  source: "Section 2.1 of Nesterov 2004 on condition numbers; here 100",
  value,
  gradient,
  minima: [[0, 0]],
  saddles: [],
  start: [-1.7, 0.4],
  view: { x: [-2, 2], y: [-2, 2] },
  until: 500,
};

export function value(x: number, y: number): number {
  const u = 0.6 * x + 0.8 * y;
  const v = 0.6 * y - 0.8 * x;
  return (u * u + 100 * v * v) / 2;
}

export function gradient(x: number, y: number): [number, number] {
  const u = 0.6 * x + 0.8 * y;
  const v = 0.6 * y - 0.8 * x;
  return [0.6 * u - 80 * v, 0.8 * u + 60 * v];
}
