// Parts of a run: under other names, some of its objects, or what fits of it. The state of an optimizer follows its parameters.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";
import { classes, inputs } from "./small-models.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-part-"));
const path = join(folder, "run.safetensors");

beforeEach(() => k.seed(11));
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const width = inputs[0]?.length ?? 0;

const network = (body: string, norm: string, head: string, outputs = 3) =>
  k.module(k.seq("sequential", ["linear", body, width, 8], ["batchnorm", norm, 8], ["linear", head, 8, outputs]));

interface Run {
  readonly net: k.ModuleHandle;
  readonly optimizer: k.OptimizerHandle;
}

/** Options that use buffers which an optimizer need not have. */
const busy: { readonly [name: string]: object } = {
  adam: { amsgrad: true, average: 0.9 },
  sgd: { momentum: 0.9 },
};

const saved = (name: k.OptimizerName = "adam"): Run => {
  const net = network("fc", "norm", "out");
  return { net, optimizer: k.opt(name, net, { lr: 0.05, ...busy[name] } as never) };
};

function steps({ net, optimizer }: Run, count: number): void {
  for (let i = 0; i < count; i++) {
    k.step(optimizer, () => {
      k.zerograd(net);
      const loss = k.ce(k.forward(net, inputs), classes);
      k.backward(loss);
      return loss;
    });
  }
}

/** Elements and flags of all tensors of a module in order, and the state of its optimizer without names. */
const content = ({ net, optimizer }: Run) => {
  const { parms, ...state } = k.state(optimizer);
  return [
    k.state(net).map((row) => [Object.values(row.parms), Object.values(row.buffers)]),
    state,
    parms.map(({ pointer, name, ...row }) => row),
  ];
};

/** The state of a parameter. */
const stateOf = ({ optimizer }: Run, name: string) =>
  k.state(optimizer).parms.find((row) => row.name === name)?.buffers;

const names: { readonly [name: string]: string } = { fc: "body", norm: "scale", out: "head" };
const renamed = (name: string) => name.replace(/\b(fc|norm|out)\b/, (part) => names[part] as string);
const dictionary = () =>
  Object.fromEntries(
    k
      .inspect(path)
      .tensors.map(({ name }) => name)
      .filter((name) => name.startsWith("net."))
      .map((name) => [name, renamed(name)]),
  );

const bytes = () => new Uint8Array(readFileSync(path));

describe("a run under other names", () => {
  for (const name of optimizers) {
    it(`with ${name} goes on to the bit`, () => {
      const run = saved(name);
      steps(run, 3);
      k.save(path, { ...run, epoch: 4 });
      const random = k.generator();
      steps(run, 3);
      const expected = content(run);
      for (const load of [
        (targets: Run) => k.load(path, { ...targets }, { rename: renamed }),
        (targets: Run) => k.load(path, { ...targets }, { rename: dictionary() }),
        (targets: Run) => k.deserialize(bytes(), { ...targets }, { rename: renamed }),
      ]) {
        k.seed(99);
        const net = network("body", "scale", "head");
        const other = { net, optimizer: k.opt(name, net) };
        expect(load(other)).toEqual({ ...other, epoch: 4 });
        expect(k.generator()).toEqual(random);
        steps(other, 3);
        expect(content(other)).toEqual(expected);
      }
    });
  }

  it("takes tensors of other objects, and frozen parameters with them", () => {
    const teacher = network("fc", "norm", "out");
    k.freeze(teacher);
    k.save(path, { teacher, table: k.dict({ a: k.tensor([1, 2]) }) });
    const net = network("body", "scale", "head");
    const v = k.vector(k.tensor([0, 0]));
    const rename = (name: string) => (name === "table.a" ? "v.0" : renamed(name).replace("teacher", "net"));
    expect(k.load(path, { net, v }, { rename })).toEqual({ net, v });
    expect(k.tensor(k.parm(net, "head.weight"))).toEqual(k.tensor(k.parm(teacher, "out.weight")));
    expect(k.gradflag(k.parm(net, "head.weight"))).toBe(false);
    expect(k.tensor(k.cat(v))).toEqual([1, 2]);
  });
});

