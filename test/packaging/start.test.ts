// A program whose native engine cannot start trains on WebAssembly, after one warning that names the remedy. If it wants the native
// engine, it catches a StepwellError with the same words.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { libraryPath, pinned, platform } from "../../packages/native/libtorch.js";
import { loadFault } from "../../packages/native/load-errors.js";
import { startCodes } from "./start-codes.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

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
interface Start {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly options?: readonly string[];
  /** Breaks the copies of the packages in the folder. */
  readonly spoil?: (packages: string) => void;
}

let count = 0;

/** Makes a folder with copies of the packages, and returns a function that runs the program in it. */
function prepare({ env, options = [], spoil }: Start): (engine: string) => Outcome {
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
function fakeLibtorch(version: string, content: string | Uint8Array = "no library"): string {
  const path = join(folder, `libtorch-${++count}`);
  mkdirSync(join(path, "lib"), { recursive: true });
  for (const library of ["c10", "torch_cpu"]) writeFileSync(libraryPath(path, library), content);
  writeFileSync(join(path, "build-version"), version);
  return path;
}

/** Replaces an addon by what `change` makes of it. */
const changedAddon = (file: string, change: (addon: Buffer) => string | Uint8Array) => (modules: string) => {
  const addon = join(modules, "native", "addon", platform);
  rmSync(addon, { recursive: true });
  cpSync(join(packages, "native", "addon", platform), addon, { recursive: true });
  writeFileSync(join(addon, file), change(readFileSync(join(addon, file))));
};

/** An addon with another text in its tables, such as the name of a library or of a version; the lengths are equal. */
const replaced = (from: string, to: string) => (addon: Buffer) => {
  const text = addon.toString("latin1");
  expect(text).toContain(`${from}\0`);
  expect(to).toHaveLength(from.length);
  return Buffer.from(text.replaceAll(`${from}\0`, `${to}\0`), "latin1");
};

/** An addon with another processor in its header. */
const forMachine = (machine: number) => (addon: Buffer) => {
  addon.writeUInt16LE(machine, 18);
  return addon;
};

/** An environment in which no libtorch is found; `bin` is the folder for the PATH. */
const without = (bin: string) => ({ PATH: bin, XDG_CACHE_HOME: join(folder, "no-cache"), LIBTORCH: "" });

/** A folder with programs, which print a text. */
function programs(text: string, ...names: readonly string[]): string {
  const bin = join(folder, `bin-${++count}`);
  mkdirSync(bin);
  for (const name of names) writeFileSync(join(bin, name), `#!/bin/sh\necho ${text}\n`, { mode: 0o755 });
  return bin;
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const permission = major > 23 || (major === 22 && minor >= 13) ? "--permission" : "--experimental-permission";
const otherMachine = process.arch === "x64" ? 183 : 62;

/** Faults, each with the code of the error, its message with the remedy, and a start that has the fault. */
const rows: Readonly<Record<string, readonly [code: string, message: RegExp, start: Start]>> = {
  "LIBTORCH is not there": [
    "ERR_LIBTORCH_NOT_FOUND",
    /LIBTORCH is set to .*nowhere, but .*libc10.* does not exist\. Point it at libtorch 2\.11\.0 or unset it\./,
    { env: { LIBTORCH: join(folder, "nowhere") } },
  ],
  "LIBTORCH has another version": [
    "ERR_LIBTORCH_VERSION",
    /LIBTORCH is set to .* its version is 1\.0\.0 where 2\.11\.0 is needed\. Point it at libtorch 2\.11\.0 or unset it\./,
    { env: { LIBTORCH: fakeLibtorch("1.0.0") } },
  ],
  "libtorch is no library": [
    "ERR_LIBTORCH_LOAD",
    /libc10\.so cannot be loaded: it is not a shared library\. Point LIBTORCH at another libtorch 2\.11\.0 or unset it\./,
    { env: { LIBTORCH: fakeLibtorch(pinned.version) } },
  ],
  "libtorch is cut off": [
    "ERR_LIBTORCH_LOAD",
    /libc10\.so cannot be loaded: it is cut off after 300000 bytes\. Point LIBTORCH at/,
    {
      env: {
        LIBTORCH: fakeLibtorch(
          pinned.version,
          readFileSync(join(packages, "native", "addon", platform, "preload.node")).subarray(0, 300_000),
        ),
      },
    },
  ],
  "no libtorch, no Python": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3.* Install Python 3, and run "python3 -m pip install torch==2\.11\.0"\./,
    { env: without(programs("")) },
  ],
  "no libtorch, a Python": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Run "python3 -m pip install torch==2\.11\.0"\./,
    { env: without(programs("", "python3", "uv")) },
  ],
  "no libtorch, an environment of uv": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Run "uv pip install torch==2\.11\.0"\./,
    { env: { ...without(programs("", "python3", "uv")), VIRTUAL_ENV: folder } },
  ],
  "a Python with another torch": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has torch in .*, but its version is 2\.9\.1 where 2\.11\.0 is needed; .* Run "python3 -m pip install torch==/,
    { env: without(programs(fakeLibtorch("2.9.1"), "python3")) },
  ],
  "no addon for this platform": [
    "ERR_ADDON_NOT_FOUND",
    /has no addon for \S+, only for plan9-x64: .* Install a package @stepwell\/native that was packed for /,
    {
      spoil: (modules) => {
        rmSync(join(modules, "native", "addon"), { recursive: true });
        mkdirSync(join(modules, "native", "addon", "plan9-x64"), { recursive: true });
      },
    },
  ],
  "no native package": [
    "ERR_ADDON_NOT_FOUND",
    /^@stepwell\/native is not here\. Install it in this project\./,
    { spoil: (modules) => rmSync(join(modules, "native"), { recursive: true }) },
  ],
  "a native package with a file less": [
    "ERR_ADDON_NOT_FOUND",
    /is damaged: Cannot find module '\.\/elf\.js'\. Install it again\./,
    { spoil: (modules) => rmSync(join(modules, "native", "elf.js")) },
  ],
  "an addon that is a text": [
    "ERR_ADDON_LOAD",
    /preload\.node cannot be loaded: it is not a shared library\. Install a package @stepwell\/native/,
    { spoil: changedAddon("preload.node", () => "no addon") },
  ],
  "an addon that is cut off": [
    "ERR_ADDON_LOAD",
    /stepwell\.node cannot be loaded: it is cut off after \d+ bytes\. Install a package @stepwell\/native/,
    { spoil: changedAddon("stepwell.node", (addon) => addon.subarray(0, addon.length / 2)) },
  ],
  "an addon for another processor": [
    "ERR_ADDON_LOAD",
    /preload\.node cannot be loaded: it is for \w+, and this Node is for \w+\. Install a package @stepwell\/native/,
    { spoil: changedAddon("preload.node", forMachine(otherMachine)) },
  ],
  "an addon for a newer glibc": [
    "ERR_ADDON_LOAD",
    /it needs glibc 2\.9\d, and this system has 2\.\d+\. Run Node on a Linux with glibc 2\.9\d or newer\./,
    {
      spoil: changedAddon("stepwell.node", (addon) => {
        const [version = ""] = /GLIBC_2\.\d\d(?=\0)/.exec(addon.toString("latin1")) ?? [];
        return replaced(version, "GLIBC_2.99")(addon);
      }),
    },
  ],
  "an addon for musl": [
    "ERR_ADDON_LOAD",
    /it was built for musl, and this system has glibc [\d.]+ .* Install a package @stepwell\/native that was packed for /,
    { spoil: changedAddon("preload.node", replaced("libc.so.6", "libc.musl")) },
  ],
  "permissions without addons": [
    "ERR_ADDON_LOAD",
    /Node's permissions allow no addons\. Run Node with --allow-addons\./,
    { options: [permission, "--allow-fs-read=*"] },
  ],
  "permissions without Python": [
    "ERR_LIBTORCH_NOT_FOUND",
    /Node may not start .*python3.* Run Node with --allow-child-process, or set LIBTORCH\./,
    {
      options: [permission, "--allow-fs-read=*", "--allow-addons"],
      env: without(programs("", "python3")),
    },
  ],
  "permissions that hide libtorch": [
    "ERR_LIBTORCH_NOT_FOUND",
    /LIBTORCH is set to .*, but Node may not read .*, which --allow-fs-read=.* allows\. /,
    {
      options: [permission, `--allow-fs-read=${folder}/*`, `--allow-fs-read=${packages}/*`, "--allow-addons"],
      env: { LIBTORCH: "/opt/libtorch" },
    },
  ],
  "--no-addons": [
    "ERR_ADDON_LOAD",
    /Node was started with --no-addons\. Start Node without it\./,
    { options: ["--no-addons"] },
  ],
};

