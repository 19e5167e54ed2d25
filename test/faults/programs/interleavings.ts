// Calls that wait and calls on the engine's thread, on the same objects in a random order. Then the calls that were not busy again,
// one after the other, on new objects: each result and each object must be the same.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import * as k from "@stepwell/sdk";
import { Random } from "../../random-operations/random.js";
import { elapsed } from "../time-limit.js";
import { configured, say } from "./lines.js";

/** Planted bugs: a call on the thread takes its objects in a later turn; a call that is busy is made in a later turn. */
export type PlantedOrder = "a late start" | "a late effect";

export interface InterleavingsConfig {
  readonly folder: string;
  readonly seed: number;
  /** In all rounds together. */
  readonly calls: number;
  /** In seconds: no round begins later. */
  readonly seconds: number;
  readonly planted?: PlantedOrder;
}

export interface InterleavingsReport {
  readonly seed: number;
  readonly calls: number;
  readonly busy: number;
  readonly problems: readonly string[];
}

interface Slot {
  readonly m: k.ModuleHandle;
  readonly o: k.OptimizerHandle;
  readonly model: k.ModelHandle;
}

/** One execution. */
interface World {
  /** The objects by their place; undefined after `free`. */
  readonly slots: (Slot | undefined)[];
  /** The folder of its files. */
  readonly folder: string;
}

/** A call as it is planned; what it finds at its place depends on the calls before. */
interface Call {
  readonly name: keyof typeof commands;
  readonly number: number;
  readonly place: number;
  /** The place that parameters are copied from. */
  readonly other: number;
  readonly rate: number;
  /** The number of the save that a load reads. It may have been busy, so that there is no file. */
  readonly source: number;
}

/** The two forms of a call on a living slot: on the event loop, and on the thread if there is such a form. */
interface Command {
  readonly wait: (slot: Slot, world: World, call: Call) => unknown;
  readonly start?: (slot: Slot, world: World, call: Call) => Promise<unknown>;
}

const { folder, seed, calls, seconds, planted } = configured<InterleavingsConfig>();
const rows = Array.from({ length: 8 }, (_, i) => [i / 4 - 1, 1 - i / 8, (i % 3) / 2]);
const targets = rows.map(([a = 0, b = 0]) => [a * b, a - b]);

const hash = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);
const digestOf = (object: k.ModuleHandle | k.OptimizerHandle) =>
  hash(JSON.stringify(k.state(object as k.ModuleHandle), (key, value) => (key === "pointer" ? 0 : value)));
const digests = ({ m, o }: Slot) => `${digestOf(m)} ${digestOf(o)}`;

function numbersOf(tensor: k.TensorHandle): unknown {
  const numbers = k.tensor(tensor);
  k.free(tensor);
  return numbers;
}

function make(): Slot {
  const m = k.module(k.seq("sequential", ["linear", "a", 3, 4], "tanh", ["drop", 0.25], ["linear", "b", 4, 2]));
  const loss = k.loss("mse");
  const o = k.opt("adam", m, 0.01);
  const model = k.model(m, loss, o);
  k.free(loss);
  k.train(model, { batchsize: 4, shuffle: true });
  k.train(model, rows, targets);
  return { m, o, model };
}

const pathOf = ({ folder }: World, number: number) => join(folder, String(number));

const commands = {
  step: { wait: ({ o }) => k.step(o), start: ({ o }) => k.stepAsync(o) },
  run: { wait: ({ model }) => k.run(model), start: ({ model }) => k.runAsync(model) },
  evaluate: {
    wait: ({ m }) => numbersOf(k.evaluate(m, rows)),
    start: async ({ m }) => numbersOf(await k.evaluateAsync(m, rows)),
  },
  save: {
    wait: ({ m, o }, world, { number }) => {
      k.save(pathOf(world, number), { m, o });
      return hash(readFileSync(pathOf(world, number)));
    },
    start: async ({ m, o }, world, { number }) => {
      await k.saveAsync(pathOf(world, number), { m, o });
      return hash(readFileSync(pathOf(world, number)));
    },
  },
  load: {
    wait: ({ m, o }, world, { source }) => void k.load(pathOf(world, source), { m, o }),
    start: async ({ m, o }, world, { source }) => void (await k.loadAsync(pathOf(world, source), { m, o })),
  },
  lr: { wait: ({ o }, _, { rate }) => k.lr(o, rate) },
  copyparms: {
    wait: ({ m }, { slots }, { other }) => {
      const from = slots[other];
      if (from && from.m !== m) k.copyparms(m, from.m);
    },
  },
  state: { wait: digests },
  free: {
    wait: ({ m, o, model }, { slots }, { place }) => {
      slots[place] = undefined;
      k.free(m, o, model);
    },
  },
} as const satisfies Readonly<Record<string, Command>>;

