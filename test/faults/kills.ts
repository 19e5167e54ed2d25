// F1: a save that is killed at each of its system calls, or at a random time, leaves the old file or the new one.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { Random } from "../random-operations/random.js";
import { Program } from "./processes.js";
import type { SaveConfig } from "./programs/save.js";
import type { SaveLoopConfig } from "./programs/save-loop.js";
import { type Context, type Outcome, type Rig, sized, Tally } from "./rig.js";
import type { Saver } from "./savers.js";
import { attachToInject, attachToList, callsBetween, straceProblem, wasBetween } from "./strace.js";
import { elapsed } from "./time-limit.js";

const isScratch = (name: string) => name.startsWith(".stepwell-") || name.endsWith(".tmp");

/** The contents of the files of a folder, scratch files left out. */
export function filesOf(folder: string): string {
  const names = readdirSync(folder).filter((name) => !isScratch(name));
  return JSON.stringify(names.sort().map((name) => [name, readFileSync(join(folder, name), "base64")]));
}

export const scratchFilesOf = (folder: string): number => readdirSync(folder).filter(isScratch).length;

/** Puts files back. */
export function restore(folder: string, files: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, text] of JSON.parse(files) as [string, string][]) {
    writeFileSync(join(folder, name), Buffer.from(text, "base64"));
  }
}

/** Starts a program that has trained so many steps and is ready to save. */
export async function ready(config: SaveConfig): Promise<Program> {
  // The program of a sweep lives as long as the sweep.
  const program = new Program("save", config, { limit: 3_600_000 });
  const line = await program.line();
  if (line !== "ready") throw new Error(`the program is not ready: ${line} ${JSON.stringify(await program.ended)}`);
  return program;
}

/** The files after a save of so many steps. */
export async function saved(folder: string, config: SaveConfig): Promise<string> {
  const program = await ready(config);
  await program.ask("save");
  await program.kill();
  return filesOf(folder);
}

interface Subject {
  readonly saver: Saver;
  readonly optimizer: k.OptimizerName;
  readonly width: number;
}

/** Kills a save at each of its calls. */
async function sweep(folder: string, subject: Subject, tally: Tally, isOver: () => boolean): Promise<void> {
  const path = join(folder, "run");
  const config = (steps: number): SaveConfig => ({ path, ...subject, steps });
  restore(folder, "[]");
  const before = await saved(folder, config(1));
  const whole = await ready(config(2));
  const trace = await attachToList(whole.pid);
  await whole.ask("save");
  const calls = callsBetween(await trace.detach());
  await whole.kill();
  const after = filesOf(folder);
  if (before === after) throw new Error("two generations are equal");

  for (const call of calls) {
    if (isOver() || (subject.saver !== "product" && tally.found > 0)) return;
    restore(folder, before);
    const program = await ready(config(2));
    const injected = await attachToInject(program.pid, call, "signal=KILL");
    program.tell("save");
    const { signal } = await program.ended;
    const lines = await injected.detach();
    const where = `${subject.saver}, ${subject.optimizer}, width ${subject.width}, killed at ${call.text}`;
    if (signal !== "SIGKILL" || !wasBetween(lines, /killed by SIGKILL/)) {
      tally.check(`${where}: the kill did not happen there`);
      continue;
    }
    const found = filesOf(folder);
    const isWhole = found === before || found === after;
    const scratch = scratchFilesOf(folder);
    tally.check(
      isWhole && scratch <= 1
        ? undefined
        : `${where}: neither the old files nor the new ones, ${scratch} scratch files`,
    );
    if (!isWhole) continue;
    // The next save in the folder works, and removes the scratch file.
    if (subject.saver !== "product") continue;
    k.save(path, { next: 1 });
    if (scratchFilesOf(folder) > 0) tally.fail(`${where}: the next save leaves the scratch file`);
  }
}

async function sweeps({ folder, scale, isOver }: Context, saver: Saver): Promise<Outcome> {
  const tally = new Tally();
  const optimizers: readonly k.OptimizerName[] = ["adagrad", "adam", "adamw", "lamb", "lbfgs", "rmsprop", "sgd"];
  const isPlanted = saver !== "product";
  // The larger file has several blocks of a checksum.
  const widths = sized(isPlanted ? "quick" : scale, [8], [8, 800], [8, 800]);
  for (const width of widths) {
    for (const optimizer of sized(isPlanted ? "quick" : scale, ["adam"] as const, ["adam"] as const, optimizers)) {
      await sweep(join(folder, "sweep"), { saver, optimizer, width }, tally, isOver);
    }
  }
  return tally.outcome();
}

/** Reads a file of `save-loop`. Returns its generation, or a problem. */
export function generationOf(path: string): number | string {
  const before = k.handlecount();
  let found: number | string;
  try {
    const { numbers, generation } = k.load<{ numbers: k.TensorHandle; generation: number }>(path);
    const { data } = k.data(numbers);
    k.free(numbers);
    const other = (data as Float64Array).find((number) => number !== generation);
    found = other === undefined ? generation : `generation ${generation} has elements of generation ${other}`;
  } catch (error) {
    found = `it is not loaded: ${(error as Error).message}`;
  }
  return k.handlecount() === before ? found : "a load leaves objects";
}

async function randomKills({ folder, scale, seed, isOver }: Context, saver: Saver): Promise<Outcome> {
  const tally = new Tally();
  const random = new Random(seed);
  const path = join(folder, "run");
  const kills = saver === "product" ? sized(scale, 5, 200, 10_000) : 40;
  let generations = 0;
  let acknowledged = 0;
  for (let i = 0; i < kills && !isOver(); i++) {
    const config: SaveLoopConfig = { path, elements: 250_000, saver, first: generations + 1 };
    // The engine in Rust starts in less than half the time.
    const program = new Program("save-loop", config, { env: { STEPWELL_ENGINE: i % 4 === 0 ? "native" : "rust" } });
    for (let line = 0; line < 2; line++) await program.line();
    // The time of a save, on a machine that may be busy.
    const begin = elapsed();
    acknowledged = Math.max(acknowledged, Number(await program.line()));
    const period = elapsed() - begin;
    await new Promise((resolve) => setTimeout(resolve, random.next() * period));
    await program.kill();
    const lines = program.taken().filter((line) => /^\d+$/.test(line));
    acknowledged = Math.max(acknowledged, ...lines.map(Number));
    const found = generationOf(path);
    if (typeof found === "string") {
      tally.check(`kill ${i}: ${found}`);
      rmSync(path, { force: true });
      acknowledged = 0;
      continue;
    }
    tally.check(
      found < acknowledged ? `kill ${i}: generation ${acknowledged} was saved, and ${found} is there` : undefined,
    );
    generations = Math.max(generations, found, acknowledged);
    if (saver !== "product" && tally.found > 0) break;
  }
  return tally.outcome({ generations });
}

export const killSweep: Rig = {
  fault: "F1",
  name: "kill-sweep",
  about: "a save killed at each of its system calls leaves the old file or the new one, byte by byte",
  problem: straceProblem,
  run: (context) => sweeps(context, "product"),
  planted: {
    "a save in place": (context) => sweeps(context, "in place"),
    "a save in two files": (context) => sweeps(context, "in two files"),
  },
};

export const killAtRandom: Rig = {
  fault: "F1",
  name: "kill-random",
  about:
    "a process killed at a random time while it saves leaves a whole file, not older than the last save that returned",
  run: (context) => randomKills(context, "product"),
  planted: { "a save in place": (context) => randomKills(context, "in place") },
};
