// Walks through a page as a reader does: writes its programs, runs its commands, and compares what they print.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A step of a page: a program that it names before the block, or a command with the output that the page shows. */
export type Step =
  | { readonly kind: "write"; readonly file: string; readonly code: string }
  | { readonly kind: "run"; readonly command: string; readonly output: string };

/** The steps of a page, in order. */
export function stepsOf(path: string): readonly Step[] {
  const parts = [...readFileSync(path, "utf8").matchAll(/([\s\S]*?)^```(ts|sh|output)\n([\s\S]*?)^```$/gm)];
  return parts.flatMap(([, prose = "", language, code = ""], index): readonly Step[] => {
    if (language === "ts") {
      const file = [...prose.matchAll(/`(\w+\.js)`:/g)].at(-1)?.[1];
      if (file === undefined) throw new Error(`No file is named before the block: ${code}`);
      return [{ kind: "write", file, code }];
    }
    if (language === "output") return [];
    const [, , next, output = ""] = parts[index + 1] ?? [];
    return [{ kind: "run", command: code.trim(), output: next === "output" ? output : "" }];
  });
}

/** The output of a command, and the output that the page shows. */
export interface Seen {
  readonly command: string;
  readonly printed: string;
  readonly wanted: string;
}

/** Takes all steps in a folder where the package is installed. */
export function walk(steps: readonly Step[], folder: string): readonly Seen[] {
  return steps.flatMap((step) => {
    if (step.kind === "write") {
      writeFileSync(join(folder, step.file), step.code);
      return [];
    }
    const [program = "", ...args] = step.command.split(" ");
    const command = program === "node" ? process.execPath : program;
    const { stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
    return [{ command: step.command, printed: stdout + stderr, wanted: step.output }];
  });
}
