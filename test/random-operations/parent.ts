// Starts the processes that run, a chunk of sequences each, since an abort ends a process and a hang never does.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Line } from "./report.js";

/** A sequence that takes longer hangs: they take milliseconds, and the machine may be busy. */
const longestSequence = 300_000;

/** How a process ended. */
export interface End {
  /** The sequence that it was in when it died or hung; undefined where it came to its end. */
  readonly seed?: number;
  /** How it died. */
  readonly reason?: string;
  readonly lastSeed: number;
}

const main = new URL("./main.js", import.meta.url).pathname;

/** Runs `main.js` in a process of its own, and passes on its reports. */
export function runChild(engine: string, args: readonly string[], take: (line: Line) => void): Promise<End> {
  const child = spawn(process.execPath, ["--expose-gc", main, "--engine", engine, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, STEPWELL_ENGINE: engine },
  });
  let seed = -1;
  let isComplete = false;
  let hangs = false;
  const hang = () => {
    hangs = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(hang, longestSequence);
  createInterface({ input: child.stdout }).on("line", (text) => {
    clearTimeout(timer);
    timer = setTimeout(hang, longestSequence);
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      // The process died while it wrote.
      return;
    }
    if (line.type === "sequence") seed = line.seed;
    if (line.type === "counts") isComplete = true;
    take(line);
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (isComplete && code === 0) return resolve({ lastSeed: seed });
      const reason = hangs ? "it hangs" : `it ended with ${signal ?? `code ${code}`}`;
      return resolve({ seed, reason, lastSeed: seed });
    });
  });
}

/** How one sequence of some operations ends in a process of its own; undefined if well. */
export function reasonOf(engine: string, seed: number, places: readonly number[]): Promise<string | undefined> {
  const args = ["--replay", String(seed), "--places", places.join(",")];
  const child = spawn(process.execPath, ["--expose-gc", main, "--engine", engine, ...args, "--here"], {
    stdio: "ignore",
    env: { ...process.env, STEPWELL_ENGINE: engine },
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), longestSequence / 10);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(signal ?? (code === 0 || code === 1 ? undefined : `code ${code}`));
    });
  });
}
