// Asynchronous calls in a page: between batches the page has turns of its own, and the result is the one of the call that waits.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack } from "../packaging/packed.js";
import { executablePath, launch, open } from "./chromium.js";
import { serve } from "./server.js";

const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
const program = `
  import * as k from "@stepwell/sdk";
  const made = () => {
    k.seed(3);
    const m = k.module(k.seq("sequential", ["linear", 64, 64], "tanh", ["drop", 0.25], ["linear", 64, 4]));
    const model = k.model(m, k.loss("ce"), k.opt("adam", m, 0.01));
    k.train(model, { batchsize: 8, shuffle: true });
    const rows = Array.from({ length: 2048 }, (_, i) => Array.from({ length: 64 }, (_, j) => Math.sin(i + j)));
    k.train(model, rows, rows.map((_, i) => i % 4));
    return { m, model };
  };
  const codeOf = (call) => { try { call(); } catch (error) { return error.code; } };
  const run = async () => {
    await k.ready();
    const first = made();
    const waited = [k.run(first.model), k.tensor(k.parm(first.m, "0.weight"))];
    const { m, model } = made();
    let turns = 0, isOver = false;
    const tick = () => { turns += 1; if (!isOver) setTimeout(tick); };
    const losses = [];
    const running = k.runAsync(model, { progress: ({ loss }) => losses.push(loss) });
    tick();
    const busy = codeOf(() => k.evaluate(m, [[1]]));
    const loss = await running;
    isOver = true;
    const equal = JSON.stringify(waited) === JSON.stringify([loss, k.tensor(k.parm(m, "0.weight"))]);
    const control = new AbortController();
    const stopped = k.runAsync(model, { signal: control.signal, progress: () => control.abort() });
    const reason = await stopped.catch((error) => error.name);
    return { equal, turns, busy, batches: losses.length, reason, free: codeOf(() => k.evaluate(m, k.full([1, 64], 1))) };
  };
  run().then((value) => { globalThis.result = value; }, (error) => { globalThis.result = { error: error.stack }; });
`;

describe.runIf(executablePath)("a page that trains by an asynchronous call", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-"));
  let browser: Browser;
  beforeAll(async () => {
    pack(folder);
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it("has turns of its own, under a policy that allows its own files and WebAssembly", async () => {
    const html = '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./main.js"></script>';
    const project = install(folder, ["wasm", "sdk"], { "index.html": html, "main.js": program });
    const { build } = await import("vite");
    await build({ root: project, base: "./", logLevel: "error", configFile: false });
    const server = await serve(join(project, "dist"), () => ({ policy }));
    try {
      const { result } = await open(browser, server.address);
      const { turns, ...others } = result as { readonly turns: number };
      expect(others).toEqual({ equal: true, busy: "ERR_BUSY", batches: 256, reason: "AbortError" });
      expect(turns).toBeGreaterThan(2);
    } finally {
      server.close();
    }
  });
});
