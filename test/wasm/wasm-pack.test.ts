// The package that wasm-pack makes of crates/wasm, without the steps of scripts/wasm.mjs: the SDK runs on it, with a part of the
// contract's tests. Decision 0009 says how it differs from packages/wasm.

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const packages = join(root, "packages");

/** Tests of steps and of states, on an engine that need not restart after a trap. */
const contract = [
  "clip",
  "closures",
  "freeze",
  "losses",
  "moments",
  "options",
  "restore",
  "state-keys",
  "step-options",
];

const hasWasmPack = spawnSync("wasm-pack", ["--version"]).status === 0;

describe.runIf(hasWasmPack)("the package of wasm-pack", () => {
  const folder = mkdtempSync(join(tmpdir(), "wasm-pack-"));
  const pkg = join(folder, "pkg");
  const modules = join(folder, "node_modules", "@stepwell");
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(() => {
    const command = ["build", join(root, "crates", "wasm"), "--target", "web", "--out-dir", pkg];
    const { status, stderr } = spawnSync("wasm-pack", command, { encoding: "utf8" });
    expect(status, stderr).toBe(0);

    cpSync(join(packages, "sdk", "dist"), join(modules, "sdk"), { recursive: true });
    writeFileSync(join(modules, "sdk", "package.json"), '{ "type": "module" }');
    const wasm = join(modules, "wasm");
    mkdirSync(join(wasm, "built"), { recursive: true });
    writeFileSync(join(wasm, "package.json"), '{ "type": "module", "exports": "./index.js" }');
    for (const file of readdirSync(join(packages, "wasm"))) {
      if (file.endsWith(".js")) cpSync(join(packages, "wasm", file), join(wasm, file));
    }
    const script = readFileSync(join(pkg, "stepwell_wasm.js"), "utf8");
    // Two exports and a custom section that only the own build has.
    const added = 'export const build = "wasm-pack";\nexport const __wbg_reset_state = undefined;\n';
    writeFileSync(join(wasm, "built", "engine.js"), `${script}\n${added}`);
    const text = "\x08stepwellwasm-pack";
    const section = Buffer.from(`\0${String.fromCharCode(text.length)}${text}`);
    const module = join(wasm, "built", "stepwell.wasm");
    writeFileSync(module, Buffer.concat([readFileSync(join(pkg, "stepwell_wasm_bg.wasm")), section]));
    writeFileSync(
      join(wasm, "index.js"),
      `import { readFileSync } from "node:fs";
       import { engineOf } from "./engine.js";
       export const { open } = engineOf({ read: () => readFileSync(${JSON.stringify(module)}) });`,
    );
  });

  it("has functions with types", () => {
    const types = readFileSync(join(pkg, "stepwell_wasm.d.ts"), "utf8");
    for (const line of [
      "export function open(number: number, budget: number): number;",
      "export function close(session: number): void;",
      "export function call(session: number, command: string, args: readonly unknown[]): unknown;",
      "export function callHosted(session: number, command: string, args: readonly unknown[], host: () => number | null): unknown;",
      "export function stepWithClosure(session: number, optimizer: bigint, closure: () => number | null, options: unknown): number;",
    ]) {
      expect(types).toContain(line);
    }
  });

  it("trains without the SDK", () => {
    const program = `
      import { readFileSync } from "node:fs";
      import { call, initSync, open } from ${JSON.stringify(pathToFileURL(join(pkg, "stepwell_wasm.js")).href)};
      initSync({ module: readFileSync(${JSON.stringify(join(pkg, "stepwell_wasm_bg.wasm"))}) });
      const session = open(1, 2 ** 28);
      const x = call(session, "tensor", [[1, 2], "grad"]);
      const o = call(session, "opt", ["sgd", x, 0.5]);
      call(session, "grad", [x, [1, 1]]);
      call(session, "step", [o]);
      console.log(String(call(session, "tensor", [x]).data));
    `;
    const options = ["--input-type=module", "-e", program];
    expect(execFileSync(process.execPath, options, { encoding: "utf8" })).toBe("0.5,1.5\n");
  });

  it("keeps the contract of steps and states", () => {
    const config = join(folder, "vitest.config.mjs");
    const sdk = JSON.stringify(join(modules, "sdk", "api", "wasm.js"));
    const settings = `{ find: /^@stepwell\\/sdk$/, replacement: ${sdk} }`;
    writeFileSync(config, `export default { test: { alias: [${settings}], execArgv: ["--expose-gc"] } };\n`);
    const files = contract.map((name) => `test/contract/${name}.test.ts`);
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [vitest, "run", "--config", config, "--root", root, ...files],
      { cwd: root, encoding: "utf8", env: { ...process.env, NO_COLOR: "1", STEPWELL_ENGINE: "" } },
    );
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(new RegExp(`Test Files\\s+${contract.length} passed`));
  });
});

describe.skipIf(hasWasmPack)("the package of wasm-pack", () => {
  it.skip("is not tested, since wasm-pack is not on the path: cargo install wasm-pack", () => {});
});
