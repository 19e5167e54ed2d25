// Steps of an optimizer whose state processes share, or of which each has all. Both end with the same bits.

import { createHash } from "node:crypto";
import * as k from "@stepwell/sdk";

export interface Steps {
  readonly name: string;
  readonly optimizer: k.OptimizerName;
  /** Of the optimizer. */
  readonly options?: object;
  readonly step?: k.StepOptions;
  readonly scale?: k.LossScaleOptions;
  /** Whether a gradient of rank 1 is not finite in the second step. */
  readonly isSpoiled?: boolean;
}

/** The results of some steps on one process. */
export interface Stepped {
  /** A digest of parameters, gradients and state. */
  readonly digest: string;
  /** A digest of the parameters while their averages are swapped in. */
  readonly averaged?: string;
  readonly skipped: number;
  /** Of the state that this process has. */
  readonly bytes: number;
}

const optimizers = k
  .help("optimizer")
  .map(({ optimizer }) => optimizer)
  .filter((optimizer) => optimizer !== "lbfgs");

/**
 * Each optimizer: clipped, and with a loss scale. Two also plain, with averages, offloaded, and with moments in 16 bits: crates/optim has all
 * of these for each.
 */
export const allSteps: readonly Steps[] = optimizers.flatMap((optimizer): Steps[] => {
  const rows: Steps[] = [
    { name: "clipped", optimizer, step: { clipnorm: 0.3 } },
    { name: "scaled", optimizer, step: { clipnorm: 2, zerograd: true }, scale: { init: 8 }, isSpoiled: true },
  ];
  if (optimizer === "adamw" || optimizer === "lamb") {
    rows.push(
      { name: "plain", optimizer },
      { name: "averaged", optimizer, options: { average: 0.9 }, step: { zerograd: true } },
      { name: "offloaded", optimizer, options: { offload: true }, step: { nonfinite: "skip" }, isSpoiled: true },
      { name: "short moments", optimizer, options: { moments: "bfloat16" } },
    );
  }
  return rows.map((row) => ({ ...row, name: `${optimizer}, ${row.name}` }));
});

const numbers = (length: number, seed: number) => Float64Array.from({ length }, (_, i) => Math.sin(i * 0.7 + seed));

/** Parameters of several types. With moments in 16 bits, two are larger than a chunk, so that processes share them. */
function parametersOf({ options = {} }: Steps): k.TensorHandle[] {
  const isShort = "moments" in options;
  // Parameters in f64 have no moments in 16 bits.
  const double = isShort ? "float" : "double";
  const rows = [
    [isShort ? 20_000 : 200, "float"],
    [300, double],
    [isShort ? 17_000 : 170, "bfloat16"],
    [40, "half"],
    [500, "float"],
    [1, "float"],
    [9, "float"],
  ] as const;
  return rows.map(([length, dtype], index) => k.tensor(numbers(length, index), dtype, "grad"));
}

/** A digest of plain data, and of the bytes of its arrays. */
function digestOf(value: unknown): string {
  const hash = createHash("sha256");
  const text = JSON.stringify(value, (_, part) => {
    if (!ArrayBuffer.isView(part)) return part;
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    return null;
  });
  return hash.update(text).digest("hex");
}

/** Makes steps. `share` gives the optimizer to the processes of a group, and may do so again between steps. */
export async function makeSteps(
  row: Steps,
  rank: number,
  share: (o: k.OptimizerHandle, step: number) => Promise<void>,
): Promise<Stepped> {
  const all = parametersOf(row);
  const [first, second] = [all.slice(0, 4), all.slice(4)].map((tensors) => k.vector(...tensors));
  const o = k.opt(row.optimizer as "adam", first as k.VectorHandle, { lr: 0.01, ...row.options });
  k.opt(o, 1, second as k.VectorHandle, 0.02);
  if (row.scale) k.lossscale(o, row.scale);
  for (let step = 0; step < 4; step++) {
    await share(o, step);
    for (const [index, parameter] of all.entries()) {
      // One has a gradient late, one on rank 1 alone, and one never.
      if ((index === 1 && step === 0) || (index === 5 && rank !== 1) || index === 6) continue;
      const factors = numbers(k.elements(parameter), 10 * step + 3 * rank + index);
      if (row.isSpoiled && rank === 1 && step === 1 && index === 3) factors[7] = Number.NaN;
      k.scoped(() => {
        k.backward(k.sum(k.mul(parameter, k.tensor(factors, k.dtype(parameter)))));
      });
    }
    await k.stepAsync(o, row.step);
    if (step === 1) k.zerograd(o);
  }
  const values = () => all.map((parameter) => k.data(parameter, k.dtype(parameter) as "float").data);
  const gradients = all.map((parameter) => k.grad(parameter) ?? null);
  const numbersOfAll = () => digestOf([values(), gradients, k.state(o).parms.map(({ pointer: _, ...parm }) => parm)]);
  const result = { digest: numbersOfAll(), skipped: k.skipped(o), bytes: k.bytes(o) };
  if (!("average" in (row.options ?? {}))) return result;
  k.average(o);
  const averaged = digestOf(values());
  k.average(o);
  if (numbersOfAll() !== result.digest) throw new Error(`${row.name}: other numbers after averages were swapped twice`);
  return { ...result, averaged };
}
