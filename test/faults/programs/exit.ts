// Ends in one of several ways, with objects that live and work that goes on.

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import * as k from "@stepwell/sdk";
import type { ExitConfig, Scene } from "../exit-scenes.js";
import { configured } from "./lines.js";
import type { Ending } from "./worker.js";

const { scene, folder } = configured<ExitConfig>();
const m = k.module(k.seq("sequential", ["linear", 8, 64], "relu", ["linear", 64, 4]));
const o = k.opt("adam", m);
const [input, target] = [k.full([16, 8], 0.5), k.full([16, 4], 1)];
const loss = () => k.mse(k.forward(m, input), target);
k.backward(loss());
k.step(o);

const samples = { inputs: Array(64).fill(Array(8).fill(1)), targets: Array(64).fill([1, 1, 1, 1]) };
const model = () => {
  const net = k.Module.of(["linear", 8, 4]);
  return new k.Model(net, "mse", k.optimizer("adam").build(net));
};

const worker = (ending: Ending) =>
  new Promise((resolve) => {
    const made = new Worker(new URL("./worker.js", import.meta.url), { workerData: { ending } });
    made.on("message", resolve);
  });

const ends: Readonly<Record<Scene, () => unknown>> = {
  "live objects": () => {},
  "a graph that lives": () => {
    Object.assign(globalThis, { kept: loss() });
  },
  "within a closure": () => k.step(o, () => process.exit(0)),
  "within the pass of an own module": () =>
    k.forward(
      k.callback(() => process.exit(0)),
      input,
    ),
  "while a fit is awaited": async () => {
    setTimeout(() => process.exit(0), 20);
    await model().fit(samples, { epochs: 1e6 });
  },
  "between the events of a fit": async () => {
    for await (const _ of model().fit(samples, { epochs: 10 })) process.exit(0);
  },
  "workers that train": async () => {
    await Promise.all([worker("endless"), worker("endless"), worker("endless")]);
    process.exit(0);
  },
  "a worker that saves": async () => {
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData.sdk).then((k) => {
        const x = k.full([500000], 1);
        parentPort.postMessage("ready");
        for (;;) k.save(workerData.path, { x });
      });`;
    const workerData = { sdk: import.meta.resolve("@stepwell/sdk"), path: join(folder, "run") };
    const saving = new Worker(code, { eval: true, workerData });
    await new Promise((resolve) => saving.on("message", resolve));
    await new Promise((resolve) => setTimeout(resolve, 15));
    process.exit(0);
  },
  "after a save": () => k.save(join(folder, "run"), { m, o }),
  "in a finalizer": () => {
    const registry = new FinalizationRegistry(() => process.exit(0));
    registry.register({}, 1);
    const timer = setInterval(() => {
      for (let i = 0; i < 100; i++) k.tensor([i]);
      (globalThis.gc as () => void)();
    }, 1);
    setTimeout(() => clearInterval(timer), 2000);
  },
  never: () => setInterval(() => {}, 1000),
  "with words": () => console.error("words"),
};
await ends[scene]();
