import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { runInThisContext } from "node:vm";
import * as k from "@stepwell/sdk/wasm";
import { afterEach, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";
import { stopAtOnce } from "./stop-at-once.js";

afterEach(() => k.reset());

/** Stops the engine, and expects that it says so. */
function stop() {
  stopAtOnce(k);
  expect(expectError("ERR_ENGINE_POISONED", () => k.handlecount())).toContain("stopped by a test");
}

it("an engine that has stopped takes no more calls, until it is reset", () => {
  k.seed(3);
  const before = k.randperm(5);
  const x = k.tensor([1, 2], "grad");
  stop();
  for (const call of [() => k.tensor(x), () => k.tensor([1]), () => k.free(), () => k.step(k.opt("sgd", x))]) {
    expect(expectError("ERR_ENGINE_POISONED", call)).toMatch(/has stopped: stopped by a test.*reset\(\) makes a fresh/);
  }
  // Printing never throws.
  expect(inspect([x])).toBe("[ Tensor (lost: its engine has stopped, and reset() starts another) ]");

  k.reset();
  expect(k.handlecount()).toBe(0);
  // A handle of before is invalid, even if a new object has its number.
  const y = k.tensor([3, 4], "grad");
  expectError("ERR_HANDLE_INVALID", () => k.tensor(x));
  expect(String(x)).toBe("Tensor (of an engine that reset() has replaced)");
  expect(String(y)).toBe("Tensor float [2] cpu grad [3, 4]");
  expect(k.tensor(y)).toEqual([3, 4]);
  k.seed(3);
  expect(k.randperm(5)).toEqual(before);
});

it("an engine that stops in a closure ends the step, and is reset after it", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("lbfgs", x);
  const closure = () => {
    stop();
    expect(expectError("ERR_ARGUMENT", () => k.reset())).toContain("closure");
    return 0;
  };
  expectError("ERR_ENGINE_POISONED", () => k.step(o, closure));
  expectError("ERR_ENGINE_POISONED", () => k.handlecount());
  k.reset();
  expect(k.tensor(k.tensor([5]))).toEqual([5]);
});

it("calls at the end of the stack throw, and the engine lives", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("sgd", x);
  const m = k.module(["linear", 2, 2]);
  const nested: k.TensorData = JSON.parse(`${"[".repeat(50)}5${"]".repeat(50)}`);
  const calls = [
    () => k.handlecount(),
    () => k.help("lamb"),
    () => k.tensor(nested),
    () => k.free(k.forward(m, k.full([1, 2], 0))),
    () => k.step(o, () => k.handlecount()),
    () => k.state(o),
  ];
  const codes = new Map<string, number>();
  for (const call of calls) {
    let levels = 0;
    const dive = () => {
      try {
        dive();
      } finally {
        // The levels that are left free more stack each, until there is enough.
        if (levels++ < 4000) {
          try {
            call();
          } catch (error) {
            const code = (error as { code?: string }).code ?? String(error);
            codes.set(code, (codes.get(code) ?? 0) + 1);
          }
        }
      }
    };
    expect(dive).toThrow(RangeError);
    expect(levels).toBeGreaterThan(4000);
  }
  expect(codes.get("ERR_MEMORY")).toBeGreaterThan(calls.length);
  expect([...codes.keys()].filter((code) => !/^ERR_MEMORY$|Maximum call stack/.test(code))).toEqual([]);
  expect(k.tensor(x)).toEqual([1, 2]);
});

/** Runs code that does not end, and interrupts it: no `finally` and no `catch` of the library runs then. */
function interrupt(code: string) {
  const timeout = 40;
  Object.assign(globalThis, { k });
  expect(() => runInThisContext(code, { timeout })).toThrow("timed out");
}

