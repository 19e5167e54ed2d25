// Process groups: operations, equality with one process, and processes that end or freeze.

import * as k from "@stepwell/sdk";
import { expect, test } from "vitest";
import { launch, resultsOf } from "./launch.js";
import { type Trained, train, trainings } from "./trainings.js";

/** Largest difference, relative to 1 or to the number. */
function difference(given: readonly number[], expected: readonly number[]): number {
  expect(given.length).toBe(expected.length);
  return Math.max(...given.map((x, i) => Math.abs(x - (expected[i] ?? Number.NaN)) / Math.max(1, Math.abs(x))));
}

test.each([1, 2, 3, 4])("%i processes on parts of a batch train as one process on the whole", async (size) => {
  k.setting("threads", 1);
  const expected = new Map<string, Trained>();
  for (const row of trainings) expected.set(row.name, await train(row));
  const ranks = await resultsOf<readonly Trained[]>("train", size, {});
  for (const results of ranks) {
    expect(results.map(({ name }) => name)).toEqual(trainings.map(({ name }) => name));
    for (const { name, parameters, losses, skipped } of results) {
      const one = expected.get(name) as Trained;
      expect(difference(parameters, one.parameters), `${name} of ${size}: parameters`).toBeLessThan(1e-12);
      expect(difference(losses, one.losses), `${name} of ${size}: losses`).toBeLessThan(1e-12);
      expect(skipped).toBe(one.skipped);
    }
  }
  // All processes have the same bits.
  for (const results of ranks) expect(results).toEqual(ranks[0]);
});

test.each([1, 2, 3])("operations of %i processes are those of arithmetic", async (size) => {
  const ranks = await resultsOf<Record<string, unknown>>("collectives", size, {});
  const all = Array.from({ length: size }, (_, rank) => rank);
  const reduce = {
    sum: (x: number[]) => x.reduce((a, b) => a + b),
    mean: (x: number[]) => x.reduce((a, b) => a + b) / size,
    min: (x: number[]) => Math.min(...x),
    max: (x: number[]) => Math.max(...x),
    product: (x: number[]) => x.reduce((a, b) => a * b),
  };
  for (const [rank, results] of ranks.entries()) {
    expect([results.rank, results.size]).toEqual([rank, size]);
    for (const dtype of ["float", "double", "half", "bfloat16", "long"]) {
      for (const [operation, of] of Object.entries(reduce)) {
        if (dtype === "long" && operation === "mean") continue;
        const expected = [of(all.map((r) => r + 1)), of(all.map(() => 2)), of(all.map((r) => -r))];
        expect(results[`${operation} ${dtype}`], `${operation} ${dtype}`).toEqual(expected.map((x) => x + 0));
      }
    }
    const sum = all.reduce((a, b) => a + b, 0);
    expect(results.transposed).toEqual([
      [sum, 3 * size],
      [size, 4 * size],
      [2 * size, 5 * size],
    ]);
    expect(results.broadcast).toEqual([size - 1, (size - 1) ** 2]);
    expect(results.gathered).toEqual(all.map((r) => [[r, 0 - r]]));
    expect(results.nothing).toEqual([]);
    expect(results.module).toEqual([
      [size, size],
      [size, size],
    ]);
    expect(results["mean of long"]).toMatch(/^ERR_DTYPE allReduce: expected elements of floating point for a mean/);
    expect(results["unknown operation"]).toMatch(/^ERR_OPTION_RANGE allReduce: unknown operation "median", expected/);
    expect(results["a rank too high"]).toMatch(/^ERR_ARGUMENT broadcast: expected a rank from 0 to/);
    expect(results["an optimizer"]).toMatch(/^ERR_HANDLE_KIND allReduce: /);
    expect(results["a second group"]).toMatch(/^ERR_ARGUMENT initProcessGroup: this process is in a group/);
    expect(results["no group"]).toMatch(/^ERR_ARGUMENT barrier: no process group/);
    expect(results.afterwards).toEqual([size - 1, (size - 1) ** 2]);
  }
});

test("a step takes the mean of the gradients of all processes", async () => {
  for (const results of await resultsOf<Record<string, unknown>>("steps", 2, {})) {
    expect(results.missing).toEqual({
      gradients: [[1.5, 1.5], [2, 2], null],
      // 1 - .5 (1.5 + .1), 1 - .5 (2 + .1), and no step without a gradient.
      values: [
        [1 - 0.5 * (1.5 + 0.1), 1 - 0.5 * (1.5 + 0.1)],
        [1 - 0.5 * 2.1, 1 - 0.5 * 2.1],
        [1, 1],
      ],
    });
    expect(results.skipped).toEqual({
      values: [
        [1, 1],
        [1, 1],
      ],
      skipped: 1,
    });
    // The gradient is (3.5, 3.5), of norm 3.5 √2.
    const [first = 0] = results.clipped as number[];
    expect(Math.abs(first - (1 - 0.5 / Math.SQRT2))).toBeLessThan(1e-6);
    const { loss, value } = results.closure as { loss: number; value: number[] };
    // The mean of 2 (1 - 0)² and 2 (1 - 1)².
    expect(loss).toBe(1);
    for (const x of value) expect(Math.abs(x - 0.5)).toBeLessThan(1e-9);
    expect(results.added).toBe("ERR_PARAMETER");
    expect(results.different).toMatch(/^ERR_PARAMETER distributed: expected the same parameters on each process/);
  }
});

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "a process that gets %s is an error on the others in time",
  async (signal) => {
    const ranks = await launch("endless", 3, { timeout: signal === "SIGSTOP" ? 20 : 60 });
    await Promise.all(ranks.map(({ ready }) => ready));
    const victim = ranks[1];
    process.kill(victim?.pid ?? 0, signal);
    for (const rank of [ranks[0], ranks[2]]) {
      const { code, out, error } = (await rank?.ended) ?? { code: 1, out: "", error: "" };
      expect(code, error).toBe(0);
      const [ready, report = "{}"] = out.trim().split("\n");
      expect(ready).toBe("ready");
      const failed = JSON.parse(report) as { code: string; message: string };
      expect(failed.code).toBe("ERR_DISTRIBUTED");
      expect(failed.message).toMatch(/another process has (ended|not answered)/);
      // Nothing of libtorch is printed.
      expect(error).toBe("");
    }
    if (signal === "SIGSTOP") process.kill(victim?.pid ?? 0, "SIGKILL");
  },
);

test("a process that is alone gives up after its timeout", async () => {
  const settings = { rank: 1, size: 2, host: "127.0.0.1", port: 1, timeout: 0.5 };
  await expect(k.initProcessGroup(settings)).rejects.toMatchObject({ code: "ERR_DISTRIBUTED" });
  await expect(k.initProcessGroup({ ...settings, rank: 2 })).rejects.toMatchObject({ code: "ERR_OPTION_RANGE" });
  await expect(k.initProcessGroup({ ...settings, port: 0 })).rejects.toMatchObject({ code: "ERR_OPTION_RANGE" });
  await expect(k.initProcessGroup({ ...settings, host: "" })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  await expect(k.initProcessGroup({ size: 2, host: "localhost", port: 29400 })).rejects.toThrow(
    /variable RANK is not set/,
  );
  await expect(k.distributed(k.opt("sgd", k.tensor([1], { grad: true })))).rejects.toThrow(/no process group/);
});
