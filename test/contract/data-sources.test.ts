// Trainings on sources: items of every kind, batches, figures, and what is refused.

import { Readable } from "node:stream";
import * as k from "@stepwell/sdk";
import { type DataSource, type FitOptions, Model, Module, optimizer, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => {
  k.reset();
});

const inputs = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([x = 0, y = 0]) => (x + y > 0 ? 1 : 0));
const data = { inputs, targets };
const samples = inputs.map((input, i) => [input, targets[i] as number] as const);
const batches = (size: number) =>
  Array.from({ length: Math.ceil(50 / size) }, (_, i) => ({
    inputs: inputs.slice(i * size, (i + 1) * size),
    targets: targets.slice(i * size, (i + 1) * size),
  }));

function model(): Model {
  k.seed(5);
  const m = Module.of(
    k.seq("sequential", ["linear", "a", 2, 8], "tanh", ["dropout", "d", 0.25], ["linear", "b", 8, 2]),
  );
  return new Model(m, "ce", optimizer("adam").lr(0.05).build(m));
}

const stateOf = ({ module, optimizer }: Model) => ({
  module: module.state(),
  buffers: optimizer.state().parms.map((row) => row.buffers),
});

/** The history and the state after a training. */
async function trained(given: k.FitData | DataSource, options: FitOptions) {
  const made = model();
  const handles = k.handlecount();
  const history = await made.fit(given, options);
  expect(k.handlecount()).toBe(handles);
  return { history, state: stateOf(made) };
}

const later = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(() => resolve(value)));

async function* slow<Item>(items: Iterable<Item>) {
  for (const item of items) yield later(item);
}

/** Every way to give the same samples. */
const sources: { readonly [how: string]: DataSource } = {
  "an array": { samples },
  "an array of objects": { samples: samples.map(([input, target]) => ({ input, target })) },
  "a set": { samples: new Set(samples) },
  "a generator function": {
    samples: function* () {
      yield* samples;
    },
  },
  "an asynchronous generator function": { samples: () => slow(samples) },
  "a promise of an iterable": { samples: async () => later(samples) },
  "promises in an array": { samples: samples.map((sample) => Promise.resolve(sample)) },
  "a stream of Node": { samples: () => Readable.from(samples) },
  "a stream of the web": { samples: () => Readable.toWeb(Readable.from(samples)) as ReadableStream<k.Sample> },
  "typed arrays": { samples: samples.map(([x, y]) => [Float64Array.from(x), y] as const) },
  "typed arrays with shapes": {
    samples: samples.map(([x, y]) => [{ data: Float64Array.from(x), shape: [2] }, y] as const),
  },
  "one array that is used again": {
    samples: function* () {
      const input = new Float64Array(2);
      for (const [x, y] of samples) {
        input.set(x);
        yield [input, y] as const;
      }
    },
  },
};

