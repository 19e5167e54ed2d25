// The results of a classifier of linear layers on rows of ones, worked out by hand in 64 bits.

/** A linear layer, and whether a relu follows it. */
export interface Layer {
  readonly weight: readonly (readonly number[])[];
  readonly bias: readonly number[];
  readonly relu: boolean;
}

/** Outputs, mean cross entropy, and its gradients. */
export interface Worked {
  readonly output: readonly number[];
  readonly loss: number;
  /** Of each layer, weight before bias. */
  readonly gradients: readonly (readonly number[])[];
}

/** All rows are ones, so all outputs are the same; the mean cross entropy with the classes of the rows. */
export function worked(layers: readonly Layer[], classes: readonly number[]): Worked {
  const inputs: number[][] = [(layers[0]?.weight[0] ?? []).map(() => 1)];
  const before: number[][] = [];
  for (const { weight, bias, relu } of layers) {
    const x = inputs.at(-1) ?? [];
    const sums = weight.map((row, i) => row.reduce((sum, w, j) => sum + w * (x[j] ?? 0), bias[i] ?? 0));
    before.push(sums);
    inputs.push(relu ? sums.map((sum) => Math.max(sum, 0)) : sums);
  }
  const output = inputs.at(-1) ?? [];
  const total = output.reduce((sum, x) => sum + Math.exp(x), 0);
  const shares = output.map((_, i) => classes.filter((c) => c === i).length / classes.length);
  const loss = Math.log(total) - output.reduce((sum, x, i) => sum + x * (shares[i] ?? 0), 0);

  // The softmax less the share of each class, and so on backwards.
  let slopes = output.map((x, i) => Math.exp(x) / total - (shares[i] ?? 0));
  const gradients: number[][] = [];
  for (const [place, { weight, relu }] of [...layers.entries()].reverse()) {
    const here = slopes.map((slope, i) => (relu && (before[place]?.[i] ?? 0) <= 0 ? 0 : slope));
    const x = inputs[place] ?? [];
    gradients.unshift(
      here.flatMap((slope) => x.map((xj) => slope * xj)),
      here,
    );
    slopes = x.map((_, j) => here.reduce((sum, slope, i) => sum + slope * (weight[i]?.[j] ?? 0), 0));
  }
  return { output, loss, gradients };
}

/** Where AdamW's first step takes a parameter: bias correction leaves g / (|g| + eps) of both moments. */
export function firstStep(
  p: number,
  g: number,
  { lr, decay, eps }: { lr: number; decay: number; eps: number },
): number {
  return p * (1 - lr * decay) - (lr * g) / (Math.abs(g) + eps);
}
