// The cases of the benchmark on a GPU, the most important first: a run with a time limit keeps these.

import { count, type Shape } from "../numbers.js";
import { type Optimizer, optimizers } from "../optimizers.js";

export type Dtype = "float" | "bfloat16";

export interface GpuCase {
  readonly id: string;
  readonly optimizer: Optimizer;
  readonly shapes: readonly Shape[];
  readonly dtype: Dtype;
  /** Whether the memory decides the time, and not the calls. */
  readonly large: boolean;
}

interface Size {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly large: boolean;
}

const timed = ["adam", "lamb", "adamw", "sgd", "rmsprop", "adagrad"];

/** 100 million parameters in four tensors, and a thousand of 16. */
const sizes: readonly Size[] = [
  { name: "4x25M", shapes: Array.from({ length: 4 }, () => [25_000_000]), large: true },
  { name: "1000x16", shapes: Array.from({ length: 1000 }, () => [16]), large: false },
];
/** For a run on the CPU, which shows that the benchmark works. */
const smallSizes: readonly Size[] = [
  { name: "4x250k", shapes: Array.from({ length: 4 }, () => [250_000]), large: true },
  { name: "100x16", shapes: Array.from({ length: 100 }, () => [16]), large: false },
];

export function cases(device: string): readonly GpuCase[] {
  const chosen = timed.flatMap((name) => optimizers.find((one) => one.name === name) ?? []);
  return (["float", "bfloat16"] as const).flatMap((dtype) =>
    chosen.flatMap((optimizer) =>
      (device === "cpu" ? smallSizes : sizes).map(({ name, shapes, large }) => ({
        id: `${optimizer.name} ${name} ${dtype}`,
        optimizer,
        shapes,
        dtype,
        large,
      })),
    ),
  );
}

/**
 * Bytes that a step must at least move. With 16-bit parameters Stepwell reads and writes 32-bit master weights and state, and
 * PyTorch keeps its state in 16 bits.
 */
export function bytesOf({ optimizer, shapes, dtype }: GpuCase, ours: boolean): number {
  const { bytes } = optimizer;
  if (dtype === "float") return bytes * count(shapes);
  // Reading a gradient takes 2 bytes instead of 4; the 8 bytes of a weight become its master weight, and 2 more are written. LAMB
  // reads gradient and master weight a second time.
  const reads = optimizer.name === "lamb" ? 2 : 1;
  return (ours ? bytes - 2 * reads + 2 : bytes / 2) * count(shapes);
}
