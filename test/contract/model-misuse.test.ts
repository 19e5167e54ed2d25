import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { classes, inputs, network, point, values } from "./small-models.js";

afterEach(() => k.free());

describe("a wrong use is an error and changes nothing", () => {
  const made = () => {
    const m = network();
    const o = k.opt("sgd", m, 0.1);
    return { m, o, model: k.model(m, k.loss("ce"), o) };
  };
  type Call = (...args: readonly unknown[]) => unknown;

  it("of model", () => {
    const { m, o, model } = made();
    const call = k.model as Call;
    expectError("ERR_HANDLE_KIND", () => call(o, k.loss("ce"), m));
    expectError("ERR_HANDLE_KIND", () => call(model, k.loss("ce"), o));
    expectError("ERR_ARGUMENT", () => call(m, "ce", o));
    expectError("ERR_ARGUMENT", () => call(m));
    expectError("ERR_ARGUMENT", () => call(m, k.loss("ce"), o, 1));
    expect(expectError("ERR_ARGUMENT", () => call(m, k.loss("ce", { reduce: "none" }), o))).toContain("one number");
  });

  it("of model, with an optimizer that updates no parameter of its module", () => {
    const { m, o } = made();
    const other = k.opt("sgd", network(), 0.1);
    const [part, none] = [k.opt("sgd", [m, 0], 0.1), k.opt("sgd")];
    const before = [k.handlecount(), k.state(m), k.state(o)];
    for (const optimizer of [other, none]) {
      expect(expectError("ERR_PARAMETER", () => k.model(m, k.loss("ce"), optimizer))).toBe(
        "model: expected an optimizer of parameters of the module, given one that updates none of them",
      );
    }
    // The two losses were made before the calls that fail.
    expect([k.handlecount() - 2, k.state(m), k.state(o)]).toEqual(before);
    expect(k.classof(k.model(m, k.loss("ce"), part))).toBe("model");
  });

  it("of loss", () => {
    const call = k.loss as Call;
    expect(expectError("ERR_UNKNOWN_NAME", () => call("dice"))).toContain("expected one of ce, nll, mse");
    expectError("ERR_OPTION_UNKNOWN", () => call("mse", { beta: 1 }));
    expectError("ERR_OPTION_RANGE", () => call("smoothl1", { beta: 0 }));
    expectError("ERR_ARGUMENT", () => call(1));
    expectError("ERR_SHAPE", () => call(k.loss("mse"), k.tensor([1, 2]), [1]));
    expectError("ERR_SHAPE", () => call(made().model, k.tensor([1, 2]), [1]));
    expectError("ERR_HANDLE_KIND", () => k.state(made().model as never));
    expectError("ERR_ARGUMENT", () => k.opt(made().model as never, true));
  });

  it("of options", () => {
    const { model } = made();
    const calls = [k.train, k.test] as readonly Call[];
    const before = [k.train(model), k.test(model)];
    expect(before).toEqual([
      {
        batchsize: 32,
        shuffle: false,
        droplast: false,
        accumulate: 1,
        clipnorm: null,
        clipvalue: null,
        nonfinite: "propagate",
        nonfiniteloss: "propagate",
        metrics: ["loss"],
      },
      { batchsize: 100, droplast: false, metrics: ["loss"] },
    ]);
    for (const call of calls) {
      for (const batchsize of [0, -1])
        expectError("ERR_OPTION_RANGE", () => call(model, { metrics: "accuracy", batchsize }));
      for (const batchsize of [1.5, Number.NaN]) expectError("ERR_OPTION_TYPE", () => call(model, { batchsize }));
      expectError("ERR_OPTION_TYPE", () => call(model, { droplast: 1 }));
      expectError("ERR_OPTION_UNKNOWN", () => call(model, { droplast: true, size: 1 }));
      expectError("ERR_OPTION_RANGE", () => call(model, { droplast: true, metrics: ["loss", "f1"] }));
      expectError("ERR_OPTION_TYPE", () => call(model, { droplast: true, metrics: [] }));
      expectError("ERR_OPTION_TYPE", () => call(model, { droplast: true, metrics: 1 }));
    }
    expectError("ERR_OPTION_UNKNOWN", () => (k.test as Call)(model, { clipnorm: 1 }));
    for (const max of [0, -1]) expectError("ERR_OPTION_RANGE", () => k.train(model, { clipnorm: max }));
    expectError("ERR_OPTION_RANGE", () => k.train(model, { clipnorm: 1, clipvalue: 1 }));
    expect([k.train(model), k.test(model)]).toEqual(before);
    k.train(model, { clipnorm: 1 });
    expect(expectError("ERR_OPTION_RANGE", () => k.train(model, { clipvalue: 1 }))).toContain("exclude each other");
    k.train(model, { clipvalue: 1, clipnorm: null });
    expect(k.train(model)).toMatchObject({ clipnorm: null, clipvalue: 1 });
    const other = point([1, 2, 3], "sgd").model;
    expect(expectError("ERR_OPTION_RANGE", () => k.train(other, { metrics: "accuracy" }))).toContain(
      "needs a loss of classes",
    );
  });

  it("of data", () => {
    const { m, model } = made();
    for (const call of [k.run, k.testrun, k.batch]) expectError("ERR_ARGUMENT", () => call(model));
    k.train(model, { droplast: true, batchsize: 4 });
    k.train(model, inputs, classes);
    const before = values(m);
    const train = k.train as Call;
    expect(expectError("ERR_SHAPE", () => k.train(model, inputs, [0, 1]))).toContain("given 10 inputs and 2 targets");
    expectError("ERR_SHAPE", () => k.train(model, 1, 1));
    expectError("ERR_DTYPE", () =>
      k.train(
        model,
        inputs,
        classes.map((c) => c + 0.5),
      ),
    );
    expectError("ERR_ARGUMENT", () => train(model, inputs));
    expectError("ERR_ARGUMENT", () => train(model, "x", classes));
    expectError("ERR_ARGUMENT", () => train(model, inputs, classes, {}));
    expectError("ERR_HANDLE_KIND", () => train(model, m, classes));
    const loss = k.batch(model);
    expect(loss).toBeTypeOf("number");
    expect(values(m)).not.toEqual(before);
    expect(k.train(model, [[1, 2, 3]], [0])).toBe(0);
    expect(expectError("ERR_SHAPE", () => k.run(model))).toContain("at least one batch");
    expect(k.batch(model)).toBeUndefined();
  });

  it("of samples that do not fit", () => {
    k.seed(4);
    const m = k.module(k.seq("sequential", ["linear", 3, 3], ["batchnorm", 3]));
    const o = k.opt("adam", m);
    const model = k.model(m, k.loss("ce"), o);
    k.train(model, { shuffle: true });
    k.train(model, inputs, classes);
    k.run(model);
    const told = () => ({ m: k.state(m), o: k.state(o), grad: k.grad(k.parm(m, "0.weight")) });
    const before = told();
    for (const [x, y] of [
      [
        [
          [1, 2],
          [3, 4],
        ],
        [0, 1],
      ],
      [inputs, classes.map(() => 7)],
      [inputs, inputs.map(() => [1, 2])],
    ] as const) {
      k.train(model, x, y);
      k.test(model, x, y);
      for (const call of [k.run, k.testrun, k.batch]) expect(() => call(model)).toThrow(k.StepwellError);
      expect(told()).toEqual(before);
    }
    const frozen = k.model(k.module("relu"), k.loss("mse"), k.opt("sgd"));
    k.train(frozen, inputs, inputs);
    expectError("ERR_GRADIENT", () => k.run(frozen));
  });
});
