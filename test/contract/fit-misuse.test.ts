// Arguments that `fit` and `measure` refuse, and trainings that would disturb each other.

import * as k from "@stepwell/sdk";
import { type FitEvent, Model, Module, Optimizer, optimizer } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => {
  k.reset();
});

const inputs = Array.from({ length: 6 }, (_, i) => [i, 1]);
const targets = inputs.map(([x = 0]) => [2 * x]);
const data = { inputs, targets };

function model(): Model {
  k.seed(1);
  const m = Module.of(["linear", 2, 1]);
  return new Model(m, "mse", optimizer("sgd").lr(0.01).build(m));
}

const weightsOf = ({ module }: Model) =>
  k.parmnames(module.handle).map((name) => k.tensor(k.parm(module.handle, name)));

/** The error of a promise, which must be one of Stepwell. */
async function rejection(promise: Promise<unknown>): Promise<k.StepwellError> {
  const error = await promise.then(
    () => expect.fail("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(k.StepwellError);
  return error as k.StepwellError;
}

async function trainedThrough(trained: Model): Promise<number> {
  let steps = 0;
  for await (const event of trained.fit(data, { batchSize: 3 })) if (event.type === "step") steps += 1;
  return steps;
}

describe("fit", () => {
  it.each(["epoch", "batch", "batch_size", "clipNorm", "lr", "Epochs", "callbacks", "constructor", "__proto__x"])(
    "has no option %s, and names those that there are",
    (name) => {
      const trained = model();
      const before = weightsOf(trained);
      const options = { epochs: 2, [name]: 3 };
      expect(expectError("ERR_OPTION_UNKNOWN", () => trained.fit(data, options))).toBe(
        `fit: unknown option \`${name}\`, expected one of epochs, batchSize, batchsize, shuffle, droplast, accumulate, clipnorm, clipvalue, nonfinite, nonfiniteloss, metrics, advance, signal, validation, earlystop, prefetch, checkpoint, resume, distributed`,
      );
      expect(weightsOf(trained)).toEqual(before);
    },
  );

  it("takes undefined for an option that is not there", async () => {
    const options = {
      epochs: undefined,
      batchSize: undefined,
      shuffle: undefined,
      signal: undefined,
      epoch: undefined,
    };
    const events: FitEvent[] = [];
    for await (const event of model().fit(data, options as never)) events.push(event);
    expect(events.map((event) => event.type)).toEqual(["step", "epoch", "done"]);
  });

  const wrong: readonly (readonly [k.ErrorCode, unknown, unknown])[] = [
    ["ERR_ARGUMENT", data, { epochs: 0 }],
    ["ERR_ARGUMENT", data, { distributed: 1 }],
    ["ERR_ARGUMENT", data, { epochs: null }],
    ["ERR_ARGUMENT", data, { epochs: 2n }],
    ["ERR_OPTION_TYPE", data, { batchSize: 1.5 }],
    ["ERR_OPTION_RANGE", data, { batchsize: 0 }],
    ["ERR_OPTION_TYPE", data, { droplast: 1 }],
    ["ERR_OPTION_RANGE", data, { accumulate: 0 }],
    ["ERR_OPTION_RANGE", data, { metrics: ["f1"] }],
    ["ERR_OPTION_RANGE", data, { metrics: "accuracy" }],
    ["ERR_OPTION_TYPE", data, { metrics: [] }],
    ["ERR_ARGUMENT", data, { nonfiniteloss: "halt" }],
    ["ERR_ARGUMENT", data, { nonfiniteloss: null }],
    ["ERR_OPTION_TYPE", data, { nonfinite: null }],
    ["ERR_OPTION_TYPE", data, { metrics: null }],
    ["ERR_OPTION_TYPE", data, { metrics: [null] }],
    ["ERR_ARGUMENT", data, { metrics: new Array(2 ** 32 - 1) }],
    ["ERR_ARGUMENT", data, { earlystop: true }],
    ["ERR_OPTION_UNKNOWN", data, { earlystop: { monitor: "loss" } }],
    ["ERR_ARGUMENT", data, { earlystop: { metric: "f1" } }],
    ["ERR_OPTION_RANGE", data, { earlystop: { metric: "accuracy" } }],
    ["ERR_ARGUMENT", data, { earlystop: { patience: 0 } }],
    ["ERR_ARGUMENT", data, { earlystop: { mindelta: -1 } }],
    ["ERR_ARGUMENT", data, { earlystop: { mode: "auto" } }],
    ["ERR_ARGUMENT", data, { earlystop: { restorebest: 1 } }],
    ["ERR_OPTION_UNKNOWN", data, { validation: { ...data, shuffle: true } }],
    ["ERR_ARGUMENT", data, { validation: { ...data, every: 0 } }],
    ["ERR_OPTION_TYPE", data, { validation: { ...data, batchsize: 1.5 } }],
    ["ERR_SHAPE", data, { validation: { ...data, batchsize: 7, droplast: true } }],
    ["ERR_SHAPE", data, { batchsize: 7, droplast: true }],
    ["ERR_ARGUMENT", data, { batchSize: 3, batchsize: 3 }],
    ["ERR_ARGUMENT", data, { advance: "epoch" }],
    ["ERR_OPTION_TYPE", data, { shuffle: "no" }],
    ["ERR_OPTION_TYPE", data, { shuffle: 0 }],
    ["ERR_ARGUMENT", data, { advance: "epochs" }],
    ["ERR_ARGUMENT", data, { advance: null }],
    ["ERR_OPTION_RANGE", data, { nonfinite: "warn" }],
    ["ERR_OPTION_RANGE", data, { clipnorm: 0 }],
    ["ERR_OPTION_RANGE", data, { clipnorm: Number.NaN }],
    ["ERR_OPTION_RANGE", data, { clipvalue: Number.POSITIVE_INFINITY }],
    ["ERR_OPTION_TYPE", data, { clipvalue: "1" }],
    ["ERR_OPTION_RANGE", data, { clipnorm: 1, clipvalue: 1 }],
    ["ERR_ARGUMENT", data, { signal: {} }],
    ["ERR_ARGUMENT", data, { signal: new AbortController() }],
    ["ERR_ARGUMENT", data, { signal: { aborted: false } }],
    ["ERR_ARGUMENT", data, { signal: { aborted: false, addEventListener: () => {} } }],
    ["ERR_ARGUMENT", data, { validation: 7 }],
    ["ERR_ARGUMENT", data, { validation: null }],
    ["ERR_ARGUMENT", data, { validation: { inputs } }],
    ["ERR_ARGUMENT", data, { validation: inputs }],
    ["ERR_ARGUMENT", data, []],
    ["ERR_ARGUMENT", data, "fast"],
    ["ERR_ARGUMENT", inputs, {}],
    ["ERR_ARGUMENT", { inputs }, {}],
    ["ERR_ARGUMENT", { input: inputs, target: targets }, {}],
    ["ERR_ARGUMENT", { inputs, targets, labels: targets }, {}],
    ["ERR_ARGUMENT", { inputs, targets: null }, {}],
    ["ERR_ARGUMENT", "data", {}],
    ["ERR_ARGUMENT", undefined, {}],
    ["ERR_SHAPE", { inputs, targets: [[1]] }, {}],
    ["ERR_SHAPE", { inputs: [], targets: [] }, {}],
  ];
  it.each(wrong)("refuses with %s what makes no sense at once, and trains afterwards", async (code, given, options) => {
    const trained = model();
    const handles = k.handlecount();
    expect(expectError(code, () => trained.fit(given as never, options as never))).toMatch(/^fit[: ]/);
    expect(k.handlecount()).toBe(handles);
    expect(await trainedThrough(trained)).toBe(2);
  });
});

it("refuses lists of any length that have no numbers, and lists in themselves, before they are read", async () => {
  const own: unknown[] = [];
  own.push(own);
  const shared = Array.from({ length: 20_000 }).fill(Array.from({ length: 20_000 }).fill(0));
  const lists = [new Array(1e8), new Array(2 ** 32 - 1), new Array(60_000).fill(new Array(60_000)), own, shared];
  for (const list of lists) {
    for (const given of [
      { inputs: list, targets },
      { inputs, targets: list },
    ] as unknown as k.FitData[]) {
      expect(await rejection((async () => model().fit(given))())).toMatchObject({ code: "ERR_ARGUMENT" });
    }
    const samples = [[list, [1]]] as unknown as k.Sample[];
    expect(await rejection(model().fit({ samples }))).toMatchObject({ code: "ERR_ARGUMENT" });
  }
});

it("batchsize, as train has it, is batchSize", async () => {
  const types: string[] = [];
  for await (const event of model().fit(data, { batchsize: 4 })) types.push(event.type);
  expect(types).toEqual(["step", "step", "epoch", "done"]);
  expect(model().measure(data, { batchsize: 4 })).toEqual(model().measure(data, { batchSize: 4 }));
  expect(expectError("ERR_ARGUMENT", () => model().measure(data, { batchSize: 4, batchsize: 4 }))).toBe(
    "measure batchsize: given twice; its other name is batchSize",
  );
});

it("an epoch advances the schedule of the optimizer, which must have one", async () => {
  const trained = model();
  expect(expectError("ERR_ARGUMENT", () => trained.fit(data, { advance: "epoch" }))).toBe(
    "fit: advance: expected an optimizer with a schedule, given one without",
  );
  k.schedule(trained.optimizer.handle, k.schedules.linear());
  await trained.fit(data, { advance: "epoch" });
});

it("a module or an optimizer that was freed is named at once", () => {
  for (const part of ["module", "optimizer"] as const) {
    const trained = model();
    trained[part][Symbol.dispose]();
    expect(expectError("ERR_HANDLE_FREED", () => trained.fit(data))).toMatch(/^fit: /);
    expect(expectError("ERR_HANDLE_FREED", () => trained.measure(data))).toMatch(/^measure: /);
  }
});

it("measure has the options of test, and takes no nonsense", () => {
  const trained = model();
  expect(expectError("ERR_OPTION_UNKNOWN", () => trained.measure(data, { epochs: 1 } as never))).toContain("batchSize");
  expect(expectError("ERR_OPTION_RANGE", () => trained.measure(data, { batchSize: 0 }))).toMatch(/^measure batchsize/);
  expectError("ERR_ARGUMENT", () => trained.measure(data, 7 as never));
  expectError("ERR_ARGUMENT", () => trained.measure({ inputs } as never));
});

describe("two trainings", () => {
  /** Every way in which a second model can meet the parameters of the first. */
  const second: { readonly [how: string]: (first: Model) => Model } = {
    "of one model": (first) => first,
    "of models of one module and one optimizer": ({ module, optimizer }) => new Model(module, "l1", optimizer),
    "of models of one module": ({ module }) => new Model(module, "mse", optimizer("adam").build(module)),
    "of models whose optimizers are one behind two handles": ({ module, optimizer }) => {
      const shared = k.opt(k.model(module.handle, k.loss("mse"), optimizer.handle));
      return new Model(module, "mse", new Optimizer(shared));
    },
    "of models that share a parameter": (first) => {
      const module = new Module(k.module(first.handle));
      return new Model(module, "mse", optimizer("adam").build(k.parm(module.handle, "bias")));
    },
  };

  it.each(Object.entries(second))("%s do not run at the same time", async (_, make) => {
    const first = model();
    const other = make(first);
    const options = { batchSize: 2, epochs: 3, shuffle: false };
    // Neither begins before its first event is awaited.
    const [training, two] = [first.fit(data, options), other.fit(data, options)];
    const one = training[Symbol.asyncIterator]();
    const begun = one.next();
    const refused = rejection(two);
    await begun;
    const before = weightsOf(first);
    const error = await refused;
    expect(error.code).toBe("ERR_ARGUMENT");
    expect(error.message).toMatch(/^fit: a training .* is running/);
    expectError("ERR_ARGUMENT", () => other.fit(data));
    expect(weightsOf(first)).toEqual(before);
    // `measure` changes nothing, so it is allowed.
    first.measure(data);
    let steps = 1;
    for await (const event of one) if (event.type === "step") steps += 1;
    expect(steps).toBe(9);
    expect(await trainedThrough(other)).toBe(2);
  });

  it("of models with nothing in common do", async () => {
    const [one, other] = [model().fit(data, { epochs: 2 }), model().fit(data, { epochs: 2 })];
    const two = other[Symbol.asyncIterator]();
    const types: string[] = [];
    for await (const event of one) {
      types.push(event.type);
      types.push((await two.next()).value?.type ?? "end");
    }
    expect(types).toEqual(["step", "step", "epoch", "epoch", "step", "step", "epoch", "epoch", "done", "done"]);
  });

  it("follow each other, whichever way the first one ends", async () => {
    const trained = model();
    for await (const _ of trained.fit(data, { epochs: 9 })) break;
    expect(await trainedThrough(trained)).toBe(2);

    for await (const _ of trained.fit(data, { signal: AbortSignal.abort() }));
    expect(await trainedThrough(trained)).toBe(2);

    const controller = new AbortController();
    for await (const event of trained.fit(data, { epochs: 9, signal: controller.signal })) {
      if (event.type === "step") controller.abort();
    }
    expect(await trainedThrough(trained)).toBe(2);

    await rejection(
      (async () => {
        for await (const _ of trained.fit({ inputs: inputs.map(() => [1]), targets }));
      })(),
    );
    expect(await trainedThrough(trained)).toBe(2);

    const thrown = new Error("x");
    const throwing = async () => {
      for await (const _ of trained.fit(data)) throw thrown;
    };
    await expect(throwing()).rejects.toBe(thrown);
    expect(await trainedThrough(trained)).toBe(2);

    await trained.fit(data);
    expect(await trainedThrough(trained)).toBe(2);
  });

  it("of which the first one was freed do not meet, wherever the second one is", async () => {
    for (let i = 0; i < 20; i++) {
      const trained = model();
      await trained.fit(data, { epochs: 9 })[Symbol.asyncIterator]().next();
      trained[Symbol.dispose]();
    }
    expect(await trainedThrough(model())).toBe(2);
  });

  it("of which nobody goes on with the first one do not meet", async () => {
    const trained = model();
    await (async () => {
      await trained.fit(data, { epochs: 9 })[Symbol.asyncIterator]().next();
    })();
    expectError("ERR_ARGUMENT", () => trained.fit(data));
    // The garbage collector decides when.
    for (let i = 0; i < 200; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      globalThis.gc?.();
      try {
        await trained.fit(data);
        break;
      } catch {
        // Not yet.
      }
    }
    expect(await trainedThrough(trained)).toBe(2);
  });
});
