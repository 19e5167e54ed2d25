// `stepwell train` and `resume` from the packed tarballs: figures of the SDK, files that resume to the bit, and bad inputs.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as k from "@stepwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engines, installed, type Project } from "./installed.js";

let project: Project;
beforeAll(() => {
  project = installed();
  for (const [name, content] of Object.entries(files())) writeFileSync(join(project.folder, name), content);
  mkdirSync(join(project.folder, "folder"));
  symlinkSync("flowers.csv", join(project.folder, "link.csv"));
});
afterAll(() => project.remove());

const count = 60;
const kinds = ["lily", "rose", "tulip"];
const rows = Array.from({ length: count }, (_, i) => {
  const kind = (i * 7) % 3;
  return { length: kind * 2 + ((i * 13) % 10) / 10, width: 3 - kind + ((i * 11) % 10) / 10, kind };
});
const inputs = rows.map(({ length, width }) => [length, width]);
const layers = ["sequential", ["linear", 2, 8], "tanh", ["linear", 8, 3]] as const;
const classifier = JSON.stringify(layers);
const regression = JSON.stringify(["linear", 2, 1]);

/** Bytes of a float32 or int64 array as npy of version 1. */
function npy(descr: string, shape: readonly number[], bytes: Uint8Array, order = "False"): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${sizes}), }`;
  const header = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header), bytes]);
}

function idx(type: number, shape: readonly number[], bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt8(type, 2);
  header.writeUInt8(shape.length, 3);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, bytes]);
}

const bytesOf = (array: Float32Array | BigInt64Array) => new Uint8Array(array.buffer);

function files(): Readonly<Record<string, string | Uint8Array>> {
  const numbers = Float32Array.from(inputs.flat());
  const labels = BigInt64Array.from(rows, ({ kind }) => BigInt(kind));
  const header = JSON.stringify({
    inputs: { dtype: "F32", shape: [count, 2], data_offsets: [0, count * 8] },
    targets: { dtype: "I64", shape: [count], data_offsets: [count * 8, count * 16] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const csv = rows.map(({ length, width, kind }) => `${length},${width},${kinds[kind]}`);
  return {
    "flowers.csv": `\uFEFFlength,width,kind\r\n${csv.join("\r\n")}\r\n`,
    "flowers.tsv": `length\twidth\tkind\n${csv.join("\n").replaceAll(",", "\t")}\n`,
    "permuted.csv": `kind,width,length\n${rows.map(({ length, width, kind }) => `${kinds[kind]},${width},${length}`).join("\n")}\n`,
    "permuted.jsonl": rows
      .map(({ length, width, kind }) => JSON.stringify({ kind: kinds[kind], width, length }))
      .join("\n"),
    "numbered.csv": `length,width,kind\n${rows.map(({ length, width, kind }) => `${length},${width},${kind}`).join("\n")}\n`,
    "wider.csv": `id,length,width,kind\n${csv.map((line, i) => `${i},${line}`).join("\n")}\n`,
    "lilies.csv": "length,width,kind\n1,2,lily\n2,3,lily\n",
    "bare.csv": `${csv.join("\n")}\n`,
    "flowers.jsonl": rows
      .map(({ length, width, kind }) => JSON.stringify({ length, width, kind: kinds[kind] }))
      .join("\n"),
    "lists.jsonl": rows.map(({ kind }, i) => JSON.stringify({ targets: kinds[kind], inputs: inputs[i] })).join("\n"),
    "x.npy": npy("<f4", [count, 2], bytesOf(numbers)),
    "y.npy": npy("<i8", [count], bytesOf(labels)),
    "nan.npy": npy("<f4", [count, 2], bytesOf(numbers.map((value, i) => (i === 0 ? Number.NaN : value)))),
    "short.npy": npy("<f4", [count, 2], bytesOf(numbers).subarray(1)),
    "fortran.npy": npy("<f4", [count, 2], bytesOf(numbers), "True"),
    "flowers.safetensors": Buffer.concat([length, Buffer.from(header), bytesOf(numbers), bytesOf(labels)]),
    "x-idx2-ubyte.gz": gzipSync(
      idx(
        8,
        [count, 2],
        Uint8Array.from(inputs.flat(), (x) => x * 10),
      ),
    ),
    "y-idx1-ubyte": idx(
      8,
      [count],
      Uint8Array.from(rows, ({ kind }) => kind),
    ),
    "sums.csv": `a,b,sum\n${inputs.map(([a, b]) => `${a},${b},${(a as number) + (b as number)}`).join("\n")}\n`,
    "missing.csv": "a,b,c\n1,2,3\n4,,6\n",
    "text.csv": "a,b,c\n1,2,3\n4,red,6\n",
    "ragged.csv": "a,b,c\n1,2,3\n4,5\n",
    "empty.csv": "",
    "header.csv": "a,b,c\n",
    "twice.csv": "a,a,c\n1,2,3\n",
    "bad.jsonl": '{"a":1,"b":2}\n{"a":1,\n',
    "keys.jsonl": '{"a":1,"b":2}\n{"a":1}\n',
    "latin.csv": Buffer.from("a,b\n1,caf\xe9\n", "latin1"),
    "model.ts":
      'import { seq } from "@stepwell/sdk";\ninterface Shapes { readonly inputs: readonly number[]; readonly outputs: number }\n' +
      'export default ({ inputs, outputs }: Shapes) => seq("sequential", ["linear", inputs[0] as number, 8], "tanh", ["linear", 8, outputs]);\n',
    "model.js":
      'import { seq } from "@stepwell/sdk";\nexport const model = ({ inputs }) => seq("sequential", ["linear", ...inputs, 8], "tanh", ["linear", 8, 3]);\n',
    "model.mjs":
      'import { Module, seq } from "@stepwell/sdk";\nexport default () => Module.of(seq("sequential", ["linear", 2, 8], "tanh", ["linear", 8, 3]));\n',
    "package.json": '{ "name": "flowers", "version": "1.0.0" }',
    "own.mjs":
      'import { Module, Tensor, seq } from "@stepwell/sdk";\nclass Own extends Module {\n' +
      '  inner = Module.of(seq("sequential", ["linear", 2, 8], "tanh", ["dropout", 0.2], ["linear", 8, 3]));\n' +
      '  scale = Tensor.of([1], "grad");\n  forward(x) { return this.inner.forward(x).mul(this.scale); }\n}\n' +
      "export const model = () => new Own();\n",
    "broken.mjs": "export default nothing;\n",
    "throws.mjs": 'export default () => {\n  throw new TypeError("no shapes\\n today");\n};\n',
    "forward.mjs":
      'import { Module } from "@stepwell/sdk";\nexport default () => new (class extends Module {\n' +
      '  inner = Module.of(["linear", 2, 3]);\n  forward() { throw new Error("no output today"); }\n})();\n',
    "hex.csv": "a,b,c\n1,2,3\n0x10,5,6\n",
    "zeros.csv": "a,b,c\n1,2,01\n2,3,1\n3,4,red\n",
    "negative.npy": npy("<i8", [count], bytesOf(labels.map((label) => label - 1n))),
    "nothing.mjs": "export const other = 1;\n",
    "bad.json": '["linear", 2,',
  };
}

const hash = (name: string) =>
  createHash("sha256")
    .update(readFileSync(join(project.folder, name)))
    .digest("hex");
const train = (args: readonly string[], engine?: string) => project.run(["train", ...args], engine);
const events = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** The figures of a training by the SDK alone. */
function expectedFigures(targets: readonly number[], epochs: number): readonly unknown[] {
  k.seed(1);
  const net = k.module(k.seq(...layers));
  const model = k.model(net, k.loss("ce"), k.opt("adam", net, { lr: 0.02 }));
  k.train(model, { batchsize: 32, shuffle: true, metrics: ["loss", "accuracy"] });
  k.train(model, inputs, targets);
  return Array.from({ length: epochs }, (_, i) => ({ type: "epoch", epoch: i + 1, ...(k.run(model) as object) }));
}

describe("train", () => {
  const classes = rows.map(({ kind }) => kind);
  const common = ["--model", classifier, "--lr", "0.02", "--epochs", "3", "--no-save", "--json"];
  it.each([
    [["flowers.csv"]],
    [["flowers.tsv"]],
    [["bare.csv", "--no-header"]],
    [["flowers.jsonl"]],
    [["lists.jsonl"]],
    [["flowers.jsonl", "--features", "length,width", "--target", "kind"]],
    [["x.npy", "--targets", "y.npy"]],
    [["flowers.safetensors"]],
  ])("has the figures of the SDK: %j", (data) => {
    const { status, stdout, stderr } = train([...data, ...common, "--quiet"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const done = { type: "done", reason: "finished", epochs: 3, steps: 6, file: null };
    expect(events(stdout)).toEqual([...expectedFigures(classes, 3), done]);
  });

  it.each(engines)("learns on %s, and shows a line for each epoch where there is no terminal", (engine) => {
    const args = [
      "sums.csv",
      "--model",
      regression,
      "--option",
      "beta1=0.8",
      "--lr",
      "0.1",
      "--epochs",
      "60",
      "--no-save",
    ];
    const { status, stdout, stderr } = train([...args, "--validation", "0.25"], engine);
    expect(status).toBe(0);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(60);
    expect(lines[8]).toMatch(/^epoch {2}9\/60 {2}loss [\d.e-]+ {2}validation [\d.e-]+ {2}[\d,]+ samples\/s$/);
    const [, loss] = /validation loss ([\d.e-]+)\. Nothing was saved\.\n$/.exec(stdout) ?? [];
    expect(Number(loss)).toBeLessThan(0.05);
  });

  it("takes IDX files packed by gzip, and scales inputs", () => {
    const args = ["x-idx2-ubyte.gz", "--targets", "y-idx1-ubyte", "--scale", "--model", classifier, "--lr", "0.1"];
    const { status, stdout } = train([...args, "--epochs", "20", "--no-save", "--json", "--quiet"]);
    expect(status).toBe(0);
    expect(events(stdout).at(-2).accuracy).toBe(100);
  });

  it.each(["model.ts", "model.js", "model.mjs"])("takes a model in %s, which gets the shapes", (file) => {
    const { stdout } = train([
      "flowers.csv",
      "--model",
      file,
      "--lr",
      "0.02",
      "--epochs",
      "3",
      "--no-save",
      "--json",
      "--quiet",
    ]);
    expect(events(stdout).slice(0, 3)).toEqual(expectedFigures(classes, 3));
  });

  it.each(["permuted.csv", "permuted.jsonl"])("finds the columns of the training data by name in %s", (file) => {
    const args = ["flowers.csv", ...common, "--quiet", "--validation"];
    const { status, stdout } = train([...args, "flowers.csv"]);
    expect(status).toBe(0);
    expect(events(stdout)[2].validation.loss).toBeGreaterThan(0);
    expect(train([...args, file]).stdout).toBe(stdout);
  });

  it("says that a model has more outputs than there are classes of numbers", () => {
    const args = ["x.npy", "--targets", "y.npy", "--model", '["linear",2,10]', "--no-save", "--epochs", "1"];
    expect(train(args).stderr).toMatch(/^The model has 7 more outputs than the targets have classes\.\nepoch/);
    expect(train([...args, "--quiet"]).stderr).toBe("");
  });

  it("replaces a run and a report only on request, and another run's report never by a resumption alone", () => {
    const args = ["sums.csv", "--model", regression, "--quiet", "--out", "kept.safetensors", "--report", "kept.html"];
    expect(train([...args, "--epochs", "1"])).toMatchObject({ status: 0, stderr: "" });
    const before = [hash("kept.safetensors"), hash("kept.html")];
    const resume = ["resume", "kept.safetensors", "--epochs", "3", "--quiet", "--report", "kept.html"];
    const exists = /ERR_FILE: kept\.(html|safetensors): it exists already: --overwrite replaces it/;
    for (const { status, stderr } of [train(args), project.run(resume)]) {
      expect(stderr).toMatch(exists);
      expect(status).toBe(2);
    }
    expect([hash("kept.safetensors"), hash("kept.html")]).toEqual(before);
    expect(train([...args, "--epochs", "2", "--overwrite"])).toMatchObject({ status: 0, stderr: "" });
    expect(project.run([...resume, "--overwrite"])).toMatchObject({ status: 0, stderr: "" });
    expect(hash("kept.html")).not.toBe(before[1]);
    expect(project.run(["resume", "kept.safetensors", "--epochs", "4", "--report", "kept.safetensors"]).stderr).toMatch(
      /ERR_USAGE: --report: kept\.safetensors is the file of <file>/,
    );
    expect(project.run(["resume", "kept.safetensors", "--epochs", "4", "--report", "link.csv"]).stderr).toMatch(
      /ERR_FILE: link\.csv: it exists already, and is not a report of a training/,
    );
  });

  it("stops at a loss that is not finite, with exit code 1", () => {
    const { status, stdout, stderr } = train([
      "sums.csv",
      "--model",
      regression,
      "--optimizer",
      "sgd",
      "--lr",
      "1e20",
      "--no-save",
      "--quiet",
    ]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^stepwell: ERR_NONFINITE: the loss was not finite at step \d+\n$/);
  });

  it("keeps the last good state in the file, if a loss is not finite later", () => {
    // The rate grows until the loss overflows.
    const schedule = '{"schedule":"exponential","gamma":1.5}';
    const args = ["sums.csv", "--model", regression, "--optimizer", "sgd", "--lr", "1e-9", "--schedule", schedule];
    const { status, stderr } = train([...args, "--epochs", "500", "--out", "overflow.safetensors", "--quiet"]);
    expect(status).toBe(1);
    const [, step = "", epoch = ""] =
      /not finite at step (\d+); overflow\.safetensors has the end of epoch (\d+)\n$/.exec(stderr) ?? [];
    const { progress } = k.load(join(project.folder, "overflow.safetensors")) as unknown as {
      readonly progress: { readonly history: readonly { readonly loss: number }[]; readonly step: number };
    };
    expect(progress.history).toHaveLength(Number(epoch));
    expect(progress.step).toBeLessThan(Number(step));
    expect(progress.history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    k.free();
  });

  it("saves, and fails, if nobody reads its lines any more", async () => {
    const args = ["train", "sums.csv", "--model", regression, "--epochs", "1000000", "--json", "--quiet"];
    const child = spawn(process.execPath, [project.program, ...args, "--out", "unread.safetensors"], {
      cwd: project.folder,
      env: project.environment(),
    });
    let stderr = "";
    child.stderr.on("data", (bytes) => {
      stderr += bytes;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(1);
    expect(JSON.parse(stderr).error).toMatchObject({ code: "ERR_FILE", message: "stdout: write EPIPE" });
    expect(existsSync(join(project.folder, "unread.safetensors"))).toBe(true);
  });

  it("fails with exit code 1 if a file cannot be written any more", () => {
    // The folder of the run is removed after the checks.
    const program = `
      import { rmSync } from "node:fs";
      rmSync("gone", { recursive: true });
      export default ["linear", 2, 1];`;
    writeFileSync(join(project.folder, "removes.mjs"), program);
    mkdirSync(join(project.folder, "gone"));
    const args = ["sums.csv", "--model", "removes.mjs", "--out", "gone/run.safetensors", "--quiet"];
    const { status, stdout, stderr } = train(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^stepwell: ERR_FILE: [^\n]+\n$/);
  });

  it("ends early", () => {
    const args = [
      "sums.csv",
      "--model",
      regression,
      "--optimizer",
      "sgd",
      "--lr",
      "0",
      "--patience",
      "2",
      "--epochs",
      "9",
    ];
    const { stdout } = train([...args, "--no-shuffle", "--no-save", "--json", "--quiet"]);
    expect(events(stdout).at(-1)).toMatchObject({ reason: "earlystop", best: 1, epochs: 3 });
  });
});

describe("resume", () => {
  describe.each(engines)("on %s", (engine) => {
    it.each([
      ["JSON", ["--model", classifier, "--validation", "0.2"]],
      ["classes of its own with dropout", ["--model", "own.mjs"]],
      [
        "a schedule",
        [
          "--model",
          "model.ts",
          "--optimizer",
          "lamb",
          "--schedule",
          '{"schedule":"cosine","steps":40}',
          "--scale",
          "--clip-norm",
          "1",
        ],
      ],
    ])("10 epochs and 10 more are 20 to the byte, with a model of %s", (_, options) => {
      const on = (args: readonly string[]) => train(args, engine);
      const args = ["flowers.csv", ...options, "--batch-size", "7", "--quiet", "--overwrite"];
      expect(on([...args, "--epochs", "20", "--out", "whole.safetensors"])).toMatchObject({ status: 0, stderr: "" });
      expect(on([...args, "--epochs", "10", "--out", "part.safetensors"])).toMatchObject({ status: 0, stderr: "" });
      expect(hash("part.safetensors")).not.toBe(hash("whole.safetensors"));
      const again = project.run(["resume", "part.safetensors", "--epochs", "20", "--quiet"], engine);
      expect(again).toMatchObject({ status: 0, stderr: "" });
      expect(hash("part.safetensors")).toBe(hash("whole.safetensors"));
      // Another seed gives another file: the comparison can fail.
      on([...args, "--epochs", "20", "--out", "other.safetensors", "--seed", "2"]);
      expect(hash("other.safetensors")).not.toBe(hash("whole.safetensors"));
    });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s saves in the middle of an epoch, and the rest is the rest", async (signal, status) => {
    const args = ["flowers.csv", "--model", classifier, "--batch-size", "1", "--quiet"];
    const epochs = ["--epochs", "60"];
    expect(train([...args, ...epochs, "--out", `whole-${signal}.safetensors`]).status).toBe(0);
    const out = `part-${signal}.safetensors`;
    const child = spawn(process.execPath, [project.program, "train", ...args, ...epochs, "--out", out, "--json"], {
      cwd: project.folder,
      env: project.environment(),
    });
    let stdout = "";
    child.stdout.on("data", (bytes) => {
      if (stdout === "") {
        child.kill(signal);
        // Again, as npx does.
        setTimeout(() => child.kill(signal), 2);
      }
      stdout += bytes;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(status);
    const end = events(stdout).at(-1);
    expect(end).toMatchObject({ type: "done", reason: "aborted", file: out });
    expect(end.steps).toBeLessThan(60 * count);
    expect(project.run(["resume", out, "--quiet"])).toMatchObject({ status: 0, stderr: "" });
    expect(hash(out)).toBe(hash(`whole-${signal}.safetensors`));
  });

  it("says how to resume", () => {
    // A signal that comes before the first step.
    const program = `
      process.argv.splice(1, 1, "stepwell");
      const { makeProgram } = await import("${join(project.folder, "node_modules/@stepwell/cli/dist/program.js")}");
      process.once("newListener", (name) => name === "SIGINT" && setImmediate(() => process.emit("SIGINT", "SIGINT")));
      await makeProgram(process).parseAsync(process.argv.slice(2), { from: "user" });`;
    writeFileSync(join(project.folder, "stopped.mjs"), program);
    const args = [
      "train",
      "flowers.csv",
      "--model",
      classifier,
      "--epochs",
      "100000",
      "--out",
      "said.safetensors",
      "--quiet",
    ];
    const { status, stdout } = project.node([join(project.folder, "stopped.mjs"), ...args]);
    expect(status).toBe(130);
    expect(stdout).toMatch(
      /^Stopped after step \d+ of 200000\. Saved said\.safetensors\. Resume: npx stepwell resume said\.safetensors\n$/,
    );
  });

  it("leaves a file that a program can use: the module, the classes and the scaling of inputs", () => {
    const args = [
      "flowers.csv",
      "--model",
      classifier,
      "--scale",
      "--epochs",
      "30",
      "--lr",
      "0.05",
      "--out",
      "used.safetensors",
    ];
    const { stdout } = train([...args, "--json", "--quiet"]);
    expect(events(stdout).at(-2).accuracy).toBe(100);
    const { module, classes, scaling, progress } = k.load<{
      progress: { readonly history: readonly object[] };
      module: k.ModuleHandle;
      classes: readonly string[];
      scaling: { readonly means: readonly number[]; readonly deviations: readonly number[] };
    }>(join(project.folder, "used.safetensors"));
    const epochs = events(stdout).slice(0, -1);
    expect(progress.history).toEqual(epochs.map(({ type: _, ...figures }) => figures));
    const scaled = inputs.map((row) =>
      row.map((value, i) => (value - (scaling.means[i] as number)) / (scaling.deviations[i] as number)),
    );
    const outputs = k.tensor(k.evaluate(module, scaled), { dimensions: 2 });
    const answers = outputs.map((row) => classes[row.indexOf(Math.max(...row))]);
    expect(answers).toEqual(rows.map(({ kind }) => kinds[kind]));
    k.free();
  });

  it("refuses files that it cannot go on with, and leaves them", () => {
    train(["sums.csv", "--model", regression, "--epochs", "2", "--out", "done.safetensors", "--quiet"]);
    const before = hash("done.safetensors");
    const error = (args: readonly string[]) => project.run(["resume", ...args]).stderr;
    expect(error(["done.safetensors"])).toBe(
      "stepwell: ERR_USAGE: done.safetensors has 2 epochs of 2: --epochs gives a larger number to go on\n",
    );
    expect(error(["flowers.safetensors"])).toContain("expected a run that `stepwell train` has saved");
    expect(error(["flowers.csv"])).toContain("ERR_FORMAT");
    expect(error(["absent.safetensors"])).toContain("ERR_FILE");
    for (const run of ["null", "5", '{"version":1}', '{"version":2}']) {
      k.save(join(project.folder, "other.safetensors"), { run });
      const expected = run.includes("2") ? "a newer stepwell reads it" : "the description of its run is damaged";
      expect(error(["other.safetensors"])).toContain(`ERR_FORMAT: other.safetensors: `);
      expect(error(["other.safetensors"])).toContain(expected);
    }
    const damaged = readFileSync(join(project.folder, "done.safetensors"));
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
    writeFileSync(join(project.folder, "damaged.safetensors"), damaged);
    expect(error(["damaged.safetensors", "--epochs", "4"])).toMatch(/^stepwell: ERR_FORMAT: [^\n]*checksum[^\n]*\n$/);
    mkdirSync(join(project.folder, "moved"));
    writeFileSync(join(project.folder, "moved", "sums.csv"), "a,b,sum\n1,2,3\n2,3,5\n");
    copyFileSync(join(project.folder, "done.safetensors"), join(project.folder, "moved", "done.safetensors"));
    expect(error(["moved/done.safetensors", "--epochs", "4"])).toContain("moved/sums.csv: the data has changed");
    const text = readFileSync(join(project.folder, "sums.csv"), "utf8");
    writeFileSync(join(project.folder, "sums.csv"), text.replace("a,b,sum", "a,b,SUM"));
    expect(error(["done.safetensors", "--epochs", "4"])).toContain("the data has changed since the run began");
    writeFileSync(join(project.folder, "sums.csv"), text);
    expect(hash("done.safetensors")).toBe(before);
  });
});

describe("bad input is one line, exit code 2, and nothing written", () => {
  const flowers = ["flowers.csv", "--model", classifier];
  it.each([
    [["flowers.csv"], "ERR_USAGE", "required option '--model <model>' not specified"],
    [["absent.csv", "--model", classifier], "ERR_FILE", "absent.csv: there is no such file or folder"],
    [["folder", "--model", classifier, "--format", "csv"], "ERR_FILE", "folder: it is a folder"],
    [["x.dat", "--model", classifier], "ERR_USAGE", "expected --format"],
    [["missing.csv", "--model", regression], "ERR_FORMAT", 'line 3, "b": expected a number, given nothing'],
    [["text.csv", "--model", regression], "ERR_FORMAT", 'line 3, "b": expected a number, given "red"'],
    [["hex.csv", "--model", regression], "ERR_FORMAT", 'line 3, "a": expected a number, given "0x10"'],
    [
      ["zeros.csv", "--model", '["linear",2,2]', "--loss", "ce"],
      "ERR_SHAPE",
      "expected an output for each of 3 classes, given [2]",
    ],
    [
      ["x.npy", "--targets", "negative.npy", "--model", classifier],
      "ERR_FORMAT",
      "negative.npy: target 0: expected a class from 0 up, given -1",
    ],
    [[...flowers, "--seed", "1", "--seed", "2"], "ERR_USAGE", "--seed is given twice"],
    [["ragged.csv", "--model", regression], "ERR_FORMAT", "line 3"],
    [["empty.csv", "--model", regression], "ERR_FORMAT", "given an empty file"],
    [["header.csv", "--model", regression], "ERR_FORMAT", "expected rows after the header"],
    [["twice.csv", "--model", regression], "ERR_FORMAT", 'given "a" twice'],
    [["latin.csv", "--model", regression], "ERR_FORMAT", "expected text in UTF-8"],
    [["bad.jsonl", "--model", regression], "ERR_FORMAT", "line 2: expected JSON"],
    [["keys.jsonl", "--model", regression], "ERR_FORMAT", 'line 2: expected the key "b"'],
    [["x.npy", "--model", classifier], "ERR_USAGE", "expected --targets FILE"],
    [["x.npy", "--targets", "flowers.csv", "--model", classifier], "ERR_FORMAT", "expected an npy file"],
    [["fortran.npy", "--targets", "y.npy", "--model", classifier], "ERR_FORMAT", "numpy.ascontiguousarray"],
    [["y-idx1-ubyte", "--targets", "x.npy", "--model", classifier], "ERR_FORMAT", "expected an IDX file"],
    [["flowers.safetensors", "--target", "labels", "--model", classifier], "ERR_FORMAT", 'expected a tensor "labels"'],
    [[...flowers, "--target", "colour"], "ERR_FORMAT", 'expected a column "colour", given length, width, kind'],
    [[...flowers, "--features", "length,kind"], "ERR_FORMAT", 'the column "kind" is a feature and the target'],
    [[...flowers, "--loss", "mse"], "ERR_FORMAT", 'expected a number, given "lily"'],
    [[...flowers, "--loss", "cee"], "ERR_UNKNOWN_NAME", "cee"],
    [[...flowers, "--optimizer", "adamm"], "ERR_UNKNOWN_NAME", "adamm"],
    [[...flowers, "--option", "beta3=1"], "ERR_OPTION_UNKNOWN", "beta3"],
    [[...flowers, "--lr", "-1"], "ERR_OPTION_RANGE", "lr"],
    [[...flowers, "--lr", "fast"], "ERR_USAGE", "Expected a number."],
    [[...flowers, "--lr", "1", "--option", "lr=2"], "ERR_USAGE", "both given"],
    [[...flowers, "--epochs", "0"], "ERR_USAGE", "Expected a whole number from 1 up."],
    [[...flowers, "--schedule", "cosine"], "ERR_USAGE", "Expected JSON"],
    [[...flowers, "--schedule", '{"schedule":"cosin"}'], "ERR_UNKNOWN_NAME", "cosin"],
    [[...flowers, "--clip-norm", "0"], "ERR_OPTION_RANGE", "clipnorm"],
    [[...flowers, "--device", "tpu"], "ERR_USAGE", "Expected cpu, cuda"],
    [[...flowers, "--device", "cuda:7"], "ERR_DEVICE", "cuda"],
    [[...flowers, "--validation", "1.5"], "ERR_USAGE", "Expected a share in (0, 1)"],
    [[...flowers, "--validation", "0.001"], "ERR_ARGUMENT", "leaves none on one side"],
    [
      [...flowers, "--validation", "sums.csv"],
      "ERR_FORMAT",
      'sums.csv: expected the column "kind" of the training data, given a, b, sum',
    ],
    [[...flowers, "--validation", "wider.csv"], "ERR_FORMAT", 'wider.csv: the training data has no column "id"'],
    [[...flowers, "--validation", "numbered.csv"], "ERR_FORMAT", 'the class "0" is not in the training data'],
    [
      ["numbered.csv", "--model", classifier, "--loss", "ce", "--validation", "flowers.csv"],
      "ERR_FORMAT",
      'expected a class from 0 up, given "lily"',
    ],
    [
      [...flowers, "--validation", "flowers.safetensors", "--no-save"],
      "ERR_FORMAT",
      "expected classes of texts as in the training data",
    ],
    [[...flowers, "--features", "length,length"], "ERR_FORMAT", 'the column "length" is named twice'],
    [
      ["lilies.csv", "--model", classifier],
      "ERR_FORMAT",
      'expected targets of two classes or more, given "lily" alone',
    ],
    [["flowers.csv", "--model", '["linear",2,4]'], "ERR_SHAPE", "expected an output for each of 3 classes, given [4]"],
    [["numbered.csv", "--model", classifier], "ERR_SHAPE", "given [3]; whole numbers are classes with --loss ce"],
    [[...flowers, "--no-save", "--out", "x.safetensors"], "ERR_USAGE", "--out and --no-save are both given"],
    [["flowers.csv", "--model", '["linear",2,'], "ERR_FORMAT", "--model: expected JSON"],
    [["flowers.csv", "--model", "bad.json"], "ERR_FORMAT", "bad.json: expected JSON"],
    [["flowers.csv", "--model", "absent.ts"], "ERR_FILE", "absent.ts"],
    [["flowers.csv", "--model", "broken.mjs"], "ERR_FORMAT", "nothing is not defined"],
    [["flowers.csv", "--model", "throws.mjs"], "ERR_MODEL", "throws.mjs: its code failed: no shapes today"],
    [["flowers.csv", "--model", "forward.mjs"], "ERR_MODEL", "forward.mjs: its code failed: no output today"],
    [["flowers.csv", "--model", "nothing.mjs"], "ERR_FORMAT", "expected a default export"],
    [["flowers.csv", "--model", '["liner",2,3]'], "ERR_UNKNOWN_NAME", "liner"],
    [["flowers.csv", "--model", '["linear",3,3]'], "ERR_SHAPE", ""],
    [["flowers.csv", "--model", '["linear",2,2]'], "ERR_SHAPE", "expected an output for each of 3 classes, given [2]"],
    [["sums.csv", "--model", '["linear",2,4]'], "ERR_SHAPE", "expected outputs [1] for each target, given [4]"],
    [[...flowers, "--out", "nowhere/run.safetensors"], "ERR_FILE", "nowhere: there is no such file or folder"],
    [[...flowers, "--out", "flowers.safetensors"], "ERR_FILE", "it exists already"],
    [[...flowers, "--out", "folder", "--overwrite"], "ERR_FILE", "folder: it is a folder"],
    [
      [...flowers, "--out", "flowers.csv", "--overwrite"],
      "ERR_USAGE",
      "--out: flowers.csv is the file of <data>: expected another one",
    ],
    [[...flowers, "--out", "link.csv", "--overwrite"], "ERR_USAGE", "--out: link.csv is the file of <data>"],
    [[...flowers, "--out", "x.npy", "--overwrite"], "ERR_FILE", "x.npy: it exists already, and is not a run"],
    [[...flowers, "--out", "flowers.safetensors", "--overwrite"], "ERR_FILE", "and is not a run"],
    [[...flowers, "--report", "link.csv", "--overwrite"], "ERR_USAGE", "--report: link.csv is the file of <data>"],
    [["flowers.csv", "--model", "model.ts", "--report", "model.ts"], "ERR_USAGE", "is the file of --model"],
    [[...flowers, "--validation", "bare.csv", "--report", "bare.csv"], "ERR_USAGE", "is the file of --validation"],
    [[...flowers, "--report", "x.npy", "--overwrite"], "ERR_FILE", "x.npy: it exists already, and is not a report"],
    [[...flowers, "--out", "both", "--report", "./both"], "ERR_USAGE", "--report: ./both is the file of --out"],
    [
      [...flowers, "--tensorboard", "both", "--report", "both"],
      "ERR_USAGE",
      "--tensorboard: both is the file of --rep",
    ],
    [[...flowers, "--report", "folder", "--no-save"], "ERR_FILE", "folder: it is a folder"],
    [
      [...flowers, "--tensorboard", "flowers.csv", "--no-save"],
      "ERR_FILE",
      "flowers.csv: a part of the path is a file",
    ],
    [
      ["nan.npy", "--targets", "y.npy", "--model", classifier],
      "ERR_FORMAT",
      "expected finite inputs, given NaN at element 0",
    ],
    [
      ["x.npy", "--targets", "nan.npy", "--model", classifier],
      "ERR_FORMAT",
      "expected finite targets, given NaN at element 0",
    ],
    [
      ["short.npy", "--targets", "y.npy", "--model", classifier],
      "ERR_FORMAT",
      "expected 480 bytes of elements for [60, 2], given 479",
    ],
  ])("%j: %s", (args, code, message) => {
    const contents = () =>
      readdirSync(project.folder, { withFileTypes: true }).map(({ name, parentPath }) => [
        name,
        statSync(join(parentPath, name)).isFile() && hash(name),
      ]);
    const before = contents();
    const { status, stdout, stderr } = train(args);
    expect(stderr).toMatch(new RegExp(`^stepwell: ${code}: [^\n]+\n$`));
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(contents()).toEqual(before);
    expect(existsSync(join(project.folder, "run.safetensors"))).toBe(false);
  });
});
