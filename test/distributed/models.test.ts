// Models of several processes: what no optimizer has is equal on all of them, too.

import * as k from "@stepwell/sdk";
import { expect, test } from "vitest";
import { resultsOf } from "./launch.js";
import { partialModel, partialRuns } from "./partial-models.js";

test("processes have one model in common, whatever the optimizer has of it", async () => {
  const ranks = (await resultsOf<{ partial: unknown[]; counted: string }>("models", 3, {})).map(
    ({ partial, counted }) => {
      // Three epochs of two batches, as one process counts them.
      expect(counted).toBe("6");
      return partial;
    },
  );
  for (const [i, { of, loop, sharded }] of partialRuns.entries()) {
    const name = `${of}, ${loop}, ${sharded ? "sharded" : "whole"}`;
    const [first, ...rest] = ranks.map((results) => results[i]);
    for (const other of rest) expect(other, name).toEqual(first);
    // To the bit: neither running statistics nor steps depend on what the optimizer was made of.
    const origin = of === "vectors" ? "module" : of;
    const same = partialRuns.findIndex((run) => run.loop === loop && run.of === origin);
    expect(first, name).toEqual(ranks[0]?.[same]);
    if (of !== "child") continue;
    const parameters = (rows: unknown) => (rows as { parms: unknown }[])[1]?.parms;
    const before = parameters(JSON.parse(JSON.stringify(k.state(partialModel(of, 0).net))));
    expect(before).toBeDefined();
    expect(parameters(first), name).toEqual(before);
  }
});

test("processes compare what a program has written on one of them", async () => {
  const states =
    /given a loaded state of digest ([0-9a-f]{16}) on rank 0 and a loaded state of digest (?!\1)[0-9a-f]{16} on rank 1/;
  for (const { "other states": loaded, ...written } of await resultsOf<Record<string, string>>("written", 2, {})) {
    expect(loaded).toMatch(states);
    for (const [name, result] of Object.entries(written)) {
      const refused =
        /^ERR_PARAMETER stepAsync: `[\w.]+` has other elements on rank 1 than on rank 0, and the step is not made: .*, then no error$/;
      expect(result, name).toEqual(
        name.endsWith(" on all") ? "no error, then no error" : expect.stringMatching(refused),
      );
    }
    expect(Object.keys(written)).toHaveLength(12);
  }
});
