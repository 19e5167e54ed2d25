import type { Surface } from "./surface.js";

export const himmelblau: Surface = {
  title: "Himmelblau",
  formula: "(x² + y − 11)² + (x + y² − 7)²",
  about: "Four valleys, equally deep. Started on the hill between them, the optimizers do not agree on one.",
  source: "Himmelblau 1972, Applied Nonlinear Programming",
  value,
  gradient,
  minima: [
    [3, 2],
    [-2.805118086952745, 3.131312518250573],
    [-3.779310253377747, -3.28318599128617],
    [3.584428340330492, -1.848126526964404],
  ],
  saddles: [
    [0.08667750456, 2.884254701],
    [3.385154184, 0.07385187985],
    [-3.073025751, -0.08135304429],
    [-0.1279613467, -1.953714981],
  ],
  start: [-0.3, 1],
  view: { x: [-5.4, 5.4], y: [-5.4, 5.4] },
  until: 300,
};

export function value(x: number, y: number): number {
  const a = x * x + y - 11;
  const b = x + y * y - 7;
  return a * a + b * b;
}

export function gradient(x: number, y: number): [number, number] {
  const a = x * x + y - 11;
  const b = x + y * y - 7;
  return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
}
