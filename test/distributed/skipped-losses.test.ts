// Losses that are not finite on one of several processes: all leave out the steps that one process leaves out.

import * as k from "@stepwell/sdk";
import { expect, test } from "vitest";
import { resultsOf } from "./launch.js";
import { skippedRuns, trainSkipping } from "./skipped-losses.js";

/** Numbers of plain data, apart from everything else. */
function split(value: unknown): readonly [string, readonly number[]] {
  const numbers: number[] = [];
  const text = JSON.stringify(value, (_, part) => {
    if (typeof part !== "number") return part;
    numbers.push(part);
    return "number";
  });
  return [text, numbers];
}

test("processes leave out the steps that one process leaves out", async () => {
  k.setting("threads", 1);
  const ranks = await resultsOf<readonly unknown[]>("skipped-losses", 3, {});
  for (const [i, run] of skippedRuns.entries()) {
    const [text, numbers] = split(await trainSkipping(run));
    for (const results of ranks) {
      const [given, own] = split(results[i]);
      expect(given, JSON.stringify(run)).toBe(text);
      for (const [at, x] of own.entries()) expect(x, JSON.stringify(run)).toBeCloseTo(numbers[at] as number, 12);
    }
  }
});
