// Functions that make layers as plain data, on the list of layers that the engine has.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** Other names of kinds, in the k-api's words. */
const otherNames = [
  ["drop", "dropout", [0.25]],
  ["embed", "embedding", [3, 2]],
  ["batchnorm1d", "batchnorm", [3]],
  ["batchnorm2d", "batchnorm", [3]],
  ["batchnorm3d", "batchnorm", [3]],
  ["instancenorm1d", "instancenorm", [3]],
  ["instancenorm2d", "instancenorm", [3]],
  ["instancenorm3d", "instancenorm", [3]],
] as const;

it.each(otherNames)("%s is a name of %s", (name, kind, options) => {
  const make = k.module as (specification: unknown) => k.ModuleHandle;
  const m = make([name, "own", ...options]);
  expect(k.objtype(m)).toBe(kind);
  const state = (word: string) => {
    k.seed(1);
    return k.state(make([word, ...options]));
  };
  const mine = state(name);
  expect(mine).toEqual(state(kind));
  expect(mine[0]?.module).toBe(kind);
  expect(k.help(name)).toEqual(k.help(kind));
  const restored = make(k.state(m));
  expect(k.state(restored)).toEqual(k.state(m));
});

it("bcelogits is a name of bcewithlogits", () => {
  const loss = k.loss("bcelogits" as k.LossName);
  expect(k.objtype(loss)).toBe("bcewithlogits");
});

it("there is a function for each kind of layer, and it makes the list that `module` takes", () => {
  // The help lists containers after the layers.
  const listed: readonly string[] = k.help("module").map(({ module }) => module);
  const kinds = listed.slice(0, listed.indexOf("sequential"));
  expect(Object.keys(k.layers)).toEqual([...kinds, ...otherNames.map(([name]) => name), "fromJSON"]);
  expect(k.layers.linear(4, 3)).toEqual(["linear", 4, 3]);
  expect(k.layers.linear("head", 4, 3, { bias: false })).toEqual(["linear", "head", 4, 3, { bias: false }]);
  expect(k.layers.relu()).toEqual(["relu"]);
  expect(Object.isFrozen(k.layers)).toBe(true);
  const m = k.module(k.seq("sequential", k.layers.linear("a", 4, 3), k.layers.relu(), k.layers.linear("b", 3, 1)));
  expect(k.parmnames(m)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias"]);
});

it("nothing that a function is given is lost", () => {
  const any = k.layers.linear as (...args: readonly unknown[]) => k.LayerSpecification;
  const code = expectError("ERR_ARGUMENT", () => k.module(any(4, 3, true, 7)));
  expect(code).toBe("module: linear: expected up to 3 positional options (inputs, outputs, bias), given 4");
});

it("a specification that a program does not state is checked by `module`", () => {
  const json: unknown = JSON.parse('{"container": "sequential", "children": [["linear", 4, 3], "relu"]}');
  expect(k.parmnames(k.module(k.layers.fromJSON(json)))).toEqual(["0.weight", "0.bias"]);
  expect(k.layers.fromJSON(json)).toBe(json);
  expectError("ERR_UNKNOWN_NAME", () => k.module(k.layers.fromJSON(["liner", 4, 3])));
  for (const given of [undefined, null, 7, true, new Map(), Symbol("relu")]) {
    expectError("ERR_ARGUMENT", () => k.layers.fromJSON(given));
  }
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  expectError("ERR_ARGUMENT", () => k.layers.fromJSON(proxy));
  expectError("ERR_ARGUMENT", () => Reflect.apply(k.layers.fromJSON, undefined, ["relu", 1]));
});
