// Event files as TensorBoard has read one, and as a reader of this file finds them after a training.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventFile, observe, tensorboard } from "@stepwell/cli";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { numbers, time, writeExample } from "./event-file.js";

interface Histogram {
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "events.json"), "utf8")) as {
  readonly tensorboard: string;
  readonly sha256: string;
  readonly firstTime: number;
  readonly scalars: object;
  readonly histograms: Readonly<Record<string, readonly Histogram[]>>;
  readonly texts: object;
};

const folder = mkdtempSync(join(tmpdir(), "events-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => k.free());

describe("an event file", () => {
  const path = writeExample(join(folder, "example"));

  it("has the bytes that TensorBoard has read", () => {
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(recorded.sha256);
  });

  it("holds for TensorBoard the numbers that were written", () => {
    expect(recorded.firstTime).toBe(time);
    expect(recorded.scalars).toEqual({
      "loss/training": [1, 2, 3].map((step) => [step, time, Math.fround(1 / step)]),
      negative: [[2 ** 40, time, -2.5]],
      "not a number": [[0, time, "NaN"]],
    });
    expect(recorded.texts).toEqual({
      description: [{ step: 2, plugin: "text", values: ["# A run\n\nwith *Markdown* and ü"] }],
    });
    expect(Object.keys(recorded.histograms)).toEqual(["parameter/fc.weight", "zeros"]);
    const [histogram] = recorded.histograms["parameter/fc.weight"] ?? [];
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    expect(histogram).toMatchObject({
      ...{ step: 3, min: Math.min(...numbers), max: Math.max(...numbers), count: numbers.length, sum: sum(numbers) },
      sumOfSquares: sum(numbers.map((value) => value * value)),
    });
    const { limits, counts } = histogram as Histogram;
    const counted = limits.map(
      (limit, i) => numbers.filter((value) => value <= limit && value > (limits[i - 1] ?? -Infinity)).length,
    );
    expect(counts).toEqual(counted);
    expect(sum(counts)).toBe(numbers.length);
  });

  // A Python with tensorboard 2.20.0, which test/cli/record_events.py says how to make.
  const python = process.env.STEPWELL_TENSORBOARD_PYTHON;
  it.runIf(python)("is read by TensorBoard", () => {
    const script = join(import.meta.dirname, "record_events.py");
    const { tensorboard: _, ...read } = JSON.parse(
      execFileSync(python as string, [script, path], { encoding: "utf8" }),
    );
    const { tensorboard: __, ...expected } = recorded;
    expect(read).toEqual(expected);
  });

  it("that cannot be made is an error", () => {
    const dangling = join(folder, "dangling");
    symlinkSync(join(folder, "absent"), dangling);
    const rows: readonly (readonly [string, RegExp])[] = [
      [path, /it exists, and is not a folder$/],
      [dangling, /dangling: it exists, and is not a folder$/],
      [join(dangling, "runs"), /dangling: it exists, and is not a folder$/],
      // Where `mkdirSync` with `recursive` never returns.
      ...(process.platform === "linux" ? [["/proc/absent/runs", /^\/proc\/absent: the system makes no/] as const] : []),
    ];
    for (const [place, message] of rows)
      expect(failureOf(() => new EventFile(place))).toMatchObject({
        code: "ERR_FILE",
        message: expect.stringMatching(message),
      });
  });

  it("writes nothing after its end, above all not into the file that has its descriptor then", () => {
    const closed = new EventFile(join(folder, "closed", "runs"));
    closed.close();
    const other = join(folder, "other");
    const descriptor = openSync(other, "w");
    expect(failureOf(() => closed.scalar("a", 1, 1))).toMatchObject({
      code: "ERR_FILE",
      message: expect.stringMatching(/: it is closed$/),
    });
    closed.close();
    writeSync(descriptor, "whole");
    closeSync(descriptor);
    expect(readFileSync(other, "utf8")).toBe("whole");
  });

  it("refuses what it cannot write, and writes nothing", () => {
    const file = new EventFile(join(folder, "refused"));
    const length = statSync(file.path).size;
    const bad = (value: unknown) => value as never;
    const calls: readonly (readonly [() => unknown, string])[] = [
      ...[1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "1", 1n, undefined].map(
        (step) => [() => file.scalar("a", 1, bad(step)), "step: expected a whole number from 0 on, given "] as const,
      ),
      [() => file.scalar(bad(undefined), 1, 1), "name: expected a text, given undefined"],
      [() => file.scalar("a", bad("1"), 1), "value: expected a number, given '1'"],
      [() => file.histogram("a", bad(["1"]), 1), "values: expected numbers, given "],
      [() => file.histogram("a", bad(null), 1), "values: expected numbers, given null"],
      [() => file.histogram("a", bad([1n]), 1), "values: expected numbers, given "],
      [() => file.histogram("a", [Number.NaN], -1), "step: expected a whole number from 0 on, given -1"],
      [() => file.text("a", bad(5)), "value: expected a text, given 5"],
      [() => new EventFile(bad(5)), "folder: expected a text, given 5"],
    ];
    for (const [call, message] of calls) {
      expect(failureOf(call)).toMatchObject({
        code: "ERR_ARGUMENT",
        message: expect.stringContaining(`event file: ${message}`),
      });
    }
    expect(statSync(file.path).size).toBe(length);
    file.close();
  });
});

/** The error of a call. */
function failureOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** CRC-32C bit by bit. */
function checksum(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (0x82f63b78 & -(value & 1));
  }
  const crc = ~value >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** The fields of a message: numbers, or bytes. */
function fieldsOf(message: Uint8Array): Fields {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const read: Readonly<Record<number, () => number | Uint8Array>> = {
      0: varint,
      1: () => {
        at += 8;
        return view.getFloat64(at - 8, true);
      },
      2: () => {
        const length = varint();
        at += length;
        return message.subarray(at - length, at);
      },
      5: () => {
        at += 4;
        return view.getFloat32(at - 4, true);
      },
    };
    const value = (read[tag & 7] as () => number | Uint8Array)();
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

/** The messages of a file, whose lengths and checksums are right. */
function eventsOf(path: string): readonly Fields[] {
  const bytes = readFileSync(path);
  const events: Fields[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(checksum(bytes.subarray(at, at + 8)));
    const event = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(checksum(event));
    events.push(fieldsOf(event));
    at += length + 16;
  }
  return events;
}

const textOf = (value: number | Uint8Array | undefined) => Buffer.from(value as Uint8Array).toString();

/** Scalars by name, each with its step. */
function scalarsOf(path: string): Readonly<Record<string, (readonly [step: number, value: number])[]>> {
  const found: Record<string, (readonly [number, number])[]> = {};
  for (const event of eventsOf(path)) {
    const [summary] = event.get(5) ?? [];
    if (summary === undefined) continue;
    const value = fieldsOf(fieldsOf(summary as Uint8Array).get(1)?.[0] as Uint8Array);
    if (!value.has(2)) continue;
    const name = textOf(value.get(1)?.[0]);
    found[name] = [...(found[name] ?? []), [event.get(2)?.[0] as number, value.get(2)?.[0] as number]];
  }
  return found;
}

it("the checksum has the value of RFC 3720", () => {
  // The masked form of 0xe3069283.
  expect(checksum(Buffer.from("123456789"))).toBe(
    ((((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0) + 0xa282ead8) % 2 ** 32,
  );
});

it("a training by fit has its losses, rates, norms and trust ratios in a file", async () => {
  k.seed(3);
  const module = k.Module.of(k.seq("sequential", ["linear", "a", 3, 8], "tanh", ["linear", "b", 8, 1]));
  const optimizer = new k.Optimizer(k.opt("lamb", module, { lr: 0.03, decay: 0.1, trustmax: 10 }));
  const model = new k.Model(module, "mse", optimizer);
  const data = {
    inputs: Array.from({ length: 12 }, (_, i) => [i / 12, (i % 3) - 1, 1]),
    targets: Array.from({ length: 12 }, (_, i) => [(i % 5) / 5]),
  };
  // The parameters before and after each step, by functions of the SDK alone.
  const weights = () =>
    Object.fromEntries(
      k.parmnames(module).map((name) => [name, [...(k.data(k.parm(module, name)).data as Float32Array)]]),
    );
  const before: ReturnType<typeof weights>[] = [weights()];
  const losses: number[] = [];
  const watch = {
    event: (event: k.FitEvent) => {
      if (event.type !== "step") return;
      before.push(weights());
      losses.push(event.loss);
    },
  };
  const history = await observe(
    model.fit(data, { epochs: 3, batchsize: 4, shuffle: true }),
    watch,
    tensorboard(join(folder, "fit"), { model, every: 1, description: "LAMB" }),
  );
  expect(history).toMatchObject({ reason: "finished", steps: 9 });
  expect(history.epochs).toHaveLength(3);
  const scalars = scalarsOf(join(folder, "fit", readdirSync(join(folder, "fit"))[0] as string));
  expect(scalars["loss/step"]).toEqual(losses.map((loss, i) => [i + 1, Math.fround(loss)]));
  expect(scalars["loss/training"]).toEqual(history.epochs.map(({ loss }, i) => [3 * (i + 1), Math.fround(loss)]));
  expect(scalars["rate/group 0"]).toEqual(losses.map((_, i) => [i + 1, Math.fround(0.03)]));
  const norm = (values: readonly number[]) => Math.hypot(...values);
  const change = (step: number, name: string) =>
    before[step]?.[name]?.map((value, i) => value - (before[step - 1]?.[name]?.[i] as number)) ?? [];
  for (const [index, [step, value]] of (scalars["norm/update"] ?? []).entries()) {
    expect(step).toBe(index + 1);
    expect(value).toBeCloseTo(norm(k.parmnames(module).flatMap((name) => change(step, name))), 5);
  }
  for (const name of k.parmnames(module)) {
    const relative = scalars[`relative update/${name}`] ?? [];
    expect(relative).toHaveLength(9);
    for (const [step, value] of relative)
      expect(value).toBeCloseTo(norm(change(step, name)) / norm(before[step]?.[name] ?? []), 5);
    // LAMB: the step is rate x ratio x update, and the ratio norm of the weights / norm of the update, at most 10.
    for (const [step, ratio] of scalars[`trust ratio/${name}`] ?? []) {
      const [moved, weight] = [norm(change(step, name)), norm(before[step - 1]?.[name] ?? [])];
      const update = moved / (0.03 * ratio);
      expect(ratio).toBeCloseTo(Math.min(10, weight / update), 3);
    }
    expect(scalars[`trust ratio/${name}`]).toHaveLength(9);
  }
  const ratios = Object.entries(scalars).flatMap(([name, values]) =>
    name.startsWith("trust") ? values.map(([, value]) => value) : [],
  );
  expect(new Set(ratios.map((ratio) => ratio.toFixed(6))).size).toBeGreaterThan(20);
});

it.each([
  ["corrected averages", { unbiased: true }],
  ["averages as they are", { unbiased: false }],
  ["decay in the gradient", { l2: true }],
])("the trust ratio of LAMB is its limit where it has one value only, with %s", async (_, options) => {
  k.seed(5);
  const module = k.Module.of(k.seq("sequential", ["linear", 3, 6], "tanh", ["linear", 6, 1]));
  const fixed = { lr: 0.02, decay: 0.1, trustmin: 0.7, trustmax: 0.7, ...options };
  const model = new k.Model(module, "mse", new k.Optimizer(k.opt("lamb", module, fixed)));
  const inputs = Array.from({ length: 8 }, (_, i) => [i / 8, (i % 3) - 1, 1]);
  const target = join(folder, JSON.stringify(options).replaceAll(/\W/g, ""));
  await observe(
    model.fit({ inputs, targets: inputs.map(([x]) => [x ?? 0]) }, { epochs: 6, batchsize: 4 }),
    tensorboard(target, { model, every: 1 }),
  );
  const scalars = scalarsOf(join(target, readdirSync(target)[0] as string));
  const ratios = Object.entries(scalars).filter(([name]) => name.startsWith("trust ratio/"));
  expect(ratios.map(([, values]) => values.length)).toEqual([12, 12, 12, 12]);
  for (const [, values] of ratios) for (const [, ratio] of values) expect(ratio).toBeCloseTo(0.7, 3);
});
