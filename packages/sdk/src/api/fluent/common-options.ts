// The options that the processes of a training must have in common. Otherwise they would meet at other times, or end with other parameters.

import type { ModelHandle, OptimizerHandle } from "../../handle.js";
import { test, train } from "../functions/models.js";
import { lossscale } from "../functions/steps.js";
import type { Validation } from "./fit.js";
import type { Course } from "./fit-options.js";
import type { TrainingPosition } from "./fit-types.js";
import type { SourcePlan } from "./source-steps.js";

/** The options in words, in a fixed order. Signals, paths of files and what is made ready are a matter of each process. */
export function commonOptions(
  model: ModelHandle,
  optimizer: OptimizerHandle,
  course: Course,
  source: SourcePlan | undefined,
  validation: Validation | undefined,
): readonly string[] {
  const { epochs, advance, earlystop, checkpoint, stopsAtNonFinite } = course;
  const settings = train(model);
  const { metrics: _, ...tested } = test(model);
  const { steps, seconds, resume: goesOn = false, objects = {} } = checkpoint ?? {};
  return [
    source?.source.kind ?? "data in memory",
    ...words({
      epochs,
      advance,
      lossscale: lossscale(optimizer),
      ...settings,
      ...(stopsAtNonFinite && { nonfiniteloss: "stop" }),
      ...(source && { shuffle: source.shuffle }),
    }),
    ...group("validation", validation && { every: validation.every, ...tested }),
    ...group("earlystop", earlystop),
    ...group("checkpoint", checkpoint && { steps, seconds, resume: goesOn, objects: Object.keys(objects).sort() }),
    ...group("resume", course.resume === undefined ? undefined : placeOf(course.resume as TrainingPosition)),
  ];
}

/** The place of a position in its epochs, and in the wait of an early stop. */
function placeOf({ epoch, step, taken, waited, best }: TrainingPosition): object {
  return { epoch, step, taken, waited, best: best && { epoch: best.epoch, value: best.value } };
}

/** Whether options of a name are given, and each of them. */
const group = (name: string, options: object | undefined) =>
  options ? [name, ...words(options).map((text) => `${text} in ${name}`)] : [`no ${name}`];

const words = (options: object) => Object.entries(options).map(([name, value]) => wordsOf(name, value));

function wordsOf(name: string, value: unknown): string {
  if (value === undefined || value === null) return `no ${name}`;
  if (Array.isArray(value)) return `${name} [${value.join(", ")}]`;
  return `${name} ${typeof value === "object" ? `(${words(value).join(", ")})` : value}`;
}
