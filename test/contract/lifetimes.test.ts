import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";
import { enginePackage } from "../engine-differences.js";
import { runInProcess, sdk } from "./child.js";
import { expectError } from "./expect-error.js";

/** The class through which an entry calls its engine. */
const client = new URL("../commonjs/dist/client/engine-client.js", sdk).href;

/** Counts objects that are registered and finalized; `find(i)` acts as if the garbage collector had finalized the i-th one. */
const counting = `
  let [watched, found] = [0, 0];
  const registered = [];
  const Real = globalThis.FinalizationRegistry;
  globalThis.FinalizationRegistry = class extends Real {
    #callback;
    constructor(callback) {
      super((held) => { found += 1; callback(held); });
      this.#callback = callback;
    }
    register(target, held, token) {
      super.register(target, held, token);
      watched += 1;
      const callback = this.#callback;
      registered.push(() => callback(held));
    }
    unregister(token) {
      const was = super.unregister(token);
      if (was) watched -= 1;
      return was;
    }
  };
  const find = (i) => registered[i]();`;

it("a loop that frees what it makes leaves nothing to the garbage collector", async () => {
  const result = await runInProcess(
    `
    const before = watched;
    const m = k.module(["linear", 2, 1]), o = k.opt("sgd", m, 0.01);
    await turn();
    const own = watched - before;
    for (let i = 0; i < 3000; i++) {
      const y = k.forward(m, [[1, 2]]), l = k.mse(y, [[3]]);
      k.backward(l);
      k.step(o);
      k.free(y, l);
      if (i % 500 === 0) await turn();
    }
    // Those that the garbage collector watches, when they are freed, are watched no more.
    const many = Array.from({ length: 2000 }, (_, i) => k.tensor(i));
    await turn();
    const during = watched - before - own;
    k.free(...many.slice(0, 500));
    for (const one of many.slice(500, 1000)) k.take(one);
    for (let i = 1000; i < 1500; i++) k.use(many[i], many[i + 500]);
    const after = watched - before - own;
    for (let round = 0; round < 5; round++) { gc(); await turn(); }
    post({ own, during, after, found, live: k.handlecount(), values: [k.tensor(many[1000]), k.tensor(many[1499])] });
  `,
    counting,
  );
  expect(result).toEqual({ own: 2, during: 2000, after: 500, found: 0, live: 502, values: [1500, 1999] });
});

it("free() of all and reset() forget what was watched", async () => {
  const result = await runInProcess(
    `
    for (const end of [k.free, k.reset]) {
      for (let i = 0; i < 1000; i++) k.tensor(i);
      await turn();
      end();
    }
    const kept = Array.from({ length: 1000 }, (_, i) => k.tensor(i));
    for (let round = 0; round < 5; round++) { gc(); await turn(); }
    post({ found, live: k.handlecount(), sum: kept.reduce((sum, one) => sum + k.tensor(one), 0) });
  `,
    counting,
  );
  expect(result).toEqual({ found: 0, live: 1000, sum: 499_500 });
});

it("frees what is forgotten in several turns of the event loop, and nothing else", async () => {
  const result = await runInProcess(`
    const kept = [];
    for (let i = 0; i < 20_000; i++) {
      const one = k.tensor(i);
      if (i % 100 === 0) kept.push(one);
    }
    for (let round = 0; round < 1000 && k.handlecount() > 200; round++) { gc(); await turn(); await new Promise((r) => setTimeout(r, 1)); }
    post({ live: k.handlecount(), wrong: kept.filter((one, i) => k.tensor(one) !== 100 * i).length });
  `);
  expect(result).toEqual({ live: 200, wrong: 0 });
});

it("what was forgotten is freed once, even where it was freed by another way", async () => {
  const result = await runInProcess(
    `
    const x = k.tensor(1), y = k.tensor(2);
    await turn();
    // As if x had been found, and had been freed at the same time.
    k.free(x);
    find(registered.length - 2);
    const z = k.tensor(3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    post({ live: k.handlecount(), y: k.tensor(y), z: k.tensor(z), x: codeOf(() => k.tensor(x)) });
  `,
    counting,
  );
  expect(result).toEqual({ live: 2, y: 2, z: 3, x: "ERR_HANDLE_FREED" });
});

