// Process groups: operations, equality with one process, and processes that end or freeze.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as k from "@stepwell/sdk";
import { expect, test, vi } from "vitest";
import { freePort } from "../free-port.js";
import { modelOf, sources } from "./fits.js";
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
    // Rows r + 1, and 10 times that, of each process.
    for (const [operation, of] of Object.entries(reduce)) {
      const part = [of(all.map((r) => (r + 1) * 10 ** rank)), of(all.map(() => rank))];
      expect(results[`scattered ${operation}`], operation).toEqual([part]);
    }
    // Each element is NaN on one process.
    for (const name of ["min", "max"]) {
      expect(results[`${name} of NaN`]).toEqual([...all.map(() => "NaN"), "NaN"]);
    }
    for (const dtype of ["half", "bfloat16", "float", "double"]) {
      const [large, ...means] = results[`means of large ${dtype}`] as number[];
      expect(means, dtype).toEqual(Array(2 * size + 2).fill(large));
    }
    expect(results["mean of infinite"]).toEqual(["Infinity", size === 1 ? "Infinity" : "NaN", "NaN"]);
    expect(results["reductions that differ"]).toEqual([]);
    const outdated = results.outdated as Readonly<Record<string, string>>;
    expect(Object.keys(outdated)).toHaveLength(5);
    for (const message of Object.values(outdated)) expect(message).toMatch("backward through an outdated graph");
    expect(results["rows that do not divide"]).toMatch(
      size === 1
        ? /^no error$/
        : /^ERR_SHAPE reduceScatter: expected a first dimension that \d processes divide, given shape \[\d\]/,
    );
    expect(results["a scattered mean of long"]).toMatch(
      /^ERR_DTYPE reduceScatter: expected elements of floating point/,
    );
    expect(results["mean of long"]).toMatch(/^ERR_DTYPE allReduce: expected elements of floating point for a mean/);
    expect(results["unknown operation"]).toMatch(/^ERR_OPTION_RANGE allReduce: unknown operation "median", expected/);
    expect(results["a rank too high"]).toMatch(/^ERR_ARGUMENT broadcast: expected a rank from 0 to/);
    expect(results["an optimizer"]).toMatch(/^ERR_HANDLE_KIND allReduce: /);
    expect(results["a second group"]).toMatch(/^ERR_ARGUMENT initProcessGroup: this process is in a group/);
    expect(results["no group"]).toMatch(/^ERR_ARGUMENT barrier: no process group/);
    expect(results.afterwards).toEqual([size - 1, (size - 1) ** 2]);
  }
});

test("calls in which processes differ are errors on each of them, and the group goes on", async () => {
  interface Disagreement {
    readonly results: Readonly<Record<string, string>>;
    readonly sum: readonly number[];
    readonly kept: readonly number[];
  }
  const ranks = await resultsOf<Disagreement>("disagree", 2, {});
  for (const [rank, { results, sum, kept }] of ranks.entries()) {
    expect(Object.keys(results)).toHaveLength(18);
    for (const [name, result] of Object.entries(results)) {
      expect(result, name).toMatch(/^ERR_DISTRIBUTED \w+: the processes do not agree: rank \d calls .*, and rank \d /);
    }
    expect(results["a length"]).toMatch(
      `rank ${rank} calls all-reduce with float [${rank + 2}], operation sum, and rank ${1 - rank} all-reduce`,
    );
    expect(results["a reduction"]).toMatch("operation max");
    expect(results["a scattered length"]).toMatch(`rank ${rank} calls reduce-scatter with float`);
    expect(results["a step"]).toMatch(
      /barrier.*a function that exchanges numbers|a function that exchanges numbers.*barrier/,
    );
    expect(results["a number of tensors"]).toMatch(
      `rank ${rank} calls all-reduce with ${rank + 2} tensors, of which tensor 0 is float [2], operation sum, and rank`,
    );
    expect(results["a later tensor"]).toMatch(
      `calls all-reduce with 3 tensors, of which tensor 2 is float [${rank === 0 ? 2 : 5}], operation sum, and rank`,
    );
    expect(results["a scattered reduction"]).toMatch(/reduce-scatter with float \[2\], operation max/);
    expect(sum).toEqual([2, 2]);
    expect(kept).toEqual([rank]);
  }
});

