// Files that releases wrote, which every later release reads. A file is never written anew: a change of the format adds one.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { type GoldenRun, goldenRun, steps } from "./golden-run.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-golden-"));
const changed = join(folder, "changed.safetensors");
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));

const arrays = { float: Float32Array, double: Float64Array, long: BigInt64Array, bool: Uint8Array };

/** All numbers of plain data, and of arrays in the form that JSON gives them. */
function numbersOf(value: unknown): number[] {
  if (typeof value !== "object" || value === null) return typeof value === "number" ? [value] : [];
  const { dtype, data } = value as { dtype?: keyof typeof arrays; data?: unknown };
  if (dtype === undefined || typeof data !== "string") return Object.values(value).flatMap(numbersOf);
  return Array.from(new arrays[dtype](new Uint8Array(Buffer.from(data, "base64")).buffer), Number);
}

/** Writes a file whose description `change` has changed. */
function rewrite(name: string, change: (description: never) => unknown): void {
  const bytes = readFileSync(golden(name));
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const description = JSON.parse(header.__metadata__.stepwell);
  change(description as never);
  header.__metadata__.stepwell = JSON.stringify(description);
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(changed, Buffer.concat([head, text, bytes.subarray(8 + length)]));
}

describe("a file of version 1", () => {
  const expected = JSON.parse(readFileSync(golden("run-1.json"), "utf8"));
  // The native engine wrote them. WebAssembly has other kernels, whose losses have other last digits.
  const expectSteps = (run: GoldenRun) => {
    const found = JSON.parse(JSON.stringify(steps(run)));
    if (k.engine === "native") expect(found).toEqual(expected);
    else expect(numbersOf(found)).toEqual(numbersOf(expected).map((number) => expect.closeTo(number, 5)));
  };

  it("goes on as it did when it was written", () => {
    expectSteps(k.load<GoldenRun>(golden("run-1.safetensors")));
    const run = goldenRun();
    k.load(golden("run-1.safetensors"), { ...run });
    expectSteps(run);
    expectSteps(k.deserialize<GoldenRun>(readFileSync(golden("run-1.safetensors"))));
  });

  it("may have keys of a later release that this one does not need", () => {
    rewrite("run-1.safetensors", (description: { content: { objects: Record<string, object>; later?: unknown } }) => {
      const { content } = description;
      Object.assign(description, { minor: 7 });
      content.later = { a: [1, 2] };
      for (const object of Object.values(content.objects)) Object.assign(object, { later: null });
    });
    expectError("ERR_FORMAT", () => k.load(changed));
    expectSteps(k.load(changed, {}, { verify: false }) as unknown as GoldenRun);
  });

  it("of a newer version or with a kind that this release does not know is refused", () => {
    rewrite("run-1.safetensors", (description) => Object.assign(description, { version: 2 }));
    expect(expectError("ERR_FORMAT", () => k.load(changed, {}, { verify: false }))).toContain("version 2");
    expect(expectError("ERR_FORMAT", () => k.inspect(changed))).toContain("version 2");
    rewrite("run-1.safetensors", ({ content }: { content: { objects: { loss: { kind: string } } } }) => {
      content.objects.loss.kind = "later";
    });
    const living = k.handlecount();
    expect(expectError("ERR_FORMAT", () => k.load(changed, {}, { verify: false }))).toContain("later");
    expect(k.handlecount()).toBe(living);
  });
});
