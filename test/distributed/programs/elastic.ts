// Trains from the last checkpoint on. In the first group rank 0 dies after four steps, when it has saved them.

import * as k from "@stepwell/sdk";
import { modelOf, numbersOf, sources } from "../fits.js";

const { path } = JSON.parse(process.argv[2] ?? "{}") as { path: string };
const { RANK, WORLD_SIZE, TORCHELASTIC_RESTART_COUNT: restart } = process.env;

k.setting("threads", 1);
const model = modelOf(Number(RANK), true);
const checkpoint = { path, steps: 4, resume: true };
const options = { distributed: true, epochs: 4, batchsize: 8, shuffle: true, checkpoint };
let isFirst = true;
for await (const event of model.fit(sources.memory(), options)) {
  if (isFirst && event.type === "step") {
    console.log(`begins at ${event.step} of ${WORLD_SIZE}, restart ${restart}`);
    isFirst = false;
  }
  if (restart === "0" && event.type === "checkpoint") process.kill(process.pid, "SIGKILL");
}
console.log(JSON.stringify(numbersOf(model)));
process.exit();
