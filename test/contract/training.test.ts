// The result of `fit`: a promise of the history, or a stream of events, once. And all that it has in addition to `run`: early stops,
// validations, losses that are not finite, data of any kind.

import * as k from "@stepwell/sdk";
import { type FitData, type FitEvent, type FitOptions, Model, Module, optimizer } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => {
  k.reset();
});

const inputs = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([x = 0, y = 0]) => (x + y > 0 ? 1 : 0));
const data = { inputs, targets };

function model(loss: k.LossChoice = "ce", rate = 0.05): Model {
  k.seed(5);
  const m = Module.of(k.seq("sequential", ["linear", "a", 2, 8], ["batchnorm", "n", 8], "tanh", ["linear", "b", 8, 2]));
  return new Model(m, loss, optimizer("adam").lr(rate).build(m));
}

const stateOf = ({ module, optimizer }: Model) => ({
  module: module.state(),
  buffers: optimizer.state().parms.map((row) => row.buffers),
});

async function eventsOf(model: Model, given: FitData, options: FitOptions): Promise<readonly FitEvent[]> {
  const events: FitEvent[] = [];
  for await (const event of model.fit(given, options)) events.push(event);
  return events;
}

/** Some turns of the event loop. On a busy machine a timer may end before the first `setImmediate`. */
const turn = () => new Promise((resolve) => setTimeout(() => setImmediate(() => setImmediate(resolve)), 5));

