import { expect } from "vitest";

/** Fails unless two arrays have the same bytes; says where they differ. `toEqual` takes seconds for a large array. */
export function expectSameBytes(given: ArrayBufferView, wanted: ArrayBufferView): void {
  const [a, b] = [given, wanted].map((view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength)) as [
    Buffer,
    Buffer,
  ];
  if (a.equals(b)) return;
  expect(a.length, "bytes").toBe(b.length);
  const at = a.findIndex((byte, i) => byte !== b[i]);
  expect.fail(`byte ${at} of ${b.length} is ${a[at]} instead of ${b[at]}`);
}
