// The model of examples/gpt for contenders in JavaScript: weights and a batch as numbers.

import { pieces, randomOf } from "@stepwell/example-gpt/text";
import { sizes } from "@stepwell/example-gpt/training";
import type { Shape } from "../numbers.js";

export { sizes };

export interface NamedWeight {
  readonly name: string;
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: Shape;
}

/** The weights that `start` of examples/gpt/src/gpt.ts sets, in order. */
export function weightsOf(seed: number): NamedWeight[] {
  const random = randomOf(seed);
  const { characters, width, layers, context } = sizes;
  const matrix = (name: string, rows: number, columns: number): NamedWeight => {
    const scale = 2 / Math.sqrt(columns);
    const data = Float32Array.from({ length: rows * columns }, () => scale * (random() - 0.5));
    return { name: `${name}.weight`, data, shape: [rows, columns] };
  };
  const vector = (name: string, size: number, value: number): NamedWeight => ({
    name,
    data: new Float32Array(size).fill(value),
    shape: [size],
  });
  const linear = (name: string, inputs: number, outputs: number) => [
    matrix(name, outputs, inputs),
    vector(`${name}.bias`, outputs, 0),
  ];
  const norm = (name: string) => [vector(`${name}.weight`, width, 1), vector(`${name}.bias`, width, 0)];
  const block = (i: number) => [
    ...[...norm(`norm${i}`), ...linear(`qkv${i}`, width, 3 * width), ...linear(`mix${i}`, width, width)],
    ...[...norm(`norm${i}b`), ...linear(`up${i}`, width, 4 * width), ...linear(`down${i}`, 4 * width, width)],
  ];
  return [
    matrix("token", characters, width),
    matrix("position", context, width),
    ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
    ...norm("norm"),
    ...linear("head", width, characters),
  ];
}

/** A batch of the text. */
export const numbers = (batch: number) => pieces(batch, sizes.context, randomOf(2));
