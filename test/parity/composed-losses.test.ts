import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectNear, type Tolerance } from "./near.js";

const dtypes = supported("double", "float", "half", "bfloat16");
type Dtype = (typeof dtypes)[number];
const reductions = ["none", "mean", "sum"] as const;
type Reduce = (typeof reductions)[number];

interface Recording {
  readonly loss: k.LossName;
  readonly options: k.LossOptions;
  readonly input: k.Numbers;
  readonly targets: readonly k.Numbers[];
  readonly long: readonly boolean[];
  /** A dtype that PyTorch's kernel lacks is missing. */
  readonly expected: Partial<
    Record<Dtype, Record<Reduce, { readonly value: k.Numbers; readonly gradient: k.Numbers }>>
  >;
}

interface Recordings {
  readonly tolerance: Record<Dtype, Tolerance>;
  readonly recordings: readonly Recording[];
}

const file: Recordings = JSON.parse(readFileSync(new URL("./composed_losses.json", import.meta.url), "utf8"));
type AnyLossFunction = (input: k.TensorHandle, ...more: readonly unknown[]) => k.TensorHandle;

const ctcOfLogits: AnyLossFunction = (x, ...more) => (k.ctc as AnyLossFunction)(k.logsoftmax(x, -1), ...more);

afterEach(() => k.free());

describe.each(dtypes)("in %s a composed loss is what PyTorch's is", (dtype) => {
  const recordings = file.recordings.filter(({ expected }) => expected[dtype] !== undefined);
  expect(recordings.length).toBeGreaterThan(40);
  it.each(recordings.map((recording, number) => ({ number, ...recording })))(
    "$loss $options, recording $number",
    ({ loss, options, input, targets, long, expected }) => {
      const apply = (loss === "ctc" ? ctcOfLogits : Reflect.get(k, loss)) as AnyLossFunction;
      const tensors = targets.map((target, i) => k.tensor(target, long[i] ? "long" : dtype));
      // The targets as plain numbers and as tensors, and a loss that is kept, must give equal results.
      for (const given of [targets, tensors]) {
        for (const reduce of reductions) {
          const x = k.tensor(input, dtype, "grad");
          const value = apply(x, ...given, { ...options, reduce });
          const wanted = expected[dtype]?.[reduce];
          expectNear(`${reduce}, value`, k.tensor(value), wanted?.value as k.Numbers, file.tolerance[dtype]);
          if (reduce === "none") k.backward(value, k.full(k.size(value), 1, dtype));
          else k.backward(value);
          expectNear(`${reduce}, gradient`, k.grad(x), wanted?.gradient as k.Numbers, file.tolerance[dtype]);
        }
      }
      const kept = k.loss(loss, options);
      const x = loss === "ctc" ? k.logsoftmax(k.tensor(input, dtype), -1) : k.tensor(input, dtype);
      const applied = (k.loss as (...args: readonly unknown[]) => k.TensorHandle)(kept, x, ...tensors);
      expect(k.tensor(applied)).toEqual(k.tensor((Reflect.get(k, loss) as AnyLossFunction)(x, ...tensors, options)));
    },
  );
});
