import type { Surface } from "./surface.js";

export const beale: Surface = {
  title: "Beale",
  formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
  about: "Walls of ten thousand around a plain of ten. A rate that is safe on the wall crawls on the plain.",
  source: "Beale 1958; problem 5 of Moré, Garbow and Hillstrom 1981",
  value,
  gradient,
  minima: [[3, 0.5]],
  saddles: [[0, 1]],
  start: [1, 1],
  view: { x: [-0.4, 4.2], y: [-2.1, 2.5] },
  until: 1000,
};

export function value(x: number, y: number): number {
  const a = 1.5 - x * (1 - y);
  const b = 2.25 - x * (1 - y * y);
  const c = 2.625 - x * (1 - y * y * y);
  return a * a + b * b + c * c;
}

export function gradient(x: number, y: number): [number, number] {
  const y2 = y * y;
  const a = 1.5 - x * (1 - y);
  const b = 2.25 - x * (1 - y2);
  const c = 2.625 - x * (1 - y * y2);
  return [-2 * (a * (1 - y) + b * (1 - y2) + c * (1 - y * y2)), 2 * x * (a + 2 * b * y + 3 * c * y2)];
}
