// The classifier in plain JavaScript, with gradients by hand.

import { adam } from "./plain-adam.js";
import type { Candidate } from "./serve.js";
import { type Batch, classes, hidden, learningRate, pixels, transposed, weights } from "./training.js";

export function classifier({ images, labels }: Batch): Candidate {
  const size = labels.length;
  const start = weights();
  const w1 = transposed(start["hidden.weight"]).data;
  const b1 = start["hidden.bias"].data;
  const w2 = transposed(start["output.weight"]).data;
  const b2 = start["output.bias"].data;
  const parameters = [w1, b1, w2, b2];
  const [dw1, db1, dw2, db2] = parameters.map((p) => new Float32Array(p.length)) as Four;
  const update = adam(parameters, [dw1, db1, dw2, db2], learningRate);
  const h = new Float32Array(size * hidden);
  const dh = new Float32Array(size * hidden);
  const z = new Float32Array(size * classes);
  let last = Number.NaN;

  const step = () => {
    rowsOf(b1, h, size);
    multiply(images, w1, h, size, pixels, hidden);
    for (let i = 0; i < h.length; i++) h[i] = Math.max(0, h[i] as number);
    rowsOf(b2, z, size);
    multiply(h, w2, z, size, hidden, classes);
    last = lossAndGradient(z, labels);
    multiplyTransposed(h, z, dw2.fill(0), size, hidden, classes);
    sumRows(z, db2);
    const w2transposed = transposed({ data: w2, shape: [hidden, classes] }).data;
    multiply(z, w2transposed, dh.fill(0), size, classes, hidden);
    for (let i = 0; i < dh.length; i++) if (h[i] === 0) dh[i] = 0;
    multiplyTransposed(images, dh, dw1.fill(0), size, pixels, hidden);
    sumRows(dh, db1);
    update();
  };
  return {
    step(steps) {
      for (let i = 0; i < steps; i++) step();
    },
    moved: () => last,
  };
}

type Four = [Float32Array, Float32Array, Float32Array, Float32Array];

/** The mean cross-entropy of logits, which become its gradient. */
function lossAndGradient(z: Float32Array, labels: readonly number[]): number {
  let loss = 0;
  for (const [i, label] of labels.entries()) {
    const row = z.subarray(i * classes, (i + 1) * classes);
    const max = Math.max(...row);
    const sum = row.reduce((sum, x) => sum + Math.exp(x - max), 0);
    loss -= (row[label] as number) - max - Math.log(sum);
    row.forEach((x, k) => {
      row[k] = (Math.exp(x - max) / sum - (k === label ? 1 : 0)) / labels.length;
    });
  }
  return loss / labels.length;
}

/** Every row of `to` becomes `row`. */
function rowsOf(row: Float32Array, to: Float32Array, rows: number): void {
  for (let i = 0; i < rows; i++) to.set(row, i * row.length);
}

function sumRows(from: Float32Array, to: Float32Array): void {
  to.fill(0);
  const width = to.length;
  for (let i = 0; i < from.length; i++) to[i % width] = (to[i % width] as number) + (from[i] as number);
}

/** c[n, k] += a[n, m] b[m, k] */
function multiply(a: Float32Array, b: Float32Array, c: Float32Array, n: number, m: number, k: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const x = a[i * m + j] as number;
      if (x === 0) continue;
      for (let l = 0, from = j * k, to = i * k; l < k; l++)
        c[to + l] = (c[to + l] as number) + x * (b[from + l] as number);
    }
  }
}

/** c[m, k] += a[n, m] transposed, b[n, k] */
function multiplyTransposed(a: Float32Array, b: Float32Array, c: Float32Array, n: number, m: number, k: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const x = a[i * m + j] as number;
      if (x === 0) continue;
      for (let l = 0, from = i * k, to = j * k; l < k; l++)
        c[to + l] = (c[to + l] as number) + x * (b[from + l] as number);
    }
  }
}
