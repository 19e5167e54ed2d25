// Rounds of several workers at once, some of which are terminated in the middle of a step.

import { Worker } from "node:worker_threads";
import * as k from "@stepwell/sdk";
import { Random } from "../../random-operations/random.js";
import { elapsed, watch } from "../time-limit.js";
import { configured, say } from "./lines.js";
import type { Ending } from "./worker.js";

export interface RoundsConfig {
  readonly workers: number;
  readonly rounds: number;
  readonly seed: number;
  /** In milliseconds without waits for a core, until a worker counts as hanging. */
  readonly limit: number;
  /** In seconds: no round begins later. */
  readonly seconds: number;
  readonly planted?: Ending;
}

export interface RoundReport {
  readonly round: number;
  readonly problems: readonly string[];
  readonly rss: number;
}

const { workers, rounds, seed, limit, seconds, planted } = configured<RoundsConfig>();
const random = new Random(seed);
const endings: readonly Ending[] = ["finish", "leave", "exit", "endless", "endless"];
/** The exit codes of workers that end by themselves. */
const codes: Readonly<Partial<Record<Ending, number>>> = { finish: 0, leave: 0, exit: 3, stay: 0, fail: 0 };
const x = k.tensor([1, 2, 3]);

function start(ending: Ending): Promise<string | undefined> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { ending }, stderr: true });
  return new Promise((resolve) => {
    let text = "";
    worker.stderr.on("data", (chunk) => {
      text += chunk;
    });
    const unwatch = watch(process.pid, limit, () => {
      resolve(`${ending}: it hangs`);
      void worker.terminate();
    });
    worker.on("message", () => {
      if (ending === "endless") setTimeout(() => void worker.terminate(), random.next() * 30);
    });
    worker.on("error", (error) => resolve(`${ending}: ${error}`));
    worker.on("exit", (code) => {
      unwatch();
      const expected = codes[ending];
      if (text) resolve(`${ending}: ${text.slice(0, 300)}`);
      resolve(expected === undefined || code === expected ? undefined : `${ending}: exit code ${code}`);
    });
  });
}

const isOver = () => elapsed() > seconds * 1000;
for (let round = 0; round < rounds && !isOver(); round++) {
  const chosen = Array.from({ length: workers }, () => planted ?? random.pick(endings));
  const problems = (await Promise.all(chosen.map(start))).filter((problem) => problem !== undefined);
  const isWell = k.handlecount() === 1 && String(k.tensor(x)) === "1,2,3";
  say({
    round,
    problems: isWell ? problems : [...problems, "the session of the main thread has changed"],
    rss: process.memoryUsage.rss(),
  } satisfies RoundReport);
}
