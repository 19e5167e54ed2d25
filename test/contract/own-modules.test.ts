// Modules of classes and of functions of the program: what they see, what a forward pass may do, and what it cannot.

import * as k from "@stepwell/sdk";
import { Module, Tensor } from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => {
  k.reset();
  k.seed(3);
});

type Pass = (x: Tensor, module: Probe) => unknown;

/** A module whose forward pass a test gives. */
class Probe extends Module {
  readonly w = Tensor.of([2], "grad");
  readonly inner = Module.of(["linear", 2, 2]);
  constructor(readonly pass: Pass = (x, { w, inner }) => inner.forward(x).mul(w)) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return this.pass(x, this) as Tensor;
  }
}

const x = [[1, -2]];

/** Every way that a forward pass is called, of a module alone, in a container, and in another own module. */
const calls: Readonly<Record<string, (m: Probe) => unknown>> = {
  "forward of the class": (m) => m.forward(new Tensor(k.tensor(x))),
  "the function forward": (m) => k.forward(m, x),
  evaluate: (m) => k.evaluate(m, x),
  "a container": (m) => k.forward(k.module(k.seq("sequential", m, "relu")), x),
  "another own module": (m) => k.forward(new Probe((y) => m.forward(y)), x),
  run: (m) => {
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0.1));
    k.train(model, x, [[0, 0]]);
    return k.run(model);
  },
  "a step's closure": (m) => {
    const o = k.opt("sgd", m, 0.1);
    return k.step(o, () => {
      const loss = k.mse(k.forward(m, x), [[0, 0]]);
      k.backward(loss);
      return loss;
    });
  },
};

describe.each(Object.keys(calls))("by %s", (way) => {
  const call = calls[way] as (m: Probe) => unknown;

  /** The values of the module, and the number of objects, which a failing pass leaves. */
  const failing = (pass: Pass, check: (run: () => unknown) => void) => {
    const m = new Probe(pass);
    const before = [k.state(m), k.handlecount()];
    check(() => {
      k.scoped(() => void call(m));
    });
    const made = k.leaks().filter(({ by }) => by === "callback" || by === "outputs");
    expect(made.length).toBeLessThan(3);
    expect(k.state(m)).toEqual(before[0]);
    m.pass.length;
  };

  it("arrives as thrown", () => {
    const mine = new TypeError("mine");
    failing(
      () => {
        throw mine;
      },
      (run) => {
        let caught: unknown;
        try {
          run();
        } catch (error) {
          caught = error;
        }
        expect(caught).toBe(mine);
      },
    );
  });

  const returned: readonly (readonly [what: string, pass: Pass, code: k.ErrorCode])[] = [
    ["nothing", () => undefined, "ERR_ARGUMENT"],
    ["a number", () => 3, "ERR_ARGUMENT"],
    ["an empty list", () => [], "ERR_ARGUMENT"],
    ["a promise", async (y) => y, "ERR_ARGUMENT"],
    ["a rejected promise", () => Promise.reject(new Error("no")), "ERR_ARGUMENT"],
    ["a module", (_, m) => m.inner, "ERR_HANDLE_KIND"],
    ["a freed tensor", (y) => dropped(y.mul(2)), "ERR_HANDLE_FREED"],
  ];
  it.each(returned)("refuses a pass that returns %s", (_, pass, code) => {
    failing(pass, (run) => expectError(code, run));
  });
});

function dropped(tensor: Tensor): Tensor {
  tensor.dispose();
  return tensor;
}

describe("after a pass that has failed", () => {
  const fail = () => {
    throw new RangeError("mine");
  };
  const table = () => k.module(["embedding", 2, 2, { maxnorm: 0.01 }]);
  const bags = () => k.module(["embedbag", 2, 2, { maxnorm: 0.01 }]);
  it.each([
    ["embedding", table, [0]],
    ["embedbag", bags, [[0, 1]]],
  ] as const)("a table that %s has scaled is as before", (_, make, indices) => {
    const m = make();
    const failing = k.module(k.seq("sequential", m, k.callback(fail)));
    const before = k.state(m);
    const ids = k.tensor(indices as never, "long");
    for (const pass of [k.forward, k.evaluate]) {
      expect(() => pass(failing, ids)).toThrow("mine");
      expect(k.state(m)).toEqual(before);
    }
    const own = k.model(m, fail as never, k.opt("sgd", m, 0.1));
    const targets = k.zeros([1, 2]);
    k.train(own, ids, targets);
    k.test(own, ids, targets);
    for (const run of [k.run, k.testrun]) {
      expect(() => run(own)).toThrow("mine");
      expect(k.state(m)).toEqual(before);
    }
    k.forward(m, ids);
    expect(k.state(m)).not.toEqual(before);
  });

  it("a graph of before is still good", () => {
    const m = table();
    k.fill(k.parm(m, "weight"), 0.001);
    const y = k.sum(k.mul(k.forward(m, k.tensor([0], "long")), k.parm(m, "weight")));
    expect(() => k.forward(k.module(k.seq("sequential", m, k.callback(fail))), k.tensor([0], "long"))).toThrow("mine");
    k.backward(y);
  });
});

