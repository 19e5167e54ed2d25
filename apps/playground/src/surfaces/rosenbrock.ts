import type { Surface } from "./surface.js";

export const rosenbrock: Surface = {
  title: "Rosenbrock",
  formula: "(1 − x)² + 100 (y − x²)²",
  about:
    "A steep canyon with a floor that is almost flat. Finding the canyon is easy; following it round the bend is not.",
  source: "Rosenbrock 1960; problem 1 of Moré, Garbow and Hillstrom 1981",
  value,
  gradient,
  minima: [[1, 1]],
  saddles: [],
  start: [-1.2, 1],
  view: { x: [-1.9, 1.9], y: [-1.1, 2.7] },
  until: 1500,
};

export function value(x: number, y: number): number {
  const a = 1 - x;
  const b = y - x * x;
  return a * a + 100 * b * b;
}

export function gradient(x: number, y: number): [number, number] {
  const b = y - x * x;
  return [-2 * (1 - x) - 400 * x * b, 200 * b];
}
