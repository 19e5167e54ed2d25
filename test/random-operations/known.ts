// Faults that are known and not mended yet. Each says what it is; with its mend it goes.

import type { Failure } from "./game.js";

/** Failures that are not told again. */
const faults: readonly (readonly [what: string, message: RegExp])[] = [
  ["what a getter or a trap of an argument throws arrives as it was thrown", /a (?:getter|trap) of the caller's/],
  ["a detached array stops the WebAssembly engine", /has stopped: .*detached ArrayBuffer/],
];

/** Names of what is left out, since it ends a process or takes for ever. */
const deadly = new Set([...["a list of 2^26 holes", "lists that share their children", "a tensor of 2^28 empty rows"]]);

/** Of these names, those that are not left out. */
export const alive = (names: readonly string[]): readonly string[] => names.filter((name) => !deadly.has(name));

export const isKnown = ({ message }: Failure): boolean => faults.some(([, pattern]) => pattern.test(message));
