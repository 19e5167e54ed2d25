// A run goes on in another process to the bit, in the middle of an epoch. A file does not depend on the number of threads. Sums of libtorch
// do, in their last digits.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { runInProcess } from "./child.js";
import { optimizers } from "./optimizers.js";
import { classes, inputs } from "./small-models.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-resume-"));
const file = (name: string) => join(folder, `${name}.safetensors`);
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

/** Steps across the end of an epoch, and everything that they changed. The text runs in another process too. */
const advance = `(k, { net, optimizer, model }, steps) => {
  const reports = Array.from({ length: steps }, () => k.batch(model, true));
  const { parms, ...state } = k.state(optimizer);
  const rows = parms.map(({ pointer, ...row }) => row);
  return JSON.stringify([reports, rows, state, k.state(net), k.generator(), k.randperm(5)]);
}`;
const advanceHere = new Function("k", "run", "steps", `return (${advance})(k, run, steps)`) as (
  sdk: typeof k,
  run: object,
  steps: number,
) => string;

describe("a run in a new process", () => {
  it("goes on to the bit", async () => {
    const expected: Record<string, string[]> = {};
    for (const name of optimizers) {
      k.seed(7);
      const width = inputs[0]?.length ?? 0;
      const net = k.module(
        k.seq("sequential", ["linear", width, 8], ["batchnorm", 8], ["dropout", 0.3], ["linear", 8, 3]),
      );
      const optimizer = k.opt(name, net, { lr: 0.05 } as never);
      const model = k.model(net, k.loss("ce"), optimizer);
      k.train(model, { batchsize: 4, shuffle: true, metrics: ["loss", "accuracy"] });
      k.train(model, inputs, classes);
      for (let i = 0; i < 5; i++) k.batch(model, true);
      k.save(file(name), { net, optimizer, model });
      expected[name] = [0, 9].map((steps) => advanceHere(k, { net, optimizer, model }, steps));
    }
    const own = k.setting("threads");
    for (const threads of new Set([own, ...differences.threads])) {
      const found = (await runInProcess(`
        k.setting("threads", ${threads});
        const advance = ${advance};
        const found = {};
        for (const name of ${JSON.stringify(optimizers)}) {
          const run = k.load(${JSON.stringify(folder)} + "/" + name + ".safetensors");
          k.train(run.model, ${JSON.stringify(inputs)}, ${JSON.stringify(classes)});
          const before = advance(k, run, 0);
          found[name] = [before, advance(k, run, 9)];
        }
        post(found);
      `)) as Record<string, string[]>;
      for (const name of optimizers) {
        expect(found[name]?.[0] === expected[name]?.[0], name).toBe(true);
        if (threads === own) expect(found[name]?.[1] === expected[name]?.[1], name).toBe(true);
      }
    }
  });
});

it("the state of the generator goes through JSON, and gives the numbers that follow", () => {
  k.seed(5);
  k.randperm(7);
  const state = JSON.parse(JSON.stringify(k.generator())) as k.GeneratorState;
  const expected = [...k.randperm(9), ...k.randperm(9)];
  k.seed(99);
  k.generator(state);
  expect([...k.randperm(9), ...k.randperm(9)]).toEqual(expected);
  // The key of a seed and the words that were drawn, which are the same on both engines.
  k.seed(1);
  expect(k.generator()).toEqual({
    key: "ead81d725d26104e899c3bf842ce782ebad303da9997d2c2120256ac7366fb1b",
    position: "0",
  });
});

it("the states of a module and of an optimizer go through structuredClone and JSON to the bit", () => {
  const net = k.module(k.seq("sequential", ["linear", 3, 4], ["batchnorm", 4], ["linear", 4, 2]));
  const optimizer = k.opt("adam", net, { amsgrad: true });
  const step = (m: k.ModuleHandle, o: k.OptimizerHandle) => {
    k.backward(
      k.mse(
        k.forward(m, [
          [1, 2, 3],
          [3, 2, 1],
        ]),
        [
          [1, 0],
          [0, 1],
        ],
      ),
    );
    k.step(o, { zerograd: true });
    const { parms } = k.state(o);
    return [k.state(m), parms.map(({ pointer, ...row }) => row)];
  };
  step(net, optimizer);
  const states = { module: k.state(net), optimizer: k.state(optimizer) };
  const copies = [structuredClone(states), JSON.parse(JSON.stringify(states)) as typeof states];
  const expected = step(net, optimizer);
  for (const copy of copies) {
    const again = k.module(copy.module);
    expect(step(again, k.opt(copy.optimizer, again))).toEqual(expected);
  }
});
