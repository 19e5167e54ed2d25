// A test of the tests: whether one passes does not depend on how fast the machine is.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryFiles } from "./repository-files.js";

const root = join(import.meta.dirname, "..", "..");

/** Signs of a test that passes on a quiet machine only. `vitest.config.ts` has the limit of all, for those that hang. */
const forbidden: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a limit of its own, as an option", /\b(?:test|hook|teardown)?timeout:\s*[\d(]/i],
  ["a limit of its own, as the last argument", /^\s*\}\s*,\s*\d[\d_]{3,}\s*\);/m],
  ["a limit of its own, in one line", /\b(?:it|test|before\w+|after\w+)\(.*,\s*\d[\d_]{3,}\s*\);/],
  ["a limit of its own, for the file", /\bvi\.setConfig\(/],
  ["a look at the clock", /\bperformance\.now\(|\bDate\.now\(|\bnew Date\(\)\.getTime|\bhrtime\b/],
];

/**
 * This file has the patterns. The others end a child that hangs: of a long run, of a run with faults, and of the run on a GPU. That
 * one has six minutes.
 */
const exempt = [
  "suite/limits.test.ts",
  // Groups have a timeout of their own.
  "distributed/group.test.ts",
  "random-operations/child.ts",
  ...["main.ts", "run.ts", "time-limit.ts"].map((file) => `faults/${file}`),
  ...["machine.ts", "main.ts", "processes.ts"].map((file) => `gpu/${file}`),
].map((file) => `test/${file}`);

const files = repositoryFiles("test/*.ts");

describe("no test depends on speed", () => {
  it("looks at every file of tests", () => {
    expect(files).toContain("test/contract/threads.test.ts");
    expect(files.length).toBeGreaterThan(80);
  });

  it.each(forbidden)("by %s", (_, pattern) => {
    const found = files
      .filter((file) => !exempt.includes(file))
      .filter((file) => pattern.test(readFileSync(join(root, file), "utf8")));
    expect(found).toEqual([]);
  });

  it.each([
    'describe("a", { timeout: 60_000 }, () => {',
    "  }, 120_000);",
    "beforeAll(() => pack(folder), 120_000);",
    "vi.setConfig({ testTimeout: 60_000 });",
    "await page.getByRole().waitFor({ timeout: 60_000 });",
    "const before = performance.now();",
  ])("would find %s", (line) => {
    expect(forbidden.some(([, pattern]) => pattern.test(line))).toBe(true);
  });
});
