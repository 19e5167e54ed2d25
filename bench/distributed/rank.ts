// One process of a group: times of a step and of its parts, in turn. Rank 0 prints the times of the slowest process as JSON.

import * as k from "@stepwell/sdk";
import type { Times, Work } from "./work.js";

const { width, layers, batch, rounds } = JSON.parse(process.argv[2] ?? "{}") as Work;

k.setting("threads", 1);
k.seed(1);
const { rank, size } = await k.initProcessGroup();

/** A module of square layers with its optimizer. */
function build() {
  const hidden = Array.from({ length: layers }, () => [["linear", width, width], "relu"] as const).flat();
  const net = k.module(k.seq("sequential", ...(hidden as ["relu"]), ["linear", width, 10]));
  return { net, o: k.opt("adam", net, 1e-4) };
}

// A step of the round that is not measured, and one of each round.
const samples = batch * size * (rounds + 1);
const inputs = k.full([samples, width], 0.1);
const classes = new BigInt64Array(samples).map((_, i) => BigInt(i % 10));
const [x, y] = [k.full([batch, width], 0.1), classes.slice(0, batch)];
const alone = build();
const shared = build();
await k.distributed(shared.o);
const whole = build();
const model = k.model(whole.net, k.loss("ce"), whole.o);
k.train(model, { batchsize: batch * size });
k.train(model, inputs, classes);
await k.distributed(model);

const one = k.tensor([1]);

/** In milliseconds, after all processes have come. */
async function timed(call: () => unknown): Promise<number> {
  await k.barrier();
  const start = performance.now();
  await call();
  return performance.now() - start;
}

let loss: k.TensorHandle | undefined;
const forward = (net: k.ModuleHandle) => {
  loss = k.ce(k.forward(net, x), y);
};
const backward = () => {
  if (loss) k.backward(loss);
  if (loss) k.free(loss);
  loss = undefined;
};

async function round(): Promise<Record<keyof Times, number>> {
  const parts = {
    forward: await timed(() => forward(alone.net)),
    backward: await timed(backward),
    optimizer: await timed(() => k.step(alone.o, { zerograd: true })),
  };
  // The gradients are there before the reduction begins.
  k.zerograd(shared.o);
  forward(shared.net);
  backward();
  const both = await timed(() => k.step(shared.o));
  const after = await timed(() => {
    k.zerograd(shared.o);
    forward(shared.net);
    backward();
    k.step(shared.o);
  });
  const step = await timed(() => k.batch(model));
  const gathers = await timed(async () => {
    for (let i = 0; i < 20; i++) k.free(await k.allGather(one));
  });
  return { ...parts, communication: both - parts.optimizer, after, step, gathers };
}

const names = ["forward", "backward", "optimizer", "communication", "after", "step", "gathers"] as const;
const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<keyof Times, number[]>;
await round();
for (let i = 0; i < rounds; i++) {
  const own = await round();
  // The slowest process of each part.
  const all = k.tensor(
    names.map((name) => own[name]),
    "double",
  );
  await k.allReduce(all, "max");
  for (const [n, value] of Array.from(k.data(all).data as Float64Array).entries()) {
    const name = names[n];
    if (name) times[name].push(value);
  }
  k.free(all);
}
if (rank === 0) console.log(JSON.stringify(times));
await k.destroyProcessGroup();
