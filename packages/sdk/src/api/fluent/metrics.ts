// Counts of classes, from which the accuracy is computed.

import type { TypedTensor } from "../../binding.js";

/** The number of classes that count: all except -100, which the losses ignore. */
export function countClasses(classes: TypedTensor): number {
  let counted = 0;
  for (const item of classes.data) if (Number(item) !== -100) counted += 1;
  return counted;
}

/** The number of rows whose largest score is at the class of the row. A row with a score that is not a number has no largest. */
export function countRight(scores: TypedTensor, classes: TypedTensor): number {
  const width = scores.shape[1] ?? 0;
  const largest = (row: number) => {
    let best = 0;
    for (let i = 0; i < width; i++) {
      const score = Number(scores.data[row * width + i]);
      if (Number.isNaN(score)) return undefined;
      if (score > Number(scores.data[row * width + best])) best = i;
    }
    return best;
  };
  let right = 0;
  for (let row = 0; row < classes.data.length; row++) {
    if (largest(row) === Number(classes.data[row])) right += 1;
  }
  return right;
}
