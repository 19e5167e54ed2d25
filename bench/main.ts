// `npm run bench`: times Stepwell and other libraries, writes results/, and fails if a target is missed.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Case } from "./cases.js";
import { peaks } from "./memory.js";
import { Pool } from "./pool.js";
import { report } from "./report.js";
import { folder, machine, type Result, type Results, read, write } from "./results.js";
import { run } from "./rounds.js";
import { type Section, sections } from "./sections.js";
import { starts } from "./starts.js";
import { quote, summary } from "./summary.js";
import { targets } from "./targets.js";

const usage = `npm run bench -- [options]
  --quick            the essential rows in two or three minutes; printed and not written
  --only=<start>     only the cases whose name starts so, for example step or "large/1x64M adam"
  --list             the names of all cases
  --install-peers    first installs tfjs and jax-js into bench/peers
  --write            writes the Markdown and the README's table from the results that are there
  --check            fails where those are not what the results say`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    list: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const wanted = ({ name, cases }: Section) =>
  cases(values.quick).filter(({ id }) => id.startsWith(values.only) || values.only === name);

if (values.help) console.log(usage);
else if (values.list)
  console.log(
    sections
      .flatMap(wanted)
      .map(({ id }) => id)
      .join("\n"),
  );
else if (values.check) check();
else if (values.write) writeDocuments(stored());
else await measure();

async function measure(): Promise<void> {
  const pool = new Pool();
  const measured = new Map<string, Results>();
  try {
    for (const section of sections) {
      const ids = section.cases(false).map(({ id }) => id);
      const results: Result[] = [];
      for (const one of wanted(section)) {
        const start = performance.now();
        results.push(await resultOf(one, pool));
        console.error(`bench: ${one.id}, ${Math.round((performance.now() - start) / 1000)} s`);
        // Written after each section, so that a long run that is ended keeps its results.
        if (!values.quick) write(section.name, results, ids);
      }
      if (results.length > 0) measured.set(section.name, { machine: machine(), results });
    }
  } finally {
    pool.end();
  }
  console.log(report(measured, false));
  if (!values.quick) writeDocuments(stored());
  for (const { name, threads, passed, measured: value } of targets([...measured.values()].flatMap((m) => m.results))) {
    if (passed || value === undefined) continue;
    console.error(`bench: not as promised: ${name}, threads: ${threads}: ${value}`);
    process.exitCode = 1;
  }
}

async function resultOf(one: Case, pool: Pool): Promise<Result> {
  if (one.memory) return peaks(one);
  if (one.starts) return starts(one);
  const result = await run(one, pool);
  for (const { label, reason } of result.skipped) console.error(`bench:   without ${label}: ${reason}`);
  return result;
}

function stored(): Map<string, Results> {
  return new Map(
    sections.flatMap(({ name }) => {
      const results = read(name);
      return results ? [[name, results] as const] : [];
    }),
  );
}

/** Updates the figures in the documents. */
function documents(all: ReadonlyMap<string, Results>): readonly { readonly file: URL; readonly text: string }[] {
  const readme = new URL("../../README.md", import.meta.url);
  return [
    { file: new URL("report.md", folder), text: report(all, true) },
    { file: readme, text: quote(readFileSync(readme, "utf8"), summary(all)) },
  ];
}

function writeDocuments(all: ReadonlyMap<string, Results>): void {
  for (const { file, text } of documents(all)) writeFileSync(file, text);
}

function check(): void {
  for (const { file, text } of documents(stored())) {
    if (readFileSync(file, "utf8") === text) continue;
    console.error(`bench: ${file.pathname} is not what bench/results say: npm run bench -- --write`);
    process.exitCode = 1;
  }
}
