import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { classes, inputs, network, point, values } from "./small-models.js";

afterEach(() => k.free());

describe("run", () => {
  const clips = [{}, { clipnorm: 0.1 }, { clipvalue: 0.01 }];
  const optimizers = ["adam", "sgd", "lamb", "lbfgs"] as const;
  const cases = optimizers.flatMap((name) => clips.map((clip) => ({ name, clip })));

  it.each(cases)("trains as the same steps by hand do, to the bit: $name, $clip", ({ name, clip }) => {
    const trained = network();
    const model = k.model(trained, k.loss("ce"), k.opt(name, trained, 0.1));
    k.train(model, { batchsize: 4, shuffle: true, metrics: "batchloss", ...clip });
    expect(k.train(model, inputs, classes)).toBe(3);
    const losses = [1, 2].flatMap(() => (k.run(model) as k.Metrics).batchloss ?? []);

    const byHand = network();
    const o = k.opt(name, byHand, 0.1);
    const found: number[] = [];
    for (let epoch = 0; epoch < 2; epoch++) {
      const order = [...k.randperm(10)];
      for (let start = 0; start < 10; start += 4) {
        const rows = order.slice(start, start + 4);
        const closure = () => {
          const y = k.forward(
            byHand,
            rows.map((i) => inputs[i] ?? []),
          );
          const loss = k.ce(
            y,
            rows.map((i) => classes[i] ?? 0),
          );
          k.nograd(o);
          k.backward(loss);
          if ("clipnorm" in clip) k.clip(o, 0.1);
          if ("clipvalue" in clip) k.clipv(o, 0.01);
          return loss;
        };
        found.push(k.step(o, closure));
      }
    }
    expect(losses).toEqual(found);
    expect(values(trained)).toEqual(values(byHand));
    expect(values(trained)).not.toEqual(values(network()));
  });

  it("leaves gradients unclipped where they lie", () => {
    const { model, m, at } = point([0, 0, 0], "sgd", 1);
    k.train(model, { clipvalue: 0.5 });
    k.run(model);
    expect(k.grad(k.parm(m, "weight"))).toEqual([[-2 / 3], [-4 / 3], [-2]].map((row) => row.map(Math.fround)));
    expect(at()).toEqual([0.5, 0.5, 0.5]);
  });

  it("makes the closure of lbfgs", () => {
    const { model, o, at } = point([0.5, 2.5, 3], "lbfgs");
    expect(k.run(model)).toBeCloseTo(0.1666667, 6);
    expect(at()).toEqual([1, 2, 3]);
    expect(k.state(o).parms[0]?.buffers).toMatchObject({ func_evals: 3 });
  });

  // Recorded from torch 2.11.
  it("follows PyTorch", () => {
    const plain = point([0.5, 2.5, 3], "sgd", 0.1, 0.9);
    for (let i = 0; i < 20; i++) k.run(plain.model);
    expect(plain.at()).toEqual([0.927109956741333, 2.072890043258667, 3].map((x) => expect.closeTo(x, 6)));
    const norm = point([0.5, 2.5, 9], "sgd", 0.1, 0.9);
    k.train(norm.model, { clipnorm: 0.25 });
    for (let i = 0; i < 5; i++) k.run(norm.model);
    const expected = [0.5271952748298645, 2.472804546356201, 8.67365550994873];
    expect(norm.at()).toEqual(expected.map((x) => expect.closeTo(x, 6)));
    const value = point([0.5, 2.5, 9], "sgd", 0.1, 0.9);
    k.train(value.model, { clipvalue: 0.2 });
    for (let i = 0; i < 5; i++) k.run(value.model);
    const clamped = [0.7628819942474365, 2.2371180057525635, 8.737117767333984];
    expect(value.at()).toEqual(clamped.map((x) => expect.closeTo(x, 6)));
  });

  it("clips the same for every implementation of an optimizer", () => {
    const own = ["sgd", "adam"] as const;
    for (const name of own) {
      const [a, ...others] = differences.implementations.map((fused) => {
        const m = network();
        const model = k.model(m, k.loss("ce"), k.opt(name, m, 0.1, { fused }));
        k.train(model, { batchsize: 4, clipnorm: 0.1 });
        k.train(model, inputs, classes);
        k.run(model);
        return values(m).flat(3) as number[];
      });
      for (const b of others) expect(a).toEqual(b.map((x) => expect.closeTo(x, 5)));
    }
  });
});

