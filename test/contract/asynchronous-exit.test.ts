// Processes and workers that end while a thread of the engine runs a call.

import { spawn } from "node:child_process";
import * as k from "@stepwell/sdk";
import { describe, expect, it } from "vitest";

const sdk = JSON.stringify(import.meta.resolve("@stepwell/sdk"));

/** A program that has started a training of about a second, and then ends in a way. */
const program = (end: string) => `
  const k = await import(${sdk});
  const m = k.module(k.seq("sequential", ["linear", 512, 512], "tanh", ["linear", 512, 512], "tanh", ["linear", 512, 4]));
  const model = k.model(m, k.loss("ce"), k.opt("adam", m));
  const x = k.tensor({ data: new Float32Array(2048 * 512), shape: [2048, 512] });
  k.train(model, x, new BigInt64Array(2048));
  let done = false;
  const work = (async () => { for (let i = 0; i < 20 && !done; i++) await k.runAsync(model); })();
  work.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 30));
  ${end}`;

const ENDS: Readonly<Record<string, string>> = {
  "by exit": "process.exit(0);",
  "by an exception":
    "process.on('uncaughtException', () => process.exit(0)); setTimeout(() => { throw new Error(); });",
  "after reset": "k.reset(); done = true;",
  "after its objects were freed": "k.free(); done = true;",
  "by itself": "done = true;",
};

function run(source: string): Promise<{ code: number | null; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (text) => (errors += String(text)));
    child.on("close", (code) => resolve({ code, errors }));
  });
}

describe.runIf(k.engineInfo.engine !== "wasm")("a process whose call is not over", () => {
  it.each(Object.entries(ENDS))("ends %s", async (_, end) => {
    for (let i = 0; i < 4; i++) {
      const { code, errors } = await run(program(end));
      expect([code, errors]).toStrictEqual([0, ""]);
    }
  });

  it("terminates workers", async () => {
    const worker = program("postMessage('ready'); await work;").replaceAll("postMessage", "parentPort.postMessage");
    const source = `
      const { Worker } = await import("node:worker_threads");
      const text = ${JSON.stringify(`import { parentPort } from "node:worker_threads";${worker}`)};
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(text)), { execArgv: [] });
        await new Promise((resolve, reject) => { worker.once("message", resolve); worker.once("error", reject); });
        await worker.terminate();
      }`;
    const { code, errors } = await run(source);
    expect([code, errors]).toStrictEqual([0, ""]);
  });
});
