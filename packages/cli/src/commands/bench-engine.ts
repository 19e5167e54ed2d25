// The program that `stepwell bench` starts for each engine. It answers lines of a case and milliseconds with medians in seconds.

import { createInterface } from "node:readline";
import { type BenchCase, benchCases, workOf } from "./bench-cases.js";

const k = await import("@stepwell/sdk");
const works = new Map((Object.keys(benchCases) as BenchCase[]).map((name) => [name, workOf(k, name)]));
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
  const [name = "", milliseconds = ""] = line.split(" ");
  const work = works.get(name as BenchCase);
  if (!work) throw new Error(`bench: unknown case ${name}`);
  const times: number[] = [];
  const end = performance.now() + Number(milliseconds);
  do {
    const begin = performance.now();
    work();
    times.push((performance.now() - begin) / 1000);
  } while (performance.now() < end);
  times.sort((a, b) => a - b);
  process.stdout.write(`${times[times.length >> 1]}\n`);
}
