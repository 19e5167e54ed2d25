// Values in the properties of own modules and in the options of callbacks: what is trained and saved, and what is refused.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** An own module with a value in a property. */
const holding = (value: unknown) => {
  class Probe extends k.Module {
    readonly value = value;
    override forward(x: k.Tensor) {
      return x;
    }
  }
  return new Probe();
};

const trained = () => k.tensor([1], "grad");
const layer = () => k.module(["linear", 1, 1]);

describe("a property of an own module", () => {
  const refused: readonly (readonly [what: string, value: () => unknown])[] = [
    ["a tensor beside a number", () => [trained(), 1]],
    ["a tensor beside null", () => [trained(), null]],
    ["a tensor beside an option", () => ({ w: trained(), scale: 5 })],
    ["a tensor in a list of lists", () => [[trained()]]],
    ["tensors in a dictionary of lists", () => ({ b: [trained()] })],
    ["tensors in a list of dictionaries", () => [{ b: trained() }]],
    ["tensors in a map", () => new Map([["b", trained()]])],
    ["tensors in a set", () => new Set([trained()])],
    ["a vector", () => k.vector([1], [2])],
    ["a dictionary", () => k.dict({ a: [1] })],
    ["a module beside a tensor", () => [trained(), layer()]],
    ["modules in a dictionary of dictionaries", () => ({ a: { b: layer() } })],
    ["modules in a list of dictionaries", () => [{ b: layer() }]],
    ["modules three lists deep", () => [[[layer()]]]],
    ["modules in a map in a dictionary", () => ({ m: new Map([["a", layer()]]) })],
  ];
  it.each(refused)("refuses %s", (_, value) => {
    const probe = holding(value());
    const message = expectError("ERR_ARGUMENT", () => k.parmnames(probe));
    expect(message).toMatch(/^Probe\.value: expected tensors or modules, or a list or a dictionary/);
  });

  it("takes values that no module would train", () => {
    const value = { rate: 0.5, sizes: [[1, 2], [3]], cache: [k.tensor([1]), null], names: new Map([["a", 1]]) };
    expect(k.parmnames(holding(value))).toEqual([]);
    expect(k.parmnames(holding([trained(), trained()]))).toEqual(["value.0", "value.1"]);
  });

  it("nests at most 128 deep", () => {
    let module = holding(1);
    for (let i = 0; i < 10_000; i++) module = holding(module);
    expect(expectError("ERR_ARGUMENT", () => k.parmnames(module))).toMatch(/nest at most 128 deep/);
  });
});

describe("a parameter that comes late", () => {
  type Late = k.Module & Record<string, unknown>;
  /** A module whose forward pass assigns to its properties. */
  class Own extends k.Module {
    a = k.Tensor.of([1], "grad");
    constructor(readonly pass: (own: Late, x: k.Tensor) => void) {
      super();
    }
    override forward(x: k.Tensor) {
      this.pass(this as unknown as Late, x);
      return x.mul(this.a);
    }
  }
  class Outer extends k.Module {
    constructor(readonly own: Own) {
      super();
    }
    override forward(x: k.Tensor) {
      return this.own.forward(x);
    }
  }
  const late = () => k.Tensor.of([2], "grad");
  const message = /^Own: `b` was assigned after the module was first used: assign all in the constructor$/;
  const forms: Readonly<Record<string, (own: Own) => k.AnyModule>> = {
    alone: (own) => own,
    "in a container": (own) => k.module(k.seq("sequential", own)),
    "in another own module": (own) => new Outer(own),
  };

  it.each(Object.keys(forms))("in a forward pass is refused: %s", (form) => {
    for (const pass of [k.forward, k.evaluate]) {
      const own = new Own((own) => {
        own.b ??= late();
      });
      const m = (forms[form] as (own: Own) => k.AnyModule)(own);
      expect(k.parmnames(m)).toHaveLength(1);
      const before = k.handlecount();
      for (let i = 0; i < 2; i++) expect(expectError("ERR_PARAMETER", () => pass(m, [1]))).toMatch(message);
      expect(expectError("ERR_PARAMETER", () => k.opt("sgd", own, 1))).toMatch(message);
      expect(k.handlecount()).toBe(before);
      // It works again without the property.
      Object.assign(own, { pass: () => {} });
      Reflect.deleteProperty(own, "b");
      expect(k.tensor(pass(m, [3]))).toEqual([3]);
    }
  });

  it("in a forward pass that throws is refused at the next use", () => {
    const own = new Own((own) => {
      own.b ??= late();
      throw new Error("mine");
    });
    expect(() => k.forward(own, [1])).toThrow("mine");
    expect(expectError("ERR_PARAMETER", () => k.opt("sgd", own, 1))).toMatch(message);
  });

  it("in place of another one is refused", () => {
    const own = new Own((own) => {
      own.a = late();
    });
    expect(expectError("ERR_PARAMETER", () => k.forward(own, [1]))).toMatch(/^Own: `a` was changed after/);
  });

  it("in a module within another one is refused at the next use of either", () => {
    const own = new Own(() => {});
    const m = new Outer(own);
    k.forward(m, [1]);
    Object.assign(own, { b: late() });
    const before = k.handlecount();
    for (const use of [() => k.forward(m, [1]), () => m.size, () => k.opt("sgd", m, 1)]) {
      expect(expectError("ERR_PARAMETER", use)).toMatch(message);
    }
    expect(k.handlecount()).toBe(before);
  });

  it("is no input and no result of the pass", () => {
    const own = new Own((own, x) => {
      own.input = x;
      own.output = x.mul(2);
    });
    const m = new Outer(own);
    for (let i = 0; i < 2; i++) expect(k.tensor(k.forward(m, k.tensor([3], "grad")))).toEqual([3]);
  });

  it("of a module that only a pass has is none", () => {
    class Hiding extends k.Module {
      readonly #hidden = new Own(() => {});
      override forward(x: k.Tensor) {
        return this.#hidden.forward(x);
      }
    }
    expect(k.tensor(k.forward(new Hiding(), [3]))).toEqual([3]);
  });
});

