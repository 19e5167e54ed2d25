// Programs that import the SDK where something is broken: copies of the packages, libtorch, addons, the PATH.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { libraryPath, platform } from "../../packages/native/libtorch.js";

export const folder = mkdtempSync(join(tmpdir(), "stepwell-start-"));

export const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

const program = `
  import { errorCodes, StepwellError } from "@stepwell/sdk/wasm";
  const warnings = [];
  process.on("warning", ({ name, code, message }) => {
    if (name === "StepwellWarning") warnings.push({ code, message });
  });
  const described = ({ code, message, cause }, isTyped) => ({ code, message, isTyped, hasCause: cause instanceof Error });
  let result;
  try {
    const k = await import("@stepwell/sdk");
    const x = k.tensor([1, 2], "grad");
    const o = k.opt("sgd", x, 0.5);
    k.grad(x, [1, 1]);
    k.step(o);
    const { engine, engineInfo } = k;
    result = { engine, x: k.tensor(x), info: { ...engineInfo, reason: engineInfo.reason?.code } };
  } catch (error) {
    result = described(error, error instanceof StepwellError && errorCodes.includes(error.code));
  }
  setImmediate(() => console.log(JSON.stringify({ ...result, warnings })));
`;

interface Outcome {
  readonly engine?: string;
  readonly x?: readonly number[];
  readonly info?: { readonly engine: string; readonly libtorch?: object; readonly reason?: string };
  readonly code?: string;
  readonly message?: string;
  readonly isTyped?: boolean;
  readonly hasCause?: boolean;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** A start of the program. */
export interface Start {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly options?: readonly string[];
  /** Breaks the copies of the packages in the folder. */
  readonly spoil?: (packages: string) => void;
}

let count = 0;

/** The folder of the last call of `prepare`. */
export const latestProject = () => join(folder, String(count));

/** Makes a folder with copies of the packages, and returns a function that runs the program in it. */
export function prepare({ env, options = [], spoil }: Start): (engine: string) => Outcome {
  const project = join(folder, String(++count));
  const modules = join(project, "node_modules", "@stepwell");
  mkdirSync(modules, { recursive: true });
  for (const name of ["sdk", "native", "wasm"]) {
    cpSync(join(packages, name), join(modules, name), {
      recursive: true,
      filter: (source) => !/[/\\](?:node_modules|src|addon)$/.test(source),
    });
  }
  const addon = join(modules, "native", "addon", platform);
  mkdirSync(dirname(addon));
  symlinkSync(join(packages, "native", "addon", platform), addon);
  spoil?.(modules);
  writeFileSync(join(project, "program.mjs"), program);
  return (engine) => {
    const { stdout, stderr } = spawnSync(process.execPath, [...options, "program.mjs"], {
      cwd: project,
      encoding: "utf8",
      // If NODE_PATH is set, packages are found there too.
      env: { ...process.env, NODE_PATH: "", STEPWELL_ENGINE: engine, ...env },
    });
    return stdout ? (JSON.parse(stdout) as Outcome) : expect.fail(stderr);
  };
}

/** A folder that looks like libtorch. */
export function fakeLibtorch(version: string, content: string | Uint8Array = "no library"): string {
  const path = join(folder, `libtorch-${++count}`);
  mkdirSync(join(path, "lib"), { recursive: true });
  for (const library of ["c10", "torch_cpu"]) writeFileSync(libraryPath(path, library), content);
  writeFileSync(join(path, "build-version"), version);
  return path;
}

/** Replaces an addon by what `change` makes of it. */
export const changedAddon = (file: string, change: (addon: Buffer) => string | Uint8Array) => (modules: string) => {
  const addon = join(modules, "native", "addon", platform);
  rmSync(addon, { recursive: true });
  cpSync(join(packages, "native", "addon", platform), addon, { recursive: true });
  writeFileSync(join(addon, file), change(readFileSync(join(addon, file))));
};

/** An addon with another text in its tables, such as the name of a library or of a version; the lengths are equal. */
export const replaced = (from: string, to: string) => (addon: Buffer) => {
  const text = addon.toString("latin1");
  expect(text).toContain(`${from}\0`);
  expect(to).toHaveLength(from.length);
  return Buffer.from(text.replaceAll(`${from}\0`, `${to}\0`), "latin1");
};

/** An addon with another processor in its header. */
export const forMachine = (machine: number) => (addon: Buffer) => {
  addon.writeUInt16LE(machine, 18);
  return addon;
};

/** An environment in which no libtorch is found; `bin` is the folder for the PATH. */
export const without = (bin: string) => ({ PATH: bin, XDG_CACHE_HOME: join(folder, "no-cache"), LIBTORCH: "" });

/** A folder with programs, which print a text. */
export function programs(text: string, ...names: readonly string[]): string {
  const bin = join(folder, `bin-${++count}`);
  mkdirSync(bin);
  for (const name of names) writeFileSync(join(bin, name), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 });
  return bin;
}
