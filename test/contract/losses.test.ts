import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const { ce, nll, mse, l1, smoothl1, bce, bcewithlogits } = k;
const losses = { ce, nll, mse, l1, smoothl1, bce, bcewithlogits };
type Name = keyof typeof losses;
const names = Object.keys(losses) as readonly Name[];
const isOfClasses = (name: Name) => name === "ce" || name === "nll";
const elementwise = names.filter((name) => !isOfClasses(name));

/** Calls as JavaScript makes them, without types in the way. */
const untyped = (name: Name) => losses[name] as (...args: unknown[]) => k.TensorHandle;

/** An input [2, 3] and a target that fits it. */
const input = () => k.full([2, 3], 0.5, "grad");
const target = (name: Name) =>
  isOfClasses(name)
    ? [0, 2]
    : [
        [1, 0, 1],
        [0, 1, 0],
      ];

describe.each(names)("%s", (name) => {
  const loss = untyped(name);

  it("reduces to a scalar, or not", () => {
    expect(k.size(loss(input(), target(name)))).toEqual([]);
    expect(k.size(loss(input(), target(name), { reduction: "sum" }))).toEqual([]);
    expect(k.size(loss(input(), target(name), { reduce: "none" }))).toEqual(isOfClasses(name) ? [2] : [2, 3]);
  });

  it("refuses bad options", () => {
    const call = (options: unknown) => () => loss(input(), target(name), options);
    expect(expectError("ERR_OPTION_RANGE", call({ reduce: "max" }))).toBe(
      `${name} reduce: expected one of "none", "mean", "sum", given string "max"`,
    );
    expectError("ERR_OPTION_TYPE", call({ reduce: 1 }));
    expect(expectError("ERR_OPTION_UNKNOWN", call({ nonsense: 1 }))).toContain("unknown option `nonsense`");
    expectError("ERR_ARGUMENT", call("mean"));
    expectError("ERR_ARGUMENT", () => loss(input(), target(name), {}, 1));
  });

  it("refuses what is no input and no target", () => {
    expect(expectError("ERR_ARGUMENT", () => loss([1, 2], [1, 2]))).toMatch(/expected a tensor handle as input, given/);
    for (const invalid of [undefined, null, "x", true]) expectError("ERR_ARGUMENT", () => loss(input(), invalid));
    expectError("ERR_SHAPE", () => loss(input(), [[1], 2]));
    expectError("ERR_HANDLE_KIND", () => loss(input(), k.module("relu")));
    expect(expectError("ERR_DTYPE", () => loss(k.full([2, 3], 1, "long"), target(name)))).toBe(
      `${name}: expected input of floating point, given long`,
    );
  });

  it("refuses a target of another shape and names both", () => {
    const expected = isOfClasses(name) ? "[2]" : "[2, 3]";
    for (const [given, shape] of [
      [[0, 1, 2], "[3]"],
      [0, "[]"],
      [[[0, 1, 2]], "[1, 3]"],
    ]) {
      const message = `${name}: expected target of shape ${expected}, given ${shape}`;
      expect(expectError("ERR_SHAPE", () => loss(input(), given))).toBe(message);
      expect(expectError("ERR_SHAPE", () => loss(input(), k.tensor(given as k.Numbers)))).toBe(message);
    }
  });

  it("refuses a target of another dtype", () => {
    const wrong = isOfClasses(name) ? k.tensor([0, 2]) : k.full([2, 3], 1, "double");
    const [expected, given] = isOfClasses(name) ? ["long", "float"] : ["float", "double"];
    expect(expectError("ERR_DTYPE", () => loss(input(), wrong))).toBe(
      `${name}: expected target of dtype ${expected}, given ${given}`,
    );
  });

  it("does not see what the target is made of", () => {
    const t = isOfClasses(name) ? k.tensor([0, 2], "long") : k.tensor(target(name), "float");
    expect(k.tensor(loss(input(), t))).toBe(k.tensor(loss(input(), target(name))));
  });
});

describe.each(["ce", "nll"] as const)("classes of %s", (name) => {
  const loss = losses[name];

  it.each([3, -1, -99, 2 ** 40])("%d does not exist", (given) => {
    const message = `${name}: expected classes from 0 to 2, or -100 to be ignored, given ${given}`;
    expect(expectError("ERR_ARGUMENT", () => loss(input(), [0, given]))).toBe(message);
    expect(expectError("ERR_ARGUMENT", () => loss(input(), k.tensor([given, 1], "long")))).toBe(message);
  });

  it("are whole numbers", () => {
    expectError("ERR_DTYPE", () => loss(input(), [0, 0.5]));
    expectError("ERR_DTYPE", () => loss(input(), [0, Number.NaN]));
  });

  it("are of an input with a dimension for them", () => {
    expect(expectError("ERR_SHAPE", () => loss(k.tensor([1, 2]), [0]))).toBe(
      `${name}: expected input of shape [n, classes, *], given [2]`,
    );
  });
});

it("ce takes probabilities of the input's dtype, nll takes none", () => {
  const shares = [
    [1, 0, 0],
    [0.5, 0.25, 0.25],
  ];
  expect(k.tensor(ce(input(), shares))).toBeCloseTo(Math.log(3), 6);
  expectError("ERR_DTYPE", () => ce(input(), k.tensor(shares, "double")));
  expectError("ERR_SHAPE", () => nll(input(), shares));
});

