// Runs in PyTorch and back: Python's own torch continues with equal steps, and its safetensors reads the tensors.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-pytorch-"));
const path = join(folder, "run.safetensors");
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const bridges = fileURLToPath(new URL("../../bridges/pytorch", import.meta.url));
/** A Python with torch 2.11 and safetensors: STEPWELL_BENCH_PYTHON, or the machine's own. */
const python = [process.env.STEPWELL_BENCH_PYTHON, "python3"].find((program) => {
  const check = "import torch, safetensors.torch; assert torch.__version__.startswith('2.11')";
  return program !== undefined && spawnSync(program, ["-c", check]).status === 0;
});
if (differences.files && python === undefined) {
  console.warn("runs in PyTorch are not tested: STEPWELL_BENCH_PYTHON names no Python with torch 2.11 and safetensors");
}

/** Runs a program that prints JSON. */
function run(program: string): unknown {
  const head = `import json, sys, torch\nsys.path.insert(0, ${JSON.stringify(bridges)})\nfrom load_run import load_run\nfrom save_run import save_run\n`;
  const { status, stdout, stderr } = spawnSync(python as string, ["-c", head + program], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const rows = Array.from({ length: 8 }, (_, i) => [Math.sin(i), Math.cos(i), i / 8]);
const targets = Array.from({ length: 8 }, (_, i) => [Math.sin(3 * i)]);

/** Options of an optimizer, here and in PyTorch. */
const optimizers = {
  adam: [{ lr: 0.02, amsgrad: true, decay: 0.1 }, "Adam", "lr=0.02, amsgrad=True, weight_decay=0.1"],
  adamw: [{ lr: 0.02, beta1: 0.8 }, "AdamW", "lr=0.02, betas=(0.8, 0.999)"],
  sgd: [{ lr: 0.05, momentum: 0.9, nesterov: true }, "SGD", "lr=0.05, momentum=0.9, nesterov=True"],
  rmsprop: [{ lr: 0.02, momentum: 0.5, centered: true }, "RMSprop", "lr=0.02, momentum=0.5, centered=True"],
  adagrad: [{ lr: 0.05, lrdecay: 0.01 }, "Adagrad", "lr=0.05, lr_decay=0.01"],
} as const;

const network = () => k.module(k.seq("sequential", ["linear", "fc", 3, 4], "tanh", ["linear", "out", 4, 1]));
const torchNetwork = `
from collections import OrderedDict
net = torch.nn.Sequential(OrderedDict(fc=torch.nn.Linear(3, 4), act=torch.nn.Tanh(), out=torch.nn.Linear(4, 1)))
x, y = torch.tensor(${JSON.stringify(rows)}), torch.tensor(${JSON.stringify(targets)})
def advance(optimizer, steps):
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
`;

function advance(net: k.ModuleHandle, optimizer: k.OptimizerHandle, steps: number): number[] {
  return Array.from({ length: steps }, () => {
    const loss = k.mse(k.forward(net, rows), targets);
    k.backward(loss);
    k.step(optimizer, { zerograd: true });
    return Number(k.take(loss));
  });
}

/** Fails unless numbers agree to the tolerance of PyTorch's own tests for numbers of 32 bits. */
function expectClose(found: readonly number[], expected: readonly number[]) {
  expect(found.length).toBe(expected.length);
  found.forEach((number, i) => {
    expect(Math.abs(number - (expected[i] as number))).toBeLessThanOrEqual(1e-5 + 1.3e-6 * Math.abs(number));
  });
}

describe.runIf(differences.files && python !== undefined)("a run in PyTorch", () => {
  it.each(Object.entries(optimizers))("of %s continues there with equal steps", (name, [options, type, theirs]) => {
    k.seed(3);
    const net = network();
    const optimizer = k.opt(name as "adam", net, options as never);
    advance(net, optimizer, 5);
    k.save(path, { net, optimizer });
    const [losses, lr] = run(`${torchNetwork}
optimizer = torch.optim.${type}(net.parameters(), ${theirs.replace(/lr=[\d.]+/, "lr=1.0")})
load_run(${JSON.stringify(path)}, net, optimizer)
print(json.dumps([advance(optimizer, 10), optimizer.param_groups[0]["lr"]]))`) as [number[], number];
    expect(lr).toBe(options.lr);
    expectClose(losses, advance(net, optimizer, 10));
  });

  it.each(Object.entries(optimizers))("of %s comes back, and continues with equal steps", (name, [, type, theirs]) => {
    const losses = run(`${torchNetwork}
torch.manual_seed(1)
optimizer = torch.optim.${type}(net.parameters(), ${theirs})
net.fc.bias.requires_grad_(False)
advance(optimizer, 5)
save_run(${JSON.stringify(path)}, net, optimizer)
print(json.dumps(advance(optimizer, 10)))`) as number[];
    const net = network();
    const optimizer = k.opt(name as "adam", net);
    k.load(path, { net, optimizer }, { verify: false });
    expectClose(advance(net, optimizer, 10), losses);
    expect(k.gradflag(k.parm(net, "fc.bias"))).toBe(false);
  });

  it("has tensors that safetensors reads to the bit", () => {
    const net = network();
    const optimizer = k.opt("adam", net);
    advance(net, optimizer, 2);
    k.save(path, { net, optimizer, epoch: 3 });
    const found = run(`
from safetensors import safe_open
with safe_open(${JSON.stringify(path)}, "pt") as file:
    tensors = {key: file.get_tensor(key) for key in file.keys()}
print(json.dumps({key: [list(t.shape), t.numpy().tobytes().hex()] for key, t in tensors.items()}))`);
    const expected = k.inspect(path).tensors.map(({ name }) => {
      const [, parameter = "", key] = /^(?:net|optimizer)\.(\w+\.\w+)(?:\.(\w+))?$/.exec(name) ?? [];
      const buffers = k.state(optimizer).parms.find((row) => row.name === parameter)?.buffers ?? {};
      const { data, shape } = key ? (buffers[key] as k.TypedTensor) : k.data(k.parm(net, parameter));
      return [name, [shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")]];
    });
    expect(found).toEqual(Object.fromEntries(expected));
  });
});
