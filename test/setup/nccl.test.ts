// The library with NCCL is built where the headers of NCCL and CUDA are. It fits libtorch, whose CUDA library has its symbols. No GPU is needed.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { libtorch } from "@stepwell/native";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { libraryPath, platform } from "../../packages/native/libtorch.js";
import { buildNccl } from "../../scripts/nccl.mjs";

const folder = mkdtempSync(join(tmpdir(), "stepwell-nccl-"));
afterAll(() => rmSync(folder, { recursive: true }));

const nvidia = join(dirname(libtorch.path), "nvidia");
const header = join(nvidia, "nccl", "include", "nccl.h");
const cuda = libraryPath(libtorch.path, "torch_cuda");

it.runIf(platform === "linux-x64")("names the header that is missing, and leaves no library that does not fit", () => {
  const torch = join(folder, "torch");
  mkdirSync(torch);
  symlinkSync(join(libtorch.path, "include"), join(torch, "include"));
  const target = join(folder, "old.so");
  writeFileSync(target, "");
  expect(buildNccl(torch, target)).toEqual({ built: false });
  rmSync(target);
  expect(buildNccl(torch, target).reason).toMatch(
    /^nccl\.h is missing\. Set LIBTORCH to the folder torch of: pip install torch==2\.11\.0 nvidia-cuda-crt==/,
  );
  expect(existsSync(target)).toBe(false);
});

/** Wheels of a torch with CUDA, and the headers that its requirements do not include: CPATH may name their folder. */
describe.runIf(existsSync(header) && existsSync(cuda))("next to a torch with CUDA", () => {
  const library = join(folder, "nccl.so");
  beforeAll(() => expect(buildNccl(libtorch.path, library)).toEqual({ built: true }));

  it("has symbols of the wheels alone", () => {
    const symbols = (path: string, which: string) =>
      execFileSync("nm", ["-D", which, path], { encoding: "utf8", maxBuffer: 2 ** 30 })
        .split("\n")
        .map((line) => line.trim().split(" ").at(-1) ?? "");
    const undefinedSymbols = symbols(library, "--undefined-only").filter((name) =>
      /^_ZN?[KT]*(?:3c10|4c10d|5torch|2at)/.test(name),
    );
    const wheels = ["c10", "torch_cpu", "torch_cuda"].map((name) => libraryPath(libtorch.path, name));
    const known = new Set(wheels.flatMap((path) => symbols(path, "--defined-only")));
    expect(undefinedSymbols.filter((name) => name.startsWith("_ZN4c10d16ProcessGroupNCCL"))).toHaveLength(2);
    expect(undefinedSymbols.filter((name) => !known.has(name))).toEqual([]);
  });

  it("is loaded next to libtorch with all its symbols", () => {
    const program = `
      const { libtorch } = require(${JSON.stringify(join(import.meta.dirname, "../../packages/native/index.js"))});
      const error = (path) => { try { process.dlopen({ exports: {} }, path, os.constants.dlopen.RTLD_NOW); } catch (error) { return error.message; } };
      console.log(JSON.stringify([libtorch.cuda, error(process.argv[1])]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", program, library], {
      encoding: "utf8",
      env: { ...process.env, STEPWELL_CUDA: "1" },
    });
    expect(stderr).toBe("");
    // A symbol that was not found would be the message. Node misses its own one.
    expect(JSON.parse(stdout)).toEqual(["loaded", expect.stringMatching(/did not self-register/)]);
  });

  it("is not built with options of another NCCL", () => {
    const text = readFileSync(header, "utf8");
    const other = text.replace(/\} ncclConfig_t;/, "  long another[8];\n} ncclConfig_t;");
    expect(other).not.toBe(text);
    writeFileSync(join(folder, "nccl.h"), other);
    const before = process.env.CPATH;
    process.env.CPATH = [folder, ...(before ? [before] : [])].join(":");
    try {
      expect(buildNccl(libtorch.path, join(folder, "other.so")).reason).toMatch(
        /the layout of NCCL's options differs from libtorch's/,
      );
    } finally {
      if (before === undefined) delete process.env.CPATH;
      else process.env.CPATH = before;
    }
  });
});
