import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";

/** Runs a program on an engine of its own, and returns what it posts. */
function run(program: string): Promise<unknown> {
  const sdk = JSON.stringify(import.meta.resolve("@stepwell/sdk/wasm"));
  const head = `import { parentPort } from "node:worker_threads"; import * as k from ${sdk};
    const errorOf = async (call) => { try { await call(); } catch (error) { return { code: error.code, message: error.message }; } };
    const post = (value) => parentPort.postMessage(value);`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(head + program)}`));
    worker.on("message", resolve);
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`the worker ended with ${code} and without a word`)));
  });
}

const megabyte = 2 ** 20;

describe("the memory of the WebAssembly engine", () => {
  it("has a budget that is an error before it is exceeded, and the engine works on", async () => {
    const result = await run(`
      await k.ready({ memory: ${64 * megabyte} });
      const made = [];
      const error = await errorOf(() => { for (;;) made.push(k.full([${megabyte}], 1)); });
      k.free(made.pop());
      const m = k.module(["linear", 2, 1]);
      const large = await errorOf(() => k.module(["linear", 4096, 4096]));
      k.free(...made);
      post({ made: made.length, error, large, again: k.elements(k.full([${megabyte}], 1)), live: k.handlecount() });
    `);
    expect(result).toMatchObject({ error: { code: "ERR_MEMORY" }, large: { code: "ERR_MEMORY" }, live: 2 });
    // Tensors of 4 MiB in 64 MiB, of which one that is made may take a quarter of what is left.
    expect((result as { made: number }).made).toBeGreaterThanOrEqual(8);
    expect((result as { made: number }).made).toBeLessThanOrEqual(16);
  });

  it("counts the state of optimizers, as long as they live", async () => {
    const result = (await run(`
      await k.ready({ memory: ${64 * megabyte} });
      const available = () => {
        const made = [];
        try { for (;;) made.push(k.full([${megabyte / 4}], 1)); } catch {}
        k.free(...made);
        return made.length;
      };
      const x = k.full([${2 * megabyte}], 1, "grad");
      const zeros = k.full([${2 * megabyte}], 0);
      const loss = k.mse(x, zeros);
      k.backward(loss);
      k.free(loss, zeros);
      const before = available();
      const o = k.opt("adam", x);
      k.step(o);
      const during = available();
      k.free(o);
      post([before, during, available()]);
    `)) as readonly [number, number, number];
    const [before, during, after] = result;
    // Two averages of 8 MiB, some bytes apart, while tensors of 1 MiB are made.
    expect([16, 17]).toContain(before - during);
    expect(after).toBe(before);
  });

  it("is a gigabyte unless told otherwise, of which a loop that frees needs a few megabytes", async () => {
    const result = await run(`
      const error = await errorOf(() => k.full([${300 * megabyte}], 1));
      for (let i = 0; i < 500; i++) k.free(k.full([${megabyte}], i));
      post(error);
    `);
    expect(result).toEqual({
      code: "ERR_MEMORY",
      message:
        "full: a float tensor of shape [314572800] needs 1258291200 bytes; one tensor may take at most a quarter of the free " +
        `memory, now ${2 ** 28} bytes`,
    });
  });

  it("keeps what was read when it grows", async () => {
    const result = await run(`
      const x = k.data(k.tensor([1, 2, 3]));
      for (let i = 0; i < 20; i++) k.full([${megabyte}], 1);
      post([x.data.length, ...x.data]);
    `);
    expect(result).toEqual([3, 1, 2, 3]);
  });

  it("is set once, before the first call, to something that there can be", async () => {
    const result = (await run(`
      const wrong = [0, 1.5, "1", 2 ** 32, NaN];
      const refused = await Promise.all(wrong.map((memory) => errorOf(() => k.ready({ memory }))));
      refused.push(await errorOf(() => k.ready({ module: {} })));
      for (const options of [null, 7, "x"]) refused.push(await errorOf(() => k.ready(options)));
      await Promise.all([k.ready({ memory: 2 ** 30 }), k.ready(), k.ready({ memory: 2 ** 30 })]);
      refused.push(await errorOf(() => k.ready({ memory: 2 ** 27 })));
      k.tensor([1]);
      await k.ready({ memory: 2 ** 30 });
      post(refused);
    `)) as readonly { code: string }[];
    expect(result.map((error) => error.code)).toEqual(Array(10).fill("ERR_ARGUMENT"));
  });

  it("is started by its own module and by no other, and one that is refused does no harm", async () => {
    const result = await run(`
      const { readFileSync } = await import("node:fs");
      const bytes = readFileSync(new URL(${JSON.stringify(import.meta.resolve("@stepwell/wasm/stepwell.wasm"))}));
      const empty = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
      // That of another release: all the same but for the name of its build, which the last bytes are.
      const older = Buffer.from(bytes);
      older[older.length - 1] ^= 1;
      const refused = [];
      for (const module of [empty, new WebAssembly.Module(older), {}, bytes, null, 7]) {
        refused.push(await errorOf(() => k.ready({ module, memory: 2 ** 24 })));
      }
      const before = k.handlecount();
      post({ refused: refused.map((error) => error?.code), before, value: k.tensor(k.tensor([7])) });
    `);
    expect(result).toEqual({ refused: Array(6).fill("ERR_ARGUMENT"), before: 0, value: [7] });

    const started = await run(`
      const { readFileSync } = await import("node:fs");
      const module = new WebAssembly.Module(readFileSync(new URL(${JSON.stringify(import.meta.resolve("@stepwell/wasm/stepwell.wasm"))})));
      const wrong = await errorOf(() => k.ready({ module: new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])), memory: 2 ** 24 }));
      await Promise.all([k.ready({ module, memory: 2 ** 27 }), k.ready({ module })]);
      const late = await errorOf(() => k.ready({ module: {} }));
      // Holds the tensors: forgotten ones would be freed.
      const tensors = [];
      const full = await errorOf(() => { for (let i = 0; i < 40; i++) tensors.push(k.full([2 ** 20], 1)); });
      k.free();
      await k.ready({ module });
      post([wrong.code, late.code, full.code, k.tensor(k.tensor([7]))]);
    `);
    expect(started).toEqual(["ERR_ARGUMENT", "ERR_ARGUMENT", "ERR_MEMORY", [7]]);
  });

  it("starts with a call while it is getting ready", async () => {
    const result = await run(`
      const ready = k.ready({ memory: 2 ** 26 });
      const x = k.tensor([7]);
      await ready;
      post(k.tensor(x));
    `);
    expect(result).toEqual([7]);
  });
});
