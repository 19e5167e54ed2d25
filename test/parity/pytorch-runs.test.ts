// Runs in PyTorch and back: Python's own torch continues with equal steps, and its safetensors reads the tensors.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";
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

  it.each(Object.entries(optimizers))("of %s that maximizes does so on both sides", async (name, [options, type]) => {
    k.seed(3);
    const net = network();
    const optimizer = k.opt(name as "adam", net, { ...options, maximize: true } as never);
    advance(net, optimizer, 2);
    k.save(path, { net, optimizer });
    const minimized = join(folder, "minimized.safetensors");
    k.save(minimized, { net, optimizer: k.opt(name as "adam", net) });
    const [losses, more, other] = (await run(`${torchNet}
optimizer = torch.optim.${type}(net.parameters(), lr=1.0)
load_run(${JSON.stringify(path)}, net, optimizer)
losses = advance(optimizer, 3)
save_run(${JSON.stringify(path)}, net, optimizer)
more = advance(optimizer, 3)
load_run(${JSON.stringify(minimized)}, net, optimizer)
result = [losses, more, optimizer.param_groups[0]["maximize"]]`)) as [number[], number[], boolean];
    expectClose(losses, advance(net, optimizer, 3));
    const again = network();
    const restored = k.opt(name as "adam", again);
    k.load(path, { net: again, optimizer: restored }, { verify: false });
    expectClose(advance(again, restored, 3), more);
    expect(other).toBe(false);
  });

  it("of Adam with decoupled weight decay is one of adamw, both ways", async () => {
    const decoupled = "optimizer = torch.optim.Adam(net.parameters(), weight_decay=0.5, decoupled_weight_decay=True)";
    const more = (await run(`${torchNet}
${decoupled}
advance(optimizer, 2)
save_run(${JSON.stringify(path)}, net, optimizer)
result = advance(optimizer, 3)`)) as number[];
    const net = network();
    const adam = k.opt("adam", net);
    expectError("ERR_FORMAT", () => k.load(path, { net, optimizer: adam }, { verify: false }));
    const optimizer = k.opt("adamw", net);
    k.load(path, { net, optimizer }, { verify: false });
    expectClose(advance(net, optimizer, 3), more);
    k.save(path, { net, optimizer });
    const losses = (await run(`${torchNet}
${decoupled}
load_run(${JSON.stringify(path)}, net, optimizer)
result = advance(optimizer, 3)`)) as number[];
    expectClose(losses, advance(net, optimizer, 3));
  });

  it("begins with the sums of Adagrad, and keeps frozen parameters frozen", async () => {
    k.seed(3);
    const net = network();
    const optimizer = k.opt("adagrad", net, { lr: 0.1, init: 0.5 });
    k.freeze(k.child(net, "fc"));
    k.save(path, { net, optimizer });
    const [losses, trained] = (await run(`${torchNet}
optimizer = torch.optim.Adagrad(net.parameters())
net.out.bias.requires_grad_(False)
load_run(${JSON.stringify(path)}, net, optimizer)
result = [advance(optimizer, 3), [key for key, p in net.named_parameters() if p.requires_grad]]`)) as [
      number[],
      string[],
    ];
    expectClose(losses, advance(net, optimizer, 3));
    expect(trained).toEqual(["out.weight", "out.bias"]);
  });

  it("of save_run sets given objects, and says that it makes none", async () => {
    await run(`${torchNet}
save_run(${JSON.stringify(path)}, net, torch.optim.Adam(net.parameters()))
result = 0`);
    const words = 'load: `net`: expected a name without dots, given "fc.weight": its file has no layers';
    const load = () => k.load(path, {}, { verify: false });
    expect(expectError("ERR_ARGUMENT", load)).toBe(`${words}, so it sets a given module and makes none`);
  });

  it("takes learning rates that are tensors", async () => {
    const more = (await run(`${torchNet}
optimizer = torch.optim.Adam(net.parameters(), lr=torch.tensor(0.125))
advance(optimizer, 2)
save_run(${JSON.stringify(path)}, net, optimizer)
result = advance(optimizer, 3)`)) as number[];
    const net = network();
    const optimizer = k.opt("adam", net);
    k.load(path, { net, optimizer }, { verify: false });
    expect(k.lr(optimizer)).toEqual([0.125]);
    expectClose(advance(net, optimizer, 3), more);
  });

  it("sets nothing for another kind, other groups, or swapped averages, and tells what is left out", async () => {
    const net = network();
    const files = ["adamw", "groups", "averaged", "schedule"].map((name) => join(folder, `${name}.safetensors`));
    const [kind = "", groups = "", averaged = "", schedule = ""] = files;
    k.save(kind, { net, optimizer: k.opt("adamw", net) });
    const split = k.opt("sgd", k.child(net, "out"));
    k.opt(split, 1, k.child(net, "fc"));
    k.save(groups, { net, optimizer: split });
    const optimizer = k.opt("sgd", net, { average: 0.9 });
    k.schedule(optimizer, { schedule: "step", every: 2 });
    advance(net, optimizer, 1);
    k.save(schedule, { net, optimizer });
    k.average(optimizer);
    k.save(averaged, { net, optimizer });
    const found = await run(`${torchNet}
import warnings
def outcome(path, groups=net.parameters):
    optimizer = torch.optim.SGD(groups())
    before = [net.out.bias.tolist(), optimizer.state_dict()]
    try:
        load_run(path, net, optimizer)
        return "loaded"
    except ValueError as error:
        return [str(error).split(": ", 1)[1].split(",")[0], before == [net.out.bias.tolist(), optimizer.state_dict()]]
def refusal(optimizer):
    try:
        save_run(${JSON.stringify(path)}, net, optimizer)
    except ValueError as error:
        return str(error).split(", given ")[1].split(",")[0]
files = ${JSON.stringify([kind, groups, averaged])}
swapped = lambda: [{"params": net.fc.parameters()}, {"params": net.out.parameters()}]
result = [outcome(file) for file in files] + [outcome(files[1], swapped)]
half = [{"params": net.fc.parameters(), "decoupled_weight_decay": True}, {"params": net.out.parameters()}]
result += [refusal(torch.optim.NAdam(net.parameters())), refusal(torch.optim.Adam(half))]
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    result += [outcome(${JSON.stringify(schedule)}), [str(one.message).split(": ", 1)[1] for one in told]]`);
    const refused = ["expected kind", true];
    expect(found).toEqual([
      ...[refused, refused, refused, refused],
      ...["nadam", "adam", "loaded"],
      ["PyTorch's optimizer has no average, param_average, schedule: left out"],
    ]);
  });

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
