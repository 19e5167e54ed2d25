// Calls of Node in packages and examples that may never return.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryFiles } from "./repository-files.js";

const root = join(import.meta.dirname, "..", "..");

/** Each with a line that has it. */
const forbidden: readonly (readonly [what: string, pattern: RegExp, line: string])[] = [
  [
    "mkdir with `recursive`, where the system answers ENOENT for a folder in one that exists",
    /\bmkdir(?:Sync)?\([^;]*\brecursive\b/,
    "mkdirSync(folder, { recursive: true });",
  ],
  [
    "a wait for a program without a limit",
    /\b(?:spawn|exec|execFile)Sync\((?![^;]*\btimeout\b)/,
    'spawnSync(program, ["--version"], { env });',
  ],
];

const files = repositoryFiles("packages/*", "examples/*").filter((file) => /\.[cm]?[jt]s$/.test(file));

describe("no package and no example hangs", () => {
  it("looks at their files", () => {
    expect(files).toContain("packages/native/python.js");
    expect(files).toContain("examples/service/src/service.ts");
  });

  it.each(forbidden)("by %s", (_, pattern, line) => {
    expect(line).toMatch(pattern);
    expect(files.filter((file) => pattern.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });
});
