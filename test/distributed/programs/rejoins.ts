// Leaves a group and joins another, again and again.

import * as k from "@stepwell/sdk";

const { rounds } = JSON.parse(process.argv[2] ?? "{}") as { rounds: number };
let sum = 0;
for (let round = 0; round < rounds; round++) {
  const { rank } = await k.initProcessGroup();
  const x = k.tensor([rank + 1]);
  await k.allReduce(x);
  sum += Number(k.data(x).data[0]);
  await k.destroyProcessGroup();
}
console.log(sum);