describe("a source is trained on as the same data in memory, to the bit", () => {
  for (const [how, source] of Object.entries(sources)) {
    it(how, async () => {
      const options = { epochs: 3, batchSize: 16, clipnorm: 1, validation: data } as const;
      const expected = await trained(data, options);
      k.reset();
      expect(await trained(source, options)).toEqual(expected);
    });
  }

  const options: readonly FitOptions[] = [
    { batchSize: 16, droplast: true },
    { batchSize: 7, metrics: ["batchloss", "matches", "accuracy"] },
    { batchSize: 50 },
    { batchSize: 1_000_000_000 },
    { batchSize: 1, prefetch: 0 },
    { batchSize: 3, prefetch: 40 },
    { batchSize: 3, prefetch: Number.MAX_SAFE_INTEGER },
  ];
  it.each(options)("with %o", async ({ prefetch, ...shared }) => {
    const expected = await trained(data, { epochs: 2, ...shared });
    k.reset();
    const options = { epochs: 2, ...shared, ...(prefetch !== undefined && { prefetch }) };
    expect(await trained({ samples: () => slow(samples) }, options)).toEqual(expected);
  });

  it("tensors", async () => {
    const expected = await trained(data, { batchSize: 16 });
    k.reset();
    const tensors = samples.map(([x, y]) => [Tensor.of(x, "double"), k.reshape(k.tensor([y], "long"), [])] as const);
    const made = model();
    const handles = k.handlecount();
    await made.fit({ samples: tensors }, { batchSize: 16 });
    expect(stateOf(made)).toEqual(expected.state);
    // They stay the caller's.
    expect(k.handlecount()).toBe(handles);
    expect(k.tensor(tensors[3]?.[0] as Tensor)).toEqual(samples[3]?.[0]);
  });

  it("of batches with sizes of their own", async () => {
    const expected = await trained(data, { epochs: 2, batchSize: 16 });
    for (const given of [batches(16), batches(16).map(({ inputs, targets }) => [inputs, targets] as const)]) {
      k.reset();
      expect(await trained({ batches: given }, { epochs: 2 })).toEqual(expected);
    }
    k.reset();
    const tensors = () =>
      batches(16).map(({ inputs, targets }) => [k.tensor(inputs, "double"), Tensor.of(targets, "long")] as const);
    const made = model();
    await made.fit({ batches: tensors }, { epochs: 2 });
    expect(stateOf(made)).toEqual(expected.state);
  });

  it("of several batches in a step; the figures are equal up to rounding", async () => {
    const options = { epochs: 2, batchSize: 8, accumulate: 3, metrics: ["loss", "batchloss"] } as const;
    const expected = await trained(data, options);
    const sources = [
      [{ samples }, options],
      [{ batches: batches(8) }, { epochs: 2, accumulate: 3, metrics: options.metrics }],
    ] as const;
    for (const [source, options] of sources) {
      k.reset();
      const { history, state } = await trained(source, options);
      expect(state).toEqual(expected.state);
      expect(history.steps).toBe(expected.history.steps);
      for (const [i, { loss, batchloss }] of history.epochs.entries()) {
        expect(loss).toBeCloseTo(expected.history.epochs[i]?.loss as number, 12);
        expect(batchloss).toEqual(expected.history.epochs[i]?.batchloss);
      }
    }
  });

  it("with the smaller batch of a step at its end", async () => {
    const [large, other, small] = batches(22);
    const given = [large, other, small] as readonly k.SampleBatch[];
    const early = [large, small, other] as readonly k.SampleBatch[];
    const expected = await trained({ batches: given }, { epochs: 2, accumulate: 3 });
    k.reset();
    expect(await trained({ batches: early }, { epochs: 2, accumulate: 3 })).toEqual(expected);
    for (let seed = 0; seed < 8; seed++) {
      const options = { accumulate: 2, shuffle: { buffer: 3, seed } };
      expect(await model().fit({ batches: given }, options)).toMatchObject({ steps: 2, reason: "finished" });
    }
  });

  it("if it fills one array again and again, also ahead of the steps and in a buffer", async () => {
    const reused = function* () {
      const [input, target] = [new Float64Array(2), new Float64Array(1)];
      for (const [x, y] of samples) {
        input.set(x);
        target[0] = y;
        yield [input, { data: target, shape: [] }] as const;
      }
    };
    const batched = function* () {
      const input = new Float64Array(20);
      for (const { inputs, targets } of batches(10)) {
        input.set(inputs.flat());
        yield [{ data: input, shape: [10, 2] }, targets] as const;
      }
    };
    for (const shuffle of [false, { buffer: 7, seed: 1 }]) {
      for (const [own, given] of [
        [{ samples }, { samples: reused }],
        [{ batches: batches(10) }, { batches: batched }],
      ] as const) {
        k.reset();
        const expected = await trained(own, { epochs: 2, shuffle });
        k.reset();
        expect(await trained(given, { epochs: 2, shuffle })).toEqual(expected);
      }
    }
  });

  it("in the order of a shuffle of the data in memory", async () => {
    const made = model();
    k.train(made.handle, { batchsize: 16, shuffle: true });
    k.train(made.handle, inputs, targets);
    const before = k.generator();
    k.run(made.handle);
    const expected = stateOf(made);
    k.reset();
    const again = model();
    k.generator(before);
    const order = [...k.randperm(50)];
    await again.fit({ samples: order.map((i) => samples[i] as k.Sample) }, { batchSize: 16 });
    expect(stateOf(again)).toEqual(expected);
  });

  it("measured, and as data for validation", async () => {
    const made = model();
    const expected = made.measure(data, { batchSize: 16 });
    for (const source of [{ samples }, { samples: () => slow(samples) }]) {
      expect(await made.measure(source, { batchSize: 16 })).toEqual(expected);
    }
    expect(await made.measure({ batches: batches(16) })).toEqual(expected);
    const options = { epochs: 5, batchSize: 10 };
    const { history, state } = await trained(data, {
      ...options,
      validation: { ...data, batchSize: 16, every: 2 },
    });
    k.reset();
    const validation = { samples: () => slow(samples), batchSize: 16, every: 2 };
    expect(await trained(data, { ...options, validation })).toEqual({ history, state });
  });
});