describe("batches", () => {
  it.each([
    [32, false, [10]],
    [10, true, [10]],
    [4, false, [4, 4, 2]],
    [4, true, [4, 4]],
    [1, false, Array(10).fill(1)],
  ] as const)("of %d, droplast %s", (batchsize, droplast, sizes) => {
    const m = network();
    const model = k.model(m, k.loss("ce", { reduce: "sum" }), k.opt("sgd", m, 0));
    k.train(model, { batchsize, droplast, metrics: ["loss", "batchloss"] });
    expect(k.train(model, inputs, classes)).toBe(sizes.length);
    expect((k.run(model) as k.Metrics).batchloss).toHaveLength(sizes.length);
    for (let pass = 0; pass < 2; pass++) {
      for (const _ of sizes) expect(k.batch(model)).toBeTypeOf("number");
      expect(k.batch(model)).toBeUndefined();
    }
  });

  it("come one by one as a pass has them", () => {
    const [a, b] = [0, 1].map(() => {
      const m = network();
      const model = k.model(m, k.loss("ce"), k.opt("adam", m));
      k.train(model, { batchsize: 3, shuffle: true });
      k.train(model, inputs, classes);
      return { m, model };
    });
    if (!a || !b) return expect.fail();
    k.seed(2);
    const whole = k.run(a.model);
    k.seed(2);
    const losses: number[] = [];
    for (let loss = k.batch(b.model); loss !== undefined; loss = k.batch(b.model)) losses.push(loss);
    expect(whole).toBeCloseTo(losses.reduce((sum, loss, i) => sum + loss * (i < 3 ? 3 : 1), 0) / 10, 12);
    expect(values(b.m)).toEqual(values(a.m));
  });

  it("are shuffled with their targets, anew for each pass", () => {
    const rows = Array.from({ length: 20 }, (_, i) => [i]);
    const m = k.module(["linear", 1, 1, false]);
    k.copyto([[1]], k.parm(m, "weight"));
    const model = k.model(m, k.loss("l1"), k.opt("sgd", m, 0));
    k.train(model, { batchsize: 1, shuffle: true, metrics: ["batchloss"] });
    // The output is the input, so the loss identifies the sample, and shows that its target belongs to it.
    k.train(
      model,
      rows,
      rows.map(([i = 0]) => [3 * i]),
    );
    const order = () => ((k.run(model) as k.Metrics).batchloss ?? []).map((loss) => loss / 2);
    const [first, second] = [order(), order()];
    expect(first).not.toEqual(second);
    expect(first.toSorted((a, b) => a - b)).toEqual(rows.flat());
    k.train(model, { shuffle: false });
    expect(order()).toEqual(rows.flat());
  });

  it("take tensors of any device type and gradients do not flow into them", () => {
    const m = network();
    const model = k.model(m, k.loss("ce"), k.opt("sgd", m));
    const x = k.tensor(inputs, "grad");
    k.train(model, x, k.tensor(classes, "long"));
    k.free(x);
    expect(k.run(model)).toBeTypeOf("number");
    const embedding = k.module(k.seq("sequential", ["embedding", 4, 2], ["linear", 2, 3]));
    const other = k.model(embedding, k.loss("ce"), k.opt("adam", embedding));
    k.train(other, [0, 1, 2, 3], new BigInt64Array([0n, 1n, 2n, 2n]));
    expect(k.run(other)).toBeTypeOf("number");
  });
});

