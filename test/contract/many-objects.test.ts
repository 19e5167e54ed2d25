// A hundred thousand names, layers or handles in one object, and containers within containers.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

describe("many of something", () => {
  const count = 100_000;
  const names = Array.from({ length: count }, (_, i) => `p${i}`);

  it("a dictionary of parameters is trained, told of, restored and selected from", () => {
    const d = k.dict(Object.fromEntries(names.map((name) => [name, 1])));
    k.gradflag(d, true);
    const o = k.opt("sgd", [d, names.toReversed?.() ?? [...names].reverse()], 0.5);
    expect(k.opt(o).parms.at(-1)?.name).toBe("p0");
    const m = k.module(o);
    expect(k.parmnames(m).length).toBe(count);
    const saved = k.state(o);
    expect(k.state(k.opt(saved, m)).parms.map((row) => row.name)).toEqual(saved.parms.map((row) => row.name));
    expect(k.size(k.opt("adam", [m, names]))).toBe(count);
    expectError("ERR_PARAMETER", () => k.opt("adam", [d, [...names, "p5"]]));
    expectError("ERR_PARAMETER", () => k.opt("adam", [d, [...names, "q"]]));
    expect(k.size(k.parms(m))).toBe(count);
    expect(k.parmnames(k.module(k.state(m))).length).toBe(count);
  });

  it("a sequential of layers is made, named, run, told of and restored", () => {
    const m = k.module(k.seq("sequential", ...names.map((name) => ["relu", name] as const)));
    expect(k.names(m)).toEqual(names);
    expect(k.childnames(m)).toEqual(names);
    expect(k.tensor(k.evaluate(m, [-1, 2]))).toEqual([0, 2]);
    expect(k.names(k.module(k.state(m)))).toEqual(names);
    expect(k.classof(k.child(m, "p99999"))).toBe("module");
    expectError("ERR_ARGUMENT", () =>
      k.module(k.seq("sequential", ...[...names, "p7"].map((n) => ["relu", n] as const))),
    );
  });

  it("handles are freed together", () => {
    const before = k.handlecount();
    // More arguments do not fit on the stack.
    const handles = names.slice(0, 20_000).map(() => k.loss("mse"));
    expectError("ERR_HANDLE_FREED", () => k.free(...handles, handles[7] as k.LossHandle));
    expect(k.handlecount()).toBe(before + handles.length);
    k.free(...handles);
    expect(k.handlecount()).toBe(before);
  });
});

it("containers that optimizers make are nested and shared no further than modules may be", () => {
  let m = k.module("relu");
  const deeper = () => {
    const o = k.opt("sgd", m);
    k.opt(o, 0, k.module("relu"));
    return k.module(o);
  };
  let depth = 0;
  expectError("ERR_ARGUMENT", () => {
    for (; depth < 200; depth++) m = deeper();
  });
  expect(depth).toBe(128);
  expect(k.names(k.module(k.state(m)))).toEqual(k.names(m));
  expect(k.size(m)).toBe(0);

  // Two containers that hold the same module, in one container, and so on: twice as many modules with each.
  let shared = k.module("relu");
  const holding = (...modules: readonly k.ModuleHandle[]) => {
    const o = k.opt("sgd");
    for (const module of modules) k.opt(o, 0, [module, [] as string[]]);
    return k.module(o);
  };
  let rounds = 0;
  expectError("ERR_ARGUMENT", () => {
    for (; rounds < 60; rounds++) {
      const [a, b] = [k.module("relu"), k.module("relu")].map((other) => holding(shared, other));
      shared = holding(a as k.ModuleHandle, b as k.ModuleHandle);
    }
  });
  expect(rounds).toBeLessThan(30);
});