describe.runIf(process.platform === "linux")("where the native engine cannot start", () => {
  it.each(Object.entries(rows))("%s: one warning and WebAssembly, or an error", (_, [code, message, start]) => {
    const run = prepare(start);
    const trained = { engine: "wasm", x: [0.5, 1.5] };

    const fallback = run("");
    expect(fallback).toMatchObject({ ...trained, info: { engine: "wasm", reason: code } });
    expect(fallback.warnings).toMatchObject([{ code }]);
    const warning = fallback.warnings[0]?.message ?? "";
    expect(warning).toMatch(message);
    expect(warning).toMatch(/ So the WebAssembly engine runs, .* Set STEPWELL_ENGINE=wasm to silence this warning\.$/);
    expect(warning).not.toContain("npm run setup");
    expect(warning.length).toBeLessThan(1000);

    const error = run("native");
    expect(error).toMatchObject({ code, isTyped: true, warnings: [] });
    expect(warning.startsWith(error.message ?? "?")).toBe(true);

    expect(run("wasm")).toMatchObject({ ...trained, info: { engine: "wasm" }, warnings: [] });
  });

  it("every code of a start is met", () => {
    expect(Object.values(rows).map(([code]) => code)).toEqual(expect.arrayContaining([...startCodes]));
  });

  it.each(["", "--jitless"])("without WebAssembly too, one error has both reasons %s", (option) => {
    const spoil = (modules: string) => rmSync(join(modules, "wasm", "built", "stepwell.wasm"));
    const env = { LIBTORCH: join(folder, "nowhere") };
    const error = prepare({ env, ...(option ? { options: [option] } : { spoil }) })("");
    expect(error).toMatchObject({ code: "ERR_ENGINE", isTyped: true, hasCause: true });
    expect(error.message).toMatch(
      /^neither engine can be started\. LIBTORCH is set to .* And: the WebAssembly engine /,
    );
    expect(error.message).toMatch(option ? /WebAssembly is not defined/ : /stepwell\.wasm/);
  });

  it("on a system without glibc, the remedy is one with it", () => {
    const error = {
      code: "ERR_DLOPEN_FAILED",
      message: "Error relocating preload.node: gnu_get_libc_version: symbol not found",
    };
    const { reason, remedy } = loadFault(error, { permissions: false, linux: true, glibc: undefined });
    expect(reason).toMatch(/^it needs glibc, and this system has another C library \(Error relocating/);
    expect(remedy).toMatch(/Debian instead of Alpine\.$/);
  });
});

it("a wrong STEPWELL_ENGINE is an error", () => {
  const { code, isTyped, message } = prepare({})("jax".repeat(1000));
  expect({ code, isTyped }).toEqual({ code: "ERR_ARGUMENT", isTyped: true });
  expect(message?.length).toBeLessThan(900);
});

it("the native engine says which libtorch it runs on", () => {
  const { engine, info, warnings } = prepare({})("");
  expect({ engine, warnings }).toEqual({ engine: "native", warnings: [] });
  expect(info).toEqual({
    engine: "native",
    libtorch: {
      path: expect.any(String),
      version: expect.stringContaining(pinned.version),
      source: expect.stringMatching(/^(LIBTORCH|cache|python)$/),
      cuda: expect.any(String),
    },
  });
});

describe("threads of libtorch", () => {
  const sdk = JSON.stringify(import.meta.resolve("@stepwell/sdk"));
  const shown = `import(${sdk}).then(() => {
    const { stdout } = require("node:child_process").spawnSync(process.execPath, ["-p", "process.env.OMP_WAIT_POLICY"]);
    console.log(JSON.stringify([process.env.OMP_WAIT_POLICY ?? null, String(stdout).trim()]));
  })`;
  /** The variable in the process and in one that it starts, and how often an idle thread spins. */
  const wait = (policy: string | undefined) => {
    const { OMP_WAIT_POLICY: _, ...others } = process.env;
    const env = { ...others, OMP_DISPLAY_ENV: "verbose", ...(policy && { OMP_WAIT_POLICY: policy }) };
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", shown], { encoding: "utf8", env });
    return { variables: JSON.parse(stdout), spins: Number(/GOMP_SPINCOUNT = '(\d+)'/.exec(stderr)?.[1]) };
  };

  it.runIf(process.platform === "linux")("sleep while idle, without a variable that other programs inherit", () => {
    expect(wait(undefined)).toEqual({ variables: [null, "undefined"], spins: 0 });
    const active = wait("active");
    expect(active.variables).toEqual(["active", "active"]);
    expect(active.spins).toBeGreaterThan(100_000);
  });
});
