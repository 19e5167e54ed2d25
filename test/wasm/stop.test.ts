import * as k from "@stepwell/sdk/wasm";
import { afterEach, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";

afterEach(() => k.reset());

/** Calls from ever deeper in the stack, until it ends. */
function exhaustStack(depth: number) {
  try {
    if (depth <= 0) k.help("lamb");
    exhaustStack(depth - 1);
  } catch {
    // The stack has no room for more here either.
  }
}

/** Has the stack end inside the module, and not in the SDK, which would do no harm. */
function stopEngine() {
  for (let depth = 0; depth < 1000; depth++) {
    exhaustStack(depth);
    try {
      k.handlecount();
    } catch {
      return;
    }
  }
  expect.fail("the stack never ended inside the module");
}

it("an engine that has run out of stack takes no more calls, until it is reset", () => {
  k.seed(3);
  const before = k.randperm(5);
  const x = k.tensor([1, 2], "grad");
  stopEngine();
  for (const call of [() => k.tensor(x), () => k.tensor([1]), () => k.free(), () => k.step(k.opt("sgd", x))]) {
    expect(expectError("ERR_ENGINE_POISONED", call)).toMatch(
      /has stopped: Maximum call stack.*reset\(\) makes a fresh/,
    );
  }

  k.reset();
  expect(k.handlecount()).toBe(0);
  // What was made before is no handle any more, not even where a new object has its place.
  const y = k.tensor([3, 4], "grad");
  expectError("ERR_HANDLE_INVALID", () => k.tensor(x));
  expect(k.tensor(y)).toEqual([3, 4]);
  k.seed(3);
  expect(k.randperm(5)).toEqual(before);
});

it("an engine that stops in a closure ends the step, and is reset after it", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("lbfgs", x);
  const closure = () => {
    stopEngine();
    expect(expectError("ERR_ARGUMENT", () => k.reset())).toContain("closure");
    return 0;
  };
  expectError("ERR_ENGINE_POISONED", () => k.step(o, closure));
  expectError("ERR_ENGINE_POISONED", () => k.handlecount());
  k.reset();
  expect(k.tensor(k.tensor([5]))).toEqual([5]);
});

it("reset frees everything and restores the seed and the settings", () => {
  k.reset();
  const [first, second] = [k.randperm(8), k.randperm(8)];
  expect(first).not.toEqual(second);
  k.setting("alloptions", false);
  const x = k.tensor([1]);
  k.reset();
  expect(k.handlecount()).toBe(0);
  expect(k.setting("alloptions")).toBe(true);
  expect(k.randperm(8)).toEqual(first);
  expectError("ERR_HANDLE_FREED", () => k.tensor(x));
});
