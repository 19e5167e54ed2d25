// Faults that are known and not mended yet. Each says what it is; with its mend it goes.

import type { Failure } from "./game.js";

/** Failures that are not told again. */
const faults: readonly (readonly [what: string, message: RegExp])[] = [
  ["what a getter or a trap of an argument throws arrives as it was thrown", /a (?:getter|trap) of the caller's/],
  ["a detached array stops the WebAssembly engine", /has stopped: .*detached ArrayBuffer/],
];

/** Exceptions out of closures that end a process of the native engine. */
export const deadlyExceptions: readonly string[] = [
  "an error that is its own cause",
  "an error with 5000 causes",
  "an object whose text throws",
];

export const isKnown = ({ message }: Failure): boolean => faults.some(([, pattern]) => pattern.test(message));
