// A training that goes on from a position equals one that was not left, to the bit: on every engine, for every kind of data.

import * as k from "@stepwell/sdk";
import { type DataSource, type FitData, type FitOptions, Model, Module, optimizer, schedules } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => {
  k.reset();
});

const inputs = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([x = 0, y = 0]) => (x + y > 0 ? 1 : 0));
const memory = { inputs, targets };
const samples = inputs.map((input, i) => [input, targets[i] as number] as const);
const batches = Array.from(
  { length: 13 },
  (_, i) => [inputs.slice(4 * i, 4 * i + 4), targets.slice(4 * i, 4 * i + 4)] as const,
);

function model(): Model {
  k.seed(5);
  const m = Module.of(
    k.seq("sequential", ["linear", "a", 2, 8], ["batchnorm", "n", 8], ["dropout", "d", 0.25], ["linear", "b", 8, 2]),
  );
  const built = optimizer("adam")
    .lr(0.05)
    .schedule(schedules.exponential({ gamma: 0.99 }))
    .build(m);
  return new Model(m, "ce", built);
}

const stateOf = ({ module, optimizer }: Model) => ({
  module: module.state(),
  optimizer: optimizer.state(),
  generator: k.generator(),
});

/** The state without the addresses of parameters. */
const comparable = (trained: Model) => {
  const { optimizer, ...others } = stateOf(trained);
  return { ...others, optimizer: { ...optimizer, parms: optimizer.parms.map(({ pointer: _, ...row }) => row) } };
};

/** Everything that a training needs to go on, as plain data that has no part in the engine any more. */
const left = (trained: Model, training: k.Training) =>
  structuredClone({ ...stateOf(trained), position: training.position });

/** Another training that goes on from there. */
function resumed({ module, optimizer, generator }: ReturnType<typeof left>): Model {
  k.reset();
  const m = new Module(k.module(module));
  const made = new Model(m, "ce", new k.Optimizer(k.opt(optimizer, m.handle)));
  k.generator(generator);
  return made;
}

interface Case {
  readonly data: () => FitData | DataSource;
  readonly options: FitOptions;
}

const slow = async function* () {
  for (const sample of samples) yield Promise.resolve(sample);
};

const skipping = ({ skip }: k.SourceStart) => samples.slice(skip);

const cases: { readonly [how: string]: Case } = {
  "data in memory": { data: () => memory, options: { batchSize: 11 } },
  "shuffled data in memory": { data: () => memory, options: { batchSize: 11, shuffle: true } },
  "data in memory without the last batch": {
    data: () => memory,
    options: { batchSize: 11, shuffle: true, droplast: true },
  },
  samples: { data: () => ({ samples }), options: { batchSize: 11 } },
  "samples of a function": { data: () => ({ samples: slow }), options: { batchSize: 11, droplast: true } },
  "samples from a small buffer": {
    data: () => ({ samples: slow }),
    options: { batchSize: 11, shuffle: { buffer: 7 } },
  },
  "samples from a buffer of all": { data: () => ({ samples: slow }), options: { batchSize: 11, shuffle: true } },
  "samples by a seed": { data: () => ({ samples }), options: { batchSize: 11, shuffle: { buffer: 7, seed: 3 } } },
  "a source that skips": { data: () => ({ samples: skipping, skips: true }), options: { batchSize: 11 } },
  "a source that skips, from a buffer": {
    data: () => ({ samples: skipping, skips: true }),
    options: { batchSize: 11, shuffle: { buffer: 7 } },
  },
  batches: { data: () => ({ batches }), options: { metrics: ["loss", "batchloss", "accuracy"] } },
  "batches from a buffer": { data: () => ({ batches: () => batches }), options: { shuffle: { buffer: 3 } } },
};