describe("an optional input", () => {
  class Masked extends k.Module {
    override forward(x: k.Tensor, mask?: k.Tensor): k.Tensor {
      return mask === undefined ? x.mul(1) : x.mul(mask);
    }
  }
  class Outer extends k.Module {
    readonly inner = new Masked();
    override forward(x: k.Tensor, mask?: k.Tensor): k.Tensor {
      return this.inner.forward(x, mask);
    }
  }

  it("may be undefined, which is a call without it", async () => {
    const [x, mask] = [k.Tensor.of([1, 2]), k.Tensor.of([0, 1])];
    for (const m of [new Masked(), new Outer()]) {
      for (const run of [
        () => m.forward(x, undefined),
        () => m.evaluate(x, undefined),
        () => k.forward(m, x, undefined),
      ]) {
        expect(k.tensor(run())).toEqual([1, 2]);
      }
      expect(k.tensor(m.forward(x, mask))).toEqual([0, 2]);
      expect(k.tensor(k.evaluate(m, x, mask))).toEqual([0, 2]);
    }
    const linear = k.Module.of(["linear", 2, 1]);
    expect(k.size(await linear.evaluateAsync([[1, 2]], undefined))).toEqual([1, 1]);
    expect(k.size(await k.evaluateAsync(linear, [[1, 2]], undefined))).toEqual([1, 1]);
  });

  it("is none before another one", () => {
    const sum = k.callback((x, y) => k.add(x, y));
    const given = [[1], undefined, [2]] as const;
    expectError("ERR_ARGUMENT", () => k.forward(sum, ...given));
    expectError("ERR_ARGUMENT", () => k.forward(sum, undefined as never));
  });
});

describe("a callback", () => {
  const options: readonly unknown[] = [
    new Map(),
    5,
    /x/,
    new Set(),
    () => 1,
    new ArrayBuffer(1),
    [],
    "a",
    null,
    { a: [] },
  ];
  for (const option of ["parms", "buffers"] as const) {
    it(`refuses ${option} that are no dictionary of tensors`, () => {
      for (const value of options) {
        const message = expectError("ERR_ARGUMENT", () => k.callback((x) => x, { [option]: value } as never));
        expect(message).toMatch(new RegExp(`^callback ${option}: expected a dictionary of tensors`));
      }
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      expectError("ERR_ARGUMENT", () => k.callback((x) => x, { [option]: proxy } as never));
    });
  }
});

describe("a function with a gradient of its own", () => {
  it("names the argument that is no tensor", () => {
    const f = k.gradient(
      (x) => k.mul(x, 1),
      (g) => g,
    );
    expect(expectError("ERR_ARGUMENT", () => f([1, 2] as never))).toMatch(/^gradient: expected a tensor as argument 1/);
    expect(expectError("ERR_ARGUMENT", () => f())).toMatch(/^gradient: expected a tensor as argument 1/);
  });

  it("names the function that returned another object or a freed one", () => {
    const x = k.tensor([1], "grad");
    const f = k.gradient(
      (u) => k.mul(u, 1),
      () => k.vector([1]) as never,
    );
    const sum = k.sum(f(x));
    expect(expectError("ERR_HANDLE_KIND", () => k.backward(sum))).toMatch(/^gradient: expected the backward/);
    const freed = k.tensor([1]);
    k.free(freed);
    const m = k.callback(() => freed);
    expect(expectError("ERR_HANDLE_FREED", () => k.forward(m, x))).toMatch(/^callback: /);
  });
});

describe("lists longer than a call takes", () => {
  it("are refused wherever objects are looked for in them", () => {
    const long = new Array(2 ** 27);
    expectError("ERR_ARGUMENT", () => k.keep(long));
    expectError("ERR_ARGUMENT", () => k.scoped(() => long));
    expectError("ERR_ARGUMENT", () => k.seq(long as never));
    const endless = new Proxy([], { get: (target, key) => (key === "length" ? 2 ** 40 : Reflect.get(target, key)) });
    expectError("ERR_ARGUMENT", () => k.keep(endless));
    expect(k.keep(new Array(1000).fill(3))).toHaveLength(1000);
  });
});

describe("typed arrays that lose their memory during a call", () => {
  const call = (take: (array: Float32Array) => void, array: Float32Array) => {
    const list = [1, 2];
    Object.defineProperty(list, 1, {
      enumerable: true,
      get() {
        take(array);
        return 2;
      },
    });
    return expectError("ERR_ARGUMENT", () => k.copyto(array, list as never));
  };

  it("are refused", () => {
    const detached = new Float32Array(1024);
    const transfer = (array: Float32Array) =>
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
    expect(call(transfer, detached)).toMatch(/shrank during the call/);
  });
});

it("a tensor of a type that JSON does not have is refused", () => {
  for (const dtype of [{}, [], null, 5]) {
    expectError("ERR_FORMAT", () => k.tensor({ dtype, shape: [1], data: "AAAAAA==" } as never));
  }
});