const refusal = async (promise: PromiseLike<unknown>): Promise<string> => {
  const error = await Promise.resolve(promise).then(
    () => expect.fail("nothing was thrown"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(k.StepwellError);
  expect((error as k.StepwellError).code).toBe("ERR_ARGUMENT");
  return (error as k.StepwellError).message;
};

describe("a training", () => {
  it("that is awaited is the history of what its events tell", async () => {
    const options = { epochs: 3, batchSize: 16, shuffle: true, validation: data };
    const [awaited, iterated] = [model(), model()];
    k.seed(1);
    const history = await awaited.fit(data, options);
    k.seed(1);
    const events = await eventsOf(iterated, data, options);
    expect(stateOf(awaited)).toEqual(stateOf(iterated));
    const epochs = events.flatMap((event) => {
      if (event.type !== "epoch") return [];
      const { type: _, ...figures } = event;
      return [figures];
    });
    expect(history).toEqual({ epochs, steps: 12, reason: "finished" });
    expect(history.epochs[2]?.validation).toEqual(awaited.measure(data));
  });

  it("trains as `run` does, to the bit, with every option of `train`", async () => {
    const all: readonly k.TrainOptions[] = [
      { batchsize: 16, shuffle: true, metrics: ["loss", "batchloss", "matches"] },
      { batchsize: 7, droplast: true, clipnorm: 0.01 },
      { batchsize: 4, accumulate: 3, clipvalue: 0.01 },
      {},
    ];
    for (const options of all) {
      const [fitted, set, run] = [model(), model(), model()];
      k.train(run.handle, { ...options });
      k.train(run.handle, inputs, targets);
      k.seed(2);
      const figures = [k.run(run.handle), k.run(run.handle)];
      k.seed(2);
      const { epochs } = await fitted.fit(data, { ...options, epochs: 2 });
      for (const [i, result] of figures.entries()) {
        expect(epochs[i]).toMatchObject(typeof result === "number" ? { loss: result } : result);
      }
      expect(stateOf(fitted)).toEqual(stateOf(run));
      // Settings of the handle count, too.
      k.train(set.handle, options);
      k.seed(2);
      expect((await set.fit(data, { epochs: 2 })).epochs).toEqual(epochs);
      expect(stateOf(set)).toEqual(stateOf(run));
    }
  });

  it("leaves the model's own handle as it is", async () => {
    const trained = model();
    const { handle } = trained;
    k.train(handle, { batchsize: 20, metrics: ["loss", "accuracy"] });
    k.train(handle, inputs, targets);
    k.batch(handle);
    const before = [k.train(handle), k.test(handle), k.metrics(handle)];
    await trained.fit({ inputs: inputs.slice(0, 4), targets: targets.slice(0, 4) }, { batchsize: 2, validation: data });
    trained.measure(data);
    expect([k.train(handle), k.test(handle), k.metrics(handle)]).toEqual(before);
    expect(k.batch(handle, true)).toMatchObject({ batch: 2, samples: 20 });
  });

  it("begins by itself in the next turn of the event loop", async () => {
    const trained = model();
    const before = stateOf(trained);
    const training = trained.fit(data);
    expect(stateOf(trained)).toEqual(before);
    await turn();
    // A step that is running on the engine's thread has the module.
    const unlessBusy = async (): Promise<unknown> => {
      try {
        return stateOf(trained);
      } catch (error) {
        if ((error as k.StepwellError).code !== "ERR_BUSY") throw error;
        await turn();
        return unlessBusy();
      }
    };
    expect(await unlessBusy()).not.toEqual(before);
    expect(await training).toMatchObject({ reason: "finished", steps: 2 });
    expect(String(training)).toBe("[object Training]");
  });

  it("that fails rejects as any promise", async () => {
    const trained = model();
    const broken = () => trained.fit({ inputs, targets: targets.map(() => 2) });
    await expect(broken()).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(await broken().catch((error) => (error as k.StepwellError).message)).toMatch(/^fit: /);
    const order: string[] = [];
    await broken()
      .finally(() => order.push("finally"))
      .then(null, () => order.push("caught"));
    expect(order).toEqual(["finally", "caught"]);
    expect(await trained.fit(data).then(({ steps }) => steps)).toBe(2);
  });

  it("names fit in the error of an object that is freed while it runs", async () => {
    for (const earlystop of [undefined, { patience: 9 }, { patience: 9, restorebest: true }]) {
      const trained = model();
      const training = trained.fit(data, { epochs: 100, ...(earlystop && { earlystop }) });
      setTimeout(() => trained.module.dispose(), 5);
      const error: k.StepwellError = await training.then(
        () => expect.fail("nothing was thrown"),
        (thrown) => thrown as k.StepwellError,
      );
      expect([error.code, error.message]).toEqual(["ERR_HANDLE_FREED", "fit: this module was freed"]);
    }
    const trained = model();
    const freeing = { get epochs() { trained.optimizer.dispose(); return 1; } }; // biome-ignore format: short
    expect(expectError("ERR_HANDLE_FREED", () => trained.fit(data, freeing))).toBe("fit: this optimizer was freed");
  });

  it("of long lists trains on the samples that were there when it began", async () => {
    const many = Array.from({ length: 2 ** 18 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
    const classes = many.map(([x = 0]) => Number(x > 0));
    const options = { batchSize: 2 ** 17 };
    const expected = await model().fit({ inputs: many, targets: classes }, options);
    for (const change of [(list: unknown[]) => list.push([1, 2], [3, 4]), (list: unknown[]) => list.splice(9)]) {
      const list = many.slice();
      const training = model().fit({ inputs: list, targets: classes }, options);
      const history = training.then((result) => result);
      setImmediate(() => change(list));
      expect(await history).toEqual(expected);
    }
  });

  it("is read once: awaited as often as one likes, or iterated once", async () => {
    const trained = model();
    const awaited = trained.fit(data);
    const [first, second] = [await awaited, await awaited];
    expect(second).toBe(first);
    expect(await awaited.then((history) => history)).toBe(first);
    expectError("ERR_ARGUMENT", () => awaited[Symbol.asyncIterator]());

    const iterated = trained.fit(data);
    for await (const event of iterated) {
      if (event.type !== "step") continue;
      expect(await refusal(iterated)).toMatch(/^fit: the training is iterated/);
      expectError("ERR_ARGUMENT", () => iterated[Symbol.asyncIterator]());
    }
    expect(await refusal(iterated)).toMatch(/^fit: the training is iterated/);

    const late = trained.fit(data);
    await turn();
    expect(expectError("ERR_ARGUMENT", () => late[Symbol.asyncIterator]())).toMatch(/runs already/);
    await late;
  });

  it("works no further than its reader", async () => {
    const trained = model();
    const events = trained.fit(data, { batchSize: 10 })[Symbol.asyncIterator]();
    await events.next();
    const after = stateOf(trained);
    await turn();
    expect(stateOf(trained)).toEqual(after);
    await events.return();
    expect(await trained.fit(data)).toMatchObject({ steps: 2 });
  });
});

describe("a loss that is not finite", () => {
  const broken = { inputs: inputs.map((row, i) => (i === 25 ? [Number.NaN, 1] : row)), targets };

  it("ends the training before its step, and events say so", async () => {
    const [trained, good] = [model(), model()];
    const events = await eventsOf(trained, broken, { epochs: 2, batchSize: 10 });
    await eventsOf(good, { inputs: inputs.slice(0, 20), targets: targets.slice(0, 20) }, { batchSize: 10 });
    expect(events.map((event) => event.type)).toEqual(["step", "step", "step", "done"]);
    expect(events.slice(2)).toEqual([
      { type: "step", epoch: 1, step: 3, steps: 10, loss: Number.NaN, skipped: true },
      { type: "done", reason: "nonfinite" },
    ]);
    expect(stateOf(trained)).toEqual(stateOf(good));
    expect(await model().fit(broken, { batchSize: 10 })).toEqual({ epochs: [], steps: 3, reason: "nonfinite" });
  });

  it("is skipped, an error or goes on, if the caller says so", async () => {
    const options = { batchSize: 10, epochs: 2 };
    for (const policy of [{ nonfiniteloss: "skip" }, { nonfinite: "skip" }] as const) {
      const trained = model();
      const { reason, steps, epochs } = await trained.fit(broken, { ...options, ...policy });
      expect({ reason, steps }).toEqual({ reason: "finished", steps: 10 });
      expect(epochs[0]?.loss).toBeNaN();
      expect(trained.optimizer.skipped).toBe(2);
      expect(trained.measure(data).loss).not.toBeNaN();
    }
    for (const policy of [{ nonfiniteloss: "error" }, { nonfinite: "error" }] as const) {
      await expect(model().fit(broken, { ...options, ...policy })).rejects.toMatchObject({ code: "ERR_GRADIENT" });
    }
    const set = model();
    k.train(set.handle, { nonfiniteloss: "skip" });
    expect(await set.fit(broken, options)).toMatchObject({ reason: "finished", steps: 10 });
    const goes = model();
    expect(await goes.fit(broken, { ...options, nonfiniteloss: "propagate" })).toMatchObject({ reason: "finished" });
    expect(goes.measure(data).loss).toBeNaN();
  });
});

describe("earlystop", () => {
  /** The model y = w x of one weight, which learns from y = 0, and is measured on y = 1. */
  const line = () => {
    const m = Module.of(["linear", 1, 1, false]);
    m.to("double");
    k.copyto([[8]], m.parameter("weight").handle);
    return new Model(m, "mse", optimizer("sgd").lr(0.25).build(m));
  };
  const weight = ({ module }: Model) => (module.parameter("weight").values() as number[][])[0]?.[0];
  // Each epoch halves the weight: 4, 2, 1, 1/2, 1/4, ... Its loss against 1 is 9, 1, 0, 1/4, 9/16, ...
  const zero = { inputs: [[1]], targets: [[0]] };
  const one = { inputs: [[1]], targets: [[1]] };

  it("ends when the loss of the validation stops falling, and restores the best epoch if asked", async () => {
    for (const restorebest of [false, true]) {
      const trained = line();
      const options = { epochs: 20, validation: one, earlystop: { patience: 2, restorebest } };
      const { epochs, ...end } = await trained.fit(zero, options);
      expect(epochs.map((epoch) => epoch.validation?.loss)).toEqual([9, 1, 0, 1 / 4, 9 / 16]);
      expect(end).toEqual({ reason: "earlystop", steps: 5, best: 3 });
      expect(weight(trained)).toBe(restorebest ? 1 : 1 / 4);
    }
  });

  it("has a smallest change, a mode, and counts on the training without a validation", async () => {
    const small = await line().fit(zero, { epochs: 20, validation: one, earlystop: { mindelta: 1 } });
    expect(small).toMatchObject({ reason: "earlystop", best: 2, steps: 3 });
    const rising = await line().fit(zero, { epochs: 20, earlystop: { mode: "max", patience: 3 } });
    expect(rising).toMatchObject({ reason: "earlystop", best: 1, steps: 4 });
    const falling = await line().fit(zero, { epochs: 20, earlystop: {} });
    expect(falling).toMatchObject({ reason: "finished", best: 20 });
  });

  it("asks for its metric, and takes one that is not a number as no improvement", async () => {
    const trained = model("ce", 0);
    k.train(trained.handle, { metrics: "loss" });
    const { epochs, ...end } = await trained.fit(data, { epochs: 9, earlystop: { metric: "matches", patience: 2 } });
    expect(epochs.map(({ matches }) => matches)).toEqual([expect.any(Number), epochs[0]?.matches, epochs[0]?.matches]);
    expect(end).toMatchObject({ reason: "earlystop", best: 1 });
    const none = { inputs, targets: targets.map(() => -100) };
    const never = await model().fit(none, { epochs: 9, earlystop: { metric: "accuracy" } });
    expect(never).toEqual({
      epochs: [expect.objectContaining({ accuracy: Number.NaN })],
      steps: 2,
      reason: "earlystop",
    });
  });

  it("restores all parameters and statistics, whichever way the training ends", async () => {
    const trained = model("ce", 10);
    let best: unknown;
    for await (const event of trained.fit(data, { epochs: 9, earlystop: { patience: 99, restorebest: true } })) {
      if (event.type !== "epoch") continue;
      // The first epoch is the best: the rate is far too large.
      if (event.epoch === 1) best = trained.module.state();
      if (event.epoch === 4) break;
    }
    expect(trained.module.state()).toEqual(best);
  });
});

describe("the validation", () => {
  it("has a batch size of its own, and is made every so many epochs and at the end", async () => {
    const trained = model();
    k.test(trained.handle, { metrics: ["matches"] });
    const validation = { ...data, batchsize: 3, every: 2 };
    const { epochs } = await trained.fit(data, { epochs: 5, metrics: ["batchloss"], validation });
    expect(epochs.map((epoch) => epoch.validation?.batchloss?.length)).toEqual([undefined, 17, undefined, 17, 17]);
    expect(epochs.map((epoch) => epoch.batchloss?.length)).toEqual([2, 2, 2, 2, 2]);
    expect(trained.measure(data)).toEqual({ loss: expect.any(Number), matches: expect.any(Number) });
    expect(trained.measure(data, { metrics: "loss" })).toEqual({ loss: expect.any(Number) });
  });
});

describe("a model", () => {
  it("is made of handles, and of a loss by name, with options or by handle", async () => {
    const m = k.module(["linear", 2, 2]);
    const o = k.opt("sgd", m, 0.1);
    const handle = k.loss("smoothl1", { beta: 0.5 });
    const pairs = { inputs, targets: targets.map((target) => [target, 1 - target]) };
    const losses: readonly k.LossChoice[] = [["smoothl1", { beta: 0.5 }], handle, "smoothl1", ["smoothl1"]];
    const [options, byHandle, plain, bare] = losses.map((loss) => {
      const made = new Model(m, loss, o);
      expect(made.loss).toBe("smoothl1");
      return made.measure(pairs).loss;
    });
    expect(byHandle).toBe(options);
    expect(bare).toBe(plain);
    expect(plain).not.toBe(options);
    const expected = k.tensor(k.smoothl1(k.evaluate(m, inputs), pairs.targets, { beta: 0.5 }));
    expect(options).toBeCloseTo(expected as number, 6);
    const [json] = [new Model(m, ["smoothl1", { beta: 0.5 }], o)].map((made) => JSON.parse(JSON.stringify(made)));
    expect(json.loss).toEqual({ loss: "smoothl1", beta: 0.5 });
    const fluent = new Model(new Module(m), handle, new k.Optimizer(o));
    expect(await fluent.fit(pairs)).toMatchObject({ steps: 2 });
    expect(k.train(fluent, inputs, pairs.targets)).toBe(2);
    expect(k.run(fluent)).toBeTypeOf("number");
  });

  it("refuses other things, by their place", () => {
    const m = k.module(["linear", 2, 2]);
    const o = k.opt("sgd", m);
    const make = (...args: readonly unknown[]) => Reflect.construct(Model, args) as unknown;
    expect(expectError("ERR_HANDLE_KIND", () => make(o, "ce", o))).toBe(
      "Model: expected a handle of module as argument 1, given optimizer handle",
    );
    expect(expectError("ERR_HANDLE_KIND", () => make(m, "ce", m))).toMatch(
      /optimizer as argument 3, given module handle/,
    );
    expect(expectError("ERR_HANDLE_KIND", () => make(m, m, o))).toMatch(/loss as argument 2, given module handle/);
    expect(expectError("ERR_UNKNOWN_NAME", () => make(m, "crossentropy", o))).toMatch(/^Model: unknown loss/);
    expect(expectError("ERR_OPTION_UNKNOWN", () => make(m, ["mse", { beta: 1 }], o))).toMatch(
      /^Model: mse: unknown option/,
    );
    for (const loss of [undefined, null, 7, {}]) {
      expect(expectError("ERR_ARGUMENT", () => make(m, loss, o))).toMatch(/^Model: expected a loss as argument 2/);
    }
    const other = k.opt("sgd", k.module(["linear", 2, 2]));
    expect(expectError("ERR_PARAMETER", () => new Model(m, "mse", other).fit(data))).toMatch(/^fit: /);
    const freed = k.loss("mse");
    const late = new Model(m, freed, o);
    k.free(freed);
    expect(expectError("ERR_HANDLE_FREED", () => late.measure({ inputs, targets: inputs }))).toMatch(/^measure: /);
  });

  it("is disposed of by either name, and trains no further", async () => {
    const trained = model();
    const events = trained.fit(data, { batchSize: 10 })[Symbol.asyncIterator]();
    await events.next();
    trained.dispose();
    trained.dispose();
    expect(k.handlecount()).toBe(1);
    await expect(events.next()).rejects.toMatchObject({ code: "ERR_HANDLE_FREED" });
    expect(k.handlecount()).toBe(0);
  });
});

describe("data", () => {
  it("of many nested numbers is converted in slices, with turns between, to the same training", async () => {
    // 600,000 numbers are three slices.
    const many = Array.from({ length: 6000 }, (_, i) => Array.from({ length: 100 }, (_, j) => Math.sin(i * j)));
    const classes = many.map((_, i) => i % 2);
    const trained = (given: FitData) => {
      k.seed(1);
      const m = Module.of(["linear", 100, 2]);
      const model = new Model(m, "ce", optimizer("sgd").lr(0.1).build(m));
      return { m, training: model.fit(given, { batchSize: 2000, validation: given }) };
    };
    const sliced = trained({ inputs: many, targets: classes });
    let turns = 0;
    const count = () => {
      turns += 1;
      if (turns < 100) setImmediate(count);
    };
    setImmediate(count);
    const history = await sliced.training;
    // Six slices, three steps and a validation.
    expect(turns).toBeGreaterThanOrEqual(10);
    const flat = k.tensor(Float32Array.from(many.flat()), { shape: [6000, 100] });
    const whole = trained({ inputs: flat, targets: BigInt64Array.from(classes, BigInt) });
    expect(history).toEqual(await whole.training);
    expect(sliced.m.state()).toEqual(whole.m.state());
    const ragged = [...many.slice(0, 5999), [1]];
    await expect(trained({ inputs: ragged, targets: classes }).training).rejects.toBeInstanceOf(k.StepwellError);
    await expect(trained({ inputs: many, targets: [1] }).training).rejects.toMatchObject({ code: "ERR_SHAPE" });
    const signal = AbortSignal.abort();
    k.seed(1);
    const m = Module.of(["linear", 100, 2]);
    const model = new Model(m, "ce", optimizer("sgd").build(m));
    expect(await model.fit({ inputs: many, targets: classes }, { signal })).toMatchObject({ reason: "aborted" });
  });

  it("of doubles keeps its digits for a module of doubles", async () => {
    const x = 1 + 2 ** -40;
    const m = Module.of(["linear", 1, 1, false]);
    m.to("double");
    k.copyto([[0]], m.parameter("weight").handle);
    const model = new Model(m, "mse", optimizer("sgd").lr(0.5).build(m));
    await model.fit({ inputs: [[1]], targets: [[x]] });
    expect(m.parameter("weight").values()).toEqual([[x]]);
  });

  it("that is no data is named", () => {
    const trained = model();
    const stream = (async function* () {})();
    for (const given of [stream, new Map(), inputs, "data"]) {
      expect(expectError("ERR_ARGUMENT", () => trained.fit(given as never))).toMatch(
        /^fit: expected inputs and targets/,
      );
    }
    expectError("ERR_ARGUMENT", () => trained.fit({ inputs: "x", targets } as never));
    expectError("ERR_ARGUMENT", () => trained.fit({ inputs: () => 1, targets } as never));
    expectError("ERR_HANDLE_KIND", () => trained.fit({ inputs: trained.module, targets } as never));
  });
});
