// Batch by batch: the figures of `batch` and `testbatch`, the metrics of a pass, and steps of several batches.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";
import { classes, inputs, network, values } from "./small-models.js";

afterEach(() => k.free());

const made = (options: k.TrainOptions = {}, optimizer: k.OptimizerName = "adam", loss = k.loss("ce")) => {
  const m = network();
  k.to(m, "double");
  const o = k.opt(optimizer, m);
  const model = k.model(m, loss, o);
  k.train(model, options);
  k.train(model, inputs, classes);
  k.test(model, inputs, classes);
  return { m, o, model };
};

/** The model y = w x in doubles, with w = 0, learning from y = x. */
const line = (samples: readonly number[], options: k.TrainOptions, lr = 1 / 32) => {
  const m = k.module(["linear", 1, 1, false]);
  k.to(m, "double");
  k.copyto([[0]], k.parm(m, "weight"));
  const o = k.opt("sgd", m, lr);
  const model = k.model(m, k.loss("mse"), o);
  const column = samples.map((x) => [x]);
  k.train(model, options);
  k.train(model, column, column);
  return { o, model, weight: () => (k.tensor(k.parm(m, "weight")) as number[][])[0]?.[0] };
};

describe("all figures", () => {
  it("of a batch are those of its samples, and of the pass so far", () => {
    const { model } = made({ batchsize: 4, metrics: ["loss", "accuracy", "matches", "batchloss"] });
    k.test(model, { batchsize: 4, metrics: ["accuracy", "loss"] });
    const reports: k.BatchReport[] = [];
    for (let report = k.batch(model, true); report; report = k.batch(model, true)) {
      reports.push(report);
      const { loss, accuracy, matches, batchloss } = k.metrics(model) as k.Metrics;
      const sum = (key: "matches" | "classes") => reports.reduce((sum, report) => sum + (report[key] ?? 0), 0);
      const mean = reports.reduce((sum, report) => sum + report.loss * report.weight, 0) / sum("classes");
      expect(loss).toBeCloseTo(mean, 12);
      expect(batchloss).toEqual(reports.map((report) => report.loss));
      expect([matches, accuracy]).toEqual([sum("matches"), (100 * sum("matches")) / sum("classes")]);
    }
    const places = reports.map(({ batch, batches, samples, weight, classes, skipped }) => ({
      ...{ batch, batches, samples, weight, classes, skipped },
    }));
    const place = { batches: 3, skipped: false };
    expect(places).toEqual([
      { batch: 1, samples: 4, weight: 4, classes: 4, ...place },
      { batch: 2, samples: 4, weight: 4, classes: 4, ...place },
      { batch: 3, samples: 2, weight: 2, classes: 2, ...place },
    ]);
    const whole = k.testrun(model);
    expect(k.testmetrics(model)).toEqual(whole);
    const tested: k.BatchReport[] = [];
    for (let report = k.testbatch(model, true); report; report = k.testbatch(model, true)) tested.push(report);
    expect(tested.map((report) => [report.batch, report.batches, report.samples])).toEqual([
      [1, 3, 4],
      [2, 3, 4],
      [3, 3, 2],
    ]);
    expect(k.testmetrics(model)).toEqual(whole);
    expect(k.testbatch(model)).toBe(tested[0]?.loss);
    expect(k.testrun(model)).toEqual(whole);
  });

  it("leave out classes unless a metric needs them", () => {
    const { model } = made();
    expect(Object.keys(k.batch(model, true) ?? {})).toEqual([
      ...["loss", "skipped", "samples", "weight", "batch", "batches"],
    ]);
    expect(k.batch(model, true)).toBeUndefined();
    expect(k.metrics(model)).toBeTypeOf("number");
  });

  it("tell of a step that is left out", () => {
    const skipping = line([Number.NaN, 1], { batchsize: 1, nonfinite: "skip" });
    expect(k.batch(skipping.model, true)).toMatchObject({ loss: Number.NaN, skipped: true });
    expect(k.batch(skipping.model, true)).toMatchObject({ loss: 1, skipped: false });
    expect([skipping.weight(), k.skipped(skipping.o)]).toEqual([2 / 32, 1]);
  });

  it("are of no batch before the first one, and of the running pass after it", () => {
    const { model } = made({ batchsize: 4 });
    for (const call of [k.metrics, k.testmetrics]) {
      expect(call(model)).toBeUndefined();
    }
    const whole = k.run(model);
    expect(k.metrics(model)).toBe(whole);
    const first = k.batch(model);
    expect(k.metrics(model)).toBe(first);
    k.train(model, inputs, classes);
    expect(k.metrics(model)).toBeUndefined();
    for (const call of [k.batch, k.testbatch] as readonly ((...args: readonly unknown[]) => unknown)[]) {
      expectError("ERR_ARGUMENT", () => call(model, 1));
      expectError("ERR_ARGUMENT", () => call(model, true, true));
    }
  });

  it("of testing change nothing, and stay where they are after an error", () => {
    const { m, o, model } = made();
    k.test(model, { batchsize: 5 });
    const before = { m: k.state(m), o: k.state(o) };
    const first = k.testbatch(model);
    k.test(
      model,
      inputs.map(() => [1, 2]),
      classes,
    );
    expectError("ERR_SHAPE", () => k.testbatch(model));
    expectError("ERR_SHAPE", () => k.testrun(model));
    k.test(model, inputs, classes);
    expect(k.testbatch(model)).toBe(first);
    expect({ m: k.state(m), o: k.state(o) }).toEqual(before);
  });
});

