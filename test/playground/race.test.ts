import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { defaultOptions } from "../../apps/playground/src/defaults.js";
import { optimizerNames, tableOf } from "../../apps/playground/src/options.js";
import { Race } from "../../apps/playground/src/race.js";
import { pointSize, type RacerSettings } from "../../apps/playground/src/racer.js";
import { surfaceNames, surfaces } from "../../apps/playground/src/surfaces/index.js";

afterEach(() => expect(k.handlecount()).toBe(0));

const start = [-1.2, 0.9] as const;

/** Options that fill every buffer that an optimizer has. */
const busy: { readonly [Name in OptimizerName]?: OptionRow } = {
  adam: { amsgrad: true },
  adamw: { amsgrad: true },
  lamb: { decay: 0.1 },
  rmsprop: { momentum: 0.5, centered: true },
  sgd: { momentum: 0.9, dampening: 0.1 },
};

function settings(optimizer: OptimizerName, groups: 1 | 2): RacerSettings {
  const row = { ...defaultOptions("rosenbrock", optimizer), ...busy[optimizer] };
  return { optimizer, groups: groups === 1 ? [row] : [row, { ...row, lr: (row.lr as number) / 2 }] };
}

const every = (groups: 1 | 2): RacerSettings[] =>
  optimizerNames.map((name) => settings(name, tableOf(name).needsClosure ? 1 : groups));

const paths = (race: Race) => race.racers.map(({ path }) => [...path]);

describe("a race", () => {
  it("gives each racer as many evaluations as the others, whatever its steps take", () => {
    const race = Race.start(k, { surface: "rosenbrock", start, racers: every(1) });
    for (let clock = 1; clock <= 60; clock++) {
      race.advance(1);
      for (const racer of race.racers) {
        expect(racer.evaluations).toBeGreaterThanOrEqual(clock);
        // A racer whose last step took several evaluations has waited: before it, it had made fewer.
        expect(racer.path.at(-1 - pointSize)).toBeLessThan(clock);
        if (racer.settings.optimizer !== "lbfgs") expect(racer.steps).toBe(clock);
      }
    }
    race.free();
  });

  it("goes the same way in small and in large strides", () => {
    const [small, large] = [1, 2].map(() => Race.start(k, { surface: "beale", start: [1, 1], racers: every(1) }));
    for (let clock = 0; clock < 100; clock++) small?.advance(1);
    large?.advance(100);
    expect(paths(small as Race)).toEqual(paths(large as Race));
    small?.free();
    large?.free();
  });

  it("records where each racer was, with the loss there", () => {
    const race = Race.start(k, { surface: "himmelblau", start, racers: every(1) });
    race.advance(20);
    for (const { path } of race.racers) {
      expect(path.slice(0, 2)).toEqual([...start]);
      for (let at = 0; at < path.length; at += pointSize) {
        expect(path[at + 2]).toBe(surfaces.himmelblau.value(path[at] ?? 0, path[at + 1] ?? 0));
      }
    }
    race.free();
  });

  it("ends for a racer that is lost, and goes on for the others", () => {
    const racers = [
      { optimizer: "sgd", groups: [{ lr: 1 }] },
      { optimizer: "adam", groups: [{ lr: 0.1 }] },
    ] as const;
    const race = Race.start(k, { surface: "rosenbrock", start, racers });
    race.advance(100);
    expect(race.racers.map(({ isRacing }) => isRacing)).toEqual([false, true]);
    expect(race.racers[1]?.steps).toBe(100);
    race.free();
  });

  it("refuses what an optimizer refuses, and leaves nothing behind", () => {
    const racers = [
      { optimizer: "adam", groups: [{ lr: 0.1 }] },
      { optimizer: "sgd", groups: [{ lr: 0.1, nesterov: true }] },
    ] as const;
    expect(() => Race.start(k, { surface: "saddle", start, racers })).toThrow(/nesterov/);
    expect(k.handlecount()).toBe(0);
  });
});

