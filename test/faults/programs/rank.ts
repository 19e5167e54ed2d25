// A process of a group that trains and saves after each step, until another one dies, or until so many steps.

import * as k from "@stepwell/sdk";

export interface RankConfig {
  readonly path: string;
  /** Ends after so many. */
  readonly steps: number;
  /** Whether each process has a part of the state, and writes its part of the file. */
  readonly sharded: boolean;
  readonly bug?: "a process that waits on" | "dropout that begins anew";
}

const { path, steps, sharded, bug } = JSON.parse(process.argv[2] ?? "{}") as RankConfig;

/** In seconds: a process that does not answer for so long is frozen. */
const patience = 20;

k.setting("threads", 1);
k.seed(1);
const net = k.module(k.seq("sequential", ["linear", 4, 16], "relu", ["drop", 0.5], ["linear", 16, 2]));
const model = new k.Model(net, "ce", k.opt("adam", net));
const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i), i % 3, i % 5]);
const targets = inputs.map((_, i) => i % 2);
const controller = new AbortController();
const { signal } = controller;
let resume = {};
if (bug === "dropout that begins anew") {
  try {
    const { training } = k.load<{ training: k.TrainingPosition }>(path);
    k.load(path, { module: net, optimizer: model.optimizer });
    k.seed(1);
    resume = { resume: training };
  } catch {}
}
const checkpoint = { path, steps: 1, resume: bug !== "dropout that begins anew" };
try {
  await k.initProcessGroup({ timeout: patience });
  const distributed = { sharded };
  const options = { distributed, epochs: 1e6, batchsize: 16, shuffle: true, signal, checkpoint, ...resume };
  for await (const event of model.fit({ inputs, targets }, options)) {
    if (event.type !== "checkpoint") continue;
    console.log(event.step);
    if (event.step >= steps) controller.abort();
  }
  console.log("done");
} catch (error) {
  console.log((error as k.StepwellError).code);
  if (bug === "a process that waits on") setInterval(() => {}, 1000);
}
