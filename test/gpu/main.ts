// `npm run test:gpu`, and `run.sh` of a folder of `npm run pack-gpu`: runs every part on a device and writes results.json and
// results.md. The exit code is 0 if all parts passed.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machineOf } from "./machine.js";
import { type Part, parts } from "./parts.js";
import { endOf, resultOf, runTests } from "./processes.js";
import { allPassed, markdown, type PartResult, type RunResults } from "./results.js";

const usage = `npm run test:gpu -- [options], or bash run.sh [options]
  --device <name>    cuda:0 unless it is given; with cpu the same parts run without a GPU
  --only <names>     only these parts, separated by commas: ${parts.map(({ name }) => name).join(", ")}
  --seconds <count>  time limit of the run; 345 unless it is given
  --out <folder>     folder of results.json and results.md; the current one unless it is given`;

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "cuda:0" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "345" },
    out: { type: "string", default: "." },
    help: { type: "boolean", default: false },
  },
});

// The name that tensors report.
const device = values.device === "cuda" ? "cuda:0" : values.device;
const names = values.only.split(",").filter(Boolean);
const unknown = names.find((name) => parts.every((part) => part.name !== name));
const seconds = Number(values.seconds);
if (values.help) console.log(usage);
else if (unknown !== undefined || !(seconds > 0)) {
  console.error(
    `${unknown !== undefined ? `There is no part "${unknown}".` : "--seconds takes a number above 0."}\n${usage}`,
  );
  process.exitCode = 2;
} else await run(parts.filter(({ name }) => names.length === 0 || names.includes(name)));

async function run(wanted: readonly Part[]): Promise<void> {
  const start = performance.now();
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const machine = machineOf(device);
  console.log(
    `${machine.device}: ${machine.gpu}, driver ${machine.driver}\nlibtorch ${machine.libtorch}\nCUDA: ${machine.cuda}`,
  );
  const done: PartResult[] = [];
  const results = (): RunResults => ({
    passed: done.length === wanted.length && allPassed(done),
    seconds: (performance.now() - start) / 1000,
    machine,
    parts: done,
  });
  for (const part of wanted) {
    const left = seconds * 1000 - (performance.now() - start);
    const limit = Math.min(part.seconds * 1000, left);
    if (limit < 1000) done.push(notRun(part));
    else done.push(await (part.files ? runTests(part, device, limit) : bench(part, limit)));
    const last = done.at(-1) as PartResult;
    console.log(
      `${last.name}: ${last.state}, ${last.passed} passed, ${last.failures.length} failed, ${last.seconds.toFixed(1)} s`,
    );
    for (const { test = "", message } of last.failures.slice(0, 3)) console.log(`  ${test} ${message.split("\n")[0]}`);
    // Written after each part, so that a run that is ended keeps its results.
    write(folder, results());
  }
  const all = results();
  console.log(`${all.passed ? "All parts passed" : "Not all parts passed"}: ${join(folder, "results.md")}`);
  process.exitCode = all.passed ? 0 : 1;
}

function write(folder: string, results: RunResults): void {
  writeFileSync(join(folder, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, "results.md"), markdown(results));
}

function notRun({ name, about }: Part): PartResult {
  const failures = [{ message: "the time limit of the run was reached before it" }];
  return { name, about, state: "not run", seconds: 0, passed: 0, skipped: 0, failures };
}

/** Runs the benchmark, which ends itself before the limit. Cases for which there was no time count as skipped. */
async function bench(part: Part, milliseconds: number): Promise<PartResult> {
  const start = performance.now();
  const file = join(resolve(values.out), "bench.json");
  rmSync(file, { force: true });
  const program = fileURLToPath(new URL("../../bench/dist/gpu/main.js", import.meta.url));
  const budget = Math.max(1, Math.floor(milliseconds / 1000) - 5);
  const args = [program, "--device", device, "--seconds", String(budget), "--out", file];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const { how, errors } = await endOf(child);
  clearTimeout(timer);
  const written = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { cases: 0, unmeasured: 0, failures: [], text: undefined };
  const ended = how === undefined ? [] : [{ message: `the benchmark ended with ${how}: ${errors}` }];
  const failures = [...written.failures, ...ended];
  return resultOf(part, start, { passed: written.cases, skipped: written.unmeasured, failures }, written.text);
}
