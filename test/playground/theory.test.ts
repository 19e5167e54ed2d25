// Theorems about each optimizer on these surfaces, compared with the races.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { defaultOptions } from "../../apps/playground/src/defaults.js";
import { optimizerNames } from "../../apps/playground/src/options.js";
import { Race } from "../../apps/playground/src/race.js";
import type { Racer } from "../../apps/playground/src/racer.js";
import { type SurfaceName, surfaceNames, surfaces } from "../../apps/playground/src/surfaces/index.js";

afterEach(() => expect(k.handlecount()).toBe(0));

type Point = readonly [number, number];

function run(
  optimizer: OptimizerName,
  surface: SurfaceName,
  options: OptionRow,
  {
    start = surfaces[surface].start,
    evaluations = surfaces[surface].until,
  }: { start?: Point; evaluations?: number } = {},
): Pick<Racer, "arrival" | "isRacing" | "loss" | "position" | "path"> {
  const race = Race.start(k, { surface, start, racers: [{ optimizer, groups: [options] }] });
  race.advance(evaluations);
  const [racer] = race.racers;
  if (!racer) throw new Error("no racer");
  const { arrival, isRacing, loss, position, path } = racer;
  race.free();
  return { arrival, isRacing, loss, position, path };
}

/** The least loss of a path. */
const least = (path: readonly number[]) => Math.min(...path.filter((_, index) => index % 4 === 2));

/** The largest and the smallest curvature of the ravine. */
const [steepest, flattest] = [100, 1];

describe("gradient descent on the ravine", () => {
  // Nesterov 2004, theorem 2.1.14; each coordinate of the Hessian's own axes is multiplied by 1 - lr * curvature.
  it("arrives with a rate below 2 / L", () => {
    expect(run("sgd", "quadratic", { lr: 1.9 / steepest }, { evaluations: 2000 }).arrival).toBeDefined();
  });

  it("is lost with a rate above 2 / L", () => {
    expect(run("sgd", "quadratic", { lr: 2.1 / steepest }, { evaluations: 3000 }).isRacing).toBe(false);
  });

  it("shrinks the distance by (κ - 1) / (κ + 1) with the best rate 2 / (L + μ)", () => {
    const { path } = run("sgd", "quadratic", { lr: 2 / (steepest + flattest) }, { evaluations: 100 });
    const distance = (step: number) => Math.hypot(path[4 * step] ?? 0, path[4 * step + 1] ?? 0);
    expect((distance(100) / distance(0)) ** 0.01).toBeLessThanOrEqual(
      (steepest - flattest) / (steepest + flattest) + 1e-9,
    );
  });

  // Polyak 1964: with momentum β the limit is 2 (1 + β) / L.
  it("arrives with momentum 0.9 below 3.8 / L, and is lost above", () => {
    const momentum = 0.9;
    const limit = (2 * (1 + momentum)) / steepest;
    expect(run("sgd", "quadratic", { lr: 0.95 * limit, momentum }, { evaluations: 2000 }).arrival).toBeDefined();
    expect(run("sgd", "quadratic", { lr: 1.05 * limit, momentum }, { evaluations: 5000 }).isRacing).toBe(false);
  });

  // Nesterov 2004, section 2.2: with 1 / L and momentum (√κ - 1) / (√κ + 1) the loss shrinks by 1 - 1/√κ a step.
  it("arrives in O(√κ) steps with Nesterov's momentum", () => {
    const root = Math.sqrt(steepest / flattest);
    const momentum = (root - 1) / (root + 1);
    const { arrival = Number.NaN } = run("sgd", "quadratic", { lr: 1 / steepest, momentum, nesterov: true });
    const [loss, distance] = [
      surfaces.quadratic.value(...surfaces.quadratic.start),
      Math.hypot(...surfaces.quadratic.start),
    ];
    const bound = Math.log(1e-6 / (loss + (flattest / 2) * distance ** 2)) / Math.log(1 - 1 / root);
    expect(arrival).toBeLessThanOrEqual(bound);
  });
});

describe("L-BFGS with a strong Wolfe line search", () => {
  // Nocedal and Wright 2006, theorem 3.2: with such a line search a descent method approaches a stationary point. The function
  // is smooth with bounded level sets. Section 7.2: near a minimum with a regular Hessian it is fast.
  it.each(surfaceNames)("arrives on %s", (surface) => {
    const { arrival } = run("lbfgs", surface, defaultOptions(surface, "lbfgs"), { evaluations: 120 });
    expect(arrival).toBeDefined();
  });

  it.each(["rosenbrock", "beale"] as const)("finds the published minimum of %s to nine digits", (surface) => {
    const { position } = run("lbfgs", surface, { ...defaultOptions(surface, "lbfgs"), gradtol: 1e-12, changetol: 0 });
    const [minimum] = surfaces[surface].minima;
    for (const axis of [0, 1] as const) expect(Math.abs(position[axis] - (minimum?.[axis] ?? 0))).toBeLessThan(1e-8);
  });

  it("needs as many iterations as dimensions, and few more, on a quadratic", () => {
    const { arrival } = run("lbfgs", "quadratic", defaultOptions("quadratic", "lbfgs"));
    expect(arrival).toBeLessThanOrEqual(15);
  });
});

