// Typed arrays as arguments: detached, resized, of a subclass, of another realm.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { binding } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { call, foreign } from "./untyped.js";

afterEach(() => k.free());

describe("typed arrays", () => {
  const resizable = (bytes: number, most: number) =>
    new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer & { resize(n: number): void })(
      bytes,
      { maxByteLength: most },
    );
  const detached = <View extends Float32Array | BigInt64Array | Uint8Array>(array: View): View => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    return array;
  };
  const without: Readonly<Record<string, () => unknown>> = {
    "a transferred Float32Array": () => detached(new Float32Array(8)),
    "a transferred Float32Array of no elements": () => detached(new Float32Array(new ArrayBuffer(8), 8)),
    "a transferred Uint8Array": () => detached(new Uint8Array(8)),
    "a transferred BigInt64Array": () => detached(new BigInt64Array(8)),
    "a view that lies outside after a resize": () => {
      const buffer = resizable(32, 64);
      const view = new Float32Array(buffer, 16);
      buffer.resize(8);
      return view;
    },
    "a view of fixed length that lies outside after a resize": () => {
      const buffer = resizable(32, 64);
      const view = new Float32Array(buffer, 16, 2);
      buffer.resize(20);
      return view;
    },
  };

  it.each(Object.entries(without))("%s is refused, and nothing is changed", (_, make) => {
    const x = k.tensor([1, 2], "grad");
    const o = k.opt("adam", x);
    const calls: readonly (() => unknown)[] = [
      () => call("tensor", make()),
      () => call("vector", [1], make()),
      () => call("dict", { a: make() }),
      () => call("copyto", make(), x),
      () => call("grad", x, make()),
      () => call("forward", k.module("relu"), make()),
      () => call("mse", x, make()),
      () => call("lr", o, make()),
      () => call("opt", o, [], { lr: make() }),
      () => call("full", make(), 1),
    ];
    for (const refused of calls) expectError("ERR_ARGUMENT", refused);
    expect(k.tensor(x)).toEqual([1, 2]);
    // Without the SDK around it no engine stops.
    try {
      binding.call("tensor", [make()]);
    } catch {}
    expect(k.tensor(x)).toEqual([1, 2]);
  });

  it("of the bytes of a file are what the language says", () => {
    class Lying extends Uint8Array {
      override get byteLength(): number {
        return 2 ** 40;
      }
      override get byteOffset(): number {
        return 3;
      }
      override get buffer(): ArrayBuffer {
        return new ArrayBuffer(1);
      }
    }
    const bytes = k.serialize({
      x: k.tensor([1, 2]),
      data: new (class extends Float32Array {
        override get byteOffset(): number {
          return 5;
        }
      })([0.5]),
    });
    for (const rename of [undefined, (name: string) => name]) {
      const x = k.tensor([0, 0]);
      const loaded = k.deserialize(new Lying(bytes), { x }, rename && { rename });
      expect(k.tensor(x)).toEqual([1, 2]);
      expect(loaded).toEqual({ x, data: Float32Array.of(0.5) });
      expectError("ERR_ARGUMENT", () => k.deserialize(detached(bytes.slice()), { x }, rename && { rename }));
    }
  });

  it("are what the language says, whatever their properties say", () => {
    const own = Object.defineProperty(new Float32Array([1, 2]), "length", { value: 1e6 });
    const short = Object.defineProperties(new Float64Array([1, 2]), {
      length: { value: 0 },
      byteLength: { value: 0 },
      buffer: { value: new ArrayBuffer(0) },
      byteOffset: { value: 4096 },
    });
    const lying = Object.defineProperty(new Float32Array([1, 2]), Symbol.toStringTag, { value: "BigInt64Array" });
    const throwing = Object.defineProperty(new Int16Array([1, 2]), "length", {
      get() {
        throw new Error("mine");
      },
    });
    class Sub extends Float32Array {
      override get length(): never {
        return "many" as never;
      }
    }
    const bare = Object.setPrototypeOf(new Uint8Array([1, 2]), null);
    const tracking = new Float32Array(resizable(8, 64));
    tracking.set([1, 2]);
    const shared = new Int32Array(new SharedArrayBuffer(16), 4, 2);
    shared.set([1, 2]);
    const grown = resizable(4, 8);
    const growing = new Float32Array(grown);
    grown.resize(8);
    growing.set([1, 2]);
    const arrays: readonly unknown[] = [
      ...[own, short, lying, throwing, new Sub([1, 2]), bare, tracking, shared, growing],
      ...[foreign("new Float32Array([1, 2])"), foreign("new Uint8ClampedArray([1, 2])"), Buffer.from([1, 2])],
    ];
    for (const array of arrays) {
      expect(k.tensor(call("tensor", array) as k.TensorHandle)).toEqual([1, 2]);
      const id = binding.call("tensor", [array]);
      expect(Array.from((binding.call("data", [id]) as k.TypedTensor).data, Number)).toEqual([1, 2]);
    }
    expect(k.dtype(call("tensor", lying) as k.TensorHandle)).toBe("float");
  });
});
