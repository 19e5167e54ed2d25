// Revoked proxies are refused in every place. An exception of the trap of a proxy arrives as it was thrown.

import * as k from "@stepwell/sdk";
import { Model, Module, Optimizer, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { operationArguments, operationNames } from "../operation-calls.js";
import { expectError } from "./expect-error.js";
import { call } from "./untyped.js";

afterEach(() => k.free());

const targets: Readonly<Record<string, () => object>> = {
  "a list": () => [1],
  "a dictionary": () => ({}),
  "a function": () => () => 1,
  "a tensor": () => k.tensor([1]),
};

const revoked = (target: object): never => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy as never;
};

const mine = new Error("mine");
const fail = () => {
  throw mine;
};
/** Proxies with a trap that throws. */
const trapped: Readonly<Record<string, () => never>> = {
  "asks for its prototype": () => new Proxy({}, { getPrototypeOf: fail }) as never,
  "reads a property": () => new Proxy({}, { get: fail }) as never,
  "asks for its prototype or reads a property": () => new Proxy([1], { getPrototypeOf: fail, get: fail }) as never,
};

describe("a revoked proxy", () => {
  it.each(operationNames)("is refused by %s", (name) => {
    const args = operationArguments(name, (tensor) => tensor);
    const codes = isUnsupported(name, args)
      ? (["ERR_ARGUMENT", "ERR_UNSUPPORTED"] as const)
      : (["ERR_ARGUMENT"] as const);
    const proxies = Object.values(targets).map((target) => revoked(target()));
    const before = k.handlecount();
    for (const proxy of proxies) {
      for (let i = 0; i < args.length; i++) {
        const given = args.map((argument, position) => (position === i ? proxy : argument));
        expectOneOf(codes, () => call(name, ...given));
      }
    }
    expect(k.handlecount()).toBe(before);
  });

  it.each(Object.keys(targets))("of %s is refused as an argument of other functions and of classes", (kind) => {
    const m = k.module(["linear", 1, 1]);
    const o = k.opt("sgd", m, 0.1);
    const model = new Model(m, "mse", o);
    const x = k.tensor([[1]]);
    const data = { inputs: [[1]], targets: [[1]] };
    const proxy = revoked((targets[kind] as () => object)());
    const calls: readonly (() => unknown)[] = [
      () => Tensor.of([1]).add(proxy),
      () => k.callback(proxy),
      () => k.gradient(proxy, proxy),
      () => k.scoped(proxy),
      () => k.keep(proxy),
      () => k.step(o, proxy),
      () => k.generator(proxy),
      () => k.load(m, "none", proxy),
      () => k.forward(m, proxy),
      () => k.forward(m, x, proxy),
      () => k.model(m, proxy, o),
      () => new Model(proxy, "mse", o),
      () => new Model(m, proxy, o),
      () => new Model(m, "mse", proxy),
      () => new Module(proxy),
      () => new Optimizer(proxy),
      () => model.fit(proxy),
      () => model.fit({ inputs: proxy, targets: proxy }),
      () => model.fit({ samples: proxy }),
      () => model.fit(data, { signal: proxy }),
      () => model.fit(data, { metrics: proxy }),
      () => model.fit(data, { metrics: [proxy] }),
      () => model.fit(data, { checkpoint: { folder: proxy } }),
      () => k.optimizer("sgd").noDecay(proxy),
      () => k.optimizer("sgd").group(proxy).build(m),
      () => k.optimizer("sgd").build(proxy),
    ];
    for (const act of calls) expectOneOf(["ERR_ARGUMENT", "ERR_OPTION_TYPE"], act);
  });
});

/** Fails unless a call throws an error of one of some codes. */
function expectOneOf(codes: readonly k.ErrorCode[], act: () => unknown): void {
  try {
    act();
  } catch (error) {
    expect(error, String(act)).toBeInstanceOf(k.StepwellError);
    expect(codes, String(act)).toContain((error as k.StepwellError).code);
    return;
  }
  expect.fail(`nothing was thrown by ${act}`);
}

/** Whether the engine lacks an operation. */
function isUnsupported(name: string, args: readonly unknown[]): boolean {
  try {
    k.scoped(() => void call(name, ...args));
    return false;
  } catch (error) {
    return (error as k.StepwellError).code === "ERR_UNSUPPORTED";
  }
}

/** Functions of the program that return a value, each with the call that is then made. */
const ways: Readonly<Record<string, (value: () => never) => () => unknown>> = {
  "a callback": (value) => {
    const [m, x] = [k.callback(value), k.tensor([1])];
    return () => k.forward(m, x);
  },
  "an own module": (value) => {
    const [m, x] = [new Own(value), Tensor.of([1])];
    expect(m.parameters).toEqual([]);
    return () => m.forward(x);
  },
  "an own module in a pass": (value) => {
    const own = new Own(value);
    const [m, x] = [k.callback((y) => own.forward(new Tensor(y))), k.tensor([1])];
    return () => k.forward(m, x);
  },
  "the forward of a gradient": (value) => {
    const [f, x] = [k.gradient(value, (g) => g), k.tensor([1])];
    return () => f(x);
  },
  "the backward of a gradient": (value) => {
    const f = k.gradient((x) => k.mul(x, 2), value);
    const loss = k.sum(f(k.tensor([1], "grad")));
    return () => k.backward(loss);
  },
  "an own loss": (value) => {
    const m = k.module(["linear", 1, 1]);
    const model = k.model(m, value, k.opt("sgd", m, 0.1));
    k.train(model, [[1]], [[1]]);
    return () => k.run(model);
  },
  "the closure of a step": (value) => {
    const o = k.opt("lbfgs", k.tensor([1], "grad"));
    return () => k.step(o, value);
  },
  "a scoped function": (value) => () => k.scoped(value),
};

class Own extends Module {
  constructor(readonly value: () => never) {
    super();
  }
  override forward(_: Tensor): Tensor {
    return this.value();
  }
}

describe.each(Object.keys(ways))("returned by %s", (way) => {
  const calling = (value: () => never) => (ways[way] as (value: () => never) => () => unknown)(value);

  it.each(Object.keys(targets))("a revoked proxy of %s is refused", (kind) => {
    const proxy = revoked((targets[kind] as () => object)());
    const run = calling(() => proxy);
    const before = k.handlecount();
    expect(expectError("ERR_ARGUMENT", run)).toMatch(/given a revoked proxy$/);
    expect(k.handlecount()).toBe(before);
  });

  it.each(Object.keys(trapped))("a proxy that throws if somebody %s leaves no object", (kind) => {
    const proxy = (trapped[kind] as () => never)();
    const run = calling(() => proxy);
    const before = k.handlecount();
    expect(run).toThrow(mine);
    expect(k.handlecount()).toBe(before);
  });
});
