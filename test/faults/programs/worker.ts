// A worker that trains, and ends in one of several ways.

import { parentPort, workerData } from "node:worker_threads";
import * as k from "@stepwell/sdk";

/** `finish` frees its objects, `leave` does not, `exit` ends itself, `endless` is to be terminated, `stay` never ends: a planted bug. */
export type Ending = "finish" | "leave" | "exit" | "endless" | "stay" | "fail";

const { ending } = workerData as { ending: Ending };
k.setting("threads", 1);
const m = k.module(k.seq("sequential", ["linear", 8, 64], "relu", ["linear", 64, 4]));
const o = k.opt("adam", m);
const [input, target] = [k.full([16, 8], 0.5), k.full([16, 4], 1)];
const train = () =>
  k.scoped(() => {
    k.backward(k.mse(k.forward(m, input), target));
    k.step(o, { zerograd: true });
  });
for (let i = 0; i < 5; i++) train();
parentPort?.postMessage("trained");
if (ending === "endless") for (;;) train();
if (ending === "finish") k.free();
if (ending === "exit") process.exit(3);
if (ending === "stay") setInterval(() => {}, 1000);
if (ending === "fail") process.exit(1);
