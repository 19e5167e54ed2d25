// Lists as arguments: proxies, holes, shared elements, lists that hold themselves.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { call, foreign } from "./untyped.js";

afterEach(() => k.free());

describe("lists", () => {
  const numbers = (given: unknown) => k.tensor(call("tensor", given) as k.TensorHandle);

  it("are copied: proxies, subclasses, lists of other realms", () => {
    class Sub extends Array<number> {}
    const list = [1, 2];
    const deep = new Proxy([new Proxy([1, 2], {})], {});
    expect(numbers(new Proxy(list, {}))).toEqual([1, 2]);
    expect(numbers(deep)).toEqual([[1, 2]]);
    expect(numbers(Sub.from(list))).toEqual([1, 2]);
    expect(numbers(foreign("[1, [2][0]]"))).toEqual([1, 2]);
    expect(numbers(foreign("[[1, 2], [3, 4]]"))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const o = call("opt", "sgd", [], new Proxy(["lr", 0.5], {})) as k.OptimizerHandle;
    expect(k.lr(o)).toEqual([0.5]);
    // Each element is read once.
    let reads = 0;
    const counted = Object.defineProperty([0, 2], 0, { get: () => ++reads });
    expect(numbers(counted)).toEqual([1, 2]);
  });

  it("have no holes and no end that they do not have", () => {
    // biome-ignore lint/suspicious/noSparseArray: this is the tested value
    expectError("ERR_ARGUMENT", () => numbers([1, , 3]));
    for (const length of [1, 2 ** 20, 2 ** 26, 2 ** 32 - 1]) {
      const sparse: number[] = [];
      sparse.length = length;
      expectError("ERR_ARGUMENT", () => numbers(sparse));
      expectError("ERR_ARGUMENT", () => numbers([[sparse]]));
    }
    const lying = new Proxy([], { get: (target, key) => (key === "length" ? 2 ** 53 : Reflect.get(target, key)) });
    expectError("ERR_ARGUMENT", () => numbers(lying));
  });

  it("that share their elements are counted as often as they stand there", () => {
    for (const leaf of [1, "x", {}, Number.NaN]) {
      let shared: unknown = [leaf];
      for (let i = 0; i < 30; i++) shared = [shared, shared];
      expectError("ERR_ARGUMENT", () => numbers(shared));
      let keyed: unknown = { a: leaf };
      for (let i = 0; i < 30; i++) keyed = { a: keyed, b: keyed };
      expectError("ERR_ARGUMENT", () => call("dict", keyed));
    }
    const row = Array<number>(1000).fill(1);
    const table = Array<number[]>(1000).fill(row);
    expect(k.size(k.tensor(table))).toEqual([1000, 1000]);
    // More than other values may be.
    expect(k.size(k.tensor(Array<number[][]>(20).fill(table)))).toEqual([20, 1000, 1000]);
    expectError("ERR_ARGUMENT", () => numbers([...Array<unknown>(20).fill(table), "x"]));
    expectError("ERR_ARGUMENT", () => numbers(Array(135).fill(table)));
  });

  it("that hold themselves are refused", () => {
    const one: unknown[] = [];
    one.push(one);
    const two: unknown[] = [1];
    two.push([two, two], { two });
    const keyed: Record<string, unknown> = { lr: 0.5 };
    keyed.self = keyed;
    for (const endless of [one, two, keyed]) {
      expectError("ERR_ARGUMENT", () => numbers(endless));
      expectError("ERR_ARGUMENT", () => call("opt", "adam", [], endless));
      expectError("ERR_ARGUMENT", () => call("module", endless));
    }
  });
});

it("a list whose proxy gives another length is refused, and so is a revoked proxy", () => {
  const list = (length: unknown, target: unknown[] = [1, 2]) =>
    new Proxy(target, { get: (of, key) => (key === "length" ? length : Reflect.get(of, key)) });
  const o = k.opt("sgd", k.tensor([1], "grad"));
  const handles = k.handlecount();
  for (const length of [-1, 1.5, "2", Number.NaN, Infinity, null, undefined, 2 ** 53, {}]) {
    for (const given of [list(length), [list(length)], list(length, [[1], [2]])]) {
      expectError("ERR_ARGUMENT", () => call("tensor", given));
      expectError("ERR_ARGUMENT", () => call("lr", o, given));
    }
  }
  for (const target of [{}, [1], o, new Float32Array(1)]) {
    const { proxy, revoke } = Proxy.revocable(target, {});
    revoke();
    for (const given of [proxy, [proxy], { data: proxy, shape: [1] }]) {
      for (const [command, ...args] of [["tensor"], ["lr", o], ["size"], ["opt"], ["step", o], ["dict"]] as const) {
        expectError("ERR_ARGUMENT", () => call(command, ...args, given));
      }
    }
  }
  expect(k.handlecount()).toBe(handles);
  expect(k.tensor(call("tensor", list(2)) as k.TensorHandle)).toEqual([1, 2]);
});