describe("a part of a run", () => {
  it("makes the objects that `only` names", () => {
    const run = saved();
    k.save(path, { ...run, epoch: 4, note: "text" });
    const before = k.generator();
    k.randperm(3);
    const moved = k.generator();
    const made = k.load<{ net: k.ModuleHandle; epoch: number }>(path, {}, { only: ["net", "epoch"] });
    expect(Object.keys(made).sort()).toEqual(["epoch", "net"]);
    expect(k.state(made.net)).toEqual(k.state(run.net));
    expect(k.generator()).toEqual(moved);
    expect(k.deserialize(bytes(), {}, { only: "epoch", generator: true })).toEqual({ epoch: 4 });
    expect(k.generator()).toEqual(before);
  });

  it("sets modules and tensors of given objects that `only` names", () => {
    const run = saved();
    steps(run, 2);
    k.save(path, { ...run });
    k.seed(5);
    const other = saved();
    const [fc, out] = [k.tensor(k.parm(run.net, "fc.weight")), k.tensor(k.parm(other.net, "out.weight"))];
    const state = k.state(other.optimizer);
    expect(k.load(path, { ...other }, { only: ["net.fc", "net.norm.weight"] })).toEqual(other);
    expect(k.tensor(k.parm(other.net, "fc.weight"))).toEqual(fc);
    expect(k.tensor(k.parm(other.net, "out.weight"))).toEqual(out);
    expect(k.state(other.optimizer)).toEqual(state);
    k.load(path, { ...other }, { only: ["net", "optimizer"] });
    expect(content(other)).toEqual(content(run));
  });
});

describe("what fits of a run", () => {
  it("has a report of the rest, and an optimizer keeps its groups and options", async () => {
    const run = saved();
    steps(run, 3);
    k.save(path, { ...run, epoch: 4 });
    const start = (fused = true) => {
      k.seed(5);
      const net = network("body", "norm", "out", 4);
      const optimizer = k.opt("adam", k.child(net, "body"), { lr: 0.01, amsgrad: true, fused } as never);
      k.opt(optimizer, 1, k.child(net, "out"), { lr: 0.5 });
      return { net, optimizer };
    };
    const rename = (name: string) => name.replace(/\bfc\b/, "body");
    const report = {
      missing: [],
      // The given optimizer does not have the parameters of `norm`.
      unexpected: ["optimizer.net.norm.weight", "optimizer.net.norm.bias"],
      mismatched: ["weight", "bias"].map((name) => ({
        name: `net.out.${name}`,
        expected: { dtype: "float", shape: name === "weight" ? [4, 8] : [4] },
        given: { dtype: "float", shape: name === "weight" ? [3, 8] : [3] },
      })),
    };
    const before = k.generator();
    for (const load of [
      (targets: Run) => k.load(path, { ...targets }, { rename, strict: false }),
      (targets: Run) => k.deserialize(bytes(), { ...targets }, { rename, strict: false }),
      (targets: Run) => k.loadAsync(path, { ...targets }, { rename, strict: false }),
    ]) {
      const other = start();
      k.backward(k.sum(k.forward(other.net, inputs)));
      k.step(other.optimizer);
      k.generator(before);
      const own = stateOf(other, "1.weight") ?? stateOf(other, "out.weight");
      const options = k.state(other.optimizer).options;
      expect(await load(other)).toEqual(report);
      expect(k.generator()).toEqual(before);
      expect(k.tensor(k.parm(other.net, "body.weight"))).toEqual(k.tensor(k.parm(run.net, "fc.weight")));
      const [first, , third] = k.state(other.optimizer).parms;
      expect(first?.buffers).toEqual(stateOf(run, "fc.weight"));
      expect(third?.buffers.step).toBe(1);
      expect(own ?? third?.buffers).toEqual(third?.buffers);
      expect(k.state(other.optimizer).options).toEqual(options);
      expect(k.lr(other.optimizer)).toEqual([0.01, 0.5]);
      k.step(other.optimizer);
      expect(k.state(other.optimizer).parms[0]?.buffers.step).toBe(4);
    }
  });

  it("gives libtorch's own optimizers and models their state", () => {
    const net = network("fc", "norm", "out");
    const run = { net, optimizer: k.opt("adam", net, 0.05) };
    steps(run, 2);
    k.save(path, { model: k.model(net, k.loss("ce"), run.optimizer) });
    for (const fused of differences.implementations) {
      k.seed(5);
      const net = network("fc", "norm", "out");
      const other = { net, optimizer: k.opt("adam", net, { lr: 0.01, fused } as never) };
      const model = k.model(net, k.loss("mse"), other.optimizer);
      k.train(model, k.tensor(inputs), k.full([inputs.length, 3], 0));
      expect(k.load(path, { model }, { strict: false })).toEqual({ missing: [], unexpected: [], mismatched: [] });
      expect(k.lr(other.optimizer)).toEqual([0.01]);
      expect(k.state(net)).toEqual(k.state(run.net));
      expect(stateOf(other, "fc.weight")).toEqual(stateOf(run, "fc.weight"));
      // The loss of the file is another one.
      expectError("ERR_ARGUMENT", () => k.load(path, { model }));
    }
  });

  it("names parameters whose state the file does not have", () => {
    const net = network("fc", "norm", "out");
    k.save(path, { net, optimizer: k.opt("adam", k.child(net, "fc")) });
    const other = saved();
    const report = k.load(path, { ...other }, { strict: false });
    expect(report.missing).toEqual(
      ["norm.bias", "norm.weight", "out.bias", "out.weight"].map((name) => `optimizer.net.${name}`),
    );
  });
});