describe("accumulate", () => {
  it("makes one step of several batches, and a smaller one of what is left, exactly", () => {
    // Of 1 to 4 the gradient is -2 (1 + 4 + 9 + 16) / 4 = -15, and of 5 it is 50 (w - 1).
    const { model, weight } = line([1, 2, 3, 4, 5], { batchsize: 2, accumulate: 2, metrics: ["batchloss", "loss"] });
    expect(k.batch(model, true)).toMatchObject({ loss: 30 / 4, samples: 4, weight: 4, batch: 2, batches: 3 });
    expect(weight()).toBe(15 / 32);
    expect(k.batch(model, true)).toMatchObject({ loss: 25 * (17 / 32) ** 2, samples: 1, weight: 1, batch: 3 });
    expect(weight()).toBe(15 / 32 + (50 * (17 / 32)) / 32);
    expect(k.batch(model)).toBeUndefined();
    expect((k.metrics(model) as k.Metrics).batchloss).toEqual([2.5, 12.5, 25 * (17 / 32) ** 2]);
  });

  it("weighs a smaller batch within a step by its samples, exactly", () => {
    const { model, weight } = line([1, 2, 3, 4, 5], { batchsize: 2, accumulate: 3 });
    expect(k.run(model)).toBe(11);
    expect(weight()).toBe(22 / 32);
    const left = line([1, 2, 3, 4, 5], { batchsize: 2, accumulate: 3, droplast: true });
    expect(k.run(left.model)).toBe(7.5);
    expect(left.weight()).toBe(15 / 32);
    const most = line([1, 2], { batchsize: 1, accumulate: Number.MAX_SAFE_INTEGER });
    expect(k.run(most.model)).toBe(2.5);
  });

  // The optimizers, the clippings, and losses of each reduction.
  const cases = optimizers.flatMap((name) => [
    { name, clip: {}, loss: ["ce"] as const },
    { name, clip: { clipnorm: 0.05 }, loss: ["ce"] as const },
    { name, clip: { clipvalue: 0.01 }, loss: ["ce", { reduce: "sum" }] as const },
  ]);
  it.each(cases)("is the step of the large batch: $name, $clip, $loss", ({ name, clip, loss }) => {
    // Different numbers of classes count in the batches of a step, and in one batch none.
    const some = [0, -100, 2, -100, -100, -100, 0, 1, 2, 0];
    const trained = (options: k.TrainOptions) => {
      const m = k.module(k.seq("sequential", ["linear", "a", 3, 8], "tanh", ["linear", "b", 8, 3]));
      k.to(m, "double");
      for (const [i, parameter] of k.parmnames(m).entries()) {
        const x = k.parm(m, parameter);
        const count = k.elements(x);
        k.copyto(
          { data: Float64Array.from({ length: count }, (_, j) => Math.sin(i + j)), shape: k.size(x) } as never,
          x,
        );
      }
      const made = k.loss as (name: "ce", options?: k.ClassLossOptions) => k.LossHandle;
      const model = k.model(m, made(...(loss as readonly ["ce"])), k.opt(name, m));
      k.train(model, { ...options, ...clip });
      k.train(model, inputs, some);
      const losses = [k.batch(model), k.batch(model), k.batch(model)];
      return [losses, values(m)].flat(4);
    };
    const [small, large] = [trained({ batchsize: 2, accumulate: 3 }), trained({ batchsize: 6 })];
    expect(small.length).toBe(large.length);
    for (const [i, x] of small.entries()) {
      if (x === undefined) expect(large[i]).toBeUndefined();
      // L-BFGS squares the rounding of its evaluations.
      else expect((x as number) / (large[i] as number)).toBeCloseTo(1, name === "lbfgs" ? 6 : 10);
    }
  });

  it("changes nothing if a later batch of the step fails", () => {
    k.seed(3);
    const m = k.module(k.seq("sequential", ["linear", 3, 3], ["batchnorm", 3]));
    const o = k.opt("adam", m);
    const model = k.model(m, k.loss("ce"), o);
    k.train(model, { batchsize: 5, accumulate: 2 });
    k.train(model, inputs, classes);
    k.run(model);
    const told = () => ({ m: k.state(m), o: k.state(o), grad: k.grad(k.parm(m, "0.weight")) });
    const before = told();
    k.train(
      model,
      inputs,
      classes.map((c, i) => (i < 5 ? c : 7)),
    );
    expectError("ERR_ARGUMENT", () => k.batch(model));
    expect(told()).toEqual(before);
  });

  it("leaves the whole step out, statistics included", () => {
    const trained = (rows: readonly (readonly number[])[], options: k.TrainOptions) => {
      k.seed(3);
      const m = k.module(k.seq("sequential", ["linear", 3, 3], ["batchnorm", 3]));
      const model = k.model(m, k.loss("ce"), k.opt("adam", m));
      k.train(model, { batchsize: 2, accumulate: 2, ...options });
      k.train(model, rows, classes.slice(0, rows.length));
      const report = k.batch(model, true);
      return { report, model, state: k.state(m), m };
    };
    const broken = [[Number.NaN, 1, 1], ...inputs.slice(1, 4)];
    for (const options of [{ nonfinite: "skip" }, { nonfiniteloss: "skip" }] as const) {
      const { report, state, m, model } = trained(broken, options);
      expect(report).toMatchObject({ loss: Number.NaN, skipped: true });
      k.seed(3);
      expect(state).toEqual(k.state(k.module(k.seq("sequential", ["linear", 3, 3], ["batchnorm", 3]))));
      expect(k.skipped(k.opt(model))).toBe(1);
      expect(k.parmnames(m)).toHaveLength(4);
    }
  });

  it("shuffles, and draws as many numbers as a pass of single batches", () => {
    const orders = [1, 3].map((accumulate) => {
      const { model } = made({ batchsize: 2, accumulate, shuffle: true }, "sgd");
      k.run(model);
      return k.randperm(20);
    });
    expect(orders[0]).not.toEqual(orders[1]?.toReversed());
  });

  it("is a whole number of at least 1", () => {
    const { model } = made();
    for (const accumulate of [0, -1]) expectError("ERR_OPTION_RANGE", () => k.train(model, { accumulate }));
    expectError("ERR_OPTION_TYPE", () => k.train(model, { accumulate: 1.5 }));
    expect(k.train(model)).toMatchObject({ accumulate: 1 });
  });
});