describe("within a pass", () => {
  const busy: Readonly<Record<string, Pass>> = {
    "to free the input": (y) => k.free(y),
    "to replace the input": (y) => k.use(y, k.tensor([1])),
    "to free the module": (_, m) => k.free(m),
    "to free everything": () => k.free(),
    "to reset": () => k.reset(),
  };
  it.each(Object.keys(busy))("it is an error %s", (what) => {
    const m = new Probe((y, probe) => {
      (busy[what] as Pass)(y, probe);
      return y;
    });
    expectError("ERR_BUSY", () => k.forward(m, x));
    expectError("ERR_BUSY", () => k.evaluate(m, x));
    expect(k.tensor(m.w)).toEqual([2]);
  });

  it("a model that runs can be neither run nor freed, and its optimizer not stepped", () => {
    let model: k.ModelHandle | undefined;
    let o: k.OptimizerHandle | undefined;
    const acts: readonly (readonly [act: () => unknown, code: k.ErrorCode])[] = [
      [() => k.run(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.batch(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.testrun(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.train(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.train(model as k.ModelHandle, x, x), "ERR_BUSY"],
      [() => k.metrics(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.free(model as k.ModelHandle), "ERR_BUSY"],
      [() => k.step(o as k.OptimizerHandle), "ERR_BUSY"],
      [() => k.free(o as k.OptimizerHandle), "ERR_BUSY"],
    ];
    let calls = 0;
    const m = new Probe((y, probe) => {
      calls += 1;
      // A pass has no closure.
      if (probe.training) for (const [act, code] of acts) expect(expectError(code, act)).not.toContain("closure");
      return probe.inner.forward(y);
    });
    o = k.opt("sgd", m, 0.1);
    model = k.model(m, k.loss("mse"), o);
    k.train(model, x, [[0, 0]]);
    k.test(model, x, [[0, 0]]);
    const [first, second] = [k.run(model), k.run(model)];
    expect(second).toBeLessThan(first as number);
    expect(k.testrun(model)).toBeLessThan(second as number);
    expect(calls).toBe(3);
    // Afterwards everything is allowed again.
    k.free(model, o);
  });

  it("every function that changes nothing of the pass is allowed", () => {
    const m = new Probe((y, probe) => {
      const other = k.module(["linear", 2, 2]);
      const o = k.opt("sgd", other, 0.1);
      k.backward(k.mse(k.forward(other, [[1, 2]]), [[0, 0]]));
      k.step(o);
      expect(k.names(probe)).toEqual(["inner"]);
      return y.mul(probe.w);
    });
    expect(k.tensor(k.forward(m, x))).toEqual([[2, -4]]);
  });

  it("draws random numbers from the generator of the session", () => {
    const draw = () => {
      k.seed(11);
      const m = new Probe((y) => y.add(new Tensor(k.forward(k.module(["dropout", 0.5]), k.ones([1, 2])))));
      const y = k.tensor(k.forward(m, x));
      return [y, k.randperm(20)];
    };
    expect(draw()).toEqual(draw());
    const failing = new Probe(() => {
      k.randperm(5);
      throw new Error("mine");
    });
    k.seed(11);
    const before = k.randperm(20);
    k.seed(11);
    expect(() => k.forward(failing, x)).toThrow("mine");
    expect(k.randperm(20)).toEqual(before);
  });

  it("recursion ends with an error, and the engine goes on", () => {
    const m: Probe = new Probe((y) => new Tensor(k.forward(m, y)));
    expectError("ERR_ARGUMENT", () => k.forward(m, x));
    const own: Probe = new Probe((y) => own.forward(y));
    expectError("ERR_ARGUMENT", () => k.forward(own, x));
    expect(k.tensor(k.evaluate(new Probe((y) => y), x))).toEqual(x);
  });
});

describe("training", () => {
  const mode = () => {
    const modes: boolean[] = [];
    const m = new Probe((y, probe) => {
      modes.push(probe.training);
      return probe.inner.forward(y);
    });
    return { m, modes };
  };

  it("is visible", () => {
    const { m, modes } = mode();
    expect(m.training).toBe(true);
    k.forward(m, x);
    k.evaluate(m, x);
    m.forward(new Tensor(k.tensor(x)));
    m.evaluate(x);
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0.1));
    k.train(model, x, x);
    k.test(model, x, x);
    k.run(model);
    k.testrun(model);
    expect(modes).toEqual([true, false, true, false, true, false]);
    expect(m.training).toBe(true);
  });

  it("decides how modules within the pass run", () => {
    class Dropping extends Module {
      readonly drop = Module.of(["dropout", 0.9]);
      readonly norm = Module.of(["batchnorm", 2]);
      override forward(y: Tensor): Tensor {
        return this.drop.forward(this.norm.forward(y));
      }
    }
    const m = new Dropping();
    const rows = [
      [1, 2],
      [3, 5],
      [2, 7],
    ];
    const before = k.state(m);
    const evaluated = k.tensor(k.evaluate(m, rows));
    expect(k.tensor(k.evaluate(m, rows))).toEqual(evaluated);
    expect(k.state(m)).toEqual(before);
    k.forward(m, rows);
    expect(k.state(m)).not.toEqual(before);
    // Running statistics are restored if the pass fails.
    const trained = k.state(m);
    const failing = k.callback((y) => {
      k.forward(m.norm, y);
      throw new Error("mine");
    });
    const both = k.module(k.seq("sequential", m, failing));
    expect(() => k.forward(both, rows)).toThrow("mine");
    expect(k.state(m)).toEqual(trained);
  });
});

describe("members", () => {
  it("cannot be assigned, changed or removed after the first use", () => {
    const cases: readonly ((m: Probe & Record<string, unknown>) => void)[] = [
      (m) => Object.assign(m, { late: Module.of(["linear", 1, 1]) }),
      (m) => Object.assign(m, { late: Tensor.of([1], "grad") }),
      (m) => Object.assign(m, { w: Tensor.of([1], "grad") }),
      (m) => Object.assign(m, { inner: Module.of(["linear", 2, 2]) }),
      (m) => Reflect.deleteProperty(m, "inner"),
    ];
    for (const change of cases) {
      const m = new Probe();
      k.forward(m, x);
      change(m as Probe & Record<string, unknown>);
      expectError("ERR_PARAMETER", () => k.forward(m, x));
      expectError("ERR_PARAMETER", () => k.names(m));
    }
  });

  it("are tensors that a pass leaves behind only if they are parameters", () => {
    const m: Probe & { last?: Tensor } = new Probe((y, probe) => Object.assign(probe, { last: y.mul(2) }).last);
    k.forward(m, x);
    k.evaluate(m, x);
    expect(m.parameters).toEqual(["w", "inner.weight", "inner.bias"]);
  });

  it("that are unclear are refused", () => {
    const made = (members: object) => {
      const m = new Probe();
      return () => k.names(Object.assign(m, members));
    };
    const linear = () => Module.of(["linear", 1, 1]);
    expectError("ERR_ARGUMENT", made({ mixed: [linear(), 3] }));
    expectError("ERR_ARGUMENT", made({ map: new Map([["a", linear()]]) }));
    expectError("ERR_ARGUMENT", made({ nested: [[linear()]] }));
    expectError("ERR_ARGUMENT", made({ "a.b": linear() }));
    const ring = new Probe();
    expectError("ERR_ARGUMENT", () => k.names(Object.assign(ring, { ring })));
    class Empty extends Module {}
    expectError("ERR_ARGUMENT", () => k.forward(new Empty(), x));
  });

  it("are frozen, converted and selected by their names", () => {
    const m = new Probe();
    m.freeze("inner");
    expect(m.requiresGrad).toEqual([true, false, false]);
    const o = k.opt("sgd", [m, "w"], 0.5);
    k.opt(o, 1, [m, ["inner.bias"]], 0.25);
    k.backward(k.mse(k.forward(m, x), [[0, 0]]));
    k.step(o);
    expect(k.state(o).parms.map((row) => row.name)).toEqual(["w", "inner.bias"]);
    m.unfreeze();
    m.to("double");
    expect(k.dtype(m.w)).toBe("double");
    expect(k.dtype(k.forward(m, x))).toBe("double");
    expect(String(m)).toContain("callback");
  });
});

describe("callback", () => {
  it("is a module of a function, with tensors", () => {
    const w = k.tensor([3], "grad");
    const m = k.callback((a, b) => k.mul(k.add(a, b), w), { parms: { w }, buffers: { n: k.tensor([1]) } });
    expect(k.parmnames(m)).toEqual(["w"]);
    expect(k.tensor(k.forward(m, [1, 2], [3, 4]))).toEqual([12, 18]);
    expect(k.state(m)[0]).toMatchObject({ module: "callback", parms: { w: {} }, buffers: { n: {} } });
    const copy = k.clone(m);
    expect(k.tensor(k.evaluate(copy, [1], [1]))).toEqual([6]);
    expectError("ERR_PARAMETER", () => k.callback((a) => a, { parms: { w: k.tensor([1]) } }));
    expectError("ERR_ARGUMENT", () => k.callback(3 as never));
    expectError("ERR_OPTION_UNKNOWN", () => k.callback((a) => a, { parm: {} } as never));
  });

  it("runs as long as something was made of it", () => {
    const o = (() => {
      const m = k.callback((a) => k.mul(a, 2));
      return k.module(k.seq("sequential", m, ["linear", 1, 1]));
    })();
    expect(k.size(k.forward(o, [[1]]))).toEqual([1, 1]);
  });
});

it("leaves nothing behind", () => {
  const m = new Probe((y, { w, inner }) => inner.forward(y).mul(w).add(y).tanh());
  const o = k.opt("sgd", m, 0.1);
  const step = () => {
    const outputs = k.forward(m, x);
    const loss = k.mse(outputs, [[0, 0]]);
    k.backward(loss);
    k.step(o, { zerograd: true });
    k.free(outputs, loss);
  };
  step();
  const before = k.handlecount();
  for (let i = 0; i < 10; i++) step();
  expect(k.handlecount()).toBe(before);
});
