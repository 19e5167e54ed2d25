import { readdirSync, readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";

interface Recording {
  readonly name: string;
  readonly specification: k.ScheduleSpecification;
  readonly optimizer: "sgd" | "adamw" | "adagrad";
  readonly metrics?: readonly number[];
  readonly rates: readonly (readonly number[])[];
  readonly momenta?: readonly (readonly number[])[];
}

interface Recordings {
  readonly schedule: string;
  readonly base: readonly number[];
  readonly recordings: readonly Recording[];
}

// Compiled or not, the test runs where the recordings are.
const folder = new URL("./schedules/", import.meta.url);
const files: readonly Recordings[] = readdirSync(folder).map((name) =>
  JSON.parse(readFileSync(new URL(name, folder), "utf8")),
);

const make = (file: Recordings, recording: Recording) => {
  const optimizer = k.opt(recording.optimizer);
  for (const [group, rate] of file.base.entries()) k.opt(optimizer, group, k.tensor([1], "grad"), { lr: rate });
  return optimizer;
};

const momenta = (optimizer: k.OptimizerHandle) =>
  k
    .opt(optimizer)
    .options.map((row) => ("beta1" in row ? row.beta1 : (row as { momentum: number }).momentum) as number);

function expectNear(ours: readonly number[], theirs: readonly (readonly number[])[], step: number) {
  for (const [group, value] of ours.entries()) {
    const wanted = theirs[group]?.[step] as number;
    if (!(Math.abs(value - wanted) <= 1e-12 * Math.abs(wanted) + 1e-16)) {
      expect.fail(`group ${group} step ${step}: ${value} instead of ${wanted}`);
    }
  }
}

afterEach(() => k.free());

describe.each(files)("$schedule", (file) => {
  it.each(file.recordings)("follows PyTorch: $name", (recording) => {
    const optimizer = make(file, recording);
    k.schedule(optimizer, recording.specification);
    for (let step = 0; step <= 60; step++) {
      if (step > 0) k.advance(optimizer, recording.metrics?.[step - 1]);
      expectNear(k.lr(optimizer), recording.rates, step);
      if (recording.momenta) expectNear(momenta(optimizer), recording.momenta, step);
    }
  });

  it.each(file.recordings)("goes on to the bit from its state as JSON: $name", (recording) => {
    const through = make(file, recording);
    k.schedule(through, recording.specification);
    for (let step = 0; step < 27; step++) k.advance(through, recording.metrics?.[step]);
    const saved: k.State = JSON.parse(JSON.stringify(k.state(through)));
    const resumed = make(file, recording);
    k.schedule(resumed, saved.schedule ?? null);
    expect(k.state(resumed).schedule).toEqual(saved.schedule);
    for (let step = 27; step <= 60; step++) {
      expect(k.lr(resumed)).toEqual(k.lr(through));
      for (const optimizer of [through, resumed]) k.advance(optimizer, recording.metrics?.[step % 60]);
    }
  });
});

it("has a constructor and a line of help for every schedule there is", () => {
  const names = k.help("schedule").map((row) => row.schedule);
  expect(names).toEqual(files.map((file) => file.schedule).sort());
  expect(Object.keys(k.schedules).sort()).toEqual(names);
  const made = [
    k.schedules.step({ step_size: 3 }),
    k.schedules.multistep({ milestones: [3, 5] }),
    k.schedules.exponential({ gamma: 0.9 }),
    k.schedules.linear(),
    k.schedules.cosine({ T_max: 10, eta_min: 0.1 }),
    k.schedules.restarts({ T_0: 4, T_mult: 2 }),
    k.schedules.onecycle({ max_lr: 0.1, total_steps: 10 }),
    k.schedules.polynomial({ total_iters: 9 }),
    k.schedules.plateau({ min_lr: 0.001, threshold_mode: "abs" }),
    k.schedules.warmup({ steps: 5 }, k.schedules.cosine({ steps: 10 })),
    k.schedules.chained(k.schedules.linear({ steps: 3 }), k.schedules.step({ every: 4 })),
  ];
  expect(made.map((specification) => specification.schedule).sort()).toEqual(names);
  const optimizer = k.opt("sgd");
  for (const specification of made) {
    k.schedule(optimizer, specification);
    expect(k.schedule(optimizer)?.schedule).toBe(specification.schedule);
  }
});

// PyTorch puts neither a SequentialLR nor a ChainedScheduler into a SequentialLR. The values follow from the rule, by hand.
it.each([
  ["warmup", k.schedules.warmup({ steps: 2, start: 0.5 }, k.schedules.onecycle({ max: 5, div: 10, steps: 20 })), 0.5],
  ["chained", k.schedules.chained(k.schedules.onecycle({ max: 5, div: 10, steps: 20 })), 0.5],
  [
    "chained after the cycle",
    k.schedules.chained(k.schedules.onecycle({ max: 5, div: 10, steps: 20 }), k.schedules.exponential({ gamma: 0.5 })),
    0.5,
  ],
  ["chained without a cycle", k.schedules.chained(k.schedules.exponential({ gamma: 0.5 })), 8],
  ["plateau", k.schedules.plateau(), 8],
] as const)("a warm-up rises to where a %s begins", (_, next, level) => {
  const o = k.opt("sgd", k.tensor([1], "grad"), 8, { momentum: 0.5 });
  k.schedule(o, k.schedules.warmup({ steps: 4, start: 0.2 }, next));
  const rates = [0, 1, 2, 3].map((step) => {
    if (step > 0) k.advance(o, 1);
    return k.lr(o)[0] as number;
  });
  for (const [step, rate] of rates.entries()) expect(rate).toBeCloseTo(level * (0.2 + 0.2 * step), 12);
  k.advance(o, 1);
  // A warm-up within a warm-up begins with its own first rate.
  expect(k.lr(o)[0]).toBeCloseTo(next.schedule === "warmup" ? level / 2 : level, 12);
});

it("is bound, read and unbound", () => {
  const o = k.opt("sgd", k.tensor([1], "grad"), 0.8);
  expect(k.schedule(o)).toBeUndefined();
  expect(k.state(o)).not.toHaveProperty("schedule");
  k.schedule(o, k.schedules.warmup({ steps: 2, start: 0.5 }, k.schedules.exponential({ gamma: 0.5 })));
  expect(k.lr(o)).toEqual([0.4]);
  for (let i = 0; i < 3; i++) k.advance(o);
  expect(k.lr(o)).toEqual([0.4]);
  expect(k.schedule(o)).toEqual({
    schedule: "warmup",
    steps: 2,
    start: 0.5,
    progress: { taken: 3 },
    next: { schedule: "exponential", gamma: 0.5, progress: { taken: 1 } },
    base: [0.8],
  });
  k.schedule(o, null);
  expect(k.schedule(o)).toBeUndefined();
  expect(k.lr(o)).toEqual([0.4]);
});

it("refuses what is no schedule, and changes nothing", () => {
  const o = k.opt("adagrad", k.tensor([1], "grad"), 0.8);
  k.schedule(o, k.schedules.plateau());
  const untyped = k.schedule as (o: k.OptimizerHandle, specification: unknown) => unknown;
  const refused = (code: k.ErrorCode, given: unknown) => {
    const before = k.state(o);
    const message = expectError(code, () => untyped(o, given));
    expect(k.state(o)).toEqual(before);
    return message;
  };
  refused("ERR_ARGUMENT", 3);
  refused("ERR_ARGUMENT", "cosine");
  refused("ERR_ARGUMENT", {});
  refused("ERR_ARGUMENT", { schedule: 3 });
  expect(refused("ERR_UNKNOWN_NAME", { schedule: "cosines" })).toContain("expected one of chained, cosine, ");
  refused("ERR_ARGUMENT", { schedule: "cosine" });
  refused("ERR_OPTION_UNKNOWN", { schedule: "cosine", steps: 5, nonsense: 1 });
  refused("ERR_OPTION_TYPE", { schedule: "cosine", steps: "many" });
  refused("ERR_OPTION_RANGE", { schedule: "cosine", steps: 0 });
  refused("ERR_OPTION_TYPE", { schedule: "cosine", steps: 5, progress: 1 });
  refused("ERR_OPTION_RANGE", { schedule: "cosine", steps: 5, progress: { taken: -1 } });
  refused("ERR_OPTION_TYPE", { schedule: "cosine", steps: 5, base: "many" });
  refused("ERR_ARGUMENT", { schedule: "cosine", steps: 5, base: [1, 2] });
  refused("ERR_OPTION_RANGE", { schedule: "cosine", steps: 5, base: [-1] });
  refused("ERR_ARGUMENT", { schedule: "warmup", steps: 5 });
  refused("ERR_OPTION_RANGE", { schedule: "warmup", steps: 5, next: { schedule: "step", every: 0 } });
  refused("ERR_ARGUMENT", { schedule: "chained", of: [] });
  refused("ERR_OPTION_TYPE", { schedule: "chained", of: { schedule: "linear" } });
  refused("ERR_OPTION_RANGE", { schedule: "onecycle", max: 1, steps: 5 });
  refused("ERR_OPTION_RANGE", { schedule: "onecycle", max: [1, 2], steps: 5, momentum: false });
  expect(expectError("ERR_ARGUMENT", () => k.advance(o))).toBe(
    "advance: plateau needs a metric: advance(optimizer, metric)",
  );
  k.schedule(o, null);
  expectError("ERR_ARGUMENT", () => k.advance(o));
});
