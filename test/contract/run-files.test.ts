// A whole run in one file: what goes on after loading goes on to the bit, and a file that fails changes nothing.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";
import { classes, inputs } from "./small-models.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-run-"));
const path = join(folder, "run.safetensors");

beforeEach(() => k.seed(11));
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const width = inputs[0]?.length ?? 0;
const layers = () =>
  k.seq("sequential", ["linear", "fc", width, 8], ["batchnorm", 8], ["dropout", 0.3], ["linear", 8, 3]);

/** Options that use every buffer that an optimizer has. */
const busy: { readonly [name: string]: object } = {
  adam: { amsgrad: true, average: 0.9 },
  adamw: { amsgrad: true, decay: 0.1 },
  lamb: { decay: 0.1, globalnorm: true },
  lbfgs: { iter: 2, history: 4, search: "strong_wolfe" },
  rmsprop: { momentum: 0.5, centered: true },
  sgd: { momentum: 0.9, dampening: 0.1 },
};

interface Run {
  readonly net: k.ModuleHandle;
  readonly optimizer: k.OptimizerHandle;
  readonly model: k.ModelHandle;
}

function start(name: k.OptimizerName): Run {
  const net = k.module(layers());
  const optimizer = k.opt(name, net, { lr: 0.05, ...busy[name] } as never);
  if (name !== "lbfgs") k.schedule(optimizer, { schedule: "cosine", steps: 40 } as never);
  const model = k.model(net, k.loss("ce", { smoothing: 0.1 }), optimizer);
  k.train(model, { batchsize: 4, shuffle: true, metrics: ["loss", "accuracy"] });
  k.train(model, inputs, classes);
  return { net, optimizer, model };
}

/** Makes some steps, across the end of an epoch, and returns everything that they changed. */
function advance({ net, optimizer, model }: Run, steps: number): unknown {
  const reports: unknown[] = [];
  for (let i = 0; i < steps; i++) reports.push(k.batch(model, true));
  const { parms, ...state } = k.state(optimizer);
  const buffers = parms.map(({ pointer, ...row }) => row);
  return [reports, k.state(net), state, buffers, k.metrics(model), k.randperm(5)];
}

describe.runIf(differences.files)("a run in a file", () => {
  for (const name of optimizers) {
    it(`of ${name} goes on to the bit in the middle of an epoch`, () => {
      const run = start(name);
      advance(run, 6);
      k.save(path, { ...run, epoch: 1, note: { lr: [0.05, Number.POSITIVE_INFINITY], $tensor: "a key" } });
      const expected = advance(run, 7);

      const made = k.load<Run & { epoch: number; note: unknown }>(path);
      expect([made.epoch, made.note]).toEqual([1, { lr: [0.05, Number.POSITIVE_INFINITY], $tensor: "a key" }]);
      k.train(made.model, inputs, classes);
      expect(advance(made, 7)).toEqual(expected);

      k.seed(99);
      const other = start(name);
      advance(other, 2);
      const loaded = k.load(path, { net: other.net, optimizer: other.optimizer, model: other.model });
      expect([loaded.net, loaded.epoch]).toEqual([other.net, 1]);
      expect(advance(other, 7)).toEqual(expected);
    });
  }

  it("takes a model alone, whose parts are shared again", () => {
    const run = start("adam");
    advance(run, 4);
    k.save(path, { model: run.model });
    const expected = advance(run, 5);
    const { model } = k.load<{ model: k.ModelHandle }>(path);
    k.train(model, inputs, classes);
    expect(advance({ net: k.module(model), optimizer: k.opt(model), model }, 5)).toEqual(expected);
    const other = start("adam");
    k.load(path, { model: other.model });
    expect(advance(other, 5)).toEqual(expected);
  });

  it("keeps a loss scale, frozen parameters, tensors and losses", () => {
    const net = k.module(layers());
    const optimizer = k.opt("adamw", net);
    k.lossscale(optimizer, { init: 1024 });
    const table = k.tensor(
      [
        [1, 2],
        [3, 4],
      ],
      "double",
    );
    k.save(path, { net, optimizer, table, loss: k.loss("mse", { reduce: "sum" }), list: new Float32Array([1, 2.5]) });
    const made = k.load<{ optimizer: k.OptimizerHandle; table: k.TensorHandle; loss: k.LossHandle; list: unknown }>(
      path,
    );
    expect(k.lossscale(made.optimizer)).toEqual(k.lossscale(optimizer));
    expect([k.dtype(made.table), k.tensor(made.table)]).toEqual([
      "double",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(k.tensor(k.loss(made.loss, k.tensor([1, 2]), [0, 0]))).toBe(5);
    expect(made.list).toEqual({ data: new Float32Array([1, 2.5]), shape: [2] });
    k.copyto(
      [
        [0, 0],
        [0, 0],
      ],
      table,
    );
    k.load(path, { table });
    expect(k.tensor(table)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("shows what it holds", () => {
    const { net, optimizer } = start("sgd");
    advance({ net, optimizer, model: k.model(net, k.loss("ce"), optimizer) } as Run, 0);
    k.save(path, { net, optimizer, epoch: 3 });
    const content = k.inspect(path);
    expect([content.version, content.objects]).toEqual([1, { net: "module", optimizer: "optimizer", epoch: "data" }]);
    expect(content.bytes).toBe(readFileSync(path).length);
    expect(content.sha256).toMatch(/^[0-9a-f]{64}$/);
    const weight = content.tensors.find(({ name }) => name === "net.fc.weight");
    expect(weight).toEqual({ name: "net.fc.weight", dtype: "float", shape: [8, width], bytes: 32 * width });
    k.save(net, path);
    expect(k.inspect(path).objects).toEqual({});
  });

  it("changes nothing if it fails", () => {
    const run = start("adam");
    advance(run, 3);
    k.save(path, { ...run });
    const whole = readFileSync(path);
    const before = () => [k.state(run.net), k.state(run.optimizer), k.train(run.model), k.handlecount()];
    const expected = before();
    const refuse = (code: k.ErrorCode, call: () => unknown) => {
      expectError(code, call);
      expect(before()).toEqual(expected);
    };
    for (const position of [9, 60, 400, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[position] = (damaged[position] as number) ^ 4;
      writeFileSync(path, damaged);
      refuse("ERR_FORMAT", () => k.load(path, { net: run.net }));
    }
    writeFileSync(path, whole);
    refuse("ERR_ARGUMENT", () => k.load(path, { other: run.net } as never));
    refuse("ERR_HANDLE_KIND", () => k.load(path, { net: run.optimizer }));
    refuse("ERR_HANDLE_KIND", () => k.load(path, { net: 3 } as never));
    const lamb = k.opt("lamb", run.net);
    expectError("ERR_FORMAT", () => k.load(path, { net: run.net, optimizer: lamb, model: run.model }));
    k.free(lamb);
    const small = k.module(["linear", 2, 2]);
    expectError("ERR_PARAMETER", () => k.load(path, { net: small }));
    k.free(small);
    expect(before()).toEqual(expected);
    expectError("ERR_FILE", () => k.load(join(folder, "absent")));
    expectError("ERR_ARGUMENT", () => k.save(path, {}));
    expectError("ERR_ARGUMENT", () => k.save(path, { "a.b": 1 }));
    expectError("ERR_PARAMETER", () => k.save(path, { optimizer: run.optimizer }));
    expectError("ERR_OPTION_UNKNOWN", () => k.load(path, {}, { verifi: true } as never));
    expect(readFileSync(path).equals(whole)).toBe(true);
    k.save(run.net, path);
    expectError("ERR_FORMAT", () => k.load(path));
  });
});
