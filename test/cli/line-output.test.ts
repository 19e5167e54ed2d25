// Lines of several programs on one output.

import { Readable, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { LineCopy, SharedOutput } from "../../packages/cli/dist/launch/line-output.js";

/** Lets all streams do what they can do. */
async function settle(): Promise<void> {
  for (let i = 0; i < 1000; i++) await setImmediate();
}

/** The output of a copy of chunks. */
async function copied(...chunks: readonly (string | Uint8Array)[]): Promise<string> {
  let text = "";
  const out = new Writable({
    write(bytes, _encoding, done) {
      text += bytes.toString("latin1");
      done();
    },
  });
  await new LineCopy(Readable.from(chunks.map(Buffer.from)), new SharedOutput(out), "[0] ").complete();
  return text;
}

it.each([
  [["a\nb\n"], "[0] a\n[0] b\n"],
  [["a", "b\nc", "\n\n"], "[0] ab\n[0] c\n[0] \n"],
  [["no end"], "[0] no end\n"],
  [["10 %\r20 %\r\n", "a\r", "\nb\r"], "[0] 10 %\n[0] 20 %\n[0] a\n[0] b\n"],
  [[new Uint8Array([0x61, 0xff, 0x0a])], "[0] a\xff\n"],
  [[], ""],
])("copies the lines of %j", async (chunks, expected) => {
  expect(await copied(...chunks)).toBe(expected);
});

it("cuts a line that does not end, so that it needs no more memory", async () => {
  const line = "x".repeat(1 << 16);
  const lines = (await copied(...Array.from({ length: 40 }, () => line))).trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines.map((line) => line.replace("[0] ", "")).join("")).toBe(line.repeat(40));
});

it("reads on when the reader of the output does, from more streams than an emitter has listeners", async () => {
  let [read, taken] = [0, 0];
  let take = () => {};
  const out = new Writable({
    highWaterMark: 1 << 16,
    write(chunk, _encoding, done) {
      taken += chunk.length;
      take = done;
    },
  });
  const output = new SharedOutput(out);
  const line = Buffer.from(`${"x".repeat(1023)}\n`);
  const total = 2000;
  const copies = Array.from({ length: 16 }, () => {
    const from = Readable.from(
      (function* () {
        for (let i = 0; i < total; i++) {
          read += 1;
          yield line;
        }
      })(),
      { highWaterMark: 1 },
    );
    return new LineCopy(from, output, "[0] ");
  });
  await settle();
  const before = read;
  expect(before).toBeLessThan(500);
  await settle();
  expect(read).toBe(before);
  // The reader goes on.
  const ended = Promise.all(copies.map((copy) => copy.complete()));
  let isOpen = true;
  ended.then(() => {
    isOpen = false;
  });
  while (isOpen || out.writableLength > 0) {
    take();
    await setImmediate();
  }
  expect(read).toBe(16 * total);
  expect(taken).toBe(16 * total * (line.length + 4));
});

it("reads on when the reader of the output has gone", async () => {
  const errors: unknown[] = [];
  const out = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done(new Error("closed")) });
  const from = Readable.from(Array.from({ length: 100 }, () => Buffer.from("line\n")));
  await new LineCopy(from, new SharedOutput(out, (error) => errors.push(error)), "").complete();
  expect(errors).toEqual([new Error("closed")]);
});
