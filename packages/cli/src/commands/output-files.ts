// Files that a command writes. None is also read, or written twice, and an existing one is replaced only if it is of the same kind.

import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CommandError, fileError, usageError } from "../command-error.js";
import type { NamedFile } from "../data/named-file.js";
import { kindOfTensors } from "../data/safetensors-header.js";
import { isReport } from "../observers/report.js";

/** Kinds of files, each with its name for readers and the test of an existing file. */
const kinds = {
  run: { name: "a run", is: (path: string) => kindOfTensors(path) === "run" },
  tensors: { name: "a safetensors file", is: (path: string) => kindOfTensors(path) !== undefined },
  report: { name: "a report of a training", is: (path: string) => isReport(startOf(path)) },
} as const;

/** Fails if a file that is written is also read, or written under another argument. Links to one file are that file. */
export function checkDistinct(read: readonly NamedFile[], written: readonly NamedFile[]): void {
  const files = [...read, ...written];
  const identities = files.map(({ path }) => identityOf(path));
  for (const [index, { argument, path }] of files.entries()) {
    const first = identities.indexOf(identities[index] as string);
    if (index < read.length || first === index) continue;
    throw usageError(`${argument}: ${path} is the file of ${files[first]?.argument}: expected another one`);
  }
}

function identityOf(path: string): string {
  const absolute = resolve(path);
  try {
    const found = statSync(absolute, { throwIfNoEntry: false, bigint: true });
    return found ? `${found.dev} ${found.ino}` : join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

/** Fails unless a file can be written. An existing one is an error unless it is of the same kind, and may be replaced. */
export function checkWritable(path: string, kind: keyof typeof kinds, mayReplace: boolean): void {
  checkFolder(dirname(resolve(path)));
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (found.isDirectory()) throw fileError(path, { code: "EISDIR" });
  const { name, is } = kinds[kind];
  if (!found.isFile() || !is(path)) {
    throw new CommandError("ERR_FILE", `${path}: it exists already, and is not ${name}: expected another name`);
  }
  if (!mayReplace) throw new CommandError("ERR_FILE", `${path}: it exists already: --overwrite replaces it`);
}

/** Fails unless files can be made in a folder. */
export function checkFolder(folder: string): void {
  try {
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw fileError(folder, error);
  }
}

/** The first bytes of a file as text. */
function startOf(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const bytes = Buffer.alloc(1024);
    return bytes.toString("utf8", 0, readSync(file, bytes));
  } catch (error) {
    throw fileError(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
