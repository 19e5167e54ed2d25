// Libraries in C that a program loads before others.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const compilers = [process.env.CC, "cc", "gcc", "clang"].filter((name) => name !== undefined);

/** The reason why nothing is compiled here. */
export const compilerProblem = (): string | undefined =>
  compilers.some((name) => spawnSync(name, ["--version"]).status === 0) ? undefined : "there is no C compiler";

/** Compiles a file of this folder into a library, and returns its path. */
export function compileLibrary(file: string, folder: string): string {
  const source = fileURLToPath(new URL(file, import.meta.url).href.replace("/test/dist/", "/test/"));
  const library = join(folder, file.replace(/\.c$/, ".so"));
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"];
  if (compilers.some((compiler) => spawnSync(compiler, args).status === 0)) return library;
  throw new Error(`${file} does not compile`);
}
