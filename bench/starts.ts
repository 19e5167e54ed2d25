// The time of an import in fresh processes. Entrants take turns, each in a process of its own.

import { execFileSync } from "node:child_process";
import type { Case } from "./cases.js";
import { figure } from "./figures.js";
import type { Result } from "./results.js";

const rounds = 25;

export function starts(one: Case): Result {
  const entrants = one.entrants.map(({ label, contender }) => ({ label, program: contender.find() }));
  const found = entrants.flatMap(({ label, program }) => (typeof program === "string" ? [] : [{ label, program }]));
  const measure = () =>
    found.map(({ program }) => Number(execFileSync(program.command, program.args, { encoding: "utf8" })));
  // The first round reads the files from the disk.
  measure();
  const times = Array.from({ length: rounds }, measure);
  const rows = found.map(({ label }, index) => ({
    label,
    milliseconds: figure(times.map((round) => round[index] ?? Number.NaN)),
    ...(index > 0 && { ratio: figure(times.map((round) => (round[index] ?? Number.NaN) / (round[0] ?? Number.NaN))) }),
  }));
  const skipped = entrants.flatMap(({ label, program }) =>
    typeof program === "string" ? [{ label, reason: program }] : [],
  );
  return { id: one.id, date: new Date().toISOString().slice(0, 10), rounds, rows, skipped };
}
