// Event files of TensorBoard: a TFRecord for each message `Event` of TensorFlow.

import { closeSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { CommandError, fileError } from "../command-error.js";
import { maskedCrc32c } from "./crc32c.js";
import { histogramOf } from "./histogram.js";
import { makeFolder } from "./make-folder.js";
import { bytes, double, doubles, type Field, float, integer, message, text } from "./protobuf.js";

/** How a file is begun. */
export interface EventFileOptions {
  /** The time of each event in seconds since 1970. Default: the clock. */
  readonly now?: () => number;
  /** The end of the name of the file. Default: the names of the host and of the process. */
  readonly suffix?: string;
}

/** Numbers of files that this process has begun, so that two in one second have names of their own. */
let begun = 0;

/**
 * Writes scalars, histograms and texts, which TensorBoard shows: `tensorboard --logdir FOLDER`. Each event is in the file when the
 * method returns. A step is a whole number from 0 on. An argument that cannot be written is an error with the code `ERR_ARGUMENT`.
 *
 * @example
 * ```ts
 * const file = new EventFile("runs/first");
 * file.scalar("loss", 0.25, 1);
 * file.close();
 * ```
 */
export class EventFile {
  /** The path of the file. */
  readonly path: string;
  /** The descriptor; undefined after `close`, since the system gives its number to another file. */
  #file: number | undefined;
  readonly #now: () => number;

  /** Begins a file in a folder, which is made if it is absent. */
  constructor(folder: string, options: EventFileOptions = {}) {
    checkText("folder", folder);
    this.#now = options.now ?? (() => Date.now() / 1000);
    const suffix = options.suffix ?? `${hostname()}.${process.pid}.${begun++}`;
    this.path = join(folder, `events.out.tfevents.${Math.floor(this.#now())}.${suffix}`);
    makeFolder(folder);
    try {
      this.#file = openSync(this.path, "wx");
    } catch (error) {
      throw fileError(this.path, error);
    }
    try {
      this.#write(text(3, "brain.Event:2"));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Writes a number under a name, such as `loss/training`. Names with the same part before `/` share a panel. */
  scalar(name: string, value: number, step: number): void {
    check("value", "a number", value, typeof value === "number");
    this.#summary(name, step, float(2, value));
  }

  /** Writes the distribution of numbers. Without a finite number it writes nothing. */
  histogram(name: string, values: ArrayLike<number>, step: number): void {
    check("values", "numbers", values, areNumbers(values));
    checkPlace(name, step);
    const found = histogramOf(values);
    if (!found) return;
    const { min, max, count, sum, sumOfSquares, limits, counts } = found;
    const fields = [min, max, count, sum, sumOfSquares].map((value, index) => double(index + 1, value));
    this.#summary(name, step, bytes(5, message(...fields, doubles(6, limits), doubles(7, counts))));
  }

  /** Writes a text in Markdown. */
  text(name: string, value: string, step = 0): void {
    checkText("value", value);
    const metadata = message(bytes(1, message(text(1, "text"))));
    const stringType = 7;
    const oneElement = message(bytes(2, message(integer(1, 1))));
    const tensor = message(integer(1, stringType), bytes(2, oneElement), text(8, value));
    this.#summary(name, step, bytes(9, metadata), bytes(8, tensor));
  }

  /** Ends the file. A file that is closed stays so. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }

  #summary(name: string, step: number, ...value: readonly Field[]): void {
    checkPlace(name, step);
    this.#write(integer(2, step), bytes(5, message(bytes(1, message(text(1, name), ...value)))));
  }

  /** Writes an event as a record: the length, its checksum, the bytes, their checksum. */
  #write(...fields: readonly Field[]): void {
    if (this.#file === undefined) throw new CommandError("ERR_FILE", `${this.path}: it is closed`);
    const event = message(double(1, this.#now()), ...fields);
    const record = Buffer.alloc(event.length + 16);
    record.writeBigUInt64LE(BigInt(event.length));
    record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
    record.set(event, 12);
    record.writeUInt32LE(maskedCrc32c(event), 12 + event.length);
    try {
      for (let at = 0; at < record.length; ) at += writeSync(this.#file, record, at);
    } catch (error) {
      throw fileError(this.path, error);
    }
  }
}

function check(name: string, expected: string, given: unknown, isFit: boolean): void {
  if (isFit) return;
  const shown = inspect(given, { depth: 0, maxStringLength: 80, customInspect: false });
  throw new CommandError("ERR_ARGUMENT", `event file: ${name}: expected ${expected}, given ${shown}`);
}

const checkText = (name: string, given: unknown) => check(name, "a text", given, typeof given === "string");

function checkPlace(name: string, step: number): void {
  checkText("name", name);
  check("step", "a whole number from 0 on", step, Number.isSafeInteger(step) && step >= 0);
}

function areNumbers(values: unknown): boolean {
  if (typeof values !== "object" || values === null) return false;
  const list = values as ArrayLike<unknown>;
  if (!Number.isSafeInteger(list.length)) return false;
  for (let i = 0; i < list.length; i++) if (typeof list[i] !== "number") return false;
  return true;
}
