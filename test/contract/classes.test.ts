// Which classes count: the one that a loss ignores, outputs that are not numbers, and batches of nothing.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const losses = { ce: k.ce, nll: k.nll };
type ClassLoss = keyof typeof losses;

const X = [
  [1, 0, 0],
  [0, 2, 0],
  [0, 0, 3],
  [1, 1, 0],
];

/** The loss of a row: of logits with the softmax, of log-probabilities as they are. */
const lossOf = (name: ClassLoss, row: readonly number[], at: number) =>
  (name === "ce" ? Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) : 0) - (row[at] as number);

const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

describe.each(["ce", "nll"] as const)("%s", (name) => {
  const input = () => k.tensor(X, "double", "grad");
  const value = (x: k.TensorHandle, classes: k.TensorData, options?: k.ClassLossOptions) =>
    k.tensor(losses[name](x, classes, options)) as number;

  it.each([
    [undefined, [0, -100, 2, -100], [0, 2]],
    [{ ignore: -100 }, [0, -100, 2, -100], [0, 2]],
    [{ ignore: 1 }, [1, 1, 2, 0], [2, 3]],
    [{ ignore_index: 0 }, [0, 1, 0, 2], [1, 3]],
    [{ ignore: 255 }, [255, 1, 2, 255], [1, 2]],
  ] as const)("ignores a class: %o", (options, classes, counted) => {
    const x = input();
    const rows = counted.map((row) => lossOf(name, X[row] as number[], classes[row] as number));
    expect(value(x, classes, options)).toBeCloseTo(mean(rows), 12);
    expect(value(x, classes, { ...options, reduce: "sum" })).toBeCloseTo(2 * mean(rows), 12);
    const each = k.tensor(losses[name](x, classes, { ...options, reduce: "none" })) as number[];
    expect(
      each.map((loss, row) => (counted.includes(row as never) ? loss > -9 : Object.is(Math.abs(loss), 0))),
    ).toEqual([true, true, true, true]);
    k.backward(losses[name](x, classes, options));
    const gradients = k.grad(x) as number[][];
    for (const [row, gradient] of gradients.entries()) {
      expect(gradient.some((g) => g !== 0)).toBe(counted.includes(row as never));
    }
  });

  it.each([
    [undefined, [-100, -100, -100, -100]],
    [{ ignore: 2 }, [2, 2, 2, 2]],
  ] as const)("is 0 of nothing, with gradients of 0: %o", (options, classes) => {
    const x = input();
    const loss = losses[name](x, classes, options);
    expect(k.tensor(loss)).toBe(0);
    k.backward(loss);
    expect((k.grad(x) as number[][]).flat().map(Math.abs)).toEqual(X.flat().map(() => 0));
    expect(k.tensor(losses[name](k.tensor(new Float32Array(0), { shape: [0, 3] }), new BigInt64Array(0)))).toBe(0);
  });

  it.each([
    [undefined, [0, 1, 2, 3]],
    [undefined, [0, 1, -1, 2]],
    [{ ignore: -1 }, [0, 1, -100, 2]],
    [{ ignore: 1 }, [0, 1, -100, 2]],
  ] as const)("refuses any other class that there is not: %o of %o", (options, classes) => {
    const x = input();
    expectError("ERR_ARGUMENT", () => losses[name](x, classes, options));
    const m = k.module(["linear", 3, 3]);
    const model = k.model(m, k.loss(name, options), k.opt("sgd", m));
    k.train(model, X, classes);
    expectError("ERR_ARGUMENT", () => k.run(model));
  });

  it("refuses an ignored class that is none", () => {
    for (const ignore of [1.5, "1", null, Number.NaN, []]) {
      expectError("ERR_OPTION_TYPE", () => losses[name](input(), [0, 1, 2, 0], { ignore } as never));
    }
    expectError("ERR_OPTION_UNKNOWN", () => k.mse(input(), X, { ignore: 1 } as never));
  });
});

it("ce with probabilities ignores no class", () => {
  const x = k.tensor(X, "grad");
  const message = expectError("ERR_ARGUMENT", () => k.ce(x, X, { ignore: 1 }));
  expect(message).toBe("ce: ignore is a class, 1, and the target has probabilities");
});

/** A model whose outputs are its inputs. */
function identity(loss: k.LossHandle) {
  const m = k.module(["linear", 3, 3, false]);
  k.copyto(
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    k.parm(m, "weight"),
  );
  return k.model(m, loss, k.opt("sgd", m, { lr: 0 }));
}

const nan = Number.NaN;

/** Inputs, classes, the class to be ignored; of the samples that count: how many are right, of how many, and the mean loss. */
const passes: readonly (readonly [
  what: string,
  x: readonly (readonly number[])[],
  classes: readonly number[],
  ignore: number,
  right: number,
  count: number,
])[] = [
  ["all count", X, [0, 1, 2, 1], -100, 3, 4],
  ["one is ignored", X, [0, 1, -100, 1], -100, 2, 3],
  ["a class that there is is ignored", X, [0, 1, 2, 0], 0, 2, 2],
  ["a batch of nothing", X, [0, 1, -100, -100], -100, 2, 2],
  ["nothing counts", X, [-100, -100, -100, -100], -100, 0, 0],
  [
    "outputs that are not numbers",
    [
      [nan, nan, nan],
      [1, nan, 0],
      [0, 0, 1],
      [nan, 0, 1],
    ],
    [0, 0, 2, 2],
    -100,
    1,
    4,
  ],
];