test("a step takes the mean of the gradients of all processes", async () => {
  for (const [rank, results] of (await resultsOf<Record<string, unknown>>("steps", 2, {})).entries()) {
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
    expect(results.differences).toEqual({
      "a shape":
        "ERR_PARAMETER distributed: expected the same parameters on each process, given `0` [1] float on rank 0 and `0` [2] float on rank 1: make the same module and the same parameter groups, in the same order",
      "a type":
        "ERR_PARAMETER distributed: expected the same parameters on each process, given `0` [1] float on rank 0 and `0` [1] double on rank 1: make the same module and the same parameter groups, in the same order",
      "a name":
        "ERR_PARAMETER distributed: expected the same parameters on each process, given `b.weight` [1, 1] float on rank 0 and `c.weight` [1, 1] float on rank 1: make the same module and the same parameter groups, in the same order",
      "one more":
        "ERR_PARAMETER distributed: expected the same parameters on each process, given none on rank 0 and `1` [1] float on rank 1: make the same module and the same parameter groups, in the same order",
      "a frozen one":
        "ERR_PARAMETER distributed: expected the same parameters on each process, given `a.bias` [1] float on rank 0 and `a.bias` [1] float, frozen on rank 1: make the same module and the same parameter groups, in the same order",
      "an optimizer":
        "ERR_PARAMETER distributed: expected the same options on each process, given optimizer sgd on rank 0 and optimizer adam on rank 1: make the same optimizer with the same options",
      "a rate":
        "ERR_PARAMETER distributed: expected the same options on each process, given lr 0.1 in group 0 on rank 0 and lr 0.2 in group 0 on rank 1: make the same optimizer with the same options",
      "an option of a module":
        "ERR_PARAMETER distributed: expected the same modules on each process, given `1` dropout (p 0.1) on rank 0 and `1` dropout (p 0.2) on rank 1: make the same module with the same options",
      "a state": expect.stringMatching(
        /^ERR_PARAMETER distributed: expected the same state of the optimizer on each process, given one of digest [0-9a-f]{16} on rank 0 and one of digest [0-9a-f]{16} on rank 1: load the same checkpoint, or make the optimizer anew$/,
      ),
    });
    expect(results.unchanged).toBe(true);
    expect(results.frozen).toMatch(/^ERR_PARAMETER stepAsync: parameter 0 is frozen on rank 1, and not on rank 0/);
    // Rank 0 has the samples 0 and 2, rank 1 has 4, 8 and 9: means 1 and 7, variances 2 and 7, and 2/5 and 3/5 as weights. A momentum of 0.5
    // takes half of them, and half of the mean 0 and the variance 1.
    const [means, variances] = results.statistics as [number[], number[]];
    expect(difference(means, [0.5 * (0.4 * 1 + 0.6 * 7)])).toBeLessThan(1e-15);
    expect(difference(variances, [0.5 + 0.5 * (0.4 * 2 + 0.6 * 7)])).toBeLessThan(1e-15);
    expect(results.converted).toMatch(
      /^ERR_PARAMETER stepAsync: rank 1 trains parameters of other shapes or dtypes than rank 0/,
    );
    const refused = (name: string, one: string, other: string) =>
      `ERR_PARAMETER ${name}: expected the same optimizer and options in a step on each process, given ${one} on rank 0 and ${other} on rank 1: step the same optimizer with the same options, and change them on each process alike`;
    const failed = (name: string) => `ERR_DISTRIBUTED ${name}: rank 1 has failed in this step, and says why`;
    expect(results.steps).toEqual({
      "a norm": refused("stepAsync", "clipnorm 1", "clipnorm 2"),
      "a clipping": refused("stepAsync", "clipnorm 1", "clipvalue 1"),
      "a policy": refused("stepAsync", "nonfinite propagate", "nonfinite skip"),
      "gradients that are kept": refused("stepAsync", "zerograd true", "zerograd false"),
      "a rate": refused("stepAsync", "lr 0.1 in group 0", "lr 0.2 in group 0"),
      "a loss scale": expect.stringMatching(/given a loss scale \(.*init 2,.*\) on rank 0 and no loss scale on rank 1/),
      "a size": refused("runAsync", "batchsize 1", "batchsize 2"),
      "an accumulation": refused("runAsync", "accumulate 1", "accumulate 2"),
      "an order": refused("runAsync", "shuffle true", "shuffle false"),
      "a rest": refused("runAsync", "droplast true", "droplast false"),
      "a policy for losses": refused("runAsync", "nonfiniteloss propagate", "nonfiniteloss skip"),
      "a refused option":
        rank === 0
          ? failed("stepAsync")
          : "ERR_OPTION_RANGE stepAsync clipnorm: expected a finite number > 0 or null, given -1",
      "a metric": refused("runAsync", "metrics loss", "metrics loss, batchloss"),
      "a loss": refused("runAsync", "the loss mse (reduce mean)", "the loss mse (reduce sum)"),
      "a signal": rank === 0 ? failed("runAsync") : "undefined own",
      "a run after it": "no error",
      "a function as the loss": "a loss of type number",
      "an optimizer": expect.stringMatching(
        /given the optimizer of call (\d+) of distributed on rank 0 and the optimizer of call (\d+) of distributed on rank 1/,
      ),
      averages: refused("stepAsync", "averages as parameters", "no averages as parameters"),
      "a closure of sgd": rank === 0 ? failed("step") : "undefined own",
      "a closure of lbfgs": rank === 0 ? failed("step") : "undefined own",
      "a file": expect.stringMatching(
        /given a loaded state of digest [0-9a-f]{16} on rank 0 and no loaded state on rank 1/,
      ),
      values: [
        ...Array.from({ length: 7 }, () => [1, 1]),
        ...Array.from({ length: 6 }, () => true),
        ...[[1, 1], [1, 1], 1, [1, 1], [1, 1]],
        // From .5, with a momentum of 1: .5 - .5 (.5 + 2).
        [-0.75, -0.75],
      ],
      afterwards: [0.75, 0.75],
    });
    expect(results.alone).toEqual({
      refused: expect.stringMatching(
        /^ERR_ARGUMENT stepAsync: other processes have parts of its state, and their group was destroyed: load a checkpoint/,
      ),
      values: [0.75 - 0.25 * rank, 0.75 - 0.25 * rank],
    });
  }
});