describe("a loss that is not finite", () => {
  it.each(optimizers)("makes no step of %s if it is skipped, or is an error", (name) => {
    const trained = (options: k.TrainOptions) => {
      const { m, o, model } = made({ batchsize: 5, ...options }, name);
      const before = { m: k.state(m), o: k.state(o).parms.map((row) => row.buffers) };
      const broken = inputs.map((row, i) => (i < 5 ? [...row.slice(1), Number.NaN] : row));
      k.train(model, broken, classes);
      const now = () => ({ m: k.state(m), o: k.state(o).parms.map((row) => row.buffers) });
      return { model, o, before, now };
    };
    const skips = trained({ nonfiniteloss: "skip" });
    expect(k.batch(skips.model, true)).toMatchObject({ loss: Number.NaN, skipped: true, batch: 1 });
    expect(skips.now()).toEqual(skips.before);
    expect(k.skipped(skips.o)).toBe(1);
    expect(k.batch(skips.model, true)).toMatchObject({ loss: expect.any(Number), skipped: false, batch: 2 });
    expect(skips.now()).not.toEqual(skips.before);
    const fails = trained({ nonfiniteloss: "error" });
    const message = expectError("ERR_GRADIENT", () => k.batch(fails.model));
    expect(message).toBe("batch: expected a finite loss, given NaN");
    expect(fails.now()).toEqual(fails.before);
    const goes = trained({});
    expect(k.batch(goes.model, true)).toMatchObject({ loss: Number.NaN, skipped: false });
  });
});

it("batchSize is batchsize", () => {
  const { model } = made();
  k.train(model, { batchSize: 3 });
  k.test(model, { batchSize: 7 });
  expect([k.train(model).batchsize, k.test(model).batchsize]).toEqual([3, 7]);
  expect(k.train(model)).not.toHaveProperty("batchSize");
  expect(expectError("ERR_ARGUMENT", () => k.train(model, { batchSize: 3, batchsize: 3 }))).toBe(
    "train batchsize: given twice; its other name is batchSize",
  );
});
