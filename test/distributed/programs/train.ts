// Makes all trainings with the processes of a group, and prints the results.

import * as k from "@stepwell/sdk";
import { train, trainings } from "../trainings.js";

k.setting("threads", 1);
const { rank } = await k.initProcessGroup();
const results = [];
for (const row of trainings) {
  results.push(
    await train(row, async (optimizer, parameters) => {
      // Other values than rank 0, which `distributed` replaces. The order of samples is the one of rank 0, too.
      if (rank > 0) {
        k.seed(100 + rank);
        for (const parameter of parameters)
          k.copyto(k.full(k.size(parameter) as number[], rank, row.dtype ?? "double"), parameter);
      }
      await k.distributed(optimizer);
    }),
  );
}
await k.destroyProcessGroup();
console.log(JSON.stringify(results));
