// Invariants of every call, with any arguments.

import * as k from "@stepwell/sdk";

/** An invariant was violated. It passes through every operation, and through closures, up to the sequence. */
export class InvariantViolation extends Error {
  /** The invariant, in few words: failures of one call and one invariant are one. */
  constructor(
    readonly call: string,
    readonly invariant: string,
    details: string,
  ) {
    super(`${call}: ${invariant}: ${details}`);
  }
}

/** An exception out of a getter or a trap of the caller's. It is the caller's, and may arrive as it was thrown. */
export class CallersException extends Error {}

/** Codes that say that Stepwell has a bug. */
const bugs: readonly unknown[] = ["ERR_INTERNAL", "ERR_ENGINE_POISONED"];

/** The longest message. An input is shown in at most 200 characters, and a message shows several. */
const longestMessage = 600;

/** Signs of a mistake in a message. */
const mistakes: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["says its call twice", /^(\w+): \1\b[: ]/],
  ["tells an object as JavaScript does", /\[object \w+\]/],
  [
    "tells a value as Rust does",
    /\b(?:Some|None|Ok|Err|String|Number|Bool)\(|\bValue::|\bstd::|\{ \w+: .*\}, \.\.|\bunwrap\b/,
  ],
  ["is not in words", /^\s*$|\bundefined\b.*\bis not a function\b|Cannot read propert/],
  ["tells of a file of Rust", /\.rs:\d+/],
];

/** How an error breaks an invariant; undefined if it does not. */
export function violationOf(error: unknown): { readonly invariant: string; readonly details: string } | undefined {
  if (error instanceof CallersException) return undefined;
  if (!(error instanceof k.StepwellError)) return { invariant: "an error without a type", details: shown(error) };
  const { code, message } = error;
  if (!(k.errorCodes as readonly unknown[]).includes(code)) return { invariant: "an unknown code", details: `${code}` };
  if (bugs.includes(code)) return { invariant: code, details: message };
  return messageViolation(message);
}

/** How a message breaks an invariant; undefined if it does not. */
export function messageViolation(
  message: string,
): { readonly invariant: string; readonly details: string } | undefined {
  // Names that the caller gave are the caller's.
  const own = message.replaceAll(/"[^"]*"|`[^`]*`/g, "..");
  const mistake = mistakes.find(([, pattern]) => pattern.test(own));
  if (mistake) return { invariant: `a message that ${mistake[0]}`, details: message.slice(0, 300) };
  if (message.length <= longestMessage) return undefined;
  return { invariant: "a message of many characters", details: `${message.length}: ${message.slice(0, 300)}` };
}

/** An exception as text for a person. */
export function shown(error: unknown): string {
  try {
    return error instanceof Error ? `${error.constructor.name} ${error.message.slice(0, 300)}` : String(error);
  } catch {
    return "something that has no text";
  }
}
