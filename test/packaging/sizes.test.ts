// The sizes of the packages in sizes.json. A change of more than a tenth fails.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pack } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "sizes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The size of a package: kilobytes of 1000 bytes, packed and unpacked, and files. */
interface Size {
  readonly packed: number;
  readonly unpacked: number;
  readonly files: number;
}

const snapshot = join(import.meta.dirname, "sizes.json");

function sizeOf(tarball: string): Size {
  // A row of tar: mode, owner, bytes, date, time, name.
  const rows = execFileSync("tar", ["-tvzf", tarball], { encoding: "utf8" }).trimEnd().split("\n");
  const bytes = rows.map((row) => Number(row.split(/\s+/)[2]));
  const kilobytes = (size: number) => Math.ceil(size / 1000);
  return {
    packed: kilobytes(statSync(tarball).size),
    unpacked: kilobytes(bytes.reduce((sum, size) => sum + size)),
    files: rows.length,
  };
}

it("packages have the sizes of the snapshot, within a tenth", () => {
  pack(folder, ["--registry"]);
  const found = Object.fromEntries(
    readdirSync(folder).map((file) => [file.replace(/-\d.*$/, ""), sizeOf(join(folder, file))]),
  );
  const stated: Readonly<Record<string, Size>> = existsSync(snapshot) ? JSON.parse(readFileSync(snapshot, "utf8")) : {};
  const isNear = (a: number, b: number) => Math.abs(a - b) <= Math.max(0.1 * b, 2);
  // Another platform has another addon.
  const isElsewhere = (name: string) => name.startsWith("stepwell-native-") && !found[name];
  const names = [...new Set([...Object.keys(found), ...Object.keys(stated)])].filter((name) => !isElsewhere(name));
  const stale = names.filter((name) => {
    const [now, before] = [found[name], stated[name]];
    return !now || !before || !(["packed", "unpacked", "files"] as const).every((key) => isNear(now[key], before[key]));
  });
  if (stale.length > 0) writeFileSync(snapshot, `${JSON.stringify({ ...stated, ...found }, undefined, 2)}\n`);
  expect(stale).toEqual([]);
});
