// Writes damaged copies of files one after the other, and loads each. Every one must be refused, and change nothing.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { Random } from "../../random-operations/random.js";
import { damagedCopies, mutated, strangeFiles } from "../damage.js";
import { elapsed } from "../time-limit.js";
import { configured, say } from "./lines.js";

export interface CorruptConfig {
  readonly folder: string;
  readonly seed: number;
  /** Copies with several random changes, of each file, if there is time. */
  readonly random: number;
  /** One in so many copies is tried. */
  readonly share: number;
  /** Bits of a byte of elements that are flipped. */
  readonly bits: number;
  /** A planted bug: the checksum is not compared. */
  readonly verify: boolean;
  /** The time limit of the random changes. Other copies are made in any case. */
  readonly seconds: number;
}

export interface CorruptReport {
  readonly count: number;
  readonly failures: readonly string[];
  readonly codes: Readonly<Record<string, number>>;
  /** Growth of the peak of the resident memory, in bytes. */
  readonly peak: number;
}

const { folder, seed, random: randomCopies, share, bits, verify, seconds } = configured<CorruptConfig>();
const random = new Random(seed);
const path = join(folder, "damaged");
k.seed(1);
const net = k.module(k.seq("sequential", ["linear", "a", 2, 3], ["linear", "b", 3, 1]));
const optimizer = k.opt("adam", net);
k.backward(k.mse(k.forward(net, [[1, 2]]), [[3]]));
k.step(optimizer);
k.save(net, path);
const moduleFile = readFileSync(path);
k.save(path, { net, optimizer, note: "a run" });
const runFile = readFileSync(path);

const everything = () => JSON.stringify([k.state(net), k.state(optimizer)]);
const before = everything();
const handles = k.handlecount();
const codes: Record<string, number> = {};
const failures: string[] = [];
let count = 0;

/** Calls with a damaged file. `isRefused` says whether the call must fail. */
function attempt(what: string, isRefused: boolean, call: () => unknown): void {
  try {
    call();
    codes.loaded = (codes.loaded ?? 0) + 1;
    if (isRefused) failures.push(`${what}: it is loaded`);
  } catch (error) {
    const code = error instanceof k.StepwellError ? error.code : String(error);
    codes[code] = (codes[code] ?? 0) + 1;
    if (!["ERR_FORMAT", "ERR_FILE", "ERR_PARAMETER", "ERR_MEMORY", "ERR_SHAPE", "ERR_DTYPE"].includes(code))
      failures.push(`${what}: ${code}: ${(error as Error).message}`);
  }
}

const start = process.resourceUsage().maxRSS;
const files = Object.entries({ module: moduleFile, run: runFile });
const copies = function* () {
  for (const [name, file] of files) {
    for (const [what, bytes] of damagedCopies(file, { random, bits })) {
      if (random.int(share) === 0) yield [name, `${name}: ${what}`, bytes] as const;
    }
  }
  for (const [what, bytes] of strangeFiles()) yield ["strange", what, bytes] as const;
  for (let i = 0; i < randomCopies && elapsed() < seconds * 1000; i++) {
    for (const [name, file] of files) {
      const copy = mutated(file, random);
      if (random.int(share) === 0 && !copy.equals(file)) yield [name, `${name}: random change ${i}`, copy] as const;
    }
  }
};
for (const [kind, what, bytes] of copies()) {
  writeFileSync(path, bytes);
  count += 1;
  if (kind === "run") {
    attempt(what, true, () => k.load(path, { net, optimizer }, { verify }));
    attempt(what, true, () => k.load(path, {}, { verify }));
  } else {
    attempt(what, true, () => k.load(net, path, { verify }));
    if (kind === "module") attempt(what, true, () => k.load(net, path, { strict: false, verify }));
  }
  attempt(what, false, () => k.inspect(path));
  if (k.handlecount() !== handles) failures.push(`${what}: ${k.handlecount() - handles} objects are left`);
  if (count % 100 === 0 && everything() !== before) failures.push(`${what}: the objects have changed`);
  if (failures.length > 20) break;
}
if (everything() !== before) failures.push("the objects have changed");
const peak = (process.resourceUsage().maxRSS - start) * 1024;
say({ count, failures, codes, peak } satisfies CorruptReport);
