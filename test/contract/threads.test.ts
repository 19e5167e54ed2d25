import * as k from "@stepwell/sdk";
import { beforeEach, expect, test } from "vitest";
import { differences } from "../engine.js";
import { expectError } from "./expect-error.js";
import { expectSameBytes } from "./same-bytes.js";

beforeEach(() => k.free());

test("a step gives the same bits whatever the number of threads is", () => {
  const before = k.setting("threads");
  expect(before).toBeGreaterThan(0);
  try {
    const numbers = differences.threads.map((threads) => {
      k.setting("threads", threads);
      expect(k.setting("threads")).toBe(threads);
      // More elements than a step wakes threads for.
      const values = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
      const p = k.tensor(values, { grad: true });
      k.grad(p, values);
      const o = k.opt("lamb", p, 0.01);
      for (let i = 0; i < 3; i++) k.step(o);
      return k.data(p).data;
    });
    for (const other of numbers) expectSameBytes(other, numbers[0] as Float32Array);
  } finally {
    k.setting("threads", before);
  }
});

test("a number of threads that is none is refused", () => {
  for (const count of [0, -1, 1.5, Number.NaN, 1e9]) {
    const message = expectError("ERR_ARGUMENT", () => k.setting("threads", count));
    expect(message).toContain("expected a whole number of threads from 1 to 1024");
  }
});
