// Training in 16 bits, loss scales and averages compared with PyTorch: mixed.json, which record_mixed.py made.

import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectNear, type Tolerance } from "./near.js";

type Flat = readonly number[];
type Dtype = "float" | "double" | "half" | "bfloat16";

interface Kept {
  readonly masters: readonly Flat[];
  readonly parameters: readonly Flat[];
  readonly average?: readonly Flat[];
}

interface Recording {
  readonly optimizer: k.OptimizerName;
  readonly dtype: Dtype;
  readonly options: object;
  readonly parameters: readonly Flat[];
  readonly gradients: readonly (readonly (readonly (number | string)[])[])[];
  readonly expected: Readonly<Record<string, Kept>>;
}

interface Trajectory extends Recording {
  readonly moments: "full";
  readonly average: number | null;
}

interface Scaling extends Recording {
  readonly scaling: k.LossScaleOptions;
  readonly clip: k.StepOptions;
  readonly scales: readonly (readonly [scale: number, tracker: number])[];
}

interface Recordings {
  readonly masters: readonly Trajectory[];
  readonly average: readonly Trajectory[];
  readonly scaling: readonly Scaling[];
}

const recordings: Recordings = JSON.parse(readFileSync(new URL("mixed.json", import.meta.url), "utf8"));

/** The tolerances of the other recordings. */
const tolerances: Readonly<Record<Dtype, Tolerance>> = {
  double: { rtol: 1e-7, atol: 1e-7 },
  float: { rtol: 1.3e-6, atol: 1e-5 },
  half: { rtol: 1.3e-6, atol: 1e-5 },
  bfloat16: { rtol: 1.3e-6, atol: 1e-5 },
};
/** One unit in the last place, for masters that fall on both sides of a tie. */
const unit = { half: { rtol: 2 ** -10, atol: 2 ** -24 }, bfloat16: { rtol: 2 ** -7, atol: 0 } } as const;

const numbers = (tensor: k.TensorHandle) => [...k.data(tensor).data].map(Number);
const { half, bfloat16 } = unit;

/** The buffer of each parameter under a name; of none, the parameter. */
function buffersOf(o: k.OptimizerHandle, tensors: readonly k.TensorHandle[], name: string): readonly Flat[] {
  return k.state(o).parms.map(({ buffers }, i) => {
    const buffer = buffers[name] as k.TypedTensor | undefined;
    return buffer === undefined ? numbers(tensors[i] as k.TensorHandle) : Array.from(buffer.data, Number);
  });
}

function setup({ dtype, parameters, optimizer, options }: Recording, more: object) {
  const tensors = parameters.map((values) => k.tensor(values, "grad", dtype));
  const o = k.opt(optimizer);
  k.opt(o, 0, [], { ...options, ...more });
  for (const x of tensors) k.opt(o, x);
  return { tensors, o };
}

/** Sets gradients, recorded as multiplied by a scale. In 64 bits the division is exact. */
function setGradients(tensors: readonly k.TensorHandle[], rows: Recording["gradients"][number], scale = 1) {
  const number = (x: number | string) => (typeof x === "number" ? x : ({ inf: Infinity, "-inf": -Infinity }[x] ?? NaN));
  for (const [i, x] of tensors.entries())
    k.grad(
      x,
      (rows[i] ?? []).map((g) => number(g) / scale),
    );
}

/** Compares; returns how many of the parameters of 16 bits are equal, of how many. */
function compare(recording: Recording, step: number, o: k.OptimizerHandle, tensors: readonly k.TensorHandle[]) {
  const { dtype } = recording;
  const wanted = recording.expected[step];
  if (wanted === undefined) return [0, 0] as const;
  const near = (what: string, ours: readonly Flat[], theirs: readonly Flat[], tolerance: Tolerance) => {
    for (const [i, row] of theirs.entries()) expectNear(`step ${step}, ${what} ${i}`, ours[i], row, tolerance);
  };
  near("weights", buffersOf(o, tensors, "master_param"), wanted.masters, tolerances[dtype]);
  if (wanted.average) near("average", buffersOf(o, tensors, "param_average"), wanted.average, tolerances[dtype]);
  if (dtype !== "half" && dtype !== "bfloat16") return [0, 0] as const;
  const ours = tensors.map(numbers);
  near("parameter", ours, wanted.parameters, { half, bfloat16 }[dtype]);
  const [flat, theirs] = [ours.flat(), wanted.parameters.flat()];
  return [flat.filter((x, i) => Object.is(x, theirs[i])).length, flat.length] as const;
}

afterEach(() => k.free());

/** Whether the engine has the dtype of a recording. */
const runs = ({ dtype }: { readonly dtype: Dtype }) => supported(dtype).length > 0;

const kinds = (["masters", "average"] as const).filter((kind) => recordings[kind].some(runs));

describe.each(kinds)("%s", (kind) => {
  it.each(recordings[kind].filter(runs))("of $optimizer, $dtype, $options follow PyTorch", (recording) => {
    const { moments, average } = recording;
    const { tensors, o } = setup(recording, { moments, ...(average !== null && { average }) });
    let [equal, all] = [0, 0];
    for (const [i, rows] of recording.gradients.entries()) {
      setGradients(tensors, rows);
      k.step(o);
      const [same, of] = compare(recording, i + 1, o, tensors);
      [equal, all] = [equal + same, all + of];
    }
    expect(equal / Math.max(all, 1)).toBeGreaterThanOrEqual(all === 0 ? 0 : 0.95);
    for (const { buffers } of k.state(o).parms) {
      const dtypes = Object.entries(buffers).flatMap(([key, value]) =>
        typeof value === "object" && value !== null && "data" in value ? [[key, value.dtype] as const] : [],
      );
      for (const [key, dtype] of dtypes) {
        expect(dtype, key).toBeUndefined();
      }
    }
  });
});

describe("loss scales", () => {
  it.each(recordings.scaling.filter(runs))("of $optimizer, $dtype, $scaling, $clip follow GradScaler", (recording) => {
    const { tensors, o } = setup(recording, {});
    k.lossscale(o, recording.scaling);
    let skipped = 0;
    for (const [i, rows] of recording.gradients.entries()) {
      setGradients(tensors, rows, k.lossscale(o)?.scale);
      const bad = rows.flat().some((x) => typeof x === "string");
      const before = bad ? { state: k.state(o).parms, values: tensors.map(numbers) } : undefined;
      k.step(o, recording.clip);
      if (before) expect({ state: k.state(o).parms, values: tensors.map(numbers) }).toEqual(before);
      skipped += bad ? 1 : 0;
      const { scale, growth_tracker, ...rest } = k.lossscale(o) as k.LossScale;
      expect([scale, growth_tracker], `step ${i + 1}`).toEqual(recording.scales[i]);
      expect(rest.skipped).toBe(skipped);
      compare(recording, i + 1, o, tensors);
    }
    expect(skipped).toBe(5);
  });
});
