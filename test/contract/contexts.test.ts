// The SDK with an engine of another realm, and several copies of it in one process. Jest, vitest's `vmThreads` and two
// `node_modules` make such processes.

import { expect, it } from "vitest";
import { runInProcess } from "./child.js";

/** `load(program)` runs a module, with a copy of the SDK as `k`, in a context of its own, and returns its `result`. */
const contexts = `
  import vm from "node:vm";
  import { readFileSync } from "node:fs";
  import { fileURLToPath } from "node:url";
  const index = ${JSON.stringify(import.meta.resolve("@stepwell/sdk"))};
  const open = (globals) => {
    // No more than Node's own: a context has the language's.
    const context = vm.createContext({ process, setTimeout, ...globals });
    const modules = new Map();
    const module = (url, text) => {
      const made = modules.get(url) ?? new vm.SourceTextModule(text ?? readFileSync(fileURLToPath(url), "utf8"), {
        context, identifier: url, initializeImportMeta: (meta) => { meta.url = url; },
      });
      modules.set(url, made);
      return made;
    };
    const builtin = async (name) => {
      const namespace = await import(name);
      return new vm.SyntheticModule(Object.keys(namespace), function () {
        for (const [key, value] of Object.entries(namespace)) this.setExport(key, value);
      }, { context });
    };
    const link = (name, from) => name.startsWith("node:") ? builtin(name) : module(name === "@stepwell/sdk" ? index : new URL(name, from.identifier).href);
    let programs = 0;
    return async (program) => {
      const made = module("file:///program" + programs++ + ".mjs", 'import * as k from "@stepwell/sdk";' + program);
      await made.link(link);
      await made.evaluate();
      return made.namespace.result;
    };
  };`;

const flags = ["--expose-gc", "--experimental-vm-modules", "--no-warnings"];

it("results and errors are those of the realm that the SDK is in", async () => {
  const result = await runInProcess(
    `
    const load = open();
    const foreign = await load(\`
      const x = k.tensor([[1, 2], [3, 4]], "grad");
      const m = k.module(k.seq("sequential", ["linear", 2, 2], "tanh"));
      const o = k.opt("adam", m);
      const l = k.mse(k.forward(m, x), [[0, 0], [0, 0]]);
      k.backward(l);
      k.step(o);
      const thrown = new TypeError("mine");
      const caught = (call) => { try { call(); } catch (error) { return error; } };
      const error = caught(() => k.step(k.opt("adam", { nosuch: 1 })));
      const state = k.state(o);
      const definition = k.opt(o);
      export const result = {
        engine: k.engine,
        isArray: [k.tensor(x), k.tensor(x)[0], k.size(x), k.names(m), definition.parms, definition.parms[0].size, k.help(), state.parms]
          .every((list) => list instanceof Array && list.constructor === Array),
        isObject: [k.data(x), definition, definition.parms[0], k.help("adam"), state]
          .every((object) => object instanceof Object && Object.getPrototypeOf(object) === Object.prototype),
        numbers: k.data(x).data instanceof Float32Array && k.data(k.tensor([1], "double")).data instanceof Float64Array
          && k.data(k.tensor([1], "long")).data instanceof BigInt64Array,
        values: [k.tensor(x), [...k.data(x).data], k.tensor(k.tensor(new Float32Array([5]))), k.size(x)],
        error: [error instanceof k.StepwellError, error instanceof Error, error.code],
        own: caught(() => k.step(o, () => { throw thrown; })) === thrown,
        steps: k.step(o, () => 3),
      };\`);
    post(foreign);
  `,
    contexts,
    flags,
  );
  expect(result).toEqual({
    engine: process.env.STEPWELL_ENGINE,
    isArray: true,
    isObject: true,
    numbers: true,
    values: [
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3, 4],
      [5],
      [2, 2],
    ],
    error: [true, true, "ERR_OPTION_UNKNOWN"],
    own: true,
    steps: 3,
  });
});

it("copies of the SDK in one process have nothing in common", async () => {
  const result = await runInProcess(
    `
    const kept = k.tensor(1);
    let loads = [open(), open()];
    for (const load of loads) await load('globalThis.x = k.tensor(7); k.seed(3); k.setting("alloptions", false); export const result = 0;');
    const [first, second] = loads;
    const counts = [k.handlecount(), await first("export const result = k.handlecount();"), await second("export const result = k.handlecount();")];
    await first("k.free(); export const result = 0;");
    const value = await second("export const result = k.tensor(x);");
    // A copy that nobody holds any more takes its objects with it.
    post({ counts, value, own: k.tensor(kept), alloptions: k.setting("alloptions"), live: k.handlecount() });
  `,
    contexts,
    flags,
  );
  expect(result).toEqual({ counts: [1, 1, 1], value: 7, own: 1, alloptions: true, live: 1 });
});

it("a handle of another copy is refused by that name, and nothing is made of it", async () => {
  const result = await runInProcess(
    `
    const load = open();
    const x = await load("globalThis.x = k.tensor(7); export const result = x;");
    const held = await load("export const result = new k.Tensor(x);");
    const refusals = [
      () => k.tensor(x), () => k.opt("adam", x), () => k.opt("adam", held), () => k.dict({ a: x }), () => k.free(x),
      () => k.opt("adam", [], { lr: x }), () => k.vector(x),
    ].map((call) => {
      try { call(); } catch (error) { return [error.code, error.message.split("given ")[1]]; }
      return "taken";
    });
    post({ refusals, live: k.handlecount(), value: await load("export const result = k.tensor(x);") });
  `,
    contexts,
    flags,
  );
  const refusal = ["ERR_ARGUMENT", "a handle of another copy of Stepwell"];
  expect(result).toEqual({ refusals: Array(7).fill(refusal), live: 0, value: 7 });
});
