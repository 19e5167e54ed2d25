// The blocks of code of a page, and what they print or throw.

import { readFileSync } from "node:fs";

/** A block of code of a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
}

/** An example that runs: a block of TypeScript. */
export interface Example {
  readonly code: string;
  /** The lines that it prints: its comments `// prints: ...`, each at the end of the line that prints it, or the block `output` after it. */
  readonly prints: readonly string[];
  /** The code and the message of the error that ends it, by a comment `// throws: ...`. There, `…` stands for any text. */
  readonly throws: string | undefined;
}

/** All blocks of code of a page. */
export function blocksOf(path: string): readonly Block[] {
  return [...readFileSync(path, "utf8").matchAll(/^( *)(`{3,})(\S*)[^\n]*\n([\s\S]*?)^\1\2$/gm)].map(
    ([, , , language = "", code = ""]) => ({ language, code }),
  );
}

/** The examples of a page: its blocks of the language `ts`. */
export function examplesOf(path: string): readonly Example[] {
  const blocks = blocksOf(path);
  return blocks.flatMap(({ language, code }, index) => {
    if (language !== "ts") return [];
    const next = blocks[index + 1];
    const comments = [...code.matchAll(/\/\/ prints: (.*)/g)].map(([, line = ""]) => line);
    const prints = next?.language === "output" ? next.code.trimEnd().split("\n") : comments;
    return [{ code, prints, throws: /\/\/ throws: (.*)/.exec(code)?.[1] }];
  });
}

/** Whether an error is the one of a comment `// throws: ...`. */
export function isError(found: string, wanted: string): boolean {
  const pattern = wanted.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "s").test(found);
}
