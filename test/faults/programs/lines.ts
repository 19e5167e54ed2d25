// Lines between a program and the rig that has started it, at once and without the event loop.

import { readSync, writeSync } from "node:fs";

const byte = Buffer.alloc(1);

/** Writes a line. */
export const say = (value: unknown): void => {
  writeSync(1, `${typeof value === "string" ? value : JSON.stringify(value)}\n`);
};

/** Writes a line, as soon as writing works again. */
export function sayAtLast(value: unknown): void {
  for (;;) {
    try {
      say(value);
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

/** Waits for a line; undefined at the end of the input. */
export function hear(): string | undefined {
  const bytes: number[] = [];
  while (readSync(0, byte) === 1) {
    if (byte[0] === 10) return String.fromCharCode(...bytes);
    bytes.push(byte[0] as number);
  }
  return undefined;
}

/** The configuration that the rig has given. */
export const configured = <Config>(): Config => JSON.parse(process.argv[2] as string) as Config;
