import { describe, expect, it } from "vitest";
import { type SurfaceName, surfaceNames, surfaces } from "../../apps/playground/src/surfaces/index.js";
import { target } from "../../apps/playground/src/surfaces/surface.js";

/** Points all over the part that is shown. */
function points(name: SurfaceName): [number, number][] {
  const { x, y } = surfaces[name].view;
  const shares = [0.02, 0.2, 0.37, 0.5, 0.71, 0.98];
  return shares.flatMap((a) =>
    shares.map((b): [number, number] => [x[0] + a * (x[1] - x[0]), y[0] + b * (y[1] - y[0])]),
  );
}

describe.each(surfaceNames)("%s", (name) => {
  const { value, gradient, minima, saddles, start, view } = surfaces[name];

  it("has the gradient that finite differences have", () => {
    for (const [x, y] of points(name)) {
      const h = 1e-4;
      // Five points: exact for polynomials up to the fourth degree, and near for the others.
      const slope = (f: (t: number) => number) => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
      const near = [slope((t) => value(x + t, y)), slope((t) => value(x, y + t))];
      const scale = 1 + Math.abs(value(x, y));
      const exact = gradient(x, y);
      for (const axis of [0, 1]) expect(Math.abs((exact[axis] ?? 0) - (near[axis] ?? 0)) / scale).toBeLessThan(1e-8);
    }
  });

  it("is 0 at its minima and nowhere less", () => {
    for (const [x, y] of minima) {
      expect(value(x, y)).toBeLessThan(1e-25);
      expect(Math.hypot(...gradient(x, y))).toBeLessThan(1e-10);
    }
    for (const [x, y] of points(name)) expect(value(x, y)).toBeGreaterThanOrEqual(0);
  });

  it("is flat at its saddles, and falls from there on both sides of one line and rises along another", () => {
    for (const [x, y] of saddles) {
      expect(Math.hypot(...gradient(x, y))).toBeLessThan(1e-6);
      const h = 1e-2;
      const around = Array.from({ length: 16 }, (_, index) => (index * Math.PI) / 8);
      const heights = around.map((angle) => value(x + h * Math.cos(angle), y + h * Math.sin(angle)) - value(x, y));
      expect(Math.min(...heights)).toBeLessThan(0);
      expect(Math.max(...heights)).toBeGreaterThan(0);
    }
  });

  it("shows its start and its minima, and starts above the target", () => {
    for (const [x, y] of [start, ...minima]) {
      expect(x > view.x[0] && x < view.x[1] && y > view.y[0] && y < view.y[1]).toBe(true);
    }
    expect(view.x[1] - view.x[0]).toBeCloseTo(view.y[1] - view.y[0], 12);
    expect(value(...start)).toBeGreaterThan(target);
  });
});
