import type { Surface } from "./surface.js";

export const saddle: Surface = {
  title: "Saddle",
  formula: "x² / 2 + (y² − 1)² / 4",
  about:
    "Downhill along x leads to a pass where the gradient vanishes; the way on is sideways. A path that starts on the ridge stays on it.",
  source: "Example 1.2.2 of Nesterov 2004, Introductory Lectures on Convex Optimization",
  value,
  gradient,
  minima: [
    [0, 1],
    [0, -1],
  ],
  saddles: [[0, 0]],
  start: [-1.6, 0.001],
  view: { x: [-1.8, 1.8], y: [-1.8, 1.8] },
  until: 400,
};

export function value(x: number, y: number): number {
  const a = y * y - 1;
  return (x * x) / 2 + (a * a) / 4;
}

export function gradient(x: number, y: number): [number, number] {
  return [x, y * (y * y - 1)];
}
