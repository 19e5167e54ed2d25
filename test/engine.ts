// What differs between the engines, as data. Every test of contract, parity and transcript runs on each of them, and what
// this table does not name is the same.

import { createRequire } from "node:module";
import { type EngineName, engine } from "@stepwell/sdk";

interface Differences {
  /** How an optimizer can be implemented: `true` is Stepwell's own, `false` the tensor library's. */
  readonly implementations: readonly boolean[];
  /** The dtypes of 16 bits that tensors can have. */
  readonly reduced: readonly ("half" | "bfloat16")[];
  /** Whether more than one thread can be set. */
  readonly threads: boolean;
  /** Whether modules are saved to files. */
  readonly files: boolean;
  /** The largest size of a dimension that is not cut off. */
  readonly largestSize: number;
  /** The code of the binding's own error for what cannot cross. */
  readonly refusal: string;
}

const table: Readonly<Record<EngineName, Differences>> = {
  native: {
    implementations: [true, false],
    reduced: ["half", "bfloat16"],
    threads: true,
    files: true,
    largestSize: Number.MAX_SAFE_INTEGER,
    refusal: "InvalidArg",
  },
  wasm: {
    implementations: [true],
    reduced: [],
    threads: false,
    files: false,
    largestSize: 2 ** 32 - 1,
    refusal: "ERR_ARGUMENT",
  },
};

/** What is special about the engine that runs. */
export const differences = table[engine];

/** The engine itself, without the SDK around it; required, as the SDK does, so that it is the same. */
export const { binding } = createRequire(import.meta.url)(`@stepwell/${engine}`) as {
  readonly binding: { call(verb: string, args: readonly unknown[]): unknown };
};
