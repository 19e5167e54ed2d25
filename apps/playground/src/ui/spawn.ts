/** A worker with an engine of its own. */
export function spawn(): Worker {
  return new Worker(new URL("../worker.ts", import.meta.url), { type: "module" });
}
