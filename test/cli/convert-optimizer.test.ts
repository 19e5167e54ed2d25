// `stepwell convert --optimizer`: the state of an optimizer for PyTorch and back, to the bit, and with equal steps in Python's torch.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { advance, bridges, expectClose, layers, optimizers, torchNet } from "../parity/small-net.js";
import { installed, type Project } from "./installed.js";

const model = JSON.stringify(layers);

let project: Project;
const path = (name: string) => join(project.folder, name);
beforeAll(() => {
  project = installed();
});
afterAll(() => project.remove());
afterEach(() => k.free());

/** A run of some steps with two groups, and its objects. */
function trained(name: string, options: object, file: string) {
  k.seed(3);
  const net = k.module(k.seq(...layers));
  const optimizer = k.opt(name as "adam", k.child(net, "out"), options as never);
  k.opt(optimizer, 1, k.child(net, "fc"), { lr: 0.01 });
  advance(net, optimizer, 5);
  k.save(path(file), { module: net, optimizer });
  return { net, optimizer };
}

/** A state without addresses. */
const plain = (optimizer: k.OptimizerHandle) => {
  const { parms, ...others } = k.state(optimizer, true);
  return { ...others, parms: parms.map(({ name, parmgroup, size, buffers }) => ({ name, parmgroup, size, buffers })) };
};

