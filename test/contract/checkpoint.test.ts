// A training that saves itself: when, what, and how it goes on in another process.

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { type CheckpointSettings, type FitOptions, Model, Module, optimizer } from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { runInProcess } from "./child.js";
import { expectError } from "./expect-error.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  k.reset();
});

let files = 0;
const newPath = () => join(folder, `${files++}.safetensors`);

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
const targets = inputs.map(([x = 0, y = 0]) => [x * y]);
const samples = inputs.map((input, i) => [input, targets[i] as number[]] as const);
const data = { inputs, targets };

function model(): Model {
  k.seed(5);
  const m = Module.of(k.seq("sequential", ["linear", "a", 2, 8], ["dropout", "d", 0.25], ["linear", "b", 8, 1]));
  return new Model(m, "mse", optimizer("adam").lr(0.05).build(m));
}

const weightsOf = ({ module }: Model) => module.state().map(({ parms, buffers }) => ({ parms, buffers }));

describe("with files", () => {
  /** The steps after which a training was saved. */
  async function saves(options: FitOptions, checkpoint: CheckpointSettings): Promise<number[]> {
    const path = newPath();
    const steps: number[] = [];
    for await (const event of model().fit(
      { samples },
      { batchSize: 10, ...options, checkpoint: { path, ...checkpoint } },
    )) {
      if (event.type !== "checkpoint") continue;
      expect(event.path).toBe(path);
      const { training } = k.load<{ training: k.TrainingPosition }>(path);
      expect(training.step).toBe(event.step);
      steps.push(event.step);
    }
    return steps;
  }

  it("saves after steps, seconds or epochs, and at the end", async () => {
    expect(await saves({ epochs: 3 }, {})).toEqual([4, 8, 12]);
    expect(await saves({ epochs: 3 }, { steps: 5 })).toEqual([5, 10, 12]);
    expect(await saves({ epochs: 3 }, { steps: 100 })).toEqual([12]);
    expect(await saves({ epochs: 3 }, { seconds: 1e-9 })).toEqual([
      ...Array.from({ length: 12 }, (_, i) => i + 1),
      // The last step, and then the end of its epoch.
      12,
    ]);
    expect(await saves({ epochs: 3 }, { seconds: 1e9 })).toEqual([12]);
    expect(await saves({ epochs: 3 }, { steps: 1, seconds: 1e9 })).toHaveLength(13);
  });

  it("saves at the end whatever the reason, but not after an error or a break", async () => {
    const path = newPath();
    const controller = new AbortController();
    for await (const event of model().fit(data, {
      batchSize: 10,
      checkpoint: { path, steps: 99 },
      signal: controller.signal,
    })) {
      if (event.type === "step" && event.step === 2) controller.abort();
    }
    expect(k.load<{ training: k.TrainingPosition }>(path).training).toMatchObject({ epoch: 1, step: 2, taken: 20 });
    const other = newPath();
    for await (const _ of model().fit(data, { batchSize: 10, checkpoint: { path: other, steps: 99 } })) break;
    const wrong = model().fit({ samples: () => [samples[0] as k.Sample, 7 as never] }, { checkpoint: { path: other } });
    await expect(wrong).rejects.toThrow();
    expect(existsSync(other)).toBe(false);
  });

  it("keeps the last weights in the file, and gives back the best ones", async () => {
    const path = newPath();
    const made = model();
    const states: unknown[] = [];
    // The best epoch is not the last one: the rate is far too large after the first.
    const options = { epochs: 4, batchSize: 10, earlystop: { patience: 9, restorebest: true }, checkpoint: { path } };
    let best: number | undefined;
    for await (const event of made.fit(data, options)) {
      if (event.type === "epoch") {
        states.push(weightsOf(made));
        k.lr(made.optimizer.handle, 3);
      } else if (event.type === "done") best = event.best;
    }
    expect(best).toBeLessThan(4);
    expect(weightsOf(made)).toEqual(states[(best as number) - 1]);
    const { module } = k.load<{ module: k.ModuleHandle }>(path);
    expect(weightsOf({ module: new Module(module) } as Model)).toEqual(states[3]);
  });

  it("keeps the newest and the best files of a folder, and goes on from the newest", async () => {
    const kept = k.checkpoints(join(folder, "runs"), { keep: 2, best: 1 });
    const earlystop = { patience: 9, restorebest: true };
    const options = { epochs: 5, batchSize: 10, validation: { ...data, every: 2 }, earlystop };
    const straight = await model().fit(data, options);
    const made = model();
    const paths: string[] = [];
    for await (const event of made.fit(data, { ...options, checkpoint: { folder: kept, steps: 3 } })) {
      if (event.type !== "checkpoint") continue;
      paths.push(event.path);
      if (event.step === 15) break;
    }
    expect(paths).toHaveLength(5);
    // The first epoch is not measured, and its files have no score.
    expect(paths.map((path) => /score-NaN/.test(path))).toEqual([true, true, false, false, false]);
    const losses = straight.epochs.map(({ validation }) => validation?.loss);
    expect(kept.entries().map(({ step }) => step)).toContain(12);
    expect(kept.latest()).toMatchObject({ step: 15, score: losses[1] });
    expect(kept.best()?.score).toBe(losses[1]);
    const again = await model().fit(data, { ...options, checkpoint: { folder: kept, steps: 3, resume: true } });
    expect(again).toEqual(straight);
    expect(kept.latest()?.step).toBe(20);
    await expect(model().fit(data, { checkpoint: { folder: kept } })).rejects.toMatchObject({
      code: "ERR_ARGUMENT",
      message: expect.stringMatching(/step: expected at least 20/),
    });
  });

  it("sets objects besides, and begins anew without a file", async () => {
    const path = newPath();
    const average = k.tensor([0, 0], "double");
    const checkpoint = { path, resume: true, objects: { average, note: { text: "first" } } };
    const options = { epochs: 2, batchSize: 10, checkpoint };
    k.copyto([3, 4], average);
    const first = model();
    const history = await first.fit(data, options);
    k.copyto([0, 0], average);
    const second = model();
    const again = await second.fit(data, options);
    expect(again).toEqual(history);
    expect(k.tensor(average)).toEqual([3, 4]);
    expect(weightsOf(second)).toEqual(weightsOf(first));
    expect(k.load<{ note: unknown }>(path).note).toEqual({ text: "first" });
  });

  it("restores the best epoch from the file after it was over", async () => {
    const path = newPath();
    const options = {
      epochs: 9,
      earlystop: { patience: 2, mindelta: 1e9, restorebest: true },
      checkpoint: { path, resume: true },
    };
    const first = model();
    const history = await first.fit(data, options);
    expect(history).toMatchObject({ reason: "earlystop", best: 1 });
    for (let i = 0; i < 2; i++) {
      const again = model();
      expect(await again.fit(data, options)).toEqual(history);
      expect(weightsOf(again)).toEqual(weightsOf(first));
    }
  });

  it("refuses wrong options at once, and a file without a training", async () => {
    const path = newPath();
    const wrong: readonly (readonly [k.ErrorCode, RegExp, unknown])[] = [
      ["ERR_ARGUMENT", /fit: checkpoint: expected options/, path],
      ["ERR_ARGUMENT", /checkpoint: expected path or folder, given neither/, {}],
      ["ERR_ARGUMENT", /path: expected the path of a file/, { path: "" }],
      ["ERR_ARGUMENT", /given both/, { path, folder: k.checkpoints(path) }],
      ["ERR_ARGUMENT", /folder: expected a result of checkpoints, given string/, { folder: path }],
      ["ERR_ARGUMENT", /steps: expected a whole number >= 1, given number 0/, { path, steps: 0 }],
      ["ERR_ARGUMENT", /seconds: expected a number > 0/, { path, seconds: 0 }],
      ["ERR_ARGUMENT", /resume: expected a boolean/, { path, resume: path }],
      ["ERR_ARGUMENT", /objects: expected a dictionary/, { path, objects: [] }],
      [
        "ERR_ARGUMENT",
        /objects: expected other names than module, optimizer, training/,
        { path, objects: { training: 1 } },
      ],
      ["ERR_OPTION_UNKNOWN", /unknown option `every`/, { path, every: 5 }],
    ];
    for (const [code, message, checkpoint] of wrong) {
      expect(expectError(code, () => model().fit(data, { checkpoint: checkpoint as never }))).toMatch(message);
    }
    const made = model();
    k.save(path, { module: made.module, optimizer: made.optimizer });
    await expect(made.fit(data, { checkpoint: { path, resume: true } })).rejects.toMatchObject({
      code: "ERR_FORMAT",
      message: `fit: checkpoint: expected the file of a training, given ${path} without a position`,
    });
  });

  it("refuses a file that cannot be written before the first step", async () => {
    const made = model();
    const before = weightsOf(made);
    const file = newPath();
    writeFileSync(file, "");
    const lost = join(folder, "no", "such", "run.safetensors");
    for (const [path, words] of [
      [lost, "No such file or directory"],
      [join(file, "run.safetensors"), "Not a directory"],
      [folder, "it is not a regular file"],
    ] as const) {
      const seen: string[] = [];
      const training = made.fit(data, { checkpoint: { path, steps: 100, resume: path === lost } });
      const read = async () => {
        for await (const { type } of training) seen.push(type);
      };
      const message = expect.stringMatching(new RegExp(`^fit: checkpoint: cannot write .*: ${words}`, "i"));
      await expect(read()).rejects.toMatchObject({ code: "ERR_FILE", message });
      expect(seen).toEqual([]);
    }
    const readonly = k.checkpoints(join(file, "runs"));
    await expect(made.fit(data, { checkpoint: { folder: readonly } })).rejects.toMatchObject({ code: "ERR_FILE" });
    expect(weightsOf(made)).toEqual(before);
  });

  /** A process that trains, and posts the digest of its file at the end; it kills itself after a step. */
  const program = (path: string, source: string, options: string, killedAfter: number) => `
    const { readFileSync } = await import("node:fs");
    const { createHash } = await import("node:crypto");
    k.setting("threads", ${killedAfter > 0 ? 1 : differences.threads.at(-1)});
    // The process that goes on has other numbers before it loads the file.
    k.seed(${killedAfter === 0 ? 6 : 5});
    const items = Array.from({ length: 200 }, (_, i) => [[Math.sin(i), Math.cos(3 * i)], [Math.sin(i) * Math.cos(3 * i)]]);
    const m = k.Module.of(k.seq("sequential", ["linear", "a", 2, 8], ["dropout", "d", 0.25], ["linear", "b", 8, 1]));
    const model = new k.Model(m, "mse", k.optimizer("adamw").lr(0.05).build(m));
    const checkpoint = { path: ${JSON.stringify(path)}, steps: 7, resume: true };
    const training = model.fit(${source}, { epochs: 3, batchSize: 12, checkpoint, ${options} });
    for await (const event of training) {
      if (event.type === "step" && event.step === ${killedAfter}) process.kill(process.pid, "SIGKILL");
    }
    post(createHash("sha256").update(readFileSync(checkpoint.path)).digest("hex"));`;

  const cases = {
    "data in memory": [
      "{ inputs: items.map(([x]) => x), targets: items.map(([, y]) => y) }",
      "shuffle: true, earlystop: { patience: 9, restorebest: true }",
    ],
    "a source": ["{ samples: async function* () { yield* items; } }", "shuffle: { buffer: 50 }, clipnorm: 1"],
  } as const;
  it.each(Object.entries(cases))(
    "%s goes on after kill -9 in a new process to the same file, byte by byte",
    async (_, [source, options]) => {
      const [straight, killed] = [newPath(), newPath()];
      const expected = await runInProcess(program(straight, source, options, -1));
      await expect(runInProcess(program(killed, source, options, 26))).rejects.toThrow();
      const before = createHash("sha256").update(readFileSync(killed)).digest("hex");
      expect(before).not.toBe(expected);
      expect(k.load<{ training: k.TrainingPosition }>(killed).training).toMatchObject({
        epoch: 2,
        step: 21,
        taken: 48,
      });
      expect(await runInProcess(program(killed, source, options, 0))).toBe(expected);
    },
  );
});
