import type { Numbers } from "@stepwell/sdk";
import { expect } from "vitest";

/** How far a number may be from the one that is expected: |ours - theirs| <= atol + rtol |theirs|. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** Nested numbers with the sizes of their dimensions. */
function flattened(numbers: Numbers): { readonly shape: readonly number[]; readonly flat: readonly number[] } {
  if (typeof numbers === "number") return { shape: [], flat: [numbers] };
  const rows = numbers.map(flattened);
  return { shape: [rows.length, ...(rows[0]?.shape ?? [])], flat: rows.flatMap((row) => row.flat) };
}

/** Fails where a number, or the shape, is not as expected; says where. */
export function expectNear(what: string, ours: Numbers | undefined, theirs: Numbers, { rtol, atol }: Tolerance) {
  if (ours === undefined) return expect.fail(`${what}: nothing instead of numbers`);
  const [given, wanted] = [flattened(ours), flattened(theirs)];
  expect(given.shape, what).toEqual(wanted.shape);
  for (const [i, value] of wanted.flat.entries()) {
    const number = given.flat[i] as number;
    if (!(Math.abs(number - value) <= atol + rtol * Math.abs(value))) {
      expect.fail(`${what}, element ${i} of ${wanted.flat.length}: ${number} instead of ${value}`);
    }
  }
}
