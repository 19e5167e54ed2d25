// Runs sequences for another process, and reports each before it begins, since an abort leaves no time for a report.

import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Line, linesOf } from "./report.js";
import { runSequence } from "./sequence.js";
import { runSeed } from "./sequences.js";
import { noCounts } from "./world.js";

const tell = (line: Line) => writeSync(1, `${JSON.stringify(line)}\n`);

/** Runs the sequences from a seed on, until so many operations are made. */
export async function runSequences(first: number, operations: number): Promise<void> {
  const counts = noCounts();
  // The stacks of some hundred thousand errors are not used, and take a third of the time.
  Error.stackTraceLimit = 0;
  for (let seed = first; counts.operations < operations; seed++) {
    tell({ type: "sequence", seed, operations: counts.operations });
    const found = await runSeed(seed, counts);
    if (found) tell({ type: "failure", ...found });
  }
  tell(linesOf(counts));
}

/** Runs one sequence, and writes its program as it goes. */
export function replay(seed: number, places: readonly number[] | undefined): void {
  const log = (line: string) => writeSync(1, `${line.length > 2000 ? `${line.slice(0, 2000)}...` : line}\n`);
  const failure = runSequence(seed, { log, ...(places ? { places } : {}) });
  log(failure ? failure.message : "// nothing failed");
  process.exitCode = failure ? 1 : 0;
}

/** Runs in a folder of its own, since sequences save files. */
export async function inFolder(run: () => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-random-"));
  const before = process.cwd();
  process.chdir(folder);
  try {
    await run();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}
