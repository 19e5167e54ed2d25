// The program that `stepwell launch` starts next to its processes. It reads which of them run: `+` or `-` and the id, a line each. Its input
// ends with `launch`. If processes still run then, `launch` was killed.

import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { isTreeRunning, signalTree } from "../launch/process-tree.js";

/** In milliseconds, between two looks whether processes run. */
const LOOK = 100;

const grace = Number(process.argv[2]);
const running = new Set<number>();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) running.add(pid);
  else running.delete(pid);
}
const signal = (name: NodeJS.Signals) => {
  for (const pid of running) signalTree(pid, name);
};
signal("SIGTERM");
const last = performance.now() + grace * 1000;
while (running.size > 0 && performance.now() < last) {
  await wait(LOOK);
  for (const pid of running) if (!isTreeRunning(pid)) running.delete(pid);
}
signal("SIGKILL");