/** How often each is drawn. */
const draws: readonly Call["name"][] = [
  ...Array<Call["name"]>(6).fill("step"),
  ...Array<Call["name"]>(4).fill("run"),
  ...Array<Call["name"]>(4).fill("evaluate"),
  ...(["lr", "lr", "copyparms", "copyparms", "state", "state", "save", "load", "free"] as const),
];
const places = 4;

function planOf(random: Random, length: number): readonly Call[] {
  const saves = Array<number>(places).fill(-1);
  return Array.from({ length }, (_, number) => {
    const [name, place] = [random.pick(draws), random.int(places)];
    const call = {
      name,
      number,
      place,
      other: random.int(places),
      rate: random.next() / 10,
      source: saves[place] ?? -1,
    };
    if (name === "save") saves[place] = number;
    return call;
  });
}

/** A call that was begun, with its result or the code of its error. */
interface Begun {
  readonly call: Call;
  /** Whether it made the objects of an empty place. */
  readonly isMake: boolean;
  isBusy: boolean;
  result: unknown;
}

function settle(begun: Begun, run: () => unknown): Promise<void> | undefined {
  const succeed = (result: unknown) => {
    begun.result = result;
  };
  const fail = (error: unknown) => {
    begun.result = error instanceof k.StepwellError ? error.code : String(error);
    begun.isBusy = begun.result === "ERR_BUSY";
  };
  try {
    const result = run();
    if (result instanceof Promise) return result.then(succeed, fail);
    succeed(result);
  } catch (error) {
    fail(error);
  }
  return undefined;
}

const emptyWorld = (folder: string): World => {
  mkdirSync(folder, { recursive: true });
  k.seed(3);
  return { slots: Array.from({ length: places }, make), folder };
};

function makeAt({ slots }: World, { place }: Call): void {
  slots[place] = make();
}

/** The state of all objects and of the generator. */
const everything = ({ slots }: World) => [...slots.map((slot) => slot && digests(slot)), ...k.randperm(20)];

/** Begins the calls of a plan, many of them before others are over. */
async function interleaved(world: World, plan: readonly Call[], random: Random): Promise<readonly Begun[]> {
  const all: Begun[] = [];
  const pending: Promise<void>[] = [];
  for (const call of plan) {
    const slot = world.slots[call.place];
    const { wait, start }: Command = commands[call.name];
    const begun: Begun = { call, isMake: !slot, isBusy: false, result: undefined };
    all.push(begun);
    const chosen = start && random.chance(0.7) ? start : wait;
    const isLate = planted === "a late start" && call.name === "step";
    const ended = settle(begun, () => {
      if (!slot) return makeAt(world, call);
      return isLate ? setImmediate().then(() => chosen(slot, world, call)) : chosen(slot, world, call);
    });
    if (ended) pending.push(ended);
    if (begun.isBusy && slot && planted === "a late effect" && call.name === "lr") {
      pending.push(setImmediate().then(() => void settle({ ...begun }, () => chosen(slot, world, call))));
    }
    if (random.chance(0.3)) await setImmediate();
    if (random.chance(0.08)) await Promise.all(pending.splice(0));
  }
  await Promise.all(pending);
  return all;
}

/** Makes the calls that were not busy one after the other. Returns the first that has another result. */
function difference(world: World, all: readonly Begun[]): string | undefined {
  for (const { call, isMake, result } of all.filter(({ isBusy }) => !isBusy)) {
    const where = `call ${call.number}, ${isMake ? "make" : call.name} at ${call.place}`;
    const slot = world.slots[call.place];
    if (isMake !== !slot) return `${where}: the place is ${slot ? "taken" : "empty"} in order`;
    const again: Begun = { call, isMake, isBusy: false, result: undefined };
    settle(again, () => (slot ? (commands[call.name] as Command).wait(slot, world, call) : makeAt(world, call)));
    const [had, has] = [JSON.stringify(result), JSON.stringify(again.result)];
    if (had !== has) return `${where}: ${had}, and ${has} in order`;
  }
  return undefined;
}

async function round(seed: number, length: number): Promise<InterleavingsReport> {
  const random = new Random(seed);
  const plan = planOf(random, length);
  const world = emptyWorld(join(folder, `${seed}-interleaved`));
  const all = await interleaved(world, plan, random);
  const found = JSON.stringify(everything(world));
  const problems: string[] = [];
  k.free();
  if (k.handlecount() !== 0) problems.push(`${k.handlecount()} objects are left`);
  const inOrder = emptyWorld(join(folder, `${seed}-in-order`));
  const other = difference(inOrder, all);
  if (other) problems.push(other);
  else if (JSON.stringify(everything(inOrder)) !== found) problems.push("the objects differ at the end");
  k.free();
  for (const { folder } of [world, inOrder]) rmSync(folder, { recursive: true });
  return { seed, calls: length, busy: all.filter(({ isBusy }) => isBusy).length, problems };
}

k.setting("threads", 1);
for (let made = 0, i = 0; made < calls && elapsed() < seconds * 1000; i++) {
  const report = await round(seed + i, Math.min(500, calls - made));
  made += report.calls;
  say(report);
}
