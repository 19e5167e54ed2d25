import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

describe("clip", () => {
  const pair = () => {
    const v = {
      a: k.tensor([0, 0], "grad"),
      b: k.tensor(
        [
          [0, 0],
          [0, 0],
        ],
        "grad",
      ),
    };
    k.grad(v.a, [3, -4]);
    k.grad(v.b, [
      [1, 2],
      [-2, 0.5],
    ]);
    return v;
  };
  const grads = ({ a, b }: ReturnType<typeof pair>) => [k.grad(a), k.grad(b)].flat(3) as number[];

  // Recorded from torch 2.11: clip_grad_norm_ and clip_grad_value_.
  it.each([
    [
      1,
      [
        0.5126145482063293, -0.6834860444068909, 0.17087151110172272, 0.34174302220344543, -0.34174302220344543,
        0.08543575555086136,
      ],
    ],
    [
      3,
      [
        1.5378437042236328, -2.0504581928253174, 0.5126145482063293, 1.0252290964126587, -1.0252290964126587,
        0.2563072741031647,
      ],
    ],
    [100, [3, -4, 1, 2, -2, 0.5]],
    [Number.POSITIVE_INFINITY, [3, -4, 1, 2, -2, 0.5]],
  ])("scales to the norm %d as PyTorch does, and tells the norm before", (max, expected) => {
    for (const object of [
      (v: ReturnType<typeof pair>) => k.dict(v),
      (v: ReturnType<typeof pair>) => k.opt("sgd", k.vector(v.a, v.b)),
    ]) {
      const v = pair();
      expect(k.clip(object(v), max)).toBeCloseTo(5.852349758148193, 6);
      expect(grads(v)).toEqual(expected.map((x) => expect.closeTo(x, 6)));
    }
  });

  it("clamps values", () => {
    const v = pair();
    expect(k.clipv(k.vector(v.a, v.b), 1.5)).toBeUndefined();
    expect(grads(v)).toEqual([1.5, -1.5, 1, 1.5, -1.5, 0.5]);
  });

  it("counts a tensor that is there twice once, and leaves undefined gradients so", () => {
    const x = k.tensor([0], "grad", "double");
    k.grad(x, new Float64Array([2]));
    expect(k.clip(k.vector(x, x, k.tensor([1], "grad")), 1)).toBe(2);
    expect(k.grad(x)).toEqual([2 * (1 / (2 + 1e-6))]);
    expect(k.clip(k.tensor([1], "grad"), 1)).toBe(0);
  });

  it("refuses what is no limit", () => {
    const x = k.tensor([0], "grad");
    k.grad(x, [5]);
    const untyped = [k.clip, k.clipv] as readonly ((...args: unknown[]) => unknown)[];
    for (const clip of untyped) {
      for (const invalid of [0, -1, Number.NaN, undefined, "1", [1]])
        expectError("ERR_ARGUMENT", () => clip(x, invalid));
      expectError("ERR_ARGUMENT", () => clip(x, 1, 2));
      expectError("ERR_HANDLE_KIND", () => clip(k.loss("mse"), 1));
    }
    expect(k.grad(x)).toEqual([5]);
  });
});
