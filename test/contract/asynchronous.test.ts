// Calls on a thread of the engine, or in turns of the event loop: the same results, objects that are in use, and signals.

import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

const { hasThread } = differences;
afterEach(() => k.reset());

const WIDTH = 64;
const samples = Array.from({ length: 512 }, (_, row) =>
  Array.from({ length: WIDTH }, (_, i) => Math.sin(row * WIDTH + i)),
);
const classes = samples.map((_, row) => row % 4);

/** A model whose passes draw random numbers, with its parts. */
function trained(layers = 1, batchsize = 32) {
  const hidden = Array.from({ length: layers }, () => ["linear", WIDTH, WIDTH] as const);
  const m = k.module(k.seq("sequential", ...hidden, "tanh", ["drop", 0.25], ["linear", WIDTH, 4]));
  const o = k.opt("adam", m, 0.01);
  const model = k.model(m, k.loss("ce"), o);
  k.train(model, { batchsize, shuffle: true });
  const x = k.tensor(samples, "float");
  k.train(model, x, classes);
  return { m, o, model, x };
}
/** The state without addresses, as a short text. */
const bits = (object: k.AnyModule | k.AnyOptimizer) => {
  const text = JSON.stringify(k.state(object as k.AnyModule), (key, value) => (key === "pointer" ? 0 : value));
  return createHash("sha256").update(text).digest("hex");
};
const busy = (call: () => unknown) => expectError("ERR_BUSY", call);