it("a call that finds no memory frees what is forgotten and tries again", async () => {
  // A program cannot make the garbage collector finalize an object at a given moment, so the test simulates it.
  const result = await runInProcess(
    `
    let [failures, released] = [0, 0];
    let count = 7n;
    const { EngineClient } = await import(${JSON.stringify(client)});
    const engine = new EngineClient({
      call(command, args) {
        if (command === "full" && released === 0) { failures += 1; throw Object.assign(new Error("full: out of memory"), { code: "ERR_MEMORY" }); }
        return ++count;
      },
      release(ids) { released += ids.length; },
      bytes: () => 0,
    });
    const nothing = codeOf(() => engine.call("full", [[1], 1]));
    let x = engine.call("tensor", [1]), y = engine.call("tensor", [2]);
    await turn();
    find(registered.length - 1); find(registered.length - 2);
    engine.call("full", [[1], 1]);
    post({ nothing, failures, released });
  `,
    counting,
  );
  expect(result).toEqual({ nothing: "ERR_MEMORY", failures: 2, released: 2 });
});

it.each([
  ["ERR_MEMORY", [2, 2]],
  ["ERR_INTERNAL", [2, 2]],
  ["ERR_ENGINE_POISONED", [2]],
])("after %s forgotten objects are freed later, unless all are lost", async (code, expected) => {
  const result = await runInProcess(
    `
    const released = [];
    let count = 0n;
    const { EngineClient } = await import(${JSON.stringify(client)});
    const engine = new EngineClient({
      call(command, args) {
        return ++count;
      },
      release(ids) {
        released.push(ids.length);
        if (released.length === 1) throw Object.assign(new Error("release"), { code: ${JSON.stringify(code)} });
      },
      bytes: () => 0,
    });
    engine.call("tensor", [1]), engine.call("tensor", [2]);
    await turn();
    find(registered.length - 1); find(registered.length - 2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    post(released);
  `,
    counting,
  );
  expect(result).toEqual(expected);
});

it("a call without memory whose release fails throws its own error, and the objects are freed later", async () => {
  const result = await runInProcess(
    `
    let releases = [];
    let count = 0n;
    const { EngineClient } = await import(${JSON.stringify(client)});
    const failing = (text) => { throw Object.assign(new Error(text), { code: "ERR_MEMORY" }); };
    const engine = new EngineClient({
      call(command, args) {
        if (command === "full") failing("full: out of memory");
        return ++count;
      },
      release(ids) {
        releases.push(ids.length);
        if (releases.length === 1) failing("release: out of memory");
      },
      bytes: () => 0,
    });
    engine.call("tensor", [1]);
    await turn();
    find(registered.length - 1);
    let message;
    try { engine.call("full", [[1], 1]); } catch (error) { message = error.constructor.name + " " + error.message; }
    await new Promise((resolve) => setTimeout(resolve, 300));
    post({ message, releases });
  `,
    counting,
  );
  expect(result).toEqual({ message: "StepwellError full: out of memory", releases: [1, 1] });
});

it.runIf(k.engine !== "wasm")("the garbage collector is told of graphs and of state", async () => {
  const result = await runInProcess(`
    const m = k.module(k.seq("sequential", ["linear", 8, 1024], "relu", ["linear", 1024, 1]));
    const x = k.full([1024, 8], 0.5);
    const small = k.bytes(k.forward(m, x));
    let most = 0;
    // Four megabytes twice in the graph of each, and four kilobytes behind the handle.
    for (let i = 0; i < 200; i++) { k.forward(m, x); await turn(); most = Math.max(most, k.handlecount()); }
    const before = k.handlecount();
    // Two megabytes of state for each optimizer, of which the handle is all that is seen.
    const p = k.full([2 ** 18], 1, "grad");
    k.grad(p, k.full([2 ** 18], 1));
    let optimizers = 0;
    for (let i = 0; i < 300; i++) { k.step(k.opt("adam", p)); await turn(); optimizers = Math.max(optimizers, k.handlecount() - before); }
    post({ small, most, optimizers });
  `);
  const { small, most, optimizers } = result as { small: number; most: number; optimizers: number };
  expect(small).toBe(4096);
  // All 200 and all 300, although no finalizer runs.
  expect(most).toBeLessThan(100);
  expect(optimizers).toBeLessThan(200);
});

