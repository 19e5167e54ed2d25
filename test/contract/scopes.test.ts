// Scopes free the objects that were made in them, and nothing else. `leaks` and `leakcheck` find objects that were not freed.

import * as k from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => {
  k.reset();
  k.leaks({ trace: false });
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
const lives = (tensor: k.AnyHandle) => {
  try {
    k.classof(tensor);
    return true;
  } catch (error) {
    expect((error as k.StepwellError).code).toBe("ERR_HANDLE_FREED");
    return false;
  }
};

describe("scope", () => {
  it("frees at its end the objects that were made in it", () => {
    const before = k.tensor([1]);
    const s = k.scope();
    const made = [k.tensor([2]), k.full([3], 1), k.module(["linear", 1, 1]), k.opt("sgd")];
    s.close();
    expect(k.handlecount()).toBe(1);
    expect(lives(before)).toBe(true);
    for (const object of made) expectError("ERR_HANDLE_FREED", () => k.classof(object));
    const after = k.tensor([3]);
    s.close();
    expect(lives(after)).toBe(true);
  });

  it("frees at the end of a using block, also after an exception", () => {
    expect(() => {
      using s = k.scope();
      s.keep(k.tensor([1]));
      k.tensor([2]);
      throw new RangeError("mine");
    }).toThrow(RangeError);
    expect(k.handlecount()).toBe(1);
  });

  it("leaves alone what was freed or replaced before", () => {
    const outer = k.tensor([1]);
    {
      using _ = k.scope();
      const x = k.tensor([2]);
      k.free(x);
      k.use(outer, k.tensor([3]));
      k.take(k.tensor([4]));
    }
    expect(k.handlecount()).toBe(1);
    expect(k.tensor(outer)).toEqual([3]);
  });

  it("leaves a training as it was without scopes, to the bit", () => {
    const train = (step: (body: () => void) => void) => {
      k.reset();
      k.seed(3);
      const m = k.module(k.seq("sequential", ["linear", 3, 4], "tanh", ["linear", 4, 1]));
      const o = k.opt("lamb", m, 0.05, { average: 0.9 });
      for (let i = 0; i < 20; i++) {
        step(() => {
          const error = k.mse(k.forward(m, [[1, 2, i]]), [[i]]);
          k.backward(error);
          k.clip(m, 1);
          k.step(o, { zerograd: i % 2 === 0 });
        });
      }
      return { module: k.state(m), optimizer: k.state(o), live: k.handlecount() };
    };
    const scoped = train((body) => k.scoped(body));
    const plain = train((body) => body());
    expect(scoped.live).toBe(2);
    expect(plain.live).toBe(42);
    expect(scoped.module).toEqual(plain.module);
    const rows = (state: typeof plain.optimizer) =>
      JSON.stringify(state, (key, value) => (key === "pointer" ? 0 : value));
    expect(rows(scoped.optimizer)).toBe(rows(plain.optimizer));
  });

  it("frees handles of parameters and gradients, whose tensors live on in their owners", () => {
    const [m, x] = [k.module(["linear", 2, 1]), k.tensor([5], "grad")];
    let o: k.OptimizerHandle;
    {
      using s = k.scope();
      const weight = k.parm(m, "weight");
      k.backward(k.mse(x, [0]));
      const [gradient, own] = [k.grad(x), k.tensor([7], "grad")];
      o = s.keep(k.opt("sgd", own, 0.5));
      k.backward(k.mse(own, [0]));
      expect([weight, gradient].every((handle) => handle instanceof k.Handle || Array.isArray(handle))).toBe(true);
    }
    expect(k.size(k.parm(m, "weight"))).toEqual([1, 2]);
    expect(k.grad(x)).toEqual([10]);
    k.step(o);
    expect(k.size(o)).toBe(1);
  });

  it("nests: an object belongs to the innermost, and keep moves it out by one", () => {
    const outer = k.scope();
    const first = k.tensor([1]);
    const inner = k.scope();
    const [second, third, fourth] = [k.tensor([2]), k.tensor([3]), k.tensor([4])];
    expect(inner.keep(third)).toBe(third);
    expect(k.keep({ deep: [fourth] }).deep[0]).toBe(fourth);
    expect(inner.keep(first)).toBe(first);
    inner.close();
    expect([first, second, third, fourth].map(lives)).toEqual([true, false, true, true]);
    outer.close();
    expect([first, second, third, fourth].map(lives)).toEqual([false, false, false, true]);
  });

  it("closes with it the scopes that were opened in it", () => {
    const outer = k.scope();
    const inner = k.scope();
    const x = k.tensor([1]);
    outer.close();
    expect(lives(x)).toBe(false);
    const y = k.tensor([2]);
    inner.close();
    expect(lives(y)).toBe(true);
  });

  it("collects nothing that other code makes while its own code awaits", async () => {
    const own: k.TensorHandle[] = [];
    const waiting = (async () => {
      using _ = k.scope();
      own.push(k.tensor([1]));
      await turn();
      own.push(k.tensor([2]));
      await turn();
    })();
    const other = k.tensor([3]);
    await Promise.resolve();
    const later = k.tensor([4]);
    await waiting;
    // The first was made before the scope's code awaited. The scope is closed at its end.
    expect(own.map(lives)).toEqual([false, true]);
    expect(lives(later)).toBe(true);
    // Made in the turn that opened the scope, before it ended.
    expect(lives(other)).toBe(false);
  });

  it("leaves a model's own handle and a running training alone", async () => {
    const m = k.Module.of(["linear", 1, 1]);
    const model = new k.Model(m, "mse", k.optimizer("sgd").lr(0.01).build(m));
    let training: k.Training;
    {
      using _ = k.scope();
      k.train(model.handle, { batchsize: 2 });
      training = model.fit({ inputs: [[1], [2]], targets: [[2], [4]] }, { epochs: 2 });
    }
    expect((await training).epochs).toHaveLength(2);
    expect(k.train(model.handle).batchsize).toBe(2);
    const made = k.scoped(() => {
      const module = k.Module.of(["linear", 1, 1]);
      const made = new k.Model(module, "mse", k.optimizer("sgd").build(module));
      made.handle;
      return made;
    });
    expect(made.measure({ inputs: [[1]], targets: [[2]] }).loss).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ["reset", () => k.reset()],
    ["free", () => k.free()],
  ])("goes on to collect after %s() inside it", (_, end) => {
    const outer = k.scope();
    k.tensor([1]);
    const inner = k.scope();
    k.tensor([2]);
    end();
    const x = k.tensor([3]);
    inner.close();
    expect(lives(x)).toBe(false);
    const y = k.tensor([4]);
    outer.close();
    expect(lives(y)).toBe(false);
    expect(k.handlecount()).toBe(0);
  });

  it("frees 100,000 objects, and takes surplus arguments for errors", () => {
    const s = k.scope();
    for (let i = 0; i < 100_000; i++) k.tensor(i);
    s.close();
    expect(k.handlecount()).toBe(0);
    type Untyped = (...args: readonly unknown[]) => unknown;
    const untyped = k as unknown as Record<"scope" | "keep" | "scoped", Untyped>;
    expectError("ERR_ARGUMENT", () => untyped.scope(1));
    expectError("ERR_ARGUMENT", () => untyped.keep(1, 2));
    expectError("ERR_ARGUMENT", () => untyped.scoped(() => 1, 2));
    expectError("ERR_ARGUMENT", () => untyped.scoped(7));
    expect(k.handlecount()).toBe(0);
  });
});

describe("scoped", () => {
  it("returns what its function returns, and frees the rest", () => {
    const x = k.scoped(() => {
      k.tensor([1]);
      return k.tensor([2]);
    });
    expect(k.tensor(x)).toEqual([2]);
    expect(k.handlecount()).toBe(1);
    expect(k.scoped(() => 7)).toBe(7);
    expect(k.scoped(() => undefined)).toBe(undefined);
  });

  it("keeps objects in lists, dictionaries, maps, sets and classes, at any depth and in circles", () => {
    class Block {
      readonly weight = k.Tensor.of([1], "grad");
      readonly inner: unknown[] = [this];
    }
    const result = k.scoped(() => {
      k.tensor([0]);
      return {
        list: [k.tensor([1]), [k.tensor([2])]],
        map: new Map([[k.tensor([3]), k.tensor([4])]]),
        set: new Set([k.tensor([5])]),
        block: new Block(),
        numbers: new Float32Array(3),
        get made() {
          throw new Error("a getter is not called");
        },
      };
    });
    expect(k.handlecount()).toBe(6);
    expect(result.block.weight.values()).toEqual([1]);
    let deep: unknown = k.scoped(() => {
      let list: unknown = k.tensor([9]);
      for (let i = 0; i < 100_000; i++) list = [list];
      return list;
    });
    while (Array.isArray(deep)) deep = deep[0];
    expect(k.tensor(deep as k.TensorHandle)).toEqual([9]);
  });

  it("moves what it returns to the outer scope", () => {
    const x = k.scoped(() => k.scoped(() => k.tensor([1])));
    expect(lives(x)).toBe(true);
    k.scoped(() => void k.scoped(() => k.tensor([2])));
    expect(k.handlecount()).toBe(1);
  });

  it("refuses a promise, and frees what was made", async () => {
    const bodies: readonly (() => unknown)[] = [
      async () => k.tensor([1]),
      () => Promise.resolve(k.tensor([1])),
      // biome-ignore lint/suspicious/noThenProperty: an object that can be awaited.
      () => ({ then() {}, x: k.tensor([1]) }),
    ];
    for (const body of bodies) {
      expect(expectError("ERR_ARGUMENT", () => k.scoped(body as () => number))).toMatch(/no promise/);
    }
    await turn();
    expect(k.handlecount()).toBe(0);
  });

  it("passes an exception on, and frees what was made", () => {
    const mine = new RangeError("mine");
    expect(() =>
      k.scoped(() => {
        k.tensor([1]);
        throw mine;
      }),
    ).toThrow(mine);
    expect(k.handlecount()).toBe(0);
  });

  it("works in the closure of a step", () => {
    const x = k.tensor([3], "grad");
    const o = k.opt("lbfgs", x, 1);
    k.step(o, () =>
      k.scoped(() => {
        k.zerograd(x);
        const error = k.mse(x, [1]);
        k.backward(error);
        return error;
      }),
    );
    expect(k.handlecount()).toBe(2);
    expect((k.tensor(x) as number[])[0]).toBeCloseTo(1, 5);
  });

  it("frees a module of a class at the end of the scope of its constructor, wherever it is first used", () => {
    class Own extends k.Module {
      readonly inner = k.Module.of(["linear", 2, 1]);
      override forward(x: k.Tensor): k.Tensor {
        return this.inner.forward(x);
      }
    }
    k.scoped(() => {
      const m = new Own();
      k.scoped(() => k.free(k.forward(m, [[1, 2]])));
      expect(k.size(k.forward(m, [[1, 2]]))).toEqual([1, 1]);
      expect(k.handlecount()).toBe(3);
    });
    expect(k.handlecount()).toBe(0);

    k.scoped(() =>
      new Own()
        .clone()
        .forward(k.Tensor.of([[1, 2]]))
        .dispose(),
    );
    expect(k.handlecount()).toBe(0);

    const outer = new Own();
    k.scoped(() => k.forward(outer, [[1, 2]]));
    const returned = k.scoped(() => [new Own(), new Own().clone()]);
    for (const m of [outer, ...returned]) expect(m.forward(k.Tensor.of([[1, 2]])).shape).toEqual([1, 1]);
  });
});

describe("leaks", () => {
  it("lists living objects with their kind, bytes and maker", () => {
    const m = k.module(["linear", 2, 3]);
    const x = k.tensor([[1, 2]]);
    k.free(k.tensor([1]));
    k.forward(m, x);
    const rows = k.leaks().map(({ kind, bytes, by }) => ({ kind, bytes, by }));
    expect(rows.sort((a, b) => b.bytes - a.bytes)).toEqual([
      { kind: "module", bytes: 36, by: "module" },
      { kind: "tensor", bytes: 12, by: "forward" },
      { kind: "tensor", bytes: 8, by: "tensor" },
    ]);
  });

  it("records where objects are made, when it is asked to", () => {
    const made = () => k.tensor([1]);
    made();
    expect(k.leaks({ trace: true }).map(({ where }) => where)).toEqual([undefined]);
    made();
    const places = k.leaks().flatMap(({ where }) => (where === undefined ? [] : [where]));
    expect(places).toHaveLength(1);
    expect(places[0]).toMatch(/made.*scopes\.test/);
    k.leaks({ trace: false });
    expect(k.leaks().map(({ where }) => where)).toEqual([undefined, undefined]);
  });

  it("refuses other options", () => {
    const untyped = k.leaks as (options: unknown, ...more: unknown[]) => unknown;
    expectError("ERR_OPTION_UNKNOWN", () => untyped({ traces: true }));
    expectError("ERR_ARGUMENT", () => untyped({ trace: 1 }));
    expectError("ERR_ARGUMENT", () => untyped(null));
    expectError("ERR_ARGUMENT", () => untyped({}, 1));
  });
});

describe("leakcheck", () => {
  it("passes if all objects are freed", () => {
    k.tensor([0]);
    const check = k.leakcheck();
    k.scoped(() => k.backward(k.mse(k.tensor([1], "grad"), [2])));
    check();
  });

  it("names what is left, by kind and maker", () => {
    const old = k.tensor([0]);
    const check = k.leakcheck();
    k.free(old);
    const x = k.tensor([1]);
    for (let i = 0; i < 3; i++) k.mse(x, [i]);
    k.module(["linear", 1, 1]);
    k.free(x);
    expect(expectError("ERR_LEAK", check)).toMatch(
      /given 4: 3 tensor of mse \(12 bytes\), 1 module of module \(8 bytes\)/,
    );
  });
});