it("a call that is interrupted stops the engine, and reset makes a new one", () => {
  interrupt("const m = k.module(['linear', 300, 300]); for (;;) k.free(k.forward(m, k.full([300, 300], 1)));");
  try {
    // The interruption may also come between two calls, which leaves the engine as it was.
    expect(k.tensor(k.tensor([1]))).toEqual([1]);
  } catch (error) {
    expect(String(error)).toContain("has stopped: a call was interrupted");
  }
  k.reset();
  expect(k.tensor(k.tensor([1]))).toEqual([1]);
});

it("a closure that is interrupted stops the engine at the end of the turn", async () => {
  interrupt("const o = k.opt('sgd', k.tensor([1], 'grad')); k.step(o, () => { for (;;); });");
  // The engine cannot know yet that the closure is over.
  expectError("ERR_ARGUMENT", () => k.reset());
  await Promise.resolve();
  expect(expectError("ERR_ENGINE_POISONED", () => k.tensor([1]))).toContain("a call was interrupted");
  k.reset();
  const x = k.tensor([1], "grad");
  expect(k.step(k.opt("sgd", x), () => 2)).toBe(2);
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

it("handles of an engine that has stopped never mean anything again", async () => {
  const old: k.TensorHandle[] = [];
  // Their numbers repeat after 1024 engines.
  for (let i = 0; i < 1030; i++) {
    if (i < 3) old.push(k.tensor(-1));
    stop();
    k.reset();
  }
  const fresh = Array.from({ length: 5 }, (_, i) => k.tensor(i));
  for (let i = 0; i < 1030; i++) {
    for (const x of old) {
      expectError("ERR_HANDLE_INVALID", () => k.tensor(x));
      expectError("ERR_HANDLE_INVALID", () => k.free(x));
    }
    stop();
    k.reset();
    if (i % 100 === 0) fresh[0] = k.tensor(0);
    else k.tensor(7);
    if (i % 100 === 0) expect(k.tensor(fresh[0] as k.TensorHandle)).toBe(0);
  }
  old.length = 0;
  const live = k.tensor(3);
  const before = k.handlecount();
  for (let round = 0; round < 10; round++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(k.tensor(live)).toBe(3);
  expect(k.handlecount()).toBeLessThanOrEqual(before);
});

it("objects can be disposed of after the engine has stopped, and after it was replaced", () => {
  const objects = [k.Tensor.of([1]), k.Module.of(["linear", 1, 1])];
  stop();
  for (const object of objects) object[Symbol.dispose]();
  k.reset();
  k.tensor(1);
  for (const object of objects) object[Symbol.dispose]();
  expect(k.handlecount()).toBe(1);
});

it("ready says that the engine has stopped", async () => {
  await k.ready();
  stop();
  await expect(k.ready()).rejects.toMatchObject({ code: "ERR_ENGINE_POISONED" });
  k.reset();
  await k.ready();
});

it("another copy of the SDK on the same module has its own objects, and loses them with the engine", async () => {
  // Next to the entry, so that both share the folders from which it imports.
  const entry = dirname(createRequire(import.meta.url).resolve("@stepwell/sdk/wasm"));
  const copy = mkdtempSync(`${entry}-`);
  cpSync(entry, copy, { recursive: true });
  const other: typeof k = await import(pathToFileURL(join(copy, "wasm.js")).href);
  rmSync(copy, { recursive: true });
  const x = k.tensor(1);
  const y = other.tensor(2);
  expect([k.handlecount(), other.handlecount()]).toEqual([1, 1]);
  expectError("ERR_HANDLE_INVALID", () => other.tensor(x));
  other.free();
  expect(k.tensor(x)).toBe(1);
  expectError("ERR_HANDLE_FREED", () => other.tensor(y));

  stop();
  expectError("ERR_ENGINE_POISONED", () => other.handlecount());
  k.reset();
  expect(expectError("ERR_ENGINE_POISONED", () => other.handlecount())).toContain("stopped by a test");
  other.reset();
  expect(other.tensor(other.tensor(4))).toBe(4);
  expect([k.handlecount(), other.handlecount()]).toEqual([0, 1]);
});
