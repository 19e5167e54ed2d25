// Trains with dropout and a shuffled order, from a checkpoint if there is one, and prints what it begins and ends with.

import * as k from "@stepwell/sdk";
import { modelOf, numbersOf, type SourceName, sources } from "../fits.js";

const { path, source, steps, epochs, sharded } = JSON.parse(process.argv[2] ?? "{}") as {
  path?: string;
  source: SourceName;
  /** Stops after so many. */
  steps: number;
  epochs: number;
  sharded?: boolean;
};

k.setting("threads", 1);
const { RANK = "0" } = process.env;
const rank = Number(RANK);
const model = modelOf(rank, true);
const checkpoint = path === undefined ? {} : { checkpoint: { path, steps: 1000, resume: true } };
const sized = source === "batches" ? {} : { batchsize: 8 };
const controller = new AbortController();
const options = {
  ...sized,
  epochs,
  shuffle: true,
  distributed: sharded ? { sharded } : true,
  signal: controller.signal,
  ...checkpoint,
};
const training = model.fit(sources[source](), options);
// Rank 0 alone has events. One of position 0 has nothing before it.
let begin: unknown;
const watch = setInterval(() => {}, 1000);
for await (const event of training) {
  if (event.type !== "step") continue;
  begin ??= event.step;
  if (event.step === steps) controller.abort();
}
clearInterval(watch);
const loaded = path === undefined ? undefined : k.load<{ training: k.TrainingPosition }>(path);
const position = loaded && { ...loaded.training, best: null };
console.log(JSON.stringify({ begin, numbers: numbersOf(model), position }));
process.exit();
