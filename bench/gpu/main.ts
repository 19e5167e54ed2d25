// The benchmark on a GPU. Results are written after each case. At the time limit it ends with the cases that it has measured: a
// slow machine has fewer of them, and no failure.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "./cases.js";
import { failures, report } from "./report.js";
import { type GpuResult, Processes, runCase, startAll } from "./rounds.js";

const { values } = parseArgs({
  options: {
    device: { type: "string", default: "cuda:0" },
    seconds: { type: "string", default: "145" },
    out: { type: "string", default: "bench.json" },
  },
});
const { device, out } = values;
const end = performance.now() + Number(values.seconds) * 1000;

const processes = new Processes();
const results: GpuResult[] = [];
const all = cases(device);
/** In milliseconds, the longest case until now: another one starts only if it fits. */
let longest = 0;
const limit = setTimeout(() => {
  write();
  processes.kill();
  process.exit(0);
}, end - performance.now());
await startAll(processes);
for (const [i, one] of all.entries()) {
  const left = end - performance.now();
  if (left < longest) break;
  const start = performance.now();
  // Half of a case's share, since making tensors takes time as well.
  results.push(await runCase(one, device, left / (all.length - i) / 2000, processes));
  longest = Math.max(longest, performance.now() - start);
  write();
  // If Stepwell cannot make a step at all, no other case can.
  if (results[0]?.rows.length === 0) break;
}
clearTimeout(limit);
processes.end();

function write(): void {
  const unmeasured = all.slice(results.length).map(({ id }) => id);
  const last =
    unmeasured.length > 0
      ? [
          `${results.length} of ${all.length} cases were measured. Not measured, for lack of time: ${unmeasured.join(", ")}.`,
        ]
      : [];
  const text = [report(results, device), ...last].join("\n\n");
  const failed = failures(results, device);
  const measured = results.filter(({ rows }) => rows.length > 0).length;
  const written = { cases: measured, unmeasured: unmeasured.length, failures: failed, text, results };
  writeFileSync(out, `${JSON.stringify(written, undefined, 2)}\n`);
}
