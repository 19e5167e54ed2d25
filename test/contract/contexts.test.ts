// The SDK with an engine of another realm, and several copies of it in one process. Jest, vitest's `vmThreads` and two
// `node_modules` make such processes.

import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { runInProcess } from "./child.js";

/** `load(program)` runs a module, with a copy of the SDK as `k`, in a context of its own, and returns its `result`. */
const contexts = `
  import vm from "node:vm";
  import { readFileSync } from "node:fs";
  import { createRequire } from "node:module";
  const index = ${JSON.stringify(createRequire(import.meta.url).resolve("@stepwell/sdk"))};
  const open = (globals) => {
    // No more than Node's own: a context has the language's.
    const context = vm.createContext({ process, setTimeout, ...globals });
    const loaded = new Map();
    const load = (file) => {
      if (loaded.has(file)) return loaded.get(file).exports;
      const made = { exports: {} };
      loaded.set(file, made);
      const real = createRequire(file);
      // The engine is of the realm of Node.
      const require = (name) => (name.startsWith(".") ? load(real.resolve(name)) : real(name));
      const run = vm.compileFunction(readFileSync(file, "utf8"), ["exports", "require", "module", "__filename"], {
        parsingContext: context, filename: file,
      });
      run(made.exports, require, made, file);
      return made.exports;
    };
    let programs = 0;
    return async (program) => {
      const sdk = load(index);
      const identifier = "file:///program" + programs++ + ".mjs";
      const made = new vm.SourceTextModule('import * as k from "@stepwell/sdk";' + program, { context, identifier });
      await made.link(() => new vm.SyntheticModule(Object.keys(sdk), function () {
        for (const [key, value] of Object.entries(sdk)) this.setExport(key, value);
      }, { context }));
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
