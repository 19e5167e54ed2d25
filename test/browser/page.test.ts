import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack } from "../packaging/packed.js";
import { executablePath, launch, open } from "./chromium.js";
import { type Answer, serve } from "./server.js";

/** Scripts and files of the page's server, and WebAssembly: no text as code. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

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
const icon = '<link rel="icon" href="data:," />';
/** A page that trains on its main thread and in a worker, each after `start`. */
const files = (entry: string, start: string) => ({
  "index.html": `<!doctype html>${icon}<script type="module" src="./main.js"></script>`,
  "train.js": train,
  "main.js": `
    import * as k from "${entry}";
    import { train } from "./train.js";
    let evaluated = true;
    try { new Function("return 1")(); } catch { evaluated = false; }
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const run = async () => { ${start}; return train(k); };
    worker.onmessage = async ({ data }) => {
      globalThis.result = { page: await run().catch((error) => error.message), worker: data, evaluated };
    };
    worker.onerror = (event) => { globalThis.result = { error: String(event.message) }; };
  `,
  "worker.js": `
    import * as k from "${entry}";
    import { train } from "./train.js";
    const run = async () => { ${start}; return train(k); };
    run().then(postMessage, (error) => postMessage(error.message));
  `,
});
const awaited = "await k.ready({ memory: 2 ** 26 })";
const trained = ["wasm", "1.000 1.000"];

describe.runIf(executablePath)("a page", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-"));
  let browser: Browser;
  let project: string;
  beforeAll(async () => {
    pack(folder);
    project = install(folder, ["wasm", "sdk"], files("@stepwell/sdk", awaited));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  const write = (program: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(program)) writeFileSync(join(project, name), content);
  };

  /** Builds the project with Vite, without configuration. */
  async function build() {
    const { build } = await import("vite");
    await build({ root: project, base: "./", logLevel: "error", configFile: false });
  }

  /** The result of a served folder. */
  async function visit(root: string, answer?: Answer) {
    const server = await serve(root, answer);
    try {
      return await open(browser, server.address);
    } finally {
      server.close();
    }
  }

  it("that Vite has built without configuration trains, under a policy that allows its own files and WebAssembly", async () => {
    write(files("@stepwell/sdk", awaited));
    await build();
    const { result } = await visit(join(project, "dist"), () => ({ policy }));
    expect(result).toEqual({ page: trained, worker: trained, evaluated: false });
  });

  it("with the module in its script starts with the first call, and needs no fetch", async () => {
    write(files("@stepwell/sdk/inline", ""));
    await build();
    const strict = policy.replace("; connect-src 'self'", "");
    const requested: string[] = [];
    const { result } = await visit(join(project, "dist"), (path) => {
      requested.push(path);
      return { policy: strict };
    });
    expect(result).toEqual({ page: trained, worker: trained, evaluated: false });
    expect(requested.filter((path) => path.endsWith(".wasm"))).toEqual([]);
  });

  it("that Vite serves while it is written trains too", async () => {
    const { createServer } = await import("vite");
    write(files("@stepwell/sdk", awaited));
    const server = await createServer({
      root: project,
      logLevel: "error",
      configFile: false,
      server: { host: "127.0.0.1", port: 0 },
    });
    try {
      await server.listen();
      const { result } = await open(browser, server.resolvedUrls?.local[0] ?? "");
      expect(result).toEqual({ page: trained, worker: trained, evaluated: true });
    } finally {
      await server.close();
    }
  });
});
