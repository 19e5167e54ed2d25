// The parts of the run on a GPU, in their order: what matters most comes first, since the whole run has a time limit. The benchmark
// comes last, since it measures as many cases as there is time for.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Part {
  readonly name: string;
  readonly about: string;
  /** Time limit in seconds. A part that reaches it has failed, and the next one starts. */
  readonly seconds: number;
  /** Files of tests; undefined of the benchmark. */
  readonly files?: readonly string[];
}

const tests = new URL("../", import.meta.url);
const compiled = (path: string) => fileURLToPath(new URL(path, tests));
const testsIn = (folder: string) =>
  readdirSync(new URL(`${folder}/`, tests))
    .filter((name) => name.endsWith(".test.js"))
    .sort()
    .map((name) => compiled(`${folder}/${name}`));

/** Files of test/contract on saving, loading and going on. */
const resumed = ["files", "load", "restore", "save", "state-keys", "state-numbers"];

/** Files of test/contract that no GPU can change, each with the reason. */
export const excluded: Readonly<Record<string, string>> = {
  "closure-crashes": "its child processes run on the CPU",
  contexts: "contexts of JavaScript",
  lifetimes: "the garbage collector",
  "many-objects": "the table of handles",
  members: "names of the SDK",
  "nested-numbers": "conversion in JavaScript",
  "naive-loop": "its child processes run on the CPU",
  printing: "texts that name the CPU, and memory of the host",
  threads: "threads of the CPU",
  "vast-sizes": "the memory of the host",
};

/** Files of test/contract that take most of the time. They come last, so that a slow machine runs the others. */
const slow = ["invalid-input"];

function contract(): readonly string[] {
  const path = (name: string) => compiled(`contract/${name}.test.js`);
  const others = new Set([...resumed, ...Object.keys(excluded), ...slow].map(path));
  return [...testsIn("contract").filter((file) => !others.has(file)), ...slow.map(path)];
}

export const parts: readonly Part[] = [
  {
    name: "devices",
    about: "steps on the device against steps on the CPU, to the bit",
    seconds: 60,
    files: [compiled("gpu/devices.test.js")],
  },
  {
    name: "operations",
    about: "every operation on tensors of the device, against the CPU",
    seconds: 60,
    files: [compiled("gpu/operations.test.js")],
  },
  {
    name: "ranks",
    about: "several processes with a GPU each, against processes on the CPU, to the bit",
    seconds: 60,
    files: [compiled("gpu/ranks.test.js")],
  },
  {
    name: "transcript",
    about: "the page of the k-api, where `cuda` is the GPU",
    seconds: 30,
    files: testsIn("transcript").filter((path) => !path.endsWith("mutants.test.js")),
  },
  { name: "parity", about: "recordings of PyTorch", seconds: 100, files: testsIn("parity") },
  {
    name: "resume",
    about: "saving, loading and going on",
    seconds: 100,
    files: resumed.map((name) => compiled(`contract/${name}.test.js`)),
  },
  { name: "contract", about: "the contract of every function and optimizer", seconds: 180, files: contract() },
  { name: "bench", about: "time of a step", seconds: 150 },
];