it("a part of a run that fails changes nothing", () => {
  const run = saved();
  steps(run, 2);
  k.save(path, { ...run, list: new Float32Array(3) });
  const other = saved();
  const [lamb, lbfgs] = [k.opt("lamb", other.net), k.opt("lbfgs", other.net)];
  const averaged = k.opt("adam", other.net, { average: 0.9 } as never);
  const small = network("fc", "norm", "out", 2);
  k.backward(k.sum(k.forward(other.net, inputs)));
  k.step(averaged);
  k.average(averaged);
  const world = () => JSON.stringify([content(other), k.state(small), k.generator(), k.handlecount()]);
  const before = world();
  const wrong: readonly (readonly [k.ErrorCode, RegExp, object, object])[] = [
    ["ERR_ARGUMENT", /rename: the file has no `net.none`/, other, { rename: { "net.none": "net.fc" } }],
    ["ERR_ARGUMENT", /rename: `list` is plain data/, other, { rename: { list: "rows" } }],
    ["ERR_ARGUMENT", /rename: `net.fc.bias` becomes `nett.b`/, other, { rename: { "net.fc.bias": "nett.b" } }],
    [
      "ERR_ARGUMENT",
      /rename: `net.fc.bias` and `net.norm.bias` of the file are both/,
      other,
      { rename: { "net.fc.bias": "net.norm.bias" } },
    ],
    ["ERR_ARGUMENT", /rename: expected objects to be set/, {}, { rename: { "net.fc.bias": "net.b" } }],
    ["ERR_ARGUMENT", /strict: false: expected objects to be set/, {}, { strict: false }],
    ["ERR_ARGUMENT", /only: neither an object .* `fc`/, other, { only: "fc" }],
    ["ERR_ARGUMENT", /only: .* `list`/, other, { only: "list", strict: false }],
    ["ERR_OPTION_TYPE", /only: expected a name or a list/, other, { only: [] }],
    ["ERR_OPTION_TYPE", /rename: expected a dictionary/, other, { rename: [["net.fc.bias", "net.b"]] }],
    ["ERR_OPTION_TYPE", /rename: expected a function that returns names/, other, { rename: () => 3 }],
    ["ERR_OPTION_TYPE", /strict/, other, { strict: 1 }],
    [
      "ERR_FORMAT",
      /holds `net.fc.bias`, which the given objects do not have/,
      other,
      { rename: { "net.fc.bias": "net.b" } },
    ],
    ["ERR_FORMAT", /lacks `net.fc.bias`/, other, { rename: { "net.fc.bias": null } }],
    ["ERR_SHAPE", /`net.out.weight`/, { net: small }, { only: "net" }],
    ["ERR_PARAMETER", /`net.norm.weight` is not loaded/, other, { only: ["net.fc", "optimizer"] }],
    ["ERR_HANDLE_KIND", /`optimizer`/, { optimizer: small }, { strict: false }],
    ["ERR_FORMAT", /state of lamb, given one of adam/, { ...other, optimizer: lamb }, { strict: false }],
    ["ERR_FORMAT", /averages that are swapped in/, { ...other, optimizer: averaged }, { strict: false }],
  ];
  for (const [code, message, targets, options] of wrong) {
    for (const call of [
      () => k.load(path, targets as never, options),
      () => k.deserialize(bytes(), targets as never, options),
    ]) {
      expect(expectError(code, call)).toMatch(message);
      expect(world()).toBe(before);
    }
  }
  const curved = saved("lbfgs");
  k.save(path, { ...curved });
  expectError("ERR_UNSUPPORTED", () => k.load(path, { net: other.net, optimizer: lbfgs }, { strict: false }));
});
