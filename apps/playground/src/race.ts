// Optimizers that race on a surface: each one gets as many evaluations of the gradient as every other.

import type { Api, OptimizerName, OptionRow } from "@stepwell/sdk";
import { Racer, type RacerSettings, type SavedRacer } from "./racer.js";
import { type SurfaceName, surfaces } from "./surfaces/index.js";

export interface RaceSettings {
  readonly surface: SurfaceName;
  readonly start: readonly [number, number];
  readonly racers: readonly RacerSettings[];
}

/** A race as plain data, from which it goes on to the bit. */
export interface SavedRace {
  readonly surface: SurfaceName;
  readonly clock: number;
  readonly racers: readonly SavedRacer[];
}

/**
 * A race. Its clock counts evaluations of the gradient. If a step takes several, as the line search of L-BFGS does, the racer
 * waits until the others have had as many.
 */
export class Race {
  readonly surface: SurfaceName;
  readonly racers: readonly Racer[];
  #clock = 0;

  private constructor(surface: SurfaceName, racers: readonly Racer[], clock: number) {
    this.surface = surface;
    this.racers = racers;
    this.#clock = clock;
  }

  static start(api: Api, { surface, start, racers }: RaceSettings): Race {
    const made: Racer[] = [];
    try {
      for (const settings of racers) made.push(Racer.start(api, surfaces[surface], start, settings));
    } catch (error) {
      for (const racer of made) racer.free();
      throw error;
    }
    return new Race(surface, made, 0);
  }

  static restore(api: Api, saved: SavedRace): Race {
    const racers = saved.racers.map((racer) => Racer.restore(api, surfaces[saved.surface], racer));
    return new Race(saved.surface, racers, saved.clock);
  }

  /** Evaluations that each racer has had. */
  get clock(): number {
    return this.#clock;
  }

  /** Gives every racer some more evaluations. */
  advance(evaluations: number): void {
    this.#clock += evaluations;
    for (const racer of this.racers) while (racer.isRacing && racer.evaluations < this.#clock) racer.step();
  }

  /** Whether every racer is at a minimum or lost. */
  get isDecided(): boolean {
    return this.racers.every(({ isRacing, arrival }) => !isRacing || arrival !== undefined);
  }

  /** Sets options of a group of one racer; the run goes on with them. */
  edit(optimizer: OptimizerName, group: number, options: OptionRow): void {
    this.racers.find((racer) => racer.settings.optimizer === optimizer)?.edit(group, options);
  }

  save(): SavedRace {
    return { surface: this.surface, clock: this.#clock, racers: this.racers.map((racer) => racer.save()) };
  }

  free(): void {
    for (const racer of this.racers) racer.free();
  }
}
