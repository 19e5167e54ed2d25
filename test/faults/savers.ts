// The save of the package, and savers with a planted bug that the rigs must find.

import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as k from "@stepwell/sdk";

export interface Content extends k.RunObjects {}

/** The bytes of a save, by way of a file in another folder. Its syncs do not help the saver. */
function bytesOf(content: Content): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-saver-"));
  const other = join(folder, "other");
  k.save(other, content);
  const bytes = readFileSync(other);
  rmSync(folder, { recursive: true });
  return bytes;
}

/** In bytes, 64 KiB: a planted saver writes as much at once. */
const pieceBytes = 2 ** 16;

/** Writes a scratch file, and renames it. */
function replaceBy(path: string, bytes: Buffer, sync: boolean): void {
  const scratch = `${path}.tmp`;
  const file = openSync(scratch, "w");
  writeSync(file, bytes);
  if (sync) fsyncSync(file);
  closeSync(file);
  renameSync(scratch, path);
}

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** Each saver first prepares, and returns the function that saves. */
export const savers = {
  product: (path: string, content: Content) => () => k.save(path, content),
  "in place": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => {
      const file = openSync(path, "w");
      // A save that takes some time: a kill at a random time finds it at work.
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        writeSync(file, bytes, at, Math.min(pieceBytes, bytes.length - at));
        if (at > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
      closeSync(file);
    };
  },
  "in two files": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => {
      for (const half of [path, `${path}-optimizer`]) {
        replaceBy(half, bytes, true);
        syncFolder(half);
      }
    };
  },
  "without a sync": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => replaceBy(path, bytes, false);
  },
  "without a sync of the folder": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => replaceBy(path, bytes, true);
  },
  "without removal of its scratch file": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => {
      replaceBy(path, bytes, true);
      syncFolder(path);
    };
  },
  "without a look at errors": (path: string, content: Content) => {
    const bytes = bytesOf(content);
    return () => {
      const scratch = `${path}.tmp`;
      const file = openSync(scratch, "w");
      try {
        writeSync(file, bytes);
        fsyncSync(file);
      } catch {
        // The planted bug.
      }
      closeSync(file);
      renameSync(scratch, path);
    };
  },
} as const satisfies Record<string, (path: string, content: Content) => () => unknown>;

export type Saver = keyof typeof savers;