it("tells how many steps there will be, if the source tells how many items it has", async () => {
  const steps = async (source: DataSource, options: FitOptions) => {
    const seen = new Set<number | undefined>();
    for await (const event of model().fit(source, { epochs: 2, ...options })) {
      if (event.type === "step") seen.add(event.steps);
    }
    return [...seen];
  };
  expect(await steps({ samples }, { batchSize: 16 })).toEqual([8]);
  expect(await steps({ samples }, { batchSize: 16, droplast: true })).toEqual([6]);
  expect(await steps({ samples, count: 50 }, { batchSize: 16, accumulate: 3 })).toEqual([4]);
  expect(await steps({ samples: () => samples, count: 50 }, { batchSize: 16 })).toEqual([8]);
  expect(await steps({ batches: batches(16) }, {})).toEqual([8]);
  expect(await steps({ samples: () => samples }, { batchSize: 16 })).toEqual([undefined]);
});

it("reads at most the steps that are to be ready, and as many while nothing else is done", async () => {
  for (const prefetch of [0, 1, 3]) {
    let read = 0;
    const counted = function* () {
      for (const sample of samples) {
        read += 1;
        yield sample;
      }
    };
    let step = 0;
    for await (const event of model().fit({ samples: counted }, { batchSize: 4, prefetch })) {
      if (event.type !== "step") continue;
      step += 1;
      for (let i = 0; i < 20; i++) await later(0);
      // The step itself, and those that are made ready.
      expect(read).toBe(Math.min(50, 4 * (step + prefetch)));
    }
    expect(step).toBe(13);
  }
});

