// The search for a learning rate: every rate of a grid, from several starts.

import type { Api, OptimizerName } from "@stepwell/sdk";
import { defaultOptions } from "./defaults.js";
import { Race } from "./race.js";
import { type SurfaceName, surfaces } from "./surfaces/index.js";
import { target } from "./surfaces/surface.js";

/**
 * Six rates for each power of ten, up to 1. The first step of adaptive methods is that long, and the surfaces are not wider
 * than 4.
 */
export const grid: readonly number[] = [
  ...[1e-4, 1e-3, 1e-2, 1e-1].flatMap((power) =>
    [1, 1.5, 2, 3, 5, 7].map((digit) => Number((digit * power).toPrecision(2))),
  ),
  1,
];

/** The start of the surface, and four others, so that a rate is not best for one start only. */
export function starts(surface: SurfaceName): readonly (readonly [number, number])[] {
  const { start, view } = surfaces[surface];
  const at = (range: readonly [number, number], share: number) => range[0] + share * (range[1] - range[0]);
  const others = [
    [0.3, 0.3],
    [0.7, 0.35],
    [0.35, 0.7],
    [0.65, 0.6],
  ] as const;
  return [start, ...others.map(([x, y]) => [at(view.x, x), at(view.y, y)] as const)];
}

/**
 * How good a rate is; less is better. The mean score over the starts; the surface's own start counts as much as all others
 * together. The score is the share of the race until arrival. Without arrival it is 1, and more for each power of ten above
 * the target. It is 3 if the path diverged.
 */
export function score(api: Api, surface: SurfaceName, optimizer: OptimizerName, lr: number): number {
  const { until } = surfaces[surface];
  const marks = starts(surface).map((start) => {
    const race = Race.start(api, {
      surface,
      start,
      racers: [{ optimizer, groups: [{ ...defaultOptions(surface, optimizer), lr }] }],
    });
    try {
      while (!race.isDecided && race.clock < until) race.advance(1);
      const [racer] = race.racers;
      if (!racer?.isRacing) return 3;
      const left = Math.log10(racer.loss / target) / 10;
      return racer.arrival === undefined ? 1 + Math.max(0, Math.min(1, left)) : racer.arrival / until;
    } finally {
      race.free();
    }
  });
  const [own = 0, ...others] = marks;
  return (own + others.reduce((sum, mark) => sum + mark, 0) / others.length) / 2;
}

/** The best rate of the grid, and the scores of all of them. */
export function bestRate(api: Api, surface: SurfaceName, optimizer: OptimizerName) {
  const scores = grid.map((lr) => score(api, surface, optimizer, lr));
  const best = scores.indexOf(Math.min(...scores));
  return { rate: grid[best] as number, scores: scores.map((number) => number.toFixed(2)) };
}
