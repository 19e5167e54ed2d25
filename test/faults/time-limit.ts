// Limits of time for processes on a busy machine. The time in which threads wait for a core is not counted.

import { readdirSync, readFileSync } from "node:fs";

/** In milliseconds, since the start of this process. */
export const elapsed = (): number => performance.now();

/** How long the threads of a process have waited for a core, in milliseconds; 0 where the system does not say. */
function waitedForCores(pid: number): number {
  try {
    const folder = `/proc/${pid}/task`;
    const waits = readdirSync(folder).map(
      (thread) => readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[1],
    );
    return waits.reduce((sum, wait) => sum + Number(wait), 0) / 1e6;
  } catch {
    return 0;
  }
}

/** Calls back after a process has run or slept for so many milliseconds. Returns a function that ends the watch. */
export function watch(pid: number, limit: number, onOver: () => void): () => void {
  let [spent, then, waited] = [0, elapsed(), waitedForCores(pid)];
  const timer = setInterval(
    () => {
      const [now, waits] = [elapsed(), waitedForCores(pid)];
      // A thread that has ended takes its share along, and several threads wait at once.
      const idle = Math.min(Math.max(waits - waited, 0), now - then);
      spent += now - then - idle;
      [then, waited] = [now, waits];
      if (spent < limit) return;
      clearInterval(timer);
      onOver();
    },
    Math.min(limit / 20, 1000),
  );
  return () => clearInterval(timer);
}
