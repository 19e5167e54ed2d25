// An optimizer whose state processes share: equal to one of which each has all, to the bit, and with one checkpoint.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { resultsOf } from "./launch.js";
import { allSteps, type Stepped } from "./sharded-steps.js";

const folder = mkdtempSync(join(tmpdir(), "sharded-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Results {
  readonly steps: readonly { readonly name: string; readonly whole: Stepped; readonly sharded: Stepped }[];
  readonly trained: readonly { readonly name: string; readonly isEqual: boolean }[];
  readonly changed: Stepped;
  readonly refused: Readonly<Record<string, string>>;
}

test.each([2, 3])("%i processes with a sharded state train as with a whole one, to the bit", async (size) => {
  const ranks = await resultsOf<Results>("sharded", size, {});
  for (const [i, { name, isSpoiled }] of allSteps.entries()) {
    const all = ranks.map(({ steps }) => steps[i] as Results["steps"][0]);
    const [first] = all;
    for (const { name: given, whole, sharded } of all) {
      expect(given).toBe(name);
      expect({ ...sharded, bytes: 0 }, name).toEqual({ ...whole, bytes: 0 });
      // All processes have the same bits.
      expect(sharded.digest, name).toBe(first?.sharded.digest);
      expect(sharded.skipped, name).toBe(isSpoiled ? 1 : 0);
    }
    const bytes = all.map(({ sharded }) => sharded.bytes);
    const whole = first?.whole.bytes ?? 0;
    // Each state is on one process. Parts of a parameter have a step count each.
    const counts = (bytes.reduce((a, b) => a + b) - whole) / 8;
    expect([0, size - 1, 2 * size - 2], name).toContain(counts);
  }
  for (const { steps, trained, changed, refused } of ranks) {
    expect(trained.length).toBeGreaterThan(10);
    expect(trained.filter(({ isEqual }) => !isEqual)).toEqual([]);
    expect(changed.digest).toBe(steps[0]?.whole.digest);
    expect(refused).toEqual({
      lbfgs:
        "ERR_UNSUPPORTED distributed: lbfgs cannot be sharded: its history is one vector of all parameters, which each process needs",
      "of libtorch": expect.stringMatching(
        /^ERR_OPTION_RANGE distributed: .*only Stepwell's own implementation can be sharded/,
      ),
      "on one process": `ERR_PARAMETER distributed: expected the same options on each process, given sharded true on rank 0 and sharded false on rank 1: make the same optimizer with the same options`,
      "a word": expect.stringMatching(/^ERR_OPTION_TYPE distributed sharded: /),
      "no average": expect.stringMatching(/^ERR_ARGUMENT average: no averages yet/),
    });
  }
});

test("each of several processes has its part of a state of equal parameters", async () => {
  const { parts, whole } = (await resultsOf<{ parts: number[]; whole: number }>("sharded-memory", 3, {}))[0] ?? {
    parts: [],
    whole: 0,
  };
  expect(whole).toBeGreaterThan(1_000_000);
  for (const part of parts) expect(Math.abs(part / whole - 1 / 3)).toBeLessThan(0.01);
});

interface Resumed {
  readonly begin?: number;
  readonly numbers: unknown;
  readonly position: object;
}

test("three processes save a sharded state as one file, which two and one load", async () => {
  const config = (name: string, sharded: boolean) => {
    return { path: join(folder, `${name}.safetensors`), source: "memory", steps: 4, epochs: 3, sharded };
  };
  const [whole, sharded] = [config("whole", false), config("sharded", true)];
  const expected = await resultsOf<Resumed>("resume", 3, whole);
  const saved = await resultsOf<Resumed>("resume", 3, sharded);
  expect(saved.map(({ numbers }) => numbers)).toEqual(expected.map(({ numbers }) => numbers));
  expect(readFileSync(sharded.path).equals(readFileSync(whole.path))).toBe(true);
  // They stop before a step, and have what was saved.
  for (const size of [2, 1]) {
    const copy = { ...config(`copy of ${size}`, true), steps: 0, epochs: 1 };
    copyFileSync(sharded.path, copy.path);
    for (const { begin, numbers, position } of await resultsOf<Resumed>("resume", size, copy)) {
      expect(begin).toBeUndefined();
      expect(numbers).toEqual(saved[0]?.numbers);
      expect(position).toEqual(saved[0]?.position);
    }
  }
  // Two go on from it with a sharded state as with a whole one.
  const [one, other] = [
    await resultsOf<Resumed>("resume", 2, { ...whole, steps: 1000 }),
    await resultsOf<Resumed>("resume", 2, { ...sharded, steps: 1000 }),
  ];
  expect(one[0]?.begin).toBe(5);
  expect(other).toEqual(one);
});

test("processes save a loop of their own as one file, and a failure of rank 0 fails all", async () => {
  const path = join(folder, "loop.safetensors");
  const ranks = await resultsOf<{ failed: string; isSame: boolean; hasLoaded: boolean }>("sharded-save", 2, { path });
  for (const [rank, { failed, isSame, hasLoaded }] of ranks.entries()) {
    expect(isSame).toBe(true);
    expect(hasLoaded).toBe(true);
    const message = "ERR_DISTRIBUTED saveAsync: rank 0 has failed in this call, and says why";
    expect(failed).toEqual(rank === 0 ? expect.stringMatching(/^ERR_FILE saveAsync: /) : message);
  }
});

test("processes write their parts of one file, or rank 0 all of it, to the byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "shared-"));
  try {
    const ranks = await resultsOf<Readonly<Record<string, unknown>>>("sharded-file", 2, { path: join(folder, "run") });
    for (const [rank, results] of ranks.entries()) {
      const { failed, isIntact, files, elsewhere, refused, ...compared } = results;
      expect(Object.keys(compared)).toContain("no common folder");
      for (const [name, isEqual] of Object.entries(compared)) expect(isEqual, name).toBe(true);
      expect(elsewhere).toEqual(rank === 0 ? ["run"] : []);
      const differs = (name: string, one: string, other: string) =>
        `ERR_PARAMETER ${name}: expected the same path and objects in a call on each process, given ${one} on rank 0 and ${other} on rank 1: call it on each process with the same path, and with the same objects under the same names, in the same order`;
      expect(refused).toEqual({
        order: expect.stringMatching(
          /^ERR_PARAMETER saveAsync: .* given an optimizer `a`, the optimizer of call \d+ of distributed on rank 0 and an optimizer `b`, /,
        ),
        names: expect.stringMatching(
          /given an optimizer `a`, the optimizer of call (\d+) of distributed on rank 0 and an optimizer `a`, the optimizer of call (?!\1)/,
        ),
        parameters: expect.stringMatching(
          /given `p` of parameter 0 of the optimizer of call (\d+) of distributed on rank 0 and `p` of parameter 0 of the optimizer of call (?!\1)/,
        ),
        kinds: differs("saveAsync", "a tensor `more`", "plain data `more`"),
        "one more": differs("saveAsync", "none", "plain data `more`"),
        "another path": expect.stringMatching(
          /^ERR_PARAMETER saveAsync: .* given the path ".*other" on rank 0 and the path ".*others" on rank 1/,
        ),
        "no path": expect.stringMatching(
          /^ERR_PARAMETER saveAsync: .* given the path ".*other" on rank 0 and the path "" on rank 1/,
        ),
        serialize: expect.stringMatching(/^ERR_PARAMETER serialize: .*the optimizer of call/),
        state: expect.stringMatching(/^ERR_PARAMETER state: .*the optimizer of call/),
      });
      if (process.platform !== "linux") continue;
      // Rank 1 writes its part itself, so that its limit is an error.
      const message = "ERR_DISTRIBUTED saveAsync: rank 1 has failed in this call, and says why";
      expect(failed).toEqual(rank === 1 ? expect.stringMatching(/^ERR_FILE saveAsync: .*\(os error 27\)$/) : message);
      expect([isIntact, files]).toEqual([true, ["run"]]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
