// Ends while a call waits for a process that does not come.

import { isMainThread, parentPort, Worker } from "node:worker_threads";
import * as k from "@stepwell/sdk";

const { how, timeout } = JSON.parse(process.argv[2] ?? "{}") as { how: string; timeout: number };

const { RANK } = process.env;

/** In milliseconds: until then the call waits. */
const delay = 300;

function end(): void {
  console.log("waits");
  if (how === "process.exit as the other one comes") {
    // After the listener of the SDK, which has seen a call that waits. The other process comes now, so that none waits any more.
    process.on("exit", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000));
  }
  if (how === "an exception that nothing catches") throw new Error("nothing catches it");
  if (how === "a signal that the program handles") process.on("SIGTERM", () => process.exit(9));
  if (how.startsWith("a signal")) process.kill(process.pid, "SIGTERM");
  else process.exit(7);
}

const forever = () => setInterval(() => {}, 1e9);

if (RANK === "1") {
  if (how !== "process.exit before the processes have met") await k.initProcessGroup({ timeout });
  process.on("SIGUSR2", () => void k.barrier());
  forever();
} else if (how === "the end of a worker" && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  await new Promise((resolve) => worker.once("message", resolve));
  await new Promise((resolve) => setTimeout(resolve, delay));
  await worker.terminate();
  console.log("waits");
} else {
  if (how === "process.exit before the processes have met") setTimeout(end, delay);
  await k.initProcessGroup({ timeout });
  if (isMainThread) setTimeout(end, delay);
  else parentPort?.postMessage("met");
  await k.barrier();
}
