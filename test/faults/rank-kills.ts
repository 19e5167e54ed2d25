// F22: a rank of a training is killed at any time. The others end with an error, and the group goes on from its checkpoint to the bit.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { freePort } from "../free-port.js";
import { Random } from "../random-operations/random.js";
import { scratchFilesOf } from "./kills.js";
import { type End, Program } from "./processes.js";
import type { RankConfig } from "./programs/rank.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";

const size = 3;

async function start(config: RankConfig, limit: number): Promise<readonly Program[]> {
  const port = String(await freePort());
  return Array.from({ length: size }, (_, rank) => {
    const env = { RANK: String(rank), WORLD_SIZE: String(size), MASTER_ADDR: "127.0.0.1", MASTER_PORT: port };
    return new Program("rank", config, { env, limit });
  });
}

/** The last line of a process, and its end. */
async function last(program: Program): Promise<{ readonly line: string | undefined; readonly end: End }> {
  let line: string | undefined;
  for (let next = await program.line(); next !== undefined; next = await program.line()) line = next;
  return { line, end: await program.ended };
}

/** Lets the group train to a step, and returns a problem. */
async function finished(config: RankConfig): Promise<string | undefined> {
  const ends = await Promise.all((await start(config, 120_000)).map(last));
  const other = ends.find(({ line, end }) => line !== "done" || end.code !== 0 || end.stderr !== "");
  return other && `a group that nothing disturbs ends with ${JSON.stringify(other)}`;
}

async function kills({ folder, scale, seed, isOver }: Context, bug?: RankConfig["bug"]): Promise<Outcome> {
  const tally = new Tally();
  const random = new Random(seed);
  const path = join(folder, "run.safetensors");
  const planted = bug === undefined ? {} : { bug };
  const count = bug === undefined ? sized(scale, 2, 100, 1_000) : 1;
  const limit = bug === "a process that waits on" ? 10_000 : 120_000;
  let acknowledged = 0;
  for (let i = 0; i < count && !isOver(); i++) {
    const sharded = i % 2 === 1;
    const programs = await start({ path, steps: Number.MAX_SAFE_INTEGER, sharded, ...planted }, limit);
    const [first] = programs as readonly [Program, ...Program[]];
    const line = await first.line();
    if (line !== undefined) acknowledged = Number(line);
    // In the time of some steps and saves.
    await new Promise((resolve) => setTimeout(resolve, random.next() * 100));
    const victim = Math.floor(random.next() * size);
    await programs[victim]?.kill();
    const lines = first.taken();
    const steps = lines.filter((text) => /^\d+$/.test(text));
    acknowledged = Math.max(acknowledged, ...steps.map(Number));
    const where = `kill ${i} of rank ${victim}${sharded ? " with a sharded state" : ""} after step ${acknowledged}`;
    for (const [rank, program] of programs.entries()) {
      if (rank === victim) continue;
      const { line, end } = await last(program);
      const said = line ?? (rank === 0 ? lines.at(-1) : undefined);
      if (end.hung) tally.fail(`${where}: rank ${rank} hangs`);
      else if (said !== "ERR_DISTRIBUTED" || end.code !== 0 || end.stderr !== "") {
        tally.fail(`${where}: rank ${rank} ends with ${said}, ${end.signal ?? end.code}, ${end.stderr.slice(-500)}`);
      }
    }
    tally.check(problemOf(path, acknowledged, where));
  }
  const steps = acknowledged + 8;
  const problem =
    (await finished({ path, steps, sharded: true, ...planted })) ??
    (await finished({ path: `${path}.whole`, steps, sharded: false }));
  const isSame = problem === undefined && readFileSync(path).equals(readFileSync(`${path}.whole`));
  tally.check(
    problem ?? (isSame ? undefined : `after ${steps} steps the file differs from the one of a group without kills`),
  );
  // Each save removes the scratch files of processes that are dead.
  const scratch = scratchFilesOf(folder);
  tally.check(scratch === 0 ? undefined : `${scratch} scratch files are left`);
  for (const file of [path, `${path}.whole`]) rmSync(file, { force: true });
  return tally.outcome({ steps });
}

/** A problem of a checkpoint; undefined for one that is whole. */
function problemOf(path: string, acknowledged: number, where: string): string | undefined {
  try {
    const { training, module, optimizer } = k.load<{
      training: k.TrainingPosition;
      module: k.ModuleHandle;
      optimizer: k.OptimizerHandle;
    }>(path);
    k.free(optimizer, module);
    return training.step < acknowledged ? `${where}: the file has step ${training.step}` : undefined;
  } catch (error) {
    return `${where}: the file is not loaded: ${(error as Error).message}`;
  }
}

export const rankKills: Rig = {
  fault: "F22",
  name: "rank-kills",
  about:
    "a rank that is killed at a random time is an error of the others, and the group goes on from its checkpoint to the bit",
  run: (context) => kills(context),
  planted: {
    "a process that waits on": (context) => kills(context, "a process that waits on"),
    "dropout that begins anew": (context) => kills(context, "dropout that begins anew"),
  },
};
