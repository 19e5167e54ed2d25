import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack } from "../packaging/packed.js";

/** A browser of this machine, or the one that CHROMIUM names. */
const executablePath = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

/** Only scripts of the page's server and WebAssembly: no fetch, no text as code. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

// Run by the page's main thread, without waiting for the engine, and by a worker, which has awaited it.
const train = `
  export function train(k) {
    const x = k.tensor([3, -2], "grad");
    const o = k.opt("adam", x, 0.1);
    for (let i = 0; i < 500; i++) {
      k.zerograd(o);
      const loss = k.mse(x, [1, 1]);
      k.backward(loss);
      k.step(o);
      k.free(loss);
    }
    return [k.engine, k.tensor(x).map((value) => value.toFixed(3)).join(" ")];
  }
`;
const files = {
  "index.html": '<!doctype html><link rel="icon" href="data:," /><script type="module" src="./main.js"></script>',
  "train.js": train,
  "main.js": `
    import * as k from "@stepwell/sdk";
    import { train } from "./train.js";
    let evaluated = true;
    try { new Function("return 1")(); } catch { evaluated = false; }
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => { globalThis.result = { page: train(k), worker: data, evaluated }; };
    worker.onerror = (event) => { globalThis.result = { error: String(event.message) }; };
  `,
  "worker.js": `
    import * as k from "@stepwell/sdk";
    import { train } from "./train.js";
    k.ready({ memory: 2 ** 26 }).then(() => postMessage(train(k)));
  `,
};
const trained = ["wasm", "1.000 1.000"];

describe.runIf(executablePath)("a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-"));
  let project: string;
  let browser: Browser;
  beforeAll(async () => {
    pack(folder);
    project = install(folder, ["wasm", "sdk"], files);
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** The result of the page at that address, and the lines of its console. */
  async function open(address: string) {
    const page = await browser.newPage();
    // The limit of the test counts.
    page.setDefaultTimeout(0);
    const complaints: string[] = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    try {
      await page.goto(address);
      const found = await page
        .waitForFunction(() => (globalThis as { result?: unknown }).result)
        .catch((error: Error) => expect.fail([error.message, ...complaints].join("\n")));
      return { result: await found.jsonValue(), complaints };
    } finally {
      await page.close();
    }
  }

  it("that Vite has built without configuration trains under a policy that allows WebAssembly alone", async () => {
    const { build } = await import("vite");
    await build({ root: project, base: "./", logLevel: "error", configFile: false });
    const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
    const server = createServer((request, response) => {
      const path = join(project, "dist", request.url === "/" ? "index.html" : (request.url ?? ""));
      if (!existsSync(path)) return response.writeHead(404).end();
      const type = types[extname(path)] ?? "application/octet-stream";
      return response
        .writeHead(200, { "Content-Type": type, "Content-Security-Policy": policy })
        .end(readFileSync(path));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    try {
      const { result } = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      expect(result).toEqual({ page: trained, worker: trained, evaluated: false });
    } finally {
      server.close();
    }
  });

  it("that Vite serves while it is written trains too", async () => {
    const { createServer: serve } = await import("vite");
    const server = await serve({
      root: project,
      logLevel: "error",
      configFile: false,
      server: { host: "127.0.0.1", port: 0 },
    });
    try {
      await server.listen();
      const { result } = await open(server.resolvedUrls?.local[0] ?? "");
      expect(result).toEqual({ page: trained, worker: trained, evaluated: true });
    } finally {
      await server.close();
    }
  });
});
