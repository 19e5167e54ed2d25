// Values of every kind, for a closure to throw.

import * as k from "@stepwell/sdk";
import { expect } from "vitest";

/** The exception of `call`, of any type. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return expect.fail("nothing was thrown");
}

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
export const own = <Value extends object>(value: Value, name: string) => Object.assign(value, { [name]: value });
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
export const thrown: { readonly [what: string]: () => unknown } = {
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
