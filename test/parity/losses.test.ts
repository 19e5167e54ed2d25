import { readFileSync } from "node:fs";
import {
  backward,
  bce,
  bcewithlogits,
  ce,
  free,
  grad,
  l1,
  mse,
  type Numbers,
  nll,
  type SmoothL1Options,
  smoothl1,
  type TensorHandle,
  tensor,
} from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectNear, type Tolerance } from "./near.js";

const dtypes = supported("double", "float", "half", "bfloat16");
type Dtype = (typeof dtypes)[number];
type Reduce = "none" | "mean" | "sum";

type LossOfTwo = (input: TensorHandle, target: Numbers | TensorHandle, options?: SmoothL1Options) => TensorHandle;
const losses = { bce, bcewithlogits, ce, l1, mse, nll, smoothl1 } satisfies Record<string, LossOfTwo>;

interface Recording {
  readonly loss: keyof typeof losses;
  readonly options: SmoothL1Options;
  readonly input: Numbers;
  readonly target: Numbers;
  readonly classes?: true;
  readonly expected: Record<Dtype, Record<Reduce, { readonly value: Numbers; readonly gradient?: Numbers }>>;
}

interface Recordings {
  readonly tolerance: Record<Dtype, Tolerance>;
  readonly recordings: readonly Recording[];
}

const file: Recordings = JSON.parse(readFileSync(new URL("./losses.json", import.meta.url), "utf8"));
const reductions: readonly Reduce[] = ["none", "mean", "sum"];

afterEach(() => free());

describe.each(dtypes)("in %s a loss is what PyTorch's is", (dtype) => {
  it.each(file.recordings.map((recording, number) => ({ number, ...recording })))(
    "$loss, recording $number",
    ({ loss, options, input, target, classes, expected }) => {
      // The target as plain numbers and as a tensor must give equal results.
      const targets = [target, tensor(target, classes ? "long" : dtype)];
      for (const reduce of reductions) {
        for (const given of targets) {
          const x = tensor(input, dtype, "grad");
          const value = (losses[loss] as LossOfTwo)(x, given, { ...options, reduce });
          const { value: wanted, gradient } = expected[dtype][reduce];
          expectNear(`${reduce}, value`, tensor(value), wanted, file.tolerance[dtype]);
          if (gradient === undefined) continue;
          backward(value);
          expectNear(`${reduce}, gradient`, grad(x), gradient, file.tolerance[dtype]);
        }
      }
      // Without options a loss is the mean.
      const plain = (losses[loss] as LossOfTwo)(tensor(input, dtype), target, options);
      expect(tensor(plain)).toBe(
        tensor((losses[loss] as LossOfTwo)(tensor(input, dtype), target, { ...options, reduce: "mean" })),
      );
    },
  );
});
