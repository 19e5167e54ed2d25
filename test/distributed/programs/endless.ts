// Reduces until the group fails, and prints the error.

import * as k from "@stepwell/sdk";

const { timeout } = JSON.parse(process.argv[2] ?? "{}") as { timeout: number };
await k.initProcessGroup({ timeout });
const x = k.tensor(new Float32Array(1 << 20));
await k.barrier();
console.log("ready");
for (;;) {
  try {
    await k.allReduce(x, "mean");
  } catch (error) {
    const { code, message } = error as k.StepwellError;
    console.log(JSON.stringify({ code, message }));
    break;
  }
}