test.each(["SIGKILL", "SIGSTOP"] as const)(
  "a process that gets %s is an error on the others in time",
  async (signal) => {
    const ranks = await launch("endless", 3, { timeout: signal === "SIGSTOP" ? 10 : 60 });
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

test("a process that ends within a step ends the step of all others, although those stay", async () => {
  const ranks = await launch("interrupted", 4, { timeout: 3600 });
  const victim = ranks[3];
  await victim?.ready;
  // Within a step, whichever it is.
  setTimeout(() => process.kill(victim?.pid ?? 0, "SIGKILL"), 300);
  const others = ranks.slice(0, 3);
  await Promise.all(others.map(({ ready }) => ready));
  for (const { pid } of others) process.kill(pid, "SIGTERM");
  for (const { ended } of others) {
    const { out, error } = await ended;
    expect(JSON.parse(out), error).toEqual({
      code: "ERR_DISTRIBUTED",
      message: expect.stringMatching("another process has ended"),
    });
  }
});

/** How a process ends while a call waits for another one, for whose timeout no test would wait. */
const ends = [
  ["process.exit", 7, null],
  ["process.exit before the processes have met", 7, null],
  ["process.exit as the other one comes", 7, null],
  ["an exception that nothing catches", 1, null],
  ["a signal", null, "SIGTERM"],
  ["a signal that the program handles", 9, null],
  ["the end of a worker", 0, null],
] as const;

test.each(ends)("%s ends a process that waits for another one", async (how, code, signal) => {
  const [rank, other] = await launch("waits", 2, { how, timeout: 3600 });
  if (how === "process.exit as the other one comes") {
    await rank?.ready;
    process.kill(other?.pid ?? 0, "SIGUSR2");
  }
  const end = await rank?.ended;
  process.kill(other?.pid ?? 0, "SIGKILL");
  expect({ code: end?.code, signal: end?.signal }, end?.error).toEqual({ code, signal });
  expect(end?.out).toBe("waits\n");
});

async function notMet(options: k.ProcessGroupOptions, reason: string): Promise<void> {
  await expect(k.initProcessGroup(options)).rejects.toMatchObject({
    code: "ERR_DISTRIBUTED",
    message: expect.stringContaining(`the processes have not met within ${options.timeout} s: ${reason}`),
  });
}

test("a port of another program is an error, also if it does not answer", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const settings = { size: 2, host: "127.0.0.1", port, timeout: 0.5 };
  await expect(k.initProcessGroup({ ...settings, rank: 0 })).rejects.toMatchObject({
    code: "ERR_DISTRIBUTED",
    message: `initProcessGroup: port ${port} is in use: give all processes another one`,
  });
  await notMet({ ...settings, rank: 1 }, "what has this port takes connections, and does not answer");
  server.close();
});

test("processes that do not meet say why", async () => {
  const settings = { rank: 1, size: 2, host: "127.0.0.1", port: 1, timeout: 0.5 };
  const [place, unheard] = [{ ...settings, port: await freePort() }, "nothing listens there: rank 0 opens the port"];
  await notMet(settings, unheard);
  await notMet({ ...settings, rank: 0, hosts: false }, unheard);
  for (const rank of [0, 1]) await notMet({ ...place, rank, host: "nope.invalid" }, 'the host "nope.invalid" is');
  // Again, since the port is free then.
  for (let i = 0; i < 2; i++) await notMet({ ...place, rank: 0 }, "rank 1 is not there");
  const many = "ranks 1, 2, 3, 4, 5, 6, 7, 8 and others are not there";
  await notMet({ ...place, rank: 0, size: 1e6 }, many);
  await expect(k.initProcessGroup({ ...settings, rank: 2 })).rejects.toMatchObject({ code: "ERR_OPTION_RANGE" });
  await expect(k.initProcessGroup({ ...settings, port: 0 })).rejects.toMatchObject({ code: "ERR_OPTION_RANGE" });
  await expect(k.initProcessGroup({ ...settings, host: "" })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
  // The second one is of no machine: it is for documentation.
  for (const name of ["absent0", "192.0.2.1"]) {
    await expect(k.initProcessGroup({ ...settings, interface: `127.0.0.1,${name}` })).rejects.toThrow(
      `expected network interfaces or addresses of this machine, given "${name}"`,
    );
  }
  await expect(k.initProcessGroup({ size: 2, host: "localhost", port: 29400 })).rejects.toThrow(
    /variable RANK is not set/,
  );
  await expect(k.distributed(k.opt("sgd", k.tensor([1], { grad: true })))).rejects.toThrow(/no process group/);
});

test.each([
  ["RANK", "WORLD_SIZE"],
  ["WORLD_SIZE", "RANK"],
])("`fit` with processes does not train alone if %s is set and %s is not", async (name, other) => {
  vi.stubEnv(name, "0");
  const fit = modelOf(0).fit(sources.memory(), { distributed: true, batchsize: 8 });
  const remedy = "start the program with torchrun or `stepwell launch`, or join a group by initProcessGroup before";
  await expect(Promise.resolve(fit)).rejects.toThrow(`fit: the variable ${other} is not set: ${remedy}`);
  vi.unstubAllEnvs();
});
