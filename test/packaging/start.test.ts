// A program whose native engine cannot start trains on another one, after one warning that names the remedy. If it wants the native
// engine, it catches a StepwellError with the same words.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pinned, platform } from "../../packages/native/libtorch.js";
import { loadFault } from "../../packages/native/load-errors.js";
import {
  changedAddon,
  fakeLibtorch,
  folder,
  forMachine,
  latestProject,
  packages,
  prepare,
  programs,
  replaced,
  type Start,
  without,
} from "./broken.js";
import { startCodes } from "./start-codes.js";

afterAll(() => rmSync(folder, { recursive: true }));

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const permission = major > 23 || (major === 22 && minor >= 13) ? "--permission" : "--experimental-permission";
const otherMachine = process.arch === "x64" ? 183 : 62;

const { version } = JSON.parse(readFileSync(join(packages, "native", "package.json"), "utf8"));

/** The line of a Python that has pip, for `echo`. */
const withPip = "'\npip'";

/** Moves the addon into a package of the platform, as a registry serves it. */
function fromRegistry(modules: string): void {
  const addon = join(modules, "native", "addon", platform);
  const target = join(modules, `native-${platform}`);
  cpSync(addon, target, { recursive: true, dereference: true });
  writeFileSync(join(target, "package.json"), JSON.stringify({ name: `@stepwell/native-${platform}` }));
  rmSync(join(modules, "native", "addon"), { recursive: true });
}

/** Installs a program with the name of the command line, where npx finds it. */
function withCommandLine(modules: string): void {
  mkdirSync(join(modules, "..", ".bin"));
  writeFileSync(join(modules, "..", ".bin", "stepwell"), "");
}

/** Makes the project one that was installed from tarballs in another folder, which has the tarball of libtorch. */
function withTarball(modules: string): void {
  const project = join(modules, "..", "..");
  const dependencies = { "@stepwell/sdk": "file:some files/stepwell-sdk-0.1.0.tgz" };
  writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies }));
  mkdirSync(join(project, "some files"));
  writeFileSync(join(project, "some files", `stepwell-libtorch-${version}.tgz`), "");
}

/** The engine that runs instead: the one in Rust, unless the fault is one of all addons. */
type Instead = "rust" | "wasm";

/** Faults, each with the code of the error, its message with the remedy, a start that has the fault, and the engine that runs. */
const rows: Readonly<Record<string, readonly [code: string, message: RegExp, start: Start, instead?: Instead]>> = {
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
    /there is no python3.* Nothing here can fetch it: install uv, or Python 3 with pip, and run "node \/\S+fetch\/main\.js"\./,
    { env: without(programs("")) },
  ],
  "no libtorch, no Python, and the tarball of libtorch": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3.* Run "npm install '\/.*\/some files\/stepwell-libtorch-\d+\.\d+\.\d+\.tgz'"\./,
    { env: without(programs("")), spoil: withTarball },
  ],
  "no libtorch, no Python, and the packages of an operating system": [
    "ERR_LIBTORCH_NOT_FOUND",
    / Run "(?:sudo )?apt-get update && (?:sudo )?apt-get install -y python3-pip && node \S+fetch\/main\.js"\./,
    { env: without(programs("", "apt-get", "sudo")) },
  ],
  "no libtorch, no Python, and uv": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3.* Run "node \/\S+fetch\/main\.js"\./,
    { env: without(programs("", "uv")) },
  ],
  "no libtorch, no Python, and packages of a registry": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3.* Run "npm install @stepwell\/libtorch"\./,
    { env: without(programs("")), spoil: fromRegistry },
  ],
  "no libtorch, no Python, and a project of pnpm": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3.* Run "pnpm add @stepwell\/libtorch"\./,
    {
      env: without(programs("")),
      spoil: (modules) => {
        fromRegistry(modules);
        writeFileSync(join(modules, "..", "..", "pnpm-lock.yaml"), "");
      },
    },
  ],
  "no libtorch, a Python without pip": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Nothing here can fetch it: install uv, or Python 3 with pip, and run "node /,
    { env: without(programs("", "python3")) },
  ],
  "no libtorch, a Python with pip": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Run "node \/\S+fetch\/main\.js"\./,
    { env: without(programs(withPip, "python3")) },
  ],
  "no libtorch, a Python with pip, and the command line": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Run "npx stepwell doctor --fetch"\./,
    { env: without(programs(withPip, "python3")), spoil: withCommandLine },
  ],
  "no libtorch, uv, and packages of a registry": [
    "ERR_LIBTORCH_NOT_FOUND",
    /there is no python3; .* Run "npx stepwell doctor --fetch"\./,
    { env: without(programs("", "uv")), spoil: fromRegistry },
  ],
  "no libtorch, an environment of uv": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has no torch; .* Run "node \/\S+fetch\/main\.js"\./,
    { env: { ...without(programs("", "python3", "uv")), VIRTUAL_ENV: folder } },
  ],
  "a Python with another torch": [
    "ERR_LIBTORCH_NOT_FOUND",
    /python3 has torch in .*, but its version is 2\.9\.1 where 2\.11\.0 is needed; .* Run "node \/\S+main\.js"\./,
    { env: without(programs(`${fakeLibtorch("2.9.1")}${withPip}`, "python3")) },
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
    "wasm",
  ],
  "no native package": [
    "ERR_ADDON_NOT_FOUND",
    /^@stepwell\/native is not here\. Install it in this project\./,
    { spoil: (modules) => rmSync(join(modules, "native"), { recursive: true }) },
    "wasm",
  ],
  "a native package with a file less": [
    "ERR_ADDON_NOT_FOUND",
    /is damaged: Cannot find module '\.\/elf\.js'\. Install it again\./,
    { spoil: (modules) => rmSync(join(modules, "native", "elf.js")) },
    "wasm",
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
    "wasm",
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
    "wasm",
  ],
};

