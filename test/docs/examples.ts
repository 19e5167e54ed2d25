// The examples of a page, and the lines that they print.

import { readFileSync } from "node:fs";

/** An example; `prints` are its comments `// prints: ...`, each at the end of the line that prints it. */
export interface Example {
  readonly code: string;
  readonly prints: readonly string[];
}

/** The TypeScript blocks of a page. */
export function examplesOf(path: string): readonly Example[] {
  return [...readFileSync(path, "utf8").matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => ({
    code,
    prints: [...code.matchAll(/\/\/ prints: (.*)/g)].map(([, line = ""]) => line),
  }));
}
