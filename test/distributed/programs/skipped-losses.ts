// Makes all trainings that leave out steps with the processes of a group, and prints the results.

import * as k from "@stepwell/sdk";
import { skippedRuns, trainSkipping } from "../skipped-losses.js";

k.setting("threads", 1);
await k.initProcessGroup();
const results = [];
for (const run of skippedRuns) results.push(await trainSkipping(run, (model) => k.distributed(model)));
await k.destroyProcessGroup();
console.log(JSON.stringify(results));