describe("groups", () => {
  it.each(optimizerNames.filter((name) => !tableOf(name).needsClosure && name !== "lamb"))(
    "%s goes the same way with both coordinates in one tensor and in two groups with the same options",
    (optimizer) => {
      const row = { ...defaultOptions("beale", optimizer), ...busy[optimizer] };
      const pair = ([[row], [row, row]] as const).map((groups) => {
        const race = Race.start(k, { surface: "beale", start: [1, 1], racers: [{ optimizer, groups }] });
        race.advance(50);
        const [path] = paths(race);
        race.free();
        return path;
      });
      expect(pair[0]).toEqual(pair[1]);
    },
  );

  it("a group with rate 0 stands still", () => {
    const groups = [{ lr: 0.1 }, { lr: 0 }] as const;
    const race = Race.start(k, { surface: "himmelblau", start, racers: [{ optimizer: "adam", groups }] });
    race.advance(50);
    const [racer] = race.racers;
    expect(racer?.position[0]).not.toBe(start[0]);
    expect(racer?.position[1]).toBe(start[1]);
    race.free();
  });
});

describe("an edit", () => {
  it("takes effect from the next step on", () => {
    const race = Race.start(k, { surface: "quadratic", start, racers: [{ optimizer: "sgd", groups: [{ lr: 0.01 }] }] });
    race.advance(3);
    race.edit("sgd", 0, { lr: 0.002 });
    const [racer] = race.racers;
    const [x, y] = racer?.position ?? [0, 0];
    const [dx, dy] = surfaces.quadratic.gradient(x, y);
    race.advance(1);
    expect(racer?.position).toEqual([x - 0.002 * dx, y - 0.002 * dy]);
    expect(racer?.edits).toEqual([{ step: 3, group: 0, options: { lr: 0.002 } }]);
    race.free();
  });

  it("can set every option of every optimizer to its default in the middle of a run", () => {
    const race = Race.start(k, { surface: "saddle", start, racers: every(1) });
    race.advance(5);
    for (const optimizer of optimizerNames) {
      for (const { name, initial } of tableOf(optimizer).rows) race.edit(optimizer, 0, { [name]: initial });
    }
    race.advance(5);
    race.free();
  });

  it("that is refused changes nothing", () => {
    const race = Race.start(k, { surface: "saddle", start, racers: every(1) });
    const twin = Race.start(k, { surface: "saddle", start, racers: every(1) });
    race.advance(5);
    expect(() => race.edit("adam", 0, { beta1: 2 })).toThrow(/beta1/);
    expect(() => race.edit("adam", 5, { lr: 2 })).toThrow();
    race.advance(5);
    twin.advance(10);
    expect(paths(race)).toEqual(paths(twin));
    expect(race.racers.every(({ edits }) => edits.length === 0)).toBe(true);
    race.free();
    twin.free();
  });
});

describe.each([1, 2] as const)("saved and restored with %d group(s)", (groups) => {
  it.each(surfaceNames)("on %s, every racer goes on to the bit", (surface) => {
    const make = () => Race.start(k, { surface, start: surfaces[surface].start, racers: every(groups) });
    const whole = make();
    whole.advance(80);

    const first = make();
    first.advance(37);
    // As a structured clone, which is what a worker's message or a database makes of it.
    const saved = structuredClone(first.save());
    first.free();
    const second = Race.restore(k, saved);
    expect(second.clock).toBe(37);
    second.advance(43);
    expect(paths(second)).toEqual(paths(whole));

    // A cold start from the same place goes elsewhere: the state is what made the difference. (L-BFGS is at rest by now.)
    for (const { settings, path } of saved.racers) {
      if (!["sgd", "adam", "adamw"].includes(settings.optimizer)) continue;
      const [x = 0, y = 0] = path.slice(-pointSize);
      const cold = Race.start(k, { surface, start: [x, y], racers: [settings] });
      cold.advance(43);
      const warm = second.racers.find((racer) => racer.settings.optimizer === settings.optimizer);
      const places = (from: readonly number[]) => from.filter((_, index) => index % pointSize < 2);
      expect(places(warm?.path.slice(path.length) ?? [])).not.toEqual(
        places(cold.racers[0]?.path.slice(pointSize) ?? []),
      );
      cold.free();
    }
    whole.free();
    second.free();
  });
});
