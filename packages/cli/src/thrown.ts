// Values that code of others has thrown. Any value may be thrown, and some throw again when they are read.

import { inspect } from "node:util";

/** A property of a thrown value; undefined if it has none, or if reading it throws. */
export function thrownProperty(thrown: unknown, name: string): unknown {
  try {
    return Object(thrown)[name];
  } catch {
    return undefined;
  }
}

/** The message of a thrown value; of one without a message, the value as a text. */
export function thrownText(thrown: unknown): string {
  const text = typeof thrown === "string" ? thrown : thrownProperty(thrown, "message");
  if (typeof text === "string" && text !== "") return text;
  try {
    return inspect(thrown, { depth: 0, customInspect: false, maxStringLength: 200 });
  } catch {
    return "a value that cannot be shown";
  }
}

/** Whether a thrown value is of a class. */
export function isThrown<Kind>(thrown: unknown, kind: abstract new (...args: never) => Kind): thrown is Kind {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}
