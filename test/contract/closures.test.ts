// Exceptions and results of a step's closure, steps within steps, and the state after them.

import * as k from "@stepwell/sdk";
import { Module, Optimizer, optimizer, StepwellError, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";
import { own, thrown, thrownBy } from "./thrown-values.js";

afterEach(() => {
  k.reset();
});

/** Every optimizer that takes a closure, on a parameter of 1, and its closure: half of the square. */
const cases = optimizers.flatMap((name) =>
  // LAMB is Stepwell's own only.
  differences.implementations
    .filter((fused) => fused || name !== "lamb")
    .map((fused) => ({ name, fused, title: `${name}${fused ? "" : " of the library"}` })),
);

function point(name: k.OptimizerName, fused: boolean) {
  const x = k.tensor([1], "grad", "double");
  const o = k.opt(name, x, (fused ? {} : { fused }) as never);
  const closure = () => {
    const [value = Number.NaN] = k.tensor(x) as number[];
    k.grad(x, [value]);
    return (value * value) / 2;
  };
  return { x, o, closure };
}

/** The state without addresses. */
const stateOf = (o: k.OptimizerHandle) => {
  const { parms, ...rest } = k.state(o);
  return { ...rest, parms: parms.map(({ pointer, ...row }) => row) };
};

describe.each(cases)("$title", ({ name, fused }) => {
  it.each(Object.entries(thrown))("lets the closure throw %s, which arrives as it was thrown", (_, make) => {
    const { x, o, closure } = point(name, fused);
    // L-BFGS calls twice in its first step; the others call once.
    k.step(o, closure);
    const [before, state] = [k.tensor(x), stateOf(o)];
    const value = make();
    let calls = 0;
    const fails = () => {
      calls += 1;
      k.grad(x, [7]);
      throw value;
    };
    // No matcher reads it, since most of these cannot be printed.
    expect(thrownBy(() => k.step(o, fails)) === value).toBe(true);
    expect(calls).toBe(1);
    expect(k.tensor(x)).toEqual(before);
    expect(stateOf(o)).toEqual(state);
    const twin = point(name, fused);
    for (let i = 0; i < 2; i++) k.step(twin.o, twin.closure);
    k.step(o, closure);
    expect(k.tensor(x)).toEqual(k.tensor(twin.x));
    expect(stateOf(o)).toEqual(stateOf(twin.o));
  });

  it("leaves everything as it was where a later call of the closure throws", () => {
    if (name !== "lbfgs") return;
    const { x, o, closure } = point(name, fused);
    k.opt(o, [], { lr: 0.1 });
    k.step(o, closure);
    const [before, state] = [k.tensor(x), stateOf(o)];
    for (const last of [2, 3]) {
      let calls = 0;
      const error = own(new Error("x"), "cause");
      const fails = () => {
        calls += 1;
        if (calls === last) throw error;
        return closure();
      };
      expect(thrownBy(() => k.step(o, fails))).toBe(error);
      expect(calls).toBe(last);
      expect(k.tensor(x)).toEqual(before);
      expect(stateOf(o)).toEqual(state);
    }
  });

  it("takes a number, a scalar tensor or one of the fluent layer as the loss, and frees the tensor", () => {
    const { o, closure } = point(name, fused);
    const handles = k.handlecount();
    const returned = (make: (loss: number) => unknown) => k.step(o, () => make(closure()) as number);
    expect(returned((loss) => loss)).toBe(0.5);
    for (const make of [
      () => k.tensor([2.5]),
      () => k.tensor([[2.5]], "double"),
      () => Tensor.of([2.5]),
      () => k.mse(k.tensor([2]), [1]),
    ]) {
      expect([2.5, 1]).toContain(returned(make));
    }
    // NaN is a number too: the step's policy decides, and not the closure.
    expect(returned(() => Number.NaN)).toBeNaN();
    expect(k.handlecount()).toBe(handles + 1);
  });

  it("refuses any other loss, leaks no handle, and has made no step", () => {
    const { x, o, closure } = point(name, fused);
    const freed = k.tensor([1]);
    const freedObject = new Tensor(freed);
    k.free(freed);
    const m = k.module(["linear", 1, 1]);
    const refused: readonly (readonly [k.ErrorCode, RegExp, unknown])[] = [
      ["ERR_ARGUMENT", /the closure to return the loss.*given undefined/, undefined],
      ["ERR_ARGUMENT", /given null/, null],
      ["ERR_ARGUMENT", /given string/, "1"],
      ["ERR_ARGUMENT", /given bigint/, 1n],
      ["ERR_ARGUMENT", /given boolean/, true],
      ["ERR_ARGUMENT", /given symbol/, Symbol("x")],
      ["ERR_ARGUMENT", /given a dictionary/, {}],
      ["ERR_ARGUMENT", /given list of 1/, [1]],
      ["ERR_ARGUMENT", /given a Float64Array/, new Float64Array([1])],
      ["ERR_ARGUMENT", /given a Number object/, new Number(1)],
      ["ERR_ARGUMENT", /given function/, () => 1],
      ["ERR_HANDLE_FREED", /the closure returned.*was freed/, freed],
      ["ERR_HANDLE_FREED", /was freed/, freedObject],
      ["ERR_HANDLE_KIND", /the closure returned.*given optimizer handle/, o],
      ["ERR_HANDLE_KIND", /given optimizer handle/, new Optimizer(o)],
      ["ERR_HANDLE_KIND", /given module handle/, new Module(m)],
      ["ERR_ARGUMENT", /the closure returned a promise.*synchronous/, Promise.resolve(1)],
      // It must not end the process, although no caller awaits it.
      ["ERR_ARGUMENT", /promise/, Promise.reject(new Error("later"))],
      ["ERR_ARGUMENT", /promise/, (async () => 1)()],
      // biome-ignore lint/suspicious/noThenProperty: it looks like a promise
      ["ERR_ARGUMENT", /promise/, { then: () => {} }],
    ];
    const handles = k.handlecount();
    for (const [code, words, value] of refused) {
      const returns = () => {
        closure();
        return value as never;
      };
      const message = expectError(code, () => k.step(o, returns));
      expect(message).toMatch(words);
      expect(message).toMatch(/^step: (?!step)/);
    }
    // The caller still has it.
    const row = k.tensor([1, 2]);
    expect(expectError("ERR_SHAPE", () => k.step(o, () => row))).toContain("given a tensor of shape [2]");
    expect(expectError("ERR_SHAPE", () => k.step(o, () => new Tensor(row) as never))).toContain("shape [2]");
    expect(k.tensor(row)).toEqual([1, 2]);
    k.free(row);
    expect(k.handlecount()).toBe(handles);
    expect(k.tensor(x)).toEqual([1]);
    k.step(o, closure);
    const twin = point(name, fused);
    k.step(twin.o, twin.closure);
    expect(k.tensor(x)).toEqual(k.tensor(twin.x));
  });

  it("is stepped in no closure of its own step, however deep", () => {
    const { x, o, closure } = point(name, fused);
    let calls = 0;
    const again = (): number => {
      calls += 1;
      return k.step(o, again);
    };
    expect(expectError("ERR_ARGUMENT", () => k.step(o, again))).toContain(
      "its closure can neither free it nor step it",
    );
    expect(calls).toBe(1);
    // By way of another optimizer's step.
    const other = k.opt("sgd", k.tensor([1], "grad"));
    const around = () => k.step(other, () => k.step(o, again));
    expectError("ERR_ARGUMENT", () => k.step(o, around));
    expect(k.tensor(x)).toEqual([1]);
    k.step(o, closure);
    expect(k.tensor(x)).not.toEqual([1]);
  });
});

it("nests steps 16 deep and no deeper, and all of them work afterwards", () => {
  const values = Array.from({ length: 17 }, (_, i) => k.tensor([i], "grad", "double"));
  const nested = values.map((x) => k.opt("sgd", x, 0.5));
  const stepFrom = (i: number): number => {
    const [x, o] = [values[i], nested[i]];
    if (x === undefined || o === undefined) return 0;
    return k.step(o, () => {
      k.grad(x, [1]);
      return stepFrom(i + 1) + 1;
    });
  };
  expect(expectError("ERR_ARGUMENT", () => stepFrom(0))).toContain("nest at most 16 deep");
  expect(values.map((x) => k.tensor(x))).toEqual(values.map((_, i) => [i]));
  expect(stepFrom(1)).toBe(16);
  expect(values.map((x) => k.tensor(x))).toEqual(values.map((_, i) => [i === 0 ? 0 : i - 0.5]));
});

it("leaves averages as the closure swapped them: a step needs the parameters in their place", () => {
  const x = k.tensor([1], "grad", "double");
  const o = k.opt("sgd", x, 0.5, { average: 0.5 });
  const closure = () => {
    k.grad(x, [1]);
    return 1;
  };
  k.step(o, closure);
  k.step(o, closure);
  // By hand: 1, .5, 0, and the average of .5 and 0 is .25.
  expect(k.tensor(x)).toEqual([0]);
  const seen: unknown[] = [];
  k.step(o, () => {
    k.average(o);
    seen.push(k.tensor(x));
    k.average(o);
    return closure();
  });
  expect(seen).toEqual([[0.25]]);
  expect(k.tensor(x)).toEqual([-0.5]);
  const left = () => {
    k.average(o);
    return closure();
  };
  expectError("ERR_PARAMETER", () => k.step(o, left));
  k.average(o);
  expect(k.tensor(x)).toEqual([-0.5]);
  k.step(o, closure);
  expect(k.tensor(x)).toEqual([-1]);
});

it("takes a closure, options, and nothing more", () => {
  const { o, closure } = point("sgd", true);
  const step = k.step as (...args: unknown[]) => unknown;
  expectError("ERR_ARGUMENT", () => step(o, closure, {}, {}));
  expectError("ERR_OPTION_UNKNOWN", () => step(o, closure, { zero: true }));
  expectError("ERR_ARGUMENT", () => step(o, closure, 7));
  const fluent = new Optimizer(o) as unknown as { step(...args: unknown[]): unknown };
  expectError("ERR_ARGUMENT", () => fluent.step(undefined, { zerograd: true }));
  expectError("ERR_ARGUMENT", () => fluent.step({}, { zerograd: true }));
  const sgd = optimizer("sgd")
    .lr(0.5)
    .build(k.tensor([1], "grad"));
  expect(sgd.step(() => Tensor.of([3]))).toBe(3);
});

it("passes on what reading arguments throws", () => {
  const { x, o, closure } = point("sgd", true);
  const error = own(new Error("x"), "cause");
  const bag = Object.defineProperty({}, "zerograd", {
    enumerable: true,
    get() {
      throw error;
    },
  });
  const never = () => expect.fail("called");
  for (const call of [
    () => k.step(o, bag),
    () => k.step(o, never, bag),
    () => k.opt("sgd", x, bag),
    () => k.tensor(bag as never),
  ]) {
    expect(thrownBy(call)).toBe(error);
  }
  // It may call, since the session is free during the closure.
  const stepping = Object.defineProperty({}, "zerograd", { enumerable: true, get: () => k.step(o, closure) > 0 });
  k.step(o, closure, stepping);
  expect(k.grad(x)).toEqual([0]);
});

it("has its errors from one class", () => {
  const { o } = point("sgd", true);
  expect(thrownBy(() => k.step(o, () => undefined as never))).toBeInstanceOf(StepwellError);
});
