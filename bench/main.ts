// `npm run bench`: times a step of our Adam against one of tch's, writes results/, and fails where it should be ahead and
// is not.

import { writeFileSync } from "node:fs";
import { models } from "./models.js";
import { circumstances, markdown, type Results } from "./report.js";
import { type Comparison, compare, countCalls, timeOptimizers } from "./rounds.js";

/** Why the figures do not bear out what Stepwell promises. */
function* objections({ callsPerStep, comparisons }: Results): Generator<string> {
  if (callsPerStep !== 1) yield `A step takes ${callsPerStep} calls of the addon where it should take 1.`;
  const [demo] = comparisons;
  for (const { threads, step, ratio } of demo?.tch ?? []) {
    if (ratio.median > 1) continue;
    yield `A step on the demo's model takes ${demo?.stepwell.median.toFixed(1)} µs, which is not faster than tch's ` +
      `${step.median.toFixed(1)} µs with ${threads} thread(s).`;
  }
}

const program = process.argv[2];
if (program === undefined) throw new Error("main.js wants the program that times tch's Adam: use npm run bench.");

const callsPerStep = countCalls();
console.error("bench: every optimizer");
const figures = timeOptimizers();
const comparisons: Comparison[] = [];
for (const model of models) {
  console.error(`bench: ${model.name}`);
  comparisons.push(await compare(program, model));
}
const results: Results = { ...circumstances(), callsPerStep, comparisons, ...figures };

const file = (name: string) => new URL(`../results/${name}`, import.meta.url);
writeFileSync(file("step.json"), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(file("step.md"), markdown(results));
console.log(markdown(results));
for (const objection of objections(results)) {
  console.error(`bench: ${objection}`);
  process.exitCode = 1;
}
