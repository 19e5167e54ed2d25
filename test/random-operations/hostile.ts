// Values that a caller gives by mistake or in malice.

import * as k from "@stepwell/sdk";
import { CallersException } from "./invariants.js";
import type { Random } from "./random.js";
import { words } from "./values.js";
import type { World } from "./world.js";

class Point {
  readonly x = 1;
  readonly lr = 0.1;
}

const cyclic = (): unknown => {
  const list: unknown[] = [1];
  list.push(list);
  return list;
};

const detached = (): unknown => {
  const array = Float32Array.of(1, 2, 3);
  structuredClone(array, { transfer: [array.buffer] });
  return array;
};

/** A list nested so deep. */
export function deep(levels: number): unknown {
  let list: unknown = 1;
  for (let i = 0; i < levels; i++) list = [list];
  return list;
}

/** 31 lists, and more than a billion leaves. */
function shared(): unknown {
  let list: unknown = [1, 2];
  for (let i = 0; i < 30; i++) list = [list, list];
  return list;
}

const throwingGetter = (): unknown =>
  Object.defineProperty({}, "lr", {
    enumerable: true,
    get: () => {
      throw new CallersException("a getter of the caller's");
    },
  });

const throwingProxy = (target: object): unknown =>
  new Proxy(target, {
    get: () => {
      throw new CallersException("a trap of the caller's");
    },
    ownKeys: () => {
      throw new CallersException("a trap of the caller's");
    },
  });

/** Makers of values by name, as a replay prints them. */
export const hostileValues: Readonly<Record<string, (random: Random) => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  flag: (random) => random.chance(0.5),
  "a number that is odd": (random) =>
    random.pick([Number.NaN, Number.POSITIVE_INFINITY, -0, -1, 1.5, 0.1, 1e308, 1e-320, 2 ** 53, -(2 ** 63), 2 ** 64]),
  "a small number": (random) => random.int(6) - 1,
  bigint: (random) => random.pick([0n, 7n, -(2n ** 70n), 2n ** 40n]),
  symbol: (random) => random.pick([Symbol("x"), Symbol.iterator]),
  function: () => () => 1,
  "async function": () => async () => 1,
  word: (random) => random.pick(words),
  "a string that is odd": (random) =>
    random.pick(["", "\0", "\ud800", "__proto__", "constructor", "a.", "é".repeat(300)]),
  "a long string": () => "x".repeat(1e5),
  list: (random) => random.list(random.int(4), () => random.number()),
  "a list of words": (random) => random.list(1 + random.int(3), () => random.pick(words)),
  "a ragged list": () => [[1, 2], [3]],
  "a list that contains itself": cyclic,
  "a list of 70 levels": () => deep(70),
  "a list of 400 levels": () => deep(400),
  "a list of 2^26 holes": () => Object.assign([], { length: 2 ** 26 }),
  "lists that share their children": shared,
  "a sparse list": () => Object.assign([], { length: 4, 1: 1 }),
  "a list with a key": () => Object.assign([1, 2], { x: 1 }),
  "a long list": (random) => random.list(1000, () => random.number()),
  "a list of long strings": () => Array(30).fill("y".repeat(1000)),
  "a list of NaN": () => [Number.NaN, Number.POSITIVE_INFINITY],
  "a shape of 70": () => Array(70).fill(1),
  "an absurd shape": (random) => random.pick([[2 ** 31, 2 ** 31], [2 ** 40], [2 ** 53, 0], [-1], [1.5], [2 ** 64, 2]]),
  "a frozen list": () => Object.freeze([1, Object.freeze([2])]),
  Float32Array: (random) => Float32Array.from({ length: random.int(4) }, () => random.number()),
  Float64Array: (random) => Float64Array.from({ length: random.int(4) }, () => random.number()),
  BigInt64Array: () => BigInt64Array.of(0n, 1n, -(2n ** 63n)),
  BigUint64Array: () => BigUint64Array.of(2n ** 64n - 1n),
  Uint8ClampedArray: () => Uint8ClampedArray.of(0, 255),
  DataView: () => new DataView(new ArrayBuffer(8)),
  ArrayBuffer: () => new ArrayBuffer(8),
  "a view of shared memory": () => new Float32Array(new SharedArrayBuffer(8)),
  "a detached array": detached,
  "an array that lies of its length": () => Object.defineProperty(Float32Array.of(1, 2), "length", { value: 1e9 }),
  "an array that lies of its kind": () =>
    Object.defineProperty(Float32Array.of(1, 2), Symbol.toStringTag, { value: "Float64Array" }),
  Map: () => new Map([["lr", 0.1]]),
  Set: () => new Set([1]),
  Date: () => new Date(0),
  RegExp: () => /x/,
  Promise: () => Promise.resolve(1),
  Error: () => new Error("an error as an argument"),
  "an instance of a class": () => new Point(),
  "an object without a prototype": () => Object.assign(Object.create(null), { lr: 0.1 }),
  "an object with inherited keys": () => Object.create({ lr: 0.1 }),
  "an object with a key __proto__": () => JSON.parse('{ "__proto__": { "lr": 1 }, "lr": 0.1 }'),
  "an object with many keys": () => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`option${i}`, i])),
  "an object with a long key": () => ({ ["k".repeat(5000)]: 1 }),
  "an object with undefined": () => ({ lr: undefined, dtype: undefined }),
  "an object with numeric keys": () => ({ 2: 1, 1: 2 }),
  "a frozen object": () => Object.freeze({ lr: 0.1 }),
  "an object whose getter throws": throwingGetter,
  "a proxy of a list": () => new Proxy([1, 2], {}),
  "a proxy of an object": () => new Proxy({ lr: 0.1 }, {}),
  "a proxy that throws": () => throwingProxy({ lr: 1 }),
  "a proxy of a list that throws": () => throwingProxy([1]),
  "what looks like a handle": () => Object.create(k.Handle.prototype),
};

const names = Object.keys(hostileValues);

/** The names of makers by what they made, for a program that a person reads. */
const madeBy = new WeakMap<object, string>();

/** The name of a hostile value whose own text would not identify it. */
export const hostileName = (value: object): string | undefined => madeBy.get(value);

function make(random: Random): unknown {
  const name = random.pick(names);
  const value = hostileValues[name]?.(random);
  if ((typeof value === "object" && value !== null) || typeof value === "function") madeBy.set(value, name);
  return value;
}

/** A value of any kind: a living handle, a freed one, or a hostile value. */
export function hostileValue(world: World, depth = 0): unknown {
  const { random, shadow } = world;
  const roll = random.next();
  if (roll < 0.35 && shadow.count > 0) return random.pick(shadow.live).handle;
  if (roll < 0.4 && shadow.freed.length > 0) return random.pick(shadow.freed).handle;
  if (depth < 2) {
    if (roll < 0.45) return random.list(random.int(4), () => hostileValue(world, depth + 1));
    if (roll < 0.5) {
      return Object.fromEntries(random.list(random.int(4), () => [random.pick(words), hostileValue(world, depth + 1)]));
    }
    if (roll < 0.52)
      return new Proxy(
        random.list(random.int(3), () => hostileValue(world, depth + 1)),
        {},
      );
    if (roll < 0.53 && shadow.count > 0) {
      const proxy = new Proxy(random.pick(shadow.live).handle, {});
      madeBy.set(proxy, "a proxy of a handle");
      return proxy;
    }
    if (roll < 0.56 && shadow.count > 0) return { handle: random.pick(shadow.live).handle };
  }
  return make(random);
}