describe("a source that is wrong", () => {
  const wrong: readonly (readonly [k.ErrorCode, RegExp, unknown, FitOptions?])[] = [
    ["ERR_ARGUMENT", /expected samples or batches, given both/, { samples, batches: [] }],
    ["ERR_ARGUMENT", /expected samples or batches, given neither/, { samples: undefined }],
    ["ERR_ARGUMENT", /fit: samples: expected an iterable/, { samples: "abc" }],
    ["ERR_ARGUMENT", /fit: batches: expected an iterable/, { batches: null }],
    ["ERR_ARGUMENT", /fit: count: expected a whole number >= 1, given number 0/, { samples, count: 0 }],
    ["ERR_ARGUMENT", /fit: count: expected the length of the array, 50, given 49/, { samples, count: 49 }],
    ["ERR_ARGUMENT", /fit: skips: expected a boolean/, { samples, skips: 1 }],
    ["ERR_ARGUMENT", /fit: skips: expected a function as samples/, { samples, skips: true }],
    ["ERR_ARGUMENT", /inputs and targets and no more/, { samples, labels: [] }],
    ["ERR_SHAPE", /at least one batch/, { samples: [] }],
    [
      "ERR_ARGUMENT",
      /begin again for 2 passes.*given an iterator or a stream/,
      { samples: samples.values() },
      { epochs: 2 },
    ],
    ["ERR_ARGUMENT", /begin again for 2 passes/, { samples: Readable.from(samples) }, { epochs: 2 }],
    ["ERR_ARGUMENT", /fit: batchSize: expected samples/, { batches: batches(16) }, { batchSize: 16 }],
    ["ERR_ARGUMENT", /fit: droplast: expected samples/, { batches: batches(16) }, { droplast: true }],
    ["ERR_ARGUMENT", /fit: prefetch: expected a whole number >= 0/, { samples }, { prefetch: -1 }],
    ["ERR_ARGUMENT", /fit: prefetch: expected samples or batches, given data in memory/, data, { prefetch: 1 }],
    ["ERR_ARGUMENT", /shuffle: options of a buffer: expected samples or batches/, data, { shuffle: { buffer: 2 } }],
    ["ERR_ARGUMENT", /fit: shuffle: buffer: expected a whole number >= 1/, { samples }, { shuffle: { buffer: 0 } }],
    ["ERR_ARGUMENT", /fit: shuffle: seed: expected a whole number >= 0/, { samples }, { shuffle: { seed: 0.5 } }],
    ["ERR_OPTION_UNKNOWN", /fit: shuffle: unknown option `size`/, { samples }, { shuffle: { size: 2 } as never }],
    [
      "ERR_ARGUMENT",
      /fit: validation: expected samples that begin again for 3 passes/,
      data,
      { epochs: 3, validation: { samples: samples.values() } },
    ],
    ["ERR_OPTION_UNKNOWN", /fit: validation: unknown option/, data, { validation: { samples, size: 1 } as never }],
    ["ERR_ARGUMENT", /fit: validation: prefetch: expected samples/, data, { validation: { ...data, prefetch: 1 } }],
  ];
  it.each(wrong)("is refused with %s %s at once", (...row) => {
    const [code, message, source, options] = row as unknown as (typeof wrong)[number];
    const made = model();
    const before = [k.handlecount(), stateOf(made)];
    expect(expectError(code, () => made.fit(source as DataSource, options))).toMatch(message);
    expect([k.handlecount(), stateOf(made)]).toEqual(before);
  });

  const pair = [[1, 2], 0] as const;
  const broken: readonly (readonly [k.ErrorCode, string, DataSource | unknown, FitOptions?])[] = [
    ["ERR_SHAPE", "fit: expected at least one batch, given too few samples for one", { samples: () => [] }],
    ["ERR_SHAPE", "fit: expected at least one batch, given too few samples for one", { batches: () => [] }],
    [
      "ERR_SHAPE",
      "fit: expected at least one batch, given too few samples for one",
      { samples: () => [pair] },
      { droplast: true },
    ],
    [
      "ERR_ARGUMENT",
      "fit: expected an iterable, an asynchronous iterable or a stream, given number 7",
      { samples: () => 7 },
    ],
    [
      "ERR_ARGUMENT",
      "fit: expected an iterable, an asynchronous iterable or a stream, given a dictionary",
      { samples: { [Symbol.iterator]: () => null } },
    ],
    [
      "ERR_ARGUMENT",
      "fit: expected an iterable, an asynchronous iterable or a stream, given a dictionary",
      { samples: () => ({ [Symbol.asyncIterator]: () => ({ next: 7 }) }) },
    ],
    [
      "ERR_ARGUMENT",
      "fit: samples: expected a pair [input, target] or { input, target }, given number 1",
      { samples: () => [1] },
    ],
    [
      "ERR_ARGUMENT",
      "fit: samples: expected a pair [input, target] or { input, target }, given null",
      { samples: () => [undefined] },
    ],
    [
      "ERR_ARGUMENT",
      "fit: samples: expected a pair [input, target] or { input, target }, given list of 1",
      { samples: () => [[1]] },
    ],
    [
      "ERR_ARGUMENT",
      "fit: samples: expected a pair [input, target] or { input, target }, given an Uint8Array",
      { samples: () => [new Uint8Array(2)] },
    ],
    [
      "ERR_ARGUMENT",
      "fit: samples: expected a pair [input, target] or { input, target }, with target, given undefined",
      { samples: () => [{ input: [1, 2] }] },
    ],
    [
      "ERR_ARGUMENT",
      'fit: samples: expected a pair [input, target] or { input, target } and no more, given string "label"',
      { samples: () => [{ input: [1, 2], target: 0, label: 0 }] },
    ],
    [
      "ERR_SHAPE",
      "fit: input: expected samples of one shape in a batch, given [2] and [3]",
      { samples: () => [pair, [[1, 2, 3], 0]] },
    ],
    [
      "ERR_DTYPE",
      "fit: input: expected samples of one type in a batch, given Float64Array and Float32Array",
      { samples: () => [pair, [Float32Array.of(1, 2), 0]] },
    ],
    [
      "ERR_SHAPE",
      "fit: inputs: expected lists of 2, given one of 1",
      {
        batches: () => [
          [
            [[1, 2], [1]],
            [0, 0],
          ],
        ],
      },
    ],
    [
      "ERR_ARGUMENT",
      'fit: input: expected numbers, nested numbers, a typed array or a tensor, given string "a"',
      { samples: () => [[["a", 1], 0]] },
    ],
    [
      "ERR_ARGUMENT",
      "fit: input: expected numbers, nested numbers, a typed array or a tensor, given a Map",
      { samples: () => [[new Map(), 0]] },
    ],
    [
      "ERR_SHAPE",
      "fit: input: expected elements of shape [3], given 2",
      { samples: () => [[{ data: new Float32Array(2), shape: [3] }, 0]] },
    ],
    [
      "ERR_SHAPE",
      "fit: expected samples along dimension 0 of a batch, given inputs of shape []",
      { batches: () => [[1, 1]] },
    ],
    [
      "ERR_SHAPE",
      "fit: expected samples along dimension 0 of a batch, given inputs of shape [0]",
      { batches: () => [[[], []]] },
    ],
    [
      "ERR_SHAPE",
      "fit: expected as many targets as inputs, given 2 inputs and 1 targets",
      {
        batches: () => [
          [
            [
              [1, 2],
              [1, 2],
            ],
            [0],
          ],
        ],
      },
    ],
    [
      "ERR_SHAPE",
      "fit: expected batches of one size in a step of several, given sizes 2, 1, 1",
      {
        batches: () => [
          [[[1, 2]], [0]],
          [[[1, 2]], [0]],
          [
            [
              [1, 2],
              [1, 2],
            ],
            [0, 0],
          ],
        ],
      },
      { accumulate: 3 },
    ],
    [
      "ERR_SHAPE",
      "fit: expected 3 samples of the source, as its count says, given 2",
      { samples: () => [pair, pair], count: 3 },
    ],
    [
      "ERR_SHAPE",
      "fit: expected 1 samples of the source, as its count says, given more",
      { samples: () => [pair, pair], count: 1 },
    ],
  ];
  it.each(broken)("fails with %s when it is read: %s", async (...row) => {
    const [code, message, source, options] = row as unknown as (typeof broken)[number];
    const made = model();
    const before = [k.handlecount(), stateOf(made)];
    const failed = made.fit(source as DataSource, options);
    await expect(failed).rejects.toMatchObject({ name: "StepwellError", code, message });
    expect([k.handlecount(), stateOf(made)]).toEqual(before);
    expect((await made.fit(data, {})).reason).toBe("finished");
  });

  it("has one error for a function that returns one iterator twice", async () => {
    const iterator = samples.values();
    const training = model().fit({ samples: () => iterator }, { epochs: 2 });
    await expect(training).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message:
        "fit: expected a source that begins again in epoch 2, given one that is spent: a function that returns a new iterable has several epochs",
    });
  });

  it("takes no memory for samples that there are not", async () => {
    const vast = { input: new Float64Array(5e6), target: [1] };
    const training = model().fit({ samples: () => [vast] }, { batchSize: 1024 });
    // The module takes other samples.
    await expect(training).rejects.toMatchObject({ name: "StepwellError", code: "ERR_SHAPE" });
    // 2^64 numbers in 64 lists.
    let list: unknown = [0, 0];
    for (let i = 1; i < 64; i++) list = [list, list];
    const shape = new Array(2 ** 32 - 1);
    const shaped = model().fit({ samples: [[{ data: new Float64Array(2), shape }, 0]] });
    await expect(shaped).rejects.toMatchObject({ name: "StepwellError", code: "ERR_ARGUMENT" });
    const shared = model().fit({ samples: [[list, 0]] as never });
    await expect(shared).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message: expect.stringMatching(/^fit: input: expected at most 134217728 numbers, given nested lists of \[2,2,/),
    });
  });

  it("is refused by measure, too", async () => {
    const made = model();
    await expect(made.measure({ samples: () => [] })).rejects.toMatchObject({
      code: "ERR_SHAPE",
      message: "measure: expected at least one batch, given too few samples for one",
    });
    await expect(made.measure({ samples }, { epochs: 2 } as never)).rejects.toMatchObject({
      code: "ERR_OPTION_UNKNOWN",
    });
    expectError("ERR_OPTION_UNKNOWN", () => made.measure(data, { prefetch: 2 } as never));
    await expect(made.measure({ samples }, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
    // As an implementation of its own has it.
    const signal = { aborted: true, reason: "own", addEventListener: () => {}, removeEventListener: () => {} };
    await expect(made.measure({ samples }, { signal: signal as unknown as AbortSignal })).rejects.toBe("own");
  });
});
