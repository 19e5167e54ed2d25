// F21: the addon under memcheck, which looks at each read and write of Node, libtorch and the addon.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileLibrary, compilerProblem } from "./c-library.js";
import { report } from "./processes.js";
import type { MemoryConfig } from "./programs/memory.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

const suppressions = fileURLToPath(new URL("valgrind.supp", import.meta.url).href.replace("/test/dist/", "/test/"));

/** An optimizer a family of kernels: one stage, two stages, a line search. */
const few: MemoryConfig["optimizers"] = ["adam", "lamb", "lbfgs"];
const all: MemoryConfig["optimizers"] = ["adagrad", "adam", "adamw", "lamb", "lbfgs", "rmsprop", "sgd"];

/** The errors of a log: a first line and the places in the code under it. */
export function errorsOf(log: string): readonly string[] {
  const blocks = log.replaceAll(/^==\d+== (?:Warning: set address range.*\n)?/gm, "").split(/\n\s*\n/);
  return blocks.filter((block) => /^ +at 0x/m.test(block) && /^\w/.test(block.trim()));
}

const under = (log: string) => [
  "valgrind",
  `--log-file=${log}`,
  `--suppressions=${suppressions}`,
  "--error-limit=no",
  "--num-callers=24",
];

/** Compiled JavaScript is code that valgrind would have to read again and again. */
const flags = ["--jitless", "--no-expose-wasm", "--single-threaded"];

function check(tally: Tally, log: string): void {
  const found = existsSync(log) ? errorsOf(readFileSync(log, "utf8")) : ["there is no log"];
  for (const text of found) tally.fail(text.trim().slice(0, 2_000));
}

async function memcheck({ folder }: Context, optimizers: MemoryConfig["optimizers"]): Promise<Outcome> {
  const tally = new Tally();
  const log = join(folder, "valgrind.log");
  const config: MemoryConfig = { folder, optimizers };
  const options = { under: under(log), flags, limit: 7_200_000 };
  const { lines, problem } = await report<{ readonly name: string }>("memory", config, options);
  tally.count = lines.length;
  if (problem) tally.fail(problem);
  check(tally, log);
  return tally.outcome();
}

/** Node alone, with a library in C that has a bug. */
function planted({ folder }: Context): Outcome {
  const tally = new Tally();
  const log = join(folder, "valgrind.log");
  const [command = "", ...args] = [...under(log), process.execPath, ...flags, "-e", "0"];
  const env = { ...process.env, LD_PRELOAD: compileLibrary("planted-read.c", folder) };
  tally.check(spawnSync(command, args, { env }).error?.message);
  check(tally, log);
  return tally.outcome();
}

export const addonMemory: Rig = {
  fault: "F21",
  name: "valgrind",
  about: "the addon reads and writes its own memory only, and no number that was not written, by memcheck",
  problem: () => {
    if (process.platform !== "linux") return "it needs Linux";
    const { status } = spawnSync("valgrind", ["--version"]);
    return status === 0 ? compilerProblem() : "valgrind is not installed";
  },
  smallRun: "none: a start of Node takes minutes under valgrind",
  run: (context) => memcheck(context, sized(context.scale, few, all, all)),
  planted: { "a read of freed memory": async (context) => planted(context) },
};
