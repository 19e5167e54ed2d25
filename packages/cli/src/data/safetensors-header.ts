// The header of a safetensors file, without its elements.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CommandError, fileError, formatError } from "../command-error.js";

/** In bytes. The header of safetensors is at most as long. */
const MAX_HEADER = 100_000_000;

/** Reads the header of a file as text, and the size of the file in bytes. */
export function readHeader(path: string): { readonly text: string; readonly bytes: number } {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw fileError(path, error);
  }
  try {
    const start = Buffer.alloc(8);
    const length = readSync(file, start) === 8 ? start.readBigUInt64LE() : 0n;
    if (length === 0n || length > MAX_HEADER) throw formatError(path, "expected a safetensors file");
    const header = Buffer.alloc(Number(length));
    if (readSync(file, header) !== header.length) throw formatError(path, "the file ends in its header");
    return { text: header.toString(), bytes: fstatSync(file).size };
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall ? fileError(path, error) : error;
  } finally {
    closeSync(file);
  }
}

/** Whether a file has the objects of a run, or tensors alone; undefined for a file that is not safetensors. */
export function kindOfTensors(path: string): "run" | "tensors" | undefined {
  try {
    const stepwell = JSON.parse(readHeader(path).text).__metadata__?.stepwell;
    const objects = stepwell === undefined ? undefined : JSON.parse(stepwell).content?.objects;
    return objects && Object.keys(objects).length > 0 ? "run" : "tensors";
  } catch (error) {
    if (error instanceof CommandError && error.code === "ERR_FILE") throw error;
    return undefined;
  }
}
