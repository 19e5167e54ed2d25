// Runs in PyTorch and back: Python's own torch continues with equal steps, and its safetensors reads the tensors.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { advance, bridges, expectClose, layers, optimizers, torchNet } from "./small-net.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-pytorch-"));
const path = join(folder, "run.safetensors");
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs each line, which is the text of a program as JSON, and answers with its `result`. Importing torch takes seconds, once. */
const loop = `
import json, sys, traceback
import torch, safetensors.torch
assert torch.__version__.startswith("2.11")
sys.path.insert(0, ${JSON.stringify(bridges)})
from load_run import load_run
from save_run import save_run
print("ready", flush=True)
for line in sys.stdin:
    scope = {"torch": torch, "load_run": load_run, "save_run": save_run}
    try:
        exec(json.loads(line), scope)
        answer = {"result": scope["result"]}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
`;

/** A process of Python with torch 2.11 and safetensors, which runs programs. */
interface Python {
  readonly run: (program: string) => Promise<unknown>;
  readonly end: () => void;
}

/** The process of a program, unless it lacks the packages. */
async function start(program: string): Promise<Python | undefined> {
  const child = spawn(program, ["-c", loop], { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => undefined);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  if ((await lines.next()).value !== "ready") return undefined;
  return {
    run: async (text) => {
      child.stdin.write(`${JSON.stringify(text)}\n`);
      const answer = JSON.parse((await lines.next()).value as string) as { result?: unknown; error?: string };
      expect(answer.error).toBeUndefined();
      return answer.result;
    },
    end: () => child.stdin.end(),
  };
}

/** STEPWELL_BENCH_PYTHON, or the machine's own. */
const own = process.env.STEPWELL_BENCH_PYTHON;
const python = (own && (await start(own))) || (await start("python3"));
if (python === undefined) {
  console.warn("runs in PyTorch are not tested: STEPWELL_BENCH_PYTHON names no Python with torch 2.11 and safetensors");
}
afterAll(() => python?.end());
const run = (program: string) => (python as Python).run(program);

const network = () => k.module(k.seq(...layers));

describe.runIf(python !== undefined)("a run in PyTorch", () => {
  it.each(Object.entries(optimizers))(
    "of %s continues there with equal steps",
    async (name, [options, type, theirs]) => {
      k.seed(3);
      const net = network();
      const optimizer = k.opt(name as "adam", net, options as never);
      advance(net, optimizer, 5);
      k.save(path, { net, optimizer });
      const [losses, lr] = (await run(`${torchNet}
optimizer = torch.optim.${type}(net.parameters(), ${theirs.replace(/lr=[\d.]+/, "lr=1.0")})
load_run(${JSON.stringify(path)}, net, optimizer)
result = [advance(optimizer, 10), optimizer.param_groups[0]["lr"]]`)) as [number[], number];
      expect(lr).toBe(options.lr);
      expectClose(losses, advance(net, optimizer, 10));
    },
  );

  it.each(Object.entries(optimizers))(
    "of %s comes back, and continues with equal steps",
    async (name, [, type, theirs]) => {
      const losses = (await run(`${torchNet}
torch.manual_seed(1)
optimizer = torch.optim.${type}(net.parameters(), ${theirs})
net.fc.bias.requires_grad_(False)
advance(optimizer, 5)
save_run(${JSON.stringify(path)}, net, optimizer)
result = advance(optimizer, 10)`)) as number[];
      const net = network();
      const optimizer = k.opt(name as "adam", net);
      k.load(path, { net, optimizer }, { verify: false });
      expectClose(advance(net, optimizer, 10), losses);
      expect(k.gradflag(k.parm(net, "fc.bias"))).toBe(false);
    },
  );

  it("has tensors that safetensors reads to the bit", async () => {
    const net = network();
    const optimizer = k.opt("adam", net);
    advance(net, optimizer, 2);
    k.save(path, { net, optimizer, epoch: 3 });
    const found = await run(`
from safetensors import safe_open
with safe_open(${JSON.stringify(path)}, "pt") as file:
    tensors = {key: file.get_tensor(key) for key in file.keys()}
result = {key: [list(t.shape), t.numpy().tobytes().hex()] for key, t in tensors.items()}`);
    const expected = k.inspect(path).tensors.map(({ name }) => {
      const [, parameter = "", key] = /^(?:net|optimizer)\.(\w+\.\w+)(?:\.(\w+))?$/.exec(name) ?? [];
      const buffers = k.state(optimizer).parms.find((row) => row.name === parameter)?.buffers ?? {};
      const { data, shape } = key ? (buffers[key] as k.TypedTensor) : k.data(k.parm(net, parameter));
      return [name, [shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")]];
    });
    expect(found).toEqual(Object.fromEntries(expected));
  });
});
