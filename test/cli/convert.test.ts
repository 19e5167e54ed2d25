// `stepwell convert`, between runs, files of modules and files that PyTorch has written.

import { copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { installed, type Project } from "./installed.js";

const layers = ["sequential", ["linear", "fc", 2, 4], "tanh", ["linear", 4, 1]] as const;
const model = JSON.stringify(layers);

let project: Project;
const path = (name: string) => join(project.folder, name);
beforeAll(() => {
  project = installed();
  copyFileSync(fileURLToPath(new URL("../parity/batchnorm.safetensors", import.meta.url)), path("pytorch.safetensors"));
  writeFileSync(path("data.csv"), "a,b,sum\n1,2,3\n4,5,9\n0,1,1\n2,2,4\n");
  writeFileSync(
    path("own.mjs"),
    'import { Module, Tensor } from "@stepwell/sdk";\nexport default class Own extends Module {\n  weight = Tensor.of([[1, 2]], "grad");\n' +
      "  forward(x) { return x.matmul(this.weight.transpose(0, 1)); }\n}\n",
  );
  writeFileSync(path("make.mjs"), 'import Own from "./own.mjs";\nexport const model = () => new Own();\n');
  writeFileSync(path("shapes.mjs"), 'export default ({ inputs }) => ["linear", inputs[0], 1];\n');
  const train = (...args: readonly string[]) =>
    expect(project.run(["train", "data.csv", "--epochs", "2", "--quiet", ...args])).toMatchObject({ status: 0 });
  train("--model", model, "--out", "run.safetensors");
  train("--model", "make.mjs", "--out", "own.safetensors");
});
afterAll(() => project.remove());
afterEach(() => k.free());

const convert = (...args: readonly string[]) => project.run(["convert", ...args]);

/** Parameters and buffers by name, as the SDK loads them. */
const tensorsOf = (module: k.AnyModule) =>
  Object.fromEntries(
    [...k.parmnames(module), ...k.buffernames(module)].map((name) => {
      const owner = k.parmnames(module).includes(name) ? k.parm(module, name) : k.buffer(module, name);
      return [name, k.data(owner)];
    }),
  );

describe("convert", () => {
  it("writes the module of a run with the names of a state_dict", () => {
    const { status, stdout } = convert("run.safetensors", "weights.safetensors", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      from: "run.safetensors",
      to: "weights.safetensors",
      tensors: k.inspect(path("weights.safetensors")).tensors,
    });
    const { module } = k.load<{ module: k.ModuleHandle }>(path("run.safetensors"));
    const other = k.module(k.seq(...layers));
    k.load(other, path("weights.safetensors"));
    expect(tensorsOf(other)).toEqual(tensorsOf(module));
    expect(Object.keys(tensorsOf(other))).toEqual(["fc.weight", "fc.bias", "2.weight", "2.bias"]);
  });

  it("takes a file that PyTorch has written", () => {
    // The recording of test/contract/load.test.ts.
    const network = ["sequential", ["linear", 3, 4], ["batchnorm", 4], "relu", ["linear", 4, 2]] as const;
    const names = k.inspect(path("pytorch.safetensors")).tensors.map(({ name }) => name);
    const { status, stderr } = convert("pytorch.safetensors", "ours.safetensors", "--model", JSON.stringify(network));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [ours, theirs] = ["ours.safetensors", "pytorch.safetensors"].map((name) => {
      const module = k.module(k.seq(...network));
      k.load(module, path(name));
      return tensorsOf(module);
    });
    expect(ours).toEqual(theirs);
    expect(Object.keys(ours as object).toSorted()).toEqual(names.toSorted());
    expect(k.inspect(path("ours.safetensors")).sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("converts float types on request, and takes layers of classes", () => {
    const net = k.module(k.seq(...layers));
    k.to(net, "double");
    k.save(net, path("double.safetensors"));
    expect(convert("double.safetensors", "cast.safetensors", "--model", model).stderr).toMatch(/^stepwell: ERR_DTYPE/);
    expect(convert("double.safetensors", "cast.safetensors", "--model", model, "--cast").status).toBe(0);
    expect(k.inspect(path("cast.safetensors")).tensors.map(({ dtype }) => dtype)).toEqual(Array(4).fill("float"));
    expect(convert("own.safetensors", "own-weights.safetensors", "--model", "make.mjs")).toMatchObject({ status: 0 });
    const [weight] = k.inspect(path("own-weights.safetensors")).tensors;
    expect(weight).toMatchObject({ name: "weight", shape: [1, 2] });
  });

  it.each([
    [["weights.csv", "x.safetensors"], "ERR_FILE"],
    [["data.csv", "x.safetensors"], "ERR_FORMAT"],
    [["pytorch.safetensors", "x.safetensors"], "ERR_USAGE"],
    [["pytorch.safetensors", "x.safetensors", "--model", '["linear",2,2]'], "ERR_SHAPE|ERR_FORMAT|ERR_ARGUMENT"],
    [["pytorch.safetensors", "x.safetensors", "--model", "shapes.mjs"], "ERR_USAGE"],
    [["pytorch.safetensors", "pytorch.safetensors", "--model", model, "--overwrite"], "ERR_USAGE"],
    [["run.safetensors", "run.safetensors"], "ERR_USAGE"],
    [["run.safetensors", "own.safetensors"], "ERR_FILE"],
    [["run.safetensors", "data.csv", "--overwrite"], "ERR_FILE"],
    [["run.safetensors", "x.safetensors", "--optimizer", "./x.safetensors"], "ERR_USAGE"],
    [["run.safetensors", "x.safetensors", "--optimizer", "data.csv", "--overwrite"], "ERR_FILE"],
    [["own.safetensors", "make.mjs", "--model", "make.mjs", "--overwrite"], "ERR_USAGE"],
    [["run.safetensors", "x.safetensors", "--cast"], "ERR_USAGE"],
    [["run.safetensors", "nowhere/x.safetensors"], "ERR_FILE"],
  ])("refuses %j in one line", (args, code) => {
    const before = readdirSync(project.folder).sort();
    const { status, stdout, stderr } = convert(...args);
    expect(stderr).toMatch(new RegExp(`^stepwell: (?:${code}): [^\n]+\n$`));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(existsSync(path("x.safetensors"))).toBe(false);
    expect(readdirSync(project.folder).sort()).toEqual(before);
  });
});