describe("metrics", () => {
  const fixed = () => {
    const m = k.module(["linear", 2, 2, false]);
    k.copyto(
      [
        [1, 0],
        [0, 1],
      ],
      k.parm(m, "weight"),
    );
    return k.model(m, k.loss("ce"), k.opt("sgd", m, 0));
  };
  const points = [
    [2, 1],
    [0, 5],
    [3, 1],
    [1, 0],
  ];

  it("count the classes with the largest output", () => {
    const model = fixed();
    k.test(model, { metrics: ["accuracy", "matches", "loss"], batchsize: 3 });
    expect(k.test(model, points, [0, 1, 1, 0])).toBe(2);
    expect(k.testrun(model)).toEqual({ accuracy: 75, matches: 3, loss: expect.any(Number) });
    k.train(model, { metrics: "accuracy", batchsize: 3 });
    // -100 is not a class, and the class of probabilities is their largest.
    k.train(model, points, [0, 1, -100, 1]);
    expect((k.run(model) as k.Metrics).accuracy).toBeCloseTo(200 / 3, 10);
    k.train(
      model,
      points,
      [0, 1, 1, 1].map((c) => [1 - c, c]),
    );
    expect(k.run(model)).toEqual({ accuracy: 50 });
  });

  it("are the loss alone unless told otherwise", () => {
    const model = fixed();
    k.test(model, points, [0, 1, 1, 0]);
    const loss = k.testrun(model);
    expect(loss).toBe(k.tensor(k.ce(k.evaluate(model, points), [0, 1, 1, 0])));
    k.test(model, { metrics: ["loss"] });
    expect(k.testrun(model)).toBe(loss);
  });
});

it("testrun changes nothing", () => {
  k.seed(3);
  const m = k.module(k.seq("sequential", ["linear", 3, 4], ["batchnorm", 4], "dropout", ["linear", 4, 3]));
  const o = k.opt("adam", m);
  const model = k.model(m, k.loss("ce"), o);
  k.train(model, { batchsize: 4 });
  k.train(model, inputs, classes);
  k.test(model, inputs, classes);
  k.batch(model);
  const told = () => ({ m: k.state(m), o: k.state(o), grad: k.grad(k.parm(m, "0.weight")), n: k.handlecount() });
  const before = told();
  const random = k.testrun(model);
  expect(k.testrun(model)).toBe(random);
  expect({ ...told(), n: 0 }).toEqual({ ...before, n: 0 });
  // The pass over training batches resumes: two of three are left.
  expect([k.batch(model), k.batch(model), k.batch(model)]).toEqual([expect.any(Number), expect.any(Number), undefined]);
});

it("a model shares its parts", () => {
  const m = network();
  const f = k.loss("smoothl1", { beta: 0.5 });
  const o = k.opt("adam", m, 0.25);
  const model = k.model(m, f, o);
  expect([k.classof(model), k.classof(f), k.objtype(f)]).toEqual(["model", "loss", "smoothl1"]);
  expect([k.size(model), k.size(f), k.tensorcount(f)]).toEqual([4, 0, 0]);
  expect(k.lr(model)).toEqual([0.25]);
  k.lr(model, 0.5);
  expect(k.lr(o)).toEqual([0.5]);
  k.train(model, inputs, inputs);
  k.run(model);
  expect(k.tensorcount(model)).toBe(4 + k.tensorcount(o));
  expect(k.elements(model)).toBe(k.elements(m) + k.elements(o));
  const [a, b, c] = [k.module(model), k.loss(model), k.opt(model)];
  k.free(m, f, o);
  expect(k.opt(c)).toEqual(k.opt(k.opt(model)));
  expect(k.parmnames(a)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias"]);
  expect(k.tensor(k.loss(b, k.tensor([0, 1]), [0.25, 3]))).toBe(
    k.tensor(k.smoothl1(k.tensor([0, 1]), [0.25, 3], { beta: 0.5 })),
  );
  expect(k.run(model)).toBeTypeOf("number");
  k.nograd(model);
  expect(k.grad(k.parm(a, "a.bias"))).toBeUndefined();
  k.backward(k.mse(k.forward(model, inputs), inputs));
  k.step(model);
  expect(k.step(model, () => 7)).toBe(7);
  k.zerograd(model);
  expect(k.grad(k.parm(a, "b.bias"))).toEqual([0, 0, 0]);
  k.free(model);
  expect(k.opt(c).optimizer).toBe("adam");
});
