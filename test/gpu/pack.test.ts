// The folder of `npm run pack-gpu`, without Node: runs alone from a copy, with the CPU in place of a GPU.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { libtorch } from "@stepwell/native";
import { afterAll, expect, it } from "vitest";
import type { RunResults } from "./results.js";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "stepwell-gpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the folder with this Node and this libtorch, and with no other variables of this environment. */
function runFolder(path: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    HOME: folder,
    LIBTORCH: libtorch.path,
    ...variables,
  };
  const { status, stdout, stderr } = spawnSync("bash", [join(path, "run.sh"), ...args], {
    env,
    cwd: folder,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const results: RunResults = JSON.parse(readFileSync(join(path, "results.json"), "utf8"));
  const parts = results.parts.map(({ name, state, failures }) => [name, state, failures]);
  return { status, stdout, passed: results.passed, parts, text: readFileSync(join(path, "results.md"), "utf8") };
}

it.runIf(process.platform === "linux" && process.arch === "x64")(
  "runs alone, writes its results, and goes on after a part that fails",
  () => {
    const packed = join(folder, "packed");
    const program = `import("./scripts/pack-gpu.mjs").then(({ packGpu }) => packGpu(process.argv.slice(1)))`;
    const made = spawnSync(process.execPath, ["-e", program, packed, "--without-node"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(made.status, made.stderr).toBe(0);
    const copy = join(folder, "copy");
    cpSync(packed, copy, { recursive: true });
    rmSync(packed, { recursive: true });

    const cpu = runFolder(copy, ["--device", "cpu", "--only", "parity,transcript"]);
    expect(cpu.parts).toEqual([
      ["transcript", "passed", []],
      ["parity", "passed", []],
    ]);
    expect([cpu.status, cpu.passed]).toEqual([0, true]);
    expect(cpu.text).toContain("# Stepwell on cpu: all parts passed");

    // More devices than any machine has.
    const absent = runFolder(copy, ["--device", "cuda:99", "--only", "devices,contract"]);
    const message = expect.stringMatching(/^ERR_DEVICE: tensor: device cuda:99 cannot be used: /);
    expect(absent.parts).toEqual([
      ["devices", "failed", [{ message }]],
      ["contract", "failed", [{ message }]],
    ]);
    expect([absent.status, absent.passed]).toEqual([1, false]);

    const missing = join(folder, "torch");
    const unfound = runFolder(copy, ["--device", "cpu", "--only", "devices,bench"], { LIBTORCH: missing });
    const reason = expect.stringContaining(`Error: LIBTORCH is set to ${missing}, but `);
    const notStarted = expect.stringMatching(/gpu\.js does not start$/);
    expect(unfound.parts).toEqual([
      ["devices", "failed", [expect.objectContaining({ message: reason })]],
      ["bench", "failed", ["Stepwell", "Stepwell, offload"].map((test) => ({ test, message: notStarted }))],
    ]);
    expect(unfound.text).toMatch(/^\| libtorch \| \w*Error: LIBTORCH is set to /m);
  },
);
