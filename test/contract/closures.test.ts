// Exceptions and results of a step's closure, steps within steps, and the state after them.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as k from "@stepwell/sdk";
import { engine, Module, Optimizer, optimizer, StepwellError, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { binding, differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => {
  k.reset();
});

/** The exception of `call`, of any type. */
function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return expect.fail("nothing was thrown");
}

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

const chain = (length: number) => {
  let error = new Error("0");
  for (let i = 0; i < length; i++) error = new Error("x", { cause: error });
  return error;
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const errorWith = (name: string, descriptor: PropertyDescriptor) =>
  Object.defineProperty(new Error("x"), name, descriptor);
const endless = (): Error => errorWith("cause", { get: endless });
const own = <Value extends object>(value: Value, name: string) => Object.assign(value, { [name]: value });
const throwing = (value: object) =>
  Object.assign(value, {
    toString() {
      throw value;
    },
  });
const hostile = {
  get() {
    throw new Error("trap");
  },
  has() {
    throw new Error("trap");
  },
  getPrototypeOf() {
    throw new Error("trap");
  },
};

/** Values of every kind, to be thrown. */
const thrown: { readonly [what: string]: () => unknown } = {
  "an error": () => new Error("x"),
  "an error that is its own cause": () => own(new Error("x"), "cause"),
  "two errors that cause each other": () => {
    const a = new Error("a");
    const b = new Error("b", { cause: a });
    a.cause = b;
    return b;
  },
  "a chain of 5,000 causes": () => chain(5_000),
  "an object whose toString throws it": () => throwing({}),
  "an error whose toString throws it": () => throwing(new Error("x")),
  "an object without a prototype": () => Object.create(null),
  "a symbol": () => Symbol("x"),
  undefined: () => undefined,
  null: () => null,
  "a number": () => 5,
  "a bigint": () => 5n,
  "an empty string": () => "",
  "a long message": () => new Error("x".repeat(1e7)),
  "a message with a zero byte": () => new Error("a\0b"),
  "a proxy whose traps throw": () => new Proxy({}, hostile),
  "a proxy of an error whose traps throw": () => new Proxy(new Error("x"), hostile),
  "a revoked proxy": revoked,
  "an error whose cause throws": () => errorWith("cause", hostile),
  "an error whose causes never end": endless,
  "an error whose message throws": () => errorWith("message", hostile),
  "an error whose code throws": () => errorWith("code", hostile),
  "an error with a code of Stepwell": () => Object.assign(new Error("x"), { code: "ERR_SHAPE" }),
  "a frozen error": () => Object.freeze(new Error("x")),
  "an aggregate error": () => new AggregateError([new Error("a")], "x"),
  "a function": () => () => {},
  "a promise": () => Promise.resolve(1),
  "a handle": () => k.tensor([1]),
  "an error of Stepwell": () => thrownBy(() => k.opt("nothing" as never)),
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

describe("without the SDK around it", () => {
  const engineOf = binding as unknown as { stepWithClosure(o: bigint, closure: unknown, options?: unknown): number };
  const made = () => {
    const x = binding.call("tensor", [[1], "grad"]);
    return { x, o: binding.call("opt", ["sgd", x]) as bigint };
  };

  it.each(Object.entries(thrown))("the engine outlives a closure that throws %s", (_, make) => {
    const { x, o } = made();
    const value = make();
    const throws = () => {
      throw value;
    };
    expect(thrownBy(() => engineOf.stepWithClosure(o, throws))).toMatchObject({ code: "ERR_MEMORY" });
    expect(binding.call("tensor", [x])).toMatchObject({ data: new Float32Array([1]) });
    binding.call("grad", [x, [1]]);
    expect(engineOf.stepWithClosure(o, () => 2)).toBe(2);
  });

  it("takes numbers, and anything else as a failure", () => {
    const { o } = made();
    for (const value of [undefined, null, "1", 1n, true, {}, [], Symbol("x")]) {
      expect(thrownBy(() => engineOf.stepWithClosure(o, () => value))).toMatchObject({ code: "ERR_MEMORY" });
    }
    expect(engineOf.stepWithClosure(o, () => 1)).toBe(1);
  });
});

describe("a process outlives", () => {
  const sdk = JSON.stringify(new URL(import.meta.resolve("@stepwell/sdk")).href);
  /** A step of `o` with `closure`, and the output of the program. Each would end a process without a check. */
  const scenes: { readonly [what: string]: readonly [program: string, printed: string] } = {
    "a step that is made in its own closure without end": [
      `let depth = 0;
      const again = () => { depth += 1; return k.step(o, again); };
      try { k.step(o, again); } catch (error) { print(error.code, depth); }`,
      "ERR_ARGUMENT 1",
    ],
    "steps of ever more optimizers in each other's closures": [
      `let depth = 0;
      const deeper = () => {
        depth += 1;
        const y = k.tensor([1], "grad"), other = k.opt("sgd", y);
        try { return k.step(other, deeper); } finally { k.free(other, y); }
      };
      try { k.step(o, deeper); } catch (error) { print(error.code, depth); }`,
      "ERR_ARGUMENT 16",
    ],
    "a closure that exhausts the stack": [
      `const forever = () => forever() + 1;
      for (let i = 0; i < 3; i++) try { k.step(o, forever); } catch (error) { print(error.name); }`,
      "RangeError RangeError RangeError",
    ],
    "steps from ever deeper in the stack": [
      `let made = 0;
      const caught = [];
      const makes = () => { k.grad(x, [0]); return 0; };
      const deeper = (left) => {
        if (left > 0) return deeper(left - 1);
        // To look at an error takes stack, too.
        try { k.step(o, makes); made += 1; } catch (error) { caught[caught.length] = error; }
      };
      let depth = 100;
      for (; depth < 1e6; depth = Math.ceil(depth * 1.003)) {
        try { deeper(depth); } catch (error) { if (error instanceof RangeError) break; throw error; }
      }
      for (let less = 0; less < 400; less++) try { deeper(depth - less); } catch {}
      print(made > 100, caught.find((error) => !/stack/.test(error.message)));`,
      "true undefined",
    ],
    "errors that are their own causes, and long chains of them": [
      `const error = new Error("x");
      error.cause = error;
      let chain = new Error("0");
      for (let i = 0; i < 1e5; i++) chain = new Error("x", { cause: chain });
      const object = { toString() { throw object; } };
      for (const value of [error, chain, object]) {
        try { k.step(o, () => { throw value; }); } catch (thrown) { print(thrown === value); }
      }`,
      "true true true",
    ],
    "an async closure whose promise is rejected": [
      `const later = async () => { await null; throw new Error("later"); };
      try { k.step(o, later); } catch (error) { print(error.code); }
      await new Promise((resolve) => setTimeout(resolve, 10));`,
      "ERR_ARGUMENT",
    ],
  };
  const program = (body: string) => `import * as k from ${sdk};
    for (const name of ["sgd", "lbfgs"]) {
      const x = k.tensor([1], "grad", "double");
      const o = k.opt(name, x);
      const closure = () => { k.grad(x, [1]); return 1; };
      ${body}
      k.free();
    }`;
  const run = (source: string) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], {
      env: { ...process.env, STEPWELL_ENGINE: engine },
    });
  let printed: Promise<string> | undefined;
  /** One process makes as many as it can, since a process is slow to start. */
  const linesOf = () => {
    const bodies = Object.entries(scenes).map(
      ([what, [body]]) => `{
        const printed = [];
        const print = (...words) => printed.push(...words);
        ${body}
        const before = k.tensor(x)[0];
        k.step(o, closure);
        console.log(name, ${JSON.stringify(what)}, ...printed, k.tensor(x)[0] < before, k.handlecount());
      }`,
    );
    // It is rejected if the process ended by a signal or with a code.
    printed ??= run(program(bodies.join("\n"))).then(({ stdout }) => stdout);
    return printed.then((text) => text.trim().split("\n"));
  };

  it.each(Object.entries(scenes))("%s", async (what, [, expected]) => {
    const lines = (await linesOf()).filter((line) => line.includes(what));
    expect(lines).toEqual(["sgd", "lbfgs"].map((name) => `${name} ${what} ${expected} true 2`));
  });

  it("nothing that ends it on purpose", async () => {
    await expect(run(program("k.step(o, () => process.exit(3));"))).rejects.toMatchObject({ code: 3, signal: null });
  });
});

it("has its errors from one class", () => {
  const { o } = point("sgd", true);
  expect(thrownBy(() => k.step(o, () => undefined as never))).toBeInstanceOf(StepwellError);
});