it.runIf(k.engine !== "wasm")("memory that comes and goes in each pass of a loop collects no garbage", async () => {
  const result = await runInProcess(`
    const { PerformanceObserver, constants } = await import("node:perf_hooks");
    let collected = 0;
    const observer = new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind !== constants.NODE_PERFORMANCE_GC_MINOR) collected += 1;
    });
    observer.observe({ entryTypes: ["gc"] });
    // 100 megabytes in each pass.
    const pass = () => k.scoped(() => { for (let i = 0; i < 24; i++) k.zeros([2 ** 20]); });
    for (let i = 0; i < 5; i++) { pass(); await turn(); }
    collected = 0;
    for (let i = 0; i < 30; i++) { pass(); await turn(); }
    post({ collected });
  `);
  expect((result as { collected: number }).collected).toBeLessThan(10);
});

it("a handle belongs to the engine that made it, whatever its number is", async () => {
  const result = await runInProcess(`
    const { EngineClient } = await import(${JSON.stringify(client)});
    const { createRequire } = await import("node:module");
    const { open } = createRequire(${JSON.stringify(sdk)})(${JSON.stringify(enginePackage)});
    const first = new EngineClient(open());
    const numbers = (engine, x) => engine.call("data", [x]).data[0];
    const x = first.call("tensor", [1]);
    // Numbers of sessions have ten bits.
    const codes = new Set();
    for (let i = 0; i < 1100; i++) {
      const engine = new EngineClient(open());
      const y = engine.call("tensor", [2]);
      codes.add(codeOf(() => engine.call("tensor", [x])));
      codes.add(codeOf(() => engine.free([x])));
      codes.add(codeOf(() => first.call("tensor", [y])));
      if (numbers(engine, y) !== 2 || engine.call("handlecount", []) !== 1) codes.add("another's object");
    }
    post({ codes: [...codes], x: numbers(first, x), live: first.call("handlecount", []) });
  `);
  expect(result).toEqual({ codes: ["ERR_HANDLE_INVALID"], x: 1, live: 1 });
});

it("objects of the fluent layer can be disposed of after free and reset", () => {
  for (const end of [k.free, k.reset]) {
    const objects = [k.Tensor.of([1]), k.Module.of(["linear", 1, 1])];
    end();
    for (const object of objects) object[Symbol.dispose]();
  }
  const tensor = k.Tensor.of([1]);
  tensor[Symbol.dispose]();
  tensor[Symbol.dispose]();
  expectError("ERR_HANDLE_FREED", () => tensor.values());
  expect(k.handlecount()).toBe(0);
});

it.runIf(k.engine !== "wasm" && process.platform === "linux")(
  "a worker that is ended while it reads a tensor leaves nothing",
  async () => {
    const result = (await runInProcess(`
    const { Worker } = await import("node:worker_threads");
    const { readFileSync } = await import("node:fs");
    const megabytes = () => Number(/^VmRSS:\\s*(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
    const program = \`
      import { parentPort } from "node:worker_threads";
      const k = await import(${JSON.stringify(sdk)});
      const x = k.full([2 ** 24], 1);
      parentPort.postMessage(1);
      for (;;) k.data(x);\`;
    const seen = [];
    for (let i = 0; i < 8; i++) {
      const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(program)), { execArgv: [] });
      await new Promise((resolve) => worker.once("message", resolve));
      await new Promise((resolve) => setTimeout(resolve, 5 + i));
      await worker.terminate();
      seen.push(megabytes());
    }
    post(seen);
  `)) as readonly number[];
    // A buffer has 64 MB, and each of seven workers would leave one.
    expect((result[7] as number) - (result[0] as number)).toBeLessThan(200);
  },
);
