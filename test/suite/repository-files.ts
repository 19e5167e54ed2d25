// The files of the repository, listed by git. Ignored files come and go, since other tests run at the same time.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

/** Tracked files and new ones, sorted, as paths from the root with `/`. `patterns` are pathspecs of git. */
export function repositoryFiles(...patterns: readonly string[]): readonly string[] {
  const command = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns];
  const listed = execFileSync("git", command, { cwd: root, encoding: "utf8" }).split("\0");
  return listed.filter((file) => file !== "" && existsSync(join(root, file))).sort();
}
