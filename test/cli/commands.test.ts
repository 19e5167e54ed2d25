// `stepwell doctor`, `inspect` and `help`, and errors of arguments, from the packed tarballs.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engines, installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
});
afterAll(() => project.remove());

const { version } = JSON.parse(readFileSync(new URL("../../packages/cli/package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

describe("doctor", () => {
  it("says that all engines train", () => {
    const { status, stdout, stderr } = project.run(["doctor", "--json"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      versions: { "@stepwell/cli": version, "@stepwell/sdk": version, node: process.versions.node },
      engines: [
        { engine: "native", trains: true, libtorch: { source: "LIBTORCH" } },
        { engine: "rust", trains: true },
        { engine: "wasm", trains: true, threads: 1 },
      ],
      used: "native",
      works: true,
    });
    expect(report.engines[0].libtorch.version).toMatch(/^2\.11\.0/);
    expect(project.run(["doctor"]).stdout).toContain("Training works, on the native engine.");
  });

  it("fails if the engine that is asked for does not train, and says the remedy", () => {
    const { status, stdout, stderr } = project.run(["doctor"], "native", { LIBTORCH: project.folder });
    expect(status).toBe(1);
    expect(stdout).toContain("does not train: ERR_LIBTORCH_NOT_FOUND");
    expect(stdout).toContain("Unset STEPWELL_ENGINE");
    expect(stderr).toBe("stepwell: ERR_ENGINE: doctor: training does not work on this machine\n");
    const without = project.run(["doctor"], "", { LIBTORCH: project.folder });
    expect(without.status).toBe(0);
    expect(without.stdout).toMatch(/on the Rust engine\.\nFor the native engine, which is faster: LIBTORCH is set/);
    expect(project.run(["doctor"], "jax").status).toBe(1);
  });
});

it("doctor names the package that is absent, and the engine that runs instead", () => {
  const other = installed(["cli", "sdk", "wasm"]);
  const { status, stdout } = other.run(["doctor"]);
  expect(status).toBe(0);
  expect(stdout).toContain(
    "does not train: ERR_ADDON_NOT_FOUND: @stepwell/native is not here. Install it in this project.",
  );
  expect(stdout).toContain("Training works, on the WebAssembly engine.");
  other.remove();
});

it("the package stepwell has the same program, for npx where nothing is installed", () => {
  const program = join(project.folder, "node_modules", "stepwell", "bin", "stepwell.js");
  expect(project.node([program, "--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  expect(project.node([program, "inspect", "absent"]).status).toBe(2);
});

describe("inspect", () => {
  it("lists objects and tensors of a run", () => {
    const path = join(project.folder, "run.safetensors");
    const net = k.module(["linear", "fc", 3, 2]);
    k.save(path, { net, optimizer: k.opt("adam", net), epoch: 4 });
    for (const engine of engines) {
      const { status, stdout } = project.run(["inspect", path, "--json"], engine);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ path, ...k.inspect(path) });
    }
    const text = project.run(["inspect", path]).stdout;
    expect(text).toMatch(/: run, \d/);
    expect(text).toMatch(/^net\.weight {2}float {2}\[2, 3\] {2}24 bytes$/m);
    k.free();
  });

  it("refuses other files in one line", () => {
    writeFileSync(join(project.folder, "text.txt"), "no tensors");
    expect(project.run(["inspect", "text.txt"])).toMatchObject({ status: 2, stdout: "" });
    expect(project.run(["inspect", "text.txt"]).stderr).toMatch(/^stepwell: ERR_FORMAT: [^\n]+\n$/);
    expect(project.run(["inspect", "absent"]).stderr).toBe(
      "stepwell: ERR_FILE: absent: there is no such file or folder\n",
    );
    expect(JSON.parse(project.run(["inspect", "absent", "--json"]).stderr)).toEqual({
      error: {
        code: "ERR_FILE",
        message: "absent: there is no such file or folder",
        help: join(project.folder, "node_modules/@stepwell/sdk/docs/errors/ERR_FILE.md"),
      },
    });
  });
});

describe("help", () => {
  it("has the tables of the SDK", () => {
    const { stdout } = project.run(["help", "lamb", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([{ kind: "optimizer", options: k.help("lamb", true) }]);
    const adam = project.run(["help", "adam"]).stdout;
    const options = [...Object.keys(k.help("adam", true)), "fused", "offload"];
    const lines = adam.split("\n").slice(4);
    expect(lines.map((line) => line.trim().split(/ +/)[0]).filter(Boolean)).toEqual(options);
    // Each has its default and a sentence.
    for (const line of lines.filter(Boolean)) expect(line).toMatch(/^ {2}\w+ +\S+ {2,}[A-Z].*\.$/);
    expect(adam).toMatch(/decay +0 +Weight decay, added to the gradient\. .* In PyTorch: weight_decay\.$/m);
    expect(adam).toMatch(/beta2 +0\.999 +.* In PyTorch: betas\.$/m);
    const linear = project.run(["help", "linear"], "wasm").stdout;
    expect(linear).toMatch(/inputs +must be given/);
  });

  it("knows every function, with its documentation", () => {
    const functions = Object.entries(k).filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name));
    const { stdout } = project.run(["help", "clip"]);
    expect(stdout).toContain("function clip(");
    const program = `
      const { topicNames } = await import("${join(project.folder, "node_modules/@stepwell/cli/dist/commands/help-topic.js")}");
      console.log(JSON.stringify(await topicNames()));`;
    writeFileSync(join(project.folder, "names.mjs"), program);
    const names: string[] = JSON.parse(
      project.run(["help", "--json"]).status === 0 ? runNode(join(project.folder, "names.mjs")) : "[]",
    );
    expect(functions.map(([name]) => name).filter((name) => !names.includes(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["Model.fit", "Module.of", "Optimizer.step", "Tensor.of"]));
    // Nothing that a program cannot have.
    const kinds = ["optimizer", "module", "schedule", "preset"] as const;
    const rows = kinds.flatMap((kind) => {
      return (k.help as (kind: string) => readonly object[])(kind).map((row) => Object.values(row)[0]);
    });
    const known = new Set([...Object.keys(k), ...rows]);
    expect(names.filter((name) => !known.has(name.replace(/\..*/, "")))).toEqual([]);
    expect(names.length).toBeGreaterThan(400);
  });

  it("says which options must be given", () => {
    const attention = project.run(["help", "attention"]).stdout;
    expect(attention).toMatch(/^ {2}dim +must be given/m);
    expect(attention).toMatch(/^ {2}kdim +null +Size of the last dimension of keys/m);
    const rmsnorm = project.run(["help", "rmsnorm"]).stdout;
    expect(rmsnorm).toMatch(/^ {2}shape +must be given/m);
    expect(rmsnorm).toMatch(/^ {2}eps +null/m);
    // The whole declaration, in which an argument has a type of several lines.
    expect(rmsnorm).toMatch(/options: \{ readonly shape: .* readonly eps\?: number \| null; \}\): TensorHandle;$/m);
    const cosine = project.run(["help", "cosine"]).stdout;
    expect(cosine).toMatch(/^ {2}steps +must be given +Schedule steps/m);
    expect(cosine).toMatch(/^ {2}min +0 /m);
    const loose = /export declare function [^;]*\{[^}]*$/m;
    expect(project.run(["help", "rmsnorm", "--json"]).stdout).not.toMatch(loose);
  });

  it.each([
    ["drop", "dropout (module)"],
    ["batchnorm2d", "batchnorm (module)"],
    ["nn.Linear", "linear (module)"],
    ["torch.optim.AdamW", "adamw (optimizer), torch.optim.AdamW in PyTorch"],
    ["CosineAnnealingLR", "cosine (schedule), torch.optim.lr_scheduler.CosineAnnealingLR in PyTorch"],
    ["logical_and", "and (function), torch.logical_and in PyTorch"],
  ])("finds %s, a name of PyTorch or of the k-api", (name, found) => {
    expect(project.run(["help", name]).stdout).toMatch(new RegExp(`^${found.replace(/[().]/g, "\\$&")}$`, "m"));
  });

  it("describes methods of classes, and functions under each of their names", () => {
    expect(project.run(["help", "fit"]).stdout).toMatch(/^Model\.fit \(method\)\n\nfit\(data: FitData \| DataSource,/);
    expect(project.run(["help", "optimizer"]).stdout).toContain("const optimizer: OptimizerFactory;");
    expect(project.run(["help", "synchronize"]).stdout).toContain("function sync(");
  });

  it("suggests the nearest name", () => {
    expect(project.run(["help", "nothing"]).stderr).toMatch(/unknown name "nothing": did you mean "\w+"\?\n$/);
    expect(project.run(["help", "adamm"])).toEqual({
      status: 2,
      stdout: "",
      stderr: 'stepwell: ERR_UNKNOWN_NAME: help: unknown name "adamm": did you mean "adam"?\n',
    });
  });
});

function runNode(file: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    encoding: "utf8",
    env: project.environment(),
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

it("prints no control characters of a file", () => {
  const name = "\u001b[2J\u0007weight";
  const header = JSON.stringify({ [name]: { dtype: "F32", shape: [1], data_offsets: [0, 4] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(project.folder, "hostile"), Buffer.concat([length, Buffer.from(header), Buffer.alloc(4)]));
  expect(project.run(["inspect", "hostile"]).stdout).toContain("\\x1b[2J\\x07weight");
  writeFileSync(join(project.folder, "hostile.csv"), "a,b\n\u001b[2J,2\n");
  const { stderr } = project.run(["train", "hostile.csv", "--model", '["linear",1,1]', "--no-save"]);
  expect(stderr).toContain('expected a number, given "\\x1b[2J"');
});

it.runIf(process.platform === "linux")("fails if the output is lost", () => {
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [project.program, "inspect", "hostile"], {
    cwd: project.folder,
    env: project.environment(),
    encoding: "utf8",
    stdio: ["ignore", full, "pipe"],
  });
  closeSync(full);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^stepwell: ERR_FILE: stdout: ENOSPC[^\n]*\n$/);
});

it.each([
  [["bogus"], "unknown command 'bogus'"],
  [["doctor", "--fast"], "unknown option '--fast'"],
  [["bench", "--seconds", "1", "--seconds", "2"], "--seconds is given twice"],
  [
    ["launch", "-n", "1", "--grace", "2147484", "program.mjs"],
    "option '--grace <seconds>' argument '2147484' is invalid. Expected a whole number from 0 to 2147483.",
  ],
  [["inspect"], "missing required argument 'file'"],
  [["inspect", "a", "b"], "too many arguments for 'inspect'. Expected 1 argument but got 2."],
])("%j is an error in one line, and writes nothing", (args, message) => {
  const before = readdirSync(project.folder);
  expect(project.run(args)).toEqual({ status: 2, stdout: "", stderr: `stepwell: ERR_USAGE: ${message}\n` });
  expect(readdirSync(project.folder)).toEqual(before);
});

it("without arguments it prints its commands", () => {
  const { status, stdout, stderr } = project.run([]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("Usage: stepwell");
});
