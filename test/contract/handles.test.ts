import { Worker } from "node:worker_threads";
import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { binding, differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const errorOf = (call: () => unknown, what = "the call"): { code?: string } => {
  try {
    call();
  } catch (error) {
    return error as { code?: string };
  }
  return expect.fail(`${what} threw nothing`);
};

/** Every function that takes a handle, with arguments that are otherwise good. */
const calls: readonly (readonly [name: string, kind: string, call: (handle: never) => unknown])[] = [
  ["tensor", "tensor", (x) => k.tensor(x)],
  ["data", "tensor", (x) => k.data(x)],
  ["to", "tensor module", (x) => k.to(x, "double")],
  ["dtype", "tensor", (x) => k.dtype(x)],
  ["device", "tensor", (x) => k.device(x)],
  ["backward", "tensor", (x) => k.backward(x)],
  ["grad", "tensor", (x) => k.grad(x)],
  ["mse", "tensor", (x) => k.mse(x, [1, 2])],
  ["gradflag", "tensor vector dictionary module model", (x) => k.gradflag(x)],
  ["zerograd", "tensor vector dictionary module optimizer model", (x) => k.zerograd(x)],
  ["nograd", "tensor vector dictionary module optimizer model", (x) => k.nograd(x)],
  ["clip", "tensor vector dictionary module optimizer model", (x) => k.clip(x, 1)],
  ["clipv", "tensor vector dictionary module optimizer model", (x) => k.clipv(x, 1)],
  ["forward", "module model", (x) => k.forward(x, [[1, 2]])],
  ["evaluate", "module model", (x) => k.evaluate(x, [[1, 2]])],
  ["names", "module", (x) => k.names(x)],
  ["childnames", "module", (x) => k.childnames(x)],
  ["parmnames", "module", (x) => k.parmnames(x)],
  ["parms", "module", (x) => k.parms(x)],
  ["opt", "optimizer model", (x) => k.opt(x)],
  ["opt(sgd)", "tensor vector dictionary module model", (x) => k.opt("sgd", x)],
  ["state", "module optimizer", (x) => k.state(x)],
  ["step", "module optimizer model", (x) => k.step(x)],
  ["step(closure)", "module optimizer model", (x) => k.step(x, () => 0)],
  ["lr", "optimizer model", (x) => k.lr(x)],
  ["schedule", "optimizer", (x) => k.schedule(x)],
  ["schedule(linear)", "optimizer", (x) => k.schedule(x, k.schedules.linear())],
  ["objtype", "tensor module optimizer loss", (x) => k.objtype(x)],
  ["size", "tensor vector dictionary module optimizer loss model", (x) => k.size(x)],
  ["bytes", "tensor vector dictionary module optimizer loss model", (x) => k.bytes(x)],
  ["module", "optimizer model", (x) => k.module(x)],
  ["loss(input, target)", "loss model", (x) => k.loss(x, k.tensor([1]), [2])],
  ["model(loss)", "loss", (x) => k.model(k.module("relu"), x, k.opt("sgd"))],
  ["model(module)", "module", (x) => k.model(x, k.loss("mse"), optimizers.at(-1) ?? k.opt("sgd"))],
  ["model(optimizer)", "optimizer", (x) => k.model(k.module("relu"), k.loss("mse"), x)],
  ["train", "model", (x) => k.train(x)],
  ["train(data)", "model", (x) => k.train(x, [[1, 2]], [[1, 2]])],
  ["test", "model", (x) => k.test(x)],
  ["run", "model", (x) => k.run(x)],
  ["batch", "model", (x) => k.batch(x)],
  ["testrun", "model", (x) => k.testrun(x)],
  ["testbatch", "model", (x) => k.testbatch(x)],
  ["metrics", "model", (x) => k.metrics(x)],
  ["testmetrics", "model", (x) => k.testmetrics(x)],
  ["class", "tensor vector dictionary module optimizer loss model", (x) => k.classof(x)],
];

/** Optimizers of modules, whose handles stay reachable. */
const optimizers: k.OptimizerHandle[] = [];

const make = {
  tensor: () => k.mse(k.tensor([1, 2], "grad"), [3, 4], { reduce: "sum" }),
  vector: () => k.vector(k.tensor([1, 2], "grad"), [3]),
  dictionary: () => k.dict({ a: k.tensor([1, 2], "grad") }),
  module: () => {
    const m = k.module(["linear", 2, 2]);
    optimizers.push(k.opt("sgd", m));
    return m;
  },
  optimizer: () => k.opt("sgd", k.tensor([1], "grad")),
  loss: () => k.loss("mse"),
  model: () => {
    const m = k.module(["linear", 2, 2]);
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m));
    for (const samples of [k.train, k.test]) samples(model, [[1, 2]], [[1, 2]]);
    return model;
  },
};

it.each(calls)("%s takes a handle of kind %s and no other", (name, kinds, call) => {
  for (const [kind, maker] of Object.entries(make)) {
    const handle = maker() as never;
    expect(k.classof(handle)).toBe(kind);
    if (kinds.split(" ").includes(kind)) {
      // The loss is a scalar and no leaf, which is right for some calls and wrong for others.
      const isUnfit = kind === "tensor" && ["mse", "opt(sgd)"].includes(name);
      if (!isUnfit) call(handle);
    } else {
      expectError("ERR_HANDLE_KIND", () => call(handle));
    }
    k.free(handle);
    const { code } = errorOf(() => call(handle));
    expect(["ERR_HANDLE_FREED", "ERR_HANDLE_KIND"]).toContain(code);
    if (kinds.split(" ").includes(kind)) expect(code).toBe("ERR_HANDLE_FREED");
  }
});

