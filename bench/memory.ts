// The peak memory of steps: parameters, gradients, state and temporary buffers.

import { readFileSync, writeFileSync } from "node:fs";
import type { Case } from "./cases.js";
import { Child } from "./child.js";
import { count } from "./numbers.js";
import type { Result, Row } from "./results.js";

/** Each entrant alone, in a process of its own. Linux only, since it reports the peak and can reset it. */
export async function peaks(one: Case): Promise<Result> {
  const rows: Row[] = [];
  const skipped: { label: string; reason: string }[] = [];
  for (const { label, contender, request } of one.entrants) {
    const program = contender.refuses?.(request) ?? contender.find();
    if (typeof program === "string") {
      skipped.push({ label, reason: program });
      continue;
    }
    const child = await Child.start(contender.name, program, one.threads);
    const before = resident(child, "VmRSS");
    await child.make(request);
    await child.step(1);
    writeFileSync(`/proc/${child.pid}/clear_refs`, "5");
    await child.step(3);
    const parameters = request.do === "make" ? { parameters: count(request.shapes) } : {};
    rows.push({ label, ...parameters, peak: resident(child, "VmHWM") - before });
    child.end();
  }
  return { id: one.id, date: new Date().toISOString().slice(0, 10), rounds: 1, rows, skipped };
}

/** Bytes of a process's memory that are in use now, or at most were since this was reset. */
function resident(child: Child, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
  return Number(kilobytes) * 1024;
}