describe.each(passes)("%s", (_, x, classes, ignore, right, count) => {
  const counted = x.flatMap((row, i) => (classes[i] === ignore ? [] : [lossOf("ce", row, classes[i] as number)]));
  const loss = counted.length > 0 ? mean(counted) : 0;
  const near = (value: number) => (Number.isNaN(value) ? nan : expect.closeTo(value, 5));

  // Batches of 3 and 1, and of 2 and 2, in which different numbers count.
  it.each([4, 3, 2, 1])("is measured right in batches of %d", (batchsize) => {
    const metrics = ["loss", "accuracy", "matches"] as const;
    const model = identity(k.loss("ce", { ignore }));
    k.test(model, { batchsize, metrics });
    k.test(model, x, classes);
    const expected = { loss: near(loss), accuracy: near((100 * right) / count), matches: right };
    expect(k.testrun(model)).toEqual(expected);
    // Weights learned from a NaN output are NaN, and the next batch sees them.
    if (Number.isNaN(loss) && batchsize < x.length) return;
    k.train(model, { batchsize, metrics });
    k.train(model, x, classes);
    expect(k.run(model)).toEqual(expected);
  });

  it("and by fit", async () => {
    if (ignore !== -100) return;
    const model = identity(k.loss("ce"));
    const fluent = new k.Model(new k.Module(k.module(model)), "ce", new k.Optimizer(k.opt(model)));
    const data = { inputs: x, targets: classes };
    for await (const event of fluent.fit(data, { batchSize: 3, nonfiniteloss: "propagate", validation: data })) {
      if (event.type !== "epoch") continue;
      const { loss: told, accuracy } = event;
      expect([told, accuracy]).toEqual([near(loss), near((100 * right) / count)]);
      // After NaN outputs its weights are NaN, although the rate is 0.
      if (!Number.isNaN(loss))
        expect(event.validation).toEqual({ loss: near(loss), accuracy: near((100 * right) / count) });
    }
  });
});

it("a batch of only ignored classes does not spoil a training", () => {
  const m = k.module(["linear", 3, 3]);
  const model = k.model(m, k.loss("ce"), k.opt("adam", m));
  k.train(model, { batchsize: 2, metrics: ["loss", "batchloss"] });
  k.train(model, X, [-100, -100, 0, 1]);
  for (let i = 0; i < 3; i++) expect((k.run(model) as k.Metrics).batchloss?.[0]).toBe(0);
  for (const name of k.parmnames(m)) expect(k.data(k.parm(m, name)).data.every(Number.isFinite as never)).toBe(true);
});

it("sums weigh the same, however many losses they are of", () => {
  const model = identity(k.loss("ce", { reduce: "sum" }));
  k.test(model, { batchsize: 3 });
  k.test(model, X, [0, 1, 2, 1]);
  const sums = [[0, 1, 2].map((i) => lossOf("ce", X[i] as number[], i)), [lossOf("ce", X[3] as number[], 1)]];
  expect(k.testrun(model)).toBeCloseTo(mean(sums.map((rows) => rows.reduce((a, b) => a + b))), 5);
});

describe("classes as plain numbers and small arrays of integers", () => {
  const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array] as const;
  const classes = [0, 1, 2, 0];
  const forms: readonly (readonly [name: string, of: (numbers: readonly number[]) => k.TensorData])[] = [
    ["a list", (numbers) => numbers],
    ...kinds.map((kind) => [kind.name, (numbers: readonly number[]) => kind.from(numbers)] as const),
  ];
  const modelOf = () => {
    const m = k.module(["linear", 3, 3]);
    for (const name of ["weight", "bias"]) k.copyto(k.full(k.size(k.parm(m, name)) as number[], 0.5), k.parm(m, name));
    return k.model(m, k.loss("ce"), k.opt("sgd", m, 0.5));
  };

  it.each(forms)("%s", (_, of) => {
    const longs = BigInt64Array.from(classes, BigInt);
    const x = k.tensor(X);
    expect(k.tensor(k.ce(x, of(classes)))).toBe(k.tensor(k.ce(x, longs)));
    expect(k.tensor(k.loss(k.loss("nll"), x, of(classes)))).toBe(k.tensor(k.nll(x, longs)));
    const [wanted, given] = [modelOf(), modelOf()];
    for (const [model, targets] of [
      [wanted, longs],
      [given, of(classes)],
    ] as const) {
      k.train(model, X, targets);
      k.test(model, X, targets);
      k.run(model);
    }
    expect(k.testrun(given)).toEqual(k.testrun(wanted));
    const embedding = k.module(["embedding", 4, 2]);
    expect(k.tensor(k.forward(embedding, of(classes)))).toEqual(k.tensor(k.forward(embedding, longs)));
    expect(() => k.ce(x, of([0, 1, 2, 3]))).toThrow(k.StepwellError);
  });

  it("are whole numbers of a class that there is", () => {
    const many = (last: number) => [...Array<number>(99).fill(1), last];
    const x = k.tensor(many(0).map(() => [1, 2, 3]));
    for (const wrong of [0.5, -1, 3, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(() => k.ce(x, many(wrong)), String(wrong)).toThrow(k.StepwellError);
    }
    expectError("ERR_DTYPE", () => k.ce(x, many(0.5)));
    expect(k.tensor(k.ce(x, many(1)))).toBeCloseTo(lossOf("ce", [1, 2, 3], 1), 5);
  });
});