describe.each(Object.entries(cases))("%s", (_, { data, options }) => {
  const whole = {
    ...options,
    epochs: 2,
    validation: { ...memory, batchSize: 16 },
    earlystop: { patience: 9, restorebest: true },
  } as const;

  it("goes on from every step and every epoch, to the bit", async () => {
    const straight = model();
    const history = await straight.fit(data(), whole);
    const expected = comparable(straight);
    const events: string[] = [];
    k.reset();
    for await (const event of model().fit(data(), whole)) events.push(event.type);
    const points = events.flatMap((type, i) => (type === "step" || type === "epoch" ? [i] : []));
    for (const point of points) {
      k.reset();
      const first = model();
      const training = first.fit(data(), { ...whole, earlystop: { patience: 9, restorebest: true } });
      let state: ReturnType<typeof left> | undefined;
      let seen = 0;
      for await (const _ of training) {
        if (seen++ !== point) continue;
        state = left(first, training);
        break;
      }
      const second = resumed(state as ReturnType<typeof left>);
      const { position } = state as ReturnType<typeof left>;
      const again = await second.fit(data(), { ...whole, resume: position });
      expect(again).toEqual(history);
      expect(comparable(second)).toEqual(expected);
    }
  });

  it("goes on after an abort before the first step of an epoch, to the bit", async () => {
    const expected = await model().fit(data(), { ...options, epochs: 2 });
    for (const over of [0, 1]) {
      k.reset();
      const first = model();
      const controller = new AbortController();
      if (over === 0) controller.abort();
      const training = first.fit(data(), { ...options, epochs: 2, signal: controller.signal });
      for await (const { type } of training) if (type === "epoch") controller.abort();
      expect(training.position).toMatchObject({ epoch: 1 + over, taken: 0 });
      const state = left(first, training);
      const second = resumed(state);
      expect(await second.fit(data(), { ...options, epochs: 2, resume: state.position })).toEqual(expected);
    }
  });
});

it("a source that skips is told how many items it leaves out, others nothing", async () => {
  const skips: number[] = [];
  for (const own of [true, false]) {
    for (const shuffle of [false, { buffer: 7, seed: 1 }]) {
      const options = { batchSize: 8, shuffle } as const;
      const training = model().fit({ samples }, options);
      for await (const event of training) if (event.type === "step" && event.step === 3) break;
      const source = (start: k.SourceStart) => {
        skips.push(start.skip);
        return samples.slice(start.skip);
      };
      await model().fit({ samples: source, skips: own }, { ...options, resume: training.position });
    }
  }
  // 24 samples were trained on. The buffer had read up to 30, and may have older ones than the 24th.
  expect(skips[0]).toBe(24);
  expect(skips[1]).toBeLessThanOrEqual(24);
  expect(skips[1]).toBeGreaterThan(0);
  expect(skips.slice(2)).toEqual([0, 0]);
});

it("an epoch that has only drawn its order may begin with another order, or with other data", async () => {
  const signal = AbortSignal.abort();
  const training = model().fit({ samples }, { shuffle: { buffer: 7 }, signal });
  await training;
  const { position } = training;
  expect(position).toMatchObject({ taken: 0, key: [0, 1, 2, 3].map(() => expect.any(Number)) });
  for (const [data, options] of [
    [{ samples }, {}],
    [{ samples: samples.slice(9) }, { shuffle: { buffer: 9 } }],
    [memory, { shuffle: true }],
  ] as const) {
    expect(await model().fit(data, { ...options, resume: position })).toEqual(await model().fit(data, options));
  }
});

it("a training that is over goes on with nothing", async () => {
  const trained = model();
  const training = trained.fit(memory, { epochs: 2 });
  const history = await training;
  const before = stateOf(trained);
  const again = trained.fit(memory, { epochs: 2, resume: training.position });
  expect(await again).toEqual(history);
  expect(again.position).toEqual(training.position);
  expect(stateOf(trained)).toEqual(before);
  expect(await trained.fit(memory, { epochs: 3, resume: training.position })).toMatchObject({
    steps: 6,
    epochs: [{}, {}, {}],
  });
});