describe("at the saddle", () => {
  const onRidge = [-1.6, 0] as const;

  it.each(optimizerNames)("%s stays on the ridge, where the gradient has no part across", (optimizer) => {
    const { position, path } = run(optimizer, "saddle", defaultOptions("saddle", optimizer), { start: onRidge });
    expect(position[1]).toBe(0);
    // It gets no lower than the pass.
    expect(least(path)).toBeGreaterThanOrEqual(0.25);
  });

  // Lee, Simchowitz, Jordan and Recht 2016, "Gradient descent only converges to minimizers": from almost every start.
  it.each(optimizerNames)("%s escapes when it starts a thousandth off the ridge", (optimizer) => {
    for (const side of [1, -1]) {
      const start = [-1.6, 0.001 * side] as const;
      const { path } = run(optimizer, "saddle", defaultOptions("saddle", optimizer), { start });
      expect(least(path)).toBeLessThan(1e-3);
    }
  });
});

describe("Adagrad", () => {
  // Duchi, Hazan and Singer 2011; Ward, Wu and Bottou 2019 (without knowing L): any rate will do, given time.
  it.each([0.1, 0.5, 2, 5])("gets ever lower on the ravine with rate %f", (lr) => {
    const at = (evaluations: number) => least(run("adagrad", "quadratic", { lr }, { evaluations }).path);
    const [some, more, most] = [at(500), at(2000), at(8000)];
    expect(more).toBeLessThan(some);
    expect(most).toBeLessThan(more);
  });
});

describe("sign-like steps", () => {
  // If gradients keep their size, an update of RMSprop, Adam and AdamW is about lr in each coordinate. Except for eps, the
  // first update of Adam and AdamW is exactly lr (Kingma and Ba 2015, section 2.1), RMSprop's lr / √(1 - alpha).
  it.each([
    ["adam", 1],
    ["adamw", 1],
    ["rmsprop", 10],
    ["adagrad", 1],
  ] as const)("%s makes a first step of %d lr in each coordinate, whatever the slope", (optimizer, factor) => {
    const lr = 0.01;
    for (const surface of surfaceNames) {
      const [x, y] = [0.6, -0.7];
      const { path } = run(optimizer, surface, { lr, decay: 0 }, { start: [x, y], evaluations: 1 });
      expect(Math.abs((path[4] ?? 0) - x)).toBeCloseTo(factor * lr, 6);
      expect(Math.abs((path[5] ?? 0) - y)).toBeCloseTo(factor * lr, 6);
    }
  });

  it("LAMB's steps are no longer than lr times the distance from 0", () => {
    const { path } = run("lamb", "rosenbrock", { lr: 0.05 }, { evaluations: 200 });
    for (let step = 0; step < 200; step++) {
      const [x = 0, y = 0, , , nextX = 0, nextY = 0] = path.slice(4 * step, 4 * step + 8);
      expect(Math.hypot(nextX - x, nextY - y)).toBeLessThanOrEqual(0.05 * Math.hypot(x, y) * (1 + 1e-12));
    }
  });
});

describe("AdamW's decay", () => {
  // Loshchilov and Hutter 2019: the decay is not a part of the loss, so the path does not end at a minimum away from 0.
  it("keeps it off a minimum that is not at 0, and not off one that is", () => {
    expect(run("adamw", "himmelblau", defaultOptions("himmelblau", "adamw")).loss).toBeGreaterThan(1e-5);
    expect(run("adamw", "quadratic", defaultOptions("quadratic", "adamw")).loss).toBeLessThan(1e-12);
    const without = { ...defaultOptions("himmelblau", "adamw"), decay: 0 };
    expect(run("adamw", "himmelblau", without, { evaluations: 1000 }).loss).toBeLessThan(1e-12);
  });
});

describe("with the swept rates", () => {
  // Adam, Adagrad and SGD with momentum come to rest at a minimum when gradients are exact (De, Mukherjee and Ullah 2018; Ward,
  // Wu and Bottou 2019; Polyak 1964). RMSprop and LAMB divide by the size of recent gradients, so they circle it at a distance
  // of the order of the rate. For them the test asks that the path has been there.
  const lowest: { readonly [Surface in SurfaceName]: { readonly [Name in OptimizerName]: number } } = {
    rosenbrock: { sgd: 1e-6, adagrad: 0.1, rmsprop: 0.1, adam: 1e-6, adamw: 0.01, lamb: 1e-6, lbfgs: 1e-6 },
    beale: { sgd: 1e-6, adagrad: 1e-6, rmsprop: 1e-6, adam: 1e-6, adamw: 1e-3, lamb: 1e-6, lbfgs: 1e-6 },
    himmelblau: { sgd: 1e-6, adagrad: 1e-6, rmsprop: 1e-6, adam: 1e-6, adamw: 0.01, lamb: 0.01, lbfgs: 1e-6 },
    saddle: { sgd: 1e-6, adagrad: 1e-6, rmsprop: 1e-6, adam: 1e-6, adamw: 1e-6, lamb: 1e-6, lbfgs: 1e-6 },
    quadratic: { sgd: 1e-6, adagrad: 1e-3, rmsprop: 1e-6, adam: 1e-6, adamw: 1e-6, lamb: 1e-6, lbfgs: 1e-6 },
  };
  const all = surfaceNames.flatMap((surface) => optimizerNames.map((optimizer) => [surface, optimizer] as const));

  it.each(all)("on %s, %s gets as low as it should", (surface, optimizer) => {
    const { isRacing, path } = run(optimizer, surface, defaultOptions(surface, optimizer));
    expect(isRacing).toBe(true);
    expect(least(path)).toBeLessThanOrEqual(lowest[surface][optimizer]);
  });
});
