// Names are only text, and their order is the caller's, whatever JavaScript does with such keys.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const special = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then"],
  ...["0", "1", "007", "4294967295", "-1", "1e3", "length", "data", "shape", "dtype", "number", "names", "name"],
  ...[
    "a\0b",
    "\0",
    " ",
    "\n",
    "\t",
    "\u202e",
    "\u00e9",
    "e\u0301",
    "\u{1f600}",
    "\ufffd",
    "\uffff",
    "\u2028",
    '"',
    "\\",
    "/",
  ],
  "n".repeat(10_000),
];

/** A dictionary whose names are all own properties, also `__proto__`. */
const dictionary = (names: readonly string[]) =>
  k.dict(Object.fromEntries(names.map((name, i) => [name, k.tensor([i], "grad")])));

/** In the order that JavaScript gives them. */
const ordered = (names: readonly string[]) => Object.keys(Object.fromEntries(names.map((name) => [name, 0])));

const values = (m: k.ModuleHandle) => k.parmnames(m).map((name) => k.tensor(k.parm(m, name)));

describe.each(special.map((name) => [JSON.stringify(name).slice(0, 40), name]))("the name %s", (_, name) => {
  it("of a parameter goes through its optimizer, its state and back", () => {
    const d = dictionary(["first", name, "last"]);
    const o = k.opt("adam", d);
    for (const parameter of k.parmnames(k.module(o))) k.grad(k.parm(k.module(o), parameter), [1]);
    k.step(o);
    const m = k.module(o);
    const names = ordered(["first", name, "last"]);
    expect(k.opt(o).parms.map((row) => row.name)).toEqual(names);
    for (const copy of [
      (state: unknown) => state,
      structuredClone,
      (state: unknown) => JSON.parse(JSON.stringify(state)),
    ]) {
      const restored = k.module(copy(k.state(m)) as k.ModuleState);
      expect(k.parmnames(restored)).toEqual(names);
      expect(values(restored)).toEqual(values(m));
      const other = k.opt(copy(k.state(o)) as k.State, restored);
      expect(k.state(other).parms.map(({ pointer, ...row }) => row)).toEqual(
        k.state(o).parms.map(({ pointer, ...row }) => row),
      );
    }
    expect(Object.prototype).not.toHaveProperty("data");
  });

  it("of a module does too", () => {
    const m = k.module(k.seq("sequential", ["linear", name, 1, 1]));
    expect(k.parmnames(m)).toEqual([`${name}.weight`, `${name}.bias`]);
    const restored = k.module(structuredClone(k.state(m)));
    expect(k.parmnames(restored)).toEqual(k.parmnames(m));
    expect(k.size(k.parm(restored, `${name}.weight`))).toEqual([1, 1]);
    expect(k.size(k.child(restored, name))).toBe(2);
  });
});

it("of parameters keep their order where JavaScript would sort them", () => {
  const o = k.opt("sgd", k.dict({ b: k.tensor([1, 2], "grad"), a: k.tensor([3], "grad") }));
  k.opt(o, k.vector(k.tensor([5], "grad"), k.tensor([6], "grad")));
  const m = k.module(o);
  expect(k.parmnames(m)).toEqual(["b", "a", "2", "3"]);
  expect(k.opt(o).parms.map((row) => row.name)).toEqual(["b", "a", "2", "3"]);
  for (const copy of [structuredClone, (state: unknown) => JSON.parse(JSON.stringify(state))]) {
    const restored = k.module(copy(k.state(m)) as k.ModuleState);
    expect(k.parmnames(restored)).toEqual(["b", "a", "2", "3"]);
    expect(values(restored)).toEqual([[1, 2], [3], [5], [6]]);
    expect(k.opt(k.opt("sgd", restored)).parms.map((row) => row.name)).toEqual(["b", "a", "2", "3"]);
    expect(k.opt(k.opt(copy(k.state(o)) as k.State, restored)).parms.map((row) => row.name)).toEqual([
      "b",
      "a",
      "2",
      "3",
    ]);
  }
});

describe("the names of a module's state", () => {
  const rows = () => {
    const o = k.opt("sgd", k.dict({ b: k.tensor([1], "grad"), a: k.tensor([2], "grad") }));
    return structuredClone(k.state(k.module(o))) as unknown as [Record<string, unknown>];
  };

  it("may be missing, as in a state of before, and then the dictionary's order counts", () => {
    const [{ names, ...row }] = rows();
    expect(names).toEqual(["b", "a"]);
    expect(k.parmnames(k.module([row] as never))).toEqual(["b", "a"]);
  });

  it("can be another order", () => {
    const [row] = rows();
    expect(k.parmnames(k.module([{ ...row, names: ["a", "b"] }] as never))).toEqual(["a", "b"]);
  });

  it("name each tensor once", () => {
    const [row] = rows();
    const wrong = [[], ["a"], ["a", "a"], ["a", "b", "b"], ["a", "b", "c"], ["a", "c"], "ab", 7, [1, 2], { a: 0 }];
    for (const names of wrong) expectError("ERR_FORMAT", () => k.module([{ ...row, names }] as never));
  });
});

it("that have no form in Unicode are refused, so that none becomes another", () => {
  for (const half of ["\ud800", "\udfff", "a\ud83d", "\ude00b", "\ud800\ud800"]) {
    expectError("ERR_ARGUMENT", () => k.dict({ [half]: [1] }));
    expectError("ERR_ARGUMENT", () => k.module(k.seq("sequential", ["linear", half, 1, 1])));
    expectError("ERR_ARGUMENT", () => k.parm(k.module(["linear", 1, 1]), half));
    expectError("ERR_ARGUMENT", () => k.save(k.module(["linear", 1, 1]), half));
  }
});

it("of many parameters are restored in time that grows as they do", () => {
  const names = Array.from({ length: 3000 }, (_, i) => `parameter ${i}`);
  const state = k.state(k.module(k.opt("sgd", dictionary(names))));
  const restored = k.module([{ ...state[0], names: names.toReversed() }] as never);
  expect(k.parmnames(restored)).toEqual(names.toReversed());
});
