// Runs a rig: first on its planted bugs, each of which it must find, then on the package.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PlantedResult, RigResult } from "./report.js";
import type { Context, Outcome, Rig, Scale } from "./rig.js";

export interface RunOptions {
  readonly scale: Scale;
  readonly seed: number;
  /** In seconds: a rig ends after it with what it has done. */
  readonly limit?: number;
  readonly planted?: boolean;
}

/** In seconds. JSON has no infinity. */
const unlimited = 1e10;

async function inFolder(work: (folder: string) => Promise<Outcome>): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-faults-"));
  try {
    return await work(folder);
  } catch (error) {
    return { count: 0, failures: [`the rig itself failed: ${error}`] };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function runRig(
  rig: Rig,
  { scale, seed, limit = unlimited, planted = true }: RunOptions,
): Promise<RigResult> {
  const { fault, name, about } = rig;
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  const reason = rig.problem?.();
  if (reason !== undefined) return { fault, name, about, state: "not run", reason, seconds: 0, planted: [] };
  const results: PlantedResult[] = [];
  const contextOf = (folder: string, scale: Scale): Context => {
    const begin = performance.now();
    const remaining = () => limit - (performance.now() - begin) / 1000;
    return { scale, seed, folder, remaining, isOver: () => remaining() <= 0 };
  };
  for (const [bug, run] of planted ? Object.entries(rig.planted) : []) {
    const outcome = await inFolder((folder) => run(contextOf(folder, "quick")));
    results.push({
      bug,
      isFound: outcome.failures.length > 0 && outcome.count > 0,
      message: outcome.failures[0] ?? "",
    });
  }
  const outcome = await inFolder((folder) => rig.run(contextOf(folder, scale)));
  const passed = outcome.failures.length === 0 && outcome.count > 0 && results.every(({ isFound }) => isFound);
  return { fault, name, about, state: passed ? "passed" : "failed", seconds: seconds(), outcome, planted: results };
}