describe("an asynchronous call", () => {
  it("has the result of the call that waits, to the bit", async () => {
    const results = [];
    for (const isAsync of [false, true]) {
      k.seed(7);
      const { m, o, model, x } = trained();
      const losses = [];
      for (let i = 0; i < 3; i++) losses.push(isAsync ? await k.runAsync(model) : k.run(model));
      if (isAsync) await k.stepAsync(o, { zerograd: true });
      else k.step(o, { zerograd: true });
      const outputs = isAsync ? await k.evaluateAsync(m, x) : k.evaluate(m, x);
      results.push([losses, k.tensor(outputs), bits(m), bits(o), k.randperm(20)]);
      k.free();
    }
    expect(results[1]).toStrictEqual(results[0]);
  });

  it("has its objects alone, and changes none before it is over", async () => {
    const { m, o, model, x } = trained();
    const weight = k.parm(m, "0.weight");
    const part = k.child(m, "0");
    const served = k.clone(m);
    const other = k.tensor([[1, 2, 3]]);
    const loss = k.mse(k.forward(part, x), x);
    const running = k.runAsync(model);
    for (const object of [m, o, model, weight, part, x]) busy(() => k.class(object));
    busy(() => k.run(model));
    busy(() => k.step(o));
    busy(() => k.evaluate(m, [samples[0] as number[]]));
    busy(() => k.copyparms(served, m));
    busy(() => k.train(model, { batchsize: 8 }));
    if (differences.leasedGraphs) busy(() => k.backward(loss));
    busy(() => k.seed(1));
    busy(() => k.randperm(4));
    busy(() => k.module(["linear", 2, 2]));
    await expect(k.stepAsync(o)).rejects.toMatchObject({ code: "ERR_BUSY" });
    expect(k.evaluate(served, [samples[0] as number[]])).toBeDefined();
    expect(k.tensor(k.add(other, 1))).toStrictEqual([[2, 3, 4]]);
    await running;
    k.copyparms(served, m);
    expect(k.tensor(k.evaluate(served, x))).toStrictEqual(k.tensor(k.evaluate(m, x)));
    k.module(["linear", 2, 2]);
  });

  it("records the operations of the program while it evaluates, which records none", async () => {
    const { m } = trained(12);
    const w = k.tensor([2], "grad");
    const running = k.evaluateAsync(m, samples);
    for (let i = 1; i <= 50; i++) {
      k.backward(k.sum(k.mul(w, w)));
      expect(k.grad(w)).toStrictEqual([4 * i]);
    }
    await running;
    k.backward(k.sum(k.mul(w, w)));
    expect(k.grad(w)).toStrictEqual([204]);
  });

  it("lets a second model train on the same tensor, in order", async () => {
    const { model, x } = trained();
    const second = k.module(["linear", WIDTH, 4]);
    const other = k.model(second, k.loss("ce"), k.opt("sgd", second, 0.1));
    k.train(other, x, classes);
    const order: string[] = [];
    const both = [
      k.runAsync(model).then(() => order.push("first")),
      k.runAsync(other).then(() => order.push("second")),
    ];
    await Promise.all(both);
    expect(order).toStrictEqual(["first", "second"]);
  });

  it("keeps a freed object until its end", async () => {
    const before = k.handlecount();
    const { m, o, model, x } = trained();
    const running = k.runAsync(model);
    k.free(model, m, o, x);
    expectError("ERR_HANDLE_FREED", () => k.class(model));
    expect(k.handlecount()).toBe(before + 1);
    expect(await running).toBeGreaterThan(0);
    k.free();
    expect(k.handlecount()).toBe(0);
  });

  it("ends by its signal after a whole batch", async () => {
    // 512 batches take far longer than a turn of the event loop.
    const { model, o } = trained(20, 1);
    const control = new AbortController();
    const running = k.runAsync(model, { signal: control.signal });
    await setImmediate();
    const reason = new Error("enough");
    control.abort(reason);
    await expect(running).rejects.toBe(reason);
    const steps = k.state(o).parms[0]?.buffers.step ?? 0;
    expect(steps).toBeLessThan(512);
    expect(k.run(model)).toBeGreaterThan(0);
    expect(k.state(o).parms[0]?.buffers.step).toBe(Number(steps) + 512);
    await expect(k.runAsync(model, { signal: control.signal })).rejects.toBe(reason);
  });

  it("refuses what takes no listener in the place of a signal", async () => {
    const { model } = trained();
    for (const signal of [{ aborted: false }, { aborted: false, addEventListener: () => {} }]) {
      const expected = { name: "StepwellError", code: "ERR_ARGUMENT" };
      await expect(k.runAsync(model, { signal: signal as never })).rejects.toMatchObject(expected);
    }
  });

  it("starts nothing if its signal takes no listener, and ends if it gives none back", async () => {
    const { model, o } = trained();
    const reason = new Error("of the signal");
    const throwing = (method: "addEventListener" | "removeEventListener") =>
      Object.defineProperty(new AbortController().signal, method, {
        value: () => {
          throw reason;
        },
      });
    const before = k.state(o);
    await expect(k.runAsync(model, { signal: throwing("addEventListener") })).rejects.toBe(reason);
    expect(k.state(o)).toEqual(before);
    expect(await k.runAsync(model, { signal: throwing("removeEventListener") })).toBeGreaterThan(0);
    expect(k.run(model)).toBeGreaterThan(0);
  });

  it("rejects with the error of the command", async () => {
    const { m } = trained();
    await expect(k.evaluateAsync(m, [[1, 2]])).rejects.toMatchObject({ name: "StepwellError", code: "ERR_SHAPE" });
    expect(k.class(m)).toBe("module");
    await expect(k.runAsync(m as unknown as k.ModelHandle)).rejects.toMatchObject({ code: "ERR_HANDLE_KIND" });
  });

  it("does not start in the closure of a step", async () => {
    const { m, o, model } = trained();
    const x = k.tensor([1], "float", { grad: true });
    const calls: Promise<unknown>[] = [];
    k.step(k.opt("sgd", x, 0.5), () => {
      calls.push(
        k.runAsync(model),
        k.stepAsync(o),
        k.evaluateAsync(m, samples),
        k.saveAsync(m, "none"),
        k.loadAsync(m, "none"),
      );
      k.grad(x, [1]);
      return 1;
    });
    const codes = (await Promise.allSettled(calls)).map((end) => end.status === "rejected" && end.reason.code);
    expect(codes).toStrictEqual(Array(5).fill("ERR_BUSY"));
    expect(calls).toHaveLength(5);
    expect(k.tensor(x)).toStrictEqual([0.5]);
  });

  it.runIf(hasThread)("refuses functions of the program before it starts", async () => {
    const own = k.callback((x) => k.relu(x));
    await expect(k.evaluateAsync(own, [[1, 2]])).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
    expect(k.tensor(k.evaluate(own, [[-1, 2]]))).toStrictEqual([[0, 2]]);
  });

  it.runIf(!hasThread)("runs functions of the program, whose exceptions arrive as they were thrown", async () => {
    const reason = new Error("a bug of the program");
    let fails = false;
    const own = k.callback((x) => {
      if (fails) throw reason;
      return k.relu(x);
    });
    expect(k.tensor(await k.evaluateAsync(own, [[-1, 2]]))).toStrictEqual([[0, 2]]);
    fails = true;
    await expect(k.evaluateAsync(own, [[-1, 2]])).rejects.toBe(reason);
    fails = false;
    const started: Promise<unknown>[] = [];
    const starting = k.callback((x) => {
      started.push(k.evaluateAsync(own, [[1, 2]]));
      return x;
    });
    const result = k.evaluateAsync(starting, [[1, 2]]);
    await result;
    await expect(started[0]).rejects.toMatchObject({ code: "ERR_BUSY" });
    expect(k.tensor(await result)).toStrictEqual([[1, 2]]);
  });

  it("reads numbers before it returns, and a tensor in its turn", async () => {
    const { m } = trained();
    const numbers = new Float32Array(samples[0] as number[]);
    const expected = k.tensor(k.evaluate(m, numbers));
    const x = k.tensor(numbers);
    const first = k.evaluateAsync(m, numbers);
    numbers.fill(0);
    expect(k.tensor(await first)).toStrictEqual(expected);
    const second = k.evaluateAsync(m, x);
    busy(() => k.fill(x, 0));
    expect(k.tensor(await second)).toStrictEqual(expected);
  });

  it("tells of each batch, and ends by an exception of the function that it tells", async () => {
    const { model, o } = trained();
    const reports: k.BatchReport[] = [];
    const loss = await k.runAsync(model, { progress: (report) => reports.push(report) });
    expect(reports.map(({ batch, batches, samples }) => [batch, batches, samples])).toStrictEqual(
      Array.from({ length: 16 }, (_, i) => [i + 1, 16, 32]),
    );
    const sum = reports.reduce((sum, report) => sum + report.loss * report.samples, 0);
    expect(sum / 512).toBeCloseTo(loss as number, 6);
    const reason = new Error("enough");
    const long = trained(20, 1);
    let calls = 0;
    const running = k.runAsync(long.model, {
      progress: () => {
        calls += 1;
        throw reason;
      },
    });
    await expect(running).rejects.toBe(reason);
    expect(calls).toBe(1);
    expect(k.state(long.o).parms[0]?.buffers.step).toBeLessThan(512);
    expect(k.state(o).parms[0]?.buffers.step).toBe(16);
    const wrong = { progress: 1 } as unknown as k.AsyncOptions;
    await expect(k.runAsync(model, wrong)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  });

  it("returns the metrics of the call, and leaves those of the model", async () => {
    const metrics = ["loss", "batchloss"] as const;
    k.seed(7);
    const expected = k.run(trained().model, { metrics });
    k.seed(7);
    const { model, m } = trained();
    const set = k.train(model);
    const running = k.runAsync(model, { metrics });
    busy(() => k.train(model));
    expect(await running).toStrictEqual(expected);
    expect(k.train(model)).toStrictEqual(set);
    expect(await k.runAsync(model, { metrics: undefined })).toBeTypeOf("number");
    const reason = new Error("enough");
    await expect(k.runAsync(model, { metrics: "matches", signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const wrong = { metrics: "f1" } as unknown as k.AsyncOptions;
    await expect(k.runAsync(model, wrong)).rejects.toMatchObject({ message: expect.stringMatching(/^runAsync: /) });
    expect(k.train(model)).toStrictEqual(set);
    const other = k.evaluateAsync(m, [samples[0] as number[]]);
    await expect(k.runAsync(model, { metrics: "loss" })).rejects.toMatchObject({ code: "ERR_BUSY" });
    await other;
    expect(k.train(model)).toStrictEqual(set);
    const left = k.runAsync(model, { metrics: "loss" });
    k.reset();
    await expect(left).rejects.toMatchObject({ message: "reset has freed the objects of an asynchronous call" });
  });

  it("keeps the generator only if it may draw", async () => {
    const quiet = k.module(["linear", WIDTH, 4]);
    const model = k.model(quiet, k.loss("ce"), k.opt("sgd", quiet, 0.1));
    k.train(model, k.tensor(samples, "float"), classes);
    const { m, model: drawing, x } = trained();
    for (const call of [k.runAsync(model), k.evaluateAsync(m, x)]) {
      k.seed(1);
      k.randperm(3);
      k.module(["linear", 2, 2]);
      await call;
    }
    const state = k.generator();
    const running = k.runAsync(drawing);
    busy(() => k.seed(1));
    // The call has gone on from this state, and sets it at its end.
    busy(() => k.generator());
    busy(() => k.generator(state));
    busy(() => k.generator({ key: "0".repeat(64), position: "0" }));
    // It draws nothing.
    expect(k.run(model)).toBeGreaterThan(0);
    k.train(model, { shuffle: true });
    busy(() => k.run(model));
    busy(() => k.batch(model));
    busy(() => k.shuffle(model));
    const weight = k.parm(quiet, "weight");
    const before = k.tensor(weight);
    busy(() => k.xnormal(weight));
    busy(() => k.forward(k.module(["drop", 0.5]), [[1, 2, 3, 4]]));
    expect(k.tensor(weight)).toStrictEqual(before);
    const path = join(mkdtempSync(join(tmpdir(), "stepwell-")), "quiet.safetensors");
    k.save(quiet, path);
    k.load(quiet, path);
    // A file of a run has the generator.
    busy(() => k.save(path, { quiet }));
    busy(() => k.load(path, { quiet }));
    await running;
    k.seed(1);
  });

  it("is among the objects that live", async () => {
    const { m, o, model } = trained();
    const ids = () =>
      k
        .leaks()
        .map(({ id }) => id)
        .sort((a, b) => a - b);
    const before = [ids(), k.leaks().find(({ kind }) => kind === "model")];
    const running = k.runAsync(model);
    expect([ids(), k.leaks().find(({ kind }) => kind === "model")]).toStrictEqual(before);
    k.free(m, o);
    expect(ids()).toHaveLength((before[0] as number[]).length - 2);
    await running;
    expect(ids()).toHaveLength((before[0] as number[]).length - 2);
  });

  it("ends with reset", async () => {
    const { model } = trained(20);
    const running = k.runAsync(model);
    const ended = expect(running).rejects.toMatchObject({ code: "ERR_HANDLE_FREED" });
    k.reset();
    expect(k.handlecount()).toBe(0);
    await ended;
    const { model: next } = trained();
    expect(await k.runAsync(next)).toBeGreaterThan(0);
  });

  it("saves and loads", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "stepwell-")), "run.safetensors");
    const { m, o, model } = trained();
    await k.runAsync(model);
    const before = [bits(m), bits(o)];
    await k.saveAsync(path, { m, o, epoch: 1 });
    k.run(model);
    const { epoch } = await k.loadAsync(path, { m, o });
    expect([epoch, bits(m), bits(o)]).toStrictEqual([1, ...before]);
    const made = await k.loadAsync<{ m: k.ModuleHandle; o: k.OptimizerHandle }>(path);
    expect([bits(made.m), bits(made.o)]).toStrictEqual(before);
  });
});
