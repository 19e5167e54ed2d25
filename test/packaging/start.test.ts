// A program that imports the package where the native engine cannot start catches a StepwellError.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { libraryPath, pinned, platform } from "../../packages/native/libtorch.js";
import { startCodes } from "./start-codes.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

const program = `
  import { errorCodes, StepwellError } from "@stepwell/sdk/wasm";
  try {
    const { engine } = await import("@stepwell/sdk");
    console.log(JSON.stringify({ engine }));
  } catch (error) {
    const { code, message, cause } = error;
    const isTyped = error instanceof StepwellError && errorCodes.includes(code);
    console.log(JSON.stringify({ code, message, isTyped, hasCause: cause instanceof Error }));
  }
`;

/** A folder with the packages, the native one as a copy that can be broken, and the output of the program in it. */
function start(name: string, env: Readonly<Record<string, string>>, spoil: (native: string) => void = () => {}) {
  const project = join(folder, name);
  const modules = join(project, "node_modules", "@stepwell");
  mkdirSync(modules, { recursive: true });
  for (const name of ["sdk", "native"]) {
    cpSync(join(packages, name), join(modules, name), {
      recursive: true,
      filter: (source) => !/[/\\](?:node_modules|src|addon)$/.test(source),
    });
  }
  symlinkSync(join(packages, "wasm"), join(modules, "wasm"));
  const addon = join(modules, "native", "addon", platform);
  mkdirSync(dirname(addon));
  symlinkSync(join(packages, "native", "addon", platform), addon);
  spoil(join(modules, "native"));
  writeFileSync(join(project, "program.mjs"), program);
  const { stdout, stderr } = spawnSync(process.execPath, ["program.mjs"], {
    cwd: project,
    encoding: "utf8",
    // If it is set, packages are found there too.
    env: { ...process.env, NODE_PATH: "", STEPWELL_ENGINE: "native", ...env },
  });
  return stdout ? (JSON.parse(stdout) as Record<string, unknown>) : expect.fail(stderr);
}

/** A folder that looks like libtorch. */
function fakeLibtorch(version: string): string {
  const path = join(folder, `libtorch-${version}`);
  mkdirSync(join(path, "lib"), { recursive: true });
  for (const library of ["c10", "torch_cpu"]) writeFileSync(libraryPath(path, library), "no library");
  writeFileSync(join(path, "build-version"), version);
  return path;
}

const rows: readonly (readonly [code: string, row: () => Record<string, unknown>])[] = [
  ["ERR_LIBTORCH_NOT_FOUND", () => start("none", { LIBTORCH: join(folder, "nowhere") })],
  ["ERR_LIBTORCH_VERSION", () => start("version", { LIBTORCH: fakeLibtorch("1.0.0") })],
  ["ERR_LIBTORCH_LOAD", () => start("load", { LIBTORCH: fakeLibtorch(pinned.version) })],
  ["ERR_ADDON_NOT_FOUND", () => start("addon", {}, (native) => rmSync(join(native, "addon"), { recursive: true }))],
  ["ERR_ADDON_NOT_FOUND", () => start("package", {}, (native) => rmSync(native, { recursive: true }))],
  [
    "ERR_ADDON_LOAD",
    () =>
      start("broken", {}, (native) => {
        rmSync(join(native, "addon"), { recursive: true });
        mkdirSync(join(native, "addon", platform), { recursive: true });
        writeFileSync(join(native, "addon", platform, "preload.node"), "no addon");
      }),
  ],
  ["ERR_ARGUMENT", () => start("engine", { STEPWELL_ENGINE: "jax".repeat(1000) })],
];

it.each(rows)("%s is an error of Stepwell's", (code, row) => {
  const told = row();
  expect(told).toMatchObject({ code, isTyped: true });
  expect((told.message as string).length).toBeLessThan(900);
});

it("every code of a start is met", () => {
  expect(rows.map(([code]) => code)).toEqual(expect.arrayContaining([...startCodes]));
});
