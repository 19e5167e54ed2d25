// Runs programs as on the machine of a user: with libtorch, or without.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLibtorch } from "@stepwell/native/libtorch";

/** Whether the machine has libtorch: in the folder that LIBTORCH names, or nowhere. */
export type Libtorch = "there" | "absent";
export const libtorchs: readonly Libtorch[] = ["there", "absent"];

let nowhere: string | undefined;
process.on("exit", () => nowhere && rmSync(nowhere, { recursive: true, force: true }));

/** Variables of the environment of a machine. `variables` are more of them. */
function environment(libtorch: Libtorch, variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LIBTORCH: _, STEPWELL_ENGINE: __, npm_config_user_agent: ___, ...others } = process.env;
  // pnpm's starters of programs set NODE_PATH, by which a project would find packages that it has not installed. Test runners set
  // NODE_OPTIONS and NODE_ENV for themselves.
  const env = { ...others, NODE_PATH: "", NODE_OPTIONS: "", NODE_ENV: "", ...variables };
  if (libtorch === "there") return { ...env, LIBTORCH: findLibtorch().path };
  // Without a cache, and without a Python that has torch.
  nowhere ??= mkdtempSync(join(tmpdir(), "stepwell-nowhere-"));
  mkdirSync(join(nowhere, "bin"), { recursive: true });
  return { ...env, HOME: nowhere, XDG_CACHE_HOME: nowhere, PATH: join(nowhere, "bin") };
}

/** Result of a program. */
export type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  { libtorch = "there", variables = {} }: { libtorch?: Libtorch; variables?: NodeJS.ProcessEnv } = {},
): Result {
  const env = environment(libtorch, variables);
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", env });
  return { status, stdout: stdout ?? "", stderr: error ? String(error) : stderr };
}
