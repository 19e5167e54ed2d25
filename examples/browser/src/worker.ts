// The worker trains, so that the page stays free, and saves a checkpoint as it goes.

import { free, ready } from "@stepwell/sdk";
import { forget, load, save } from "./checkpoint.js";
import type { Progress, Request } from "./messages.js";
import { begin, look, train } from "./spirals.js";

/** Steps from one report to the next, and from one checkpoint to the next. */
const [reported, kept] = [20, 100];

let paused = false;
let restart = false;

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data === "restart") restart = true;
  else paused = data === "pause";
});

async function run(): Promise<never> {
  await ready();
  let training = (await load()) ?? begin();
  let resumedAt = training.steps;
  let saved = resumedAt;
  for (;;) {
    // A turn of the event loop, in which messages arrive.
    await new Promise((resolve) => setTimeout(resolve, paused && !restart ? 50 : 0));
    if (restart) {
      await forget();
      free();
      training = begin();
      resumedAt = saved = 0;
      restart = false;
    } else if (paused) continue;
    const loss = train(training, reported);
    training = { ...training, steps: training.steps + reported };
    if (training.steps % kept === 0) {
      await save(training);
      saved = training.steps;
    }
    const progress: Progress = { steps: training.steps, resumedAt, saved, loss, ...look(training) };
    postMessage(progress, { transfer: [progress.grid.buffer] });
  }
}

// The page gets an error of the worker as an event.
run().catch(reportError);
