import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError, fileError } from "../command-error.js";

/**
 * Makes a folder and those around it. `mkdirSync` with `recursive` never returns where the system answers ENOENT for a folder in one
 * that exists, as in /proc.
 */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (isFolder(folder)) return;
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(folder);
    if (code === "EEXIST") throw new CommandError("ERR_FILE", `${folder}: it exists, and is not a folder`);
    if (code !== "ENOENT") throw fileError(folder, error);
    if (parent === folder || isFolder(parent)) {
      throw new CommandError("ERR_FILE", `${folder}: the system makes no folder there`);
    }
    makeFolder(parent);
    makeFolder(folder);
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
