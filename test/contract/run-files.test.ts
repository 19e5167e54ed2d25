// A whole run in one file: what goes on after loading goes on to the bit, and a file that fails changes nothing.

import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
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

/** The ways to keep a run: a file, and bytes. */
const ways = {
  file: {
    keep: (objects: k.RunObjects) => k.save(path, objects),
    read: (objects?: k.RunTargets, options?: k.RunLoadOptions & { readonly strict?: true }) =>
      objects ? k.load(path, objects, options) : k.load(path),
    bytes: () => readFileSync(path),
    replace: (bytes: Uint8Array) => writeFileSync(path, bytes),
  },
  bytes: {
    keep: (objects: k.RunObjects) => {
      kept = k.serialize(objects);
    },
    read: (objects?: k.RunTargets, options?: k.RunLoadOptions & { readonly strict?: true }) =>
      objects ? k.deserialize(kept, objects, options) : k.deserialize(kept),
    bytes: () => Buffer.from(kept),
    replace: (bytes: Uint8Array) => {
      kept = new Uint8Array(bytes);
    },
  },
} as const;
let kept: Uint8Array = new Uint8Array();

describe.each(["file", "bytes"] as const)("a run as %s", (way) => {
  const { keep, read, bytes, replace } = ways[way];

  for (const name of optimizers) {
    it(`of ${name} goes on to the bit in the middle of an epoch`, () => {
      const run = start(name);
      advance(run, 6);
      keep({ ...run, epoch: 1, note: { lr: [0.05, Number.POSITIVE_INFINITY], $tensor: "a key" } });
      const expected = advance(run, 7);

      const made = read() as unknown as Run & { epoch: number; note: unknown };
      expect([made.epoch, made.note]).toEqual([1, { lr: [0.05, Number.POSITIVE_INFINITY], $tensor: "a key" }]);
      k.train(made.model, inputs, classes);
      expect(advance(made, 7)).toEqual(expected);

      k.seed(99);
      const other = start(name);
      advance(other, 2);
      const loaded = read({ net: other.net, optimizer: other.optimizer, model: other.model });
      expect([loaded.net, loaded.epoch]).toEqual([other.net, 1]);
      expect(advance(other, 7)).toEqual(expected);
    });
  }

  it("takes a model alone, whose parts are shared again", () => {
    const run = start("adam");
    advance(run, 4);
    keep({ model: run.model });
    const expected = advance(run, 5);
    const { model } = read() as { model: k.ModelHandle };
    k.train(model, inputs, classes);
    expect(advance({ net: k.module(model), optimizer: k.opt(model), model }, 5)).toEqual(expected);
    const other = start("adam");
    read({ model: other.model });
    expect(advance(other, 5)).toEqual(expected);
  });

  it("takes an optimizer by its own name whose parameters a model has", () => {
    const { net, optimizer, model } = start("adamw");
    advance({ net, optimizer, model }, 2);
    keep({ model, optimizer });
    const expected = advance({ net, optimizer, model }, 3);
    const made = read() as unknown as Pick<Run, "optimizer" | "model">;
    k.train(made.model, inputs, classes);
    expect(advance({ ...made, net: k.module(made.model) }, 3)).toEqual(expected);
    const message = expectError("ERR_PARAMETER", () => read({}, { only: "optimizer" } as never));
    expect(message).toMatch("no object that is loaded with it");
  });

  it("leaves the function of a given model that is its loss", () => {
    const own = () => {
      const net = k.module(["linear", "fc", 2, 1]);
      const model = k.model(net, (y, t) => k.mean(k.square(k.sub(y, t))), k.opt("sgd", net, { lr: 0.1 }));
      k.train(model, { batchsize: 2 });
      k.train(
        model,
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        [[1], [2], [3]],
      );
      return { net, model };
    };
    const first = own();
    k.batch(first.model, true);
    keep({ model: first.model });
    const expected = [k.batch(first.model, true), k.state(first.net)];
    const second = own();
    read({ model: second.model });
    expect([k.batch(second.model, true), k.state(second.net)]).toEqual(expected);
    expectError("ERR_ARGUMENT", () => read());
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
    keep({ net, optimizer, table, loss: k.loss("mse", { reduce: "sum" }), list: new Float32Array([1, 2.5]) });
    const made = read() as {
      optimizer: k.OptimizerHandle;
      table: k.TensorHandle;
      loss: k.LossHandle;
      list: unknown;
    };
    expect(k.lossscale(made.optimizer)).toEqual(k.lossscale(optimizer));
    expect([k.dtype(made.table), k.tensor(made.table)]).toEqual([
      "double",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(k.tensor(k.loss(made.loss, k.tensor([1, 2]), [0, 0]))).toBe(5);
    expect(made.list).toEqual(new Float32Array([1, 2.5]));
    k.copyto(
      [
        [0, 0],
        [0, 0],
      ],
      table,
    );
    read({ table });
    expect(k.tensor(table)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("gives plain data back as it was saved", () => {
    const net = k.module(["linear", 2, 3]);
    const data = {
      list: [new Float64Array([0.1, Number.NaN]), new BigInt64Array([3n]), []],
      alike: { data: new Float32Array([1]), shape: [1] },
      state: k.state(net),
    };
    keep({ data: data as never });
    const first = read() as unknown as { data: typeof data };
    expect(first).toEqual({ data });
    keep({ data: first.data as never });
    expect(read()).toEqual(first);
    expect(k.state(k.module(first.data.state))).toEqual(k.state(net));
    keep({ data: new Int8Array([-1, 2]) });
    expect(read()).toEqual({ data: new BigInt64Array([-1n, 2n]) });
  });

  it("takes plain data as deep as it reads", () => {
    const nested = (levels: number): k.PlainData => (levels === 0 ? 1 : { deeper: [nested(levels - 2)] });
    const deep = { data: nested(100) };
    keep(deep);
    expect(read()).toEqual(deep);
    const message = expectError("ERR_ARGUMENT", () => keep({ data: [nested(100)] }));
    expect(message).toMatch("`data`: expected plain data of at most 100 levels, given more");
    expect(read()).toEqual(deep);
  });

  it("takes optimizers over several modules, vectors, dictionaries and tensors", () => {
    const start = () => {
      const [body, head] = [k.module(["linear", width, 4]), k.module(["linear", "head", 4, 3])];
      const bias = k.tensor([0.5, -0.5, 0.25], "grad");
      const scales = k.vector(k.tensor([1, 2, 3], "grad"), k.tensor([3], "grad"));
      const shifts = k.dict({ first: k.tensor([1, 1, 1], "grad"), second: k.tensor([2], "grad") });
      const optimizer = k.opt("adamw", body, { lr: 0.05, decay: 0.1 });
      k.opt(optimizer, 1, head, 0.01);
      k.opt(optimizer, 1, bias);
      k.opt(optimizer, 1, shifts);
      k.opt(optimizer, 2, scales, { lr: 0.02 });
      const frozen = k.module(["linear", 3, 3]);
      k.freeze(frozen);
      return { body, head, bias, scales, shifts, optimizer, frozen };
    };
    const step = (run: ReturnType<typeof start>) => {
      const y = k.add(k.forward(run.head, k.forward(run.body, inputs)), run.bias);
      const scaled = k.mul(k.forward(run.frozen, y), k.sum(k.cat(run.scales)));
      k.backward(k.mse(scaled, k.full([inputs.length, 3], 1)));
      k.step(run.optimizer, { zerograd: true });
      const { parms, ...state } = k.state(run.optimizer);
      const names = parms.map(({ pointer, ...row }) => row);
      return [
        names,
        state,
        k.state(run.body),
        k.state(run.frozen),
        k.tensor(run.bias),
        k.gradflag(k.parm(run.frozen, "weight")),
      ];
    };
    const run = start();
    step(run);
    keep(run);
    const expected = [step(run), step(run)];
    const made = read() as unknown as typeof run;
    expect([step(made), step(made)]).toEqual(expected);
    k.seed(5);
    const other = start();
    step(other);
    k.unfreeze(other.frozen);
    expect(Object.keys(read({ ...other })).sort()).toEqual(Object.keys(run).sort());
    expect([step(other), step(other)]).toEqual(expected);
  });

  it("keeps averages that are swapped in", () => {
    const start = () => {
      const net = k.module(["linear", "fc", width, 3]);
      return { net, optimizer: k.opt("sgd", net, { lr: 0.1, average: 0.5 }) };
    };
    const step = ({ net, optimizer }: ReturnType<typeof start>) => {
      k.backward(k.ce(k.forward(net, inputs), classes));
      k.step(optimizer, { zerograd: true });
    };
    const run = start();
    for (let i = 0; i < 3; i++) step(run);
    k.average(run.optimizer);
    const averages = k.state(run.net);
    keep(run);
    const other = start();
    step(other);
    read({ ...other });
    for (const { net, optimizer } of [read() as unknown as typeof run, other]) {
      expect(k.state(net)).toEqual(averages);
      k.average(optimizer);
      expect(k.state(net)).not.toEqual(averages);
    }
  });

  it("refuses what would come apart", () => {
    const net = k.module(k.seq("sequential", ["linear", "fc", 2, 2]));
    const part = k.child(net, "fc");
    expectError("ERR_PARAMETER", () => keep({ net, part }));
    const x = k.tensor([1, 2], "grad");
    expectError("ERR_PARAMETER", () => keep({ x, v: k.vector(x) }));
    const optimizer = k.opt("adam", net);
    expectError("ERR_ARGUMENT", () => keep({ net, a: optimizer, b: k.opt(k.model(net, k.loss("mse"), optimizer)) }));
  });

  it("changes nothing if it fails", () => {
    const run = start("adam");
    advance(run, 3);
    keep({ ...run });
    const whole = bytes();
    const before = () => [k.state(run.net), k.state(run.optimizer), k.train(run.model), k.handlecount()];
    const expected = before();
    const refuse = (code: k.ErrorCode, call: () => unknown) => {
      expectError(code, call);
      expect(before()).toEqual(expected);
    };
    for (const position of [9, 60, 400, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[position] = (damaged[position] as number) ^ 4;
      replace(damaged);
      refuse("ERR_FORMAT", () => read({ net: run.net }));
    }
    replace(whole);
    refuse("ERR_ARGUMENT", () => read({ other: run.net } as never));
    refuse("ERR_HANDLE_KIND", () => read({ net: run.optimizer }));
    refuse("ERR_HANDLE_KIND", () => read({ net: 3 } as never));
    const lamb = k.opt("lamb", run.net);
    expectError("ERR_FORMAT", () => read({ net: run.net, optimizer: lamb }));
    // The model of the file has the optimizer of the file.
    expectError("ERR_ARGUMENT", () => read({ net: run.net, optimizer: lamb, model: run.model }));
    k.free(lamb);
    const small = k.module(["linear", 2, 2]);
    expectError("ERR_PARAMETER", () => read({ net: small }));
    k.free(small);
    expect(before()).toEqual(expected);
    expectError("ERR_ARGUMENT", () => keep({}));
    expectError("ERR_ARGUMENT", () => keep({ "a.b": 1 }));
    expectError("ERR_PARAMETER", () => keep({ optimizer: run.optimizer }));
    const unknown = expectError("ERR_OPTION_UNKNOWN", () => read({}, { strickt: true } as never));
    expect(unknown).toMatch(/: unknown option `strickt`, expected one of verify, strict, generator, only, rename$/);
    expect(bytes().equals(whole)).toBe(true);
  });
});

describe("the file of a run", () => {
  it("has every tensor of a new object, which is not made of other memory", () => {
    const net = k.module(k.seq("sequential", ["batchnorm", 2]));
    const kept = Buffer.from(k.serialize({ net }));
    const text = kept.toString("latin1");
    // The row of the description without one tensor, in as many bytes.
    const entry = /,\\"num_batches_tracked\\":\{[^}]*\}/.exec(text)?.[0] ?? "";
    expect(entry).not.toBe("");
    const without = new Uint8Array(Buffer.from(text.replace(entry, " ".repeat(entry.length)), "latin1"));
    const before = k.handlecount();
    expect(expectError("ERR_PARAMETER", () => k.deserialize(without, {}, { verify: false }))).toBe(
      "deserialize: `net`: the file has no `0.num_batches_tracked`, which the object has",
    );
    expect(k.handlecount()).toBe(before);
  });

  it("names each of its tensors once", () => {
    const place = '{\\"$tensor\\":\\"a\\"}';
    const text = Buffer.from(k.serialize({ a: new Float32Array([1, 2]), b: "x".repeat(place.length - 4) }));
    const twice = text.toString("latin1").replace(/\\"x+\\"/, place);
    const bytes = new Uint8Array(Buffer.from(twice, "latin1"));
    expect(bytes.length).toBe(text.length);
    expect(expectError("ERR_FORMAT", () => k.deserialize(bytes, {}, { verify: false }))).toMatch(
      "tensor `a` is named twice",
    );
  });

  it("is loaded with arguments that are read once, of which undefined is none", async () => {
    const net = k.module(["linear", 2, 3]);
    k.save(path, { net, note: 1 });
    /** A dictionary whose entry has a value the first time, and another one afterwards. */
    const changing = (name: string, ...values: readonly unknown[]) => {
      let reads = 0;
      const get = () => values[Math.min(reads++, values.length - 1)];
      return { object: Object.defineProperty({}, name, { enumerable: true, get }), reads: () => reads };
    };
    const loads: readonly ((targets: k.RunTargets, options?: k.RunPartOptions) => unknown)[] = [
      (targets, options) => k.load(path, targets, options),
      (targets, options) => k.deserialize(readFileSync(path), targets, options),
      (targets, options) => k.loadAsync(path, targets, options),
    ];
    for (const load of loads) {
      const given = changing("net", net, undefined);
      expect(await load(given.object as k.RunTargets)).toEqual({ net, note: 1 });
      const strict = changing("strict", false, true);
      expect(await load({ net }, strict.object)).toEqual({ missing: [], unexpected: [], mismatched: [] });
      expect([given.reads(), strict.reads()]).toEqual([1, 1]);
      const anew = (await load({ net: undefined } as never)) as { net: k.ModuleHandle };
      expect(k.state(anew.net)).toEqual(k.state(net));
    }
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

  it("is refused by its header, whatever its size", () => {
    writeFileSync(path, "");
    // A file without blocks, of zeros.
    truncateSync(path, 5e9);
    const message = expectError("ERR_FORMAT", () => k.load(path));
    expect(message).toContain("is not a valid safetensors file");
    expect(expectError("ERR_FORMAT", () => k.load(k.module(["linear", 2, 3]), path))).toBe(message);
  });

  it("is neither absent nor the file of a module", () => {
    expectError("ERR_FILE", () => k.load(join(folder, "absent")));
    const net = k.module(["linear", 1, 1]);
    k.save(net, path);
    expectError("ERR_FORMAT", () => k.load(path));
    expectError("ERR_FORMAT", () => k.deserialize(readFileSync(path)));
  });
});
