// Compiles and runs examples. Each has a thread and a copy of the package of its own, so that none sees another's objects.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import type { Example } from "./examples.js";

const root = join(import.meta.dirname, "..", "..");

/** The lines that a program printed, and the error that ended it, as `CODE: message`. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly error: string | undefined;
}

/** A folder in the test package, where examples find the SDK as a user's project does. */
export function exampleFolder(): string {
  return mkdtempSync(join(root, "test", "dist-examples-"));
}

/** Writes the examples into a folder as modules of TypeScript, and compiles them all at once. Returns the compiled files. */
export function compiled(folder: string, examples: readonly Example[]): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const files = examples.map(({ code }, index) => {
    const file = join(folder, `example-${index}.mts`);
    writeFileSync(file, code);
    return file;
  });
  const options = ["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "--skipLibCheck"];
  const tsc = join(root, "node_modules", ".bin", "tsc");
  execFileSync(tsc, [...options, "--lib", "es2023,esnext.disposable", "--ignoreConfig", ...files], {
    encoding: "utf8",
  });
  return files.map((file) => file.replace(/\.mts$/, ".mjs"));
}

/** Runs a module in a thread, whose current folder is the one of the process. */
export async function outcomeOf(file: string): Promise<Outcome> {
  const worker = new Worker(file, { stdout: true, stderr: true });
  let error: string | undefined;
  worker.on("error", (thrown: Error & { code?: string }) => {
    error = `${thrown.code ?? thrown.name}: ${thrown.message}`;
  });
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  const [out] = await Promise.all([text(worker.stdout), ended]);
  return { lines: out === "" ? [] : out.trimEnd().split("\n"), error };
}

/** Removes the folder of examples. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
