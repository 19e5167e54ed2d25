// How a page without a bundler starts the engine, and the errors that say what to write.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack } from "../packaging/packed.js";
import { executablePath, launch, open } from "./chromium.js";
import { type Answer, serve } from "./server.js";

const modules = "/node_modules/@stepwell";
const imports = {
  "@stepwell/sdk": `${modules}/sdk/dist/api/wasm.js`,
  "@stepwell/sdk/inline": `${modules}/sdk/dist/api/inline.js`,
  "@stepwell/wasm": `${modules}/wasm/browser.js`,
  "@stepwell/wasm/inline": `${modules}/wasm/inline.js`,
};
const page = `<!doctype html><link rel="icon" href="data:," />
  <script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="./main.js"></script>`;
const program = (body: string) => `
  import * as k from "@stepwell/sdk";
  const errorOf = async (call) => { try { await call(); } catch (error) { return [error instanceof k.StepwellError, error.code, error.message]; } };
  const sum = () => k.tensor(k.tensor([1, 2]));
  const run = async () => { ${body} };
  run().then((value) => { globalThis.result = { value }; }, (error) => { globalThis.result = { error: error.message }; });
`;

describe.runIf(executablePath)("a page without a bundler", () => {
  const folder = mkdtempSync(join(tmpdir(), "browser-"));
  let browser: Browser;
  let project: string;
  beforeAll(async () => {
    pack(folder);
    project = install(folder, ["wasm", "sdk"], { "index.html": page });
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** The value that a program returns, in a page whose server gives these answers. */
  async function evaluate(body: string, answer?: Answer) {
    writeFileSync(join(project, "main.js"), program(body));
    const server = await serve(project, answer);
    try {
      const { result } = await open(browser, server.address);
      const { value, error } = result as { value?: unknown; error?: string };
      return error === undefined ? value : expect.fail(error);
    } finally {
      server.close();
    }
  }

  /** The message of the error of `ready`, where the server answers so for the module. */
  async function refusal(answer: ReturnType<Answer>) {
    const value = await evaluate("return errorOf(() => k.ready());", (path) =>
      path.endsWith(".wasm") || answer.policy ? answer : {},
    );
    const [isTyped, code, message] = value as readonly [boolean, string, string];
    expect([isTyped, code]).toEqual([true, "ERR_ENGINE"]);
    expect(message).not.toContain("SIMD");
    return message;
  }

  it("trains from an import map, and fetches the module once", async () => {
    const requested: string[] = [];
    const answer = (path: string) => {
      requested.push(path);
      return {};
    };
    expect(await evaluate("await Promise.all([k.ready(), k.ready()]); return sum();", answer)).toEqual([1, 2]);
    expect(requested.filter((path) => path.endsWith(".wasm"))).toEqual([`${modules}/wasm/built/stepwell.wasm`]);
  });

  it("says that `ready` comes before the first call, and then goes on", async () => {
    const value = await evaluate("const error = await errorOf(sum); await k.ready(); return [error, sum()];");
    const message =
      "the WebAssembly engine has not started: write `await ready()` before the first call, or import @stepwell/sdk/inline";
    expect(value).toEqual([
      [true, "ERR_ENGINE", message],
      [1, 2],
    ]);
  });

  it("shares its objects with the entry that has the module in its script", async () => {
    const value = await evaluate(
      `const inline = await import("@stepwell/sdk/inline");
      const x = inline.tensor([1, 2]);
      return [inline.tensor === k.tensor, inline.StepwellError === k.StepwellError, k.tensor(x), k.handlecount()];`,
    );
    expect(value).toEqual([true, true, [1, 2], 1]);
  });

  it("takes a module that the page has compiled", async () => {
    const value = await evaluate(`
      const module = await WebAssembly.compileStreaming(fetch("${modules}/wasm/built/stepwell.wasm"));
      await k.ready({ module });
      return sum();`);
    expect(value).toEqual([1, 2]);
  });

  it.each(["application/octet-stream", "", "application/wasm; charset=utf-8"])(
    "starts with a module of the type %j",
    async (type) => {
      expect(
        await evaluate("await k.ready(); return sum();", (path) => (path.endsWith(".wasm") ? { type } : {})),
      ).toEqual([1, 2]);
    },
  );

  it("names the address that is not there, and starts later", async () => {
    const message = await refusal({ status: 404, body: "" });
    expect(message).toMatch(
      /^ready: http:\/\/\S+\/built\/stepwell\.wasm answers 404, and stepwell\.wasm should be there\. Copy /,
    );
    expect(message).toMatch(/ready\(\{ module \}\), or import @stepwell\/sdk\/inline/);

    let times = 0;
    const value = await evaluate(
      "const error = await errorOf(() => k.ready()); await k.ready(); return [error[1], sum()];",
      (path) => (path.endsWith(".wasm") && times++ === 0 ? { status: 500 } : {}),
    );
    expect(value).toEqual(["ERR_ENGINE", [1, 2]]);
  });

  it("knows the page that a server sends for files that are not there", async () => {
    const message = await refusal({ type: "text/html", body: "<!doctype html>" });
    expect(message).toMatch(/stepwell\.wasm: it is text\/html and not WebAssembly\. /);
    expect(message).toContain('optimizeDeps.exclude: ["@stepwell/sdk", "@stepwell/wasm"]');
  });

  it("refuses the module of another version", async () => {
    const bytes = Buffer.from(readFileSync(join(project, modules, "wasm/built/stepwell.wasm")));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(project, "other.wasm"), bytes);
    const value = await evaluate(`
      const fetched = globalThis.fetch;
      globalThis.fetch = () => fetched("/other.wasm");
      return errorOf(() => k.ready());`);
    expect(value).toEqual([true, "ERR_ENGINE", "stepwell.wasm is of another version than the script that loads it"]);
  });

  const self = "default-src 'none'; script-src 'self' 'unsafe-inline'";
  it("names the source that a content security policy lacks", async () => {
    expect(await refusal({ policy: `${self}; connect-src 'self'` })).toMatch(
      /^the WebAssembly engine cannot be started: .* The content security policy must allow 'wasm-unsafe-eval' in script-src\.$/,
    );
    const message = await refusal({ policy: `${self} 'wasm-unsafe-eval'` });
    expect(message).toMatch(/built\/stepwell\.wasm cannot be fetched: .* must allow it in connect-src/);
    expect(message).not.toContain("wasm-unsafe-eval");
  });
});
