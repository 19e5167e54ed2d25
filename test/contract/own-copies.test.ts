// Copies of own modules: their properties, members and scopes. A copy that fails leaves no object.

import * as k from "@stepwell/sdk";
import { Module, Tensor } from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => k.reset());

const scale = () => Tensor.of([2], "grad");

class Plain extends Module {
  readonly w = scale();
  readonly parts = [Module.of(["linear", 1, 1])];
  override forward(x: Tensor): Tensor {
    return x.mul(this.w);
  }
}

class Frozen extends Plain {
  constructor() {
    super();
    Object.freeze(this.parts);
    Object.freeze(this);
  }
}

class Sealed extends Plain {
  constructor() {
    super();
    Object.seal(this);
  }
}

class ReadOnly extends Module {
  declare readonly w: Tensor;
  readonly [key: symbol]: unknown;
  constructor() {
    super();
    Object.defineProperty(this, "w", { value: scale(), enumerable: true });
    Object.defineProperty(this, Symbol.for("factor"), { value: 3 });
    Object.defineProperty(this, "twice", { get: () => 2 });
  }
  override forward(x: Tensor): Tensor {
    return x.mul(this.w).mul(this[Symbol.for("factor")] as number);
  }
}

/** The own properties of an object with their attributes. */
const attributes = (object: object) =>
  Reflect.ownKeys(object).map((key) => {
    const { configurable, enumerable, writable } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    return [key, configurable, enumerable, writable];
  });

const levels = (object: object) => [Object.isExtensible(object), Object.isSealed(object), Object.isFrozen(object)];

describe.each([Plain, Frozen, Sealed, ReadOnly])("a copy of a module that is %o", (made) => {
  it("has the same properties, with the same attributes", () => {
    const original = new made();
    k.forward(original, [1]);
    const copy = original.clone();
    expect(copy).toBeInstanceOf(made);
    expect(attributes(copy)).toEqual(attributes(original));
    expect(levels(copy)).toEqual(levels(original));
    if (copy instanceof Plain && original instanceof Plain) {
      expect(levels(copy.parts)).toEqual(levels(original.parts));
      expect(copy.parts[0]).not.toBe(original.parts[0]);
    }
  });

  it("works, with parameters of its own", () => {
    const original = new made();
    for (const copied of [original.clone(), k.clone(original), k.clone(k.module(k.seq("sequential", original)))]) {
      const before = k.tensor(k.forward(original, [1]));
      expect(k.tensor(k.forward(copied, [1]))).toEqual(before);
      k.fill(k.parm(copied, k.parmnames(copied)[0] as string), 5);
      expect(k.tensor(k.forward(copied, [1]))).not.toEqual(before);
      expect(k.tensor(k.forward(original, [1]))).toEqual(before);
    }
    const copy = original.clone();
    expect(k.tensor(copy.clone().forward(Tensor.of([1])))).toEqual(k.tensor(original.forward(Tensor.of([1]))));
  });
});

describe("a copy in a scope", () => {
  it("frees its members with the scope, and no tensor that it shares with the original", () => {
    class Cached extends Plain {
      readonly cache = Tensor.of([3]);
      readonly table = { rows: Tensor.of([4]), name: "rows" };
    }
    const original = new Cached();
    k.forward(original, [1]);
    const before = k.handlecount();
    k.scoped(() => void original.clone());
    expect(k.handlecount()).toBe(before);
    expect(k.tensor(original.cache)).toEqual([3]);
    expect(k.tensor(original.table.rows)).toEqual([4]);
    const kept = k.scoped(() => original.clone());
    expect(k.tensor(kept.forward(Tensor.of([1])))).toEqual([2]);
  });

  it("in a container lives as long as the container", () => {
    const container = k.module(k.seq("sequential", new Frozen()));
    const copy = k.scoped(() => k.clone(container));
    expect(k.tensor(k.forward(copy, [1]))).toEqual([2]);
  });
});

it("a copy that fails leaves no object", () => {
  const mine = new Error("mine");
  let fails = false;
  const trap = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        if (fails) throw mine;
        return Object.prototype;
      },
    },
  );
  class Trapped extends Plain {
    readonly inner = new Frozen();
    readonly trap = trap;
  }
  const original = k.module(k.seq("sequential", new Trapped()));
  const before = k.handlecount();
  fails = true;
  expect(() => k.clone(original)).toThrow(mine);
  expect(k.handlecount()).toBe(before);
  fails = false;
  expect(k.tensor(k.forward(k.clone(original), [1]))).toEqual([2]);
});

it("a frozen module takes no buffer, and is as before", () => {
  class Late extends Frozen {
    add() {
      this.registerBuffer("late", Tensor.of([1]));
    }
  }
  const m = new Late();
  expect(expectError("ERR_ARGUMENT", () => m.add())).toMatch(/^registerBuffer: /);
  expect(k.buffernames(m)).toEqual([]);
  expect(k.tensor(m.forward(Tensor.of([1])))).toEqual([2]);
});