it("an early stop stays over", async () => {
  const flat = { inputs: [[0, 0]], targets: [0] };
  const options = { epochs: 9, earlystop: { patience: 2, mindelta: 1e9 } };
  const trained = model();
  const training = trained.fit(
    {
      ...flat,
      inputs: [
        [0, 0],
        [0, 0],
      ],
      targets: [0, 0],
    },
    options,
  );
  const history = await training;
  expect(history).toMatchObject({ reason: "earlystop", best: 1 });
  const again = await trained.fit(
    {
      ...flat,
      inputs: [
        [0, 0],
        [0, 0],
      ],
      targets: [0, 0],
    },
    { ...options, resume: training.position },
  );
  expect(again).toEqual(history);
});

describe("a position", () => {
  const positionOf = async (data: FitData | DataSource, options: FitOptions) => {
    const training = model().fit(data, { batchSize: 8, ...options });
    for await (const event of training) if (event.type === "step" && event.step === 2) break;
    return training.position;
  };

  it("of other data is refused at once", async () => {
    const position = await positionOf({ samples }, { shuffle: { buffer: 7 } });
    const message = "expected a position in samples with a buffer of 1, given samples and a buffer of 7";
    expect(expectError("ERR_ARGUMENT", () => model().fit({ samples }, { resume: position }))).toContain(message);
    expectError("ERR_ARGUMENT", () => model().fit(memory, { resume: position }));
    expectError("ERR_ARGUMENT", () => model().fit({ batches }, { resume: position, shuffle: { buffer: 7 } }));
  });

  it("that is none is refused at once", async () => {
    const position = await positionOf({ samples }, {});
    const wrong: readonly (readonly [k.ErrorCode, unknown])[] = [
      ["ERR_ARGUMENT", 7],
      ["ERR_ARGUMENT", null],
      ["ERR_FORMAT", {}],
      ["ERR_FORMAT", { ...position, version: 2 }],
      ["ERR_ARGUMENT", { ...position, taken: -1 }],
      ["ERR_ARGUMENT", { ...position, step: "2" }],
      ["ERR_FORMAT", { ...position, epochs: null }],
      ["ERR_FORMAT", { ...position, sums: undefined }],
      ["ERR_ARGUMENT", { ...position, epoch: 0 }],
      ["ERR_FORMAT", { ...position, epoch: 2 }],
      ["ERR_FORMAT", { ...position, data: "tensors" }],
      ["ERR_FORMAT", { ...position, more: 1 }],
      ["ERR_FORMAT", { ...position, key: ["x", 1.5, -1, 0] }],
      ["ERR_FORMAT", { ...position, key: [1, 2, 3] }],
      ["ERR_FORMAT", { ...position, total: "50" }],
      ["ERR_SHAPE", { ...position, total: 15 }],
      ["ERR_ARGUMENT", { ...position, generator: 5 }],
      ["ERR_FORMAT", { ...position, generator: { key: "z", position: "5" } }],
      ["ERR_FORMAT", { ...position, sums: { ...position.sums, loss: "x" } }],
      ["ERR_FORMAT", { ...position, sums: { batchloss: [] } }],
      ["ERR_FORMAT", { ...position, sums: { ...position.sums, batchloss: [null] } }],
      ["ERR_FORMAT", { ...position, epoch: 2, epochs: ["x"] }],
      ["ERR_FORMAT", { ...position, epoch: 2, epochs: [{ epoch: 1 }] }],
      ["ERR_FORMAT", { ...position, epoch: 2, epochs: [{ epoch: 2, loss: 1 }] }],
      ["ERR_FORMAT", { ...position, epoch: 2, epochs: [{ epoch: 1, loss: 1, validation: { loss: "1" } }] }],
      ["ERR_FORMAT", { ...position, best: { epoch: 1, value: 0, weights: null } }],
      ["ERR_FORMAT", { ...position, best: 5 }],
      ["ERR_FORMAT", { ...position, epoch: 2 ** 32, epochs: new Array(2 ** 32 - 1) }],
      ["ERR_FORMAT", { ...position, sums: { ...position.sums, batchloss: new Array(2 ** 32 - 1) } }],
    ];
    for (const [code, resume] of wrong) {
      expect(expectError(code, () => model().fit({ samples }, { resume: resume as never }))).toMatch(/^fit: resume: /);
    }
  });

  it("with another best epoch than one of the module is refused at once", async () => {
    const options = { batchSize: 8, epochs: 2, earlystop: { patience: 9, restorebest: true } };
    const training = model().fit(memory, options);
    for await (const event of training) if (event.type === "step" && event.epoch === 2) break;
    const { position } = training;
    const { best } = position;
    const weights = best?.weights as NonNullable<k.TrainingPosition["best"]>["weights"] & object;
    const { "a.weight": first, ...others } = weights;
    const wrong: readonly (readonly [k.ErrorCode, unknown])[] = [
      ["ERR_FORMAT", { ...best, value: Number.NaN }],
      ["ERR_FORMAT", { ...best, epoch: 2 }],
      ["ERR_FORMAT", { ...best, weights: "weights" }],
      ["ERR_FORMAT", { ...best, weights: {} }],
      ["ERR_FORMAT", { ...best, weights: others }],
      ["ERR_FORMAT", { ...best, weights: { ...weights, nope: first } }],
      ["ERR_SHAPE", { ...best, weights: { ...weights, "a.weight": { ...first, shape: [2, 8] } } }],
      ["ERR_SHAPE", { ...best, weights: { ...weights, "a.weight": { ...first, data: new Float32Array(3) } } }],
      ["ERR_SHAPE", { ...best, weights: { ...weights, "a.weight": { ...first, data: new Float64Array(16) } } }],
      ["ERR_SHAPE", { ...best, weights: { ...weights, "a.weight": 7 } }],
    ];
    for (const [code, other] of wrong) {
      const resume = { ...position, best: other } as k.TrainingPosition;
      expect(expectError(code, () => model().fit(memory, { ...options, resume }))).toMatch(/^fit: resume: /);
    }
    expect(await model().fit(memory, { ...options, resume: position })).toMatchObject({ reason: "finished" });
  });

  it("is read once", async () => {
    const position = await positionOf({ samples }, { shuffle: { buffer: 7 } });
    let reads = 0;
    const changing = Object.defineProperty({ ...position }, "taken", {
      enumerable: true,
      get: () => (reads++ === 0 ? position.taken : 2 ** 40),
    });
    await model().fit({ samples }, { batchSize: 8, shuffle: { buffer: 7 }, resume: changing });
    expect(reads).toBe(1);
  });

  it("that is far beyond what a training reaches gives the event loop its turns", async () => {
    const position = { ...(await positionOf({ samples }, { shuffle: { buffer: 7 } })), taken: 2 ** 52 };
    const endless = function* () {
      for (;;) yield samples[0] as k.Sample;
    };
    for (const source of [{ samples: endless }, { samples: endless, skips: true }]) {
      const options = { shuffle: { buffer: 7 }, resume: position, signal: AbortSignal.timeout(20) };
      expect(await model().fit(source, options)).toMatchObject({ reason: "aborted" });
    }
  });

  it("beyond the end of a source is an error", async () => {
    const position = await positionOf({ samples }, {});
    const few = model().fit({ samples: samples.slice(0, 9) }, { resume: position, batchSize: 8 });
    await expect(few).rejects.toMatchObject({
      code: "ERR_SHAPE",
      message: "fit: expected a source with the position, at least 16 samples, given 9",
    });
    const memoryPosition = await positionOf(memory, {});
    const other = model().fit(
      { inputs: inputs.slice(1), targets: targets.slice(1) },
      { resume: memoryPosition, batchSize: 8 },
    );
    await expect(other).rejects.toMatchObject({
      code: "ERR_SHAPE",
      message: "fit: resume: expected a position in 49 samples, given one in 50",
    });
  });
});

it("two trainings that shuffle at the same time go on as they were", async () => {
  const options = { epochs: 3, batchSize: 8, shuffle: true } as const;
  const [one, two] = [model(), model()];
  const [a, b] = [one.fit(memory, options), two.fit({ samples }, { ...options, shuffle: { buffer: 9 } })];
  const [first, second] = await Promise.all([a, b]);
  expect([first.reason, second.reason]).toEqual(["finished", "finished"]);
});
