// Trains for many steps, saves and loads on the way, and starts workers.

import { openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import * as k from "@stepwell/sdk";
import { configured, say } from "./lines.js";

export interface SoakConfig {
  readonly folder: string;
  readonly steps: number;
  readonly planted?: "a handle" | "a file" | "memory";
}

export interface SoakReport {
  readonly step: number;
  readonly rss: number;
  readonly files: number;
  readonly handles: number;
  readonly problem?: string;
}

const { folder, steps, planted } = configured<SoakConfig>();
k.setting("threads", 1);
k.seed(2);
const path = join(folder, "run");
const net = k.module(k.seq("sequential", ["linear", "a", 32, 64], "relu", ["dropout", 0.1], ["linear", "b", 64, 8]));
const optimizer = k.opt("adamw", net, { lr: 0.001 });
const loss = k.loss("mse");
const model = k.model(net, loss, optimizer);
k.free(loss);
k.train(model, { batchsize: 16, shuffle: true });
const samples = [k.randn([256, 32]), k.randn([256, 8])] as const;
k.train(model, ...samples);
k.free(...samples);
const heap: Float64Array[] = [];
const handles: k.TensorHandle[] = [];

const worker = () =>
  new Promise<number>((resolve) => {
    new Worker(new URL("./worker.js", import.meta.url), { workerData: { ending: "leave" } }).on("exit", resolve);
  });
const image = (o: k.OptimizerHandle) => JSON.stringify(k.state(o).parms.map(({ pointer, ...row }) => row));

for (let step = 1; step <= steps; step++) {
  k.batch(model, true);
  if (planted === "a handle") handles.push(k.tensor([1]));
  if (planted === "memory") heap.push(new Float64Array(4096).fill(1));
  if (step % 50 > 0) continue;
  let problem: string | undefined;
  k.save(path, { net, optimizer, model, step });
  if (planted === "a file") openSync(path, "r");
  const before = [image(optimizer), JSON.stringify(k.state(net))];
  const made = k.load<{ net: k.ModuleHandle; optimizer: k.OptimizerHandle; model: k.ModelHandle; step: number }>(path);
  if (made.step !== step || image(made.optimizer) !== before[0] || JSON.stringify(k.state(made.net)) !== before[1])
    problem = "the loaded run differs";
  k.free(made.model, made.optimizer, made.net);
  k.load(path, { net, optimizer, model });
  if (step % 250 === 0 && (await worker()) !== 0) problem = "a worker failed";
  await new Promise((resolve) => setImmediate(resolve));
  (globalThis.gc as () => void)();
  await new Promise((resolve) => setImmediate(resolve));
  const pages = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]);
  say({
    step,
    rss: pages * 4096,
    files: readdirSync("/proc/self/fd").length,
    handles: k.handlecount(),
    ...(problem ? { problem } : {}),
  } satisfies SoakReport);
}
