// `npm run test:faults`: runs every rig, first on its planted bugs, and writes .faults/report.json and .faults/report.md.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type FaultReport, hasPassed, type RigResult, tableOf } from "./report.js";
import type { Scale } from "./rig.js";
import { runRig } from "./run.js";
import { rigs } from "./table.js";

const usage = `npm run test:faults -- [options]
  --only <names>     only these rigs, by name or by row such as F1, separated by commas: ${rigs.map(({ name }) => name).join(", ")}
  --scale <scale>    quick as in npm test, full, or long as before a release; full unless it is given
  --seed <number>    1 unless it is given
  --minutes <count>  time limit of each rig, which ends with what it has done
  --no-planted       without the planted bugs
  --out <folder>     folder of report.json and report.md; .faults unless it is given`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    scale: { type: "string", default: "full" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string" },
    "no-planted": { type: "boolean", default: false },
    out: { type: "string", default: ".faults" },
    help: { type: "boolean", default: false },
  },
});

const names = values.only.split(",").filter(Boolean);
const isNamed = (name: string) => rigs.some((rig) => rig.name === name || rig.fault === name);
const [seed, minutes] = [Number(values.seed), Number(values.minutes ?? 1)];
const isScale = ["quick", "full", "long"].includes(values.scale);
if (values.help) console.log(usage);
else if (!names.every(isNamed) || !isScale || !Number.isSafeInteger(seed) || !(minutes > 0)) {
  console.error(usage);
  process.exitCode = 2;
} else await run();

async function run(): Promise<void> {
  const start = performance.now();
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const done: RigResult[] = [];
  const report = (): FaultReport => ({
    date: new Date().toISOString().slice(0, 10),
    scale: values.scale,
    seed,
    seconds: (performance.now() - start) / 1000,
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}`,
    rigs: done,
  });
  for (const rig of rigs.filter(
    ({ name, fault }) => names.length === 0 || names.includes(name) || names.includes(fault),
  )) {
    const limit = values.minutes === undefined ? {} : { limit: minutes * 60 };
    const result = await runRig(rig, { scale: values.scale as Scale, seed, planted: !values["no-planted"], ...limit });
    done.push(result);
    console.log(
      `${result.fault} ${result.name}: ${result.state}${result.reason ? `, ${result.reason}` : ""}, ` +
        `${result.outcome?.count ?? 0} cases, ${result.seconds.toFixed(0)} s`,
    );
    for (const text of result.outcome?.failures.slice(0, 5) ?? []) console.log(`  ${text}`);
    for (const { bug, isFound } of result.planted) if (!isFound) console.log(`  the planted bug is not found: ${bug}`);
    // Written after each rig, so that a run that is ended keeps its figures.
    writeFileSync(join(folder, "report.json"), `${JSON.stringify(report(), undefined, 2)}\n`);
    writeFileSync(join(folder, "report.md"), tableOf(report()));
  }
  console.log(`\n${tableOf(report())}`);
  process.exitCode = hasPassed(report()) ? 0 : 1;
}
