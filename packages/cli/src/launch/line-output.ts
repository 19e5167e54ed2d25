// Lines of several programs on one output, each with a prefix.

import type { Readable } from "node:stream";
import { setImmediate, setTimeout as wait } from "node:timers/promises";
import type { OutputStream } from "../output/environment.js";

/** In bytes: a longer line is written as several, so that memory is bounded. */
const LONGEST_LINE = 1 << 20;

const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** An output that several programs write to. It waits for a slow reader, and discards everything once the reader has gone. */
export class SharedOutput {
  readonly #stream: OutputStream;
  readonly #onClose: (error: unknown) => void;
  #isClosed = false;
  #ready: Promise<void> | undefined;
  /** Ends the wait for the reader. */
  #go = () => {};

  /** An output on a stream. `onClose` is called if the stream fails. */
  constructor(stream: OutputStream, onClose: (error: unknown) => void = () => {}) {
    this.#stream = stream;
    this.#onClose = onClose;
    stream.on("error", this.#fail).on("drain", this.#drain).on("close", this.#close);
  }

  /** Writes whole lines. Resolves when the output takes more. */
  async write(lines: string | Uint8Array): Promise<void> {
    if (lines.length === 0 || this.#isClosed || this.#stream.write(lines)) return;
    this.#ready ??= new Promise((resolve) => {
      this.#go = resolve;
    });
    await this.#ready;
  }

  /** Leaves the stream. */
  release(): void {
    this.#stream.off("error", this.#fail).off("drain", this.#drain).off("close", this.#close);
  }

  readonly #drain = () => {
    this.#ready = undefined;
    this.#go();
  };

  readonly #close = () => {
    this.#isClosed = true;
    this.#drain();
  };

  readonly #fail = (error: unknown) => {
    if (this.#isClosed) return;
    this.#close();
    this.#onClose(error);
  };
}

/** In milliseconds: a program that has ended has printed everything if nothing comes for so long. */
const SILENCE = 100;

/**
 * A copy of the lines of a stream, each with a prefix, until the stream ends. Lines end with a line feed, a carriage return or both. Of
 * the stream, 64 KiB are in memory at most, and its line that has not ended.
 */
export class LineCopy {
  readonly #from: Readable;
  readonly #done: Promise<void>;
  #isOpen = true;
  #isWriting = false;
  #count = 0;

  constructor(from: Readable, to: SharedOutput, prefix: string) {
    this.#from = from;
    this.#done = this.#copy(to, new PrefixedLines(prefix)).finally(() => {
      this.#isOpen = false;
    });
  }

  /** Waits until everything is written that a program has printed which has ended. Another one may have the stream open. */
  async complete(): Promise<void> {
    while (this.#isOpen) {
      const count = this.#count;
      await Promise.race([this.#done, wait(SILENCE, undefined, { ref: false })]);
      // Node reads between timers and immediates.
      await setImmediate();
      if (this.#count === count && !this.#isWriting) break;
    }
    this.#from.destroy();
    await this.#done;
  }

  async #copy(to: SharedOutput, lines: PrefixedLines): Promise<void> {
    try {
      for await (const bytes of this.#from) {
        this.#count += 1;
        this.#isWriting = true;
        await to.write(lines.next(bytes));
        this.#isWriting = false;
      }
    } catch {
      // `complete` has destroyed the stream, or its pipe is broken.
    }
    await to.write(lines.end());
  }
}

/** Cuts bytes into lines, and puts a prefix in front of each. */
class PrefixedLines {
  readonly #prefix: Buffer;
  /** The begin of a line that has not ended. */
  #begun: Buffer[] = [];
  #length = 0;
  /** Whether the last byte was a carriage return: a line feed after it ends no other line. */
  #wasReturn = false;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that end in these bytes. */
  next(bytes: Buffer): Buffer {
    const lines: Buffer[] = [];
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      const isPair = byte === lineFeed && this.#wasReturn;
      this.#wasReturn = byte === carriageReturn;
      if (isPair) start = i + 1;
      else if (byte === lineFeed || byte === carriageReturn) {
        lines.push(...this.#line(bytes.subarray(start, i)));
        start = i + 1;
      }
    }
    this.#begun.push(bytes.subarray(start));
    this.#length += bytes.length - start;
    if (this.#length >= LONGEST_LINE) lines.push(...this.#line());
    return Buffer.concat(lines);
  }

  /** The line that has not ended, if there is one. */
  end(): Buffer {
    return Buffer.concat(this.#length === 0 ? [] : this.#line());
  }

  #line(end: Buffer = Buffer.alloc(0)): readonly Buffer[] {
    const line = [this.#prefix, ...this.#begun, end, Buffer.of(lineFeed)];
    this.#begun = [];
    this.#length = 0;
    return line;
  }
}