const convert = (...args: readonly string[]) => {
  const { status, stdout, stderr } = project.run(["convert", ...args, "--overwrite"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
};

describe.each(Object.entries(optimizers))("the state of %s", (name, [options]) => {
  it("comes back to the bit, with its groups", () => {
    const { optimizer } = trained(name, options, "run.safetensors");
    const before = plain(optimizer);
    const text = convert("run.safetensors", "weights.safetensors", "--optimizer", "optimizer.safetensors");
    expect(text).toContain("Wrote optimizer.safetensors");
    expect(text).not.toContain("does not have");
    convert("weights.safetensors", "back.safetensors", "--optimizer", "optimizer.safetensors", "--model", model);
    const back = k.load<{ optimizer: k.OptimizerHandle }>(path("back.safetensors"));
    expect(plain(back.optimizer)).toEqual(before);
  });
});

it("without a step has no tensors, and comes back", () => {
  const net = k.module(k.seq(...layers));
  k.save(path("new.safetensors"), { module: net, optimizer: k.opt("adam", net, { lr: 0.5 }) });
  convert("new.safetensors", "weights.safetensors", "--optimizer", "optimizer.safetensors");
  expect(k.inspect(path("optimizer.safetensors")).tensors).toEqual([]);
  convert("weights.safetensors", "back.safetensors", "--optimizer", "optimizer.safetensors", "--model", model);
  const { optimizer } = k.load<{ optimizer: k.OptimizerHandle }>(path("back.safetensors"));
  expect(k.lr(optimizer)).toEqual([0.5]);
});

it("says which parts PyTorch does not have", () => {
  const net = k.module(k.seq(...layers));
  const optimizer = k.opt("adam", net, { moments: "bfloat16", average: 0.9 });
  k.schedule(optimizer, { schedule: "step", every: 2 });
  advance(net, optimizer, 2);
  k.save(path("run.safetensors"), { module: net, optimizer });
  const args = ["run.safetensors", "weights.safetensors", "--optimizer", "optimizer.safetensors"];
  const { leftOut } = JSON.parse(convert(...args, "--json"));
  expect(leftOut.toSorted()).toEqual(["average", "moments", "schedule"]);
  expect(convert(...args)).toMatch(/PyTorch's optimizer does not have .*schedule.*, which the file lacks\./);
});

describe("convert --optimizer refuses in one line", () => {
  const refused = (args: readonly string[], expected: RegExp) => {
    const { status, stdout, stderr } = project.run(["convert", ...args]);
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(existsSync(path("x.safetensors")) || existsSync(path("y.safetensors"))).toBe(false);
  };

  it("optimizers that PyTorch does not have, and runs without one", () => {
    const net = k.module(k.seq(...layers));
    k.save(path("lamb.safetensors"), { module: net, optimizer: k.opt("lamb", net) });
    k.save(path("none.safetensors"), { module: net });
    const to = ["x.safetensors", "--optimizer", "y.safetensors"];
    refused(["lamb.safetensors", ...to], /^stepwell: ERR_UNSUPPORTED: the state of lamb has no counterpart in PyTorch/);
    refused(["none.safetensors", ...to], /^stepwell: ERR_FORMAT: .*expected a run with an object `optimizer`/);
    refused(
      ["lamb.safetensors", "x.safetensors", "--optimizer", "x.safetensors"],
      /^stepwell: ERR_USAGE: --optimizer: x\.safetensors is the file of <to>/,
    );
  });

  it("states that do not fit the model, or that are none", () => {
    trained("adam", { lr: 0.1 }, "adam.safetensors");
    convert("adam.safetensors", "weights.safetensors", "--optimizer", "optimizer.safetensors");
    const bytes = readFileSync(path("optimizer.safetensors"));
    const length = Number(bytes.readBigUInt64LE());
    const header = bytes.subarray(8, 8 + length).toString();
    /** The file with another text in its header, of the same length. */
    const changed = (from: string, to: string) => {
      expect(header).toContain(from);
      const text = header.replace(from, to).padEnd(length).slice(0, length);
      writeFileSync(
        path("changed.safetensors"),
        Buffer.concat([bytes.subarray(0, 8), Buffer.from(text), bytes.subarray(8 + length)]),
      );
    };
    const take = ["weights.safetensors", "x.safetensors", "--model", model, "--optimizer", "changed.safetensors"];
    for (const [from, to, expected] of [
      ['"optimizer":"Adam"', '"optimizer":"Lion"', /expected one of .*, given "Lion"/],
      ["state.0.exp_avg_sq", "state.9.exp_avg_sq", /the tensor "state\.9\.exp_avg_sq" is not a state of Adam/],
      ["out.weight", "out.height", /the model has no parameter "out\.height"/],
      ["betas", "beats", /ERR_OPTION_UNKNOWN: .*beats/],
      ["param_groups", "param_grouqs", /"param_groups" of its metadata, as `save_state`/],
      ['"F32"', '"U16"', /has the type U16/],
    ] as const) {
      changed(from, to);
      refused(take, expected);
    }
    writeFileSync(path("changed.safetensors"), bytes.subarray(0, bytes.length - 8));
    refused(take, /ERR_FORMAT: .*the file ends in the tensor/);
    refused([...take.slice(0, -1), "absent.safetensors"], /^stepwell: ERR_FILE/);
  });
});

/** A Python with torch 2.11 and safetensors: STEPWELL_BENCH_PYTHON, or the machine's own. */
const python = [process.env.STEPWELL_BENCH_PYTHON, "python3"].find((program) => {
  const check = "import torch, safetensors.torch; assert torch.__version__.startswith('2.11')";
  return program !== undefined && spawnSync(program, ["-c", check]).status === 0;
});

describe.runIf(python !== undefined)("in Python's torch", () => {
  const run = (program: string): readonly number[] => {
    const head = `
import json, sys, torch
from safetensors.torch import load_file, save_file
sys.path.insert(0, ${JSON.stringify(bridges)})
from optimizer_state import load_state, save_state
${torchNet}`;
    const { status, stdout, stderr } = spawnSync(python as string, ["-c", head + program], {
      encoding: "utf8",
      cwd: project.folder,
    });
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  it.each(Object.entries(optimizers))("a run of %s goes on with equal steps", (name, [options, type]) => {
    const { net, optimizer } = trained(name, options, "run.safetensors");
    convert("run.safetensors", "weights.safetensors", "--optimizer", "optimizer.safetensors");
    const losses = run(`
net.load_state_dict(load_file("weights.safetensors"))
optimizer = torch.optim.${type}([{"params": net.out.parameters()}, {"params": net.fc.parameters()}], lr=1.0)
load_state("optimizer.safetensors", optimizer)
print(json.dumps(advance(optimizer, 10)))`);
    expectClose(losses, advance(net, optimizer, 10));
  });

  it.each(Object.entries(optimizers))("a state of %s comes from there, and goes on", (_, [, type, theirs]) => {
    const losses = run(`
torch.manual_seed(1)
optimizer = torch.optim.${type}([{"params": net.out.parameters()}, {"params": net.fc.parameters(), "lr": 0.01}], ${theirs})
advance(optimizer, 5)
save_file(net.state_dict(), "weights.safetensors")
save_state("optimizer.safetensors", optimizer, net)
print(json.dumps(advance(optimizer, 10)))`);
    convert("weights.safetensors", "run.safetensors", "--optimizer", "optimizer.safetensors", "--model", model);
    const loaded = k.load<{ module: k.ModuleHandle; optimizer: k.OptimizerHandle }>(path("run.safetensors"));
    expectClose(advance(loaded.module, loaded.optimizer, 10), losses);
  });

  it("Adam maximizes with decoupled weight decay and a tensor as its rate, in all groups or in none", () => {
    const [losses, refused] = run(`
half = [{"params": net.out.parameters(), "decoupled_weight_decay": True}, {"params": net.fc.parameters()}]
save_state("half.safetensors", torch.optim.Adam(half), net)
optimizer = torch.optim.Adam(net.parameters(), torch.tensor(0.125), maximize=True, decoupled_weight_decay=True)
advance(optimizer, 2)
save_file(net.state_dict(), "weights.safetensors")
save_state("optimizer.safetensors", optimizer, net)
try:
    load_state("optimizer.safetensors", torch.optim.AdamW(net.parameters()))
except ValueError as error:
    refused = str(error)
print(json.dumps([advance(optimizer, 3), refused]))`) as unknown as [number[], string];
    expect(refused).toBe("optimizer.safetensors: expected the state of AdamW, given one of Adam");
    convert("weights.safetensors", "run.safetensors", "--optimizer", "optimizer.safetensors", "--model", model);
    const loaded = k.load<{ module: k.ModuleHandle; optimizer: k.OptimizerHandle }>(path("run.safetensors"));
    expect(k.state(loaded.optimizer).optimizer).toBe("adamw");
    expectClose(advance(loaded.module, loaded.optimizer, 3), losses);
    const args = ["weights.safetensors", "x.safetensors", "--optimizer", "half.safetensors", "--model", model];
    const { stderr } = project.run(["convert", ...args]);
    expect(stderr).toMatch(/^stepwell: ERR_FORMAT: .*expected one "decoupled_weight_decay" in all groups, given 1/);
  });
});