it("refuses what only looks like a handle", () => {
  const real = k.module(["linear", 2, 2]);
  const forged = [{ kind: "tensor" }, Object.create(Object.getPrototypeOf(real)), { ...real }];
  const others = [{}, null, undefined, 0, 7, "x", true, Symbol.iterator, () => 0];
  for (const [name, , call] of calls) {
    // A tensor can be made of a number. An optimizer can be made without parameters or options, or with the options of a
    // dictionary.
    const takesPlainData = name === "tensor" || name === "opt(sgd)";
    for (const fake of takesPlainData ? forged : [...forged, ...others]) {
      const isEmpty = Object.keys(fake ?? {}).length === 0 && !(fake instanceof k.Handle);
      if (takesPlainData && isEmpty) continue;
      // A loss can be a function.
      if (name === "model(loss)" && typeof fake === "function") continue;
      const { code } = errorOf(() => call(fake as never), `${name} of ${String(fake)}`);
      expect(k.errorCodes, name).toContain(code);
    }
  }
  expect(k.classof(real)).toBe("module");
});

it("refuses forged numbers under the SDK", () => {
  const handles = k.handlecount();
  // Other files of the same process may have used this session.
  binding.call("free", []);
  const ids = [0n, 1n, 2n ** 20n, 2n ** 40n, 2n ** 50n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n, 2n ** 200n, -1n];
  for (const id of ids) {
    const { code } = errorOf(() => binding.call("bytes", [id]));
    expect(["ERR_HANDLE_INVALID", "ERR_HANDLE_FREED"]).toContain(code);
  }
  expect(k.handlecount()).toBe(handles);
});

it("refuses arguments without end", () => {
  const endless: unknown[] = [];
  endless.push(endless, endless);
  expectError("ERR_ARGUMENT", () => k.tensor(endless as never));
  expect(errorOf(() => binding.call("tensor", [endless])).code).toBe(differences.refusal);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expectError("ERR_ARGUMENT", () => k.tensor(deep as never));
  let module: k.ModuleSpecification = "relu";
  for (let i = 0; i < 200; i++) module = k.seq("sequential", module);
  expectError("ERR_ARGUMENT", () => k.module(module));
});

it("frees all or nothing", () => {
  const x = k.tensor(1);
  const y = k.tensor(2);
  k.free(y);
  expectError("ERR_HANDLE_FREED", () => k.free(x, y));
  expect(k.tensor(x)).toBe(1);
  expectError("ERR_HANDLE_FREED", () => k.free(x, x));
  k.free();
  expectError("ERR_HANDLE_FREED", () => k.tensor(x));
});

it("keeps a parameter alive for its optimizer", () => {
  const m = k.module(["linear", 2, 1]);
  const o = k.opt("sgd", m);
  const y = k.forward(m, [[1, 2]]);
  k.backward(k.mse(y, [[1]]));
  k.free(m);
  k.step(o);
  expect(k.opt(o).parms.map((row) => row.name)).toEqual(["weight", "bias"]);
});

it("frees forgotten handles when the garbage collector finds them", async () => {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (!collect) return expect.fail("run with --expose-gc");
  for (let i = 0; i < 1000; i++) k.tensor([i]);
  for (let round = 0; round < 50 && k.handlecount() > 0; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(k.handlecount()).toBe(0);
});

it("gives each worker a session of its own", async () => {
  const x = k.tensor([1, 2, 3]);
  const script = `
    import { parentPort } from "node:worker_threads";
    import * as k from "@stepwell/sdk";
    const before = k.handlecount();
    const t = k.tensor([1, 2], "grad", "double");
    const o = k.opt("adam", t);
    k.backward(k.mse(t, [0, 0]));
    k.step(o);
    parentPort.postMessage({ before, value: k.tensor(t) });
  `;
  const run = () =>
    new Promise((resolve, reject) => {
      const file = `data:text/javascript,${encodeURIComponent(script.replaceAll("@stepwell/sdk", import.meta.resolve("@stepwell/sdk")))}`;
      const worker = new Worker(new URL(file));
      let message: unknown;
      worker.on("message", (value) => {
        message = value;
      });
      worker.on("error", reject);
      worker.on("exit", (code) => (code === 0 ? resolve(message) : reject(new Error(`exit code ${code}`))));
    });
  const results = await Promise.all([run(), run(), run()]);
  for (const result of results) {
    expect(result).toEqual({ before: 0, value: [0.99900000001, 1.9990000000050001].map((v) => expect.closeTo(v, 9)) });
  }
  expect(k.tensor(x)).toEqual([1, 2, 3]);
});

it("reset and ready take no more than they read, and nothing that they do not know", async () => {
  const strangers = [null, 2 ** 24, [], new Map([["memory", 2 ** 24]]), "memory"];
  for (const options of strangers) {
    await expect(k.ready(options as never)).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  }
  await expect(k.ready({ memry: 2 ** 24 } as never)).rejects.toMatchObject({
    code: "ERR_OPTION_UNKNOWN",
    message: expect.stringContaining("memory, module"),
  });
  await expect((k.ready as (...args: unknown[]) => Promise<void>)({}, 1)).rejects.toMatchObject({
    code: "ERR_ARGUMENT",
  });
  const x = k.tensor([1]);
  expectError("ERR_ARGUMENT", () => (k.reset as (...args: unknown[]) => void)(x));
  expect(k.tensor(x)).toEqual([1]);
  await k.ready({ memory: undefined } as never);
  await k.ready();
});
