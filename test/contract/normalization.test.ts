// Normalisation is as exact as the type of the numbers: compared with formulas in 64 bits.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";

afterEach(() => k.free());

const eps = 1e-5;
const mean = (x: readonly number[]) => x.reduce((sum, x) => sum + x, 0) / x.length;

/** In 64 bits, from 32-bit numbers. */
function normalized(x: readonly number[]): readonly number[] {
  const center = mean(x);
  const inverse = 1 / Math.sqrt(mean(x.map((x) => (x - center) ** 2)) + eps);
  return x.map((x) => (x - center) * inverse);
}

const constants = [0, ...(differences.exactMeans ? [7, 0.1, -3.3, 1e-3, 123456.789, 1e30, -1e-30] : [])];
const offsets = [0, 1, ...(differences.exactMeans ? [1000, 1e5] : [])];

it.each(constants)("layernorm of rows of %d is 0, and its bias with one", (value) => {
  for (const columns of [1, 3, 8, 100]) {
    const m = k.module(["layernorm", columns]);
    const x = k.full([2, columns], value);
    expect([...k.data(k.evaluate(m, x)).data].map(Math.abs as never)).toEqual(Array(2 * columns).fill(0));
    k.copyto(k.full([columns], 0.75), k.parm(m, "bias"));
    expect([...k.data(k.evaluate(m, x)).data]).toEqual(Array(2 * columns).fill(0.75));
  }
});

it.each(constants)("batchnorm of channels of %d is 0, and its bias with one, in training and in use", (value) => {
  const m = k.module(["batchnorm", 2, { momentum: 1 }]);
  const x = k.full([3, 2, 4], value);
  expect([...k.data(k.forward(m, x)).data].map(Math.abs as never)).toEqual(Array(24).fill(0));
  expect([...k.data(k.evaluate(m, x)).data].map(Math.abs as never)).toEqual(Array(24).fill(0));
  k.copyto(k.full([2], 0.75), k.parm(m, "bias"));
  expect([...k.data(k.forward(m, x)).data]).toEqual(Array(24).fill(0.75));
  expect([...k.data(k.evaluate(m, x)).data]).toEqual(Array(24).fill(0.75));
});

describe.each(offsets)("around %d", (offset) => {
  const row = Array.from({ length: 37 }, (_, i) => Math.fround(offset + Math.sin(1 + i * 0.7)));

  it("layernorm is that of 64 bits", () => {
    const y = [...k.data(k.evaluate(k.module(["layernorm", 37]), k.tensor([row]))).data].map(Number);
    const wanted = normalized(row);
    expect(Math.max(...y.map((y, i) => Math.abs(y - (wanted[i] as number))))).toBeLessThan(1e-6);
  });

  it("batchnorm is that of 64 bits", () => {
    const m = k.module(["batchnorm", 1]);
    const y = [...k.data(k.forward(m, k.tensor(row.map((x) => [x])))).data].map(Number);
    const wanted = normalized(row);
    expect(Math.max(...y.map((y, i) => Math.abs(y - (wanted[i] as number))))).toBeLessThan(1e-6);
  });
});
