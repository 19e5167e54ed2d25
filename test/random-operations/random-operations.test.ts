// A short run of random operations; CONTRIBUTING.md says how to make a long one.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engine } from "@stepwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callOperation, operationNames } from "../operation-calls.js";
import { functions } from "./functions.js";
import { type ClassName, classes, membersOf } from "./operations/fluent.js";
import { written } from "./report.js";
import { runSeed } from "./sequences.js";
import { noCounts } from "./world.js";

const seeds = Array.from({ length: 250 }, (_, i) => i + 1);

const folder = mkdtempSync(join(tmpdir(), "stepwell-random-"));
const before = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

describe("random operations", () => {
  const counts = noCounts();

  it("keep every invariant", async () => {
    const failures: string[] = [];
    for (const seed of seeds) {
      const found = await runSeed(seed, counts);
      if (found) failures.push(written(engine, found.failure, found.program));
    }
    expect(failures.slice(0, 5).join("\n\n")).toBe("");
    expect(counts.operations).toBeGreaterThan(20 * seeds.length);
  });

  it("call every function of the package with success", async () => {
    const members = (Object.keys(classes) as ClassName[]).flatMap((name) =>
      membersOf(name).map((member) => `${name}.${member}`),
    );
    // Only classes of a program call `registerBuffer`.
    const all = [...functions.keys(), ...members].filter((name) => !/\.(handle|registerBuffer)$/.test(name));
    const lacking = operationNames.filter((name) => callOperation(name) === "ERR_UNSUPPORTED");
    const unsupported = [...lacking, ...lacking.map((name) => `Tensor.${name}`)];
    const missing = () => all.filter((name) => !counts.successes.has(name) && !unsupported.includes(name));
    // Some succeed in one sequence of a hundred. A new function has no operation, and never does.
    for (let seed = seeds.length + 1; missing().length > 0 && seed < 10 * seeds.length; seed++) {
      await runSeed(seed, counts);
    }
    expect(missing()).toEqual([]);
  });
});