it("smoothl1 refuses a beta that is no distance", () => {
  for (const beta of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expectError("ERR_OPTION_RANGE", () => smoothl1(input(), target("smoothl1"), { beta }));
  }
  expectError("ERR_OPTION_UNKNOWN", () => untyped("mse")(input(), target("mse"), { beta: 1 }));
});

it("bce refuses what is no probability", () => {
  for (const p of [-0.5, 1.5, Number.NaN]) {
    const expected = `between 0 and 1, given ${p}`;
    expect(expectError("ERR_ENGINE", () => bce(k.tensor([0.5, p]), [1, 0]))).toContain(expected);
    expect(expectError("ERR_ENGINE", () => bce(k.tensor([0.5, 0.5]), [1, p]))).toContain(expected);
  }
});

describe("backward", () => {
  it.each(elementwise)("of %s without reduction is refused", (name) => {
    const x = input();
    const message = expectError("ERR_SHAPE", () => k.backward(untyped(name)(x, target(name), { reduce: "none" })));
    expect(message).toBe("backward: expected a scalar, given a tensor of shape [2, 3]");
    expect(k.grad(x)).toBeUndefined();
  });

  it("of what was computed from no parameter is refused", () => {
    expectError("ERR_GRADIENT", () => k.backward(mse(k.tensor([1]), [2])));
  });

  it("a second time through the same graph is refused and adds nothing", () => {
    const m = k.module(k.seq("sequential", ["linear", 2, 2], "tanh", ["linear", 2, 1]));
    const loss = mse(k.forward(m, [[1, 2]]), [[1]]);
    k.backward(loss);
    const before = k.grad(k.parm(m, "0.weight"));
    const message = expectError("ERR_ENGINE", () => k.backward(loss));
    expect(message).toContain("a second backward through the same graph");
    expect(k.grad(k.parm(m, "0.weight"))).toEqual(before);
  });

  it("through a graph that is released in part is refused and adds nothing", () => {
    const [x, y] = [k.tensor([1.5], "grad"), k.tensor([-2], "grad")];
    const shared = mse(y, [1]);
    k.backward(shared);
    const before = k.grad(y);
    // The graph of x is whole, and libtorch visits it before the released graph of y.
    for (const loss of [mse(mse(x, [0.5]), shared), mse(shared, mse(x, [0.5]))]) {
      const refused = expectError("ERR_ENGINE", () => k.backward(loss));
      expect(refused).toContain("a second backward through the same graph");
      expect(k.grad(x)).toBeUndefined();
      expect(k.grad(y)).toEqual(before);
    }
  });

  it("through a graph from before another backward adds the same", () => {
    const specification = k.seq("sequential", ["linear", 2, 2], "tanh", ["linear", 2, 1]);
    const gradients = (m: k.ModuleHandle) => k.parmnames(m).map((name) => k.grad(k.parm(m, name)));
    const first = k.module(specification);
    const m = k.module(k.state(first));
    for (const inputs of [[[1, 2]], [[-1, 0.5]]]) k.backward(mse(k.forward(m, inputs), [[1]]));
    const losses = [[[1, 2]], [[-1, 0.5]]].map((inputs) => mse(k.forward(first, inputs), [[1]]));
    for (const loss of losses) k.backward(loss);
    expect(gradients(first)).toEqual(gradients(m));
  });

  it("accumulates over graphs", () => {
    const x = k.tensor([3], "grad");
    for (let i = 1; i <= 3; i++) {
      k.backward(mse(x, [1]));
      expect(k.grad(x)).toEqual([4 * i]);
    }
  });
});

describe("a graph that a parameter was changed under", () => {
  const specification = k.seq("sequential", ["linear", 2, 3], "tanh", ["linear", 3, 1]);
  const changes: Record<string, (m: k.ModuleHandle) => void> = {
    step: (m) => {
      for (const name of k.parmnames(m)) k.grad(k.parm(m, name), k.full(k.size(k.parm(m, name)), 1));
      k.step(k.opt("sgd", m, 0.1));
      k.nograd(m);
    },
    copyto: (m) => k.copyto(k.full([1, 3], 7), k.parm(m, "2.weight")),
    to: (m) => k.to(m, "double"),
  };

  it.each(Object.entries(changes))("by %s is refused", (_, change) => {
    const m = k.module(specification);
    const loss = mse(k.forward(m, [[1, 2]]), [[1]]);
    change(m);
    const message = expectError("ERR_ENGINE", () => k.backward(loss));
    expect(message).toBe(
      "backward through an outdated graph: a tensor that it needs was changed since, run the forward again",
    );
    for (const name of k.parmnames(m)) expect(k.grad(k.parm(m, name))).toBeUndefined();
    k.backward(mse(k.forward(m, [[1, 2]]), [[1]]));
    expect(k.grad(k.parm(m, "0.weight"))).toBeDefined();
  });

  it.each(Object.entries(changes).slice(0, 2))(
    "by %s and needs none of it gives the old graph's gradient",
    (name, change) => {
      // The gradient of a single layer's weight is computed from its input and not from its weight.
      const gradientOf = (between: (m: k.ModuleHandle) => void) => {
        k.seed(3);
        const m = k.module(k.seq("sequential", "relu", "relu", ["linear", 3, 1]));
        const loss = mse(k.forward(m, [[1, 2, 3]]), [[1]]);
        between(m);
        k.backward(loss);
        return k.grad(k.parm(m, "2.weight"));
      };
      expect(gradientOf(change), name).toEqual(gradientOf(() => {}));
    },
  );
});
