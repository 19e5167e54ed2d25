// Files that releases wrote, which every later release reads. A file is never written anew: a change of the format adds one.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { type GoldenRun, goldenRun, steps } from "./golden-run.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-golden-"));
const changed = join(folder, "changed.safetensors");
afterEach(() => k.free());
afterAll(() => rmSync(folder, { recursive: true }));

const golden = (name: string) => fileURLToPath(new URL(`golden/${name}`, import.meta.url));

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

describe.runIf(differences.files)("a file of version 1", () => {
  const expected = JSON.parse(readFileSync(golden("run-1.json"), "utf8"));

  it("goes on as it did when it was written", () => {
    expect(JSON.parse(JSON.stringify(steps(k.load<GoldenRun>(golden("run-1.safetensors")))))).toEqual(expected);
    const run = goldenRun();
    k.load(golden("run-1.safetensors"), { ...run });
    expect(JSON.parse(JSON.stringify(steps(run)))).toEqual(expected);
    expect(
      JSON.parse(JSON.stringify(steps(k.deserialize<GoldenRun>(readFileSync(golden("run-1.safetensors")))))),
    ).toEqual(expected);
  });

  it("may have keys of a later release that this one does not need", () => {
    rewrite("run-1.safetensors", (description: { content: { objects: Record<string, object>; later?: unknown } }) => {
      const { content } = description;
      Object.assign(description, { minor: 7 });
      content.later = { a: [1, 2] };
      for (const object of Object.values(content.objects)) Object.assign(object, { later: null });
    });
    expectError("ERR_FORMAT", () => k.load(changed));
    expect(JSON.parse(JSON.stringify(steps(k.load(changed, {}, { verify: false }) as unknown as GoldenRun)))).toEqual(
      expected,
    );
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