/** Runs a program of Node in a folder of copies without libtorch, with its output. */
function inFolder(path: string, code: string): string {
  const env = { ...process.env, STEPWELL_ENGINE: "", NODE_PATH: "", ...without(programs("")) };
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", code], { cwd: path, encoding: "utf8", env });
  return stdout + stderr;
}

describe.runIf(process.platform === "linux")("where the native engine cannot start", () => {
  it.each(Object.entries(rows))(
    "%s: one warning and another engine, or an error",
    (_, [code, message, start, instead = "rust"]) => {
      const run = prepare(start);
      const x = [0.5, 1.5];

      const fallback = run("");
      expect(fallback).toMatchObject({ engine: instead, x, info: { engine: instead, reason: code } });
      expect(fallback.warnings).toMatchObject([{ code }]);
      const warning = fallback.warnings[0]?.message ?? "";
      expect(warning).toMatch(message);
      const named = { rust: "Stepwell's engine in Rust", wasm: "the WebAssembly engine" }[instead];
      expect(warning).toMatch(
        RegExp(` So ${named} runs, .* Set STEPWELL_ENGINE=${instead} to silence this warning\\.$`),
      );
      expect(warning).not.toContain("npm run setup");
      expect(warning.length).toBeLessThan(1000);

      const error = run("native");
      expect(error).toMatchObject({ code, isTyped: true, warnings: [] });
      expect(warning.startsWith(error.message ?? "?")).toBe(true);

      for (const engine of instead === "rust" ? ["rust", "wasm"] : ["wasm"]) {
        expect(run(engine)).toMatchObject({ engine, x, info: { engine }, warnings: [] });
      }
      if (instead === "wasm") expect(run("rust")).toMatchObject({ isTyped: true, warnings: [] });
    },
  );

  it("the command is one for the project, in whatever folder it runs", () => {
    prepare({ spoil: fromRegistry });
    const project = latestProject();
    mkdirSync(join(project, "lib"));
    const advice = `console.log(require(${JSON.stringify(join(project, "node_modules/@stepwell/native/advice.js"))}).installAdvice())`;
    expect(inFolder(join(project, "lib"), advice)).toBe('Run "npm install @stepwell/libtorch".\n');
    expect(inFolder("/", advice)).toBe(`Run "npm install --prefix ${project} @stepwell/libtorch".\n`);
    writeFileSync(join(project, "pnpm-lock.yaml"), "");
    expect(inFolder("/", advice)).toBe(`Run "pnpm add --dir ${project} @stepwell/libtorch".\n`);
  });

  it("worker threads do not repeat the warning", () => {
    prepare({});
    const sdk = JSON.stringify(join(latestProject(), "node_modules/@stepwell/sdk/commonjs/dist/node/index.js"));
    const worker = `require(${sdk}); require("node:worker_threads").parentPort.postMessage(0)`;
    const text = inFolder(
      latestProject(),
      `require(${sdk});
      const { Worker } = require("node:worker_threads");
      for (let i = 0; i < 2; i++) new Worker(${JSON.stringify(worker)}, { eval: true });`,
    );
    expect(text.match(/StepwellWarning/g)).toHaveLength(1);
  });

  it("every code of a start is met", () => {
    expect(Object.values(rows).map(([code]) => code)).toEqual(expect.arrayContaining([...startCodes]));
  });

  it.each(["", "--jitless"])("without the others too, one error has both reasons %s", (option) => {
    const spoil = (modules: string) => {
      rmSync(join(modules, "native", "rust.js"));
      if (!option) rmSync(join(modules, "wasm", "built", "stepwell.wasm"));
    };
    const env = { LIBTORCH: join(folder, "nowhere") };
    const error = prepare({ env, spoil, options: option ? [option] : [] })("");
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
      nccl: expect.toBeOneOf([null, expect.any(String)]),
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
