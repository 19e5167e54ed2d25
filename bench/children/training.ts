// The classifier of examples/digits, and a batch for it of made-up digits: the same for every contender.

import { parameters, type Shape } from "../numbers.js";

export const pixels = 784;
export const hidden = 256;
export const classes = 10;
export const learningRate = 1e-3;

export interface Batch {
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: number[];
}

export function batchOf(size: number): Batch {
  return { images: parameters([size, pixels]), labels: Array.from({ length: size }, (_, i) => i % classes) };
}

export type Weight = { readonly data: Float32Array<ArrayBuffer>; readonly shape: Shape };

/** Weights as a linear layer keeps them, [outputs, inputs], of about the size that PyTorch draws them; biases of zero. */
export function weights(): Record<"hidden.weight" | "hidden.bias" | "output.weight" | "output.bias", Weight> {
  const scaled = (shape: Shape, inputs: number) => ({
    data: parameters(shape).map((x) => x / Math.sqrt(inputs)),
    shape,
  });
  return {
    "hidden.weight": scaled([hidden, pixels], pixels),
    "hidden.bias": { data: new Float32Array(hidden), shape: [hidden] },
    "output.weight": scaled([classes, hidden], hidden),
    "output.bias": { data: new Float32Array(classes), shape: [classes] },
  };
}

/** The other way around, [inputs, outputs], as most of JavaScript's libraries multiply. */
export function transposed({ data, shape }: Weight): Weight {
  const [outputs = 1, inputs = 1] = shape;
  const other = data.map((_, i) => data[(i % outputs) * inputs + Math.floor(i / outputs)] ?? 0);
  return { data: other, shape: [inputs, outputs] };
}
